use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::games::trivia::{Autopilot, Mode, NobodyLeft, PrizeRule, Settings, You};
use klaxon_protocol::host::Action;
use klaxon_protocol::ids::{Name, PlayerId, Seat};
use klaxon_protocol::journal::Command;
use klaxon_protocol::player::{Phase, Role};
use klaxon_protocol::time::Span;
use proptest::prelude::*;

use super::play::{Play, RIGHT, settings};
use crate::game::{Entry, Game};

const PLAYERS: u32 = 12;

fn any_settings() -> impl Strategy<Value = Settings> {
    let weights = proptest::collection::vec(1u32..100, 1..6).prop_map(|mut weights| {
        weights.sort_unstable_by(|a, b| b.cmp(a));
        PrizeRule::Podium { weights }
    });
    let mode = prop_oneof![Just(Mode::Elimination), Just(Mode::Points), Just(Mode::Both)];
    (mode, 0u8..3, 0u64..10_000, any::<[bool; 4]>(), weights).prop_map(
        |(mode, lives, pot, [rollover, split, speed_points, streak_points], podium)| Settings {
            mode,
            lives,
            pot,
            speed_points,
            streak_points,
            nobody_left: if rollover { NobodyLeft::Rollover } else { NobodyLeft::LastStanding },
            prize: if split && mode.eliminates() { PrizeRule::Split } else { podium },
            ..settings()
        },
    )
}

/// What each seat does with a question: nothing, or a choice after some time.
fn any_round() -> impl Strategy<Value = Vec<Option<(u8, u32)>>> {
    proptest::collection::vec(proptest::option::weighted(0.9, (0u8..3, 0u32..10_000)), PLAYERS as usize)
}

fn play_round(play: &mut Play, round: &[Option<(u8, u32)>]) {
    play.ask();
    let start = play.now;
    let mut answers: Vec<(u32, u32, u8)> =
        (0..).zip(round).filter_map(|(seat, answer)| answer.map(|(choice, after)| (after, seat, choice))).collect();
    answers.sort_unstable();
    for (after, seat, choice) in answers {
        play.now = start + Span(after);
        play.answer(seat, choice);
    }
    play.now = start + Span(9_999);
    play.wait(1);
    play.host(Action::Reveal);
}

fn all_you(play: &Play) -> Vec<(bool, u8, u32, u32)> {
    let own = |you: You| (you.alive, you.lives, you.score, you.rank);
    (0..PLAYERS).map(|seat| own(play.game.you(Some(Seat(seat))))).collect()
}

