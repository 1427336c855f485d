//! Seats that are given to other players: what a server may do and what not.

use klaxon_protocol::claim::Verdict;
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::games::trivia::{Answer, AnswerReply, Choice, Settings};
use klaxon_protocol::host::Action;
use klaxon_protocol::ids::Seat;
use klaxon_protocol::journal::{Command, CountedAnswer};
use klaxon_protocol::player::{FromPlayer, ToPlayer};
use klaxon_protocol::time::Millis;

use crate::show::{RIGHT, Show};
use crate::{assert_broken, judge, told};

/// A show of four players with all seats taken.
fn full() -> Show {
    let mut show = Show::new(Settings { pot: 100, seats: 4, ..Settings::default() });
    for _ in 0..4 {
        show.join();
    }
    show
}

fn play_on(show: &mut Show) {
    show.close();
    show.reveal();
    show.end();
}

fn send(show: &mut Show, connection: usize, choice: Choice) {
    let question = show.question();
    show.send(connection, FromPlayer::Answer(Answer { question, choice }));
}

fn receive(show: &mut Show, connection: usize, verdict: Verdict) {
    let reply = AnswerReply::new(show.question(), &verdict);
    show.wait(2);
    show.receive(connection, ToPlayer::AnswerReply(reply));
}

#[track_caller]
fn assert_clean(show: &Show) {
    let audit = judge(show);
    assert!(audit.clean(), "{:#?}", told(&audit));
}

#[test]
fn a_seat_that_is_given_again_before_the_first_question_is_the_new_players() {
    let mut show = full();
    let before = show.connection_of(0);
    for seat in [0, 2] {
        let connection = show.connection_of(seat);
        show.send(connection, FromPlayer::Leave);
        show.hang_up(seat);
        show.reseat(seat);
    }
    show.ask();
    for seat in 0..3 {
        show.answer(seat, RIGHT);
    }
    // An answer of the seat's earlier player, which was read after the seat had been given away.
    send(&mut show, before, RIGHT);
    receive(&mut show, before, Verdict::Refused(ErrorCode::SeatGivenAway));
    show.hang_up(2);
    show.come_back(2);
    play_on(&mut show);
    assert_clean(&show);
}

#[test]
fn an_answer_of_the_one_before_that_counts_for_the_new_player_is_found() {
    for is_told in [true, false] {
        let mut show = full();
        let before = show.connection_of(0);
        show.reseat(0);
        show.ask();
        show.answer(1, RIGHT);
        send(&mut show, before, RIGHT);
        let (question, at) = (show.question(), Millis(show.now));
        let answers = vec![CountedAnswer { seat: Seat(0), choice: RIGHT, at }];
        show.record(Command::Answers { question, answers }, vec![]);
        if is_told {
            receive(&mut show, before, Verdict::Accepted(RIGHT.into()));
        }
        play_on(&mut show);
        let audit = judge(&show);
        assert_broken(&audit, 1, "counts for seat 0, which had been given to another player");
        if is_told {
            assert_broken(&audit, 1, "an answer of one without a seat counts");
            assert_broken(&audit, 10, "no such reply by the book");
        }
    }
}

#[test]
fn who_has_the_seat_is_not_told_that_it_was_given_away_and_who_lost_it_hears_nothing_more() {
    let mut show = full();
    let (before, other) = (show.connection_of(0), show.connection_of(1));
    show.reseat(0);
    show.ask();
    show.answer(2, RIGHT);
    send(&mut show, other, RIGHT);
    receive(&mut show, other, Verdict::Refused(ErrorCode::SeatGivenAway));
    let event = show.records.iter().rev().find_map(|record| record.events.first().cloned());
    show.receive(before, event.unwrap());
    play_on(&mut show);
    let audit = judge(&show);
    assert_broken(&audit, 10, "refused as seat_given_away, which was not so");
    assert_broken(&audit, 10, "receives the show on, and the seat was given to another player");
}

#[test]
fn the_seat_of_a_player_who_is_there_is_not_given_away() {
    let mut show = full();
    show.reseat(2);
    show.ask();
    show.answer(1, RIGHT);
    play_on(&mut show);
    assert_broken(&judge(&show), 9, "stayed, and did not see the end of the show");
}

