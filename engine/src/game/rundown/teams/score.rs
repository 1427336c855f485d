//! What teams have: their scores, exact, and their order.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use klaxon_protocol::binary;
use klaxon_protocol::games::rundown::{OwnTeam, TEAM_LEADERS, Team, TeamLeader, TeamPlace, TeamScore};
use klaxon_protocol::ids::Seat;
use xxhash_rust::xxh3::xxh3_64;

use super::super::ledger::Ledger;
use super::Teams;
use crate::game::people::People;
use crate::game::places::ranked;

/// A score as a fraction: nothing is rounded before scores are compared.
#[derive(Debug, Clone, Copy)]
pub struct Score {
    sum: i128,
    /// By how much it is divided: at least 1.
    over: u32,
}

impl Score {
    const fn whole(sum: i128) -> Self {
        Self { sum, over: 1 }
    }

    /// Rounded down, as it is told.
    fn rounded(self) -> i64 {
        let rounded = self.sum.div_euclid(i128::from(self.over));
        i64::try_from(rounded).unwrap_or(if rounded < 0 { i64::MIN } else { i64::MAX })
    }
}

impl PartialEq for Score {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Score {}

impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Products of ten million seats' points and a count of ten million have less than 127 bits.
impl Ord for Score {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.sum * i128::from(other.over)).cmp(&(other.sum * i128::from(self.over)))
    }
}

/// What one team has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TeamLine {
    pub score: Score,
    pub winnings: u64,
    /// Members whom the host did not remove.
    pub members: u32,
    /// Those of them who count for the score: a team without any has no rank.
    counted: u32,
    /// Those of them who are in play.
    playing: u32,
}

impl TeamLine {
    /// Whether all members are out.
    const fn is_out(&self) -> bool {
        self.members > 0 && self.playing == 0
    }
}

/// The teams by what they have.
#[derive(Default)]
pub struct Ranking {
    /// What it was computed from; none before it ever was.
    of: Option<(u64, u64, u32)>,
    lines: Vec<TeamLine>,
    /// Best first.
    places: Vec<(u32, Team)>,
    /// By team.
    ranks: Vec<Option<u32>>,
    /// The leaders as they were last told to all.
    told: Vec<TeamLeader>,
}

impl Ranking {
    /// A team as its members are told; `ranked`: whether ranks are.
    pub fn own(&self, team: Team, ranked: bool) -> OwnTeam {
        let index = usize::from(team.0);
        let rank = self.ranks.get(index).copied().flatten().filter(|_| ranked);
        let (score, out) = self.lines.get(index).map_or((0, false), |line| (line.score.rounded(), line.is_out()));
        OwnTeam { team, score, rank, out }
    }

    /// The teams with the best scores.
    pub fn leaders(&self) -> Vec<TeamLeader> {
        let leader = |&(rank, team): &(u32, Team)| {
            let line = &self.lines[usize::from(team.0)];
            TeamLeader { rank, team, score: line.score.rounded(), out: line.is_out() }
        };
        self.places.iter().take(TEAM_LEADERS).map(leader).collect()
    }

    /// The leaders, if they are others than those who were told last: these are told now.
    pub fn leaders_to_tell(&mut self) -> Option<Vec<TeamLeader>> {
        let leaders = self.leaders();
        let nobody_leads = |leader: &TeamLeader| leader.rank == 1 && leader.score == 0 && !leader.out;
        let is_news = leaders != self.told && !(self.told.is_empty() && leaders.iter().all(nobody_leads));
        is_news.then(|| {
            self.told.clone_from(&leaders);
            leaders
        })
    }

    /// A hash of what was told last.
    pub fn told(&self) -> u64 {
        xxh3_64(&binary::encode(&self.told))
    }

    /// The first of all places.
    pub fn places(&self, most: usize) -> Vec<TeamPlace> {
        let place = |&(place, team): &(u32, Team)| {
            let line = &self.lines[usize::from(team.0)];
            let TeamLine { score, winnings, members, .. } = *line;
            TeamPlace { place, team, score: score.rounded(), winnings, members, out: line.is_out() }
        };
        self.places.iter().take(most).map(place).collect()
    }
}

impl Teams {
    /// Computes what the teams have, if anything that matters has changed: one pass over the seats.
    pub fn rank(&mut self, people: &People, ledger: &Ledger) {
        let of = Some((ledger.digest(), self.digest, people.removed.count()));
        if self.ranking.of == of {
            return;
        }
        let lines = self.lines(people, ledger);
        let order = |team: Team| {
            let TeamLine { score, winnings, .. } = lines[usize::from(team.0)];
            (Reverse(score), Reverse(winnings))
        };
        let has_any = |team: &Team| lines[usize::from(team.0)].counted > 0;
        let places = ranked((0..self.count()).map(Team).filter(has_any), order);
        let mut ranks = vec![None; lines.len()];
        for &(rank, team) in &places {
            ranks[usize::from(team.0)] = Some(rank);
        }
        let told = std::mem::take(&mut self.ranking.told);
        self.ranking = Ranking { of, lines, places, ranks, told };
    }

    fn lines(&self, people: &People, ledger: &Ledger) -> Vec<TeamLine> {
        let nothing = TeamLine { score: Score::whole(0), winnings: 0, members: 0, counted: 0, playing: 0 };
        let mut lines = vec![nothing; self.sizes.len()];
        let most = if let TeamScore::Best(most) = self.setup.score { usize::from(most) } else { 0 };
        let mut best: Vec<BinaryHeap<Reverse<i64>>> = vec![BinaryHeap::new(); if most > 0 { lines.len() } else { 0 }];
        for seat in (0..ledger.seats()).map(Seat) {
            let Some(Team(team)) = self.of(seat).filter(|_| !people.removed.contains(seat)) else { continue };
            let (line, has) = (&mut lines[usize::from(team)], ledger.line(seat));
            line.members += 1;
            line.playing += u32::from(has.out.is_none());
            line.winnings += has.winnings;
            if !self.counts(seat) {
                continue;
            }
            line.counted += 1;
            let Some(best) = best.get_mut(usize::from(team)) else {
                line.score.sum += i128::from(has.points);
                continue;
            };
            if best.len() < most {
                best.push(Reverse(has.points));
            } else if best.peek().is_some_and(|&Reverse(least)| least < has.points) {
                best.pop();
                best.push(Reverse(has.points));
            }
        }
        for (line, best) in lines.iter_mut().zip(best) {
            line.score.sum = best.into_iter().map(|Reverse(points)| i128::from(points)).sum();
        }
        if self.setup.score == TeamScore::Mean {
            lines.iter_mut().for_each(|line| line.score.over = line.counted.max(1));
        }
        lines
    }
}
