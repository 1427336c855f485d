//! Tracks which players are connected in the lobby, so that a full show can give the seat of a disconnected guest to
//! another player.
//!
//! Gateways report connections that end. A report can be lost, and an engine that takes a show over has missed the
//! earlier ones. So when a full show knows no disconnected guest, it asks all gateways which seats have a connection (a
//! census), and a seat without one is absent.
//!
//! Possible abuse: bots that join and leave, or disconnect, keep no seat. Bots that stay, or reconnect every few
//! seconds, keep theirs like other players, and the host has to remove them. Anyone who asks for a seat in a full show
//! can cause one census a minute: for a million players, some 6 MB from all gateways together. All of this is freed at
//! the first round: 24 bytes per seat, and as much again for each absent one.

use std::collections::BTreeSet;

use klaxon_protocol::ids::{ConnRef, GatewayId, Seat, SeatRef};
use klaxon_protocol::link::Present;
use klaxon_protocol::time::{Millis, Span};

/// Shortest time between two censuses.
const CENSUS_INTERVAL: Span = Span(60_000);

/// Whether a seat's player is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presence {
    /// No gateway has reported the player since this engine took the show over.
    Unknown,
    /// Connected; this is the newest connection, which alone receives the events.
    Here(ConnRef),
    /// Disconnected; from this time on the seat can be given to another player.
    Absent(Millis),
}

/// The presence of each seat's player.
#[derive(Default)]
pub(super) struct Attendance {
    by_seat: Vec<Presence>,
    /// The absent seats, by the time from which each can be given away.
    absent: BTreeSet<(Millis, Seat)>,
    /// The census in progress.
    census: Option<Census>,
    /// The number of the last census, and when it began.
    last: Option<(u32, Millis)>,
    /// Whether connected players of a gateway that joins or rejoins may be marked as absent.
    may_be_wrong: bool,
}

/// A census: all gateways report the seats that have a connection.
struct Census {
    asked: BTreeSet<GatewayId>,
    waiting: BTreeSet<GatewayId>,
    /// For each seat that existed at its begin, whether the player was reported, or connected, since.
    seen: Vec<bool>,
}

impl Attendance {
    /// Notes that a player joined on this connection.
    pub fn connected(&mut self, seat: Seat, conn: ConnRef) {
        self.set(seat, Presence::Here(conn));
        if let Some(seen) = self.census.as_mut().and_then(|census| census.seen.get_mut(seat.index())) {
            *seen = true;
        }
    }

    /// Notes that a connection ended. Ignored if the player has a newer one.
    pub fn disconnected(&mut self, seat: Seat, conn: ConnRef, from: Millis) {
        if self.get(seat) == Presence::Here(conn) {
            self.set(seat, Presence::Absent(from));
        }
    }

    /// Notes that all players of this gateway lost their connection.
    pub fn gateway_gone(&mut self, gateway: GatewayId, from: Millis, is_for_guests: impl Fn(Seat) -> bool) {
        let is_here = |presence: &Presence| matches!(presence, Presence::Here(conn) if conn.gateway == gateway);
        let here = (0..).map(Seat).zip(&self.by_seat).filter(|(_, presence)| is_here(presence));
        for seat in here.map(|(seat, _)| seat).filter(|&seat| is_for_guests(seat)).collect::<Vec<_>>() {
            self.set(seat, Presence::Absent(from));
            self.may_be_wrong = true;
        }
        self.report_ended(gateway, from, is_for_guests);
    }

    /// The seat that can be given away for the longest time, if there is one.
    pub fn absent(&self, now: Millis) -> Option<Seat> {
        self.absent.first().filter(|(from, _)| *from <= now).map(|&(_, seat)| seat)
    }

    /// Begins a census of these gateways and returns its number; none if the last one was less than [`CENSUS_INTERVAL`]
    /// ago.
    pub fn begin_census(&mut self, seats: u32, gateways: &BTreeSet<GatewayId>, now: Millis) -> Option<u32> {
        let number = match self.last {
            Some((_, at)) if now < at + CENSUS_INTERVAL => return None,
            // At one census a minute, 32 bits last for 8,000 years.
            Some((last, _)) => last.checked_add(1).expect("a census a minute never runs out of numbers"),
            None => 1,
        };
        self.last = Some((number, now));
        self.may_be_wrong = true;
        let seen = vec![false; seats as usize];
        self.census = Some(Census { asked: gateways.clone(), waiting: gateways.clone(), seen });
        Some(number)
    }

    /// Whether connected players of a gateway that joins or rejoins may be marked as absent: then it has to be asked.
    pub const fn may_be_wrong(&self) -> bool {
        self.may_be_wrong
    }

