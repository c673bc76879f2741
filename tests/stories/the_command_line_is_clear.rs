//! Subcommands print what they are asked for, and failures are one line and an exit code.

use harness::{Data, Shop, july};
use serde_json::Value;

#[tokio::test]
async fn token_prints_the_token_alone() {
    let data = Data::empty();
    let minted = data.run(&["token", "customer:alice"]).await;
    assert_eq!(minted.success().lines().count(), 1);
    assert!(minted.stderr.is_empty(), "{}", minted.stderr);
    assert_eq!(minted.stdout.trim().split('.').count(), 3, "a JWT has three parts: {}", minted.stdout);
    assert!(data.run(&["token", "owner:alice"]).await.refusal().contains("owner:alice"));
}

#[tokio::test]
async fn a_second_program_on_the_same_data_is_refused() {
    let shop = Shop::with_cars(1).await;
    let second = shop.data().run(&["serve", "--listen", "127.0.0.1:0"]).await;
    assert!(second.refusal().contains("another process"), "{}", second.stderr);
    shop.booked("alice", &july(1), &july(4)).await;
}

#[tokio::test]
async fn a_wrong_value_stops_the_start_with_one_line() {
    let data = Data::empty();
    for (arguments, named) in [
        (["serve", "--listen", "everywhere"], "everywhere"),
        (["serve", "--journal", "carrier-pigeon"], "carrier-pigeon"),
        (
            ["serve", "--journal", "postgres://nobody:secret@127.0.0.1:1/x"],
            "cannot connect to PostgreSQL at 127.0.0.1:1/x",
        ),
        (
            ["verify", "--journal", "postgres://nobody:secret@127.0.0.1:1/x"],
            "cannot connect to PostgreSQL at 127.0.0.1:1/x",
        ),
        (["serve", "--journal", "postgres://nobody:secret@host:port/x"], "postgres://user@host/database"),
        (["serve", "--payment-timeout-ms", "0"], "payment-timeout-ms"),
        (["serve", "--simulated-latency-ms", "slow"], "slow"),
        (["serve", "--config", "missing.toml"], "missing.toml"),
        (["serve", "--payment-provider", "piggy-bank"], "payment-provider"),
        (["serve", "--payment-provider", "http://somewhere/else"], "payment-provider"),
        (["serve", "--payment-provider", "stripe"], "STRIPE_SECRET_KEY"),
        (["simulate-provider", "--script", "missing.json"], "missing.json"),
        (["simulate-provider", "--webhook-url", "not an address"], "webhooks"),
        (["simulate-provider", "--listen", "0.0.0.0:0"], "loopback"),
    ] {
        let outcome = data.run(&arguments).await;
        assert!(outcome.refusal().contains(named), "{arguments:?}: {}", outcome.stderr);
        assert!(!outcome.refusal().contains("secret"), "{}", outcome.stderr);
    }
    std::fs::write(data.path().join("wrong.toml"), "listen = \"127.0.0.1:0\"\nlisten_on = 1\n").unwrap();
    let outcome = data.run(&["serve", "--config", "wrong.toml"]).await;
    assert!(outcome.refusal().contains("line 2"), "{}", outcome.stderr);
}

#[tokio::test]
async fn events_prints_the_journal_as_lines_of_json() {
    let shop = Shop::with_cars(1).await;
    let rental = shop.booked("alice", &july(1), &july(4)).await;
    shop.settled().await;
    let data = shop.data();

    let printed = data.run(&["events"]).await;
    let printed: Vec<Value> = printed.success().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let served = shop.journal().await;
    assert_eq!(printed.len(), served.len());
    for (printed, served) in printed.iter().zip(&served) {
        for member in ["position", "stream", "revision", "type", "actor", "correlation_id", "causation_id", "data"] {
            assert_eq!(printed[member], served[member], "{member}");
        }
    }
    let stream = format!("rental-{rental}");
    let one = data.run(&["events", "--stream", &stream]).await;
    assert!(one.success().lines().all(|line| line.contains(&stream)));
    assert_eq!(one.stdout.lines().count(), 2);
}

#[tokio::test]
async fn verify_says_how_much_fits() {
    let shop = Shop::with_cars(1).await;
    shop.booked("alice", &july(1), &july(4)).await;
    shop.settled().await;
    let events = shop.journal().await.len();
    // Also while the server writes.
    let verified = shop.data().run(&["verify"]).await;
    assert!(verified.success().starts_with(&format!("{events} events")), "{}", verified.stdout);
}

#[tokio::test]
async fn without_a_journal_there_is_nothing_to_verify_or_replay() {
    for command in ["verify", "replay", "events"] {
        let outcome = Data::empty().run(&[command]).await;
        assert!(outcome.refusal().contains("no journal"), "{command}: {}", outcome.stderr);
    }
}

#[tokio::test]
async fn subscriptions_are_listed_paused_and_resumed_from_outside() {
    let shop = Shop::with_cars(1).await;
    let run = async |arguments: &[&str]| shop.data().run(arguments).await;
    assert!(run(&["subscriptions"]).await.success().contains("dispatch"));
    run(&["subscriptions", "pause", "dispatch"]).await.success();
    assert_eq!(shop.subscription("dispatch").await["state"], "paused");
    run(&["subscriptions", "resume", "dispatch"]).await.success();
    assert_eq!(shop.subscription("dispatch").await["state"], "running");
}
