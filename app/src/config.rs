//! Configuration: flags, then environment, then `reservoir.toml`, then defaults. A wrong value stops the start.

use crate::failure::Failure;
use crate::messenger;
use crate::provider::{Choice, Secrets, secret};
use crate::roles::Roles;
use api::Keys;
use clap::Args;
use gateways::STRIPE_URL;
use journal::Source;
use journal::postgres::PostgresAddress;
use serde::Deserialize;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tracing_subscriber::EnvFilter;

const FILE: &str = "reservoir.toml";
/// What tokens are signed with; from the environment only.
const SIGNING_KEY: &str = "RESERVOIR_SIGNING_KEY";
const ALONE: &str = "one process has an SQLite journal, and does everything; roles need a journal in PostgreSQL";

/// What every subcommand takes.
#[derive(Debug, Default, Args)]
pub(crate) struct Options {
    /// Where everything is kept [default: ./data]
    #[arg(long, value_name = "DIR", global = true, env = "RESERVOIR_DATA")]
    data: Option<PathBuf>,
    /// Address to serve on; port 0 picks a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS", global = true, env = "RESERVOIR_LISTEN")]
    listen: Option<String>,
    /// Which journal: `sqlite`, a file in the data directory, or `postgres://user@host/database` [default: sqlite]
    #[arg(long, value_name = "JOURNAL", global = true, env = "RESERVOIR_JOURNAL")]
    journal: Option<String>,
    /// What `serve` does in this process: `api`, `sagas`, `projections`, or subscriptions by their names, with commas between them
    /// [default: everything]
    #[arg(long, value_name = "ROLES", global = true, env = "RESERVOIR_ROLES")]
    roles: Vec<String>,
    /// Configuration file [default: ./reservoir.toml where there is one]
    #[arg(long, value_name = "FILE", global = true, env = "RESERVOIR_CONFIG")]
    config: Option<PathBuf>,
    /// What to log, to standard error: `info`, `warn,sagas=debug` … [default: warn]
    #[arg(long, value_name = "FILTER", global = true, env = "RESERVOIR_LOG")]
    log: Option<String>,
    /// Who moves the money: `simulated`, in this process; the address of a `reservoir simulate-provider`; or `stripe`, with
    /// `STRIPE_SECRET_KEY` and `STRIPE_WEBHOOK_SECRET` in the environment [default: simulated]
    #[arg(long, value_name = "PROVIDER", global = true, env = "RESERVOIR_PAYMENT_PROVIDER")]
    payment_provider: Option<String>,
    /// Where Stripe is [default: `https://api.stripe.com`]
    #[arg(long, value_name = "URL", global = true, env = "RESERVOIR_STRIPE_URL")]
    stripe_url: Option<String>,
    /// How long a payment provider may take, in milliseconds [default: 610; for Stripe 10000]
    #[arg(long, value_name = "MS", global = true, env = "RESERVOIR_PAYMENT_TIMEOUT_MS")]
    payment_timeout_ms: Option<u64>,
    /// How long the simulated provider takes, in milliseconds: `0`, or a range like `400-620` [default: 0]
    #[arg(long, value_name = "MS", global = true, env = "RESERVOIR_SIMULATED_LATENCY_MS")]
    simulated_latency_ms: Option<String>,
    /// Who carries messages to customers: `log`, into a file of the data directory, or a mail server at `smtp://host:port` or
    /// `smtps://host:port` [default: log]
    #[arg(long, value_name = "MESSENGER", global = true, env = "RESERVOIR_MESSENGER")]
    messenger: Option<String>,
    /// Who mails are from: `films@example.org`, or `Seoul Films <films@example.org>`
    #[arg(long, value_name = "ADDRESS", global = true, env = "RESERVOIR_MAIL_FROM")]
    mail_from: Option<String>,
    /// Mails that are sent in a second at the most [default: 20]
    #[arg(long, value_name = "N", global = true, env = "RESERVOIR_MAIL_RATE")]
    mail_rate: Option<u32>,
    /// An inner address that stores' webhooks may go to all the same, unencrypted too: `127.0.0.1:9000`. Any number of them
    #[arg(long, value_name = "ADDRESS", global = true, env = "RESERVOIR_WEBHOOK_ALLOW", value_delimiter = ',')]
    webhook_allow: Vec<SocketAddr>,
    /// Commands that may be in flight before others are asked to come back [default: 1024]
    #[arg(long, value_name = "N", global = true, env = "RESERVOIR_MAX_IN_FLIGHT")]
    max_in_flight: Option<usize>,
    /// How long to serve on once asked to stop, in milliseconds, while readiness is red: for a gateway to notice [default: 0]
    #[arg(long, value_name = "MS", global = true, env = "RESERVOIR_DRAIN_MS")]
    drain_ms: Option<u64>,
    /// Connections that may be open before others are asked to come back [default: 10000]
    #[arg(long, value_name = "N", global = true, env = "RESERVOIR_MAX_CONNECTIONS")]
    max_connections: Option<usize>,
}