    /// The number of the last census, which a gateway that joins or rejoins has to answer, so that its players count as
    /// present.
    pub fn census_for_newcomer(&mut self, gateway: GatewayId) -> Option<u32> {
        if let Some(census) = &mut self.census {
            census.asked.insert(gateway);
            census.waiting.insert(gateway);
        }
        self.last.map(|(number, _)| number)
    }

    /// Processes a gateway's report of some of its players.
    pub fn count(&mut self, present: &Present, from: Millis, is_for_guests: impl Fn(Seat) -> bool) {
        if self.last.is_none_or(|(number, _)| number != present.census) {
            return;
        }
        for &(SeatRef { seat, .. }, conn) in &present.players {
            if let Some(seen) = self.census.as_mut().and_then(|census| census.seen.get_mut(seat.index())) {
                *seen = true;
            }
            if !matches!(self.get(seat), Presence::Here(_)) {
                self.set(seat, Presence::Here(ConnRef { gateway: present.gateway, conn }));
            }
        }
        if present.is_last {
            self.report_ended(present.gateway, from, is_for_guests);
        }
    }

    /// Called when a gateway has reported all its players, or is gone. When all have, players reported by none are
    /// absent.
    fn report_ended(&mut self, gateway: GatewayId, from: Millis, is_for_guests: impl Fn(Seat) -> bool) {
        let Some(census) = &mut self.census else { return };
        census.waiting.remove(&gateway);
        self.end_census(from, is_for_guests);
    }

    /// Ends the census if all gateways have reported.
    pub fn end_census(&mut self, from: Millis, is_for_guests: impl Fn(Seat) -> bool) {
        let Some(Census { asked, seen, .. }) = self.census.take_if(|census| census.waiting.is_empty()) else { return };
        let unseen = (0..).map(Seat).zip(seen).filter(|(seat, seen)| !seen && is_for_guests(*seat));
        for (seat, _) in unseen {
            let is_gone = match self.get(seat) {
                Presence::Unknown => true,
                Presence::Here(conn) => asked.contains(&conn.gateway),
                Presence::Absent(_) => false,
            };
            if is_gone {
                self.set(seat, Presence::Absent(from));
            }
        }
    }

    /// Frees everything: no seat is given away after the lobby.
    pub fn end(&mut self) {
        *self = Self::default();
    }

    fn get(&self, seat: Seat) -> Presence {
        self.by_seat.get(seat.index()).copied().unwrap_or(Presence::Unknown)
    }

