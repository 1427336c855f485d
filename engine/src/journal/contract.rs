//! What every journal must do, whatever it is made of.
//!
//! An implementation's tests say `journal_contract!(EXPRESSION)`, where the expression makes a new, empty journal and
//! something that is kept until the test is over.

use std::sync::Arc;

use klaxon_protocol::apart::{Apart, Person};
use klaxon_protocol::games::trivia::{Choice, Close, Pack, PackQuestion, QuestionId, Settings, TriviaShow};
use klaxon_protocol::ids::{CommandId, Fence, Name, PlayerId, Seat, Seq, ShowCode, ShowId};
use klaxon_protocol::journal::{Command, CountedAnswer, LARGEST_RECORD, Record};
use klaxon_protocol::player::{Role, ToPlayer};
use klaxon_protocol::time::{Millis, Span};

use super::{Journal, JournalError};

const SHOW: ShowId = ShowId(u64::MAX - 1);
const OTHER: ShowId = ShowId(3);

/// A record like those of real shows: each number's is different, in kind and in size.
pub fn record(show: ShowId, number: u64, fence: u64) -> Record {
    let command = match number % 4 {
        0 => Command::Tick,
        1 => Command::Join {
            player: PlayerId::parse(&format!("player-{number}")).unwrap(),
            name: Name::parse("Ann Lee").unwrap(),
            role: Role::Player,
        },
        2 => Command::Answers {
            question: QuestionId(1),
            answers: (0..number as u32 * 7 % 300)
                .map(|seat| CountedAnswer { seat: Seat(seat), choice: Choice(1), at: Millis(number) })
                .collect(),
        },
        _ => Command::Recovered { away: Span(number as u32) },
    };
    let close = Close { seq: Seq(number), at: Millis(number), question: QuestionId(1) };
    Record {
        show,
        number,
        fence: Fence(fence),
        at: Millis(1_000 + number),
        command,
        events: vec![ToPlayer::Close(close); number as usize % 3],
        state: number.wrapping_mul(0x9e37_79b9_7f4a_7c15),
    }
}

pub fn records(show: ShowId, numbers: std::ops::Range<u64>, fence: u64) -> Vec<Record> {
    numbers.map(|number| record(show, number, fence)).collect()
}

/// A record by which this player takes a seat.
pub fn sit(show: ShowId, number: u64, fence: u64, player: &str) -> Record {
    let person = Person { player: PlayerId::parse(player).unwrap(), name: name_of(player) };
    let command = Command::Sit { seat: Seat(number as u32), guest: false, who: Apart::known(person) };
    Record { command, events: vec![], ..record(show, number, fence) }
}

/// What this player is called.
pub fn name_of(player: &str) -> Name {
    Name::parse(&format!("Żofia {player}")).unwrap()
}

/// Who takes seats in these records, where that is known.
pub fn seated(records: &[Record]) -> Vec<Option<String>> {
    let sits = records.iter().filter_map(|record| match &record.command {
        Command::Sit { who, .. } => Some(who.get()),
        _ => None,
    });
    sits.map(|who| {
        let who = who?;
        assert_eq!(who.name, name_of(who.player.as_str()));
        Some(who.player.as_str().to_owned())
    })
    .collect()
}

async fn read(journal: &impl Journal, show: ShowId) -> Vec<Record> {
    let restored = journal.read(show).await.unwrap();
    assert_eq!(restored.cut, None);
    restored.records
}

pub async fn a_show_that_was_never_written_is_empty(journal: impl Journal) {
    assert_eq!(read(&journal, SHOW).await, []);
    assert_eq!(journal.tail(SHOW, 10).await.unwrap(), []);
    assert_eq!(journal.shows().await.unwrap(), []);
    journal.append(&[]).await.unwrap();
    assert_eq!(journal.shows().await.unwrap(), []);
}

