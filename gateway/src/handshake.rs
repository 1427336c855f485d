//! The requirements for a WebSocket handshake (RFC 6455 4.2.1), and which of them a request does not meet.
//!
//! Several lines of a list-valued header form one list, whatever their order (RFC 9110 5.3). Any other header is
//! ignored if it appears twice.

use std::time::Duration;

use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, PAD};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode, Version};
use klaxon_protocol::error::ErrorCode;
use metrics::counter;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::time::Instant;
use tungstenite::handshake::derive_accept_key;

/// Shortest time between two log lines for the same reason.
const LOG_EVERY: Duration = Duration::from_secs(60);

/// The only version of the WebSocket protocol that there is.
const VERSION: &str = "13";

macro_rules! faults {
    ($($fault:ident, $name:literal, $message:literal, $advice:literal;)*) => {
        /// A requirement that a request does not meet.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Fault {
            $($fault,)*
        }

        impl Fault {
            /// All requirements, in the order in which they are checked.
            const ALL: &[Self] = &[$(Self::$fault,)*];

            /// The metric's `reason` label.
            const fn name(self) -> &'static str {
                match self { $(Self::$fault => $name,)* }
            }

            const fn message(self) -> &'static str {
                match self { $(Self::$fault => $message,)* }
            }

            const fn advice(self) -> &'static str {
                match self { $(Self::$fault => $advice,)* }
            }
        }
    };
}

faults! {
    Plain, "plain_http", "it asks for no WebSocket at all",
        "Connect with a WebSocket client (`ws://` or `wss://`); a page can't be had here.";
    Method, "method", "its method is not GET",
        "Send a GET.";
    HttpVersion, "http_version", "it came as HTTP/1.0",
        "Does a proxy in between speak HTTP/1.0? It has to speak HTTP/1.1 (nginx: `proxy_http_version 1.1`).";
    Upgrade, "upgrade", "Upgrade has no `websocket` token",
        "Send `Upgrade: websocket`. Does the proxy in between speak HTTP/1.1 and pass Upgrade on (nginx: `proxy_set_header Upgrade $http_upgrade`)?";
    Connection, "connection", "Connection has no `upgrade` token",
        "Send `Connection: Upgrade`. Does the proxy in between pass that on (nginx: `proxy_set_header Connection \"upgrade\"`)?";
    WebSocketVersion, "version", "Sec-WebSocket-Version is not 13, once",
        "Send `Sec-WebSocket-Version: 13`, once.";
    Key, "key", "Sec-WebSocket-Key is not there once, with 16 bytes in base64",
        "Send one `Sec-WebSocket-Key` with 16 random bytes in base64.";
}

/// Why a request is not a handshake: one fault or more, the most significant first.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NoHandshake(Vec<Fault>);

/// Checks a handshake. Returns the value of Sec-WebSocket-Accept.
///
/// # Errors
/// All requirements that the request does not meet.
pub(crate) fn check(request: &Parts) -> Result<HeaderValue, NoHandshake> {
    let headers = &request.headers;
    let is_missing = |fault: Fault| match fault {
        Fault::Plain => is_plain(headers),
        Fault::Method => request.method != Method::GET,
        Fault::HttpVersion => request.version < Version::HTTP_11,
        Fault::Upgrade => !has_token(headers, &header::UPGRADE, "websocket"),
        Fault::Connection => !has_token(headers, &header::CONNECTION, "upgrade"),
        Fault::WebSocketVersion => {
            only(headers, &header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != VERSION)
        }
        Fault::Key => !only(headers, &header::SEC_WEBSOCKET_KEY).is_some_and(is_key),
    };
    let faults: Vec<_> = Fault::ALL.iter().copied().filter(|&fault| is_missing(fault)).collect();
    match only(headers, &header::SEC_WEBSOCKET_KEY) {
        Some(key) if faults.is_empty() => {
            HeaderValue::try_from(derive_accept_key(key.as_bytes())).map_err(|_| NoHandshake(vec![Fault::Key]))
        }
        _ => Err(NoHandshake(faults)),
    }
}

/// Whether the value is 16 bytes in base64. The unused bits of the last character are ignored.
fn is_key(value: &HeaderValue) -> bool {
    let base64 = GeneralPurpose::new(&alphabet::STANDARD, PAD.with_decode_allow_trailing_bits(true));
    base64.decode(value.as_bytes()).is_ok_and(|bytes| bytes.len() == 16)
}

