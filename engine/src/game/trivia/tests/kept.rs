//! Journals are kept, and replayed by later versions: a known show must come to the hash that it always had.

use klaxon_protocol::games::trivia::{Autopilot, Mode, NobodyLeft, PrizeRule, QuestionId, Settings};
use klaxon_protocol::host::Action;
use klaxon_protocol::ids::{GatewayId, Name, PlayerId, Seat};
use klaxon_protocol::journal::{Command, RulesVersion};
use klaxon_protocol::player::Role;
use klaxon_protocol::time::Span;

use super::play::{Play, settings};
use crate::game::Game;

/// With another hash, no journal written by that edition of the rules replays any more.
const KEPT: [(RulesVersion, u64); 3] = [
    (RulesVersion(1), 0xcd6c_26e5_e9a9_af13),
    (RulesVersion(2), 0x4d6f_f843_c56f_549b),
    (RulesVersion(3), 0xc02a_6469_a5a5_dbbf),
];

#[test]
fn a_known_show_comes_to_the_hash_it_always_had() {
    for (rules, kept) in KEPT {
        comes_to(rules, kept);
    }
}

#[test]
fn a_known_lobby_comes_to_the_hash_it_always_had() {
    for (rules, kept) in [(RulesVersion(2), 0xc4b8_495d_c125_891b), (RulesVersion(3), 0x5d9f_1215_071c_50bb)] {
        let hash = known_lobby(rules);
        assert_eq!(hash, kept, "{rules:?}: {hash:#018x}");
    }
}

fn known_lobby(rules: RulesVersion) -> u64 {
    let mut play = Play::by(rules, Settings { seats: 3, lives: 1, ..settings() }, 2, 2);
    let join = |id: &str| (PlayerId::parse(id).unwrap(), Name::parse(&format!("Player {id}")).unwrap());
    let (player, name) = join("guest-1");
    play.apply(&Command::Join { player, name, role: Role::Player }).unwrap();
    for (id, action) in [
        ("guest-2", Action::GiveLives { seat: None, lives: 3 }),
        ("guest-3", Action::Remove { seat: Seat(2), ban: true }),
        ("guest-4", Action::ReissueToken { seat: Seat(2) }),
    ] {
        play.host(action);
        let (player, name) = join(id);
        play.apply(&Command::Reseat { seat: Seat(2), player, name }).unwrap();
    }
    play.host(Action::SetSeats { seats: 4 });
    play.host(Action::LockLobby { on: true });
    play.round(&[(0, super::play::RIGHT)]);
    play.host(Action::Remove { seat: Seat(1), ban: false });
    play.round(&[(0, super::play::RIGHT)]);
    play.host(Action::Restore { seat: Seat(1) });
    play.game.state_hash()
}

fn comes_to(rules: RulesVersion, wanted: u64) {
    let mut play = Play::by(
        rules,
        Settings {
            mode: Mode::Both,
            lives: 1,
            lead: Span(500),
            shuffle: true,
            pot: 1_000_001,
            prize: PrizeRule::Podium { weights: vec![50, 30, 20] },
            nobody_left: NobodyLeft::LastStanding,
            autopilot: Autopilot { on: true, ..Autopilot::default() },
            ..settings()
        },
        4,
        70,
    );
    let mut hashes = vec![play.game.state_hash()];
    for round in 1..=3u16 {
        while play.game.figures(play.now).question != Some(QuestionId(round)) {
            play.wait(100);
        }
        play.wait(1_000);
        for seat in 0..70 {
            play.answer(seat, u8::try_from((seat + u32::from(round)) % 3).unwrap());
            play.wait(7);
        }
        let steps = match round {
            1 => vec![Action::Pause, Action::Resume, Action::GiveLives { seat: Some(Seat(3)), lives: 2 }],
            2 => vec![Action::Remove { seat: Seat(4), ban: true }, Action::Message { text: "Hello.".into() }],
            _ => vec![Action::Autopilot { on: false }, Action::Close],
        };
        steps.into_iter().for_each(|step| play.host(step));
        if round == 1 {
            play.crash(60_000);
        }
        hashes.push(play.game.state_hash());
    }
    let silent = vec![GatewayId(2)];
    play.apply(&Command::Tally { round: QuestionId(3), silent }).unwrap();
    for action in [Action::Reveal, Action::Void { reason: "A typo.".into() }, Action::End { pay: true }] {
        play.host(action);
        hashes.push(play.game.state_hash());
    }
    let kept = hashes.iter().fold(0u64, |kept, hash| kept.rotate_left(7) ^ hash);
    assert_eq!(kept, wanted, "{rules:?}: {kept:#018x} of {hashes:x?}, after {} events", play.game.seq());
}
