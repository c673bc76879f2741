//! Whether the money of a rental's story adds up.

use serde_json::Value;
use std::collections::BTreeMap;

/// One charge: what it is for, what was taken and what went back.
#[derive(Debug, Default)]
struct Charge {
    purpose: String,
    /// Of which extension it is.
    extension: Option<u64>,
    asked: i64,
    taken: i64,
    refunded: i64,
}

/// What a rental says of its own money.
#[derive(Debug, Default)]
struct Agreed {
    total: i64,
    fee: i64,
    late_fee: i64,
    refunded: i64,
    /// The numbers of the extensions that stand.
    extensions: Vec<Option<u64>>,
    status: &'static str,
}

/// Asserts of the whole story of a rental to which nothing more happens that what was taken, less what went back, is what
/// the rental says: its total while it stands, the fee where it was cancelled, nothing where it could not be had; and the
/// fee for being late once nothing is owed. Gives what the customer has paid in the end.
///
/// # Panics
/// When the sums differ.
pub fn adds_up(story: &[Value]) -> i64 {
    let (agreed, charges) = (agreed(story), charges(story));
    let told = || format!("{agreed:?}\n{charges:#?}");
    for charge in charges.values() {
        assert!(charge.taken == 0 || charge.taken == charge.asked, "{}", told());
        assert!((0..=charge.taken).contains(&charge.refunded), "{}", told());
        let stood = charge.extension.is_none() || agreed.extensions.contains(&charge.extension);
        assert!(stood || charge.taken == charge.refunded, "money for an extension that never stood\n{}", told());
    }
    let kept = |late: bool| -> i64 {
        let of_kind = charges.values().filter(|charge| (charge.purpose == "late_fee") == late);
        of_kind.map(|charge| charge.taken - charge.refunded).sum()
    };
    let price = match agreed.status {
        "confirmed" | "handed_over" | "completed" => agreed.total,
        "cancelled" => agreed.fee,
        _ => 0,
    };
    assert_eq!(kept(false), price, "{}", told());
    assert_eq!(kept(true), if agreed.status == "completed" { agreed.late_fee } else { 0 }, "{}", told());
    if agreed.status == "cancelled" {
        let stood = charges.values().filter(|charge| {
            let of_price = charge.purpose == "rental" || agreed.extensions.contains(&charge.extension);
            of_price && charge.purpose != "late_fee"
        });
        assert_eq!(agreed.refunded, stood.map(|charge| charge.refunded).sum::<i64>(), "{}", told());
    }
    kept(false) + kept(true)
}

fn minor(money: &Value) -> i64 {
    money["amount_minor"].as_i64().unwrap_or(0)
}

fn agreed(story: &[Value]) -> Agreed {
    let mut agreed = Agreed::default();
    for event in story {
        let data = &event["data"];
        match event["type"].as_str().unwrap_or_default() {
            "RentalConfirmed" => (agreed.total, agreed.status) = (minor(&data["total"]), "confirmed"),
            "RentalExtended" => {
                agreed.total = minor(&data["total"]);
                agreed.extensions.push(data["number"].as_u64());
            }
            "RentalHandedOver" | "RentalReturned" => {
                agreed.status = "handed_over";
                agreed.late_fee = minor(&data["late_fee"]);
            }
            "LateFeeWaived" => agreed.late_fee = 0,
            "RentalCompleted" => agreed.status = "completed",
            "RentalCancellationRequested" => agreed.fee = minor(&data["fee"]),
            "RentalCancelled" => (agreed.refunded, agreed.status) = (minor(&data["refunded"]), "cancelled"),
            _ => {}
        }
    }
    agreed
}

fn charges(story: &[Value]) -> BTreeMap<&str, Charge> {
    let mut charges: BTreeMap<&str, Charge> = BTreeMap::new();
    for event in story {
        let stream = event["stream"].as_str().unwrap_or_default();
        if !stream.starts_with("payment-") {
            continue;
        }
        let (charge, data) = (charges.entry(stream).or_default(), &event["data"]);
        match event["type"].as_str().unwrap_or_default() {
            "PaymentRequested" => {
                charge.asked = minor(&data["charge"]["amount"]);
                charge.purpose = data["charge"]["purpose"].as_str().unwrap_or("extension").to_owned();
                charge.extension = data["charge"]["purpose"]["extension"]["number"].as_u64();
            }
            "PaymentApproved" => charge.taken = charge.asked,
            "PaymentRefunded" => charge.refunded += minor(&data["amount"]),
            _ => {}
        }
    }
    charges
}
