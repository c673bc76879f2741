//! SIGTERM: what is in flight is answered, nothing is lost, and the exit code is 0.

use harness::{Shop, eventually, july};

#[tokio::test]
async fn a_booking_in_flight_is_answered_before_the_program_ends() {
    let options = ["--simulated-latency-ms", "1000", "--payment-timeout-ms", "5000"];
    let shop = Shop::with_cars_and_options(1, &options).await;
    let booking = shop.booking("alice", &july(1), &july(4)).waiting_s(10);
    let booking = tokio::spawn(async move { booking.await });
    eventually("the payment is under way", async || {
        shop.journal().await.iter().any(|event| event["type"] == "PaymentRequested").then_some(())
    })
    .await;

    let (data, code) = shop.into_server().stop().await;
    assert_eq!(code, Some(0));
    let booked = booking.await.unwrap();
    assert!(booked.status == 201 || booked.status == 202, "{} {}", booked.status, booked.text);

    let server = data.serve().await;
    let seen = eventually("the booking stands", async || {
        let seen = server.get(format!("/v1/rentals/{}", booked.id())).by("customer:alice").await.is(200);
        (seen["status"] == "confirmed").then_some(seen)
    })
    .await;
    assert_eq!(seen["payment"]["status"], "approved");
}

#[tokio::test]
async fn an_idle_program_ends_at_once_and_starts_again() {
    let shop = Shop::with_cars(1).await;
    let rental = shop.booked("alice", &july(1), &july(4)).await;
    let (data, code) = shop.into_server().stop().await;
    assert_eq!(code, Some(0));
    data.run(&["verify"]).await.success();

    let server = data.serve().await;
    server.get(format!("/v1/rentals/{rental}")).by("customer:alice").await.is(200);
}
