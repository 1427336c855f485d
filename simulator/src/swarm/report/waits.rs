//! The faults, and how long honest players waited because of them.

use std::collections::BTreeMap;
use std::time::Duration;

use klaxon_protocol::games::rundown::Overview;
use klaxon_protocol::ids::{ClaimKey, RoundId};
use klaxon_protocol::player::{FromPlayer, ToPlayer};
use klaxon_protocol::time::Millis;
use serde::Serialize;

use crate::evidence::{Disturbance, Evidence, Micros, PlayerNumber};
use crate::messages::{Messages, RoundNews, Seen, time_of};
use crate::swarm::players::saying::Saying;

/// Events that began up to this long after the process worked again still count as delayed by the fault: other
/// processes were catching up.
const AFTERMATH: Duration = Duration::from_secs(3);

/// A fault, and its effect on honest players.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FaultLine {
    /// The question in which it happened.
    pub question: u16,
    /// The process, such as `engine-2`.
    pub process: String,
    /// The kind of the fault: `killed`, `stopped` or `upgraded`.
    pub what: &'static str,
    /// When it happened, in seconds since the first player connected.
    pub at: f64,
    /// How long the process was unavailable, in milliseconds.
    pub away_ms: f64,
    /// For players whose connection it closed: the time until they were welcomed again.
    pub back: Wait,
    /// For players who were waiting for a reply: the time until the answer's reply, over all their connections.
    pub reply: Wait,
    /// For players who received events then: the delay of the most delayed one. A close is delayed from when the time
    /// was up.
    pub event: Wait,
}

impl FaultLine {
    /// A description for people.
    #[must_use]
    pub fn what(&self) -> String {
        format!("{} {}", self.process, self.what)
    }
}

/// The distribution of waits, in milliseconds; each player counts with the longest wait.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Wait {
    /// The number of players who waited.
    pub players: u32,
    /// The median.
    pub p50_ms: f64,
    /// The 99th percentile.
    pub p99_ms: f64,
    /// The maximum.
    pub max_ms: f64,
}

impl Wait {
    fn of(longest: impl Iterator<Item = u64>) -> Self {
        let mut longest: Vec<u64> = longest.collect();
        longest.sort_unstable();
        let Some(&max) = longest.last() else { return Self::default() };
        let at = |part: f64| {
            let place = (longest.len() as f64 * part).ceil() as usize;
            longest[place.clamp(1, longest.len()) - 1] as f64 / 1000.0
        };
        Self {
            players: u32::try_from(longest.len()).unwrap_or(u32::MAX),
            p50_ms: at(0.5),
            p99_ms: at(0.99),
            max_ms: max as f64 / 1000.0,
        }
    }
}

/// The beginning and the end of a wait.
#[derive(Debug, Clone, Copy)]
struct Waited {
    from: Micros,
    to: Micros,
}

impl Waited {
    const fn micros(self) -> u64 {
        self.to.0.saturating_sub(self.from.0)
    }

    fn touches(self, from: Micros, until: Micros) -> bool {
        self.from <= until && self.to >= from
    }
}

/// The waits of one honest player.
#[derive(Debug, Default)]
struct PersonWaits {
    /// When each claim was first sent, and when its first reply was received.
    claims: BTreeMap<(RoundId, ClaimKey), (Micros, Option<Micros>)>,
    events: Vec<Waited>,
    welcomes: Vec<Micros>,
    /// The first frame of each connection, and the connection's index in the evidence.
    begun: Vec<(Micros, usize)>,
}

impl PersonWaits {
    fn receive(&mut self, at: Micros, message: &ToPlayer, closes_at: &mut Option<Millis>) {
        let since = |millis: Millis| Waited { from: Micros(millis.0.saturating_mul(1000)), to: at };
        match message {
            ToPlayer::Welcome(_) => self.welcomes.push(at),
            ToPlayer::AnswerReply(_) | ToPlayer::ClaimReply(_) => {
                let claim = Saying::replied_to(message).and_then(|claimed| self.claims.get_mut(&claimed));
                if let Some((_, replied)) = claim {
                    replied.get_or_insert(at);
                }
            }
            ToPlayer::Snapshot(snapshot) => {
                *closes_at = snapshot.question.as_ref().map(|question| question.closes_at);
            }
            ToPlayer::GameSnapshot(snapshot) => {
                let round = snapshot.body.read::<Overview>().ok().and_then(|overview| overview.round);
                *closes_at = round.map(|round| round.closes_at);
            }
            ToPlayer::Opened(_) | ToPlayer::End(_) => {}
            _ => {
                let Some(told_at) = time_of(message) else { return };
                let news = RoundNews::of(message);
                if let Some(RoundNews::Begins(times) | RoundNews::Moved(times)) = news {
                    *closes_at = Some(times.closes_at);
                } else if matches!(message, ToPlayer::Pause(_)) {
                    *closes_at = None;
                }
                let due = match news {
                    Some(RoundNews::Closed(_)) => closes_at.map_or(told_at, |closes_at| closes_at.min(told_at)),
                    _ => told_at,
                };
                self.events.push(since(due));
            }
        }
    }
}