pub async fn the_first_record_is_read_alone(journal: impl Journal) {
    assert_eq!(journal.first(SHOW).await.unwrap(), None);
    journal.append(&records(SHOW, 0..3, 1)).await.unwrap();
    assert_eq!(journal.first(SHOW).await.unwrap(), Some(record(SHOW, 0, 1)));
    assert_eq!(journal.first(OTHER).await.unwrap(), None);
}

pub async fn what_was_appended_is_read_in_order(journal: impl Journal) {
    for numbers in [0..1, 1..4, 4..30] {
        journal.append(&records(SHOW, numbers, 1)).await.unwrap();
    }
    assert_eq!(read(&journal, SHOW).await, records(SHOW, 0..30, 1));
    assert_eq!(read(&journal, SHOW).await, records(SHOW, 0..30, 1), "reading changes nothing");
    journal.append(&records(SHOW, 30..31, 1)).await.unwrap();
    assert_eq!(read(&journal, SHOW).await, records(SHOW, 0..31, 1));
}

pub async fn one_append_may_write_to_several_shows(journal: impl Journal) {
    let mixed = vec![record(SHOW, 0, 1), record(OTHER, 0, 9), record(SHOW, 1, 1), record(OTHER, 1, 9)];
    journal.append(&mixed).await.unwrap();
    assert_eq!(read(&journal, SHOW).await, records(SHOW, 0..2, 1));
    assert_eq!(read(&journal, OTHER).await, records(OTHER, 0..2, 9));
    assert_eq!(journal.shows().await.unwrap(), [OTHER, SHOW]);
}

pub async fn an_append_made_again_is_written_once(journal: impl Journal) {
    journal.append(&records(SHOW, 0..5, 1)).await.unwrap();
    journal.append(&records(SHOW, 0..5, 1)).await.unwrap();
    journal.append(&records(SHOW, 3..8, 1)).await.unwrap();
    journal.append(&records(SHOW, 1..2, 1)).await.unwrap();
    assert_eq!(read(&journal, SHOW).await, records(SHOW, 0..8, 1));
}

pub async fn a_gap_is_refused_and_nothing_of_its_append_is_written(journal: impl Journal) {
    let gap = |expected, found| JournalError::Gap { show: SHOW, expected, found };
    assert_eq!(journal.append(&records(SHOW, 1..2, 1)).await, Err(gap(0, 1)));
    journal.append(&records(SHOW, 0..2, 1)).await.unwrap();
    assert_eq!(journal.append(&records(SHOW, 3..5, 1)).await, Err(gap(2, 3)));
    let broken = vec![record(OTHER, 0, 1), record(SHOW, 2, 1), record(SHOW, 4, 1)];
    assert_eq!(journal.append(&broken).await, Err(gap(3, 4)));
    assert_eq!(read(&journal, SHOW).await, records(SHOW, 0..2, 1));
    assert_eq!(read(&journal, OTHER).await, []);
    journal.append(&records(SHOW, 2..4, 1)).await.unwrap();
    assert_eq!(read(&journal, SHOW).await, records(SHOW, 0..4, 1));
}

pub async fn a_smaller_fence_is_refused(journal: impl Journal) {
    journal.append(&records(SHOW, 0..2, 5)).await.unwrap();
    let fenced = JournalError::Fenced { show: SHOW, newest: Fence(5), found: Fence(4) };
    assert_eq!(journal.append(&records(SHOW, 2..3, 4)).await, Err(fenced.clone()));
    assert_eq!(journal.append(&records(SHOW, 1..3, 4)).await, Err(fenced.clone()));
    assert_eq!(journal.append(&records(SHOW, 9..10, 4)).await, Err(fenced));
    journal.append(&records(OTHER, 0..1, 4)).await.unwrap();
    let falling = vec![record(SHOW, 2, 7), record(SHOW, 3, 6)];
    let fenced = JournalError::Fenced { show: SHOW, newest: Fence(7), found: Fence(6) };
    assert_eq!(journal.append(&falling).await, Err(fenced));
    journal.append(&records(SHOW, 2..3, 6)).await.unwrap();
    journal.append(&records(SHOW, 2..4, 6)).await.unwrap();
    journal.append(&records(SHOW, 1..2, 5)).await.unwrap();
    let all = [records(SHOW, 0..2, 5), records(SHOW, 2..4, 6)].concat();
    assert_eq!(read(&journal, SHOW).await, all, "a fence may grow, and older records may still be sent again");
}

