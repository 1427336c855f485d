//! Who gets in, and whose answer may count.

use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::ids::{Name, PlayerId, QuestionId, Seat, SeatRef};
use klaxon_protocol::journal::CountedAnswer;
use klaxon_protocol::link::StampedAnswer;
use klaxon_protocol::player::{Phase, Role, Verdict};

use super::Trivia;
use super::access::Barred;
use crate::game::{Effect, Entry, Game, Standing};

impl Trivia {
    pub(super) fn entry_of(&self, player: &PlayerId, role: Role) -> Result<Entry, ErrorCode> {
        let seat = self.roster.seat_of(player);
        let barred = self.access.barred(player);
        if seat.is_some_and(|seat| self.seats.banned.contains(seat)) || barred == Some(Barred::FromShow) {
            return Err(ErrorCode::Banned);
        }
        let in_time = match self.stage.phase {
            Phase::Created => return Err(ErrorCode::UnknownShow),
            Phase::Ended => false,
            Phase::Lobby => true,
            // In elimination one can come in until the first question closes, and must answer it.
            Phase::Question => !self.eliminates() || self.asked.len() == 1,
            Phase::Closing | Phase::Closed | Phase::Revealed => !self.eliminates(),
        };
        match (role, seat) {
            (Role::Spectator, _) => Ok(Entry::Watch),
            (Role::Player, Some(seat)) => Ok(Entry::Back(seat)),
            // Nobody who was removed gets another seat.
            (Role::Player, None) if !in_time || barred.is_some() => Ok(Entry::Watch),
            (Role::Player, None) if self.access.locked => Err(ErrorCode::LobbyLocked),
            (Role::Player, None) if self.is_full() => Err(ErrorCode::ShowFull),
            (Role::Player, None) => Ok(Entry::New),
        }
    }

    pub(super) fn join(&mut self, player: &PlayerId, name: &Name, role: Role) -> Result<Vec<Effect>, Refusal> {
        if self.entry_of(player, role)? == Entry::New {
            self.roster.seat(player.clone(), name.clone());
            self.seats.push(self.first_lives());
        }
        Ok(Vec::new())
    }

    /// What is known of an answer before it is claimed. A retry of what was counted gets the same reply for as long as the question
    /// is the last one.
    pub(super) fn standing_of(&self, answer: &StampedAnswer) -> Standing {
        let refused = |code| Standing::Decided(Verdict::Refused(code));
        let Some(asked) = self.asked.last().filter(|asked| answer.question <= asked.id() && answer.question.0 > 0)
        else {
            return refused(ErrorCode::UnknownQuestion);
        };
        let SeatRef { seat, .. } = answer.by;
        if !self.has_seat(seat) {
            return refused(ErrorCode::NotInPlay);
        }
        // It was read before its gateway heard that the seat has another player.
        if answer.by != self.held(seat) {
            return refused(ErrorCode::SeatGivenAway);
        }
        if answer.question < asked.id() {
            let was_voided = self.asked.get(usize::from(answer.question.0) - 1).is_some_and(|asked| asked.voided);
            return refused(if was_voided { ErrorCode::Voided } else { ErrorCode::TooLate });
        }
        match self.seats.choice(seat) {
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
        if !self.seats.is_alive(seat) {
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

    /// Counts answers that the arbiter accepted.
    pub(super) fn count(&mut self, question: QuestionId, answers: &[CountedAnswer]) {
        for answer in answers {
            let (by, choice, at) = (self.held(answer.seat), answer.choice, answer.at);
            let stamped = StampedAnswer { conn: 0, number: 0, by, question, choice, at };
            if self.standing_of(&stamped) != Standing::Claim {
                continue;
            }
            let Some(asked) = self.asked.last_mut() else { continue };
            let Ok(elapsed) = asked.clock.elapsed(answer.at) else { continue };
            asked.counts[answer.choice.index()] += 1;
            self.seats.count_answer(answer.seat, answer.choice, elapsed);
        }
    }

    pub(super) fn has_seat(&self, seat: Seat) -> bool {
        seat.0 < self.roster.len()
    }
}
