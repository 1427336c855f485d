//! What a seat costs: `cargo bench -p klaxon-engine` seats a million players, counts their answers, reveals, and prints the medians and the
//! resident memory.

use std::time::{Duration, Instant};

use klaxon_engine::game::{Game, Games};
use klaxon_fixtures::{pack, settings, trivia_show};
use klaxon_protocol::apart::{Apart, Person};
use klaxon_protocol::games::trivia::{Choice, Mode, PrizeRule, QuestionId, Settings};
use klaxon_protocol::host::Action;
use klaxon_protocol::ids::{CommandId, Name, PlayerId, Seat};
use klaxon_protocol::journal::{Command, CountedAnswer};
use klaxon_protocol::time::{Millis, Span};

const PLAYERS: u32 = 1_000_000;
const ROUNDS: u16 = 15;
const BATCH: u32 = 512;

const MODES: [(&str, Mode); 3] = [("elimination", Mode::Elimination), ("points", Mode::Points), ("both", Mode::Both)];

/// Each mode is played in a process of its own, so that its memory is its own.
fn main() -> std::io::Result<()> {
    let asked = std::env::args().find_map(|argument| MODES.into_iter().find(|(name, _)| *name == argument));
    if let Some((name, mode)) = asked {
        print(name, &play(mode));
        return Ok(());
    }
    println!("{PLAYERS} seats, {ROUNDS} questions, answers in batches of {BATCH}, medians");
    for (name, _) in MODES {
        std::process::Command::new(std::env::current_exe()?).arg(name).status()?;
    }
    Ok(())
}

fn print(name: &str, measured: &Measured) {
    println!(
        "{name:<12} seating {:>5} ns/player   answers {:>4} ns each   reveal of all seats {:>6.1} ms   memory {:>3} bytes/player beside {} bytes of id and name",
        measured.seating.as_nanos() / u128::from(PLAYERS),
        measured.answers.as_nanos() / u128::from(PLAYERS),
        measured.reveal.as_secs_f64() * 1e3,
        measured.bytes_per_player,
        TEXT_BYTES,
    );
}

/// The ids are 16 letters and the names 8.
const TEXT_BYTES: usize = 24;

struct Measured {
    seating: Duration,
    answers: Duration,
    reveal: Duration,
    bytes_per_player: usize,
}

fn play(mode: Mode) -> Measured {
    let mut show = Show::new(mode);
    show.host(Action::OpenLobby);
    let resident = resident_bytes();
    let start = Instant::now();
    for player in 0..PLAYERS {
        let player_id = PlayerId::parse(&format!("{player:016x}")).expect("16 letters");
        let name = Name::parse(&format!("{player:08x}")).expect("8 letters");
        let who = Apart::known(Person { player: player_id, name });
        show.apply(&Command::Sit { seat: Seat(player), guest: false, who });
    }
    let seating = start.elapsed();
    let (mut answers, mut reveals) = (Vec::new(), Vec::new());
    for question in 1..=ROUNDS {
        show.host(Action::Next);
        answers.push(show.answer_all(QuestionId(question)));
        show.host(Action::Close);
        show.apply(&Command::Tally { round: QuestionId(question), silent: vec![] });
        let start = Instant::now();
        show.host(Action::Reveal);
        reveals.push(start.elapsed());
    }
    let bytes = resident_bytes().saturating_sub(resident) / PLAYERS as usize;
    Measured {
        seating,
        answers: median(answers),
        reveal: median(reveals),
        bytes_per_player: bytes.saturating_sub(TEXT_BYTES),
    }
}

struct Show {
    game: Box<dyn Game>,
    now: Millis,
    commands: u32,
}

impl Show {
    fn new(mode: Mode) -> Self {
        // With enough lives everybody stays: each reveal is one of all seats.
        let prize = PrizeRule::Podium { weights: vec![1] };
        let settings = Settings { mode, lives: 99, prize, ..settings(Settings::default().open_for) };
        let create = trivia_show(pack(ROUNDS.into(), ["a", "b", "c", "d"]), settings);
        let now = Millis(1_000_000);
        Self {
            game: Games::default()
                .begin(now, Command::begin(create).begun().expect("it begins a show"))
                .expect("a show that can be played"),
            now,
            commands: 0,
        }
    }

    fn apply(&mut self, command: &Command) {
        self.game.apply(self.now, command).expect("a step in its order");
    }

    fn host(&mut self, action: Action) {
        self.commands += 1;
        let id = CommandId::parse(&self.commands.to_string()).expect("short");
        self.apply(&Command::Host { id, action });
    }

    /// Everybody answers, three of four right, over five seconds.
    fn answer_all(&mut self, question: QuestionId) -> Duration {
        let start = Instant::now();
        for first in (0..PLAYERS).step_by(BATCH as usize) {
            let at = self.now + Span(first / (PLAYERS / 5_000));
            let seats = first..(first + BATCH).min(PLAYERS);
            let answers = seats.map(|seat| CountedAnswer {
                seat: Seat(seat),
                choice: Choice(u8::from((seat ^ u32::from(question.0)) % 4 == 0)),
                at,
            });
            self.apply(&Command::Answers { question, answers: answers.collect() });
            std::hint::black_box(self.game.state_hash());
        }
        start.elapsed()
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or(0) * 4096
}
