//! What only a journal on disk can get wrong: crashes, damage, full disks, a second process.

mod disk;
mod people;

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use proptest::prelude::*;
use tempfile::TempDir;

use super::super::Cut;
use super::super::contract::{journal_contract, record, records};
use super::*;

const SHOW: ShowId = ShowId(77);
const OTHER: ShowId = ShowId(5);

/// Opens it, again and again while it is in use: other tests start servers, and for a moment, from its birth until its program runs, a
/// child of this process has all that is open here, locks too.
async fn open(directory: &TempDir) -> FileJournal {
    loop {
        match FileJournal::open(directory.path(), SyncPolicy::Never).await {
            Err(OpenError::InUse(_)) => tokio::task::yield_now().await,
            opened => return opened.unwrap(),
        }
    }
}

async fn new_journal() -> (FileJournal, TempDir) {
    let directory = TempDir::new().unwrap();
    let journal = FileJournal::open(directory.path(), SyncPolicy::Always).await.unwrap();
    (journal, directory)
}

fn path(directory: &TempDir, show: ShowId) -> PathBuf {
    directory.path().join(format!("{show}.klxj"))
}

fn file(directory: &TempDir, show: ShowId) -> Vec<u8> {
    std::fs::read(path(directory, show)).unwrap()
}

/// Where each record of a journal of these records begins, and where the last one ends.
fn offsets(records: &[Record]) -> Vec<usize> {
    let mut bytes = MAGIC.to_vec();
    let mut offsets = vec![bytes.len()];
    for record in records {
        frame_record(record, &mut bytes).unwrap();
        offsets.push(bytes.len());
    }
    offsets
}

journal_contract!(new_journal().await);

#[tokio::test]
async fn a_journal_is_found_again_after_it_was_closed() {
    let (journal, directory) = new_journal().await;
    journal.append(&records(SHOW, 0..40, 3)).await.unwrap();
    drop(journal);
    let journal = open(&directory).await;
    assert_eq!(journal.tail(SHOW, 3).await.unwrap(), records(SHOW, 37..40, 3), "a tail needs no read before it");
    journal.append(&records(SHOW, 38..42, 3)).await.unwrap();
    assert_eq!(journal.read(SHOW).await.unwrap(), Restored { records: records(SHOW, 0..42, 3), cut: None });
    assert_eq!(journal.shows().await.unwrap(), [SHOW]);
}

#[tokio::test]
async fn a_file_is_read_in_parts_of_whole_records() {
    let all = records(SHOW, 0..30, 1);
    let offsets = offsets(&all);
    let (journal, directory) = new_journal().await;
    assert_eq!(journal.part(SHOW, 0, 100).await.unwrap().0, b"");
    journal.append(&all).await.unwrap();
    let whole = file(&directory, SHOW);
    for most in [1, 100, 5_000, 1 << 20] {
        let (mut at, mut bytes) = (0, MAGIC.to_vec());
        loop {
            let (part, end) = journal.part(SHOW, at, most).await.unwrap();
            if part.is_empty() {
                break;
            }
            assert!(offsets.contains(&usize::try_from(end).unwrap()), "{most}: {end}");
            bytes.extend(part);
            at = end;
        }
        assert!(bytes == whole, "in parts of {most}");
    }
}

#[tokio::test]
async fn a_show_that_was_removed_can_be_written_anew() {
    let (journal, directory) = new_journal().await;
    journal.append(&records(SHOW, 0..5, 2)).await.unwrap();
    journal.remove(SHOW).await.unwrap();
    journal.remove(ShowId(9)).await.unwrap();
    assert!(!path(&directory, SHOW).exists());
    assert_eq!(journal.read(SHOW).await.unwrap().records, []);
    journal.append(&records(SHOW, 0..3, 1)).await.unwrap();
    assert_eq!(journal.read(SHOW).await.unwrap().records, records(SHOW, 0..3, 1));
    std::fs::write(path(&directory, OTHER), b"something else").unwrap();
    assert!(journal.read(OTHER).await.is_err());
    journal.remove(OTHER).await.unwrap();
    journal.append(&records(OTHER, 0..1, 1)).await.unwrap();
    drop(journal);
    assert_eq!(open(&directory).await.read(OTHER).await.unwrap().records, records(OTHER, 0..1, 1));
}

