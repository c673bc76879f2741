//! Who has paid what, and what is being worked on: the rules of a provider that looks at idempotency keys.

use super::ledger::Entry;
use crate::protocol::{Charge, Refund, Told};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// Everything that the provider knows.
#[derive(Debug)]
pub(super) struct Book {
    pages: Mutex<Pages>,
    /// Switched on, every request is a new one.
    ignore_keys: bool,
}

#[derive(Debug, Default)]
struct Pages {
    accounts: HashMap<Uuid, Account>,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Account {
    charge: Charge,
    work: Work,
    calls: u64,
    /// Once, unless keys are ignored.
    charged_minor: i64,
    /// With what is being refunded.
    refunded_minor: i64,
    refunds: HashMap<Uuid, Given>,
    has_failed_to_refund: bool,
}

#[derive(Debug)]
struct Given {
    refund: Refund,
    work: Work,
    calls: u64,
}

/// How far a request has come.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Work {
    /// It came, and nothing was done.
    Nothing,
    InFlight,
    Done(Told),
}

/// What is to be done with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Begun {
    /// It is to be carried out.
    Fresh { first: bool },
    /// It was carried out.
    Known(Told),
    /// Somebody is at it.
    InFlight,
    /// The key was used for something else.
    AnotherRequest,
    /// There is no such charge.
    NoSuchCharge,
    /// That much was not taken, or went back before.
    MoreThanCharged,
}

impl Account {
    fn new(charge: Charge) -> Self {
        Self {
            charge,
            work: Work::Nothing,
            calls: 0,
            charged_minor: 0,
            refunded_minor: 0,
            refunds: HashMap::new(),
            has_failed_to_refund: false,
        }
    }
}

