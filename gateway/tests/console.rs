//! The host's console by script, through a real admin socket, with an engine that follows a script.

#![allow(clippy::unwrap_used)]

mod admin_port;

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};

use admin_port::{SHOW, Stage, TOKEN, figures};
use clap::Parser;
use klaxon_gateway::cli::{Command as Subcommand, Klaxon};
use klaxon_gateway::console::{self, FileReaders, HostOptions};
use klaxon_gateway::link::HostSink;
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::games::rundown;
use klaxon_protocol::games::trivia::{Choice, Create, Mode, Pack, PackQuestion, PrizeRule, Question, Reveal};
use klaxon_protocol::host::*;
use klaxon_protocol::ids::{ConnRef, Seq, ShowCode};
use klaxon_protocol::link::ToGateway;
use klaxon_protocol::player::{Body, GameEvent, Mark, Phase, ToPlayer};
use klaxon_protocol::time::{Millis, Span};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// What the console wrote.
#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

struct Console {
    task: JoinHandle<anyhow::Result<usize>>,
    output: Output,
    _dir: tempfile::TempDir,
}

fn pack() -> Pack {
    let question = PackQuestion::new("2 + 2?", ["4", "5"], Choice(0));
    Pack { title: "Sums".into(), questions: vec![question] }
}

/// The show's file has one break.
const READERS: FileReaders = FileReaders {
    pack: |_| Ok(pack()),
    show: |file, id| {
        let setup = Body::of(&serde_json::json!({ "parts": [{ "part": "break", "text": file }] }));
        let (game, title) = (rundown::game_name(), "An evening".into());
        Ok(CreateGame { id, code: None, game, title, seats: 10, barrier: Span(500), setup })
    },
};

fn options(address: &str, token_file: &Path, flags: &[&str]) -> HostOptions {
    let words = ["klaxon", "host", "--admin", address, "--token-file", token_file.to_str().unwrap()];
    match Klaxon::try_parse_from(words.iter().chain(flags)).unwrap().command {
        Subcommand::Host(options) => *options,
        other => panic!("{other:?}"),
    }
}

impl Console {
    /// Runs the script with the flags.
    fn start(stage: &Stage, flags: &[&str], script: &[&str]) -> Self {
        Self::start_at(&stage.address().to_string(), flags, script)
    }

    /// The same with these admin ports.
    fn start_at(admin: &str, flags: &[&str], script: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let token_file = dir.path().join("admin.token");
        let mut open = std::fs::OpenOptions::new();
        writeln!(open.write(true).create_new(true).mode(0o600).open(&token_file).unwrap(), "{TOKEN}").unwrap();
        let options = options(admin, &token_file, flags);
        let (send, lines) = mpsc::channel(script.len().max(1));
        script.iter().for_each(|line| send.try_send((*line).to_owned()).unwrap());
        let output = Output::default();
        let mut out = output.clone();
        let task = tokio::spawn(async move { console::run_script(&options, READERS, lines, &mut out).await });
        Self { task, output, _dir: dir }
    }

    /// How many commands were refused, and all that was written.
    async fn finish(self) -> (usize, String) {
        let refusals = self.task.await.unwrap().unwrap();
        let written = self.output.0.lock().unwrap().clone();
        (refusals, String::from_utf8(written).unwrap())
    }

    async fn fail(self) -> String {
        self.task.await.unwrap().unwrap_err().to_string()
    }
}

/// The next command of a host, answered as done.
async fn obey(stage: &mut Stage) -> (ConnRef, HostCommand) {
    match stage.engine.receive().await {
        (conn, FromHost::Command(command)) => {
            let done = Done { id: command.id.clone(), show: SHOW, again: false };
            stage.engine.answer(conn, ToHost::Done(done));
            (conn, command)
        }
        (_, other) => panic!("{other:?}"),
    }
}

