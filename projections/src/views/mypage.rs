//! A customer's page: every rental with its payment, its dispatch and its deadlines.

use super::{key, payment_of, rental_of, status_after, unexpected};
use crate::projection::{Indigestible, Key, Projection, Row};
use domain::dispatch::DispatchEvent;
use domain::inventory::ItemEvent;
use domain::payment::{PaymentEvent, PaymentStatus, Purpose};
use domain::rental::{CancelledBy, ExtensionRefusal, RejectReason, RentalEvent, RentalStatus};
use domain::{CustomerId, Event, Instant, ItemId, Money, PaymentId, Personal, RentalId, StoreSlug};
use journal::Recorded;
use serde::{Deserialize, Serialize};

/// A customer's page: every rental with its payment, its dispatch and its deadlines.
pub struct MyPage;

/// One rental as its customer sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MyPageEntry {
    /// Which rental.
    pub id: RentalId,
    /// At which shop.
    pub store: StoreSlug,
    /// What.
    pub item: ItemId,
    /// How many.
    pub quantity: u32,
    /// From when, for what comes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Instant>,
    /// Until when, extensions included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Instant>,
    /// The seats that were chosen or, once they are held, assigned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seats: Vec<String>,
    /// Whose.
    pub customer: CustomerId,
    /// The name of the policy that it is under.
    pub policy: String,
    /// Where it stands.
    pub status: RentalStatus,
    /// Why it could not be had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<RejectReason>,
    /// The charge for it; none yet, or none needed.
    pub payment: Option<PaymentState>,
    /// What the shop does about it; none before it is confirmed.
    pub dispatch: Option<DispatchState>,
    /// What it costs from the hold on, extensions included and fees apart.
    pub total: Option<Money>,
    /// Since when it waits in line; gone once its turn has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<WaitingState>,
    /// What has to be done by when.
    pub deadlines: Deadlines,
    /// Started days after the end of the period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days_late: Option<u32>,
    /// The charge for bringing it back late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_fee: Option<PaymentState>,
    /// Why that charge was declined: it is owed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_fee_declined: Option<String>,
    /// The shop does without that charge.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late_fee_waived: bool,
    /// The newest wish to keep it longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension: Option<ExtensionState>,
    /// The charges for keeping it longer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extension_payments: Vec<PaymentState>,
    /// Who wanted out, and what that costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancellation: Option<CancellationState>,
    /// What the customer got back when it was cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refunded: Option<Money>,
    /// What its customer says of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<ReviewState>,
    /// When it was asked for.
    pub requested_at: Instant,
    /// When the last event about it was recorded.
    pub changed_at: Instant,
    /// Revision of the rental's stream.
    pub revision: u64,
}

/// A charge and its refunds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentState {
    /// Which payment.
    pub id: PaymentId,
    /// Where it stands.
    pub status: PaymentStatus,
    /// How much was asked for.
    pub amount: Money,
    /// How much of it went back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refunded: Option<Money>,
}

/// Waiting in line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingState {
    /// Since when.
    pub since: Instant,
    /// The place in line at that time; 1 was next.
    pub place: u32,
}

/// A wish to keep it longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtensionState {
    /// Which extension of the rental.
    pub number: u32,
    /// Until when.
    pub to: Instant,
    /// What has become of it.
    pub status: ExtensionProgress,
    /// Why it could not be had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<ExtensionRefusal>,
}

/// What has become of a wish to keep it longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExtensionProgress {
    /// It is being decided.
    Requested,
    /// It stands.
    Extended,
    /// It could not be had.
    Refused,
}

/// What the shop does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DispatchState {
    /// How far it is.
    pub status: DispatchProgress,
}

/// How far a dispatch is, seen by the customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DispatchProgress {
    /// The rental is confirmed and the shop does not know yet.
    Waiting,
    /// The shop knows.
    Requested,
    /// Ready.
    Prepared,
    /// With the customer.
    HandedOver,
    /// Not to be done.
    Cancelled,
}

/// What has to be done by when. Absent once it is done, or once nobody waits for it any more.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadlines {
    /// Until then what is offered can be accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accept_by: Option<Instant>,
    /// Until then the stock is held for a payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pay_by: Option<Instant>,
    /// By then it has to be back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_by: Option<Instant>,
}

/// Who wanted out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancellationState {
    /// Who.
    pub by: CancelledBy,
    /// Why, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal>,
    /// What is kept of the price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee: Option<Money>,
    /// When.
    pub requested_at: Instant,
    /// It came after the hand-over and has no effect.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refused: bool,
}

/// What a customer says of what they have had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewState {
    /// 1 to 5.
    pub stars: u8,
    /// In their words, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Personal>,
    /// When they said so.
    pub at: Instant,
}

impl Projection for MyPage {
    const NAME: &'static str = "mypage.v1";
    const SUBSCRIPTION: &'static str = "view-mypage";
    type State = MyPageEntry;
    type Document = MyPageEntry;

