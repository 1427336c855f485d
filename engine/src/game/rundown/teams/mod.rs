//! The teams of a show: which seat is in which, and what each has. The rule book is docs/rules/teams.md.

mod choosing;
mod host;
mod score;
mod telling;

#[cfg(test)]
mod tests;

use klaxon_protocol::binary;
use klaxon_protocol::games::rundown::{Team, TeamScore, TeamSetup, TeamsBy};
use klaxon_protocol::ids::Seat;
use klaxon_protocol::time::Millis;
use xxhash_rust::xxh3::xxh3_64;

use self::choosing::Choosing;
use self::score::Ranking;

/// In `of`: the seat is in no team.
const NONE: u16 = u16::MAX;

/// Which team each seat is in.
pub struct Teams {
    setup: TeamSetup,
    /// By seat.
    of: Vec<u16>,
    /// By team: how many seats are in it, with those whose players the host removed.
    sizes: Vec<u32>,
    /// A sum of hashes over the seats that are in a team, so that a change does not rehash the others.
    digest: u64,
    /// What players have chosen, until the first round opens.
    choosing: Option<Choosing>,
    /// How many seats were taken when the first round opened; none before.
    early: Option<u32>,
    /// The teams by what they had after the last step of the show.
    ranking: Ranking,
}

impl Teams {
    /// The teams of a show without players.
    #[must_use]
    pub fn new(setup: TeamSetup) -> Self {
        let count = setup.names.len();
        let choosing = (setup.by == TeamsBy::Choice).then(|| Choosing::new(count));
        let (of, sizes) = (Vec::new(), vec![0; count]);
        Self { setup, of, sizes, digest: 0, choosing, early: None, ranking: Ranking::default() }
    }

    /// How many teams there are.
    fn count(&self) -> u16 {
        u16::try_from(self.sizes.len()).expect("a setup has 1000 teams at most")
    }

    /// The seat's team.
    pub fn of(&self, seat: Seat) -> Option<Team> {
        self.of.get(seat.index()).filter(|&&team| team != NONE).map(|&team| Team(team))
    }

    /// Of each team the seat with the least key, and all seats without a team, in any order.
    pub fn least_of_each<K: Ord>(&self, keys: impl Iterator<Item = (K, Seat)>) -> Vec<(K, Seat)> {
        let mut least: Vec<Option<(K, Seat)>> = self.sizes.iter().map(|_| None).collect();
        let mut all = Vec::new();
        for key in keys {
            let Some(Team(team)) = self.of(key.1) else {
                all.push(key);
                continue;
            };
            let known = &mut least[usize::from(team)];
            if known.as_ref().is_none_or(|other| key < *other) {
                *known = Some(key);
            }
        }
        all.extend(least.into_iter().flatten());
        all
    }

    /// The next seat is taken.
    pub fn sit(&mut self) {
        let seat = Seat(u32::try_from(self.of.len()).expect("settings allow 10 million seats at most"));
        self.of.push(NONE);
        match self.setup.by {
            TeamsBy::Even => self.deal(seat),
            TeamsBy::Choice if self.choosing.is_none() => self.deal(seat),
            TeamsBy::Choice | TeamsBy::Host => {}
        }
    }

    /// The seat is given to another player. A dealt team stays the seat's; one that was chosen or set was the earlier player's.
    pub fn give_away(&mut self, seat: Seat) {
        if self.setup.by != TeamsBy::Even {
            self.put(seat, None);
        }
    }

    /// Whether another seat can be put into the team.
    fn has_room(&self, Team(team): Team) -> bool {
        self.setup.largest.is_none_or(|largest| self.sizes[usize::from(team)] < largest)
    }

    /// Puts the seat into the smallest team, of equal ones the first; nowhere if all are full.
    fn deal(&mut self, seat: Seat) {
        let smallest = (0..self.count()).map(Team).min_by_key(|&Team(team)| self.sizes[usize::from(team)]);
        self.put(seat, smallest.filter(|&team| self.has_room(team)));
    }

    fn put(&mut self, seat: Seat, team: Option<Team>) {
        if let Some(Team(before)) = self.of(seat) {
            self.sizes[usize::from(before)] -= 1;
            self.digest = self.digest.wrapping_sub(share(seat, before));
        }
        let now = team.map_or(NONE, |Team(team)| team);
        self.of[seat.index()] = now;
        if now != NONE {
            self.sizes[usize::from(now)] += 1;
            self.digest = self.digest.wrapping_add(share(seat, now));
        }
    }

    /// The host puts the seat into this team, or takes it out of its team.
    fn put_by_host(&mut self, seat: Seat, team: Option<Team>, now: Millis) {
        self.put(seat, team);
        if let Some(choosing) = &mut self.choosing {
            choosing.note_host(seat, now);
        }
    }

    /// The first round opened: choices are over. Who has not chosen, or has no room in the chosen team, is dealt. Returns those who were
    /// dealt.
    fn close(&mut self) -> Vec<Seat> {
        self.early = Some(u32::try_from(self.of.len()).expect("settings allow 10 million seats at most"));
        let Some(choosing) = self.choosing.take() else { return Vec::new() };
        if let Some(largest) = self.setup.largest {
            for seat in choosing.without_room(&self.of, self.sizes.len(), largest) {
                self.put(seat, None);
            }
        }
        let left: Vec<Seat> = (0..).map(Seat).zip(&self.of).filter(|(_, team)| **team == NONE).map(|of| of.0).collect();
        left.iter().for_each(|&seat| self.deal(seat));
        left
    }

    /// Whether the points of this seat count for its team's score.
    fn counts(&self, seat: Seat) -> bool {
        self.setup.score != TeamScore::Mean || self.early.is_none_or(|early| seat.0 < early)
    }

    /// A number that differs when the seats' teams, their choices, or what was told of the teams differ.
    pub fn digest(&self) -> u64 {
        let choices = self.choosing.as_ref().map(Choosing::digest);
        xxh3_64(&binary::encode(&(self.digest, choices, self.early, self.ranking.told())))
    }
}

/// A seat's part of the digest.
fn share(seat: Seat, team: u16) -> u64 {
    let mut bytes = [0; 6];
    bytes[..4].copy_from_slice(&seat.0.to_le_bytes());
    bytes[4..].copy_from_slice(&team.to_le_bytes());
    xxh3_64(&bytes)
}