/// The same, from a file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    data: Option<PathBuf>,
    listen: Option<String>,
    journal: Option<String>,
    roles: Option<Vec<String>>,
    log: Option<String>,
    payment_provider: Option<String>,
    stripe_url: Option<String>,
    payment_timeout_ms: Option<u64>,
    simulated_latency_ms: Option<String>,
    messenger: Option<String>,
    mail_from: Option<String>,
    mail_rate: Option<u32>,
    max_in_flight: Option<usize>,
    max_connections: Option<usize>,
    drain_ms: Option<u64>,
}

/// Checked configuration.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) data: PathBuf,
    pub(crate) journal: Source,
    pub(crate) roles: Roles,
    /// Where it is given; else the journal's.
    pub(crate) signing_key: Option<Keys>,
    pub(crate) listen: SocketAddr,
    /// Whether somebody asked for this very address.
    pub(crate) listen_is_chosen: bool,
    pub(crate) payment_provider: Choice,
    pub(crate) stripe_url: String,
    pub(crate) payment_timeout: Duration,
    pub(crate) simulated_latency: Range<Duration>,
    pub(crate) messenger: messenger::Choice,
    /// Not to be had from a file: it is to be seen where the program is started.
    pub(crate) webhook_allow: Vec<SocketAddr>,
    pub(crate) max_in_flight: usize,
    pub(crate) max_connections: usize,
    /// Between red readiness and the end of listening.
    pub(crate) drain: Duration,
    pub(crate) log: String,
    pub(crate) secrets: Secrets,
}

impl Options {
    /// Looks at every source and checks every value.
    pub(crate) fn resolve(&self) -> Result<Config, Failure> {
        let file = read_file(self.config.as_deref())?;
        let listen = self.listen.clone().or(file.listen);
        let data = self.data.clone().or(file.data).unwrap_or_else(|| PathBuf::from("data"));
        let journal = source(self.journal.as_deref().or(file.journal.as_deref()).unwrap_or("sqlite"), &data)?;
        let roles = if self.roles.is_empty() { file.roles.unwrap_or_default() } else { self.roles.clone() };
        let roles = Roles::of(&roles)?;
        if matches!(journal, Source::Directory(_)) && !roles.are_all() {
            return Err(Failure::new(format!("roles `{roles}`: {ALONE}")));
        }
        let latency = self.simulated_latency_ms.clone().or(file.simulated_latency_ms);
        let max_in_flight = self.max_in_flight.or(file.max_in_flight).unwrap_or(1_024);
        if max_in_flight == 0 {
            return Err(Failure::new("max-in-flight must be at least 1"));
        }
        let max_connections = self.max_connections.or(file.max_connections).unwrap_or(10_000);
        if max_connections == 0 {
            return Err(Failure::new("max-connections must be at least 1"));
        }
        let provider = self.payment_provider.clone().or(file.payment_provider);
        let payment_provider = Choice::of(provider.as_deref().unwrap_or("simulated"))?;
        let timeout_ms = self.payment_timeout_ms.or(file.payment_timeout_ms);
        let timeout_ms = timeout_ms.unwrap_or_else(|| payment_provider.usual_timeout_ms());
        if timeout_ms == 0 {
            return Err(Failure::new("payment-timeout-ms must be at least 1"));
        }
        let messenger = self.messenger.clone().or(file.messenger).unwrap_or_else(|| "log".to_owned());
        let (mail_from, mail_rate) = (self.mail_from.clone().or(file.mail_from), self.mail_rate.or(file.mail_rate));
        Ok(Config {
            data,
            journal,
            roles,
            signing_key: signing_key()?,
            listen_is_chosen: listen.is_some(),
            listen: address(listen.as_deref().unwrap_or("127.0.0.1:8080"))?,
            payment_provider,
            stripe_url: self.stripe_url.clone().or(file.stripe_url).unwrap_or_else(|| STRIPE_URL.to_owned()),
            payment_timeout: Duration::from_millis(timeout_ms),
            simulated_latency: range(latency.as_deref().unwrap_or("0"))?,
            webhook_allow: self.webhook_allow.clone(),
            messenger: messenger::Choice::of(&messenger, mail_from, mail_rate)?,
            max_in_flight,
            max_connections,
            drain: Duration::from_millis(self.drain_ms.or(file.drain_ms).unwrap_or(0)),
            log: self.log.clone().or(file.log).unwrap_or_else(|| "warn".to_owned()),
            secrets: Secrets::of_environment()?,
        })
    }
}

