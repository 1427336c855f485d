//! A shard as its reactor drives it.

use std::net::IpAddr;

use bytes::Bytes;
use klaxon_protocol::codec::Codec;

use super::{ForShard, Shard};
use crate::transport::{ConnKey, Crew, Farewell, Fate, Fault, Message, Moment};

impl Crew for Shard {
    type Word = ForShard;

    fn opened(&mut self, codec: Codec, peer: IpAddr, now: Moment) -> ConnKey {
        self.opened(codec, peer, now)
    }

    fn message(&mut self, key: ConnKey, message: Message<'_>, came: Moment, now: Moment) {
        // The codec says what a message is, whichever kind of frame it came in.
        self.message(key, message.bytes(), came, now);
    }

    fn pinged(&mut self, key: ConnKey, pong: Bytes, now: Moment) {
        self.pinged(key, pong, now);
    }

    fn failed(&mut self, key: ConnKey, fault: Fault, now: Moment) {
        self.failed(key, fault, now);
    }

    fn leaving(&mut self, key: ConnKey, reply: Bytes, now: Moment) {
        self.leaving(key, reply, now);
    }

    fn closed(&mut self, key: ConnKey) {
        self.closed(key);
    }

    fn listens(&self, key: ConnKey) -> bool {
        self.listens(key)
    }

    fn hear(&mut self, word: ForShard, now: Moment) {
        self.hear(word, now);
    }

    fn work(&mut self, now: Moment) -> bool {
        self.work(now)
    }

    fn holds(&self) -> bool {
        self.has_answers() || !self.barriers.is_empty()
    }

    fn is_calm(&self, now: Moment) -> bool {
        self.is_calm(now)
    }

    fn flush(&mut self) {
        self.flush_answers();
    }

    fn has_read(&mut self, to: Moment) {
        self.pass_barriers(to);
    }

    fn tick(&mut self, now: Moment) {
        self.tick(now);
    }

    fn take_dirty(&mut self, into: &mut Vec<ConnKey>) {
        self.take_dirty(into);
    }

    fn lend(&mut self, key: ConnKey) -> Option<Bytes> {
        self.lend(key)
    }

    fn wrote(&mut self, key: ConnKey) -> bool {
        self.wrote(key)
    }

    fn idle(&mut self, key: ConnKey) {
        self.idle(key);
    }

    fn fate(&self, key: ConnKey, now: Moment) -> Fate {
        self.fate(key, now)
    }

    fn part(&mut self, farewell: Farewell, now: Moment) {
        self.say_goodbye(&farewell, now);
    }

    fn len(&self) -> usize {
        self.len()
    }

    fn slots(&self) -> u32 {
        self.slots()
    }
}
