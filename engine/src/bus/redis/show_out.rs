//! What a gateway has to say about one show, kept until the show's engine has dealt with it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use klaxon_protocol::ids::{GatewayId, QuestionId, ShowId};
use klaxon_protocol::link::ToEngine;
use redis::{RedisResult, pipe};

use super::entry::{self, id, of_gateway};
use super::{KEEP, Task, millis};
use crate::bus::Place;
use crate::redis::scripts::BUS_ATTEND;
use crate::redis::{Connection, Keys};

/// A show that was heard within this time is played, whatever the directory says.
const IS_HEARD: Duration = Duration::from_secs(5);
/// A show of which Redis knows nothing for so long is over; its engine would have told a Redis that lost its memory.
const IS_GONE: Duration = Duration::from_secs(3 * 60);

/// What a gateway has to say about one show.
pub(super) struct ShowOut {
    /// Not yet put into an entry.
    pub queue: Vec<ToEngine>,
    /// Entries that the show's engine has not dealt with, in order. Those that Redis does not have are at the end.
    unheard: VecDeque<Kept>,
    /// So many answers are in both.
    answers: usize,
    /// Reads what the show says, once the gateway attends it.
    pub reader: Option<Task>,
    /// Something is on its way to Redis; one thing at a time, so that the order is kept.
    pub is_busy: bool,
    /// It is to be seen whether Redis still knows what it was told.
    pub must_look: bool,
    /// Nobody here needs the show.
    pub is_leaving: bool,
    pub failures: u32,
    /// When the show was last needed, and last heard.
    pub needed: Instant,
    heard_at: Option<Instant>,
    heard: Place,
    /// Up to where its direct messages were read.
    pub read: Place,
    /// The show said that it has ended.
    pub has_ended: bool,
    /// Since when Redis knows nothing that the show said.
    freed: Option<Instant>,
    /// Answers to the last question that were dropped.
    dropped: Option<(QuestionId, u32)>,
}

/// An entry, and its id once Redis has it.
struct Kept {
    messages: Arc<[u8]>,
    answers: usize,
    id: Option<Place>,
}

/// How Redis knows this gateway and what it said.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attended {
    pub was_missing: bool,
    pub heard: Place,
    pub last: Place,
    /// The newest entry is there, if it was asked for.
    is_there: bool,
}

impl ShowOut {
    pub fn new() -> Self {
        Self {
            queue: Vec::new(),
            unheard: VecDeque::new(),
            answers: 0,
            reader: None,
            is_busy: false,
            must_look: false,
            is_leaving: false,
            failures: 0,
            needed: Instant::now(),
            heard_at: None,
            heard: Place::default(),
            read: Place::default(),
            freed: None,
            dropped: None,
            has_ended: false,
        }
    }

    pub fn push(&mut self, message: ToEngine) {
        self.answers += answers(&message);
        self.queue.push(message);
    }

    /// Answers that wait for Redis or for the engine.
    pub fn answers(&self) -> usize {
        self.answers
    }

    pub fn drop_answers(&mut self, question: QuestionId, count: u32) {
        let before = self.dropped_of(question);
        self.dropped = Some((question, before.saturating_add(count)));
    }

    /// A question's answers arrive: those of the one before are no longer counted.
    pub fn dropped_of(&self, question: QuestionId) -> u32 {
        self.dropped.filter(|(of, _)| *of == question).map_or(0, |(_, count)| count)
    }

    /// Answers to the last question that were dropped.
    pub fn dropped(&self) -> u32 {
        self.dropped.map_or(0, |(_, count)| count)
    }

    pub fn new_question(&mut self, question: QuestionId) {
        self.dropped.take_if(|(of, _)| *of < question);
    }

    /// Whether the show has said something just now.
    pub fn is_heard(&self) -> bool {
        self.heard_at.is_some_and(|at| at.elapsed() < IS_HEARD)
    }

    /// Whether the show is over and gone: nobody will ever hear what waits here.
    pub fn is_gone(&self) -> bool {
        self.freed.is_some_and(|since| since.elapsed() > IS_GONE)
    }

    /// Keeps nothing for a show that is gone.
    pub fn give_up(&mut self) {
        self.queue.clear();
        self.unheard.clear();
        (self.answers, self.is_leaving) = (0, true);
    }