impl Book {
    /// The book that follows from what was written down.
    pub(super) fn new(entries: Vec<Entry>, ignore_keys: bool) -> Self {
        let mut pages = Pages::default();
        for entry in entries {
            pages.enter(entry);
        }
        Self { pages: Mutex::new(pages), ignore_keys }
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a charge on; also answers which call with this key it is.
    pub(super) fn begin_charge(&self, key: Uuid, charge: &Charge) -> (Begun, u64) {
        let mut pages = self.pages();
        let account = pages.accounts.entry(key).or_insert_with(|| Account::new(charge.clone()));
        account.calls += 1;
        let first = account.calls == 1;
        let begun = match &account.work {
            _ if self.ignore_keys => Begun::Fresh { first },
            _ if account.charge != *charge => Begun::AnotherRequest,
            Work::Nothing => Begun::Fresh { first },
            Work::InFlight => Begun::InFlight,
            Work::Done(told) => Begun::Known(told.clone()),
        };
        if let Begun::Fresh { .. } = begun {
            account.work = Work::InFlight;
        }
        (begun, account.calls)
    }

    /// The charge is not made after all, and may be asked for again.
    pub(super) fn let_go_of_charge(&self, key: Uuid) {
        if let Some(account) = self.pages().accounts.get_mut(&key) {
            account.work = Work::Nothing;
        }
    }

    /// Takes a refund on; also answers which call with this key it is.
    pub(super) fn begin_refund(&self, charge: Uuid, key: Uuid, refund: Refund) -> (Begun, u64) {
        let mut pages = self.pages();
        let Some(account) = pages.accounts.get_mut(&charge) else { return (Begun::NoSuchCharge, 1) };
        if account.charged_minor == 0 {
            let begun = if account.work == Work::InFlight { Begun::InFlight } else { Begun::NoSuchCharge };
            return (begun, 1);
        }
        let left = account.charged_minor - account.refunded_minor;
        let fits = refund.amount.currency == account.charge.amount.currency
            && (1..=left).contains(&refund.amount.amount_minor);
        let given = account.refunds.entry(key).or_insert(Given { refund, work: Work::Nothing, calls: 0 });
        given.calls += 1;
        let begun = match &given.work {
            _ if self.ignore_keys && fits => Begun::Fresh { first: given.calls == 1 },
            _ if given.refund != refund => Begun::AnotherRequest,
            Work::InFlight => Begun::InFlight,
            Work::Done(told) => Begun::Known(told.clone()),
            Work::Nothing if fits => Begun::Fresh { first: given.calls == 1 },
            Work::Nothing => Begun::MoreThanCharged,
        };
        if let Begun::Fresh { .. } = begun {
            given.work = Work::InFlight;
            account.refunded_minor += refund.amount.amount_minor;
        }
        (begun, given.calls)
    }

    /// Whether a refund of this charge has failed before.
    pub(super) fn has_failed_to_refund(&self, charge: Uuid) -> bool {
        self.pages().accounts.get(&charge).is_some_and(|account| account.has_failed_to_refund)
    }

    /// Takes note of what was done, once it is on the disk.
    pub(super) fn enter(&self, entry: Entry) {
        let mut pages = self.pages();
        // What was in flight is counted already.
        match &entry {
            Entry::Refunded { charge, amount, .. } => {
                if let Some(account) = pages.accounts.get_mut(charge) {
                    account.refunded_minor -= amount.amount_minor;
                }
            }
            Entry::RefundFailed { key, charge, .. } => {
                if let Some(account) = pages.accounts.get_mut(charge) {
                    let given = account.refunds.get(key).map_or(0, |given| given.refund.amount.amount_minor);
                    account.refunded_minor -= given;
                }
            }
            Entry::Charged { .. } | Entry::Declined { .. } => {}
        }
        pages.enter(entry);
    }

    /// What became of a charge. A provider that does not look at keys cannot be asked by one.
    pub(super) fn truth(&self, key: Uuid) -> Told {
        match self.pages().accounts.get(&key).map(|account| &account.work) {
            _ if self.ignore_keys => Told::NeverSeen,
            None | Some(Work::Nothing) => Told::NeverSeen,
            Some(Work::InFlight) => Told::InProgress,
            Some(Work::Done(told)) => told.clone(),
        }
    }

    /// How the charge was paid.
    pub(super) fn method(&self, charge: Uuid) -> Option<String> {
        self.pages().accounts.get(&charge).map(|account| account.charge.method.clone())
    }

    /// Everything that was done, in order.
    pub(super) fn entries(&self) -> Vec<Entry> {
        self.pages().entries.clone()
    }

    /// A name that no other entry has.
    pub(super) fn reference(&self, what: &str, key: Uuid) -> String {
        if self.ignore_keys {
            // Entries are written in parallel; the name need not be the number of this one.
            return format!("sim-{what}-{key}-{}", Uuid::now_v7().simple());
        }
        format!("sim-{what}-{key}")
    }
}

impl Pages {
    fn enter(&mut self, entry: Entry) {
        match &entry {
            Entry::Charged { key, amount, method, reference, .. } => {
                let account = self.account(*key, Charge { amount: *amount, method: method.clone() });
                account.charged_minor += amount.amount_minor;
                account.work = Work::Done(Told::Charged { reference: reference.clone() });
            }
            Entry::Declined { key, amount, method, code, .. } => {
                let account = self.account(*key, Charge { amount: *amount, method: method.clone() });
                account.work = Work::Done(Told::Declined { code: code.clone() });
            }
            Entry::Refunded { key, charge, amount, reference, .. } => {
                if let Some(account) = self.accounts.get_mut(charge) {
                    account.refunded_minor += amount.amount_minor;
                    let work = Work::Done(Told::Refunded { reference: reference.clone() });
                    let calls = account.refunds.get(key).map_or(1, |given| given.calls);
                    account.refunds.insert(*key, Given { refund: Refund { amount: *amount }, work, calls });
                }
            }
            Entry::RefundFailed { key, charge, .. } => {
                if let Some(account) = self.accounts.get_mut(charge) {
                    account.has_failed_to_refund = true;
                    if let Some(given) = account.refunds.get_mut(key) {
                        given.work = Work::Nothing;
                    }
                }
            }
        }
        self.entries.push(entry);
    }

