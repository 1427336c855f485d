//! What the documents say of the gateway is what it does: its close codes, its limits, its metrics.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use klaxon_gateway::admin::{MOST_HOSTS, MOST_UNANSWERED, MOST_WAITING};
use klaxon_gateway::cli::{Command, CommandLine, Klaxon};
use klaxon_gateway::link::metrics_table::{METRICS, Metric, MetricKind};
use klaxon_gateway::session::Close;
use klaxon_gateway::settings::GatewaySettings;
use klaxon_gateway::transport::MAX_BACKLOG;
use klaxon_protocol::host::LARGEST_HOST_MESSAGE;
use klaxon_protocol::player::LARGEST_MESSAGE;

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn document(name: &str) -> String {
    fs::read_to_string(top().join("docs").join(name)).unwrap()
}

/// The rows of the table with this head, from a document.
fn table<'d>(document: &'d str, head: &str) -> Vec<&'d str> {
    let (_, rest) = document.split_once(&format!("\n{head}\n")).unwrap();
    rest.lines().skip(1).take_while(|line| line.starts_with('|')).collect()
}

/// What `klaxon serve` gives its players if the operator chooses nothing.
fn defaults() -> GatewaySettings {
    let dir = tempfile::tempdir().unwrap();
    let data_dir = format!("--data-dir={}", dir.path().display());
    let words = ["klaxon", "serve", &data_dir].map(Into::into).to_vec();
    let Ok(CommandLine::Run(Klaxon { command: Command::Serve(options) })) = Klaxon::from_words(words) else { panic!() };
    options.players.settings(&options.common).unwrap()
}

#[test]
fn the_close_codes_are_those_of_the_code() {
    let rows: Vec<String> = Close::ALL
        .iter()
        .map(|close| format!("| {} | `{}` | {} |", close.code(), close.name(), close.meaning()))
        .collect();
    assert_eq!(table(&document("protocol.md"), "| code | reason | what it means |"), rows);
}

#[test]
fn the_limits_of_players_are_the_defaults() {
    let settings = defaults();
    let GatewaySettings { burst, outstanding_answers, connections_per_player, .. } = settings;
    let messages_per_second = settings.players.limits.messages_per_second;
    let (join, flood) = (settings.players.limits.join_timeout.0 / 1000, GatewaySettings::FLOOD);
    let (outbox, on_the_wire) = (settings.players.limits.outbox_bytes >> 10, GatewaySettings::LARGEST_ON_WIRE >> 10);
    let overhead = GatewaySettings::FRAME_OVERHEAD;
    let limits = [
        (
            "size of a message",
            format!("{LARGEST_MESSAGE} bytes; {on_the_wire} KiB on the wire, however it is cut into fragments"),
        ),
        ("messages, WebSocket pings included", format!("{messages_per_second} a second on average, {burst} at once")),
        ("answers without a reply", format!("{outstanding_answers} for each connection")),
        ("connections of a player", format!("{connections_per_player} in a show")),
        ("time until `join`", format!("{join} seconds")),
        ("unread bytes waiting for you", format!("{outbox} KiB, each message counted with {overhead} more")),
    ];
    let document = document("protocol.md");
    let rows = table(&document, "| what | how much | beyond it |");
    assert_eq!(rows.len(), limits.len());
    for (row, (what, how_much)) in rows.into_iter().zip(&limits) {
        assert!(row.starts_with(&format!("| {what} | {how_much} | ")), "{how_much}: {row}");
    }
    for sentence in [
        format!("; {flood} refusals without a pause between them close the connection with 4029"),
        format!("A connection that has not joined after {join} seconds is closed with 4001."),
        format!("A player can have up to {connections_per_player} connections."),
        format!("\"heartbeat\":{}", settings.players.limits.heartbeat.0),
    ] {
        assert!(document.contains(&sentence), "{sentence}");
    }
}

#[test]
fn the_limits_of_hosts_are_those_of_the_code() {
    let protocol = document("protocol.md");
    let largest = LARGEST_HOST_MESSAGE >> 20;
    assert!(protocol.contains(&format!("A message may be {largest} MiB large")), "{largest} MiB");
    assert!(protocol.contains(&format!("Up to {MOST_UNANSWERED} messages may wait")), "{MOST_UNANSWERED}");
    let operations = document("operations.md");
    assert!(operations.contains(&format!("off when {MOST_WAITING} messages wait for it")), "{MOST_WAITING}");
}

#[test]
fn the_limits_of_the_gateways_queues_are_those_of_the_code() {
    let (settings, document) = (defaults(), document("operations.md"));
    let rows = table(&document, "| queue | holds | at most | when there is no room | metric |");
    let limits = [
        ("a shard's backlog", format!("{} a shard", thousands(MAX_BACKLOG))),
        ("displacements, in the same backlog", format!("{} for each shard of the gateway", thousands(2 * MAX_BACKLOG))),
        ("answers for an engine", settings.batch_of.to_string()),
        ("a host's outbox", format!("{MOST_WAITING} a host, {MOST_HOSTS} hosts")),
        ("a host's requests", format!("{MOST_UNANSWERED} a host")),
    ];
    for (queue, limit) in limits {
        let row = rows.iter().find(|row| row.starts_with(&format!("| {queue} | "))).unwrap();
        assert_eq!(row.split('|').nth(3).map(str::trim), Some(&*limit), "{queue}");
    }
    for row in rows {
        for name in row.split('|').nth(5).unwrap().split('`').skip(1).step_by(2) {
            assert!(METRICS.iter().any(|metric| metric.name == name), "{name}");
        }
    }
}

