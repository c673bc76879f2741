//! The table of one generation of a view, and how a new one takes the place of the live one.

use super::schema::locked;
use super::{Postgres, Rows, WRITE, check, within};
use crate::error::ViewError;
use crate::fold::{Found, Spec};
use crate::projection::Key;
use crate::replay::ReplayReport;
use crate::table::{Stored, signed, unsigned};
use journal::Fence;
use sqlx::{Executor as _, PgConnection, Row as _};

/// One generation of a view's documents. Numbers are never given twice, so what was begun and left is nobody's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Generation {
    pub(super) view: &'static str,
    pub(crate) number: u64,
}

/// A generation that is to take the place of the live one.
pub(crate) struct Candidate<'a> {
    pub(crate) spec: Spec,
    pub(crate) generation: Generation,
    /// Up to where it was folded, and the hash of the event there; `None` where the live one is at the same place.
    pub(crate) position: u64,
    pub(crate) hash: Option<&'a [u8]>,
    pub(crate) fence: Option<&'a Fence>,
    /// Where the live one has to be, if that matters.
    pub(crate) live: Option<(u64, u64)>,
}

impl Generation {
    pub(crate) fn new(spec: &Spec, number: u64) -> Self {
        Self { view: spec.name(), number }
    }

    pub(super) fn table(&self) -> String {
        format!("reservoir_views.{}_{}", self.view, self.number)
    }

    /// Makes it, empty and with nothing but the index by which documents are written.
    pub(super) async fn create(&self, connection: &mut PgConnection) -> Result<(), ViewError> {
        // The first event of a document names its row: lists are in order of that. Room on a page keeps changes off the indexes.
        let sql = format!(
            "CREATE TABLE {} (seq bigint PRIMARY KEY, id text COLLATE \"C\" NOT NULL, owner text COLLATE \"C\" NOT NULL, \
             tag text COLLATE \"C\" NOT NULL, body text NOT NULL) WITH (fillfactor = 80)",
            self.table()
        );
        Ok(connection.execute(&*sql).await.map(drop)?)
    }

    /// Makes what finds documents by id and by owner.
    pub(super) async fn index(&self, connection: &mut PgConnection, spec: &Spec) -> Result<(), ViewError> {
        let (table, name) = (self.table(), format!("{}_{}", self.view, self.number));
        let mut sql = format!(
            "CREATE UNIQUE INDEX {name}_by_id ON {table} (id); CREATE INDEX {name}_by_owner ON {table} (owner, seq);"
        );
        if spec.listed_by_tag {
            sql.push_str(&format!("CREATE INDEX {name}_by_tag ON {table} (owner, tag, seq);"));
        }
        if spec.tagged_are_few {
            sql.push_str(&format!("CREATE INDEX {name}_tagged ON {table} (tag, seq) WHERE tag <> '';"));
        }
        Ok(connection.execute(sqlx::raw_sql(&sql)).await.map(drop)?)
    }

    async fn differences(
        &self,
        connection: &mut PgConnection,
        live: &Self,
    ) -> Result<(u64, Option<String>), ViewError> {
        let sql = format!(
            "SELECT count(*) OVER (), coalesce(l.id, r.id) FROM {} l FULL JOIN {} r ON r.seq = l.seq \
             WHERE (l.id, l.owner, l.tag, l.body) IS DISTINCT FROM (r.id, r.owner, r.tag, r.body) \
             ORDER BY coalesce(l.seq, r.seq) LIMIT 1",
            self.table(),
            live.table()
        );
        let Some(row) = sqlx::query(&sql).persistent(false).fetch_optional(connection).await? else {
            return Ok((0, None));
        };
        Ok((unsigned(row.try_get(0)?), Some(row.try_get(1)?)))
    }
}

impl Postgres {
    /// Begins a new generation beside the live one.
    pub(crate) async fn draw(&self, spec: &Spec) -> Result<Generation, ViewError> {
        within(WRITE, async {
            let mut transaction = self.writing.begin().await?;
            let sql = "UPDATE reservoir_views.view SET drawn = drawn + 1 WHERE name = $1 RETURNING drawn";
            let row = sqlx::query(sql).bind(spec.name()).fetch_one(&mut *transaction).await?;
            let generation = Generation::new(spec, unsigned(row.try_get(0)?));
            generation.create(&mut transaction).await?;
            transaction.commit().await?;
            Ok(generation)
        })
        .await
    }

    /// Makes the indexes of a generation; that takes as long as it takes.
    pub(crate) async fn index(&self, spec: &Spec, generation: &Generation) -> Result<(), ViewError> {
        let mut connection = self.writing.acquire().await?;
        generation.index(&mut connection, spec).await
    }

