//! Who gets a seat by the rules, who loses it, and how the host can change that.

use klaxon_protocol::games::trivia::QuestionId;
use klaxon_protocol::ids::{Name, PlayerId, Seat};
use klaxon_protocol::journal::RulesVersion;
use klaxon_protocol::limits::SEATS;
use klaxon_protocol::player::{Phase, ToPlayer};
use klaxon_protocol::time::Millis;

use super::seats::miss;
use super::{Book, Held, Refused};

/// The prefix of guests' ids.
const GUEST: &str = "guest-";

impl Book {
    /// Gives a new player the next seat.
    pub(super) fn join(&mut self, now: Millis, player: &PlayerId, name: &Name) -> Result<Vec<ToPlayer>, Refused> {
        self.must_let_in(player)?;
        if self.is_full() {
            return Err(format!("{player} gets a seat, and all {} are taken", self.settings.seats));
        }
        self.seats.push(Held::new(player.clone(), name.clone(), self.first_lives()));
        self.joins.push(now);
        Ok(Vec::new())
    }

    /// Gives a new player the seat of a guest; nothing of the guest is kept.
    pub(super) fn reseat(&mut self, seat: Seat, player: &PlayerId, name: &Name) -> Result<Vec<ToPlayer>, Refused> {
        self.must_let_in(player)?;
        if self.edition < RulesVersion(2) || self.phase != Phase::Lobby || !self.asked.is_empty() {
            return Err(format!("seat {seat} is given again, and the first question was asked"));
        }
        if !self.is_full() {
            return Err(format!("seat {seat} is given again, and there are others"));
        }
        let lives = self.first_lives();
        let held = self.seats.get_mut(seat.index()).ok_or_else(|| format!("there is no seat {seat}"))?;
        if !held.player.as_str().starts_with(GUEST) {
            return Err(format!("seat {seat} is given again, and {} is no guest", held.player));
        }
        *held = Held::new(player.clone(), name.clone(), lives);
        Ok(Vec::new())
    }

    /// Checks that a player without a seat may get one.
    fn must_let_in(&self, player: &PlayerId) -> Result<(), Refused> {
        if self.seats.iter().any(|held| held.player == *player) {
            return Err(format!("{player} has a seat already"));
        }
        if self.barred.contains(player) {
            return Err(format!("{player} gets a seat, and the host removed them"));
        }
        if self.locked {
            return Err(format!("{player} gets a seat, and the lobby is locked"));
        }
        let in_time = match self.phase {
            Phase::Created | Phase::Ended => false,
            Phase::Lobby => true,
            Phase::Question => !self.settings.mode.eliminates() || self.asked.len() == 1,
            Phase::Closing | Phase::Closed | Phase::Revealed => !self.settings.mode.eliminates(),
        };
        if in_time { Ok(()) } else { Err("a new player gets no seat any more".into()) }
    }

    fn is_full(&self) -> bool {
        self.seats.len() >= self.settings.seats as usize
    }

    fn first_lives(&self) -> u8 {
        if self.settings.mode.eliminates() { self.settings.lives } else { 0 }
    }

    pub(super) fn set_seats(&mut self, seats: u32) -> Result<Vec<ToPlayer>, Refused> {
        if seats < self.settings.seats || !SEATS.contains(&seats) {
            return Err(format!("{seats} seats instead of {}", self.settings.seats));
        }
        self.settings.seats = seats;
        Ok(Vec::new())
    }

    /// Removes a player. From edition 2 on the player can't get another seat.
    pub(super) fn remove(&mut self, seat: Seat) -> Result<Vec<ToPlayer>, Refused> {
        let settled = self.asked.iter().filter(|asked| asked.reveal.is_some() || asked.voided.is_some()).count();
        let held = self.seats.get_mut(seat.index()).ok_or_else(|| format!("there is no seat {seat}"))?;
        held.alive = false;
        if held.removed.is_none() {
            held.removed = Some(settled);
        }
        if self.edition >= RulesVersion(2) {
            self.barred.insert(held.player.clone());
        }
        Ok(Vec::new())
    }

    /// Undoes a removal; the player has missed what was revealed meanwhile.
    pub(super) fn restore(&mut self, seat: Seat) -> Result<Vec<ToPlayer>, Refused> {
        let held = self.seats.get_mut(seat.index()).ok_or_else(|| format!("there is no seat {seat}"))?;
        let Some(settled) = held.removed.take() else {
            return Err(format!("the player of seat {seat} is not removed"));
        };
        self.barred.remove(&held.player);
        if held.out_at == 0 {
            held.alive = true;
            let last = self.asked.last().map(|asked| asked.question.question);
            let counts =
                self.asked.iter().skip(settled).filter(|asked| asked.reveal.is_some() && asked.voided.is_none());
            let missed: Vec<QuestionId> = counts.map(|asked| asked.question.question).collect();
            for question in missed {
                let change = miss(seat, held, self.settings.mode, question);
                if last == Some(question) {
                    self.changes.push(change);
                }
                if !held.alive {
                    break;
                }
            }
        }
        if self.asked.iter().any(|asked| asked.reveal.is_some()) {
            self.rank();
        }
        Ok(Vec::new())
    }
}
