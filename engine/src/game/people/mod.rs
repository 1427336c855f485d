//! The players of a show, for every game: seats, admission, removals and bans.

mod access;
mod bans;
mod chain;
mod roster;
mod seat_set;

use klaxon_protocol::binary::{self, Encode};
use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::host::Action;
use klaxon_protocol::ids::{PlayerId, Seat, SeatRef};
use klaxon_protocol::limits::SEATS;
use klaxon_protocol::origin::Origin;
use klaxon_protocol::player::Role;
use xxhash_rust::xxh3::xxh3_64;

use self::access::{Access, AccessChange, Barred};
use self::bans::Bans;
pub use self::chain::Chain;
pub use self::roster::{Roster, Sitter};
pub use self::seat_set::SeatSet;
use super::{Effect, Entry};

/// The players of a show.
#[derive(Default)]
pub struct People {
    /// The seated players.
    pub roster: Roster,
    /// How many seats the show has.
    pub seats: u32,
    /// Seats whose players the host removed.
    pub removed: SeatSet,
    /// Of the removed, those whose players may not return.
    pub banned: SeatSet,
    access: Access,
    bans: Bans,
}

impl People {
    /// Nobody yet, of a show with this seed and so many seats. `apart`: who the players are stands apart from the show's journal, so the
    /// hashes of its state say nothing of it.
    #[must_use]
    pub fn new(seed: u64, seats: u32, apart: bool) -> Self {
        Self { roster: Roster::new(seed, apart), seats, bans: Bans::new(apart), ..Self::default() }
    }

    /// Whether who the players are stands apart from the show's journal.
    #[must_use]
    pub const fn are_apart(&self) -> bool {
        self.roster.is_apart()
    }

    /// Whether the seat is taken.
    #[must_use]
    pub fn has_seat(&self, seat: Seat) -> bool {
        seat.0 < self.roster.seated()
    }

    /// The seat with its current generation.
    #[must_use]
    pub fn held(&self, seat: Seat) -> SeatRef {
        SeatRef { seat, generation: self.access.generation(seat) }
    }

