//! Who carries out the commands of the process managers. Each tenure has its own; what they share is kept here.

use crate::cashier::Cashier;
use crate::messages::{Pace, Post};
use crate::payments::{Breaker, PaymentProvider, Till};
use crate::processes::dispatch::Counter;
use crate::processes::extension::Clerk;
use crate::processes::reservation::Desk;
use crate::processes::waiting::Steward;
use crate::tenure::Tenure;
use crate::{Clock, Messenger, Settings};
use domain::dispatch::Dispatch;
use domain::inventory::Item;
use domain::message::Message;
use domain::payment::Payment;
use domain::quota::Quota;
use domain::rental::Rental;
use domain::store::Store;
use journal::Executor;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Everything that orders are given to.
#[derive(Clone)]
pub(crate) struct Crew {
    pub(crate) rentals: Executor<Rental>,
    pub(crate) payments: Executor<Payment>,
    pub(crate) items: Executor<Item>,
    pub(crate) dispatches: Executor<Dispatch>,
    pub(crate) quotas: Executor<Quota>,
    pub(crate) stores: Executor<Store>,
    pub(crate) messages: Executor<Message>,
    pub(crate) provider: Arc<dyn PaymentProvider>,
    pub(crate) breaker: Breaker,
    pub(crate) messenger: Arc<dyn Messenger>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: Settings,
}

impl Crew {
    fn cashier(&self) -> Cashier {
        Cashier { rentals: self.rentals.clone(), payments: self.payments.clone(), clock: self.clock.clone() }
    }

    pub(crate) fn desk(&self) -> Desk {
        Desk {
            rentals: self.rentals.clone(),
            cashier: self.cashier(),
            items: self.items.clone(),
            dispatches: self.dispatches.clone(),
            quotas: self.quotas.clone(),
            clock: self.clock.clone(),
        }
    }

    pub(crate) fn clerk(&self) -> Clerk {
        Clerk {
            rentals: self.rentals.clone(),
            items: self.items.clone(),
            cashier: self.cashier(),
            clock: self.clock.clone(),
        }
    }

    pub(crate) fn counter(&self) -> Counter {
        Counter {
            rentals: self.rentals.clone(),
            dispatches: self.dispatches.clone(),
            stores: self.stores.clone(),
            clock: self.clock.clone(),
        }
    }

    pub(crate) fn steward(&self) -> Steward {
        Steward { items: self.items.clone(), clock: self.clock.clone() }
    }

    pub(crate) fn till(&self, tenure: Tenure) -> Till {
        let Settings { provider_timeout, provider_calls, .. } = self.settings;
        let (payments, provider, clock) = (self.payments.clone(), self.provider.clone(), self.clock.clone());
        Till::new(payments, provider, clock, self.breaker.clone(), provider_timeout, provider_calls, tenure).telling()
    }

    pub(crate) fn post(&self, tenure: Tenure) -> Post {
        let Settings { messenger_timeout, messenger_calls, messages_per_second, .. } = self.settings;
        Post {
            messages: self.messages.clone(),
            rentals: self.rentals.clone(),
            items: self.items.clone(),
            stores: self.stores.clone(),
            messenger: self.messenger.clone(),
            clock: self.clock.clone(),
            timeout: messenger_timeout,
            lines: Semaphore::new(messenger_calls.min(Semaphore::MAX_PERMITS)),
            pace: Pace::new(messages_per_second),
            tenure,
        }
    }
}
