//! What people do, and what befalls them. **One more is a function and a line in [`ACTS`].**

use super::shop::{SUBSCRIPTIONS, Shop, seats};
use super::world::won;
use chrono::{Days, TimeDelta, Timelike};
use domain::dispatch::DispatchCommand;
use domain::inventory::ItemCommand;
use domain::policy::StockKind;
use domain::rental::{CancelledBy, Rental, RentalCommand, RentalStatus, Terms};
use domain::store::StoreCommand;
use domain::{Instant, Language, Period, RentalId};
use std::pin::Pin;
use uuid::Uuid;

type Done<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Something that somebody may do, whether or not it makes sense just now.
pub struct Act {
    /// How often, against the others.
    pub weight: u32,
    pub name: &'static str,
    pub happen: for<'a> fn(&'a mut Shop) -> Done<'a>,
}

macro_rules! acts {
    ($($weight:literal $act:ident),+ $(,)?) => {
        &[$(Act { weight: $weight, name: stringify!($act), happen: |shop| Box::pin($act(shop)) }),+]
    };
}

pub const ACTS: &[Act] = acts![
    20 request, 5 cancel, 1 cancel_by_the_shop, 6 accept, 1 decline, 9 prepare, 16 hand_over, 10 give_back,
    5 extend, 4 pay_late_fee, 1 waive_late_fee, 2 review, 4 adjust, 1 retire, 2 reprice, 2 open_or_close,
    3 provider_goes_or_comes, 2 pause_or_resume, 10 seconds_pass, 3 hours_pass, 4 days_pass, 2 stop, 2 kill,
];

/// One of all, by weight.
pub fn any(shop: &mut Shop) -> &'static Act {
    let mut place = shop.chance.below(ACTS.iter().map(|act| act.weight).sum());
    for act in ACTS {
        if place < act.weight {
            return act;
        }
        place -= act.weight;
    }
    unreachable!("the place is below the sum of all weights")
}

const CUSTOMERS: [&str; 4] = ["alice", "bob", "carol", "dave"];
const METHODS: [&str; 12] = [
    "pm_ok",
    "pm_ok",
    "pm_up_to_1000",
    "pm_up_to_1000",
    "pm_up_to_100",
    "pm_ok",
    "pm_declined",
    "pm_insufficient_funds",
    "pm_slow",
    "pm_charged_but_timed_out",
    "pm_refund_fails_once",
    "pm_of_my_own",
];

async fn request(shop: &mut Shop) {
    let rules = shop.world.policy.rules.clone();
    let quantity = *shop.chance.of(&[1, 1, 1, 2, 3]);
    let chosen = rules.stock == StockKind::Seats && shop.chance.once_in(2);
    let terms = Terms {
        customer: shop.chance.of(&CUSTOMERS).parse().unwrap(),
        store: "shop".parse().unwrap(),
        item: *shop.chance.of(&shop.items.clone()),
        quantity,
        period: (rules.stock == StockKind::Pool).then(|| period(shop)),
        seats: if chosen { choose(shop, quantity) } else { vec![] },
        wait: rules.waiting_list.is_some() && !shop.chance.once_in(3),
        payment_method: (*shop.chance.of(&METHODS)).to_owned(),
        policy: shop.world.policy.name.clone(),
        rules,
        time_zone: chrono_tz::Tz::UTC,
        language: Language::En,
    };
    let rental = RentalId(Uuid::now_v7());
    let command = RentalCommand::Request { terms: Box::new(terms), now: shop.world.hands.now() };
    if shop.order(&shop.world.rentals, &rental.to_string(), command).await {
        shop.rentals.push(rental);
    }
}

/// Some days, from today on; sometimes not whole ones.
fn period(shop: &mut Shop) -> Period {
    let now = shop.world.hands.now();
    let midnight = now.with_hour(0).and_then(|at| at.with_minute(0)).and_then(|at| at.with_second(0)).unwrap();
    let from = midnight + Days::new(shop.chance.below(6).into());
    let to = from + Days::new((1 + shop.chance.below(4)).into());
    let from = if shop.chance.once_in(4) { from + TimeDelta::hours(7) } else { from };
    Period::new(from, to).unwrap()
}

/// Any seats, some of which do not exist.
fn choose(shop: &mut Shop, quantity: u32) -> Vec<String> {
    let mut all = seats(6);
    let mut chosen = vec![];
    for _ in 0..quantity {
        chosen.push(all.remove(shop.chance.below(all.len().try_into().unwrap()) as usize));
    }
    chosen
}

/// Tells a rental something, most often one that stands where that makes sense.
async fn tell(shop: &mut Shop, fitting: &[RentalStatus], command: impl FnOnce(Instant) -> RentalCommand) {
    let Some(rental) = some_rental(shop, fitting).await else { return };
    let command = command(shop.world.hands.now());
    shop.order(&shop.world.rentals, &rental.to_string(), command).await;
}

async fn some_rental(shop: &mut Shop, fitting: &[RentalStatus]) -> Option<RentalId> {
    let all = shop.rentals.clone();
    let tries = if shop.chance.once_in(5) { 1 } else { 12 };
    let mut last = None;
    for _ in 0..tries {
        let rental = *shop.chance.of(if all.is_empty() { return None } else { &all });
        last = Some(rental);
        if shop.world.status(rental).await.is_some_and(|status| fitting.contains(&status)) {
            break;
        }
    }
    last
}

