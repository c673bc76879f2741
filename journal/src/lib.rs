//! The journal: an append-only event store, the executor of commands over it, and durable subscriptions.
//!
//! It knows streams, revisions and positions, and nothing of rentals. **Positions are gapless and in commit order**, so
//! whoever has read position `n` has read everything up to `n`. **An append is acknowledged only when it is on the disk.**

mod append;
mod copy;
mod executor;
mod fence;
mod hash;
mod journal;
mod observer;
pub mod postgres;
mod queue;
mod reader;
mod recent;
mod recorded;
mod source;
pub mod sqlite;
mod subscription;
mod tail;
mod texts;
mod verify;

pub use append::{Append, AppendError, Appended, Basis, Context, Expected, NewEvent};
pub use copy::{CopyError, Copying};
pub use executor::{Done, Executable, ExecuteError, Executor};
pub use fence::Fence;
pub use journal::{Follower, Journal, ReadError};
pub use recorded::{Recorded, Shared, category_of};
pub use source::{OpenError, Source, StoredJournal};
pub use subscription::{
    Lease, Owner, Parked, RebuildRequest, Subscription, SubscriptionError, SubscriptionState, SubscriptionStatus,
    Subscriptions,
};
pub use verify::{Flaw, Verified, VerifyError};
