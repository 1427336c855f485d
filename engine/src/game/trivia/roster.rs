//! Who sits where: players and their names by seat, and the ways back from a player or a name to the seat.

use hashbrown::HashTable;
use klaxon_protocol::ids::{Name, PlayerId, Seat};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Who sits where. The ways back hold seats only, so that a million players' texts are kept once.
#[derive(Default)]
pub struct Roster {
    players: Vec<(PlayerId, Name)>,
    by_player: HashTable<u32>,
    by_name: HashTable<u32>,
    digest: u64,
}

impl Roster {
    /// Gives the player the next seat.
    pub fn seat(&mut self, player: PlayerId, name: Name) -> Seat {
        let seat = u32::try_from(self.players.len()).expect("settings allow 10 million seats at most");
        let seed = u64::from(seat);
        self.digest = self.digest.wrapping_add(xxh3_64_with_seed(player.as_str().as_bytes(), seed));
        self.digest = self.digest.wrapping_add(xxh3_64_with_seed(name.as_str().as_bytes(), !seed));
        let hash = hash_of(player.as_str());
        let name_hash = hash_of(&fold(&name));
        self.players.push((player, name));
        let players = &self.players;
        self.by_player.insert_unique(hash, seat, |&other| hash_of(players[other as usize].0.as_str()));
        self.by_name.insert_unique(name_hash, seat, |&other| hash_of(&fold(&players[other as usize].1)));
        Seat(seat)
    }

    pub fn len(&self) -> u32 {
        u32::try_from(self.players.len()).unwrap_or(u32::MAX)
    }

    pub fn seat_of(&self, player: &PlayerId) -> Option<Seat> {
        let same = |&seat: &u32| self.players[seat as usize].0 == *player;
        self.by_player.find(hash_of(player.as_str()), same).map(|&seat| Seat(seat))
    }

    pub fn player(&self, seat: Seat) -> Option<&PlayerId> {
        self.players.get(seat.index()).map(|(player, _)| player)
    }

    pub fn name(&self, seat: Seat) -> Option<&Name> {
        self.players.get(seat.index()).map(|(_, name)| name)
    }

    fn has_name(&self, name: &Name) -> bool {
        let folded = fold(name);
        self.by_name.find(hash_of(&folded), |&seat| fold(&self.players[seat as usize].1) == folded).is_some()
    }

    /// The wanted name or, if another player has it in any case, the name with a number behind it.
    pub fn unused_name(&self, wanted: Option<&Name>) -> Name {
        let next = self.players.len() + 1;
        let base = match wanted {
            Some(name) if !self.has_name(name) => return name.clone(),
            Some(name) => name.as_str(),
            None => "Player",
        };
        // Small numbers read well, but a thousand players called Ann must not cost a thousand tries each.
        let small = (2..10).filter(|_| wanted.is_some());
        small
            .chain(next..)
            .find_map(|number| {
                let ending = format!(" {number}");
                let kept: String = base.chars().take(24 - ending.len()).collect();
                Name::parse(&(kept + &ending)).ok().filter(|name| !self.has_name(name))
            })
            .expect("there are more numbers than players")
    }

    /// Seats whose names hold this text in any case.
    pub fn find(&self, text: &str) -> impl Iterator<Item = Seat> {
        let text = text.to_lowercase();
        (0..).zip(&self.players).filter(move |(_, (_, name))| holds(name, &text)).map(|(seat, _)| Seat(seat))
    }

    /// A number that differs when the seats, players or names differ.
    pub fn digest(&self) -> u64 {
        self.digest
    }
}

fn hash_of(text: &str) -> u64 {
    xxhash_rust::xxh3::xxh3_64(text.as_bytes())
}

fn fold(name: &Name) -> String {
    name.as_str().to_lowercase()
}

/// Whether a name holds a text of small letters. Of a million names most are ASCII, and cost no copy: the show waits meanwhile.
fn holds(name: &Name, text: &str) -> bool {
    if !name.as_str().is_ascii() || text.is_empty() {
        return fold(name).contains(text);
    }
    let parts = name.as_str().as_bytes().windows(text.len());
    parts.into_iter().any(|part| part.eq_ignore_ascii_case(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn sit(roster: &mut Roster, player: &str, wanted: Option<&str>) -> String {
        let name = roster.unused_name(wanted.map(name).as_ref());
        roster.seat(PlayerId::parse(player).unwrap(), name.clone());
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
    fn a_thousand_players_of_one_long_name_all_differ() {
        let mut roster = Roster::default();
        let names: std::collections::HashSet<String> =
            (0..1000).map(|n| sit(&mut roster, &format!("p{n}"), Some("Bartholomew Featherstone"))).collect();
        assert_eq!(names.len(), 1000);
    }
}
