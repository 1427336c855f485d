//! The framing of records in bytes: each has a head with its length and checksums, so that a torn end is told from damage.

use std::marker::PhantomData;

use super::Record;
use crate::binary::{self, Decode, Encode};

/// The first bytes of a journal: `KLXJ` and the format's version.
pub const MAGIC: [u8; 6] = *b"KLXJ\x01\x00";
/// The largest record, in bytes.
pub const LARGEST_RECORD: u32 = 64 << 20;
/// Limit of the memory, in bytes, that a record may declare for its vectors before the elements are read. No valid
/// record comes near it.
pub const CLAIM_LIMIT: usize = 8 * LARGEST_RECORD as usize;
/// The length of a record's head, in bytes: its length, the length's checksum, the record's checksum; 32 bits each,
/// little-endian.
const HEAD: usize = 12;

/// A record is larger than [`LARGEST_RECORD`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a journal record is larger than 64 MiB")]
pub struct RecordTooLarge;

/// What stands in frames, one behind another, in a file of its own kind.
pub trait InFrames: Encode + Decode<()> {
    /// The first bytes of such a file.
    const MAGIC: [u8; 6];
}

impl InFrames for Record {
    const MAGIC: [u8; 6] = MAGIC;
}

/// Appends a record to `out` in the journal's framing.
///
/// # Errors
/// If the record is larger than [`LARGEST_RECORD`].
pub fn frame_record<T: InFrames>(record: &T, out: &mut Vec<u8>) -> Result<(), RecordTooLarge> {
    let start = out.len();
    out.extend_from_slice(&[0; HEAD]);
    binary::encode_into(record, out);
    let body = &out[start + HEAD..];
    let Some(length) = u32::try_from(body.len()).ok().filter(|&length| length <= LARGEST_RECORD) else {
        out.truncate(start);
        return Err(RecordTooLarge);
    };
    let checksum = crc32fast::hash(body);
    let length = length.to_le_bytes();
    out[start..start + 4].copy_from_slice(&length);
    out[start + 4..start + 8].copy_from_slice(&crc32fast::hash(&length).to_le_bytes());
    out[start + 8..start + 12].copy_from_slice(&checksum.to_le_bytes());
    Ok(())
}

/// The length of the framed record at the front of these bytes; none if its head is incomplete or invalid.
#[must_use]
pub fn framed_length(bytes: &[u8]) -> Option<usize> {
    let length = bytes.get(..4)?;
    let sum = bytes.get(4..8)?;
    let right = crc32fast::hash(length).to_le_bytes() == sum;
    let length = u32::from_le_bytes(length.try_into().ok()?);
    right.then_some(HEAD + length as usize)
}

/// Why a journal's bytes can't be read to their end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// These are not a journal's bytes, or those of another version.
    #[error("this is not a journal of version 1: it does not begin with KLXJ")]
    NotAJournal,
    /// The last record is incomplete, because of a crash: all records before `offset` are valid.
    #[error("the last record, at byte {offset}, was cut short")]
    Torn {
        /// The end of the valid records.
        offset: usize,
    },
    /// A record is damaged and valid ones follow it, or it is intact and can't be decoded: nothing may be cut off here.
    #[error("the record at byte {offset} is damaged: {problem}")]
    Damaged {
        /// Where the damaged record begins.
        offset: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
}

/// Reads a journal's bytes, record by record, each with the offset at which it begins.
pub type Records<'a> = Frames<'a, Record>;

/// Reads the bytes of a file of frames, one record after another, each with the offset at which it begins.
pub struct Frames<'a, T> {
    bytes: &'a [u8],
    offset: usize,
    failed: bool,
    records: PhantomData<T>,
}

impl<'a, T: InFrames> Frames<'a, T> {
    /// A reader of a whole file, its first bytes ([`InFrames::MAGIC`]) included. No bytes at all are an empty one.
    ///
    /// # Errors
    /// [`FrameError::NotAJournal`], or [`FrameError::Torn`] at 0 if not even the first bytes were written.
    pub fn new(bytes: &'a [u8]) -> Result<Self, FrameError> {
        let begin = |offset| Self { bytes, offset, failed: false, records: PhantomData };
        if bytes.starts_with(&T::MAGIC) {
            Ok(begin(T::MAGIC.len()))
        } else if bytes.is_empty() {
            Ok(begin(0))
        } else if T::MAGIC.starts_with(bytes) {
            Err(FrameError::Torn { offset: 0 })
        } else {
            Err(FrameError::NotAJournal)
        }
    }

