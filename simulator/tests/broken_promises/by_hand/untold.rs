//! Promises 5 and 10: the audit reports messages that the protocol requires and that were not sent.

use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::games::trivia::Settings;
use klaxon_protocol::player::{FromPlayer, Lobby, Ping, Pong, ToPlayer};
use klaxon_protocol::time::Millis;
use klaxon_simulator::audit::{Audit, AuditOptions, audit};
use klaxon_simulator::evidence::Micros;

use crate::show::{RIGHT, Show};
use crate::{assert_broken, judge, server_killed, told};

/// A show with a pause during which a player reconnects, lives for one player and for all, a void, a removed player,
/// and a spectator.
fn eventful() -> Show {
    let mut show = Show::new(Settings { pot: 1001, ..Settings::default() });
    for _ in 0..6 {
        show.join();
    }
    show.watch();
    show.ask();
    for seat in 0..5 {
        show.answer(seat, RIGHT);
    }
    show.pause();
    show.wait(700);
    show.come_back(1);
    show.wait(700);
    show.resume();
    show.wait(1000);
    show.close();
    show.reveal();
    show.give_life(Some(2));
    show.give_life(None);
    show.ask();
    show.answer(0, RIGHT);
    show.remove(4);
    show.void();
    show.ask();
    show.answer(0, RIGHT);
    show.answer(1, RIGHT);
    show.close();
    show.reveal();
    show.end();
    show
}

/// Checks that removing the messages that `gone` selects violates this promise, even if other promises are violated,
/// too.
#[track_caller]
fn missed(promise: u8, words: &str, gone: impl FnMut(usize, &ToPlayer) -> bool) {
    let mut show = eventful();
    show.lose(gone);
    assert_broken(&judge(&show), promise, words);
}

/// The promise that is violated without a message, the words of the violation, and a test for the message.
type Kind = (u8, &'static str, fn(&ToPlayer) -> bool);

/// A predicate that is true only for the match with this number, from 1.
fn nth<'a>(number: usize, is: impl Fn(usize, &ToPlayer) -> bool + 'a) -> impl FnMut(usize, &ToPlayer) -> bool + 'a {
    let mut count = 0;
    move |connection, message| {
        count += usize::from(is(connection, message));
        is(connection, message) && count == number
    }
}

#[test]
fn where_all_is_told_nothing_is_missed() {
    let audit = judge(&eventful());
    assert_eq!(told(&audit), Vec::<String>::new());
}

#[test]
fn the_time_that_is_left_is_missed_by_one_who_came_back_in_a_pause() {
    missed(5, "the time that is left did not follow", |_, message| matches!(message, ToPlayer::Paused(_)));
}

#[test]
fn the_state_of_lives_that_were_given_is_missed_each_time() {
    // Seat 2 receives its state when it joins, then for its own life, for everyone's, and for the void.
    let state = |connection, message: &ToPlayer| connection == 2 && matches!(message, ToPlayer::You(_));
    for number in [2, 3] {
        missed(10, "was given lives, and was not told", nth(number, state));
    }
    missed(5, "the player's own state did not follow", nth(4, state));
    let state = |connection, message: &ToPlayer| connection == 0 && matches!(message, ToPlayer::You(_));
    missed(10, "was given lives, and was not told", nth(2, state));
}

#[test]
fn lives_are_not_missed_by_one_who_is_away_fell_behind_or_came_when_a_process_was_killed_or_stopped() {
    let mut show = eventful();
    let state = |connection, message: &ToPlayer| connection == 2 && matches!(message, ToPlayer::You(_));
    show.lose(nth(3, state));
    let given = show.records.iter().find(|record| format!("{record:?}").contains("GiveLives")).unwrap();
    let at = Micros(given.at.0 * 1000);
    let mut away = show.clone();
    away.connections[2].lines.retain(|(then, _)| *then < at);
    let mine = |audit: &Audit| told(audit).iter().any(|line| line.contains("was given lives"));
    assert!(mine(&judge(&show)) && !mine(&judge(&away)));
    let faults = vec![server_killed(at, 2)];
    let options = AuditOptions { faults, ..AuditOptions::default() };
    assert!(!mine(&audit(&show.evidence(), &options)));
}

