//! At which gateway each player is. The newest connection sees the show, also if it is at another gateway than the one before.

use std::collections::BTreeMap;

use klaxon_protocol::ids::{GatewayId, SeatRef};

use super::outbox::by_gateway;

/// The gateway of each seat's newest connection.
#[derive(Default)]
pub(super) struct Locations {
    by_seat: Vec<Option<GatewayId>>,
    /// Who came from another gateway in this turn, and where they are now.
    moved: BTreeMap<SeatRef, GatewayId>,
}

impl Locations {
    /// A player is in the show by way of this gateway.
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

    /// Who moved since the last call, by the gateway where they are now.
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