#[test]
fn an_old_token_that_opens_the_new_players_seat_is_found() {
    let mut show = full();
    show.hang_up(0);
    show.reseat(0);
    show.wait(5000);
    let back = show.come_back(0);
    show.change_received(|connection, message| {
        if let (true, ToPlayer::Welcome(welcome)) = (connection == back, message) {
            welcome.name = klaxon_protocol::ids::Name::parse("Player 0").unwrap();
        }
    });
    show.ask();
    show.answer(1, RIGHT);
    play_on(&mut show);
    assert_broken(&judge(&show), 10, "welcomed as Player 0");
}

#[test]
fn a_seat_that_is_given_again_when_it_may_not_be_is_found() {
    let mut show = full();
    show.ask();
    show.answer(1, RIGHT);
    show.reseat(0);
    play_on(&mut show);
    assert_broken(&judge(&show), 10, "seat 0 is given again, and the first question was asked");

    let mut show = Show::new(Settings { pot: 100, ..Settings::default() });
    for _ in 0..4 {
        show.join();
    }
    show.reseat(0);
    show.ask();
    show.answer(1, RIGHT);
    play_on(&mut show);
    assert_broken(&judge(&show), 10, "seat 0 is given again, and there are others");
}

#[test]
fn a_new_player_past_the_seats_or_through_a_locked_lobby_is_found_and_raised_seats_are_there() {
    let mut show = full();
    show.join();
    show.ask();
    show.answer(1, RIGHT);
    play_on(&mut show);
    assert_broken(&judge(&show), 10, "all 4 are taken");

    for (unlocks, seats) in [(false, 5), (true, 5)] {
        let mut show = full();
        show.quietly(Action::SetSeats { seats });
        show.quietly(Action::LockLobby { on: true });
        if unlocks {
            show.quietly(Action::LockLobby { on: false });
        }
        show.join();
        show.ask();
        show.answer(1, RIGHT);
        play_on(&mut show);
        match unlocks {
            true => assert_clean(&show),
            false => assert_broken(&judge(&show), 10, "the lobby is locked"),
        }
    }
    let mut show = full();
    show.quietly(Action::SetSeats { seats: 3 });
    show.ask();
    show.answer(1, RIGHT);
    play_on(&mut show);
    assert_broken(&judge(&show), 10, "3 seats instead of 4");
}

/// A show with a player who is removed in the first question and restored after its reveal.
fn restored(out_at: Option<u16>) -> Show {
    let mut show = full();
    show.ask();
    show.answer(0, RIGHT);
    show.answer(2, RIGHT);
    show.remove(1);
    show.close();
    show.reveal();
    show.restore(1, out_at);
    show.come_back(1);
    show.ask();
    for seat in [0, 2] {
        show.answer(seat, RIGHT);
    }
    if out_at.is_none() {
        show.answer(1, RIGHT);
    }
    play_on(&mut show);
    show
}

#[test]
fn a_restored_player_who_missed_a_reveal_is_out_by_it_and_reviving_them_is_found() {
    assert_clean(&restored(Some(1)));
    let audit = judge(&restored(None));
    assert_broken(&audit, 10, "own state is another by the book");
    assert_broken(&audit, 10, "is another by the book, which has");
}

#[test]
fn restoring_one_who_is_not_removed_and_a_new_seat_for_one_who_was_are_found() {
    let mut show = full();
    show.quietly(Action::Restore { seat: Seat(1) });
    show.ask();
    show.answer(1, RIGHT);
    play_on(&mut show);
    assert_broken(&judge(&show), 10, "the player of seat 1 is not removed");

    let mut show = full();
    show.remove(0);
    // Given to the same guest who was removed.
    show.reseat(0);
    if let Some(Command::Reseat { player, .. }) = show.records.last_mut().map(|record| &mut record.command) {
        *player = klaxon_protocol::ids::PlayerId::parse("guest-0").unwrap();
    }
    show.ask();
    show.answer(1, RIGHT);
    play_on(&mut show);
    assert_broken(&judge(&show), 10, "guest-0 has a seat already");
}
