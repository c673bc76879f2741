//! From a confirmed rental to the customer's hands. Steps of a person of the shop are theirs; steps of the engine are taken
//! here, as soon as the shop is open.
//!
//! A subscription of its own: while it is paused, rentals are still taken and paid.

#[cfg(test)]
mod golden;
mod orders;

pub(crate) use orders::{Counter, Dispatching};

use domain::policy::{Action, By, Step};
use serde::{Deserialize, Serialize};

/// How far a dispatch has come, where there is something to remember.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// Nothing is to be done here: it has not begun, the shop's people do the rest, or it has ended.
    #[default]
    Idle,
    /// The engine readies it once the shop is open.
    Preparing { then_hand_over: bool },
    /// People ready it, then the engine hands it over.
    AwaitingPrepared,
    /// The engine hands it over once the shop is open.
    HandingOver,
}

/// A fact that a dispatch may answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    RentalConfirmed,
    DispatchRequested { steps: Vec<Step> },
    DispatchPrepared,
    DispatchHandedOver,
    DispatchCancelled,
    StoreOpened,
}

/// What the process orders. A refusal needs no answer: a closed shop will open, and a cancelled dispatch is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    /// Tell the shop.
    RequestDispatch,
    /// Ready it, if the shop is open.
    Prepare,
    /// Hand it over, if the shop is open.
    HandOver,
    /// Tell the customer that it is ready.
    MarkPrepared,
    /// Tell the customer that it is theirs.
    MarkHandedOver,
}

impl Stage {
    /// Answers an event.
    #[must_use]
    pub(crate) fn react(self, event: &Event) -> (Self, Vec<Command>) {
        use {Command as Cmd, Event as Evt};
        match (self, event) {
            (stage, Evt::RentalConfirmed) => (stage, vec![Cmd::RequestDispatch]),
            (Self::Idle, Evt::DispatchRequested { steps }) => Self::begin(steps),
            (Self::Preparing { then_hand_over: true } | Self::AwaitingPrepared, Evt::DispatchPrepared) => {
                (Self::HandingOver, vec![Cmd::MarkPrepared, Cmd::HandOver])
            }
            (Self::Idle | Self::Preparing { then_hand_over: false }, Evt::DispatchPrepared) => {
                (Self::Idle, vec![Cmd::MarkPrepared])
            }
            (_, Evt::DispatchHandedOver) => (Self::Idle, vec![Cmd::MarkHandedOver]),
            (_, Evt::DispatchCancelled) => (Self::Idle, vec![]),
            (stage @ Self::Preparing { .. }, Evt::StoreOpened) => (stage, vec![Cmd::Prepare]),
            (stage @ Self::HandingOver, Evt::StoreOpened) => (stage, vec![Cmd::HandOver]),
            (stage, _) => (stage, vec![]),
        }
    }

    fn begin(steps: &[Step]) -> (Self, Vec<Command>) {
        let by = |action| steps.iter().find(|step| step.action == action).map(|step| step.by);
        let then_hand_over = by(Action::HandOver) == Some(By::Engine);
        match by(Action::Prepare) {
            Some(By::Engine) => (Self::Preparing { then_hand_over }, vec![Command::Prepare]),
            Some(By::Staff) if then_hand_over => (Self::AwaitingPrepared, vec![]),
            None if then_hand_over => (Self::HandingOver, vec![Command::HandOver]),
            Some(By::Staff) | None => (Self::Idle, vec![]),
        }
    }
}