    fn set(&mut self, seat: Seat, presence: Presence) {
        if seat.index() >= self.by_seat.len() {
            self.by_seat.resize(seat.index() + 1, Presence::Unknown);
        }
        let before = std::mem::replace(&mut self.by_seat[seat.index()], presence);
        if let Presence::Absent(from) = before {
            self.absent.remove(&(from, seat));
        }
        if let Presence::Absent(from) = presence {
            self.absent.insert((from, seat));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_000_000);
    const SEAT: Seat = Seat(2);

    const fn on(gateway: u32, conn: u64) -> ConnRef {
        ConnRef { gateway: GatewayId(gateway), conn }
    }

    fn present(census: u32, gateway: u32, players: &[(u32, u64)], is_last: bool) -> Present {
        let players = players.iter().map(|&(seat, conn)| (SeatRef::first(Seat(seat)), conn)).collect();
        Present { gateway: GatewayId(gateway), show: klaxon_protocol::ids::ShowId(1), census, players, is_last }
    }

    /// From which moment on each seat can be another's.
    fn absences(attendance: &Attendance) -> Vec<(u32, Millis)> {
        let mut absences: Vec<_> = attendance.absent.iter().map(|&(from, seat)| (seat.0, from)).collect();
        absences.sort_unstable();
        absences
    }

    #[test]
    fn a_player_is_absent_when_the_newest_connection_is_gone() {
        // Each story: connections that came, then ended; whether the player is absent.
        let stories: [(&[ConnRef], &[ConnRef], bool); 7] = [
            (&[on(1, 5)], &[on(1, 5)], true),
            (&[on(1, 5), on(1, 6)], &[on(1, 5)], false),
            (&[on(1, 5), on(1, 6)], &[on(1, 6)], true),
            (&[on(1, 5), on(1, 6)], &[on(1, 5), on(1, 6)], true),
            (&[on(1, 5), on(2, 5)], &[on(1, 5)], false),
            (&[on(1, 5), on(2, 5)], &[on(2, 5)], true),
            // Of one who was there before this engine it is not known whether there is a newer connection.
            (&[], &[on(1, 5)], false),
        ];
        for (number, (came, ended, is_absent)) in stories.into_iter().enumerate() {
            let mut attendance = Attendance::default();
            came.iter().for_each(|&conn| attendance.connected(SEAT, conn));
            ended.iter().for_each(|&conn| attendance.disconnected(SEAT, conn, NOW));
            assert_eq!(attendance.absent(Millis(NOW.0 - 1)), None, "story {number}");
            assert_eq!(attendance.absent(NOW), is_absent.then_some(SEAT), "story {number}");
            attendance.connected(SEAT, on(3, 9));
            assert_eq!(attendance.absent(NOW + Span(10_000)), None, "who is back is not absent");
        }
    }

    #[test]
    fn a_gateways_end_makes_its_guests_absent_until_it_is_back_and_names_them() {
        let mut attendance = Attendance::default();
        (0..3).for_each(|seat| attendance.connected(Seat(seat), on(1, 5)));
        attendance.connected(Seat(3), on(2, 5));
        assert!(!attendance.may_be_wrong);
        attendance.gateway_gone(GatewayId(1), NOW, |seat| seat != Seat(1));
        assert!(attendance.may_be_wrong);
        assert_eq!(absences(&attendance), [(0, NOW), (2, NOW)]);
        assert_eq!(attendance.census_for_newcomer(GatewayId(1)), None, "there was none yet");
        let census = attendance.begin_census(4, &BTreeSet::from([GatewayId(2)]), NOW);
        assert_eq!(attendance.census_for_newcomer(GatewayId(1)), census);
        attendance.count(&present(1, 2, &[(3, 5)], true), NOW, |_| true);
        assert_eq!(absences(&attendance), [(0, NOW), (2, NOW)], "the newcomer is waited for");
        attendance.count(&present(1, 1, &[(2, 5)], true), NOW, |_| true);
        assert_eq!(absences(&attendance), [(0, NOW), (1, NOW)], "1 was not named");
        assert_eq!(attendance.census_for_newcomer(GatewayId(1)), census);
        attendance.count(&present(1, 1, &[(0, 6)], true), NOW, |_| true);
        assert_eq!(absences(&attendance), [(1, NOW)], "and whom it names later is there all the same");
    }

    #[test]
    fn whom_no_gateway_names_is_absent_once_all_have_named_theirs() {
        let mut attendance = Attendance::default();
        // Seats 0 to 5 were taken before this engine; of seat 6 no end was reported.
        attendance.connected(Seat(6), on(2, 60));
        let gateways = BTreeSet::from([GatewayId(1), GatewayId(2)]);
        assert_eq!(attendance.begin_census(7, &gateways, NOW), Some(1));
        assert_eq!(attendance.begin_census(7, &gateways, Millis(NOW.0 + CENSUS_INTERVAL.0 as u64 - 1)), None);
        let not_five = |seat| seat != Seat(5);
        attendance.count(&present(9, 1, &[(0, 1)], true), NOW, not_five);
        attendance.count(&present(1, 1, &[(1, 10)], false), NOW, not_five);
        attendance.count(&present(1, 2, &[(2, 20)], true), NOW, not_five);
        attendance.connected(Seat(3), on(1, 30));
        assert_eq!(absences(&attendance), [], "the first gateway has more to name");
        attendance.count(&present(1, 1, &[], true), NOW, not_five);
        assert_eq!(absences(&attendance), [(0, NOW), (4, NOW), (6, NOW)]);
        assert_eq!(attendance.get(Seat(1)), Presence::Here(on(1, 10)));
        attendance.disconnected(Seat(2), on(2, 20), NOW + Span(5));
        assert_eq!(attendance.absent(NOW + Span(5)), Some(Seat(0)), "who is absent for longest");
        assert_eq!(absences(&attendance).len(), 4);
        assert_eq!(attendance.begin_census(7, &gateways, NOW + CENSUS_INTERVAL), Some(2), "there may be more");
    }

    #[test]
    fn a_gateway_that_never_says_who_is_there_makes_nobody_absent_and_one_that_ends_is_not_waited_for() {
        let mut attendance = Attendance::default();
        let gateways = BTreeSet::from([GatewayId(1), GatewayId(2)]);
        attendance.begin_census(3, &gateways, NOW);
        attendance.count(&present(1, 1, &[(0, 1)], true), NOW, |_| true);
        assert_eq!(attendance.absent(Millis(u64::MAX)), None);
        attendance.gateway_gone(GatewayId(2), NOW, |_| true);
        assert_eq!(absences(&attendance), [(1, NOW), (2, NOW)]);
    }

    #[test]
    fn a_million_who_come_and_go_are_kept_in_bounds() {
        let mut attendance = Attendance::default();
        for conn in 0..20 {
            for seat in (0..1_000).map(Seat) {
                attendance.connected(seat, on(1, conn));
                attendance.disconnected(seat, on(1, conn), NOW + Span(conn as u32));
            }
        }
        assert_eq!((attendance.by_seat.len(), attendance.absent.len()), (1_000, 1_000));
        assert_eq!(std::mem::size_of::<Presence>(), 24);
        attendance.end();
        assert_eq!((attendance.by_seat.capacity(), attendance.absent.len()), (0, 0));
    }
}