pub async fn a_number_that_another_engine_wrote_is_not_taken_for_a_retry(journal: impl Journal) {
    journal.append(&records(SHOW, 0..3, 1)).await.unwrap();
    let taken = JournalError::Taken { show: SHOW, number: 2, by: Fence(1) };
    assert_eq!(journal.append(&records(SHOW, 2..4, 2)).await, Err(taken));
    journal.append(&records(SHOW, 3..4, 2)).await.unwrap();
    let taken = JournalError::Taken { show: SHOW, number: 1, by: Fence(1) };
    assert_eq!(journal.append(&records(SHOW, 1..2, 2)).await, Err(taken));
    let fenced = JournalError::Fenced { show: SHOW, newest: Fence(2), found: Fence(1) };
    assert_eq!(journal.append(&records(SHOW, 3..4, 1)).await, Err(fenced));
    let all = [records(SHOW, 0..3, 1), records(SHOW, 3..4, 2)].concat();
    assert_eq!(read(&journal, SHOW).await, all);
}

pub async fn a_record_that_is_too_large_is_refused(journal: impl Journal) {
    let huge = TriviaShow {
        id: CommandId::parse("c").unwrap(),
        code: ShowCode::parse("QUIZ42").unwrap(),
        seed: 1,
        pack: Pack { title: "x".repeat(LARGEST_RECORD as usize + 1), questions: Vec::<PackQuestion>::new() },
        settings: Settings::default(),
    };
    let huge = Record { command: Command::begin(huge), ..record(SHOW, 1, 1) };
    let refused = journal.append(&[record(SHOW, 0, 1), huge]).await;
    assert!(matches!(refused, Err(JournalError::BadRecord { show: SHOW, number: 1, .. })), "{refused:?}");
    assert_eq!(read(&journal, SHOW).await, []);
    journal.append(&records(SHOW, 0..2, 1)).await.unwrap();
    assert_eq!(read(&journal, SHOW).await, records(SHOW, 0..2, 1));
}

pub async fn a_tail_is_the_last_records(journal: impl Journal) {
    let length = 3_000;
    for start in (0..length).step_by(500) {
        journal.append(&records(SHOW, start..start + 500, 1)).await.unwrap();
    }
    for last in [0, 1, 2, 15, 16, 17, 100, 999, 1000, 1001, 2_999, 3_000, 3_001, usize::MAX] {
        let first = length.saturating_sub(last as u64);
        assert_eq!(journal.tail(SHOW, last).await.unwrap(), records(SHOW, first..length, 1), "the last {last}");
    }
}

pub async fn a_tail_is_whole_while_appends_go_on(journal: impl Journal) {
    let journal = Arc::new(journal);
    let writing = {
        let journal = Arc::clone(&journal);
        tokio::spawn(async move {
            for number in 0..400 {
                journal.append(&[record(SHOW, number, 1)]).await.unwrap();
            }
        })
    };
    let mut seen = 0;
    while seen < 400 {
        let done = writing.is_finished();
        let tail = journal.tail(SHOW, 20).await.unwrap();
        let end = tail.last().map_or(0, |record| record.number + 1);
        assert_eq!(tail, records(SHOW, end.saturating_sub(20)..end, 1));
        assert!(end >= seen, "a tail never goes back");
        assert!(end == 400 || !done, "what an append returned for is in the tail");
        seen = end;
    }
    writing.await.unwrap();
}

