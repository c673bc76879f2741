//! `reservoir demo` shows what the engine does, event by event.

use harness::Data;

#[tokio::test]
async fn the_demo_plays_every_story_and_ends_when_it_is_told_to() {
    let played = Data::empty().run(&["demo", "--exit"]).await;
    let said = played.success();
    for event in [
        "RentalRequested",
        "StockHeld",
        "PaymentApproved",
        "RentalConfirmed",
        "DispatchPrepared",
        "RentalHandedOver",
        "RentalReturned",
        "RentalCompleted",
        "RentalCancelled",
        "PaymentRefunded",
        "PaymentDeclined",
        "StockReleased",
        "RentalRejected",
    ] {
        assert!(said.contains(event), "no {event} in\n{said}");
    }
}
