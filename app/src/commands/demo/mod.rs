//! `reservoir demo`: the stories of the businesses, played over HTTP against a server of its own, then served.

mod business;
mod car_rental;
mod cinema;
mod coffee_shop;
mod library;
mod phone_shop;
mod summary;
mod teller;

use super::serve::Stop;
use crate::config::Config;
use crate::failure::Failure;
use crate::system::System;
use business::Business;
use journal::Source;
use summary::Summary;
use teller::Teller;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Play one business: `car-rental`, `phone-shop`, `coffee-shop`, `cinema` or `library`; all five unless named
    business: Option<Business>,
    /// End after the stories instead of serving
    #[arg(long)]
    exit: bool,
}

/// Plays on a temporary directory, which is removed at the end; a journal that was asked for elsewhere stays.
pub(crate) async fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    let directory = tempfile::Builder::new()
        .prefix("reservoir-demo-")
        .tempdir()
        .map_err(|error| Failure::because("no temporary directory", error))?;
    let data = directory.path().to_owned();
    let journal = match &config.journal {
        Source::Directory(_) => Source::Directory(data.clone()),
        chosen @ Source::Postgres(_) => chosen.clone(),
    };
    let mut config = Config { data, journal, ..config.clone() };
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
    let played = arguments.business.map_or_else(|| Business::ALL.to_vec(), |business| vec![business]);
    let told = tokio::select! {
        told = tell(&mut teller, &played) => told.map(|()| true),
        () = stop.asked() => Ok(false),
    };
    if matches!(told, Ok(true)) && !arguments.exit {
        teller.say_how_to_go_on(&played)?;
        system.failed_or(stop.asked()).await;
    }
    system.stop().await?;
    told.map(drop)
}

async fn tell(teller: &mut Teller, businesses: &[Business]) -> Result<(), Failure> {
    let mut summary = Summary::default();
    for business in businesses {
        let (before, started) = (teller.head().await?, std::time::Instant::now());
        teller.business(*business)?;
        business.tell(teller).await?;
        teller.settled().await?;
        let took = started.elapsed();
        summary.add(*business, teller.stories_of(*business), took, &teller.journal(before).await?);
    }
    teller.what_came_of_it()?;
    for line in summary.lines() {
        teller.say(&line)?;
    }
    Ok(())
}
