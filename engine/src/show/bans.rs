//! A show's bans of addresses: the warning before one, and the players that one refuses.
//!
//! Who may abuse it, and how far they get:
//!
//! - A host by mistake, for a school, a household, a mobile carrier and a proxy are one address each: if anybody else with a seat comes from
//!   there, or may, the ban is refused with their number until the host says `shared: true`. Refused joins are told to the hosts, and one
//!   command lifts all bans of addresses.
//! - A neighbour of a banned guest, who is kept out though nothing was done by them: they can watch, and with an operator's token play.
//! - The banned guest, by another address (a VPN, a mobile network, the next /64 of a larger IPv6 network), by a seat that they took before
//!   the ban under another id (the host is told which seats those may be), or by resume tokens: a token of a seat opens that seat, which
//!   is removed, and one of a spectator is as good as none.
//! - Ten thousand shows with bans: 32 bytes each of up to 10,000 a show, and 8 bytes a seat while the show is played.
//! - A reader of Redis or of the journal, or of what stands apart from it: of an address there is a hash under a key that gateways alone have, so trying all 2^32 addresses
//!   of IPv4 finds nothing. With that key, the resume secret, they are found in minutes.

use klaxon_protocol::apart::{Apart, PersonOrigin};
use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::host::{Action, AlertKind};
use klaxon_protocol::ids::{CommandId, Seat};
use klaxon_protocol::journal::Command;
use klaxon_protocol::link::{JoinRequest, Proof};
use klaxon_protocol::origin::Origin;

use super::Show;
use super::origins::{Neighbours, Origins};

/// Where players come from, and how often that was a reason to refuse one.
#[derive(Default)]
pub(super) struct Addresses {
    pub origins: Origins,
    /// New players who were refused for where they come from.
    refused: u64,
}

impl Addresses {
    /// A new player is refused. Returns how many there were if the host is to be alerted: at each power of ten.
    fn note_refusal(&mut self) -> Option<u64> {
        self.refused += 1;
        is_power_of_ten(self.refused).then_some(self.refused)
    }
}

impl Show {
    /// Does a host's action. A ban of an address is recorded after the address that it bans.
    pub(super) fn do_action(&mut self, id: CommandId, action: Action) -> Result<(), Refusal> {
        if let Action::BanAddress { seat, shared } = action {
            let origin = self.origin_to_ban(seat, shared)?;
            self.try_apply(self.seat_has_origin(seat, origin)?)?;
        }
        self.try_apply(Command::Host { id, action })
    }

    /// The command that notes from where the seat's player comes.
    fn seat_has_origin(&self, seat: Seat, origin: Origin) -> Result<Command, Refusal> {
        let people = self.game.people();
        if !people.are_apart() {
            return Ok(Command::SeatOrigin { seat, origin });
        }
        let player = people.roster.player(seat).ok_or(ErrorCode::UnknownAddress)?.clone();
        Ok(Command::SeatHasOrigin { seat, from: Apart::known(PersonOrigin { player, origin }) })
    }

    /// Where the seat's player comes from, unless a ban of it would reach others and the host does not know.
    fn origin_to_ban(&self, seat: Seat, shared: bool) -> Result<Origin, Refusal> {
        let seats = self.game.joined();
        if seat.0 >= seats {
            return Err(ErrorCode::UnknownSeat.into());
        }
        let Some(origin) = self.addresses.origins.of(seat) else {
            let detail = "They have not come back since this engine took the show over.";
            return Err(Refusal::because(ErrorCode::UnknownAddress, detail));
        };
        let found =
            self.addresses.origins.neighbours(seat, origin, seats, |seat| !self.game.people().removed.contains(seat));
        match shared {
            false if found != Neighbours::default() => Err(Refusal::because(ErrorCode::SharedAddress, warning(&found))),
            _ => Ok(origin),
        }
    }

    /// Refuses a new player whom no operator's token names, if where they come from is banned.
    pub(super) fn check_address(&mut self, request: &JoinRequest) -> Result<(), Refusal> {
        if matches!(request.proof, Proof::Token { .. }) || !self.game.people().bans(request.origin) {
            return Ok(());
        }
        if let Some(joins) = self.addresses.note_refusal() {
            self.alert(AlertKind::AddressBansRefuse { joins });
        }
        let detail = "New players from your address get no seat in this show; you can watch it as a spectator.";
        Err(Refusal::because(ErrorCode::Banned, detail))
    }
}

/// What a ban of an address would do to others.
fn warning(found: &Neighbours) -> String {
    let Neighbours { same, first, unknown } = found;
    let mut words = Vec::new();
    if *same > 0 {
        let seats: Vec<String> = first.iter().map(ToString::to_string).collect();
        let more = if *same as usize > first.len() { ", ..." } else { "" };
        let (players, come) = if *same == 1 { ("player", "comes") } else { ("players", "come") };
        let which = if *same == 1 { "seat" } else { "seats" };
        let seats = seats.join(", ");
        words.push(format!("{same} other {players} {come} from there ({which} {seats}{more}): a household, a school, a proxy, or the same person."));
    }
    if *unknown > 0 {
        let of = if *unknown == 1 { "1 player" } else { &format!("{unknown} players") };
        words.push(format!(
            "Of {of} it is not known, since they did not come back after this engine took the show over."
        ));
    }
    words.join(" ")
}

fn is_power_of_ten(number: u64) -> bool {
    number.checked_ilog10().is_some_and(|zeros| number == 10_u64.pow(zeros))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_told_how_many_others_a_ban_reaches_and_who_they_may_be() {
        let found = |same: u32, unknown| Neighbours { same, first: (0..same.min(3)).map(Seat).collect(), unknown };
        assert!(warning(&found(1, 0)).starts_with("1 other player comes from there (seat 0): "));
        assert!(warning(&found(412, 0)).starts_with("412 other players come from there (seats 0, 1, 2, ...): "));
        assert!(warning(&found(0, 1)).starts_with("Of 1 player it is not known"));
        let both = warning(&found(2, 30));
        assert!(both.contains("(seats 0, 1)") && both.contains("Of 30 players it is not known"), "{both}");
    }

    #[test]
    fn a_flood_of_refused_joins_makes_few_alerts() {
        let mut addresses = Addresses::default();
        let alerts: Vec<u64> = (0..1_000_000).filter_map(|_| addresses.note_refusal()).collect();
        assert_eq!(alerts, [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000]);
    }
}
