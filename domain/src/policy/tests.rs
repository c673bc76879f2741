//! Presets load, and what does not fit is named by its field.

use super::{Extension, Occasion, Policy, PolicyError, PricePer, Step, StockKind, Texts, WaitingList};
use crate::rental::RentalStatus;

fn car_rental() -> &'static str {
    include_str!("../../presets/car-rental.toml")
}

#[test]
fn every_preset_loads_checks_and_is_called_by_its_name() {
    assert_eq!(Policy::preset_names(), ["car-rental", "phone-shop", "coffee-shop", "cinema", "library"]);
    for name in Policy::preset_names() {
        let policy = Policy::preset(name).unwrap();
        assert_eq!(policy.name, *name);
        policy.check().unwrap();
        let stored = serde_json::to_string(&policy).unwrap();
        assert_eq!(serde_json::from_str::<Policy>(&stored).unwrap(), policy);
    }
    let nowhere = Policy::preset("spaceport").unwrap_err();
    assert_eq!(nowhere.to_string(), "there is no preset `spaceport`");
}

#[test]
fn a_business_uses_its_own_words() {
    let cars = Policy::preset("car-rental").unwrap();
    assert_eq!(cars.words.label(RentalStatus::HandedOver), "rented");
    assert_eq!(cars.words.label(RentalStatus::Cancelled), "cancelled");
}

#[test]
fn only_the_cinema_limits_reservations() {
    for name in Policy::preset_names() {
        let quota = Policy::preset(name).unwrap().rules.quota;
        assert_eq!(quota, (*name == "cinema").then_some(100), "{name}");
    }
}

#[test]
fn a_policy_of_the_wrong_shape_is_refused_by_the_name_of_its_field() {
    for (right, wrong, named) in [
        ("hold_s = 900", "hold_s = \"long\"", "hold_s"),
        ("hold_s = 900", "", "hold_s"),
        ("stock = \"pool\"", "stock = \"cloud\"", "stock"),
        ("comes_back = true", "comes_back = true\nrobots = true", "robots"),
        ("fee_percent = 10", "fee_percent = 300", "fee_percent"),
        ("handed_over = \"rented\"", "driven = \"rented\"", "driven"),
        ("action = \"prepare\"", "action = \"polish\"", "action"),
    ] {
        assert!(car_rental().contains(right), "{right}");
        let error = Policy::from_toml(&car_rental().replace(right, wrong)).unwrap_err();
        assert!(matches!(error, PolicyError::Unreadable(_)), "{error}");
        assert!(error.to_string().contains(named), "`{named}` is not named by: {error}");
        assert_eq!(error.to_string().lines().count(), 1, "{error}");
    }
}

#[test]
fn what_cannot_be_read_is_told_with_its_line() {
    let text = car_rental().replace("hold_s = 900", "hold_s = \"long\"");
    let line = text.lines().position(|line| line.starts_with("hold_s")).unwrap() + 1;
    let told = Policy::from_toml(&text).unwrap_err().to_string();
    let expected = format!("the policy cannot be read: line {line}, `hold_s = \"long\"`: invalid type");
    assert!(told.starts_with(&expected), "{told}");
}

#[test]
fn every_preset_names_a_field_that_has_the_wrong_shape() {
    for name in Policy::preset_names() {
        let mut table = toml::Table::try_from(Policy::preset(name).unwrap()).unwrap();
        table.get_mut("rules").and_then(toml::Value::as_table_mut).unwrap().insert("hold_s".into(), "soon".into());
        let error = Policy::from_toml(&toml::to_string(&table).unwrap()).unwrap_err().to_string();
        assert!(error.contains("hold_s"), "{error}");
    }
}

