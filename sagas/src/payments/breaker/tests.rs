//! With the clock stopped.

use super::{Breaker, BreakerSettings, BreakerState, Passage};
use futures_util::future::join_all;
use std::time::Duration;
use tokio::time::{advance, sleep};

const OPEN_FOR: Duration = Duration::from_secs(10);

fn breaker() -> Breaker {
    Breaker::new("test", BreakerSettings { open_for: OPEN_FOR, ..BreakerSettings::default() })
}

fn fail(breaker: &Breaker, times: u32) {
    for _ in 0..times {
        breaker.enter().unwrap().failed();
    }
}

fn succeed(breaker: &Breaker, times: u32) {
    for _ in 0..times {
        breaker.enter().unwrap().succeeded();
    }
}

#[tokio::test(start_paused = true)]
async fn failures_in_a_row_open_it_and_a_success_between_them_does_not() {
    let breaker = breaker();
    fail(&breaker, 4);
    succeed(&breaker, 1);
    fail(&breaker, 4);
    assert_eq!(breaker.state(), BreakerState::Closed);
    fail(&breaker, 1);
    assert_eq!(breaker.state(), BreakerState::Open(OPEN_FOR));
    assert_eq!((breaker.enter().unwrap_err(), breaker.visit().unwrap_err()), (OPEN_FOR, OPEN_FOR));
}

#[tokio::test(start_paused = true)]
async fn of_calls_made_together_the_slow_ones_that_end_last_do_not_open_it() {
    let breaker = breaker();
    for _ in 0..3 {
        let mut calls: Vec<_> = (0..100).map(|_| breaker.enter().unwrap()).collect();
        let slow = calls.split_off(90);
        calls.into_iter().for_each(Passage::succeeded);
        slow.into_iter().for_each(Passage::failed);
        assert_eq!(breaker.state(), BreakerState::Closed);
    }
    let calls: Vec<_> = (0..5).map(|_| breaker.enter().unwrap()).collect();
    calls.into_iter().for_each(Passage::failed);
    assert!(matches!(breaker.state(), BreakerState::Open(_)), "nobody was answered since these began");
}

#[tokio::test(start_paused = true)]
async fn half_of_the_newest_calls_failing_opens_it_once_there_are_enough() {
    let breaker = breaker();
    for _ in 0..9 {
        succeed(&breaker, 1);
        fail(&breaker, 1);
    }
    assert_eq!(breaker.state(), BreakerState::Closed, "18 calls are too few to tell");
    succeed(&breaker, 1);
    fail(&breaker, 1);
    assert!(matches!(breaker.state(), BreakerState::Open(_)));
}

#[tokio::test(start_paused = true)]
async fn old_failures_are_forgotten() {
    let breaker = breaker();
    for _ in 0..8 {
        succeed(&breaker, 1);
        fail(&breaker, 1);
    }
    succeed(&breaker, 100);
    for _ in 0..24 {
        succeed(&breaker, 1);
        fail(&breaker, 1);
    }
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn it_stays_open_for_its_time_and_is_then_tried() {
    let breaker = breaker();
    fail(&breaker, 5);
    advance(OPEN_FOR - Duration::from_millis(1)).await;
    assert_eq!(breaker.enter().unwrap_err(), Duration::from_millis(1));
    advance(Duration::from_millis(1)).await;
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    succeed(&breaker, 3);
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn of_fifty_callers_at_once_three_are_let_through_to_try_it() {
    let breaker = breaker();
    fail(&breaker, 5);
    advance(OPEN_FOR).await;
    let call = || async {
        let Ok(passage) = breaker.enter() else { return false };
        sleep(Duration::from_millis(400)).await;
        passage.succeeded();
        true
    };
    let let_through = join_all((0..50).map(|_| call())).await;
    assert_eq!(let_through.into_iter().filter(|through| *through).count(), 3);
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn one_failure_while_it_is_tried_opens_it_again() {
    let breaker = breaker();
    fail(&breaker, 5);
    advance(OPEN_FOR).await;
    succeed(&breaker, 2);
    fail(&breaker, 1);
    assert_eq!((breaker.state(), breaker.times_opened()), (BreakerState::Open(OPEN_FOR), 2));
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_dropped_gives_its_place_back() {
    let breaker = breaker();
    fail(&breaker, 5);
    advance(OPEN_FOR).await;
    for _ in 0..10 {
        let probes: Vec<_> = (0..3).map(|_| breaker.enter().unwrap()).collect();
        assert!(breaker.enter().is_err());
        drop(probes);
    }
    assert_eq!(breaker.state(), BreakerState::HalfOpen, "who has gone away has told nothing");
    succeed(&breaker, 3);
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_probe_whose_caller_is_cut_off_gives_its_place_back() {
    let breaker = breaker();
    fail(&breaker, 5);
    advance(OPEN_FOR).await;
    let hanging = async {
        let _probe = breaker.enter().unwrap();
        std::future::pending::<()>().await;
    };
    assert!(tokio::time::timeout(Duration::from_secs(1), join_all([hanging])).await.is_err());
    let probes: Vec<_> = (0..3).map(|_| breaker.enter()).collect();
    assert!(probes.iter().all(Result::is_ok));
}

#[tokio::test(start_paused = true)]
async fn what_was_asked_before_it_opened_neither_closes_nor_opens_it() {
    let breaker = breaker();
    let slow: Vec<_> = (0..6).map(|_| breaker.enter().unwrap()).collect();
    fail(&breaker, 5);
    advance(OPEN_FOR).await;
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    let mut slow = slow.into_iter();
    slow.by_ref().take(3).for_each(super::Passage::succeeded);
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    slow.for_each(super::Passage::failed);
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
}

#[tokio::test(start_paused = true)]
async fn while_it_is_tried_a_few_visitors_are_let_in_each_second() {
    let breaker = breaker();
    fail(&breaker, 5);
    advance(OPEN_FOR).await;
    for _ in 0..2 {
        let let_in = (0..50).filter(|_| breaker.visit().is_ok()).count();
        assert_eq!(let_in, 3);
        advance(Duration::from_secs(1)).await;
    }
}
