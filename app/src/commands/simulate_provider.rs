//! `reservoir simulate-provider`: a payment provider on loopback that fails in every way.

use super::serve::Stop;
use crate::config::Config;
use crate::failure::Failure;
use gateways::simulator::{Script, Settings, Simulator};
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// Where it listens unless told otherwise.
const PORT: u16 = 8_081;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// File of its books, a line of JSON for each entry; in memory where none is named
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// How it behaves: JSON, or TOML in a file that is called so; `PUT /script` changes it
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
    /// Where its webhooks go, signed with the secret in `RESERVOIR_PROVIDER_SECRET`; `PUT /webhook-url` changes it
    #[arg(long, value_name = "URL")]
    webhook_url: Option<String>,
    /// Take every request for a new one: the negative control of experiments
    #[arg(long)]
    ignore_keys: bool,
}

/// Runs until Ctrl-C or SIGTERM, or until its books cannot be kept.
pub(crate) async fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    let failed = |error| Failure::because("cannot simulate a provider", error);
    let script = match &arguments.script {
        Some(path) => Script::load(path).map_err(|error| Failure::because("cannot simulate a provider", error))?,
        None => Script::default(),
    };
    if arguments.webhook_url.is_some() && config.secrets.provider.is_none() {
        return Err(Failure::new("webhook-url: RESERVOIR_PROVIDER_SECRET has to be set, to sign webhooks with"));
    }
    let usual = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT));
    let mut stop = Stop::new()?;
    let mut simulator = Simulator::start(Settings {
        listen: if config.listen_is_chosen { config.listen } else { usual },
        ledger: arguments.ledger.clone(),
        script,
        webhook_url: arguments.webhook_url.clone(),
        webhook_secret: config.secrets.provider.clone(),
        ignore_keys: arguments.ignore_keys,
    })
    .await
    .map_err(failed)?;
    writeln!(std::io::stdout(), "reservoir simulates a provider on http://{}", simulator.address())?;
    tokio::select! {
        () = stop.asked() => simulator.stop().await,
        ended = simulator.ended() => ended.map_err(failed)?,
    }
    Ok(())
}
