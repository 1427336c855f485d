//! Promise 10: the audit finds every difference from the rules, however small.

use klaxon_protocol::claim::Verdict;
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::games::trivia::AnswerReply;
use klaxon_protocol::ids::{Name, Seq};
use klaxon_protocol::player::ToPlayer;

use crate::show::{RIGHT, Show};
use crate::{assert_broken, judge};

/// The words of the violation, and a change to a received message that causes it.
type Change = (&'static str, fn(&mut ToPlayer));

const STATE: &str = "own state is another by the book";
const RESULT: &str = "the result is another by the book";
const EVENT: &str = "is another by the book, which has";
const SNAPSHOT: &str = "the snapshot was never true";

const CHANGES: &[Change] = &[
    (RESULT, |message| {
        if let ToPlayer::Result(result) = message {
            result.gained += 10
        }
    }),
    (RESULT, |message| {
        if let ToPlayer::Result(result) = message {
            result.score += 10
        }
    }),
    (RESULT, |message| {
        if let ToPlayer::Result(result) = message {
            result.rank += 1
        }
    }),
    (RESULT, |message| {
        if let ToPlayer::Result(result) = message {
            result.lives += 1
        }
    }),
    (RESULT, |message| {
        if let ToPlayer::Result(result) = message {
            result.alive = !result.alive
        }
    }),
    (STATE, |message| {
        if let ToPlayer::You(you) = message {
            you.lives += 1
        }
    }),
    (STATE, |message| {
        if let ToPlayer::You(you) = message {
            you.score += 10
        }
    }),
    (STATE, |message| {
        if let ToPlayer::You(you) = message {
            you.rank += 1
        }
    }),
    (STATE, |message| {
        if let ToPlayer::You(you) = message {
            you.alive = !you.alive
        }
    }),
    (STATE, |message| {
        if let ToPlayer::You(you) = message {
            you.prize = Some(0)
        }
    }),
    (EVENT, |message| {
        if let ToPlayer::Reveal(reveal) = message {
            reveal.silent += 1
        }
    }),
    (EVENT, |message| {
        if let ToPlayer::Reveal(reveal) = message {
            reveal.alive += 1
        }
    }),
    (EVENT, |message| {
        if let ToPlayer::Reveal(reveal) = message {
            reveal.counts.swap(1, 2)
        }
    }),
    (EVENT, |message| {
        if let ToPlayer::Reveal(reveal) = message {
            reveal.right.0 += 1
        }
    }),
    (EVENT, |message| {
        if let ToPlayer::Question(question) = message {
            question.total += 1
        }
    }),
    (EVENT, |message| {
        if let ToPlayer::Close(close) = message {
            close.at.0 += 1
        }
    }),
    (EVENT, |message| {
        if let ToPlayer::Podium(podium) = message {
            podium.winners += 1
        }
    }),
    (EVENT, |message| {
        if let ToPlayer::Podium(podium) = message {
            podium.places[1].place = 1
        }
    }),
    (EVENT, |message| {
        if let ToPlayer::Podium(podium) = message {
            podium.places[0].score += 10
        }
    }),
    (EVENT, |message| {
        if let ToPlayer::Podium(podium) = message {
            podium.currency = "USD".into()
        }
    }),
    (EVENT, |message| {
        if let ToPlayer::Podium(podium) = message {
            podium.places[0].prize -= 1;
            podium.places[2].prize += 1;
        }
    }),
    (EVENT, |message| {
        if let ToPlayer::Podium(podium) = message {
            podium.places.truncate(5)
        }
    }),
    (SNAPSHOT, |message| {
        if let ToPlayer::Snapshot(snapshot) = message {
            snapshot.joined += 1
        }
    }),
    (SNAPSHOT, |message| {
        if let ToPlayer::Snapshot(snapshot) = message {
            snapshot.alive += 1
        }
    }),
    (SNAPSHOT, |message| {
        if let ToPlayer::Snapshot(snapshot) = message {
            snapshot.pot += 1
        }
    }),
    (SNAPSHOT, |message| {
        if let ToPlayer::Snapshot(snapshot) = message {
            snapshot.total += 1
        }
    }),
    (SNAPSHOT, |message| {
        if let ToPlayer::Snapshot(snapshot) = message {
            snapshot.voided = true
        }
    }),
    ("the prize is", |message| {
        if let ToPlayer::Prize(prize) = message {
            prize.amount += 1
        }
    }),
    ("the prize is", |message| {
        if let ToPlayer::Prize(prize) = message {
            prize.currency = "USD".into()
        }
    }),
    ("welcomed as", |message| {
        if let ToPlayer::Welcome(welcome) = message {
            welcome.name = Name::parse("Somebody").unwrap();
        }
    }),
    ("have joined, by the book", |message| {
        if let ToPlayer::Lobby(lobby) = message {
            lobby.joined += 1
        }
    }),
    ("refused as too_early, which was not so", |message| {
        if let ToPlayer::AnswerReply(reply) = message
            && reply.code == Some(ErrorCode::TooLate)
        {
            *reply = AnswerReply::new(reply.question, &Verdict::Refused(ErrorCode::TooEarly));
        }
    }),
    ("refused as voided, which was not so", |message| {
        if let ToPlayer::AnswerReply(reply) = message
            && reply.accepted
        {
            *reply = AnswerReply::new(reply.question, &Verdict::Refused(ErrorCode::Voided));
        }
    }),
    ("no such reply by the book", |message| {
        if let ToPlayer::AnswerReply(reply) = message
            && reply.accepted
        {
            *reply = AnswerReply::new(reply.question, &Verdict::AlreadyAnswered(RIGHT.into()));
        }
    }),
];

#[test]
fn whatever_is_told_otherwise_than_the_book_has_it_is_found() {
    for (number, (words, change)) in CHANGES.iter().enumerate() {
        let mut show = Show::played();
        show.change_received(|_, message| change(message));
        let audit = judge(&show);
        assert!(audit.broken().contains(&10), "change {number}: {words}");
        assert_broken(&audit, 10, words);
    }
}

#[test]
fn what_the_journal_and_everybody_agree_on_is_held_against_the_book_too() {
    let less = |message: &mut ToPlayer| {
        if let ToPlayer::Reveal(reveal) = message
            && reveal.seq > Seq(4)
        {
            reveal.silent += 1;
        }
    };
    let mut show = Show::played();
    show.change_received(|_, message| less(message));
    show.records.iter_mut().flat_map(|record| &mut record.events).for_each(less);
    assert_broken(&judge(&show), 10, "tells other events than the book");
}
