//! The service's keys, which seal what is written to Redis and Kafka: an attacker who can read or write there without a
//! key can't learn the right choice before its reveal, and can't replace a command by another.
//!
//! The cipher is XChaCha20-Poly1305. The nonce is the HMAC-SHA-256 of the plain text and its place, truncated to 24
//! bytes. So different texts never share a nonce, without a counter that could be lost; and a record that is sealed
//! twice gives the same bytes, so that the copies in Redis and in the spool can be compared.
//!
//! docs/journal.md describes what is sealed, and the format.

use std::fmt;
use std::sync::Arc;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use klaxon_protocol::apart::Apart;
use klaxon_protocol::binary::{self, Encode};
use klaxon_protocol::ids::{Fence, GatewayId, ShowId};
use klaxon_protocol::journal::{
    CLAIM_LIMIT, Command, FrameError, MAGIC, Record, RecordTooLarge, Records, Sealed, frame_record,
};
use klaxon_protocol::register::{PersonRecord, PersonalData, Register};
use sha2::Sha256;

/// The length of a nonce, in bytes.
const NONCE: usize = 24;
/// Prefix of a record's associated data. What is sealed as one kind can't be opened as another.
const RECORD: &[u8] = b"klaxon record 1";
/// Prefix of the associated data of what stands apart from a record.
const PERSON: &[u8] = b"klaxon person 1";
/// Prefix of the associated data of an entry of the bus.
const ENTRY: &[u8] = b"klaxon entry 1";

/// The service's keys. Without keys nothing is sealed, and nothing sealed can be read.
#[derive(Clone, Default)]
pub struct SealKeys {
    /// The first key seals; every key can open.
    keys: Arc<[SealKey]>,
}

/// The keys that are derived from one secret.
struct SealKey {
    id: u64,
    cipher: XChaCha20Poly1305,
    /// Derives nonces.
    nonces: Hmac<Sha256>,
    /// Makes keyed hashes, which disclose nothing of their input.
    hashes: Hmac<Sha256>,
}

/// A stream of the bus that can have sealed entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode)]
pub enum Stream {
    /// Hosts' requests to any engine.
    Requests,
    /// What gateways send about a show.
    Input(ShowId),
    /// Replies to the hosts of a gateway.
    HostReplies(GatewayId),
}

/// Why sealed bytes can't be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// This process does not have the key.
    #[error(
        "it is sealed with key {key:016x}, and this process {known}. Nothing is lost: name the file with that key as seal-key-file \
         (a line for each key, the newest first) and start again"
    )]
    NoKey {
        /// The id of the key that sealed it.
        key: u64,
        /// A clause that lists the ids of this process's keys, see [`SealKeys::known`].
        known: String,
    },
    /// It was changed, truncated, or moved to another place.
    #[error("what is sealed with key {key:016x} was not sealed as it stands here: it was changed or moved")]
    Changed {
        /// The id of the key that sealed it.
        key: u64,
    },
    /// An unsealed record follows a sealed one. An engine without the key can't continue a show with sealed records, so
    /// someone else wrote it.
    #[error(
        "record {number} is not sealed, and one before it is: it was written by somebody without the service's key"
    )]
    NotSealed {
        /// The record's number.
        number: u64,
    },
}

impl fmt::Debug for SealKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealKeys({})", self.known())
    }
}

impl SealKey {
    fn of_secret(secret: &[u8]) -> Self {
        let derived = Hkdf::<Sha256>::new(None, secret);
        fn bytes<const LENGTH: usize>(derived: &Hkdf<Sha256>, what: &str) -> [u8; LENGTH] {
            let mut bytes = [0; LENGTH];
            derived.expand(what.as_bytes(), &mut bytes).expect("HKDF gives up to 8160 bytes");
            bytes
        }
        let mac = |what| {
            <Hmac<Sha256> as Mac>::new_from_slice(&bytes::<32>(&derived, what)).expect("HMAC takes keys of any length")
        };
        Self {
            id: u64::from_le_bytes(bytes(&derived, "klaxon seal 1: id")),
            cipher: XChaCha20Poly1305::new(&bytes::<32>(&derived, "klaxon seal 1: cipher").into()),
            nonces: mac("klaxon seal 1: nonces"),
            hashes: mac("klaxon seal 1: hashes"),
        }
    }

    fn nonce(&self, place: &[u8], text: &[u8]) -> XNonce {
        let length = (place.len() as u64).to_le_bytes();
        let mac = self.nonces.clone().chain_update(length).chain_update(place).chain_update(text).finalize();
        let mut nonce = XNonce::default();
        nonce.copy_from_slice(&mac.into_bytes()[..NONCE]);
        nonce
    }

