//! What a shard counts for the metrics: in plain numbers, published on each tick.

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

/// More latencies than this between two ticks are not kept one by one.
const MOST_LATENCIES: usize = 1 << 16;

/// Counted since the last tick.
#[derive(Debug, Default)]
pub(crate) struct ShardMetrics {
    pub opened: u64,
    pub closed: u64,
    pub frames: u64,
    pub bytes: u64,
    pub messages: u64,
    pub answers: u64,
    pub joins: u64,
    pub banned: u64,
    pub shed: u64,
    pub rate_limited: u64,
    pub bad_messages: u64,
    pub resyncs: u64,
    pub pings: u64,
    pub replies_again: u64,
    latencies: Vec<u64>,
}

impl ShardMetrics {
    /// The time from an answer's reading to its reply, in microseconds.
    pub fn replied(&mut self, micros: u64) {
        if self.latencies.len() < MOST_LATENCIES {
            self.latencies.push(micros);
        }
    }

    /// Publishes and starts anew.
    pub fn publish(&mut self) {
        let now = std::mem::take(self);
        for (name, count) in [
            ("klaxon_connections_opened_total", now.opened),
            ("klaxon_connections_closed_total", now.closed),
            ("klaxon_frames_sent_total", now.frames),
            ("klaxon_bytes_sent_total", now.bytes),
            ("klaxon_messages_read_total", now.messages),
            ("klaxon_answers_read_total", now.answers),
            ("klaxon_joins_total", now.joins),
            ("klaxon_joins_banned_total", now.banned),
            ("klaxon_shed_total", now.shed),
            ("klaxon_rate_limited_total", now.rate_limited),
            ("klaxon_bad_messages_total", now.bad_messages),
            ("klaxon_resyncs_total", now.resyncs),
            ("klaxon_pings_sent_total", now.pings),
            ("klaxon_replies_again_total", now.replies_again),
        ] {
            if count > 0 {
                counter!(name).increment(count);
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "fewer than 2^52 connections or microseconds")]
        {
            if now.opened != now.closed {
                gauge!("klaxon_connections").increment(now.opened as f64 - now.closed as f64);
            }
            if !now.latencies.is_empty() {
                let seconds = histogram!("klaxon_answer_seconds");
                now.latencies.iter().for_each(|&micros| seconds.record(micros as f64 / 1e6));
            }
        }
    }
}

/// Describes the metrics of players' connections.
pub(crate) fn describe() {
    describe_gauge!("klaxon_connections", "Players' and spectators' WebSocket connections now");
    describe_counter!("klaxon_connections_opened_total", "WebSocket connections opened");
    describe_counter!("klaxon_connections_closed_total", "WebSocket connections closed");
    describe_counter!("klaxon_frames_sent_total", "Messages queued for players");
    describe_counter!("klaxon_bytes_sent_total", Unit::Bytes, "Bytes written to players");
    describe_counter!("klaxon_messages_read_total", "Messages read from players");
    describe_counter!("klaxon_answers_read_total", "Answers handed to the engine");
    describe_counter!("klaxon_joins_total", "Connections that got into a show");
    describe_counter!(
        "klaxon_joins_banned_total",
        "Connections that were let into no show because of a ban, of the player or of the address"
    );
    describe_counter!("klaxon_shed_total", "Connections closed because they could not keep up");
    describe_counter!("klaxon_rate_limited_total", "Messages refused because there were too many");
    describe_counter!("klaxon_bad_messages_total", "Messages that could not be understood");
    describe_counter!("klaxon_resyncs_total", "Snapshots asked for by connections that missed events");
    describe_counter!("klaxon_pings_sent_total", "Pings sent to clients from which nothing came");
    describe_counter!(
        "klaxon_replies_again_total",
        "Replies to answers that had one: Redis forgot that an engine had dealt with them"
    );
    describe_gauge!(
        "klaxon_shard_queue_length",
        "Messages of the bus that a shard, of the number `shard`, has not processed"
    );
    describe_counter!(
        "klaxon_shard_queue_full_total",
        "Times that a gateway read no more from the bus, as a shard had too much to process"
    );
    describe_counter!(
        "klaxon_connections_refused_total",
        "Connections of players that were refused, as there were as many as there may be"
    );
    describe_histogram!("klaxon_answer_seconds", Unit::Seconds, "From an answer being read to its reply being written");
}
