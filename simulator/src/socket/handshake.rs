//! The HTTP handshake of a WebSocket, implemented by hand for both sides: for callers that need it to be cheap, or that
//! stop half way.

use std::io::{self, Read, Write};

use tungstenite::handshake::derive_accept_key;

/// The maximum size of a handshake, in bytes.
const LONGEST: usize = 4096;

/// A key of 16 bytes. It is the same for all connections, since no proxy caches responses here.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// The request for a WebSocket at `path`.
#[must_use]
pub fn request(path: &str, subprotocol: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Protocol: {subprotocol}\r\n\r\n"
    )
}

/// A server's positive reply to [`request`].
#[must_use]
pub fn reply(subprotocol: &str) -> String {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {}\r\n\
         Sec-WebSocket-Protocol: {subprotocol}\r\n\r\n",
        derive_accept_key(KEY.as_bytes())
    )
}

/// Reads a client's [`request`], sends `reply`, and returns the requested path.
///
/// # Errors
/// If the connection is lost, or the request is too long.
pub fn agree(stream: &mut (impl Read + Write), reply: &str) -> io::Result<String> {
    let (head, _) = head(stream)?;
    stream.write_all(reply.as_bytes())?;
    Ok(head.split(' ').nth(1).unwrap_or_default().to_owned())
}

/// Sends a request for a WebSocket at `path`.
///
/// # Errors
/// If the connection is lost.
pub fn ask(stream: &mut impl Write, path: &str, subprotocol: &str) -> io::Result<()> {
    stream.write_all(request(path, subprotocol).as_bytes())
}

/// Reads the reply to [`ask`], and returns the bytes after it.
///
/// # Errors
/// If the connection is lost, or the server refuses.
pub fn agreed(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let (head, rest) = head(stream)?;
    if !head.starts_with("HTTP/1.1 101 ") {
        let line = head.lines().next().unwrap_or_default();
        return Err(io::Error::other(format!("the server does not agree to a WebSocket: {line}")));
    }
    Ok(rest)
}

/// Reads up to the empty line; returns that part, and the bytes after it.
fn head(stream: &mut impl Read) -> io::Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 1024];
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = bytes.split_off(end + 4);
            return Ok((String::from_utf8_lossy(&bytes).into_owned(), rest));
        }
        if bytes.len() > LONGEST {
            return Err(io::Error::other("the handshake has no end"));
        }
        match stream.read(&mut buffer)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => bytes.extend_from_slice(&buffer[..read]),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// A stream that reads from the first field and stores writes in the second.
    struct Line(Cursor<Vec<u8>>, Vec<u8>);

    impl Read for Line {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.read(buffer)
        }
    }

    impl Write for Line {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.1.write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_two_sides_agree_with_the_example_of_rfc_6455() {
        let mut request = Vec::new();
        ask(&mut request, "/play", "klaxon.v1.json").unwrap();
        let mut server = Line(Cursor::new(request), Vec::new());
        assert_eq!(agree(&mut server, &reply("klaxon.v1.json")).unwrap(), "/play");
        let sent = String::from_utf8(server.1.clone()).unwrap();
        assert!(sent.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{sent}");
        let mut behind = server.1;
        behind.extend_from_slice(b"hello");
        assert_eq!(agreed(&mut Cursor::new(behind)).unwrap(), b"hello");
    }

    #[test]
    fn a_refusal_is_told_and_half_a_handshake_is_no_handshake() {
        let error = agreed(&mut Cursor::new(b"HTTP/1.1 503 Full\r\n\r\n".to_vec())).unwrap_err();
        assert!(error.to_string().contains("503 Full"), "{error}");
        assert!(agreed(&mut Cursor::new(b"HTTP/1.1 101".to_vec())).is_err());
    }
}
