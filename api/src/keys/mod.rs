//! Bearer tokens: minted for a principal, and verified with the algorithm, issuer, audience and expiry pinned.

mod shared;
pub(crate) mod tables;

pub(crate) use shared::{put_secret, secret_of};

use crate::principal::Principal;
use domain::WebhookId;
use journal::Source;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use quick_cache::sync::Cache;
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const FILE: &str = "token.key";
const KEY_BYTES: usize = 32;
/// A text that a key is made of has at least so many characters.
const LEAST_CHARACTERS: usize = 32;
/// Tells the signing key from whatever else may be made of the same text.
const OF_A_TEXT: &str = "reservoir 2026-11-20 token signing key";
/// Tells the key of webhooks from the signing key.
const OF_WEBHOOKS: &str = "reservoir 2026-11-20 webhook secrets";
const ISSUER: &str = "reservoir";
const AUDIENCE: &str = "reservoir-api";
/// Tokens whose verification is remembered.
const REMEMBERED: usize = 10_000;

/// Mints and verifies tokens. Cheap to clone.
#[derive(Clone)]
pub struct Keys {
    inner: Arc<Inner>,
}

struct Inner {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    /// From which the secrets of webhooks follow.
    webhooks: [u8; KEY_BYTES],
    /// By the hash of the token, so that no usable token is kept.
    verified: Cache<[u8; 32], Arc<Verified>>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(..)")
    }
}

/// A principal whose token was good, and until when it is.
#[derive(Debug)]
pub(crate) struct Verified {
    pub(crate) principal: Principal,
    /// The principal's text, as events carry it.
    pub(crate) actor: Arc<str>,
    expires_s: u64,
}

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The key file cannot be read or made.
    #[error("cannot use the token key in {FILE}")]
    File(#[from] io::Error),
    /// The key file holds something else.
    #[error("{FILE} does not hold {KEY_BYTES} bytes")]
    Damaged,
    /// The key's row holds something else.
    #[error("the database does not hold {KEY_BYTES} bytes for the token key")]
    DamagedRow,
    /// The database cannot be used.
    #[error("cannot use the token key in the database")]
    Database(#[from] sqlx::Error),
    /// The table of the key cannot be made.
    #[error(transparent)]
    Connect(#[from] journal::postgres::ConnectError),
    /// Anybody could guess it.
    #[error("a signing key has at least {LEAST_CHARACTERS} characters")]
    TooShort,
    /// The operating system gave no random bytes.
    #[error("no random bytes could be had")]
    NoRandomness,
    /// The token could not be signed.
    #[error("the token cannot be signed")]
    Signing(#[source] jsonwebtoken::errors::Error),
}

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: String,
    iss: String,
    aud: String,
    iat: u64,
    exp: u64,
}

impl Keys {
    /// The keys of whoever works on this journal: a database has one key for all its processes, and without one the key is a file of
    /// the data directory. Makes what is missing.
    ///
    /// # Errors
    /// When the database or the file cannot be used.
    pub async fn of(journal: &Source) -> Result<Self, KeysError> {
        match journal {
            Source::Directory(directory) => Self::load_or_create(directory),
            Source::Postgres(address) => Ok(Self::from_secret(&shared::load_or_create(address).await?)),
        }
    }

    /// The keys that follow from a secret text. Equal texts give equal keys.
    ///
    /// # Errors
    /// When it is so short that it could be guessed.
    pub fn from_text(text: &str) -> Result<Self, KeysError> {
        if text.chars().count() < LEAST_CHARACTERS {
            return Err(KeysError::TooShort);
        }
        Ok(Self::from_secret(&blake3::derive_key(OF_A_TEXT, text.as_bytes())))
    }

    /// Reads the signing key of a data directory, or makes one that only its owner may read.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn load_or_create(directory: &Path) -> Result<Self, KeysError> {
        let secret = match stored(directory)? {
            Some(secret) => secret,
            None => {
                put(directory, &random_secret()?, |unfinished, path| match std::fs::hard_link(unfinished, path) {
                    Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
                    Ok(()) | Err(_) => std::fs::remove_file(unfinished),
                })?;
                // Another process may have been first: what lies there counts.
                stored(directory)?.ok_or(KeysError::Damaged)?
            }
        };
        Ok(Self::from_secret(&secret))
    }

    fn from_secret(secret: &[u8]) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.leeway = 0;
        Self {
            inner: Arc::new(Inner {
                encoding: EncodingKey::from_secret(secret),
                decoding: DecodingKey::from_secret(secret),
                validation,
                webhooks: blake3::derive_key(OF_WEBHOOKS, secret),
                verified: Cache::new(REMEMBERED),
            }),
        }
    }

    /// A token that speaks for a principal until `ttl` from now.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub fn mint(&self, principal: &Principal, ttl: Duration) -> Result<String, KeysError> {
        let iat = now_s();
        let claims = Claims {
            sub: principal.to_string(),
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            iat,
            exp: iat.saturating_add(ttl.as_secs()),
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.inner.encoding).map_err(KeysError::Signing)
    }

    /// What a webhook's events are signed with. It is kept nowhere, and is the same wherever these keys are.
    #[must_use]
    pub fn webhook_secret(&self, webhook: WebhookId) -> String {
        let secret = blake3::keyed_hash(&self.inner.webhooks, webhook.0.as_bytes());
        format!("whsec_{}", secret.to_hex())
    }

    /// Who a token speaks for; `None` when it is forged, expired, or meant for others.
    pub(crate) fn verify(&self, token: &str) -> Option<Arc<Verified>> {
        let name = *blake3::hash(token.as_bytes()).as_bytes();
        let verified = match self.inner.verified.get(&name) {
            Some(verified) => verified,
            None => {
                let claims =
                    jsonwebtoken::decode::<Claims>(token, &self.inner.decoding, &self.inner.validation).ok()?.claims;
                let principal: Principal = claims.sub.parse().ok()?;
                let verified = Arc::new(Verified { principal, actor: claims.sub.into(), expires_s: claims.exp });
                self.inner.verified.insert(name, verified.clone());
                verified
            }
        };
        (now_s() < verified.expires_s).then_some(verified)
    }
}

