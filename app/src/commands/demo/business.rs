//! The businesses that are played, each with a store of its own.

use super::teller::Teller;
use super::{car_rental, cinema, coffee_shop, library, phone_shop};
use crate::failure::Failure;
use std::fmt;
use std::str::FromStr;

/// A line of business that comes along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Business {
    CarRental,
    PhoneShop,
    CoffeeShop,
    Cinema,
    Library,
}

/// Nobody plays a business of that name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the businesses are {}", Business::ALL.map(Business::name).join(", "))]
pub(crate) struct NoSuchBusiness;

impl Business {
    pub(super) const ALL: [Self; 5] = [Self::CarRental, Self::PhoneShop, Self::CoffeeShop, Self::Cinema, Self::Library];

    /// The name of its preset.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::CarRental => "car-rental",
            Self::PhoneShop => "phone-shop",
            Self::CoffeeShop => "coffee-shop",
            Self::Cinema => "cinema",
            Self::Library => "library",
        }
    }

    /// The store that it is played in.
    pub(super) const fn store(self) -> &'static str {
        match self {
            Self::CarRental => "seoul-cars",
            Self::PhoneShop => "yongsan-phones",
            Self::CoffeeShop => "jongno-coffee",
            Self::Cinema => "mapo-cinema",
            Self::Library => "suwon-library",
        }
    }

    /// The principal of its staff.
    pub(super) fn staff(self) -> String {
        format!("staff:{}", self.store())
    }

    pub(super) async fn tell(self, teller: &mut Teller) -> Result<(), Failure> {
        match self {
            Self::CarRental => car_rental::tell(teller).await,
            Self::PhoneShop => phone_shop::tell(teller).await,
            Self::CoffeeShop => coffee_shop::tell(teller).await,
            Self::Cinema => cinema::tell(teller).await,
            Self::Library => library::tell(teller).await,
        }
    }
}

impl FromStr for Business {
    type Err = NoSuchBusiness;

    fn from_str(text: &str) -> Result<Self, NoSuchBusiness> {
        Self::ALL.into_iter().find(|business| business.name() == text).ok_or(NoSuchBusiness)
    }
}

impl fmt::Display for Business {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
