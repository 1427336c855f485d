//! HTTP on the players' port, until the upgrade to WebSocket: health, version, and the handshake.

use std::cell::RefCell;
use std::convert::Infallible;
use std::net::{IpAddr, TcpStream as StdStream};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{self, HeaderValue};
use hyper::upgrade::OnUpgrade;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use klaxon_protocol::codec::{Codec, PROTOCOL_VERSION};
use klaxon_protocol::error::{ErrorCode, ErrorMessage, Refusal};
use serde_json::json;
use tokio::net::TcpStream;

use super::Limits;
use super::accept::{self, CountedConnection};
use crate::handshake::{self, NoHandshake, Refusals};

/// How long a client may take to send the head of a request.
const HEAD_LIMIT: Duration = Duration::from_secs(5);
/// How long a connection may use HTTP.
const HTTP_LIMIT: Duration = Duration::from_secs(60);
/// The largest head of a request, in bytes.
const LARGEST_HEAD: usize = 16 << 10;

/// The gateway's state for HTTP requests.
pub struct HttpState {
    pub(super) limits: Limits,
    pub(super) draining: AtomicBool,
    pub(super) refusals: Refusals,
}

impl HttpState {
    /// Accepts until it drains.
    pub fn new(limits: Limits) -> Self {
        Self { limits, draining: AtomicBool::new(false), refusals: Refusals::default() }
    }
}

/// A socket that was upgraded to WebSocket.
pub struct Upgraded {
    pub(super) stream: StdStream,
    pub(super) peer: IpAddr,
    pub(super) codec: Codec,
    /// Bytes that the client sent after its handshake.
    pub(super) read: Bytes,
}

/// A handshake that was accepted.
type Agreed = Rc<RefCell<Option<(OnUpgrade, Codec)>>>;

/// Serves HTTP until the client upgrades; none if the connection ends without an upgrade.
pub async fn serve(
    stream: TcpStream,
    peer: IpAddr,
    http_state: Arc<HttpState>,
    here: &CountedConnection,
) -> Option<Upgraded> {
    let agreed = Agreed::default();
    let service = hyper::service::service_fn(|request| {
        let response = respond(request, &http_state, here, &agreed);
        async { Ok::<_, Infallible>(response) }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .max_buf_size(LARGEST_HEAD)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    // An error concerns this client only, and is ignored.
    let _ = tokio::time::timeout(HTTP_LIMIT, served).await;
    let (upgrade, codec) = agreed.take()?;
    let parts = upgrade.await.ok()?.downcast::<TokioIo<TcpStream>>().ok()?;
    let stream = parts.io.into_inner().into_std().ok()?;
    Some(Upgraded { stream, peer, codec, read: parts.read_buf })
}

fn respond(
    request: Request<Incoming>,
    http_state: &HttpState,
    here: &CountedConnection,
    agreed: &Agreed,
) -> Response<Full<Bytes>> {
    let draining = http_state.draining.load(Relaxed);
    match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/healthz") => text(StatusCode::OK, "ok\n"),
        (&Method::GET | &Method::HEAD, "/readyz") if draining => text(StatusCode::SERVICE_UNAVAILABLE, "draining\n"),
        (&Method::GET | &Method::HEAD, "/readyz") => text(StatusCode::OK, "ready\n"),
        (&Method::GET | &Method::HEAD, "/version") => version(),
        (_, "/" | "/play") if draining => away(ErrorCode::ShuttingDown),
        (_, "/" | "/play") if here.exceeds(http_state.limits.connections) => {
            accept::count_refused();
            away(ErrorCode::NoCapacity)
        }
        (_, "/" | "/play") => shake_hands(request, http_state, agreed),
        _ => json_body(
            StatusCode::NOT_FOUND,
            &json!({
                "code": "not_found",
                "message": "There is nothing here.",
                "advice": "Players connect with a WebSocket to `/play`; there are also /healthz, /readyz and /version.",
            }),
        ),
    }
}

fn shake_hands(mut request: Request<Incoming>, http_state: &HttpState, agreed: &Agreed) -> Response<Full<Bytes>> {
    let upgrade = hyper::upgrade::on(&mut request);
    let (parts, _) = request.into_parts();
    let accept = match handshake::check(&parts) {
        Ok(accept) => accept,
        Err(no) => {
            http_state.refusals.count(&no, "players");
            let mut response = json_body(NoHandshake::STATUS, &no.body("Players"));
            response.headers_mut().extend(NoHandshake::headers());
            return response;
        }
    };
    let offered = handshake::offered(&parts.headers);
    let codec = match Codec::negotiate(offered.as_deref()) {
        Ok(codec) => codec,
        Err(refusal) => {
            http_state.refusals.count_unsupported("players");
            return json_body(StatusCode::BAD_REQUEST, &ErrorMessage::from(&refusal));
        }
    };
    metrics::counter!("klaxon_handshakes_total", "subprotocol" => offered.as_ref().map_or("none", |_| codec.subprotocol()))
        .increment(1);
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    if offered.is_some() {
        let chosen = HeaderValue::from_static(codec.subprotocol());
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, chosen);
    }
    agreed.replace(Some((upgrade, codec)));
    response
}

fn version() -> Response<Full<Bytes>> {
    let body = json!({
        "name": "klaxon",
        "version": env!("CARGO_PKG_VERSION"),
        "protocol": PROTOCOL_VERSION,
        "subprotocols": Codec::ALL.map(Codec::subprotocol),
    });
    json_body(StatusCode::OK, &body)
}

fn away(code: ErrorCode) -> Response<Full<Bytes>> {
    let mut response = json_body(StatusCode::SERVICE_UNAVAILABLE, &ErrorMessage::from(&Refusal::plain(code)));
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
    response
}

fn text(status: StatusCode, body: &'static str) -> Response<Full<Bytes>> {
    with_body(status, "text/plain; charset=utf-8", Bytes::from_static(body.as_bytes()))
}

fn json_body(status: StatusCode, body: &impl serde::Serialize) -> Response<Full<Bytes>> {
    with_body(status, "application/json", serde_json::to_vec(body).unwrap_or_default().into())
}

fn with_body(status: StatusCode, kind: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
