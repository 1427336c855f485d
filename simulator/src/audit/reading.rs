//! The evidence in decoded form: each distinct frame decoded, each connection's claims with their replies, each seat
//! with its connections.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use klaxon_protocol::claim::ClaimValue;
use klaxon_protocol::codec::Codec;
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::ids::Seat;
use klaxon_protocol::player::{FromPlayer, ToPlayer};

use super::claims::{ClaimAnswer, Claimed, SentClaim};

use super::clocks::{Clocks, Trip, as_micros};
use super::finding::Violation;
use super::flights::{Flight, Flights, When};
use super::journal::Journal;
use super::options::AuditOptions;
use super::rundown::RundownBook;
use crate::evidence::{ConnectionLog, Direction, Evidence, FrameId, GatewayNumber, Harm, Micros, PlayerNumber};
use crate::messages::{Messages, Seen};

/// A time in whole milliseconds, rounded down.
pub(super) const fn millis(at: Micros) -> u64 {
    at.0 / 1000
}

/// A duration in whole milliseconds.
pub(super) fn as_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A duration added to a time.
pub(super) fn after(at: Micros, duration: Duration) -> Micros {
    Micros(at.0.saturating_add(as_micros(duration)))
}

/// What a player sent and received about one claim on one connection, each in order.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    pub sent: Vec<(Micros, ClaimValue)>,
    /// For each of these: what is known about its transmission.
    pub flights: Vec<Flight>,
    pub received: Vec<(Micros, FrameId)>,
}

impl Exchange {
    /// Adds a reply. Each claim has one reply, so once there are as many replies as claims, all claims are replied to.
    fn receive(&mut self, at: Micros, frame: FrameId) {
        self.received.push((at, frame));
        if self.received.len() >= self.sent.len() {
            self.flights.iter_mut().for_each(|flight| flight.replied = flight.replied.or(Some(at)));
        }
    }
}

/// A connection in decoded form.
#[derive(Debug)]
pub(super) struct Connection {
    pub player: PlayerNumber,
    pub gateway: GatewayNumber,
    pub honest: bool,
    /// The seat in its first welcome, unless that seat was later given to another player.
    pub seat: Option<Seat>,
    /// The seat in its first welcome, if that seat was later given to another player.
    pub lost_seat: Option<Seat>,
    /// Whether a welcome was received.
    pub welcomed: bool,
    /// Whether the join had a resume token.
    pub with_token: bool,
    pub first: Option<Micros>,
    /// When the last frame was received: the connection was open until then at least.
    pub last_received: Option<Micros>,
    pub exchanges: BTreeMap<Claimed, Exchange>,
    /// The errors that it was sent.
    pub errors: Vec<(Micros, ErrorCode)>,
    /// When the player sent `leave`.
    pub left: Option<Micros>,
    /// Pings and pongs, which measure the server's clock.
    trips: Vec<Trip>,
}

impl Connection {
    /// Whether it was certainly open at `at`: something was received then or later.
    pub fn open_at(&self, at: Micros) -> bool {
        self.last_received.is_some_and(|last| last >= at)
    }
}

/// All the evidence, read.
pub(super) struct Reading<'a> {
    pub evidence: &'a Evidence,
    pub options: &'a AuditOptions,
    pub journal: Journal,
    pub connections: Vec<Connection>,
    /// The connections of each seat.
    pub seats: BTreeMap<Seat, Vec<usize>>,
    /// Claims on connections that joined with a token and never received a welcome: the earliest time at which each
    /// can have been read.
    pub seatless: BTreeMap<Claimed, HashMap<ClaimValue, u64>>,
    /// What the show must have been by its rules, if it is a rundown.
    pub rundown: Option<RundownBook>,
    /// The server's clock, measured by the run's pings.
    pub clocks: Clocks<'a>,
    messages: Messages,
}

