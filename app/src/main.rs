//! The `reservoir` program: puts the parts together and gives them a command line.

mod commands;
mod config;
mod failure;
mod messenger;
mod opening;
mod pace;
mod patient;
mod provider;
mod roles;
mod serving;
mod system;
mod webhooks;

use clap::{Parser, Subcommand};
use config::Options;
use failure::Failure;
use std::process::ExitCode;

/// Replaces the system's allocator: commands are many small allocations on several threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// One event-sourced engine for every business that reserves something, takes payment for it and hands it over.
#[derive(Debug, Parser)]
#[command(name = "reservoir", version, propagate_version = true)]
struct Cli {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the HTTP API, with sagas and views or as `--roles` says, until Ctrl-C or SIGTERM.
    Serve,
    /// Play the stories of the businesses on a temporary journal, then serve it.
    Demo(commands::demo::Arguments),
    /// Drop views and build them again from the first event.
    Replay(commands::replay::Arguments),
    /// Copy a journal to another back end, with the keys that belong to it; a copy that was stopped goes on.
    Copy(commands::copy::Arguments),
    /// Check every event's position, revision and hash.
    Verify,
    /// Print events, one JSON object a line.
    Events(commands::events::Arguments),
    /// Check a policy file and print it as JSON, or print one that comes along.
    Policy(commands::policy::Arguments),
    /// Print a bearer token for a principal.
    Token(commands::token::Arguments),
    /// List subscriptions of a running server, or pause, resume, rebuild and retry them.
    Subscriptions(commands::subscriptions::Arguments),
    /// Be a payment provider on loopback that fails in every way, for experiments.
    SimulateProvider(commands::simulate_provider::Arguments),
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if !error.use_stderr() => {
            // Help and version go to where they were asked for.
            let _ = error.print();
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            let text = error.to_string();
            let line = text.lines().next().unwrap_or_default();
            return failure::report(line.strip_prefix("error: ").unwrap_or(line), 2);
        }
    };
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads us has read enough.
        Err(failure) if failure.is_broken_pipe() => ExitCode::SUCCESS,
        Err(failure) => failure::report(&failure.line(), 1),
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    let config = cli.options.resolve()?;
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(config.log_filter()?).init();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::because("cannot start the runtime", error))?;
    match cli.command {
        Command::Serve => runtime.block_on(commands::serve::run(&config)),
        Command::Demo(arguments) => runtime.block_on(commands::demo::run(&config, &arguments)),
        Command::Replay(arguments) => runtime.block_on(commands::replay::run(&config, &arguments)),
        Command::Copy(arguments) => runtime.block_on(commands::copy::run(&config, &arguments)),
        Command::Verify => runtime.block_on(commands::verify::run(&config)),
        Command::Events(arguments) => runtime.block_on(commands::events::run(&config, &arguments)),
        Command::Policy(arguments) => commands::policy::run(&arguments),
        Command::Token(arguments) => runtime.block_on(commands::token::run(&config, &arguments)),
        Command::Subscriptions(arguments) => runtime.block_on(commands::subscriptions::run(&config, &arguments)),
        Command::SimulateProvider(arguments) => runtime.block_on(commands::simulate_provider::run(&config, &arguments)),
    }
}
