//! Who may come in: seats that are given again, raised seats, the locked lobby, removals undone.
//!
//! Who may abuse it: bots that join and leave (their seats are given again), a removed or banned guest (whose id is known, also when the
//! seat is another's), the one who had a seat before (nothing of theirs counts for the new player), the one who was given it (gets nothing
//! of them), a player who has a friend restored in time to miss a hard question (silent in it).

use super::*;

fn small(seats: u32) -> Settings {
    Settings { seats, lives: 1, ..settings() }
}

const fn seat_of(seat: u32, generation: u32) -> SeatRef {
    SeatRef { seat: Seat(seat), generation: Generation(generation) }
}

/// Whether this id gets in, and where. In a full show the seat of one who was removed is given to them.
fn join(play: &mut Play, id: &str, name: &str) -> Result<Entry, ErrorCode> {
    let player = PlayerId::parse(id).unwrap();
    match play.game.entry(&player, Role::Player) {
        Ok(Entry::New) => {
            let name = play.game.people.roster.unused_name(Some(&Name::parse(name).unwrap()));
            play.apply(&Command::Join { player: player.clone(), name, role: Role::Player }).unwrap();
        }
        Err(ErrorCode::ShowFull) => match (&play.game as &dyn Game).vacant_seat() {
            Some(seat) => reseat(play, seat.0, id, name)?,
            None => return Err(ErrorCode::ShowFull),
        },
        _ => {}
    }
    play.game.entry(&player, Role::Player)
}

/// The seat's player is gone, and this one takes the seat.
fn reseat(play: &mut Play, seat: u32, id: &str, name: &str) -> Result<(), ErrorCode> {
    let name = play.game.people.roster.unused_name(Some(&Name::parse(name).unwrap()));
    let command = Command::Reseat { seat: Seat(seat), player: PlayerId::parse(id).unwrap(), name };
    play.apply(&command).map_err(|refusal| refusal.code)
}

fn restore(play: &mut Play, seat: u32) -> Result<(), ErrorCode> {
    play.try_host(Action::Restore { seat: Seat(seat) })
}

#[test]
fn a_gone_guests_seat_is_given_again_and_nothing_of_the_guest_is_left() {
    let mut play = Play::new(small(2), 1, 0);
    assert_eq!(join(&mut play, "guest-a", "Ann"), Ok(Entry::Back(Seat(0))));
    assert_eq!(reseat(&mut play, 0, "guest-c", "Cid"), Err(ErrorCode::WrongPhase), "there are others");
    assert_eq!(join(&mut play, "user-b", "Bob"), Ok(Entry::Back(Seat(1))));
    assert_eq!(join(&mut play, "guest-c", "Cid"), Err(ErrorCode::ShowFull), "nobody is gone");
    play.host(Action::GiveLives { seat: Some(Seat(0)), lives: 5 });
    for round in 0..3 {
        let before = play.game.people.held(Seat(0));
        assert_eq!(before, seat_of(0, 2 * round));
        reseat(&mut play, 0, "guest-c", "Cid").unwrap();
        assert_eq!(
            play.dismissed.pop(),
            Some((before, ErrorCode::SeatGivenAway)),
            "who is connected as the one before"
        );
        assert_eq!(play.game.people.held(Seat(0)), seat_of(0, 2 * round + 1));
        assert_eq!(play.game.you(Some(Seat(0))).lives, 1);
        assert_eq!(play.game.find("ann", 9).len(), 0);
        assert_eq!(join(&mut play, "guest-c", "Cid"), Ok(Entry::Back(Seat(0))));
        assert_eq!(join(&mut play, "guest-a", "Ann"), Err(ErrorCode::ShowFull), "they are as any other who wants in");
        reseat(&mut play, 0, "guest-a", "Ann").unwrap();
        assert_eq!(play.game.people.roster.name(Seat(0)).map(Name::as_str), Some("Ann"), "their name was free again");
    }
    assert_eq!(play.game.people.roster.seated(), 2);
    // Whom an operator's token names has the seat for the whole show, and who has one needs none.
    assert_eq!(reseat(&mut play, 1, "guest-c", "Cid"), Err(ErrorCode::WrongPhase));
    assert_eq!(reseat(&mut play, 9, "guest-c", "Cid"), Err(ErrorCode::UnknownSeat));
    assert_eq!(reseat(&mut play, 0, "user-b", "Bob"), Err(ErrorCode::WrongPhase));
    play.ask();
    assert_eq!(reseat(&mut play, 0, "guest-c", "Cid"), Err(ErrorCode::WrongPhase), "answers are kept by seat");
    play.answer(0, RIGHT);
    play.close_and_reveal();
    assert_eq!(reseat(&mut play, 0, "guest-c", "Cid"), Err(ErrorCode::WrongPhase));
    play.host(Action::End { pay: true });
    let results = play.game.results(klaxon_protocol::ids::ShowId(1)).unwrap();
    let players: Vec<_> = results.players.iter().map(|player| (player.seat.0, player.player.as_str())).collect();
    assert_eq!(players, [(0, "guest-a"), (1, "user-b")]);
}

