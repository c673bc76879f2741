//! A store's own program: takes webhooks on loopback and keeps them.

use crate::eventually::eventually;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use ring::hmac::{HMAC_SHA256, Key, verify};
use serde_json::Value;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What it was sent.
#[derive(Debug, Clone)]
pub struct Sent {
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, as it came.
    pub body: String,
    /// What it was answered.
    pub status: u16,
}

#[derive(Default)]
struct Kept {
    sent: Vec<Sent>,
    answers: VecDeque<u16>,
    silent: bool,
}

/// The program, until it is dropped.
pub struct Receiver {
    address: SocketAddr,
    url: String,
    kept: Arc<Mutex<Kept>>,
    serving: JoinHandle<()>,
}

impl Receiver {
    /// One that takes everything.
    ///
    /// # Panics
    /// When there is no port for it.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let kept = Arc::<Mutex<Kept>>::default();
        let routes = Router::new().route("/told", post(take)).with_state(kept.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, routes).await.expect("it serves") });
        Self { address, url: format!("http://{address}/told"), kept, serving }
    }

    /// `127.0.0.1:…`
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Answers the next ones so, and those after them with 200.
    ///
    /// # Panics
    /// When another thread did.
    pub fn answers(&self, statuses: &[u16]) {
        self.kept.lock().unwrap().answers = statuses.iter().copied().collect();
    }

    /// Never answers any more.
    ///
    /// # Panics
    /// When another thread did.
    pub fn falls_silent(&self) {
        self.kept.lock().unwrap().silent = true;
    }

    /// Everything that it was sent, in order.
    ///
    /// # Panics
    /// When another thread did.
    #[must_use]
    pub fn sent(&self) -> Vec<Sent> {
        self.kept.lock().unwrap().sent.clone()
    }

    /// Waits until it has taken so many, and gives all that it was sent.
    pub async fn took(&self, how_many: usize) -> Vec<Sent> {
        eventually(&format!("{how_many} events are taken"), async || {
            let sent = self.sent();
            (sent.iter().filter(|one| one.status == 200).count() >= how_many).then_some(sent)
        })
        .await
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Sent {
    /// Its body.
    ///
    /// # Panics
    /// When that is not JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    /// A header.
    ///
    /// # Panics
    /// When it is not there.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_else(|| panic!("no {name}: {self:?}"))
    }

    /// Asserts that it was signed with a secret, as a receiver that has read the documentation does.
    ///
    /// # Panics
    /// When it was not.
    pub fn is_signed_with(&self, secret: &str) {
        let (seconds, tag) = self.header("reservoir-signature").split_once(",v1=").expect("a signature");
        let seconds = seconds.strip_prefix("t=").expect("a time");
        let age = chrono::Utc::now().timestamp() - seconds.parse::<i64>().expect("seconds");
        assert!((0..60).contains(&age), "signed {age} s ago");
        let digits = |at: usize| u8::from_str_radix(&tag[at..at + 2], 16).expect("hexadecimal digits");
        let tag: Vec<u8> = (0..tag.len()).step_by(2).map(digits).collect();
        let key = Key::new(HMAC_SHA256, secret.as_bytes());
        verify(&key, format!("{seconds}.{}", self.body).as_bytes(), &tag).expect("it is authentic");
    }
}

async fn take(State(kept): State<Arc<Mutex<Kept>>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let body = String::from_utf8(body.to_vec()).expect("UTF-8");
    let (status, silent) = {
        let mut kept = kept.lock().unwrap();
        let status = kept.answers.pop_front().unwrap_or(200);
        kept.sent.push(Sent { headers, body, status });
        (status, kept.silent)
    };
    if silent {
        std::future::pending::<()>().await;
    }
    StatusCode::from_u16(status).expect("a status")
}
