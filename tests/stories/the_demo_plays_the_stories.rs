//! `reservoir demo` plays all five businesses, event by event, and sums up what the journal says of them.

use harness::Data;
use std::collections::BTreeMap;

const BUSINESSES: [&str; 5] = ["car-rental", "phone-shop", "coffee-shop", "cinema", "library"];

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
    for (business, words) in BUSINESSES.iter().zip([
        ["booked", "rented"],
        ["paid", "shipped"],
        ["paid", "made"],
        ["reserved", "attended"],
        ["reserved", "borrowed"],
    ]) {
        let told = section(said, business);
        assert!(words.iter().all(|word| told.contains(word)), "not {words:?} in\n{told}");
        assert!(told.contains("RentalCancelled") && told.contains("PaymentRefunded"), "{told}");
    }
}

/// What was said of one business.
fn section<'a>(said: &'a str, business: &str) -> &'a str {
    let begins = said.find(&format!("═══ {business}\n")).unwrap_or_else(|| panic!("no {business} in\n{said}"));
    let rest = &said[begins..];
    &rest[..rest["═══".len()..].find("═══").map_or(rest.len(), |next| next + "═══".len())]
}

/// The table at the end: for each row the numbers under their titles.
fn table(said: &str) -> BTreeMap<String, Vec<i64>> {
    let lines = said.lines().skip_while(|line| !line.trim_start().starts_with("business "));
    let rows = lines.skip(1).map(str::split_whitespace).filter(|row| row.clone().count() > 1);
    rows.map(|mut row| {
        let name = row.next().unwrap().to_owned();
        (name, row.filter_map(|cell| cell.parse().ok()).collect())
    })
    .collect()
}

#[tokio::test]
async fn the_summary_says_what_the_journal_says() {
    let played = Data::empty().run(&["demo", "--exit"]).await;
    let said = played.success();
    let table = table(said);
    assert_eq!(table.len(), BUSINESSES.len() + 1, "{said}");
    for business in BUSINESSES {
        let [stories, confirmed, cancelled, refused, events, taken, given_back, _ms] = table[business][..] else {
            panic!("{:?} in\n{said}", table[business]);
        };
        let told = section(said, business);
        assert_eq!(stories, told.lines().filter(|line| line.starts_with("──")).count() as i64);
        assert!(confirmed >= 2 && cancelled >= 1 && refused >= 0, "{business}: {:?}", table[business]);
        assert!(events >= told.lines().filter(|line| line.trim_start().starts_with('#')).count() as i64);
        assert!(taken > given_back && given_back > 0, "{business}: {taken} taken, {given_back} given back");
    }
    let all = &table["all"];
    for (column, sum) in all.iter().enumerate().take(7) {
        assert_eq!(*sum, BUSINESSES.iter().map(|business| table[*business][column]).sum::<i64>(), "{said}");
    }
    let last = said.lines().filter_map(|line| line.trim().strip_prefix('#')?.split_whitespace().next()?.parse().ok());
    assert!(all[4] >= last.max().unwrap(), "every event is some business's: {said}");
}

#[tokio::test]
async fn one_business_is_played_alone() {
    let played = Data::empty().run(&["demo", "cinema", "--exit"]).await;
    let said = played.success();
    assert!(said.contains("seats that cannot be had: A2"), "{said}");
    assert!(!said.contains("═══ car-rental"), "{said}");
    assert_eq!(table(said).keys().collect::<Vec<_>>(), ["cinema"]);
}

#[tokio::test]
async fn a_business_that_nobody_plays_is_refused_in_one_line_with_those_that_are() {
    let refused = Data::empty().run(&["demo", "bakery"]).await;
    for business in BUSINESSES {
        assert!(refused.refusal().contains(business), "{}", refused.stderr);
    }
    assert!(refused.refusal().contains("bakery"));
}
