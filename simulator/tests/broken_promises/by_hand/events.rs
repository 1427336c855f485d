//! Promises 5, 6 and 7: the events without gaps, the money, the journal.

use klaxon_protocol::games::trivia::Settings;
use klaxon_protocol::ids::{Seat, Seq};
use klaxon_protocol::player::{Notice, Podium, Prize, ToPlayer};
use klaxon_protocol::time::Millis;
use klaxon_simulator::audit::{Audit, AuditOptions, audit};
use klaxon_simulator::swarm::replay::ReplayCommand;

use crate::show::{RIGHT, Show};
use crate::{assert_broken, judge, told};

#[test]
fn a_dropped_event_is_found() {
    let mut show = Show::played();
    show.lose(|connection, message| connection == 3 && message.seq() == Some(Seq(3)));
    assert_broken(&judge(&show), 5, "event 4 came where 3 was next");
}

#[test]
fn an_event_told_twice_is_found() {
    let mut show = Show::played();
    let end = ToPlayer::End(klaxon_protocol::player::Mark { seq: Seq(12), at: Millis(show.now) });
    show.receive(3, end);
    assert_broken(&judge(&show), 5, "came where");
}

#[test]
fn events_without_a_snapshot_are_found() {
    let mut show = Show::played();
    show.lose(|connection, message| connection == 2 && matches!(message, ToPlayer::Snapshot(_)));
    assert_broken(&judge(&show), 5, "before any snapshot");
}

#[test]
fn an_end_that_never_comes_is_found() {
    let mut show = Show::played();
    show.lose(|connection, message| connection == 4 && matches!(message, ToPlayer::End(_)));
    assert_broken(&judge(&show), 5, "never came");
}

#[test]
fn an_event_that_differs_from_the_journal_is_found() {
    let mut show = Show::played();
    show.change_received(|connection, message| {
        if let (ToPlayer::Question(question), 1) = (message, connection) {
            question.closes_at.0 += 1;
        }
    });
    assert_broken(&judge(&show), 5, "is another in the journal");
}

#[test]
fn an_event_that_is_not_in_the_journal_is_found() {
    let mut show = Show::played();
    let notice = Notice { seq: Seq(99), at: Millis(show.now), text: "Hello".into() };
    show.receive(1, ToPlayer::Notice(notice));
    assert_broken(&judge(&show), 5, "is not in the journal");
}

#[test]
fn a_reveal_without_a_result_and_a_result_without_a_reveal_are_found() {
    let mut show = Show::played();
    show.lose(|connection, message| connection == 0 && matches!(message, ToPlayer::Result(_)));
    assert_broken(&judge(&show), 5, "no result followed");
    let mut show = Show::played();
    show.lose(|connection, message| connection == 0 && matches!(message, ToPlayer::Reveal(_)));
    assert_broken(&judge(&show), 5, "does not follow its reveal");
}

#[test]
fn a_snapshot_without_the_players_own_state_is_found() {
    let mut show = Show::played();
    show.lose(|connection, message| connection == 7 && matches!(message, ToPlayer::You(_)));
    assert_broken(&judge(&show), 5, "did not follow the snapshot");
}

#[test]
fn a_void_without_the_players_own_state_is_found() {
    let mut show = Show::new(Settings::default());
    show.join();
    show.ask();
    show.answer(0, RIGHT);
    show.void();
    show.lose(|_, message| matches!(message, ToPlayer::You(you) if you.answered.is_some()));
    show.ask();
    assert_broken(&judge(&show), 5, "did not follow the snapshot or void");
}

#[test]
fn a_hole_in_the_journals_own_events_is_found() {
    let mut show = Show::played();
    for record in &mut show.records {
        record.events.retain(|event| event.seq() != Some(Seq(4)));
    }
    assert_broken(&judge(&show), 5, "the journal's event 4 has the number 5");
}

/// Changes the podium in the journal and in all connections, like a server that calculates wrongly.
fn change_podium(show: &mut Show, change: impl Fn(&mut Podium)) {
    let change = |message: &mut ToPlayer| {
        if let ToPlayer::Podium(podium) = message {
            change(podium);
        }
    };
    show.change_received(|_, message| change(message));
    show.records.iter_mut().flat_map(|record| &mut record.events).for_each(change);
}

#[test]
fn a_pot_that_does_not_add_up_is_found() {
    let mut show = Show::played();
    change_podium(&mut show, |podium| podium.rolled_over += 1);
    assert_broken(&judge(&show), 6, "are not the pot of 1001");
}

#[test]
fn another_pot_than_was_set_is_found() {
    let mut show = Show::played();
    change_podium(&mut show, |podium| {
        podium.pot += 1;
        podium.rolled_over += 1;
    });
    assert_broken(&judge(&show), 6, "the pot was set to 1001");
}

