//! Commands, times and journals that no show of ours would make: they are refused or do nothing, and nothing panics.

use std::ops::RangeInclusive;

use klaxon_protocol::claim::{Claim, ClaimText, ClaimValue};
use klaxon_protocol::games::trivia::{
    Autopilot, Choice, LARGEST_POT, MOST_LIVES, Mode, NobodyLeft, PODIUM_PLACES, PrizeRule, QuestionId, Settings,
    TriviaShow,
};
use klaxon_protocol::host::Action;
use klaxon_protocol::ids::{
    ClaimKey, CommandId, Fence, GatewayId, Generation, Name, PlayerId, Seat, SeatRef, Seq, ShowCode, ShowId,
};
use klaxon_protocol::journal::{Command, CountedAnswer, MAGIC, Record, RulesVersion, frame_record};
use klaxon_protocol::origin::Origin;
use klaxon_protocol::player::{Mark, Role, ToPlayer};
use klaxon_protocol::time::{Millis, Span};
use proptest::prelude::*;

use super::super::Trivia;
use super::play::{pack, settings};
use crate::game::{Game, Games};
use crate::replay::{ReplayError, events, replay};

const SHOW: ShowId = ShowId(9);
const START: u64 = 1_000_000;

/// Mostly a plausible number, now and then any.
fn often<T: Arbitrary + Clone + PartialOrd + 'static>(plausible: RangeInclusive<T>) -> BoxedStrategy<T>
where
    RangeInclusive<T>: Strategy<Value = T>,
{
    prop_oneof![9 => plausible, 1 => any::<T>()].boxed()
}

/// Settings at the ends of what is allowed.
fn settings_at_the_ends() -> impl Strategy<Value = Settings> {
    let weights = prop_oneof![Just(vec![1_000_000; *PODIUM_PLACES.end()]), Just(vec![1_000_000, 1]), Just(vec![1])];
    let prize = weights.prop_map(|weights| PrizeRule::Podium { weights });
    let mode = prop_oneof![Just(Mode::Elimination), Just(Mode::Points), Just(Mode::Both)];
    let lives = prop_oneof![Just(0), Just(MOST_LIVES)];
    let span = |most| prop_oneof![Just(Span(0)), Just(Span(most))];
    (mode, lives, prize, any::<bool>(), 1u32..20, span(60_000), span(3_600_000)).prop_map(
        |(mode, lives, prize, on, seats, lead, step)| Settings {
            mode,
            lives,
            prize,
            seats,
            lead,
            pot: LARGEST_POT,
            speed_points: on,
            nobody_left: NobodyLeft::LastStanding,
            autopilot: Autopilot { on, lobby: step, suspense: step, pause: step },
            ..settings()
        },
    )
}

fn any_action() -> impl Strategy<Value = Action> {
    let seat = || often(0..=21u32).prop_map(Seat);
    prop_oneof![
        3 => Just(Action::OpenLobby),
        6 => Just(Action::Next),
        2 => Just(Action::Close),
        4 => Just(Action::Reveal),
        2 => ".{0,3}".prop_map(|reason| Action::Void { reason }),
        1 => often(-5_000..=5_000).prop_map(|by| Action::AdjustTime { by }),
        1 => Just(Action::Pause),
        1 => Just(Action::Resume),
        1 => ".{0,3}".prop_map(|text| Action::Message { text }),
        1 => (seat(), any::<bool>()).prop_map(|(seat, ban)| Action::Remove { seat, ban }),
        1 => (seat(), any::<bool>()).prop_map(|(seat, shared)| Action::BanAddress { seat, shared }),
        1 => Just(Action::LiftAddressBans),
        1 => (proptest::option::of(seat()), any::<u8>()).prop_map(|(seat, lives)| Action::GiveLives { seat, lives }),
        1 => any::<bool>().prop_map(|pay| Action::End { pay }),
        1 => any::<bool>().prop_map(|on| Action::Autopilot { on }),
        1 => seat().prop_map(|seat| Action::ReissueToken { seat }),
        1 => often(0..=40u32).prop_map(|seats| Action::SetSeats { seats }),
        1 => any::<bool>().prop_map(|on| Action::LockLobby { on }),
        2 => seat().prop_map(|seat| Action::Restore { seat }),
    ]
}

