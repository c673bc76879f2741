//! Any sequence of bookings gives what a list of all of them gives when it is asked about every instant.

use super::*;
use cqrs_es::Aggregate;
use proptest::prelude::*;

const END: i64 = 200;

fn second(second: i64) -> Instant {
    Instant::from_timestamp(second, 0).unwrap()
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Stage {
    Held,
    Committed,
    Overdue,
    Returned,
}

/// A booking that is away in `[from, to)`, rest included, as far as anybody knows.
#[derive(Debug, Clone)]
struct Booking {
    number: u128,
    quantity: i64,
    from: i64,
    due: i64,
    to: i64,
    stage: Stage,
    /// The newest extension, and when it would have been due and free again without it.
    extension: Option<(u32, Option<(i64, i64)>)>,
}

impl Booking {
    fn is_away(&self, then: i64, now: i64) -> bool {
        let for_ever = self.stage == Stage::Overdue || self.stage == Stage::Committed && self.due <= now;
        self.from <= then && (then < self.to || for_ever)
    }
}

#[derive(Debug)]
struct Naive {
    units: i64,
    bookings: Vec<Booking>,
    newest: i64,
}

impl Naive {
    fn busiest(&self, from: i64, to: i64, now: i64) -> i64 {
        self.busiest_but_for(None, from, to, now)
    }

    fn busiest_but_for(&self, open: Option<u128>, from: i64, to: i64, now: i64) -> i64 {
        let now = now.max(self.newest);
        let from = from.max(now);
        let others = |it: &&Booking| Some(it.number) != open || it.stage == Stage::Returned;
        let used =
            |then| self.bookings.iter().filter(others).filter(|it| it.is_away(then, now)).map(|it| it.quantity).sum();
        (from..to.max(from + 1)).map(used).max().unwrap()
    }

    /// What an extension until `to` is expected to give; `None` where nothing can be extended.
    fn longer(&self, number: u128, to: i64, now: i64) -> Option<Result<(), ItemError>> {
        let booking = self.bookings.iter().find(|it| it.number == number && it.stage == Stage::Committed)?;
        let rest = booking.to - booking.due;
        if to <= booking.due {
            return None;
        }
        let busiest = self.busiest_but_for(Some(number), booking.to, to + rest, now);
        let free = u32::try_from((self.units - busiest).max(0)).unwrap();
        let wanted = u32::try_from(booking.quantity).unwrap();
        Some(if wanted <= free { Ok(()) } else { Err(out_of_stock(wanted, free)) })
    }

    fn free(&self, from: i64, to: i64, now: i64) -> u32 {
        u32::try_from((self.units - self.busiest(from, to, now)).max(0)).unwrap()
    }

    fn open(&mut self, number: u128) -> Option<&mut Booking> {
        self.bookings.iter_mut().find(|it| it.number == number && it.stage != Stage::Returned)
    }

    fn fold(&mut self, event: &ItemEvent) {
        match event {
            ItemEvent::Held { rental, quantity, occupies, turnaround_s, at, .. } => {
                let (from, to) = occupies.map(|it| (it.from.timestamp(), it.to.timestamp())).unwrap();
                let due = to - i64::from(*turnaround_s);
                let (number, quantity) = (rental.0.as_u128(), (*quantity).into());
                let (stage, extension) = (Stage::Held, None);
                self.bookings.push(Booking { number, quantity, from, due, to, stage, extension });
                self.newest = self.newest.max(at.timestamp());
            }
            ItemEvent::Committed { rental, .. } => self.open(rental.0.as_u128()).unwrap().stage = Stage::Committed,
            ItemEvent::Overdue { rental, .. } => self.open(rental.0.as_u128()).unwrap().stage = Stage::Overdue,
            ItemEvent::Returned { rental, at } => {
                let booking = self.open(rental.0.as_u128()).unwrap();
                booking.to = at.timestamp() + booking.to - booking.due;
                booking.stage = Stage::Returned;
                self.newest = self.newest.max(at.timestamp());
            }
            ItemEvent::Extended { rental, number, occupies, at, .. } => {
                let booking = self.open(rental.0.as_u128()).unwrap();
                let (rest, to) = (booking.to - booking.due, occupies.to.timestamp());
                assert_eq!(occupies.from.timestamp(), booking.from);
                booking.extension = Some((*number, Some((booking.due, booking.to))));
                (booking.due, booking.to) = (to - rest, to);
                self.newest = self.newest.max(at.timestamp());
            }
            ItemEvent::ExtensionReleased { rental, number, occupies, at } => {
                let booking = self.open(rental.0.as_u128()).unwrap();
                let (newest, before) = booking.extension.unwrap();
                assert_eq!(newest, *number);
                (booking.due, booking.to) = before.unwrap();
                assert_eq!(occupies.to.timestamp(), booking.to);
                booking.extension = Some((newest, None));
                self.newest = self.newest.max(at.timestamp());
            }
            ItemEvent::Released { rental, at, .. } => {
                self.bookings.retain(|it| it.number != rental.0.as_u128() || it.stage == Stage::Returned);
                self.newest = self.newest.max(at.timestamp());
            }
            ItemEvent::StockAdjusted { units, .. } => self.units = (*units).into(),
            other => panic!("{other:?}"),
        }
    }
}

#[derive(Debug, Clone)]
enum Act {
    Hold { from: i64, length: i64, quantity: u32, turnaround_s: u32 },
    Commit(u128),
    Release(u128),
    Overdue(u128),
    Return(u128),
    Adjust(i64),
    Extend { which: u128, to: i64 },
    ReleaseExtension(u128),
}

/// Acts with the time that passes before each; a clock sometimes lags behind.
fn acts() -> impl Strategy<Value = Vec<(i64, Act)>> {
    let which = || 0..40u128;
    let act = prop_oneof![
        8 => (0..100i64, 1..30i64, 1..4u32, prop_oneof![Just(0u32), 1..6u32]).prop_map(
            |(from, length, quantity, turnaround_s)| Act::Hold { from, length, quantity, turnaround_s }
        ),
        5 => which().prop_map(Act::Commit),
        2 => which().prop_map(Act::Release),
        2 => which().prop_map(Act::Overdue),
        3 => which().prop_map(Act::Return),
        1 => (-3..4i64).prop_map(Act::Adjust),
        5 => (which(), 1..120i64).prop_map(|(which, to)| Act::Extend { which, to }),
        3 => which().prop_map(Act::ReleaseExtension),
    ];
    prop::collection::vec((-1..4i64, act), 1..100)
}

fn command(number: u128, act: &Act, naive: &mut Naive, now: i64) -> ItemCommand {
    let mut newest = |rental| naive.open(rental).and_then(|it| it.extension).map_or(0, |(newest, _)| newest);
    let now = second(now);
    match *act {
        Act::Hold { from, length, quantity, turnaround_s } => {
            let period = Period::new(second(from), second(from + length)).unwrap();
            let wanted = Wanted { turnaround_s, ..days(period, 1, quantity) };
            ItemCommand::Hold { rental: rental(number), customer: customer(), wanted, until: now, now }
        }
        Act::Commit(which) => ItemCommand::Commit { rental: rental(which), now },
        Act::Release(which) => ItemCommand::Release { rental: rental(which), reason: ReleaseReason::Cancelled, now },
        Act::Overdue(which) => ItemCommand::MarkOverdue { rental: rental(which), now },
        Act::Return(which) => ItemCommand::Return { rental: rental(which), now },
        Act::Adjust(change) => {
            let adjustment = uuid::Uuid::from_u128(number);
            ItemCommand::AdjustStock { adjustment, change, reason: None, now }
        }
        Act::Extend { which, to } => {
            let (rental, number, to) = (rental(which), newest(which) + 1, second(to));
            ItemCommand::Extend { rental, number, to, days: 1, now }
        }
        Act::ReleaseExtension(which) => {
            ItemCommand::ReleaseExtension { rental: rental(which), number: newest(which), now }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_hold_is_decided_as_if_every_instant_had_been_looked_at(units in 0..6u32, acts in acts()) {
        let mut item = given::<Item>([cars(units)]).state;
        let mut naive = Naive { units: units.into(), bookings: vec![], newest: i64::MIN };
        let mut now = 0;
        let mut holds = 0;
        for (number, (passes, act)) in (0..).zip(acts) {
            now += passes;
            // Rentals are numbered in the order of their holds, so that most other acts meet one.
            let number = if matches!(act, Act::Hold { .. }) { holds } else { number };
            let decided = item.decide(command(number, &act, &mut naive, now));
            match act {
                Act::Hold { from, length, quantity, turnaround_s } => {
                    let free = naive.free(from, from + length + i64::from(turnaround_s), now);
                    if quantity <= free {
                        prop_assert!(decided.is_ok(), "{decided:?}, but {free} are free");
                        holds += 1;
                    } else {
                        prop_assert_eq!(&decided, &Err(out_of_stock(quantity, free)));
                    }
                }
                Act::Adjust(change) if change != 0 => {
                    let promised = naive.busiest(now, END, now);
                    prop_assert_eq!(decided.is_ok(), naive.units + change >= promised);
                }
                Act::Extend { which, to } => match naive.longer(which, to, now) {
                    Some(expected) => prop_assert_eq!(decided.clone().map(|_| ()), expected),
                    None => prop_assert!(decided.is_err(), "{decided:?}"),
                },
                Act::ReleaseExtension(which) => {
                    let stands = naive.open(which).and_then(|it| it.extension).is_some_and(|(_, before)| before.is_some());
                    prop_assert_eq!(decided.as_ref().map(Vec::len), Ok(usize::from(stands)));
                }
                Act::Commit(_) | Act::Release(_) | Act::Overdue(_) | Act::Return(_) | Act::Adjust(_) => {}
            }
            for event in decided.unwrap_or_default() {
                naive.fold(&event);
                item.apply(event);
            }
            let asked = Period::new(second(now), second(now + 20)).unwrap();
            prop_assert_eq!(item.available(Some(asked), second(now)), Some(naive.free(now, now + 20, now)));
            prop_assert_eq!(item.available(None, second(now)), Some(naive.free(now, now + 1, now)));
        }
    }
}
