//! Bodies that come slowly, or not at all, take no place from others.

use harness::wire::{self, Connection};
use harness::{Shop, july};

const PLACES: &str = "2";
const SLOW: usize = 8;

#[tokio::test]
async fn bodies_that_are_not_there_yet_take_no_places() {
    let shop = Shop::with_cars_and_options(1, &["--max-in-flight", PLACES]).await;
    let whole = wire::post("/v1/rentals", &shop.data().token("customer:slow"), &"x".repeat(1_000));
    let host = shop.address().strip_prefix("http://").unwrap();
    let mut slow = Vec::new();
    for _ in 0..SLOW {
        let mut connection = Connection::open(host).await.unwrap();
        connection.send(&whole[..whole.len() - 500]).await.unwrap();
        slow.push(connection);
    }
    shop.booked("alice", &july(1), &july(4)).await;

    // Those who send the rest are answered like anybody else.
    for mut connection in slow {
        let answer = connection.exchange(&whole[whole.len() - 500..]).await.unwrap();
        assert_eq!(answer.status, 400);
    }
}