pub async fn shows_that_are_written_at_once_do_not_mix(journal: impl Journal) {
    let journal = Arc::new(journal);
    let shows = (1..9).map(ShowId);
    let tasks: Vec<_> = shows
        .clone()
        .map(|show| {
            let journal = Arc::clone(&journal);
            tokio::spawn(async move {
                for number in (0..60).step_by(3) {
                    journal.append(&records(show, number..number + 3, 1)).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(journal.shows().await.unwrap(), shows.clone().collect::<Vec<_>>());
    for show in shows {
        assert_eq!(read(&*journal, show).await, records(show, 0..60, 1));
    }
}

pub async fn of_two_engines_that_write_at_once_only_one_is_believed(journal: impl Journal) {
    let journal = Arc::new(journal);
    let tasks = [1, 2].map(|fence| {
        let journal = Arc::clone(&journal);
        tokio::spawn(async move {
            let mut written = 0;
            for number in 0..50 {
                if journal.append(&[record(SHOW, number, fence)]).await.is_err() {
                    break;
                }
                written = number + 1;
            }
            written
        })
    });
    let mut written = [0; 2];
    for (task, written) in tasks.into_iter().zip(&mut written) {
        *written = task.await.unwrap();
    }
    let winner = if written[0] > 0 { 1 } else { 2 };
    assert_eq!(written, if winner == 1 { [50, 0] } else { [0, 50] });
    assert_eq!(read(&*journal, SHOW).await, records(SHOW, 0..50, winner));
}

pub async fn who_takes_a_seat_comes_back_with_the_record(journal: impl Journal) {
    assert!(journal.keeps_apart());
    let first = [record(SHOW, 0, 1), sit(SHOW, 1, 1, "ann"), sit(SHOW, 2, 1, "bob"), record(SHOW, 3, 1)];
    journal.append(&first).await.unwrap();
    journal.append(&first[1..3]).await.unwrap();
    // Another engine's record of that number is refused, and its person is nobody's.
    journal.append(&[sit(SHOW, 4, 2, "cid")]).await.unwrap();
    assert!(journal.append(&[sit(SHOW, 4, 3, "dan")]).await.is_err());
    journal.append(&[sit(SHOW, 5, 3, "eve"), sit(OTHER, 0, 1, "ann")]).await.unwrap();
    let records = read(&journal, SHOW).await;
    assert_eq!(records, [&first[..], &[sit(SHOW, 4, 2, "cid"), sit(SHOW, 5, 3, "eve")]].concat());
    assert_eq!(seated(&records), ["ann", "bob", "cid", "eve"].map(|player| Some(player.to_owned())));
    assert_eq!(seated(&read(&journal, OTHER).await), [Some("ann".to_owned())]);
    assert_eq!(journal.tail(SHOW, 2).await.unwrap(), records[4..], "a tail is of the same records");
}

/// Runs the contract against the journal that the expression makes.
macro_rules! journal_contract {
    ($make:expr) => {
        $crate::journal::contract::journal_contract! { @ $make;
            a_show_that_was_never_written_is_empty
            the_first_record_is_read_alone
            what_was_appended_is_read_in_order
            one_append_may_write_to_several_shows
            an_append_made_again_is_written_once
            a_gap_is_refused_and_nothing_of_its_append_is_written
            a_smaller_fence_is_refused
            a_number_that_another_engine_wrote_is_not_taken_for_a_retry
            a_record_that_is_too_large_is_refused
            a_tail_is_the_last_records
            a_tail_is_whole_while_appends_go_on
            shows_that_are_written_at_once_do_not_mix
            of_two_engines_that_write_at_once_only_one_is_believed
            who_takes_a_seat_comes_back_with_the_record
        }
    };
    (@ $make:expr; $($rule:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $rule() {
                let (journal, _kept) = $make;
                $crate::journal::contract::$rule(journal).await;
            }
        )*
    };
}
pub(crate) use journal_contract;
