use super::*;
use cluster::Cluster;
use std::path::PathBuf;
use tempfile::TempDir;

/// Where a vault under test is kept.
enum Place {
    File(TempDir),
    Database(String),
}

impl Place {
    fn each() -> [Self; 2] {
        [Self::file(), Self::database()]
    }

    fn file() -> Self {
        Self::File(tempfile::tempdir().unwrap())
    }

    fn database() -> Self {
        Self::Database(Cluster::shared().database())
    }

    fn source(&self) -> Source {
        match self {
            Self::File(directory) => Source::Directory(directory.path().to_owned()),
            Self::Database(address) => Source::Postgres(address.parse().unwrap()),
        }
    }

    async fn vault(&self) -> Vault {
        Vault::of(&self.source()).await.unwrap()
    }

    /// Every file in which a key might stand, but for PostgreSQL's log, which is written over in its own time.
    fn files(&self) -> Vec<PathBuf> {
        let (mut folders, mut found) = (vec![], vec![]);
        match self {
            Self::File(directory) => folders.push(directory.path().to_owned()),
            Self::Database(_) => {
                Cluster::shared().sql("postgres", "CHECKPOINT");
                let data = Cluster::shared().sql("postgres", "SHOW data_directory");
                folders.push(Path::new(&data).join("base"));
            }
        }
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { folders.push(path) } else { found.push(path) }
            }
        }
        found
    }

    fn shows(&self, key: &Key) -> bool {
        // A file may go away while it is looked for.
        let bytes = self.files().into_iter().filter_map(|file| std::fs::read(file).ok());
        bytes.into_iter().any(|bytes| bytes.windows(key.len()).any(|window| window == key))
    }
}

fn alice() -> CustomerId {
    "alice".parse().unwrap()
}

async fn key_of(vault: &Vault, customer: &CustomerId) -> Option<Key> {
    match &vault.keys {
        Kept::File(file) => file.key(customer).await.unwrap(),
        Kept::Database(database) => database.key(customer).await.unwrap(),
    }
}

#[tokio::test]
async fn what_is_sealed_is_opened_for_its_customer_only_also_after_a_restart() {
    for place in Place::each() {
        let sealed = place.vault().await.seal(&alice(), "flat tyre").await.unwrap();
        assert!(!sealed.as_sealed().contains("flat"));
        let vault = place.vault().await;
        assert_eq!(vault.unseal(&alice(), &sealed).await.unwrap().as_deref(), Some("flat tyre"));
        let bob = "bob".parse().unwrap();
        vault.seal(&bob, "anything").await.unwrap();
        assert_eq!(vault.unseal(&bob, &sealed).await.unwrap(), None);
    }
}

#[tokio::test]
async fn what_was_erased_cannot_be_opened_by_any_later_key_and_no_file_shows_the_old_one() {
    for place in Place::each() {
        let vault = place.vault().await;
        let sealed = vault.seal(&alice(), "flat tyre").await.unwrap();
        let key = key_of(&vault, &alice()).await.unwrap();
        assert!(place.shows(&key), "the search finds nothing at all");
        vault.erase(&alice()).await.unwrap();
        assert_eq!(vault.unseal(&alice(), &sealed).await.unwrap(), None);
        vault.seal(&alice(), "something new").await.unwrap();
        assert_eq!(vault.unseal(&alice(), &sealed).await.unwrap(), None);
        assert!(!place.shows(&key));
        vault.erase(&"nobody".parse().unwrap()).await.unwrap();
    }
}

