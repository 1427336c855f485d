//! Bans of addresses: docs/rules/trivia.md, "Bans".
//!
//! What the rules see of them; who may abuse them stands in `engine/src/show/bans.rs`.

use klaxon_protocol::ids::SeatRef;
use klaxon_protocol::origin::Origin;

use super::*;

fn origin(number: u64) -> Origin {
    Origin::of_hash(number)
}

fn ban(play: &mut Play, seat: u32, from: u64) -> Result<(), ErrorCode> {
    play.apply(&Command::SeatOrigin { seat: Seat(seat), origin: origin(from) }).map_err(|refusal| refusal.code)?;
    play.try_host(Action::BanAddress { seat: Seat(seat), shared: false })
}

#[test]
fn who_is_banned_by_address_is_out_and_only_the_address_that_the_journal_names_is_banned() {
    let mut play = Play::new(settings(), 1, 3);
    ban(&mut play, 1, 7).unwrap();
    assert_eq!(play.dismissed, [(SeatRef::first(Seat(1)), ErrorCode::Banned)]);
    assert!(play.game.people.bans(origin(7)) && !play.game.people.bans(origin(8)));
    assert!(play.game.people.removed.contains(Seat(1)) && !play.game.people.removed.contains(Seat(0)));
    assert_eq!(play.join(1), Err(ErrorCode::Banned), "by id, too");
    assert_eq!(play.join(0), Ok(Entry::Back(Seat(0))), "whoever has a seat stays");
    assert_eq!(play.game.figures(play.now).alive, 2);
    assert_eq!(play.alerts, [], "the host has done what there is to do");
    // A ban of the id was before: the address can still be banned.
    play.host(Action::Remove { seat: Seat(2), ban: true });
    ban(&mut play, 2, 8).unwrap();
    assert!(play.game.people.bans(origin(8)));
    play.host(Action::LiftAddressBans);
    assert!(!play.game.people.bans(origin(7)) && !play.game.people.bans(origin(8)));
    assert_eq!(play.join(1), Err(ErrorCode::Banned), "the id stays banned");
}

#[test]
fn an_address_that_the_journal_does_not_name_is_not_banned_and_nobody_is_removed_for_it() {
    let mut play = Play::new(settings(), 1, 3);
    let forged = Action::BanAddress { seat: Seat(1), shared: true };
    assert_eq!(play.try_host(forged.clone()), Err(ErrorCode::UnknownAddress));
    // Named for another seat, or for this one and used by then.
    play.apply(&Command::SeatOrigin { seat: Seat(0), origin: origin(7) }).unwrap();
    assert_eq!(play.try_host(forged.clone()), Err(ErrorCode::UnknownAddress));
    ban(&mut play, 1, 7).unwrap();
    assert_eq!(play.try_host(forged), Err(ErrorCode::UnknownAddress));
    assert_eq!(play.game.figures(play.now).alive, 2);
}

#[test]
fn what_the_ban_would_be_refused_for_the_address_is_not_even_noted_for() {
    let mut play = Play::new(settings(), 1, 1);
    assert_eq!(ban(&mut play, 9, 7), Err(ErrorCode::UnknownSeat));
    play.host(Action::End { pay: false });
    let before = play.game.state_hash();
    assert_eq!(ban(&mut play, 0, 7), Err(ErrorCode::ShowEnded));
    assert_eq!(play.try_host(Action::LiftAddressBans), Err(ErrorCode::ShowEnded));
    assert_eq!(play.game.state_hash(), before);
}

#[test]
fn a_show_has_ten_thousand_banned_addresses_and_then_says_so() {
    let mut play = Play::new(settings(), 1, 10_001);
    (0..10_000).for_each(|seat| play.game.people.ban_origin(Seat(seat), Some(origin(u64::from(seat)))));
    assert_eq!(ban(&mut play, 10_000, 10_077), Err(ErrorCode::BadArgument));
    assert!(!play.game.people.removed.contains(Seat(10_000)) && !play.game.people.bans(origin(10_077)));
    ban(&mut play, 9, 10_077).unwrap();
    play.host(Action::LiftAddressBans);
    ban(&mut play, 10_000, 77).unwrap();
}