proptest! {
    #[test]
    fn prizes_and_what_rolls_over_are_the_pot_and_nobody_eliminated_is_paid(
        settings in any_settings(),
        rounds in proptest::collection::vec(any_round(), 1..5),
        pay: bool,
    ) {
        let mut play = Play::new(settings.clone(), rounds.len(), PLAYERS);
        for round in &rounds {
            if play.try_host(Action::Message { text: "Next!".into() }).is_ok() && (!settings.mode.eliminates() || !play.alive().is_empty()) {
                play_round(&mut play, round);
            }
        }
        let alive = play.alive();
        play.host(Action::End { pay });
        let (podium, prizes) = (play.podium(), play.prizes());
        prop_assert_eq!(prizes.iter().sum::<u64>(), podium.paid);
        prop_assert_eq!(podium.paid + podium.rolled_over, settings.pot);
        prop_assert!(pay || podium.paid == 0);
        if !alive.is_empty() {
            for (seat, prize) in (0..).zip(&prizes) {
                prop_assert!(*prize == 0 || alive.contains(&seat), "seat {} is out and won {}", seat, prize);
            }
            prop_assert!(!pay || settings.mode == Mode::Points || podium.rolled_over == 0);
        }
    }

    #[test]
    fn a_void_restores_what_was(settings in any_settings(), first in any_round(), second in any_round(), revealed: bool) {
        let mut play = Play::new(settings, 3, PLAYERS);
        play_round(&mut play, &first);
        let before = all_you(&play);
        if play.try_host(Action::Next).is_err() {
            return Ok(());
        }
        for (seat, answer) in (0..).zip(&second) {
            if let Some((choice, _)) = answer { play.answer(seat, *choice); }
        }
        if revealed { play.close_and_reveal() }
        play.host(Action::Void { reason: "A typo.".into() });
        prop_assert_eq!(all_you(&play), before);
    }

    #[test]
    fn the_order_of_answers_never_changes_who_survives(settings in any_settings(), round in any_round(), order in Just((0..PLAYERS).collect::<Vec<_>>()).prop_shuffle()) {
        let mut sorted = Play::new(settings.clone(), 1, PLAYERS);
        play_round(&mut sorted, &round);
        let mut shuffled = Play::new(settings, 1, PLAYERS);
        shuffled.ask();
        let start = shuffled.now;
        for seat in order {
            if let Some((choice, after)) = round[seat as usize] {
                shuffled.now = start + Span(after);
                shuffled.answer(seat, choice);
            }
        }
        shuffled.now = start;
        shuffled.wait(10_000);
        shuffled.host(Action::Reveal);
        prop_assert_eq!(all_you(&sorted), all_you(&shuffled));
        prop_assert_eq!(sorted.game.state_hash(), shuffled.game.state_hash());
    }

    #[test]
    fn who_answered_right_in_time_is_never_taken_out(settings in any_settings(), round in any_round()) {
        let mut play = Play::new(settings, 1, PLAYERS);
        play_round(&mut play, &round);
        for (seat, answer) in (0..).zip(&round) {
            if answer.is_some_and(|(choice, _)| choice == RIGHT) {
                prop_assert!(play.alive().contains(&seat));
            }
        }
    }

    #[test]
    fn whoever_comes_and_goes_everybody_has_one_seat_and_a_seat_has_one_player(
        story in proptest::collection::vec((any_action(), 0u32..3_000, any_arrival()), 1..80),
        mode in prop_oneof![Just(Mode::Elimination), Just(Mode::Points)],
    ) {
        let settings = Settings { mode, seats: 4, prize: PrizeRule::usual(mode), ..settings() };
        let mut play = Play::new(settings, 4, 1);
        let mut banned: Vec<PlayerId> = Vec::new();
        for ((action, ..), wait, arrival) in story {
            let ends = matches!(action, Action::End { .. });
            let bans = if let Action::Remove { seat, ban: true } = action { Some(seat) } else { None };
            let restores = if let Action::Restore { seat } = action { Some(seat) } else { None };
            let named = |seat: Option<Seat>, play: &Play| seat.and_then(|seat| play.game.people.roster.player(seat).cloned());
            let (barred, freed) = (named(bans, &play), named(restores, &play));
            if !ends && play.try_host(action).is_ok() {
                banned.extend(barred);
                banned.retain(|player| Some(player) != freed.as_ref());
            }
            let before: Vec<_> = (0..play.game.people.roster.seated()).map(|seat| play.game.people.held(Seat(seat))).collect();
            let (hash, asked) = (play.game.state_hash(), play.game.figures(play.now).question.is_some());
            let player = arrival.player().clone();
            let entry = play.game.entry(&player, Role::Player);
            let name = play.game.people.roster.unused_name(None);
            let command = arrival.command(name);
            let done = play.apply(&command).is_ok();
            prop_assert!(done || play.game.state_hash() == hash, "what is refused changes nothing");
            let after: Vec<_> = before.iter().map(|held| play.game.people.held(held.seat)).collect();
            if let (Command::Reseat { seat, .. }, true) = (&command, done) {
                prop_assert!(!asked && entry == Err(ErrorCode::ShowFull));
                prop_assert_eq!(after[seat.index()].generation.0, before[seat.index()].generation.0 + 1);
                prop_assert!(play.game.you(Some(*seat)).alive);
            } else {
                prop_assert_eq!(after, before);
            }
            for seat in (0..play.game.people.roster.seated()).map(Seat) {
                let player = play.game.people.roster.player(seat).unwrap();
                let entry = play.game.entry(player, Role::Player);
                prop_assert!(entry == Ok(Entry::Back(seat)) || entry == Err(ErrorCode::Banned));
            }
            for player in &banned {
                prop_assert_eq!(play.game.entry(player, Role::Player), Err(ErrorCode::Banned));
            }
            play.wait(wait);
        }
    }

    #[test]
    fn no_sequence_of_actions_breaks_the_show(
        actions in proptest::collection::vec(any_action(), 1..60),
        settings in any_settings(),
        autopilot in any_script(),
    ) {
        let mut play = Play::new(Settings { autopilot, ..settings }, 4, PLAYERS);
        for (action, wait, answer) in actions {
            let hash = play.game.state_hash();
            if play.try_host(action).is_err() {
                prop_assert_eq!(play.game.state_hash(), hash, "a refused action changes nothing");
            }
            if play.game.figures(play.now).question.is_some() { play.answer(answer.0, answer.1); }
            play.wait(wait);
            prop_assert_eq!(play.game.figures(play.now).alive as usize, play.alive().len());
        }
        let seqs: Vec<u64> = play.told.iter().filter_map(|event| event.seq()).map(|seq| seq.0).collect();
        prop_assert_eq!(seqs, (1..=play.game.seq().0).collect::<Vec<_>>(), "events have no holes");
        if play.game.phase() == Phase::Ended {
            prop_assert_eq!(play.podium().paid + play.podium().rolled_over, play.podium().pot);
        }
    }
}

