//! Which of its languages a caller wants to be written to in.

use axum::http::{HeaderMap, header};
use domain::Language;

/// The language that `Accept-Language` likes best among those there are; where it likes none of them, the default.
pub(crate) fn asked_for(headers: &HeaderMap) -> Language {
    let values = headers.get_all(header::ACCEPT_LANGUAGE).iter().filter_map(|value| value.to_str().ok());
    let mut best = (0, Language::default());
    for range in values.flat_map(|value| value.split(',')) {
        if let Some((liking, language)) = read(range)
            && liking > best.0
        {
            best = (liking, language);
        }
    }
    best.1
}

/// `ko-KR;q=0.8`: a language that there is, and how much it is liked, in thousandths.
fn read(range: &str) -> Option<(u16, Language)> {
    let mut parts = range.split(';').map(str::trim);
    let primary = parts.next()?.split('-').next()?;
    let language = Language::ALL.into_iter().find(|language| language.code().eq_ignore_ascii_case(primary))?;
    match parts.next() {
        None => Some((1_000, language)),
        Some(weight) => Some((thousandths(weight)?, language)),
    }
}

/// `q=0.8` is 800; `None` where it is no weight of RFC 9110.
fn thousandths(weight: &str) -> Option<u16> {
    let number = weight.strip_prefix("q=").or_else(|| weight.strip_prefix("Q="))?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !matches!(whole, "0" | "1") || fraction.len() > 3 || !digits(fraction) {
        return None;
    }
    format!("{whole}{fraction:0<3}").parse().ok().filter(|weight| *weight <= 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(values: &[&str]) -> Language {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::ACCEPT_LANGUAGE, value.parse().unwrap());
        }
        asked_for(&headers)
    }

    #[test]
    fn the_language_that_is_liked_best_is_taken() {
        for korean in
            ["ko", "KO", "ko-KR", "ko-KR,ko;q=0.9,en-US;q=0.8", "fr, ko;q=0.5, en;q=0.4", "en;q=0, ko;q=0.001"]
        {
            assert_eq!(asked(&[korean]), Language::Ko, "{korean}");
        }
        for english in ["en", "en-GB,ko", "ko;q=0.8,en", "ko;q=0.8, en;q=0.81", "en;q=1.000,ko;q=1"] {
            assert_eq!(asked(&[english]), Language::En, "{english}");
        }
        assert_eq!(asked(&["fr", "ko;q=0.3"]), Language::Ko);
    }

    #[test]
    fn what_is_not_understood_is_english() {
        for other in [
            "",
            "fr",
            "*",
            "kok",
            "ko;q=0",
            "ko;q=2",
            "ko;q=-1",
            "ko;q=1.001",
            "ko;q=0.1234",
            "ko;q=",
            "ko;v=1",
            ";;,,",
        ] {
            assert_eq!(asked(&[other]), Language::En, "{other}");
        }
        assert_eq!(asked(&[]), Language::En);
    }
}
