//! A scripted substitute for the server: one show, whose only rule is that the first answer wins, with enough protocol
//! for players and a host.

#![allow(clippy::unwrap_used, reason = "a test's server may panic")]
#![allow(clippy::result_large_err, reason = "the type is the handshake's")]
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use klaxon_protocol::claim::Verdict;
use klaxon_protocol::codec::Codec;
use klaxon_protocol::error::{ErrorCode, ErrorMessage};
use klaxon_protocol::games::trivia::{
    Answer, AnswerReply, Choice, Close, Mode, Outcome, Pack, PlayerResult, Question, QuestionId, Reveal, Settings,
    Snapshot, You,
};
use klaxon_protocol::host::{
    Action, Created, Done, FROM_HOST_TYPES, Figures, FromHost, HostCommand, HostEvent, Refused, ToHost,
};
use klaxon_protocol::ids::{Name, Seat, Seq, ShowCode, ShowId};
use klaxon_protocol::player::{
    FROM_PLAYER_TYPES, FromPlayer, Join, Mark, Phase, Podium, Pong, Role, ToPlayer, Welcome,
};
use klaxon_protocol::time::{Millis, Span};
use klaxon_simulator::evidence::Micros;
use klaxon_simulator::socket::admin::{AdminAccess, HOST_PATH};
use klaxon_simulator::swarm::players::PLAYERS_PATH;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};
use tungstenite::Message;
use tungstenite::handshake::server::{Request, Response};
use tungstenite::http::HeaderValue;

pub const TOKEN: &str = "let-me-in";
const SHOW: ShowId = ShowId(77);

/// A message to all connections.
#[derive(Clone)]
enum Sent {
    Event(ToPlayer),
    Figures,
    /// Closes each connection without a close frame.
    Cut,
}

struct Show {
    pack: Option<Pack>,
    settings: Settings,
    phase: Phase,
    seq: u64,
    question: Option<Question>,
    seats: u32,
    answers: HashMap<(QuestionId, Seat), Choice>,
    done: HashMap<String, ToHost>,
    sent: broadcast::Sender<Sent>,
    /// The number of commands after which hosts are disconnected, once.
    cut_host_after: Option<usize>,
}

#[derive(Clone)]
pub struct Mini {
    show: Arc<Mutex<Show>>,
    pub players: SocketAddr,
    pub admin: AdminAccess,
}

fn now() -> Millis {
    Millis(Micros::now().0 / 1000)
}

