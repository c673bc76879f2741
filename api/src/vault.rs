//! The keys under which what is personal is sealed, one per customer. Destroying a key erases the person everywhere.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{CustomerId, Personal};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use rusqlite::{Connection, OptionalExtension, params};
use std::fs::OpenOptions;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const FILE: &str = "personal-keys.db";
/// First letter of what is sealed; another one will mean another cipher.
const SCHEME: &str = "1";

/// Seals and opens personal text. Cheap to clone; **every call may wait for the disk**.
#[derive(Clone)]
pub struct Vault {
    connection: Arc<Mutex<Connection>>,
    /// Under which fingerprints of requests are made: without it nobody can guess a body from its fingerprint.
    pub(crate) fingerprint_key: [u8; 32],
}

/// Why the keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The key file cannot be used.
    #[error("cannot use the key file {FILE}")]
    Database(#[from] rusqlite::Error),
    /// The key file cannot be made.
    #[error("cannot make the key file {FILE}")]
    File(#[from] std::io::Error),
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
    /// Opens the key file of a data directory, or makes one that only its owner may read.
    ///
    /// # Errors
    /// When it cannot be used.
    pub fn open(directory: &Path) -> Result<Self, VaultError> {
        let path = directory.join(FILE);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&path)?;
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        // A deleted key is overwritten, not only forgotten.
        connection.pragma_update(None, "secure_delete", "ON")?;
        connection.execute_batch(
            "CREATE TABLE IF NOT EXISTS customer_key (customer TEXT PRIMARY KEY, key BLOB NOT NULL) STRICT, WITHOUT ROWID;
             CREATE TABLE IF NOT EXISTS fingerprint_key (one INTEGER PRIMARY KEY CHECK (one = 1), key BLOB NOT NULL) STRICT;",
        )?;
        connection.execute("INSERT OR IGNORE INTO fingerprint_key VALUES (1, ?1)", [random::<32>()?])?;
        let fingerprint_key = connection.query_row("SELECT key FROM fingerprint_key", [], |row| row.get(0))?;
        Ok(Self { connection: Arc::new(Mutex::new(connection)), fingerprint_key })
    }

    /// Seals a text under the customer's key, which is made where there is none; then it is on the disk first.
    ///
    /// # Errors
    /// When the key file cannot be used.
    pub fn seal(&self, customer: &CustomerId, text: &str) -> Result<Personal, VaultError> {
        let key = {
            let connection = self.lock();
            match find(&connection, customer)? {
                Some(key) => key,
                None => {
                    let key = random::<32>()?;
                    connection.execute("INSERT INTO customer_key VALUES (?1, ?2)", params![customer.as_str(), key])?;
                    key
                }
            }
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
    /// When the key file cannot be used.
    pub fn unseal(&self, customer: &CustomerId, personal: &Personal) -> Result<Option<String>, VaultError> {
        let Some(key) = find(&self.lock(), customer)? else { return Ok(None) };
        let bytes = personal.as_sealed().strip_prefix(SCHEME).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        let Some((nonce, sealed)) = bytes.as_deref().and_then(<[u8]>::split_first_chunk::<NONCE_LEN>) else {
            return Ok(None);
        };
        let (nonce, mut sealed) = (Nonce::assume_unique_for_key(*nonce), sealed.to_vec());
        let opened = cipher(&key)?.open_in_place(nonce, Aad::from(customer.as_str()), &mut sealed);
        Ok(opened.ok().and_then(|text| String::from_utf8(text.to_vec()).ok()))
    }

    /// Destroys the customer's key. Whatever was sealed under it can never be opened again.
    ///
    /// # Errors
    /// When it cannot be destroyed; then it is still there.
    pub fn erase(&self, customer: &CustomerId) -> Result<(), VaultError> {
        let connection = self.lock();
        connection.execute("DELETE FROM customer_key WHERE customer = ?1", [customer.as_str()])?;
        // The log of the key file still holds the key until it is written back and cut off.
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn find(connection: &Connection, customer: &CustomerId) -> Result<Option<[u8; 32]>, rusqlite::Error> {
    connection
        .prepare_cached("SELECT key FROM customer_key WHERE customer = ?1")?
        .query_row([customer.as_str()], |row| row.get(0))
        .optional()
}

fn cipher(key: &[u8; 32]) -> Result<LessSafeKey, VaultError> {
    Ok(LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, key)?))
}

fn random<const N: usize>() -> Result<[u8; N], VaultError> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alice() -> CustomerId {
        "alice".parse().unwrap()
    }

    #[test]
    fn what_is_sealed_is_opened_for_its_customer_only_also_after_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let sealed = Vault::open(directory.path()).unwrap().seal(&alice(), "flat tyre").unwrap();
        assert!(!sealed.as_sealed().contains("flat"));
        let vault = Vault::open(directory.path()).unwrap();
        assert_eq!(vault.unseal(&alice(), &sealed).unwrap().as_deref(), Some("flat tyre"));
        let bob = "bob".parse().unwrap();
        vault.seal(&bob, "anything").unwrap();
        assert_eq!(vault.unseal(&bob, &sealed).unwrap(), None);
    }

    #[test]
    fn what_was_erased_cannot_be_opened_by_any_later_key() {
        let directory = tempfile::tempdir().unwrap();
        let vault = Vault::open(directory.path()).unwrap();
        let sealed = vault.seal(&alice(), "flat tyre").unwrap();
        let key = find(&vault.lock(), &alice()).unwrap().unwrap();
        vault.erase(&alice()).unwrap();
        assert_eq!(vault.unseal(&alice(), &sealed).unwrap(), None);
        vault.seal(&alice(), "something new").unwrap();
        assert_eq!(vault.unseal(&alice(), &sealed).unwrap(), None);
        for file in std::fs::read_dir(directory.path()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            assert!(!bytes.windows(key.len()).any(|window| window == key));
        }
    }

    #[test]
    fn equal_texts_do_not_look_equal() {
        let directory = tempfile::tempdir().unwrap();
        let vault = Vault::open(directory.path()).unwrap();
        assert_ne!(vault.seal(&alice(), "same").unwrap(), vault.seal(&alice(), "same").unwrap());
    }
}
