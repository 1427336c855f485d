//! Computes the report's figures from the evidence.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::games::rundown::Overview;
use klaxon_protocol::games::trivia::{Question, QuestionId, Reveal};
use klaxon_protocol::ids::{ClaimKey, RoundId};
use klaxon_protocol::player::{FromPlayer, Podium, ToPlayer};

use super::latency::Times;
use super::model::{Answers, Crowd, HostLine, Memory, QuestionLine, Report, Setup, Traffic, WinnerLine, Winners};
use super::quiz;
use super::waits::waits;
use crate::audit::bingo_summaries;
use crate::evidence::{Direction, Disturbance, Evidence, Micros, PlayerNumber};
use crate::messages::{Messages, Seen, time_of};

/// The number of places in the report.
const PLACES: usize = 10;

/// Counters over all the evidence.
#[derive(Default)]
struct Count<'a> {
    crowd: Crowd,
    seated: HashSet<PlayerNumber>,
    watching: HashSet<PlayerNumber>,
    traffic: Traffic,
    answers: Answers,
    refused: BTreeMap<&'static str, u64>,
    answered_at: Vec<Micros>,
    seen: Times,
    replied: Times,
    questions: BTreeMap<QuestionId, QuestionSeen<'a>>,
    /// Who received each round of a game that is not trivia.
    rounds_seen_by: BTreeMap<RoundId, HashSet<PlayerNumber>>,
    podium: Option<&'a Podium>,
}

#[derive(Default)]
struct QuestionSeen<'a> {
    question: Option<&'a Question>,
    reveal: Option<&'a Reveal>,
    /// The number of players in play after a void.
    voided: Option<u32>,
    seen_by: HashSet<PlayerNumber>,
}

/// The state of a connection while its log is read.
struct ConnectionFigures {
    player: PlayerNumber,
    honest: bool,
    resumes: bool,
    welcomed: Option<Micros>,
    /// Claims without a reply so far.
    open: HashMap<(RoundId, ClaimKey), VecDeque<Micros>>,
}

impl<'a> Count<'a> {
    fn sent(&mut self, at: Micros, line: &mut ConnectionFigures, message: &FromPlayer) {
        match message {
            FromPlayer::Join(join) => line.resumes = join.resume.is_some(),
            FromPlayer::Answer(answer) => self.claimed(at, line, (answer.question, ClaimKey(0))),
            FromPlayer::Claim(claim) => self.claimed(at, line, (claim.round, claim.key)),
            FromPlayer::Ping(_) | FromPlayer::React(_) | FromPlayer::Leave | FromPlayer::Reclaim(_) => {}
        }
    }

    fn claimed(&mut self, at: Micros, line: &mut ConnectionFigures, claimed: (RoundId, ClaimKey)) {
        self.answers.sent += 1;
        self.answered_at.push(at);
        line.open.entry(claimed).or_default().push_back(at);
    }

    fn received(&mut self, at: Micros, line: &mut ConnectionFigures, message: &'a ToPlayer) {
        match message {
            ToPlayer::Welcome(welcome) => {
                line.welcomed = Some(at);
                self.crowd.resumed += u32::from(line.resumes);
                let place = if welcome.seat.is_some() { &mut self.seated } else { &mut self.watching };
                place.insert(line.player);
            }
            ToPlayer::Snapshot(snapshot) => {
                if let Some(question) = &snapshot.question {
                    self.asked(line.player, question);
                }
                if let Some(reveal) = &snapshot.reveal {
                    self.revealed(reveal);
                }
                self.podium = self.podium.or(snapshot.podium.as_ref());
            }
            ToPlayer::GameSnapshot(snapshot) => {
                if let Some(open) = snapshot.body.read::<Overview>().ok().and_then(|overview| overview.round) {
                    self.rounds_seen_by.entry(open.round).or_default().insert(line.player);
                }
            }
            ToPlayer::Question(question) => {
                self.asked(line.player, question);
                self.begun(at, line, message);
            }
            ToPlayer::GameEvent(event) => {
                if let Some(round) = event.round {
                    self.rounds_seen_by.entry(round).or_default().insert(line.player);
                    self.begun(at, line, message);
                }
            }
            ToPlayer::AnswerReply(reply) => {
                self.replied(at, line, (reply.question, ClaimKey(0)), reply.accepted, reply.code);
            }
            ToPlayer::ClaimReply(reply) => self.replied(at, line, (reply.round, reply.key), reply.accepted, reply.code),
            ToPlayer::Error(error) => *self.refused.entry(error.code.code()).or_default() += 1,
            ToPlayer::Reveal(reveal) => self.revealed(reveal),
            ToPlayer::Void(void) => self.questions.entry(void.question).or_default().voided = Some(void.alive),
            ToPlayer::Podium(podium) => self.podium = Some(podium),
            _ => {}
        }
    }

    /// A round was received that began with this event.
    fn begun(&mut self, at: Micros, line: &ConnectionFigures, event: &ToPlayer) {
        let Some(sent) = time_of(event).map(|sent| sent.0 * 1000) else { return };
        // Players who joined later were sent the round later.
        if line.honest && line.welcomed.is_some_and(|welcomed| welcomed.0 < sent) {
            self.seen.add(at.0.saturating_sub(sent));
        }
    }

    fn asked(&mut self, player: PlayerNumber, question: &'a Question) {
        let asked = self.questions.entry(question.question).or_default();
        asked.question.get_or_insert(question);
        asked.seen_by.insert(player);
    }

    fn revealed(&mut self, reveal: &'a Reveal) {
        self.questions.entry(reveal.question).or_default().reveal.get_or_insert(reveal);
    }