    /// Where the next record begins.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// An invalid tail is torn, unless a valid record follows somewhere in it: then it is damage.
    fn verdict(&self, problem: &'static str) -> FrameError {
        let offset = self.offset;
        let followed = (offset + 1..self.bytes.len()).any(|start| check_frame(&self.bytes[start..]).is_ok());
        if followed { FrameError::Damaged { offset, problem } } else { FrameError::Torn { offset } }
    }
}

/// The encoded record at the front of `bytes`, if it is complete and its checksums match.
fn check_frame(bytes: &[u8]) -> Result<&[u8], &'static str> {
    let word = |at: usize| bytes.get(at..at + 4).and_then(|word| word.try_into().ok()).map(u32::from_le_bytes);
    let (Some(length), Some(length_sum), Some(sum)) = (word(0), word(4), word(8)) else {
        return Err("its head is not whole");
    };
    if crc32fast::hash(&length.to_le_bytes()) != length_sum || length == 0 || length > LARGEST_RECORD {
        return Err("its length does not match its checksum");
    }
    let Some(body) = bytes.get(HEAD..HEAD + length as usize) else {
        return Err("it is longer than what follows");
    };
    if crc32fast::hash(body) != sum {
        return Err("it does not match its checksum");
    }
    Ok(body)
}

impl<T: InFrames> Iterator for Frames<'_, T> {
    type Item = Result<(usize, T), FrameError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || self.offset >= self.bytes.len() {
            return None;
        }
        let start = self.offset;
        let read = check_frame(&self.bytes[start..]).map_err(|problem| self.verdict(problem)).and_then(|body| {
            let record = binary::decode::<T, CLAIM_LIMIT>(body);
            // No crash makes a matching checksum: somebody meant this, and it may not be cut off.
            let damaged = FrameError::Damaged { offset: start, problem: "it is not a record of this version" };
            record.map(|record| (record, body.len())).map_err(|_| damaged)
        });
        match read {
            Ok((record, length)) => {
                self.offset += HEAD + length;
                Some(Ok((start, record)))
            }
            Err(error) => {
                self.failed = true;
                Some(Err(error))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Command;
    use super::*;
    use crate::ids::{Fence, ShowId};
    use crate::time::Millis;

    fn journal(records: u64) -> (Vec<u8>, Vec<usize>) {
        let mut bytes = MAGIC.to_vec();
        let mut starts = Vec::new();
        for number in 0..records {
            starts.push(bytes.len());
            let record = Record {
                show: ShowId(7),
                number,
                fence: Fence(1),
                at: Millis(number),
                command: Command::Tick,
                events: vec![],
                state: number * 31,
            };
            frame_record(&record, &mut bytes).unwrap();
        }
        (bytes, starts)
    }

    fn read(bytes: &[u8]) -> (usize, Option<FrameError>) {
        let mut whole = 0;
        for item in Records::new(bytes).unwrap() {
            match item {
                Ok(_) => whole += 1,
                Err(error) => return (whole, Some(error)),
            }
        }
        (whole, None)
    }

    #[test]
    fn a_tail_cut_anywhere_loses_only_the_cut_record() {
        let (bytes, starts) = journal(3);
        assert_eq!(read(&bytes), (3, None));
        for end in starts[2] + 1..bytes.len() {
            assert_eq!(read(&bytes[..end]), (2, Some(FrameError::Torn { offset: starts[2] })));
        }
    }

    #[test]
    fn any_flipped_bit_in_the_middle_is_refused_with_its_offset() {
        let (bytes, starts) = journal(3);
        for at in starts[1]..starts[2] {
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[at] ^= 1 << bit;
                let (whole, error) = read(&damaged);
                assert_eq!(whole, 1);
                assert!(
                    matches!(error, Some(FrameError::Damaged { offset, .. }) if offset == starts[1]),
                    "{at} {error:?}"
                );
            }
        }
    }

    #[test]
    fn a_whole_record_that_nobody_here_understands_is_never_taken_for_a_torn_one() {
        let (mut bytes, _) = journal(2);
        let offset = bytes.len();
        let body = [0xff; 20];
        let length = 20_u32.to_le_bytes();
        bytes.extend(length);
        bytes.extend(crc32fast::hash(&length).to_le_bytes());
        bytes.extend(crc32fast::hash(&body).to_le_bytes());
        bytes.extend(body);
        let (whole, error) = read(&bytes);
        assert_eq!(whole, 2);
        assert!(matches!(error, Some(FrameError::Damaged { offset: at, .. }) if at == offset), "{error:?}");
    }

    #[test]
    fn other_files_are_not_taken_for_journals() {
        assert_eq!(Records::new(b"PK\x03\x04....").err(), Some(FrameError::NotAJournal));
        assert_eq!(Records::new(b"KL").err(), Some(FrameError::Torn { offset: 0 }));
        assert_eq!(read(b""), (0, None));
    }
}
