//! Extracts the id of a host's command that can't be decoded, so that its refusal can contain it.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::Codec;
use crate::binary;
use crate::ids::CommandId;

/// The bincode variant numbers of the messages that begin with an id: `create` and `command`.
const WITH_ID: std::ops::RangeInclusive<u32> = 0..=1;

/// The `id` of a host's message, if it can be decoded that far.
#[must_use]
pub fn command_id_in(codec: Codec, message: &[u8]) -> Option<CommandId> {
    match codec {
        Codec::Json => {
            let mut id = None;
            // An error after the id is ignored: decoding the message has reported it already.
            let _ = IdOf(&mut id).deserialize(&mut serde_json::Deserializer::from_slice(message));
            id
        }
        Codec::Bincode => {
            // An id has 64 bytes at most.
            let (number, id) = binary::decode_prefix::<(u32, CommandId), 128>(message).ok()?;
            WITH_ID.contains(&number).then_some(id)
        }
    }
}

/// Deserializes an object up to the end of its `id`, or as far as it is valid.
struct IdOf<'a>(&'a mut Option<CommandId>);

impl<'de> DeserializeSeed<'de> for IdOf<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for IdOf<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<Cow<'_, str>>()? {
            if name == "id" {
                *self.0 = CommandId::parse(&map.next_value::<Cow<'_, str>>()?).ok();
                return Ok(());
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_from_whatever_else_is_wrong() {
        let id = |json: &str| command_id_in(Codec::Json, json.as_bytes()).map(|id| id.as_str().to_owned());
        for json in [
            r#"{"type":"command","id":"c-1","show":7,"action":"next"}"#,
            r#"{"id":"c-1""#,
            r#"{"type":"dance","id":"c-1"}"#,
            r#"{"type":"command","show":{"deep":[[]]},"id":"c-1","action":"#,
        ] {
            assert_eq!(id(json).as_deref(), Some("c-1"), "{json}");
        }
        for json in
            ["", "[]", r#"{"id":7}"#, r#"{"id":""}"#, r#"{"id":null}"#, r#"{"show":"id"}"#, r#"{"x":{"id":"a"}}"#]
        {
            assert_eq!(id(json), None, "{json}");
        }
    }

    #[test]
    fn an_id_is_read_from_bincode_that_ends_behind_it() {
        assert_eq!(command_id_in(Codec::Bincode, b"\x01\x03c-1\xff").unwrap().as_str(), "c-1");
        assert_eq!(command_id_in(Codec::Bincode, b"\x00\x03c-1").unwrap().as_str(), "c-1");
        for bytes in
            [&b"\x02\x03c-1"[..], b"\x01\x04c-1", b"\x01\x00", b"\x01\xfd\xff\xff\xff\xff\xff\xff\xff\xff", b""]
        {
            assert_eq!(command_id_in(Codec::Bincode, bytes), None, "{bytes:?}");
        }
    }
}
