//! Versions of the link's encoding in Redis, so that programs of two versions can run side by side.
//!
//! Everything that is encoded begins with two bytes: a mark and a version. A program reads its own version and all
//! earlier ones, and refuses an entry of any other version as a whole. It writes each entry in the earliest version
//! that has all of the entry's messages: messages of a newer version are put into entries of their own, so a program of
//! the previous version misses no message that it could read.
//!
//! From version 2 on a second mark may follow the version: then the rest is sealed.

use klaxon_protocol::host::AlertKind;
use klaxon_protocol::link::{ToEngine, ToGateway, VERSION};

/// Set in builds for tests of upgrades: the link has the next version, with a message in each direction that only that
/// version has.
pub(super) const IS_NEXT: bool = cfg!(feature = "next-link");
/// The newest version that this program has.
const NEWEST: u8 = VERSION + IS_NEXT as u8;

/// No integer of bincode begins with this byte, so entries from before versions were introduced are not mistaken for
/// versioned ones.
const MARK: u8 = 255;
/// The first version with sealed entries.
const SEALED_SINCE: u8 = 2;

/// Why an entry can't be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum VersionError {
    #[error(
        "it is of version {0} of the link, and this program has 1 to {NEWEST}: upgrade this program, or whoever wrote it, in the order of \
         docs/operations.md"
    )]
    Other(u8),
    #[error(
        "it names no version of the link: a program wrote it that is older than these. Stop that program, for its shows can't be played on \
         beside this one (docs/operations.md)"
    )]
    Missing,
}

/// The header of an entry of this version.
pub(super) fn header(version: u8) -> Vec<u8> {
    vec![MARK, version]
}

/// The header of a sealed entry: of the entry's own version, but at least [`SEALED_SINCE`].
pub(super) fn sealed_header(entry: &[u8]) -> Vec<u8> {
    let version = entry.get(1).map_or(SEALED_SINCE, |version| SEALED_SINCE.max(*version));
    vec![MARK, version, MARK]
}

/// The sealed content; none if the entry is not sealed or its version is not supported.
pub(super) fn sealed_body(bytes: &[u8]) -> Option<&[u8]> {
    match bytes {
        [MARK, SEALED_SINCE..=NEWEST, MARK, sealed @ ..] => Some(sealed),
        _ => None,
    }
}

/// The content after the header.
///
/// # Errors
/// If the version is not supported.
pub(super) fn body(bytes: &[u8]) -> Result<&[u8], VersionError> {
    match bytes {
        [MARK, 1..=NEWEST, body @ ..] => Ok(body),
        [MARK, other, ..] => Err(VersionError::Other(*other)),
        _ => Err(VersionError::Missing),
    }
}

/// An entry with the message that exists only with [`IS_NEXT`], and that has no effect.
pub(super) fn next_entry() -> Vec<u8> {
    vec![MARK, VERSION + 1, 0]
}

/// Whether this is that message, and this program has it.
pub(super) fn is_next_entry(bytes: &[u8]) -> bool {
    IS_NEXT && bytes == next_entry()
}

/// The newest version of which this file says what it has.
const SAID: u8 = 3;
const _: () = assert!(SAID == VERSION, "say below since which version of the link there is what, then raise SAID");

/// A kind of message that the link has since some version. What a message holds counts as well: one with a code, an action or an event that
/// came later is of the version that has it.
pub(super) trait Since {
    /// The first version that has this message.
    fn since(&self) -> u8;
}

impl Since for ToEngine {
    fn since(&self) -> u8 {
        #[cfg(test)]
        if let Self::Resync { conn, .. } = self
            && conn.conn >= next::FIRST
        {
            return VERSION + 1;
        }
        match self {
            Self::Hello { .. }
            | Self::Bye { .. }
            | Self::Attend { .. }
            | Self::Leave { .. }
            | Self::Join(_)
            | Self::Answers(_)
            | Self::BarrierPassed { .. }
            | Self::Resync { .. }
            | Self::Reactions { .. }
            | Self::Host { .. }
            | Self::Counts(_)
            | Self::Gone { .. }
            | Self::Present(_) => 1,
        }
    }
}