fn any_command() -> impl Strategy<Value = Command> {
    let question = || often(1..=4u16).prop_map(QuestionId);
    let answer = (often(0..=21u32), often(0..=3u8), often(START..=START + 100_000))
        .prop_map(|(seat, choice, at)| CountedAnswer { seat: Seat(seat), choice: Choice(choice), at: Millis(at) });
    let id = |player: u32| {
        PlayerId::parse(&format!("{}{player}", if player.is_multiple_of(3) { "player " } else { PlayerId::GUEST }))
            .unwrap()
    };
    let reseat = (often(0..=21u32), 0..30u32).prop_map(move |(seat, player)| Command::Reseat {
        seat: Seat(seat),
        player: id(player),
        name: Name::parse(&format!("P{}", player % 20)).unwrap(),
    });
    let join = (0..30u32, any::<bool>()).prop_map(move |(player, plays)| Command::Join {
        player: id(player),
        name: Name::parse(&format!("P{}", player % 20)).unwrap(),
        role: if plays { Role::Player } else { Role::Spectator },
    });
    let host = (0..2_000u32, any_action())
        .prop_map(|(id, action)| Command::Host { id: CommandId::parse(&format!("c{id}")).unwrap(), action });
    prop_oneof![
        4 => join,
        2 => reseat,
        1 => often(0..=21u32).prop_map(|seat| Command::Reissue { seat: Seat(seat) }),
        4 => (question(), proptest::collection::vec(answer, 0..12))
            .prop_map(|(question, answers)| Command::Answers { question, answers }),
        12 => host,
        4 => Just(Command::Tick),
        4 => (question(), proptest::collection::vec(any::<u32>().prop_map(GatewayId), 0..2))
            .prop_map(|(question, silent)| Command::Tally { round: question, silent }),
        1 => (often(0..=21u32), 1..4u64)
            .prop_map(|(seat, hash)| Command::SeatOrigin { seat: Seat(seat), origin: Origin::of_hash(hash) }),
        1 => often(0..=60_000u32).prop_map(|away| Command::Recovered { away: Span(away) }),
        1 => (any::<bool>(), settings_at_the_ends()).prop_map(|(old, settings)| {
            match Command::begin(create(settings, 1)) {
                Command::Begin { show, .. } if old => Command::Create(show),
                begin => begin,
            }
        }),
    ]
}

/// Commands, each at a time that follows the one before, or at any.
fn any_story() -> impl Strategy<Value = Vec<(Millis, Command)>> {
    let step = prop_oneof![20 => (0u64..6_000).prop_map(Some), 1 => Just(None)];
    proptest::collection::vec((step, any::<u64>(), any_command()), 1..120).prop_map(|steps| {
        let mut now = START;
        let at = |(step, any, command): (Option<u64>, u64, Command)| match step {
            Some(step) => {
                now += step;
                (Millis(now), command)
            }
            None => (Millis(any), command),
        };
        steps.into_iter().map(at).collect()
    })
}

fn create(settings: Settings, questions: usize) -> TriviaShow {
    let (id, code) = (CommandId::parse("create").unwrap(), ShowCode::parse("TEST").unwrap());
    TriviaShow { id, code, seed: 7, pack: pack(questions), settings }
}