#[tokio::test]
async fn equal_texts_do_not_look_equal() {
    for place in Place::each() {
        let vault = place.vault().await;
        assert_ne!(vault.seal(&alice(), "same").await.unwrap(), vault.seal(&alice(), "same").await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_begin_at_once_share_all_keys() {
    let place = Place::database();
    let vaults: Vec<_> = (0..8)
        .map(|_| {
            let source = place.source();
            tokio::spawn(async move {
                let vault = Vault::of(&source).await.unwrap();
                let sealed = vault.seal(&alice(), "flat tyre").await.unwrap();
                (vault, sealed)
            })
        })
        .collect();
    let mut opened = Vec::new();
    for vault in vaults {
        opened.push(vault.await.unwrap());
    }
    let first = opened[0].0.fingerprint_key;
    for (vault, _) in &opened {
        assert_eq!(vault.fingerprint_key, first);
        for (_, sealed) in &opened {
            assert_eq!(vault.unseal(&alice(), sealed).await.unwrap().as_deref(), Some("flat tyre"));
        }
    }
    // Erased by one, unreadable for all.
    opened[3].0.erase(&alice()).await.unwrap();
    for (vault, sealed) in &opened {
        assert_eq!(vault.unseal(&alice(), sealed).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_vault_whose_database_is_away_says_so_soon_and_goes_on_when_it_is_back() {
    let cluster = Cluster::start();
    let vault = Vault::connect(&cluster.database().parse().unwrap()).await.unwrap();
    let sealed = vault.seal(&alice(), "flat tyre").await.unwrap();
    cluster.crash();
    let asked = std::time::Instant::now();
    assert!(matches!(vault.unseal(&alice(), &sealed).await, Err(VaultError::Database(_))));
    assert!(vault.seal(&alice(), "another").await.is_err());
    assert!(asked.elapsed() < std::time::Duration::from_secs(10), "{:?}", asked.elapsed());
    cluster.resume();
    assert_eq!(vault.unseal(&alice(), &sealed).await.unwrap().as_deref(), Some("flat tyre"));
}

#[tokio::test]
async fn keys_move_with_their_journal_there_and_back() {
    let (start, middle, end) = (Place::file(), Place::database(), Place::file());
    let vault = start.vault().await;
    let bob: CustomerId = "bob".parse().unwrap();
    let texts = [vault.seal(&alice(), "flat tyre").await.unwrap(), vault.seal(&bob, "too late").await.unwrap()];
    let keys = crate::Keys::of(&start.source()).await.unwrap();
    let token = keys.mint(&"admin".parse().unwrap(), std::time::Duration::from_secs(60)).unwrap();
    let move_all = async |from: &Place, to: &Place| {
        KeysToMove::between(&from.source(), &to.source()).await.unwrap().move_all().await.unwrap()
    };
    assert_eq!(move_all(&start, &middle).await, 2);
    // What is erased before the last step is erased at the other end, too.
    vault.erase(&bob).await.unwrap();
    assert_eq!(move_all(&start, &middle).await, 1);
    assert_eq!(move_all(&middle, &end).await, 1);
    for place in [&start, &middle, &end] {
        let moved = place.vault().await;
        assert_eq!(moved.fingerprint_key, vault.fingerprint_key);
        assert_eq!(moved.unseal(&alice(), &texts[0]).await.unwrap().as_deref(), Some("flat tyre"));
        assert_eq!(moved.unseal(&bob, &texts[1]).await.unwrap(), None);
        assert!(crate::Keys::of(&place.source()).await.unwrap().verify(&token).is_some());
    }
}

#[tokio::test]
async fn keys_of_another_journal_are_not_written_over() {
    for (from, to) in [(Place::file(), Place::database()), (Place::database(), Place::file())] {
        from.vault().await.seal(&alice(), "flat tyre").await.unwrap();
        let other = to.vault().await;
        let sealed = other.seal(&alice(), "another tyre").await.unwrap();
        let refused = KeysToMove::between(&from.source(), &to.source()).await;
        assert!(matches!(refused, Err(MoveError::OtherKeys)));
        assert_eq!(other.unseal(&alice(), &sealed).await.unwrap().as_deref(), Some("another tyre"));
        // Nobody's keys are in the way of nobody.
        other.erase(&alice()).await.unwrap();
        KeysToMove::between(&from.source(), &to.source()).await.unwrap().move_all().await.unwrap();
    }
}