    fn key(event: &Recorded, decoded: &Event) -> Result<Option<Key>, Indigestible> {
        match decoded {
            Event::Rental(_) | Event::Payment(_) | Event::Item(_) | Event::Dispatch(_) => {
                Ok(key(rental_of(event, decoded)?))
            }
            Event::Store(_) | Event::Quota(_) | Event::Message(_) => Ok(None),
            Event::Contact(_) | Event::Webhook(_) | Event::Foreign => Ok(None),
        }
    }

    fn begin(event: &Recorded, decoded: &Event) -> Option<MyPageEntry> {
        let Event::Rental(RentalEvent::Requested { terms, at }) = decoded else { return None };
        let comes_back = terms.rules.comes_back;
        Some(MyPageEntry {
            id: event.aggregate_id().parse().ok()?,
            store: terms.store.clone(),
            item: terms.item,
            quantity: terms.quantity,
            from: terms.period.map(|period| period.from),
            to: terms.period.map(|period| period.to),
            seats: terms.seats.clone(),
            customer: terms.customer.clone(),
            policy: terms.policy.clone(),
            status: RentalStatus::Requested,
            reason: None,
            payment: None,
            dispatch: None,
            total: None,
            waiting: None,
            deadlines: Deadlines {
                accept_by: None,
                pay_by: None,
                return_by: terms.period.filter(|_| comes_back).map(|period| period.to),
            },
            days_late: None,
            late_fee: None,
            late_fee_declined: None,
            late_fee_waived: false,
            extension: None,
            extension_payments: Vec::new(),
            cancellation: None,
            refunded: None,
            review: None,
            requested_at: *at,
            changed_at: event.recorded_at,
            revision: event.revision,
        })
    }

    fn apply(entry: &mut MyPageEntry, event: &Recorded, decoded: &Event) -> Result<(), Indigestible> {
        match decoded {
            Event::Rental(rental) => {
                entry.revision = event.revision;
                entry.rental_went_on(rental);
            }
            Event::Payment(payment) => entry.payment_went_on(payment_of(event)?, payment)?,
            Event::Item(item) => entry.item_went_on(item),
            Event::Dispatch(dispatch) => entry.dispatch_went_on(dispatch),
            Event::Store(_) | Event::Quota(_) | Event::Message(_) => return Err(unexpected(decoded)),
            Event::Contact(_) | Event::Webhook(_) | Event::Foreign => return Err(unexpected(decoded)),
        }
        entry.changed_at = event.recorded_at;
        Ok(())
    }

    fn row(entry: &MyPageEntry) -> Row<'_> {
        Row { owner: entry.customer.as_str(), tag: entry.status.name() }
    }

    fn document(entry: MyPageEntry) -> MyPageEntry {
        entry
    }
}

impl MyPageEntry {
    fn rental_went_on(&mut self, event: &RentalEvent) {
        self.status = status_after(self.status, event);
        match event {
            RentalEvent::Requested { .. }
            | RentalEvent::Prepared { .. }
            | RentalEvent::HandedOver { .. }
            | RentalEvent::Overdue { .. } => {}
            RentalEvent::Offered { period, until, .. } => {
                if let Some(period) = period {
                    (self.from, self.to) = (Some(period.from), Some(period.to));
                    self.deadlines.return_by = self.deadlines.return_by.map(|_| period.to);
                }
                self.waiting = None;
                self.deadlines.accept_by = Some(*until);
                self.deadlines.pay_by = None;
            }
            RentalEvent::Accepted { pay_by, .. } => {
                self.deadlines.accept_by = None;
                self.deadlines.pay_by = Some(*pay_by);
            }
            RentalEvent::LateFeeDeclined { code, .. } => self.late_fee_declined = Some(code.clone()),
            RentalEvent::LateFeeDemanded { .. } => self.late_fee_declined = None,
            RentalEvent::LateFeeWaived { .. } => {
                self.late_fee_declined = None;
                self.late_fee_waived = true;
            }
            RentalEvent::ExtensionRequested { number, to, .. } => {
                let status = ExtensionProgress::Requested;
                self.extension = Some(ExtensionState { number: *number, to: *to, status, reason: None });
            }
            RentalEvent::Extended { to, total, .. } => {
                self.to = Some(*to);
                self.total = Some(*total);
                self.deadlines.return_by = Some(*to);
                if let Some(extension) = &mut self.extension {
                    extension.status = ExtensionProgress::Extended;
                }
            }
            RentalEvent::ExtensionRefused { reason, .. } => {
                if let Some(extension) = &mut self.extension {
                    extension.status = ExtensionProgress::Refused;
                    extension.reason = Some(reason.clone());
                }
            }
            RentalEvent::Confirmed { total, .. } => {
                self.total = Some(*total);
                self.deadlines.pay_by = None;
                self.dispatch.get_or_insert(DispatchState { status: DispatchProgress::Waiting });
            }
            RentalEvent::Rejected { reason, .. } => {
                self.reason = Some(reason.clone());
                self.deadlines = Deadlines::default();
            }
            RentalEvent::Expired { .. } => self.deadlines = Deadlines::default(),
            RentalEvent::Returned { days_late, .. } => {
                self.days_late = (*days_late > 0).then_some(*days_late);
                self.deadlines = Deadlines::default();
            }
            RentalEvent::Completed { .. } => self.deadlines = Deadlines::default(),
            RentalEvent::CancellationRequested { by, reason, fee, at } => {
                self.cancellation = Some(CancellationState {
                    by: *by,
                    reason: reason.clone(),
                    fee: *fee,
                    requested_at: *at,
                    refused: false,
                });
            }
            RentalEvent::CancellationRefused { .. } => {
                if let Some(cancellation) = &mut self.cancellation {
                    cancellation.refused = true;
                }
            }
            RentalEvent::Cancelled { refunded, .. } => {
                self.refunded = *refunded;
                self.deadlines = Deadlines::default();
                // The shop never heard of it and never will.
                self.dispatch.take_if(|dispatch| dispatch.status == DispatchProgress::Waiting);
            }
            RentalEvent::ReviewWritten { stars, text, at, .. } | RentalEvent::ReviewEdited { stars, text, at, .. } => {
                self.review = Some(ReviewState { stars: *stars, text: text.clone(), at: *at });
            }
            RentalEvent::ReviewDeleted { .. } => self.review = None,
        }
    }