impl Config {
    pub(crate) fn log_filter(&self) -> Result<EnvFilter, Failure> {
        EnvFilter::try_new(&self.log).map_err(|error| Failure::because(format!("log `{}`", self.log), error))
    }

    /// What tokens are signed and verified with: the same for every process of a journal.
    pub(crate) async fn keys(&self) -> Result<Keys, Failure> {
        match &self.signing_key {
            Some(keys) => Ok(keys.clone()),
            None => Keys::of(&self.journal).await.map_err(|error| Failure::because("no signing key", error)),
        }
    }
}

fn signing_key() -> Result<Option<Keys>, Failure> {
    let wrong = |error| Failure::because(SIGNING_KEY, error);
    secret(SIGNING_KEY)?.map(|secret| Keys::from_text(secret.reveal()).map_err(wrong)).transpose()
}

fn read_file(chosen: Option<&Path>) -> Result<File, Failure> {
    let path = chosen.unwrap_or_else(|| Path::new(FILE));
    if chosen.is_none() && !path.exists() {
        return Ok(File::default());
    }
    let name = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| Failure::because(format!("cannot read {name}"), error))?;
    toml::from_str(&text).map_err(|error| {
        let line = error.span().map_or(0, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        Failure::new(format!("{name}, line {line}: {}", error.message()))
    })
}

fn source(text: &str, data: &Path) -> Result<Source, Failure> {
    match text {
        "sqlite" => Ok(Source::Directory(data.to_owned())),
        // Nothing of it is shown: it may hold a password.
        address if PostgresAddress::is_meant_by(address) => {
            address.parse().map(Source::Postgres).map_err(|error| Failure::because("journal", error))
        }
        other => Err(Failure::new(format!("journal `{other}`: it is `sqlite`, or postgres://user@host/database"))),
    }
}

/// A journal at one end of a copy: what `--journal` takes, or a directory, also as `sqlite:<directory>`.
pub(crate) fn place(flag: &str, text: &str, data: &Path) -> Result<Source, Failure> {
    let wrong = |why: &str| Err(Failure::new(format!("{flag}: {why}")));
    match text.strip_prefix("sqlite:") {
        _ if text == "sqlite" || PostgresAddress::is_meant_by(text) => {
            source(text, data).map_err(|failure| Failure::because(flag, failure))
        }
        Some("") => wrong("`sqlite:` is followed by a directory"),
        Some(directory) => Ok(Source::Directory(directory.trim_start_matches("//").into())),
        // Nothing of it is shown: it may hold a password.
        None if text.is_empty() || text.contains("://") => {
            wrong("a directory, or an address that begins with postgres://")
        }
        None => Ok(Source::Directory(text.into())),
    }
}

fn address(text: &str) -> Result<SocketAddr, Failure> {
    text.parse().map_err(|_| Failure::new(format!("listen `{text}`: an address looks like 127.0.0.1:8080")))
}

