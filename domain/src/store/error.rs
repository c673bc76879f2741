//! Why a shop refuses an order.

use crate::policy::PolicyError;

/// A refusal. The shop is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// There is no such shop.
    #[error("there is no such store")]
    NotRegistered,
    /// The slug is another shop's.
    #[error("another store has this name in addresses")]
    SlugTaken,
    /// A field is out of range.
    #[error("{field}: {why}")]
    DoesNotFit {
        /// The field of the request.
        field: &'static str,
        /// What the shop wants.
        why: &'static str,
    },
    /// The policy contradicts itself.
    #[error("the policy is not usable")]
    Policy(#[source] PolicyError),
    /// Items of one kind of stock do not turn into another.
    #[error("a store keeps its kind of stock")]
    AnotherKindOfStock,
}
