//! What the stores offer, and how much of it can be had.

use crate::answer::Answer;
use crate::error::{invalid, not_found};
use crate::problem::Problem;
use crate::reading::{Listed, Reading};
use crate::{Api, schema, when};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::inventory::{Item, Stock};
use domain::policy::StockKind;
use domain::{Instant, ItemId, Money, StoreSlug};
use projections::{Catalogue, CatalogueEntry, ItemPayments, ItemReviews, ItemStock, LastAction};
use serde::Serialize;
use std::sync::Arc;

/// An item as it is answered. What it holds of a view is left out where the view was not asked.
#[derive(Serialize)]
pub(crate) struct Shown {
    id: ItemId,
    store: StoreSlug,
    name: String,
    description: Option<String>,
    price: Money,
    #[serde(skip_serializing_if = "Option::is_none")]
    stock: Option<StockShown>,
    stock_kind: Option<StockKind>,
    available: Option<u32>,
    retired: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reservations: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting: Option<u64>,
    payments: Option<ItemPayments>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reviews: Option<ReviewsShown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_action: Option<LastAction>,
}

/// How many reviews there are, and how many stars they have on average.
#[derive(Debug, Clone, Copy, Serialize)]
struct ReviewsShown {
    count: u64,
    /// To two decimals; null where there is none.
    average: Option<f64>,
}

impl From<ItemReviews> for ReviewsShown {
    fn from(reviews: ItemReviews) -> Self {
        // Written as a decimal and never computed with.
        let decimal = |hundredths: u64| format!("{}.{:02}", hundredths / 100, hundredths % 100).parse().ok();
        Self { count: reviews.count, average: reviews.average_hundredths().and_then(decimal) }
    }
}

/// Stock as it is written when an item is registered.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub(crate) enum StockShown {
    /// So many units; null for made to order.
    Units(Option<u32>),
    /// These seats.
    Seats {
        /// Their names.
        seats: Vec<String>,
    },
}

impl From<&Stock> for StockShown {
    fn from(stock: &Stock) -> Self {
        match stock {
            Stock::Pool { units } => Self::Units(Some(*units)),
            Stock::Sale { units } => Self::Units(*units),
            Stock::Seats { seats } => Self::Seats { seats: seats.clone() },
        }
    }
}

impl From<ItemStock> for StockShown {
    fn from(stock: ItemStock) -> Self {
        match stock.kind {
            StockKind::Pool | StockKind::Sale => Self::Units(stock.units),
            StockKind::Seats => Self::Seats { seats: stock.seats },
        }
    }
}

impl Shown {
    /// As the item itself knows it; `None` when it is not registered.
    pub(crate) fn of_aggregate(id: ItemId, item: &Item, stock: Option<StockShown>, now: Instant) -> Option<Self> {
        let counted = match item.stock_kind()? {
            StockKind::Pool | StockKind::Sale => Some(StockShown::Units(item.units())),
            StockKind::Seats => None,
        };
        Some(Self {
            id,
            store: item.store()?.clone(),
            name: item.name()?.to_owned(),
            description: item.description().map(str::to_owned),
            price: item.price()?,
            stock: counted.or(stock),
            stock_kind: item.stock_kind(),
            available: item.available(None, now),
            retired: item.is_retired(),
            reservations: None,
            waiting: None,
            payments: None,
            reviews: None,
            last_action: None,
        })
    }

    /// As the view has it, with what is available now from the item itself.
    async fn of_entry(api: &Api, entry: CatalogueEntry) -> Result<Self, Problem> {
        let now = chrono::Utc::now();
        let available = api.items.inspect(&entry.id.to_string(), |item, _| item.available(None, now)).await?;
        Ok(Self {
            id: entry.id,
            store: entry.store,
            name: entry.name,
            description: entry.description,
            price: entry.price,
            stock_kind: Some(entry.stock.kind),
            stock: Some(entry.stock.into()),
            available,
            retired: entry.retired,
            reservations: Some(entry.reservations),
            waiting: Some(entry.waiting),
            payments: Some(entry.payments),
            reviews: Some(entry.reviews.into()),
            last_action: Some(entry.last_action),
        })
    }
}

/// What a store offers, newest first.
#[utoipa::path(
    get, path = "/v1/stores/{store}/items", tag = "items",
    params(("store" = String, Path), schema::QueryParams, schema::ListParams),
    responses((status = 200, description = "The items", body = schema::List<schema::Item>), schema::QueryProblems)
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Path(store): Path<String>,
    reading: Reading,
) -> Result<Answer, Problem> {
    let params = reading.present(&["limit", "cursor"])?;
    params.limit()?;
    let slug: StoreSlug = store.parse().map_err(|_| not_found("store", &store))?;
    if api.profile(&slug).await?.is_none() {
        return Err(not_found("store", store));
    }
    let (page, position) = params.page::<Catalogue>(&api, Some(slug.as_str()), Some(Catalogue::OFFERED)).await?;
    let mut items = Vec::with_capacity(page.items.len());
    for entry in page.items {
        items.push(Shown::of_entry(&api, entry).await?);
    }
    Ok(Listed { items, next: page.next }.answer(position))
}

/// One item.
#[utoipa::path(
    get, path = "/v1/items/{item}", tag = "items", params(("item" = uuid::Uuid, Path), schema::QueryParams),
    responses((status = 200, description = "The item", body = schema::Item), schema::QueryProblems)
)]
pub(crate) async fn one(
    State(api): State<Arc<Api>>,
    Path(name): Path<String>,
    reading: Reading,
) -> Result<Answer, Problem> {
    let params = reading.present(&[])?;
    let item: ItemId = name.parse().map_err(|_| not_found("item", &name))?;
    let position = params.fresh::<Catalogue>(&api).await?;
    let entry = api.views.document::<Catalogue>(item).await?.ok_or_else(|| not_found("item", name))?;
    let revision = entry.revision;
    Ok(Answer::json(StatusCode::OK, &Shown::of_entry(&api, entry).await?).revision(revision).at(position))
}

/// How much can be had over a whole range.
#[derive(Serialize)]
struct Availability {
    item: ItemId,
    /// Null for as many as are asked for.
    available: Option<u32>,
}

/// How much of an item can be had at every instant of a range, or now.
#[utoipa::path(
    get, path = "/v1/items/{item}/availability", tag = "items",
    params(("item" = uuid::Uuid, Path), schema::RangeParams, schema::QueryParams),
    responses((status = 200, description = "How much", body = schema::Availability), schema::QueryProblems)
)]
pub(crate) async fn availability(
    State(api): State<Arc<Api>>,
    Path(name): Path<String>,
    reading: Reading,
) -> Result<Answer, Problem> {
    let params = reading.present(&["from", "to"])?;
    let item: ItemId = name.parse().map_err(|_| not_found("item", &name))?;
    let store = api.store_of(item).await?.ok_or_else(|| not_found("item", &name))?;
    let profile = api.profile(&store).await?.ok_or_else(|| not_found("store", store))?;
    let period = when::period(params.get("from"), params.get("to"), profile.time_zone)?;
    if period.is_some_and(|period| period.to <= period.from) {
        return Err(invalid("to", "after `from`"));
    }
    let position = params.reached(&api).await?;
    let now = chrono::Utc::now();
    let available = api.items.inspect(&item.to_string(), |item, _| item.available(period, now)).await?;
    Ok(Answer::json(StatusCode::OK, &Availability { item, available }).at(position))
}
