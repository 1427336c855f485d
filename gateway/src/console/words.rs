//! What happens in a show, as sentences for its host.

use klaxon_protocol::games::trivia::{Choice, Reveal};
use klaxon_protocol::host::AlertKind;
use klaxon_protocol::money::money;
use klaxon_protocol::player::{Podium, ToPlayer};

use super::running;

/// An event for its host; none if it is no news for one who sees the figures.
#[must_use]
pub fn event(event: &ToPlayer) -> Option<String> {
    Some(match event {
        ToPlayer::Opened(_) => "the lobby is open".into(),
        ToPlayer::Question(question) => {
            let choices: Vec<String> = (0..).zip(&question.choices).map(|(at, text)| choice(at, text)).collect();
            format!("question {} of {}: {} {}", question.question, question.total, question.text, choices.join(" "))
        }
        ToPlayer::Clock(clock) => {
            format!(
                "question {} has a new clock: it is open for {}",
                clock.question,
                clock.closes_at.since(clock.opens_at)
            )
        }
        ToPlayer::Close(close) => format!("question {}: time is up", close.question),
        ToPlayer::Reveal(reveal) => revealed(reveal),
        ToPlayer::Standings(standings) => {
            let leaders: Vec<String> =
                standings.leaders.iter().take(3).map(|leader| format!("{} {}", leader.name, leader.score)).collect();
            if leaders.is_empty() {
                return None;
            }
            format!("in the lead: {}", leaders.join(", "))
        }
        ToPlayer::Podium(podium) => won(podium),
        ToPlayer::Pause(_) => "the clock stands still".into(),
        ToPlayer::Resume(_) => "the clock runs again".into(),
        ToPlayer::Void(void) => {
            format!("question {} does not count: {}; {} in play", void.question, void.reason, void.alive)
        }
        ToPlayer::Notice(notice) => format!("to everybody: {}", notice.text),
        ToPlayer::End(_) => "the show is over".into(),
        // The game's own, if this console does not know what it means.
        ToPlayer::GameEvent(event) => event.body.to_string(),
        ToPlayer::Welcome(_)
        | ToPlayer::Snapshot(_)
        | ToPlayer::You(_)
        | ToPlayer::Lobby(_)
        | ToPlayer::AnswerReply(_)
        | ToPlayer::Result(_)
        | ToPlayer::Prize(_)
        | ToPlayer::Reactions(_)
        | ToPlayer::Pong(_)
        | ToPlayer::Error(_)
        | ToPlayer::Goodbye(_)
        | ToPlayer::Paused(_)
        | ToPlayer::ClaimReply(_)
        | ToPlayer::GameOwn(_)
        | ToPlayer::GameSnapshot(_) => return None,
    })
}

fn choice(at: u8, text: &str) -> String {
    format!("{}) {text}", Choice(at).letter())
}

fn revealed(reveal: &Reveal) -> String {
    let right = reveal.counts.get(reveal.right.index()).copied().unwrap_or_default();
    let answers: u64 = reveal.counts.iter().copied().map(u64::from).sum();
    format!(
        "question {}: {} is right, {right} of {answers} answers; {} silent, {} in play",
        reveal.question,
        reveal.right.letter(),
        reveal.silent,
        reveal.alive
    )
}

fn won(podium: &Podium) -> String {
    let mut sentence = match podium.winners {
        0 => "nobody won".to_owned(),
        1 => "1 winner".to_owned(),
        winners => format!("{winners} winners"),
    };
    let first: Vec<String> = podium
        .places
        .iter()
        .take(3)
        .map(|place| match place.prize {
            0 => place.name.to_string(),
            prize => format!("{} {}", place.name, money(prize, &podium.currency)),
        })
        .collect();
    if !first.is_empty() {
        sentence = format!("{sentence}: {}{}", first.join(", "), if podium.winners > 3 { ", ..." } else { "" });
    }
    if podium.rolled_over > 0 {
        sentence = format!("{sentence}; {} rolls over", money(podium.rolled_over, &podium.currency));
    }
    sentence
}

/// An alert for the host.
#[must_use]
pub fn alert(alert: &AlertKind) -> String {
    match alert {
        AlertKind::SilentGateways { question, gateways } => {
            let names: Vec<String> = gateways.iter().map(ToString::to_string).collect();
            format!("question {question}: no word from gateway {}; answers may be missing", names.join(", "))
        }
        AlertKind::Recovered { away, closes_at } => {
            let extended = if closes_at.is_some() { "; the open question got its time back" } else { "" };
            format!("the engine was away for {away}{extended}")
        }
        AlertKind::JournalFailing { problem } => format!("the journal can't be written: {problem}"),
        AlertKind::JournalBack => "the journal can be written again".into(),
        AlertKind::Outage { question, late } => {
            format!("question {question} is void: its answers could be counted only {late} after its close")
        }
        AlertKind::UncertainClocks { gateways } => {
            let each = gateways.iter().map(|clock| format!("{} (±{} µs)", clock.gateway, clock.uncertainty));
            format!("clocks of gateways may be wrong: {}", each.collect::<Vec<_>>().join(", "))
        }
        AlertKind::GuestBanned { seat } => format!(
            "the ban of seat {seat} is a guest's, who is another one after clearing the page's storage; `ban {seat} address` bans where they come from"
        ),
        AlertKind::AddressBansRefuse { joins: 1 } => "a new player got no seat, for their address is banned".into(),
        AlertKind::AddressBansRefuse { joins } => format!(
            "{joins} new players got no seat, for their address is banned; if it is a school's or a proxy's, `unban addresses` lets them in"
        ),
        AlertKind::Game { body } => running::alert(body),
    }
}

#[cfg(test)]
mod tests {
    use klaxon_protocol::games::trivia::QuestionId;
    use klaxon_protocol::ids::{Name, Seat, Seq};
    use klaxon_protocol::player::Place;
    use klaxon_protocol::time::Millis;

    use super::*;

    #[test]
    fn a_reveal_tells_how_many_knew() {
        let reveal = Reveal {
            seq: Seq(1),
            at: Millis(0),
            question: QuestionId(3),
            right: Choice(1),
            counts: vec![10, 30],
            silent: 2,
            alive: 30,
        };
        assert_eq!(revealed(&reveal), "question 3: B is right, 30 of 40 answers; 2 silent, 30 in play");
    }

    #[test]
    fn a_podium_tells_who_won_what() {
        let place = |place, name: &str, prize| Place {
            place,
            seat: Seat(place),
            name: Name::parse(name).unwrap(),
            score: 0,
            prize,
        };
        let mut podium = Podium {
            seq: Seq(1),
            at: Millis(0),
            winners: 2,
            places: vec![place(1, "Ann", 5005), place(2, "Bob", 5000)],
            pot: 10_005,
            paid: 10_005,
            rolled_over: 0,
            currency: "EUR".into(),
        };
        assert_eq!(won(&podium), "2 winners: Ann 50.05 EUR, Bob 50.00 EUR");
        podium = Podium { winners: 0, places: Vec::new(), paid: 0, rolled_over: 10_005, ..podium };
        assert_eq!(won(&podium), "nobody won; 100.05 EUR rolls over");
    }
}
