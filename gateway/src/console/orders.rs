//! What a host types, as words: one order a line.

use klaxon_protocol::games::quiz::Judgement;
use klaxon_protocol::games::rundown::GivePoints;
use klaxon_protocol::host::Action;
use klaxon_protocol::ids::Seat;
use klaxon_protocol::player::{Body, Phase};
use serde_json::json;

use crate::config::number;

/// What can be typed, for people.
pub const HELP: &[&str] = &[
    "open                  players may join",
    "next                  ask the next question",
    "close                 close the question before its time",
    "reveal                show the right choice",
    "void REASON           the last question does not count",
    "adjust MS             give the question that is not yet open more or less time (-2000)",
    "pause, resume         stop the clock, let it run",
    "message TEXT          say something to everybody",
    "find TEXT             who is called like this?",
    "journal COUNT         the last records of the show's journal",
    "lives COUNT [SEAT]    give lives to one or to all in play",
    "remove SEAT, ban SEAT take a player out",
    "ban SEAT address      and give nobody new a seat from there; with `shared` also if others come from there",
    "unban addresses       give new players seats again from wherever they come",
    "restore SEAT          undo a remove or ban",
    "seats COUNT           let more players in",
    "lock, unlock           take no new players, or take them again",
    "reissue SEAT          refuse a player's resume tokens and show a new one",
    "autopilot on|off      let the script run the show",
    "skip                  in a running order: end the part, whatever is left of it",
    "points SEAT COUNT     give a seat points, or take them (points 7 -50)",
    "judge right|wrong     whether the player who has the floor was right",
    "hide WORD             take a word out of the word cloud",
    "near                  in bingo: how many tickets are near to which prize",
    "card SEAT             a player's tickets, and what is drawn on them",
    "close dealing         deal no more tickets, before the first ball",
    "public VALUE          the public value, once the dealing is closed",
    "play JSON             any other action of a game, as its page has it (play {\"skip\":true})",
    "end, end unpaid       end the show now, with or without prizes",
    "wait PHASE            read on at: created, lobby, question, closing, closed, revealed, ended",
    "quit                  leave; the show goes on",
];

/// What one line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Do this in the show.
    Do(Action),
    /// Who is called like this?
    Find(String),
    /// The journal's last records.
    Journal(u16),
    /// Read no further line before the show is in this phase or over.
    Wait(Phase),
    /// Say who is near to a prize of bingo.
    Near,
    /// Say what can be typed.
    Help,
    /// Leave.
    Quit,
}

