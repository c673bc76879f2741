//! Durable subscriptions remember where they are, can be paused, and set aside what cannot be digested.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test's name is its documentation, its panic a failure")]

mod common;

use common::fill;
use journal::{Journal, Parked, SubscriptionError, SubscriptionState, Subscriptions};

async fn opened(directory: &std::path::Path) -> (Journal, Subscriptions) {
    let journal = Journal::open(directory).unwrap();
    let subscriptions = Subscriptions::open(journal.clone(), directory).unwrap();
    (journal, subscriptions)
}

#[tokio::test]
async fn a_subscription_goes_on_behind_its_checkpoint_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    {
        let (journal, subscriptions) = opened(directory.path()).await;
        fill(&journal, 10).await;
        let mut subscription = subscriptions.subscribe("readers").await.unwrap();
        let events = subscription.next(subscription.checkpoint(), 4).await.unwrap();
        assert_eq!(events.last().unwrap().position, 4);
        subscription.save(4).await.unwrap();
        journal.close().await;
    }
    let (_journal, subscriptions) = opened(directory.path()).await;
    let mut subscription = subscriptions.subscribe("readers").await.unwrap();
    assert_eq!(subscription.checkpoint(), 4);
    assert_eq!(subscription.next(4, 100).await.unwrap().first().unwrap().position, 5);
    let status = &subscriptions.list()[0];
    assert_eq!((&*status.name, status.position, status.lag), ("readers", 4, 6));
}

#[tokio::test]
async fn a_paused_subscription_waits_over_restarts_and_misses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    {
        let (journal, subscriptions) = opened(directory.path()).await;
        let _subscription = subscriptions.subscribe("readers").await.unwrap();
        assert_eq!(subscriptions.pause("readers").await.unwrap().state, SubscriptionState::Paused);
        fill(&journal, 3).await;
        journal.close().await;
    }
    let (_journal, subscriptions) = opened(directory.path()).await;
    let mut subscription = subscriptions.subscribe("readers").await.unwrap();
    assert!(subscription.is_paused());
    {
        let mut waiting = Box::pin(subscription.next(0, 10));
        let mut poll = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(waiting.as_mut().poll(&mut poll).is_pending());
        subscriptions.resume("readers").await.unwrap();
        assert_eq!(waiting.await.unwrap().len(), 3);
    }
    assert_eq!(subscriptions.list()[0].state, SubscriptionState::Running);
}

#[tokio::test]
async fn a_parked_sequence_is_seen_survives_restarts_and_is_tried_again_when_asked() {
    let directory = tempfile::tempdir().unwrap();
    let parked = Parked {
        sequence: "rental-1".to_owned(),
        position: 7,
        event_type: "RentalRequested".to_owned(),
        attempts: 3,
        reason: "a bad day".to_owned(),
        parked_at: chrono::DateTime::UNIX_EPOCH,
    };
    {
        let (journal, subscriptions) = opened(directory.path()).await;
        let subscription = subscriptions.subscribe("readers").await.unwrap();
        assert_eq!(subscription.count_attempt(7).await.unwrap(), 1);
        assert_eq!(subscription.count_attempt(7).await.unwrap(), 2);
        assert_eq!(subscription.parked_at("rental-1"), None);
        subscription.park(parked.clone()).await.unwrap();
        journal.close().await;
    }
    let (_journal, subscriptions) = opened(directory.path()).await;
    let mut subscription = subscriptions.subscribe("readers").await.unwrap();
    assert_eq!(subscription.count_attempt(7).await.unwrap(), 3);
    assert_eq!(subscription.parked_at("rental-1"), Some(7));
    assert_eq!(subscriptions.list()[0].parked, [parked]);
    let unknown = subscriptions.retry("readers", "rental-2").await;
    assert!(matches!(unknown, Err(SubscriptionError::NoSuchSequence(_))));
    subscriptions.retry("readers", "rental-1").await.unwrap();
    assert_eq!(subscription.retries().await.unwrap().into_iter().collect::<Vec<_>>(), ["rental-1"]);
    subscription.unpark("rental-1").await.unwrap();
    assert!(!subscription.has_parked());
    assert!(subscriptions.list()[0].parked.is_empty());
}

#[tokio::test]
async fn an_unknown_subscription_is_named_in_the_refusal() {
    let directory = tempfile::tempdir().unwrap();
    let (_journal, subscriptions) = opened(directory.path()).await;
    let error = subscriptions.pause("nobody").await.unwrap_err();
    assert_eq!(error.to_string(), "there is no subscription `nobody`");
}
