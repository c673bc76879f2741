//! Tells a story: makes real requests, prints what was answered and which events came of it.

use crate::failure::Failure;
use api::{Keys, Principal};
use reqwest::{Client, Method};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{Stdout, Write};
use std::net::SocketAddr;
use std::time::Duration;

const TOKEN_VALIDITY: Duration = Duration::from_secs(24 * 3_600);

/// An HTTP client with a voice.
pub(super) struct Teller {
    base: String,
    client: Client,
    keys: Keys,
    tokens: BTreeMap<String, String>,
    out: Stdout,
    stories: Vec<(String, String)>,
}

/// What the server answered.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
}

impl Answer {
    pub(super) fn text(&self, field: &str) -> &str {
        self.body[field].as_str().unwrap_or_default()
    }
}

impl Teller {
    pub(super) fn new(address: SocketAddr, keys: Keys) -> Result<Self, Failure> {
        let client = Client::builder()
            .timeout(Duration::from_secs(30))
            .build()
            .map_err(|error| Failure::because("no HTTP client", error))?;
        let base = format!("http://{address}");
        Ok(Self { base, client, keys, tokens: BTreeMap::new(), out: std::io::stdout(), stories: Vec::new() })
    }

    /// Begins a story.
    pub(super) fn story(&mut self, title: &str) -> Result<(), Failure> {
        writeln!(self.out, "\n── {title}")?;
        self.stories.push((title.to_owned(), "told".to_owned()));
        Ok(())
    }

    /// Ends a story with what came of it.
    pub(super) fn ends(&mut self, outcome: &str) {
        if let Some(story) = self.stories.last_mut() {
            outcome.clone_into(&mut story.1);
        }
    }

    pub(super) fn say(&mut self, line: &str) -> Result<(), Failure> {
        Ok(writeln!(self.out, "   {line}")?)
    }

    /// Sends a request as a principal. Any status but the expected one ends the demo: it would not be the story told.
    pub(super) async fn send(
        &mut self,
        who: &str,
        method: Method,
        path: &str,
        body: Option<Value>,
        expected: u16,
    ) -> Result<Answer, Failure> {
        let token = self.token(who)?;
        let mut request = self.client.request(method.clone(), format!("{}{path}", self.base)).bearer_auth(token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let failed = |error| Failure::because(format!("{method} {path}"), error);
        let answer = request.send().await.map_err(failed)?;
        let status = answer.status().as_u16();
        let body: Value = answer.json().await.map_err(failed)?;
        if status != expected {
            return Err(Failure::new(format!("{method} {path} was answered {status}, not {expected}: {body}")));
        }
        Ok(Answer { status, body })
    }

    pub(super) async fn post(&mut self, who: &str, path: &str, body: Value, expected: u16) -> Result<Answer, Failure> {
        let answer = self.send(who, Method::POST, path, Some(body), expected).await?;
        let said = match answer.text("status_label") {
            "" => answer.text("detail").to_owned(),
            label => label.to_owned(),
        };
        self.say(&format!("{who:<18} POST {}  →  {} {said}", shortened(path), answer.status))?;
        Ok(answer)
    }

    pub(super) async fn get(&mut self, who: &str, path: &str) -> Result<Answer, Failure> {
        self.send(who, Method::GET, path, None, 200).await
    }

    /// Prints the events of a rental's story that were not printed before `after`; answers the last position.
    pub(super) async fn events(&mut self, who: &str, rental: &str, after: u64) -> Result<u64, Failure> {
        let history = self.get(who, &format!("/v1/rentals/{rental}/history")).await?;
        let mut last = after;
        for event in history.body["items"].as_array().into_iter().flatten() {
            let position = event["position"].as_u64().unwrap_or_default();
            if position > after {
                let (kind, actor) = (event["type"].as_str(), event["actor"].as_str());
                let (kind, actor) = (kind.unwrap_or_default(), actor.unwrap_or_default());
                self.say(&format!("     #{position:<4} {kind:<28} {actor}"))?;
                last = last.max(position);
            }
        }
        Ok(last)
    }

    pub(super) fn summary(&mut self) -> Result<(), Failure> {
        writeln!(self.out, "\n── What came of it")?;
        let width = self.stories.iter().map(|(title, _)| title.chars().count()).max().unwrap_or_default();
        for (title, outcome) in &self.stories {
            writeln!(self.out, "   {title:<width$}  {outcome}")?;
        }
        Ok(())
    }

    /// Commands to paste into another terminal.
    pub(super) fn say_how_to_go_on(&mut self) -> Result<(), Failure> {
        let (alice, staff, admin) =
            (self.token("customer:alice")?, self.token("staff:seoul-cars")?, self.token("admin")?);
        let base = self.base.clone();
        writeln!(
            self.out,
            "\n── It goes on: reservoir serves on {base} until Ctrl-C. To paste into another terminal:\n\n\
             ALICE={alice}\nSTAFF={staff}\nADMIN={admin}\n\n\
             curl {base}/v1/stores/seoul-cars/items\n\
             curl -H \"Authorization: Bearer $ALICE\" {base}/v1/mypage\n\
             curl -H \"Authorization: Bearer $STAFF\" {base}/v1/stores/seoul-cars/dispatches\n\
             curl -H \"Authorization: Bearer $ADMIN\" {base}/v1/admin/subscriptions\n\
             curl -H \"Authorization: Bearer $ADMIN\" '{base}/v1/admin/events?after=0&limit=5'\n"
        )?;
        Ok(())
    }

    fn token(&mut self, who: &str) -> Result<String, Failure> {
        if let Some(token) = self.tokens.get(who) {
            return Ok(token.clone());
        }
        let principal: Principal =
            who.parse().map_err(|error| Failure::because(format!("principal `{who}`"), error))?;
        let token =
            self.keys.mint(&principal, TOKEN_VALIDITY).map_err(|error| Failure::because("cannot sign", error))?;
        self.tokens.insert(who.to_owned(), token.clone());
        Ok(token)
    }
}

/// Ids are long and say nothing in a story.
fn shortened(path: &str) -> String {
    path.split('/').map(|part| if part.len() == 36 { &part[..8] } else { part }).collect::<Vec<_>>().join("/")
}