    /// Documents of a generation, for whoever writes it.
    pub(crate) async fn load(&self, generation: &Generation, keys: Vec<Key>) -> Result<Found, ViewError> {
        if keys.is_empty() {
            return Ok(Found::new());
        }
        within(WRITE, async {
            let sql = format!("SELECT id, seq, owner, tag, body FROM {} WHERE id = ANY($1)", generation.table());
            let ids: Vec<String> = keys.iter().map(ToString::to_string).collect();
            let rows = sqlx::query(&sql).bind(&ids).fetch_all(&self.writing).await?;
            let mut wanted: std::collections::HashMap<String, Key> = ids.into_iter().zip(keys).collect();
            let mut found = Found::with_capacity(rows.len());
            for row in &rows {
                let stored = Stored {
                    seq: unsigned(row.try_get(1)?),
                    owner: row.try_get::<&str, _>(2)?.into(),
                    tag: row.try_get::<&str, _>(3)?.into(),
                    body: row.try_get(4)?,
                };
                if let Some(key) = wanted.remove(row.try_get::<&str, _>(0)?) {
                    found.insert(key, stored);
                }
            }
            Ok(found)
        })
        .await
    }

    /// Writes documents of a generation that nobody reads yet.
    pub(crate) async fn write(&self, generation: &Generation, rows: &Rows) -> Result<(), ViewError> {
        within(WRITE, async {
            let mut connection = self.writing.acquire().await?;
            rows.write(&mut connection, generation).await
        })
        .await
    }

    /// Puts documents of parked sequences in the place of those that there are, if the view is still where it was.
    pub(crate) async fn replace(
        &self,
        spec: &Spec,
        fence: Option<&Fence>,
        live: (u64, u64),
        rows: &Rows,
    ) -> Result<(), ViewError> {
        within(WRITE, async {
            let mut transaction = self.writing.begin().await?;
            check(&mut transaction, fence).await?;
            stands(&mut transaction, spec, live).await?;
            let generation = Generation::new(spec, live.0);
            let sql = format!("DELETE FROM {} WHERE id = ANY($1)", generation.table());
            sqlx::query(&sql).bind(&rows.ids).execute(&mut *transaction).await?;
            rows.write(&mut transaction, &generation).await?;
            Ok(transaction.commit().await?)
        })
        .await
    }

    /// Compares generations with the live ones and, if they are to, puts them in their place: all of them or none.
    pub(crate) async fn finish(
        &self,
        candidates: &[Candidate<'_>],
        replace: bool,
    ) -> Result<Vec<ReplayReport>, ViewError> {
        let mut reports = Vec::new();
        let mut live = Vec::new();
        let mut transaction = self.writing.begin().await?;
        for candidate in candidates {
            check(&mut transaction, candidate.fence).await?;
            let spec = &candidate.spec;
            if let Some(live) = candidate.live {
                stands(&mut transaction, spec, live).await?;
            }
            let (version, before) = locked(&mut transaction, spec).await?;
            let compared = version == spec.version && before.position == candidate.position;
            let (differed, first_difference) = match compared {
                true => {
                    let live = Generation::new(spec, before.generation);
                    candidate.generation.differences(&mut transaction, &live).await?
                }
                false => (0, None),
            };
            let documents = count(&mut transaction, &candidate.generation).await?;
            let (view, position) = (spec.name(), candidate.position);
            reports.push(ReplayReport { view, position, documents, compared, differed, first_difference });
            if replace {
                take_over(&mut transaction, candidate).await?;
            }
            live.push(if replace { candidate.generation.number } else { before.generation });
        }
        transaction.commit().await?;
        for (candidate, live) in candidates.iter().zip(live) {
            self.sweep(&candidate.spec, live).await;
        }
        Ok(reports)
    }
}

/// Refuses when a view is not where its owner believes it to be.
async fn stands(connection: &mut PgConnection, spec: &Spec, live: (u64, u64)) -> Result<(), ViewError> {
    let (version, found) = locked(connection, spec).await?;
    match version == spec.version && (found.generation, found.position) == live {
        true => Ok(()),
        false => Err(ViewError::Moved),
    }
}

async fn count(connection: &mut PgConnection, generation: &Generation) -> Result<u64, ViewError> {
    let sql = format!("SELECT count(*) FROM {}", generation.table());
    let row = sqlx::query(&sql).persistent(false).fetch_one(connection).await?;
    Ok(unsigned(row.try_get(0)?))
}

async fn take_over(connection: &mut PgConnection, candidate: &Candidate<'_>) -> Result<(), ViewError> {
    let Candidate { spec, generation, position, hash, .. } = candidate;
    let sql = "UPDATE reservoir_views.view SET version = $2, generation = $3, position = $4, hash = coalesce($5, hash) \
               WHERE name = $1";
    let query = sqlx::query(sql).bind(spec.name()).bind(spec.version).bind(signed(generation.number));
    query.bind(signed(*position)).bind(*hash).execute(connection).await?;
    Ok(())
}
