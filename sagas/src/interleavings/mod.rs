//! Every order in which people, the clock, the provider, the process managers and their crashes can meet while a payment is
//! in flight, enumerated.
//!
//! The real processes, orders and aggregates run over memory. A state is what all of them know; a move is one look, one
//! write, one call or one event taken up. **Where nothing happens by itself any more, a rental is paid and kept, or undone
//! and paid back**, and from everywhere such an end can be reached. A changed number of states shows that more, or less,
//! can happen than before.

mod actor;
mod explore;
mod judge;
mod known;
mod memory;
mod moves;
mod provider;
mod world;

use crate::processes::reservation::{Event, Reservation};
use crate::runner::Process;
use actor::{React, real};
use domain::RentalId;
use domain::policy::Rules;
use expect_test::{Expect, expect};
use explore::{explore, word};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use world::{Scenario, World};

fn one_each(rules: &mut Rules) {
    rules.quota = Some(1);
}

/// As little as is interesting.
fn small(preset: &'static str) -> Scenario {
    Scenario {
        preset,
        rules: one_each,
        crashes: [0; 4],
        waits: false,
        cancellations: 1,
        cancellations_by_the_shop: 0,
        refunds_that_fail: 0,
        react: real::<Reservation>(),
    }
}

fn check(scenario: Scenario, expected: &Expect) {
    let left_alone = Pairs::default();
    match explore(&World::new(Scenario { react: noting(left_alone.clone()), ..scenario })) {
        Ok(found) => expected.assert_eq(&found.to_string()),
        Err(story) => panic!("{story}"),
    }
    let unknown: String =
        left_alone.lock().unwrap().iter().filter(|pair| !LEFT_ALONE.contains(*pair)).cloned().collect();
    assert!(unknown.is_empty(), "pairs of stage and event that happen and that no table knows:\n{unknown}");
}

/// What happens and needs no answer; also what the property test finds further on in a rental's life.
const LEFT_ALONE: &str = include_str!("../processes/reservation/left_alone.txt");

type Pairs = Arc<Mutex<BTreeSet<String>>>;

/// Notes which events are left alone in which stage.
fn noting(left_alone: Pairs) -> React<Reservation> {
    Arc::new(move |at, id, recorded, it| {
        let before = at.clone();
        let (next, commands) = Reservation::react(at, id, recorded, it);
        if next == before
            && commands.is_empty()
            && let Some(event) = Event::of(&before, RentalId(id), recorded, it)
        {
            let pair = format!("{} + {}\n", word(&format!("{before:?}")), word(&format!("{event:?}")));
            left_alone.lock().unwrap().insert(pair);
        }
        (next, commands)
    })
}

