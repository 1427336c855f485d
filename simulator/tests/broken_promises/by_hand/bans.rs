//! Promise 10: what the journal shows of an address ban. It does not contain players' addresses, so it can't show that
//! no new player came from a banned one: `engine/tests/live/bans.rs` and `gateway/tests/command/bans.rs` test that.

use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::games::trivia::Settings;
use klaxon_protocol::host::Action;
use klaxon_protocol::ids::{CommandId, Name, PlayerId, Seat};
use klaxon_protocol::journal::Command;
use klaxon_protocol::origin::Origin;
use klaxon_protocol::player::{Lobby, Role, ToPlayer};

use crate::show::{RIGHT, Show};
use crate::{assert_broken, judge, told};

/// A show whose second player is banned by address, after the journal recorded the origin of the player of seat
/// `named`.
fn banned(named: Option<Seat>) -> Show {
    let mut show = Show::new(Settings::default());
    show.join();
    show.join();
    if let Some(seat) = named {
        show.record(Command::SeatOrigin { seat, origin: Origin::of_hash(7) }, vec![]);
    }
    let action = Action::BanAddress { seat: Seat(1), shared: false };
    show.record(Command::Host { id: CommandId::parse("ban").unwrap(), action }, vec![]);
    show
}

const UNNAMED: &str = "the journal does not say which";

#[test]
fn a_ban_that_the_next_engine_could_not_keep_is_found() {
    for named in [None, Some(Seat(0))] {
        assert_broken(&judge(&banned(named)), 10, UNNAMED);
    }
    let lines = told(&judge(&banned(Some(Seat(1)))));
    assert!(!lines.iter().any(|line| line.contains(UNNAMED)), "{lines:#?}");
}

#[test]
fn a_player_banned_by_address_who_gets_another_seat_is_found() {
    let mut show = banned(Some(Seat(1)));
    let join = |id: &str| Command::Join {
        player: PlayerId::parse(id).unwrap(),
        name: Name::parse("Somebody").unwrap(),
        role: Role::Player,
    };
    show.record(join("guest-1"), vec![]);
    assert_broken(&judge(&show), 10, "guest-1 has a seat already");
}

#[test]
fn a_player_banned_by_address_who_is_not_told_is_found() {
    let mut show = Show::new(Settings::default());
    for _ in 0..4 {
        show.join();
    }
    show.ban_address(1);
    show.ask();
    for seat in [0, 2, 3] {
        show.answer(seat, RIGHT);
    }
    show.close();
    show.reveal();
    show.end();
    let audit = judge(&show);
    assert!(audit.clean(), "{:#?}", told(&audit));
    let banned = |message: &ToPlayer| matches!(message, ToPlayer::Error(error) if error.code == ErrorCode::Banned);
    show.lose(|_, message| banned(message));
    show.connections[1].close_code = None;
    show.wait(10_000);
    show.receive(1, ToPlayer::Lobby(Lobby { joined: 4 }));
    assert_broken(&judge(&show), 10, "was removed by the host, and was not told");
}
