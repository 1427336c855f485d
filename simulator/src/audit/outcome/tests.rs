use klaxon_protocol::ids::{CommandId, Fence, Seq, ShowCode, ShowId};
use klaxon_protocol::journal::{CreateShow, MAGIC, frame_record};
use klaxon_protocol::player::{Close, Mark, Question, Resume, Reveal, Void};
use klaxon_protocol::settings::{Mode, PrizeRule};

use super::*;
use crate::pack::arithmetic;

const RIGHT: Choice = Choice(1);
const WRONG: Choice = Choice(0);

/// Writes a journal.
struct Writer {
    bytes: Vec<u8>,
    number: u64,
    now: u64,
    question: u16,
}

impl Writer {
    fn new(settings: Settings, players: u32) -> Self {
        let mut writer = Self { bytes: MAGIC.to_vec(), number: 0, now: 1_000, question: 0 };
        let id = CommandId::parse("c").unwrap();
        let code = ShowCode::parse("SUMS1").unwrap();
        let create = CreateShow { id, code, seed: 1, pack: arithmetic(1, 5), settings };
        writer.write(Command::begin(create), vec![]);
        for seat in 0..players {
            let player = PlayerId::parse(&format!("p{seat}")).unwrap();
            let name = Name::parse(&format!("Player {seat}")).unwrap();
            writer.write(Command::Join { player, name, role: Role::Player }, vec![]);
        }
        writer
    }

    fn write(&mut self, command: Command, events: Vec<ToPlayer>) {
        let (number, at) = (self.number, Millis(self.now));
        let record = Record { show: ShowId(1), number, fence: Fence(1), at, command, events, state: 0 };
        frame_record(&record, &mut self.bytes).unwrap();
        self.number += 1;
    }

    fn ask(&mut self) {
        self.question += 1;
        let question = Question {
            seq: Seq(0),
            at: Millis(self.now),
            question: QuestionId(self.question),
            total: 5,
            text: "?".into(),
            choices: vec!["a".into(), "b".into()],
            category: None,
            opens_at: Millis(self.now),
            closes_at: Millis(self.now + 1000),
        };
        self.write(Command::Tick, vec![ToPlayer::Question(question)]);
    }

    /// Answers of these seats, each after so many milliseconds.
    fn answer(&mut self, answers: &[(u32, Choice, u64)]) {
        let answer = |&(seat, choice, after)| CountedAnswer { seat: Seat(seat), choice, at: Millis(self.now + after) };
        let answers = answers.iter().map(answer).collect();
        self.write(Command::Answers { question: QuestionId(self.question), answers }, vec![]);
    }

    fn reveal(&mut self) {
        self.now += 1500;
        let question = QuestionId(self.question);
        let close = Close { seq: Seq(0), at: Millis(self.now), question };
        let reveal =
            Reveal { seq: Seq(0), at: Millis(self.now), question, right: RIGHT, counts: vec![], silent: 0, alive: 0 };
        self.write(Command::Tick, vec![ToPlayer::Close(close), ToPlayer::Reveal(reveal)]);
    }

    fn void(&mut self) {
        let (at, question) = (Millis(self.now), QuestionId(self.question));
        let void = Void { seq: Seq(0), at, question, reason: "r".into(), alive: 0 };
        self.write(Command::Outage { question, late: Span(1) }, vec![ToPlayer::Void(void)]);
    }

    fn end(mut self, pay: bool) -> Outcome {
        let podium = Podium {
            seq: Seq(0),
            at: Millis(self.now),
            winners: 0,
            places: vec![],
            pot: 0,
            paid: 0,
            rolled_over: 0,
            currency: "EUR".into(),
        };
        let end = Mark { seq: Seq(0), at: Millis(self.now) };
        let id = CommandId::parse("e").unwrap();
        let events = vec![ToPlayer::Podium(podium), ToPlayer::End(end)];
        self.write(Command::Host { id, action: Action::End { pay } }, events);
        Outcome::of(&self.bytes).unwrap()
    }
}

fn elimination(lives: u8) -> Settings {
    Settings { mode: Mode::Elimination, prize: PrizeRule::Split, lives, pot: 101, ..Settings::default() }
}