/// With a comma between thousands.
fn thousands(number: usize) -> String {
    format!("{},{:03}", number / 1000, number % 1000)
}

/// The Rust files under a directory.
fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// By what a metric is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum RecordedBy {
    Counter,
    Gauge,
    Histogram,
    /// Its name is in a list or a variable.
    Name,
}

/// The code of engine and gateway without tests and comments, a text for each file.
fn server_code() -> Vec<String> {
    let mut files = Vec::new();
    sources(&top().join("engine/src"), &mut files);
    sources(&top().join("gateway/src"), &mut files);
    files.retain(|file| !file.ends_with("metrics_table.rs"));
    let code = |file: PathBuf| {
        let text = fs::read_to_string(file).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
    };
    files.into_iter().map(code).collect()
}

/// The metrics that engine and gateway record, and by what.
fn recorded() -> BTreeMap<String, BTreeSet<RecordedBy>> {
    let mut metrics: BTreeMap<String, BTreeSet<RecordedBy>> = BTreeMap::new();
    for (name, by) in server_code().iter().flat_map(|code| recorded_in(code)) {
        metrics.entry(name).or_default().insert(by);
    }
    metrics
}

/// The levels at which this code logs a message that begins with these words.
fn levels(code: &str, message: &str) -> Vec<String> {
    let begin = format!("\"{message}");
    let macros =
        code.match_indices(&begin).filter_map(|(at, _)| code[..at].rsplit_once("tracing::")?.1.split_once('!'));
    macros.map(|(level, _)| level.to_uppercase()).collect()
}

#[test]
fn the_messages_of_the_page_are_logged_at_their_levels() {
    let (page, code) = (document("operations.md"), server_code());
    let rows = table(&page, "| level | message | meaning |");
    assert!(rows.len() > 10, "{rows:?}");
    for row in rows {
        let [_, level, message, ..] = row.split('|').map(|cell| cell.trim().trim_matches('`')).collect::<Vec<_>>()[..]
        else {
            panic!("{row}")
        };
        let logged: Vec<String> = code.iter().flat_map(|code| levels(code, message)).collect();
        assert!(logged.iter().any(|logged| logged == level), "`{message}` is logged at {logged:?}");
    }
}

/// The metrics that are recorded in this code, and by what.
fn recorded_in(code: &str) -> Vec<(String, RecordedBy)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("\"klaxon_") {
        let name = code[at + 1..].split('"').next().unwrap_or_default();
        if !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') {
            continue;
        }
        let before = code[..at].trim_end();
        let by = [
            ("counter!(", RecordedBy::Counter),
            ("gauge!(", RecordedBy::Gauge),
            ("histogram!(", RecordedBy::Histogram),
        ];
        let by = by.into_iter().find(|(call, _)| before.ends_with(call)).map_or(RecordedBy::Name, |(_, by)| by);
        found.push((name.to_owned(), by));
    }
    found
}

#[test]
fn how_a_metric_is_recorded_is_seen_in_the_code() {
    let code = r#"
        metrics::counter!("klaxon_ones_total", "why" => why).increment(1);
        gauge!(
            "klaxon_two").set(2.0);
        for name in ["klaxon_three_total"] { counter!(name).increment(3); }
        tracing::info!("klaxon {}", "klaxon.v1.json");
    "#;
    let found = recorded_in(code);
    let wanted = [
        ("klaxon_ones_total", RecordedBy::Counter),
        ("klaxon_two", RecordedBy::Gauge),
        ("klaxon_three_total", RecordedBy::Name),
    ];
    assert_eq!(found, wanted.map(|(name, by)| (name.to_owned(), by)));
}

#[test]
fn each_metric_of_the_table_is_recorded_and_each_that_is_recorded_is_in_the_table() {
    let mut recorded = recorded();
    for Metric { name, kind, .. } in METRICS {
        let by = recorded.remove(*name).unwrap_or_else(|| panic!("{name} is in the table and is not recorded"));
        let right = match kind {
            MetricKind::Counter => RecordedBy::Counter,
            MetricKind::Gauge => RecordedBy::Gauge,
            MetricKind::Histogram | MetricKind::Summary => RecordedBy::Histogram,
        };
        assert!(
            by.iter().all(|&by| by == right || by == RecordedBy::Name),
            "{name} is a {kind:?}, and recorded by {by:?}"
        );
    }
    assert_eq!(recorded.keys().collect::<Vec<_>>(), Vec::<&String>::new(), "recorded, and not in the table");
}

#[test]
fn the_page_has_the_metrics_of_the_table_in_their_order() {
    let document = document("operations.md");
    let rows = table(&document, "| Metric | Kind | Meaning |");
    let documented: Vec<String> = rows.iter().map(|row| row.split('|').take(3).collect::<Vec<_>>().join("|")).collect();
    let wanted: Vec<String> = METRICS
        .iter()
        .map(|Metric { name, kind, .. }| format!("| `{name}` | {} ", format!("{kind:?}").to_lowercase()))
        .collect();
    assert_eq!(documented, wanted);
}

#[test]
fn the_kind_of_a_metric_shows_in_its_name() {
    let document = document("operations.md");
    for row in table(&document, "| Metric | Kind | Meaning |") {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let (name, kind) = (cells[1].trim_matches('`'), cells[2]);
        match kind {
            "counter" => assert!(name.ends_with("_total"), "{row}"),
            "histogram" => assert!(name.ends_with("_seconds"), "{row}"),
            // One that ends in `_seconds` is so many seconds, and no histogram, for it says so.
            "gauge" | "summary" => assert!(!name.ends_with("_total"), "{row}"),
            _ => panic!("{row}"),
        }
        assert_eq!(cells.len(), 5, "{row}");
    }
}