/// Whether the request has no WebSocket header at all, like that of a browser's page or a monitor. A proxy that strips
/// Upgrade leaves the other headers.
fn is_plain(headers: &HeaderMap) -> bool {
    let websocket = [header::UPGRADE, header::SEC_WEBSOCKET_KEY, header::SEC_WEBSOCKET_VERSION];
    !websocket.iter().any(|name| headers.contains_key(name))
}

/// The elements of a list-valued header, over all its lines, without empty ones.
fn list<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h [u8]> {
    let lines = headers.get_all(name).into_iter();
    lines
        .flat_map(|line| line.as_bytes().split(|&byte| byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|one| !one.is_empty())
}

fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    list(headers, name).any(|one| one.eq_ignore_ascii_case(token.as_bytes()))
}

/// The value of a header that must not be repeated; none if it is, whatever its values.
pub(crate) fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h HeaderValue> {
    let mut lines = headers.get_all(name).into_iter();
    lines.next().filter(|_| lines.next().is_none())
}

/// The subprotocols that the client offers, in one line; none if it offers none.
pub(crate) fn offered(headers: &HeaderMap) -> Option<String> {
    let offered: Vec<_> = list(headers, &header::SEC_WEBSOCKET_PROTOCOL).map(String::from_utf8_lossy).collect();
    (!offered.is_empty()).then(|| offered.join(", "))
}

/// Joins each list-valued header of a handshake into one line, for code that reads the first line only.
pub(crate) fn in_single_lines(headers: &mut HeaderMap) {
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
}

impl NoHandshake {
    /// The status of the response.
    pub const STATUS: StatusCode = StatusCode::UPGRADE_REQUIRED;

    /// The headers of the response.
    pub fn headers() -> [(HeaderName, HeaderValue); 2] {
        [
            (header::UPGRADE, HeaderValue::from_static("websocket")),
            (header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static(VERSION)),
        ]
    }

    fn first(&self) -> Fault {
        self.0.first().copied().unwrap_or(Fault::Plain)
    }

    /// The body of the response; `here` names the clients of this port. For a plain request it says only that this is a
    /// WebSocket port.
    pub fn body(&self, here: &str) -> Value {
        let shown = if self.first() == Fault::Plain { &self.0[..1] } else { &self.0[..] };
        let messages: Vec<_> = shown.iter().map(|fault| fault.message()).collect();
        json!({
            "code": "upgrade_required",
            "message": format!("{here} connect with a WebSocket, and this request is no handshake: {}.", messages.join("; ")),
            "advice": self.first().advice(),
            "reasons": shown.iter().map(|fault| fault.name()).collect::<Vec<_>>(),
        })
    }
}

/// Counts handshakes that were refused for what stands in them. Anybody may send any number of them: each reason is logged once a minute at most, with
/// how many there were, and nothing of the request's own text is.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<[Tally; Fault::ALL.len() + 1]>);

/// The number of the reason that is no fault of the handshake itself.
const UNSUPPORTED: usize = Fault::ALL.len();

#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    logged: Option<Instant>,
    since: u64,
}

impl Refusals {
    /// Counts one that is no handshake, at the port of `players` or `admin`.
    pub fn count(&self, refused: &NoHandshake, port: &'static str) {
        let fault = refused.first();
        let Some(requests) = self.count_at(fault as usize, fault.name(), port) else { return };
        let (reason, advice) = (fault.name(), fault.advice());
        if fault == Fault::Plain {
            tracing::info!(port, reason, requests, "requests that are not WebSocket handshakes were received");
        } else {
            tracing::warn!(port, reason, requests, advice, "WebSocket handshakes were refused: {}", fault.message());
        }
    }

    /// Counts one that offers no subprotocol that is spoken here: a client of a version that is not served any more, or not yet.
    pub fn count_unsupported(&self, port: &'static str) {
        let (code, reason) = (ErrorCode::UnsupportedProtocol, ErrorCode::UnsupportedProtocol.code());
        let Some(requests) = self.count_at(UNSUPPORTED, reason, port) else { return };
        tracing::warn!(
            port,
            reason,
            requests,
            "WebSocket handshakes were refused: {} {}",
            code.sentence(),
            code.advice()
        );
    }

