//! The roster: players and names by seat, with indexes from a player or a name to the seat.

use hashbrown::HashTable;
use klaxon_protocol::apart::{self, Person};
use klaxon_protocol::ids::{Name, PlayerId, Seat, ShowId};
use klaxon_protocol::name::Alike;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Non-ASCII names per search that are compared by their look. Each takes some 4 us, so all take 40 ms.
const MOST_BY_LOOK: usize = 10_000;

/// The seated players. The indexes hold seat numbers only, so that the texts of a million players are stored once.
#[derive(Default)]
pub struct Roster {
    players: Vec<Sitter>,
    by_player: HashTable<u32>,
    by_name: HashTable<Called>,
    /// The show's secret seed, so that players can't choose names that collide in the hash table.
    seed: u64,
    /// Whether the digest says nothing of who sits there, so that they can be forgotten.
    apart: bool,
    digest: u64,
}

/// Who sits on a seat.
pub struct Sitter {
    who: Who,
    name: Name,
}

enum Who {
    Known(PlayerId),
    Forgotten { guest: bool },
}

impl Sitter {
    /// Somebody who is known.
    pub const fn known(player: PlayerId, name: Name) -> Self {
        Self { who: Who::Known(player), name }
    }

    /// Who takes this seat by a journal whose names stand apart. Who is forgotten has a name that tells nothing, and so has one of whom
    /// what stands apart contradicts the journal.
    pub fn of(seat: Seat, guest: bool, person: Option<&Person>) -> Self {
        match person.filter(|person| person.player.is_guest() == guest) {
            Some(Person { player, name }) => Self::known(player.clone(), name.clone()),
            None => Self { who: Who::Forgotten { guest }, name: apart::unnamed(seat) },
        }
    }

    /// Somebody without a device, whom nobody has to know: they never join.
    pub const fn without_device(name: Name) -> Self {
        Self { who: Who::Forgotten { guest: false }, name }
    }

    /// Who; none if that is forgotten.
    pub const fn player(&self) -> Option<&PlayerId> {
        match &self.who {
            Who::Known(player) => Some(player),
            Who::Forgotten { .. } => None,
        }
    }

    fn is_guest(&self) -> bool {
        match &self.who {
            Who::Known(player) => player.is_guest(),
            Who::Forgotten { guest } => *guest,
        }
    }

    fn hash(&self) -> Option<u64> {
        self.player().map(|player| hash_of(player.as_str()))
    }
}

/// An index entry: a seat under one of its name's keys. A name has at most two keys.
struct Called {
    seat: u32,
    /// The key's hash, kept so that growing the table and skipping other entries needs no new keys.
    hash: u32,
}