    fn seal(&self, place: &[u8], text: &[u8]) -> Sealed {
        let nonce = self.nonce(place, text);
        let mut bytes = nonce.to_vec();
        let encrypted = self.cipher.encrypt(&nonce, Payload { msg: text, aad: place });
        bytes.extend(encrypted.expect("the cipher takes up to 256 GiB"));
        Sealed { key: self.id, bytes }
    }
}

impl SealKeys {
    /// The keys derived from these secrets; the first one seals.
    #[must_use]
    pub fn of_secrets<S: AsRef<[u8]>>(secrets: &[S]) -> Self {
        Self { keys: secrets.iter().map(|secret| SealKey::of_secret(secret.as_ref())).collect() }
    }

    /// Whether there are no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// A clause that lists the ids of the keys; an id discloses nothing of its key.
    #[must_use]
    pub fn known(&self) -> String {
        match &*self.keys {
            [] => "has no key".to_owned(),
            keys => {
                let ids: Vec<String> = keys.iter().map(|key| format!("{:016x}", key.id)).collect();
                format!("has {}", ids.join(", "))
            }
        }
    }

    fn open(&self, place: &[u8], sealed: &Sealed) -> Result<Vec<u8>, SealError> {
        let Some(key) = self.keys.iter().find(|key| key.id == sealed.key) else {
            return Err(SealError::NoKey { key: sealed.key, known: self.known() });
        };
        let changed = SealError::Changed { key: sealed.key };
        let Some((nonce, encrypted)) = sealed.bytes.split_first_chunk::<NONCE>() else { return Err(changed) };
        key.cipher.decrypt(&XNonce::from(*nonce), Payload { msg: encrypted, aad: place }).map_err(|_| changed)
    }

    /// A keyed hash of a hash: without the key it discloses nothing of the original input. Without keys it is `hash`
    /// itself.
    #[must_use]
    pub fn blind(&self, hash: u64) -> u64 {
        let Some(key) = self.keys.first() else { return hash };
        let mac = key.hashes.clone().chain_update(hash.to_le_bytes()).finalize().into_bytes();
        mac.first_chunk().map_or(hash, |bytes| u64::from_le_bytes(*bytes))
    }

    /// Seals a record's command and state, and by itself what stands apart from it. Without keys the record is returned unchanged.
    #[must_use]
    pub fn seal_record(&self, record: &Record) -> Record {
        let Some(key) = self.keys.first() else { return record.clone() };
        let Record { show, number, fence, at, command, events, state } = record;
        let (place, events) = (place_of(record), events.clone());
        let person = match record.apart() {
            Some(person) => Apart::known(key.seal(&place_of_person(record), &binary::encode(&person.data))),
            None => Apart::unknown(),
        };
        let command = Command::Sealed { sealed: key.seal(&place, &binary::encode(&(command, state))), person };
        Record { show: *show, number: *number, fence: *fence, at: *at, command, events, state: 0 }
    }

    /// Opens what stands apart from a record; one that is not sealed is returned unchanged.
    ///
    /// # Errors
    /// If the key is missing, or it was changed or moved.
    pub fn open_person(&self, person: PersonRecord) -> Result<PersonRecord, SealError> {
        let PersonalData::Sealed(sealed) = &person.data else { return Ok(person) };
        let PersonRecord { show, number, fence, .. } = person;
        let data = self.open_personal_data(&person_place(show, number, fence), sealed)?;
        Ok(PersonRecord { data, ..person })
    }

    fn open_personal_data(&self, place: &[u8], sealed: &Sealed) -> Result<PersonalData, SealError> {
        let text = self.open(place, sealed)?;
        match binary::decode::<PersonalData, CLAIM_LIMIT>(&text) {
            Ok(data) if !matches!(data, PersonalData::Sealed(_)) => Ok(data),
            _ => Err(SealError::Changed { key: sealed.key }),
        }
    }

    /// Seals an entry of the bus for this stream; none without keys.
    #[must_use]
    pub fn seal_entry(&self, stream: Stream, entry: &[u8]) -> Option<Sealed> {
        Some(self.keys.first()?.seal(&place_in(stream), entry))
    }

    /// Opens an entry that was sealed for this stream.
    ///
    /// # Errors
    /// If the key is missing, or the entry was changed or moved.
    pub fn open_entry(&self, stream: Stream, sealed: &Sealed) -> Result<Vec<u8>, SealError> {
        self.open(&place_in(stream), sealed)
    }
}

