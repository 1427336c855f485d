//! At which of several gateways each player is: the newest connection has the display, also if it is elsewhere.

use std::collections::BTreeMap;

use klaxon_protocol::ids::{GatewayId, SeatRef};
use klaxon_protocol::link::ToGateway;

use super::Show;
use crate::bus::Address;

/// Where each seat's player was seated last.
#[derive(Default)]
pub(super) struct Homes {
    by_seat: Vec<Option<GatewayId>>,
    /// Who came from another gateway in this turn, and where they are now.
    moved: BTreeMap<SeatRef, GatewayId>,
}

impl Homes {
    /// A player is seated at this gateway.
    pub fn settle(&mut self, held: SeatRef, gateway: GatewayId) {
        let SeatRef { seat, .. } = held;
        if seat.index() >= self.by_seat.len() {
            self.by_seat.resize(seat.index() + 1, None);
        }
        let before = self.by_seat[seat.index()].replace(gateway);
        if before.is_some_and(|before| before != gateway) {
            self.moved.insert(held, gateway);
        }
    }

    fn take_moved(&mut self) -> BTreeMap<GatewayId, Vec<SeatRef>> {
        let mut by_gateway: BTreeMap<GatewayId, Vec<SeatRef>> = BTreeMap::new();
        for (seat, gateway) in std::mem::take(&mut self.moved) {
            by_gateway.entry(gateway).or_default().push(seat);
        }
        by_gateway
    }
}

impl Show {
    /// Tells all gateways who is elsewhere now.
    pub(super) fn tell_moves(&mut self) {
        let show = self.id;
        for (to, seats) in self.homes.take_moved() {
            self.outbox.push((Address::All, ToGateway::Moved { show, to, seats }));
        }
    }
}

#[cfg(test)]
mod tests {
    use klaxon_protocol::ids::Seat;

    use super::*;

    #[test]
    fn who_comes_from_another_gateway_has_moved_and_who_comes_back_has_not() {
        let (here, there) = (GatewayId(1), GatewayId(2));
        let seat = |number| SeatRef::first(Seat(number));
        let mut homes = Homes::default();
        homes.settle(seat(3), here);
        homes.settle(seat(3), here);
        homes.settle(seat(0), there);
        assert_eq!(homes.take_moved(), BTreeMap::new());
        homes.settle(seat(3), there);
        homes.settle(seat(0), here);
        assert_eq!(homes.take_moved(), BTreeMap::from([(there, vec![seat(3)]), (here, vec![seat(0)])]));
        assert_eq!(homes.take_moved(), BTreeMap::new());
        homes.settle(seat(3), here);
        homes.settle(seat(3), there);
        assert_eq!(homes.take_moved(), BTreeMap::from([(there, vec![seat(3)])]), "only the newest place is told");
    }
}