    /// Whether all seats are taken.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.roster.seated() >= self.seats
    }

    /// Whether new players from this origin are refused a seat, unless they have an operator's token.
    #[must_use]
    pub fn bans(&self, origin: Origin) -> bool {
        self.bans.bans(origin)
    }

    /// How often the player's resume tokens were revoked.
    #[must_use]
    pub fn token_issue(&self, player: &PlayerId) -> u32 {
        self.access.issue(player)
    }

    /// What one who wants in would get; who is forgotten is somebody new. `in_time`: whether new players can come in now.
    ///
    /// # Errors
    /// Why the player is not admitted.
    pub fn entry<'p>(
        &self,
        player: impl Into<Option<&'p PlayerId>>,
        role: Role,
        in_time: bool,
    ) -> Result<Entry, ErrorCode> {
        let player = player.into();
        let seat = player.and_then(|player| self.roster.seat_of(player));
        let barred = player.and_then(|player| self.access.barred(player));
        if seat.is_some_and(|seat| self.banned.contains(seat)) || barred == Some(Barred::FromShow) {
            return Err(ErrorCode::Banned);
        }
        match (role, seat) {
            (Role::Spectator, _) => Ok(Entry::Watch),
            (Role::Player, Some(seat)) => Ok(Entry::Back(seat)),
            // A removed player does not get another seat.
            (Role::Player, None) if !in_time || barred.is_some() => Ok(Entry::Watch),
            (Role::Player, None) if self.access.locked => Err(ErrorCode::LobbyLocked),
            (Role::Player, None) if self.is_full() => Err(ErrorCode::ShowFull),
            (Role::Player, None) => Ok(Entry::New),
        }
    }

    /// Whether this seat may be given to another player while the show gives seats again: only a guest's may.
    #[must_use]
    pub fn is_for_guests(&self, seat: Seat) -> bool {
        self.roster.is_guests(seat) && self.access.generation(seat).0 < u32::MAX
    }

    /// The seat of a removed guest.
    #[must_use]
    pub fn vacant_seat(&self) -> Option<Seat> {
        self.access.first_vacant().filter(|&seat| self.is_for_guests(seat))
    }

    /// # Errors
    /// `unknown_seat` if the seat is not taken.
    pub fn check_seat(&self, seat: Seat) -> Result<(), Refusal> {
        if self.has_seat(seat) { Ok(()) } else { Err(ErrorCode::UnknownSeat.into()) }
    }

    /// Revokes the resume tokens of this seat's player so far, and closes the player's connections.
    ///
    /// # Errors
    /// `unknown_seat`.
    pub fn revoke_tokens(&mut self, seat: Seat) -> Result<Effect, Refusal> {
        self.check_seat(seat)?;
        // Tokens of who is forgotten open nothing any more.
        let player = self.roster.player(seat).cloned();
        let issue = player.clone().map(|player| self.access.revoke(player));
        match (&player, issue) {
            (Some(player), Some(issue)) if !self.are_apart() => self.access.note(&AccessChange::Issue(player, issue)),
            _ => self.access.note(&AccessChange::Reissued(seat)),
        }
        Ok(Effect::Dismiss(self.held(seat), ErrorCode::TokenRevoked))
    }

    /// Raises the number of seats.
    ///
    /// # Errors
    /// `bad_argument` if they are fewer, or too many.
    pub fn set_seats(&mut self, seats: u32) -> Result<(), Refusal> {
        if seats < self.seats || !SEATS.contains(&seats) {
            let (from, to) = (self.seats, SEATS.end());
            let detail = format!("`seats`: {from} to {to}, not {seats}; they can only be raised.");
            return Err(Refusal::because(ErrorCode::BadArgument, detail));
        }
        self.seats = seats;
        self.access.note(&AccessChange::Seats(seats));
        Ok(())
    }

    /// Locks the show for new players, or unlocks it.
    pub fn lock(&mut self, on: bool) {
        self.access.locked = on;
        self.access.note(&AccessChange::Locked(on));
    }

    /// Gives a guest's seat to a new player. Connections of the earlier player are closed.
    pub fn reseat(&mut self, seat: Seat, sitter: Sitter) -> Effect {
        let before = self.held(seat);
        self.access.give_again(seat);
        self.bans.on_reseat(seat);
        self.removed.remove(seat);
        self.banned.remove(seat);
        self.roster.reseat(seat, sitter);
        Effect::Dismiss(before, ErrorCode::SeatGivenAway)
    }

    /// Marks a player as removed. Under the first edition of trivia's rules that was all: see [`Self::bar`].
    pub fn take_out(&mut self, seat: Seat, ban: bool) -> Effect {
        self.removed.insert(seat);
        if ban {
            self.banned.insert(seat);
        }
        Effect::Dismiss(self.held(seat), if ban { ErrorCode::Banned } else { ErrorCode::Removed })
    }

    /// Keeps a removed player from returning as a new player. `is_vacant`: the seat may be given to another player.
    pub fn bar(&mut self, seat: Seat, ban: bool, is_vacant: bool) {
        if !self.has_seat(seat) {
            return;
        }
        if let Some(player) = self.roster.player(seat).cloned() {
            self.access.bar(player, if ban { Barred::FromShow } else { Barred::FromPlay });
        }
        self.access.set_vacant(seat, is_vacant);
        self.access.note(&AccessChange::Removed(seat, ban));
    }

    /// Undoes a removal.
    pub fn restore(&mut self, seat: Seat) {
        if let Some(player) = self.roster.player(seat) {
            self.access.unbar(player);
        }
        self.access.set_vacant(seat, false);
        self.access.note(&AccessChange::Restored(seat));
        self.bans.lift(seat);
        self.removed.remove(seat);
        self.banned.remove(seat);
    }

    /// Stores the origin of the player whom a host is about to ban. Refused if the ban itself would be.
    ///
    /// # Errors
    /// `unknown_seat`, `bad_argument` if there are too many bans.
    pub fn name_origin(&mut self, seat: Seat, origin: Option<Origin>) -> Result<(), Refusal> {
        self.check_seat(seat)?;
        if !self.bans.has_room(seat) {
            let most = bans::MOST;
            let detail = format!(
                "{most} addresses are banned in this show, and no more can be: lift the bans of addresses first."
            );
            return Err(Refusal::because(ErrorCode::BadArgument, detail));
        }
        self.bans.name(seat, origin);
        Ok(())
    }

    /// From where this seat's player comes, if it was named last; none if it is forgotten.
    ///
    /// # Errors
    /// `unknown_address` otherwise.
    pub fn named_origin(&self, seat: Seat) -> Result<Option<Origin>, Refusal> {
        self.bans.named(seat).ok_or(ErrorCode::UnknownAddress.into())
    }

    /// Bans an origin on account of this seat's player.
    pub fn ban_origin(&mut self, seat: Seat, origin: Option<Origin>) {
        self.bans.ban(seat, origin);
    }

    /// Lifts all bans of origins.
    pub fn lift_bans(&mut self) {
        self.bans.lift_all();
    }

    /// Applies a host's action on players, which is the same in every game; none if the action is not one of these. A
    /// game that keeps more state per player than the seat has to check [`Self::removed`] afterwards.
    ///
    /// # Errors
    /// Why it can't be applied now; the state is unchanged.
    pub fn apply_action(&mut self, action: &Action, gives_seats: bool) -> Option<Result<Vec<Effect>, Refusal>> {
        Some(match *action {
            Action::Remove { seat, ban } => self.check_seat(seat).map(|()| vec![self.remove(seat, ban, gives_seats)]),
            Action::BanAddress { seat, .. } => self.named_origin(seat).map(|origin| {
                let dismissed = self.remove(seat, true, gives_seats);
                self.ban_origin(seat, origin);
                vec![dismissed]
            }),
            Action::Restore { seat } if self.removed.contains(seat) => {
                self.restore(seat);
                Ok(Vec::new())
            }
            Action::Restore { .. } => {
                Err(Refusal::because(ErrorCode::WrongPhase, "The player of this seat is not removed."))
            }
            Action::ReissueToken { seat } => self.revoke_tokens(seat).map(|dismissed| vec![dismissed]),
            Action::SetSeats { seats } => self.set_seats(seats).map(|()| Vec::new()),
            Action::LockLobby { on } => {
                self.lock(on);
                Ok(Vec::new())
            }
            Action::LiftAddressBans => {
                self.lift_bans();
                Ok(Vec::new())
            }
            _ => return None,
        })
    }

    fn remove(&mut self, seat: Seat, ban: bool, gives_seats: bool) -> Effect {
        self.bar(seat, ban, gives_seats && self.is_for_guests(seat));
        self.take_out(seat, ban)
    }

    /// A hash of a game's state and its players. Trivia computes its own, as its first edition did.
    #[must_use]
    pub fn state_hash(&self, game: &impl Encode) -> u64 {
        let mut bytes = binary::encode(game);
        bytes.extend_from_slice(&self.roster.digest().to_le_bytes());
        self.digest(&mut bytes);
        xxh3_64(&bytes)
    }

    /// Appends the hashes of everything here but the roster. Appends nothing in a show that used none of it, as in
    /// trivia's first edition, which had none of it.
    pub fn digest(&self, bytes: &mut Vec<u8>) {
        if self.access.digest() != 0 {
            bytes.extend_from_slice(&self.access.digest().to_le_bytes());
        }
        if self.bans.digest() != 0 {
            bytes.extend_from_slice(b"bans");
            bytes.extend_from_slice(&self.bans.digest().to_le_bytes());
        }
    }
}
