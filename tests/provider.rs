//! A running `reservoir simulate-provider`, and whether its books and the journal say the same.

use crate::eventually::PATIENCE;
use crate::program::Data;
use crate::server::Server;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout};
use tokio::time::timeout;

const READY: &str = "reservoir simulates a provider on ";

/// The program, being a payment provider whose books outlive it.
pub struct Provider {
    address: String,
    http: reqwest::Client,
    data: Arc<Data>,
    options: Vec<String>,
    child: Child,
    /// Kept open: the program must not fail because nobody listens to it.
    _stdout: Lines<BufReader<ChildStdout>>,
}

/// What is left of a provider that was killed: its books, and its address.
#[must_use = "it comes back when it is restarted"]
pub struct KilledProvider {
    address: String,
    data: Arc<Data>,
    options: Vec<String>,
}

impl KilledProvider {
    /// The program again at the same address with the same books.
    ///
    /// # Panics
    /// When it does not come back.
    pub async fn restart(self) -> Provider {
        let listen = self.address.strip_prefix("http://").expect("an address").to_owned();
        Provider::run(self.data, self.options, &listen).await
    }
}

/// What was taken and what went back, in minor units, by payment.
pub type Books = BTreeMap<String, (i64, i64)>;

impl Provider {
    /// With empty books, on a free port.
    pub async fn start() -> Self {
        Self::with_options(&[]).await
    }

    /// The same, where it is told something.
    pub async fn with_options(options: &[&str]) -> Self {
        let options = options.iter().map(|&option| option.to_owned()).collect();
        Self::run(Data::empty(), options, "127.0.0.1:0").await
    }

    async fn run(data: Arc<Data>, options: Vec<String>, listen: &str) -> Self {
        let mut command = data.command(&["simulate-provider", "--ledger", "ledger.jsonl", "--listen", listen]);
        let mut child = command.args(&options).stdout(Stdio::piped()).spawn().expect("it starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let line = timeout(PATIENCE, stdout.next_line()).await.expect("it is ready in time").expect("a line");
        let address = line.as_deref().and_then(|line| line.strip_prefix(READY)).map(str::to_owned);
        let address = address.unwrap_or_else(|| panic!("the provider is not ready, it says {line:?}"));
        let http = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build().expect("a client");
        Self { address, http, data, options, child, _stdout: stdout }
    }

    /// `http://127.0.0.1:…`
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// kill -9, and the program again at the same address with the same books.
    ///
    /// # Panics
    /// When it cannot be ended or does not come back.
    #[must_use]
    pub async fn killed_and_restarted(self) -> Self {
        self.kill().await.restart().await
    }

    /// kill -9.
    ///
    /// # Panics
    /// When even that does not end it.
    pub async fn kill(mut self) -> KilledProvider {
        self.child.start_kill().expect("it was running");
        timeout(PATIENCE, self.child.wait()).await.expect("it ends").expect("it ended");
        KilledProvider { address: self.address, data: self.data, options: self.options }
    }

    /// Behaves like that from now on.
    pub async fn plays(&self, script: Value) {
        self.put("/script", script).await;
    }

    /// Sends its webhooks to a server from now on.
    pub async fn tells(&self, server: &Server) {
        let url = format!("{}/v1/webhooks/payments/simulated", server.address());
        self.put("/webhook-url", json!({ "url": url })).await;
    }

    async fn put(&self, path: &str, body: Value) {
        let request = self.http.put(format!("{}{path}", self.address)).body(body.to_string());
        let reply = request.send().await.expect("the provider answers");
        assert_eq!(reply.status().as_u16(), 200, "{path}: {}", reply.text().await.unwrap_or_default());
    }

    /// Every entry of its books, in order.
    ///
    /// # Panics
    /// When it cannot be asked.
    pub async fn ledger(&self) -> Vec<Value> {
        let reply = self.http.get(format!("{}/ledger", self.address)).send().await.expect("the provider answers");
        let text = reply.text().await.expect("a whole answer");
        let ledger: Value = serde_json::from_str(&text).expect("JSON");
        ledger["entries"].as_array().expect("a list").clone()
    }

    /// What it has taken and given back, wherever that is more than nothing.
    pub async fn books(&self) -> Books {
        let mut books = Books::new();
        for entry in self.ledger().await {
            let amount = || entry["amount"]["amount_minor"].as_i64().expect("an amount");
            let text = |member: &str| entry[member].as_str().expect("a text").to_owned();
            match text("entry").as_str() {
                "charged" => books.entry(text("key")).or_default().0 += amount(),
                "refunded" => books.entry(text("charge")).or_default().1 += amount(),
                "declined" | "refund_failed" => {}
                other => panic!("an entry `{other}`"),
            }
        }
        books
    }
}

/// What the journal says was taken and given back, wherever that is more than nothing.
///
/// # Panics
/// When an event lacks what it has to have.
pub async fn our_books(server: &Server) -> Books {
    let (mut books, mut asked) = (Books::new(), BTreeMap::new());
    for event in server.journal().await {
        let Some(payment) = event["stream"].as_str().and_then(|stream| stream.strip_prefix("payment-")) else {
            continue;
        };
        let amount = |amount: &Value| amount["amount_minor"].as_i64().expect("an amount");
        match event["type"].as_str().expect("a type") {
            "PaymentRequested" => {
                asked.insert(payment.to_owned(), amount(&event["data"]["charge"]["amount"]));
            }
            "PaymentApproved" => books.entry(payment.to_owned()).or_default().0 += asked[payment],
            "PaymentRefunded" => books.entry(payment.to_owned()).or_default().1 += amount(&event["data"]["amount"]),
            _ => {}
        }
    }
    books
}
