//! What must be so when nothing happens by itself any more; and always.

use super::explore::word;
use super::provider::Charging;
use super::world::{DISPATCH, ITEM, OTHER, PAYMENTS, RENTAL, RESERVATION, State, WAITING, World};
use domain::PaymentId;
use domain::inventory::{Item, ItemCommand};
use domain::payment::{Payment, PaymentStatus};
use domain::quota::Quota;
use domain::rental::{Rental, RentalStatus};

/// How it has ended, in a few words; or what is wrong.
pub(super) type Verdict = Result<String, String>;

fn require(holds: bool, what: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what.to_owned()) }
}

struct Seen {
    status: RentalStatus,
    total: Option<i64>,
    held: bool,
    in_line: bool,
    committed: bool,
    counted: bool,
    payment: Option<PaymentStatus>,
    charged: i64,
    refunded: i64,
    quota: bool,
}

impl World {
    fn seen(&self, state: &State) -> Seen {
        let mut board = self.table.board();
        board.aggregates.clone_from(&state.aggregates);
        let (rental, now) = (RENTAL.to_string(), board.now);
        let (status, total) = board.look(&rental, |rental: &Rental| (rental.status(), rental.total()));
        let commit = ItemCommand::Commit { rental: RENTAL, now };
        let (held, committed) = board.look(&ITEM.to_string(), |item: &Item| {
            // To commit it would change nothing.
            (item.holds(RENTAL), item.decide(commit.clone()).is_ok_and(|events| events.is_empty()))
        });
        let in_line = board.look(&ITEM.to_string(), |item: &Item| {
            item.holds(OTHER) && item.waiting().any(|waiting| waiting.rental == RENTAL)
        });
        let charge = PaymentId::charge_of(RENTAL).to_string();
        let charged = match state.book.charge {
            Charging::Charged(amount) => amount,
            Charging::NeverSeen | Charging::InProgress | Charging::Declined => 0,
        };
        Seen {
            status: status.unwrap(),
            total: total.map(|total| total.amount_minor),
            held,
            in_line,
            committed,
            counted: board.look("shop/alice", |quota: &Quota| quota.open() > 0),
            payment: board.look(&charge, Payment::status),
            charged,
            refunded: state.book.refunded.unwrap_or(0),
            quota: self.has_quota(),
        }
    }

    /// What holds in every state.
    pub(super) fn always(&self, state: &State) -> Result<(), String> {
        let charged = match state.book.charge {
            Charging::Charged(amount) => amount,
            Charging::NeverSeen | Charging::InProgress | Charging::Declined => 0,
        };
        require(state.book.refunded.unwrap_or(0) <= charged, "more went back than came in")
    }

    /// What holds where nothing happens by itself any more.
    pub(super) fn judge(&self, state: &State) -> Verdict {
        let seen = self.seen(state);
        let stage = |index: usize| self.actors[index].written(&self.table.board(), &state.actors[index]);
        let verdict = match seen.status {
            RentalStatus::Confirmed | RentalStatus::Prepared | RentalStatus::HandedOver | RentalStatus::Completed => {
                seen.stands()
            }
            RentalStatus::Rejected | RentalStatus::Expired | RentalStatus::Cancelled => seen.is_undone(state),
            RentalStatus::Requested if seen.in_line => Ok("requested, in line".to_owned()),
            stuck @ (RentalStatus::Requested
            | RentalStatus::Cancelling
            | RentalStatus::Overdue
            | RentalStatus::Returned) => Err(format!("it stays {stuck}")),
        };
        let verdict = verdict.and_then(|verdict| {
            require(stage(RESERVATION).starts_with(seen.stage()), "the reservation is somewhere else")?;
            require(stage(PAYMENTS) == "Settled", "the payment is not settled")?;
            require(stage(DISPATCH) == "Idle", "the dispatch waits for nothing")?;
            let nobody_waits = !self.waits() || stage(WAITING) == "Nobody";
            require(nobody_waits != seen.in_line, "the line is not what the item says")?;
            Ok(verdict)
        });
        verdict.map_err(|what| format!("{what} (reservation: {})", word(&stage(RESERVATION))))
    }
}

impl Seen {
    /// Where the reservation is when the rental is where it is.
    const fn stage(&self) -> &'static str {
        match self.status {
            RentalStatus::Confirmed | RentalStatus::Prepared => "Confirmed",
            RentalStatus::HandedOver => "HandedOver",
            RentalStatus::Completed => "Completed",
            RentalStatus::Requested => "Waiting",
            _ => "Undone",
        }
    }

    fn stands(&self) -> Verdict {
        require(self.total == Some(self.charged), "what stands is not paid")?;
        require(self.refunded == 0, "what stands was paid back")?;
        require(
            self.payment.is_none() || self.payment == Some(PaymentStatus::Approved),
            "the payment is not approved",
        )?;
        require(self.held && self.committed, "what stands has no stock")?;
        let counts = self.quota && self.status != RentalStatus::Completed;
        require(self.counted == counts, "the quota is wrong")?;
        Ok(format!("{}, paid {}", self.status, self.charged))
    }

    fn is_undone(&self, state: &State) -> Verdict {
        let notes = state.notes;
        require(!self.held, "what is undone has stock")?;
        require(!self.counted, "what is undone counts against the quota")?;
        let cancelled = self.status == RentalStatus::Cancelled;
        let fee = notes.fee.filter(|_| cancelled && self.charged > 0).unwrap_or(0);
        require(self.charged - self.refunded == fee, "paid and lost")?;
        let settled = match self.payment {
            None | Some(PaymentStatus::Declined) => self.charged == 0,
            Some(PaymentStatus::Refunded) => self.refunded > 0,
            Some(PaymentStatus::Approved) => self.charged == fee,
            Some(PaymentStatus::Requested | PaymentStatus::Unknown) => false,
            Some(PaymentStatus::Refunding | PaymentStatus::RefundFailed) => false,
        };
        require(settled, "the payment is not what the provider's books say")?;
        require(!notes.cancelled_too_early, "it said that it was cancelled before everything was recorded")?;
        Ok(format!("{}, paid {}, refunded {}, kept {fee}", self.status, self.charged, self.refunded))
    }
}
