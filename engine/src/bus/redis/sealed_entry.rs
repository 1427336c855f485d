//! Sealing of entries with content that players must not know, such as a pack. If a key is set, such an entry is
//! sealed, and can be opened only with the key and in the stream for which it was sealed.

use std::borrow::Cow;

use klaxon_protocol::binary;
use klaxon_protocol::host::{Action, FromHost, HostCommand, ToHost};
use klaxon_protocol::journal::Sealed;
use klaxon_protocol::link::{ToEngine, ToGateway};

use super::entry::{EntryError, decode_body, decode_to_engine, decode_to_gateway, encode_to_engine, encode_to_gateway};
use super::version::{sealed_body, sealed_header};
use crate::seal::{SealKeys, Stream};

/// Encodes messages of a gateway, sealed if there is a secret among them.
pub(super) fn seal_to_engine(keys: &SealKeys, stream: Stream, messages: &[ToEngine]) -> Vec<u8> {
    let has_secret = messages.iter().any(is_secret_for_engines);
    seal(keys, stream, has_secret, encode_to_engine(messages))
}

/// Decodes messages of a gateway, which may be sealed.
///
/// # Errors
/// If these are no messages of a gateway, or can't be opened.
pub(super) fn open_to_engine(keys: &SealKeys, stream: Stream, bytes: &[u8]) -> Result<Vec<ToEngine>, EntryError> {
    decode_to_engine(&open(keys, stream, bytes)?)
}

/// Encodes replies of an engine to hosts, sealed if there is a secret among them.
pub(super) fn seal_to_gateway(keys: &SealKeys, stream: Stream, messages: Vec<ToGateway>) -> Vec<u8> {
    let has_secret = messages.iter().any(is_secret_for_hosts);
    seal(keys, stream, has_secret, encode_to_gateway(messages))
}

/// Decodes replies of an engine to hosts, which may be sealed.
///
/// # Errors
/// If these are no messages of an engine, or can't be opened.
pub(super) fn open_to_gateway(keys: &SealKeys, stream: Stream, bytes: &[u8]) -> Result<Vec<ToGateway>, EntryError> {
    decode_to_gateway(&open(keys, stream, bytes)?)
}

fn is_secret_for_engines(message: &ToEngine) -> bool {
    let ToEngine::Host { message, .. } = message else { return false };
    match message {
        FromHost::Create(_) | FromHost::CreateGame(_) => true,
        FromHost::Command(HostCommand { action, .. }) => matches!(action, Action::Play { .. }),
        FromHost::Watch(_)
        | FromHost::Unwatch(_)
        | FromHost::Shows
        | FromHost::FindPlayers(_)
        | FromHost::JournalTail(_)
        | FromHost::Ping(_) => false,
    }
}

/// Journal lines contain the hash of the show's state, from which the seed might be computed.
fn is_secret_for_hosts(message: &ToGateway) -> bool {
    matches!(message, ToGateway::Host { message: ToHost::Journal(_), .. })
}

fn seal(keys: &SealKeys, stream: Stream, has_secret: bool, entry: Vec<u8>) -> Vec<u8> {
    let Some(sealed) = has_secret.then(|| keys.seal_entry(stream, &entry)).flatten() else { return entry };
    let mut bytes = sealed_header(&entry);
    binary::encode_into(&sealed, &mut bytes);
    bytes
}

fn open<'b>(keys: &SealKeys, stream: Stream, bytes: &'b [u8]) -> Result<Cow<'b, [u8]>, EntryError> {
    let Some(body) = sealed_body(bytes) else { return Ok(Cow::Borrowed(bytes)) };
    Ok(Cow::Owned(keys.open_entry(stream, &decode_body::<Sealed>(body)?)?))
}

#[cfg(test)]
mod tests {
    use klaxon_protocol::games::trivia::{Create, Pack, Settings};
    use klaxon_protocol::host::JournalLines;
    use klaxon_protocol::ids::{CommandId, ConnRef, GatewayId, ShowId};
    use klaxon_protocol::link::VERSION;