    pub fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.unheard.is_empty()
    }

    /// Whether Redis has all that there is.
    pub fn is_sent(&self) -> bool {
        self.queue.is_empty() && self.unheard.iter().all(|kept| kept.id.is_some())
    }

    /// All that Redis does not have yet, in order; what waits becomes one entry.
    pub fn unsent(&mut self) -> Vec<Arc<[u8]>> {
        if !self.queue.is_empty() {
            let answers = self.queue.iter().map(answers).sum();
            let messages = of_gateway(&std::mem::take(&mut self.queue)).into();
            self.unheard.push_back(Kept { messages, answers, id: None });
        }
        self.unheard.iter().filter(|kept| kept.id.is_none()).map(|kept| Arc::clone(&kept.messages)).collect()
    }

    /// Redis has the first of what it did not have.
    pub fn sent(&mut self, ids: Vec<Place>) {
        let unsent = self.unheard.iter_mut().filter(|kept| kept.id.is_none());
        for (kept, id) in unsent.zip(ids) {
            kept.id = Some(id);
        }
        self.forget();
    }

    /// The show said something, when it had dealt with everything up to `heard`.
    pub fn hears(&mut self, heard: Place) {
        self.heard_at = Some(Instant::now());
        self.heard = self.heard.max(heard);
        self.forget();
    }

    /// What Redis knows. True if it lost what it was told: all that was not dealt with is to be said again.
    pub fn looked(&mut self, attended: Attended) -> bool {
        let is_known = attended.last != Place::default() || self.is_heard();
        self.freed = if is_known { None } else { self.freed.or_else(|| Some(Instant::now())) };
        let newest = self.newest();
        let is_lost = newest.is_some_and(|newest| newest > attended.heard && !attended.is_there);
        if is_lost {
            self.heard = attended.heard;
            self.unheard.iter_mut().for_each(|kept| kept.id = None);
        } else {
            self.heard = self.heard.max(attended.heard);
            self.forget();
        }
        is_lost
    }

    /// The newest entry that Redis is to have.
    pub fn newest(&self) -> Option<Place> {
        self.unheard.iter().filter_map(|kept| kept.id).next_back()
    }

    fn forget(&mut self) {
        while let Some(kept) = self.unheard.pop_front_if(|kept| kept.id.is_some_and(|id| id <= self.heard)) {
            self.answers -= kept.answers;
        }
    }
}

fn answers(message: &ToEngine) -> usize {
    if let ToEngine::Answers(batch) = message { batch.answers.len() } else { 0 }
}

/// Notes at Redis that the gateway hears the show.
///
/// # Errors
/// If Redis does not answer.
pub(super) async fn attend(
    connection: &Connection,
    keys: &Keys,
    (show, gateway): (ShowId, GatewayId),
    newest: Option<Place>,
    read: Place,
) -> RedisResult<Attended> {
    let names = [keys.audience(show), keys.said(show), keys.to_show(show), keys.to_one(show, gateway)];
    // No entry has the id 0-0.
    let arguments = [gateway.to_string(), id(newest.unwrap_or_default()), id(read), millis(KEEP).to_string()];
    let (missing, heard, last, found): (u8, Vec<u8>, Vec<u8>, u8) =
        BUS_ATTEND.run(connection, &names, &arguments).await?;
    let place = |id: &[u8]| entry::place(id).unwrap_or_default();
    Ok(Attended { was_missing: missing > 0, heard: place(&heard), last: place(&last), is_there: found > 0 })
}

/// Says these entries about the show, in order. Their ids.
///
/// # Errors
/// If Redis does not answer; it may have some of them all the same.
pub(super) async fn send(
    connection: &mut Connection,
    keys: &Keys,
    show: ShowId,
    entries: &[Arc<[u8]>],
) -> RedisResult<Vec<Place>> {
    let mut say = pipe();
    for entry in entries {
        say.cmd("XADD").arg(keys.to_show(show)).arg("*").arg("m").arg(&entry[..]);
    }
    let ids: Vec<Vec<u8>> = say.query_async(connection).await?;
    Ok(ids.iter().filter_map(|id| entry::place(id)).collect())
}

/// The gateway no longer hears the show.
///
/// # Errors
/// If Redis does not answer.
pub(super) async fn leave(
    connection: &mut Connection,
    keys: &Keys,
    (show, gateway): (ShowId, GatewayId),
) -> RedisResult<()> {
    let mut leave = pipe();
    let message = of_gateway(&[ToEngine::Leave { gateway, show }]);
    leave.atomic().cmd("XADD").arg(keys.to_show(show)).arg("*").arg("m").arg(message).ignore();
    leave.srem(keys.audience(show), gateway.0).ignore().del(keys.to_one(show, gateway)).ignore();
    leave.query_async(connection).await
}