#[test]
fn who_watches_misses_their_state_too() {
    missed(5, "the player's own state did not follow", |connection, message| {
        connection == 6 && matches!(message, ToPlayer::You(_))
    });
}

#[test]
fn what_should_come_last_is_missed_though_nothing_follows() {
    let mut show = Show::new(Settings::default());
    for _ in 0..4 {
        show.join();
    }
    show.ask();
    show.answer(0, RIGHT);
    show.close();
    show.reveal();
    let quiet = |show: &mut Show| {
        show.wait(10_000);
        for connection in 0..show.connections.len() {
            show.receive(connection, ToPlayer::Lobby(Lobby { joined: 4 }));
        }
    };
    let mut silent = show.clone();
    quiet(&mut silent);
    silent.lose(|_, message| matches!(message, ToPlayer::Result(_)));
    assert_broken(&judge(&silent), 5, "no result followed the reveal of question 1");
    show.come_back(0);
    quiet(&mut show);
    let newest = show.connections.len() - 1;
    show.lose(|connection, message| {
        connection == newest && matches!(message, ToPlayer::Snapshot(_) | ToPlayer::You(_))
    });
    assert_broken(&judge(&show), 5, "no snapshot followed the welcome");
}

#[test]
fn who_is_displaced_or_removed_misses_to_be_told() {
    let is = |code, message: &ToPlayer| matches!(message, ToPlayer::Error(error) if error.code == code);
    // The older connection stays open long after it.
    let mut show = eventful();
    show.lose(|_, message| is(ErrorCode::Displaced, message));
    show.receive(1, ToPlayer::Lobby(Lobby { joined: 6 }));
    assert_broken(&judge(&show), 10, "and this one was not told");
    let mut show = eventful();
    show.lose(|_, message| is(ErrorCode::Removed, message));
    assert_broken(&judge(&show), 10, "closed with 4004, and the error that says why did not come before");
    show.connections[4].close_code = None;
    show.receive(4, ToPlayer::Lobby(Lobby { joined: 6 }));
    assert_broken(&judge(&show), 10, "was removed by the host, and was not told");
}

#[test]
fn a_goodbye_and_a_word_of_being_too_slow_are_missed() {
    for (code, words) in [(1012, "closed with 1012, and goodbye did not"), (4008, "closed with 4008")] {
        let mut show = eventful();
        show.connections[3].close_code = Some(code);
        assert_broken(&judge(&show), 10, words);
    }
}

#[test]
fn a_ping_and_a_join_without_an_answer_are_missed() {
    let mut show = Show::new(Settings::default());
    for _ in 0..4 {
        show.join();
    }
    for sent in [5, 6] {
        show.send(0, FromPlayer::Ping(Ping { sent: Millis(sent) }));
    }
    let now = Millis(show.now);
    show.receive(0, ToPlayer::Pong(Pong { sent: Millis(6), now }));
    show.ask();
    show.answer(0, RIGHT);
    show.close();
    show.reveal();
    show.end();
    assert_broken(&judge(&show), 10, "a ping had no answer");
    let mut show = eventful();
    show.lose(|connection, message| connection == 6 && !matches!(message, ToPlayer::Lobby(_)));
    assert_broken(&judge(&show), 10, "a join had no answer");
}

#[test]
fn what_was_missed_before_is_missed_still() {
    let kinds: [Kind; 7] = [
        (5, "came where", |message| matches!(message, ToPlayer::Pause(_))),
        (5, "came where", |message| matches!(message, ToPlayer::Resume(_))),
        (5, "came where", |message| matches!(message, ToPlayer::Void(_))),
        (5, "no result followed", |message| matches!(message, ToPlayer::Result(_))),
        (10, "and was not told", |message| matches!(message, ToPlayer::Prize(_))),
        (5, "this event never came", |message| matches!(message, ToPlayer::End(_))),
        (8, "had no reply", |message| matches!(message, ToPlayer::AnswerReply(_))),
    ];
    for (promise, words, is) in kinds {
        missed(promise, words, |_, message| is(message));
    }
    let mut show = eventful();
    show.change_received(|_, message| {
        if let ToPlayer::You(you) = message {
            you.answered = None;
        }
    });
    assert_broken(&judge(&show), 10, "own state is another by the book");
}
