//! Removing players, and undoing it.

use std::sync::Arc;

use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::games::trivia::QuestionId;
use klaxon_protocol::host::AlertKind;
use klaxon_protocol::ids::Seat;

use super::Trivia;
use super::reveal::Missed;
use super::rules::Rules;
use crate::game::Effect;

/// What is needed to undo a removal.
#[derive(Debug, Clone, Copy)]
pub struct Removal {
    /// How many questions had been revealed or voided at the removal: the player missed none of them.
    settled: usize,
}

impl Trivia {
    pub(super) fn remove(&mut self, seat: Seat, ban: bool) -> Result<Vec<Effect>, Refusal> {
        let mut effects = self.take_out(seat, ban)?;
        if ban && self.people.roster.is_guests(seat) {
            effects.push(Effect::Alert(AlertKind::GuestBanned { seat }));
        }
        Ok(effects)
    }

    /// Removes a player without an alert to the host.
    pub(super) fn take_out(&mut self, seat: Seat, ban: bool) -> Result<Vec<Effect>, Refusal> {
        self.must_not_have_ended()?;
        self.people.check_seat(seat)?;
        self.note_removal(seat, ban);
        self.seats.alive.remove(seat);
        let dismissed = self.people.take_out(seat, ban);
        self.seats.changed(&self.people);
        Ok(vec![dismissed])
    }

    /// Stores what is needed to undo the removal, and bars the player from returning as a new one.
    fn note_removal(&mut self, seat: Seat, ban: bool) {
        if self.rules < Rules::Second {
            return;
        }
        let is_settled = self.asked.last().is_none_or(|asked| asked.reveal.is_some() || asked.voided);
        let settled = self.asked.len() - usize::from(!is_settled);
        self.removals.entry(seat).or_insert(Removal { settled });
        self.people.bar(seat, ban, self.gives_seats() && self.people.is_for_guests(seat));
    }

    /// Undoes a removal. A player who was in play is again, but counts as silent in the questions revealed in between:
    /// each costs a life or, without one, eliminates the player. So a removal is never an advantage.
    pub(super) fn restore(&mut self, seat: Seat) -> Result<Vec<Effect>, Refusal> {
        self.must_have_access_rules()?;
        self.must_not_have_ended()?;
        self.people.check_seat(seat)?;
        let Some(removal) = self.removals.remove(&seat) else {
            let detail = "The player of this seat is not removed; one who was may have lost it to this one.";
            return Err(Refusal::because(ErrorCode::WrongPhase, detail));
        };
        self.people.restore(seat);
        if self.seats.out_at[seat.index()] == 0 {
            self.seats.alive.insert(seat);
            self.miss(seat, removal.settled);
        }
        self.seats.changed(&self.people);
        if self.asked.iter().any(|asked| asked.reveal.is_some()) {
            self.ranks = self.count_ranks();
        }
        Ok(vec![Effect::TellSome(Arc::new(self.state_of(seat)))])
    }

    /// Treats a player in play as silent in the questions from index `from` on that were revealed and not voided.
    fn miss(&mut self, seat: Seat, from: usize) {
        let counts = |asked: &&super::Asked| asked.reveal.is_some() && !asked.voided;
        let missed: Vec<QuestionId> = self.asked[from..].iter().filter(counts).map(super::Asked::id).collect();
        for question in missed {
            let streak = std::mem::take(&mut self.seats.streak[seat.index()]);
            let life_lost = self.eliminates() && self.seats.lose(seat, question);
            if let Some(undo) =
                self.undo.as_mut().filter(|_| self.asked.last().is_some_and(|last| last.id() == question))
            {
                undo.missed.push(Missed { seat, streak, life_lost });
            }
            if !self.seats.is_alive(seat) {
                return;
            }
        }
    }
}