fn places(outcome: &Outcome) -> Vec<(u32, u64)> {
    outcome.players.iter().map(|player| (player.place, player.prize)).collect()
}

#[test]
fn survivors_share_the_pot_faster_ones_first() {
    let mut writer = Writer::new(elimination(0), 4);
    writer.ask();
    writer.answer(&[(0, RIGHT, 500), (1, RIGHT, 100), (2, WRONG, 50)]);
    writer.reveal();
    let outcome = writer.end(true);
    assert_eq!(places(&outcome), [(2, 50), (1, 51), (3, 0), (3, 0)]);
    assert_eq!(outcome.answers.len(), 3);
    let alive: Vec<bool> = outcome.players.iter().map(|player| player.alive).collect();
    assert_eq!(alive, [true, true, false, false]);
}

#[test]
fn a_life_goes_before_the_player_and_a_void_gives_everything_back() {
    let mut writer = Writer::new(elimination(1), 2);
    writer.ask();
    writer.answer(&[(0, RIGHT, 5), (1, WRONG, 5)]);
    writer.reveal();
    writer.ask();
    writer.answer(&[(0, WRONG, 5)]);
    writer.reveal();
    writer.void();
    let outcome = writer.end(true);
    let lives: Vec<(bool, u8, u32)> =
        outcome.players.iter().map(|player| (player.alive, player.lives, player.right_answers)).collect();
    assert_eq!(lives, [(true, 1, 1), (true, 0, 0)]);
    // No time for right answers is less than any.
    assert_eq!(places(&outcome), [(2, 50), (1, 51)]);
}

#[test]
fn a_question_voided_before_its_reveal_puts_nobody_out() {
    let mut writer = Writer::new(elimination(0), 2);
    writer.ask();
    writer.answer(&[(0, RIGHT, 5)]);
    writer.void();
    let outcome = writer.end(true);
    assert!(outcome.players.iter().all(|player| player.alive && player.place == 1));
    assert_eq!(outcome.answers.len(), 1, "it was counted all the same");
}

#[test]
fn the_last_to_leave_win_if_the_host_wished_so_and_nobody_without_pay() {
    let play = |nobody_left, pay| {
        let mut writer = Writer::new(Settings { nobody_left, ..elimination(0) }, 3);
        writer.ask();
        writer.answer(&[(0, RIGHT, 5), (1, RIGHT, 5)]);
        writer.reveal();
        writer.ask();
        writer.reveal();
        places(&writer.end(pay))
    };
    assert_eq!(play(NobodyLeft::LastStanding, true), [(1, 51), (1, 50), (3, 0)]);
    assert_eq!(play(NobodyLeft::Rollover, true), [(1, 0), (1, 0), (3, 0)]);
    assert_eq!(play(NobodyLeft::LastStanding, false), [(1, 0), (1, 0), (3, 0)]);
}

#[test]
fn points_are_for_speed_and_streaks_and_a_time_away_takes_none() {
    let settings = Settings {
        mode: Mode::Points,
        prize: PrizeRule::Podium { weights: vec![2, 1] },
        pot: 300,
        ..Settings::default()
    };
    let mut writer = Writer::new(settings, 3);
    writer.ask();
    writer.answer(&[(0, RIGHT, 0), (1, RIGHT, 500)]);
    writer.reveal();
    writer.ask();
    let opened = writer.now;
    // The last step was 199 ms after the opening, and its moment counts; open again for 800 ms.
    writer.now = opened + 5_000;
    let resume = Resume {
        seq: Seq(0),
        at: Millis(writer.now),
        question: Some(QuestionId(2)),
        opens_at: Some(Millis(opened + 8_000)),
        closes_at: Some(Millis(opened + 8_800)),
    };
    writer.write(Command::Recovered { away: Span(4_801) }, vec![ToPlayer::Resume(resume)]);
    writer.now = opened + 8_000;
    writer.answer(&[(0, RIGHT, 300)]);
    writer.reveal();
    let outcome = writer.end(true);
    let scores: Vec<u32> = outcome.players.iter().map(|player| player.score).collect();
    assert_eq!(scores, [1000 + 750 + 100, 750, 0]);
    assert_eq!(places(&outcome), [(1, 200), (2, 100), (3, 0)]);
}
