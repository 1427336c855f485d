//! The console's way to the server: connects again by itself, and says again what was not answered.

use std::time::Duration;

use anyhow::{Context, bail};
use futures_util::{SinkExt, StreamExt};
use klaxon_protocol::codec::Codec;
use klaxon_protocol::error::ErrorMessage;
use klaxon_protocol::host::{FromHost, ToHost};
use klaxon_protocol::ids::CommandId;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use tungstenite::Message;
use tungstenite::client::IntoClientRequest;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Native clients speak bincode.
const CODEC: Codec = Codec::Bincode;
/// The first and the longest wait before connecting again.
const WAITS: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));
/// How long connecting may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The server pings three times in this; if nothing comes, it is gone.
const SILENCE: Duration = Duration::from_secs(60);

/// What happened on the connection.
#[derive(Debug)]
pub enum Report {
    /// The server said something.
    Heard(ToHost),
    /// The connection is there again.
    Back,
    /// The connection is gone; it will be tried again.
    Lost {
        /// What happened.
        problem: String,
    },
    /// The server will not have us any more.
    Over {
        /// Why.
        problem: String,
    },
}

/// A connection to the admin socket.
pub struct Connection {
    say: mpsc::UnboundedSender<FromHost>,
    reports: mpsc::Receiver<Report>,
}

/// Where the admin socket is and what opens it.
#[derive(Clone)]
pub struct Server {
    /// Host and port.
    pub address: String,
    /// The admin token.
    pub token: String,
}

impl Connection {
    /// Connects for the first time.
    ///
    /// # Errors
    /// If the server can't be reached or will not have us: then trying again would not help.
    pub async fn open(server: Server) -> anyhow::Result<Self> {
        let socket = connect(&server).await.map_err(|failure| failure.problem)?;
        let (say, said) = mpsc::unbounded_channel();
        let (report, reports) = mpsc::channel(256);
        tokio::spawn(keep(server, socket, said, report));
        Ok(Self { say, reports })
    }

    /// Says something, now or when the connection is back.
    pub fn say(&self, message: FromHost) {
        // Fails only after `Over`, which has told the host already.
        let _ = self.say.send(message);
    }

    /// The next thing that happens. None after `Over`.
    pub async fn report(&mut self) -> Option<Report> {
        self.reports.recv().await
    }
}

/// Why there is no connection.
struct Failure {
    problem: anyhow::Error,
    /// Whether trying again can't help.
    lasting: bool,
}

async fn connect(server: &Server) -> Result<Socket, Failure> {
    let passing = |problem| Failure { problem, lasting: false };
    let lasting = |problem| Failure { problem, lasting: true };
    let request = request(server).map_err(lasting)?;
    let connected = tokio::time::timeout(PATIENCE, tokio_tungstenite::connect_async(request)).await;
    let address = &server.address;
    match connected {
        Err(_) => Err(passing(anyhow::anyhow!("no answer from {address}"))),
        Ok(Err(tungstenite::Error::Http(response))) => {
            let refusal = response.body().as_deref().and_then(|body| serde_json::from_slice::<ErrorMessage>(body).ok());
            let problem = match refusal {
                Some(refusal) => anyhow::anyhow!("{address}: {} {}", refusal.message, refusal.advice),
                None => anyhow::anyhow!("{address} is no admin port of Klaxon: HTTP {}", response.status()),
            };
            // A proxy's 502 passes when the server is up again.
            Err(Failure { problem, lasting: !response.status().is_server_error() })
        }
        Ok(Err(error)) => Err(passing(
            anyhow::Error::new(error)
                .context(format!("can't reach {address}; is the server running, is this its admin port?")),
        )),
        Ok(Ok((socket, _))) => Ok(socket),
    }
}

fn request(server: &Server) -> anyhow::Result<tungstenite::handshake::client::Request> {
    let mut request = format!("ws://{}/host", server.address)
        .into_client_request()
        .with_context(|| format!("{:?} is no address with a port", server.address))?;
    let Ok(bearer) = format!("Bearer {}", server.token).parse() else { bail!("the token file holds no token") };
    request.headers_mut().insert("authorization", bearer);
    request.headers_mut().insert("sec-websocket-protocol", CODEC.subprotocol().parse()?);
    Ok(request)
}

/// Serves one connection after the other, until the console leaves or the server will not have us.
async fn keep(
    server: Server,
    mut socket: Socket,
    mut said: mpsc::UnboundedReceiver<FromHost>,
    report: mpsc::Sender<Report>,
) {
    let mut outstanding = Outstanding::default();
    loop {
        let Some(problem) = converse(socket, &mut said, &report, &mut outstanding).await else { return };
        if report.send(Report::Lost { problem }).await.is_err() {
            return;
        }
        let mut wait = WAITS.0;
        socket = loop {
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(WAITS.1);
            match connect(&server).await {
                Ok(socket) => break socket,
                Err(failure) if failure.lasting => {
                    let _ = report.send(Report::Over { problem: failure.problem.to_string() }).await;
                    return;
                }
                // Whether somebody still waits for this.
                Err(_) if report.is_closed() => return,
                Err(_) => {}
            }
        };
        if report.send(Report::Back).await.is_err() {
            return;
        }
    }
}

