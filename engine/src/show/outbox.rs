//! Messages that a show publishes once the records that caused them are written. Its size is limited by the turn: at
//! most a few messages per message that the turn received.

use klaxon_protocol::host::ToHost;
use klaxon_protocol::ids::{ConnRef, GatewayId, ShowId};
use klaxon_protocol::link::ToGateway;

use crate::bus::{Address, Publication, StreamPosition};

/// Messages to gateways that wait for the turn's records, and the show's position in its input.
pub(super) struct Outbox {
    show: ShowId,
    messages: Vec<(Address, ToGateway)>,
    /// The position up to which the input is applied to the game's state.
    received: StreamPosition,
    /// The position up to which the input is also in the journal and its messages are published.
    published: StreamPosition,
}

impl Outbox {
    pub fn new(show: ShowId) -> Self {
        Self { show, messages: Vec::new(), received: StreamPosition::default(), published: StreamPosition::default() }
    }

    pub fn send_to_all(&mut self, message: ToGateway) {
        self.messages.push((Address::All, message));
    }

    pub fn send_to_gateway(&mut self, gateway: GatewayId, message: ToGateway) {
        self.messages.push((Address::One(gateway), message));
    }

    pub fn send_to_host(&mut self, conn: ConnRef, message: ToHost) {
        self.send_to_gateway(conn.gateway, ToGateway::Host { conn, message });
    }

    /// Notes that the input up to this position is applied to the game's state.
    pub fn note_received(&mut self, position: StreamPosition) {
        self.received = self.received.max(position);
    }

    /// Whether a waiting message sets the players' clocks.
    pub fn sets_a_clock(&self) -> bool {
        self.messages.iter().any(|(_, message)| match message {
            ToGateway::Broadcast(broadcast) => broadcast.message.sets_a_clock(),
            _ => false,
        })
    }

    /// Takes all messages, when the journal has `records` records. None if there is nothing to publish or to
    /// acknowledge.
    pub fn take(&mut self, records: u64) -> Option<Publication> {
        let messages = std::mem::take(&mut self.messages);
        if messages.is_empty() && self.published == self.received {
            return None;
        }
        self.published = self.received;
        Some(Publication { show: self.show, messages, records, acknowledged: self.received })
    }

    /// A publication that overtakes the waiting messages. It acknowledges only input that is in the journal.
    pub fn at_once(&self, messages: Vec<(Address, ToGateway)>, records: u64) -> Publication {
        Publication { show: self.show, messages, records, acknowledged: self.published }
    }

    /// Takes the messages, which will not be published.
    pub fn discard(&mut self) -> Vec<(Address, ToGateway)> {
        std::mem::take(&mut self.messages)
    }
}

/// Groups items by gateway, each group in order. There are few gateways, so the list is searched linearly.
pub(super) fn by_gateway<T>(items: impl IntoIterator<Item = (GatewayId, T)>) -> Vec<(GatewayId, Vec<T>)> {
    let mut groups: Vec<(GatewayId, Vec<T>)> = Vec::new();
    for (gateway, item) in items {
        match groups.iter_mut().find(|(known, _)| *known == gateway) {
            Some((_, group)) => group.push(item),
            None => groups.push((gateway, vec![item])),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use klaxon_protocol::games::trivia::{Close, QuestionId};
    use klaxon_protocol::ids::{RoundId, Seq};
    use klaxon_protocol::link::Broadcast;
    use klaxon_protocol::player::{Resume, ToPlayer};
    use klaxon_protocol::time::Millis;

    use super::*;

    const SHOW: ShowId = ShowId(1);

    fn barrier() -> ToGateway {
        ToGateway::Barrier { show: SHOW, round: RoundId(1) }
    }

    fn broadcast(message: ToPlayer) -> ToGateway {
        ToGateway::Broadcast(Broadcast { show: SHOW, message, personal: None })
    }

    #[test]
    fn what_overtakes_acknowledges_only_what_is_published() {
        let mut outbox = Outbox::new(SHOW);
        assert_eq!(outbox.take(0), None);
        outbox.note_received(StreamPosition(7, 2));
        outbox.note_received(StreamPosition(7, 1));
        let alert = outbox.at_once(vec![(Address::All, barrier())], 3);
        assert_eq!((alert.acknowledged, alert.records), (StreamPosition::default(), 3));
        let publication = outbox.take(4).expect("there is something to acknowledge");
        assert_eq!(
            (publication.messages.len(), publication.acknowledged, publication.records),
            (0, StreamPosition(7, 2), 4)
        );
        assert_eq!(outbox.take(4), None, "it is acknowledged once");
        assert_eq!(outbox.at_once(Vec::new(), 4).acknowledged, StreamPosition(7, 2));
    }

    #[test]
    fn messages_are_published_once_and_in_order() {
        let mut outbox = Outbox::new(SHOW);
        outbox.send_to_all(barrier());
        outbox.send_to_gateway(GatewayId(3), barrier());
        let publication = outbox.take(1).expect("there are messages");
        let to: Vec<Address> = publication.messages.iter().map(|(to, _)| *to).collect();
        assert_eq!(to, [Address::All, Address::One(GatewayId(3))]);
        outbox.send_to_all(barrier());
        assert_eq!(outbox.discard().len(), 1);
        assert_eq!(outbox.take(1), None);
    }

    #[test]
    fn a_resumed_clock_sets_a_clock_and_a_close_does_not() {
        let (seq, at) = (Seq(1), Millis(0));
        let mut outbox = Outbox::new(SHOW);
        outbox.send_to_all(broadcast(ToPlayer::Close(Close { seq, at, question: QuestionId(1) })));
        assert!(!outbox.sets_a_clock());
        let resume = Resume { seq, at, question: None, opens_at: None, closes_at: None };
        outbox.send_to_all(broadcast(ToPlayer::Resume(resume)));
        assert!(outbox.sets_a_clock());
    }

    #[test]
    fn items_are_grouped_by_gateway_in_their_order() {
        let (a, b) = (GatewayId(9), GatewayId(2));
        assert_eq!(by_gateway([(a, 1), (b, 2), (a, 3)]), [(a, vec![1, 3]), (b, vec![2])]);
        assert_eq!(by_gateway::<u8>([]), []);
    }
}
