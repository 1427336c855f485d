//! What each is told: players of themselves, the host of all, the archive at the end.

use klaxon_protocol::ids::{ClaimKey, ShowId};

use super::*;
use crate::round::SeatClaim;

#[test]
fn who_comes_in_after_a_pause_is_told_when_the_question_opens_again() {
    let mut play = Play::new(Settings { lead: Span(500), ..settings() }, 1, 1);
    play.ask();
    let sent = play.now;
    assert_eq!(play.game.snapshot(play.now).question.unwrap().opens_at, sent + Span(500));
    play.wait(4_500);
    play.host(Action::Pause);
    play.wait(60_000);
    play.host(Action::Resume);
    let question = play.game.snapshot(play.now).question.unwrap();
    assert_eq!((question.opens_at, question.closes_at), (play.now + Span(500), play.now + Span(6_500)));
}

#[test]
fn the_ten_best_lead_the_standings_wherever_they_sit() {
    let mut play = Play::new(points(), 1, 13);
    play.ask();
    // The later the seat, the faster the answer; two are equal, and one is silent.
    for seat in (2..13).rev() {
        play.answer(seat, RIGHT);
        play.wait(200);
    }
    play.answer(0, WRONG);
    play.close_and_reveal();
    let Some(ToPlayer::Standings(standings)) = play.told.last() else { panic!("{:?}", play.told.last()) };
    let leaders: Vec<_> = standings.leaders.iter().map(|leader| (leader.rank, leader.seat.0, leader.score)).collect();
    let wanted: Vec<_> = (0..10).map(|place| (place + 1, 12 - place, 1000 - 10 * place)).collect();
    assert_eq!(leaders, wanted);
    let last = &standings.leaders[9];
    assert_eq!(last.name.as_str(), "P3");
}

#[test]
fn who_gets_nothing_of_the_pot_is_told_of_no_prize() {
    let mut play = Play::new(Settings { pot: 2, ..settings() }, 1, 4);
    play.round(&[(0, RIGHT), (1, RIGHT), (2, RIGHT)]);
    play.end();
    assert_eq!([0, 1, 2, 3].map(|seat| play.was_told(seat)), [true, true, false, false]);
}

#[test]
fn the_host_sees_how_the_question_goes() {
    let mut play = Play::new(Settings { lead: Span(500), ..settings() }, 3, 3);
    let figures = play.game.figures(play.now);
    assert_eq!((figures.question, figures.total, figures.joined, figures.time_left), (None, 3, 3, None));
    play.ask();
    assert_eq!(play.game.figures(play.now).time_left, Some(Span(10_000)), "it has not opened");
    play.wait(500);
    play.answer(2, RIGHT);
    play.answer(1, WRONG);
    play.wait(1_000);
    let figures = play.game.figures(play.now);
    assert_eq!(
        (figures.question, figures.answers, figures.time_left),
        (Some(QuestionId(1)), vec![1, 1, 0], Some(Span(9_000)))
    );
    let counted = |seat, choice: u8| SeatClaim { seat: Seat(seat), key: ClaimKey(0), value: Choice(choice).into() };
    assert_eq!(play.game.round().map(|round| round.id), Some(QuestionId(1)));
    assert_eq!(play.game.counted(), [counted(1, WRONG), counted(2, RIGHT)]);
    play.close_and_reveal();
    let figures = play.game.figures(play.now);
    assert_eq!((figures.time_left, figures.alive), (None, 1), "its time is over");
}

#[test]
fn the_host_finds_players_and_sees_how_each_stands() {
    let mut play = Play::new(Settings { mode: Mode::Both, lives: 1, ..settings() }, 2, 12);
    play.round(&[(1, RIGHT), (10, WRONG)]);
    play.host(Action::Remove { seat: Seat(11), ban: false });
    let found = play.game.find("p1", 10);
    let lines: Vec<_> =
        found.iter().map(|line| (line.seat.0, line.name.as_str(), line.alive, line.lives, line.score)).collect();
    assert_eq!(lines, [(1, "P1", true, 1, 1000), (10, "P10", true, 0, 0), (11, "P11", false, 0, 0)]);
    assert_eq!(play.game.find("p1", 2).len(), 2, "no more than were asked for");
    assert_eq!(play.game.people.roster.name(Seat(10)).unwrap().as_str(), "P10");
    assert_eq!(play.game.people.roster.player(Seat(10)).unwrap().as_str(), "player 10");
    assert_eq!((play.game.people.roster.name(Seat(12)), play.game.people.roster.player(Seat(12))), (None, None));
}

#[test]
fn a_show_says_what_it_is_called_and_how_long_gateways_are_waited_for() {
    let play = Play::new(Settings { barrier: Span(70), ..settings() }, 1, 0);
    assert_eq!((play.game.title(), play.game.code().as_str(), play.game.barrier()), ("A show", "TEST", Span(70)));
}

