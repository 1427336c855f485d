//! What the engine counts for an operator, and what each figure means.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// Tells the recorder that is installed what the engine's figures mean.
pub fn describe() {
    describe_gauge!("klaxon_shows_set_aside", "Shows whose journal is damaged or does not tell a show");
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
    describe_counter!("klaxon_bus_failures_total", "Calls to the bus that failed, by `what`; each is made again");
    describe_counter!(
        "klaxon_bus_fenced_total",
        "Times that a show was found to have a newer lease than this engine's"
    );
    describe_counter!(
        "klaxon_bus_said_again_total",
        "Times that Redis had lost what a gateway said, and was told again"
    );
    describe_counter!("klaxon_answers_dropped_total", "Answers dropped because too many waited for the bus");
    describe_counter!("klaxon_cache_hits_total", "Lookups answered from memory, by `what`");
    describe_counter!("klaxon_cache_misses_total", "Lookups that had to ask, by `what`");
    describe_gauge!(
        "klaxon_clock_offset_seconds",
        Unit::Seconds,
        "What this process's clock is led by, to agree with the one that all have"
    );
    describe_gauge!(
        "klaxon_clock_uncertainty_seconds",
        Unit::Seconds,
        "How wrong this process's clock may be, either way"
    );
    describe_counter!("klaxon_clock_jumps_total", "Sudden changes of the clock that all agree on");
}
