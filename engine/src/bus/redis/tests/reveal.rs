//! What a reveal's personal part costs on the bus.

use klaxon_fixtures::{pack, settings, trivia_show};
use klaxon_protocol::games::trivia::{Choice, Mode, PrizeRule, QuestionId, Settings};
use klaxon_protocol::host::Action;
use klaxon_protocol::ids::{CommandId, Name, PlayerId, Seat};
use klaxon_protocol::journal::{Command, CountedAnswer, RulesVersion};
use klaxon_protocol::link::{Broadcast, ToGateway};
use klaxon_protocol::player::{Role, ToPlayer};
use klaxon_protocol::time::{Millis, Span};
use redis::Value;

use super::fixture::Fixture;
use crate::bus::contract::{ANN, SHOW, play, publication, receive_some};
use crate::bus::redis::entry;
use crate::bus::{Address, EngineEnd};
use crate::game::{Effect, Game, Games};

const PLAYERS: u32 = 100_000;
const QUESTIONS: u16 = 6;

struct Played {
    game: Box<dyn Game>,
    now: Millis,
    commands: u32,
}

impl Played {
    fn lobby(settings: Settings) -> Self {
        let create = trivia_show(pack(QUESTIONS.into(), ["no", "yes", "perhaps"]), settings);
        let now = Millis(1_000_000);
        let mut played = Self {
            game: Games::default()
                .begin(now, Command::begin_by(RulesVersion::WITH_NAMES, create).begun().unwrap())
                .unwrap(),
            now,
            commands: 0,
        };
        played.host(Action::OpenLobby);
        for player in 0..PLAYERS {
            let name = played.game.people().roster.unused_name(Some(&Name::parse(&format!("P{player}")).unwrap()));
            let player = PlayerId::parse(&format!("player {player}")).unwrap();
            played.apply(Command::Join { player, name, role: Role::Player });
        }
        played
    }

    fn apply(&mut self, command: Command) -> Vec<Effect> {
        self.game.apply(self.now, &command).unwrap()
    }

    fn host(&mut self, action: Action) -> Vec<Effect> {
        self.commands += 1;
        let id = CommandId::parse(&self.commands.to_string()).unwrap();
        self.apply(Command::Host { id, action })
    }

    /// One question: of those in play 70 in 100 are right, 25 wrong, and the rest say nothing. The reveal.
    fn question(&mut self, question: QuestionId) -> Broadcast {
        self.host(Action::Next);
        self.now = self.now + Span(1);
        let opened = self.now;
        let answers = (0..PLAYERS).map(Seat).filter_map(|seat| {
            let luck =
                xxhash_rust::xxh3::xxh3_64(&[seat.0.to_le_bytes(), u32::from(question.0).to_le_bytes()].concat());
            let choice = match luck % 100 {
                0..70 => Choice(1),
                70..95 => Choice(0),
                _ => return None,
            };
            let is_in = matches!(self.game.own(Some(seat)), ToPlayer::You(you) if you.alive);
            is_in.then_some(CountedAnswer { seat, choice, at: opened + Span(luck as u32 / 256 % 9_000) })
        });
        let answers = answers.collect();
        self.now = self.now + Span(9_500);
        self.apply(Command::Answers { question, answers });
        self.host(Action::Close);
        self.apply(Command::Tally { round: question, silent: Vec::new() });
        let effects = self.host(Action::Reveal);
        let reveal = effects.into_iter().find_map(|effect| match effect {
            Effect::Tell(message @ ToPlayer::Reveal(_), personal) => Some(Broadcast { show: SHOW, message, personal }),
            _ => None,
        });
        reveal.expect("a reveal")
    }
}

/// The bytes per player of each question's reveal, as Redis has it.
async fn bytes_per_player(settings: Settings) -> Vec<f64> {
    let fixture = Fixture::start().await;
    let ann = fixture.gateway(ANN).await;
    play(&fixture, 1, &[&ann]).await;
    let mut played = Played::lobby(settings);
    let mut costs = Vec::new();
    for question in (1..=QUESTIONS).map(QuestionId) {
        let reveal = played.question(question);
        fixture.engine.publish(publication(vec![(Address::All, ToGateway::Broadcast(reveal.clone()))])).unwrap();
        let received = receive_some(&ann, 1).await;
        let [ToGateway::Broadcast(received)] = &received[..] else { panic!("{received:?}") };
        for seat in (0..PLAYERS).map(Seat) {
            let message = |event: &Broadcast| {
                let personal = event.personal.clone().unwrap();
                personal.shape_of(seat).map(|shape| personal.shapes[shape].clone())
            };
            assert_eq!(message(received), message(&reveal));
        }
        let mut last = redis::cmd("XREVRANGE");
        last.arg(fixture.redis.keys().events(SHOW)).arg("+").arg("-").arg("COUNT").arg(1);
        let entries = entry::entries(fixture.ask::<Value>(&last).await.unwrap());
        costs.push(entries[0].messages.len() as f64 / f64::from(PLAYERS));
    }
    costs
}

#[tokio::test]
async fn a_reveal_costs_half_a_byte_a_player_at_most() {
    let settings = settings(Span(10_000));
    for lives in [0, 2] {
        let costs = bytes_per_player(Settings { lives, ..settings.clone() }).await;
        println!("elimination, {lives} lives, {PLAYERS} players: {costs:.3?} bytes per player, by question");
        assert!(costs.iter().all(|&cost| cost <= 0.5), "{costs:?}");
    }
}

/// With points nearly everybody's result is another.
#[tokio::test]
async fn a_reveal_with_points_costs_eight_bytes_a_player_at_most() {
    for mode in [Mode::Points, Mode::Both] {
        let prize = PrizeRule::Podium { weights: vec![1] };
        let (lead, open_for) = (Span(0), Span(10_000));
        let settings = Settings { shuffle: false, lead, open_for, mode, prize, ..Settings::default() };
        let costs = bytes_per_player(settings).await;
        println!("{mode:?}, {PLAYERS} players: {costs:.3?} bytes per player, by question");
        assert!(costs.iter().all(|&cost| cost <= 8.0), "{costs:?}");
    }
}