/// The associated data of a record's sealed part: all its other fields, so that the part can't be moved to another
/// record.
fn place_of(record: &Record) -> Vec<u8> {
    let Record { show, number, fence, at, events, .. } = record;
    let mut place = RECORD.to_vec();
    binary::encode_into(&(show, number, fence, at, events), &mut place);
    place
}

fn place_of_person(record: &Record) -> Vec<u8> {
    person_place(record.show, record.number, record.fence)
}

/// The associated data of what stands apart from a record.
fn person_place(show: ShowId, number: u64, fence: Fence) -> Vec<u8> {
    let mut place = PERSON.to_vec();
    binary::encode_into(&(show, number, fence), &mut place);
    place
}

fn place_in(stream: Stream) -> Vec<u8> {
    let mut place = ENTRY.to_vec();
    binary::encode_into(&stream, &mut place);
    place
}

/// Opens the records of one show, in order.
#[derive(Debug, Clone, Copy, Default)]
pub struct RecordOpener {
    has_sealed: bool,
}

impl RecordOpener {
    /// Opens the next record; one that is not sealed is returned unchanged if no sealed record came before it.
    ///
    /// # Errors
    /// If the key is missing, the record was changed or moved, or it is unsealed after a sealed one. What stands apart from it and can't
    /// be opened counts as missing: nothing depends on it.
    pub fn open(&mut self, keys: &SealKeys, record: Record) -> Result<Record, SealError> {
        let Command::Sealed { sealed, person } = &record.command else {
            let number = record.number;
            return if self.has_sealed { Err(SealError::NotSealed { number }) } else { Ok(record) };
        };
        self.has_sealed = true;
        let text = keys.open(&place_of(&record), sealed)?;
        match binary::decode::<(Command, u64), CLAIM_LIMIT>(&text) {
            Ok((mut command, state)) if !matches!(command, Command::Sealed { .. }) => {
                match person.get().map(|person| keys.open_personal_data(&place_of_person(&record), person)) {
                    Some(Ok(data)) => command.put_apart(data),
                    Some(Err(error)) => {
                        let (show, number) = (record.show, record.number);
                        tracing::warn!(%show, number, %error, "what stands apart from this record can't be read: it counts as missing");
                    }
                    None => {}
                }
                Ok(Record { command, state, ..record })
            }
            _ => Err(SealError::Changed { key: sealed.key }),
        }
    }
}

/// Opens all records of a show.
///
/// # Errors
/// As [`RecordOpener::open`]: the error of the first record that can't be opened, with its number.
pub fn open_records(
    keys: &SealKeys,
    records: impl IntoIterator<Item = Record>,
) -> Result<Vec<Record>, (u64, SealError)> {
    let mut opener = RecordOpener::default();
    let open = |record: Record| {
        let number = record.number;
        opener.open(keys, record).map_err(|error| (number, error))
    };
    records.into_iter().map(open).collect()
}

/// Why a journal's bytes can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum UnsealError {
    /// They end in a torn record, or are damaged.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// A record can't be opened.
    #[error("record {0}: {1}")]
    Record(u64, SealError),
    /// A record is too large once it is opened.
    #[error(transparent)]
    TooLarge(#[from] RecordTooLarge),
}

/// Opens all sealed records in the bytes of a journal, which begin with the magic, and what stands apart from them. A journal without
/// sealed records is returned unchanged, even if it is torn.
///
/// # Errors
/// At the first record that can't be opened.
pub fn open_journal(keys: &SealKeys, bytes: Vec<u8>, mut people: Register) -> Result<(Vec<u8>, Register), UnsealError> {
    let is_sealed = |item: Result<(usize, Record), FrameError>| {
        item.is_ok_and(|(_, record)| matches!(record.command, Command::Sealed { .. }))
    };
    if !Records::new(&bytes).is_ok_and(|mut records| records.any(is_sealed)) {
        return Ok((bytes, people));
    }
    let mut opener = RecordOpener::default();
    let (mut opened, mut opened_people) = (MAGIC.to_vec(), Register::default());
    for item in Records::new(&bytes)? {
        let (_, mut record) = item?;
        let number = record.number;
        people.fill(&mut record);
        let record = opener.open(keys, record).map_err(|error| UnsealError::Record(number, error))?;
        frame_record(&record, &mut opened)?;
        record.apart().into_iter().for_each(|person| opened_people.add(person));
    }
    Ok((opened, opened_people))
}

#[cfg(test)]
mod tests;
