//! Admission of players, and the check of answers before they are claimed.

use klaxon_protocol::apart::Person;
use klaxon_protocol::claim::{Claim, ClaimValue, Verdict};
use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::games::trivia::{Choice, QuestionId};
use klaxon_protocol::ids::{ClaimKey, Name, PlayerId, Seat, SeatRef};
use klaxon_protocol::journal::CountedAnswer;
use klaxon_protocol::player::{Phase, Role};
use klaxon_protocol::time::Millis;

use super::Trivia;
use crate::game::people::Sitter;
use crate::game::{Effect, Entry, PreCheck};

impl Trivia {
    /// What one who wants in would get; who is forgotten is somebody new.
    pub(super) fn entry_of<'p>(&self, player: impl Into<Option<&'p PlayerId>>, role: Role) -> Result<Entry, ErrorCode> {
        let in_time = match self.stage.phase {
            Phase::Created => return Err(ErrorCode::UnknownShow),
            Phase::Ended => false,
            Phase::Lobby => true,
            // In elimination players can join until the first question closes, which they then have to answer.
            Phase::Question => !self.eliminates() || self.asked.len() == 1,
            Phase::Closing | Phase::Closed | Phase::Revealed => !self.eliminates(),
        };
        self.people.entry(player, role, in_time)
    }

    pub(super) fn join(&mut self, player: &PlayerId, name: &Name, role: Role) -> Result<Vec<Effect>, Refusal> {
        if self.entry_of(player, role)? == Entry::New {
            self.seat(Sitter::known(player.clone(), name.clone()));
        }
        Ok(Vec::new())
    }

    /// Somebody takes the next seat, or one that is given again. Nothing but who they are depends on whether that is known.
    pub(super) fn sit(&mut self, seat: Seat, guest: bool, who: Option<&Person>) -> Result<Vec<Effect>, Refusal> {
        self.must_have_person_rules()?;
        let player = who.map(|person| &person.player);
        let sitter = Sitter::of(seat, guest, who);
        if self.has_seat(seat) {
            return self.reseat(seat, player, sitter);
        }
        if seat.0 != self.people.roster.seated() {
            return Err(ErrorCode::UnknownSeat.into());
        }
        match self.entry_of(player, Role::Player)? {
            Entry::New => self.seat(sitter),
            Entry::Back(_) | Entry::Watch => {
                return Err(Refusal::because(ErrorCode::WrongPhase, "They get no new seat now."));
            }
        }
        Ok(Vec::new())
    }

    fn seat(&mut self, sitter: Sitter) {
        self.people.roster.seat(sitter);
        self.seats.push(self.first_lives());
    }

    /// Checks an answer before it is claimed. While its question is the last one, a retry of a counted answer gets the
    /// same reply.
    pub(super) fn check_claim(&self, by: SeatRef, claim: &Claim, at: Millis) -> PreCheck {
        let question = claim.round;
        let refused = |code| PreCheck::Decided(Verdict::Refused(code));
        let Some(asked) = self.asked.last().filter(|asked| question <= asked.id() && question.0 > 0) else {
            return refused(ErrorCode::UnknownQuestion);
        };
        let SeatRef { seat, .. } = by;
        if !self.has_seat(seat) {
            return refused(ErrorCode::NotInPlay);
        }
        // The answer was read before its gateway was notified that the seat was given to another player.
        if by != self.people.held(seat) {
            return refused(ErrorCode::SeatGivenAway);
        }
        if question < asked.id() {
            let was_voided = self.asked[usize::from(question.0) - 1].voided;
            return refused(if was_voided { ErrorCode::Voided } else { ErrorCode::TooLate });
        }
        match self.seats.choice(seat).map(ClaimValue::from) {
            Some(counted) if counted == claim.value => return PreCheck::Decided(Verdict::Accepted(counted)),
            Some(counted) => return PreCheck::Decided(Verdict::AlreadyAnswered(counted)),
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
        let choice = Choice::claimed(&claim.value).filter(|choice| choice.index() < asked.counts.len());
        if choice.is_none() || claim.key != ClaimKey(0) {
            return refused(ErrorCode::BadChoice);
        }
        match asked.clock.elapsed(at) {
            Ok(elapsed) => PreCheck::MayCount { elapsed },
            Err(code) => refused(code),
        }
    }

    /// Counts answers that the arbiter accepted.
    pub(super) fn count(&mut self, question: QuestionId, answers: &[CountedAnswer]) {
        for &CountedAnswer { seat, choice, at } in answers {
            let claim = Claim { round: question, key: ClaimKey(0), value: choice.into() };
            let PreCheck::MayCount { elapsed } = self.check_claim(self.people.held(seat), &claim, at) else {
                continue;
            };
            let asked = self.asked.last_mut().expect("an answer that may count is to a question that was asked");
            asked.counts[choice.index()] += 1;
            self.seats.count_answer(seat, choice, elapsed);
        }
    }

    pub(super) fn has_seat(&self, seat: Seat) -> bool {
        self.people.has_seat(seat)
    }
}
