//! What a show says, on its way to the gateways: in order, once, and only while the show is this engine's.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::time::Duration;

use klaxon_protocol::host::ShowLine;
use klaxon_protocol::ids::{Fence, GatewayId, ShowId};
use klaxon_protocol::link::ToGateway;
use redis::RedisResult;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::directory::Directory;
use super::entry::{Sorted, id};
use super::hearing::Item;
use super::trouble::Trouble;
use super::{KEEP, millis, pause};
use crate::bus::{Place, Turn};
use crate::redis::scripts::{BUS_PUBLISH, ScriptError};
use crate::redis::{Connection, Keys};

/// So many turns are said together at most.
const TURNS: usize = 256;
/// When so many messages are to be said together, no turn is added to them.
const MESSAGES: usize = 4096;
/// So many entries for all gateways are kept: with four figures a second, those of a quarter of an hour.
const MOST_TO_ALL: usize = 4096;
/// So many entries for one gateway are kept: they answer what it said, and it says nothing while it is away.
const MOST_TO_ONE: usize = 1024;

/// What was said is kept here for so long, and so many entries of it: a Redis that is killed forgets what it did not write down
/// yet, which with `appendfsync everysec` is two seconds at most.
const FORGETS: Duration = Duration::from_secs(5);
const MOST_RECENT: usize = 1024;

/// What is told to a show's voice.
pub(super) enum Order {
    /// The show is played under this lease from now on; so many entries were said under it.
    Adopted(Fence, u64),
    Say(Turn),
    List(ShowLine),
    /// Nothing comes any more; whether the show is over.
    LetGo(bool),
}

/// What one show has to say.
pub(super) struct Voice {
    show: ShowId,
    connection: Connection,
    keys: Keys,
    directory: Directory,
    orders: mpsc::UnboundedReceiver<Order>,
    hosts: mpsc::UnboundedSender<(GatewayId, ToGateway)>,
    engine: mpsc::UnboundedSender<Item>,
    fence: Fence,
    /// So many entries were said under it.
    said: u64,
    /// The last of them: a Redis that was killed may have forgotten those.
    recent: VecDeque<(Instant, Entry)>,
    /// The show has a newer lease: nothing is said, until it is told that it is this engine's.
    is_fenced: bool,
    turns: VecDeque<Turn>,
    /// Only the newest is of interest.
    line: Option<ShowLine>,
    listed: Option<ShowLine>,
    let_go: Option<bool>,
    trouble: Trouble,
}

/// Turns that are said together.
struct Batch {
    sorted: Sorted,
    records: u64,
    heard: Place,
}

/// For whom an entry is, and its messages.
type Entry = (Option<GatewayId>, Vec<u8>);

/// How many of the last entries are said again, and whether even more are missing.
#[derive(Default, Clone, Copy)]
struct Again {
    count: usize,
    has_gap: bool,
}

/// Why the script says nothing.
enum Silence {
    /// No engine has the show.
    NoLease,
    /// Another engine has it.
    Fenced,
    /// Redis knows of so many entries only.
    Behind(u64),
}

impl Voice {
    /// The voice of a show, until the show is let go and all is said. What hosts are to hear is handed on.
    pub fn new(
        show: ShowId,
        (connection, keys): (Connection, Keys),
        orders: mpsc::UnboundedReceiver<Order>,
        hosts: mpsc::UnboundedSender<(GatewayId, ToGateway)>,
        engine: mpsc::UnboundedSender<Item>,
    ) -> Self {
        let directory = Directory::new(connection.clone(), keys.clone());
        let (fence, said, is_fenced, turns) = (Fence(0), 0, false, VecDeque::new());
        let (line, listed, let_go) = (None, None, None);
        Self {
            show,
            connection,
            keys,
            directory,
            orders,
            hosts,
            engine,
            fence,
            said,
            recent: VecDeque::new(),
            is_fenced,
            turns,
            line,
            listed,
            let_go,
            trouble: Trouble::default(),
        }
    }

