//! Who may come in and come back, beyond having a seat: what the second edition of the rules added.

use std::collections::{BTreeSet, HashMap};

use bincode::Encode;
use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::ids::{Generation, Name, PlayerId, Seat, SeatRef};
use klaxon_protocol::player::{Phase, Role};
use klaxon_protocol::settings::SEATS;

use super::Trivia;
use super::chain::Chain;
use super::rules::Rules;
use crate::game::Effect;

/// What is kept of it. Most players are in none of this.
#[derive(Default)]
pub struct Access {
    /// How often each player's resume tokens were revoked.
    issues: HashMap<PlayerId, u32>,
    /// Whether new players are refused.
    pub locked: bool,
    /// Players whom the host removed: also when their seat has another player by now.
    barred: HashMap<PlayerId, Barred>,
    /// How often each seat was given again, of those that were.
    generations: HashMap<Seat, Generation>,
    /// Seats of removed guests, which can be given again before the first question.
    vacant: BTreeSet<Seat>,
    changes: Chain,
}

/// What a removed player may not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Barred {
    /// Play.
    FromPlay,
    /// Come in at all.
    FromShow,
}

/// A change, for the digest.
#[derive(Encode)]
pub enum AccessChange<'a> {
    Issue(&'a PlayerId, u32),
    Seats(u32),
    Locked(bool),
    Removed(Seat, bool),
    Restored(Seat),
    Reseated(Seat),
}

impl Access {
    /// How often this player's resume tokens were revoked.
    pub fn issue(&self, player: &PlayerId) -> u32 {
        self.issues.get(player).copied().unwrap_or(0)
    }

    /// What this player may not do, if the host removed them.
    pub fn barred(&self, player: &PlayerId) -> Option<Barred> {
        self.barred.get(player).copied()
    }

    /// How often the seat was given again.
    pub fn generation(&self, seat: Seat) -> Generation {
        self.generations.get(&seat).copied().unwrap_or(Generation(0))
    }

    /// The host removes this player. A ban is not lessened by a removal after it.
    pub fn bar(&mut self, player: PlayerId, from: Barred) {
        let barred = self.barred.entry(player).or_insert(from);
        *barred = from.max(*barred);
    }

    /// The host takes it back.
    pub fn unbar(&mut self, player: &PlayerId) {
        self.barred.remove(player);
    }

    /// This seat can be given again, or can't any more.
    pub fn set_vacant(&mut self, seat: Seat, is_vacant: bool) {
        if is_vacant {
            self.vacant.insert(seat);
        } else {
            self.vacant.remove(&seat);
        }
    }

    pub fn note(&mut self, change: &AccessChange<'_>) {
        self.changes.note(change);
    }

    /// A number that differs when anything here was changed otherwise.
    pub fn digest(&self) -> u64 {
        self.changes.digest()
    }
}

impl Trivia {
    /// Resume tokens of this seat's player that were made before are refused, and whoever sits there by one has to come back.
    pub(super) fn reissue_tokens(&mut self, seat: Seat) -> Result<Vec<Effect>, Refusal> {
        self.must_have_access_rules()?;
        self.must_have(seat)?;
        let Some(player) = self.roster.player(seat).cloned() else { return Err(ErrorCode::UnknownSeat.into()) };
        let issue = self.access.issue(&player).saturating_add(1);
        self.access.note(&AccessChange::Issue(&player, issue));
        self.access.issues.insert(player, issue);
        Ok(vec![Effect::Dismiss(self.held(seat), ErrorCode::TokenRevoked)])
    }

    /// Lets more players in.
    pub(super) fn set_seats(&mut self, seats: u32) -> Result<Vec<Effect>, Refusal> {
        self.must_have_access_rules()?;
        self.must_not_have_ended()?;
        if seats < self.settings.seats || !SEATS.contains(&seats) {
            let (from, to) = (self.settings.seats, SEATS.end());
            let detail = format!("`seats`: {from} to {to}, not {seats}; they can only be raised.");
            return Err(Refusal::because(ErrorCode::BadArgument, detail));
        }
        self.settings.seats = seats;
        self.access.note(&AccessChange::Seats(seats));
        Ok(Vec::new())
    }

    /// Takes no new players from now on, or takes them again.
    pub(super) fn lock_lobby(&mut self, on: bool) -> Result<Vec<Effect>, Refusal> {
        self.must_have_access_rules()?;
        self.must_not_have_ended()?;
        self.access.locked = on;
        self.access.note(&AccessChange::Locked(on));
        Ok(Vec::new())
    }

    /// The seat as its player has it.
    pub(super) fn held(&self, seat: Seat) -> SeatRef {
        SeatRef { seat, generation: self.access.generation(seat) }
    }

    /// Whether this seat may be given to another player, if its own is gone or was removed.
    pub(super) fn is_for_guests(&self, seat: Seat) -> bool {
        self.rules >= Rules::Second
            && self.stage.phase == Phase::Lobby
            && self.asked.is_empty()
            && self.roster.player(seat).is_some_and(PlayerId::is_guest)
            && self.access.generation(seat).0 < u32::MAX
    }

    /// The seat of a removed guest.
    pub(super) fn vacant_seat(&self) -> Option<Seat> {
        self.access.vacant.first().copied().filter(|&seat| self.is_for_guests(seat))
    }

    /// Gives a guest's seat to a new player, as if nobody had sat there. Whoever is still connected as the one before has to leave.
    pub(super) fn reseat(&mut self, seat: Seat, player: &PlayerId, name: &Name) -> Result<Vec<Effect>, Refusal> {
        self.must_have_access_rules()?;
        self.must_have(seat)?;
        if !self.is_for_guests(seat) {
            let detail = "Only a guest's seat can be given again, and only before the first question.";
            return Err(Refusal::because(ErrorCode::WrongPhase, detail));
        }
        match self.entry_of(player, Role::Player) {
            Err(ErrorCode::ShowFull) => {}
            Err(code) => return Err(code.into()),
            Ok(_) => return Err(Refusal::because(ErrorCode::WrongPhase, "The show is not full.")),
        }
        // The arbiter keeps claims by show, question and seat, and the journal answers by seat. Neither asks whose the seat was.
        assert!(self.asked.is_empty(), "seat {seat} is given again though a question was asked");
        let before = self.held(seat);
        self.access.generations.insert(seat, Generation(before.generation.0 + 1));
        self.access.vacant.remove(&seat);
        self.removals.remove(&seat);
        self.access.note(&AccessChange::Reseated(seat));
        self.bans.outlive(seat);
        self.roster.reseat(seat, player.clone(), name.clone());
        if self.seats.begin_anew(seat, self.first_lives()) {
            self.seats.changed();
        }
        Ok(vec![Effect::Dismiss(before, ErrorCode::SeatGivenAway)])
    }

    /// The lives with which a new player begins.
    pub(super) fn first_lives(&self) -> u8 {
        if self.eliminates() { self.settings.lives } else { 0 }
    }

    pub(super) fn must_have_access_rules(&self) -> Result<(), Refusal> {
        if self.rules >= Rules::Second {
            return Ok(());
        }
        Err(Refusal::because(
            ErrorCode::WrongPhase,
            "This show goes on by the first edition of the rules, which does not have this.",
        ))
    }
}