    /// Counts one of the reason with this number. How many there were since it was logged last, if it is time to log it.
    fn count_at(&self, number: usize, reason: &'static str, port: &'static str) -> Option<u64> {
        counter!("klaxon_handshakes_refused_total", "port" => port, "reason" => reason).increment(1);
        self.to_log(number, Instant::now())
    }

    fn to_log(&self, number: usize, now: Instant) -> Option<u64> {
        let mut tallies = self.0.lock();
        let tally = tallies.get_mut(number)?;
        tally.since += 1;
        if tally.logged.is_some_and(|logged| now.saturating_duration_since(logged) < LOG_EVERY) {
            return None;
        }
        tally.logged = Some(now);
        Some(std::mem::take(&mut tally.since))
    }
}

#[cfg(test)]
mod tests {
    use hyper::Request;
    use proptest::prelude::*;

    use super::*;

    const KEY: (&str, &str) = ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
    const VERSION_LINE: (&str, &str) = ("Sec-WebSocket-Version", "13");

    fn faults_of(lines: &[(&str, &str)]) -> Vec<Fault> {
        let mut request = Request::get("/play");
        for (name, value) in lines {
            request = request.header(*name, *value);
        }
        check(&request.body(()).unwrap().into_parts().0).map_or_else(|no| no.0, |_| Vec::new())
    }

    /// A handshake with these lines of Connection and of Upgrade.
    fn with(connection: &[&str], upgrade: &[&str]) -> Vec<Fault> {
        let mut lines = vec![VERSION_LINE, KEY];
        lines.extend(connection.iter().map(|value| ("Connection", *value)));
        lines.extend(upgrade.iter().map(|value| ("Upgrade", *value)));
        faults_of(&lines)
    }

    #[test]
    fn several_lines_are_one_list_in_any_order_and_any_letters() {
        for connection in [
            &["Upgrade"][..],
            &["keep-alive", "Upgrade"],
            &["Upgrade", "keep-alive"],
            &["keep-alive, Upgrade"],
            &["keep-alive,upgrade"],
            &["UPGRADE,keep-alive"],
            &["", "keep-alive", "te , upGRADE"],
            &[",, \tupgrade\t ,"],
            &["close", "x", "upgrade", "y"],
        ] {
            assert_eq!(with(connection, &["websocket"]), [], "{connection:?}");
        }
        for upgrade in [
            &["WebSocket"][..],
            &["h2c", "websocket"],
            &["websocket", "h2c"],
            &["h2c , WEBSOCKET,"],
            &["", "websocket"],
        ] {
            assert_eq!(with(&["Upgrade"], upgrade), [], "{upgrade:?}");
        }
    }

    #[test]
    fn a_token_is_the_whole_element() {
        for connection in
            [&[][..], &[""], &["keep-alive"], &["upgrades"], &["no-upgrade"], &["keep-alive upgrade"], &["\"upgrade\""]]
        {
            assert_eq!(with(connection, &["websocket"]), [Fault::Connection], "{connection:?}");
        }
        for upgrade in [&[][..], &[""], &["h2c"], &["websockets"], &["web", "socket"], &["websocket/13"]] {
            assert_eq!(with(&["upgrade"], upgrade), [Fault::Upgrade], "{upgrade:?}");
        }
    }

