//! Commands and times that no show of ours would make: they are refused or do nothing, nothing panics, and a journal of what was done gives
//! the same show again, whoever is forgotten.

use std::ops::RangeInclusive;

use klaxon_protocol::apart::{Apart, Person};
use klaxon_protocol::claim::{Claim, ClaimText, ClaimValue};
use klaxon_protocol::host::Action;
use klaxon_protocol::ids::{
    ClaimKey, CommandId, Fence, GatewayId, Generation, Name, PlayerId, RoundId, Seat, SeatRef, ShowId,
};
use klaxon_protocol::journal::{BegunGame, Command, CountedClaim, MAGIC, Record, RulesVersion, frame_record};
use klaxon_protocol::player::{Body, Role};
use klaxon_protocol::register::Register;
use klaxon_protocol::time::{Millis, Span};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::play::{START, TestRules, begun, setup, test_game};
use crate::game::{Effect, Game, GameRules, Games};
use crate::replay::{recorded_events, replay_with};

const SHOW: ShowId = ShowId(9);

/// Mostly a plausible number, now and then any.
fn often<T: Arbitrary + Clone + PartialOrd + 'static>(plausible: RangeInclusive<T>) -> BoxedStrategy<T>
where
    RangeInclusive<T>: Strategy<Value = T>,
{
    prop_oneof![9 => plausible, 1 => any::<T>()].boxed()
}

fn any_action() -> impl Strategy<Value = Action> {
    let seat = || often(0..=9u32).prop_map(Seat);
    let body = prop_oneof![
        Just(json!({ "sing": true })),
        Just(json!({ "skip": true })),
        (0..12u32, any::<i32>()).prop_map(|(seat, by)| json!({ "points": { "seat": seat, "by": by } })),
        (0..8u32, 0..4u16).prop_map(|(seat, rounds)| json!({ "suspend": { "seat": seat, "rounds": rounds } })),
        (0..8u32, 0..4u16).prop_map(|(seat, rounds)| json!({ "suspend": { "seat": seat, "rounds": rounds } })),
        (0..8u32, 90..310u16).prop_map(|(seat, percent)| json!({ "extra_time": { "seat": seat, "percent": percent } })),
        Just(json!({ "points": null, "skip": [[]] })),
        (often(0..=9u32), proptest::option::of(often(0..=3u16)))
            .prop_map(|(seat, team)| json!({ "team": { "seat": seat, "team": team } })),
        proptest::option::of(often(0..=3u16)).prop_map(|team| json!({ "player": { "team": team } })),
        Just(json!({})),
    ];
    prop_oneof![
        2 => Just(Action::OpenLobby),
        14 => Just(Action::Next),
        4 => Just(Action::Close),
        6 => Just(Action::Reveal),
        3 => "(No\\.|.{0,3})".prop_map(|reason| Action::Void { reason }),
        1 => often(-9_000..=5_000).prop_map(|by| Action::AdjustTime { by }),
        1 => Just(Action::Pause),
        2 => Just(Action::Resume),
        1 => ".{0,3}".prop_map(|text| Action::Message { text }),
        2 => (seat(), any::<bool>()).prop_map(|(seat, ban)| Action::Remove { seat, ban }),
        1 => (seat(), any::<bool>()).prop_map(|(seat, shared)| Action::BanAddress { seat, shared }),
        1 => Just(Action::LiftAddressBans),
        2 => (proptest::option::of(seat()), any::<u8>()).prop_map(|(seat, lives)| Action::GiveLives { seat, lives }),
        1 => any::<bool>().prop_map(|pay| Action::End { pay }),
        2 => any::<bool>().prop_map(|on| Action::Autopilot { on }),
        1 => seat().prop_map(|seat| Action::ReissueToken { seat }),
        1 => often(0..=40u32).prop_map(|seats| Action::SetSeats { seats }),
        1 => any::<bool>().prop_map(|on| Action::LockLobby { on }),
        3 => seat().prop_map(|seat| Action::Restore { seat }),
        2 => body.prop_map(|body| Action::Play { body: Body::of(&body) }),
    ]
}

