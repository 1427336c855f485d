//! One answer from every player at once: the server's processor time per answer, until its acknowledged reply.

use std::time::Instant;

use klaxon_protocol::codec::Codec;
use klaxon_protocol::games::trivia::Answer;
use klaxon_protocol::player::FromPlayer;

use super::contestant::{BenchError, Contestant, JournalStorage, Kind};
use super::fan_out::WARM_UP;
use super::hosting::MOST_QUESTIONS;
use super::plan::Plan;
use super::question::RIGHT;
use super::rows::{FILE, MEMORY, Measure, Row, Subject};

/// A contestant, its journal, and the name of the case.
type Entrant = (Kind, JournalStorage, &'static str);

/// Measures all contestants; Klaxon with each of its journals.
///
/// # Errors
/// If a contestant fails.
pub async fn measure(plan: &Plan, step: &impl Fn(&str)) -> Result<Vec<Row>, BenchError> {
    let both = [(JournalStorage::Memory, MEMORY), (JournalStorage::File, FILE)];
    let journals = |kind: Kind| if kind.is_klaxon() { &both[..] } else { &[(JournalStorage::Memory, "")] };
    let entries =
        plan.contestants().flat_map(|kind| journals(kind).iter().map(move |&(journal, case)| (kind, journal, case)));
    let entries: Vec<Entrant> = entries.collect();
    let mut all = vec![Vec::new(); entries.len()];
    let began = Instant::now();
    loop {
        let mut contestants = Vec::new();
        for &(kind, journal, _) in &entries {
            step("joining");
            let mut contestant = Contestant::start(&plan.launch.with_journal(journal), kind).await?;
            contestant.join(plan.players).await?;
            contestants.push(contestant);
        }
        for round in 0..usize::from(MOST_QUESTIONS) {
            for turn in 0..contestants.len() {
                let place = (round + turn) % contestants.len();
                let answered = answer(&mut contestants[place]).await?;
                if round >= WARM_UP {
                    all[place].push(answered);
                }
            }
            let rounds = all[0].len();
            step(&format!("answering, {rounds} rounds"));
            if round >= WARM_UP
                && plan.stopping.has_enough(Subject::Intake, rounds, began.elapsed(), || rows(&entries, &all))
            {
                return Ok(rows(&entries, &all));
            }
        }
    }
}

/// Asks a question that all players answer; returns microseconds of the server's processor time per answer.
async fn answer(contestant: &mut Contestant) -> Result<f64, BenchError> {
    let question = contestant.ask().await?.question(contestant.kind)?.question;
    let answer = Codec::Json.encode(&FromPlayer::Answer(Answer { question, choice: RIGHT }));
    let answered = contestant.answer(String::from_utf8_lossy(&answer).into_owned()).await?;
    contestant.end_question().await?;
    Ok(answered.each())
}

fn rows(entries: &[Entrant], all: &[Vec<f64>]) -> Vec<Row> {
    let pairs = || entries.iter().zip(all);
    let floor = pairs().find(|((kind, ..), _)| *kind == Kind::Floor).map_or(&[][..], |(_, figures)| figures);
    let row = |((kind, _, case), figures): (&Entrant, &Vec<f64>)| {
        Row::beside(Subject::Intake, *kind, case, Measure::Processor, figures, floor)
    };
    pairs().map(row).collect()
}
