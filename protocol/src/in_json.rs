//! Fields that messages have in JSON only.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use crate::binary::{Decode, DecodeError, Decoder, Encode, EncodeError, Encoder, impl_borrow_decode};

/// A field that a message has in JSON only. Nothing stands for it in bincode, whose messages never get a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InJson<T>(Option<T>);

impl<T> InJson<T> {
    /// Whether there is nothing: the message came in bincode, or from a server that has no such field.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// What there is.
    #[must_use]
    pub fn get(self) -> Option<T> {
        self.0
    }
}

impl<T> Default for InJson<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> From<T> for InJson<T> {
    fn from(value: T) -> Self {
        Self(Some(value))
    }
}

impl<T: JsonSchema> JsonSchema for InJson<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        Option::<T>::schema_name()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Option::<T>::json_schema(generator)
    }
}

impl<T> Encode for InJson<T> {
    fn encode<E: Encoder>(&self, _: &mut E) -> Result<(), EncodeError> {
        Ok(())
    }
}

impl<T, Context> Decode<Context> for InJson<T> {
    fn decode<D: Decoder<Context = Context>>(_: &mut D) -> Result<Self, DecodeError> {
        Ok(Self::default())
    }
}
impl_borrow_decode!(InJson<T>, T);

#[cfg(test)]
impl<T: std::fmt::Debug + 'static> proptest::arbitrary::Arbitrary for InJson<T> {
    type Parameters = ();
    type Strategy = proptest::strategy::LazyJust<Self, fn() -> Self>;

    /// What both codecs have: nothing.
    fn arbitrary_with((): ()) -> Self::Strategy {
        proptest::strategy::LazyJust::new(Self::default)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::binary;

    #[derive(Debug, PartialEq, Serialize, Deserialize, Encode, Decode)]
    struct Message {
        #[serde(default, skip_serializing_if = "InJson::is_none")]
        later: InJson<u16>,
        then: u8,
    }

    #[test]
    fn json_has_it_and_bincode_reads_and_writes_what_it_did_before() {
        let message = Message { later: 300.into(), then: 7 };
        assert_eq!(serde_json::to_value(&message).unwrap(), json!({ "later": 300, "then": 7 }));
        assert_eq!(serde_json::from_value::<Message>(json!({ "later": 300, "then": 7 })).unwrap(), message);
        assert_eq!(binary::encode(&message), [7]);
        let none = Message { later: InJson::default(), then: 7 };
        assert_eq!(binary::decode::<Message, 64>(&[7]).unwrap(), none);
        for left_out in [json!({ "then": 7 }), json!({ "later": null, "then": 7 })] {
            assert!(serde_json::from_value::<Message>(left_out).unwrap().later.is_none());
        }
    }
}
