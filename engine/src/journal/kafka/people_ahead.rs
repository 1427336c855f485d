//! Person records that were read before the journal's records that they belong to. Bounded in number and in time; a reader that needs what
//! was dropped reads it again. No I/O.

use std::collections::{HashMap, HashSet};

use klaxon_protocol::ids::{Fence, ShowId};
use klaxon_protocol::register::{PersonRecord, PersonalData};

use super::people::PersonKey;

/// Times are those of messages, in milliseconds since 1970.
pub(super) struct PeopleAhead {
    shows: HashMap<ShowId, ShowPeople>,
    /// How many persons are kept, over all shows.
    kept: usize,
    /// How many may be.
    limit: usize,
    /// Persons of messages from this time on were not dropped; none before the first [`Self::begin`].
    complete_from: Option<u64>,
    /// Whom tombstones forgot; 32 bytes each.
    forgotten: HashSet<PersonKey>,
}

#[derive(Default)]
struct ShowPeople {
    people: HashMap<(u64, Fence), PersonalData>,
    /// The time of the newest message.
    newest: u64,
}

impl PeopleAhead {
    pub(super) fn new(limit: usize) -> Self {
        let (shows, forgotten) = (HashMap::new(), HashSet::new());
        Self { shows, kept: 0, limit, complete_from: None, forgotten }
    }

    /// Begins anew, with messages from this time on.
    pub(super) fn begin(&mut self, time: u64) {
        self.drop_all();
        self.complete_from = Some(time);
    }

    /// Whether the messages from this time on were read, and none of their persons dropped. If not, reading has to begin anew.
    pub(super) fn is_complete_from(&self, time: u64) -> bool {
        self.complete_from.is_some_and(|from| from <= time)
    }

    /// How many persons are kept.
    pub(super) const fn kept(&self) -> usize {
        self.kept
    }

    /// Whether no further person may be added.
    pub(super) const fn is_full(&self) -> bool {
        self.kept >= self.limit
    }

    /// Adds the person of a message that was sent at `time`, unless they are forgotten.
    pub(super) fn add(&mut self, person: PersonRecord, time: u64) {
        let key = PersonKey::of(&person);
        if self.is_forgotten(key) {
            return;
        }
        let show = self.shows.entry(key.show).or_default();
        show.newest = show.newest.max(time);
        self.kept += usize::from(show.people.insert((key.number, key.fence), person.data).is_none());
    }

    /// Takes out the person with this key, who is needed once.
    pub(super) fn take(&mut self, key: PersonKey) -> Option<PersonalData> {
        let found = self.shows.get_mut(&key.show)?.people.remove(&(key.number, key.fence))?;
        self.kept -= 1;
        Some(found)
    }

    /// A tombstone was read. It holds for later messages with this key, too: they are the same person, sent again.
    pub(super) fn forget(&mut self, key: PersonKey) {
        self.take(key);
        self.forgotten.insert(key);
    }

    pub(super) fn is_forgotten(&self, key: PersonKey) -> bool {
        self.forgotten.contains(&key)
    }

    /// Drops the shows whose newest message is older than this.
    pub(super) fn drop_before(&mut self, time: u64) {
        self.shows.retain(|_, show| {
            let is_kept = show.newest >= time && !show.people.is_empty();
            self.kept -= if is_kept { 0 } else { show.people.len() };
            is_kept
        });
        self.complete_from = self.complete_from.map(|from| from.max(time));
    }

    /// Drops everybody, to make room.
    pub(super) fn drop_all(&mut self) {
        let newest = self.shows.values().map(|show| show.newest).max();
        self.complete_from = self.complete_from.map(|from| newest.map_or(from, |newest| from.max(newest + 1)));
        self.shows.clear();
        self.kept = 0;
    }
}

#[cfg(test)]
mod tests {
    use klaxon_protocol::apart::Person;
    use klaxon_protocol::ids::{Name, PlayerId};

    use super::*;

