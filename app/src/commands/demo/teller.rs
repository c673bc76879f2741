//! Tells a story: makes real requests, prints what was answered and which events came of it.

use super::business::Business;
use crate::failure::Failure;
use api::{Keys, Principal};
use reqwest::{Client, Method};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{Stdout, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

const TOKEN_VALIDITY: Duration = Duration::from_secs(24 * 3_600);
/// How long the processes may take to come to rest after the last answer.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// An HTTP client with a voice.
pub(super) struct Teller {
    base: String,
    client: Client,
    keys: Keys,
    tokens: BTreeMap<String, String>,
    out: Stdout,
    stories: Vec<Story>,
    playing: Option<Business>,
}

/// What was told, and how it ended.
struct Story {
    business: Option<Business>,
    title: String,
    outcome: String,
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

    /// Where the payment of an answered rental stands.
    pub(super) fn payment(&self) -> &str {
        self.body["payment"]["status"].as_str().unwrap_or_default()
    }
}

impl Teller {
    pub(super) fn new(address: SocketAddr, keys: Keys) -> Result<Self, Failure> {
        let client = Client::builder()
            .timeout(Duration::from_secs(30))
            .build()
            .map_err(|error| Failure::because("no HTTP client", error))?;
        let base = format!("http://{address}");
        let (tokens, stories) = (BTreeMap::new(), Vec::new());
        Ok(Self { base, client, keys, tokens, out: std::io::stdout(), stories, playing: None })
    }

    /// Begins the stories of a business.
    pub(super) fn business(&mut self, business: Business) -> Result<(), Failure> {
        self.playing = Some(business);
        Ok(writeln!(self.out, "\n═══ {business}")?)
    }

    /// How many stories were told of it.
    pub(super) fn stories_of(&self, business: Business) -> usize {
        self.stories.iter().filter(|story| story.business == Some(business)).count()
    }

    /// Begins a story.
    pub(super) fn story(&mut self, title: &str) -> Result<(), Failure> {
        writeln!(self.out, "\n── {title}")?;
        let (title, outcome) = (title.to_owned(), "told".to_owned());
        self.stories.push(Story { business: self.playing, title, outcome });
        Ok(())
    }

    /// Ends a story with what came of it.
    pub(super) fn ends(&mut self, outcome: &str) {
        if let Some(story) = self.stories.last_mut() {
            outcome.clone_into(&mut story.outcome);
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
        self.say(&format!("{who:<20} POST {}  →  {} {said}", shortened(path), answer.status))?;
        Ok(answer)
    }

    pub(super) async fn get(&mut self, who: &str, path: &str) -> Result<Answer, Failure> {
        self.send(who, Method::GET, path, None, 200).await
    }

    /// Prints the events of a rental's story that were not printed before `after`; answers the last position.
    pub(super) async fn events(&mut self, who: &str, rental: &str, after: u64) -> Result<u64, Failure> {
        self.settled().await?;
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

    /// The last position of a rental's story so far: what was printed of it already, or is no part of what follows.
    pub(super) async fn history_end(&mut self, who: &str, rental: &str) -> Result<u64, Failure> {
        self.settled().await?;
        let history = self.get(who, &format!("/v1/rentals/{rental}/history")).await?;
        let last = history.body["items"].as_array().and_then(|events| events.last());
        Ok(last.and_then(|event| event["position"].as_u64()).unwrap_or_default())
    }

    /// Waits until every process has done what there is to do.
    pub(super) async fn settled(&mut self) -> Result<(), Failure> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let all = self.get("admin", "/v1/admin/subscriptions").await?;
            let subscriptions = all.body["items"].as_array().map(Vec::as_slice).unwrap_or_default();
            // Views follow in their own time; nothing is shown here that does not wait for them.
            let is_view = |one: &&Value| one["name"].as_str().is_some_and(|name| name.starts_with("view-"));
            if subscriptions.iter().filter(|one| !is_view(one)).all(|one| one["lag"] == 0) {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(Failure::new(format!("the processes do not come to rest within {PATIENCE:?}")));
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// The journal's last position.
    pub(super) async fn head(&mut self) -> Result<u64, Failure> {
        Ok(self.journal(0).await?.last().and_then(|event| event["position"].as_u64()).unwrap_or_default())
    }

    /// Every event behind a position.
    pub(super) async fn journal(&mut self, after: u64) -> Result<Vec<Value>, Failure> {
        let mut events: Vec<Value> = Vec::new();
        loop {
            let last = events.last().and_then(|event| event["position"].as_u64()).unwrap_or(after);
            let page = self.get("admin", &format!("/v1/admin/events?after={last}&limit=100")).await?;
            match page.body["items"].as_array().map(Vec::as_slice) {
                Some(page) if !page.is_empty() => events.extend_from_slice(page),
                Some(_) | None => return Ok(events),
            }
        }
    }

    /// A line for each story that was told.
    pub(super) fn what_came_of_it(&mut self) -> Result<(), Failure> {
        writeln!(self.out, "\n═══ What came of it")?;
        let width = self.stories.iter().map(|story| story.title.chars().count()).max().unwrap_or_default();
        for Story { title, outcome, .. } in &self.stories {
            writeln!(self.out, "   {title:<width$}  {outcome}")?;
        }
        Ok(writeln!(self.out)?)
    }

    /// Commands to paste into another terminal.
    pub(super) fn say_how_to_go_on(&mut self, businesses: &[Business]) -> Result<(), Failure> {
        let (alice, admin, base) = (self.token("customer:alice")?, self.token("admin")?, self.base.clone());
        writeln!(
            self.out,
            "\n── It goes on: reservoir serves on {base} until Ctrl-C. To paste into another terminal:\n\n\
             ALICE={alice}\nADMIN={admin}\n\
             curl -H \"Authorization: Bearer $ALICE\" {base}/v1/mypage\n\
             curl -H \"Authorization: Bearer $ADMIN\" {base}/v1/admin/subscriptions\n\
             curl -H \"Authorization: Bearer $ADMIN\" '{base}/v1/admin/events?after=0&limit=5'"
        )?;
        for business in businesses {
            let (staff, store) = (self.token(&business.staff())?, business.store());
            writeln!(
                self.out,
                "\n# {business}\nSTAFF={staff}\n\
                 curl {base}/v1/stores/{store}/items\n\
                 curl -H \"Authorization: Bearer $STAFF\" {base}/v1/stores/{store}/dispatches"
            )?;
        }
        Ok(writeln!(self.out)?)
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

/// Ids are long and say nothing in a story; of those made in one second only the ends differ.
fn shortened(path: &str) -> String {
    path.split('/').map(|part| if part.len() == 36 { &part[28..] } else { part }).collect::<Vec<_>>().join("/")
}