#[test]
fn an_answer_of_the_one_who_had_the_seat_before_never_counts_for_the_new_player() {
    let mut play = Play::new(small(1), 2, 0);
    join(&mut play, "guest-a", "Ann").unwrap();
    reseat(&mut play, 0, "guest-b", "Bob").unwrap();
    play.ask();
    let answer = |play: &Play, by| {
        let (question, choice, at) = (play.question(), Choice(RIGHT), play.now);
        play.game.pre_check(by, &klaxon_protocol::games::trivia::Answer { question, choice }.into(), at)
    };
    let given_away = PreCheck::Decided(Verdict::Refused(ErrorCode::SeatGivenAway));
    for stale in [seat_of(0, 0), seat_of(0, 2), seat_of(0, u32::MAX)] {
        assert_eq!(answer(&play, stale), given_away);
    }
    assert!(matches!(answer(&play, seat_of(0, 1)), PreCheck::MayCount { .. }));
    play.answer(0, RIGHT);
    assert_eq!(answer(&play, seat_of(0, 0)), given_away, "nor are they told what the new player chose");
    play.close_and_reveal();
    play.ask();
    assert_eq!(answer(&play, seat_of(0, 0)), given_away);
}

#[test]
fn five_bots_that_are_removed_do_not_close_a_show_and_stay_out() {
    let mut play = Play::new(small(5), 1, 0);
    for bot in 0..5 {
        assert!(join(&mut play, &format!("guest-{bot}"), "Bot").is_ok());
        play.host(Action::Remove { seat: Seat(bot), ban: bot % 2 == 0 });
    }
    for player in 10..15 {
        assert!(matches!(join(&mut play, &format!("guest-{player}"), "Ann"), Ok(Entry::Back(_))));
    }
    assert_eq!(play.game.figures(play.now).alive, 5);
    assert_eq!(join(&mut play, "guest-20", "Ann"), Err(ErrorCode::ShowFull));
    // Also where there is room again.
    play.host(Action::SetSeats { seats: 50 });
    for bot in 0..5 {
        let back = if bot % 2 == 0 { Err(ErrorCode::Banned) } else { Ok(Entry::Watch) };
        assert_eq!(join(&mut play, &format!("guest-{bot}"), "Bot"), back);
        assert_eq!(restore(&mut play, bot), Err(ErrorCode::WrongPhase), "another sits there");
    }
    assert_eq!(join(&mut play, "guest-20", "Ann"), Ok(Entry::Back(Seat(5))));
}

#[test]
fn a_removed_players_seat_is_kept_while_there_are_others_and_once_a_question_was_asked() {
    let mut play = Play::new(small(3), 1, 0);
    for (id, seat) in [("guest-a", 0), ("user-b", 1)] {
        assert_eq!(join(&mut play, id, "Ann"), Ok(Entry::Back(Seat(seat))));
        play.host(Action::Remove { seat: Seat(seat), ban: false });
    }
    assert_eq!(join(&mut play, "guest-c", "Cid"), Ok(Entry::Back(Seat(2))));
    restore(&mut play, 0).unwrap();
    assert_eq!(join(&mut play, "guest-d", "Dan"), Err(ErrorCode::ShowFull), "one is restored, the other an operator's");
    play.host(Action::Remove { seat: Seat(0), ban: true });
    play.ask();
    assert_eq!(join(&mut play, "guest-d", "Dan"), Err(ErrorCode::ShowFull));
    restore(&mut play, 0).unwrap();
    assert_eq!(join(&mut play, "guest-a", "Ann"), Ok(Entry::Back(Seat(0))));
}

#[test]
fn seats_can_be_raised_and_never_lowered() {
    let mut play = Play::new(small(1), 1, 1);
    assert_eq!(play.join(1), Err(ErrorCode::ShowFull));
    for seats in [0, 10_000_001, u32::MAX] {
        assert_eq!(play.try_host(Action::SetSeats { seats }), Err(ErrorCode::BadArgument));
    }
    play.host(Action::SetSeats { seats: 3 });
    assert_eq!(play.try_host(Action::SetSeats { seats: 2 }), Err(ErrorCode::BadArgument));
    assert_eq!([play.join(1), play.join(2)], [Ok(Entry::New); 2]);
    assert_eq!(play.join(3), Err(ErrorCode::ShowFull));
    play.host(Action::SetSeats { seats: 10_000_000 });
    play.end();
    assert_eq!(play.try_host(Action::SetSeats { seats: 10_000_000 }), Err(ErrorCode::ShowEnded));
}

