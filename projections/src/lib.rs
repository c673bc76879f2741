//! The read models: pure folds of the journal into documents, in a database that may be deleted at any time.

mod projection;
mod views;

pub use projection::{Indigestible, Key, Projection, Row};
pub use views::*;