/// A change to a policy, and the field by which it is refused.
type Mistake = (&'static str, fn(&mut Policy));

fn named(preset: &str, (field, mistake): Mistake) {
    let mut policy = Policy::preset(preset).unwrap();
    mistake(&mut policy);
    match policy.check() {
        Err(PolicyError::Contradiction { field: found, .. }) => assert_eq!(found, field),
        other => panic!("{field}: {other:?}"),
    }
}

#[test]
fn a_policy_that_contradicts_itself_is_refused_by_its_dotted_field() {
    let mistakes: [Mistake; 19] = [
        ("name", |policy| policy.name = "Car Rental".to_owned()),
        ("rules.steps", |policy| policy.rules.steps.clear()),
        ("rules.steps", |policy| policy.rules.steps.reverse()),
        ("rules.steps", |policy| policy.rules.steps.truncate(1)),
        ("rules.comes_back", |policy| policy.rules.comes_back = false),
        ("rules.comes_back", |policy| policy.rules.stock = StockKind::Sale),
        ("rules.hold_s", |policy| policy.rules.hold_s = 9),
        ("rules.hold_s", |policy| policy.rules.hold_s = 86_401),
        ("rules.quota", |policy| policy.rules.quota = Some(0)),
        ("rules.turnaround_s", |policy| policy.rules.turnaround_s = 31 * 86_400),
        ("rules.cancellation.fee_percent", |policy| policy.rules.cancellation.fee_percent = 101),
        ("rules.late_fee_percent", |policy| policy.rules.late_fee_percent = 1001),
        ("rules.no_show_s", |policy| policy.rules.no_show_s = Some(1)),
        ("rules.waiting_list.offer_s", |policy| policy.rules.waiting_list = Some(WaitingList { offer_s: 1 })),
        ("rules.waiting_list", |policy| {
            policy.rules.waiting_list = Some(WaitingList { offer_s: 60 });
            policy.rules.turnaround_s = 60;
        }),
        ("rules.extension.most", |policy| policy.rules.extension = Some(Extension { most: 0 })),
        ("rules.extension.most", |policy| policy.rules.extension = Some(Extension { most: 11 })),
        ("words.item", |policy| policy.words.item.clear()),
        ("words.status", |policy| {
            policy.words.status.insert(RentalStatus::Returned, "x".repeat(41));
        }),
    ];
    for mistake in mistakes {
        named("car-rental", mistake);
    }
}

#[test]
fn what_does_not_come_back_has_no_days_rest_extension_or_late_fee() {
    let mistakes: [Mistake; 8] = [
        ("rules.comes_back", |policy| policy.rules.comes_back = true),
        ("rules.price_per", |policy| policy.rules.price_per = PricePer::Day),
        ("rules.turnaround_s", |policy| policy.rules.turnaround_s = 60),
        ("rules.no_show_s", |policy| policy.rules.no_show_s = Some(86_400)),
        ("rules.cancellation.fee_percent", |policy| policy.rules.cancellation.fee_percent = 10),
        ("rules.late_fee_percent", |policy| policy.rules.late_fee_percent = 100),
        ("rules.extension", |policy| policy.rules.extension = Some(Extension { most: 1 })),
        ("rules.steps", |policy| policy.rules.steps.extend(policy.rules.steps.clone() as Vec<Step>)),
    ];
    for mistake in mistakes {
        named("phone-shop", mistake);
    }
}

#[test]
fn a_kiosk_needs_something_that_comes_back_and_that_is_left_for_it_to_lend() {
    let without_return: Mistake = ("rules.kiosk", |policy| policy.rules.kiosk = true);
    for preset in ["phone-shop", "coffee-shop", "cinema"] {
        named(preset, without_return);
    }
    named("library", ("rules.kiosk", |policy| policy.rules.comes_back = false));
    named("library", ("rules.kiosk", |policy| policy.rules.steps[0].by = super::By::Engine));
}

#[test]
fn only_the_library_has_a_kiosk_and_three_businesses_have_reviews() {
    for name in Policy::preset_names() {
        let rules = Policy::preset(name).unwrap().rules;
        assert_eq!(rules.kiosk, *name == "library", "{name}");
        assert_eq!(rules.reviews, ["cinema", "library", "phone-shop"].contains(name), "{name}");
    }
}

#[test]
fn seats_are_not_extended() {
    named("cinema", ("rules.extension", |policy| policy.rules.extension = Some(Extension { most: 1 })));
}

#[test]
fn without_a_payment_there_are_no_fees() {
    let free: [Mistake; 2] = [
        ("rules.cancellation.fee_percent", |policy| policy.rules.payment = super::PaymentTiming::None),
        ("rules.late_fee_percent", |policy| {
            policy.rules.payment = super::PaymentTiming::None;
            policy.rules.cancellation.fee_percent = 0;
        }),
    ];
    for mistake in free {
        named("car-rental", mistake);
    }
}

fn listed(preset: &str) -> Vec<&'static str> {
    Policy::preset(preset).unwrap().rules.messages.iter().map(|occasion| occasion.name()).collect()
}