#[test]
fn a_locked_lobby_takes_no_new_players_and_keeps_those_who_are_in() {
    let mut play = Play::new(small(2), 1, 1);
    play.host(Action::LockLobby { on: true });
    assert_eq!(play.join(1), Err(ErrorCode::LobbyLocked));
    assert_eq!(play.join(0), Ok(Entry::Back(Seat(0))));
    let watcher = PlayerId::parse("watcher").unwrap();
    assert_eq!(play.game.entry(&watcher, Role::Spectator), Ok(Entry::Watch));
    play.host(Action::LockLobby { on: false });
    assert_eq!(join(&mut play, "guest-1", "Ann"), Ok(Entry::Back(Seat(1))));
    // Nor are seats given again.
    play.host(Action::Remove { seat: Seat(1), ban: false });
    play.host(Action::LockLobby { on: true });
    assert_eq!(join(&mut play, "guest-2", "Ann"), Err(ErrorCode::LobbyLocked));
    assert_eq!(reseat(&mut play, 1, "guest-2", "Ann"), Err(ErrorCode::LobbyLocked));
    play.host(Action::End { pay: true });
    assert_eq!(play.try_host(Action::LockLobby { on: false }), Err(ErrorCode::ShowEnded));
}

#[test]
fn who_is_restored_before_the_reveal_has_missed_nothing() {
    for (mode, ban) in [(Mode::Elimination, false), (Mode::Both, true), (Mode::Points, false)] {
        let mut play = Play::new(Settings { mode, prize: PrizeRule::usual(mode), ..settings() }, 2, 2);
        play.round(&[(0, RIGHT), (1, RIGHT)]);
        play.ask();
        play.answer(1, RIGHT);
        play.host(Action::Remove { seat: Seat(1), ban: false });
        play.host(Action::Remove { seat: Seat(1), ban });
        assert_eq!(play.join(1).is_err(), ban);
        restore(&mut play, 1).unwrap();
        assert!(play.told_you(1).alive && play.told_you(1).answered.is_some());
        assert_eq!(restore(&mut play, 1), Err(ErrorCode::WrongPhase));
        assert_eq!(play.join(1), Ok(Entry::Back(Seat(1))), "{mode:?}");
        play.close_and_reveal();
        assert!(play.game.you(Some(Seat(1))).alive, "{mode:?}: the answer counts");
        play.end();
        assert_eq!(restore(&mut play, 1), Err(ErrorCode::ShowEnded));
    }
}

#[test]
fn who_is_restored_after_a_reveal_was_silent_in_it() {
    // By mode and lives: whether the player is in play after one missed question, and after two.
    for (mode, lives, one, two) in [
        (Mode::Elimination, 0, false, false),
        (Mode::Elimination, 1, true, false),
        (Mode::Both, 2, true, true),
        (Mode::Points, 0, true, true),
    ] {
        for (missed, alive) in [(1, one), (2, two)] {
            let settings = Settings { mode, lives, prize: PrizeRule::usual(mode), ..settings() };
            let mut play = Play::new(settings, 4, 3);
            play.round(&[(0, RIGHT), (1, RIGHT), (2, RIGHT)]);
            let (mut silent, mut removed) = (play.game.you(Some(Seat(2))), play.game.you(Some(Seat(1))));
            assert_eq!((silent.score, silent.lives), (removed.score, removed.lives));
            play.ask();
            play.answer(1, RIGHT);
            play.host(Action::Remove { seat: Seat(1), ban: false });
            play.answer(0, RIGHT);
            play.close_and_reveal();
            (1..missed).for_each(|_| play.round(&[(0, RIGHT)]));
            restore(&mut play, 1).unwrap();
            (silent, removed) = (play.game.you(Some(Seat(2))), play.told_you(1));
            assert_eq!(removed, play.game.you(Some(Seat(1))));
            assert_eq!(removed.alive, alive, "{mode:?} with {lives} lives, {missed} missed");
            // As one who was there and silent; the answer before the removal gained nothing.
            assert_eq!(removed, klaxon_protocol::games::trivia::You { answered: removed.answered, ..silent });
            play.round(&[(0, RIGHT), (1, RIGHT), (2, RIGHT)][..if alive { 3 } else { 1 }]);
            assert_eq!(play.score(1), play.score(2), "no streak is left either");
        }
    }
}