const BEFORE: [RentalStatus; 3] = [RentalStatus::Requested, RentalStatus::Confirmed, RentalStatus::Prepared];
const AWAY: [RentalStatus; 2] = [RentalStatus::HandedOver, RentalStatus::Overdue];

async fn cancel(shop: &mut Shop) {
    tell(shop, &BEFORE, |now| RentalCommand::RequestCancellation { by: CancelledBy::Customer, reason: None, now })
        .await;
}

async fn cancel_by_the_shop(shop: &mut Shop) {
    tell(shop, &BEFORE, |now| RentalCommand::RequestCancellation { by: CancelledBy::Store, reason: None, now }).await;
}

async fn accept(shop: &mut Shop) {
    tell(shop, &BEFORE[..1], |now| RentalCommand::Accept { now }).await;
}

async fn decline(shop: &mut Shop) {
    tell(shop, &BEFORE[..1], |now| RentalCommand::Decline { now }).await;
}

async fn give_back(shop: &mut Shop) {
    tell(shop, &AWAY, |now| RentalCommand::Return { now }).await;
}

async fn extend(shop: &mut Shop) {
    let longer = TimeDelta::hours((1 + shop.chance.below(60)).into());
    let fitting = [RentalStatus::Confirmed, RentalStatus::Prepared, RentalStatus::HandedOver];
    let Some(rental) = some_rental(shop, &fitting).await else { return };
    let until = |rental: &Rental, _| rental.period().map(|period| period.to);
    let Some(to) = shop.world.rentals.inspect(&rental.to_string(), until).await.unwrap() else { return };
    let command = RentalCommand::RequestExtension { to: to + longer, now: shop.world.hands.now() };
    shop.order(&shop.world.rentals, &rental.to_string(), command).await;
}

async fn pay_late_fee(shop: &mut Shop) {
    let method = (*shop.chance.of(&METHODS)).to_owned();
    tell(shop, &[RentalStatus::Returned], |now| RentalCommand::PayLateFee { method, now }).await;
}

async fn waive_late_fee(shop: &mut Shop) {
    tell(shop, &[RentalStatus::Returned], |now| RentalCommand::WaiveLateFee { now }).await;
}

async fn review(shop: &mut Shop) {
    let stars = u8::try_from(shop.chance.below(7)).unwrap();
    tell(shop, &[RentalStatus::Completed, RentalStatus::HandedOver], |now| RentalCommand::WriteReview {
        stars,
        text: None,
        now,
    })
    .await;
}

async fn prepare(shop: &mut Shop) {
    dispatch(shop, &BEFORE[1..2], |store_open, now| DispatchCommand::Prepare { store_open, now }).await;
}

async fn hand_over(shop: &mut Shop) {
    dispatch(shop, &BEFORE[1..], |store_open, now| DispatchCommand::HandOver { store_open, now }).await;
}

async fn dispatch(shop: &mut Shop, fitting: &[RentalStatus], command: fn(bool, Instant) -> DispatchCommand) {
    let Some(rental) = some_rental(shop, fitting).await else { return };
    let command = command(shop.open, shop.world.hands.now());
    shop.order(&shop.world.dispatches, &rental.to_string(), command).await;
}

async fn item(shop: &mut Shop, command: impl FnOnce(Instant) -> ItemCommand) {
    let item = *shop.chance.of(&shop.items.clone());
    let command = command(shop.world.hands.now());
    shop.order(&shop.world.items, &item.to_string(), command).await;
}

async fn adjust(shop: &mut Shop) {
    let (adjustment, change) = (Uuid::now_v7(), i64::from(shop.chance.below(6)) - 2);
    item(shop, |now| ItemCommand::AdjustStock { adjustment, change, reason: None, now }).await;
}

async fn retire(shop: &mut Shop) {
    if shop.chance.once_in(4) {
        item(shop, |now| ItemCommand::Retire { now }).await;
    }
}

async fn reprice(shop: &mut Shop) {
    let price = Some(won(*shop.chance.of(&[0, 7, 100, 12_345])));
    item(shop, |now| ItemCommand::Revise { name: None, description: None, price, now }).await;
}

async fn open_or_close(shop: &mut Shop) {
    shop.open = !shop.open;
    let now = shop.world.hands.now();
    let command = if shop.open { StoreCommand::Open { now } } else { StoreCommand::Close { now } };
    shop.order(&shop.world.stores, "shop", command).await;
}

async fn provider_goes_or_comes(shop: &mut Shop) {
    let comes = shop.chance.once_in(2);
    shop.world.provider.set_available(comes);
}

async fn pause_or_resume(shop: &mut Shop) {
    let subscription = shop.chance.of(&SUBSCRIPTIONS);
    let subscriptions = &shop.world.subscriptions;
    if shop.chance.once_in(3) {
        subscriptions.pause(subscription).await.unwrap();
    } else {
        subscriptions.resume(subscription).await.unwrap();
    }
}

async fn seconds_pass(shop: &mut Shop) {
    let seconds = shop.chance.below(30);
    shop.world.hands.advance(TimeDelta::seconds(seconds.into()));
}

async fn hours_pass(shop: &mut Shop) {
    let minutes = shop.chance.below(600);
    shop.world.hands.advance(TimeDelta::minutes(minutes.into()));
}

async fn days_pass(shop: &mut Shop) {
    let days = 1 + shop.chance.below(4);
    shop.world.hands.advance(TimeDelta::days(days.into()));
}

async fn stop(shop: &mut Shop) {
    shop.restart(false).await;
}

async fn kill(shop: &mut Shop) {
    shop.restart(true).await;
}
