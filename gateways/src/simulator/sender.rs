//! The provider's webhooks: signed, tried a few times, and in bounds.

use crate::http::{Http, causes};
use crate::protocol::{Event, SIGNATURE};
use crate::{Secret, signed};
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::CONTENT_TYPE;
use hyper::{Request, Uri};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};

const PATIENCE: Duration = Duration::from_secs(5);
/// How long after each attempt that failed there is another.
const PAUSES_MS: [u64; 5] = [200, 1_000, 3_000, 10_000, 30_000];
const AT_ONCE: usize = 64;
/// More than this are forgotten: nobody may rely on webhooks alone.
const MOST_WAITING: usize = 20_000;

/// Sends webhooks. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Sender {
    http: Http,
    /// Where they go now: also those that were refused before.
    url: watch::Sender<Option<Uri>>,
    secret: Secret,
    lines: Arc<Semaphore>,
    places: Arc<Semaphore>,
}

impl Sender {
    pub(super) fn new(url: Option<Uri>, secret: Secret) -> Self {
        let (lines, places) = (Arc::new(Semaphore::new(AT_ONCE)), Arc::new(Semaphore::new(MOST_WAITING)));
        Self { http: Http::new(), url: watch::Sender::new(url), secret, lines, places }
    }

    /// Sends them somewhere else from now on.
    pub(super) fn send_to(&self, url: Uri) {
        self.url.send_replace(Some(url));
    }

    /// Sends it until it was taken, so many times over, without holding anybody up.
    pub(super) fn send(&self, event: &Event, times: usize, after: Duration) {
        for _ in 0..times {
            let Ok(place) = self.places.clone().try_acquire_owned() else {
                tracing::warn!(event.id = %event.id, "too many webhooks are waiting");
                return;
            };
            let (sender, event) = (self.clone(), event.clone());
            tokio::spawn(async move {
                tokio::time::sleep(after).await;
                for pause in PAUSES_MS {
                    if sender.deliver(&event).await {
                        break;
                    }
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                }
                drop(place);
            });
        }
    }

    /// Sends it once; answers whether it was taken.
    pub(super) async fn deliver(&self, event: &Event) -> bool {
        // Nobody wants to know, or it cannot be said: then there is nothing to try again.
        let Some(url) = self.url.borrow().clone() else { return true };
        let Ok(body) = serde_json::to_vec(event) else { return true };
        // The semaphore is never closed; without a permit it is sent all the same.
        let _line = self.lines.acquire().await;
        let signature = signed(&self.secret, &body, chrono::Utc::now());
        let request = Request::post(url)
            .header(CONTENT_TYPE, "application/json")
            .header(SIGNATURE, signature)
            .body(Full::new(Bytes::from(body)));
        let Ok(request) = request else { return false };
        match tokio::time::timeout(PATIENCE, self.http.send(request)).await {
            Ok(Ok(reply)) if reply.status.is_success() => true,
            Ok(Ok(reply)) => {
                tracing::info!(event.id = %event.id, status = reply.status.as_u16(), "a webhook was refused");
                false
            }
            Ok(Err(error)) => {
                tracing::info!(event.id = %event.id, error = causes(&error), "a webhook did not arrive");
                false
            }
            Err(_) => false,
        }
    }
}
