//! `reservoir demo`: the stories of the businesses, played over HTTP against a server of its own, then served.

mod car_rental;
mod teller;

use super::serve::Stop;
use crate::config::Config;
use crate::failure::Failure;
use crate::system::System;
use teller::Teller;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// End after the stories instead of serving
    #[arg(long)]
    exit: bool,
}

/// Plays on a journal in a temporary directory, which is removed at the end.
pub(crate) async fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    let directory = tempfile::Builder::new()
        .prefix("reservoir-demo-")
        .tempdir()
        .map_err(|error| Failure::because("no temporary directory", error))?;
    let mut config = Config { data: directory.path().to_owned(), ..config.clone() };
    if arguments.exit && !config.listen_is_chosen {
        config.listen.set_port(0);
    }
    let mut stop = Stop::new()?;
    let system = match System::start(&config).await {
        // Somebody else is on the usual port, and nobody asked for that one.
        Err(_) if !config.listen_is_chosen => {
            config.listen.set_port(0);
            System::start(&config).await?
        }
        started => started?,
    };
    let mut teller = Teller::new(system.address(), system.keys())?;
    let told = tokio::select! {
        told = tell(&mut teller) => told.map(|()| true),
        () = stop.asked() => Ok(false),
    };
    if matches!(told, Ok(true)) && !arguments.exit {
        teller.say_how_to_go_on()?;
        system.failed_or(stop.asked()).await;
    }
    system.stop().await?;
    told.map(drop)
}

async fn tell(teller: &mut Teller) -> Result<(), Failure> {
    car_rental::tell(teller).await?;
    teller.summary()
}
