//! Errors of the command line: one clear line each.

use std::error::Error;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::ExitCode;

/// Why a command did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub(crate) struct Failure {
    what: String,
    #[source]
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), source: None }
    }

    pub(crate) fn because(what: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { what: what.into(), source: Some(source.into()) }
    }

    /// The failure and all its causes, on one line.
    pub(crate) fn line(&self) -> String {
        let mut line = self.what.clone();
        let mut cause = Error::source(self);
        while let Some(error) = cause {
            let text = error.to_string();
            if !line.ends_with(&text) {
                // Writing to a string does not fail.
                let _ = write!(line, ": {text}");
            }
            cause = error.source();
        }
        line.replace('\n', " ")
    }

    pub(crate) fn is_broken_pipe(&self) -> bool {
        let io = self.source.as_deref().and_then(|source| source.downcast_ref::<io::Error>());
        io.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::because("cannot print", error)
    }
}

/// Says one line on standard error and gives the exit code.
pub(crate) fn report(line: &str, code: u8) -> ExitCode {
    // There is nobody left to tell when even this fails.
    let _ = writeln!(io::stderr(), "reservoir: {line}");
    ExitCode::from(code)
}
