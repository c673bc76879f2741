//! How the provider behaves: by the payment method, or by chance that follows from a seed.

use domain::Instant;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use uuid::Uuid;

const SLOW_MS: u64 = 900;
const LATE_WEBHOOK_MS: u64 = 3_000;
/// Nothing takes longer than this.
const MOST_MS: u64 = 600_000;

/// What happens to a charge and its refunds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Behaviour {
    /// Charged, answered, and told by webhook.
    Approve,
    /// No.
    Decline,
    /// No, for lack of funds.
    InsufficientFunds,
    /// The method is not known.
    UnknownMethod,
    /// The first time 500, and nothing charged.
    ServerError,
    /// Charged after `slow_ms`.
    Slow,
    /// Charged, and the connection cut instead of an answer.
    ChargedAnswerLost,
    /// The first time the connection is cut, and nothing charged.
    NotChargedAnswerLost,
    /// Every webhook comes three times.
    DuplicateWebhook,
    /// The webhook comes after `late_webhook_ms`.
    LateWebhook,
    /// The webhook comes before the answer.
    WebhookFirst,
    /// 409 while the charge is being made, for `slow_ms`.
    InFlight,
    /// The first refund fails.
    RefundFailsOnce,
    /// Every refund fails.
    RefundFailsAlways,
    /// Refunded, and the first time the connection cut instead of an answer.
    RefundAnswerLost,
}

/// Whether the provider can be reached at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutageKind {
    /// Connections are refused, those that exist are cut.
    Refuse,
    /// Requests are taken and never answered; only `/script` and `/ledger` are.
    Hang,
}

/// A time without service, from when the script begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outage {
    /// In which way.
    pub kind: OutageKind,
    /// For how long.
    pub for_ms: u64,
}

/// How the provider behaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Script {
    /// The same seed gives the same behaviour for the same key.
    pub seed: u64,
    /// Every answer takes a time within this range.
    pub latency_ms: [u64; 2],
    /// How long what is slow takes.
    pub slow_ms: u64,
    /// How late a late webhook is.
    pub late_webhook_ms: u64,
    /// Weights of behaviours for the method `pm_ok`; none at all means that it is approved.
    pub behaviours: BTreeMap<Behaviour, u32>,
    /// Whether the provider can be reached.
    pub outage: Option<Outage>,
}