impl Called {
    /// The 64-bit hash that the table needs, made from the 32 bits that are kept.
    fn spread(hash: u32) -> u64 {
        u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

impl Roster {
    /// The roster of a show with this seed. `apart`: who they are stands apart from the show's journal.
    pub fn new(seed: u64, apart: bool) -> Self {
        Self { seed, apart, ..Self::default() }
    }

    /// Whether who they are stands apart from the show's journal.
    pub const fn is_apart(&self) -> bool {
        self.apart
    }

    /// Gives the next seat to them.
    pub fn seat(&mut self, sitter: Sitter) -> Seat {
        let seat = Seat(self.seated());
        self.players.push(sitter);
        self.enter(seat);
        seat
    }

    /// Gives a seat to another player and removes the earlier player from the roster.
    pub fn reseat(&mut self, seat: Seat, sitter: Sitter) {
        self.strike(seat);
        self.players[seat.index()] = sitter;
        self.enter(seat);
    }

    fn enter(&mut self, Seat(seat): Seat) {
        self.digest = self.digest.wrapping_add(self.share(seat));
        let players = &self.players;
        if let Some(hash) = players[seat as usize].hash() {
            self.by_player.insert_unique(hash, seat, |&other| {
                players[other as usize].hash().expect("who is forgotten is not in the table")
            });
        }
        for hash in self.name_hashes(seat) {
            self.by_name.insert_unique(Called::spread(hash), Called { seat, hash }, |other| Called::spread(other.hash));
        }
    }

    fn strike(&mut self, Seat(seat): Seat) {
        self.digest = self.digest.wrapping_sub(self.share(seat));
        if let Some(hash) = self.players[seat as usize].hash()
            && let Ok(entry) = self.by_player.find_entry(hash, |&other| other == seat)
        {
            entry.remove();
        }
        for hash in self.name_hashes(seat) {
            if let Ok(entry) = self.by_name.find_entry(Called::spread(hash), |other| other.seat == seat) {
                entry.remove();
            }
        }
    }

    /// Of the keys of a seat's name.
    fn name_hashes(&self, seat: u32) -> Vec<u32> {
        Alike::of(self.players[seat as usize].name.as_str()).keys().map(|key| self.hash_of_key(key)).collect()
    }

    /// What a seat's player and name are in the digest; where they stand apart, whether it is a guest's.
    fn share(&self, seat: u32) -> u64 {
        let (sitter, seed) = (&self.players[seat as usize], u64::from(seat));
        match &sitter.who {
            Who::Known(player) if !self.apart => {
                let of_player = xxh3_64_with_seed(player.as_str().as_bytes(), seed);
                of_player.wrapping_add(xxh3_64_with_seed(sitter.name.as_str().as_bytes(), !seed))
            }
            _ => xxh3_64_with_seed(&[u8::from(sitter.is_guest())], seed),
        }
    }

    /// The size of the table of names, in bytes.
    pub fn name_table_bytes(&self) -> usize {
        self.by_name.allocation_size()
    }

    /// How many seats are taken.
    pub fn seated(&self) -> u32 {
        u32::try_from(self.players.len()).expect("settings allow 10 million seats at most")
    }

    /// The player's seat.
    pub fn seat_of(&self, player: &PlayerId) -> Option<Seat> {
        let same = |&seat: &u32| self.players[seat as usize].player() == Some(player);
        self.by_player.find(hash_of(player.as_str()), same).map(|&seat| Seat(seat))
    }

    /// Who sits there; none also if that is forgotten.
    pub fn player(&self, seat: Seat) -> Option<&PlayerId> {
        self.players.get(seat.index())?.player()
    }

    /// Who sits there, for what is kept of a show. Who is forgotten has an id that no other seat of any show has.
    pub fn kept_player(&self, show: ShowId, seat: Seat) -> Option<PlayerId> {
        let sitter = self.players.get(seat.index())?;
        Some(sitter.player().cloned().unwrap_or_else(|| apart::forgotten(show, seat)))
    }

    /// Whether a guest sits there.
    pub fn is_guests(&self, seat: Seat) -> bool {
        self.players.get(seat.index()).is_some_and(Sitter::is_guest)
    }

    /// What the seat's player is called.
    pub fn name(&self, seat: Seat) -> Option<&Name> {
        self.players.get(seat.index()).map(|sitter| &sitter.name)
    }

    /// Whether a player has this name, or one that looks alike (see [`Alike`]).
    fn has_name(&self, name: &Name) -> bool {
        let alike = Alike::of(name.as_str());
        alike.keys().any(|key| {
            let hash = self.hash_of_key(key);
            let same = |other: &Called| {
                other.hash == hash && alike.is(&Alike::of(self.players[other.seat as usize].name.as_str()))
            };
            self.by_name.find(Called::spread(hash), same).is_some()
        })
    }

    fn hash_of_key(&self, key: &str) -> u32 {
        (xxh3_64_with_seed(key.as_bytes(), self.seed) >> 32) as u32
    }

    /// The wanted name; if another player has it or one that looks alike, the name with a number appended.
    pub fn unused_name(&self, wanted: Option<&Name>) -> Name {
        let next = self.players.len() + 1;
        if let Some(name) = wanted.filter(|name| !self.has_name(name)) {
            return name.clone();
        }
        // Small numbers are the most readable, but the thousandth Ann must not cost a thousand attempts. Strides that
        // double also limit the cost if players have taken the next numbers on purpose: each further attempt needs
        // twice as many such players.
        let small = (2..10).filter(|_| wanted.is_some());
        let strides = (0..usize::BITS).map(|stride| next.saturating_add((1 << stride) - 1));
        let numbered = |number| wanted.map_or_else(|| Name::of_nobody(number), |name| name.numbered(number));
        small.chain(strides).map(numbered).find(|name| !self.has_name(name)).expect("no roster holds 2^64 names")
    }

    /// Seats whose names contain this text, ignoring case, Unicode form and look. Of the non-ASCII names, only the
    /// first [`MOST_BY_LOOK`] are compared by look.
    pub fn find(&self, text: &str) -> impl Iterator<Item = Seat> {
        let mut sought = Sought::of(text);
        (0..).zip(&self.players).filter(move |(_, sitter)| sought.is_in(&sitter.name)).map(|(seat, _)| Seat(seat))
    }

    /// A number that differs when the seats, players or names differ.
    pub fn digest(&self) -> u64 {
        self.digest
    }
}

fn hash_of(text: &str) -> u64 {
    xxhash_rust::xxh3::xxh3_64(text.as_bytes())
}

/// A text to search for in names. The show waits for the search, so comparing a name must be cheap for a million names:
/// an ASCII name costs no copy, and comparing by look some microseconds.
struct Sought {
    text: String,
    lower: String,
    alike: Alike,
    /// How many more names may be compared by look.
    by_look: usize,
}

impl Sought {
    fn of(text: &str) -> Self {
        Self { text: text.to_owned(), lower: text.to_lowercase(), alike: Alike::of(text), by_look: MOST_BY_LOOK }
    }

    /// Whether the name contains the text.
    fn is_in(&mut self, name: &Name) -> bool {
        let name = name.as_str();
        if self.text.is_empty() {
            return true;
        }
        if name.is_ascii() && self.text.is_ascii() {
            let mut parts = name.as_bytes().windows(self.text.len());
            return parts.any(|part| part.eq_ignore_ascii_case(self.text.as_bytes()));
        }
        if self.by_look > 0 {
            self.by_look -= 1;
            return Alike::of(name).holds(&self.alike);
        }
        name.to_lowercase().contains(&self.lower)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_a_crowd_a_name_is_found_by_its_letters_where_the_look_is_not_compared_any_more() {
        let mut roster = Roster::default();
        for number in 0..MOST_BY_LOOK {
            roster.seat(Sitter::known(PlayerId::parse(&number.to_string()).unwrap(), name(&format!("Ö{number}"))));
        }
        let last = roster.seat(Sitter::known(PlayerId::parse("last").unwrap(), name("Zoë Müller")));
        assert_eq!(roster.find("ZOË M").collect::<Vec<_>>(), [last]);
        assert_eq!(roster.find("nobody").count(), 0);
        assert_eq!(roster.find("ö9999").count(), 1);
        let look_alike = name("\u{391}\u{392}\u{395}");
        roster.seat(Sitter::known(PlayerId::parse("look-alike").unwrap(), look_alike.clone()));
        assert_eq!(roster.find("ABE").count(), 0, "by its look");
        let mut few = Roster::default();
        few.seat(Sitter::known(PlayerId::parse("look-alike").unwrap(), look_alike));
        assert_eq!(few.find("ABE").count(), 1, "by its look");
    }

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn sit(roster: &mut Roster, player: &str, wanted: Option<&str>) -> String {
        let name = roster.unused_name(wanted.map(name).as_ref());
        roster.seat(Sitter::known(PlayerId::parse(player).unwrap(), name.clone()));
        name.to_string()
    }

    #[test]
    fn a_second_ann_is_told_apart() {
        let mut roster = Roster::default();
        assert_eq!(sit(&mut roster, "a", Some("Ann")), "Ann");
        assert_eq!(sit(&mut roster, "b", Some("ANN")), "ANN 2");
        assert_eq!(sit(&mut roster, "c", Some("Ann 2")), "Ann 2 2");
        assert_eq!(sit(&mut roster, "d", None), "Player 4");
        assert_eq!(roster.seat_of(&PlayerId::parse("c").unwrap()), Some(Seat(2)));
        assert_eq!(roster.find("ann").count(), 3);
    }

    #[test]
    fn a_name_is_found_by_any_part_of_it_in_any_case() {
        let mut roster = Roster::default();
        for (player, wanted) in [("a", "Ann Lee"), ("b", "JOANNA"), ("c", "Änne"), ("d", "Bo")] {
            sit(&mut roster, player, Some(wanted));
        }
        let found = |text| roster.find(text).map(|seat| seat.0).collect::<Vec<_>>();
        assert_eq!(
            [found("ann"), found("N L"), found("äN"), found("anna lee")],
            [vec![0, 1], vec![0], vec![2], vec![]]
        );
        assert_eq!(found(""), [0, 1, 2, 3]);
    }

    #[test]
    fn names_that_people_take_for_each_other_are_told_apart() {
        for (first, second, called) in [
            ("Ann", "Ann\u{ad}", "Ann 2"),
            ("Ann", "\u{410}nn", "\u{410}nn 2"), // a Cyrillic А
            ("José", "Jose\u{301}", "José 2"),
            ("Jose\u{301}", "JOSÉ", "JOSÉ 2"),
            ("Bill", "BilI", "BilI 2"),
            ("Straße", "STRASSE", "STRASSE 2"),
            ("می\u{200c}خواهم", "میخواهم", "میخواهم 2"),
            ("Jose", "José", "José"),
        ] {
            let mut roster = Roster::new(7, false);
            sit(&mut roster, "a", Some(first));
            assert_eq!(sit(&mut roster, "b", Some(second)), called);
        }
    }

    #[test]
    fn a_name_of_an_old_journal_is_compared_too() {
        let old = |text: &str| serde_json::from_value::<Name>(text.into()).unwrap();
        let mut roster = Roster::default();
        roster.seat(Sitter::known(PlayerId::parse("a").unwrap(), old("Ann\u{ad}")));
        roster.seat(Sitter::known(PlayerId::parse("b").unwrap(), old("Host")));
        assert_eq!(sit(&mut roster, "c", Some("Ann")), "Ann 2");
        assert_eq!(roster.unused_name(Some(&old("Host"))).as_str(), "Host 2");
        assert_eq!(roster.find("host").count(), 1);
    }

    #[test]
    fn a_name_is_found_in_any_form_and_look() {
        let mut roster = Roster::default();
        for (player, wanted) in [("a", "José"), ("b", "\u{410}nn"), ("c", "ΝΙΚΟΣ"), ("d", "می\u{200c}خواهم")]
        {
            sit(&mut roster, player, Some(wanted));
        }
        let found = |text| roster.find(text).map(|seat| seat.0).collect::<Vec<_>>();
        assert_eq!(
            [found("jose\u{301}"), found("jos"), found("ann"), found("νικ"), found("میخ")],
            [vec![0], vec![0], vec![1], vec![2], vec![3]]
        );
    }

    /// Who takes the numbers that come next makes those who come after take larger ones, and costs them no tries.
    #[test]
    fn numbers_that_were_taken_on_purpose_cost_few_tries() {
        let mut roster = Roster::default();
        for number in 0..4000 {
            let name = Name::parse(&format!("Ann {number}")).unwrap();
            roster.seat(Sitter::known(PlayerId::parse(&format!("p{number}")).unwrap(), name));
        }
        roster.seat(Sitter::known(PlayerId::parse("ann").unwrap(), name("Ann")));
        assert_eq!(roster.unused_name(Some(&name("Ann"))).as_str(), "Ann 4002");
        for number in 4000..6000 {
            roster.seat(Sitter::known(
                PlayerId::parse(&format!("p{number}")).unwrap(),
                name(&format!("Ann {}", number + 2000)),
            ));
        }
        let next = roster.seated() + 1;
        assert_eq!(next, 6002);
        assert_eq!(roster.unused_name(Some(&name("Ann"))).as_str(), format!("Ann {}", next + 2047));
    }

    #[test]
    fn a_thousand_players_of_one_long_name_all_differ() {
        let mut roster = Roster::default();
        let names: std::collections::HashSet<String> =
            (0..1000).map(|n| sit(&mut roster, &format!("p{n}"), Some("Bartholomew Featherstone"))).collect();
        assert_eq!(names.len(), 1000);
    }
}
