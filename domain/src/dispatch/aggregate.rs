//! How far the shop is with one rental, and what it may do next.

use super::{DispatchCommand, DispatchError, DispatchEvent, DispatchStatus};
use crate::StoreSlug;
use crate::policy::{Action, Step};
use serde::{Deserialize, Serialize};

/// What the shop does for one rental.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispatch {
    status: Option<DispatchStatus>,
    order: Option<Order>,
}

/// Absent where the cancellation came before the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Order {
    store: StoreSlug,
    steps: Vec<Step>,
}

impl Dispatch {
    /// Where it stands; `None` when the shop has never heard of it.
    #[must_use]
    pub const fn status(&self) -> Option<DispatchStatus> {
        self.status
    }

    /// Whose work it is; `None` until it is requested.
    #[must_use]
    pub fn store(&self) -> Option<&StoreSlug> {
        self.order.as_ref().map(|order| &order.store)
    }

    /// What there is to do; nothing until it is requested.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        self.order.as_ref().map_or(&[], |order| &order.steps)
    }

    fn is_to_be_prepared(&self) -> bool {
        self.steps().iter().any(|step| step.action == Action::Prepare)
    }

    /// The rules. An empty list means "already so".
    ///
    /// # Errors
    /// When the shop is closed, when a step comes out of order, and when a cancellation or hand-over came first.
    pub fn decide(&self, command: DispatchCommand) -> Result<Vec<DispatchEvent>, DispatchError> {
        use {DispatchCommand as Cmd, DispatchError as Refused, DispatchEvent as Evt, DispatchStatus as Is};
        match (self.status, command) {
            (None, Cmd::Request { store, customer, item, quantity, period, steps, now }) => {
                Ok(vec![Evt::Requested { store, customer, item, quantity, period, steps, at: now }])
            }
            (Some(_), Cmd::Request { .. }) => Ok(vec![]),

            (None, Cmd::Prepare { .. } | Cmd::HandOver { .. }) => Err(Refused::NotRequested),
            (Some(Is::Cancelled), Cmd::Prepare { .. } | Cmd::HandOver { .. }) => Err(Refused::Cancelled),
            (Some(_), Cmd::Prepare { .. }) if !self.is_to_be_prepared() => Err(Refused::NoSuchStep),
            (Some(Is::Prepared | Is::HandedOver), Cmd::Prepare { .. })
            | (Some(Is::HandedOver), Cmd::HandOver { .. }) => Ok(vec![]),
            (Some(Is::Requested), Cmd::Prepare { store_open: false, .. })
            | (Some(Is::Requested | Is::Prepared), Cmd::HandOver { store_open: false, .. }) => {
                Err(Refused::StoreClosed)
            }
            (Some(Is::Requested), Cmd::Prepare { store_open: true, now }) => Ok(vec![Evt::Prepared { at: now }]),
            (Some(Is::Requested), Cmd::HandOver { store_open: true, .. }) if self.is_to_be_prepared() => {
                Err(Refused::NotPrepared)
            }
            (Some(Is::Requested | Is::Prepared), Cmd::HandOver { store_open: true, now }) => {
                Ok(vec![Evt::HandedOver { at: now }])
            }

            // On an empty stream, too: a request that is still on its way must find the cancellation here.
            (None | Some(Is::Requested | Is::Prepared), Cmd::Cancel { now }) => Ok(vec![Evt::Cancelled { at: now }]),
            (Some(Is::HandedOver), Cmd::Cancel { .. }) => Err(Refused::HandedOver),
            (Some(Is::Cancelled), Cmd::Cancel { .. }) => Ok(vec![]),
        }
    }

    fn fold(&mut self, event: DispatchEvent) {
        self.status = Some(match event {
            DispatchEvent::Requested { store, steps, .. } => {
                self.order = Some(Order { store, steps });
                DispatchStatus::Requested
            }
            DispatchEvent::Prepared { .. } => DispatchStatus::Prepared,
            DispatchEvent::HandedOver { .. } => DispatchStatus::HandedOver,
            DispatchEvent::Cancelled { .. } => DispatchStatus::Cancelled,
        });
    }
}

crate::aggregate::aggregate!(Dispatch, "dispatch", DispatchCommand => DispatchEvent | DispatchError);
