//! The console's connection: reconnects by itself to any gateway that answers, and repeats unanswered messages.

use std::collections::VecDeque;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use futures_util::{SinkExt, StreamExt};
use klaxon_protocol::codec::Codec;
use klaxon_protocol::error::ErrorMessage;
use klaxon_protocol::host::{FromHost, ToHost};
use klaxon_protocol::ids::CommandId;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, interval, sleep, timeout, timeout_at};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use tungstenite::Message;
use tungstenite::client::IntoClientRequest;

type HostSocket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Native clients use bincode.
const CODEC: Codec = Codec::Bincode;
/// The first and the longest pause before reconnecting.
const WAITS: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));
/// How long connecting may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often the gateway is pinged.
const PING_EVERY: Duration = Duration::from_secs(5);
/// A gateway that sends nothing for this long, three pings, counts as lost, even if the connection is still open.
const SILENCE: Duration = Duration::from_secs(15);

/// The problem that is reported for a gateway that does not respond.
const SILENT: &str = "nothing came from the server";

/// An event of the connection.
#[derive(Debug)]
pub enum Report {
    /// A message of the server.
    Received(ToHost),
    /// The connection was established again.
    Back {
        /// The address of the gateway.
        address: String,
    },
    /// The connection was lost; it is retried.
    Lost {
        /// What happened.
        problem: String,
    },
    /// The server refuses the connection for good.
    Over {
        /// Why it refuses.
        problem: String,
    },
}

/// A connection to the admin socket.
pub struct Connection {
    sender: mpsc::UnboundedSender<FromHost>,
    reports: mpsc::Receiver<Report>,
}

/// The addresses of the admin ports, each of which is equally good, and their token.
pub struct Gateways {
    /// Host and port of each, in the order in which they are tried next.
    pub addresses: VecDeque<String>,
    /// The admin token.
    pub token: String,
}

impl Connection {
    /// Connects for the first time, to the first gateway that answers.
    ///
    /// # Errors
    /// If none can be reached or accepts the connection.
    pub async fn open(mut gateways: Gateways) -> anyhow::Result<Self> {
        let (socket, _) = gateways.connect().await.map_err(|failure| failure.problem)?;
        let (sender, messages) = mpsc::unbounded_channel();
        let (report, reports) = mpsc::channel(256);
        tokio::spawn(keep(gateways, socket, messages, report));
        Ok(Self { sender, reports })
    }

    /// Sends a message, or queues it until the connection is back.
    pub fn send(&self, message: FromHost) {
        // This fails only after `Over`, which the host has been shown.
        let _ = self.sender.send(message);
    }

    /// Waits for the next event. None after `Over`.
    pub async fn report(&mut self) -> Option<Report> {
        self.reports.recv().await
    }
}

/// Why there is no connection.
struct Failure {
    problem: anyhow::Error,
    /// Whether a retry can't succeed.
    lasting: bool,
}

impl Gateways {
    /// Tries each gateway once, until one answers. That one is tried last the next time.
    async fn connect(&mut self) -> Result<(HostSocket, String), Failure> {
        let mut failures = Vec::new();
        for _ in 0..self.addresses.len() {
            self.addresses.rotate_left(1);
            let Some(address) = self.addresses.back() else { continue };
            match connect(address, &self.token).await {
                Ok(socket) => return Ok((socket, address.clone())),
                Err(failure) => failures.push(failure),
            }
        }
        // Retrying is useful as long as one of them may come back.
        let lasting = failures.iter().all(|failure| failure.lasting);
        let problem = match &mut failures[..] {
            [_] => failures.remove(0).problem,
            _ => {
                let problems: Vec<String> = failures.iter().map(|failure| format!("{:#}", failure.problem)).collect();
                anyhow!("none of the gateways will do: {}", problems.join("; "))
            }
        };
        Err(Failure { problem, lasting })
    }
}