fn range(text: &str) -> Result<Range<Duration>, Failure> {
    let wrong = || Failure::new(format!("simulated-latency-ms `{text}`: a number, or a range like 400-620"));
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let parse = |part: &str| part.trim().parse().map(Duration::from_millis).map_err(|_| wrong());
    let (from, to) = (parse(from)?, parse(to)?);
    if from > to { Err(wrong()) } else { Ok(from..to) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(options: Options) -> Result<Config, String> {
        options.resolve().map_err(|failure| failure.line())
    }

    #[test]
    fn a_wrong_value_is_named_in_one_line() {
        let listen = Options { listen: Some("everywhere".to_owned()), ..Options::default() };
        assert_eq!(resolved(listen).unwrap_err(), "listen `everywhere`: an address looks like 127.0.0.1:8080");
        let latency = Options { simulated_latency_ms: Some("620-400".to_owned()), ..Options::default() };
        assert!(resolved(latency).unwrap_err().starts_with("simulated-latency-ms `620-400`"));
        let provider = Options { payment_provider: Some("piggy-bank".to_owned()), ..Options::default() };
        assert!(resolved(provider).unwrap_err().starts_with("payment-provider"));
        let journal = Options { journal: Some("carrier-pigeon".to_owned()), ..Options::default() };
        assert!(resolved(journal).unwrap_err().contains("carrier-pigeon"));
        let messenger = Options { messenger: Some("carrier:secret@pigeon".to_owned()), ..Options::default() };
        let error = resolved(messenger).unwrap_err();
        assert!(error.starts_with("messenger: ") && !error.contains("secret"), "{error}");
        let nobody = Options { messenger: Some("smtp://127.0.0.1:25".to_owned()), ..Options::default() };
        assert!(resolved(nobody).unwrap_err().starts_with("mail-from: "));
        let address = "postgres://somebody:secret@host:port/x".to_owned();
        let line = resolved(Options { journal: Some(address), ..Options::default() }).unwrap_err();
        assert!(line.contains("looks like postgres://user@host/database") && !line.contains("secret"), "{line}");
    }

    #[test]
    fn an_end_of_a_copy_is_a_directory_or_a_database() {
        let data = Path::new("the-data");
        let directory = |text| match place("from", text, data) {
            Ok(Source::Directory(directory)) => directory.display().to_string(),
            other => panic!("{other:?}"),
        };
        assert_eq!(directory("sqlite"), "the-data");
        assert_eq!(directory("./data"), "./data");
        assert_eq!(directory("sqlite:some/data"), "some/data");
        assert_eq!(directory("sqlite:///some/data"), "/some/data");
        assert!(matches!(place("to", "postgres://somebody@host/x", data), Ok(Source::Postgres(_))));
        for wrong in ["", "sqlite:", "postgre://a:secret@host/x", "postgres://a:secret@host:port/x"] {
            let line = place("to", wrong, data).unwrap_err().line();
            assert!(line.starts_with("to: ") && !line.contains("secret"), "{line}");
        }
    }

    #[test]
    fn roles_are_for_a_journal_that_processes_share() {
        let some = |journal: &str| Options {
            roles: vec!["api".to_owned()],
            journal: Some(journal.to_owned()),
            ..Options::default()
        };
        let line = resolved(some("sqlite")).unwrap_err();
        assert!(line.starts_with("roles `api`: one process has an SQLite journal"), "{line}");
        assert!(resolved(some("postgres://somebody@host/x")).unwrap().roles.sagas().is_empty());
        let unknown = Options { roles: vec!["everything".to_owned()], ..Options::default() };
        assert!(resolved(unknown).unwrap_err().starts_with("roles `everything`: there are api, "));
    }

    #[test]
    fn a_file_is_read_and_flags_win_over_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("some.toml");
        std::fs::write(&path, "listen = \"127.0.0.1:9\"\nmax_in_flight = 7\n").unwrap();
        let options = Options { config: Some(path), listen: Some("127.0.0.1:10".to_owned()), ..Options::default() };
        let config = resolved(options).unwrap();
        assert_eq!((config.listen.port(), config.max_in_flight), (10, 7));
    }

    #[test]
    fn an_unknown_key_in_the_file_is_named_with_its_line() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("some.toml");
        std::fs::write(&path, "log = \"info\"\nlisten_on = 3\n").unwrap();
        let error = resolved(Options { config: Some(path), ..Options::default() }).unwrap_err();
        assert!(error.contains("line 2") && error.contains("listen_on"), "{error}");
    }
}
