//! A shard's metrics, counted in plain numbers and published on each tick.

use klaxon_protocol::codec::Codec;
use metrics::{counter, gauge, histogram};

/// Latencies that are kept between two ticks; further ones are not recorded.
const MOST_LATENCIES: usize = 1 << 16;

/// Counts since the last tick.
#[derive(Debug, Default)]
pub(crate) struct ShardMetrics {
    /// By codec.
    pub opened: [u64; Codec::ALL.len()],
    /// By codec.
    pub closed: [u64; Codec::ALL.len()],
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
    /// Records the time from reading an answer to its reply, in microseconds.
    pub fn replied(&mut self, micros: u64) {
        if self.latencies.len() < MOST_LATENCIES {
            self.latencies.push(micros);
        }
    }

    /// Publishes the counts and resets them.
    pub fn publish(&mut self) {
        let now = std::mem::take(self);
        for (name, count) in [
            ("klaxon_connections_opened_total", now.opened.iter().sum()),
            ("klaxon_connections_closed_total", now.closed.iter().sum()),
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
            for codec in Codec::ALL {
                let (opened, closed) = (now.opened[codec as usize], now.closed[codec as usize]);
                if opened != closed {
                    gauge!("klaxon_connections", "subprotocol" => codec.subprotocol())
                        .increment(opened as f64 - closed as f64);
                }
            }
            if !now.latencies.is_empty() {
                let seconds = histogram!("klaxon_answer_seconds");
                now.latencies.iter().for_each(|&micros| seconds.record(micros as f64 / 1e6));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::metrics::recorder;

    #[test]
    fn connections_are_counted_by_the_subprotocol_that_is_spoken() {
        let recorder = recorder().unwrap();
        let mut metrics = ShardMetrics::default();
        metrics::with_local_recorder(&recorder, || {
            metrics.opened[Codec::Json as usize] = 3;
            metrics.opened[Codec::Bincode as usize] = 2;
            metrics.publish();
            metrics.closed[Codec::Json as usize] = 1;
            metrics.publish();
        });
        let shown = recorder.handle().render();
        for line in [
            "klaxon_connections{subprotocol=\"klaxon.v1.json\"} 2",
            "klaxon_connections{subprotocol=\"klaxon.v1.bincode\"} 2",
            "klaxon_connections_opened_total 5",
            "klaxon_connections_closed_total 1",
        ] {
            assert!(shown.contains(line), "{line} in {shown}");
        }
    }
}
