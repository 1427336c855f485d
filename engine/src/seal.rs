//! The service's keys, by which what is written to Redis and Kafka is sealed: whoever can read or write there without a key learns no right
//! choice before its reveal, and can't put another command in the place of one.
//!
//! The cipher is XChaCha20-Poly1305. A nonce is the HMAC-SHA-256 of what is sealed and where it stands, cut to 24 bytes. So no two
//! different texts are sealed under one nonce, without a count that could be lost; and a record that is written twice has the same bytes
//! twice, by which the copies in Redis and in the spool are compared.
//!
//! docs/journal.md says what is sealed, and how it stands in bytes.

use std::fmt;
use std::sync::Arc;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use klaxon_protocol::binary::{self, Encode};
use klaxon_protocol::ids::{GatewayId, ShowId};
use klaxon_protocol::journal::{
    CLAIM_LIMIT, Command, FrameError, MAGIC, Record, RecordTooLarge, Records, Sealed, frame_record,
};
use sha2::Sha256;

/// The bytes of a nonce.
const NONCE: usize = 24;
/// What the associated data of a record begins with. Nothing that is sealed as one kind can be opened as another.
const RECORD: &[u8] = b"klaxon record 1";
/// The same of an entry of the bus.
const ENTRY: &[u8] = b"klaxon entry 1";

/// The service's keys. With none nothing is sealed, and nothing that is sealed can be read.
#[derive(Clone, Default)]
pub struct SealKeys {
    /// The first seals; all open.
    keys: Arc<[SealKey]>,
}

/// What is derived from one secret.
struct SealKey {
    id: u64,
    cipher: XChaCha20Poly1305,
    /// Makes nonces.
    nonces: Hmac<Sha256>,
    /// Makes hashes that say nothing of what was hashed.
    hashes: Hmac<Sha256>,
}

/// A stream of the bus in which there are sealed entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode)]
pub enum Stream {
    /// What hosts ask of any engine.
    Requests,
    /// What gateways send about a show.
    Input(ShowId),
    /// Replies to the hosts of a gateway.
    HostReplies(GatewayId),
}

/// Why something that is sealed can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// This process does not have the key.
    #[error(
        "it is sealed with key {key:016x}, and this process {known}. Nothing is lost: name the file with that key as seal-key-file \
         (a line for each key, the newest first) and start again"
    )]
    NoKey {
        /// The key.
        key: u64,
        /// Which keys this process has.
        known: String,
    },
    /// It was changed, cut, or moved from where it stood.
    #[error("what is sealed with key {key:016x} was not sealed as it stands here: it was changed or moved")]
    Changed {
        /// The key.
        key: u64,
    },
    /// A record that is not sealed follows one that is. Without the key nobody plays a show on whose records are sealed.
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
    /// The keys of these secrets, the first of which seals.
    #[must_use]
    pub fn of_secrets<S: AsRef<[u8]>>(secrets: &[S]) -> Self {
        Self { keys: secrets.iter().map(|secret| SealKey::of_secret(secret.as_ref())).collect() }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// In words, which keys there are: their ids, which tell nothing of the keys.
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

    /// A hash of a hash: for whoever has no key it says nothing of what was hashed.
    #[must_use]
    pub fn blind(&self, hash: u64) -> u64 {
        let Some(key) = self.keys.first() else { return hash };
        let mac = key.hashes.clone().chain_update(hash.to_le_bytes()).finalize().into_bytes();
        mac.first_chunk().map_or(hash, |bytes| u64::from_le_bytes(*bytes))
    }

    /// The record as it is written: its command and its state are sealed. Without a key it stays as it is.
    #[must_use]
    pub fn seal_record(&self, record: &Record) -> Record {
        let Some(key) = self.keys.first() else { return record.clone() };
        let Record { show, number, fence, at, command, events, state } = record;
        let (place, events) = (place_of(record), events.clone());
        let command = Command::Sealed(key.seal(&place, &binary::encode(&(command, state))));
        Record { show: *show, number: *number, fence: *fence, at: *at, command, events, state: 0 }
    }

    /// An entry of the bus as it is written into this stream. None without a key.
    #[must_use]
    pub fn seal_entry(&self, stream: Stream, entry: &[u8]) -> Option<Sealed> {
        Some(self.keys.first()?.seal(&place_in(stream), entry))
    }

    /// The entry that was sealed for this stream.
    ///
    /// # Errors
    /// Without the key, or if it was changed or moved.
    pub fn open_entry(&self, stream: Stream, sealed: &Sealed) -> Result<Vec<u8>, SealError> {
        self.open(&place_in(stream), sealed)
    }
}

/// All of a record but its command and state: these can be opened there only, and with these events.
fn place_of(record: &Record) -> Vec<u8> {
    let Record { show, number, fence, at, events, .. } = record;
    let mut place = RECORD.to_vec();
    binary::encode_into(&(show, number, fence, at, events), &mut place);
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
    /// The next record as it was before it was sealed.
    ///
    /// # Errors
    /// Without the key, or if it was changed or moved.
    pub fn open(&mut self, keys: &SealKeys, record: Record) -> Result<Record, SealError> {
        let Command::Sealed(sealed) = &record.command else {
            let number = record.number;
            return if self.has_sealed { Err(SealError::NotSealed { number }) } else { Ok(record) };
        };
        self.has_sealed = true;
        let text = keys.open(&place_of(&record), sealed)?;
        match binary::decode::<(Command, u64), CLAIM_LIMIT>(&text) {
            Ok((command, state)) if !matches!(command, Command::Sealed(_)) => Ok(Record { command, state, ..record }),
            _ => Err(SealError::Changed { key: sealed.key }),
        }
    }
}

/// All records of a show, opened.
///
/// # Errors
/// As [`RecordOpener::open`], at the first that can't be opened, with its number.
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
    /// They are not whole.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// A record can't be opened.
    #[error("record {0}: {1}")]
    Record(u64, SealError),
    /// A record is too large once it is opened.
    #[error(transparent)]
    TooLarge(#[from] RecordTooLarge),
}

/// The bytes of a journal, magic included, with all that is sealed in them opened. Those of a journal in which nothing is sealed stay as
/// they are, also if they are not whole.
///
/// # Errors
/// At the first record that can't be opened.
pub fn open_journal(keys: &SealKeys, bytes: Vec<u8>) -> Result<Vec<u8>, UnsealError> {
    let is_sealed = |item: Result<(usize, Record), FrameError>| {
        item.is_ok_and(|(_, record)| matches!(record.command, Command::Sealed(_)))
    };
    if !Records::new(&bytes).is_ok_and(|mut records| records.any(is_sealed)) {
        return Ok(bytes);
    }
    let mut opener = RecordOpener::default();
    let mut opened = MAGIC.to_vec();
    for item in Records::new(&bytes)? {
        let (_, record) = item?;
        let number = record.number;
        let record = opener.open(keys, record).map_err(|error| UnsealError::Record(number, error))?;
        frame_record(&record, &mut opened)?;
    }
    Ok(opened)
}

#[cfg(test)]
mod tests;