    fn person(show: u64, number: u64) -> PersonRecord {
        let name = format!("player {number}");
        let data = Person { player: PlayerId::parse(&name).unwrap(), name: Name::parse(&name).unwrap() };
        PersonRecord { show: ShowId(show), number, fence: Fence(1), data: PersonalData::Person(data) }
    }

    fn key(show: u64, number: u64) -> PersonKey {
        PersonKey::of(&person(show, number))
    }

    /// Person `number` of show `show` was sent at `time`, for each of these.
    fn with(limit: usize, sent: &[(u64, u64, u64)]) -> PeopleAhead {
        let mut ahead = PeopleAhead::new(limit);
        ahead.begin(0);
        sent.iter().for_each(|&(show, number, time)| ahead.add(person(show, number), time));
        ahead
    }

    #[test]
    fn a_person_is_taken_once_and_a_message_that_came_twice_counts_once() {
        let mut ahead = with(9, &[(1, 0, 10), (1, 0, 11), (1, 1, 12), (2, 0, 13)]);
        assert_eq!(ahead.kept(), 3);
        assert_eq!(ahead.take(key(1, 0)), Some(person(1, 0).data));
        assert_eq!((ahead.take(key(1, 0)), ahead.take(key(3, 0)), ahead.kept()), (None, None, 2));
        let other_fence = PersonKey { fence: Fence(2), ..key(1, 1) };
        assert_eq!(ahead.take(other_fence), None);
    }

    #[test]
    fn who_is_forgotten_stays_so_though_they_are_sent_again_and_all_begins_anew() {
        let mut ahead = with(9, &[(1, 0, 10), (1, 1, 10)]);
        ahead.forget(key(1, 0));
        ahead.add(person(1, 0), 20);
        assert_eq!((ahead.take(key(1, 0)), ahead.kept()), (None, 1));
        ahead.begin(0);
        ahead.add(person(1, 0), 20);
        assert_eq!((ahead.take(key(1, 0)), ahead.kept(), ahead.is_forgotten(key(1, 0))), (None, 0, true));
    }

    #[test]
    fn old_shows_are_dropped_and_what_was_dropped_is_known() {
        let mut ahead = with(9, &[(1, 0, 10), (1, 1, 20), (2, 0, 30), (3, 0, 40)]);
        ahead.drop_before(21);
        assert_eq!((ahead.take(key(1, 1)), ahead.kept()), (None, 2), "its newest was sent at 20");
        assert!(!ahead.is_complete_from(20) && ahead.is_complete_from(21));
        ahead.drop_before(5);
        assert!(!ahead.is_complete_from(20), "what is dropped stays so");
        assert_eq!(ahead.take(key(2, 0)), Some(person(2, 0).data));
        ahead.begin(15);
        assert!(ahead.is_complete_from(15) && !ahead.is_complete_from(14) && ahead.kept() == 0);
    }

    #[test]
    fn a_show_that_goes_on_keeps_its_first_players_however_long_ago_they_came() {
        let mut ahead = with(9, &[(1, 0, 10), (1, 1, 1_000)]);
        ahead.drop_before(500);
        assert_eq!(ahead.take(key(1, 0)), Some(person(1, 0).data));
    }

    #[test]
    fn at_the_limit_it_is_full_until_somebody_is_taken_or_all_are_dropped() {
        let mut ahead = with(2, &[(1, 0, 10)]);
        assert!(!ahead.is_full());
        ahead.add(person(2, 0), 12);
        assert!(ahead.is_full());
        ahead.take(key(1, 0));
        assert!(!ahead.is_full());
        ahead.add(person(2, 1), 11);
        ahead.drop_all();
        assert_eq!((ahead.kept(), ahead.is_full()), (0, false));
        assert!(!ahead.is_complete_from(12) && ahead.is_complete_from(13), "the newest was sent at 12");
    }

    #[test]
    fn before_it_begins_nothing_is_complete() {
        let mut ahead = PeopleAhead::new(2);
        assert!(!ahead.is_complete_from(u64::MAX));
        ahead.drop_before(7);
        ahead.drop_all();
        assert!(!ahead.is_complete_from(u64::MAX));
    }
}
