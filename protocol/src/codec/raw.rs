//! JSON as it was sent: values as their original bytes, members in their original order.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Deserializer;

/// Characters of a value that a refusal quotes at most.
const SHOWN: usize = 40;

/// One JSON value as its original bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raw<'j>(&'j [u8]);

impl<'j> Raw<'j> {
    /// The first value in these bytes; none if they do not begin with JSON.
    pub fn first_in(json: &'j [u8]) -> Option<Self> {
        let (value, _) = Self::take(json)?;
        Some(value)
    }

    /// The bytes.
    pub fn bytes(self) -> &'j [u8] {
        self.0
    }

    /// Whether it is `null`.
    pub fn is_null(self) -> bool {
        self.0 == b"null"
    }

    /// The value, if it is of this type.
    pub fn read<T: Deserialize<'j>>(self) -> Option<T> {
        serde_json::from_slice(self.0).ok()
    }

    /// The members of an object, including duplicates. None if it is not an object.
    pub fn members(self) -> Option<Vec<(String, Self)>> {
        let mut rest = self.0.strip_prefix(b"{")?;
        let mut members = Vec::new();
        loop {
            rest = rest.trim_ascii_start();
            match rest {
                [b'}', ..] => return Some(members),
                [b',', behind @ ..] => rest = behind,
                _ => {
                    let (name, behind) = take::<String>(rest)?;
                    let (value, behind) = Self::take(behind.trim_ascii_start().strip_prefix(b":")?)?;
                    members.push((name, value));
                    rest = behind;
                }
            }
        }
    }

    /// The items of a list. None if it is not a list.
    pub fn items(self) -> Option<Vec<Self>> {
        let mut rest = self.0.strip_prefix(b"[")?;
        let mut items = Vec::new();
        loop {
            rest = rest.trim_ascii_start();
            match rest {
                [b']', ..] => return Some(items),
                [b',', behind @ ..] => rest = behind,
                _ => {
                    let (item, behind) = Self::take(rest)?;
                    items.push(item);
                    rest = behind;
                }
            }
        }
    }

    /// The value as a refusal quotes it: numbers in their original digits, long texts cut.
    pub fn shown(self) -> String {
        match self.0 {
            [b'{', ..] => return "an object".into(),
            [b'[', ..] => return "a list".into(),
            _ => {}
        }
        let text = String::from_utf8_lossy(self.0);
        let mut shown: String = text.chars().take(SHOWN).collect();
        if shown.len() < text.len() {
            shown.push('…');
        }
        shown
    }

    fn take(json: &'j [u8]) -> Option<(Self, &'j [u8])> {
        let json = json.trim_ascii_start();
        let (_, behind) = take::<IgnoredAny>(json)?;
        Some((Self(&json[..json.len() - behind.len()]), behind))
    }
}

/// The first value in these bytes, and the bytes after it.
fn take<'j, T: Deserialize<'j>>(json: &'j [u8]) -> Option<(T, &'j [u8])> {
    let mut values = Deserializer::from_slice(json).into_iter::<T>();
    let value = values.next()?.ok()?;
    Some((value, &json[values.byte_offset()..]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn shown(json: &str) -> String {
        Raw::first_in(json.as_bytes()).unwrap().shown()
    }

    #[test]
    fn numbers_are_shown_by_their_digits_and_long_texts_are_cut() {
        assert_eq!(shown(" 18446744073709551616 "), "18446744073709551616");
        assert_eq!(shown("1.50e3,"), "1.50e3");
        assert_eq!(shown("[1]"), "a list");
        assert_eq!(shown(r#"{"a":1}"#), "an object");
        assert_eq!(shown(&format!("\"{}\"", "ü".repeat(99))).chars().count(), SHOWN + 1);
    }

    #[test]
    fn members_are_found_in_their_order_also_those_that_stand_twice() {
        let raw = Raw::first_in(br#" { "a" : [1, "}"] , "b\"" : null,"a":{"c":2} } trailing"#).unwrap();
        let members = raw.members().unwrap();
        let shown: Vec<_> = members.iter().map(|(name, value)| (name.as_str(), value.bytes())).collect();
        assert_eq!(shown, [("a", &br#"[1, "}"]"#[..]), ("b\"", b"null"), ("a", br#"{"c":2}"#)]);
        assert_eq!(members[0].1.items().unwrap().len(), 2);
        assert_eq!(raw.items(), None);
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![Just(Value::Null), any::<i64>().prop_map(Value::from), ".*".prop_map(Value::from)];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::hash_map(".*", inner, 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_part_of_a_value_is_found(value in json(), pretty: bool) {
            let text = if pretty { format!("{value:#}") } else { value.to_string() };
            let raw = Raw::first_in(text.as_bytes()).unwrap();
            match &value {
                Value::Object(members) => {
                    let found: Value = Value::Object(
                        raw.members().unwrap().into_iter().map(|(name, raw)| (name, raw.read().unwrap())).collect(),
                    );
                    prop_assert_eq!(&found, &value);
                    prop_assert_eq!(raw.members().unwrap().len(), members.len());
                }
                Value::Array(items) => {
                    let found: Vec<Value> = raw.items().unwrap().into_iter().map(|raw| raw.read().unwrap()).collect();
                    prop_assert_eq!(&found, items);
                }
                _ => prop_assert_eq!(raw.read::<Value>().unwrap(), value),
            }
        }

        #[test]
        fn noise_is_no_value_and_hurts_nobody(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Some(raw) = Raw::first_in(&bytes) {
                let _ = (raw.members(), raw.items(), raw.shown());
            }
        }
    }
}
