//! The ranking at the end, the prizes, and who can not win.

use super::*;

#[test]
fn survivors_split_the_pot() {
    let mut play = Play::new(Settings { pot: 100, ..settings() }, 1, 4);
    play.round(&[(0, RIGHT), (1, RIGHT), (2, RIGHT)]);
    let podium = play.end();
    assert_eq!((podium.winners, podium.paid, podium.rolled_over), (3, 100, 0));
    assert_eq!(play.prizes(), [34, 33, 33, 0]);
    for (seat, amount) in [(0, 34), (1, 33), (2, 33)] {
        assert_eq!(play.own(seat), &ToPlayer::Prize(Prize { amount, currency: play.game.settings.currency.clone() }));
    }
    assert!(!play.was_told(3));
}

#[test]
fn nobody_left_rolls_over_or_pays_the_last_as_the_host_set() {
    for (nobody_left, prizes) in [(NobodyLeft::Rollover, [0, 0, 0]), (NobodyLeft::LastStanding, [50, 50, 0])] {
        let mut play = Play::new(Settings { pot: 100, nobody_left, ..settings() }, 3, 3);
        play.round(&[(0, RIGHT), (1, RIGHT)]);
        play.round(&[]);
        assert_eq!(play.try_host(Action::Next), Err(ErrorCode::WrongPhase), "nobody could answer it");
        let podium = play.end();
        assert_eq!(play.prizes(), prizes);
        assert_eq!(podium.paid + podium.rolled_over, 100);
    }
}

#[test]
fn the_podium_goes_by_points_then_by_speed_and_equals_share() {
    let mut play = Play::new(Settings { pot: 1000, ..points() }, 2, 4);
    play.ask();
    play.answer(0, RIGHT);
    play.wait(10);
    play.answer(1, RIGHT);
    play.answer(2, RIGHT);
    play.close_and_reveal();
    assert_eq!((play.score(1), play.score(2)), (990, 990));
    let podium = play.end();
    assert_eq!(podium.places.iter().map(|place| place.place).collect::<Vec<_>>(), [1, 2, 2, 4]);
    assert_eq!(play.prizes(), [500, 250, 250, 0], "without a point there is no prize");
}

#[test]
fn an_end_without_pay_keeps_the_pot() {
    let mut play = Play::new(Settings { pot: 10, ..settings() }, 1, 1);
    play.host(Action::End { pay: false });
    assert_eq!((play.podium().paid, play.podium().rolled_over), (0, 10));
}

#[test]
fn the_removed_win_nothing_and_the_banned_stay_out() {
    let mut play = Play::new(Settings { pot: 10, ..settings() }, 1, 3);
    play.host(Action::Remove { seat: Seat(0), ban: false });
    play.host(Action::Remove { seat: Seat(1), ban: true });
    assert_eq!(
        play.dismissed,
        [(SeatRef::first(Seat(0)), ErrorCode::Removed), (SeatRef::first(Seat(1)), ErrorCode::Banned)]
    );
    assert_eq!(play.join(0), Ok(Entry::Back(Seat(0))));
    assert_eq!(play.join(1), Err(ErrorCode::Banned));
    play.ask();
    assert_eq!(play.answer(0, RIGHT), Verdict::Refused(ErrorCode::NotInPlay));
    play.answer(2, RIGHT);
    play.close_and_reveal();
    play.end();
    assert_eq!(play.prizes(), [0, 0, 10]);
}

#[test]
fn the_ranking_goes_by_who_lasted_longer_then_by_points_then_by_time() {
    let mut play = Play::new(Settings { mode: Mode::Both, ..settings() }, 3, 7);
    play.ask();
    for seat in [0, 2, 3] {
        play.answer(seat, RIGHT);
    }
    play.wait(5);
    play.answer(1, RIGHT);
    play.answer(6, RIGHT);
    play.wait(5_000);
    play.answer(4, RIGHT);
    play.close_and_reveal();
    play.host(Action::Remove { seat: Seat(6), ban: false });
    play.ask();
    play.answer(0, RIGHT);
    play.answer(1, RIGHT);
    play.close_and_reveal();
    let places: Vec<(u32, u32)> = play.end().places.iter().map(|place| (place.place, place.seat.0)).collect();
    assert_eq!(places, [(1, 0), (2, 1), (3, 2), (3, 3), (5, 4), (6, 5)], "the removed has no place");
}

#[test]
fn who_gets_nothing_of_a_pot_is_no_winner_and_without_a_pot_all_survivors_are() {
    let end = |rules, settings: Settings, players: u32| {
        let mut play = Play::by(rules, settings, 1, players);
        play.round(&(0..players).map(|seat| (seat, RIGHT)).collect::<Vec<_>>());
        let podium = play.end();
        (podium.winners, podium.paid, play.prizes().into_iter().filter(|&prize| prize > 0).count())
    };
    let podium = |pot| Settings { pot, prize: PrizeRule::Podium { weights: vec![50, 30, 20] }, ..points() };
    let split = |pot| Settings { pot, ..settings() };
    for (settings, players, wanted) in [
        // More share the pot than it has units.
        (split(2), 3, (2, 2, 2)),
        (split(3), 3, (3, 3, 3)),
        (split(0), 3, (3, 0, 0)),
        // All equal: they share what the three places win, and nobody gets a part of nothing.
        (podium(2), 5, (2, 2, 2)),
        (podium(0), 5, (5, 0, 0)),
    ] {
        assert_eq!(end(RulesVersion::NEWEST, settings.clone(), players), wanted);
        let (_, paid, prizes) = wanted;
        assert_eq!(end(RulesVersion::FIRST, settings, players), (players, paid, prizes), "as old shows had it");
    }
}
