//! Rebuilds a show from its journal, and compares each step with what was recorded.

use klaxon_protocol::apart::{Person, unnamed};
use klaxon_protocol::error::Refusal;
use klaxon_protocol::ids::{Fence, ShowId};
use klaxon_protocol::journal::{Command, FrameError, Record, Records};
use klaxon_protocol::player::ToPlayer;
use klaxon_protocol::register::Register;
use klaxon_protocol::text::harmless;
use klaxon_protocol::time::Millis;

use crate::game::{Effect, Game, Games};

/// Why a show can't be rebuilt from a journal.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The bytes end in a torn record, or are damaged.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// Records are missing, or belong to different shows.
    #[error("record {found} of show {show} stands where record {wanted} of show {wanted_show} should")]
    Order {
        /// The number of the record found.
        found: u64,
        /// The show of the record found.
        show: ShowId,
        /// The number that should follow.
        wanted: u64,
        /// The show of the journal.
        wanted_show: ShowId,
    },
    /// The first record does not create the show.
    #[error("the first record does not create the show, so there is nothing to begin with")]
    NoCreate,
    /// A record is sealed, and was not opened.
    #[error("record {number} is sealed with key {key:016x}: open it with that key (seal-key-file)")]
    Sealed {
        /// The record's number.
        number: u64,
        /// The id of the key.
        key: u64,
    },
    /// A record was written under an older lease than the one before it.
    #[error("record {number} was written under lease {found}, after a record under lease {newest}")]
    Fenced {
        /// The record's number.
        number: u64,
        /// Its lease.
        found: Fence,
        /// The lease of the record before.
        newest: Fence,
    },
    /// A record is older than the one before it.
    #[error("record {number} is of {at}, after a record of {before}")]
    Backwards {
        /// The record's number.
        number: u64,
        /// Its time.
        at: Millis,
        /// The time of the record before.
        before: Millis,
    },
    /// The rules refuse a command that was recorded as applied.
    #[error("record {number} can't be done: {refusal}")]
    Refused {
        /// The record's number.
        number: u64,
        /// Why the rules refuse it.
        refusal: Refusal,
    },
    /// The command produces other events than were recorded.
    #[error("record {number} gives other events than were recorded")]
    Events {
        /// The record's number.
        number: u64,
    },
    /// The state after the command differs from the recorded one.
    #[error("after record {number} the state's hash is {found:016x}, recorded is {recorded:016x}")]
    State {
        /// The record's number.
        number: u64,
        /// The hash of the replayed state.
        found: u64,
        /// The hash in the journal.
        recorded: u64,
    },
}

/// A show that is being rebuilt.
pub struct Rebuilt {
    /// Its state so far.
    pub game: Box<dyn Game>,
    /// Which show.
    pub show: ShowId,
    /// How many records were applied.
    pub records: u64,
    /// The last record's lease.
    pub fence: Fence,
    /// The last record's time.
    pub at: Millis,
    /// The effects of the last record.
    pub effects: Vec<Effect>,
}

impl Rebuilt {
    /// Begins with the record that creates the show.
    ///
    /// # Errors
    /// If it creates no show, or its replay differs from what was recorded.
    pub fn begin(games: &Games, record: &Record) -> Result<Self, ReplayError> {
        check_open(record)?;
        let begun = record.command.begun().ok_or(ReplayError::NoCreate)?;
        let game =
            games.begin(record.at, begun).map_err(|refusal| ReplayError::Refused { number: record.number, refusal })?;
        let effects = Vec::new();
        let rebuilt = Self { game, show: record.show, records: 0, fence: record.fence, at: record.at, effects };
        rebuilt.check_next(record)?;
        rebuilt.agreeing(record)
    }

    /// Applies the next record.
    ///
    /// # Errors
    /// If it is not the next record, or its replay differs from what was recorded.
    pub fn step(mut self, record: &Record) -> Result<Self, ReplayError> {
        self.check_next(record)?;
        check_open(record)?;
        self.effects = self
            .game
            .apply(record.at, &record.command)
            .map_err(|refusal| ReplayError::Refused { number: record.number, refusal })?;
        self.agreeing(record)
    }