#[test]
fn only_the_tokens_of_the_player_who_lost_one_are_revoked() {
    let mut play = Play::new(settings(), 1, 2);
    let players = [0, 1].map(|seat| play.game.people.roster.player(Seat(seat)).unwrap().clone());
    for times in 0..3 {
        assert_eq!([0, 1].map(|player| play.game.people.token_issue(&players[player])), [0, times]);
        play.host(Action::ReissueToken { seat: Seat(1) });
    }
    let dismissed: Vec<_> = play.dismissed.iter().map(|&(at, code)| (at.seat, code)).collect();
    assert_eq!(dismissed, [(Seat(1), ErrorCode::TokenRevoked); 3]);
    assert_eq!(play.try_host(Action::ReissueToken { seat: Seat(2) }), Err(ErrorCode::UnknownSeat));
}

#[test]
fn the_archive_is_told_how_each_question_and_each_player_ended() {
    let mut play = Play::new(Settings { mode: Mode::Both, pot: 9, lives: 1, lead: Span(500), ..settings() }, 4, 4);
    assert_eq!(play.game.results(ShowId(5)), None, "before the end there is nothing to keep");
    let created = play.now;
    let round = |play: &mut Play, answers: &[(u32, u8)]| {
        play.ask();
        play.wait(500);
        for &(seat, choice) in answers {
            play.answer(seat, choice);
        }
        play.close_and_reveal();
    };
    round(&mut play, &[(0, RIGHT), (1, RIGHT), (2, WRONG), (3, RIGHT)]);
    round(&mut play, &[(0, RIGHT), (1, WRONG)]);
    void(&mut play);
    round(&mut play, &[(0, RIGHT), (1, RIGHT)]);
    play.host(Action::Remove { seat: Seat(3), ban: true });
    let asked = play.now;
    play.host(Action::Next);
    play.wait(100);
    play.end();
    let results = play.game.results(ShowId(5)).unwrap();

    let summary = &results.summary;
    assert_eq!((summary.show, summary.code.as_str(), summary.title.as_str()), (ShowId(5), "TEST", "A show"));
    assert_eq!((summary.created_at, summary.ended_at), (created, play.now));
    assert_eq!((summary.joined, summary.pot, summary.paid, summary.rolled_over), (4, 9, 9, 0));
    let questions: Vec<_> = results
        .questions
        .iter()
        .map(|asked| (asked.question.0, asked.right.0, asked.counts.clone(), asked.silent, asked.voided))
        .collect();
    assert_eq!(
        questions,
        [
            (1, RIGHT, vec![1, 3, 0], 0, false),
            (2, RIGHT, vec![1, 1, 0], 2, true),
            (3, RIGHT, vec![0, 2, 0], 2, false),
            (4, RIGHT, vec![0, 0, 0], 0, true),
        ],
        "what was voided, or cut off by the end, does not count"
    );
    let cut_off = &results.questions[3];
    assert_eq!((cut_off.asked_at, cut_off.closed_at), (asked + Span(500), asked + Span(500)), "it never opened");
    let players: Vec<_> = results
        .players
        .iter()
        .map(|one| {
            (one.seat.0, one.name.as_str(), one.alive, one.lives, one.right_answers, one.out_at, one.place, one.prize)
        })
        .collect();
    assert_eq!(
        players,
        [
            (0, "P0", true, 1, 2, None, 1, 5),
            (1, "P1", true, 1, 2, None, 1, 4),
            (2, "P2", false, 0, 0, Some(QuestionId(3)), 3, 0),
            (3, "P3", false, 0, 1, None, 0, 0),
        ]
    );
    assert_eq!(results.players[2].player.as_str(), "player 2");
}

#[test]
fn everybody_is_told_of_themselves_and_not_of_somebody_who_stands_much_like_them() {
    // Lives, points and choices of many values, in many mixtures: seats share a message only if they stand alike.
    let mut play = Play::new(Settings { mode: Mode::Both, lives: 1, ..settings() }, 6, 80);
    for round in 0..4u32 {
        play.ask();
        for seat in 0..80 {
            if (seat + round) % 7 != 0 {
                play.answer(seat, if seat % (round + 2) == 1 { WRONG } else { RIGHT });
            }
            play.wait(seat % 5 * 40);
        }
        play.close_and_reveal();
        for seat in 0..80 {
            let (result, you) = (play.result(seat), play.game.you(Some(Seat(seat))));
            assert_eq!(
                (result.alive, result.lives, result.score, result.rank),
                (you.alive, you.lives, you.score, you.rank)
            );
        }
        for seat in 0..40u8 {
            let lives = Action::GiveLives { seat: Some(Seat(seat.into())), lives: seat % 4 * 30 + 1 };
            let _ = play.try_host(lives);
        }
        play.host(Action::GiveLives { seat: None, lives: 1 });
        let alive = play.alive();
        for seat in 0..80 {
            assert_eq!(play.was_told(seat), alive.contains(&seat));
        }
        for seat in alive {
            assert_eq!(play.told_you(seat), play.game.you(Some(Seat(seat))));
        }
    }
    void(&mut play);
    (0..80).for_each(|seat| assert_eq!(play.told_you(seat), play.game.you(Some(Seat(seat)))));
}

#[test]
fn those_who_did_the_same_with_other_lives_are_told_their_own() {
    let mut play = Play::new(Settings { lives: 1, ..settings() }, 1, 2);
    play.host(Action::GiveLives { seat: Some(Seat(1)), lives: 3 });
    play.round(&[(0, RIGHT), (1, RIGHT)]);
    assert_eq!((play.result(0).lives, play.result(1).lives), (1, 4));
}
