//! The choice of teams by players, as claims in a round of its own before the show's first round.
//!
//! A seat can choose again: its claims have the keys 0, 1, 2, ..., and the last of them stands. A seat that was given to another player goes
//! on with the next key, because the arbiter keeps the claims of the earlier player.

use klaxon_protocol::claim::{Claim, ClaimValue, Verdict};
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::games::rundown::{CHOICE, CHOICES, Team, TeamsBy};
use klaxon_protocol::ids::{ClaimKey, Seat, SeatRef};
use klaxon_protocol::player::Phase;
use klaxon_protocol::time::{Millis, Span};
use xxhash_rust::xxh3::xxh3_64;

use super::super::Rundown;
use super::{NONE, Teams};
use crate::game::PreCheck;
use crate::round::{ClaimSpace, ClaimValues, Round, SeatClaim};

/// What all seats have chosen.
pub struct Choosing {
    /// By seat.
    chosen: Vec<Chosen>,
    /// By team: when the last of those who ever chose it did.
    latest: Vec<Millis>,
    /// A sum of hashes over all choices.
    digest: u64,
}

/// What one seat has chosen.
#[derive(Clone, Copy)]
struct Chosen {
    /// How many times.
    times: u16,
    /// The teams, by key.
    teams: [u16; CHOICES as usize],
    /// When the last choice was read, or the host put the seat where it is.
    at: Millis,
}

impl Chosen {
    const NOTHING: Self = Self { times: 0, teams: [NONE; CHOICES as usize], at: Millis(0) };

    fn made(&self) -> impl Iterator<Item = (ClaimKey, ClaimValue)> {
        let teams = self.teams.into_iter().take(usize::from(self.times));
        (0..).map(ClaimKey).zip(teams.map(|team| ClaimValue::Bits(team.into())))
    }
}

impl Choosing {
    pub(super) fn new(teams: usize) -> Self {
        Self { chosen: Vec::new(), latest: vec![Millis(0); teams], digest: 0 }
    }

    fn of(&self, seat: Seat) -> Chosen {
        self.chosen.get(seat.index()).copied().unwrap_or(Chosen::NOTHING)
    }

    fn of_mut(&mut self, seat: Seat) -> &mut Chosen {
        if seat.index() >= self.chosen.len() {
            self.chosen.resize(seat.index() + 1, Chosen::NOTHING);
        }
        &mut self.chosen[seat.index()]
    }

    fn count(&mut self, seat: Seat, Team(team): Team, at: Millis) {
        let chosen = self.of_mut(seat);
        chosen.teams[usize::from(chosen.times)] = team;
        (chosen.times, chosen.at) = (chosen.times + 1, at);
        let times = chosen.times;
        let latest = &mut self.latest[usize::from(team)];
        *latest = (*latest).max(at);
        let bytes = [u64::from(seat.0), u64::from(team) << 16 | u64::from(times), at.0].map(u64::to_le_bytes);
        self.digest = self.digest.wrapping_add(xxh3_64(bytes.as_flattened()));
    }

    pub(super) fn note_host(&mut self, seat: Seat, now: Millis) {
        self.of_mut(seat).at = now;
        let bytes = [u64::from(seat.0), u64::MAX, now.0].map(u64::to_le_bytes);
        self.digest = self.digest.wrapping_add(xxh3_64(bytes.as_flattened()));
    }

    pub(super) const fn digest(&self) -> u64 {
        self.digest
    }

    /// The seats that no place is left for in their team: of those who chose it, the first by time, then by seat, stay.
    pub(super) fn without_room(&self, of: &[u16], teams: usize, largest: u32) -> Vec<Seat> {
        let mut members: Vec<Vec<(Millis, Seat)>> = vec![Vec::new(); teams];
        for (seat, &team) in (0..).map(Seat).zip(of).filter(|(_, team)| **team != NONE) {
            members[usize::from(team)].push((self.of(seat).at, seat));
        }
        let mut left = Vec::new();
        for team in &mut members {
            team.sort_unstable();
            left.extend(team.iter().skip(usize::try_from(largest).unwrap_or(usize::MAX)).map(|&(_, seat)| seat));
        }
        left
    }
}

impl Teams {
    /// Whether players can choose.
    pub const fn is_choosing(&self) -> bool {
        self.choosing.is_some()
    }

    fn choice_space(&self) -> ClaimSpace {
        ClaimSpace { keys: CHOICES, values: ClaimValues::Below(self.count().into()) }
    }

