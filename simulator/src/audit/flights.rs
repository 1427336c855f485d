//! When the server can have read a claim: not before its bytes left the swarm, and not after the swarm had evidence
//! that it was read.

use std::collections::HashMap;

use klaxon_protocol::player::Pong;
use klaxon_protocol::time::Millis;

use super::claims::Claimed;
use super::clocks::{Clocks, Trip};
use crate::evidence::{ConnectionLog, GatewayNumber, Micros, Transit};

/// The limits of the time at which a claim was read, on the server's clock in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct When {
    pub earliest: u64,
    /// None if nothing proves that the claim was read.
    pub latest: Option<u64>,
}

/// The transmission of a claim, on the swarm's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Flight {
    pub left: Micros,
    /// The first time at which all claims of its round and key that had been sent so far had replies.
    pub replied: Option<Micros>,
    /// When the server's kernel had acknowledged all that may have been read together with the claim.
    pub acknowledged: Option<Micros>,
    /// A time of the server's clock at which the claim had been read, if the pong to a later ping proves it: a
    /// connection's messages are read in order.
    pub read_by: Option<Millis>,
    /// Whether the kernel reported both of its times.
    pub told: bool,
    /// Its index among the connection's messages.
    number: usize,
}

impl Flight {
    /// The limits on the server's clock.
    pub fn when(&self, clocks: &Clocks<'_>, gateway: GatewayNumber) -> When {
        let earliest = shifted(self.left, clocks.offset(gateway, self.left).least);
        let by = self.replied.into_iter().chain(self.acknowledged).min();
        let by = by.map(|by| shifted(by, clocks.offset(gateway, by).most));
        let read_by = self.read_by.map(|read_by| read_by.0.saturating_mul(1000).saturating_add(999));
        // If the times contradict each other, the earliest possible time is used.
        let latest = by.into_iter().chain(read_by).min().map(|latest| latest.max(earliest));
        When { earliest, latest }
    }
}

const fn shifted(at: Micros, by: i64) -> u64 {
    at.0.saturating_add_signed(by)
}

/// Pings with the same time, which can't be told apart.
#[derive(Debug, Default)]
struct Alike {
    left: Micros,
    back: Micros,
    sent: u32,
    returned: u32,
    /// The server's time in the latest pong.
    now: Option<Millis>,
}

/// Follows a connection's messages and their replies.
#[derive(Debug)]
pub(super) struct Flights<'e> {
    transits: &'e [Transit],
    /// When packets that contain no message were sent.
    sent_beside: &'e [Micros],
    /// For each message: when it was sent, and when it was acknowledged, if the kernel reported it.
    messages: Vec<(Micros, Option<Micros>)>,
    pings: HashMap<Millis, Alike>,
    /// Claims without a later ping so far: which claim, and the index among those of it.
    open: Vec<(Claimed, usize)>,
    /// The first ping after each claim.
    behind: HashMap<(Claimed, usize), Millis>,
}

impl<'e> Flights<'e> {
    pub fn new(log: &'e ConnectionLog) -> Self {
        let ConnectionLog { transits, sent_beside, .. } = log;
        let (messages, pings) = (Vec::new(), HashMap::new());
        Self { transits, sent_beside, messages, pings, open: Vec::new(), behind: HashMap::new() }
    }

    /// Adds a message, which is the entry of this number in the connection's log. Pings and claims are registered
    /// separately.
    pub fn sent(&mut self, entry: usize, at: Micros) -> Flight {
        let transit = match self.transits.split_first() {
            Some((first, rest)) if first.entry == entry => {
                self.transits = rest;
                Some(*first)
            }
            _ => None,
        };
        let left = transit.and_then(|transit| transit.left);
        let acknowledged = transit.and_then(|transit| transit.acknowledged);
        self.messages.push((at, acknowledged));
        Flight {
            left: left.unwrap_or(at).max(at),
            replied: None,
            acknowledged: None,
            read_by: None,
            told: left.is_some() && acknowledged.is_some(),
            number: self.messages.len() - 1,
        }
    }

    pub fn claimed(&mut self, claimed: Claimed, number: usize) {
        self.open.push((claimed, number));
    }

    pub fn pinged(&mut self, sent: Millis, flight: Flight) {
        let ping = self.pings.entry(sent).or_insert(Alike { left: flight.left, ..Alike::default() });
        ping.sent += 1;
        self.behind.extend(self.open.drain(..).map(|claim| (claim, sent)));
    }

    pub fn came_back(&mut self, pong: &Pong, at: Micros) {
        // A pong without a ping measures nothing.
        let Some(ping) = self.pings.get_mut(&pong.sent) else { return };
        ping.returned += 1;
        ping.now = ping.now.max(Some(pong.now));
        ping.back = ping.back.max(at);
    }

    /// The round trips of pings that came back and are unique.
    pub fn trips(&self) -> impl Iterator<Item = Trip> {
        let single = self.pings.values().filter(|ping| (ping.sent, ping.returned) == (1, 1));
        single.filter_map(|&Alike { left, back, now, .. }| Some(Trip { left, back, now: now? }))
    }