async fn connect(address: &str, token: &str) -> Result<HostSocket, Failure> {
    let passing = |problem| Failure { problem, lasting: false };
    let lasting = |problem| Failure { problem, lasting: true };
    let request = request(address, token).map_err(lasting)?;
    let connected = timeout(PATIENCE, tokio_tungstenite::connect_async(request)).await;
    match connected {
        Err(_) => Err(passing(anyhow!("no answer from {address}"))),
        Ok(Err(tungstenite::Error::Http(response))) => {
            let refusal = response.body().as_deref().and_then(|body| serde_json::from_slice::<ErrorMessage>(body).ok());
            let problem = match refusal {
                Some(refusal) => anyhow!("{address}: {} {}", refusal.message, refusal.advice),
                None => anyhow!("{address} is no admin port of Klaxon: HTTP {}", response.status()),
            };
            // A proxy's 502 ends when the server is up again.
            Err(Failure { problem, lasting: !response.status().is_server_error() })
        }
        Ok(Err(error)) => Err(passing(
            anyhow::Error::new(error)
                .context(format!("can't reach {address}; is the server running, is this its admin port?")),
        )),
        Ok(Ok((socket, _))) => Ok(socket),
    }
}

fn request(address: &str, token: &str) -> anyhow::Result<tungstenite::handshake::client::Request> {
    let mut request = format!("ws://{address}/host")
        .into_client_request()
        .with_context(|| format!("{address:?} is no address with a port"))?;
    let Ok(bearer) = format!("Bearer {token}").parse() else { bail!("the token file holds no token") };
    request.headers_mut().insert("authorization", bearer);
    request.headers_mut().insert("sec-websocket-protocol", CODEC.subprotocol().parse()?);
    Ok(request)
}

/// Serves one connection after another, until the console exits or all gateways refuse for good.
async fn keep(
    mut gateways: Gateways,
    mut socket: HostSocket,
    mut messages: mpsc::UnboundedReceiver<FromHost>,
    report: mpsc::Sender<Report>,
) {
    let mut outstanding = Outstanding::default();
    loop {
        let Some(problem) = converse(socket, &mut messages, &report, &mut outstanding).await else { return };
        if report.send(Report::Lost { problem }).await.is_err() {
            return;
        }
        let mut wait = WAITS.0;
        let (again, address) = loop {
            sleep(wait).await;
            wait = (wait * 2).min(WAITS.1);
            match gateways.connect().await {
                Ok(connected) => break connected,
                Err(failure) if failure.lasting => {
                    let _ = report.send(Report::Over { problem: failure.problem.to_string() }).await;
                    return;
                }
                // Stops when the console has exited.
                Err(_) if report.is_closed() => return,
                Err(_) => {}
            }
        };
        socket = again;
        if report.send(Report::Back { address }).await.is_err() {
            return;
        }
    }
}

/// Serves a connection until it is lost, and returns the problem. None if the console has exited.
async fn converse(
    mut socket: HostSocket,
    messages: &mut mpsc::UnboundedReceiver<FromHost>,
    report: &mpsc::Sender<Report>,
    outstanding: &mut Outstanding,
) -> Option<String> {
    for message in outstanding.again() {
        if let Err(problem) = send(&mut socket, Message::binary(CODEC.encode(message))).await {
            return Some(problem);
        }
    }
    let mut pings = interval(PING_EVERY);
    let mut silent_at = Instant::now() + SILENCE;
    loop {
        tokio::select! {
            message = messages.recv() => {
                let Some(message) = message.map(FromHost::encodable) else {
                    // The console has left, and needs no answer.
                    let _ = socket.close(None).await;
                    return None;
                };
                let frame = Message::binary(CODEC.encode(&message));
                outstanding.sent(message);
                if let Err(problem) = send(&mut socket, frame).await {
                    return Some(problem);
                }
            }
            _ = pings.tick() => {
                if let Err(problem) = send(&mut socket, Message::Ping(Default::default())).await {
                    return Some(problem);
                }
            }
            frame = timeout_at(silent_at, socket.next()) => match frame {
                Err(_) => return Some(SILENT.into()),
                Ok(None) => return Some("the server closed the connection".into()),
                Ok(Some(Err(error))) => return Some(error.to_string()),
                Ok(Some(Ok(Message::Close(close)))) => {
                    let reason = close.map(|close| close.reason.to_string()).filter(|reason| !reason.is_empty());
                    return Some(reason.unwrap_or_else(|| "the server closed the connection".into()));
                }
                Ok(Some(Ok(Message::Binary(bytes)))) => match CODEC.decode::<ToHost>(&bytes, &[]) {
                    Ok(message) => {
                        silent_at = Instant::now() + SILENCE;
                        outstanding.answered(&message);
                        report.send(Report::Received(message)).await.ok()?;
                    }
                    Err(refusal) => return Some(format!("the server speaks another protocol: {refusal}")),
                },
                Ok(Some(Ok(_))) => silent_at = Instant::now() + SILENCE,
            }
        }
    }
}

