//! Promise 6: prizes are whole minor units and sum to the pot exactly.

use std::collections::{BTreeMap, BTreeSet};

use klaxon_protocol::games::trivia::{NobodyLeft, PrizeRule, QuestionId, Settings};
use klaxon_protocol::ids::Seat;
use klaxon_protocol::player::{Podium, ToPlayer};

use super::finding::{Finding, Promise, Violation};
use super::reading::Reading;
use crate::evidence::Micros;
use crate::messages::Seen;

const PROMISE: Promise = Promise {
    number: 6,
    name: "money adds up",
    sentence: "Prizes are whole minor units and, with what is rolled over, sum to the pot exactly.",
};

pub(super) fn judge(reading: &Reading<'_>) -> Finding {
    let mut finding = Finding::new(PROMISE);
    let mut podiums: Vec<&Podium> = reading.journal.podiums().collect();
    let written = podiums.len();
    if written > 1 {
        finding.broken(Violation::new(format!("the journal has {written} podiums")));
    }
    for (_, _, message) in reading.received_frames() {
        let received = match message {
            ToPlayer::Podium(podium) => podium,
            ToPlayer::Snapshot(snapshot) => match &snapshot.podium {
                Some(podium) => podium,
                None => continue,
            },
            _ => continue,
        };
        if !podiums.contains(&received) {
            podiums.push(received);
        }
    }
    for podium in &podiums {
        podium_adds_up(reading, podium, &mut finding);
    }
    let prizes = prizes_received(reading, &mut finding);
    if let Some(podium) = reading.journal.podiums().next() {
        prizes_are_the_podiums(reading, &prizes, podium, &mut finding);
        winners_are_told(reading, &prizes, podium, &mut finding);
        only_those_in_play_are_paid(reading, &prizes, podium, &mut finding);
        finding.figure("pot", format!("{} {} (minor units)", podium.pot, podium.currency));
        finding.figure("winners", podium.winners);
        finding.figure("paid", podium.paid);
        finding.figure("rolled over", podium.rolled_over);
        finding.figure("prizes received", prizes.len());
    }
    finding
}

fn podium_adds_up(reading: &Reading<'_>, podium: &Podium, finding: &mut Finding) {
    let broken = |what: String| Violation::new(what).frame(&ToPlayer::Podium(podium.clone()));
    let whole = podium.paid.checked_add(podium.rolled_over);
    finding.check(whole == Some(podium.pot), || {
        broken(format!("{} paid and {} rolled over are not the pot of {}", podium.paid, podium.rolled_over, podium.pot))
    });
    let sum: u128 = podium.places.iter().map(|place| u128::from(place.prize)).sum();
    let adds_up =
        if all_winners_listed(podium) { sum == u128::from(podium.paid) } else { sum <= u128::from(podium.paid) };
    finding.check(adds_up, || broken(format!("the places win {sum}, {} are paid", podium.paid)));
    let mut seats: Vec<Seat> = podium.places.iter().map(|place| place.seat).collect();
    seats.sort_unstable();
    let once = seats.windows(2).all(|pair| pair[0] != pair[1]);
    finding.check(once, || broken("a seat has two places".to_owned()));
    for pair in podium.places.windows(2) {
        let (better, worse) = (&pair[0], &pair[1]);
        let fair = if better.place == worse.place {
            better.prize.abs_diff(worse.prize) <= 1
        } else {
            // The remainder may go to the first of those who share a place, and make that prize equal to the last of
            // the place before, or one unit higher.
            better.place < worse.place && better.prize.saturating_add(1) >= worse.prize
        };
        finding.check(fair, || {
            let (first, second) = (better.prize, worse.prize);
            broken(format!("place {} wins {first} and place {} after it {second}", better.place, worse.place))
        });
    }
    let Some(settings) = &reading.journal.settings else { return };
    let same = (settings.pot, &settings.currency) == (podium.pot, &podium.currency);
    finding.check(same, || broken(format!("the pot was set to {} {}", settings.pot, settings.currency)));
    if settings.prize == PrizeRule::Split {
        for (place, number) in podium.places.iter().zip(0..) {
            let fair = if number < podium.winners { is_share(place.prize, podium) } else { place.prize == 0 };
            finding.check(fair, || {
                broken(format!("{} is not an even share of {} among {}", place.prize, podium.paid, podium.winners))
            });
        }
    }
    nobody_left(reading, settings, podium, finding);
}

/// Whether the podium lists all winners: it lists the best places, winners first.
const fn all_winners_listed(podium: &Podium) -> bool {
    podium.places.len() >= podium.winners as usize
}

/// The number of winners with a prize above 0, if the podium lists them all.
fn paid_winners(reading: &Reading<'_>, podium: &Podium) -> Option<u64> {
    if all_winners_listed(podium) {
        return Some(podium.places.iter().filter(|place| place.prize > 0).count() as u64);
    }
    let settings = reading.journal.settings.as_ref()?;
    (settings.prize == PrizeRule::Split).then(|| u64::from(podium.winners).min(podium.paid))
}

/// Whether the prize is an equal share, rounded down or up.
const fn is_share(prize: u64, podium: &Podium) -> bool {
    let Some(share) = podium.paid.checked_div(podium.winners as u64) else { return prize == 0 };
    prize == share || (!podium.paid.is_multiple_of(podium.winners as u64) && prize == share + 1)
}

/// Checks that the pot is kept when an elimination leaves no player and the host chose that.
fn nobody_left(reading: &Reading<'_>, settings: &Settings, podium: &Podium, finding: &mut Finding) {
    if settings.mode.eliminates()
        && settings.nobody_left == NobodyLeft::Rollover
        && alive_at_the_end(reading) == Some(0)
    {
        finding.check(podium.paid == 0, || {
            let what = format!("nobody was left, the pot rolls over, and {} are paid", podium.paid);
            Violation::new(what).frame(&ToPlayer::Podium(podium.clone()))
        });
    }
}