    /// The same, which notes in `trouble` when it is stuck.
    pub fn with(self, trouble: Trouble) -> Self {
        Self { trouble, ..self }
    }

    /// Says what it is told to.
    pub async fn run(mut self) {
        loop {
            while let Ok(order) = self.orders.try_recv() {
                self.take(order);
            }
            if self.is_fenced {
                if self.let_go.is_some() {
                    return;
                }
                let Some(order) = self.orders.recv().await else { return };
                self.take(order);
            } else if !self.turns.is_empty() {
                self.say().await;
            } else if let Some(line) = self.line.take() {
                self.list(line).await;
            } else if let Some(is_over) = self.let_go {
                if is_over {
                    self.clear().await;
                }
                return;
            } else if let Some(order) = self.orders.recv().await {
                self.take(order);
            } else {
                return;
            }
        }
    }

    fn take(&mut self, order: Order) {
        match order {
            Order::Adopted(fence, said) => {
                if fence != self.fence {
                    (self.fence, self.said) = (fence, said);
                    self.recent.clear();
                }
                self.is_fenced = false;
            }
            Order::Say(turn) => self.turns.push_back(turn),
            Order::List(line) => self.line = Some(line),
            Order::LetGo(is_over) => self.let_go = Some(is_over),
        }
    }

    /// Says the turns that wait, however long it takes.
    async fn say(&mut self) {
        let Some(batch) = self.batch() else { return };
        let (mut failures, mut again) = (0, Again::default());
        loop {
            match self.try_say(&batch, again).await {
                Ok(Ok(())) => {
                    self.keep(batch.sorted.entries);
                    for answer in batch.sorted.hosts {
                        // Without the engine's end nobody is answered any more.
                        let _ = self.hosts.send(answer);
                    }
                    return;
                }
                Ok(Err(Silence::Fenced)) => {
                    self.fall_silent();
                    while self.is_fenced && self.let_go.is_none() {
                        let Some(order) = self.orders.recv().await else { return };
                        self.take(order);
                    }
                    if self.is_fenced {
                        return;
                    }
                }
                Ok(Err(Silence::Behind(said))) => {
                    tracing::warn!(show = %self.show, "Redis forgot what the show said last; it is said again");
                    let missing = usize::try_from(self.said.saturating_sub(said)).unwrap_or(usize::MAX);
                    let count = missing.min(self.recent.len());
                    again = Again { count, has_gap: count < missing };
                }
                Ok(Err(Silence::NoLease)) if self.let_go.is_some() => {
                    return tracing::warn!(show = %self.show, "what the show said last is not said: its lease is gone");
                }
                Ok(Err(Silence::NoLease)) => self.wait(failures).await,
                Err(error) => {
                    if failures == 0 {
                        tracing::warn!(show = %self.show, %error, "the bus does not take what the show says; trying again");
                    }
                    metrics::counter!("klaxon_bus_failures_total", "what" => "say").increment(1);
                    self.wait(failures).await;
                }
            }
            failures += 1;
        }
    }

    fn batch(&mut self) -> Option<Batch> {
        let (mut count, mut messages) = (0, 0);
        while count < self.turns.len().min(TURNS) && messages < MESSAGES {
            messages += self.turns[count].messages.len();
            count += 1;
        }
        let last = self.turns.get(count.checked_sub(1)?)?;
        let (records, heard) = (last.records, last.heard);
        let sorted = Sorted::of(self.turns.drain(..count).flat_map(|turn| turn.messages));
        Some(Batch { sorted, records, heard })
    }

