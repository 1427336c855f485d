//! What the documents say of the gateway is what it does: its close codes, its limits, its metrics.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use klaxon_gateway::admin::{MOST_HOSTS, MOST_UNANSWERED, MOST_WAITING};
use klaxon_gateway::cli::{Command, CommandLine, Klaxon};
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
    let messages_per_second = settings.limits.messages_per_second;
    let (join, flood) = (settings.limits.join_timeout.0 / 1000, GatewaySettings::FLOOD);
    let (outbox, on_the_wire) = (settings.limits.outbox_bytes >> 10, GatewaySettings::LARGEST_ON_WIRE >> 10);
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
        format!("\"heartbeat\":{}", settings.limits.heartbeat.0),
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
    let metrics = metrics_in_the_sources();
    for row in rows {
        for metric in row.split('|').nth(5).unwrap().split('`').skip(1).step_by(2) {
            assert!(metrics.contains_key(metric), "{metric}");
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

/// The metrics that stand in the sources of engine and gateway, outside of tests, and how often.
fn metrics_in_the_sources() -> BTreeMap<String, usize> {
    let mut files = Vec::new();
    sources(&top().join("engine/src"), &mut files);
    sources(&top().join("gateway/src"), &mut files);
    let mut metrics = BTreeMap::new();
    for file in files {
        let text = fs::read_to_string(file).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        for rest in code.split("\"klaxon_").skip(1) {
            let name = rest.split('"').next().unwrap_or_default();
            if name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') {
                *metrics.entry(format!("klaxon_{name}")).or_default() += 1;
            }
        }
    }
    metrics
}

#[test]
fn the_metrics_are_those_of_the_code_and_each_is_described() {
    let document = document("operations.md");
    let mut documented: Vec<&str> = table(&document, "| Metric | Kind | Meaning |")
        .iter()
        .map(|row| row.strip_prefix("| `").unwrap().split('`').next().unwrap())
        .collect();
    documented.sort_unstable();
    let metrics = metrics_in_the_sources();
    assert_eq!(documented, metrics.keys().collect::<Vec<_>>());
    for (metric, times) in metrics {
        assert!(times > 1, "{metric} is recorded or described, not both");
    }
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
