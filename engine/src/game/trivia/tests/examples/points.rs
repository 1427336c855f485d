//! Points, streaks and ranks.

use super::*;

#[test]
fn with_points_one_can_come_in_until_the_end() {
    let mut play = Play::new(points(), 2, 1);
    play.round(&[(0, RIGHT)]);
    assert_eq!(play.join(8), Ok(Entry::New));
    play.round(&[(1, RIGHT)]);
    assert!(play.score(1) >= 500);
    play.end();
    assert_eq!(play.join(9), Ok(Entry::Watch));
}

#[test]
fn the_faster_and_the_longer_in_a_row_the_more_points() {
    let mut play = Play::new(points(), 3, 2);
    play.ask();
    play.answer(0, RIGHT);
    play.wait(5_000);
    play.answer(1, RIGHT);
    play.close_and_reveal();
    assert_eq!((play.result(0).gained, play.result(1).gained), (1000, 750));
    assert_eq!((play.result(0).rank, play.result(1).rank), (1, 2));
    play.round(&[(0, RIGHT), (1, WRONG)]);
    assert_eq!((play.result(0).gained, play.result(1).gained), (1100, 0), "a hundred for the streak");
    assert!(play.alive().contains(&1), "nobody leaves");
    let leads = play.told.iter().rev().find_map(|event| match event {
        ToPlayer::Standings(standings) => Some(standings.leaders.iter().map(|leader| leader.score).collect::<Vec<_>>()),
        _ => None,
    });
    assert_eq!(leads, Some(vec![2100, 750]));
}

#[test]
fn without_points_for_speed_a_slow_right_answer_earns_as_much_as_a_fast_one() {
    let mut play = Play::new(Settings { speed_points: false, ..points() }, 2, 3);
    play.ask();
    play.answer(0, RIGHT);
    play.wait(9_999);
    play.answer(1, RIGHT);
    play.close_and_reveal();
    assert_eq!((play.result(0).gained, play.result(1).gained, play.result(2).gained), (1000, 1000, 0));
    assert_eq!((play.result(0).rank, play.result(1).rank), (1, 1));
    play.round(&[(0, RIGHT), (2, RIGHT)]);
    assert_eq!((play.result(0).gained, play.result(2).gained), (1100, 1000), "a streak is paid all the same");
    play.host(Action::Void { reason: "It does not count.".into() });
    assert_eq!((play.score(0), play.score(1), play.score(2)), (1000, 1000, 0), "what it gave is what is taken back");
    play.end();
    let podium = play.podium();
    assert_eq!((podium.places[0].seat, podium.places[1].seat), (Seat(0), Seat(1)), "the time still breaks ties");
    assert_eq!((podium.places[0].place, podium.places[1].place), (1, 2));
}

#[test]
fn without_points_for_streaks_the_second_right_answer_earns_what_the_first_did() {
    let mut play = Play::new(Settings { streak_points: false, ..points() }, 2, 1);
    play.round(&[(0, RIGHT)]);
    play.round(&[(0, RIGHT)]);
    assert_eq!((play.result(0).gained, play.score(0)), (1000, 2000));
    play.host(Action::Void { reason: "It does not count.".into() });
    assert_eq!(play.score(0), 1000, "what it gave is what is taken back");
}

#[test]
fn a_wrong_or_missing_answer_ends_the_streak() {
    let mut play = Play::new(points(), 4, 2);
    play.round(&[(0, RIGHT), (1, RIGHT)]);
    play.round(&[(0, WRONG)]);
    play.round(&[(0, RIGHT), (1, RIGHT)]);
    assert_eq!((play.result(0).gained, play.result(1).gained), (1000, 1000));
    play.round(&[(0, RIGHT), (1, RIGHT)]);
    assert_eq!((play.result(0).gained, play.result(1).gained), (1100, 1100));
}

#[test]
fn a_pause_costs_no_points() {
    let mut play = Play::new(points(), 1, 1);
    play.ask();
    play.wait(1_000);
    play.host(Action::Pause);
    play.wait(60_000);
    play.host(Action::Resume);
    play.wait(4_000);
    play.answer(0, RIGHT);
    play.close_and_reveal();
    assert_eq!(play.result(0).gained, 750);
}

#[test]
fn the_rank_goes_by_points_among_those_in_play_and_equals_share_it() {
    let mut play = Play::new(Settings { mode: Mode::Both, ..settings() }, 2, 5);
    play.ask();
    play.answer(0, RIGHT);
    play.answer(4, WRONG);
    play.wait(5_000);
    play.answer(1, RIGHT);
    play.answer(2, RIGHT);
    play.wait(4_000);
    play.answer(3, RIGHT);
    play.close_and_reveal();
    assert_eq!([0, 1, 2, 3, 4].map(|seat| play.result(seat).rank), [1, 2, 2, 4, 0]);
}

#[test]
fn with_points_one_can_come_in_while_a_later_question_is_open() {
    let mut play = Play::new(points(), 2, 1);
    play.round(&[(0, RIGHT)]);
    play.ask();
    assert_eq!(play.join(1), Ok(Entry::New));
}

#[test]
fn who_has_no_points_wins_nothing_though_a_place_is_left() {
    let mut play = Play::new(Settings { pot: 1_000, ..points() }, 1, 2);
    play.round(&[(0, RIGHT), (1, WRONG)]);
    let podium = play.end();
    assert_eq!(podium.winners, 1);
    assert!(podium.places.iter().all(|place| place.score > 0 || place.prize == 0), "{podium:?}");
}
