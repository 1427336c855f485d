//! The admin port: hosts' sockets, metrics, health. Everything here needs the admin token.

mod hosts;
pub mod metrics;
mod outbox;
mod socket;
mod token;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{FromRequestParts, Request, State, WebSocketUpgrade};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use klaxon_protocol::codec::Codec;
use klaxon_protocol::error::{ErrorCode, ErrorMessage, Refusal};
use klaxon_protocol::host::LARGEST_HOST_MESSAGE;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use hosts::{Hosts, MOST_HOSTS, MOST_UNANSWERED};
pub use outbox::MOST_WAITING;
pub use token::AdminToken;

use crate::handshake::{self, NoHandshake, Refusals};
use crate::link::GatewayEnd;

/// How often the recorder aggregates its samples; without this they would accumulate between scrapes.
const UPKEEP: Duration = Duration::from_secs(5);
/// How long hosts' connections may take to close when the server stops.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// What the admin port needs.
pub struct AdminSettings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The token that every request must have.
    pub token: AdminToken,
    /// Renders the metrics for `/metrics`.
    pub metrics: PrometheusHandle,
}

/// The running admin port.
pub struct Admin {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
}

struct Shared {
    token: AdminToken,
    metrics: PrometheusHandle,
    refusals: Refusals,
    /// None if hosts can't connect to this process.
    hosts: Option<Arc<Hosts>>,
    stop: watch::Receiver<bool>,
}

impl Admin {
    /// Opens the port. Messages of engines for hosts have to be passed to the returned [`Hosts`].
    ///
    /// # Errors
    /// If the address can't be bound.
    pub async fn start(settings: AdminSettings, engines: Arc<dyn GatewayEnd>) -> io::Result<(Self, Arc<Hosts>)> {
        let hosts = Arc::new(Hosts::new(engines));
        Ok((Self::open(settings, Some(Arc::clone(&hosts))).await?, hosts))
    }

    /// Opens the port for metrics and health only.
    ///
    /// # Errors
    /// If the address can't be bound.
    pub async fn without_hosts(settings: AdminSettings) -> io::Result<Self> {
        Self::open(settings, None).await
    }

    async fn open(settings: AdminSettings, hosts: Option<Arc<Hosts>>) -> io::Result<Self> {
        let listener = TcpListener::bind(settings.listen).await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = watch::channel(false);
        let AdminSettings { token, metrics, .. } = settings;
        let refusals = Refusals::default();
        let shared = Arc::new(Shared { token, metrics, refusals, hosts, stop: stopped.clone() });
        let server = tokio::spawn(run(listener, shared, stopped));
        Ok(Self { address, stop, server })
    }

    /// The address on which it listens. If the settings had port 0, this has the port that was chosen.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts no more hosts, closes all connections, and waits for them for up to two seconds.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        let all_gone = async {
            let _ = self.server.await;
            self.stop.closed().await;
        };
        if tokio::time::timeout(STOP_TIMEOUT, all_gone).await.is_err() {
            tracing::warn!("some requests to the admin port were cut off");
        }
    }
}

async fn run(listener: TcpListener, shared: Arc<Shared>, mut stopped: watch::Receiver<bool>) {
    let metrics = shared.metrics.clone();
    let routes = Router::new()
        .route("/host", get(host))
        .route("/metrics", get(render_metrics))
        .route("/healthz", get(async || "ok\n"))
        .fallback(async || (StatusCode::NOT_FOUND, "There is /host, /metrics and /healthz.\n"))
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), guard))
        .with_state(shared);
    let mut stopping = stopped.clone();
    let server = axum::serve(listener, routes).with_graceful_shutdown(async move {
        let _ = stopping.wait_for(|stopped| *stopped).await;
    });
    let upkeep = async move {
        let mut ticks = tokio::time::interval(UPKEEP);
        while tokio::select! { _ = ticks.tick() => true, _ = stopped.wait_for(|stopped| *stopped) => false } {
            metrics.run_upkeep();
        }
    };
    let (served, ()) = tokio::join!(server, upkeep);
    if let Err(error) = served {
        tracing::error!(%error, "the admin port failed");
    }
}

/// Refuses requests without the token, and requests from web pages of other machines even with it.
async fn guard(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    if !shared.token.allows(request.headers()) {
        ::metrics::counter!("klaxon_admin_unauthorized_total").increment(1);
        let mut response = refusal(StatusCode::UNAUTHORIZED, &Refusal::plain(ErrorCode::Unauthorized));
        response.headers_mut().insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
        return response;
    }
    let mut origins = request.headers().get_all(header::ORIGIN).iter();
    if !origins.all(|origin| origin.to_str().is_ok_and(is_loopback)) {
        let detail = "Pages of other machines may not use the admin port.";
        return refusal(StatusCode::FORBIDDEN, &Refusal::because(ErrorCode::Unauthorized, detail));
    }
    next.run(request).await
}

/// Whether this origin is a page of this machine.
fn is_loopback(origin: &str) -> bool {
    let Ok(origin) = origin.parse::<axum::http::Uri>() else { return false };
    let Some(host) = origin.host() else { return false };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

async fn host(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    if let Err(no) = handshake::check(&parts) {
        shared.refusals.count(&no, "admin");
        let json = [(header::CONTENT_TYPE, "application/json")];
        return (NoHandshake::STATUS, NoHandshake::headers(), json, no.body("Hosts").to_string()).into_response();
    }
    let offered = handshake::offered(&parts.headers);
    let codec = match Codec::negotiate(offered.as_deref()) {
        Ok(codec) => codec,
        Err(unsupported) => {
            shared.refusals.count_unsupported("admin");
            return refusal(StatusCode::BAD_REQUEST, &unsupported);
        }
    };
    handshake::in_single_lines(&mut parts.headers);
    let mut upgrade: WebSocketUpgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => upgrade,
        Err(no_upgrade) => return no_upgrade.into_response(),
    };
    if offered.is_some() {
        upgrade.set_selected_protocol(header::HeaderValue::from_static(codec.subprotocol()));
    }
    let upgrade = upgrade
        .max_message_size(LARGEST_HOST_MESSAGE)
        .max_frame_size(LARGEST_HOST_MESSAGE)
        // A page of memory per host; the default is 128 KiB.
        .read_buffer_size(4096);
    let stop = shared.stop.clone();
    let Some(hosts) = shared.hosts.clone() else { return no_hosts().into_response() };
    upgrade.on_upgrade(async move |ws| {
        if let Some(host) = hosts.arrive() {
            socket::serve(ws, codec, hosts, host, stop).await;
        } else {
            let reason = ErrorCode::NoCapacity.code().into();
            let frame = axum::extract::ws::CloseFrame { code: axum::extract::ws::close_code::AGAIN, reason };
            socket::refuse(ws, frame).await;
        }
    })
}

fn no_hosts() -> (StatusCode, &'static str) {
    (StatusCode::NOT_FOUND, "Hosts connect to a gateway; here are /metrics and /healthz.\n")
}

async fn render_metrics(State(shared): State<Arc<Shared>>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], shared.metrics.render()).into_response()
}

fn refusal(status: StatusCode, refusal: &Refusal) -> Response {
    let body = Codec::Json.encode(&ErrorMessage::from(refusal));
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn only_pages_of_this_machine_are_local() {
        for local in ["http://localhost:8080", "http://127.0.0.1", "https://[::1]:1"] {
            assert!(is_loopback(local), "{local}");
        }
        for foreign in ["https://example.org", "http://localhost.example.org", "null", "http://10.0.0.1", ""] {
            assert!(!is_loopback(foreign), "{foreign}");
        }
    }
}
