//! All metrics of the server, of engines, gateways and archives alike: what each is called, its kind, its unit, and what it means.
//!
//! A metric is recorded where it happens, by `counter!`, `gauge!` or `histogram!` with the name that stands here. A test of the gateway
//! compares this table with the code and with docs/operations.md.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// What a metric is for those who read `/metrics`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// It only grows; its name ends in `_total`.
    Counter,
    /// It grows and shrinks.
    Gauge,
    /// How often it was in each of some ranges; its name ends in `_seconds`.
    Histogram,
    /// Quantiles of what was recorded lately; recorded as a histogram, without ranges.
    Summary,
}

/// A metric.
#[derive(Debug, Clone)]
pub struct Metric {
    /// What it is called.
    pub name: &'static str,
    /// What it is.
    pub kind: MetricKind,
    /// What its number counts.
    pub unit: Unit,
    /// What it means.
    pub meaning: &'static str,
}

macro_rules! metrics_table {
    ($($name:literal, $kind:ident, $unit:ident, $meaning:literal;)*) => {
        /// All metrics, in the order of docs/operations.md.
        pub const METRICS: &[Metric] = &[
            $(Metric { name: $name, kind: MetricKind::$kind, unit: Unit::$unit, meaning: $meaning }),*
        ];
    };
}