impl<'a> Reading<'a> {
    pub fn new(evidence: &'a Evidence, options: &'a AuditOptions) -> Self {
        let mut reading = Self {
            evidence,
            options,
            journal: Journal::read(&evidence.journal, &evidence.people),
            connections: Vec::with_capacity(evidence.connections.len()),
            seats: BTreeMap::new(),
            seatless: BTreeMap::new(),
            rundown: RundownBook::of(&evidence.journal, &evidence.people),
            clocks: Clocks::new(options),
            messages: Messages::of(evidence),
        };
        for log in &evidence.connections {
            let connection = reading.read_connection(log);
            if let Some(seat) = connection.seat {
                reading.seats.entry(seat).or_default().push(reading.connections.len());
            }
            for &trip in &connection.trips {
                reading.clocks.measure(connection.gateway, trip);
            }
            reading.connections.push(connection);
        }
        reading.seatless = reading.seatless();
        reading
    }

    fn seatless(&self) -> BTreeMap<Claimed, HashMap<ClaimValue, u64>> {
        let mut seatless: BTreeMap<Claimed, HashMap<ClaimValue, u64>> = BTreeMap::new();
        for connection in self.connections.iter().filter(|connection| connection.with_token && !connection.welcomed) {
            for (&claimed, exchange) in &connection.exchanges {
                for ((_, value), flight) in exchange.sent.iter().zip(&exchange.flights) {
                    let earliest = self.when(connection, flight).earliest;
                    let first = seatless.entry(claimed).or_default().entry(value.clone()).or_insert(earliest);
                    *first = earliest.min(*first);
                }
            }
        }
        seatless
    }

    /// When the server can have read a claim of this connection, on the server's clock.
    pub fn when(&self, connection: &Connection, flight: &Flight) -> When {
        flight.when(&self.clocks, connection.gateway)
    }

    /// The decoded message in a frame; none if no player received it or it can't be decoded.
    pub fn received(&self, frame: FrameId) -> Option<&ToPlayer> {
        self.messages.received(frame)
    }

    /// The frames that players received and that hold a message.
    pub fn received_frames(&self) -> impl Iterator<Item = (Codec, &[u8], &ToPlayer)> {
        self.evidence
            .frames
            .iter()
            .filter_map(|(frame, codec, bytes)| self.received(frame).map(|message| (codec, bytes, message)))
    }

