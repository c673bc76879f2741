//! Whether a lease is still the writer's, asked in the writer's own transaction.

use super::reader::signed;
use crate::fence::Fence;
use sqlx::PgConnection;

/// Why a write must not stand.
#[derive(Debug, thiserror::Error)]
pub enum FenceError {
    /// The lease has been given to somebody else since.
    #[error("{0} is over")]
    Stale(Fence),
    /// The database did not say.
    #[error("cannot look at the lease")]
    Database(#[from] sqlx::Error),
}

/// Holds the lease where it is until the transaction ends, or says that it is somebody else's by now. Whoever takes a lease changes
/// the epoch, which is part of a key: that waits for the lock taken here, and a renewal or a checkpoint does not.
///
/// # Errors
/// [`FenceError`]; the transaction must be rolled back then.
pub async fn check_fence(connection: &mut PgConnection, fence: &Fence) -> Result<(), FenceError> {
    let held = sqlx::query("SELECT 1 FROM subscriptions WHERE name = $1 AND epoch = $2 FOR KEY SHARE")
        .bind(&*fence.name)
        .bind(signed(fence.epoch))
        .fetch_optional(connection)
        .await?;
    held.map(drop).ok_or_else(|| FenceError::Stale(fence.clone()))
}
