//! The keys under which what is personal is sealed, one per customer. Destroying a key erases the person everywhere.
//!
//! **No key is kept in memory**: each text is sealed and opened with the key that is there at that moment, so that a key which
//! any process destroys is gone for all of them.

mod database;
mod file;
mod moving;
#[cfg(test)]
mod tests;

pub use moving::{KeysToMove, MoveError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use database::Database;
use domain::{CustomerId, Personal};
use file::KeyFile;
use journal::Source;
use journal::postgres::{ConnectError, PostgresAddress};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use std::path::Path;

/// First letter of what is sealed; another one will mean another cipher.
const SCHEME: &str = "1";

type Key = [u8; 32];

/// Seals and opens personal text. Cheap to clone.
#[derive(Clone)]
pub struct Vault {
    keys: Kept,
    /// Under which fingerprints of requests are made: without it nobody can guess a body from its fingerprint.
    pub(crate) fingerprint_key: Key,
}

/// Where the keys are.
#[derive(Clone)]
enum Kept {
    File(KeyFile),
    Database(Database),
}

/// Why the keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The key file cannot be used.
    #[error("cannot use the key file {}", file::FILE)]
    File(#[from] rusqlite::Error),
    /// The key file cannot be made.
    #[error("cannot make the key file {}", file::FILE)]
    Directory(#[from] std::io::Error),
    /// The keys in the database cannot be used now.
    #[error("cannot use the keys in the database")]
    Database(#[from] sqlx::Error),
    /// There is no database to keep keys in.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// A key that is there is none.
    #[error("a key in the database does not have 32 bytes")]
    Damaged,
    /// The process is ending.
    #[error("the vault is closing")]
    Closing,
    /// No random bytes, or a key of the wrong size.
    #[error("the cipher cannot be used")]
    Cipher,
}

impl From<ring::error::Unspecified> for VaultError {
    fn from(_: ring::error::Unspecified) -> Self {
        Self::Cipher
    }
}

impl Vault {
    /// Opens the keys that belong to a journal, or makes a place for them.
    ///
    /// # Errors
    /// When they cannot be used.
    pub async fn of(journal: &Source) -> Result<Self, VaultError> {
        match journal {
            Source::Directory(directory) => Self::open(directory),
            Source::Postgres(address) => Self::connect(address).await,
        }
    }

    /// Opens the key file of a data directory, or makes one that only its owner may read.
    ///
    /// # Errors
    /// When it cannot be used.
    pub fn open(directory: &Path) -> Result<Self, VaultError> {
        let (keys, fingerprint_key) = KeyFile::open(directory)?;
        Ok(Self { keys: Kept::File(keys), fingerprint_key })
    }

    /// Opens the keys of a database, which all processes on it share, or makes a place for them.
    ///
    /// # Errors
    /// When they cannot be used.
    pub async fn connect(address: &PostgresAddress) -> Result<Self, VaultError> {
        let database = Database::open(address).await?;
        let fingerprint_key = database.fingerprint_key().await?;
        Ok(Self { keys: Kept::Database(database), fingerprint_key })
    }

    /// Seals a text under the customer's key, which is made where there is none; then it is on the disk first.
    ///
    /// # Errors
    /// When the keys cannot be used.
    pub async fn seal(&self, customer: &CustomerId, text: &str) -> Result<Personal, VaultError> {
        let key = match &self.keys {
            Kept::File(file) => file.key_or(customer, random()?).await?,
            Kept::Database(database) => database.key_or(customer, random()?).await?,
        };
        let nonce = random::<NONCE_LEN>()?;
        let mut sealed = text.as_bytes().to_vec();
        cipher(&key)?.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(customer.as_str()),
            &mut sealed,
        )?;
        sealed.splice(0..0, nonce);
        Ok(Personal::sealed(format!("{SCHEME}{}", URL_SAFE_NO_PAD.encode(sealed))))
    }

    /// The text again; `None` when the key was destroyed, or the text was sealed for somebody else.
    ///
    /// # Errors
    /// When the keys cannot be used.
    pub async fn unseal(&self, customer: &CustomerId, personal: &Personal) -> Result<Option<String>, VaultError> {
        let key = match &self.keys {
            Kept::File(file) => file.key(customer).await?,
            Kept::Database(database) => database.key(customer).await?,
        };
        let Some(key) = key else { return Ok(None) };
        let bytes = personal.as_sealed().strip_prefix(SCHEME).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        let Some((nonce, sealed)) = bytes.as_deref().and_then(<[u8]>::split_first_chunk::<NONCE_LEN>) else {
            return Ok(None);
        };
        let (nonce, mut sealed) = (Nonce::assume_unique_for_key(*nonce), sealed.to_vec());
        let opened = cipher(&key)?.open_in_place(nonce, Aad::from(customer.as_str()), &mut sealed);
        Ok(opened.ok().and_then(|text| String::from_utf8(text.to_vec()).ok()))
    }

    /// Destroys the customer's key. Whatever was sealed under it can never be opened again, by any process.
    ///
    /// # Errors
    /// When it cannot be destroyed; then it is still there.
    pub async fn erase(&self, customer: &CustomerId) -> Result<(), VaultError> {
        match &self.keys {
            Kept::File(file) => file.destroy(customer).await,
            Kept::Database(database) => database.destroy(customer).await,
        }
    }
}

fn cipher(key: &Key) -> Result<LessSafeKey, VaultError> {
    Ok(LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, key)?))
}

fn random<const N: usize>() -> Result<[u8; N], VaultError> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes)?;
    Ok(bytes)
}