#[test]
fn every_business_tells_its_customers_what_they_wait_for() {
    let cinema = "requested confirmed rejected expired handed_over cancelling cancellation_refused cancelled";
    assert_eq!(listed("cinema"), cinema.split(' ').collect::<Vec<_>>());
    assert_eq!(listed("coffee-shop"), ["prepared", "cancelled"]);
    assert_eq!(listed("phone-shop"), ["handed_over", "cancelled"]);
    assert_eq!(listed("car-rental"), ["overdue"]);
    assert_eq!(listed("library"), ["offered", "overdue"]);
}

#[test]
fn a_policy_says_something_on_the_occasions_that_it_lists_and_on_no_other() {
    let mistakes: [Mistake; 7] = [
        ("rules.messages", |policy| policy.rules.messages.push(Occasion::Confirmed)),
        ("rules.messages", |policy| policy.rules.messages.push(Occasion::Prepared)),
        ("rules.messages", |policy| policy.rules.messages.push(Occasion::Overdue)),
        ("words.messages.completed", |policy| policy.rules.messages.push(Occasion::Completed)),
        ("words.messages.expired", |policy| drop(policy.words.messages.remove(&Occasion::Expired))),
        ("words.messages.expired", |policy| policy.rules.messages.retain(|occasion| *occasion != Occasion::Expired)),
        ("words.messages.completed", |policy| {
            let texts = Texts { en: "Over.".to_owned(), ko: "끝.".to_owned() };
            policy.words.messages.insert(Occasion::Completed, texts);
        }),
    ];
    for mistake in mistakes {
        named("cinema", mistake);
    }
}

#[test]
fn a_text_of_a_message_is_refused_by_its_occasion_and_language() {
    fn says(policy: &mut Policy, korean: &str) {
        policy.words.messages.get_mut(&Occasion::Confirmed).unwrap().ko = korean.to_owned();
    }
    let mistakes: [Mistake; 7] = [
        ("words.messages.confirmed.ko", |policy| says(policy, " ")),
        ("words.messages.confirmed.ko", |policy| says(policy, &"가".repeat(501))),
        ("words.messages.confirmed.ko", |policy| says(policy, "{film} 예매가 확정되었습니다.")),
        ("words.messages.confirmed.ko", |policy| says(policy, "{item 예매가 확정되었습니다.")),
        ("words.messages.confirmed.ko", |policy| says(policy, "예매가 확정되었습니다}")),
        ("words.messages.confirmed.ko", |policy| says(policy, "{item} {fee}")),
        ("words.messages.confirmed.en", |policy| {
            policy.words.messages.get_mut(&Occasion::Confirmed).unwrap().en.clear();
        }),
    ];
    for mistake in mistakes {
        named("cinema", mistake);
    }
    let mut policy = Policy::preset("cinema").unwrap();
    says(&mut policy, &"가".repeat(500));
    policy.check().unwrap();
}