    /// Fills in what is known at the end of the connection. `direct`: the connection's peer is the server itself,
    /// without a proxy.
    ///
    /// A server may stamp a claim with the time of the last packet of those that it read together, including the end
    /// of the connection (FIN). So an acknowledgement proves something only together with those of everything that was
    /// sent after the claim, until it was replied to. Of pings that look alike the last pong counts, and only if all
    /// came back.
    pub fn end(&self, claimed: Claimed, number: usize, flight: &mut Flight, direct: bool) {
        flight.acknowledged = if direct { self.acknowledged(flight) } else { None };
        let ping = self.behind.get(&(claimed, number)).and_then(|sent| self.pings.get(sent));
        flight.read_by = ping.filter(|ping| ping.sent == ping.returned).and_then(|ping| ping.now);
    }

    fn acknowledged(&self, flight: &Flight) -> Option<Micros> {
        let behind = self.messages.get(flight.number..)?.iter();
        // When these packets were acknowledged is unknown.
        let beside = |&at: &Micros| at >= flight.left && flight.replied.is_none_or(|replied| at <= replied);
        if self.sent_beside.iter().any(beside) {
            return None;
        }
        let together = behind.take_while(|&&(at, _)| flight.replied.is_none_or(|replied| at <= replied));
        together.map(|&(_, acknowledged)| acknowledged).try_fold(flight.left, |last, next| Some(last.max(next?)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use klaxon_protocol::codec::Codec;
    use klaxon_protocol::ids::RoundId;

    use super::*;
    use crate::audit::AuditOptions;
    use crate::evidence::PlayerNumber;

    const ONE: Claimed = Claimed::answer(RoundId(1));

    fn log(transits: Vec<Transit>) -> ConnectionLog {
        let (player, gateway, entries, sent_beside) = (PlayerNumber(0), GatewayNumber(0), Vec::new(), Vec::new());
        let codec = Codec::Json;
        ConnectionLog { player, gateway, codec, honest: true, entries, transits, sent_beside, close_code: None }
    }

    fn transit(entry: usize, left: u64, acknowledged: u64) -> Transit {
        Transit { entry, left: Some(Micros(left)), acknowledged: Some(Micros(acknowledged)) }
    }

    #[test]
    fn an_acknowledgement_counts_with_those_of_all_that_may_have_been_read_together() {
        let log = log(vec![transit(0, 110, 150), transit(1, 210, 260), transit(3, 910, 950)]);
        let mut flights = Flights::new(&log);
        let mut answer = flights.sent(0, Micros(100));
        flights.sent(1, Micros(200));
        flights.sent(3, Micros(900));
        assert_eq!((answer.left, answer.told), (Micros(110), true));
        flights.end(ONE, 0, &mut answer, true);
        assert_eq!(answer.acknowledged, Some(Micros(950)));
        answer.replied = Some(Micros(500));
        flights.end(ONE, 0, &mut answer, true);
        assert_eq!(answer.acknowledged, Some(Micros(260)));
        flights.end(ONE, 0, &mut answer, false);
        assert_eq!(answer.acknowledged, None, "somebody in between did");
    }

    #[test]
    fn bytes_that_are_no_message_may_have_been_read_together_with_it_until_it_was_replied_to() {
        let mut log = log(vec![transit(0, 110, 150)]);
        log.sent_beside = vec![Micros(90), Micros(400)];
        let mut flights = Flights::new(&log);
        let mut answer = flights.sent(0, Micros(100));
        flights.end(ONE, 0, &mut answer, true);
        assert_eq!(answer.acknowledged, None, "a pong was sent behind it");
        answer.replied = Some(Micros(300));
        flights.end(ONE, 0, &mut answer, true);
        assert_eq!(answer.acknowledged, Some(Micros(150)), "the answer had been read by then");
    }

    #[test]
    fn where_the_kernel_says_nothing_the_swarm_knows_less_and_nothing_wrong() {
        let log = log(vec![]);
        let mut flights = Flights::new(&log);
        let mut answer = flights.sent(0, Micros(100));
        flights.end(ONE, 0, &mut answer, true);
        assert_eq!((answer.left, answer.acknowledged, answer.told), (Micros(100), None, false));
        let options = AuditOptions { clock_slack: Duration::from_micros(20), ..AuditOptions::default() };
        let clocks = Clocks::new(&options);
        assert_eq!(answer.when(&clocks, GatewayNumber(0)), When { earliest: 80, latest: None });
        answer.replied = Some(Micros(300));
        assert_eq!(answer.when(&clocks, GatewayNumber(0)), When { earliest: 80, latest: Some(320) });
    }

    #[test]
    fn what_was_sent_before_a_ping_was_read_by_the_time_of_its_pong() {
        let log = log(vec![]);
        let mut flights = Flights::new(&log);
        let mut answer = flights.sent(0, Micros(5_100));
        flights.claimed(ONE, 0);
        let ping = flights.sent(1, Micros(5_200));
        flights.pinged(Millis(5), ping);
        flights.end(ONE, 0, &mut answer, true);
        assert_eq!(answer.read_by, None);
        flights.came_back(&Pong { sent: Millis(5), now: Millis(9) }, Micros(9_300));
        flights.end(ONE, 0, &mut answer, true);
        assert_eq!(answer.read_by, Some(Millis(9)));
        let trip = Trip { left: Micros(5_200), back: Micros(9_300), now: Millis(9) };
        assert_eq!(flights.trips().collect::<Vec<_>>(), [trip]);
        // A second ping with the same time: neither measures the clock, and until both came back they don't prove a
        // read time.
        let ping = flights.sent(2, Micros(5_900));
        flights.pinged(Millis(5), ping);
        flights.end(ONE, 0, &mut answer, true);
        assert_eq!((answer.read_by, flights.trips().count()), (None, 0));
    }
}
