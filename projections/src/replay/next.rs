//! A generation of one view that is being built beside the live one.

use super::ReplayError;
use super::chunk::write_chunks;
use crate::database::{Readers, Writer};
use crate::error::ViewError;
use crate::fold::{Documents, Found, Source, Spec, Trouble};
use crate::postgres::{Generation, Postgres, Rows};
use crate::refold::Refold;
use crate::table::Table;
use journal::{Recorded, Shared};
use rusqlite::Connection;
use std::sync::Arc;
use tokio::runtime::Handle;

/// Where it is.
#[derive(Clone)]
pub(crate) enum Next {
    File { table: Table, writer: Writer, readers: Readers },
    Postgres { generation: Generation, database: Arc<Postgres> },
}

/// Where documents of earlier passes are found. Nobody else writes them, so any connection does.
pub(super) enum Earlier {
    /// There are none.
    None,
    File(Connection),
    Postgres(Handle),
}

impl Next {
    /// Makes what finds its documents by id and by owner.
    pub(crate) async fn index(&self, spec: Spec) -> Result<(), ViewError> {
        match self {
            Self::File { writer, .. } => Ok(writer.run(move |connection| super::index(connection, &spec)).await??),
            Self::Postgres { generation, database } => database.index(&spec, generation).await,
        }
    }

    pub(super) fn earlier(&self) -> Result<Earlier, ViewError> {
        Ok(match self {
            Self::File { readers, .. } => Earlier::File(readers.connect()?),
            Self::Postgres { .. } => Earlier::Postgres(Handle::current()),
        })
    }

    /// Folds events, on a thread that may block.
    pub(super) fn take(&self, refold: &mut Refold, earlier: &Earlier, events: &[Shared]) -> Result<(), ReplayError> {
        let mut found = match (self, earlier) {
            (Self::Postgres { generation, database }, Earlier::Postgres(runtime)) => {
                runtime.block_on(database.load(generation, refold.missing(events)))?
            }
            _ => Found::new(),
        };
        for event in events {
            let documents = match (self, earlier) {
                (Self::File { table, .. }, Earlier::File(connection)) => Some(Documents::File(connection, table)),
                (Self::Postgres { .. }, Earlier::Postgres(_)) => Some(Documents::Found(&mut found)),
                _ => None,
            };
            let source = documents.map(|documents| Source { documents, trusting: true });
            refold.take(source, event).map_err(|trouble| told(refold, event, trouble))?;
        }
        Ok(())
    }

    /// Writes what has changed, on a thread that may block.
    pub(super) fn write(&self, refold: &mut Refold) -> Result<(), ReplayError> {
        match self {
            Self::File { table, writer, .. } => write_chunks(&mut *refold.fold, table, writer),
            Self::Postgres { generation, database } => {
                let runtime = Handle::current();
                let mut rows = Rows::default();
                let mut failed = Ok(());
                refold.fold.changes(&mut |change| {
                    rows.push(&change);
                    if rows.len() == super::CHUNK && failed.is_ok() {
                        failed = runtime.block_on(database.write(generation, &std::mem::take(&mut rows)));
                    }
                    Ok(())
                })?;
                failed?;
                Ok(runtime.block_on(database.write(generation, &rows))?)
            }
        }
    }
}

/// Why a generation cannot be built past an event.
pub(super) fn told(refold: &Refold, event: &Recorded, trouble: Trouble) -> ReplayError {
    match trouble {
        Trouble::Poison { sequence, reason } => {
            ReplayError::Poison { view: refold.spec.name(), position: event.position, sequence, reason }
        }
        Trouble::Database(error) => error.into(),
    }
}