    #[test]
    fn what_is_no_list_stands_there_once() {
        let rest = [("Connection", "upgrade"), ("Upgrade", "websocket")];
        let faults = |lines: &[(&str, &str)]| faults_of(&[&rest[..], lines].concat());
        assert_eq!(faults(&[VERSION_LINE, KEY]), []);
        assert_eq!(faults(&[KEY]), [Fault::WebSocketVersion]);
        assert_eq!(faults(&[KEY, VERSION_LINE, VERSION_LINE]), [Fault::WebSocketVersion]);
        assert_eq!(faults(&[KEY, ("Sec-WebSocket-Version", "8")]), [Fault::WebSocketVersion]);
        assert_eq!(faults(&[VERSION_LINE]), [Fault::Key]);
        assert_eq!(faults(&[VERSION_LINE, KEY, KEY]), [Fault::Key]);
        for key in [
            "",
            "abc",
            "AAAAAAAAAAAAAAAAAAAA",
            "dGhlIHNhbXBsZSBub25jZQ",
            "dGhlIHNhbXBsZSBub25jZWU=",
            "dGhlIHNhbXBsZSBub25j Q==",
        ] {
            assert_eq!(faults(&[VERSION_LINE, ("Sec-WebSocket-Key", key)]), [Fault::Key], "{key}");
        }
        assert_eq!(faults(&[VERSION_LINE, ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZR==")]), []);
    }

    #[test]
    fn a_proxy_that_forgot_a_header_is_distinguished_from_a_browser_that_wants_a_page() {
        let page = faults_of(&[("Connection", "keep-alive")]);
        assert_eq!(page[0], Fault::Plain);
        let body = NoHandshake(page).body("Players");
        assert_eq!(body["reasons"], json!(["plain_http"]));
        // What nginx makes of a handshake if it is not configured for one.
        let mut request = Request::get("/play").version(Version::HTTP_10);
        for (name, value) in [VERSION_LINE, KEY, ("Connection", "close")] {
            request = request.header(name, value);
        }
        let no = check(&request.body(()).unwrap().into_parts().0).unwrap_err();
        assert_eq!(no.0, [Fault::HttpVersion, Fault::Upgrade, Fault::Connection]);
        let body = no.body("Players");
        for condition in ["HTTP/1.0", "Upgrade has no", "Connection has no `upgrade` token"] {
            assert!(body["message"].as_str().unwrap().contains(condition), "{body}");
        }
    }

    #[test]
    fn subprotocols_are_one_list_too() {
        let offered_in = |lines: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(line));
            }
            offered(&headers)
        };
        assert_eq!(offered_in(&[]), None);
        assert_eq!(offered_in(&["", " , "]), None);
        assert_eq!(offered_in(&["a,b", ",c"]).as_deref(), Some("a, b, c"));
    }

    #[test]
    fn a_reason_is_logged_once_a_minute_with_how_many_there_were() {
        let refusals = Refusals::default();
        let began = Instant::now();
        assert_eq!(refusals.to_log(Fault::Connection as usize, began), Some(1));
        for _ in 0..1000 {
            assert_eq!(refusals.to_log(Fault::Connection as usize, began + LOG_EVERY / 2), None);
        }
        assert_eq!(refusals.to_log(Fault::Upgrade as usize, began), Some(1), "another reason");
        assert_eq!(refusals.to_log(UNSUPPORTED, began), Some(1), "and one that is no fault of the handshake");
        assert_eq!(refusals.to_log(Fault::Connection as usize, began + LOG_EVERY), Some(1001));
    }

    #[test]
    fn a_client_of_a_version_that_is_not_served_is_counted_by_its_reason_at_its_port() {
        let recorder = crate::admin::metrics::recorder().unwrap();
        metrics::with_local_recorder(&recorder, || {
            let refusals = Refusals::default();
            refusals.count_unsupported("players");
            refusals.count_unsupported("players");
            refusals.count_unsupported("admin");
            refusals.count(&NoHandshake(vec![Fault::Key]), "admin");
        });
        let shown = recorder.handle().render();
        for (port, reason, count) in
            [("players", "unsupported_protocol", 2), ("admin", "unsupported_protocol", 1), ("admin", "key", 1)]
        {
            let line = format!("klaxon_handshakes_refused_total{{port=\"{port}\",reason=\"{reason}\"}} {count}\n");
            assert!(shown.contains(&line), "{line} in {shown}");
        }
    }

    proptest! {
        #[test]
        fn the_token_is_found_wherever_the_list_is_cut_into_lines(
            others in proptest::collection::vec("[a-tv-z-]{0,8}", 0..6),
            at in 0_usize..7,
            cuts in proptest::collection::vec(any::<bool>(), 8),
        ) {
            let mut elements = others.clone();
            elements.insert(at.min(others.len()), "Upgrade".to_owned());
            let mut lines = vec![String::new()];
            for (element, cut) in elements.into_iter().zip(cuts) {
                if cut {
                    lines.push(element);
                } else {
                    let line = lines.last_mut().unwrap();
                    *line = format!("{line} ,\t{element}");
                }
            }
            let lines: Vec<_> = lines.iter().map(String::as_str).collect();
            prop_assert_eq!(with(&lines, &["websocket"]), []);
            let without: Vec<_> = others.iter().map(String::as_str).collect();
            prop_assert_eq!(with(&without, &["websocket"]), [Fault::Connection]);
        }
    }
}
