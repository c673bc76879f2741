//! Signatures of what is sent: `t=<seconds>,v1=<hex>`, where the hexadecimal number is the HMAC-SHA256 of `<seconds>.<body>`.
//! While a secret is being exchanged for another, a sender adds a `v1` of each.

use crate::Secret;
use domain::Instant;
use ring::hmac::{self, HMAC_SHA256, Key};
use std::fmt::Write;

/// What was signed longer ago than this may be a recording, and is refused.
pub const TOLERANCE_S: i64 = 300;
/// More signatures than this need not be looked at.
const MOST_SIGNATURES: usize = 8;
const HEX_DIGITS: usize = 64;

/// It was not sent by whom it should have been, or not now. Which part is wrong is not said: only a forger would want to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature is not authentic")]
pub struct Forged;

/// The header for a body that is sent now.
#[must_use]
pub fn signed(secret: &Secret, body: &[u8], now: Instant) -> String {
    let seconds = now.timestamp().to_string();
    let mut header = format!("t={seconds},v1=");
    for byte in tag(secret, &seconds, body).as_ref() {
        // Writing to a string does not fail.
        let _ = write!(header, "{byte:02x}");
    }
    header
}

/// Whether a body was signed with the secret, not long ago. Compares in constant time.
///
/// # Errors
/// [`Forged`], whatever it is that is wrong.
pub fn verify(secret: &Secret, header: &str, body: &[u8], now: Instant) -> Result<(), Forged> {
    let (mut seconds, mut tags) = (None, Vec::new());
    for part in header.split(',') {
        match part.split_once('=').ok_or(Forged)? {
            ("t", text) if seconds.is_none() => seconds = Some(text),
            ("t", _) => return Err(Forged),
            ("v1", hex) if tags.len() < MOST_SIGNATURES => tags.push(bytes_of(hex).ok_or(Forged)?),
            ("v1", _) => return Err(Forged),
            // Signatures of other kinds prove nothing, and do no harm.
            (_, _) => {}
        }
    }
    let seconds = seconds.ok_or(Forged)?;
    let is_recent = age_s(seconds, now).is_some_and(|age| age.unsigned_abs() <= TOLERANCE_S.unsigned_abs());
    let key = key(secret);
    let message = message(seconds, body);
    // Every one is compared, so that the time tells nothing.
    let authentic = tags.iter().filter(|tag| hmac::verify(&key, &message, *tag).is_ok()).count();
    if is_recent && authentic > 0 { Ok(()) } else { Err(Forged) }
}

fn key(secret: &Secret) -> Key {
    Key::new(HMAC_SHA256, secret.reveal().as_bytes())
}

fn message(seconds: &str, body: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(seconds.len() + 1 + body.len());
    message.extend_from_slice(seconds.as_bytes());
    message.push(b'.');
    message.extend_from_slice(body);
    message
}

fn tag(secret: &Secret, seconds: &str, body: &[u8]) -> hmac::Tag {
    hmac::sign(&key(secret), &message(seconds, body))
}

/// Whole seconds, written in the one way that they are written; `None` for anything else.
fn age_s(seconds: &str, now: Instant) -> Option<i64> {
    let at: i64 = seconds.parse().ok()?;
    if at < 0 || at.to_string() != seconds { None } else { now.timestamp().checked_sub(at) }
}

/// 64 lower-case digits as bytes; `None` for anything else.
fn bytes_of(hex: &str) -> Option<[u8; HEX_DIGITS / 2]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let digits = hex.as_bytes();
    let mut bytes = [0; HEX_DIGITS / 2];
    if digits.len() != HEX_DIGITS {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    fn secret() -> Secret {
        Secret::new("whsec_of_a_test").unwrap()
    }

    fn now() -> Instant {
        "2026-07-01T12:00:00.25Z".parse().unwrap()
    }

    #[test]
    fn what_was_signed_is_authentic_for_five_minutes_either_way() {
        let header = signed(&secret(), b"{}", now());
        for seconds in [0, 1, 299, 300, -299, -300] {
            assert_eq!(verify(&secret(), &header, b"{}", now() + TimeDelta::seconds(seconds)), Ok(()), "{seconds}");
        }
        for seconds in [301, 86_400, -301] {
            assert_eq!(
                verify(&secret(), &header, b"{}", now() + TimeDelta::seconds(seconds)),
                Err(Forged),
                "{seconds}"
            );
        }
    }

    #[test]
    fn the_signature_is_the_documented_one() {
        // printf '1782907200.{}' | openssl dgst -sha256 -hmac whsec_of_a_test
        let expected = "t=1782907200,v1=84e53cdf4ab72d00cdc3d530dad6f190bbc6f644bd3b3b0cf820c370416a83e3";
        assert_eq!(signed(&secret(), b"{}", now()), expected);
    }

    #[test]
    fn one_of_several_signatures_is_enough_while_secrets_are_exchanged() {
        let old = Secret::new("the old one").unwrap();
        let (ours, others) = (signed(&secret(), b"{}", now()), signed(&old, b"{}", now()));
        let both = format!("{others},{}", ours.split_once(',').unwrap().1);
        assert_eq!(verify(&secret(), &both, b"{}", now()), Ok(()));
        assert_eq!(verify(&old, &both, b"{}", now()), Ok(()));
        assert_eq!(verify(&Secret::new("a third one").unwrap(), &both, b"{}", now()), Err(Forged));
    }

    #[test]
    fn signatures_of_other_kinds_prove_nothing() {
        let header = signed(&secret(), b"{}", now());
        assert_eq!(verify(&secret(), &header.replace("v1=", "v0="), b"{}", now()), Err(Forged));
        assert_eq!(verify(&secret(), &format!("{header},v0=00"), b"{}", now()), Ok(()));
    }

    #[test]
    fn a_header_that_is_none_is_refused() {
        for header in ["", ",", "t", "t=", "v1=", "t=1,t=1", "t=99999999999999999999,v1=00", "t=-1,v1=0", "=,="] {
            assert_eq!(verify(&secret(), header, b"{}", now()), Err(Forged), "{header}");
        }
        let many =
            format!("{}{}", signed(&secret(), b"{}", now()), format!(",v1={}", "0".repeat(64)).repeat(MOST_SIGNATURES));
        assert_eq!(verify(&secret(), &many, b"{}", now()), Err(Forged));
    }

    #[test]
    fn a_secret_is_not_shown() {
        assert_eq!(format!("{:?}", secret()), "Secret(..)");
        assert_eq!(Secret::new("  "), None);
    }
}
