//! Which players may join and rejoin, under the second edition of the rules.

use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::ids::{PlayerId, Seat};
use klaxon_protocol::origin::Origin;
use klaxon_protocol::player::{Phase, Role};

use super::Trivia;
use super::rules::Rules;
use crate::game::Effect;
use crate::game::people::Sitter;

impl Trivia {
    /// Revokes the resume tokens of this seat's player so far.
    pub(super) fn reissue_tokens(&mut self, seat: Seat) -> Result<Vec<Effect>, Refusal> {
        self.must_have_access_rules()?;
        Ok(vec![self.people.revoke_tokens(seat)?])
    }

    /// Raises the number of seats.
    pub(super) fn set_seats(&mut self, seats: u32) -> Result<Vec<Effect>, Refusal> {
        self.must_have_access_rules()?;
        self.must_not_have_ended()?;
        self.people.set_seats(seats)?;
        Ok(Vec::new())
    }

    /// Locks the show for new players, or unlocks it.
    pub(super) fn lock_lobby(&mut self, on: bool) -> Result<Vec<Effect>, Refusal> {
        self.must_have_access_rules()?;
        self.must_not_have_ended()?;
        self.people.lock(on);
        Ok(Vec::new())
    }

    /// Whether the seats of guests who disconnected or were removed can be given to other players.
    pub(super) fn gives_seats(&self) -> bool {
        self.rules >= Rules::Second && self.stage.phase == Phase::Lobby && self.asked.is_empty()
    }

    /// Gives a guest's seat to a new player, in the state of a new seat.
    pub(super) fn reseat<'p>(
        &mut self,
        seat: Seat,
        player: impl Into<Option<&'p PlayerId>>,
        sitter: Sitter,
    ) -> Result<Vec<Effect>, Refusal> {
        self.must_have_access_rules()?;
        self.people.check_seat(seat)?;
        if !self.gives_seats() || !self.people.is_for_guests(seat) {
            let detail = "Only a guest's seat can be given again, and only before the first question.";
            return Err(Refusal::because(ErrorCode::WrongPhase, detail));
        }
        match self.entry_of(player, Role::Player) {
            Err(ErrorCode::ShowFull) => {}
            Err(code) => return Err(code.into()),
            Ok(_) => return Err(Refusal::because(ErrorCode::WrongPhase, "The show is not full.")),
        }
        // The arbiter keys claims by show, question and seat, and the journal keys answers by seat; both ignore the
        // generation.
        assert!(self.asked.is_empty(), "seat {seat} is given again though a question was asked");
        let was_removed = self.people.removed.contains(seat);
        let dismissed = self.people.reseat(seat, sitter);
        self.removals.remove(&seat);
        if self.seats.begin_anew(seat, self.first_lives()) || was_removed {
            self.seats.changed(&self.people);
        }
        Ok(vec![dismissed])
    }

    /// The lives with which a new player begins.
    pub(super) fn first_lives(&self) -> u8 {
        if self.eliminates() { self.settings.lives } else { 0 }
    }

    /// Stores the origin of the player whom a host is about to ban. Refused if the ban itself would be.
    pub(super) fn name_origin(&mut self, seat: Seat, origin: Option<Origin>) -> Result<Vec<Effect>, Refusal> {
        self.must_have_access_rules()?;
        self.must_not_have_ended()?;
        self.people.name_origin(seat, origin)?;
        Ok(Vec::new())
    }

    /// Removes and bans the seat's player, and bans the player's origin.
    pub(super) fn ban_address(&mut self, seat: Seat) -> Result<Vec<Effect>, Refusal> {
        self.must_have_access_rules()?;
        let origin = self.people.named_origin(seat)?;
        let effects = self.take_out(seat, true)?;
        self.people.ban_origin(seat, origin);
        Ok(effects)
    }

    /// Lifts all bans of origins.
    pub(super) fn lift_address_bans(&mut self) -> Result<Vec<Effect>, Refusal> {
        self.must_have_access_rules()?;
        self.must_not_have_ended()?;
        self.people.lift_bans();
        Ok(Vec::new())
    }

    /// By the editions before the third the names of players are in the journal.
    pub(super) fn must_have_person_rules(&self) -> Result<(), Refusal> {
        if self.people.are_apart() {
            return Ok(());
        }
        Err(Refusal::because(ErrorCode::WrongPhase, "This show goes on by an edition of the rules that names players."))
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
