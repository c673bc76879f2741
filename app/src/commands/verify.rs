//! `reservoir verify`: is the journal what was once written?

use crate::config::Config;
use crate::failure::Failure;
use journal::Verified;
use std::io::Write;

/// Checks the whole journal; a server may be running meanwhile.
pub(crate) async fn run(config: &Config) -> Result<(), Failure> {
    let bar = super::progress_bar("verifying");
    let verified = Verified::source(&config.journal, |position, head| {
        bar.set_length(head);
        bar.set_position(position);
    })
    .await;
    bar.finish_and_clear();
    let verified = verified.map_err(|error| Failure::because("the journal is not verified", error))?;
    let hash: String = verified.hash.iter().map(|byte| format!("{byte:02x}")).collect();
    writeln!(
        std::io::stdout(),
        "{} events in {} streams fit; the last hash is {hash}",
        verified.events,
        verified.streams
    )?;
    Ok(())
}
