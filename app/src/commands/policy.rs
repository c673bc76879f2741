//! `reservoir policy FILE`: checks a policy as its user wrote it, and prints it as `POST /v1/stores` takes it.

use crate::failure::Failure;
use domain::policy::Policy;
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A policy in TOML
    #[arg(conflicts_with = "preset")]
    file: Option<PathBuf>,
    /// Print a policy that comes along instead: `car-rental`, `phone-shop`, `coffee-shop`, `cinema` or `library`
    #[arg(long, value_name = "NAME")]
    preset: Option<String>,
}

/// Needs no data directory and no server.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let policy = match (&arguments.file, &arguments.preset) {
        (Some(file), _) => read(file)?,
        (None, Some(name)) => Policy::preset(name).map_err(|error| {
            let known = Policy::preset_names().join(", ");
            Failure::new(format!("{error}; the presets are {known}"))
        })?,
        (None, None) => return Err(Failure::new("name a policy file, or a preset with --preset")),
    };
    let json = serde_json::to_string_pretty(&policy).map_err(|error| Failure::because("cannot print", error))?;
    writeln!(std::io::stdout(), "{json}")?;
    Ok(())
}

fn read(file: &Path) -> Result<Policy, Failure> {
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file).map_err(|error| Failure::because(format!("cannot read {name}"), error))?;
    Policy::from_toml(&text).map_err(|error| Failure::because(name, error))
}