#[test]
fn what_is_sold_is_paid_and_kept_or_undone_and_paid_back() {
    let scenario =
        Scenario { cancellations: 2, cancellations_by_the_shop: 1, refunds_that_fail: 1, ..small("phone-shop") };
    check(
        scenario,
        &expect![[r#"
            181233 states, 847134 steps
                30 cancelled, paid 0, refunded 0, kept 0
                40 cancelled, paid 100, refunded 100, kept 0
                 6 completed, paid 100
                 1 confirmed, paid 100
                12 expired, paid 0, refunded 0, kept 0
                24 expired, paid 100, refunded 100, kept 0
                12 rejected, paid 0, refunded 0, kept 0
        "#]],
    );
}

#[test]
fn what_is_lent_is_paid_and_kept_or_undone_and_paid_back_less_the_fee() {
    check(
        Scenario { cancellations_by_the_shop: 1, ..small("car-rental") },
        &expect![[r#"
            126324 states, 543428 steps
                30 cancelled, paid 0, refunded 0, kept 0
                30 cancelled, paid 100, refunded 100, kept 0
                18 cancelled, paid 100, refunded 90, kept 10
                 2 confirmed, paid 100
                 8 expired, paid 0, refunded 0, kept 0
                 8 expired, paid 100, refunded 100, kept 0
                12 handed_over, paid 100
                 2 prepared, paid 100
                16 rejected, paid 0, refunded 0, kept 0
        "#]],
    );
}

#[test]
fn a_cancellation_may_cost_all_of_it() {
    let rules = |rules: &mut Rules| rules.cancellation.fee_percent = 100;
    check(
        Scenario { rules, ..small("car-rental") },
        &expect![[r#"
            36239 states, 141637 steps
                10 cancelled, paid 0, refunded 0, kept 0
                 9 cancelled, paid 100, refunded 0, kept 100
                 4 cancelled, paid 100, refunded 100, kept 0
                 2 confirmed, paid 100
                 4 expired, paid 0, refunded 0, kept 0
                 4 expired, paid 100, refunded 100, kept 0
                 6 handed_over, paid 100
                 2 prepared, paid 100
                 8 rejected, paid 0, refunded 0, kept 0
        "#]],
    );
}

#[test]
fn who_waits_in_line_is_not_asked_to_pay_before_they_accept() {
    check(
        Scenario { waits: true, ..small("phone-shop") },
        &expect![[r#"
            243748 states, 1138234 steps
                14 cancelled, paid 0, refunded 0, kept 0
                 8 cancelled, paid 100, refunded 100, kept 0
                 4 completed, paid 100
                 2 confirmed, paid 100
                12 expired, paid 0, refunded 0, kept 0
                 8 expired, paid 100, refunded 100, kept 0
                 8 rejected, paid 0, refunded 0, kept 0
                 2 requested, in line
        "#]],
    );
}

#[test]
fn what_is_not_fetched_is_paid_back_less_the_fee() {
    let rules = |rules: &mut Rules| rules.no_show_s = Some(900);
    check(
        Scenario { rules, ..small("car-rental") },
        &expect![[r#"
            41232 states, 163647 steps
                10 cancelled, paid 0, refunded 0, kept 0
                 4 cancelled, paid 100, refunded 100, kept 0
                12 cancelled, paid 100, refunded 90, kept 10
                 1 confirmed, paid 100
                 4 expired, paid 0, refunded 0, kept 0
                 4 expired, paid 100, refunded 100, kept 0
                 7 handed_over, paid 100
                 1 prepared, paid 100
                 8 rejected, paid 0, refunded 0, kept 0
        "#]],
    );
}

#[test]
fn the_reservation_may_crash_at_any_moment() {
    check(
        Scenario { crashes: [1, 0, 0, 0], ..small("phone-shop") },
        &expect![[r#"
            378878 states, 1760944 steps
                74 cancelled, paid 0, refunded 0, kept 0
                88 cancelled, paid 100, refunded 100, kept 0
                19 completed, paid 100
                 5 confirmed, paid 100
                12 expired, paid 0, refunded 0, kept 0
                20 expired, paid 100, refunded 100, kept 0
                28 rejected, paid 0, refunded 0, kept 0
        "#]],
    );
}

#[test]
fn the_payments_may_crash_at_any_moment() {
    check(
        Scenario { crashes: [0, 1, 0, 0], refunds_that_fail: 1, ..small("phone-shop") },
        &expect![[r#"
            151234 states, 752667 steps
                20 cancelled, paid 0, refunded 0, kept 0
               108 cancelled, paid 100, refunded 100, kept 0
                16 completed, paid 100
                 8 confirmed, paid 100
                24 expired, paid 0, refunded 0, kept 0
                68 expired, paid 100, refunded 100, kept 0
                32 rejected, paid 0, refunded 0, kept 0
        "#]],
    );
}

#[test]
fn the_dispatch_may_crash_at_any_moment() {
    check(
        Scenario { crashes: [0, 0, 1, 0], ..small("car-rental") },
        &expect![[r#"
            89104 states, 387759 steps
                10 cancelled, paid 0, refunded 0, kept 0
                 4 cancelled, paid 100, refunded 100, kept 0
                30 cancelled, paid 100, refunded 90, kept 10
                 5 confirmed, paid 100
                 4 expired, paid 0, refunded 0, kept 0
                 4 expired, paid 100, refunded 100, kept 0
                21 handed_over, paid 100
                 6 prepared, paid 100
                 8 rejected, paid 0, refunded 0, kept 0
        "#]],
    );
}

#[test]
#[ignore = "it takes minutes: `make property`"]
fn reservation_and_payments_may_both_crash_while_both_sides_cancel() {
    let scenario = Scenario { crashes: [1, 1, 0, 0], cancellations_by_the_shop: 1, ..small("car-rental") };
    check(
        scenario,
        &expect![[r#"
            5502398 states, 33944118 steps
              1116 cancelled, paid 0, refunded 0, kept 0
              1542 cancelled, paid 100, refunded 100, kept 0
               300 cancelled, paid 100, refunded 90, kept 10
                26 confirmed, paid 100
               144 expired, paid 0, refunded 0, kept 0
               232 expired, paid 100, refunded 100, kept 0
               294 handed_over, paid 100
                26 prepared, paid 100
               280 rejected, paid 0, refunded 0, kept 0
        "#]],
    );
}

/// A reservation that does not listen to an event in a stage.
fn deaf(stage: &'static str, event: &'static str) -> React<Reservation> {
    let real = real::<Reservation>();
    Arc::new(move |at, id, recorded, it| {
        let deaf = word(&format!("{at:?}")) == stage && *recorded.event_type == *event;
        if deaf { (at, vec![]) } else { real(at, id, recorded, it) }
    })
}

fn what_goes_wrong(scenario: Scenario, stage: &'static str, event: &'static str) -> String {
    match explore(&World::new(Scenario { react: deaf(stage, event), ..scenario })) {
        Ok(found) => panic!("nothing is missed:\n{found}"),
        Err(story) => story,
    }
}

#[test]
fn a_reservation_that_is_deaf_to_a_late_approval_is_found_out() {
    let story = what_goes_wrong(small("phone-shop"), "Undone", "PaymentApproved");
    expect![[r#"
        paid and lost (reservation: Undone)
          reservation takes up RentalRequested
          reservation: TakeQuota
          reservation: TakeQuota => QuotaTaken
          reservation takes up QuotaTaken
          reservation: HoldStock
          reservation: HoldStock => StockHeld
          reservation takes up StockHeld
          reservation: RequestPayment
          reservation: RequestPayment => PaymentRequested
          payments takes up PaymentRequested
          payments: Charge
          payments: Charge, the provider Answers
          the deadline of the hold passes
          reservation: a deadline is due
          reservation: ReleaseStock => StockReleased
          reservation takes up StockReleased
          reservation: Expire => RentalExpired
          reservation takes up RentalExpired
          reservation: GiveBackQuota
          reservation: GiveBackQuota => QuotaGivenBack
          payments: Charge => PaymentApproved
          reservation takes up PaymentApproved
          payments takes up PaymentApproved
    "#]]
    .assert_eq(&story);
}

#[test]
fn every_answer_that_comes_late_is_needed() {
    let crashes = Scenario { crashes: [1, 0, 0, 0], ..small("phone-shop") };
    for (scenario, stage, event, wrong) in [
        (small("phone-shop"), "Closing", "PaymentApproved", "paid and lost"),
        (small("phone-shop"), "CommittingStock", "StockReleased", "it stays requested"),
        (small("phone-shop"), "CancellingPayment", "PaymentDeclined", "it stays cancelling"),
        (small("phone-shop"), "Closing", "RentalCancellationRequested", "it stays cancelling"),
        (small("car-rental"), "Confirmed", "RentalHandedOver", "the reservation is somewhere else"),
        (crashes, "Closing", "StockHeld", "what is undone has stock"),
    ] {
        let story = what_goes_wrong(scenario, stage, event);
        assert!(story.starts_with(wrong), "{stage} without {event}: {story}");
    }
}
