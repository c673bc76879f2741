//! The read models: pure folds of the journal into documents, in a database that may be deleted at any time.
//!
//! **A view never decides anything and never reads a clock**: it is what the journal says, and two folds of one journal
//! are equal byte for byte. Documents and the position that they stand for are written in one transaction.

mod database;
mod error;
mod fold;
mod handle;
mod postgres;
mod projection;
mod refold;
pub mod replay;
mod runner;
mod store;
mod supervisor;
mod table;
mod views;

pub use error::{Behind, ViewError};
pub use handle::{Page, PageQuery, Views};
pub use projection::{Indigestible, Key, Projection, Row};
pub use replay::{ReplayError, ReplayReport};
pub use runner::{Folding, Running};
pub use supervisor::Supervised;
pub use views::*;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