#[tokio::test]
async fn a_tail_cut_at_any_byte_loses_the_cut_record_only_and_appends_go_on() {
    let all = records(SHOW, 0..4, 1);
    let offsets = offsets(&all);
    let directory = TempDir::new().unwrap();
    let journal = open(&directory).await;
    journal.append(&all).await.unwrap();
    drop(journal);
    let whole = file(&directory, SHOW);
    assert_eq!(whole.len(), offsets[4]);
    for end in offsets[3]..offsets[4] {
        std::fs::write(path(&directory, SHOW), &whole[..end]).unwrap();
        let journal = open(&directory).await;
        let cut = (end > offsets[3]).then(|| Cut { offset: offsets[3] as u64, bytes: (end - offsets[3]) as u64 });
        assert_eq!(journal.read(SHOW).await.unwrap(), Restored { records: all[..3].to_vec(), cut });
        assert_eq!(file(&directory, SHOW).len(), offsets[3]);
        journal.append(&all).await.unwrap();
        drop(journal);
        assert_eq!(file(&directory, SHOW), whole);
    }
}

#[tokio::test]
async fn a_first_write_cut_at_any_byte_leaves_an_empty_show() {
    let first = records(SHOW, 0..1, 1);
    let whole = offsets(&first)[1];
    let directory = TempDir::new().unwrap();
    for end in 0..whole {
        let mut bytes = MAGIC.to_vec();
        frame_record(&first[0], &mut bytes).unwrap();
        std::fs::write(path(&directory, SHOW), &bytes[..end]).unwrap();
        let journal = open(&directory).await;
        journal.append(&first).await.unwrap();
        assert_eq!(journal.read(SHOW).await.unwrap(), Restored { records: first.clone(), cut: None });
        drop(journal);
        assert_eq!(file(&directory, SHOW), bytes);
    }
}

#[tokio::test]
async fn damage_in_the_middle_is_refused_with_its_offset_and_the_file_stays_as_it_is() {
    let offsets = offsets(&records(SHOW, 0..5, 1));
    let (journal, directory) = new_journal().await;
    journal.append(&records(SHOW, 0..5, 1)).await.unwrap();
    drop(journal);
    let whole = file(&directory, SHOW);
    for at in offsets[2]..offsets[3] {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x10;
        std::fs::write(path(&directory, SHOW), &damaged).unwrap();
        let journal = open(&directory).await;
        for heard in [
            journal.read(SHOW).await.err(),
            journal.tail(SHOW, 1).await.err(),
            journal.append(&records(SHOW, 5..6, 1)).await.err(),
        ] {
            let offset = offsets[2] as u64;
            assert!(
                matches!(&heard, Some(JournalError::Damaged { show: SHOW, offset: at, .. }) if *at == offset),
                "{heard:?}"
            );
            let told = heard.unwrap().to_string();
            assert!(told.contains(path(&directory, SHOW).to_str().unwrap()), "{told}");
        }
        assert_eq!(journal.first(SHOW).await.unwrap(), Some(record(SHOW, 0, 1)), "what the show is can still be read");
        journal.append(&records(OTHER, 0..1, 1)).await.unwrap();
        drop(journal);
        assert_eq!(file(&directory, SHOW), damaged);
    }
}

#[tokio::test]
async fn a_file_that_is_not_this_shows_journal_is_refused() {
    let mut twice = MAGIC.to_vec();
    frame_record(&record(SHOW, 0, 1), &mut twice).unwrap();
    let second = twice.len() as u64;
    frame_record(&record(SHOW, 0, 1), &mut twice).unwrap();
    let mut of_another = MAGIC.to_vec();
    frame_record(&record(OTHER, 0, 1), &mut of_another).unwrap();
    let other_format = b"SQLite format 3\0".to_vec();
    for (bytes, offset) in [(twice, second), (of_another, MAGIC.len() as u64), (other_format, 0)] {
        let directory = TempDir::new().unwrap();
        std::fs::write(path(&directory, SHOW), &bytes).unwrap();
        let heard = open(&directory).await.read(SHOW).await;
        assert!(matches!(&heard, Err(JournalError::Damaged { offset: at, .. }) if *at == offset), "{heard:?}");
        assert_eq!(file(&directory, SHOW), bytes);
    }
}

