//! One answer from everybody at once: the server's processor time for each, from its bytes to its acknowledged reply.

use klaxon_protocol::codec::Codec;
use klaxon_protocol::player::{Answer, FromPlayer};

use super::contestant::{BenchError, Contestant, Journal, Kind};
use super::fan_out::WARM_UP;
use super::plan::Plan;
use super::question::RIGHT;
use super::rows::{Row, Subject, What};

/// The case of a journal in memory.
pub const MEMORY: &str = "journal in memory";
/// The case of a journal on the disk.
pub const FILE: &str = "journal in a file";

/// All contestants; Klaxon with each of its journals.
///
/// # Errors
/// If one of them fails.
pub async fn measure(plan: &Plan, told: &impl Fn(&str)) -> Result<Vec<Row>, BenchError> {
    let mut contestants = Vec::new();
    for kind in plan.contestants() {
        let klaxon = [(Journal::Memory, MEMORY), (Journal::File, FILE)];
        let journals = if kind.is_klaxon() { &klaxon[..] } else { &[(Journal::Memory, "")] };
        for &(journal, case) in journals {
            told("joining");
            let mut contestant = Contestant::start(&plan.launch.with_journal(journal), kind).await?;
            contestant.join(plan.players).await?;
            contestants.push((contestant, case, Vec::new()));
        }
    }
    for round in 0..WARM_UP + plan.rounds {
        for (contestant, _, figures) in &mut contestants {
            let question = contestant.ask().await?.question(contestant.kind)?.question;
            let answer = Codec::Json.encode(&FromPlayer::Answer(Answer { question, choice: RIGHT }));
            let answered = contestant.answer(String::from_utf8_lossy(&answer).into_owned()).await?;
            contestant.end_question().await?;
            if round >= WARM_UP {
                figures.push(answered.each());
            }
        }
        told("answering");
    }
    let floor = contestants.iter().find(|(contestant, ..)| contestant.kind == Kind::Floor);
    let floor = floor.map_or_else(Vec::new, |(.., figures)| figures.clone());
    let row = |(contestant, case, figures): &(Contestant, &str, Vec<f64>)| {
        Row::beside(Subject::Intake, contestant.kind, case, What::Processor, figures, &floor)
    };
    Ok(contestants.iter().map(row).collect())
}
