//! What the engine counts for an operator, and what each figure means.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// Tells the recorder that is installed what the engine's figures mean.
pub fn describe() {
    describe_gauge!("klaxon_shows_set_aside", "Shows whose journal is damaged or does not tell a show");
    describe_counter!(
        "klaxon_archive_shows_set_aside_total",
        "Shows whose journal `klaxon archive` read no further, as it does not replay"
    );
    describe_counter!("klaxon_answers_counted_total", "Answers that count");
    describe_counter!("klaxon_answers_refused_total", "Answers that do not count, by `code` of the error table");
    describe_counter!(
        "klaxon_silent_gateways_total",
        "Gateways that did not hand in their answers before a barrier's limit"
    );
    describe_histogram!(
        "klaxon_journal_append_seconds",
        Unit::Seconds,
        "From an append to the journal being asked for to its being kept"
    );
    describe_histogram!("klaxon_journal_group_records", "Records that were written together");
    describe_counter!("klaxon_journal_bytes_total", Unit::Bytes, "Bytes written to the journal");
    describe_counter!("klaxon_journal_write_failures_total", "Writes to the journal that failed; each is tried again");
    describe_counter!(
        "klaxon_journal_sync_failures_total",
        "Syncs of the journal that failed after their interval; a power cut would take what was written"
    );
    describe_gauge!(
        "klaxon_kafka_behind_records",
        "Records that Kafka does not have yet; they wait on this engine's disk"
    );
    describe_counter!("klaxon_kafka_errors_total", "Troubles on the way to Kafka; what was sent is sent again");
    describe_counter!(
        "klaxon_spool_failures_total",
        "Writes to the spool that failed; the show is in Redis, and Kafka gets it when the disk takes it"
    );
    describe_counter!(
        "klaxon_journal_refills_total",
        "Times that Redis had lost a show's journal and was given it again"
    );
    describe_gauge!("klaxon_archive_behind_records", "Records in Kafka that this archive has not read yet");
    describe_counter!("klaxon_archive_records_total", "Records whose content is in the archive's database");
    describe_gauge!(
        "klaxon_archive_last_write_seconds",
        "When the archive's database took a batch last, in seconds since 1970"
    );
    describe_counter!(
        "klaxon_archive_failures_total",
        "Times that the archive's database or Kafka failed; each is tried again"
    );
    describe_counter!("klaxon_archive_damaged_total", "Messages in the journals' topic that are no records");
}
