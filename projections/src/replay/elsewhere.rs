//! A rebuild that is asked for in one process and done by another: by whoever folds the view.

use super::{ReplayError, ReplayReport};
use crate::handle::Views;
use journal::{SubscriptionError, Subscriptions};
use serde::{Deserialize, Serialize};
use std::future::pending;
use std::time::Duration;

/// How long whoever asks waits for the answer. The rebuild itself goes on.
const PATIENCE: Duration = Duration::from_secs(600);
/// After an answer could not be written.
const BREATH: Duration = Duration::from_secs(1);

/// What the process that was asked says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Built { position: u64, documents: u64, compared: bool, differed: u64, first_difference: Option<String> },
    Failed(String),
}

impl Outcome {
    fn of(result: Result<ReplayReport, ReplayError>) -> Self {
        match result {
            Ok(ReplayReport { view: _, position, documents, compared, differed, first_difference }) => {
                Self::Built { position, documents, compared, differed, first_difference }
            }
            Err(error) => Self::Failed(told(&error)),
        }
    }

    fn report(self, view: &'static str) -> Result<ReplayReport, ReplayError> {
        match self {
            Self::Built { position, documents, compared, differed, first_difference } => {
                Ok(ReplayReport { view, position, documents, compared, differed, first_difference })
            }
            Self::Failed(reason) => Err(ReplayError::Elsewhere { view, reason }),
        }
    }
}

/// An error and its causes, for whoever cannot have the error itself.
fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

impl Views {
    pub(super) async fn rebuild_elsewhere(&self, index: usize) -> Result<ReplayReport, ReplayError> {
        let spec = self.inner.specs[index];
        let subscriptions = self.runner()?.subscriptions;
        let asked = async {
            let ticket = subscriptions.request_rebuild(spec.subscription).await?;
            subscriptions.rebuild_outcome(spec.subscription, ticket).await
        };
        let elsewhere = |reason| ReplayError::Elsewhere { view: spec.name(), reason };
        let answer =
            tokio::time::timeout(PATIENCE, asked).await.map_err(|_| elsewhere("nobody has answered".to_owned()))?;
        let answer = answer.map_err(crate::ViewError::from)?;
        serde_json::from_value::<Outcome>(answer).map_err(|error| elsewhere(error.to_string()))?.report(spec.name())
    }

    /// Does what other processes ask for, for as long as views are folded here. Ends only when everything does.
    pub(crate) async fn answer_rebuilds(&self, subscriptions: &Subscriptions) {
        if !subscriptions.are_shared() {
            return pending().await;
        }
        let names: Vec<&str> = self.subscriptions().into_iter().map(|(_, subscription)| subscription).collect();
        while let Ok(request) = subscriptions.rebuild_requested(&names).await {
            let Some(index) = self.inner.specs.iter().position(|spec| *spec.subscription == *request.name) else {
                continue;
            };
            if !self.inner.here.is(index) {
                // The lease is here and the view is not yet, or not any more.
                tokio::time::sleep(BREATH).await;
                continue;
            }
            let outcome = Outcome::of(self.rebuild_here(index).await);
            let answered = match serde_json::to_value(&outcome) {
                Ok(outcome) => subscriptions.rebuilt(&request, outcome).await,
                Err(_) => Err(SubscriptionError::Closing),
            };
            if let Err(error) = answered {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    subscription = request.name,
                    "a rebuild could not be answered; it is done again"
                );
                tokio::time::sleep(BREATH).await;
            }
        }
        pending().await
    }
}
