//! A reader of journals and messages that is written from the pages only: docs/journal.md for the framing and how a number or a text stands in
//! bytes, and the layouts of a page for the rest. It uses nothing of the crate, and no library
//! but for JSON.

use std::fmt::Write;

use super::{Content, Field, Form, Kind, Layout};

/// Why bytes are not what the page says.
pub type Problem = String;

/// The bodies of a journal's records.
///
/// # Errors
/// What is wrong, and at which byte.
pub fn bodies(journal: &[u8]) -> Result<Vec<&[u8]>, Problem> {
    let mut rest = journal.strip_prefix(b"KLXJ\x01\x00").ok_or("this is not a journal of version 1")?;
    let mut bodies = Vec::new();
    while !rest.is_empty() {
        let at = journal.len() - rest.len();
        let head = rest.get(..12).ok_or_else(|| format!("the head at byte {at} is cut short"))?;
        let word = |from: usize| u32::from_le_bytes(head[from..from + 4].try_into().unwrap());
        if crc_32(&head[..4]) != word(4) {
            return Err(format!("the length at byte {at} is damaged"));
        }
        let end = 12 + word(0) as usize;
        let body = rest.get(12..end).ok_or_else(|| format!("the record at byte {at} is cut short"))?;
        if crc_32(body) != word(8) {
            return Err(format!("the record at byte {at} is damaged"));
        }
        bodies.push(body);
        rest = &rest[end..];
    }
    Ok(bodies)
}

fn crc_32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 })
    })
}

/// Reads one value, as Rust prints it with `{:?}`.
pub struct Reader<'a> {
    layouts: &'a [Layout],
    rest: &'a [u8],
    printed: String,
}

/// The whole of `bytes` as a value of the type of this name.
///
/// # Errors
/// What is wrong, and what had been read before it.
pub fn read(layouts: &[Layout], name: &str, bytes: &[u8]) -> Result<String, Problem> {
    let mut reader = Reader { layouts, rest: bytes, printed: String::new() };
    let read = reader.named(name);
    let read = read.and_then(|()| match reader.rest.len() {
        0 => Ok(()),
        left => Err(format!("{left} bytes are left over")),
    });
    match read {
        Ok(()) => Ok(reader.printed),
        Err(problem) => Err(format!("{problem}; before it: {}", reader.printed)),
    }
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Problem> {
        let (taken, rest) =
            self.rest.split_at_checked(count).ok_or_else(|| format!("{count} more bytes are wanted"))?;
        self.rest = rest;
        Ok(taken)
    }

    /// A whole number: a byte below 251, or 251, 252 or 253 and then 2, 4 or 8 bytes.
    fn number(&mut self) -> Result<u64, Problem> {
        let count = match self.take(1)?[0] {
            small @ 0..251 => return Ok(u64::from(small)),
            251 => 2,
            252 => 4,
            253 => 8,
            other => return Err(format!("no number begins with the byte {other}")),
        };
        let bytes = self.take(count)?;
        Ok(bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }

    fn number_up_to(&mut self, most: u64) -> Result<u64, Problem> {
        let number = self.number()?;
        if number <= most { Ok(number) } else { Err(format!("{number} is above {most}")) }
    }

    fn length(&mut self) -> Result<usize, Problem> {
        usize::try_from(self.number()?).map_err(|error| error.to_string())
    }

    fn text(&mut self) -> Result<&'a str, Problem> {
        let count = self.length()?;
        std::str::from_utf8(self.take(count)?).map_err(|error| error.to_string())
    }

    fn print(&mut self, what: impl std::fmt::Display) {
        let _ = write!(self.printed, "{what}");
    }

    fn kind(&mut self, kind: &Kind) -> Result<(), Problem> {
        match kind {
            Kind::Bool => match self.take(1)?[0] {
                byte @ 0..2 => self.print(byte == 1),
                other => return Err(format!("no bool is {other}")),
            },
            Kind::U8 => {
                let byte = self.take(1)?[0];
                self.print(byte);
            }
            Kind::U16 => {
                let number = self.number_up_to(u16::MAX.into())?;
                self.print(number);
            }
            Kind::U32 => {
                let number = self.number_up_to(u32::MAX.into())?;
                self.print(number);
            }
            Kind::U64 => {
                let number = self.number()?;
                self.print(number);
            }
            Kind::I32 => {
                let number = self.number_up_to(u32::MAX.into())?.cast_signed();
                self.print(if number % 2 == 0 { number / 2 } else { -(number / 2) - 1 });
            }
            Kind::Text => {
                let text = self.text()?;
                self.print(format_args!("{text:?}"));
            }
            Kind::Json => {
                let object: serde_json::Map<String, serde_json::Value> =
                    serde_json::from_str(self.text()?).map_err(|error| error.to_string())?;
                self.print(format_args!("{object:?}"));
            }
            Kind::List(of) => {
                let count = self.length()?;
                self.print('[');
                for index in 0..count {
                    self.print(if index == 0 { "" } else { ", " });
                    self.kind(of)?;
                }
                self.print(']');
            }
            Kind::Optional(of) => match self.take(1)?[0] {
                0 => self.print("None"),
                1 => {
                    self.print("Some(");
                    self.kind(of)?;
                    self.print(')');
                }
                other => return Err(format!("there is something or not, and no byte {other}")),
            },
            Kind::Array(..) | Kind::Pair(..) => return Err("a journal has none of these".to_owned()),
            Kind::Named(name) => self.named(name)?,
        }
        Ok(())
    }

    fn named(&mut self, name: &str) -> Result<(), Problem> {
        let layouts = self.layouts;
        let layout = layouts.iter().find(|layout| layout.name == name);
        let layout = layout.ok_or_else(|| format!("the page does not say what {name} is"))?;
        match &layout.form {
            Form::Same(kind) => self.one(name, kind),
            Form::Fields(fields) => self.fields(name, fields),
            Form::Variants(variants) => {
                let number = self.length()?;
                let variant = variants.get(number).ok_or_else(|| format!("there is no {name} {number}"))?;
                match &variant.content {
                    Content::One(kind) => self.one(&variant.name, kind),
                    Content::Fields(fields) => self.fields(&variant.name, fields),
                }
            }
        }
    }

    fn one(&mut self, name: &str, kind: &Kind) -> Result<(), Problem> {
        self.print(format_args!("{name}("));
        self.kind(kind)?;
        self.print(')');
        Ok(())
    }

    fn fields(&mut self, name: &str, fields: &[Field]) -> Result<(), Problem> {
        self.print(name);
        for (index, field) in fields.iter().enumerate() {
            self.print(if index == 0 { " { " } else { ", " });
            self.print(format_args!("{}: ", field.name));
            self.kind(&field.kind)?;
        }
        self.print(if fields.is_empty() { "" } else { " }" });
        Ok(())
    }
}