/// One line per fault.
#[must_use]
pub fn waits(faults: &[Disturbance], evidence: &Evidence, messages: &Messages) -> Vec<FaultLine> {
    if faults.is_empty() {
        return Vec::new();
    }
    let people = people(evidence, messages);
    let began = people.values().flat_map(|person| &person.begun).map(|&(first, _)| first).min();
    let began = began.unwrap_or(Micros(0));
    faults.iter().map(|fault| line(fault, evidence, &people, began)).collect()
}

fn line(
    fault: &Disturbance,
    evidence: &Evidence,
    people: &BTreeMap<PlayerNumber, PersonWaits>,
    began: Micros,
) -> FaultLine {
    let until = Micros(fault.until.0.saturating_add(u64::try_from(AFTERMATH.as_micros()).unwrap_or_default()));
    let back = people.values().filter_map(|person| {
        // Uses the newest connection: a player who had reconnected to another gateway before was not cut off.
        let begun = person.begun.iter().filter(|&&(first, _)| first <= fault.from);
        let &(_, connection) = begun.max_by_key(|&&(first, _)| first)?;
        let gateway = evidence.connections.get(connection)?.gateway;
        let again = person.welcomes.iter().find(|&&at| at > fault.from)?;
        fault.cuts(gateway).then(|| again.0 - fault.from.0)
    });
    let reply = people.values().filter_map(|person| {
        let waited = person.claims.values().filter_map(|&(from, to)| Some(Waited { from, to: to? }));
        waited.filter(|waited| waited.touches(fault.from, fault.until)).map(Waited::micros).max()
    });
    let event = people.values().filter_map(|person| {
        let waited = person.events.iter().filter(|waited| waited.touches(fault.from, until));
        waited.map(|waited| waited.micros()).max()
    });
    FaultLine {
        question: fault.question.0,
        process: fault.process.clone(),
        what: fault.harm.word(),
        at: fault.from.0.saturating_sub(began.0) as f64 / 1e6,
        away_ms: fault.until.0.saturating_sub(fault.from.0) as f64 / 1000.0,
        back: Wait::of(back),
        reply: Wait::of(reply),
        event: Wait::of(event),
    }
}

fn people(evidence: &Evidence, messages: &Messages) -> BTreeMap<PlayerNumber, PersonWaits> {
    let mut people: BTreeMap<PlayerNumber, PersonWaits> = BTreeMap::new();
    for (index, log) in evidence.connections.iter().enumerate().filter(|(_, log)| log.honest) {
        let person = people.entry(log.player).or_default();
        person.begun.extend(log.entries.first().map(|first| (first.at, index)));
        let mut closes_at = None;
        for entry in &log.entries {
            match messages.seen(entry) {
                Seen::Sent(FromPlayer::Answer(answer)) => {
                    person.claims.entry((answer.question, ClaimKey(0))).or_insert((entry.at, None));
                }
                Seen::Sent(FromPlayer::Claim(claim)) => {
                    person.claims.entry((claim.round, claim.key)).or_insert((entry.at, None));
                }
                Seen::Received(message) => person.receive(entry.at, message, &mut closes_at),
                _ => {}
            }
        }
    }
    people
}

#[cfg(test)]
mod tests {
    use klaxon_protocol::claim::Verdict;
    use klaxon_protocol::codec::Codec;
    use klaxon_protocol::games::trivia::{Answer, AnswerReply, Choice, Close, Question, QuestionId};
    use klaxon_protocol::ids::{Name, Seat, Seq, ShowId};
    use klaxon_protocol::player::Welcome;
    use klaxon_protocol::time::Span;

    use super::*;
    use crate::evidence::{ConnectionLog, Direction, Entry, GatewayNumber, Harm, Victim};

    const QUESTION: QuestionId = QuestionId(1);

    fn ms(millis: u64) -> Micros {
        Micros(millis * 1000)
    }

    struct Writer(Evidence);

