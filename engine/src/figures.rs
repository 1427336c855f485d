//! What the engine counts for an operator, and what each figure means.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

macro_rules! figures {
    ($($describe:ident $name:literal $(in $unit:ident)?: $meaning:literal;)*) => {
        /// Tells the recorder that is installed what the engine's figures mean.
        pub fn describe() {
            $($describe!($name, $(Unit::$unit,)? $meaning);)*
        }
    };
}

figures! {
    describe_gauge "klaxon_shows_set_aside": "Shows whose journal is damaged, is not that of a show, or is sealed with a key that is not here";
    describe_gauge "klaxon_shows_being_taken_over": "Shows whose journals are read or wait to be read";
    describe_counter "klaxon_show_inbox_full_total": "Messages of gateways that found no place in their show's inbox, by `message`";
    describe_counter "klaxon_journal_reads_refused_total": "Hosts' requests for journal lines that were refused, as too many were being served";
    describe_counter "klaxon_archive_shows_set_aside_total": "Shows whose journal `klaxon archive` read no further, as it does not replay";
    describe_counter "klaxon_archive_shows_without_key_total": "Shows whose journal `klaxon archive` can't read before it is given the key that sealed it";
    describe_counter "klaxon_answers_dropped_total": "Answers that were read and dropped, as too many waited for the bus";
    describe_counter "klaxon_bus_failures_total": "Calls to Redis by the bus that failed, by `what`; each is tried again";
    describe_counter "klaxon_bus_fenced_total": "Shows that had events to publish when they had a newer lease already";
    describe_counter "klaxon_bus_resent_total": "Times that a show's messages were sent again to a Redis that had lost them";
    describe_counter "klaxon_bus_refused_total": "Entries of the bus that were not read, by `reason`";
    describe_gauge "klaxon_bus_queue_length": "How much is in the bus's queues, by `queue`";
    describe_counter "klaxon_bus_queue_full_total": "Messages for which a queue of the bus had no room, by `queue`";
    describe_counter "klaxon_cache_hits_total": "Shows by their code that this gateway knew";
    describe_counter "klaxon_cache_misses_total": "Shows by their code that Redis had to be asked for";
    describe_counter "klaxon_clock_jumps_total": "Times that Redis' clock was seen to jump";
    describe_gauge "klaxon_clock_offset_seconds" in Seconds: "The offset of this process's clock to its machine's";
    describe_gauge "klaxon_clock_uncertainty_seconds" in Seconds: "How wrong this process's clock may be, either way";
    describe_counter "klaxon_answers_counted_total": "Answers that count";
    describe_counter "klaxon_answers_refused_total": "Answers that do not count, by `code` of the error table";
    describe_counter "klaxon_silent_gateways_total": "Gateways that did not hand in their answers before a barrier's limit";
    describe_counter "klaxon_rounds_voided_by_outages_total": "Questions that were voided because what carries or counts answers was away at their close";
    describe_counter "klaxon_shows_regained_total": "Shows whose lease was taken again after Redis had lost it";
    describe_histogram "klaxon_journal_append_seconds" in Seconds: "From an append to the journal being asked for to its being kept";
    describe_histogram "klaxon_journal_group_records": "Records that were written together";
    describe_counter "klaxon_journal_bytes_total" in Bytes: "Bytes written to the journal";
    describe_counter "klaxon_journal_write_failures_total": "Writes to the journal that failed; each is tried again";
    describe_counter "klaxon_journal_sync_failures_total": "Syncs of the journal that failed after their interval; a power cut would take what was written";
    describe_gauge "klaxon_journal_requests": "Appends to the journal's files that are under way or wait";
    describe_gauge "klaxon_kafka_in_flight_bytes" in Bytes: "Bytes sent to Kafka and not acknowledged yet";
    describe_gauge "klaxon_kafka_behind_records": "Records that Kafka does not have yet; they wait on this engine's disk";
    describe_counter "klaxon_kafka_errors_total": "Troubles on the way to Kafka; what was sent is sent again";
    describe_counter "klaxon_spool_failures_total": "Writes to the spool that failed; the show is in Redis, and Kafka gets it when the disk takes it";
    describe_counter "klaxon_journal_refills_total": "Times that Redis had lost records of a show's journal and got them again";
    describe_gauge "klaxon_archive_behind_records": "Records in Kafka that this archive has not read yet";
    describe_counter "klaxon_archive_records_total": "Records whose content is in the archive's database";
    describe_gauge "klaxon_archive_last_write_seconds": "When the archive's database took a batch last, in seconds since 1970";
    describe_counter "klaxon_archive_failures_total": "Times that the archive's database or Kafka failed; each is tried again";
    describe_counter "klaxon_archive_damaged_total": "Messages in the journals' topic that are no records";
}