fn any_script() -> impl Strategy<Value = Autopilot> {
    (any::<bool>(), 0u32..5_000, 0u32..3_000, 0u32..3_000).prop_map(|(on, lobby, suspense, pause)| Autopilot {
        on,
        lobby: Span(lobby),
        suspense: Span(suspense),
        pause: Span(pause),
    })
}

/// Somebody who wants in: as a new player, or on the seat of one who is gone.
#[derive(Debug, Clone)]
enum Arrival {
    Join(PlayerId),
    Reseat(Seat, PlayerId),
}

impl Arrival {
    fn player(&self) -> &PlayerId {
        let (Self::Join(player) | Self::Reseat(_, player)) = self;
        player
    }

    fn command(self, name: Name) -> Command {
        match self {
            Self::Join(player) => Command::Join { player, name, role: Role::Player },
            Self::Reseat(seat, player) => Command::Reseat { seat, player, name },
        }
    }
}

fn any_arrival() -> impl Strategy<Value = Arrival> {
    let id = (any::<bool>(), 0u32..9).prop_map(|(guest, number)| {
        PlayerId::parse(&format!("{}-{number}", if guest { "guest" } else { "user" })).unwrap()
    });
    (proptest::option::of(0u32..5), id).prop_map(|(seat, player)| match seat {
        None => Arrival::Join(player),
        Some(seat) => Arrival::Reseat(Seat(seat), player),
    })
}

fn any_action() -> impl Strategy<Value = (Action, u32, (u32, u8))> {
    let action = prop_oneof![
        4 => Just(Action::Next),
        2 => Just(Action::Close),
        3 => Just(Action::Reveal),
        1 => Just(Action::Void { reason: "A typo.".into() }),
        1 => Just(Action::Pause),
        1 => Just(Action::Resume),
        1 => (-5000i32..5000).prop_map(|by| Action::AdjustTime { by }),
        1 => (0..PLAYERS + 2, any::<bool>()).prop_map(|(seat, ban)| Action::Remove { seat: Seat(seat), ban }),
        1 => (0u8..120).prop_map(|lives| Action::GiveLives { seat: None, lives }),
        1 => any::<bool>().prop_map(|on| Action::Autopilot { on }),
        1 => (0..PLAYERS + 2).prop_map(|seat| Action::Restore { seat: Seat(seat) }),
        1 => (0u32..8).prop_map(|seats| Action::SetSeats { seats }),
        1 => any::<bool>().prop_map(|on| Action::LockLobby { on }),
        1 => (0..PLAYERS + 2).prop_map(|seat| Action::ReissueToken { seat: Seat(seat) }),
        1 => Just(Action::End { pay: true }),
    ];
    (action, 0u32..8_000, (0..PLAYERS, 0u8..3))
}
