//! Reading documents. **The generation is looked up in the statement that reads**, so a reader sees one generation or the other,
//! and when it had looked in one that is over it looks again.

use super::generation::Generation;
use super::{Postgres, READ, within};
use crate::error::ViewError;
use crate::fold::Spec;
use crate::handle::PageQuery;
use crate::projection::Key;
use crate::table::{Stored, unsigned};
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{Arguments as _, Encode, Row as _, Type};
use std::sync::atomic::Ordering;

/// How often a generation may end under a reader. Each is folded from the first event on, so even two in a row are rare.
const MOST_TRIES: u32 = 8;

/// What every read says first: whose documents, and of which shape.
fn of(spec: &Spec) -> Result<PgArguments, ViewError> {
    let mut values = PgArguments::default();
    add(&mut values, spec.name())?;
    add(&mut values, spec.version)?;
    Ok(values)
}

fn add<'q, T>(values: &mut PgArguments, value: T) -> Result<(), ViewError>
where
    T: Encode<'q, sqlx::Postgres> + Type<sqlx::Postgres> + 'q,
{
    values.add(value).map_err(|error| sqlx::Error::Encode(error).into())
}

impl Postgres {
    /// Documents by their keys; those that do not exist are left out.
    pub(crate) async fn documents(&self, spec: &Spec, keys: &[Key]) -> Result<Vec<Stored>, ViewError> {
        let ids: Vec<String> = keys.iter().map(ToString::to_string).collect();
        let sql = |table: &str| {
            format!(
                "SELECT v.generation, d.seq, d.owner, d.tag, d.body FROM reservoir_views.view v \
                 LEFT JOIN {table} d ON d.id = ANY($3) WHERE v.name = $1 AND v.version = $2"
            )
        };
        let mut values = of(spec)?;
        add(&mut values, ids)?;
        let rows = self.read(spec, sql, values).await?;
        let stored = |row: &PgRow| {
            Ok(Stored {
                seq: unsigned(row.try_get(1)?),
                owner: row.try_get::<&str, _>(2)?.into(),
                tag: row.try_get::<&str, _>(3)?.into(),
                body: row.try_get(4)?,
            })
        };
        rows.iter().map(stored).collect()
    }

    /// Places and bodies of a page, newest first.
    pub(crate) async fn page(
        &self,
        spec: &Spec,
        query: &PageQuery,
        before: i64,
        most: i64,
    ) -> Result<Vec<(i64, String)>, ViewError> {
        let mut filter = String::new();
        if query.owner.is_some() {
            filter.push_str(" AND owner = $5");
        }
        if !query.tags.is_empty() {
            let place = if query.owner.is_some() { 6 } else { 5 };
            filter.push_str(&format!(" AND tag = ANY(${place})"));
            if query.owner.is_none() {
                // Said, so that the index of the few is found.
                filter.push_str(" AND tag <> ''");
            }
        }
        let sql = |table: &str| {
            format!(
                "SELECT v.generation, d.seq, d.body FROM reservoir_views.view v LEFT JOIN LATERAL (\
                 SELECT seq, body FROM {table} WHERE seq < $3{filter} ORDER BY seq DESC LIMIT $4) d ON true \
                 WHERE v.name = $1 AND v.version = $2 ORDER BY d.seq DESC"
            )
        };
        let mut values = of(spec)?;
        add(&mut values, before)?;
        add(&mut values, most)?;
        if let Some(owner) = &query.owner {
            add(&mut values, owner)?;
        }
        if !query.tags.is_empty() {
            add(&mut values, &query.tags)?;
        }
        let rows = self.read(spec, sql, values).await?;
        rows.iter().map(|row| Ok((row.try_get(1)?, row.try_get(2)?))).collect()
    }

    /// Every row of a view as text, in order.
    pub(crate) async fn dump(&self, spec: &Spec) -> Result<String, ViewError> {
        use std::fmt::Write;
        let sql = |table: &str| {
            format!(
                "SELECT v.generation, d.seq, d.id, d.owner, d.tag, d.body FROM reservoir_views.view v \
                 LEFT JOIN {table} d ON true WHERE v.name = $1 AND v.version = $2 ORDER BY d.seq"
            )
        };
        let mut text = String::new();
        for row in self.read(spec, sql, of(spec)?).await? {
            let (seq, id): (i64, &str) = (row.try_get(1)?, row.try_get(2)?);
            let (owner, tag, body): (&str, &str, &str) = (row.try_get(3)?, row.try_get(4)?, row.try_get(5)?);
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{seq} {id} {owner:?} {tag:?} {body}");
        }
        Ok(text)
    }

    /// Reads from the live generation. The first column is its number, the second is empty where there are no documents.
    async fn read(
        &self,
        spec: &Spec,
        sql: impl Fn(&str) -> String,
        values: PgArguments,
    ) -> Result<Vec<PgRow>, ViewError> {
        let Some(seen) = self.seen.get(spec.name()) else { return Err(ViewError::OtherShape { view: spec.name() }) };
        for _ in 0..MOST_TRIES {
            let generation = Generation::new(spec, seen.load(Ordering::Acquire));
            let sql = sql(&generation.table());
            let read =
                within(READ, async { Ok(sqlx::query_with(&sql, values.clone()).fetch_all(&self.reading).await?) });
            let live = match read.await {
                Ok(mut rows) => {
                    let Some(first) = rows.first() else { return Err(ViewError::OtherShape { view: spec.name() }) };
                    let live = unsigned(first.try_get(0)?);
                    if live == generation.number {
                        if first.try_get::<Option<i64>, _>(1)?.is_none() {
                            rows.clear();
                        }
                        return Ok(rows);
                    }
                    live
                }
                Err(ViewError::Postgres(error)) if is_gone(&error) => within(READ, self.live(spec)).await?,
                Err(error) => return Err(error),
            };
            seen.store(live, Ordering::Release);
        }
        Err(ViewError::Moved)
    }

    async fn live(&self, spec: &Spec) -> Result<u64, ViewError> {
        let sql = "SELECT generation FROM reservoir_views.view WHERE name = $1 AND version = $2";
        let row = sqlx::query(sql).bind(spec.name()).bind(spec.version).fetch_optional(&self.reading).await?;
        let row = row.ok_or(ViewError::OtherShape { view: spec.name() })?;
        Ok(unsigned(row.try_get(0)?))
    }

    /// How far the views are: by name, for those that are of the shape that this program knows.
    pub(crate) async fn positions(&self, specs: &[Spec]) -> Result<Vec<Option<u64>>, ViewError> {
        let rows = within(READ, async {
            let sql = "SELECT name, version, position FROM reservoir_views.view";
            Ok(sqlx::query(sql).fetch_all(&self.reading).await?)
        })
        .await?;
        let mut positions = vec![None; specs.len()];
        for row in &rows {
            let (name, version): (&str, &str) = (row.try_get(0)?, row.try_get(1)?);
            if let Some(index) = specs.iter().position(|spec| spec.name() == name && spec.version == version) {
                positions[index] = Some(unsigned(row.try_get(2)?));
            }
        }
        Ok(positions)
    }

    pub(super) async fn say(&self, payload: String) -> Result<(), ViewError> {
        within(READ, async {
            let query = sqlx::query("SELECT pg_notify($1, $2)").bind(super::news::CHANNEL).bind(payload);
            Ok(query.execute(&self.reading).await.map(drop)?)
        })
        .await
    }
}

/// The table is not there any more, or not whole.
fn is_gone(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    // An unknown table; and one that was dropped between being looked up and being opened.
    code.is_some_and(|code| code == "42P01" || code == "XX000")
}
