//! What a connection's pings say of the answers before them: a connection's messages are read in order, so whatever was sent before a
//! ping had been read when its pong says that the ping had.

use std::collections::HashMap;

use klaxon_protocol::ids::QuestionId;
use klaxon_protocol::player::Pong;
use klaxon_protocol::time::Millis;

/// An answer of the connection: to which question, and which of those to it.
type Answer = (QuestionId, usize);

/// Pings that say the same.
#[derive(Debug, Default)]
struct Alike {
    sent: u32,
    back: u32,
    /// What the last pong says.
    now: Option<Millis>,
}

/// The pings of a connection, and the answers before them.
#[derive(Debug, Default)]
pub(super) struct Pings {
    /// Answers with no ping behind them yet.
    open: Vec<Answer>,
    /// The first ping behind each answer.
    behind: Vec<(Answer, Millis)>,
    /// By what a ping says of when it was sent.
    pings: HashMap<Millis, Alike>,
}

impl Pings {
    pub fn answered(&mut self, question: QuestionId, number: usize) {
        self.open.push((question, number));
    }

    pub fn sent(&mut self, sent: Millis) {
        self.pings.entry(sent).or_default().sent += 1;
        self.behind.extend(self.open.drain(..).map(|answer| (answer, sent)));
    }

    pub fn came_back(&mut self, pong: &Pong) {
        let ping = self.pings.entry(pong.sent).or_default();
        ping.back += 1;
        ping.now = ping.now.max(Some(pong.now));
    }

    /// The answers of which it is known, and a time at which each had been read. Of pings that look alike the last pong counts, and
    /// only if all came back.
    pub fn read_by(&self) -> impl Iterator<Item = (Answer, Millis)> {
        self.behind.iter().filter_map(|(answer, ping)| {
            let alike = self.pings.get(ping).filter(|alike| alike.sent == alike.back)?;
            Some((*answer, alike.now?))
        })
    }
}
