//! Admission of players, and the check of claims before the arbiter is asked.

use klaxon_protocol::apart::Person;
use klaxon_protocol::claim::{Claim, Verdict};
use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::games::rundown::CHOICE;
use klaxon_protocol::ids::{PlayerId, RoundId, Seat, SeatRef};
use klaxon_protocol::journal::CountedClaim;
use klaxon_protocol::player::{Phase, Role};
use klaxon_protocol::time::Millis;

use super::{Counted, Part, Rundown};
use crate::game::people::Sitter;
use crate::game::{Effect, Entry, Game, PreCheck};
use crate::round::SeatClaim;

impl Rundown {
    /// How a player would be admitted. A forgotten player counts as a new one.
    pub(super) fn entry_of<'p>(&self, player: impl Into<Option<&'p PlayerId>>, role: Role) -> Result<Entry, ErrorCode> {
        let in_time = match self.course.phase {
            Phase::Created => return Err(ErrorCode::UnknownShow),
            Phase::Ended => false,
            _ => self.current().is_none_or(Part::takes_players),
        };
        self.people.entry(player, role, in_time)
    }

    /// A player takes the next seat, or one that is given again.
    pub(super) fn sit(
        &mut self,
        now: Millis,
        seat: Seat,
        guest: bool,
        who: Option<&Person>,
    ) -> Result<Vec<Effect>, Refusal> {
        let player = who.map(|person| &person.player);
        let sitter = Sitter::of(seat, guest, who);
        if self.people.has_seat(seat) {
            return self.reseat(now, seat, player, sitter);
        }
        if seat.0 != self.people.roster.seated() {
            return Err(ErrorCode::UnknownSeat.into());
        }
        if self.entry_of(player, Role::Player)? != Entry::New {
            return Err(Refusal::because(ErrorCode::WrongPhase, "The player gets no new seat now."));
        }
        Ok(self.open_seat(now, sitter))
    }

    /// Gives the next seat to somebody who comes in.
    pub(super) fn open_seat(&mut self, now: Millis, sitter: Sitter) -> Vec<Effect> {
        let seat = self.people.roster.seat(sitter);
        self.ledger.open(now);
        if let Some(teams) = &mut self.teams {
            teams.sit();
        }
        let Some(part) = self.steps.part.filter(|_| !self.steps.finished) else { return Vec::new() };
        let (part, mut stage) = self.on_stage(part, now);
        part.seat_taken(&mut stage, seat);
        stage.effects
    }

    /// Gives a guest's seat to a new player, in the state of a new seat.
    fn reseat(
        &mut self,
        now: Millis,
        seat: Seat,
        player: Option<&PlayerId>,
        sitter: Sitter,
    ) -> Result<Vec<Effect>, Refusal> {
        if !self.gives_seats() || !self.people.is_for_guests(seat) {
            let detail = "Only a guest's seat can be given again, and only before the first part.";
            return Err(Refusal::because(ErrorCode::WrongPhase, detail));
        }
        match self.entry_of(player, Role::Player) {
            Err(ErrorCode::ShowFull) => {}
            Err(code) => return Err(code.into()),
            Ok(_) => return Err(Refusal::because(ErrorCode::WrongPhase, "The show is not full.")),
        }
        let dismissed = self.people.reseat(seat, sitter);
        self.removals.remove(&seat);
        self.forget_suspension(seat);
        self.forget_extra_time(seat);
        self.ledger.begin_anew(seat, now);
        if let Some(teams) = &mut self.teams {
            teams.give_away(seat);
        }
        Ok(vec![dismissed])
    }

    /// Checks a claim before the arbiter is asked. While its round is the last one, a retry of a counted claim gets the same reply.
    pub(super) fn check_claim(&self, by: SeatRef, claim: &Claim, at: Millis) -> PreCheck {
        if claim.round == CHOICE {
            return self.check_choice(by, claim, at);
        }
        let refused = |code| PreCheck::Decided(Verdict::Refused(code));
        let last = self.course.round.as_ref().filter(|last| claim.round <= last.id);
        let (Some(last), Some(part)) = (last, self.part_of_round()) else {
            return refused(ErrorCode::UnknownQuestion);
        };
        let SeatRef { seat, .. } = by;
        if !self.people.has_seat(seat) {
            return refused(ErrorCode::NotInPlay);
        }
        // The claim was read before its gateway was notified that the seat was given to another player.
        if by != self.people.held(seat) {
            return refused(ErrorCode::SeatGivenAway);
        }
        if claim.round < last.id {
            let was_voided = self.voided.contains(&claim.round);
            return refused(if was_voided { ErrorCode::Voided } else { ErrorCode::TooLate });
        }
        match part.counted_value(seat, claim.key) {
            Some(counted) if counted == claim.value => return PreCheck::Decided(Verdict::Accepted(counted)),
            Some(counted) => return PreCheck::Decided(Verdict::AlreadyAnswered(counted)),
            None => {}
        }
        if last.voided {
            return refused(ErrorCode::Voided);
        }
        if !matches!(self.course.phase, Phase::Question | Phase::Closing) {
            return refused(ErrorCode::TooLate);
        }
        if self.look().is_kept_out(seat) {
            return refused(ErrorCode::NotInPlay);
        }
        let wanted = SeatClaim { seat, key: claim.key, value: claim.value.clone() };
        if !last.space.holds(&wanted) {
            return refused(ErrorCode::BadChoice);
        }
        let elapsed = match self.elapsed(last, seat, at) {
            Ok(elapsed) => elapsed,
            Err(code) => return refused(code),
        };
        match part.check(&self.look(), &wanted, elapsed) {
            Ok(()) => PreCheck::MayCount { elapsed },
            Err(code) => refused(code),
        }
    }

    /// Counts claims that the arbiter accepted.
    pub(super) fn count_claims(&mut self, round: RoundId, claims: &[CountedClaim]) {
        for CountedClaim { seat, key, value, at } in claims {
            if round == CHOICE {
                self.count_choice(SeatClaim { seat: *seat, key: *key, value: value.clone() }, *at);
                continue;
            }
            let claim = Claim { round, key: *key, value: value.clone() };
            let PreCheck::MayCount { elapsed } = self.check_claim(self.people.held(*seat), &claim, *at) else {
                continue;
            };
            let part = self.last_round().part;
            let claim = SeatClaim { seat: *seat, key: *key, value: claim.value };
            self.parts[usize::from(part)].count(Counted { claim, at: *at, elapsed });
        }
    }
}