async fn created(stage: &mut Stage) -> Create {
    let (conn, FromHost::Create(create)) = stage.engine.receive().await else { panic!("a show is made") };
    let code = create.code.clone().unwrap_or(ShowCode::parse("QUIZ42").unwrap());
    stage.engine.answer(conn, ToHost::Created(Created { id: create.id.clone(), show: SHOW, code }));
    *create
}

fn line(code: &str, phase: Phase) -> ShowLine {
    ShowLine { show: SHOW, code: ShowCode::parse(code).unwrap(), title: "Sums".into(), phase, joined: 7 }
}

async fn listed(stage: &mut Stage, shows: Vec<ShowLine>) {
    let (conn, FromHost::Shows) = stage.engine.receive().await else { panic!("shows are listed") };
    stage.engine.answer(conn, ToHost::Shows(Shows { shows }));
}

fn phase(phase: Phase) -> ToGateway {
    ToGateway::Figures(Box::new(Figures { phase, ..figures() }))
}

#[tokio::test]
async fn a_script_makes_a_show_and_plays_it() {
    let mut stage = Stage::open().await;
    let flags = ["--pack", "sums.toml", "--code", "sums", "--mode", "points", "--open-for", "5s", "--pot", "1000"];
    let script = ["open", "next", "wait closed", "reveal", "find an", "journal 2", "end", "wait ended"];
    let console = Console::start(&stage, &flags, &script);

    let create = created(&mut stage).await;
    assert_eq!(create.code, Some(ShowCode::parse("SUMS").unwrap()));
    assert_eq!(create.pack, pack());
    let settings = create.settings;
    assert_eq!((settings.mode, settings.open_for, settings.pot), (Mode::Points, Span(5000), 1000));
    assert_eq!(settings.prize, PrizeRule::Podium { weights: vec![50, 30, 20] });

    let mut ids = vec![obey(&mut stage).await.1];
    stage.engine.event(ToPlayer::Opened(Mark { seq: Seq(1), at: Millis(1) }));
    ids.push(obey(&mut stage).await.1);
    let text = "2 + 2?\u{1b}[2J".into();
    stage.engine.event(ToPlayer::Question(Question { text, total: 1, ..klaxon_fixtures::question(2, 1) }));
    stage.engine.send(phase(Phase::Question));
    stage.engine.send(phase(Phase::Closing));
    stage.engine.send(phase(Phase::Closed));
    ids.push(obey(&mut stage).await.1);
    let reveal = Reveal { counts: vec![9, 1], alive: 10, ..klaxon_fixtures::reveal(4, 1) };
    stage.engine.event(ToPlayer::Reveal(reveal));
    let (conn, FromHost::FindPlayers(find)) = stage.engine.receive().await else { panic!("somebody is looked for") };
    stage.engine.answer(conn, ToHost::Players(Players { show: find.show, players: Vec::new() }));
    let (conn, FromHost::JournalTail(tail)) = stage.engine.receive().await else { panic!("the journal is asked for") };
    assert_eq!(tail, JournalTail { show: SHOW, last: 2 });
    let lines = vec!["3 question".into(), "4 reveal".into()];
    stage.engine.answer(conn, ToHost::Journal(JournalLines { show: SHOW, lines }));
    ids.push(obey(&mut stage).await.1);
    stage.engine.event(ToPlayer::End(Mark { seq: Seq(5), at: Millis(6000) }));

    let (refusals, written) = console.finish().await;
    assert_eq!(refusals, 0);
    let actions: Vec<&Action> = ids.iter().map(|command| &command.action).collect();
    assert_eq!(actions, [&Action::OpenLobby, &Action::Next, &Action::Reveal, &Action::End { pay: true }]);
    let mut names: Vec<&str> = ids.iter().map(|command| command.id.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), ids.len(), "every command has an id of its own");
    for expected in [
        &format!("show SUMS ({SHOW}): Sums")[..],
        "ok: open: done",
        "event: the lobby is open",
        "event: question 1 of 1: 2 + 2?\\u{1b}[2J A) 4 B) 5",
        "state: closed, question 3 of 12, 1000 joined, 998 connected, 640 in play, answers 100 50 300",
        "event: question 1: A is right, 9 of 10 answers; 0 silent, 10 in play",
        "found: nobody is called like that",
        "found: 4 reveal",
        "event: the show is over",
    ] {
        assert!(written.lines().any(|line| line == expected), "{expected:?} is missing in\n{written}");
    }
}