    /// The next key of the seat's choices, if it can choose again.
    pub(super) fn next_choice(&self, seat: Seat) -> Option<ClaimKey> {
        let times = self.choosing.as_ref()?.of(seat).times;
        (times < CHOICES).then_some(ClaimKey(times))
    }

    /// All choices.
    pub fn choices(&self) -> Vec<SeatClaim> {
        let chosen = self.choosing.iter().flat_map(|choosing| (0..).map(Seat).zip(&choosing.chosen));
        let claims = |(seat, chosen): (Seat, &Chosen)| {
            let made: Vec<_> = chosen.made().collect();
            made.into_iter().map(move |(key, value)| SeatClaim { seat, key, value })
        };
        chosen.flat_map(claims).collect()
    }

    /// Checks a choice of a seat that is taken; none if it may count.
    fn judge_choice(&self, wanted: &SeatClaim, at: Millis) -> Option<Verdict> {
        let refused = |code| Some(Verdict::Refused(code));
        let Some(choosing) = &self.choosing else { return refused(ErrorCode::TooLate) };
        let chosen = choosing.of(wanted.seat);
        match chosen.made().find(|(key, _)| *key == wanted.key) {
            Some((_, counted)) if counted == wanted.value => return Some(Verdict::Accepted(counted)),
            Some((_, counted)) => return Some(Verdict::AlreadyAnswered(counted)),
            None => {}
        }
        let ClaimValue::Bits(value) = wanted.value else { return refused(ErrorCode::BadChoice) };
        if !self.choice_space().holds(wanted) || wanted.key.0 != chosen.times {
            return refused(ErrorCode::BadChoice);
        }
        let team = Team(u16::try_from(value).expect("it is below the number of teams"));
        // Who was read before another who got the last place gets one still: who stays is decided at the close, by when they chose.
        let is_later = at >= choosing.latest[usize::from(team.0)];
        if self.of(wanted.seat) != Some(team) && !self.has_room(team) && is_later {
            return refused(ErrorCode::BadChoice);
        }
        None
    }
}

impl Rundown {
    /// The round in which players choose their teams, while they can.
    pub(in super::super) fn choice_round(&self) -> Option<Round> {
        let teams = self.teams.as_ref().filter(|teams| teams.is_choosing() && self.course.phase != Phase::Created)?;
        Some(Round { id: CHOICE, space: teams.choice_space() })
    }

    /// Checks a choice of a team before the arbiter is asked.
    pub(in super::super) fn check_choice(&self, by: SeatRef, claim: &Claim, at: Millis) -> PreCheck {
        let refused = |code| PreCheck::Decided(Verdict::Refused(code));
        let seat = by.seat;
        let Some(teams) = self.teams.as_ref().filter(|teams| teams.setup.by == TeamsBy::Choice) else {
            return refused(ErrorCode::UnknownQuestion);
        };
        if !self.people.has_seat(seat) {
            return refused(ErrorCode::NotInPlay);
        }
        // The claim was read before its gateway was notified that the seat was given to another player.
        if by != self.people.held(seat) {
            return refused(ErrorCode::SeatGivenAway);
        }
        if self.course.phase != Phase::Lobby {
            return refused(ErrorCode::TooLate);
        }
        if self.people.removed.contains(seat) {
            return refused(ErrorCode::NotInPlay);
        }
        let wanted = SeatClaim { seat, key: claim.key, value: claim.value.clone() };
        match teams.judge_choice(&wanted, at) {
            Some(verdict) => PreCheck::Decided(verdict),
            None => PreCheck::MayCount { elapsed: Span(0) },
        }
    }

    /// Counts a choice that the arbiter accepted, also if its team is full by now: it was told that it counts. At the close the first stay.
    pub(in super::super) fn count_choice(&mut self, SeatClaim { seat, key, value }: SeatClaim, at: Millis) {
        let Some(teams) = &mut self.teams else { return };
        let ClaimValue::Bits(value) = value else { return };
        let team = u16::try_from(value).ok().filter(|team| *team < teams.count()).map(Team);
        let (Some(team), true) = (team, self.people.has_seat(seat) && teams.next_choice(seat) == Some(key)) else {
            return;
        };
        teams.put(seat, Some(team));
        teams.choosing.as_mut().expect("a seat can choose").count(seat, team, at);
    }
}