/// Sends a frame, with a timeout: a gateway that has stopped does not read.
async fn send(socket: &mut HostSocket, frame: Message) -> Result<(), String> {
    match timeout(SILENCE, socket.send(frame)).await {
        Ok(sent) => sent.map_err(|error| error.to_string()),
        Err(_) => Err(SILENT.into()),
    }
}

/// Unanswered messages, which are sent again on a new connection.
#[derive(Debug, Default)]
struct Outstanding(Vec<FromHost>);

impl Outstanding {
    fn sent(&mut self, message: FromHost) {
        match &message {
            FromHost::Ping(_) => {}
            FromHost::Unwatch(unwatched) => {
                self.0.retain(|sent| !matches!(sent, FromHost::Watch(watched) if watched == unwatched));
            }
            _ => self.0.push(message),
        }
    }

    fn answered(&mut self, answer: &ToHost) {
        let is_answered: &dyn Fn(&FromHost) -> bool = match answer {
            ToHost::Created(created) => &|sent| id_of(sent) == Some(&created.id),
            ToHost::Done(done) => &|sent| id_of(sent) == Some(&done.id),
            ToHost::Refused(refused) => &|sent| id_of(sent) == Some(&refused.id),
            ToHost::Shows(_) => &|sent| matches!(sent, FromHost::Shows),
            ToHost::Players(players) => {
                &|sent| matches!(sent, FromHost::FindPlayers(find) if find.show == players.show)
            }
            ToHost::Journal(lines) => &|sent| matches!(sent, FromHost::JournalTail(tail) if tail.show == lines.show),
            ToHost::Figures(_)
            | ToHost::Event(_)
            | ToHost::Alert(_)
            | ToHost::Pong(_)
            | ToHost::Error(_)
            | ToHost::ResumeToken(_) => return,
        };
        if let Some(answered) = self.0.iter().position(is_answered) {
            self.0.remove(answered);
        }
    }

    /// The messages, in the order in which they were sent.
    fn again(&self) -> &[FromHost] {
        &self.0
    }
}

fn id_of(message: &FromHost) -> Option<&CommandId> {
    match message {
        FromHost::Create(create) => Some(&create.id),
        FromHost::CreateGame(create) => Some(&create.id),
        FromHost::Command(command) => Some(&command.id),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use klaxon_protocol::host::{Action, Done, HostCommand, ShowRef, Shows};
    use klaxon_protocol::ids::ShowId;

    use super::*;

    const SHOW: ShowId = ShowId(5);

    fn id(text: &str) -> CommandId {
        CommandId::parse(text).unwrap()
    }

    fn next(text: &str) -> FromHost {
        FromHost::Command(HostCommand { id: id(text), show: SHOW, action: Action::Next })
    }

    #[test]
    fn only_what_was_not_answered_is_sent_again_and_in_order() {
        let watch = FromHost::Watch(ShowRef { show: SHOW });
        let mut outstanding = Outstanding::default();
        for message in [FromHost::Shows, watch.clone(), next("a"), next("b"), next("c")] {
            outstanding.sent(message);
        }
        outstanding.answered(&ToHost::Done(Done { id: id("b"), show: SHOW, again: false }));
        outstanding.answered(&ToHost::Shows(Shows { shows: Vec::new() }));
        assert_eq!(outstanding.again(), [watch, next("a"), next("c")]);

        outstanding.sent(FromHost::Unwatch(ShowRef { show: SHOW }));
        assert_eq!(outstanding.again(), [next("a"), next("c")]);
    }
}
