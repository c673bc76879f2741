//! Sums of money.

use super::{Currency, Money, MoneyError};
use crate::testing::euros;
use proptest::prelude::*;

fn won(amount: i64) -> Money {
    Money::new(amount, "KRW".to_owned().try_into().unwrap())
}

#[test]
fn a_currency_is_three_capital_letters() {
    assert_eq!(won(0).currency.to_string(), "KRW");
    for code in ["", "EU", "eur", "EURO", "E1R", "€"] {
        let error = Currency::try_from(code.to_owned()).unwrap_err();
        assert_eq!(error, MoneyError::NotACurrency(code.to_owned()));
    }
}

#[test]
fn two_currencies_are_not_added() {
    let mixed = MoneyError::MixedCurrencies(euros(1).currency, won(1).currency);
    assert_eq!(euros(1).plus(won(1)), Err(mixed.clone()));
    assert_eq!(euros(1).minus(won(1)), Err(mixed));
}

#[test]
fn what_is_out_of_range_is_an_error_and_never_wraps() {
    assert_eq!(euros(i64::MAX).plus(euros(1)), Err(MoneyError::OutOfRange));
    assert_eq!(euros(i64::MIN).minus(euros(1)), Err(MoneyError::OutOfRange));
    assert_eq!(euros(i64::MAX).times(2), Err(MoneyError::OutOfRange));
    assert_eq!(euros(i64::MAX).share(2, 1), Err(MoneyError::OutOfRange));
    assert_eq!(euros(1).share(1, 0), Err(MoneyError::OutOfRange));
}

#[test]
fn a_share_is_rounded_down_to_the_minor_unit() {
    assert_eq!(euros(999).share(10, 100), Ok(euros(99)));
    assert_eq!(euros(9000).share(150 * 2, 100 * 3), Ok(euros(9000)));
    assert_eq!(euros(i64::MAX).share(100, 100), Ok(euros(i64::MAX)));
}

#[test]
fn money_is_stored_as_minor_units_and_a_code() {
    let stored = r#"{"amount_minor":9000,"currency":"EUR"}"#;
    assert_eq!(serde_json::to_string(&euros(9000)).unwrap(), stored);
    assert_eq!(serde_json::from_str::<Money>(stored).unwrap(), euros(9000));
    for wrong in [r#"{"amount_minor":90.5,"currency":"EUR"}"#, r#"{"amount_minor":90,"currency":"eur"}"#] {
        assert!(serde_json::from_str::<Money>(wrong).is_err(), "{wrong}");
    }
}

proptest! {
    #[test]
    fn what_is_kept_and_what_goes_back_is_all_there_was(cents in 0..i64::MAX, percent in 0..=100i64) {
        let kept = euros(cents).share(percent, 100).unwrap();
        let back = euros(cents).minus(kept).unwrap();
        prop_assert!(kept.amount_minor >= 0 && back.amount_minor >= 0);
        prop_assert_eq!(kept.plus(back), Ok(euros(cents)));
    }
}

#[test]
fn people_read_money_with_the_decimals_of_its_currency() {
    let shown = |amount, code: &str| Money::new(amount, code.to_owned().try_into().unwrap()).for_people();
    for (amount, code, expected) in [
        (45_000, "KRW", "45,000 KRW"),
        (0, "KRW", "0 KRW"),
        (123_450, "EUR", "1,234.50 EUR"),
        (7, "EUR", "0.07 EUR"),
        (-100_000_000, "USD", "-1,000,000.00 USD"),
        (1_234_567, "KWD", "1,234.567 KWD"),
        (1_234, "QQQ", "1,234 QQQ"),
        (i64::MIN, "KRW", "-9,223,372,036,854,775,808 KRW"),
    ] {
        assert_eq!(shown(amount, code), expected);
    }
}
