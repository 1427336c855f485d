//! Who gets in, and whose answer may count.

use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::ids::{Name, PlayerId, Seat};
use klaxon_protocol::link::StampedAnswer;
use klaxon_protocol::player::{Phase, Verdict};

use super::Trivia;
use crate::game::{Effect, Entry, Standing};

impl Trivia {
    pub(super) fn entry_of(&self, player: &PlayerId) -> Result<Entry, ErrorCode> {
        if let Some(seat) = self.roster.seat_of(player) {
            return if self.seats.banned.contains(seat) { Err(ErrorCode::Banned) } else { Ok(Entry::Back(seat)) };
        }
        let in_time = match self.stage.phase {
            Phase::Created => return Err(ErrorCode::UnknownShow),
            Phase::Ended => return Ok(Entry::Watch),
            Phase::Lobby => true,
            // In elimination one can come in until the first question closes, and must answer it.
            Phase::Question => !self.eliminates() || self.asked.len() == 1,
            Phase::Closing | Phase::Closed | Phase::Revealed => !self.eliminates(),
        };
        if !in_time {
            Ok(Entry::Watch)
        } else if self.roster.len() >= self.settings.seats {
            Err(ErrorCode::ShowFull)
        } else {
            Ok(Entry::New)
        }
    }

    pub(super) fn join(&mut self, player: &PlayerId, name: &Name) -> Result<Vec<Effect>, Refusal> {
        match self.entry_of(player)? {
            Entry::New => {
                self.roster.seat(player.clone(), name.clone());
                self.seats.push(if self.eliminates() { self.settings.lives } else { 0 });
                Ok(Vec::new())
            }
            Entry::Back(_) | Entry::Watch => Ok(Vec::new()),
        }
    }

    /// What is known of an answer before it is claimed. A retry of what was counted gets the same reply for as long as the question
    /// is the last one.
    pub(super) fn standing_of(&self, answer: &StampedAnswer) -> Standing {
        let refused = |code| Standing::Decided(Verdict::Refused(code));
        let Some(asked) = self.asked.last().filter(|asked| answer.question <= asked.id() && answer.question.0 > 0)
        else {
            return refused(ErrorCode::UnknownQuestion);
        };
        if !self.has_seat(answer.seat) {
            return refused(ErrorCode::NotInPlay);
        }
        if answer.question < asked.id() {
            return refused(ErrorCode::TooLate);
        }
        match self.seats.choice(answer.seat) {
            Some(choice) if choice == answer.choice => return Standing::Decided(Verdict::Accepted(choice)),
            Some(choice) => return Standing::Decided(Verdict::AlreadyAnswered(choice)),
            None => {}
        }
        if asked.voided {
            return refused(ErrorCode::Voided);
        }
        if !matches!(self.stage.phase, Phase::Question | Phase::Closing) {
            return refused(ErrorCode::TooLate);
        }
        if !self.seats.is_alive(answer.seat) {
            return refused(ErrorCode::NotInPlay);
        }
        if answer.choice.index() >= asked.counts.len() {
            return refused(ErrorCode::BadChoice);
        }
        match asked.clock.elapsed(answer.at) {
            Ok(_) => Standing::Claim,
            Err(code) => refused(code),
        }
    }

    pub(super) fn has_seat(&self, seat: Seat) -> bool {
        seat.0 < self.roster.len()
    }
}
