//! Reads a whole journal and says of every rental and every won whether it is where it belongs.

use crate::report::Report;
use harness::{Books, Client};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Findings beyond so many are only counted.
const SHOWN: usize = 5;

/// Everything that the journal says of rentals and their money.
#[derive(Default)]
pub(crate) struct Audit {
    /// Up to where the journal was read.
    pub(crate) position: u64,
    rentals: BTreeMap<String, Rental>,
    payments: BTreeMap<String, Payment>,
}

#[derive(Debug, Default)]
struct Rental {
    status: Status,
    total: i64,
    fee: i64,
    refunded: i64,
    held: i64,
    is_dispatched: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Status {
    #[default]
    Requested,
    Confirmed,
    Rejected,
    Expired,
    Cancelling,
    Cancelled,
}

#[derive(Debug, Default)]
struct Payment {
    rental: String,
    customer: String,
    asked: i64,
    approvals: u32,
    taken: i64,
    refunded: i64,
    is_unknown: bool,
    is_refunding: bool,
}

/// How the rentals have ended.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ends {
    pub(crate) confirmed: usize,
    pub(crate) declined: usize,
    pub(crate) expired: usize,
    pub(crate) cancelled: usize,
    pub(crate) open: usize,
}

fn minor(money: &Value) -> i64 {
    money["amount_minor"].as_i64().unwrap_or(0)
}

impl Audit {
    /// Reads what has been written since.
    pub(crate) async fn read_on(&mut self, client: &Client) {
        loop {
            let path = format!("/v1/admin/events?after={}&limit=100", self.position);
            // A server that was just killed is asked again by whoever wants to know.
            let Ok(page) = client.get(path).by("admin").sent().await else { return };
            let events = page.is(200).items();
            events.iter().for_each(|event| self.take_in(event));
            if events.len() < 100 {
                return;
            }
        }
    }

    /// The next event.
    pub(crate) fn take_in(&mut self, event: &Value) {
        let (Some(position), Some(stream)) = (event["position"].as_u64(), event["stream"].as_str()) else {
            panic!("not an event: {event}");
        };
        assert!(position > self.position, "position {position} comes after {}", self.position);
        self.position = position;
        let kind = event["type"].as_str().unwrap_or_default();
        match stream.split_once('-') {
            Some(("rental", id)) => self.take_in_rental(id, kind, &event["data"]),
            Some(("payment", id)) => self.take_in_payment(id, kind, &event["data"]),
            Some(("item", _)) => self.take_in_item(kind, &event["data"]),
            Some(("dispatch", id)) if kind == "DispatchRequested" => {
                self.rentals.entry(id.to_owned()).or_default().is_dispatched = true;
            }
            _ => {}
        }
    }

    fn take_in_rental(&mut self, id: &str, kind: &str, data: &Value) {
        let rental = self.rentals.entry(id.to_owned()).or_default();
        rental.status = match kind {
            "RentalRequested" => Status::Requested,
            "RentalConfirmed" => {
                rental.total = minor(&data["total"]);
                Status::Confirmed
            }
            "RentalRejected" => Status::Rejected,
            // It was handed over before: then it stands.
            "RentalCancellationRefused" => Status::Confirmed,
            "RentalExpired" => Status::Expired,
            "RentalCancellationRequested" => {
                rental.fee = minor(&data["fee"]);
                Status::Cancelling
            }
            "RentalCancelled" => {
                rental.refunded = minor(&data["refunded"]);
                Status::Cancelled
            }
            other => panic!("no drill leads to {other}"),
        };
    }

    fn take_in_payment(&mut self, id: &str, kind: &str, data: &Value) {
        let payment = self.payments.entry(id.to_owned()).or_default();
        match kind {
            "PaymentRequested" => {
                data["rental"].as_str().unwrap_or_default().clone_into(&mut payment.rental);
                data["charge"]["customer"].as_str().unwrap_or_default().clone_into(&mut payment.customer);
                payment.asked = minor(&data["charge"]["amount"]);
            }
            "PaymentApproved" => {
                payment.is_unknown = false;
                payment.approvals += 1;
                payment.taken += payment.asked;
            }
            "PaymentDeclined" => payment.is_unknown = false,
            "PaymentUnknown" => payment.is_unknown = true,
            "RefundRequested" => payment.is_refunding = true,
            "PaymentRefunded" => {
                payment.is_refunding = false;
                payment.refunded += minor(&data["amount"]);
            }
            "RefundFailed" => {}
            other => panic!("no drill leads to {other}"),
        }
    }