    /// # Errors
    /// If the record can't be the next one.
    fn check_next(&self, record: &Record) -> Result<(), ReplayError> {
        let number = record.number;
        if (number, record.show) != (self.records, self.show) {
            let (wanted, wanted_show) = (self.records, self.show);
            return Err(ReplayError::Order { found: number, show: record.show, wanted, wanted_show });
        }
        if record.fence < self.fence {
            return Err(ReplayError::Fenced { number, found: record.fence, newest: self.fence });
        }
        if record.at < self.at {
            return Err(ReplayError::Backwards { number, at: record.at, before: self.at });
        }
        Ok(())
    }

    /// Returns the show if its state and events match the record.
    fn agreeing(self, record: &Record) -> Result<Self, ReplayError> {
        let number = record.number;
        if recorded_events(&*self.game, &self.effects) != record.events {
            return Err(ReplayError::Events { number });
        }
        let found = self.game.state_hash();
        if found != record.state {
            return Err(ReplayError::State { number, found, recorded: record.state });
        }
        Ok(Self { records: self.records + 1, fence: record.fence, at: record.at, ..self })
    }
}

fn check_open(record: &Record) -> Result<(), ReplayError> {
    match &record.command {
        Command::Sealed { sealed, .. } => Err(ReplayError::Sealed { number: record.number, key: sealed.key }),
        _ => Ok(()),
    }
}

/// The events among these effects, which all players get, as the game's journal has them: without names, if these stand apart.
#[must_use]
pub fn recorded_events(game: &dyn Game, effects: &[Effect]) -> Vec<ToPlayer> {
    let events = effects.iter().filter_map(|effect| match effect {
        Effect::Tell(message, _) => Some(message.clone()),
        Effect::TellSome(_) | Effect::Dismiss(..) | Effect::Alert(_) => None,
    });
    if game.people().are_apart() { events.map(ToPlayer::without_names).collect() } else { events.collect() }
}

/// Replays the bytes of a journal, with nothing of what stands apart from it. `seen` is called with each record that gives what was recorded.
///
/// # Errors
/// At the first record that is torn, damaged, or whose replay differs from what was recorded.
pub fn replay(games: &Games, bytes: &[u8], seen: impl FnMut(&Record, &Rebuilt)) -> Result<Rebuilt, ReplayError> {
    replay_with(games, bytes, Register::default(), seen)
}

/// Replays the bytes of a journal and what stands apart from it.
///
/// # Errors
/// As [`replay`]. What stands apart makes no difference to it.
pub fn replay_with(
    games: &Games,
    bytes: &[u8],
    mut people: Register,
    mut seen: impl FnMut(&Record, &Rebuilt),
) -> Result<Rebuilt, ReplayError> {
    let mut rebuilt: Option<Rebuilt> = None;
    for item in Records::new(bytes)? {
        let (_, mut record) = item?;
        people.fill(&mut record);
        let next = match rebuilt.take() {
            None => Rebuilt::begin(games, &record)?,
            Some(before) => before.step(&record)?,
        };
        seen(&record, &next);
        rebuilt = Some(next);
    }
    rebuilt.ok_or(ReplayError::NoCreate)
}

/// A record in one line, for people. Ids, names and texts of others are escaped, so the line can't control a terminal.
#[must_use]
pub fn line(record: &Record) -> String {
    harmless(raw_line(record))
}

fn raw_line(record: &Record) -> String {
    let what = match &record.command {
        Command::Create(create) | Command::Begin { show: create, .. } => {
            format!(
                "create {:?} with {} questions, code {}",
                create.pack.title,
                create.pack.questions.len(),
                create.code
            )
        }
        Command::Join { player, name, .. } => format!("join {:?} ({player})", name.as_str()),
        Command::Answers { question, answers } => format!("{} answers to question {question}", answers.len()),
        Command::Host { id, action } => format!("host {} ({id})", json(action)),
        Command::Tick => "tick".to_owned(),
        Command::Tally { round, silent } if silent.is_empty() => format!("tally of round {round}"),
        Command::Tally { round, silent } => {
            let silent: Vec<String> = silent.iter().map(ToString::to_string).collect();
            format!("tally of round {round} without gateways {}", silent.join(", "))
        }
        Command::Recovered { away } => format!("recovered after {away}"),
        Command::Outage { round, late } => format!("outage in round {round}, {late} late"),
        Command::Claims { round, claims } => format!("{} claims in round {round}", claims.len()),
        Command::BeginGame { show, .. } => {
            format!("create {:?}, a game of {}, code {}", show.title, show.game, show.code)
        }
        Command::Sealed { sealed, .. } => format!("sealed with key {:016x}", sealed.key),
        Command::Reissue { seat } => format!("earlier resume tokens of seat {seat} are refused"),
        Command::Reseat { seat, player, name } => format!("seat {seat} is given to {:?} ({player})", name.as_str()),
        Command::Sit { seat, guest, who } => match who.get() {
            Some(Person { player, name }) => format!("seat {seat} is taken by {:?} ({player})", name.as_str()),
            None => {
                let kind = if *guest { "a guest" } else { "a player" };
                format!("seat {seat} is taken by {kind} who is not named here: {:?}", unnamed(*seat).as_str())
            }
        },
        // The hash of an address is of no use to people, and is left out.
        Command::SeatOrigin { seat, .. } | Command::SeatHasOrigin { seat, .. } => {
            format!("the address of seat {seat} is noted")
        }
    };
    let events: Vec<String> = record.events.iter().map(event).collect();
    let arrow = if events.is_empty() { "" } else { " -> " };
    format!("{:>6} {} {:016x} {what}{arrow}{}", record.number, record.at, record.state, events.join(", "))
}

