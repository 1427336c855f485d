use klaxon_protocol::games::trivia::{Mode, NobodyLeft, Pack, PackQuestion, PrizeRule, Settings};
use klaxon_protocol::host::Action;
use klaxon_protocol::ids::{CommandId, Fence, ShowId};
use klaxon_protocol::journal::{CountedAnswer, MAGIC, Record, frame_record};
use klaxon_protocol::player::Role;
use klaxon_protocol::time::Span;

use super::*;

/// Writes a journal of commands, without events. Questions open at once, for a second.
struct Writer {
    bytes: Vec<u8>,
    number: u64,
    now: u64,
    question: u16,
    rights: Vec<Choice>,
}

impl Writer {
    fn new(settings: Settings, players: u32) -> Self {
        let settings = Settings { open_for: Span(1000), lead: Span(0), shuffle: false, ..settings };
        let question =
            |number: u8| PackQuestion::new(format!("Question {number}?"), ["1", "2", "3", "4"], Choice(number % 4));
        let pack = Pack { title: "Five".into(), questions: (1..=5).map(question).collect() };
        let rights = pack.questions.iter().map(|question| question.right).collect();
        let mut writer = Self { bytes: MAGIC.to_vec(), number: 0, now: 1_000, question: 0, rights };
        writer.write(Command::begin(klaxon_fixtures::trivia_show(pack, settings)));
        writer.host(Action::OpenLobby);
        for seat in 0..players {
            let player = PlayerId::parse(&format!("p{seat}")).unwrap();
            let name = Name::parse(&format!("Player {seat}")).unwrap();
            writer.write(Command::Join { player, name, role: Role::Player });
        }
        writer
    }

    fn write(&mut self, command: Command) {
        let (number, at) = (self.number, Millis(self.now));
        let record = Record { show: ShowId(1), number, fence: Fence(1), at, command, events: vec![], state: 0 };
        frame_record(&record, &mut self.bytes).unwrap();
        self.number += 1;
    }

    fn host(&mut self, action: Action) {
        let id = CommandId::parse(&self.number.to_string()).unwrap();
        self.write(Command::Host { id, action });
    }

    fn ask(&mut self) {
        self.question += 1;
        self.host(Action::Next);
    }

    /// Answers of these seats: right or wrong, and after how many milliseconds.
    fn answer(&mut self, answers: &[(u32, bool, u64)]) {
        let right = self.rights[usize::from(self.question) - 1];
        let answer = |&(seat, is_right, after)| {
            let choice = if is_right { right } else { Choice((right.0 + 1) % 4) };
            CountedAnswer { seat: Seat(seat), choice, at: Millis(self.now + after) }
        };
        let answers = answers.iter().map(answer).collect();
        self.write(Command::Answers { question: QuestionId(self.question), answers });
    }

    fn close(&mut self) {
        self.now += 1500;
        self.write(Command::Tick);
    }

    fn reveal(&mut self) {
        self.close();
        self.write(Command::Tally { round: QuestionId(self.question), silent: vec![] });
        self.host(Action::Reveal);
    }

    fn end(mut self, pay: bool) -> Outcome {
        self.host(Action::End { pay });
        Outcome::of(&self.bytes, &[]).unwrap()
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
    writer.answer(&[(0, true, 500), (1, true, 100), (2, false, 50)]);
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
    writer.answer(&[(0, true, 5), (1, false, 5)]);
    writer.reveal();
    writer.ask();
    writer.answer(&[(0, false, 5)]);
    writer.reveal();
    writer.host(Action::Void { reason: "r".into() });
    let outcome = writer.end(true);
    let lives: Vec<(bool, u8, u32)> =
        outcome.players.iter().map(|player| (player.alive, player.lives, player.right_answers)).collect();
    assert_eq!(lives, [(true, 1, 1), (true, 0, 0)]);
    // A player without right answers has the shortest time.
    assert_eq!(places(&outcome), [(2, 50), (1, 51)]);
}

#[test]
fn a_question_void_by_an_outage_puts_nobody_out() {
    let mut writer = Writer::new(elimination(0), 2);
    writer.ask();
    writer.answer(&[(0, true, 5)]);
    writer.close();
    writer.write(Command::Outage { round: QuestionId(1), late: Span(1) });
    let outcome = writer.end(true);
    assert!(outcome.players.iter().all(|player| player.alive && player.place == 1));
    assert_eq!(outcome.answers.len(), 1, "it was counted all the same");
}

#[test]
fn the_last_to_leave_win_if_the_host_wished_so_and_nobody_without_pay() {
    let play = |nobody_left, pay| {
        let mut writer = Writer::new(Settings { nobody_left, ..elimination(0) }, 3);
        writer.ask();
        writer.answer(&[(0, true, 5), (1, true, 5)]);
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
fn a_show_that_does_not_pay_for_speed_pays_for_right_answers_and_streaks() {
    let play = |speed_points| {
        let prize = PrizeRule::Podium { weights: vec![2, 1] };
        let settings = Settings { mode: Mode::Points, prize, pot: 300, speed_points, ..Settings::default() };
        let mut writer = Writer::new(settings, 2);
        for delay in [0, 500] {
            writer.ask();
            writer.answer(&[(0, true, 999 - delay), (1, true, delay)]);
            writer.reveal();
        }
        let outcome = writer.end(true);
        let scores: Vec<u32> = outcome.players.iter().map(|player| player.score).collect();
        (scores, places(&outcome))
    };
    assert_eq!(play(false), (vec![2100, 2100], vec![(2, 100), (1, 200)]), "the time breaks ties");
    assert_eq!(play(true).0, [500 + 750 + 100, 1000 + 750 + 100]);
}

#[test]
fn a_show_that_does_not_pay_for_streaks_pays_for_speed_alone() {
    let prize = PrizeRule::Podium { weights: vec![1] };
    let mut writer =
        Writer::new(Settings { mode: Mode::Points, prize, streak_points: false, ..Settings::default() }, 1);
    for delay in [0, 500, 999] {
        writer.ask();
        writer.answer(&[(0, true, delay)]);
        writer.reveal();
    }
    assert_eq!(writer.end(true).players[0].score, 1000 + 750 + 500);
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
    writer.answer(&[(0, true, 0), (1, true, 500)]);
    writer.reveal();
    writer.ask();
    // The last step was 199 ms after the opening, and that millisecond still counts. The question opens again 3 s after
    // the engine is back, for at least 3 s.
    writer.now += 5_000;
    writer.write(Command::Recovered { away: Span(4_801) });
    writer.now += 3_000;
    writer.answer(&[(0, true, 300)]);
    writer.now += 3_000;
    writer.reveal();
    let outcome = writer.end(true);
    let scores: Vec<u32> = outcome.players.iter().map(|player| player.score).collect();
    assert_eq!(scores, [1000 + 750 + 100, 750, 0]);
    assert_eq!(places(&outcome), [(1, 200), (2, 100), (3, 0)]);
}
