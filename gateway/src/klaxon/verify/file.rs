//! Reads a proof file, which may come from anybody, in two passes: all but the tickets first, then the tickets of one seat after another.
//! Whatever the file holds, that takes some 16 bytes of memory for each seat of the roster, and the longest text.

use std::fmt;
use std::fs::File;
use std::io::{BufReader, Error, ErrorKind, Read, Seek};
use std::path::Path;

use anyhow::Context;
use klaxon_protocol::games::bingo::{BingoProof, SeatTickets};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

/// Most bytes of a text or a number in a proof file. A public value has 500 characters, each escaped by up to 12 bytes.
const LONGEST: usize = 8192;
/// Most lists and objects within each other: the proof, its tickets, a seat's, a ticket, a row.
const DEEPEST: usize = 5;

/// A proof file.
pub struct ProofFile(File);

impl ProofFile {
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        // A pipe or a device can't be read twice, and may never end.
        let unreadable = || format!("can't read {}", path.display());
        let is_file = std::fs::metadata(path).with_context(unreadable)?.is_file();
        anyhow::ensure!(is_file, "{} is not a file", path.display());
        Ok(Self(File::open(path).with_context(unreadable)?))
    }

    /// All but the tickets.
    pub fn all_but_tickets(&self) -> anyhow::Result<BingoProof<IgnoredAny>> {
        Ok(serde_json::from_reader(self.bytes()?)?)
    }

    /// Calls `each` with each seat's tickets, in the order of the file.
    pub fn tickets(&self, each: &mut dyn FnMut(u32, &SeatTickets)) -> anyhow::Result<()> {
        let mut json = serde_json::Deserializer::from_reader(self.bytes()?);
        Ok(json.deserialize_map(TicketsField(each))?)
    }

    fn bytes(&self) -> anyhow::Result<impl Read + '_> {
        (&self.0).rewind()?;
        Ok(BufReader::new(Limited::new(&self.0)))
    }
}

/// JSON whose texts and numbers all have at most [`LONGEST`] bytes, in at most [`DEEPEST`] lists and objects: a reader of JSON keeps one text
/// and a byte for each such level in memory.
struct Limited<R> {
    bytes: R,
    /// Bytes of the text or number so far.
    length: usize,
    /// Lists and objects that are open.
    depth: usize,
    is_text: bool,
    /// Whether the next byte belongs to an escape in a text.
    is_escaped: bool,
}

impl<R> Limited<R> {
    const fn new(bytes: R) -> Self {
        Self { bytes, length: 0, depth: 0, is_text: false, is_escaped: false }
    }

    fn pass(&mut self, byte: u8) {
        self.length += 1;
        match byte {
            _ if self.is_escaped => self.is_escaped = false,
            b'\\' if self.is_text => self.is_escaped = true,
            b'"' => (self.is_text, self.length) = (!self.is_text, 0),
            _ if self.is_text => {}
            b'[' | b'{' => (self.depth, self.length) = (self.depth + 1, 0),
            b']' | b'}' => (self.depth, self.length) = (self.depth.saturating_sub(1), 0),
            b',' | b':' | b' ' | b'\t' | b'\n' | b'\r' => self.length = 0,
            _ => {}
        }
    }
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.bytes.read(buffer)?;
        for &byte in &buffer[..count] {
            self.pass(byte);
            let problem = if self.length > LONGEST {
                format!("a text or a number is longer than the {LONGEST} bytes that one can have in a proof file")
            } else if self.depth > DEEPEST {
                format!("lists are nested more deeply than the {DEEPEST} levels that there can be in a proof file")
            } else {
                continue;
            };
            return Err(Error::new(ErrorKind::InvalidData, problem));
        }
        Ok(count)
    }
}

/// The fields of a proof, of which only the tickets are read.
struct TicketsField<'e>(&'e mut dyn FnMut(u32, &SeatTickets));

impl<'de> Visitor<'de> for TicketsField<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a proof")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        while let Some(field) = fields.next_key::<String>()? {
            if field == "tickets" {
                fields.next_value_seed(SeatEntries(&mut *self.0))?;
            } else {
                fields.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// The tickets of all seats.
struct SeatEntries<'e>(&'e mut dyn FnMut(u32, &SeatTickets));

impl<'de> DeserializeSeed<'de> for SeatEntries<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for SeatEntries<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the tickets of each seat")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut seats: A) -> Result<(), A::Error> {
        while let Some((seat, tickets)) = seats.next_entry()? {
            (self.0)(seat, &tickets);
        }
        Ok(())
    }
}