fn event(event: &ToPlayer) -> String {
    match event {
        ToPlayer::Opened(_) => "lobby opened".to_owned(),
        ToPlayer::Question(question) => format!("question {}: {:?}", question.question, question.text),
        ToPlayer::Clock(clock) => format!("clock of question {} to {}", clock.question, clock.closes_at),
        ToPlayer::Close(close) => format!("close {}", close.question),
        ToPlayer::Reveal(reveal) => {
            format!(
                "reveal {}: right {}, counts {:?}, alive {}",
                reveal.question, reveal.right, reveal.counts, reveal.alive
            )
        }
        ToPlayer::Standings(standings) => format!("standings of {}", standings.leaders.len()),
        ToPlayer::Podium(podium) => {
            format!("podium: {} winners, {} of {} {} paid", podium.winners, podium.paid, podium.pot, podium.currency)
        }
        ToPlayer::Pause(_) => "pause".to_owned(),
        ToPlayer::Resume(_) => "resume".to_owned(),
        ToPlayer::Void(void) => format!("void {}: {:?}", void.question, void.reason),
        ToPlayer::Notice(notice) => format!("notice {:?}", notice.text),
        ToPlayer::End(_) => "end".to_owned(),
        other => json(other),
    }
}

/// As JSON.
fn json(message: &impl serde::Serialize) -> String {
    serde_json::to_string(message).expect("a message holds nothing that JSON does not have")
}

#[cfg(test)]
mod tests {
    use klaxon_protocol::games::trivia::{QuestionId, Void};
    use klaxon_protocol::host::Action;
    use klaxon_protocol::ids::{CommandId, Name, PlayerId, Seq};
    use klaxon_protocol::player::{Notice, Role};

    use super::*;

    /// Journals of before hold such texts, and whoever writes to a topic can put them there.
    const HOSTILE: &str = "a\u{1b}]0;x\u{7}\r\nb\u{9b}2J\u{7f}\u{202e}c\u{2028}\u{200b}";

    #[test]
    fn a_line_of_a_hostile_journal_acts_on_no_terminal() {
        let id = || CommandId::parse(HOSTILE).unwrap();
        let (text, reason) = (HOSTILE.to_owned(), HOSTILE.to_owned());
        let commands = [
            Command::Join {
                player: PlayerId::parse(HOSTILE).unwrap(),
                name: serde_json::from_value::<Name>("Ann\u{ad}\u{61c}\u{200b}".into()).unwrap(),
                role: Role::Player,
            },
            Command::Host { id: id(), action: Action::Message { text: text.clone() } },
            Command::Host { id: id(), action: Action::Void { reason: reason.clone() } },
        ];
        let (seq, at) = (Seq(1), Millis(0));
        for command in commands {
            let events = vec![
                ToPlayer::Notice(Notice { seq, at, text: text.clone() }),
                ToPlayer::Void(Void { seq, at, question: QuestionId(1), reason: reason.clone(), alive: 0 }),
            ];
            let record = Record { show: ShowId(1), number: 0, fence: Fence(1), at, command, events, state: 0 };
            let line = line(&record);
            let acts =
                |c: char| c.is_control() || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{202e}' | '\u{2028}');
            assert_eq!(line.chars().find(|&c| acts(c)), None, "{line:?}");
            assert!(line.contains("]0;x"), "{line:?}");
        }
    }
}