/// The order in a line; none in an empty line or a comment.
///
/// # Errors
/// What can't be understood, for people.
pub fn parse(line: &str) -> Result<Option<Order>, String> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    let text = |what: &str| if rest.is_empty() { Err(format!("{word} needs {what}")) } else { Ok(rest.to_owned()) };
    let seat = |text: &str| number(text, 0..=u32::MAX).map(Seat).map_err(|problem| format!("the seat {problem}"));
    let bare = |order: Order| {
        if rest.is_empty() { Ok(order) } else { Err(format!("{word} stands alone, without {rest:?}")) }
    };
    let order = match word {
        "open" => bare(Order::Do(Action::OpenLobby))?,
        "next" => bare(Order::Do(Action::Next))?,
        "close" => match rest {
            "" => Order::Do(Action::Close),
            "dealing" => play(&json!({ "close_dealing": true })),
            _ => return Err("it is `close`, for the open round, or `close dealing`".into()),
        },
        "reveal" => bare(Order::Do(Action::Reveal))?,
        "pause" => bare(Order::Do(Action::Pause))?,
        "resume" => bare(Order::Do(Action::Resume))?,
        "skip" => bare(play(&json!({ "skip": true })))?,
        "points" => {
            let (whose, count) =
                rest.split_once(char::is_whitespace).ok_or("points needs a seat and how many: `points 7 -50`")?;
            let most = 1_000_000_000;
            let by = number(count.trim().trim_start_matches('+'), -most..=most)
                .map_err(|problem| format!("the points {problem}"))?;
            play(&json!({ "points": GivePoints { seat: seat(whose)?, by } }))
        }
        "judge" => {
            let words = [("right", Judgement::Right), ("wrong", Judgement::Wrong)];
            let judge = crate::config::one_of(rest, &words).map_err(|problem| format!("the judgement {problem}"))?;
            play(&json!({ "judge": judge }))
        }
        "hide" => play(&json!({ "hide": text("the word, as it is shown")? })),
        "near" => bare(Order::Near)?,
        "card" => play(&json!({ "card": seat(rest)? })),
        "public" => play(&json!({ "public_value": text("the value, exactly as its source has it")? })),
        "play" => match serde_json::from_str(&text("what to do, such as `play {\"skip\":true}`")?) {
            Ok(body) => Order::Do(Action::Play { body: Body(body) }),
            Err(error) => return Err(format!("after play comes a JSON object, such as {{\"skip\":true}}: {error}")),
        },
        "help" => bare(Order::Help)?,
        "quit" => bare(Order::Quit)?,
        "void" => Order::Do(Action::Void { reason: text("a reason, for everybody")? }),
        "message" => Order::Do(Action::Message { text: text("a text")? }),
        "find" => Order::Find(text("a part of the name")?),
        "journal" => Order::Journal(number(rest, 1..=1000).map_err(|problem| format!("the records {problem}"))?),
        "adjust" => {
            let by = number(rest.trim_start_matches('+'), -600_000..=600_000)
                .map_err(|problem| format!("the milliseconds {problem}"))?;
            Order::Do(Action::AdjustTime { by })
        }
        "lives" => {
            let (count, whose) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            let lives = number(count, 1..=99).map_err(|problem| format!("the lives {problem}"))?;
            let seat = if whose.is_empty() { None } else { Some(seat(whose.trim())?) };
            Order::Do(Action::GiveLives { seat, lives })
        }
        "remove" => Order::Do(Action::Remove { seat: seat(rest)?, ban: false }),
        "restore" => Order::Do(Action::Restore { seat: seat(rest)? }),
        "seats" => {
            let seats = number(rest, 1..=10_000_000).map_err(|problem| format!("the seats {problem}"))?;
            Order::Do(Action::SetSeats { seats })
        }
        "lock" => bare(Order::Do(Action::LockLobby { on: true }))?,
        "unlock" => bare(Order::Do(Action::LockLobby { on: false }))?,
        "ban" => {
            let (whose, what) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            let seat = seat(whose)?;
            Order::Do(match what.split_whitespace().collect::<Vec<_>>()[..] {
                [] => Action::Remove { seat, ban: true },
                ["address"] => Action::BanAddress { seat, shared: false },
                ["address", "shared"] => Action::BanAddress { seat, shared: true },
                _ => return Err("it is `ban SEAT`, `ban SEAT address` or `ban SEAT address shared`".into()),
            })
        }
        "unban" => match rest {
            "addresses" => Order::Do(Action::LiftAddressBans),
            _ => return Err("it is `unban addresses`: all of them".into()),
        },
        "reissue" => Order::Do(Action::ReissueToken { seat: seat(rest)? }),
        "autopilot" => match rest {
            "on" => Order::Do(Action::Autopilot { on: true }),
            "off" => Order::Do(Action::Autopilot { on: false }),
            _ => return Err("autopilot is `on` or `off`".into()),
        },
        "end" => match rest {
            "" => Order::Do(Action::End { pay: true }),
            "unpaid" => Order::Do(Action::End { pay: false }),
            _ => return Err("it is `end` or `end unpaid`".into()),
        },
        "wait" => Order::Wait(phase(rest)?),
        _ => return Err(format!("{word:?} is no order; `help` says what is")),
    };
    Ok(Some(order))
}

/// An action of a game.
fn play(body: &impl serde::Serialize) -> Order {
    Order::Do(Action::Play { body: Body::of(body) })
}

/// All phases with what they are called in orders and on the screen.
pub const PHASES: &[(&str, Phase)] = &[
    ("created", Phase::Created),
    ("lobby", Phase::Lobby),
    ("question", Phase::Question),
    ("closing", Phase::Closing),
    ("closed", Phase::Closed),
    ("revealed", Phase::Revealed),
    ("ended", Phase::Ended),
];

fn phase(text: &str) -> Result<Phase, String> {
    crate::config::one_of(text, PHASES).map_err(|problem| format!("the phase {problem}"))
}

/// What a phase is called.
#[must_use]
pub fn phase_name(phase: Phase) -> &'static str {
    PHASES.iter().find(|(_, known)| *known == phase).map_or("", |(name, _)| name)
}

/// What an action is called when its outcome is shown.
#[must_use]
pub fn action_name(action: &Action) -> &'static str {
    match action {
        Action::OpenLobby => "open",
        Action::Next => "next",
        Action::Close => "close",
        Action::Reveal => "reveal",
        Action::Void { .. } => "void",
        Action::AdjustTime { .. } => "adjust",
        Action::Pause => "pause",
        Action::Resume => "resume",
        Action::Message { .. } => "message",
        Action::Remove { ban: false, .. } => "remove",
        Action::Remove { ban: true, .. } => "ban",
        Action::GiveLives { .. } => "lives",
        Action::End { .. } => "end",
        Action::Autopilot { .. } => "autopilot",
        Action::ReissueToken { .. } => "reissue",
        Action::SetSeats { .. } => "seats",
        Action::LockLobby { on: true } => "lock",
        Action::LockLobby { on: false } => "unlock",
        Action::Restore { .. } => "restore",
        Action::BanAddress { .. } => "ban address",
        Action::LiftAddressBans => "unban",
        Action::Play { body } => {
            let order = PLAYS.iter().find(|(field, _)| body.0.contains_key(*field));
            order.map_or("play", |(_, order)| order)
        }
    }
}

