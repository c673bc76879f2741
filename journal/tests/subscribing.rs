//! Durable subscriptions remember where they are, can be paused, and set aside what cannot be digested, whatever the journal is
//! kept in.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test's name is its documentation, its panic a failure")]

mod common;

use common::fill;
use common::kept::Kept;
use journal::{Journal, Lease, Parked, Subscription, SubscriptionError, SubscriptionState, Subscriptions};
use serde_json::json;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

/// Every rule, for every back end.
macro_rules! contract {
    ($($rule:ident)*) => {
        contract! { @ sqlite $($rule)* }
        contract! { @ postgres $($rule)* }
    };
    (@ $back_end:ident $($rule:ident)*) => {
        mod $back_end {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $rule() {
                    super::$rule(super::Kept::$back_end()).await;
                }
            )*
        }
    };
}

contract! {
    a_subscription_goes_on_behind_its_checkpoint_after_a_restart
    a_paused_subscription_waits_over_restarts_and_misses_nothing
    a_parked_sequence_is_seen_survives_restarts_and_is_tried_again_when_asked
    attempts_are_counted_until_they_are_forgotten_or_the_checkpoint_has_passed_them
    an_unknown_subscription_is_named_in_the_refusal
    a_note_is_what_the_owner_said_last
    a_rebuild_is_asked_of_the_owner_and_answered_once_for_all_who_ask
}

/// A process: its journal, its subscriptions, and one of them under its lease.
struct Process {
    journal: Journal,
    subscriptions: Subscriptions,
    lease: Lease,
    readers: Subscription,
}

async fn process(kept: &Kept) -> Process {
    let journal = kept.open().await;
    let subscriptions = kept.subscriptions(&journal, "a test").await;
    let lease = subscriptions.lease("readers").await.unwrap();
    let readers = subscriptions.subscribe("readers").await.unwrap();
    Process { journal, subscriptions, lease, readers }
}

impl Process {
    async fn end(self) {
        self.lease.release().await;
        self.journal.close().await;
    }
}

fn parked() -> Parked {
    Parked {
        sequence: "rental-1".to_owned(),
        position: 7,
        event_type: "RentalRequested".to_owned(),
        attempts: 3,
        reason: "a bad day".to_owned(),
        parked_at: chrono::DateTime::UNIX_EPOCH,
    }
}

async fn a_subscription_goes_on_behind_its_checkpoint_after_a_restart(kept: Kept) {
    let mut first = process(&kept).await;
    fill(&first.journal, 10).await;
    let events = first.readers.next(first.readers.checkpoint(), 4).await.unwrap();
    assert_eq!(events.last().unwrap().position, 4);
    first.readers.save(4).await.unwrap();
    first.end().await;
    let mut second = process(&kept).await;
    assert_eq!(second.readers.checkpoint(), 4);
    assert_eq!(second.readers.next(4, 100).await.unwrap().first().unwrap().position, 5);
    let status = &second.subscriptions.list()[0];
    assert_eq!((&*status.name, status.position, status.lag), ("readers", 4, 6));
}

async fn a_paused_subscription_waits_over_restarts_and_misses_nothing(kept: Kept) {
    let first = process(&kept).await;
    assert_eq!(first.subscriptions.pause("readers").await.unwrap().state, SubscriptionState::Paused);
    fill(&first.journal, 3).await;
    first.end().await;
    let Process { subscriptions, mut readers, lease: _lease, .. } = process(&kept).await;
    assert!(readers.is_paused());
    {
        let mut waiting = Box::pin(readers.next(0, 10));
        let mut poll = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(waiting.as_mut().poll(&mut poll).is_pending());
        subscriptions.resume("readers").await.unwrap();
        assert_eq!(waiting.await.unwrap().len(), 3);
    }
    assert_eq!(subscriptions.list()[0].state, SubscriptionState::Running);
    assert_eq!(subscriptions.state("readers"), Some(SubscriptionState::Running));
}

