//! From a message to the mail that carries it.

use domain::Instant;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::{Address, error};
use sagas::messages::Outgoing;
use std::time::SystemTime;

const MOST_SUBJECT_CHARACTERS: usize = 100;

/// The mail, the same to the byte for the same message.
pub(super) fn written(outgoing: &Outgoing, from: &Mailbox, to: &Address) -> Result<Message, error::Error> {
    let letter = &outgoing.letter;
    let header = |name, value: &str| HeaderValue::new(name, value.to_owned());
    Message::builder()
        .message_id(Some(message_id(outgoing, from)))
        .date(date(outgoing.recorded_at))
        .from(from.clone())
        .to(Mailbox::new(None, to.clone()))
        .subject(subject(&letter.text))
        .header(ContentType::TEXT_PLAIN)
        .raw_header(header(HeaderName::new_from_ascii_str("Content-Language"), letter.language.code()))
        // Nobody's automatic answer is wanted (RFC 3834).
        .raw_header(header(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated"))
        .body(format!("{}\n", letter.text))
}

/// By which a mail that comes again is known.
pub(super) fn message_id(outgoing: &Outgoing, from: &Mailbox) -> String {
    format!("<{}@{}>", outgoing.message, from.email.domain())
}

/// Mails tell whole seconds.
fn date(at: Instant) -> SystemTime {
    let seconds = u64::try_from(at.timestamp()).unwrap_or_default();
    SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds)
}

/// The first sentence, unless it is too long to be read in a list.
fn subject(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let end = ['.', '!', '?'].iter().filter_map(|mark| line.find(&format!("{mark} "))).min();
    let sentence = line[..end.unwrap_or(line.len())].trim_end_matches('.');
    if sentence.chars().count() <= MOST_SUBJECT_CHARACTERS {
        return sentence.to_owned();
    }
    let cut: String = sentence.chars().take(MOST_SUBJECT_CHARACTERS).collect();
    let words = cut.rsplit_once(' ').map_or(cut.as_str(), |(words, _)| words);
    format!("{}…", words.trim_end_matches([',', ':', ';']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::message::Letter;
    use domain::policy::Occasion;
    use domain::{Language, MessageId, RentalId};
    use uuid::Uuid;

    fn outgoing(text: &str) -> Outgoing {
        Outgoing {
            message: MessageId(Uuid::from_u128(7)),
            rental: RentalId(Uuid::from_u128(1)),
            letter: Letter {
                customer: "alice".parse().unwrap(),
                store: "seoul-films".parse().unwrap(),
                occasion: Occasion::Confirmed,
                language: Language::Ko,
                text: text.to_owned(),
            },
            recorded_at: "2026-07-01T12:00:00.5Z".parse().unwrap(),
        }
    }

    fn mail(text: &str) -> String {
        let from: Mailbox = "Seoul Films <films@example.org>".parse().unwrap();
        let to: Address = "alice@example.net".parse().unwrap();
        String::from_utf8(written(&outgoing(text), &from, &to).unwrap().formatted()).unwrap()
    }

    #[test]
    fn a_mail_is_plain_ascii_and_the_same_each_time() {
        let text = "Dune 1석 A1 예매가 확정되었습니다. 즐거운 관람 되세요.";
        assert!(mail(text).is_ascii());
        assert_eq!(mail(text), mail(text));
        for line in [
            "Message-ID: <00000000-0000-0000-0000-000000000007@example.org>",
            "Date: Wed, 01 Jul 2026 12:00:00 +0000",
            "From: \"Seoul Films\" <films@example.org>",
            "To: alice@example.net",
            "Content-Language: ko",
            "Auto-Submitted: auto-generated",
            "Content-Type: text/plain; charset=utf-8",
        ] {
            assert!(mail(text).contains(&format!("{line}\r\n")), "{line}\n{}", mail(text));
        }
    }

    #[test]
    fn no_text_makes_a_header_or_ends_a_mail() {
        let mail = mail("It stands.\r\n.\r\nBcc: everybody@example.org\r\n\r\nHello");
        let headers = mail.split_once("\r\n\r\n").unwrap().0;
        assert!(!headers.contains("Bcc"), "{mail}");
        assert!(headers.contains("Subject: It stands\r\n"), "{mail}");
    }

    #[test]
    fn the_subject_is_the_first_sentence() {
        for (text, expected) in [
            ("Your drink is ready: 1 × Latte. Please collect it.", "Your drink is ready: 1 × Latte"),
            ("It cost 1.50 EUR in all.", "It cost 1.50 EUR in all"),
            ("예매가 확정되었습니다. 감사합니다.", "예매가 확정되었습니다"),
            ("One line\nand another", "One line"),
        ] {
            assert_eq!(subject(text), expected);
        }
        let long = subject(&"word, ".repeat(50));
        assert!(long.chars().count() <= MOST_SUBJECT_CHARACTERS + 1 && long.ends_with("word…"), "{long}");
    }
}
