//! `reservoir serve`: everything in one process.

use crate::config::Config;
use crate::failure::Failure;
use crate::system::System;
use std::io::Write;
use tokio::signal::unix::{SignalKind, signal};

/// Serves until Ctrl-C or SIGTERM, then drains.
pub(crate) async fn run(config: &Config) -> Result<(), Failure> {
    let mut stop = Stop::new()?;
    let system = System::start(config).await?;
    writeln!(std::io::stdout(), "reservoir serves on http://{}", system.address())?;
    system.failed_or(stop.asked()).await;
    system.stop().await
}

/// The two ways to ask a program to stop.
pub(crate) struct Stop {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Stop {
    pub(crate) fn new() -> Result<Self, Failure> {
        let listen = |kind| signal(kind).map_err(|error| Failure::because("cannot listen for signals", error));
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    /// Waits for either.
    pub(crate) async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