    impl Writer {
        fn connect(&mut self, player: u32, gateway: u16, at: u64) {
            let (player, gateway) = (PlayerNumber(player), GatewayNumber(gateway));
            let log = ConnectionLog {
                player,
                gateway,
                codec: Codec::Json,
                honest: true,
                entries: vec![],
                transits: vec![],
                sent_beside: Vec::new(),
                close_code: None,
            };
            self.0.connections.push(log);
            self.received(
                at,
                ToPlayer::Welcome(Welcome {
                    protocol: 1,
                    session: "s".into(),
                    resume: "r".into(),
                    show: ShowId(1),
                    seat: Some(Seat(player.0)),
                    name: Name::parse("Ann").unwrap(),
                    now: Millis(at),
                    heartbeat: Span(30_000),
                    newest: Default::default(),
                }),
            );
        }

        fn note(&mut self, at: u64, direction: Direction, bytes: &[u8]) {
            let frame = self.0.frames.intern(Codec::Json, bytes);
            self.0.connections.last_mut().unwrap().entries.push(Entry { at: ms(at), direction, frame });
        }

        fn received(&mut self, at: u64, message: ToPlayer) {
            self.note(at, Direction::Received, &Codec::Json.encode(&message));
        }

        fn answers(&mut self, at: u64) {
            let answer = Answer { question: QUESTION, choice: Choice(0) };
            self.note(at, Direction::Sent, &Codec::Json.encode(&FromPlayer::Answer(answer)));
        }

        fn replied(&mut self, at: u64) {
            let reply = AnswerReply::new(QUESTION, &Verdict::Accepted(Choice(0).into()));
            self.received(at, ToPlayer::AnswerReply(reply));
        }

        fn question(&mut self, at: u64) {
            self.received(
                at,
                ToPlayer::Question(Question {
                    seq: Seq(2),
                    at: Millis(10_000),
                    question: QUESTION,
                    total: 1,
                    text: "?".into(),
                    choices: vec!["a".into(), "b".into()],
                    category: None,
                    opens_at: Millis(10_500),
                    closes_at: Millis(13_500),
                }),
            );
        }

        fn close(&mut self, at: u64, sent: u64) {
            self.received(at, ToPlayer::Close(Close { seq: Seq(3), at: Millis(sent), question: QUESTION }));
        }
    }

    fn fault(victim: Victim, harm: Harm, from: u64, until: u64) -> Disturbance {
        let process = "it".to_owned();
        Disturbance { question: QUESTION, victim, process, harm, from: ms(from), until: ms(until) }
    }

    #[test]
    fn who_was_cut_off_waited_until_the_welcome_and_an_answer_until_its_reply_elsewhere() {
        let mut writer = Writer(Evidence::default());
        writer.connect(1, 0, 5_000);
        writer.question(10_010);
        writer.answers(11_000);
        writer.connect(1, 1, 11_900);
        writer.answers(12_000);
        writer.replied(12_020);
        writer.connect(2, 1, 5_000);
        writer.question(10_020);
        writer.close(13_510, 13_500);
        let fault = fault(Victim::Gateway(0), Harm::Killed, 11_100, 12_500);
        let lines = waits(&[fault], &writer.0, &Messages::of(&writer.0));
        let line = &lines[0];
        assert_eq!((line.back.players, line.back.max_ms), (1, 800.0));
        assert_eq!((line.reply.players, line.reply.max_ms), (1, 1_020.0));
        assert_eq!((line.event.players, line.event.max_ms), (1, 10.0));
        assert_eq!((line.at, line.away_ms), (6.1, 1_400.0));
        assert_eq!(line.what(), "it killed");
    }

    #[test]
    fn a_close_that_no_engine_was_there_to_say_is_late_from_when_time_was_up() {
        let mut writer = Writer(Evidence::default());
        writer.connect(1, 0, 5_000);
        writer.question(10_010);
        writer.close(15_600, 15_500);
        let fault = fault(Victim::OwningEngine, Harm::Killed, 13_000, 14_000);
        let line = waits(&[fault], &writer.0, &Messages::of(&writer.0)).remove(0);
        assert_eq!((line.event.players, line.event.p50_ms), (1, 2_100.0));
        assert_eq!((line.back.players, line.reply.players), (0, 0));
    }

    #[test]
    fn quantiles_are_those_of_the_players() {
        let wait = Wait::of((1..=100).map(|ms| ms * 1000));
        assert_eq!((wait.players, wait.p50_ms, wait.p99_ms, wait.max_ms), (100, 50.0, 99.0, 100.0));
        assert_eq!(Wait::of(std::iter::empty()), Wait::default());
    }
}
