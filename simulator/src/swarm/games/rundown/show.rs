//! The rundowns that the swarm plays.

use std::time::Duration;

use klaxon_protocol::games::rundown::Script;
use klaxon_protocol::games::trivia::Pack;
use klaxon_protocol::player::Body;
use serde_json::{Value, json};

use super::host::Skip;
use crate::swarm::games::{Game, ShowName, bingo, quiz};

/// The least time for which a ball can be called, or a question is open, in ms.
const LEAST: u64 = 500;

/// What all parts of a rundown have in common.
#[derive(Debug, Clone)]
pub struct CommonSettings {
    /// How long a question is open, or a ball can be called.
    pub open_for: Duration,
    /// From the event that begins a round until its claims count.
    pub lead: Duration,
    /// The extra lives with which players begin.
    pub lives: u8,
    /// The script, which can run the show in place of the host.
    pub script: Script,
}

const fn millis(time: Duration) -> u64 {
    let millis = time.as_millis();
    if millis > u64::MAX as u128 { u64::MAX } else { millis as u64 }
}

/// A show for this many seats. Its host asks the questions of `pack`, if the show has a part for it. None for trivia, which is
/// no rundown.
#[must_use]
pub fn show(which: ShowName, pack: &Pack, seats: u32, common: &CommonSettings) -> Option<Game> {
    let open_for = millis(common.open_for);
    let rest = |text: &str| json!({ "part": "break", "text": text, "for": 1_000 });
    // Of bingo a third of the balls are drawn at least, before the last prize is won.
    let mut skip = None;
    let (title, parts, rounds, sure) = match which {
        ShowName::Trivia => return None,
        ShowName::Bingo75 => ("Bingo with 75 balls", vec![bingo::bingo75(open_for)], 75, 25),
        ShowName::Bingo90 => ("Bingo with 90 balls", vec![bingo::bingo90(open_for)], 90, 30),
        ShowName::Kinds => {
            let open_for = open_for.max(LEAST);
            let (kinds, survival) = (quiz::kinds(open_for), quiz::survival(open_for));
            let last_chance = quiz::last_chance(open_for);
            let sure = quiz::rounds(&kinds);
            let rounds = sure + quiz::rounds(&survival) + quiz::rounds(&last_chance);
            skip = Some(Skip { part: 3, number: 3 });
            let parts = vec![kinds, rest("Now it is about staying in."), survival, last_chance];
            ("Questions of all kinds", parts, rounds, sure)
        }
        ShowName::Evening => {
            let trivia = quiz::of_pack(pack, open_for);
            let tambola = bingo::tambola((open_for / 2).max(LEAST));
            let buzzers = quiz::buzzers(open_for);
            let sure = quiz::rounds(&trivia);
            let rounds = sure + 90 + quiz::rounds(&buzzers);
            ("An evening", vec![trivia, rest("Get your tickets ready."), tambola, rest("Tea!"), buzzers], rounds, sure)
        }
    };
    let setup: Value = json!({ "parts": parts, "lead": millis(common.lead), "script": common.script, "lives": common.lives, "currency": "EUR" });
    Some(Game::Rundown { title: title.to_owned(), setup: Body::of(&setup), rounds, sure, seats, skip })
}

#[cfg(test)]
mod tests {
    use klaxon_protocol::games::rundown::Setup;

    use super::*;
    use crate::swarm::games::trivia::arithmetic;

    #[test]
    fn a_server_takes_each_show() {
        let common = CommonSettings {
            open_for: Duration::from_secs(1),
            lead: Duration::from_millis(100),
            lives: 1,
            script: Script::default(),
        };
        for which in [ShowName::Bingo75, ShowName::Bingo90, ShowName::Kinds, ShowName::Evening] {
            let Some(Game::Rundown { setup, rounds, sure, .. }) = show(which, &arithmetic(7, 5), 100, &common) else {
                panic!("{which:?} is a rundown")
            };
            let setup: Setup = setup.read_known().unwrap();
            assert_eq!(setup.problems(), Vec::<String>::new(), "{which:?}");
            assert!((1..=rounds).contains(&sure), "{which:?}");
        }
        assert!(show(ShowName::Trivia, &arithmetic(7, 5), 100, &common).is_none());
    }
}
