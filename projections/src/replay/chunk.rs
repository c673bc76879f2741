//! Writing many documents into the view database's file, some thousand in each transaction.

use super::{CHUNK, ReplayError};
use crate::database::Writer;
use crate::fold::{Change, ChangeKind, Fold};
use crate::projection::{Key, Row};
use crate::table::Table;
use rusqlite::Connection;
use std::sync::Arc;

/// A change that waits to be written.
struct Waiting {
    kind: ChangeKind,
    seq: u64,
    key: Key,
    owner: Box<str>,
    tag: Box<str>,
    body: Box<str>,
}

/// Writes what has changed, on a thread that may block.
pub(super) fn write_chunks(fold: &mut dyn Fold, table: &Table, writer: &Writer) -> Result<(), ReplayError> {
    let mut chunk = Vec::with_capacity(CHUNK);
    let mut failed = Ok(());
    let table = Arc::new(table.clone());
    let flush = |chunk: Vec<Waiting>| -> Result<(), ReplayError> {
        let table = table.clone();
        Ok(writer.run_blocking(move |connection| write_chunk(connection, &table, &chunk))??)
    };
    fold.changes(&mut |change| {
        let Change { kind, seq, key, row, body } = change;
        let (owner, tag) = (row.owner.into(), row.tag.into());
        chunk.push(Waiting { kind, seq, key: key.clone(), owner, tag, body: body.into() });
        if chunk.len() == CHUNK && failed.is_ok() {
            failed = flush(std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK)));
        }
        Ok(())
    })?;
    failed?;
    flush(chunk)
}

fn write_chunk(connection: &mut Connection, table: &Table, chunk: &[Waiting]) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    for Waiting { kind, seq, key, owner, tag, body } in chunk {
        let change = Change { kind: *kind, seq: *seq, key, row: Row { owner, tag }, body };
        table.write(&transaction, &change)?;
    }
    transaction.commit()
}
