//! Writes messages and hands them to the messenger.

use super::process::{Command, Messages, News};
use super::{Delivered, Messenger, Outgoing, Pace, Undelivered};
use crate::Clock;
use crate::orders::{Key, Likely, inspect, order};
use crate::runner::{Answer, Orders};
use crate::tenure::Tenure;
use domain::inventory::Item;
use domain::message::{Letter, Message, MessageCommand, MessageStatus, Particulars};
use domain::policy::Occasion;
use domain::rental::{Rental, RentalStatus, Terms};
use domain::store::{Profile, Store};
use domain::{CustomerId, ItemId, Language, MessageId, Money, Period, RentalId, StoreSlug};
use journal::{Context, Executor};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use uuid::Uuid;

/// What a message is made of, and who carries it.
pub(crate) struct Post {
    pub(crate) messages: Executor<Message>,
    pub(crate) rentals: Executor<Rental>,
    pub(crate) items: Executor<Item>,
    pub(crate) stores: Executor<Store>,
    pub(crate) messenger: Arc<dyn Messenger>,
    pub(crate) clock: Arc<dyn Clock>,
    /// How long the messenger may take.
    pub(crate) timeout: Duration,
    /// So many messages at once.
    pub(crate) lines: Semaphore,
    /// And so many after one another.
    pub(crate) pace: Pace,
    pub(crate) tenure: Tenure,
}

type Carried = Result<(), Answer<Infallible>>;

impl Orders<Messages> for Post {
    async fn carry_out(&self, id: Uuid, command: Command, context: &Context) -> Carried {
        match command {
            Command::Record { message, news } => self.record(RentalId(id), message, news, context).await,
            Command::Send { message, attempt } => self.send(message, attempt, context).await,
        }
    }
}

/// What the rental says of itself.
struct Told {
    customer: CustomerId,
    store: StoreSlug,
    item: ItemId,
    quantity: u32,
    period: Option<Period>,
    seats: Vec<String>,
    language: Language,
    total: Option<Money>,
    status: RentalStatus,
}

impl Told {
    fn of(rental: &Rental, terms: &Terms) -> Option<Self> {
        Some(Self {
            customer: terms.customer.clone(),
            store: terms.store.clone(),
            item: terms.item,
            quantity: terms.quantity,
            period: rental.period(),
            seats: terms.seats.clone(),
            language: terms.language,
            total: rental.total(),
            status: rental.status()?,
        })
    }
}

impl Post {
    /// Most rentals have nothing to say on most occasions; then their own list is all that is looked at.
    async fn record(&self, rental: RentalId, message: MessageId, news: News, context: &Context) -> Carried {
        let occasion = news.occasion;
        let key = Key::of(rental.0);
        let told = inspect(&self.rentals, key.as_str(), |state| {
            let terms = state.terms().filter(|terms| terms.rules.messages.contains(&occasion))?;
            Told::of(state, terms)
        });
        let Some(told) = told.await? else { return Ok(()) };
        let profile = inspect(&self.stores, told.store.as_str(), |store| store.profile().cloned()).await?;
        let Some(profile) = profile else {
            return Err(Answer::Broken(format!("there is no store `{}`", told.store)));
        };
        // What is said, and in which words, is the shop's as it is today.
        let Some(texts) = profile.policy.words.messages.get(&occasion) else {
            tracing::info!(rental.id = %rental, %occasion, store = %told.store, "the store says nothing of this any more");
            return Ok(());
        };
        let template = texts.text_in(told.language);
        let particulars = self.particulars(rental, &told, &profile, news).await?;
        let Told { customer, store, language, .. } = told;
        let letter = Letter { customer, store, occasion, language, text: particulars.fill(template) };
        let command = MessageCommand::Record { rental, letter, now: self.clock.now() };
        self.order(message, Likely::New, command, context).await
    }

    async fn particulars(
        &self,
        rental: RentalId,
        told: &Told,
        profile: &Profile,
        News { occasion, amount, until }: News,
    ) -> Result<Particulars, Answer<Infallible>> {
        let key = Key::of(told.item.0);
        let item = inspect(&self.items, key.as_str(), |item| {
            (item.name().unwrap_or_default().to_owned(), item.seats_of(rental))
        });
        let (item, assigned) = item.await?;
        let sum = |occasions: &[Occasion]| {
            let about_it = occasions.contains(&occasion);
            about_it.then(|| amount.unwrap_or(Money::zero(profile.currency)))
        };
        let status = profile.policy.words.label(occasion.status().unwrap_or(told.status)).to_owned();
        Ok(Particulars {
            store: profile.name.clone(),
            item,
            quantity: told.quantity,
            period: told.period,
            seats: if assigned.is_empty() { told.seats.clone() } else { assigned },
            total: sum(&[Occasion::Confirmed]).or(told.total),
            fee: sum(&[Occasion::Cancelling, Occasion::Returned, Occasion::Extended]),
            refunded: sum(&[Occasion::Cancelled]),
            until,
            status,
            rental,
            time_zone: profile.time_zone,
        })
    }

    async fn send(&self, message: MessageId, attempt: u32, context: &Context) -> Carried {
        // Repeated after a crash, an order may find its outcome recorded.
        let key = Key::of(message.0);
        let outgoing = inspect(&self.messages, key.as_str(), |state| {
            let open = state.status() != Some(MessageStatus::Sent) && state.failures() + 1 == attempt;
            let (rental, letter) = state.rental().zip(state.letter().cloned()).filter(|_| open)?;
            Some(Outgoing { message, rental, letter, recorded_at: state.recorded_at()? })
        });
        let Some(outgoing) = outgoing.await? else { return Ok(()) };
        let delivered = {
            // The semaphore is never closed; without a permit the call is made all the same.
            let _line = self.lines.acquire().await;
            self.pace.turn().await;
            // Where another process may be at it by now, nothing goes out from here.
            self.tenure.check()?;
            tokio::time::timeout(self.timeout, self.messenger.deliver(outgoing)).await
        };
        let now = self.clock.now();
        let outcome = match delivered {
            Ok(Ok(Delivered { reference })) => MessageCommand::MarkSent { reference, now },
            Ok(Err(Undelivered { reason, permanent })) => {
                MessageCommand::MarkFailed { attempt, reason, permanent, now }
            }
            Err(_) => {
                let reason = "no answer in time".to_owned();
                MessageCommand::MarkFailed { attempt, reason, permanent: false, now }
            }
        };
        if let MessageCommand::MarkFailed { reason, permanent, .. } = &outcome {
            tracing::warn!(message.id = %message, attempt, reason, permanent, "a message has not gone out");
        }
        self.order(message, Likely::Known, outcome, context).await
    }

    async fn order(&self, message: MessageId, likely: Likely, command: MessageCommand, context: &Context) -> Carried {
        let answer = order(&self.messages, Key::of(message.0).as_str(), likely, command, context).await?;
        if let Err(refusal) = answer {
            tracing::error!(message.id = %message, %refusal, "what became of a message is not what was recorded before");
        }
        Ok(())
    }
}
