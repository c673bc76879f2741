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