impl Since for ToGateway {
    fn since(&self) -> u8 {
        #[cfg(test)]
        if let Self::Said { seq, .. } = self
            && seq.0 >= next::FIRST
        {
            return VERSION + 1;
        }
        match self {
            Self::Alert { alert: AlertKind::Game { .. }, .. } => 3,
            Self::Seated(_)
            | Self::Resynced(_)
            | Self::JoinRefused { .. }
            | Self::Replies(_)
            | Self::Broadcast(_)
            | Self::Barrier { .. }
            | Self::Dismiss { .. }
            | Self::Moved { .. }
            | Self::Said { .. }
            | Self::Host { .. }
            | Self::Figures(_)
            | Self::Alert { .. }
            | Self::Running { .. }
            | Self::Own { .. }
            | Self::Reissued(_)
            | Self::Census { .. } => 1,
        }
    }
}

/// Splits messages into groups that can share an entry, in order.
pub(super) fn split<T: Since>(mut messages: Vec<T>) -> Vec<Vec<T>> {
    let mut parts = Vec::new();
    while let Some(version) = messages.first().map(Since::since) {
        let count = messages.iter().take_while(|message| message.since() == version).count();
        let rest = messages.split_off(count);
        parts.push(std::mem::replace(&mut messages, rest));
    }
    parts
}

/// The messages by which tests make a program of the next version of this one.
#[cfg(test)]
pub(super) mod next {
    /// From this number on a `Resync`'s connection and a `Said`'s event make it a message of the next version.
    pub const FIRST: u64 = 1 << 40;
}

#[cfg(test)]
mod tests {
    use klaxon_protocol::binary;
    use klaxon_protocol::ids::GatewayId;

    use super::super::entry::{
        EntryError, decode, decode_to_engine, decode_to_gateway, encode, encode_to_engine, encode_to_gateway,
    };
    use super::*;

    #[test]
    fn an_entry_of_another_version_is_refused_by_its_number_and_never_half_read() {
        let hello = ToEngine::Hello { gateway: GatewayId(7) };
        let bytes = encode_to_engine(&[hello.clone(), hello.clone()]);
        assert_eq!(bytes[..2], [MARK, 1]);
        for version in 0..=u8::MAX {
            let entry = [&[MARK, version], &bytes[2..]].concat();
            match decode_to_engine(&entry) {
                Ok(messages) => {
                    assert!((1..=VERSION).contains(&version));
                    assert_eq!(messages, [hello.clone(), hello.clone()]);
                }
                Err(error) => {
                    assert!(
                        !(1..=VERSION).contains(&version)
                            && matches!(error, EntryError::Version(VersionError::Other(of)) if of == version)
                    );
                    let told = error.to_string();
                    assert!(
                        told.contains(&format!("version {version} ")) && told.contains("docs/operations.md"),
                        "{told}"
                    );
                }
            }
            assert!(decode_to_gateway(&entry).is_err(), "these are no messages of an engine");
        }
    }

    #[test]
    fn what_was_written_before_there_were_versions_is_refused_as_such() {
        let old = binary::encode([ToEngine::Hello { gateway: GatewayId(7) }].as_slice());
        for bytes in [&old[..], &[], &[MARK], &[1], &[1, 0, 7]] {
            assert!(matches!(decode_to_engine(bytes), Err(EntryError::Version(VersionError::Missing))), "{bytes:?}");
        }
        assert!(matches!(decode::<u32>(&encode(&7_u32)), Ok(7)), "the directory's lines have it, too");
    }

    #[test]
    fn only_messages_of_one_version_share_an_entry() {
        let said = |seq| ToGateway::Said { show: klaxon_protocol::ids::ShowId(1), seq: klaxon_protocol::ids::Seq(seq) };
        let messages = [1, 2, next::FIRST, next::FIRST + 1, 3].map(said);
        let entries = split(Vec::from(messages.clone()));
        assert_eq!(entries, [&messages[..2], &messages[2..4], &messages[4..]]);
        let versions: Vec<u8> = entries.into_iter().map(|messages| encode_to_gateway(messages)[1]).collect();
        assert_eq!(versions, [1, VERSION + 1, 1]);
    }
}