#[tokio::test]
async fn a_script_makes_a_show_of_a_file_and_plays_its_parts() {
    let mut stage = Stage::open().await;
    let script = ["open", "points 3 -50", "near", "judge right", "skip", "quit"];
    let console = Console::start(&stage, &["--show", "evening.toml", "--code", "tonight"], &script);
    let (conn, FromHost::CreateGame(create)) = stage.engine.receive().await else { panic!("a show is made") };
    assert_eq!((create.code.clone(), create.title.as_str()), (ShowCode::parse("TONIGHT").ok(), "An evening"));
    assert_eq!(create.setup.0["parts"][0]["text"], "evening.toml");
    let code = create.code.unwrap();
    stage.engine.answer(conn, ToHost::Created(Created { id: create.id, show: SHOW, code }));
    obey(&mut stage).await;
    let body = |json| Body::of(&json);
    let event = |json| {
        ToPlayer::GameEvent(GameEvent {
            seq: Seq(1),
            at: Millis(1),
            phase: Phase::Lobby,
            round: None,
            body: body(json),
        })
    };
    stage.engine.event(event(serde_json::json!({ "event": "break", "part": 0, "text": "Tea!\u{1b}[2J", "for": 1 })));
    stage.engine.event(event(serde_json::json!({ "event": "of another game", "part": 0 })));
    let mut played = Vec::new();
    for _ in 0..3 {
        match obey(&mut stage).await.1.action {
            Action::Play { body } => played.push(body),
            other => panic!("{other:?}"),
        }
    }
    let expected = [
        serde_json::json!({ "points": { "seat": 3, "by": -50 } }),
        serde_json::json!({ "judge": "right" }),
        serde_json::json!({ "skip": true }),
    ];
    assert_eq!(played, expected.map(body));
    let (refusals, written) = console.finish().await;
    assert_eq!(refusals, 0);
    for expected in [
        "event: [0] break: Tea!\\u{1b}[2J",
        "event: {\"event\":\"of another game\",\"part\":0}",
        "found: no bingo is played, or it began before this console came: nobody is near a prize",
        "ok: points: done",
        "ok: skip: done",
    ] {
        assert!(written.lines().any(|line| line == expected), "{expected:?} is missing in\n{written}");
    }
}

#[tokio::test]
async fn a_refusal_is_printed_with_advice_and_counted() {
    let mut stage = Stage::open().await;
    let console = Console::start(&stage, &[], &["reveal", "nonsense", "quit"]);
    listed(&mut stage, vec![line("OLD1", Phase::Ended), line("NEW1", Phase::Lobby)]).await;
    let (conn, FromHost::Command(command)) = stage.engine.receive().await else { panic!("a command") };
    stage.engine.answer(conn, ToHost::Refused(Refused { id: command.id, error: ErrorCode::WrongPhase.into() }));
    let (refusals, written) = console.finish().await;
    assert_eq!(refusals, 2);
    assert!(written.starts_with(&format!("show NEW1 ({SHOW}): Sums\n")), "{written}");
    let advice = ErrorCode::WrongPhase.advice();
    assert!(written.contains("refused: reveal refused (wrong_phase): ") && written.contains(advice), "{written}");
    assert!(written.contains("\"nonsense\" is no order"), "{written}");
}

#[tokio::test]
async fn which_show_must_be_clear() {
    let mut stage = Stage::open().await;
    let console = Console::start(&stage, &[], &[]);
    listed(&mut stage, vec![line("ONE1", Phase::Lobby), line("TWO2", Phase::Lobby)]).await;
    let message = console.fail().await;
    assert!(message.contains("--code") && message.contains("ONE1") && message.contains("TWO2"), "{message}");

    let console = Console::start(&stage, &["--code", "three"], &[]);
    listed(&mut stage, Vec::new()).await;
    assert!(console.fail().await.contains("there are no shows"));
}

