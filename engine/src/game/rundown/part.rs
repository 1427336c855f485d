//! What a part of a rundown is: a pure state machine over rounds. The rundown has the players, the phases, the clock of the open round, the
//! script and the host's actions; a part has its rounds' content, and decides what claims mean.

use klaxon_protocol::binary::{self, Encode};
use klaxon_protocol::claim::ClaimValue;
use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::ids::{ClaimKey, RoundId, Seat};
use klaxon_protocol::player::{Body, Phase};
use klaxon_protocol::time::{Millis, Span};
use xxhash_rust::xxh3::xxh3_64;

use super::look::Look;
use super::stage::Stage;
use crate::game::results::RoundResult;
use crate::round::SeatClaim;

/// A part of a rundown.
///
/// The rundown calls, in order: `begin`; then `next` for each round, `count` for each claim, `settle` (or `lost`), `reveal` if `settle`
/// left the round closed; at last `finish`. Whatever a method refuses must leave the part and the ledger as they were; events that it has
/// told by then are dropped. Nothing that a part tells or hashes may depend on a player's id or name.
pub trait Part: Send + 'static {
    /// The part begins. It may tell events, but begins no round.
    fn begin(&mut self, stage: &mut Stage<'_>);

    /// The host or the script goes on, between rounds: begins the next round by [`Stage::open`], or takes another step.
    ///
    /// # Errors
    /// Why that can't be done now.
    fn next(&mut self, stage: &mut Stage<'_>) -> Result<(), Refusal>;

    /// Whether nothing is left to do: `next` then goes to the next part. Only asked between rounds.
    fn is_over(&self) -> bool;

    /// The part ends, whatever is left of it; called once, between rounds, when the show leaves the part or ends.
    fn finish(&mut self, stage: &mut Stage<'_>);

    /// All claims that count in the closed round have been counted; those of seats that do not play any more ([`Stage::plays`]), because the
    /// host removed their players, win nothing. Either tells the result in [`Phase::Revealed`], or leaves the show in
    /// [`Phase::Closed`] until `reveal`.
    fn settle(&mut self, stage: &mut Stage<'_>);

    /// Claims of the closed round may be missing, because what carries or counts them was away. It leaves the show in
    /// [`Phase::Revealed`]: the round is void, and told so by [`Stage::tell_void`].
    fn lost(&mut self, stage: &mut Stage<'_>, reason: &str);

    /// Reveals the closed round: it leaves the show in [`Phase::Revealed`].
    ///
    /// # Errors
    /// What the host has to do first, such as judging a claim.
    fn reveal(&mut self, stage: &mut Stage<'_>) -> Result<(), Refusal>;

    /// The host voids the last round, in any phase from its beginning until the next round: undoes what it did, and tells so by
    /// [`Stage::tell_void`].
    ///
    /// # Errors
    /// Why it can't be voided.
    fn void(&mut self, stage: &mut Stage<'_>, reason: &str) -> Result<(), Refusal>;

    /// An action that only this part has.
    ///
    /// # Errors
    /// Why it can't be done; `bad_argument` for what is no action of this part.
    fn play(&mut self, stage: &mut Stage<'_>, body: &Body) -> Result<(), Refusal>;

    /// Whether players should see this action with the stream, in a show beside one; else it is done at once.
    fn is_seen_on_stream(&self, body: &Body) -> bool {
        let _ = body;
        false
    }

    /// A new player took this seat while the part is played. The player's `own` is sent at the join.
    fn seat_taken(&mut self, stage: &mut Stage<'_>, seat: Seat);

    /// The host gave points or lives while the part is played; the ledger has them.
    fn given(&mut self, look: &Look<'_>, change: HostChange) {
        let _ = (look, change);
    }

    /// The player of this seat, who was removed before round `from` was settled, is restored. The seat counts as one that claimed nothing in
    /// the part's rounds from there on, so that a removal is never an advantage. Also called for parts that are over. It may tell single
    /// seats, but no event to all.
    fn restored(&mut self, stage: &mut Stage<'_>, seat: Seat, from: RoundId);

    /// Whether new players can take a seat while the part is played.
    fn takes_players(&self) -> bool {
        true
    }

    /// How long the script waits in this phase ([`Phase::Closed`], or between rounds) before its next step.
    fn wait(&self, phase: Phase) -> Wait {
        let _ = phase;
        Wait::Usual
    }

    /// When the part itself has something to do between rounds, such as to deal the next tickets.
    fn timer(&self) -> Option<Millis> {
        None
    }

    /// That time has come. It may tell single seats, but begins no round.
    fn on_timer(&mut self, stage: &mut Stage<'_>) {
        let _ = stage;
    }

    /// What it has paid beyond its prizes, because of a promise such as a least share.
    fn paid_beyond(&self) -> u64 {
        0
    }

    /// When the open round should close, if that is before its time is up: when all have answered, or a while after the first buzz.
    fn closes_early(&self, look: &Look<'_>) -> Option<Millis> {
        let _ = look;
        None
    }

    /// Whether seats with extra time have it in the last round. Not where the order between seats decides.
    fn gives_extra_time(&self) -> bool {
        false
    }

    /// The value of this claim if it counts in the last round, which is one of this part.
    fn counted_value(&self, seat: Seat, key: ClaimKey) -> Option<ClaimValue>;

    /// Checks a claim in the open round that is possible in its space, by a seat that is taken and not removed and has no counted claim of
    /// this key. `elapsed` is the players' time that had passed when it was read.
    ///
    /// # Errors
    /// Why it does not count.
    fn check(&self, look: &Look<'_>, claim: &SeatClaim, elapsed: Span) -> Result<(), ErrorCode>;

    /// Counts a claim that was accepted, after the same checks.
    fn count(&mut self, claim: Counted);

    /// All claims that count in the last round, for an arbiter that lost its memory.
    fn counted(&self) -> Vec<SeatClaim>;

    /// The part for players who join: its own fields, without the tag `part`. Must not contain anything that is not revealed yet.
    fn view(&self, look: &Look<'_>, now: Millis) -> Body;

    /// A seat's own fields, such as its tickets and its claims in the open round, without the tag `part`.
    fn own(&self, look: &Look<'_>, seat: Seat) -> Body;

    /// How many rounds it will have, as far as that is known.
    fn rounds(&self) -> u16;

    /// Numbers that only the host sees, as `answers` in the figures: counted claims by choice, or what the part's rules say.
    fn host_numbers(&self) -> Vec<u32>;

    /// Whether players are told who leads.
    fn tells_leaders(&self) -> bool {
        true
    }

    /// How many of the seat's claims were right so far.
    fn right_claims(&self, seat: Seat) -> u32 {
        let _ = seat;
        0
    }

    /// A hash of the part's whole state. It is computed at each record, so it must not go through all seats or claims: keep sums of hashes
    /// that each change updates, as [`super::Ledger`] does, or hash again only after a change.
    fn digest(&self) -> u64;

    /// The results of its rounds for the archive, in order.
    fn results(&self) -> Vec<RoundResult>;
}

/// What the host gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostChange {
    /// Points; below 0 they are taken.
    Points {
        /// To or from this seat.
        seat: Seat,
        /// How many.
        by: i32,
    },
    /// Extra lives.
    Lives {
        /// To this seat, or to all who play.
        seat: Option<Seat>,
        /// How many.
        lives: u8,
    },
}

/// A claim that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// Whose claim, and which.
    pub claim: SeatClaim,
    /// When its bytes were read. The order between seats is decided by this, then by seat, never by the order of `count`.
    pub at: Millis,
    /// The players' time that had passed then.
    pub elapsed: Span,
}

/// How long the script waits before its next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// As long as the rundown's script says.
    Usual,
    /// This long.
    For(Span),
    /// Until the host does something.
    ForHost,
}

/// The hash of a part's small state.
pub fn hash(state: &impl Encode) -> u64 {
    xxh3_64(&binary::encode(state))
}
