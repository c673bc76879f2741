//! The table of one generation of a view.

use crate::fold::{Change, ChangeKind, Spec};
use crate::projection::Key;
use rusqlite::{Connection, OptionalExtension, params};

/// A document as it is stored.
pub(crate) struct Stored {
    pub(crate) seq: u64,
    pub(crate) owner: Box<str>,
    pub(crate) tag: Box<str>,
    pub(crate) body: String,
}

/// One generation of a view's documents.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    name: String,
    load: String,
    insert: String,
    relist: String,
    rewrite: String,
}

impl Table {
    /// The generation that readers see.
    pub(crate) fn live(spec: &Spec) -> Self {
        Self::named(spec.name().to_owned())
    }

    /// The generation that is being built beside it.
    pub(crate) fn next(spec: &Spec) -> Self {
        Self::named(format!("{}_next", spec.name()))
    }

    fn named(name: String) -> Self {
        Self {
            load: format!("SELECT seq, owner, tag, body FROM {name} WHERE id = ?1"),
            insert: format!("INSERT INTO {name} (seq, id, owner, tag, body) VALUES (?1, ?2, ?3, ?4, ?5)"),
            relist: format!("UPDATE {name} SET owner = ?2, tag = ?3, body = ?4 WHERE seq = ?1"),
            rewrite: format!("UPDATE {name} SET body = ?2 WHERE seq = ?1"),
            name,
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Makes it, empty and without indexes.
    pub(crate) fn create(&self, connection: &Connection) -> rusqlite::Result<()> {
        // The first event of a document names its row: rows are appended, and lists are in order of the row's own key.
        connection.execute_batch(&format!(
            "DROP TABLE IF EXISTS {0};
             CREATE TABLE {0} (seq INTEGER PRIMARY KEY, id ANY NOT NULL, owner TEXT NOT NULL, tag TEXT NOT NULL, \
             body TEXT NOT NULL) STRICT;",
            self.name
        ))
    }

    /// Makes what finds documents by id and by owner. Names of indexes outlive a swap, so each generation has its own.
    pub(crate) fn index(&self, connection: &Connection, spec: &Spec, generation: u64) -> rusqlite::Result<()> {
        let (table, view) = (&self.name, spec.name());
        connection.execute_batch(&format!(
            "CREATE UNIQUE INDEX {view}_{generation}_by_id ON {table} (id);
             CREATE INDEX {view}_{generation}_by_owner ON {table} (owner);"
        ))?;
        if spec.listed_by_tag {
            connection.execute_batch(&format!("CREATE INDEX {view}_{generation}_by_tag ON {table} (owner, tag);"))?;
        }
        if spec.tagged_are_few {
            connection
                .execute_batch(&format!("CREATE INDEX {view}_{generation}_tagged ON {table} (tag) WHERE tag <> '';"))?;
        }
        Ok(())
    }

    pub(crate) fn load(&self, connection: &Connection, key: &Key) -> rusqlite::Result<Option<Stored>> {
        let mut statement = connection.prepare_cached(&self.load)?;
        statement
            .query_row([key], |row| {
                Ok(Stored { seq: unsigned(row.get(0)?), owner: row.get(1)?, tag: row.get(2)?, body: row.get(3)? })
            })
            .optional()
    }

    pub(crate) fn write(&self, connection: &Connection, change: &Change<'_>) -> rusqlite::Result<()> {
        let Change { kind, seq, key, row, body } = change;
        let seq = signed(*seq);
        let changed = match kind {
            ChangeKind::New => {
                connection.prepare_cached(&self.insert)?.execute(params![seq, key, row.owner, row.tag, body])?
            }
            ChangeKind::Moved => {
                connection.prepare_cached(&self.relist)?.execute(params![seq, row.owner, row.tag, body])?
            }
            ChangeKind::Body => connection.prepare_cached(&self.rewrite)?.execute(params![seq, body])?,
        };
        if changed == 1 { Ok(()) } else { Err(rusqlite::Error::StatementChangedRows(changed)) }
    }

    pub(crate) fn delete(&self, connection: &Connection, key: &Key) -> rusqlite::Result<()> {
        connection.execute(&format!("DELETE FROM {} WHERE id = ?1", self.name), [key]).map(drop)
    }

    pub(crate) fn count(&self, connection: &Connection) -> rusqlite::Result<u64> {
        connection.query_row(&format!("SELECT count(*) FROM {}", self.name), [], |row| row.get(0)).map(unsigned)
    }

    /// How many documents differ from those of another generation, and the first of them.
    pub(crate) fn differences(&self, connection: &Connection, other: &Self) -> rusqlite::Result<(u64, Option<String>)> {
        let sql = |left: &str, right: &str, same: &str| {
            format!(
                "SELECT l.seq, l.id FROM {left} l LEFT JOIN {right} r ON r.seq = l.seq \
                 WHERE r.seq IS NULL{same} ORDER BY l.seq"
            )
        };
        let changed = " OR r.id IS NOT l.id OR r.owner <> l.owner OR r.tag <> l.tag OR r.body <> l.body";
        let mut differed = 0;
        let mut first: Option<(i64, Key)> = None;
        for sql in [sql(&self.name, &other.name, changed), sql(&other.name, &self.name, "")] {
            let mut statement = connection.prepare(&sql)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                differed += 1;
                let found: (i64, Key) = (row.get(0)?, row.get(1)?);
                if first.as_ref().is_none_or(|first| found.0 < first.0) {
                    first = Some(found);
                }
            }
        }
        Ok((differed, first.map(|(_, key)| key.to_string())))
    }

    /// Takes the place of another generation, which is gone then. Readers see the one or the other.
    pub(crate) fn replace(&self, connection: &Connection, other: &Self) -> rusqlite::Result<()> {
        connection.execute_batch(&format!(
            "DROP TABLE IF EXISTS {other}; ALTER TABLE {next} RENAME TO {other};",
            other = other.name,
            next = self.name
        ))
    }
}

/// SQLite's integers are signed; positions stay far below 2^63.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
