//! Given events, when a command, then events: rules as sentences. And sample values.

use crate::policy::{Policy, Rules};
use crate::rental::Terms;
use crate::{CustomerId, Instant, ItemId, Language, Money, Period, RentalId, StoreSlug};
use cqrs_es::{Aggregate, event_sink::EventSink};
use std::fmt::Debug;
use uuid::Uuid;

/// An aggregate to which these events have happened.
pub(crate) fn given<A>(events: impl IntoIterator<Item = A::Event>) -> Given<A>
where
    A: Aggregate<Services = ()>,
{
    let mut state = A::default();
    events.into_iter().for_each(|event| state.apply(event));
    Given { state }
}

pub(crate) struct Given<A> {
    pub(crate) state: A,
}

impl<A: Aggregate<Services = ()>> Given<A> {
    pub(crate) fn when(mut self, command: A::Command) -> When<A>
    where
        A::Command: Clone,
    {
        let answer = execute(&mut self.state, command.clone());
        When { state: self.state, command, answer }
    }
}

#[must_use = "say what happens then"]
pub(crate) struct When<A: Aggregate> {
    state: A,
    command: A::Command,
    answer: Result<Vec<A::Event>, A::Error>,
}

impl<A> When<A>
where
    A: Aggregate<Services = ()> + PartialEq + Debug,
    A::Error: PartialEq,
{
    /// These events happen. In every scenario, the same command again then changes nothing ("already so"), and the
    /// state can be stored and read again.
    pub(crate) fn then(mut self, expected: impl IntoIterator<Item = A::Event>) {
        let expected: Vec<_> = expected.into_iter().collect();
        assert_eq!(self.answer, Ok(expected));
        assert_eq!(execute(&mut self.state, self.command), Ok(vec![]), "a repeat is not `already so`");
        let stored = serde_json::to_string(&self.state).unwrap();
        assert_eq!(serde_json::from_str::<A>(&stored).unwrap(), self.state, "{stored}");
    }

    /// The command is refused, and would be again.
    pub(crate) fn then_refused(mut self, error: A::Error) {
        assert_eq!(self.answer.as_ref(), Err(&error));
        assert_eq!(execute(&mut self.state, self.command), Err(error));
    }
}

/// What a command gives, by way of the same door as in production.
fn execute<A: Aggregate<Services = ()>>(state: &mut A, command: A::Command) -> Result<Vec<A::Event>, A::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let sink = EventSink::default();
        state.handle(command, &(), &sink).await?;
        Ok(sink.collect().await)
    })
}

/// `2026-07-05T10:00Z`, with any offset; or a date at midnight UTC.
pub(crate) fn at(text: &str) -> Instant {
    let midnight = format!("{text}T00:00Z");
    let text = if text.contains('T') { text } else { &midnight };
    chrono::DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M%#z").unwrap().to_utc()
}

pub(crate) fn period(from: &str, to: &str) -> Period {
    Period::new(at(from), at(to)).unwrap()
}

pub(crate) fn euros(cents: i64) -> Money {
    Money::new(cents, "EUR".to_owned().try_into().unwrap())
}

pub(crate) fn rental(number: u128) -> RentalId {
    RentalId(Uuid::from_u128(number))
}

pub(crate) fn item(number: u128) -> ItemId {
    ItemId(Uuid::from_u128(number))
}

pub(crate) fn customer() -> CustomerId {
    "ann".parse().unwrap()
}

pub(crate) fn shop() -> StoreSlug {
    "berlin-cars".parse().unwrap()
}

pub(crate) fn rules(preset: &str) -> Rules {
    Policy::preset(preset).unwrap().rules
}

/// One car in Berlin for three days of July.
pub(crate) fn car_terms() -> Terms {
    Terms {
        customer: customer(),
        store: shop(),
        item: item(7),
        quantity: 1,
        period: Some(period("2026-07-01", "2026-07-04")),
        seats: vec![],
        wait: false,
        payment_method: "tok_visa".to_owned(),
        policy: "car-rental".to_owned(),
        rules: rules("car-rental"),
        time_zone: chrono_tz::Europe::Berlin,
        language: Language::En,
    }
}

/// One of something of another business, without a period.
pub(crate) fn terms_of(preset: &str) -> Terms {
    Terms { period: None, policy: preset.to_owned(), rules: rules(preset), ..car_terms() }
}
