//! A running `reservoir serve`.

use crate::eventually::PATIENCE;
use crate::http::Client;
use crate::program::Data;
use std::fs::File;
use std::ops::Deref;
use std::process::Stdio;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout};
use tokio::time::timeout;

const READY: &str = "reservoir serves on ";
const LOG: &str = "stderr.log";

/// The program, serving a data directory until it is stopped, killed or dropped.
pub struct Server {
    client: Client,
    child: Child,
    /// Kept open: the program must not fail because nobody listens to it.
    _stdout: Lines<BufReader<ChildStdout>>,
}

impl Server {
    /// The program on an empty data directory.
    pub async fn fresh() -> Self {
        Self::start(Data::empty()).await
    }

    pub(crate) async fn start(data: Arc<Data>) -> Self {
        let log = File::options().create(true).append(true).open(data.path().join(LOG)).expect("a log");
        let mut command = data.command(&["serve"]);
        if !data.options().iter().any(|option| option == "--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        let mut child = command.args(data.options()).stdout(Stdio::piped()).stderr(log).spawn().expect("it starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let line = timeout(PATIENCE, stdout.next_line()).await.expect("it is ready in time").expect("a line");
        let address = line.as_deref().and_then(|line| line.strip_prefix(READY)).map(str::to_owned);
        let Some(address) = address else {
            let log = std::fs::read_to_string(data.path().join(LOG)).unwrap_or_default();
            panic!("it is not ready, it says {line:?}\n{log}");
        };
        Self { client: Client::new(address, data), child, _stdout: stdout }
    }

    /// The client, to be moved into a task.
    #[must_use]
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// Of the process.
    ///
    /// # Panics
    /// When it has ended.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id().expect("it is running")
    }

    /// kill -9.
    ///
    /// # Panics
    /// When even that does not end it.
    pub async fn kill(mut self) -> Arc<Data> {
        self.child.start_kill().expect("it was running");
        timeout(PATIENCE, self.child.wait()).await.expect("it ends").expect("it ended");
        self.client.data().clone()
    }

    /// SIGTERM, and then the exit code.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn stop(mut self) -> (Arc<Data>, Option<i32>) {
        self.terminate();
        let ended = timeout(PATIENCE, self.child.wait()).await.expect("it drains in time").expect("it ended");
        (self.client.data().clone(), ended.code())
    }

    /// SIGTERM, without waiting for what it does.
    ///
    /// # Panics
    /// When it was not running.
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    /// `TERM`, `STOP`, `CONT`.
    ///
    /// # Panics
    /// When it was not running.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().expect("it is running").to_string();
        let signal = format!("-{name}");
        let sent = std::process::Command::new("kill").args([&signal, &id]).status().expect("kill is on every machine");
        assert!(sent.success(), "no signal for {id}");
    }
}

impl Deref for Server {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Drop for Server {
    #[expect(clippy::print_stderr, reason = "what the program logged belongs to the failure of its test")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.client.data().path().join(LOG)).unwrap_or_default();
            eprintln!("--- the program said:\n{log}---");
        }
        // The child itself is killed with its handle.
    }
}