/// Asks the game everything that can be asked.
fn look_at_all(game: &Trivia, now: Millis) {
    for seat in [Some(Seat(0)), Some(Seat(20)), Some(Seat(u32::MAX)), None] {
        game.you(seat);
        let seat = seat.unwrap_or(Seat(1));
        game.people.roster.name(seat);
        game.people.roster.player(seat);
        for question in [QuestionId(0), QuestionId(1), QuestionId(u16::MAX)] {
            let by = SeatRef { seat, generation: Generation(u32::from(question.0)) };
            let text = ClaimValue::Text(ClaimText::parse("1").unwrap());
            for value in [ClaimValue::Bits(u64::MAX), ClaimValue::Bits(u64::from(u8::MAX)), text.clone()] {
                game.pre_check(by, &Claim { round: question, key: ClaimKey(u16::MAX), value }, now);
            }
        }
    }
    game.snapshot(now);
    game.figures(now);
    game.find("p", 50);
    game.results(SHOW);
    game.deadline();
}

/// The journal of a show of which these commands were asked; what is refused is not in it.
fn journal(settings: Settings, story: &[(Millis, Command)]) -> Vec<Record> {
    let show = create(settings, 4);
    let mut game = Trivia::create(Millis(START), RulesVersion::NEWEST, show.clone()).unwrap();
    let first = Command::begin(show);
    let record =
        |number, at, command, events, state| Record { show: SHOW, number, fence: Fence(1), at, command, events, state };
    let mut records = vec![record(0, Millis(START), first, vec![], game.state_hash())];
    let mut now = Millis(START);
    for (at, command) in story {
        now = now.max(*at);
        if let Ok(effects) = game.apply(now, command) {
            let events = events(&effects).cloned().collect();
            records.push(record(records.len() as u64, now, command.clone(), events, game.state_hash()));
        }
    }
    records
}

fn replayed(records: &[Record]) -> Result<u64, ReplayError> {
    let mut bytes = MAGIC.to_vec();
    records.iter().for_each(|record| frame_record(record, &mut bytes).unwrap());
    replay(&Games::default(), &bytes, |_, _| {}).map(|rebuilt| rebuilt.game.state_hash())
}

proptest! {
    #[test]
    fn no_command_at_any_time_makes_a_show_panic(settings in settings_at_the_ends(), story in any_story(), many: bool) {
        let questions = if many { 500 } else { 4 };
        let mut game = Trivia::create(Millis(START), RulesVersion::NEWEST, create(settings, questions)).unwrap();
        for (at, command) in story {
            let hash = game.state_hash();
            if game.apply(at, &command).is_err() {
                prop_assert_eq!(game.state_hash(), hash, "a refused command changes nothing");
            }
            look_at_all(&game, at);
        }
    }

    #[test]
    fn a_journal_gives_the_same_show_again(settings in settings_at_the_ends(), story in any_story()) {
        let records = journal(settings, &story);
        prop_assert_eq!(replayed(&records).unwrap(), records.last().unwrap().state);
    }

    #[test]
    fn a_journal_that_was_meddled_with_is_an_error_and_no_panic(
        settings in settings_at_the_ends(),
        story in any_story(),
        at in any::<prop::sample::Index>(),
        command in any_command(),
        how in 0..7,
        number: u64,
    ) {
        let mut records = journal(settings, &story);
        let at = at.index(records.len());
        // A journal may be of any show and begin under any lease.
        prop_assume!(at > 0 || !matches!(how, 2 | 3));
        let record = &mut records[at];
        match how {
            0 => record.number = record.number.wrapping_add(number | 1),
            1 => record.state ^= number | 1,
            2 => record.show = ShowId(SHOW.0 ^ (number | 1)),
            3 => record.fence = Fence(0),
            4 => record.at = Millis(number % START),
            5 => record.events.push(ToPlayer::End(Mark { seq: Seq(number), at: record.at })),
            _ => {
                record.command = command;
                // Whether it is seen depends on the command: it must not panic.
                let _ = replayed(&records);
                return Ok(());
            }
        }
        prop_assert!(replayed(&records).is_err(), "{how} at {at}");
    }
}
