//! What being late costs: charged once the rental is back, again in another way after a decline, or waived.

use super::{Command, Deal, Event, Stage};
use domain::Money;
use serde::{Deserialize, Serialize};

/// The fee for being late.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Late {
    /// How much.
    pub(crate) fee: Money,
    /// Which attempt to charge it is the newest.
    pub(crate) attempt: u32,
}

impl Stage {
    /// Answers what happens to the fee.
    pub(super) fn settle(self, event: Event) -> (Self, Vec<Command>) {
        use {Command as Cmd, Event as Evt};
        let Some((deal, Late { fee, attempt })) = self.deal().and_then(|deal| Some((deal, deal.late?))) else {
            return (self, vec![]);
        };
        match (self, event) {
            (Self::TakingBack { late_fee: Some(_), .. } | Self::AwaitingLateFee(_), Evt::LateFeeApproved) => {
                (Self::Completing(deal), vec![Cmd::Complete])
            }
            (
                stage @ (Self::TakingBack { late_fee: Some(_), .. } | Self::AwaitingLateFee(_)),
                Evt::LateFeeDeclined { code },
            ) => (stage, vec![Cmd::OweLateFee { attempt, code }]),
            (Self::AwaitingLateFee(_), Evt::LateFeeDemanded { attempt }) => {
                let deal = Deal { late: Some(Late { fee, attempt }), ..deal };
                (Self::AwaitingLateFee(deal), vec![Cmd::RequestLateFee(attempt, fee)])
            }
            (Self::TakingBack { .. }, Evt::LateFeeWaived) => (Self::TakingBack { deal, late_fee: None }, vec![]),
            (Self::AwaitingLateFee(_), Evt::LateFeeWaived) => (Self::Completing(deal), vec![Cmd::Complete]),
            // Waived while it was under way, or before it was known that it was paid.
            (
                stage @ (Self::TakingBack { late_fee: None, .. } | Self::Completing(_) | Self::Completed(_)),
                Evt::LateFeeApproved,
            )
            | (stage @ Self::Completing(_), Evt::LateFeeWaived) => (stage, vec![Cmd::RefundLateFee(attempt, fee)]),
            (stage, _) => (stage, vec![]),
        }
    }
}