    fn replied(
        &mut self,
        at: Micros,
        line: &mut ConnectionFigures,
        claimed: (RoundId, ClaimKey),
        accepted: bool,
        code: Option<ErrorCode>,
    ) {
        self.answers.replied += 1;
        self.answers.accepted += u64::from(accepted);
        if let Some(code) = code {
            *self.refused.entry(code.code()).or_default() += 1;
        }
        let sent = line.open.get_mut(&claimed).and_then(VecDeque::pop_front);
        if let Some(sent) = sent.filter(|_| line.honest) {
            self.replied.add(at.0.saturating_sub(sent.0));
        }
    }

    fn questions(&self) -> Vec<QuestionLine> {
        let lines = self.questions.iter().map(|(id, asked)| {
            let reveal = asked.reveal;
            QuestionLine {
                question: id.0,
                text: asked.question.map(|question| question.text.clone()).unwrap_or_default(),
                seen_by: u32::try_from(asked.seen_by.len()).unwrap_or(u32::MAX),
                counts: reveal.map(|reveal| reveal.counts.clone()).unwrap_or_default(),
                right: reveal.map(|reveal| reveal.right.0),
                silent: reveal.map_or(0, |reveal| reveal.silent),
                alive: asked.voided.or(reveal.map(|reveal| reveal.alive)).unwrap_or_default(),
                voided: asked.voided.is_some(),
            }
        });
        lines.collect()
    }
}

impl Traffic {
    fn add(&mut self, direction: Direction, size: u64) {
        let (messages, bytes) = match direction {
            Direction::Sent => (&mut self.messages_sent, &mut self.bytes_sent),
            Direction::Received => (&mut self.messages_received, &mut self.bytes_received),
        };
        *messages += 1;
        *bytes += size;
    }
}

/// The maximum number of moments within any second.
fn peak(moments: &mut [Micros]) -> u64 {
    moments.sort_unstable();
    let mut first = 0;
    let mut most = 0;
    for (last, at) in moments.iter().enumerate() {
        while moments[first].0 + 1_000_000 <= at.0 {
            first += 1;
        }
        most = most.max(last - first + 1);
    }
    most as u64
}

fn memory(resident: &[(Micros, u64)], joined: u32) -> Option<Memory> {
    let (began, start) = *resident.first()?;
    let peak = resident.iter().map(|(_, bytes)| *bytes).max()?;
    let samples = resident.iter().map(|(at, bytes)| ((at.0.saturating_sub(began.0)) as f64 / 1e6, *bytes)).collect();
    Some(Memory { start, peak, per_player: peak.saturating_sub(start) / u64::from(joined.max(1)), samples })
}

fn winners(podium: &Podium) -> Winners {
    let places = podium.places.iter().take(PLACES).map(|place| WinnerLine {
        place: place.place,
        name: place.name.to_string(),
        score: place.score,
        prize: place.prize,
    });
    Winners {
        count: podium.winners,
        pot: podium.pot,
        paid: podium.paid,
        rolled_over: podium.rolled_over,
        currency: podium.currency.clone(),
        places: places.collect(),
    }
}

impl Report {
    /// The report for this evidence; the caller adds the lines of the audit and of the database.
    #[must_use]
    pub fn new(seed: u64, setup: Setup, host: HostLine, faults: &[Disturbance], evidence: &Evidence) -> Self {
        let messages = Messages::of(evidence);
        let mut count = Count::default();
        for log in &evidence.connections {
            count.crowd.connections += 1;
            let mut line = ConnectionFigures {
                player: log.player,
                honest: log.honest,
                resumes: false,
                welcomed: None,
                open: HashMap::new(),
            };
            for entry in &log.entries {
                count.traffic.add(entry.direction, evidence.frames.get(entry.frame).1.len() as u64);
                match messages.seen(entry) {
                    Seen::Sent(message) => count.sent(entry.at, &mut line, message),
                    Seen::Received(message) => count.received(entry.at, &mut line, message),
                    Seen::SentUnreadable | Seen::ReceivedUnreadable => {}
                }
            }
        }
        let questions = count.questions();
        let size = |set: &HashSet<PlayerNumber>| u32::try_from(set.len()).unwrap_or(u32::MAX);
        count.crowd.joined = size(&count.seated);
        count.crowd.watched = size(&count.watching);
        let bingo = bingo_summaries(evidence);
        let frames = evidence.frames.iter().filter_map(|(frame, ..)| messages.received(frame));
        let quiz = quiz::lines(frames, &count.rounds_seen_by);
        let answers: u64 = questions.iter().flat_map(|line| &line.counts).map(|&answers| u64::from(answers)).sum();
        let of_quiz: u64 = quiz.iter().map(|line| u64::from(line.answered)).sum();
        count.answers.counted = answers + of_quiz + bingo.iter().map(|part| part.calls as u64).sum::<u64>();
        count.answers.peak_per_second = peak(&mut count.answered_at);
        count.answers.refused = count.refused.into_iter().map(|(code, times)| (code.to_owned(), times)).collect();
        Self {
            seed,
            setup,
            costs: Vec::new(),
            memory: memory(&evidence.resident, count.crowd.joined),
            crowd: count.crowd,
            traffic: count.traffic,
            answers: count.answers,
            question_seen: count.seen.latency(),
            answer_replied: count.replied.latency(),
            questions,
            bingo,
            quiz,
            winners: count.podium.map(winners),
            host,
            faults: waits(faults, evidence, &messages),
            database: None,
            audit: Vec::new(),
            comparison: None,
        }
    }
}
