//! Promises 8 and 9: no player is delayed, and the show goes on after a kill.

use std::time::Duration;

use klaxon_protocol::error::{ErrorCode, ErrorMessage};
use klaxon_protocol::player::{Emoji, FromPlayer, React, ToPlayer};
use klaxon_simulator::audit::{AuditOptions, audit};
use klaxon_simulator::evidence::Micros;

use crate::show::{Line, Show};
use crate::{assert_broken, judge, server_killed, told};

#[test]
fn memory_that_grows_with_nobody_to_show_for_it_is_found() {
    let mut show = Show::played();
    show.measure(200 << 20);
    assert_broken(&judge(&show), 8, "for 6 players");
}

#[test]
fn a_reply_that_takes_too_long_is_found() {
    let show = Show::played();
    let options = AuditOptions { reply_limit: Duration::from_micros(100), ..AuditOptions::default() };
    assert_broken(&audit(&show.evidence(), &options), 8, "the reply to choice 1 took");
}

#[test]
fn an_honest_player_cut_off_as_too_slow_is_found_and_a_slow_one_may_be() {
    let mut show = Show::played();
    show.receive(2, ToPlayer::Error(ErrorMessage::from(ErrorCode::TooSlow)));
    assert_broken(&judge(&show), 8, "cut off as too slow");
    show.connections[2].honest = false;
    assert!(judge(&show).clean());
}

/// A show in which a cheat sends this many emojis at once in the middle, and stays connected to the end.
fn flood(count: usize) -> (Show, usize) {
    let mut show = Show::played();
    let cheat = show.connections.len() - 3;
    show.connections[cheat].honest = false;
    let (start, _) = show.connections[cheat].lines[2];
    let react = Line::Sent(FromPlayer::React(React { emoji: Emoji::Fire }));
    let flood = (0..count as u64).map(|number| (Micros(start.0 + number), react.clone()));
    show.connections[cheat].lines.splice(3..3, flood);
    (show, cheat)
}

#[test]
fn a_flood_that_nobody_refuses_is_found() {
    let (show, _) = flood(500);
    assert_broken(&judge(&show), 8, "none refused");
    assert!(judge(&flood(50).0).clean());
}

#[test]
fn a_flood_that_is_refused_or_cut_off_is_no_fault() {
    let (mut show, cheat) = flood(500);
    show.connections[cheat].close_code = Some(4000);
    assert!(judge(&show).clean());
    let (mut show, cheat) = flood(500);
    show.receive(cheat, ToPlayer::Error(ErrorMessage::from(ErrorCode::RateLimited)));
    assert!(judge(&show).clean());
}

#[test]
fn too_large_a_message_without_consequence_is_found() {
    let mut show = Show::played();
    let cheat = &mut show.connections[5];
    cheat.honest = false;
    let last = cheat.lines.iter().rposition(|(_, line)| matches!(line, Line::Sent(_))).unwrap();
    let (at, _) = cheat.lines[last + 1];
    cheat.lines.insert(last + 2, (at, Line::SentBytes(vec![b' '; 5000])));
    assert_broken(&judge(&show), 8, "too large a message");
    show.connections[5].lines.truncate(last + 3);
    assert!(judge(&show).clean());
}

/// A show with a kill in the second question; seat 1 has reconnected after it, all others did not notice it.
fn killed() -> (Show, AuditOptions) {
    let show = Show::played();
    let (back, _) = show.connections[7].lines[0];
    let options = AuditOptions { faults: vec![server_killed(Micros(back.0 - 1000), 2)], ..AuditOptions::default() };
    (show, options)
}

#[test]
fn players_who_do_not_come_back_after_a_kill_are_found() {
    let (show, options) = killed();
    let audit = audit(&show.evidence(), &options);
    assert_broken(&audit, 9, "did not come back");
    let back = Some(1);
    assert!(audit.findings[8].violations.iter().all(|violation| violation.player != back), "{:#?}", told(&audit));
}

#[test]
fn a_kill_that_all_come_back_from_is_no_fault() {
    let (mut show, options) = killed();
    let kill = options.faults[0].from;
    for connection in &mut show.connections {
        let gone = connection
            .lines
            .iter()
            .any(|(at, line)| *at > kill && matches!(line, Line::Received(ToPlayer::Snapshot(_))));
        connection.honest = gone;
    }
    let audit = audit(&show.evidence(), &options);
    assert!(audit.clean(), "{:#?}", told(&audit));
    assert_eq!(audit.findings.len(), 10);
}

#[test]
fn a_show_that_does_not_end_after_a_kill_is_found() {
    let (mut show, options) = killed();
    show.lose(|connection, message| connection >= 6 && matches!(message, ToPlayer::End(_)));
    for record in &mut show.records {
        record.events.retain(|event| !matches!(event, ToPlayer::End(_)));
    }
    let audit = audit(&show.evidence(), &options);
    assert_broken(&audit, 9, "no end of the show");
    assert_broken(&audit, 9, "did not see the end");
}
