//! When the journal syncs, and what it does with a disk that is full or fails.

use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, MutexGuard};
use std::task::{Context, Poll, Waker};

use klaxon_protocol::time::Span;

use super::*;

/// A disk that fails when told to.
pub struct TestDisk {
    /// How many bytes still fit on it.
    pub room: AtomicU64,
    pub syncs: AtomicUsize,
    sync_fails: AtomicBool,
    cut_fails: AtomicBool,
    /// While it is true, syncs wait.
    held: Mutex<bool>,
    changed: Condvar,
}

impl TestDisk {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            room: AtomicU64::new(u64::MAX),
            syncs: AtomicUsize::new(0),
            sync_fails: AtomicBool::new(false),
            cut_fails: AtomicBool::new(false),
            held: Mutex::new(false),
            changed: Condvar::new(),
        })
    }

    fn held(&self) -> MutexGuard<'_, bool> {
        self.held.lock().unwrap()
    }

    fn release(&self) {
        *self.held() = false;
        self.changed.notify_all();
    }
}

impl Disk for TestDisk {
    fn write(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        let room = self.room.load(Ordering::SeqCst);
        let fits = bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX));
        file.write_all_at(&bytes[..fits], offset)?;
        self.room.store(room - fits as u64, Ordering::SeqCst);
        if fits < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn sync(&self, _: &File) -> io::Result<()> {
        let held = self.changed.wait_while(self.held(), |held| *held).unwrap();
        self.syncs.fetch_add(1, Ordering::SeqCst);
        self.changed.notify_all();
        drop(held);
        if self.sync_fails.load(Ordering::SeqCst) { Err(io::Error::other("no sync")) } else { Ok(()) }
    }

    fn cut(&self, file: &File, end: u64) -> io::Result<()> {
        if self.cut_fails.load(Ordering::SeqCst) { Err(io::Error::other("no cut")) } else { file.set_len(end) }
    }
}

pub fn open_on(disk: &Arc<TestDisk>, policy: SyncPolicy) -> (FileJournal, TempDir) {
    let directory = TempDir::new().unwrap();
    let journal = FileJournal::open_on(directory.path().to_owned(), policy, Arc::clone(disk) as Arc<dyn Disk>).unwrap();
    (journal, directory)
}

pub fn is_unavailable(heard: &Result<(), JournalError>) -> bool {
    matches!(heard, Err(JournalError::Unavailable(_)))
}

#[tokio::test]
async fn a_full_disk_fails_the_append_and_spoils_nothing() {
    let offsets = offsets(&records(SHOW, 0..3, 1));
    for room in 0..(offsets[3] - offsets[1]) as u64 {
        let disk = TestDisk::new();
        let (journal, directory) = open_on(&disk, SyncPolicy::Always);
        journal.append(&records(SHOW, 0..1, 1)).await.unwrap();
        disk.room.store(room, Ordering::SeqCst);
        let heard = journal.append(&records(SHOW, 1..3, 1)).await;
        assert!(is_unavailable(&heard), "{heard:?}");
        assert_eq!(file(&directory, SHOW).len(), offsets[1]);
        assert_eq!(journal.read(SHOW).await.unwrap().records, records(SHOW, 0..1, 1));
        disk.room.store(u64::MAX, Ordering::SeqCst);
        journal.append(&records(SHOW, 1..3, 1)).await.unwrap();
        drop(journal);
        assert_eq!(open(&directory).await.read(SHOW).await.unwrap().records, records(SHOW, 0..3, 1));
    }
}

#[tokio::test]
async fn what_could_not_be_cut_off_after_a_failure_is_cut_before_the_next_write() {
    let disk = TestDisk::new();
    let (journal, directory) = open_on(&disk, SyncPolicy::Always);
    journal.append(&records(SHOW, 0..1, 1)).await.unwrap();
    disk.sync_fails.store(true, Ordering::SeqCst);
    disk.cut_fails.store(true, Ordering::SeqCst);
    assert!(is_unavailable(&journal.append(&records(SHOW, 1..9, 1)).await));
    assert_eq!(journal.read(SHOW).await.unwrap().records, records(SHOW, 0..1, 1), "it was not acknowledged");
    assert_eq!(journal.tail(SHOW, 9).await.unwrap(), records(SHOW, 0..1, 1));
    disk.sync_fails.store(false, Ordering::SeqCst);
    assert!(is_unavailable(&journal.append(&records(SHOW, 1..2, 1)).await), "still no clean end to write at");
    disk.cut_fails.store(false, Ordering::SeqCst);
    journal.append(&records(SHOW, 1..2, 1)).await.unwrap();
    drop(journal);
    let restored = open(&directory).await.read(SHOW).await.unwrap();
    assert_eq!(restored, Restored { records: records(SHOW, 0..2, 1), cut: None });
}

