//! One line a message, whatever happens.

use super::{FILE, Job, Log, LogMessenger, REMEMBERED};
use crate::messages::{Delivered, Messenger, Outgoing, Undelivered};
use domain::message::Letter;
use domain::policy::Occasion;
use domain::{Instant, Language, MessageId, RentalId};
use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use tokio::sync::oneshot;
use uuid::Uuid;

fn outgoing(number: u128) -> Outgoing {
    let letter = Letter {
        customer: "alice".parse().unwrap(),
        store: "seoul-films".parse().unwrap(),
        occasion: Occasion::Confirmed,
        language: Language::Ko,
        text: "예매가\n확정되었습니다.".to_owned(),
    };
    let (message, rental) = (MessageId(Uuid::from_u128(number)), RentalId(Uuid::from_u128(7)));
    Outgoing { message, rental, letter, recorded_at: Instant::UNIX_EPOCH }
}

async fn delivered(messenger: &LogMessenger, number: u128) -> Result<Delivered, Undelivered> {
    messenger.deliver(outgoing(number)).await
}

fn text(directory: &Path) -> String {
    std::fs::read_to_string(directory.join(FILE)).unwrap()
}

fn ids(directory: &Path) -> Vec<u128> {
    let line = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap();
    let id = |line: serde_json::Value| line["id"].as_str().unwrap().parse::<Uuid>().unwrap().as_u128();
    text(directory).lines().map(line).map(id).collect()
}

#[tokio::test]
async fn a_message_is_one_line_of_json() {
    let directory = tempfile::tempdir().unwrap();
    let messenger = LogMessenger::open(directory.path()).unwrap();
    let reference = delivered(&messenger, 1).await.unwrap().reference;
    assert_eq!(reference, "log-00000000-0000-0000-0000-000000000001");
    let expected = r#"{"id":"00000000-0000-0000-0000-000000000001","rental":"00000000-0000-0000-0000-000000000007","store":"seoul-films","customer":"alice","occasion":"confirmed","language":"ko","text":"예매가\n확정되었습니다.","recorded_at":"1970-01-01T00:00:00Z"}"#;
    assert_eq!(text(directory.path()), format!("{expected}\n"));
}

#[tokio::test]
async fn a_message_that_comes_again_is_not_written_again() {
    let directory = tempfile::tempdir().unwrap();
    let messenger = LogMessenger::open(directory.path()).unwrap();
    let (once, twice) = tokio::join!(delivered(&messenger, 1), delivered(&messenger, 1));
    assert_eq!(once.unwrap(), twice.unwrap());
    delivered(&messenger, 2).await.unwrap();
    // What was written and never recorded comes again after a crash.
    let messenger = LogMessenger::open(directory.path()).unwrap();
    for number in [2, 1, 3] {
        delivered(&messenger, number).await.unwrap();
    }
    assert_eq!(ids(directory.path()), [1, 2, 3]);
}

#[tokio::test]
async fn a_line_that_was_cut_short_is_taken_away_and_its_message_written_whole() {
    let directory = tempfile::tempdir().unwrap();
    delivered(&LogMessenger::open(directory.path()).unwrap(), 1).await.unwrap();
    let whole = text(directory.path());
    for length in 1..whole.len() {
        let mut file = std::fs::File::create(directory.path().join(FILE)).unwrap();
        file.write_all(whole.as_bytes()).unwrap();
        file.write_all(&whole.as_bytes()[..length]).unwrap();
        // And the very first line may be the torn one.
        let messenger = LogMessenger::open(directory.path()).unwrap();
        delivered(&messenger, 2).await.unwrap();
        assert_eq!(ids(directory.path()), [1, 2], "{length}");
        std::fs::write(directory.path().join(FILE), &whole.as_bytes()[..length]).unwrap();
        delivered(&LogMessenger::open(directory.path()).unwrap(), 1).await.unwrap();
        assert_eq!(text(directory.path()), whole, "{length}");
    }
}

#[tokio::test]
async fn of_a_long_log_the_end_is_known_again() {
    let directory = tempfile::tempdir().unwrap();
    let messenger = LogMessenger::open(directory.path()).unwrap();
    let many = u128::try_from(REMEMBERED).unwrap() + 100;
    let all = (0..many).map(|number| messenger.deliver(outgoing(number)));
    assert!(futures_util::future::join_all(all).await.iter().all(Result::is_ok));
    let messenger = LogMessenger::open(directory.path()).unwrap();
    for number in many - 2_000..many {
        delivered(&messenger, number).await.unwrap();
    }
    let ids = ids(directory.path());
    assert_eq!((ids.len(), ids.iter().collect::<HashSet<_>>().len()), (REMEMBERED + 100, REMEMBERED + 100));
}

/// What the log answers to one message.
fn answered(log: &mut Log, number: u128) -> Result<Delivered, Undelivered> {
    let (answer, mut answered) = oneshot::channel();
    let line = format!(r#"{{"id":"{}"}}"#, Uuid::from_u128(number));
    log.deliver(vec![Job { message: MessageId(Uuid::from_u128(number)), line, answer }]);
    answered.try_recv().unwrap()
}

#[test]
fn what_cannot_be_written_is_not_delivered_and_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(FILE);
    let mut log = Log::open(directory.path()).unwrap();
    answered(&mut log, 1).unwrap();
    // Half a line gets there, and then nothing does.
    let writable = std::mem::replace(&mut log.file, File::open(&path).unwrap());
    assert!(!answered(&mut log, 2).unwrap_err().reason.is_empty());
    OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"id").unwrap();
    assert!(answered(&mut log, 2).is_err());
    answered(&mut log, 1).unwrap();
    log.file = writable;
    answered(&mut log, 2).unwrap();
    assert_eq!(ids(directory.path()), [1, 2]);
}

#[test]
fn only_a_file_can_be_the_log() {
    let directory = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/dev/null", directory.path().join(FILE)).unwrap();
    assert!(LogMessenger::open(directory.path()).is_err());
}
