//! A client of the HTTP contract whose requests read as sentences.

use crate::eventually::{PATIENCE, eventually};
use crate::program::Data;
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::Value;
use std::ops::Index;
use std::pin::Pin;
use std::sync::Arc;

/// Talks to one server. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    address: String,
    http: reqwest::Client,
    data: Arc<Data>,
}

/// A request that is sent when it is awaited.
#[derive(Debug, Clone)]
#[must_use = "a request is sent when it is awaited"]
pub struct Request {
    client: Client,
    method: Method,
    path: String,
    principal: Option<String>,
    headers: Vec<(String, String)>,
    body: Option<String>,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    asked: String,
    /// The status code.
    pub status: u16,
    /// The body as it came.
    pub text: String,
    /// The body as JSON; `null` where it is none.
    pub json: Value,
    headers: HeaderMap,
}

impl Client {
    pub(crate) fn new(address: String, data: Arc<Data>) -> Self {
        let http = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build().expect("a client");
        Self { inner: Arc::new(Inner { address, http, data }) }
    }

    /// The directory that is served.
    #[must_use]
    pub fn data(&self) -> &Arc<Data> {
        &self.inner.data
    }

    /// `http://127.0.0.1:…`
    #[must_use]
    pub fn address(&self) -> &str {
        &self.inner.address
    }

    /// The same principals, at another address.
    #[must_use]
    pub fn at(&self, address: String) -> Self {
        Self::new(address, self.inner.data.clone())
    }

    /// GET.
    pub fn get(&self, path: impl Into<String>) -> Request {
        self.request(Method::GET, path)
    }

    /// POST.
    pub fn post(&self, path: impl Into<String>) -> Request {
        self.request(Method::POST, path)
    }

    /// PATCH.
    pub fn patch(&self, path: impl Into<String>) -> Request {
        self.request(Method::PATCH, path)
    }

    /// DELETE.
    pub fn delete(&self, path: impl Into<String>) -> Request {
        self.request(Method::DELETE, path)
    }

    /// With any method.
    pub fn request(&self, method: Method, path: impl Into<String>) -> Request {
        let client = self.clone();
        Request { client, method, path: path.into(), principal: None, headers: Vec::new(), body: None }
    }

    /// The whole journal, in order.
    pub async fn journal(&self) -> Vec<Value> {
        let mut events = Vec::new();
        loop {
            let after = events.last().map_or(0, |event: &Value| event["position"].as_u64().expect("a position"));
            let page = self.get(format!("/v1/admin/events?after={after}&limit=100")).by("admin").await.is(200);
            let page = page.items();
            if page.is_empty() {
                return events;
            }
            events.extend(page);
        }
    }

    /// Every entry of a list, page by page.
    pub async fn all(&self, path: &str, principal: &str) -> Vec<Value> {
        let mut entries = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.get(format!("{path}?limit=100{cursor}")).by(principal).await.is(200);
            entries.extend(page.items());
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return entries,
            }
        }
    }

    /// What an administrator sees of the subscriptions.
    pub async fn subscriptions(&self) -> Vec<Value> {
        self.get("/v1/admin/subscriptions").by("admin").await.is(200).items()
    }

    /// One of them.
    ///
    /// # Panics
    /// When there is none of that name.
    pub async fn subscription(&self, name: &str) -> Value {
        let all = self.subscriptions().await;
        all.into_iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("no subscription `{name}`"))
    }

    /// Waits until every subscription has handled the whole journal.
    pub async fn settled(&self) {
        eventually("nothing is left to be handled", async || {
            // What nobody works for yet is shown as its last owner left it.
            self.subscriptions().await.iter().all(|one| one["lag"] == 0 && !one["owner"].is_null()).then_some(())
        })
        .await;
    }
}

impl Request {
    /// On whose behalf: `customer:alice`.
    pub fn by(mut self, principal: impl Into<String>) -> Self {
        self.principal = Some(principal.into());
        self
    }

    /// With a body.
    #[expect(clippy::needless_pass_by_value, reason = "bodies are written where they are sent")]
    pub fn json(self, body: Value) -> Self {
        self.text(body.to_string())
    }

    /// With a body that may not even be JSON.
    pub fn text(mut self, body: impl Into<String>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// With a header.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Waits for an outcome for so many seconds.
    pub fn waiting_s(self, seconds: u32) -> Self {
        self.header("prefer", format!("wait={seconds}"))
    }

    /// Sends it to a server that may be gone.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn sent(self) -> Result<Reply, reqwest::Error> {
        let inner = &self.client.inner;
        let asked = format!("{} {}", self.method, self.path);
        let mut request = inner.http.request(self.method, format!("{}{}", inner.address, self.path));
        if let Some(principal) = &self.principal {
            request = request.bearer_auth(inner.data.token(principal));
        }
        if let Some(body) = self.body {
            request = request.header("content-type", "application/json").body(body);
        }
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Reply { asked, status, text, json, headers })
    }
}

impl IntoFuture for Request {
    type Output = Reply;
    type IntoFuture = Pin<Box<dyn Future<Output = Reply> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        let asked = format!("{} {}", self.method, self.path);
        Box::pin(async move { self.sent().await.unwrap_or_else(|error| panic!("{asked}: {error}")) })
    }
}

impl Reply {
    /// Asserts the status code.
    ///
    /// # Panics
    /// When it is another one.
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{} was answered\n{}", self.asked, self.text);
        self
    }

    /// Asserts that it is that problem, told as problems are.
    ///
    /// # Panics
    /// When it is not.
    #[track_caller]
    pub fn problem(self, status: u16, slug: &str) -> Self {
        let reply = self.is(status);
        assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{}", reply.asked);
        assert_eq!(reply["type"], format!("/problems/{slug}"), "{}", reply.text);
        assert_eq!(reply["status"], status, "{}", reply.text);
        for member in ["title", "detail"] {
            assert!(reply[member].as_str().is_some_and(|text| !text.is_empty()), "no {member}: {}", reply.text);
        }
        reply
    }

    /// A header, if it came.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The journal position that a command answers with.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    #[must_use]
    pub fn position(&self) -> u64 {
        let position = self.header("journal-position").and_then(|text| text.parse().ok());
        position.unwrap_or_else(|| panic!("{} has no journal-position", self.asked))
    }

    /// The id of what was made.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    #[must_use]
    pub fn id(&self) -> String {
        self["id"].as_str().unwrap_or_else(|| panic!("{} has no id: {}", self.asked, self.text)).to_owned()
    }

    /// What a list holds.
    ///
    /// # Panics
    /// When it is no list.
    #[track_caller]
    #[must_use]
    pub fn items(&self) -> Vec<Value> {
        let items = self["items"].as_array();
        items.unwrap_or_else(|| panic!("{} is no list: {}", self.asked, self.text)).clone()
    }
}

impl Index<&str> for Reply {
    type Output = Value;

    fn index(&self, member: &str) -> &Value {
        &self.json[member]
    }
}
