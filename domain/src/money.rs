//! Money: integer minor units of an ISO 4217 currency. There is no floating-point number in this crate.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use std::fmt;

/// An ISO 4217 code: three capital letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

/// What cannot be computed or read as money.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not a currency code.
    #[error("`{0}` is not an ISO 4217 currency code")]
    NotACurrency(String),
    /// Amounts of two currencies do not add up.
    #[error("{0} and {1} cannot be added")]
    MixedCurrencies(Currency, Currency),
    /// Too much money for 63 bits.
    #[error("the amount is out of range")]
    OutOfRange,
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;
    fn try_from(code: String) -> Result<Self, MoneyError> {
        match <[u8; 3]>::try_from(code.as_bytes()) {
            Ok(bytes) if bytes.iter().all(u8::is_ascii_uppercase) => Ok(Self(bytes)),
            _ => Err(MoneyError::NotACurrency(code)),
        }
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> String {
        currency.to_string()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{}", char::from(*b)))
    }
}

/// An amount in minor units (cents; whole won) of one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// Minor units; never a fraction.
    pub amount_minor: i64,
    /// Of which currency.
    pub currency: Currency,
}

impl Money {
    /// An amount.
    #[must_use]
    pub const fn new(amount_minor: i64, currency: Currency) -> Self {
        Self { amount_minor, currency }
    }

    /// Nothing, in that currency.
    #[must_use]
    pub const fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// Whether no payment is needed.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.amount_minor == 0
    }

    /// `self × factor`.
    ///
    /// # Errors
    /// [`MoneyError::OutOfRange`].
    pub fn times(self, factor: i64) -> Result<Self, MoneyError> {
        let amount_minor = self.amount_minor.checked_mul(factor).ok_or(MoneyError::OutOfRange)?;
        Ok(Self { amount_minor, ..self })
    }

    /// `self × numerator / denominator`, rounded down to the minor unit, in the customer's favour for fees.
    ///
    /// # Errors
    /// [`MoneyError::OutOfRange`], also for a denominator of zero.
    pub fn share(self, numerator: i64, denominator: i64) -> Result<Self, MoneyError> {
        let wide = i128::from(self.amount_minor) * i128::from(numerator);
        let amount = wide.checked_div_euclid(i128::from(denominator)).ok_or(MoneyError::OutOfRange)?;
        let amount_minor = i64::try_from(amount).map_err(|_| MoneyError::OutOfRange)?;
        Ok(Self { amount_minor, ..self })
    }

    /// `self + other`.
    ///
    /// # Errors
    /// When the currencies differ or the sum is out of range.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, i64::checked_add)
    }

    /// `self - other`.
    ///
    /// # Errors
    /// When the currencies differ or the difference is out of range.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, i64::checked_sub)
    }

    /// As people write it, with as many decimals as the currency has: `1,234.50 EUR`, `45,000 KRW`.
    #[must_use]
    pub fn for_people(self) -> String {
        let code = self.currency.to_string();
        let exponent = iso_currency::Currency::from_code(&code).and_then(iso_currency::Currency::exponent);
        // Of a currency that nobody knows, minor units are all there is to say.
        let decimals = usize::from(exponent.unwrap_or(0));
        let digits = format!("{:0width$}", self.amount_minor.unsigned_abs(), width = decimals + 1);
        let (whole, fraction) = digits.split_at(digits.len() - decimals);
        let mut text = if self.amount_minor < 0 { "-".to_owned() } else { String::new() };
        for (index, digit) in whole.chars().enumerate() {
            if index > 0 && (whole.len() - index).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        if decimals > 0 {
            text.push('.');
            text.push_str(fraction);
        }
        format!("{text} {code}")
    }

    fn combine(self, other: Self, op: fn(i64, i64) -> Option<i64>) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::MixedCurrencies(self.currency, other.currency));
        }
        let amount_minor = op(self.amount_minor, other.amount_minor).ok_or(MoneyError::OutOfRange)?;
        Ok(Self { amount_minor, ..self })
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount_minor, self.currency)
    }
}