#[test]
fn places_that_win_more_than_is_paid_are_found() {
    let mut show = Show::played();
    change_podium(&mut show, |podium| podium.places[0].prize += 1);
    let audit = judge(&show);
    assert_broken(&audit, 6, "the places win 1002, 1001 are paid");
    assert_broken(&audit, 6, "is not an even share");
}

#[test]
fn equals_that_win_unequal_prizes_are_found() {
    let mut show = Show::played();
    change_podium(&mut show, |podium| {
        podium.places[1].place = 1;
        podium.places[0].prize += 3;
        podium.places[1].prize -= 3;
    });
    assert_broken(&judge(&show), 6, "and place 1 after it");
}

#[test]
fn a_prize_off_by_one_is_found() {
    let mut show = Show::played();
    show.change_received(|connection, message| {
        if let (ToPlayer::Prize(prize), 0) = (message, connection) {
            prize.amount += 1;
        }
    });
    let audit = judge(&show);
    assert_broken(&audit, 6, "told of a prize of 335, the podium says Some(334)");
    assert_broken(&audit, 6, "players were told of 1002 in all");
}

#[test]
fn a_winner_who_is_not_told_is_found() {
    let mut show = Show::played();
    show.lose(|connection, message| connection == 0 && matches!(message, ToPlayer::Prize(_)));
    assert_broken(&judge(&show), 6, "won 334, and was not told");
}

#[test]
fn a_prize_for_one_who_is_out_is_found() {
    let mut show = Show::played();
    change_podium(&mut show, |podium| podium.places[2].seat = Seat(3));
    show.receive(3, ToPlayer::Prize(Prize { amount: 333, currency: "EUR".into() }));
    assert_broken(&judge(&show), 6, "is out, and is paid");
}

#[test]
fn a_pot_that_is_paid_where_it_should_roll_over_is_found() {
    let mut show = Show::new(Settings { pot: 10, ..Settings::default() });
    show.join();
    show.ask();
    show.answer(0, RIGHT);
    show.close();
    show.reveal();
    show.end();
    for record in &mut show.records {
        for event in &mut record.events {
            if let ToPlayer::Reveal(reveal) = event {
                reveal.alive = 0;
            }
        }
    }
    assert_broken(&judge(&show), 6, "nobody was left");
}

#[test]
fn records_out_of_order_are_found() {
    let mut show = Show::played();
    show.records[5].number = 7;
    assert_broken(&judge(&show), 7, "record 5 has the number 7");
    let mut show = Show::played();
    show.records[9].at = Millis(1);
    assert_broken(&judge(&show), 7, "goes back");
}

#[test]
fn a_damaged_and_a_torn_journal_are_found() {
    let mut evidence = Show::played().evidence();
    let middle = evidence.journal.len() / 2;
    evidence.journal[middle] ^= 1;
    assert_broken(&audit(&evidence, &AuditOptions::default()), 7, "is damaged");
    let mut evidence = Show::played().evidence();
    evidence.journal.truncate(evidence.journal.len() - 1);
    assert_broken(&audit(&evidence, &AuditOptions::default()), 7, "was cut short");
}

/// The audit of a faultless show whose journal this command replays.
fn replayed(command: &ReplayCommand) -> Audit {
    let mut evidence = Show::played().evidence();
    evidence.replay = Some(command.run(&evidence.journal, &evidence.people));
    audit(&evidence, &AuditOptions::default())
}

/// A replay command as a shell script; `$0` is the journal's path.
fn shell(script: &str) -> ReplayCommand {
    ReplayCommand { program: "/bin/sh".into(), arguments: vec!["-c".into(), script.into()] }
}

#[test]
fn the_replays_exit_code_and_last_words_are_heard() {
    let fine = replayed(&shell("test -s \"$0\" && echo one && echo 42 records, all identical"));
    assert!(fine.clean(), "{:#?}", told(&fine));
    let figure = ("replayed".to_owned(), "42 records, all identical".to_owned());
    assert!(fine.findings[6].figures.contains(&figure), "{:?}", fine.findings[6]);
    let differs = replayed(&shell("echo record 7 differs >&2; exit 1"));
    assert_broken(&differs, 7, "record 7 differs");
    let absent = ReplayCommand::of_klaxon("/nonexistent/klaxon".into());
    assert_broken(&replayed(&absent), 7, "could not be run");
}

#[test]
fn nothing_was_checked_where_there_is_nothing() {
    let audit = audit(&klaxon_simulator::evidence::Evidence::default(), &AuditOptions::default());
    assert!(audit.findings.iter().all(|finding| finding.checked == 0), "{audit:?}");
    assert!(!audit.clean());
    let mut unanswered = Show::new(Settings::default());
    unanswered.join();
    assert!(!judge(&unanswered).clean());
}