/// The orders for actions of games, by the fields of their bodies.
const PLAYS: [(&str, &str); 7] = [
    ("skip", "skip"),
    ("points", "points"),
    ("judge", "judge"),
    ("hide", "hide"),
    ("card", "card"),
    ("close_dealing", "close dealing"),
    ("public_value", "public"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn action(line: &str) -> Action {
        match parse(line) {
            Ok(Some(Order::Do(action))) => action,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn a_line_is_an_order() {
        assert_eq!(action(" next "), Action::Next);
        assert_eq!(action("void the map was wrong"), Action::Void { reason: "the map was wrong".into() });
        assert_eq!(action("lives 2"), Action::GiveLives { seat: None, lives: 2 });
        assert_eq!(action("lives 2 17"), Action::GiveLives { seat: Some(Seat(17)), lives: 2 });
        assert_eq!(action("ban 17"), Action::Remove { seat: Seat(17), ban: true });
        assert_eq!(action("ban 17  address"), Action::BanAddress { seat: Seat(17), shared: false });
        assert_eq!(action("ban 17 address shared"), Action::BanAddress { seat: Seat(17), shared: true });
        assert_eq!(action("unban addresses"), Action::LiftAddressBans);
        assert_eq!(action("adjust -500"), Action::AdjustTime { by: -500 });
        assert_eq!(action("adjust +500"), Action::AdjustTime { by: 500 });
        assert_eq!(action("end unpaid"), Action::End { pay: false });
        let play = |body| Action::Play { body: Body::of(&body) };
        assert_eq!(action("skip"), play(json!({ "skip": true })));
        assert_eq!(action("points 7 -50"), play(json!({ "points": { "seat": 7, "by": -50 } })));
        assert_eq!(action("points 7 +50"), play(json!({ "points": { "seat": 7, "by": 50 } })));
        assert_eq!(action("judge right"), play(json!({ "judge": "right" })));
        assert_eq!(action("hide bad word"), play(json!({ "hide": "bad word" })));
        assert_eq!(action("card 7"), play(json!({ "card": 7 })));
        assert_eq!(action("public 24,123.45"), play(json!({ "public_value": "24,123.45" })));
        assert_eq!(action("close dealing"), play(json!({ "close_dealing": true })));
        assert_eq!(action("close"), Action::Close);
        assert_eq!(action("play {\"skip\": true}"), play(json!({ "skip": true })));
        assert_eq!(parse("near"), Ok(Some(Order::Near)));
        for line in ["skip", "points 7 5", "judge wrong", "hide word", "card 7", "close dealing", "public 5", "play {}"]
        {
            assert!(line.starts_with(action_name(&action(line))), "{line}");
        }
        assert_eq!(parse("wait closed"), Ok(Some(Order::Wait(Phase::Closed))));
        assert_eq!(parse("journal 20"), Ok(Some(Order::Journal(20))));
        assert_eq!(parse("# a comment"), Ok(None));
        assert_eq!(parse(""), Ok(None));
    }

    #[test]
    fn what_is_no_order_is_refused_with_the_reason() {
        for (line, message) in [
            ("nxet", "help"),
            ("next 3", "stands alone"),
            ("void", "needs a reason"),
            ("lives many", "from 1 to 99"),
            ("remove", "the seat must be"),
            ("ban address", "the seat must be"),
            ("ban 17 adress", "`ban SEAT address`"),
            ("ban 17 shared", "`ban SEAT address`"),
            ("ban 17 address shared now", "`ban SEAT address`"),
            ("unban 17", "`unban addresses`"),
            ("autopilot", "`on` or `off`"),
            ("wait forever", "`lobby`"),
            ("close bingo", "`close dealing`"),
            ("points 7", "`points 7 -50`"),
            ("points 7 many", "from -1000000000 to 1000000000"),
            ("points all 5", "the seat must be"),
            ("judge maybe", "`right` or `wrong`"),
            ("hide", "needs the word"),
            ("card", "the seat must be"),
            ("public", "exactly as its source"),
            ("play skip", "{\"skip\":true}"),
            ("play [1]", "{\"skip\":true}"),
        ] {
            let problem = parse(line).unwrap_err();
            assert!(problem.contains(message), "{line}: {problem}");
        }
    }

    #[test]
    fn all_that_help_names_is_understood() {
        for line in HELP {
            let word = line.split([' ', ',']).next().unwrap();
            assert!(!parse(word).is_err_and(|problem| problem.contains("is no order")), "{word}");
        }
    }
}