#[tokio::test]
async fn a_command_without_an_answer_is_sent_again_under_the_same_id_after_the_connection_broke() {
    let mut stage = Stage::open().await;
    let address = stage.address();
    let console = Console::start(&stage, &[], &["next", "quit"]);
    listed(&mut stage, vec![line("QUIZ42", Phase::Lobby)]).await;
    let (_, first) = stage.engine.receive().await;
    stage.admin.stop().await;

    let mut stage = Stage::open_at(address).await;
    let (conn, again) = stage.engine.receive().await;
    assert_eq!(again, first);
    let FromHost::Command(command) = again else { panic!("a command") };
    stage.engine.answer(conn, ToHost::Done(Done { id: command.id, show: SHOW, again: true }));
    let (refusals, written) = console.finish().await;
    assert_eq!(refusals, 0);
    assert!(written.contains("connection: the connection is lost: shutting_down"), "{written}");
    assert!(written.contains("connection: the connection is back"), "{written}");
    assert!(written.contains("ok: next: done"), "{written}");
}

#[tokio::test]
async fn a_host_goes_on_at_another_gateway_when_its_own_stops() {
    let (mut first, mut second) = (Stage::open().await, Stage::open().await);
    let gone = Stage::open().await;
    let nobody = gone.address();
    gone.admin.stop().await;
    // The first that answers is taken, and after it those behind it.
    let admin = format!("{nobody},{},{}", first.address(), second.address());
    let console = Console::start_at(&admin, &[], &["next", "reveal", "quit"]);
    listed(&mut first, vec![line("QUIZ42", Phase::Lobby)]).await;
    obey(&mut first).await;
    let (_, unanswered) = first.engine.receive().await;
    first.admin.stop().await;

    let (conn, again) = second.engine.receive().await;
    assert_eq!(again, unanswered);
    assert!(second.hosts.watched().contains(&SHOW), "it is watched there before it is commanded");
    let FromHost::Command(command) = again else { panic!("a command") };
    second.engine.answer(conn, ToHost::Done(Done { id: command.id, show: SHOW, again: false }));
    let address = second.address();
    let (refusals, written) = console.finish().await;
    assert_eq!(refusals, 0);
    assert!(written.contains(&format!("connection: the connection is back, with {address}\n")), "{written}");
    assert!(written.contains("ok: reveal: done"), "{written}");
}

#[tokio::test]
async fn what_is_wrong_with_each_gateway_is_shown_when_none_can_be_used() {
    let (one, two) = (Stage::open().await, Stage::open().await);
    let (one_at, two_at) = (one.address(), two.address());
    one.admin.stop().await;
    two.admin.stop().await;
    let message = Console::start_at(&format!("{one_at},{two_at}"), &[], &[]).fail().await;
    assert!(message.contains(&format!("can't reach {one_at}")), "{message}");
    assert!(message.contains(&format!("can't reach {two_at}")), "{message}");
}

#[tokio::test]
async fn a_wrong_token_or_address_is_reported_at_once() {
    let stage = Stage::open().await;
    let dir = tempfile::tempdir().unwrap();
    let token_file = dir.path().join("admin.token");
    let mut open = std::fs::OpenOptions::new();
    let mut file = open.write(true).create_new(true).mode(0o600).open(&token_file).unwrap();
    writeln!(file, "{}", "wrong".repeat(8)).unwrap();
    let address = stage.address().to_string();
    let run = async |options: HostOptions| {
        let (_send, lines) = mpsc::channel(1);
        console::run_script(&options, READERS, lines, &mut Output::default()).await.unwrap_err().to_string()
    };
    let message = run(options(&address, &token_file, &[])).await;
    assert!(message.contains(ErrorCode::Unauthorized.advice()), "{message}");

    stage.admin.stop().await;
    let message = run(options(&address, &token_file, &[])).await;
    assert!(message.contains(&format!("can't reach {address}")), "{message}");
}