impl Mini {
    pub async fn start(cut_host_after: Option<usize>) -> Self {
        let show = Show {
            pack: None,
            settings: Settings::default(),
            phase: Phase::Created,
            seq: 0,
            question: None,
            seats: 0,
            answers: HashMap::new(),
            done: HashMap::new(),
            sent: broadcast::channel(10_000).0,
            cut_host_after,
        };
        let players = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let hosts = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mini = Self {
            show: Arc::new(Mutex::new(show)),
            players: players.local_addr().unwrap(),
            admin: AdminAccess { addresses: vec![hosts.local_addr().unwrap()], token: TOKEN.into() },
        };
        let server = mini.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = players.accept().await {
                let server = server.clone();
                tokio::spawn(async move { server.player(stream).await });
            }
        });
        let server = mini.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = hosts.accept().await {
                let server = server.clone();
                tokio::spawn(async move { server.host(stream).await });
            }
        });
        mini
    }

    /// Disconnects all players without a close frame.
    pub fn cut_players(&self) {
        let _ = self.show().sent.send(Sent::Cut);
    }

    pub fn asked(&self) -> u16 {
        self.show().question.as_ref().map_or(0, |question| question.question.0)
    }

    pub fn counted(&self) -> usize {
        self.show().answers.len()
    }

    fn show(&self) -> MutexGuard<'_, Show> {
        self.show.lock().unwrap()
    }

    async fn player(self, stream: TcpStream) -> Option<()> {
        let mut codec = Codec::Json;
        let mut socket = accept_hdr_async(stream, |request: &Request, mut response: Response| {
            assert_eq!(request.uri().path(), PLAYERS_PATH);
            let offered = request.headers()["sec-websocket-protocol"].to_str().unwrap();
            codec = Codec::negotiate(Some(offered)).unwrap();
            let chosen = HeaderValue::from_static(codec.subprotocol());
            response.headers_mut().insert("sec-websocket-protocol", chosen);
            Ok(response)
        })
        .await
        .ok()?;
        let mut sent = self.show().sent.subscribe();
        let mut seat = None;
        let mut joined = false;
        loop {
            tokio::select! {
                received = socket.next() => {
                    let bytes = match received?.ok()? {
                        Message::Text(text) => text.as_bytes().to_vec(),
                        Message::Binary(bytes) => bytes.to_vec(),
                        Message::Close(_) => return None,
                        _ => continue,
                    };
                    let replies = match codec.decode(&bytes, FROM_PLAYER_TYPES) {
                        Ok(FromPlayer::Join(join)) => {
                            // Earlier events are part of the snapshot.
                            sent = sent.resubscribe();
                            joined = true;
                            self.join(&join, &mut seat)
                        }
                        Ok(FromPlayer::Answer(answer)) => vec![self.answer(seat, answer)],
                        Ok(FromPlayer::Ping(ping)) => vec![ToPlayer::Pong(Pong { sent: ping.sent, now: now() })],
                        Ok(FromPlayer::React(_) | FromPlayer::Leave | FromPlayer::Reclaim(_) | FromPlayer::Claim(_)) => vec![],
                        Err(refusal) => vec![ToPlayer::Error((&refusal).into())],
                    };
                    for reply in replies {
                        send(&mut socket, codec, &reply).await?;
                    }
                }
                received = sent.recv() => match received.ok()? {
                    Sent::Event(event) if joined => {
                        send(&mut socket, codec, &event).await?;
                        if let ToPlayer::Reveal(reveal) = &event {
                            let result = self.result(seat, reveal);
                            send(&mut socket, codec, &result).await?;
                        }
                    }
                    Sent::Cut => return None,
                    Sent::Event(_) | Sent::Figures => {}
                }
            }
        }
    }

    fn join(&self, join: &Join, seat: &mut Option<Seat>) -> Vec<ToPlayer> {
        let mut show = self.show();
        if show.phase == Phase::Created {
            return vec![ToPlayer::Error(ErrorCode::UnknownShow.into())];
        }
        match &join.resume {
            Some(token) if token == "watcher" => {}
            Some(token) => match token.strip_prefix("seat-").and_then(|number| number.parse().ok()) {
                Some(number) => *seat = Some(Seat(number)),
                None => return vec![ToPlayer::Error(ErrorCode::BadToken.into())],
            },
            None if join.role == Role::Player => {
                *seat = Some(Seat(show.seats));
                show.seats += 1;
                let _ = show.sent.send(Sent::Figures);
            }
            None => {}
        }
        let welcome = Welcome {
            protocol: 1,
            session: "s".into(),
            resume: seat.map_or("watcher".into(), |seat| format!("seat-{seat}")),
            show: SHOW,
            seat: *seat,
            name: Name::parse(join.name.as_deref().unwrap_or("thief")).unwrap(),
            now: now(),
            heartbeat: Span(30_000),
            newest: Default::default(),
        };
        let snapshot = Snapshot {
            at: now(),
            phase: show.phase,
            mode: Mode::Points,
            total: show.pack.as_ref().map_or(0, |pack| pack.questions.len() as u16),
            joined: show.seats,
            alive: show.seats,
            question: show.question.clone(),
            ..klaxon_fixtures::lobby(Seq(show.seq))
        };
        let you = You { lives: 0, ..klaxon_fixtures::YOU };
        vec![ToPlayer::Welcome(welcome), ToPlayer::Snapshot(Box::new(snapshot)), ToPlayer::You(you)]
    }

    fn answer(&self, seat: Option<Seat>, answer: Answer) -> ToPlayer {
        let Some(seat) = seat else { return ToPlayer::Error(ErrorCode::NotJoined.into()) };
        let mut show = self.show();
        let running = show.question.clone().filter(|question| question.question == answer.question);
        let verdict = match running {
            None => Verdict::Refused(ErrorCode::UnknownQuestion),
            Some(question) if answer.choice.index() >= question.choices.len() => Verdict::Refused(ErrorCode::BadChoice),
            Some(_) if show.phase != Phase::Question => Verdict::Refused(ErrorCode::TooLate),
            Some(question) if now() < question.opens_at => Verdict::Refused(ErrorCode::TooEarly),
            Some(_) => match *show.answers.entry((answer.question, seat)).or_insert(answer.choice) {
                counted if counted == answer.choice => Verdict::Accepted(counted.into()),
                counted => Verdict::AlreadyAnswered(counted.into()),
            },
        };
        ToPlayer::AnswerReply(AnswerReply::new(answer.question, &verdict))
    }

    fn result(&self, seat: Option<Seat>, reveal: &Reveal) -> ToPlayer {
        let show = self.show();
        let choice = seat.and_then(|seat| show.answers.get(&(reveal.question, seat)));
        let outcome = match choice {
            None => Outcome::Silent,
            Some(choice) if *choice == reveal.right => Outcome::Right,
            Some(_) => Outcome::Wrong,
        };
        let question = reveal.question;
        ToPlayer::Result(PlayerResult { question, outcome, alive: true, lives: 0, gained: 0, score: 0, rank: 0 })
    }

    async fn host(self, stream: TcpStream) -> Option<()> {
        let mut socket = accept_hdr_async(stream, |request: &Request, mut response: Response| {
            assert_eq!(request.uri().path(), HOST_PATH);
            assert_eq!(request.headers()["authorization"], format!("Bearer {TOKEN}"));
            let json = HeaderValue::from_static(Codec::Json.subprotocol());
            response.headers_mut().insert("sec-websocket-protocol", json);
            Ok(response)
        })
        .await
        .ok()?;
        let mut sent = self.show().sent.subscribe();
        loop {
            let replies = tokio::select! {
                received = socket.next() => {
                    let Message::Text(text) = received?.ok()? else { continue };
                    match Codec::Json.decode(text.as_bytes(), FROM_HOST_TYPES).unwrap() {
                        FromHost::Create(create) => {
                            let mut show = self.show();
                            show.pack = Some(create.pack);
                            show.settings = create.settings;
                            let code = ShowCode::parse("MINI1").unwrap();
                            vec![ToHost::Created(Created { id: create.id, show: SHOW, code })]
                        }
                        FromHost::Command(command) => {
                            let reply = self.command(&command);
                            let mut show = self.show();
                            if show.cut_host_after.is_some_and(|after| show.done.len() >= after) {
                                show.cut_host_after = None;
                                return None;
                            }
                            vec![reply]
                        }
                        _ => vec![self.figures()],
                    }
                }
                received = sent.recv() => match received.ok()? {
                    Sent::Event(event) => {
                        let event = HostEvent { show: SHOW, event: Box::new(event) };
                        vec![ToHost::Event(event), self.figures()]
                    }
                    Sent::Figures => vec![self.figures()],
                    Sent::Cut => continue,
                },
            };
            for reply in replies {
                let text = String::from_utf8(Codec::Json.encode(&reply)).unwrap();
                socket.send(Message::text(text)).await.ok()?;
            }
        }
    }

    fn figures(&self) -> ToHost {
        let show = self.show();
        ToHost::Figures(Box::new(Figures {
            at: now(),
            phase: show.phase,
            seq: Seq(show.seq),
            question: show.question.as_ref().map(|question| question.question),
            joined: show.seats,
            connected: show.seats,
            alive: show.seats,
            ..klaxon_fixtures::figures(SHOW)
        }))
    }

    fn command(&self, command: &HostCommand) -> ToHost {
        let id = command.id.as_str().to_owned();
        if let Some(ToHost::Done(done)) = self.show().done.get(&id).cloned() {
            return ToHost::Done(Done { again: true, ..done });
        }
        let reply = match self.act(&command.action) {
            Ok(()) => ToHost::Done(Done { id: command.id.clone(), show: SHOW, again: false }),
            Err(code) => ToHost::Refused(Refused { id: command.id.clone(), error: ErrorMessage::from(code) }),
        };
        self.show().done.insert(id, reply.clone());
        reply
    }

    fn act(&self, action: &Action) -> Result<(), ErrorCode> {
        let mut show = self.show();
        let event = match (action, show.phase) {
            (Action::OpenLobby, Phase::Created) => {
                show.phase = Phase::Lobby;
                ToPlayer::Opened(Mark { seq: show.next(), at: now() })
            }
            (Action::Next, Phase::Lobby | Phase::Revealed) => {
                let question = show.ask().ok_or(ErrorCode::NoMoreQuestions)?;
                let wait = question.closes_at.since(now()).to_std();
                let (mini, id) = (self.clone(), question.question);
                tokio::spawn(async move {
                    tokio::time::sleep(wait).await;
                    mini.close(id);
                });
                ToPlayer::Question(question)
            }
            (Action::Reveal, Phase::Closed) => ToPlayer::Reveal(show.reveal().ok_or(ErrorCode::WrongPhase)?),
            (Action::End { .. }, _) => {
                let podium = Podium {
                    seq: show.next(),
                    at: now(),
                    winners: 0,
                    places: vec![],
                    pot: 0,
                    paid: 0,
                    rolled_over: 0,
                    currency: "EUR".into(),
                };
                let _ = show.sent.send(Sent::Event(ToPlayer::Podium(podium)));
                show.phase = Phase::Ended;
                ToPlayer::End(Mark { seq: show.next(), at: now() })
            }
            _ => return Err(ErrorCode::WrongPhase),
        };
        let _ = show.sent.send(Sent::Event(event));
        Ok(())
    }

    fn close(&self, question: QuestionId) {
        let mut show = self.show();
        show.phase = Phase::Closed;
        let close = Close { seq: show.next(), at: now(), question };
        let _ = show.sent.send(Sent::Event(ToPlayer::Close(close)));
    }
}

