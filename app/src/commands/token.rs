//! `reservoir token customer:alice`: prints a bearer token for each principal, and nothing else.

use crate::config::Config;
use crate::failure::Failure;
use api::Principal;
use std::io::Write;
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// `customer:<name>`, `staff:<store>`, `kiosk:<store>/<number>` or `admin`; a line for each
    #[arg(required = true, value_name = "PRINCIPAL")]
    principals: Vec<String>,
    /// For how many hours it is valid
    #[arg(long, default_value_t = 24 * 30, value_parser = clap::value_parser!(u64).range(1..=24 * 366))]
    hours: u64,
}

/// Signs with the key of the journal's processes, which is made where it is missing.
pub(crate) async fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    let parse = |text: &String| -> Result<Principal, Failure> {
        text.parse().map_err(|error| Failure::because(format!("principal `{text}`"), error))
    };
    let principals = arguments.principals.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    let keys = config.keys().await?;
    let validity = Duration::from_secs(arguments.hours * 3_600);
    let mut stdout = std::io::stdout().lock();
    for principal in &principals {
        let token = keys.mint(principal, validity).map_err(|error| Failure::because("cannot sign", error))?;
        writeln!(stdout, "{token}")?;
    }
    Ok(())
}