    fn take_in_item(&mut self, kind: &str, data: &Value) {
        let change = match kind {
            "StockHeld" => data["quantity"].as_i64().unwrap_or(1),
            "StockReleased" => -1,
            _ => return,
        };
        let rental = data["rental"].as_str().unwrap_or_default().to_owned();
        self.rentals.entry(rental).or_default().held += change;
    }

    /// Where a rental stands, in the words of the API.
    pub(crate) fn status(&self, rental: &str) -> &'static str {
        match self.rentals.get(rental).map(|rental| rental.status) {
            None => "lost",
            Some(Status::Requested) => "requested",
            Some(Status::Confirmed) => "confirmed",
            Some(Status::Rejected) => "rejected",
            Some(Status::Expired) => "expired",
            Some(Status::Cancelling) => "cancelling",
            Some(Status::Cancelled) => "cancelled",
        }
    }

    /// How many rentals there are.
    pub(crate) fn rentals(&self) -> usize {
        self.rentals.len()
    }

    /// How they have ended.
    pub(crate) fn ends(&self) -> Ends {
        let mut ends = Ends::default();
        for rental in self.rentals.values() {
            *match rental.status {
                Status::Confirmed => &mut ends.confirmed,
                Status::Rejected => &mut ends.declined,
                Status::Expired => &mut ends.expired,
                Status::Cancelled => &mut ends.cancelled,
                Status::Requested | Status::Cancelling => &mut ends.open,
            } += 1;
        }
        ends
    }

    /// Whether nothing more is to come: every rental has an outcome, the shop knows of every one that stands, and no money is
    /// on its way.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.rentals.values().all(|rental| match rental.status {
            Status::Requested | Status::Cancelling => false,
            Status::Confirmed => rental.is_dispatched,
            Status::Rejected | Status::Expired | Status::Cancelled => true,
        }) && self.payments.values().all(|payment| !payment.is_unknown && !payment.is_refunding)
    }

    /// Payments of which nobody knows what became.
    pub(crate) fn unknown(&self) -> BTreeSet<String> {
        self.payments.iter().filter(|(_, payment)| payment.is_unknown).map(|(id, _)| id.clone()).collect()
    }

    /// What was taken and what went back, by payment, wherever that is more than nothing.
    pub(crate) fn books(&self) -> Books {
        let taken = self.payments.iter().filter(|(_, payment)| payment.taken > 0);
        taken.map(|(id, payment)| (id.clone(), (payment.taken, payment.refunded))).collect()
    }

    /// What was taken less what went back, by customer.
    pub(crate) fn kept_of_customers(&self) -> BTreeMap<String, i64> {
        let mut kept = BTreeMap::new();
        for payment in self.payments.values() {
            *kept.entry(payment.customer.clone()).or_default() += payment.taken - payment.refunded;
        }
        kept
    }

    /// Reports every rental that is half done and every won that is where it does not belong.
    pub(crate) fn judge(&self, report: &mut Report) {
        let mut kept: BTreeMap<&str, i64> = BTreeMap::new();
        let mut twice = Vec::new();
        for (id, payment) in &self.payments {
            *kept.entry(&payment.rental).or_default() += payment.taken - payment.refunded;
            if payment.approvals > 1 || payment.refunded > payment.taken {
                twice.push(format!("payment {id}: {payment:?}"));
            }
        }
        let (mut stuck, mut half_done) = (Vec::new(), Vec::new());
        for (id, rental) in &self.rentals {
            let kept = kept.get(id.as_str()).copied().unwrap_or(0);
            let (price, held) = match rental.status {
                Status::Confirmed => (rental.total, 1),
                Status::Cancelled => (rental.fee, 0),
                Status::Rejected | Status::Expired => (0, 0),
                Status::Requested | Status::Cancelling => {
                    stuck.push(format!("rental {id}: {rental:?}"));
                    continue;
                }
            };
            let is_known_to_shop = rental.is_dispatched || rental.status != Status::Confirmed;
            if (kept, rental.held) != (price, held) || !is_known_to_shop {
                half_done.push(format!("rental {id}: {rental:?}, {kept} kept of {price}"));
            }
        }
        stuck.extend(self.unknown().into_iter().map(|id| format!("payment {id}: unknown")));
        report.none("stuck", &shortened(&stuck));
        report.none("half done", &shortened(&half_done));
        report.none("recorded twice", &shortened(&twice));
    }
}

/// The first of them, and how many more there are.
pub(crate) fn shortened(findings: &[String]) -> Vec<String> {
    let mut shown: Vec<String> = findings.iter().take(SHOWN).cloned().collect();
    if findings.len() > SHOWN {
        shown.push(format!("… and {} more", findings.len() - SHOWN));
    }
    shown
}
