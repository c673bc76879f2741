//! What a process is there for: the API, sagas, projections, or single subscriptions.

use crate::failure::Failure;
use std::collections::BTreeSet;
use std::fmt;

const API: &str = "api";
const SAGAS: &str = "sagas";
const PROJECTIONS: &str = "projections";

/// What was chosen with `--roles`; everything where nothing was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Roles {
    chosen: Option<BTreeSet<String>>,
}

impl Roles {
    /// Each text may name several, with commas between them.
    pub(crate) fn of(texts: &[String]) -> Result<Self, Failure> {
        let names = texts.iter().flat_map(|text| text.split(',')).map(str::trim).filter(|name| !name.is_empty());
        let chosen: BTreeSet<String> = names.map(str::to_owned).collect();
        let known = known();
        match chosen.iter().find(|name| !known.contains(&name.as_str())) {
            Some(wrong) => Err(Failure::new(format!("roles `{wrong}`: there are {}", known.join(", ")))),
            None if texts.is_empty() => Ok(Self { chosen: None }),
            None if chosen.is_empty() => {
                Err(Failure::new(format!("roles: none is named; there are {}", known.join(", "))))
            }
            None => Ok(Self { chosen: Some(chosen) }),
        }
    }

    /// Whether this process takes commands and answers queries.
    pub(crate) fn has_api(&self) -> bool {
        self.has(API)
    }

    /// The process managers that run here when it is their turn.
    pub(crate) fn sagas(&self) -> Vec<&'static str> {
        sagas::Sagas::NAMES.into_iter().filter(|name| self.has(SAGAS) || self.has(name)).collect()
    }

    /// The subscriptions of views that are folded here when it is their turn.
    pub(crate) fn views(&self) -> Vec<&'static str> {
        projections::Views::all_subscriptions()
            .into_iter()
            .filter(|name| self.has(PROJECTIONS) || self.has(name))
            .collect()
    }

    /// Whether nothing is left out.
    pub(crate) fn are_all(&self) -> bool {
        let everything = || sagas::Sagas::NAMES.len() + projections::Views::all_subscriptions().len();
        self.has_api() && self.sagas().len() + self.views().len() == everything()
    }

    fn has(&self, name: &str) -> bool {
        self.chosen.as_ref().is_none_or(|chosen| chosen.contains(name))
    }
}

fn known() -> Vec<&'static str> {
    let groups = [API, SAGAS, PROJECTIONS].into_iter();
    groups.chain(sagas::Sagas::NAMES).chain(projections::Views::all_subscriptions()).collect()
}

impl fmt::Display for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = BTreeSet::from([API.to_owned(), SAGAS.to_owned(), PROJECTIONS.to_owned()]);
        let names: Vec<_> = self.chosen.as_ref().unwrap_or(&all).iter().map(String::as_str).collect();
        f.write_str(&names.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles(texts: &[&str]) -> Result<Roles, String> {
        let texts: Vec<String> = texts.iter().map(|&text| text.to_owned()).collect();
        Roles::of(&texts).map_err(|failure| failure.line())
    }

    #[test]
    fn nothing_said_is_everything() {
        let all = roles(&[]).unwrap();
        assert!(all.are_all() && all.has_api());
        assert_eq!((all.sagas().len(), all.to_string().as_str()), (sagas::Sagas::NAMES.len(), "api,projections,sagas"));
        assert!(roles(&["api,sagas", "projections"]).unwrap().are_all());
    }

    #[test]
    fn groups_and_single_subscriptions_are_taken_with_commas_or_one_by_one() {
        let some = roles(&["payments, view-mypage", "api"]).unwrap();
        assert!(some.has_api() && !some.are_all());
        assert_eq!((some.sagas(), some.views()), (vec!["payments"], vec!["view-mypage"]));
        let group = roles(&["sagas"]).unwrap();
        assert_eq!((group.sagas().len(), group.views().len(), group.has_api()), (sagas::Sagas::NAMES.len(), 0, false));
    }

    #[test]
    fn a_wrong_name_is_answered_with_those_that_there_are() {
        let line = roles(&["api,saga"]).unwrap_err();
        assert!(line.starts_with("roles `saga`: there are api, sagas, projections, reservation"), "{line}");
        assert!(line.contains("view-mypage") && line.lines().count() == 1);
        assert!(roles(&[","]).unwrap_err().starts_with("roles: none is named"));
    }
}
