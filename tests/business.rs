//! The five lines of business, as the stories open them.

use serde_json::{Value, json};

/// What a car costs a day, in won.
pub const PRICE: i64 = 50_000;

/// A store of one line of business, and the first thing that it offers.
#[derive(Debug, Clone)]
pub struct Business {
    /// The store's name in addresses.
    pub slug: &'static str,
    /// The name of a preset, or a whole policy.
    pub policy: Value,
    /// What the item is called.
    pub item: &'static str,
    /// What one of it costs, in won (for a day, where prices are per day).
    pub price: i64,
}

impl Business {
    /// Every line of business that comes along.
    #[must_use]
    pub fn all() -> [Self; 5] {
        [Self::cars(), Self::phones(), Self::coffee(), Self::cinema(), Self::library()]
    }

    /// Cars by the day.
    #[must_use]
    pub fn cars() -> Self {
        Self::new("seoul-cars", "car-rental", "Hyundai Avante", PRICE)
    }

    /// Phones for good.
    #[must_use]
    pub fn phones() -> Self {
        Self::new("yongsan-phones", "phone-shop", "Galaxy S30", 990_000)
    }

    /// Coffee in five minutes.
    #[must_use]
    pub fn coffee() -> Self {
        Self::new("jongno-coffee", "coffee-shop", "Americano", 4_500)
    }

    /// A screening.
    #[must_use]
    pub fn cinema() -> Self {
        Self::new("mapo-cinema", "cinema", "Parasite, Friday at eight", 15_000)
    }

    /// Books by the loan.
    #[must_use]
    pub fn library() -> Self {
        Self::new("suwon-library", "library", "The Vegetarian", 1_000)
    }

    /// The same under a policy of its own.
    #[must_use]
    pub fn under(self, policy: Value) -> Self {
        Self { policy, ..self }
    }

    fn new(slug: &'static str, preset: &str, item: &'static str, price: i64) -> Self {
        Self { slug, policy: json!(preset), item, price }
    }
}