    fn payment_went_on(&mut self, id: PaymentId, event: &PaymentEvent) -> Result<(), Indigestible> {
        if let PaymentEvent::Requested { charge, .. } = event {
            let payment = PaymentState { id, status: PaymentStatus::Requested, amount: charge.amount, refunded: None };
            match charge.purpose {
                Purpose::Rental => self.payment = Some(payment),
                Purpose::LateFee => self.late_fee = Some(payment),
                Purpose::Extension { .. } => self.extension_payments.push(payment),
            }
            return Ok(());
        }
        let known = [&mut self.payment, &mut self.late_fee].into_iter().flatten().chain(&mut self.extension_payments);
        let known = known.into_iter().find(|payment| payment.id == id);
        let payment = known.ok_or_else(|| Indigestible::new(format!("the payment {id} was never requested")))?;
        match event {
            PaymentEvent::Requested { .. } => {}
            PaymentEvent::Approved { .. } => {
                payment.status = PaymentStatus::Approved;
                self.deadlines.pay_by = None;
            }
            PaymentEvent::Declined { .. } => payment.status = PaymentStatus::Declined,
            PaymentEvent::Unknown { .. } => payment.status = PaymentStatus::Unknown,
            PaymentEvent::RefundRequested { .. } => payment.status = PaymentStatus::Refunding,
            PaymentEvent::Refunded { amount, .. } => {
                payment.status = PaymentStatus::Refunded;
                payment.refunded = Some(payment.refunded.map_or(Ok(*amount), |before| before.plus(*amount))?);
            }
            PaymentEvent::RefundFailed { .. } => payment.status = PaymentStatus::RefundFailed,
        }
        Ok(())
    }

    fn item_went_on(&mut self, event: &ItemEvent) {
        match event {
            ItemEvent::Held { seats, total, until, .. } => {
                self.seats.clone_from(seats);
                self.total = Some(*total);
                // Of what is offered nothing has to be paid before it is accepted.
                let to_be_paid = self.status == RentalStatus::Requested && self.waiting.take().is_none();
                self.deadlines.pay_by = to_be_paid.then_some(*until);
            }
            ItemEvent::Awaited { place, at, .. } => self.waiting = Some(WaitingState { since: *at, place: *place }),
            ItemEvent::WaitingEnded { .. } => self.waiting = None,
            ItemEvent::Committed { .. } | ItemEvent::Released { .. } => {
                (self.deadlines.accept_by, self.deadlines.pay_by) = (None, None);
            }
            ItemEvent::HandedOut { .. }
            | ItemEvent::Extended { .. }
            | ItemEvent::ExtensionReleased { .. }
            | ItemEvent::Overdue { .. }
            | ItemEvent::Returned { .. } => {}
            // Of no rental.
            ItemEvent::Registered { .. }
            | ItemEvent::Renamed { .. }
            | ItemEvent::Described { .. }
            | ItemEvent::Repriced { .. }
            | ItemEvent::Retired { .. }
            | ItemEvent::StockAdjusted { .. } => {}
        }
    }

    fn dispatch_went_on(&mut self, event: &DispatchEvent) {
        let status = match event {
            DispatchEvent::Requested { .. } => DispatchProgress::Requested,
            DispatchEvent::Prepared { .. } => DispatchProgress::Prepared,
            DispatchEvent::HandedOver { .. } => DispatchProgress::HandedOver,
            DispatchEvent::Cancelled { .. } => DispatchProgress::Cancelled,
        };
        self.dispatch = Some(DispatchState { status });
    }
}