fn any_command() -> impl Strategy<Value = Command> {
    let round = || often(0..=4u16).prop_map(RoundId);
    let value = prop_oneof![
        8 => (0..3u64).prop_map(ClaimValue::Bits),
        1 => Just(ClaimValue::Text(ClaimText::parse("heads").unwrap())),
    ];
    let times = START.0..=START.0 + 100_000;
    let key = prop_oneof![3 => Just(0u16), 1 => often(0..=2u16)];
    let claim = (often(0..=9u32), key, value, often(times)).prop_map(|(seat, key, value, at)| CountedClaim {
        seat: Seat(seat),
        key: ClaimKey(key),
        value,
        at: Millis(at),
    });
    let sit = (often(0..=9u32), 0..30u32, any::<bool>()).prop_map(|(seat, player, guest)| {
        let id = PlayerId::parse(&format!("{}{player}", if guest { PlayerId::GUEST } else { "player " })).unwrap();
        let person = Person { player: id, name: Name::parse(&format!("P{}", player % 20)).unwrap() };
        Command::Sit { seat: Seat(seat), guest, who: Apart::known(person) }
    });
    let host = (0..2_000u32, any_action())
        .prop_map(|(id, action)| Command::Host { id: CommandId::parse(&format!("c{id}")).unwrap(), action });
    prop_oneof![
        6 => sit,
        1 => often(0..=9u32).prop_map(|seat| Command::Reissue { seat: Seat(seat) }),
        6 => (round(), proptest::collection::vec(claim, 0..12))
            .prop_map(|(round, claims)| Command::Claims { round, claims }),
        30 => host,
        5 => Just(Command::Tick),
        8 => (round(), proptest::collection::vec(any::<u32>().prop_map(GatewayId), 0..2))
            .prop_map(|(round, silent)| Command::Tally { round, silent }),
        1 => round().prop_map(|round| Command::Outage { round, late: Span(900) }),
        1 => often(0..=9u32)
            .prop_map(|seat| Command::SeatHasOrigin { seat: Seat(seat), from: Apart::unknown() }),
        1 => often(0..=60_000u32).prop_map(|away| Command::Recovered { away: Span(away) }),
        1 => Just(Command::BeginGame { rules: RulesVersion(1), show: Box::new(begun(setup(&["Tea!"]), 3)) }),
        1 => Just(Command::Join {
            player: PlayerId::parse("p").unwrap(),
            name: Name::parse("P").unwrap(),
            role: Role::Player,
        }),
    ]
}

/// Commands, each at a time that follows the one before, or at any.
fn any_story() -> impl Strategy<Value = Vec<(Millis, Command)>> {
    let step = prop_oneof![20 => (0u64..6_000).prop_map(Some), 1 => Just(None)];
    proptest::collection::vec((step, any::<u64>(), any_command()), 1..160).prop_map(|steps| {
        let mut now = START.0;
        let at = |(step, any, command): (Option<u64>, u64, Command)| match step {
            Some(step) => {
                now += step;
                (Millis(now), command)
            }
            None => (Millis(any), command),
        };
        let player = |seat| {
            let person =
                Person { player: PlayerId::parse(&format!("player {seat}")).unwrap(), name: Name::of_nobody(seat) };
            Command::Sit { seat: Seat(u32::try_from(seat).unwrap()), guest: false, who: Apart::known(person) }
        };
        let open = Command::Host { id: CommandId::parse("open").unwrap(), action: Action::OpenLobby };
        let lobby = std::iter::once(open).chain((0..5).map(player)).map(|command| (START, command));
        lobby.chain(steps.into_iter().map(at)).collect()
    })
}

/// No teams, or some of each kind.
fn any_teams() -> impl Strategy<Value = Value> {
    let by = prop_oneof![Just("choice"), Just("even"), Just("host")];
    let score = prop_oneof![Just(json!("sum")), Just(json!("mean")), Just(json!({ "best": 2 }))];
    let teams = (by, score, proptest::option::of(2..5u32)).prop_map(|(by, score, largest)| {
        json!({ "by": by, "names": ["Reds", "Blues", "Greens"], "score": score, "largest": largest })
    });
    prop_oneof![1 => Just(Value::Null), 2 => teams]
}