/// The number of players in play after the last question that counts.
fn alive_at_the_end(reading: &Reading<'_>) -> Option<u32> {
    reading.journal.events.iter().rev().find_map(|event| match event {
        ToPlayer::Reveal(reveal) => Some(reveal.alive),
        ToPlayer::Void(void) => Some(void.alive),
        _ => None,
    })
}

/// The prize that each seat was sent, with the connection and the time.
type Prizes = BTreeMap<Seat, (u64, usize, Micros)>;

fn prizes_received(reading: &Reading<'_>, finding: &mut Finding) -> Prizes {
    let mut prizes = Prizes::new();
    for (index, connection) in reading.connections.iter().enumerate() {
        let Some(seat) = connection.seat else { continue };
        for (at, seen) in reading.walk(index) {
            let Seen::Received(message) = seen else { continue };
            let amount = match message {
                ToPlayer::Prize(prize) => prize.amount,
                ToPlayer::You(you) => match you.prize {
                    Some(amount) => amount,
                    None => continue,
                },
                _ => continue,
            };
            let first = *prizes.entry(seat).or_insert((amount, index, at));
            finding.check(first.0 == amount, || {
                let what = format!("told of a prize of {} and of one of {amount}", first.0);
                reading.violation(index, what).at(at).frame(message)
            });
        }
    }
    prizes.retain(|_, (amount, _, _)| *amount > 0);
    prizes
}

/// The prize that each seat was sent, with the connection and the time.
pub(super) fn told(reading: &Reading<'_>) -> BTreeMap<Seat, (u64, usize, Micros)> {
    prizes_received(reading, &mut Finding::new(PROMISE))
}

/// The prize that each seat was sent.
pub(super) fn prizes_sent(reading: &Reading<'_>) -> BTreeMap<Seat, u64> {
    told(reading).into_iter().map(|(seat, (amount, ..))| (seat, amount)).collect()
}

/// Checks that every prize that was sent is the podium's, and that their sum is the amount paid.
fn prizes_are_the_podiums(reading: &Reading<'_>, prizes: &Prizes, podium: &Podium, finding: &mut Finding) {
    let listed: BTreeMap<Seat, u64> = podium.places.iter().map(|place| (place.seat, place.prize)).collect();
    for (&seat, &(amount, connection, at)) in prizes {
        let fits = match listed.get(&seat) {
            Some(&prize) => prize == amount,
            None => !all_winners_listed(podium) && amount <= podium.paid,
        };
        finding.check(fits, || {
            let what = format!("told of a prize of {amount}, the podium says {:?}", listed.get(&seat));
            Violation::new(what).seat(seat).connection(connection).at(at)
        });
    }
    let told: u128 = prizes.values().map(|&(amount, _, _)| u128::from(amount)).sum();
    let (winners, expected) = (prizes.len() as u64, paid_winners(reading, podium));
    let fits =
        if expected == Some(winners) { told == u128::from(podium.paid) } else { told <= u128::from(podium.paid) };
    finding.check(fits && expected.is_none_or(|expected| winners <= expected), || {
        let what = format!("{winners} players were told of {told} in all, {} are paid", podium.paid);
        Violation::new(what).frame(&ToPlayer::Podium(podium.clone()))
    });
}

/// Checks that winners are sent their prize between the podium and the end.
fn winners_are_told(reading: &Reading<'_>, prizes: &Prizes, podium: &Podium, finding: &mut Finding) {
    for place in podium.places.iter().filter(|place| place.prize > 0) {
        let to_the_end = reading.seats.get(&place.seat).into_iter().flatten().find_map(|&index| {
            let received = |event: fn(&ToPlayer) -> bool| {
                reading.walk(index).find(|(_, seen)| matches!(seen, Seen::Received(message) if event(message)))
            };
            received(|message| matches!(message, ToPlayer::Podium(_)))?;
            received(|message| matches!(message, ToPlayer::End(_))).map(|(at, _)| (index, at))
        });
        if let Some((index, at)) = to_the_end {
            finding.check(prizes.contains_key(&place.seat), || {
                reading.violation(index, format!("won {}, and was not told", place.prize)).at(at)
            });
        }
    }
}

/// Checks that while players are in play, only they are paid.
fn only_those_in_play_are_paid(reading: &Reading<'_>, prizes: &Prizes, podium: &Podium, finding: &mut Finding) {
    let journal = &reading.journal;
    let eliminates = journal.settings.as_ref().is_some_and(|settings| settings.mode.eliminates());
    if !eliminates || alive_at_the_end(reading).is_none_or(|alive| alive == 0) {
        return;
    }
    let listed = podium.places.iter().filter(|place| place.prize > 0).map(|place| place.seat);
    let paid: BTreeSet<Seat> = prizes.keys().copied().chain(listed).collect();
    for seat in paid {
        let Some((question, alive)) = last_result(reading, seat) else { continue };
        finding.check(alive, || Violation::new("is out, and is paid").seat(seat).question(question));
    }
}

/// The last question that counts and whose result the seat received, and whether the seat was in play after it.
fn last_result(reading: &Reading<'_>, seat: Seat) -> Option<(QuestionId, bool)> {
    let mut last: Option<(QuestionId, bool)> = None;
    for &index in reading.seats.get(&seat)? {
        for (_, seen) in reading.walk(index) {
            if let Seen::Received(ToPlayer::Result(result)) = seen
                && !reading.journal.voided(result.question)
                && last.is_none_or(|(question, _)| question <= result.question)
            {
                last = Some((result.question, result.alive));
            }
        }
    }
    last
}
