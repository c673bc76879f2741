//! A ski rental: a policy file of its user, no line of code; checked, loaded and played.

use expect_test::expect;
use harness::{Business, Data, Shop, instant_in, july};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const PRICE: i64 = 30_000;

/// The very file that docs/new-business.md explains.
fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("docs/ski-rental.toml")
}

fn page() -> String {
    std::fs::read_to_string(file().with_file_name("new-business.md")).unwrap()
}

/// As the program reads it: what it prints goes into the founding of the store as it is.
async fn policy() -> Value {
    let printed = Data::empty().run(&["policy", file().to_str().unwrap()]).await;
    serde_json::from_str(printed.success()).unwrap()
}

async fn open(pairs: u32) -> Shop {
    let skis = Business { slug: "alpine-skis", policy: policy().await, item: "All-mountain, 170 cm", price: PRICE };
    Shop::of(skis, json!(pairs)).await
}

#[tokio::test]
async fn skis_are_booked_waxed_handed_over_and_charged_for_when_late() {
    let shop = open(1).await;
    let booked = shop.booking("alice", &instant_in(2_500), &instant_in(3_500)).waiting_s(20).await.is(201);
    let rental = booked.id();
    assert_eq!(booked["policy"], "ski-rental");
    assert_eq!(booked["status_label"], "booked");
    assert_eq!(booked["payment"]["amount"]["amount_minor"], PRICE);
    shop.prepared(&rental).await;
    assert_eq!(shop.rental("alice", &rental).await["status_label"], "waxed");
    shop.step(&rental, "hand-over").await.done();
    assert_eq!(shop.reaches(&rental, "overdue").await["status_label"], "not back");
    shop.settled().await;
    shop.booking("bob", &july(1), &july(3)).await.problem(409, "out-of-stock");

    shop.step(&rental, "return").await.done();
    let returned = shop.reaches(&rental, "completed").await;
    assert_eq!(returned["days_late"], 1);
    assert_eq!(returned["late_fee"]["amount"]["amount_minor"], PRICE);
    assert_eq!(returned["late_fee"]["status"], "approved");
    // They dry for an hour, and are there for the summer.
    shop.booking("bob", &instant_in(60_000), &instant_in(120_000)).await.problem(409, "out-of-stock");
    shop.booked("bob", &july(1), &july(3)).await;

    expect![[r#"
        RentalRequested rental@1 by customer:alice
        QuotaTaken quota@1 by process:reservation
        StockHeld item@2 by process:reservation
        PaymentRequested payment@1 by process:reservation
        PaymentApproved payment@2 by process:payments
        StockCommitted item@3 by process:reservation
        RentalConfirmed rental@2 by process:reservation
        DispatchRequested dispatch@1 by process:dispatch
        DispatchPrepared dispatch@2 by staff:alpine-skis
        RentalPrepared rental@3 by process:dispatch
        DispatchHandedOver dispatch@3 by staff:alpine-skis
        RentalHandedOver rental@4 by process:dispatch
        StockHandedOut item@4 by process:reservation
        RentalOverdue rental@5 by process:reservation
        StockOverdue item@5 by process:reservation
        RentalReturned rental@6 by staff:alpine-skis
        StockReturned item@6 by process:reservation
        PaymentRequested payment@1 by process:reservation
        PaymentApproved payment@2 by process:payments
        RentalCompleted rental@7 by process:reservation
        QuotaGivenBack quota@2 by process:reservation
    "#]]
    .assert_eq(&shop.transcript(&rental).await);
}

#[tokio::test]
async fn the_last_pair_is_refused_to_the_next_and_a_late_cancellation_costs_half() {
    let shop = open(1).await;
    let rental = shop.booked("alice", &harness::day_at_seoul(1), &harness::day_at_seoul(3)).await;
    let refused = shop.booking("bob", &harness::day_at_seoul(2), &harness::day_at_seoul(4)).await;
    refused.problem(409, "out-of-stock");
    shop.cancelled("alice", &rental).await;
    assert_eq!(shop.rental("alice", &rental).await["payment"]["refunded"]["amount_minor"], PRICE);

    let summer = shop.booked("alice", &july(1), &july(3)).await;
    shop.cancelled("alice", &summer).await;
    assert_eq!(shop.rental("alice", &summer).await["payment"]["refunded"]["amount_minor"], 2 * PRICE);
}

#[tokio::test]
async fn nobody_has_more_than_six_pairs_at_once() {
    let shop = open(10).await;
    for _ in 0..6 {
        shop.booked("alice", &july(1), &july(3)).await;
    }
    assert_eq!(shop.booking("alice", &july(1), &july(3)).await.problem(409, "quota-exceeded")["limit"], 6);
}

#[tokio::test]
async fn a_mistake_in_the_file_is_one_line_that_names_the_field() {
    let data = Data::empty();
    let text = std::fs::read_to_string(file()).unwrap();
    for (right, wrong, named) in [
        ("stock = \"pool\"", "stock = \"seats\"", "rules.comes_back"),
        ("comes_back = true", "comes_back = false", "rules.comes_back"),
        ("hold_s = 600", "hold_s = 5", "rules.hold_s"),
        ("fee_percent = 50", "fee_percent = 101", "rules.cancellation.fee_percent"),
        ("payment = \"upfront\"", "payment = \"none\"", "rules.cancellation.fee_percent"),
        ("late_fee_percent = 100", "late_fee_percent = 1001", "rules.late_fee_percent"),
        ("quota = 6", "quota = 0", "rules.quota"),
        ("name = \"ski-rental\"", "name = \"Ski rental\"", "name"),
        ("hold_s = 600", "hold_s = \"a while\"", "line 15, `hold_s"),
        ("hold_s = 600", "", "missing field `hold_s`"),
        ("hold_s = 600", "hold_s = 600\nhelmets = true", "unknown field `helmets`"),
        ("[rules]", "[rules", "line 5"),
    ] {
        assert!(text.contains(right), "{right}");
        std::fs::write(data.path().join("mine.toml"), text.replace(right, wrong)).unwrap();
        let outcome = data.run(&["policy", "mine.toml"]).await;
        let line = outcome.refusal();
        assert!(line.starts_with("reservoir: mine.toml: ") && line.contains(named), "`{named}` is not in: {line}");
        assert!(outcome.stdout.is_empty());
    }
    assert!(data.run(&["policy", "nowhere.toml"]).await.refusal().contains("nowhere.toml"));
    assert!(data.run(&["policy"]).await.refusal().contains("--preset"));
}

#[tokio::test]
async fn a_store_with_a_contradictory_policy_is_refused_by_the_name_of_the_field() {
    let shop = Shop::with_cars(1).await;
    let found = |policy: Value| {
        let body = json!({
            "slug": "alpine-skis", "name": "Skis", "policy": policy, "time_zone": "Europe/Vienna", "currency": "EUR",
        });
        shop.post("/v1/stores").by("admin").json(body)
    };
    let mut contradictory = policy().await;
    contradictory["rules"]["comes_back"] = json!(false);
    let refused = found(contradictory).await.problem(422, "invalid");
    assert_eq!(refused["field"], "policy.rules.comes_back");
    found(policy().await).await.is(201);
}

#[tokio::test]
async fn presets_are_printed_to_begin_with() {
    let data = Data::empty();
    for preset in ["car-rental", "phone-shop", "coffee-shop", "cinema", "library"] {
        let printed = data.run(&["policy", "--preset", preset]).await;
        let policy: Value = serde_json::from_str(printed.success()).unwrap();
        assert_eq!(policy["name"], preset);
        assert!(policy["rules"]["steps"].is_array() && policy["words"]["item"].is_string());
    }
    let unknown = data.run(&["policy", "--preset", "spaceport"]).await;
    assert!(unknown.refusal().contains("spaceport") && unknown.refusal().contains("cinema"), "{}", unknown.stderr);
}

#[test]
fn the_page_explains_the_very_file() {
    let (page, text) = (page(), std::fs::read_to_string(file()).unwrap());
    let blocks: Vec<&str> = page.split("```").filter_map(|block| block.strip_prefix("toml\n")).collect();
    assert!(blocks.len() > 4, "{blocks:?}");
    for line in blocks.iter().flat_map(|block| block.lines()) {
        assert!(text.lines().any(|other| other == line), "the file does not say: {line}");
    }
}

#[tokio::test]
async fn the_page_has_a_row_for_every_field() {
    let (data, page) = (Data::empty(), page());
    let mut policies = vec![policy().await];
    for preset in ["car-rental", "phone-shop", "coffee-shop", "cinema", "library"] {
        policies.push(serde_json::from_str(data.run(&["policy", "--preset", preset]).await.success()).unwrap());
    }
    for policy in policies {
        for part in ["rules", "words"] {
            for field in policy[part].as_object().unwrap().keys() {
                let row = format!("`{part}.{field}");
                assert!(page.lines().any(|line| line.starts_with('|') && line.contains(&row)), "no row for {row}`");
            }
        }
    }
}