#[tokio::test]
async fn an_append_to_two_shows_that_failed_half_way_can_be_made_again() {
    let disk = TestDisk::new();
    let (journal, _directory) = open_on(&disk, SyncPolicy::Always);
    let both = [records(OTHER, 0..3, 1), records(SHOW, 0..3, 1)].concat();
    disk.room.store(offsets(&records(OTHER, 0..3, 1))[3] as u64 + 10, Ordering::SeqCst);
    assert!(is_unavailable(&journal.append(&both).await));
    disk.room.store(u64::MAX, Ordering::SeqCst);
    journal.append(&both).await.unwrap();
    for show in [SHOW, OTHER] {
        assert_eq!(journal.read(show).await.unwrap().records, records(show, 0..3, 1));
    }
}

#[tokio::test]
async fn each_policy_syncs_when_it_says() {
    let syncs_of = async |policy| {
        let disk = TestDisk::new();
        let (journal, _directory) = open_on(&disk, policy);
        for number in 0..5 {
            journal.append(&records(SHOW, number..number + 1, 1)).await.unwrap();
        }
        let before = disk.syncs.load(Ordering::SeqCst);
        drop(journal);
        (before, disk.syncs.load(Ordering::SeqCst))
    };
    assert_eq!(syncs_of(SyncPolicy::Always).await, (5, 5));
    assert_eq!(syncs_of(SyncPolicy::Never).await, (0, 0));
    assert_eq!(syncs_of(SyncPolicy::Interval(Span(60_000))).await, (0, 1), "at the latest when it is closed");
}

#[tokio::test]
async fn an_interval_syncs_though_nothing_more_comes() {
    let disk = TestDisk::new();
    let (journal, _directory) = open_on(&disk, SyncPolicy::Interval(Span(1)));
    journal.append(&records(SHOW, 0..1, 1)).await.unwrap();
    drop(disk.changed.wait_while(disk.held(), |_| disk.syncs.load(Ordering::SeqCst) == 0).unwrap());
    drop(journal);
    assert_eq!(disk.syncs.load(Ordering::SeqCst), 1, "what is synced already is not synced again");
}

#[tokio::test]
async fn appends_that_wait_together_share_one_sync() {
    let disk = TestDisk::new();
    *disk.held() = true;
    let (journal, _directory) = open_on(&disk, SyncPolicy::Always);
    let all = records(SHOW, 0..40, 1);
    let mut appends: Vec<_> = all.chunks(1).map(|record| journal.append(record)).collect();
    let mut context = Context::from_waker(Waker::noop());
    for append in &mut appends {
        assert!(
            matches!(Pin::new(append).poll(&mut context), Poll::Pending),
            "nothing is acknowledged before the sync"
        );
    }
    disk.release();
    for append in appends {
        append.await.unwrap();
    }
    let syncs = disk.syncs.load(Ordering::SeqCst);
    assert!((1..=2).contains(&syncs), "{syncs} syncs: the first append may go alone, all others wait for it");
    assert_eq!(journal.read(SHOW).await.unwrap().records, all);
}

#[tokio::test]
async fn a_flood_of_appends_waits_and_none_is_lost() {
    let disk = TestDisk::new();
    *disk.held() = true;
    let (journal, _directory) = open_on(&disk, SyncPolicy::Always);
    let all = records(SHOW, 0..2 * MAX_REQUESTS as u64, 1);
    let mut appends: Vec<_> = all.chunks(1).map(|record| journal.append(record)).collect();
    let mut context = Context::from_waker(Waker::noop());
    for append in &mut appends {
        assert!(Pin::new(append).poll(&mut context).is_pending());
    }
    assert_eq!(journal.places.available_permits(), 0);
    disk.release();
    for append in appends {
        append.await.unwrap();
    }
    assert_eq!(journal.read(SHOW).await.unwrap().records, all);
    let places = Arc::clone(&journal.places);
    drop(journal);
    assert_eq!(places.available_permits(), MAX_REQUESTS);
}