#[tokio::test]
async fn a_second_writer_is_refused_and_told_where() {
    let (journal, directory) = new_journal().await;
    let refused = FileJournal::open(directory.path(), SyncPolicy::Never).await.err().unwrap();
    assert!(matches!(&refused, OpenError::InUse(at) if at == directory.path()), "{refused:?}");
    assert!(refused.to_string().contains(directory.path().to_str().unwrap()), "{refused}");
    drop(journal);
    open(&directory).await;
}

#[tokio::test]
async fn a_directory_that_can_not_be_made_is_named() {
    let directory = TempDir::new().unwrap();
    let blocked = directory.path().join("file/journal");
    std::fs::write(directory.path().join("file"), "").unwrap();
    let refused = FileJournal::open(&blocked, SyncPolicy::Never).await.err().unwrap();
    assert!(refused.to_string().contains(blocked.to_str().unwrap()), "{refused}");
}

#[tokio::test]
async fn others_on_the_machine_can_not_read_it() {
    let parent = TempDir::new().unwrap();
    let directory = parent.path().join("a/journal");
    let journal = FileJournal::open(&directory, SyncPolicy::Always).await.unwrap();
    journal.append(&records(SHOW, 0..1, 1)).await.unwrap();
    let mode = |path: PathBuf| Permissions::mode(&std::fs::metadata(path).unwrap().permissions()) & 0o777;
    assert_eq!(mode(directory.join("77.klxj")), 0o600);
    assert_eq!(mode(directory.join("lock")), 0o600);
    assert_eq!(mode(directory), 0o700);
}

#[tokio::test]
async fn other_files_in_the_directory_are_no_shows() {
    let (journal, directory) = new_journal().await;
    for name in ["notes.txt", "x.klxj", "007.klxj", ".klxj", "8.klxj.bak"] {
        std::fs::write(directory.path().join(name), "something else").unwrap();
    }
    assert_eq!(journal.shows().await.unwrap(), []);
}

/// What happens to a journal: records come, or the process dies in the middle of its last write and starts again.
#[derive(Debug, Clone)]
enum Step {
    Append { again: u64, new: u64 },
    Crash { lost: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0..4_u64, 0..6_u64).prop_map(|(again, new)| Step::Append { again, new }),
        1 => prop_oneof![Just(0), 1..40_usize, 0..3_000_usize].prop_map(|lost| Step::Crash { lost }),
    ];
    prop::collection::vec(step, 1..16)
}

async fn play(steps: Vec<Step>) {
    let directory = TempDir::new().unwrap();
    let mut journal = open(&directory).await;
    let mut kept = 0;
    for step in steps {
        match step {
            Step::Append { again, new } => {
                journal.append(&records(SHOW, kept - again.min(kept)..kept + new, 1)).await.unwrap();
                kept += new;
            }
            Step::Crash { lost } => {
                drop(journal);
                let mut cut = None;
                if path(&directory, SHOW).exists() {
                    let left = file(&directory, SHOW).len().saturating_sub(lost);
                    File::options().write(true).open(path(&directory, SHOW)).unwrap().set_len(left as u64).unwrap();
                    let offsets = offsets(&records(SHOW, 0..kept, 1));
                    kept = offsets.iter().filter(|&&end| end <= left).count().saturating_sub(1) as u64;
                    let end = if left < MAGIC.len() { 0 } else { offsets[kept as usize] };
                    cut = (left > end).then(|| Cut { offset: end as u64, bytes: (left - end) as u64 });
                }
                journal = open(&directory).await;
                let restored = journal.read(SHOW).await.unwrap();
                assert_eq!(restored, Restored { records: records(SHOW, 0..kept, 1), cut });
            }
        }
        assert_eq!(journal.tail(SHOW, 5).await.unwrap(), records(SHOW, kept.saturating_sub(5)..kept, 1));
    }
    assert_eq!(journal.read(SHOW).await.unwrap().records, records(SHOW, 0..kept, 1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_crashes_what_is_left_is_whole_and_in_order(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(play(steps));
    }
}
