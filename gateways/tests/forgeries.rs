//! Ten thousand forgeries, none of which is believed. `SEED=… cargo test -p gateways --test forgeries` repeats a run.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use chrono::{DateTime, TimeDelta, Utc};
use gateways::{Forged, Notice, PaymentWebhooks, Secret, TOLERANCE_S, signed};
use serde_json::json;
use std::time::{SystemTime, UNIX_EPOCH};

const FORGERIES: usize = 10_000;
const PROVIDERS: [(&str, &str); 2] = [("simulated", "provider-signature"), ("stripe", "stripe-signature")];

/// splitmix64, so that a failure can be repeated from its seed.
struct Seed(u64);

impl Seed {
    #[expect(clippy::print_stderr, reason = "a failing test is repeated by its seed")]
    fn printed() -> Self {
        let clock = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| u64::from(now.subsec_nanos()));
        let seed = std::env::var("SEED").map_or_else(|_| clock(), |text| text.parse().unwrap());
        eprintln!("forgeries: SEED={seed}");
        Self(seed)
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % limit as u64).unwrap()
    }
}

/// A webhook as it was sent.
#[derive(Clone, PartialEq, Debug)]
struct Sent {
    header: String,
    body: Vec<u8>,
    now: DateTime<Utc>,
}

fn secret() -> Secret {
    Secret::new("whsec_0123456789abcdef").unwrap()
}

fn open(provider: &str, name: &str, sent: &Sent) -> Result<Notice, Forged> {
    let webhooks = PaymentWebhooks::none().with_simulated(secret()).with_stripe(secret());
    let header = |asked: &'static str| (asked == name).then_some(sent.header.as_str());
    webhooks.open(provider, header, &sent.body, sent.now)
}

fn genuine(seed: &mut Seed, provider: &str) -> Sent {
    let payment = uuid::Uuid::from_u128(seed.below(usize::MAX) as u128).to_string();
    let body = if provider == "stripe" {
        let object = json!({ "id": "pi_1", "status": "succeeded", "metadata": { "reservoir_payment": payment } });
        json!({ "id": "evt_1", "type": "payment_intent.succeeded", "data": { "object": object } })
    } else {
        let outcome = json!({ "status": "charged", "reference": "ch_1" });
        let at = "2026-07-01T12:00:00Z";
        json!({ "id": payment, "type": "charge.succeeded", "at": at, "payment": payment, "outcome": outcome })
    };
    let body = body.to_string();
    let now = DateTime::from_timestamp(1_782_907_200 + i64::try_from(seed.below(1_000_000)).unwrap(), 0).unwrap();
    Sent { header: signed(&secret(), body.as_bytes(), now), body: body.into_bytes(), now }
}

/// Changes something that matters: the signature, the time, the body, the secret or the clock.
fn forged(seed: &mut Seed, sent: &Sent) -> Sent {
    let mut forged = sent.clone();
    match seed.below(12) {
        0 => forged.header = flipped(seed, sent.header.as_bytes()),
        1 => {
            let at = seed.below(sent.header.len());
            forged.header.remove(at);
        }
        2 => {
            let at = seed.below(sent.header.len());
            forged.header.insert(at, char::from(b'0' + u8::try_from(seed.below(10)).unwrap()));
        }
        3 => forged.header.truncate(seed.below(sent.header.len())),
        4 => forged.body = flipped(seed, &sent.body).into_bytes(),
        5 => forged.body.truncate(seed.below(sent.body.len())),
        6 => forged.body.push(b' '),
        7 => forged.now += TimeDelta::seconds(TOLERANCE_S + 1 + i64::try_from(seed.below(1_000_000)).unwrap()),
        8 => forged.now -= TimeDelta::seconds(TOLERANCE_S + 1 + i64::try_from(seed.below(1_000_000)).unwrap()),
        9 => {
            // An old signature made new by its time alone.
            let tag = sent.header.split_once(',').unwrap().1;
            let shift = 1 + i64::try_from(seed.below(300)).unwrap();
            forged.header = format!("t={},{tag}", sent.now.timestamp() + shift);
        }
        10 => forged.header = signed(&Secret::new("another").unwrap(), &sent.body, sent.now),
        _ => forged.header = forged.header.to_uppercase(),
    }
    forged
}

fn flipped(seed: &mut Seed, bytes: &[u8]) -> String {
    let mut bytes = bytes.to_vec();
    let at = seed.below(bytes.len());
    // One bit of seven: what comes out is text still.
    bytes[at] ^= 1 << seed.below(7);
    String::from_utf8(bytes).unwrap()
}

#[test]
fn ten_thousand_forgeries_are_not_believed() {
    let mut seed = Seed::printed();
    for (provider, name) in PROVIDERS {
        let mut tried = 0;
        while tried < FORGERIES {
            let sent = genuine(&mut seed, provider);
            assert!(matches!(open(provider, name, &sent), Ok(Notice::Approved { .. })), "{sent:?}");
            let forgery = forged(&mut seed, &sent);
            // A header may have been changed into itself.
            if forgery == sent {
                continue;
            }
            assert_eq!(open(provider, name, &forgery), Err(Forged), "{sent:?} {forgery:?}");
            tried += 1;
        }
    }
}

#[test]
fn a_genuine_webhook_of_a_stranger_is_not_believed() {
    let sent = genuine(&mut Seed(1), "simulated");
    for provider in ["stripe", "simulated/", "Simulated", ""] {
        assert_eq!(open(provider, "provider-signature", &sent), Err(Forged), "{provider}");
    }
    assert_eq!(open("simulated", "stripe-signature", &sent), Err(Forged));
    let nobody = PaymentWebhooks::none();
    assert_eq!(nobody.open("simulated", |_| Some(sent.header.as_str()), &sent.body, sent.now), Err(Forged));
}
