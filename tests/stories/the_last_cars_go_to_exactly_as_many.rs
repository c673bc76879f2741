//! Everybody wants the same few cars at once.

use harness::{Reply, Shop, july};
use std::collections::BTreeMap;
use tokio::task::JoinSet;

#[tokio::test]
async fn two_hundred_customers_for_ten_cars() {
    let shop = Shop::with_cars(10).await;
    let replies = all_at_once(&shop, 200).await;
    assert_eq!(count(&replies), BTreeMap::from([(201, 10), (409, 190)]));
    for refused in replies.iter().filter(|reply| reply.status == 409) {
        refused.clone().problem(409, "out-of-stock");
    }
    shop.settled().await;
    assert_eq!(shop.available(&july(1), &july(4)).await, 0);
    none_is_half_done(&shop, 10).await;

    let stands: Vec<&Reply> = replies.iter().filter(|reply| reply.status == 201).collect();
    for reply in &stands[..3] {
        let customer = reply["customer"].as_str().unwrap();
        shop.cancelled(customer, &reply.id()).await;
    }
    assert_eq!(shop.available(&july(1), &july(4)).await, 3);

    let replies = all_at_once(&shop, 50).await;
    assert_eq!(count(&replies), BTreeMap::from([(201, 3), (409, 47)]));
    shop.settled().await;
    assert_eq!(shop.available(&july(1), &july(4)).await, 0);
    none_is_half_done(&shop, 13).await;
}

async fn all_at_once(shop: &Shop, customers: usize) -> Vec<Reply> {
    let mut asked = JoinSet::new();
    for number in 0..customers {
        let customer = format!("customer-{number}");
        // Minted before anybody starts.
        shop.data().token(&format!("customer:{customer}"));
        let booking = shop.booking(&customer, &july(1), &july(4)).waiting_s(25);
        asked.spawn(async move { booking.await });
    }
    asked.join_all().await
}

fn count(replies: &[Reply]) -> BTreeMap<u16, usize> {
    let mut counted = BTreeMap::new();
    for reply in replies {
        *counted.entry(reply.status).or_default() += 1;
    }
    counted
}

/// Every rental has an outcome, and money was asked only of those whose booking stands or stood.
async fn none_is_half_done(shop: &Shop, paid: usize) {
    let events = shop.journal().await;
    let count = |name: &str| events.iter().filter(|event| event["type"] == name).count();
    assert_eq!(count("RentalConfirmed") + count("RentalRejected"), count("RentalRequested"));
    for name in ["RentalConfirmed", "StockHeld", "StockCommitted", "PaymentRequested", "PaymentApproved"] {
        assert_eq!(count(name), paid, "{name}");
    }
    assert_eq!(count("DispatchRequested"), paid);
    assert_eq!(count("RentalCancelled"), count("PaymentRefunded"));
    assert_eq!(count("RentalCancelled"), count("StockReleased"));
}