impl Show {
    fn next(&mut self) -> Seq {
        self.seq += 1;
        Seq(self.seq)
    }

    fn ask(&mut self) -> Option<Question> {
        let number = self.question.as_ref().map_or(0, |question| question.question.0);
        let pack = self.pack.clone()?;
        let question = pack.questions.get(usize::from(number))?;
        let opens_at = now() + self.settings.lead;
        let question = Question {
            seq: self.next(),
            at: now(),
            question: QuestionId(number + 1),
            total: pack.questions.len() as u16,
            text: question.text.clone(),
            choices: question.choices.clone(),
            category: None,
            opens_at,
            closes_at: opens_at + self.settings.open_for,
        };
        self.phase = Phase::Question;
        self.question = Some(question.clone());
        Some(question)
    }

    fn reveal(&mut self) -> Option<Reveal> {
        let question = self.question.clone()?;
        let right = self.pack.as_ref()?.questions[usize::from(question.question.0) - 1].right;
        let mut counts = vec![0; question.choices.len()];
        for ((_, _), choice) in self.answers.iter().filter(|((answered, _), _)| *answered == question.question) {
            counts[choice.index()] += 1;
        }
        self.phase = Phase::Revealed;
        let silent = self.seats - counts.iter().sum::<u32>();
        Some(Reveal {
            seq: self.next(),
            at: now(),
            question: question.question,
            right,
            counts,
            silent,
            alive: self.seats,
        })
    }
}

async fn send(socket: &mut WebSocketStream<TcpStream>, codec: Codec, message: &ToPlayer) -> Option<()> {
    let bytes = codec.encode(message);
    let message = match codec {
        Codec::Json => Message::text(String::from_utf8(bytes).unwrap()),
        Codec::Bincode => Message::binary(bytes),
    };
    socket.send(message).await.ok()
}

/// A time limit for a test's show.
pub const LIMIT: Duration = Duration::from_secs(60);
