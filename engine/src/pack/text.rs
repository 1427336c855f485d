//! From a file's bytes to text, whatever editor or spreadsheet wrote them.

/// The largest pack file, in bytes.
pub const LARGEST_FILE: usize = 4 * 1024 * 1024;

/// The text without byte order mark and with every line ended by `\n` alone; the error says what is wrong.
pub(super) fn decode(bytes: &[u8]) -> Result<String, String> {
    if bytes.len() > LARGEST_FILE {
        return Err(format!(
            "the file has {} bytes or more; a pack file has at most {LARGEST_FILE} (4 MiB)",
            LARGEST_FILE + 1
        ));
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err("the file is UTF-16; save it as UTF-8 (spreadsheets call it \"CSV UTF-8\")".to_owned());
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return Err("the file is a spreadsheet or a zip file; save the sheet as CSV (UTF-8)".to_owned());
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let offset = error.valid_up_to();
        let line = 1 + bytes[..offset].iter().filter(|&&byte| byte == b'\n').count();
        format!(
            "the file is not UTF-8: byte {:#04x} at offset {offset} (line {line}); save it as UTF-8",
            bytes.get(offset).copied().unwrap_or_default()
        )
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.contains('\r') { Ok(text.replace("\r\n", "\n").replace('\r', "\n")) } else { Ok(text.to_owned()) }
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
