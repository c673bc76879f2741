//! What stands in braces in a text: the check of a policy and the filling of a text read it with the same eyes.

/// Something that is known of a rental when a text about it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placeholder {
    /// The shop's name.
    Store,
    /// The item's name.
    Item,
    Quantity,
    From,
    To,
    Seats,
    Total,
    Fee,
    Refunded,
    /// Until when an offer stands.
    Until,
    /// The business's word for where the rental stands.
    Status,
    /// The rental's id.
    Rental,
}

impl Placeholder {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "store" => Self::Store,
            "item" => Self::Item,
            "quantity" => Self::Quantity,
            "from" => Self::From,
            "to" => Self::To,
            "seats" => Self::Seats,
            "total" => Self::Total,
            "fee" => Self::Fee,
            "refunded" => Self::Refunded,
            "until" => Self::Until,
            "status" => Self::Status,
            "rental" => Self::Rental,
            _ => return None,
        })
    }
}

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    /// Said as it is.
    Plain(&'a str),
    /// Replaced by what is so.
    Value(Placeholder),
    /// A brace that nobody can make sense of, with what comes with it. No checked policy has any.
    Unknown(&'a str),
}

/// The parts of a text, in order. Together they are the whole text.
pub(crate) fn parts(text: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let length = match rest.find(['{', '}']) {
            Some(0) => rest.find('}').map_or(rest.len(), |end| end + 1),
            Some(brace) => brace,
            None => rest.len(),
        };
        let (part, behind) = rest.split_at(length);
        rest = behind;
        if part.is_empty() {
            return None;
        }
        if !part.starts_with(['{', '}']) {
            return Some(Part::Plain(part));
        }
        let name = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
        Some(name.and_then(Placeholder::named).map_or(Part::Unknown(part), Part::Value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_text_are_the_text() {
        use {Part::Plain, Part::Unknown, Part::Value};
        for (text, expected) in [
            ("", vec![]),
            ("plain", vec![Plain("plain")]),
            ("{item}", vec![Value(Placeholder::Item)]),
            ("듄 {seats}{to}!", vec![Plain("듄 "), Value(Placeholder::Seats), Value(Placeholder::To), Plain("!")]),
            ("{Item} {", vec![Unknown("{Item}"), Plain(" "), Unknown("{")]),
            ("a } b", vec![Plain("a "), Unknown("}"), Plain(" b")]),
            ("{ {item}", vec![Unknown("{ {item}")]),
        ] {
            assert_eq!(parts(text).collect::<Vec<_>>(), expected, "{text}");
        }
    }
}