/// Why a script cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// The file is not there.
    #[error("cannot read the script {path}")]
    Unreadable {
        /// Which file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is not JSON of a script.
    #[error("the script is not readable: {0}")]
    Json(#[from] serde_json::Error),
    /// It is not TOML of a script.
    #[error("the script is not readable: {0}")]
    Toml(String),
    /// Its values make no sense.
    #[error("the script's {field} {why}")]
    Wrong {
        /// Which value.
        field: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
}

impl Default for Script {
    fn default() -> Self {
        Self {
            seed: 0,
            latency_ms: [0, 0],
            slow_ms: SLOW_MS,
            late_webhook_ms: LATE_WEBHOOK_MS,
            behaviours: BTreeMap::new(),
            outage: None,
        }
    }
}

impl Script {
    /// Reads a file: TOML where it is called so, else JSON.
    ///
    /// # Errors
    /// When it is not there, or is no script.
    pub fn load(path: &Path) -> Result<Self, ScriptError> {
        let unreadable = |source| ScriptError::Unreadable { path: path.display().to_string(), source };
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        if path.extension().is_some_and(|extension| extension == "toml") {
            let script: Self = toml::from_str(&text).map_err(|error| ScriptError::Toml(error.message().to_owned()))?;
            return script.checked();
        }
        Self::from_json(text.as_bytes())
    }

    /// Reads JSON.
    ///
    /// # Errors
    /// When it is no script.
    pub fn from_json(text: &[u8]) -> Result<Self, ScriptError> {
        serde_json::from_slice::<Self>(text)?.checked()
    }

    fn checked(self) -> Result<Self, ScriptError> {
        let wrong = |field, why| Err(ScriptError::Wrong { field, why });
        let [least, most] = self.latency_ms;
        if least > most {
            return wrong("latency_ms", "goes backwards");
        }
        let outage = self.outage.map_or(0, |outage| outage.for_ms);
        for (field, value) in [
            ("latency_ms", most),
            ("slow_ms", self.slow_ms),
            ("late_webhook_ms", self.late_webhook_ms),
            ("outage", outage),
        ] {
            if value > MOST_MS {
                return wrong(field, "is more than ten minutes");
            }
        }
        if !self.behaviours.is_empty() && self.total() == 0 {
            return wrong("behaviours", "weigh nothing");
        }
        Ok(self)
    }

    /// What happens to the charge with this key.
    #[must_use]
    pub fn behaviour(&self, key: Uuid, method: &str) -> Behaviour {
        match method {
            "pm_ok" => self.by_chance(key),
            "pm_declined" => Behaviour::Decline,
            "pm_insufficient_funds" => Behaviour::InsufficientFunds,
            "pm_server_error" => Behaviour::ServerError,
            "pm_slow" => Behaviour::Slow,
            "pm_charged_but_timed_out" => Behaviour::ChargedAnswerLost,
            "pm_not_charged_but_timed_out" => Behaviour::NotChargedAnswerLost,
            "pm_duplicate_webhook" => Behaviour::DuplicateWebhook,
            "pm_late_webhook" => Behaviour::LateWebhook,
            "pm_webhook_first" => Behaviour::WebhookFirst,
            "pm_in_flight" => Behaviour::InFlight,
            "pm_refund_fails_once" => Behaviour::RefundFailsOnce,
            "pm_refund_fails_always" => Behaviour::RefundFailsAlways,
            "pm_refund_answer_lost" => Behaviour::RefundAnswerLost,
            _ => Behaviour::UnknownMethod,
        }
    }

    fn total(&self) -> u64 {
        self.behaviours.values().copied().map(u64::from).sum()
    }

    fn by_chance(&self, key: Uuid) -> Behaviour {
        let total = self.total();
        if total == 0 {
            return Behaviour::Approve;
        }
        let mut drawn = self.chance(key, 0) % total;
        for (behaviour, weight) in &self.behaviours {
            match drawn.checked_sub(u64::from(*weight)) {
                Some(left) => drawn = left,
                None => return *behaviour,
            }
        }
        Behaviour::Approve
    }

    /// How long the answer to the nth call with this key takes.
    pub(super) fn latency(&self, key: Uuid, call: u64) -> Duration {
        let [least, most] = self.latency_ms;
        Duration::from_millis(least + self.chance(key, call.saturating_add(1)) % (most - least + 1))
    }

    /// A number that follows from seed, key and turn.
    fn chance(&self, key: Uuid, turn: u64) -> u64 {
        let mut hash = 0xCBF2_9CE4_8422_2325 ^ self.seed;
        for byte in key.into_bytes().into_iter().chain(turn.to_le_bytes()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
        }
        hash = (hash ^ (hash >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        hash = (hash ^ (hash >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        hash ^ (hash >> 31)
    }

    /// Until when the provider is away, if it is.
    pub(super) fn away_until(&self, begun: Instant) -> Option<(OutageKind, Instant)> {
        let outage = self.outage?;
        Some((outage.kind, begun + Duration::from_millis(outage.for_ms)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_kept_and_the_same_key_behaves_the_same() {
        let script = Script::from_json(br#"{"seed": 7, "behaviours": {"approve": 3, "decline": 1}}"#).unwrap();
        let declined = (0..4_000)
            .filter(|number| {
                let key = Uuid::from_u128(*number);
                let behaviour = script.behaviour(key, "pm_ok");
                assert_eq!(behaviour, script.behaviour(key, "pm_ok"));
                behaviour == Behaviour::Decline
            })
            .count();
        assert!((900..1_100).contains(&declined), "{declined} of 4000");
    }

    #[test]
    fn an_answer_takes_a_time_within_the_range() {
        let script = Script { latency_ms: [400, 620], ..Script::default() };
        let latencies: Vec<_> = (0..1_000).map(|call| script.latency(Uuid::nil(), call).as_millis()).collect();
        assert!(latencies.iter().all(|latency| (400..=620).contains(latency)));
        assert!(latencies.iter().any(|latency| *latency < 430) && latencies.iter().any(|latency| *latency > 590));
    }

    #[test]
    fn a_script_that_makes_no_sense_is_refused() {
        for text in [
            "",
            r#"{"behaviours": {"explode": 1}}"#,
            r#"{"behaviours": {"approve": 0}}"#,
            r#"{"latency_ms": [2, 1]}"#,
            r#"{"slow_ms": 600001}"#,
            r#"{"colour": "red"}"#,
        ] {
            assert!(Script::from_json(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_file_is_toml_where_it_is_called_so() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("script.toml");
        std::fs::write(&path, "latency_ms = [400, 620]\n[behaviours]\napprove = 9\nslow = 1\n").unwrap();
        let script = Script::load(&path).unwrap();
        assert_eq!((script.latency_ms, script.total()), ([400, 620], 10));
        assert!(Script::load(&directory.path().join("none.json")).is_err());
    }
}
