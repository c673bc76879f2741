//! Money as Stripe counts it: in the smallest unit of ISO 4217, but for the exceptions that it documents.

use domain::Money;

/// The number for Stripe; `None` where it takes no such amount.
pub(super) fn amount(money: Money) -> Option<i64> {
    let minor = money.amount_minor;
    let exact = |divisor| (minor % divisor == 0).then(|| minor / divisor);
    match money.currency.to_string().as_str() {
        // Without a minor unit by now, and counted in hundredths all the same.
        "ISK" | "UGX" => minor.checked_mul(100),
        // Counted in whole ariary, although there are iraimbilanja.
        "MGA" => exact(100),
        // Three digits, of which the last one is zero.
        "BHD" | "JOD" | "KWD" | "OMR" | "TND" => exact(10).map(|_| minor),
        _ => Some(minor),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(amount_minor: i64, currency: &str) -> Option<i64> {
        amount(Money::new(amount_minor, currency.to_owned().try_into().unwrap()))
    }

    #[test]
    fn minor_units_are_the_same_integers() {
        for currency in ["KRW", "JPY", "VND", "CLP", "USD", "EUR", "HUF", "TWD"] {
            assert_eq!(of(45_000, currency), Some(45_000), "{currency}");
        }
    }

    #[test]
    fn exceptions_are_kept() {
        assert_eq!((of(5, "ISK"), of(5, "UGX"), of(i64::MAX, "ISK")), (Some(500), Some(500), None));
        assert_eq!((of(500, "MGA"), of(520, "MGA")), (Some(5), None));
        assert_eq!((of(5_120, "KWD"), of(5_123, "KWD")), (Some(5_120), None));
    }
}
