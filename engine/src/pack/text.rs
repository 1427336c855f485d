//! Decodes a file's bytes to text, whatever editor or spreadsheet wrote them.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// The largest pack file, in bytes.
pub const LARGEST_FILE: usize = 4 * 1024 * 1024;

/// The text without byte order mark and with `\n` as the only line end, or what is wrong.
pub(super) fn decode(bytes: &[u8]) -> Result<String, String> {
    if bytes.len() > LARGEST_FILE {
        return Err(too_large());
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err("the file is UTF-16; save it as UTF-8 (spreadsheets call it \"CSV UTF-8\")".to_owned());
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return Err("the file is a spreadsheet or a zip file; only `--format sheet` reads those".to_owned());
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let offset = error.valid_up_to();
        let line = 1 + bytes[..offset].iter().filter(|&&byte| byte == b'\n').count();
        format!(
            "the file is not UTF-8: byte {:#04x} at offset {offset} (line {line}); save it as UTF-8",
            bytes.get(offset).copied().unwrap_or_default()
        )
    })?;
    Ok(with_plain_line_ends(text))
}

/// The problem of a file that is too large.
pub(super) fn too_large() -> String {
    format!("the file has {} bytes or more; a pack file has at most {LARGEST_FILE} (4 MiB)", LARGEST_FILE + 1)
}

/// The text of a sheet, which spreadsheets write in more ways: as UTF-16 too, or in the code page of old Windows programs. With what to
/// know about it.
pub(super) fn decode_sheet(bytes: &[u8]) -> Result<(String, Option<String>), String> {
    if let Some(utf_16) = utf_16_of(bytes) {
        let (text, _, has_errors) = utf_16.decode(bytes);
        if has_errors {
            return Err("the file is UTF-16 with errors in it; save it as \"CSV UTF-8\"".to_owned());
        }
        return Ok((with_plain_line_ends(&text), None));
    }
    if std::str::from_utf8(bytes).is_ok()
        || bytes.iter().any(|byte| matches!(byte, 0 | 0x81 | 0x8d | 0x8f | 0x90 | 0x9d))
    {
        return decode(bytes).map(|text| (text, None));
    }
    let (text, _, _) = WINDOWS_1252.decode(bytes);
    let odd = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';')).find(|word| !word.is_ascii());
    let note = format!(
        "the file is not UTF-8 and is read as Windows-1252; if {} is not what was written, save it as \"CSV UTF-8\"",
        super::problem::excerpt(odd.unwrap_or_default())
    );
    Ok((with_plain_line_ends(&text), Some(note)))
}

/// By its byte order mark or, without one, by the zeros that are half of the bytes of most alphabets.
fn utf_16_of(bytes: &[u8]) -> Option<&'static Encoding> {
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return (encoding != UTF_8).then_some(encoding);
    }
    let start = &bytes[..bytes.len().min(400)];
    let zeros = |first: usize| start.iter().skip(first).step_by(2).filter(|byte| **byte == 0).count();
    match (zeros(0), zeros(1)) {
        (0, odd) if odd * 4 > start.len() => Some(UTF_16LE),
        (even, 0) if even * 4 > start.len() => Some(UTF_16BE),
        _ => None,
    }
}

fn with_plain_line_ends(text: &str) -> String {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// The line, from 1, of a byte of a text whose lines end with `\n`.
#[derive(Debug)]
pub(super) struct Lines {
    ends: Vec<usize>,
}

impl Lines {
    pub fn of(text: &str) -> Self {
        Self { ends: text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n').map(|(at, _)| at).collect() }
    }

    pub fn line(&self, offset: usize) -> usize {
        1 + self.ends.partition_point(|&end| end < offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_and_foreign_line_ends_are_taken_away() {
        assert_eq!(decode(b"\xef\xbb\xbfa\r\nb\rc\n").unwrap(), "a\nb\nc\n");
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_named_with_their_offset() {
        let told = decode(b"title\r\n= \"caf\xe9\"").unwrap_err();
        assert!(told.contains("0xe9 at offset 13 (line 2)"), "{told}");
        assert!(decode(b"\xff\xfea\0").unwrap_err().contains("UTF-16"));
        assert!(decode(b"PK\x03\x04rest").unwrap_err().contains("spreadsheet"));
    }

    #[test]
    fn a_sheet_may_be_utf_16_or_windows_1252() {
        let text = "Größe;Café\r\n\u{4e2d}";
        let units: Vec<u16> = text.encode_utf16().collect();
        let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        for bytes in [[b"\xff\xfe", &little[..]].concat(), [b"\xfe\xff", &big[..]].concat(), little, big] {
            assert_eq!(decode_sheet(&bytes), Ok(("Größe;Café\n\u{4e2d}".to_owned(), None)));
        }
        let (text, note) = decode_sheet(b"Caf\xe9; 5 \x80\r").unwrap();
        assert_eq!(text, "Café; 5 €\n");
        assert!(note.unwrap().contains("if \"Café\" is not what was written"));
        assert!(decode_sheet(b"Caf\xe9 \x81").unwrap_err().contains("save it as UTF-8"));
        assert_eq!(decode_sheet("\u{feff}é".as_bytes()), Ok(("é".to_owned(), None)));
    }

    #[test]
    fn a_file_of_more_than_4_mib_is_refused() {
        assert!(decode(&vec![b'#'; LARGEST_FILE]).is_ok());
        assert!(decode(&vec![b'#'; LARGEST_FILE + 1]).unwrap_err().contains("4 MiB"));
    }

    #[test]
    fn a_line_ends_with_its_newline() {
        let lines = Lines::of("ab\n\nc");
        assert_eq!([0, 2, 3, 4, 5].map(|offset| lines.line(offset)), [1, 1, 2, 3, 3]);
    }
}