fn show(script: bool, teams: &Value) -> BegunGame {
    let mut setup = setup(&["coins 2", "Tea!", "coins 3", "coins 1"]);
    setup["script"]["on"] = json!(script);
    setup["lives"] = json!(1);
    setup["parts"][2]["keep"] = json!({ "points": false, "out": false });
    setup["teams"] = teams.clone();
    begun(setup, 8)
}

fn begin(script: bool, teams: &Value) -> Box<dyn Game> {
    TestRules.begin(START, RulesVersion(1), &show(script, teams)).unwrap()
}

/// Asks the game everything that can be asked.
fn look_at_all(game: &dyn Game, now: Millis) {
    for seat in [Some(Seat(0)), Some(Seat(7)), Some(Seat(u32::MAX)), None] {
        game.own(seat);
        for round in [RoundId(0), RoundId(1), RoundId(u16::MAX)] {
            let by = SeatRef { seat: seat.unwrap_or(Seat(1)), generation: Generation(u32::from(round.0)) };
            for value in [ClaimValue::Bits(u64::MAX), ClaimValue::Bits(1)] {
                game.pre_check(by, &Claim { round, key: ClaimKey(u16::MAX), value }, now);
            }
        }
    }
    game.view(now);
    game.figures(now);
    game.find("p", 50);
    game.results(SHOW);
    game.deadline();
}

/// The journal of a show of which these commands were asked; what is refused is not in it.
fn journal(script: bool, teams: &Value, story: &[(Millis, Command)]) -> (Vec<Record>, Vec<Vec<Effect>>) {
    let mut game = begin(script, teams);
    let first = Command::BeginGame { rules: RulesVersion(1), show: Box::new(show(script, teams)) };
    let record =
        |number, at, command, events, state| Record { show: SHOW, number, fence: Fence(1), at, command, events, state };
    let mut records = vec![record(0, START, first, vec![], game.state_hash())];
    let (mut now, mut told) = (START, Vec::new());
    for (at, command) in story {
        now = now.max(*at);
        if let Ok(effects) = game.apply(now, command) {
            let events = recorded_events(&*game, &effects);
            records.push(record(records.len() as u64, now, command.clone(), events, game.state_hash()));
            told.push(effects);
        }
    }
    (records, told)
}

proptest! {
    #[test]
    fn no_command_at_any_time_makes_a_show_panic(script: bool, teams in any_teams(), story in any_story()) {
        let mut game = begin(script, &teams);
        for (at, command) in story {
            let hash = game.state_hash();
            if game.apply(at, &command).is_err() {
                prop_assert_eq!(game.state_hash(), hash, "a refused command changes nothing");
            }
            look_at_all(&*game, at);
        }
    }

    #[test]
    fn the_same_commands_give_the_same_effects_and_a_journal_the_same_show(script: bool, teams in any_teams(), story in any_story(), kept: u64) {
        let (records, told) = journal(script, &teams, &story);
        let (again, told_again) = journal(script, &teams, &story);
        prop_assert_eq!(&records, &again);
        prop_assert_eq!(told, told_again);
        let games = Games::default().with(test_game(), TestRules);
        for kept in [u64::MAX, kept, 0] {
            let (mut bytes, mut people) = (MAGIC.to_vec(), Register::default());
            for record in &records {
                frame_record(record, &mut bytes).unwrap();
                let known = record.apart().into_iter().filter(|person| kept >> (person.number % 64) & 1 == 1);
                known.for_each(|person| people.add(person));
            }
            let rebuilt = replay_with(&games, &bytes, people, |_, _| {}).unwrap();
            prop_assert_eq!(rebuilt.game.state_hash(), records.last().unwrap().state, "{:x}", kept);
        }
    }

    #[test]
    fn points_and_winnings_are_only_what_stands_in_the_ledger(script: bool, teams in any_teams(), story in any_story()) {
        let mut game = begin(script, &teams);
        let mut now = START;
        for (at, command) in story {
            now = now.max(at);
            let _ = game.apply(now, &command);
        }
        if let Some(results) = game.results(SHOW) {
            let prizes: u64 = results.players.iter().map(|player| player.prize).sum();
            prop_assert_eq!(prizes, results.summary.paid);
            prop_assert_eq!(results.summary.paid + results.summary.rolled_over, results.summary.pot);
        }
    }
}
