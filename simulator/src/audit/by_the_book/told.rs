//! Results, standings, prizes, names, and the number of joined players.

use klaxon_protocol::ids::Seat;
use klaxon_protocol::player::{Lobby, Prize, Standings, ToPlayer};
use klaxon_protocol::time::Millis;

use super::super::book::Book;
use super::super::finding::Finding;
use super::super::reading::{Reading, as_millis, millis};
use crate::evidence::Micros;
use crate::messages::Seen;

pub(super) fn judge(reading: &Reading<'_>, book: &Book, finding: &mut Finding) -> u64 {
    let mut judged = 0;
    for connection in 0..reading.connections.len() {
        let (seat, lost_seat) = (reading.connections[connection].seat, reading.connections[connection].lost_seat);
        let mut ended = Ended::default();
        for (at, seen) in reading.walk(connection) {
            let Seen::Received(message) = seen else { continue };
            if lost_seat.is_some() && matches!(message, ToPlayer::Question(_)) {
                let what = "receives the show on, and the seat was given to another player";
                finding.broken(reading.violation(connection, what).at(at));
            }
            ended.receive(message);
            let Some(problem) = problem(reading, book, seat, at, message) else { continue };
            judged += 1;
            finding.check(problem.is_ok(), || {
                reading.violation(connection, problem.err().unwrap_or_default()).at(at).frame(message)
            });
        }
        let won = seat.map_or(0, |seat| prize_of(book, seat));
        finding.check(!(won > 0 && ended.podium && ended.end && !ended.prize), || {
            reading.violation(connection, format!("won {won} by the book, and was not told"))
        });
    }
    judged
}

/// What a connection received of the show's end.
#[derive(Debug, Default)]
struct Ended {
    podium: bool,
    prize: bool,
    end: bool,
}

impl Ended {
    const fn receive(&mut self, message: &ToPlayer) {
        match message {
            ToPlayer::Podium(_) => self.podium = true,
            ToPlayer::Prize(_) => self.prize = true,
            ToPlayer::End(_) => self.end = true,
            _ => {}
        }
    }
}

/// Why a message contradicts the rules; none if it does not, or is of a kind that is judged elsewhere.
fn problem(
    reading: &Reading<'_>,
    book: &Book,
    seat: Option<Seat>,
    at: Micros,
    message: &ToPlayer,
) -> Option<Result<(), String>> {
    let same = |same: bool, own: String| if same { Ok(()) } else { Err(own) };
    Some(match message {
        ToPlayer::Welcome(welcome) => {
            let name = welcome.seat.and_then(|seat| book.seats.get(seat.index())).map(|held| &held.name);
            let slack = as_millis(reading.options.clock_slack);
            let was = |seat| reading.journal.holders.was(seat, &welcome.name, Millis(millis(at)), slack);
            let fits = welcome.seat.is_none_or(was);
            same(fits, format!("welcomed as {}, the seat is {name:?}'s", welcome.name))
        }
        ToPlayer::Result(result) => {
            let own = seat.and_then(|seat| book.results.get(&result.question)?.get(seat.index()));
            same(own == Some(result), format!("the result is another by the book: {own:?}"))
        }
        ToPlayer::Standings(standings) => {
            let own = book.standings.get(&standings.question);
            same(own == Some(standings), format!("the standings are others by the book: {}", lines(own)))
        }
        ToPlayer::Prize(Prize { amount, currency }) => {
            let own = (seat.map_or(0, |seat| prize_of(book, seat)), &book.settings.currency);
            same(own == (*amount, currency) && *amount > 0, format!("the prize is {own:?} by the book"))
        }
        ToPlayer::Lobby(Lobby { joined }) => {
            let until = millis(at).saturating_add(as_millis(reading.options.clock_slack));
            let by_then = book.joins.iter().take_while(|joined| joined.0 <= until).count();
            let from = seat.map_or(0, |seat| seat.0 + 1);
            let fits = *joined as usize <= by_then && *joined >= from;
            same(fits, format!("{joined} have joined, by the book from {from} to {by_then}"))
        }
        _ => return None,
    })
}

fn prize_of(book: &Book, seat: Seat) -> u64 {
    book.ending.as_ref().and_then(|ending| ending.prizes.get(seat.index()).copied()).unwrap_or_default()
}

fn lines(standings: Option<&Standings>) -> String {
    standings.and_then(|standings| serde_json::to_string(standings).ok()).unwrap_or_default()
}
