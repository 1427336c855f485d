//! Bans of addresses: the warning before a ban, and the refusal of players from a banned address.
//!
//! Possible abuse, and its limits:
//!
//! - A host bans too many by mistake, as a school, a household, a mobile carrier or a proxy has a single address. If
//!   other players with a seat come or may come from there, the ban is refused with their number until the host repeats
//!   it with `shared: true`. Refused joins raise an alert to the hosts, and one command lifts all bans of addresses.
//! - A neighbour of a banned guest is kept out without a fault. Watching is still possible, and playing with an
//!   operator's token.
//! - A banned guest returns by another address (a VPN, a mobile network, the next /64 of a larger IPv6 network); by a
//!   seat taken before the ban under another id (the ban's warning lists seats from the same address); or by resume
//!   tokens, which do not help: a seat's token opens only that seat, which is removed, and a spectator's token gives no
//!   seat.
//! - Ten thousand shows with bans take 32 bytes for each of up to 10,000 bans per show, and 8 bytes per seat while a
//!   show is played.
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

/// The origins of a show's players, and the number of joins refused because of bans.
#[derive(Default)]
pub(super) struct Addresses {
    pub origins: Origins,
    /// New players refused because of a ban of their address.
    refused: u64,
}

impl Addresses {
    /// Counts a refused player. Returns the count at each power of ten: then the host is alerted.
    fn note_refusal(&mut self) -> Option<u64> {
        self.refused += 1;
        is_power_of_ten(self.refused).then_some(self.refused)
    }
}

impl Show {
    /// Applies a host's action. For a ban of an address, the address is recorded first.
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

    /// The origin of the seat's player. Refused if the ban would or may affect other players and the host has not
    /// confirmed it.
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

    /// Refuses a new player from a banned address, unless the player has an operator's token.
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

/// A description of the other players whom a ban of an address would or may affect.
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