fn random_secret() -> Result<[u8; KEY_BYTES], KeysError> {
    let mut secret = [0; KEY_BYTES];
    SystemRandom::new().fill(&mut secret).map_err(|_| KeysError::NoRandomness)?;
    Ok(secret)
}

/// The key of a data directory, if there is one.
pub(crate) fn stored(directory: &Path) -> Result<Option<[u8; KEY_BYTES]>, KeysError> {
    match std::fs::read(directory.join(FILE)) {
        Ok(secret) => secret.try_into().map(Some).map_err(|_| KeysError::Damaged),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Puts a key into a data directory, also in the place of another one.
pub(crate) fn store(directory: &Path, secret: &[u8; KEY_BYTES]) -> Result<(), KeysError> {
    put(directory, secret, |unfinished, path| std::fs::rename(unfinished, path))
}

/// Writes the key beside its place and moves it there whole: nobody ever reads half a key.
fn put(
    directory: &Path,
    secret: &[u8; KEY_BYTES],
    settle: impl FnOnce(&Path, &Path) -> io::Result<()>,
) -> Result<(), KeysError> {
    let unfinished = directory.join(format!("{FILE}.{}", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&unfinished)?;
    file.write_all(secret)?;
    file.sync_all()?;
    settle(&unfinished, &directory.join(FILE))?;
    Ok(std::fs::File::open(directory)?.sync_all()?)
}

fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    fn alice() -> Principal {
        "customer:alice".parse().unwrap()
    }

    #[test]
    fn a_webhooks_secret_is_the_same_with_the_same_keys_and_no_other() {
        let keys = |text: &str| Keys::from_text(&text.repeat(LEAST_CHARACTERS)).unwrap();
        let secret = |keys: Keys, webhook: u128| keys.webhook_secret(WebhookId(uuid::Uuid::from_u128(webhook)));
        assert_eq!(secret(keys("a"), 1), secret(keys("a"), 1));
        assert_ne!(secret(keys("a"), 1), secret(keys("a"), 2));
        assert_ne!(secret(keys("a"), 1), secret(keys("b"), 1));
        assert_eq!(secret(keys("a"), 1).len(), "whsec_".len() + 64);
    }

    #[test]
    fn a_token_speaks_for_its_principal_also_after_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let token = Keys::load_or_create(directory.path()).unwrap().mint(&alice(), HOUR).unwrap();
        let verified = Keys::load_or_create(directory.path()).unwrap().verify(&token).unwrap();
        assert_eq!(verified.principal, alice());
        assert_eq!(&*verified.actor, "customer:alice");
    }

    #[test]
    #[cfg(unix)]
    fn only_its_owner_may_read_the_key() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        Keys::load_or_create(directory.path()).unwrap();
        let mode = std::fs::metadata(directory.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn equal_texts_give_equal_keys_and_short_ones_none() {
        let text = "a text that nobody guesses, I hope";
        let token = Keys::from_text(text).unwrap().mint(&alice(), HOUR).unwrap();
        assert!(Keys::from_text(text).unwrap().verify(&token).is_some());
        assert!(Keys::from_text("another text that nobody guesses").unwrap().verify(&token).is_none());
        assert!(matches!(Keys::from_text("guess me"), Err(KeysError::TooShort)));
    }

    #[tokio::test]
    async fn processes_that_start_at_once_on_one_database_agree_on_a_key() {
        let address: journal::postgres::PostgresAddress = cluster::Cluster::shared().database().parse().unwrap();
        let journal = Source::Postgres(address);
        let (one, two, three) = tokio::join!(Keys::of(&journal), Keys::of(&journal), Keys::of(&journal));
        let token = one.unwrap().mint(&alice(), HOUR).unwrap();
        for keys in [two.unwrap(), three.unwrap(), Keys::of(&journal).await.unwrap()] {
            assert_eq!(keys.verify(&token).unwrap().principal, alice());
        }
    }

    #[test]
    fn forged_foreign_and_expired_tokens_speak_for_nobody() {
        let keys = Keys::from_secret(&[7; 32]);
        let good = keys.mint(&alice(), HOUR).unwrap();
        assert!(keys.verify(&good).is_some());
        assert!(keys.verify(&Keys::from_secret(&[8; 32]).mint(&alice(), HOUR).unwrap()).is_none());
        assert!(keys.verify(&keys.mint(&alice(), Duration::ZERO).unwrap()).is_none());
        assert!(keys.verify(&good[..good.len() - 1]).is_none());
        let claims = |iss: &str, aud: &str| Claims {
            sub: "admin".to_owned(),
            iss: iss.to_owned(),
            aud: aud.to_owned(),
            iat: now_s(),
            exp: now_s() + 60,
        };
        let sign = |algorithm, claims| {
            jsonwebtoken::encode(&Header::new(algorithm), &claims, &EncodingKey::from_secret(&[7; 32])).unwrap()
        };
        assert!(keys.verify(&sign(Algorithm::HS256, claims(ISSUER, AUDIENCE))).is_some());
        assert!(keys.verify(&sign(Algorithm::HS256, claims("others", AUDIENCE))).is_none());
        assert!(keys.verify(&sign(Algorithm::HS256, claims(ISSUER, "others"))).is_none());
        assert!(keys.verify(&sign(Algorithm::HS512, claims(ISSUER, AUDIENCE))).is_none());
        // `{"alg":"none"}` and no signature.
        let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", good.split('.').nth(1).unwrap());
        assert!(keys.verify(&unsigned).is_none());
    }
}