#[test]
fn a_void_gives_back_what_a_restored_player_missed() {
    for (mode, lives) in [(Mode::Elimination, 0), (Mode::Both, 1), (Mode::Both, 0), (Mode::Points, 0)] {
        let settings = Settings { mode, lives, prize: PrizeRule::usual(mode), ..settings() };
        let mut play = Play::new(settings, 3, 2);
        play.round(&[(0, RIGHT), (1, RIGHT)]);
        play.ask();
        play.answer(1, RIGHT);
        play.host(Action::Remove { seat: Seat(1), ban: false });
        play.answer(0, RIGHT);
        play.close_and_reveal();
        restore(&mut play, 1).unwrap();
        void(&mut play);
        assert_eq!((play.game.you(Some(Seat(1))).alive, play.game.you(Some(Seat(1))).lives), (true, lives), "{mode:?}");
        play.round(&[(0, RIGHT), (1, RIGHT)]);
        assert_eq!(play.score(1), play.score(0), "{mode:?}: the streak is as it was");
    }
}

#[test]
fn who_was_out_or_is_removed_again_stays_out() {
    let mut play = Play::new(small(9), 3, 3);
    play.host(Action::GiveLives { seat: None, lives: 1 });
    for _ in 0..3 {
        play.round(&[(0, RIGHT)]);
    }
    assert_eq!(play.alive(), [0]);
    play.host(Action::Remove { seat: Seat(1), ban: false });
    restore(&mut play, 1).unwrap();
    assert_eq!(play.alive(), [0], "out by the last question, not by the removal");
    play.host(Action::Remove { seat: Seat(2), ban: false });
    void(&mut play);
    assert_eq!(play.alive(), [0, 1], "removed, so not brought back by the void");
    restore(&mut play, 2).unwrap();
    assert_eq!(play.alive(), [0, 1, 2], "but by this: the question that put them out is void");
}

#[test]
fn the_first_edition_has_none_of_this_and_its_states_stay_as_they_were() {
    let mut play = Play::by(RulesVersion::FIRST, settings(), 1, 2);
    let before = play.game.state_hash();
    for action in [
        Action::ReissueToken { seat: Seat(0) },
        Action::SetSeats { seats: 2_000_000 },
        Action::LockLobby { on: true },
        Action::Restore { seat: Seat(0) },
    ] {
        assert_eq!(play.try_host(action), Err(ErrorCode::WrongPhase));
    }
    assert_eq!(reseat(&mut play, 0, "guest-c", "Cid"), Err(ErrorCode::WrongPhase));
    assert_eq!(play.game.state_hash(), before);
    play.host(Action::Remove { seat: Seat(0), ban: true });
    assert_eq!((restore(&mut play, 0), (&play.game as &dyn Game).vacant_seat()), (Err(ErrorCode::WrongPhase), None));
    assert_eq!(play.digest(), Vec::<u8>::new());
}

#[test]
fn every_change_of_who_may_come_in_is_in_the_states_hash() {
    let mut play = Play::new(small(1), 1, 0);
    join(&mut play, "guest-a", "Ann").unwrap();
    let mut hashes = vec![play.digest()];
    let actions = [
        Action::LockLobby { on: true },
        Action::LockLobby { on: false },
        Action::ReissueToken { seat: Seat(0) },
        Action::Remove { seat: Seat(0), ban: false },
        Action::Remove { seat: Seat(0), ban: true },
        Action::Restore { seat: Seat(0) },
    ];
    for action in actions {
        play.host(action);
        hashes.push(play.digest());
    }
    reseat(&mut play, 0, "guest-b", "Bob").unwrap();
    hashes.push(play.digest());
    play.host(Action::SetSeats { seats: 4 });
    hashes.push(play.digest());
    let distinct: std::collections::HashSet<&Vec<u8>> = hashes.iter().collect();
    assert_eq!(distinct.len(), hashes.len());
    assert_ne!(Play::new(small(1), 1, 0).game.state_hash(), {
        let mut locked = Play::new(small(1), 1, 0);
        locked.host(Action::LockLobby { on: true });
        locked.game.state_hash()
    });
}

#[test]
fn as_many_seats_as_there_are_can_be_set_again() {
    let mut play = Play::new(Settings { seats: 3, ..settings() }, 1, 1);
    play.host(Action::SetSeats { seats: 3 });
    assert_eq!(play.try_host(Action::SetSeats { seats: 2 }), Err(ErrorCode::BadArgument));
}