    use super::super::version::VersionError;
    use super::*;
    use crate::seal::SealError;

    const CONN: ConnRef = ConnRef { gateway: GatewayId(7), conn: 1 };

    fn keys() -> SealKeys {
        SealKeys::of_secrets(&["a3f91c7e5b2d804668d0e9f7b1c2a354"])
    }

    fn create() -> ToEngine {
        let pack = Pack { title: "Tonight's secret questions".into(), questions: Vec::new() };
        let id = CommandId::parse("create").unwrap();
        let create = Create { id, code: None, pack, settings: Settings::default() };
        ToEngine::Host { conn: CONN, message: FromHost::Create(Box::new(create)) }
    }

    fn contains(bytes: &[u8], text: &str) -> bool {
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    }

    #[test]
    fn a_neighbour_in_redis_does_not_read_a_pack_on_its_way_to_the_engine() {
        let plain = encode_to_engine(&[create()]);
        let sealed = seal_to_engine(&keys(), Stream::Requests, &[create()]);
        assert!(contains(&plain, "secret questions") && !contains(&sealed, "secret questions"));
        assert_eq!(open_to_engine(&keys(), Stream::Requests, &sealed).unwrap(), [create()]);
        assert_eq!(open_to_engine(&keys(), Stream::Requests, &plain).unwrap(), [create()], "of a gateway without keys");
        assert_eq!(seal_to_engine(&SealKeys::default(), Stream::Requests, &[create()]), plain);
    }

    #[test]
    fn a_neighbour_in_redis_does_not_read_the_hash_of_a_state_on_its_way_to_a_host() {
        let lines = JournalLines { show: ShowId(1), lines: vec!["0 6b6c61786f6e0000 create".into()] };
        let lines = ToGateway::Host { conn: CONN, message: ToHost::Journal(lines) };
        let stream = Stream::HostReplies(GatewayId(7));
        let sealed = seal_to_gateway(&keys(), stream, vec![lines.clone()]);
        assert!(!contains(&sealed, "6b6c61786f6e0000"));
        assert_eq!(open_to_gateway(&keys(), stream, &sealed).unwrap(), [lines]);
        assert!(open_to_gateway(&keys(), Stream::HostReplies(GatewayId(8)), &sealed).is_err());
    }

    #[test]
    fn what_is_no_secret_is_not_sealed() {
        let messages = [ToEngine::Hello { gateway: GatewayId(7) }];
        assert_eq!(seal_to_engine(&keys(), Stream::Input(ShowId(1)), &messages), encode_to_engine(&messages));
    }

    #[test]
    fn a_sealed_entry_is_refused_where_it_does_not_belong_without_the_key_and_by_an_older_program() {
        let sealed = seal_to_engine(&keys(), Stream::Requests, &[create()]);
        for stream in [Stream::Input(ShowId(1)), Stream::HostReplies(GatewayId(0))] {
            let error = open_to_engine(&keys(), stream, &sealed).unwrap_err();
            assert!(matches!(error, EntryError::Sealed(SealError::Changed { .. })), "{error}");
        }
        let error = open_to_engine(&SealKeys::default(), Stream::Requests, &sealed).unwrap_err();
        assert!(matches!(error, EntryError::Sealed(SealError::NoKey { .. })), "{error}");
        assert!(error.to_string().contains("seal-key-file"), "{error}");
        // A program that has version 1 only refuses it by the number, as this one does with a later one.
        assert_eq!(sealed[1], 2);
        let later = [&[sealed[0], VERSION + 1], &sealed[2..]].concat();
        let error = open_to_engine(&keys(), Stream::Requests, &later).unwrap_err();
        assert!(matches!(error, EntryError::Version(VersionError::Other(of)) if of == VERSION + 1), "{error}");
        for at in 2..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(open_to_engine(&keys(), Stream::Requests, &changed).is_err(), "byte {at}");
            assert!(open_to_engine(&keys(), Stream::Requests, &sealed[..at]).is_err(), "cut off at {at}");
        }
    }
}
