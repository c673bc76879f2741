//! Whether the database keeps what it has acknowledged.

use super::address::{ConnectError, PostgresAddress};
use sqlx::{PgConnection, Row as _};

const SETTINGS: &str =
    "SELECT current_setting('fsync'), current_setting('synchronous_commit'), current_setting('full_page_writes')";

/// Refuses a database that may lose at a power cut what this session was told is committed.
pub(super) async fn check(connection: &mut PgConnection, address: &PostgresAddress) -> Result<(), ConnectError> {
    let row = sqlx::query(SETTINGS).fetch_one(connection).await.map_err(ConnectError::Database)?;
    let is_off =
        |index: usize| row.try_get::<&str, _>(index).map(|value| value == "off").map_err(ConnectError::Database);
    // The session asks for `synchronous_commit`; what lies between may have swallowed that.
    for (index, setting) in [(0, "fsync"), (1, "synchronous_commit")] {
        if is_off(index)? {
            return Err(ConnectError::Unsafe { place: address.to_string(), setting });
        }
    }
    if is_off(2)? {
        tracing::warn!(database = %address, "full_page_writes is off: a power cut may tear pages of the journal");
    }
    Ok(())
}