    /// The reply to a claim in this frame.
    pub fn reply(&self, frame: FrameId) -> Option<ClaimAnswer<'_>> {
        self.received(frame).and_then(ClaimAnswer::of)
    }

    /// A connection's frames in order.
    pub fn walk(&self, connection: usize) -> impl Iterator<Item = (Micros, Seen<'_>)> {
        let entries = self.evidence.connections.get(connection).map_or(&[][..], |log| &log.entries);
        entries.iter().map(|entry| (entry.at, self.messages.seen(entry)))
    }

    /// The deadline of something that began at `at`: the reply limit, extended by faults in between.
    pub fn due(&self, at: Micros) -> Micros {
        let limit = self.options.reply_limit;
        // Faults are in the order in which they were carried out, one after another.
        self.options.faults.iter().fold(after(at, limit), |due, fault| {
            let between = fault.from <= due && fault.until >= at;
            if between { due.max(after(fault.until, limit)) } else { due }
        })
    }

    /// Whether the process of this connection's gateway was paused between the sending of a claim and its reply: then
    /// the round may have closed without it.
    pub fn stood_still(&self, connection: &Connection, flight: &Flight) -> bool {
        self.options.faults.iter().any(|fault| {
            let meanwhile = fault.until >= flight.left && flight.replied.is_none_or(|replied| fault.from <= replied);
            meanwhile && fault.harm == Harm::Paused && fault.is_at(connection.gateway)
        })
    }

    /// A violation that was seen on this connection.
    pub fn violation(&self, connection: usize, what: impl Into<String>) -> Violation {
        let violation = Violation::new(what).connection(connection);
        let Some(read) = self.connections.get(connection) else { return violation };
        let violation = violation.player(read.player);
        match read.seat {
            Some(seat) => violation.seat(seat),
            None => violation,
        }
    }

    /// The replies to a seat's claim, over all its connections.
    pub fn replies(&self, seat: Seat, claimed: Claimed) -> impl Iterator<Item = (usize, Micros, ClaimAnswer<'_>)> {
        self.exchanges(seat, claimed).flat_map(move |(connection, exchange)| {
            exchange
                .received
                .iter()
                .filter_map(move |&(at, frame)| self.reply(frame).map(|reply| (connection, at, reply)))
        })
    }

    /// What was sent and received about a claim, over all connections of a seat.
    pub fn exchanges(&self, seat: Seat, claimed: Claimed) -> impl Iterator<Item = (usize, &Exchange)> {
        self.seats
            .get(&seat)
            .into_iter()
            .flatten()
            .filter_map(move |&connection| Some((connection, self.connections[connection].exchanges.get(&claimed)?)))
    }

    fn read_connection(&self, log: &ConnectionLog) -> Connection {
        let mut connection = Connection {
            player: log.player,
            gateway: log.gateway,
            honest: log.honest,
            seat: None,
            lost_seat: None,
            welcomed: false,
            with_token: false,
            first: log.entries.first().map(|entry| entry.at),
            last_received: None,
            exchanges: BTreeMap::new(),
            errors: Vec::new(),
            left: None,
            trips: Vec::new(),
        };
        let mut flights = Flights::new(log);
        for (number, entry) in log.entries.iter().enumerate() {
            let flight = (entry.direction == Direction::Sent).then(|| flights.sent(number, entry.at));
            if entry.direction == Direction::Received {
                connection.last_received = Some(entry.at);
            }
            match self.messages.seen(entry) {
                Seen::Sent(FromPlayer::Join(join)) => {
                    connection.with_token |= join.resume.is_some();
                }
                Seen::Sent(message @ (FromPlayer::Answer(_) | FromPlayer::Claim(_))) => {
                    let Some(SentClaim { claimed, value }) = SentClaim::of(message) else { continue };
                    let exchange = connection.exchanges.entry(claimed).or_default();
                    exchange.sent.push((entry.at, value));
                    exchange.flights.extend(flight);
                    flights.claimed(claimed, exchange.sent.len() - 1);
                }
                Seen::Sent(FromPlayer::Ping(ping)) => {
                    if let Some(flight) = flight {
                        flights.pinged(ping.sent, flight);
                    }
                }
                Seen::Received(ToPlayer::Pong(pong)) => flights.came_back(pong, entry.at),
                Seen::Sent(FromPlayer::Leave) => connection.left = connection.left.or(Some(entry.at)),
                Seen::Received(ToPlayer::Welcome(welcome)) if !connection.welcomed => {
                    connection.welcomed = true;
                    let lost = |seat: &Seat| self.journal.holders.lost_it(*seat, &welcome.name, welcome.now);
                    connection.lost_seat = welcome.seat.filter(lost);
                    connection.seat = welcome.seat.filter(|seat| !lost(seat));
                }
                Seen::Received(message @ (ToPlayer::AnswerReply(_) | ToPlayer::ClaimReply(_))) => {
                    let Some(reply) = ClaimAnswer::of(message) else { continue };
                    connection.exchanges.entry(reply.claimed).or_default().receive(entry.at, entry.frame);
                }
                Seen::Received(ToPlayer::Error(error)) => connection.errors.push((entry.at, error.code)),
                _ => {}
            }
        }
        for (&claimed, exchange) in &mut connection.exchanges {
            for (number, flight) in exchange.flights.iter_mut().enumerate() {
                flights.end(claimed, number, flight, self.options.direct);
            }
        }
        connection.trips = flights.trips().collect();
        connection
    }
}