#[test]
fn the_host_is_told_what_a_ban_of_a_guests_id_is_worth() {
    let mut play = Play::new(settings(), 1, 1);
    for (id, name) in [("guest-0123", "Ann"), ("guest", "Bob")] {
        let (player, name) = (PlayerId::parse(id).unwrap(), klaxon_protocol::ids::Name::parse(name).unwrap());
        play.apply(&Command::Join { player, name, role: Role::Player }).unwrap();
    }
    play.host(Action::Remove { seat: Seat(1), ban: false });
    assert_eq!(play.alerts, []);
    (0..3).for_each(|seat| play.host(Action::Remove { seat: Seat(seat), ban: true }));
    assert_eq!(play.alerts, [AlertKind::GuestBanned { seat: Seat(1) }]);
}

#[test]
fn bans_of_addresses_are_in_the_states_hash_and_the_first_edition_has_none() {
    let mut play = Play::new(settings(), 1, 2);
    let mut hashes = vec![play.game.state_hash()];
    for from in [7, 8] {
        play.apply(&Command::SeatOrigin { seat: Seat(0), origin: origin(from) }).unwrap();
        hashes.push(play.game.state_hash());
    }
    play.host(Action::BanAddress { seat: Seat(0), shared: false });
    hashes.push(play.game.state_hash());
    play.host(Action::LiftAddressBans);
    hashes.push(play.game.state_hash());
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), 5);

    let mut first = Play::by(RulesVersion::FIRST, settings(), 1, 2);
    let before = first.game.state_hash();
    assert_eq!(ban(&mut first, 0, 7), Err(ErrorCode::WrongPhase));
    for action in [Action::BanAddress { seat: Seat(0), shared: true }, Action::LiftAddressBans] {
        assert_eq!(first.try_host(action), Err(ErrorCode::WrongPhase));
    }
    assert_eq!(first.game.state_hash(), before);
}

#[test]
fn a_removal_that_is_undone_ends_the_ban_of_the_address_unless_another_stands_or_the_seat_is_anothers() {
    let mut play = Play::new(Settings { seats: 4, ..settings() }, 1, 3);
    for (seat, from) in [(0, 7), (1, 7), (2, 8)] {
        ban(&mut play, seat, from).unwrap();
    }
    play.host(Action::Restore { seat: Seat(0) });
    assert!(play.game.people.bans(origin(7)), "1 is banned for it, too");
    play.host(Action::Restore { seat: Seat(1) });
    assert!(!play.game.people.bans(origin(7)) && play.game.people.bans(origin(8)));
    assert_eq!(play.join(1), Ok(Entry::Back(Seat(1))));

    let guest = |number| PlayerId::parse(&format!("guest-{number}")).unwrap();
    let name = klaxon_protocol::ids::Name::parse("Ann").unwrap();
    play.apply(&Command::Join { player: guest(3), name: name.clone(), role: Role::Player }).unwrap();
    ban(&mut play, 3, 9).unwrap();
    play.apply(&Command::Reseat { seat: Seat(3), player: guest(4), name }).unwrap();
    assert_eq!(play.try_host(Action::Restore { seat: Seat(3) }), Err(ErrorCode::WrongPhase));
    assert!(play.game.people.bans(origin(9)), "the guest who is gone is still banned");
    play.host(Action::Remove { seat: Seat(3), ban: false });
    play.host(Action::Restore { seat: Seat(3) });
    assert!(play.game.people.bans(origin(9)), "what is undone for the new guest is not undone for the old one");
    play.host(Action::LiftAddressBans);
    assert!(!play.game.people.bans(origin(9)));
}