    async fn try_say(&self, batch: &Batch, again: Again) -> RedisResult<Result<(), Silence>> {
        let (keys, show) = (&self.keys, self.show);
        let mut names = vec![keys.lease(show), keys.said(show), keys.to_show(show), keys.to_all(show)];
        // Of a show that was adopted anew nothing was said yet.
        let again_from = self.recent.len().saturating_sub(again.count);
        let first = self.said + 1 - (self.recent.len() - again_from) as u64;
        let words = [
            self.fence.to_string(),
            batch.records.to_string(),
            id(batch.heard),
            first.to_string(),
            MOST_TO_ALL.to_string(),
            MOST_TO_ONE.to_string(),
            millis(KEEP).to_string(),
            u8::from(again.has_gap).to_string(),
        ];
        let mut arguments: Vec<Cow<'_, [u8]>> = words.into_iter().map(|word| Cow::Owned(word.into_bytes())).collect();
        let before = self.recent.range(again_from..).map(|(_, entry)| entry);
        let mut gateways: Vec<GatewayId> = Vec::new();
        for (to, messages) in before.chain(&batch.sorted.entries) {
            let key = match to {
                None => 4,
                Some(to) => {
                    let place = gateways.iter().position(|gateway| gateway == to).unwrap_or_else(|| {
                        names.push(keys.to_one(show, *to));
                        gateways.push(*to);
                        gateways.len() - 1
                    });
                    5 + place
                }
            };
            arguments.push(Cow::Owned(key.to_string().into_bytes()));
            arguments.push(Cow::Borrowed(messages));
        }
        let arguments: Vec<&[u8]> = arguments.iter().map(|argument| &**argument).collect();
        match BUS_PUBLISH.run(&self.connection, &names, &arguments).await {
            Ok(()) => Ok(Ok(())),
            Err(ScriptError::Fenced { newest, .. }) if newest > self.fence => Ok(Err(Silence::Fenced)),
            Err(ScriptError::Fenced { .. } | ScriptError::NoLease) => Ok(Err(Silence::NoLease)),
            Err(ScriptError::Behind { published }) => Ok(Err(Silence::Behind(published))),
            Err(error) => Err(error.into()),
        }
    }

    /// These entries are said.
    fn keep(&mut self, entries: Vec<Entry>) {
        self.said += entries.len() as u64;
        let now = Instant::now();
        self.recent.extend(entries.into_iter().map(|entry| (now, entry)));
        let is_old = |(at, _): &mut (Instant, Entry)| now.duration_since(*at) > FORGETS;
        while self.recent.len() > MOST_RECENT || self.recent.front_mut().is_some_and(is_old) {
            self.recent.pop_front();
        }
    }

    /// The show has a newer lease. If it is another engine's, that one says what this one has not, and the show is let go here; if it
    /// is this engine's, the show is about to be adopted under it.
    fn fall_silent(&mut self) {
        tracing::warn!(show = %self.show, fence = %self.fence, "the show has a newer lease; nothing is said under this one");
        metrics::counter!("klaxon_bus_fenced_total").increment(1);
        self.is_fenced = true;
        // Without the engine's end nothing is heard either.
        let _ = self.engine.send(Item::Fenced(self.show, self.fence));
    }

    /// Pauses after so many failures, or until the show is adopted anew.
    async fn wait(&mut self, failures: u32) {
        self.trouble.note();
        let until = Instant::now() + pause(failures);
        loop {
            tokio::select! {
                () = sleep_until(until) => return,
                Some(order) = self.orders.recv() => {
                    let is_adopted = matches!(order, Order::Adopted(..));
                    self.take(order);
                    if is_adopted {
                        return;
                    }
                }
            }
        }
    }

    async fn list(&mut self, line: ShowLine) {
        let mut failures = 0;
        // A newer line supersedes it.
        while self.line.is_none() && !self.is_fenced {
            match self.directory.list(&line).await {
                Ok(()) => break,
                Err(error) => tracing::debug!(show = %self.show, %error, "the show can't be listed; trying again"),
            }
            self.wait(failures).await;
            failures += 1;
        }
        self.listed = Some(line);
    }

    /// The show is over: whoever is still to hear something of it has a while to do so.
    async fn clear(&mut self) {
        for failures in 0..10 {
            match self.directory.strike(self.show, self.listed.as_ref().map(|line| &line.code)).await {
                Ok(()) => return,
                Err(error) => tracing::debug!(show = %self.show, %error, "what the show had can't be freed yet"),
            }
            self.wait(failures).await;
        }
        tracing::warn!(show = %self.show, "what the show had on the bus is not freed; it goes away by itself");
    }
}