async fn a_parked_sequence_is_seen_survives_restarts_and_is_tried_again_when_asked(kept: Kept) {
    let first = process(&kept).await;
    assert_eq!(first.readers.parked_at("rental-1"), None);
    first.readers.park(parked()).await.unwrap();
    first.end().await;
    let Process { subscriptions, mut readers, lease: _lease, .. } = process(&kept).await;
    assert_eq!(readers.parked_at("rental-1"), Some(7));
    assert_eq!(subscriptions.list()[0].parked, [parked()]);
    let unknown = subscriptions.retry("readers", "rental-2").await;
    assert!(matches!(unknown, Err(SubscriptionError::NoSuchSequence(_))));
    for _ in 0..2 {
        subscriptions.retry("readers", "rental-1").await.unwrap();
        assert_eq!(readers.retries().await.unwrap().into_iter().collect::<Vec<_>>(), ["rental-1"]);
        readers.park(Parked { attempts: 4, ..parked() }).await.unwrap();
    }
    assert_eq!(subscriptions.listed().await.unwrap()[0].parked[0].attempts, 4);
    readers.unpark("rental-1").await.unwrap();
    assert!(!readers.has_parked());
    assert!(subscriptions.list()[0].parked.is_empty());
    let gone = subscriptions.retry("readers", "rental-1").await;
    assert!(matches!(gone, Err(SubscriptionError::NoSuchSequence(_))));
}

async fn attempts_are_counted_until_they_are_forgotten_or_the_checkpoint_has_passed_them(kept: Kept) {
    let first = process(&kept).await;
    assert_eq!(first.readers.count_attempt(7).await.unwrap(), 1);
    assert_eq!(first.readers.count_attempt(7).await.unwrap(), 2);
    assert_eq!(first.readers.count_attempt(8).await.unwrap(), 1);
    first.end().await;
    let mut second = process(&kept).await;
    assert_eq!(second.readers.count_attempt(7).await.unwrap(), 3);
    second.readers.forget_attempts(7).await.unwrap();
    assert_eq!(second.readers.count_attempt(7).await.unwrap(), 1);
    second.readers.save(7).await.unwrap();
    assert_eq!(second.readers.count_attempt(7).await.unwrap(), 1);
    assert_eq!(second.readers.count_attempt(8).await.unwrap(), 2);
}

async fn an_unknown_subscription_is_named_in_the_refusal(kept: Kept) {
    let Process { subscriptions, .. } = &process(&kept).await;
    let refused = [
        subscriptions.pause("nobody").await.unwrap_err(),
        subscriptions.retry("nobody", "x").await.unwrap_err(),
        subscriptions.request_rebuild("nobody").await.unwrap_err(),
        subscriptions.set_note("nobody", json!(1)).unwrap_err(),
    ];
    for error in refused {
        assert_eq!(error.to_string(), "there is no subscription `nobody`");
    }
}

async fn a_note_is_what_the_owner_said_last(kept: Kept) {
    let Process { subscriptions, .. } = &process(&kept).await;
    assert_eq!(subscriptions.note("readers"), None);
    for state in ["closed", "open"] {
        subscriptions.set_note("readers", json!({ "breaker": state })).unwrap();
    }
    assert_eq!(subscriptions.note("readers"), Some(json!({ "breaker": "open" })));
    assert_eq!(subscriptions.listed().await.unwrap()[0].note, Some(json!({ "breaker": "open" })));
}

async fn a_rebuild_is_asked_of_the_owner_and_answered_once_for_all_who_ask(kept: Kept) {
    let Process { subscriptions, .. } = &process(&kept).await;
    let tickets = [
        subscriptions.request_rebuild("readers").await.unwrap(),
        subscriptions.request_rebuild("readers").await.unwrap(),
    ];
    let request = subscriptions.rebuild_requested(&["others", "readers"]).await.unwrap();
    assert_eq!((&*request.name, request.ticket), ("readers", tickets[1]));
    subscriptions.rebuilt(&request, json!({ "documents": 7 })).await.unwrap();
    for ticket in tickets {
        let outcome = tokio::time::timeout(PATIENCE, subscriptions.rebuild_outcome("readers", ticket));
        assert_eq!(outcome.await.unwrap().unwrap(), json!({ "documents": 7 }));
    }
    let mut waiting = Box::pin(subscriptions.rebuild_requested(&["readers"]));
    let mut poll = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(waiting.as_mut().poll(&mut poll).is_pending());
}
