//! A real mail server on loopback: aiosmtpd, which `tests/run` installs.

use crate::eventually::{PATIENCE, eventually};
use serde_json::Value;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Where the Python is that has aiosmtpd.
const PYTHON: &str = "AIOSMTPD_PYTHON";

/// A mail server, until it is dropped.
pub struct MailServer {
    port: u16,
    mails: Arc<Mutex<Vec<Value>>>,
    done: watch::Receiver<usize>,
    stdin: ChildStdin,
    child: Child,
    reading: JoinHandle<()>,
}

impl MailServer {
    /// One that takes every mail; `None`, with a word to whoever runs the tests, where there is no aiosmtpd.
    pub async fn start() -> Option<Self> {
        Self::run(0, Arc::default()).await
    }

    #[expect(clippy::print_stderr, reason = "who runs the tests has to know what was not tested")]
    async fn run(port: u16, mails: Arc<Mutex<Vec<Value>>>) -> Option<Self> {
        let Some(python) = std::env::var_os(PYTHON) else {
            eprintln!("not tested against a mail server: tests/run installs one, or set {PYTHON}");
            return None;
        };
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/mail_server.py");
        let mut command = Command::new(python);
        command.arg(script).arg(port.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("it starts");
        let stdin = child.stdin.take().expect("it is piped");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let read = |line: &str| serde_json::from_str::<Value>(line).expect("JSON");
        let first = timeout(PATIENCE, lines.next_line()).await.expect("it is ready in time").expect("a line");
        let port = read(&first.expect("a line"))["port"].as_u64().and_then(|port| port.try_into().ok());
        let (tell, done) = watch::channel(0);
        let taken = mails.clone();
        let reading = tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                let said = read(&line);
                match said.get("mail") {
                    Some(mail) => taken.lock().unwrap().push(mail.clone()),
                    None => tell.send_modify(|done| *done += 1),
                }
            }
        });
        Some(Self { port: port.expect("a port"), mails, done, stdin, child, reading })
    }

    /// `smtp://127.0.0.1:…`
    #[must_use]
    pub fn address(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// Behaves like that from now on.
    ///
    /// # Panics
    /// When it does not.
    pub async fn plays(&mut self, script: Value) {
        let before = *self.done.borrow();
        self.stdin.write_all(format!("{script}\n").as_bytes()).await.expect("it listens");
        let done = timeout(PATIENCE, self.done.wait_for(|done| *done > before)).await;
        done.expect("it does so in time").expect("it is there");
    }

    /// Every mail that it took, in order.
    ///
    /// # Panics
    /// When another test's thread did.
    #[must_use]
    pub fn mails(&self) -> Vec<Value> {
        self.mails.lock().unwrap().clone()
    }

    /// Waits for so many mails, and gives all that were taken.
    pub async fn took(&self, how_many: usize) -> Vec<Value> {
        eventually(&format!("{how_many} mails are taken"), async || {
            Some(self.mails()).filter(|mails| mails.len() >= how_many)
        })
        .await
    }

    /// Goes away, and gives what it takes to come back.
    ///
    /// # Panics
    /// When it cannot be ended.
    pub async fn away(mut self) -> Away {
        self.child.start_kill().expect("it was running");
        timeout(PATIENCE, self.child.wait()).await.expect("it ends").expect("it ended");
        self.reading.await.expect("everything it said is read");
        Away { port: self.port, mails: self.mails }
    }
}

/// A mail server that is not there.
pub struct Away {
    port: u16,
    mails: Arc<Mutex<Vec<Value>>>,
}

impl Away {
    /// The same server, at the same address.
    ///
    /// # Panics
    /// When it does not come back.
    pub async fn back(self) -> MailServer {
        MailServer::run(self.port, self.mails).await.expect("it was there before")
    }
}
