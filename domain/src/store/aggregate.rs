//! What a shop is, and how it may change.

use super::{StoreCommand, StoreError, StoreEvent};
use crate::aggregate::fits;
use crate::policy::Policy;
use crate::{Currency, StoreSlug};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What everybody may know about a shop. Cheap to copy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// Its name in addresses.
    pub slug: StoreSlug,
    /// Its name on the sign.
    pub name: String,
    /// How it does business.
    pub policy: Arc<Policy>,
    /// In which its days are counted.
    pub time_zone: Tz,
    /// In which its prices are.
    pub currency: Currency,
    /// Whether its dispatches go on.
    pub open: bool,
}

/// A shop.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Store {
    profile: Option<Profile>,
    /// As it was founded, so that a repeated registration is known again after the shop has changed.
    founded: Option<Profile>,
}

impl Store {
    /// What it is; `None` when there is no such shop.
    #[must_use]
    pub const fn profile(&self) -> Option<&Profile> {
        self.profile.as_ref()
    }

    /// The rules. An empty list means "already so".
    ///
    /// # Errors
    /// When a name or policy does not fit, and when the slug is taken.
    pub fn decide(&self, command: StoreCommand) -> Result<Vec<StoreEvent>, StoreError> {
        use {StoreCommand as Cmd, StoreError as Refused, StoreEvent as Evt};
        match (&self.profile, command) {
            (None, Cmd::Register { slug, name, policy, time_zone, currency, now }) => {
                check_name(&name)?;
                policy.check().map_err(Refused::Policy)?;
                Ok(vec![Evt::Registered { slug, name, policy, time_zone, currency, at: now }])
            }
            (Some(_), Cmd::Register { slug, name, policy, time_zone, currency, .. }) => {
                let again = Profile { slug, name, policy: policy.into(), time_zone, currency, open: true };
                if self.founded.as_ref() == Some(&again) { Ok(vec![]) } else { Err(Refused::SlugTaken) }
            }
            (None, Cmd::Revise { .. } | Cmd::Open { .. } | Cmd::Close { .. }) => Err(Refused::NotRegistered),
            (Some(shop), Cmd::Revise { name, policy, now }) => {
                let name = name.filter(|name| *name != shop.name);
                let policy = policy.filter(|policy| **policy != *shop.policy);
                if let Some(name) = &name {
                    check_name(name)?;
                }
                if let Some(policy) = &policy {
                    policy.check().map_err(Refused::Policy)?;
                    if policy.rules.stock != shop.policy.rules.stock {
                        return Err(Refused::AnotherKindOfStock);
                    }
                }
                let renamed = name.map(|name| Evt::Renamed { name, at: now });
                let adopted = policy.map(|policy| Evt::PolicyAdopted { policy, at: now });
                Ok(renamed.into_iter().chain(adopted).collect())
            }
            (Some(shop), Cmd::Open { .. }) if shop.open => Ok(vec![]),
            (Some(_), Cmd::Open { now }) => Ok(vec![Evt::Opened { at: now }]),
            (Some(shop), Cmd::Close { .. }) if !shop.open => Ok(vec![]),
            (Some(_), Cmd::Close { now }) => Ok(vec![Evt::Closed { at: now }]),
        }
    }

    fn fold(&mut self, event: StoreEvent) {
        match (event, &mut self.profile) {
            (StoreEvent::Registered { slug, name, policy, time_zone, currency, .. }, _) => {
                let profile = Profile { slug, name, policy: policy.into(), time_zone, currency, open: true };
                self.founded = Some(profile.clone());
                self.profile = Some(profile);
            }
            (StoreEvent::Renamed { name, .. }, Some(shop)) => shop.name = name,
            (StoreEvent::PolicyAdopted { policy, .. }, Some(shop)) => shop.policy = policy.into(),
            (StoreEvent::Opened { .. }, Some(shop)) => shop.open = true,
            (StoreEvent::Closed { .. }, Some(shop)) => shop.open = false,
            // Never written: every other order to a shop that is not registered is refused.
            (_, None) => {}
        }
    }
}

fn check_name(name: &str) -> Result<(), StoreError> {
    if fits(name, 200) { Ok(()) } else { Err(StoreError::DoesNotFit { field: "name", why: "1 to 200 characters" }) }
}

crate::aggregate::aggregate!(Store, "store", StoreCommand => StoreEvent | StoreError);