metrics_table! {
    "klaxon_connections", Gauge, Count, "Players' and spectators' WebSocket connections now, by `subprotocol`";
    "klaxon_connections_opened_total", Counter, Count, "WebSocket connections opened";
    "klaxon_connections_closed_total", Counter, Count, "WebSocket connections closed";
    "klaxon_joins_total", Counter, Count, "Connections that got into a show";
    "klaxon_joins_banned_total", Counter, Count, "Connections that were let into no show because of a ban, of the player or of the address";
    "klaxon_frames_sent_total", Counter, Count, "Messages queued for players";
    "klaxon_bytes_sent_total", Counter, Bytes, "Bytes written to players";
    "klaxon_messages_read_total", Counter, Count, "Messages read from players";
    "klaxon_bad_messages_total", Counter, Count, "Messages that could not be understood";
    "klaxon_rate_limited_total", Counter, Count, "Messages refused because there were too many";
    "klaxon_pings_sent_total", Counter, Count, "Pings sent to clients from which nothing came";
    "klaxon_replies_again_total", Counter, Count, "Replies to answers that had one: Redis forgot that an engine had dealt with them";
    "klaxon_handshakes_total", Counter, Count, "Players' handshakes, by the `subprotocol` that the client asked for";
    "klaxon_handshakes_refused_total", Counter, Count, "Requests to connect that were no WebSocket handshakes, or in no subprotocol that is spoken here, by `port` and `reason`";
    "klaxon_connections_refused_total", Counter, Count, "Connections of players that were refused, as there were as many as there may be";
    "klaxon_shard_queue_length", Gauge, Count, "Messages of the bus that a shard, of the number `shard`, has not processed";
    "klaxon_shard_queue_full_total", Counter, Count, "Times that a gateway read no more from the bus, as a shard had too much to process";
    "klaxon_resyncs_total", Counter, Count, "Snapshots asked for by connections that missed events";
    "klaxon_shed_total", Counter, Count, "Connections closed because they could not keep up";
    "klaxon_answers_read_total", Counter, Count, "Answers handed to the engine";
    "klaxon_answers_counted_total", Counter, Count, "Answers that count";
    "klaxon_answers_refused_total", Counter, Count, "Answers that do not count, by `code` of the error table";
    "klaxon_answers_dropped_total", Counter, Count, "Answers that were read and dropped, as too many waited for the bus";
    "klaxon_answer_seconds", Histogram, Seconds, "From an answer being read to its reply being written";
    "klaxon_shows_set_aside", Gauge, Count, "Shows whose journal is damaged, is not that of a show, or is sealed with a key that is not here";
    "klaxon_shows_being_taken_over", Gauge, Count, "Shows whose journals are read or wait to be read";
    "klaxon_show_inbox_full_total", Counter, Count, "Messages of gateways that found no place in their show's inbox, by `message`";
    "klaxon_journal_reads_refused_total", Counter, Count, "Hosts' requests for journal lines that were refused, as too many were being served";
    "klaxon_archive_shows_set_aside_total", Counter, Count, "Shows whose journal `klaxon archive` read no further, as it does not replay";
    "klaxon_archive_shows_without_key_total", Counter, Count, "Shows whose journal `klaxon archive` can't read before it is given the key that sealed it";
    "klaxon_silent_gateways_total", Counter, Count, "Gateways that did not hand in their answers before a barrier's limit";
    "klaxon_rounds_voided_by_outages_total", Counter, Count, "Questions that were voided because what carries or counts answers was away at their close";
    "klaxon_shows_regained_total", Counter, Count, "Shows whose lease was taken again after Redis had lost it";
    "klaxon_bus_failures_total", Counter, Count, "Calls to Redis by the bus that failed, by `what`; each is tried again";
    "klaxon_bus_resent_total", Counter, Count, "Times that a show's messages were sent again to a Redis that had lost them";
    "klaxon_bus_fenced_total", Counter, Count, "Shows that had events to publish when they had a newer lease already";
    "klaxon_bus_refused_total", Counter, Count, "Entries of the bus that were not read, by `reason`";
    "klaxon_bus_queue_length", Gauge, Count, "How much is in the bus's queues, by `queue`";
    "klaxon_bus_queue_full_total", Counter, Count, "Messages for which a queue of the bus had no room, by `queue`";
    "klaxon_cache_hits_total", Counter, Count, "Shows by their code that this gateway knew";
    "klaxon_cache_misses_total", Counter, Count, "Shows by their code that Redis had to be asked for";
    "klaxon_clock_offset_seconds", Gauge, Seconds, "The offset of this process's clock to its machine's";
    "klaxon_clock_uncertainty_seconds", Gauge, Seconds, "How wrong this process's clock may be, either way";
    "klaxon_clock_jumps_total", Counter, Count, "Times that Redis' clock was seen to jump";
    "klaxon_journal_append_seconds", Histogram, Seconds, "From an append to the journal being asked for to its being kept";
    "klaxon_journal_group_records", Summary, Count, "Records that were written together";
    "klaxon_journal_bytes_total", Counter, Bytes, "Bytes written to the journal";
    "klaxon_journal_write_failures_total", Counter, Count, "Writes to the journal that failed; each is tried again";
    "klaxon_journal_sync_failures_total", Counter, Count, "Syncs of the journal that failed after their interval; a power cut would take what was written";
    "klaxon_journal_refills_total", Counter, Count, "Times that Redis had lost records of a show's journal and got them again";
    "klaxon_journal_requests", Gauge, Count, "Appends to the journal's files that are under way or wait";
    "klaxon_kafka_in_flight_bytes", Gauge, Bytes, "Bytes sent to Kafka and not acknowledged yet";
    "klaxon_kafka_behind_records", Gauge, Count, "Records that Kafka does not have yet; they wait on this engine's disk";
    "klaxon_kafka_errors_total", Counter, Count, "Troubles on the way to Kafka; what was sent is sent again";
    "klaxon_spool_failures_total", Counter, Count, "Writes to the spool that failed; the show is in Redis, and Kafka gets it when the disk takes it";
    "klaxon_archive_behind_records", Gauge, Count, "Records in Kafka that this archive has not read yet";
    "klaxon_archive_records_total", Counter, Count, "Records whose content is in the archive's database";
    "klaxon_archive_last_write_seconds", Gauge, Seconds, "When the archive's database took a batch last, in seconds since 1970";
    "klaxon_archive_failures_total", Counter, Count, "Times that the archive's database or Kafka failed; each is tried again";
    "klaxon_archive_people_ahead", Gauge, Count, "Person records that this archive has read before the journals' records that need them";
    "klaxon_archive_damaged_total", Counter, Count, "Messages in the journals' topic that are no records";
    "klaxon_hosts", Gauge, Count, "Hosts connected to the admin socket";
    "klaxon_host_messages_total", Counter, Count, "Messages of hosts that were understood";
    "klaxon_hosts_shed_total", Counter, Count, "Hosts whose connection was closed because they could not keep up";
    "klaxon_admin_unauthorized_total", Counter, Count, "Requests to the admin port without the admin token";
}

/// Tells the recorder that is installed what all metrics mean.
pub fn describe() {
    for Metric { name, kind, unit, meaning } in METRICS {
        match kind {
            MetricKind::Counter => describe_counter!(*name, *unit, *meaning),
            MetricKind::Gauge => describe_gauge!(*name, *unit, *meaning),
            MetricKind::Histogram | MetricKind::Summary => describe_histogram!(*name, *unit, *meaning),
        }
    }
}