    fn account(&mut self, key: Uuid, charge: Charge) -> &mut Account {
        self.accounts.entry(key).or_insert_with(|| Account::new(charge))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Money;

    const KEY: Uuid = Uuid::from_u128(1);

    fn won(amount_minor: i64) -> Money {
        Money::new(amount_minor, "KRW".to_owned().try_into().unwrap())
    }

    fn charge(amount_minor: i64) -> Charge {
        Charge { amount: won(amount_minor), method: "pm_ok".to_owned() }
    }

    fn charged(amount_minor: i64) -> Entry {
        let Charge { amount, method } = charge(amount_minor);
        let at = "2026-07-01T12:00:00Z".parse().unwrap();
        Entry::Charged { key: KEY, amount, method, reference: "one".to_owned(), at }
    }

    fn refunded(key: u128, amount_minor: i64) -> Entry {
        let at = "2026-07-01T12:00:00Z".parse().unwrap();
        let key = Uuid::from_u128(key);
        Entry::Refunded { key, charge: KEY, amount: won(amount_minor), reference: "back".to_owned(), at }
    }

    fn begin_refund(book: &Book, key: u128, amount_minor: i64) -> Begun {
        book.begin_refund(KEY, Uuid::from_u128(key), Refund { amount: won(amount_minor) }).0
    }

    #[test]
    fn the_same_key_is_the_same_charge() {
        let book = Book::new(vec![], false);
        assert_eq!(book.truth(KEY), Told::NeverSeen);
        assert_eq!(book.begin_charge(KEY, &charge(5)), (Begun::Fresh { first: true }, 1));
        assert_eq!((book.begin_charge(KEY, &charge(5)).0, book.truth(KEY)), (Begun::InFlight, Told::InProgress));
        book.enter(charged(5));
        let told = Told::Charged { reference: "one".to_owned() };
        assert_eq!(book.begin_charge(KEY, &charge(5)).0, Begun::Known(told.clone()));
        assert_eq!(book.begin_charge(KEY, &charge(6)).0, Begun::AnotherRequest);
        assert_eq!(book.truth(KEY), told);
    }

    #[test]
    fn what_was_let_go_may_be_asked_for_again() {
        let book = Book::new(vec![], false);
        book.begin_charge(KEY, &charge(5));
        book.let_go_of_charge(KEY);
        assert_eq!(book.truth(KEY), Told::NeverSeen);
        assert_eq!(book.begin_charge(KEY, &charge(5)), (Begun::Fresh { first: false }, 2));
    }

    #[test]
    fn more_than_was_charged_never_goes_back_even_while_others_are_at_it() {
        let book = Book::new(vec![charged(10)], false);
        assert_eq!(begin_refund(&book, 1, 11), Begun::MoreThanCharged);
        assert_eq!(begin_refund(&book, 2, 7), Begun::Fresh { first: true });
        assert_eq!(begin_refund(&book, 3, 4), Begun::MoreThanCharged);
        book.enter(refunded(2, 7));
        assert_eq!(begin_refund(&book, 2, 7), Begun::Known(Told::Refunded { reference: "back".to_owned() }));
        assert_eq!(begin_refund(&book, 2, 3), Begun::AnotherRequest);
        assert_eq!(begin_refund(&book, 3, 4), Begun::MoreThanCharged);
        assert_eq!(begin_refund(&book, 4, 3), Begun::Fresh { first: true });
        assert_eq!(begin_refund(&book, 5, 0), Begun::MoreThanCharged);
    }

    #[test]
    fn a_refund_that_failed_may_be_asked_for_again() {
        let book = Book::new(vec![charged(10)], false);
        assert_eq!(begin_refund(&book, 1, 10), Begun::Fresh { first: true });
        let at = "2026-07-01T12:00:00Z".parse().unwrap();
        book.enter(Entry::RefundFailed { key: Uuid::from_u128(1), charge: KEY, at });
        assert!(book.has_failed_to_refund(KEY));
        assert_eq!(begin_refund(&book, 1, 10), Begun::Fresh { first: false });
    }

    #[test]
    fn the_book_follows_from_its_entries() {
        let book = Book::new(vec![charged(10), refunded(2, 7)], false);
        assert_eq!(book.entries().len(), 2);
        assert_eq!(begin_refund(&book, 2, 7), Begun::Known(Told::Refunded { reference: "back".to_owned() }));
        assert_eq!(begin_refund(&book, 3, 4), Begun::MoreThanCharged);
    }

    #[test]
    fn without_keys_everything_is_done_again() {
        let book = Book::new(vec![charged(10)], true);
        assert_eq!(book.truth(KEY), Told::NeverSeen);
        assert_eq!(book.begin_charge(KEY, &charge(10)).0, Begun::Fresh { first: true });
        book.enter(charged(10));
        assert_eq!(begin_refund(&book, 1, 10), Begun::Fresh { first: true });
        book.enter(refunded(1, 10));
        assert_eq!(begin_refund(&book, 1, 10), Begun::Fresh { first: false });
    }
}
