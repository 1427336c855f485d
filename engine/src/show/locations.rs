//! The gateway of each player. Only the newest connection receives the events, also if the earlier one is at another
//! gateway.

use std::collections::BTreeMap;

use klaxon_protocol::ids::{GatewayId, SeatRef};

use super::outbox::by_gateway;

/// The gateway of each seat's newest connection.
#[derive(Default)]
pub(super) struct Locations {
    by_seat: Vec<Option<GatewayId>>,
    /// Players who moved to another gateway in this turn, with the new gateway.
    moved: BTreeMap<SeatRef, GatewayId>,
}

impl Locations {
    /// Sets the gateway of a player who joined.
    pub fn set(&mut self, held: SeatRef, gateway: GatewayId) {
        let index = held.seat.index();
        if index >= self.by_seat.len() {
            self.by_seat.resize(index + 1, None);
        }
        let before = self.by_seat[index].replace(gateway);
        if before.is_some_and(|before| before != gateway) {
            self.moved.insert(held, gateway);
        }
    }

    /// The players who moved since the last call, by their new gateway.
    pub fn take_moved(&mut self) -> Vec<(GatewayId, Vec<SeatRef>)> {
        by_gateway(std::mem::take(&mut self.moved).into_iter().map(|(seat, gateway)| (gateway, seat)))
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
        let mut locations = Locations::default();
        locations.set(seat(3), here);
        locations.set(seat(3), here);
        locations.set(seat(0), there);
        assert_eq!(locations.take_moved(), []);
        locations.set(seat(3), there);
        locations.set(seat(0), here);
        assert_eq!(locations.take_moved(), [(here, vec![seat(0)]), (there, vec![seat(3)])]);
        assert_eq!(locations.take_moved(), []);
        locations.set(seat(3), here);
        locations.set(seat(3), there);
        assert_eq!(locations.take_moved(), [(there, vec![seat(3)])], "only the newest gateway is named");
    }
}
