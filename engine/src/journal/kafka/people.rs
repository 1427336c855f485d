//! What stands apart from journals, in a topic of its own: who is who.
//!
//! A message is one person record in its frame; its key is the number and fence of the journal's record that it belongs to, behind the
//! show's id. It is uploaded and acknowledged before that record is sent. One without a value is a tombstone, by which the person is
//! forgotten for good: readers pass over what comes after it with that key. The topic is compacted, so that Kafka itself drops what came
//! before it.

use klaxon_protocol::ids::{Fence, ShowId};
use klaxon_protocol::register::{PEOPLE_MAGIC, PersonRecord, PersonRecords};
use rdkafka::message::{BorrowedMessage, Message};

/// Where a person record belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct PersonKey {
    pub(super) show: ShowId,
    pub(super) number: u64,
    pub(super) fence: Fence,
}

impl PersonKey {
    pub(super) const fn of(person: &PersonRecord) -> Self {
        Self { show: person.show, number: person.number, fence: person.fence }
    }

    /// The name of its field in Redis' hash of the show.
    pub(super) fn field(self) -> String {
        format!("{}-{}", self.number, self.fence)
    }

    /// The message's key.
    pub(super) fn text(self) -> String {
        format!("{}-{}-{}", self.show, self.number, self.fence)
    }

    fn parse(key: &[u8]) -> Option<Self> {
        let mut parts = std::str::from_utf8(key).ok()?.split('-');
        let (show, number, fence) = (parts.next()?, parts.next()?, parts.next()?);
        let key = Self { show: show.parse().ok()?, number: number.parse().ok()?, fence: Fence(fence.parse().ok()?) };
        parts.next().is_none().then_some(key)
    }
}

/// The one person record in these bytes, which hold it in its frame.
pub(super) fn person_in(framed: &[u8]) -> Result<PersonRecord, String> {
    let mut bytes = PEOPLE_MAGIC.to_vec();
    bytes.extend_from_slice(framed);
    let mut records = PersonRecords::new(&bytes).map_err(|error| error.to_string())?;
    match records.next() {
        Some(Ok((_, record))) => Ok(record),
        Some(Err(error)) => Err(error.to_string()),
        None => Err("it is empty".into()),
    }
}

/// What a message of the topic tells: a person, or by a tombstone that they are forgotten.
pub(super) fn person_in_message(message: &BorrowedMessage<'_>) -> Result<(PersonKey, Option<PersonRecord>), String> {
    let key = message.key().and_then(PersonKey::parse).ok_or("its key is that of no record")?;
    let Some(payload) = message.payload() else { return Ok((key, None)) };
    let person = person_in(payload)?;
    if PersonKey::of(&person) == key {
        Ok((key, Some(person)))
    } else {
        Err("its key is that of another record".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_is_written_and_nothing_else_is_a_key() {
        let key = PersonKey { show: ShowId(u64::MAX), number: 7, fence: Fence(3) };
        assert_eq!(key.text(), "18446744073709551615-7-3");
        assert_eq!(PersonKey::parse(key.text().as_bytes()), Some(key));
        for other in [&b"7"[..], b"7-1", b"7-1-2-3", b"7--2", b"a-1-2", b"7-1-\xff", b""] {
            assert_eq!(PersonKey::parse(other), None, "{other:?}");
        }
    }
}
