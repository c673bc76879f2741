//! The `reservoir` program and the data directories that it is run on.

use crate::eventually::PATIENCE;
use crate::server::Server;
use cluster::Cluster;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

/// What providers and servers of the stories sign and prove webhooks with.
const PROVIDER_SECRET: &str = "whsec_of_the_stories";
/// Who the program is to the mail server of the stories.
const MAIL_ACCOUNT: (&str, &str) = ("stories", "password-of-the-stories");

/// `postgres` gives every data directory a journal in a database of its own, in a cluster of the test run.
const JOURNAL: &str = "RESERVOIR_TEST_JOURNAL";

/// A data directory that goes away with the last one who holds it, and the options that the program is given with it.
#[derive(Debug)]
pub struct Data {
    directory: TempDir,
    options: Vec<String>,
    journal: String,
    tokens: Mutex<HashMap<String, String>>,
}

/// What a run of the program came to.
#[derive(Debug)]
pub struct Outcome {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Data {
    /// An empty directory.
    #[must_use]
    pub fn empty() -> Arc<Self> {
        Self::with_options(&[])
    }

    /// An empty directory, and what else `serve` is told. A story about the SQLite file itself says `--journal sqlite`.
    ///
    /// # Panics
    /// When there is no room for temporary files.
    #[must_use]
    pub fn with_options(options: &[&str]) -> Arc<Self> {
        let directory = tempfile::Builder::new().prefix("reservoir-story-").tempdir().expect("a temporary directory");
        let mut options: Vec<_> = options.iter().map(|&option| option.to_owned()).collect();
        // Every command takes it, not only `serve`.
        let journal = match options.iter().position(|option| option == "--journal") {
            Some(chosen) => options.drain(chosen..chosen + 2).nth(1).expect("which journal"),
            None => journal_of_this_run(),
        };
        Arc::new(Self { directory, options, journal, tokens: Mutex::default() })
    }

    /// Drops the views' tables, where they are in PostgreSQL; whether they are.
    #[must_use]
    pub fn drops_views(&self) -> bool {
        let database = self.journal.strip_prefix("postgres://").and_then(|rest| rest.split(['/', '?']).nth(1));
        if let Some(database) = database {
            Cluster::shared().sql(database, "DROP SCHEMA reservoir_views CASCADE");
        }
        database.is_some()
    }

    /// Where everything is kept.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Serves it on a free port, and answers when that is ready.
    pub async fn serve(self: &Arc<Self>) -> Server {
        Server::start(self.clone()).await
    }

    /// Runs the program to its end: `data.run(&["verify"])`.
    ///
    /// # Panics
    /// When it has not ended after [`PATIENCE`].
    pub async fn run(&self, arguments: &[&str]) -> Outcome {
        self.run_within(PATIENCE, arguments).await
    }

    /// The same for what may take longer.
    ///
    /// # Panics
    /// When it has not ended by then.
    pub async fn run_within(&self, patience: Duration, arguments: &[&str]) -> Outcome {
        let child = self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let ended = timeout(patience, child.expect("reservoir starts").wait_with_output()).await;
        Outcome::of(
            ended.unwrap_or_else(|_| panic!("`reservoir {}` does not end", arguments.join(" "))).expect("output"),
        )
    }

    /// Runs the program to its end, and hands over every line that it prints.
    ///
    /// # Panics
    /// When it fails.
    pub async fn each_line(&self, arguments: &[&str], mut take: impl FnMut(&str)) {
        let mut child = self.command(arguments).stdout(Stdio::piped()).spawn().expect("reservoir starts");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        while let Some(line) = lines.next_line().await.expect("it can be read") {
            take(&line);
        }
        let ended = timeout(PATIENCE, child.wait()).await.expect("it ends").expect("it ended");
        assert!(ended.success(), "`reservoir {}` failed", arguments.join(" "));
    }

    /// A bearer token, minted once for each principal.
    ///
    /// # Panics
    /// When the program does not mint one.
    pub fn token(&self, principal: &str) -> String {
        let mut tokens = self.tokens.lock().unwrap();
        if let Some(token) = tokens.get(principal) {
            return token.clone();
        }
        let mut command = self.command(&["token", principal]).into_std();
        let minted = Outcome::of(command.stdin(Stdio::null()).output().expect("reservoir starts"));
        assert_eq!(minted.code, Some(0), "no token for {principal}: {}", minted.stderr);
        let token = minted.stdout.trim().to_owned();
        tokens.insert(principal.to_owned(), token.clone());
        token
    }

    /// Mints a token for each of many principals, to be used by requests.
    ///
    /// # Panics
    /// When the program does not mint them.
    pub async fn tokens(&self, principals: &[String]) {
        let mut arguments = vec!["token"];
        arguments.extend(principals.iter().map(String::as_str));
        let minted = self.run(&arguments).await;
        let minted = minted.success().lines().map(str::to_owned);
        self.tokens.lock().unwrap().extend(principals.iter().cloned().zip(minted));
    }

    /// The program with this directory, cut off from whatever configuration is around.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        let around = std::env::vars_os().map(|(name, _)| name);
        for name in around.filter(|name| is_configuration(&name.to_string_lossy())) {
            command.env_remove(name);
        }
        command.env("RESERVOIR_PROVIDER_SECRET", PROVIDER_SECRET);
        command.env("RESERVOIR_SMTP_USER", MAIL_ACCOUNT.0).env("RESERVOIR_SMTP_PASSWORD", MAIL_ACCOUNT.1);
        command.env("RESERVOIR_JOURNAL", &self.journal);
        command.args(arguments).arg("--data").arg(self.path());
        command.current_dir(self.path()).stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    pub(crate) fn options(&self) -> &[String] {
        &self.options
    }
}

impl Outcome {
    fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// The one line of standard error with which the program gave up.
    ///
    /// # Panics
    /// When it did not give up, or not with one line.
    #[track_caller]
    #[must_use]
    pub fn refusal(&self) -> &str {
        assert!(self.code.is_some_and(|code| code != 0), "it did not fail: {self:?}");
        assert_eq!(self.stderr.lines().count(), 1, "not one line: {}", self.stderr);
        self.stderr.trim_end()
    }

    /// Standard output of a run that went well.
    ///
    /// # Panics
    /// When it did not.
    #[track_caller]
    #[expect(clippy::must_use_candidate, reason = "often it is enough that it went well")]
    pub fn success(&self) -> &str {
        assert_eq!(self.code, Some(0), "it failed: {self:?}");
        &self.stdout
    }
}

fn is_configuration(name: &str) -> bool {
    name.starts_with("RESERVOIR_") || name.starts_with("STRIPE_")
}

fn journal_of_this_run() -> String {
    match std::env::var(JOURNAL) {
        Ok(chosen) if chosen == "postgres" => Cluster::shared().database(),
        Ok(other) if other != "sqlite" => panic!("{JOURNAL} is `sqlite` or `postgres`, not `{other}`"),
        Ok(_) | Err(_) => "sqlite".to_owned(),
    }
}

/// `RESERVOIR_BIN`, else the program that was built beside the running test.
fn binary() -> PathBuf {
    if let Some(chosen) = std::env::var_os("RESERVOIR_BIN") {
        return chosen.into();
    }
    let test = std::env::current_exe().expect("the running test has a path");
    let beside = test.ancestors().skip(1).map(|folder| folder.join("reservoir")).find(|path| path.is_file());
    beside.expect("build the program first: cargo build -p reservoir, or run tests/run, which does")
}