/// Until the connection is lost; then what happened. None if the console has left.
async fn converse(
    mut socket: Socket,
    said: &mut mpsc::UnboundedReceiver<FromHost>,
    report: &mpsc::Sender<Report>,
    outstanding: &mut Outstanding,
) -> Option<String> {
    for message in outstanding.again() {
        if let Err(error) = socket.send(Message::binary(CODEC.encode(message))).await {
            return Some(error.to_string());
        }
    }
    loop {
        tokio::select! {
            message = said.recv() => {
                let Some(message) = message else {
                    // Goodbye; nobody waits for the answer.
                    let _ = socket.close(None).await;
                    return None;
                };
                let frame = Message::binary(CODEC.encode(&message));
                outstanding.said(message);
                if let Err(error) = socket.send(frame).await {
                    return Some(error.to_string());
                }
            }
            frame = tokio::time::timeout(SILENCE, socket.next()) => match frame {
                Err(_) => return Some("nothing was heard from the server".into()),
                Ok(None) => return Some("the server closed the connection".into()),
                Ok(Some(Err(error))) => return Some(error.to_string()),
                Ok(Some(Ok(Message::Close(close)))) => {
                    let reason = close.map(|close| close.reason.to_string()).filter(|reason| !reason.is_empty());
                    return Some(reason.unwrap_or_else(|| "the server closed the connection".into()));
                }
                Ok(Some(Ok(Message::Binary(bytes)))) => match CODEC.decode::<ToHost>(&bytes, &[]) {
                    Ok(message) => {
                        outstanding.heard(&message);
                        report.send(Report::Heard(message)).await.ok()?;
                    }
                    Err(refusal) => return Some(format!("the server speaks another protocol: {refusal}")),
                },
                Ok(Some(Ok(_))) => {}
            }
        }
    }
}

/// What was said and must be said again on a new connection.
#[derive(Debug, Default)]
struct Outstanding(Vec<FromHost>);

impl Outstanding {
    fn said(&mut self, message: FromHost) {
        match &message {
            FromHost::Ping(_) => {}
            FromHost::Unwatch(unwatched) => {
                self.0.retain(|said| !matches!(said, FromHost::Watch(watched) if watched == unwatched));
            }
            _ => self.0.push(message),
        }
    }

    fn heard(&mut self, answer: &ToHost) {
        let is_answered: &dyn Fn(&FromHost) -> bool = match answer {
            ToHost::Created(created) => &|said| id_of(said) == Some(&created.id),
            ToHost::Done(done) => &|said| id_of(said) == Some(&done.id),
            ToHost::Refused(refused) => &|said| id_of(said) == Some(&refused.id),
            ToHost::Shows(_) => &|said| matches!(said, FromHost::Shows),
            ToHost::Players(players) => {
                &|said| matches!(said, FromHost::FindPlayers(find) if find.show == players.show)
            }
            ToHost::Journal(lines) => &|said| matches!(said, FromHost::JournalTail(tail) if tail.show == lines.show),
            ToHost::Figures(_) | ToHost::Event(_) | ToHost::Alert(_) | ToHost::Pong(_) | ToHost::Error(_) => return,
        };
        if let Some(answered) = self.0.iter().position(is_answered) {
            self.0.remove(answered);
        }
    }

    /// In the order in which it was said.
    fn again(&self) -> &[FromHost] {
        &self.0
    }
}

fn id_of(message: &FromHost) -> Option<&CommandId> {
    match message {
        FromHost::Create(create) => Some(&create.id),
        FromHost::Command(command) => Some(&command.id),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use klaxon_protocol::host::{Action, Command, Done, ShowRef, Shows};
    use klaxon_protocol::ids::ShowId;

    use super::*;

    const SHOW: ShowId = ShowId(5);

    fn id(text: &str) -> CommandId {
        CommandId::parse(text).unwrap()
    }

    fn next(text: &str) -> FromHost {
        FromHost::Command(Command { id: id(text), show: SHOW, action: Action::Next })
    }

    #[test]
    fn only_what_was_not_answered_is_said_again_and_in_order() {
        let watch = FromHost::Watch(ShowRef { show: SHOW });
        let mut outstanding = Outstanding::default();
        for message in [FromHost::Shows, watch.clone(), next("a"), next("b"), next("c")] {
            outstanding.said(message);
        }
        outstanding.heard(&ToHost::Done(Done { id: id("b"), show: SHOW, again: false }));
        outstanding.heard(&ToHost::Shows(Shows { shows: Vec::new() }));
        assert_eq!(outstanding.again(), [watch, next("a"), next("c")]);

        outstanding.said(FromHost::Unwatch(ShowRef { show: SHOW }));
        assert_eq!(outstanding.again(), [next("a"), next("c")]);
    }
}
