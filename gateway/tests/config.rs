//! Options by flag, environment and file: the first that says something wins, and a wrong value is told with its origin.

#![allow(clippy::unwrap_used)]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use clap::CommandFactory;
use klaxon_gateway::cli::Klaxon;

/// The commands whose options can be given by environment and in a file, too.
const CONFIGURED: [&str; 4] = ["serve", "gateway", "engine", "archive"];

/// Runs `klaxon serve` with `--print-config` in a clean environment.
fn print_config(file: Option<&Path>, environment: &[(&str, &str)], flags: &[&str]) -> Output {
    print_config_of("serve", file, environment, flags)
}

fn print_config_of(name: &str, file: Option<&Path>, environment: &[(&str, &str)], flags: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_klaxon"));
    command.env_clear().envs(environment.iter().copied()).args([name, "--print-config"]).args(flags);
    if let Some(file) = file {
        command.arg("--config").arg(file);
    }
    command.output().unwrap()
}

fn config_file(dir: &tempfile::TempDir, text: &str) -> PathBuf {
    let path = dir.path().join("klaxon.toml");
    std::fs::write(&path, text).unwrap();
    // Whatever the umask: a file that others can write to is refused.
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path
}

#[track_caller]
fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[track_caller]
fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_flag_wins_over_the_environment_the_environment_over_the_file_the_file_over_the_default() {
    let dir = tempfile::tempdir().unwrap();
    let text = "listen = \"10.0.0.1:1\"\nheartbeat = \"11s\"\nshards = 3\n";
    let file = config_file(&dir, text);
    let environment = [("KLAXON_LISTEN", "10.0.0.1:2"), ("KLAXON_HEARTBEAT", "12s")];
    let shown = printed(&print_config(Some(&file), &environment, &["--listen", "10.0.0.1:3"]));
    assert!(shown.contains("listen = \"10.0.0.1:3\" # the flag --listen"), "{shown}");
    assert!(shown.contains("heartbeat = \"12s\" # the environment variable KLAXON_HEARTBEAT"), "{shown}");
    assert!(shown.contains(&format!("shards = \"3\" # the file {}", file.display())), "{shown}");
    assert!(shown.contains("admin-listen = \"127.0.0.1:4701\" # the default"), "{shown}");
    assert!(shown.contains("# max-connections is not set"), "{shown}");
}

#[test]
fn the_file_can_be_named_by_the_environment() {
    let dir = tempfile::tempdir().unwrap();
    let file = config_file(&dir, "shards = 5\n");
    let environment = [("KLAXON_CONFIG", file.to_str().unwrap())];
    assert!(printed(&print_config(None, &environment, &[])).contains("shards = \"5\""));
}

#[test]
fn what_is_printed_is_a_file_with_the_same_values() {
    let dir = tempfile::tempdir().unwrap();
    let first = printed(&print_config(None, &[], &["--shards=4", "--log", "json"]));
    let values = |text: &str| -> Vec<String> {
        text.lines().filter_map(|line| line.split(" # ").next()).map(str::to_owned).collect()
    };
    let second = printed(&print_config(Some(&config_file(&dir, &first)), &[], &[]));
    assert_eq!(values(&second), values(&first));
}

#[test]
fn a_wrong_value_is_refused_with_key_value_origin_and_what_is_allowed() {
    let dir = tempfile::tempdir().unwrap();
    let file = config_file(&dir, "heartbeat = \"soon\"\n");
    let origin = format!("the file {}", file.display());
    for (output, key, value, origin, allowed) in [
        (print_config(None, &[], &["--shards", "0"]), "shards", "0", "the flag --shards", "from 1 to 256"),
        (print_config(None, &[], &["--shards=x"]), "shards", "x", "the flag --shards", "from 1 to 256"),
        (
            print_config(None, &[("KLAXON_LISTEN", "nowhere")], &[]),
            "listen",
            "nowhere",
            "the environment variable KLAXON_LISTEN",
            "such as 127.0.0.1:4700",
        ),
        (print_config(Some(&file), &[], &[]), "heartbeat", "soon", &origin[..], "such as 500ms, 10s"),
        (print_config(None, &[], &["--guests", "some"]), "guests", "some", "the flag --guests", "`allow` or `refuse`"),
        (print_config(None, &[], &["--log-filter", "a=b=c"]), "log-filter", "a=b=c", "the flag --log-filter", "levels"),
    ] {
        let message = refused(&output);
        assert!(message.starts_with(&format!("error: {key}: {value:?} (from {origin}) must be")), "{message}");
        assert!(message.contains(allowed), "{message}");
    }
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_known_one() {
    let dir = tempfile::tempdir().unwrap();
    let file = config_file(&dir, "max_connections = 5\nconfig = \"other.toml\"\n");
    let message = refused(&print_config(Some(&file), &[], &[]));
    assert!(message.contains("there is no key `max_connections`; did you mean `max-connections`?"), "{message}");
    assert!(message.contains("there is no key `config`"), "{message}");
}

#[test]
fn a_file_that_is_not_there_is_reported() {
    let message = refused(&print_config(Some(Path::new("no-such-file.toml")), &[], &[]));
    assert!(message.starts_with("error: no-such-file.toml: "), "{message}");
}

#[test]
fn a_server_without_players_is_refused() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_klaxon"));
    let output = command.env_clear().args(["serve", "--guests", "refuse"]).output().unwrap();
    let message = refused(&output);
    assert!(message.contains("guests: \"refuse\" (from the flag --guests) needs a `jwt-key-file`"), "{message}");
}

#[test]
fn every_command_takes_its_options_from_flag_environment_and_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = config_file(&dir, "log = \"json\"\nadmin-listen = \"10.0.0.1:9\"\n");
    for name in CONFIGURED {
        let environment = [("KLAXON_DATA_DIR", "somewhere")];
        let shown = printed(&print_config_of(name, Some(&file), &environment, &["--admin-listen", "10.0.0.1:8"]));
        assert!(shown.contains("admin-listen = \"10.0.0.1:8\" # the flag"), "{name}: {shown}");
        assert!(
            shown.contains("data-dir = \"somewhere\" # the environment variable KLAXON_DATA_DIR"),
            "{name}: {shown}"
        );
        assert!(shown.contains("log = \"json\" # the file"), "{name}: {shown}");
        let wrong = tempfile::tempdir().unwrap();
        let message = refused(&print_config_of(name, Some(&config_file(&wrong, "lissten = 1\n")), &[], &[]));
        assert!(message.contains("there is no key `lissten`"), "{name}: {message}");
    }
}

#[test]
fn a_server_that_is_needed_and_was_not_named_is_asked_for_with_an_example() {
    for (name, key, flags) in [
        ("gateway", "redis", &[][..]),
        ("engine", "redis", &[]),
        ("engine", "kafka", &["--redis=redis://127.0.0.1:1"]),
        ("archive", "kafka", &[]),
        ("archive", "database", &["--kafka=127.0.0.1:1"]),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_klaxon"));
        let message = refused(&command.env_clear().arg(name).args(flags).output().unwrap());
        assert!(message.starts_with(&format!("error: {key}: must be given, such as --{key} ")), "{message}");
    }
}

#[test]
fn no_password_shows() {
    let secrets =
        [("KLAXON_REDIS", "redis://:hush@a:1,redis://:hush@b:2"), ("KLAXON_DATABASE", "mysql://me:hush@db/k")];
    let output = |name: &str, words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_klaxon"));
        let output = command.env_clear().envs(secrets).arg(name).args(words).output().unwrap();
        [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat()
    };
    for name in CONFIGURED {
        for words in
            [&["--print-config"][..], &["--help"], &["--redis=rodis://:hush@a"], &["--database=hush://:hush@a"]]
        {
            let said = output(name, words);
            assert!(!said.contains(":hush"), "{name} {words:?}: {said}");
        }
    }
    let shown = output("gateway", &["--print-config"]);
    assert!(shown.contains("# without its password: redis = \"redis://:***@a:1,redis://:***@b:2\""), "{shown}");
}

#[test]
fn engines_and_gateways_have_no_way_to_a_database() {
    let klaxon = Klaxon::command();
    for (name, has) in [("gateway", false), ("engine", false), ("archive", true)] {
        let command = klaxon.find_subcommand(name).unwrap();
        assert_eq!(command.get_arguments().any(|arg| arg.get_long() == Some("database")), has, "{name}");
    }
}

/// The table of a command's options as docs/operations.md must have it.
fn option_table(name: &str) -> String {
    let command = Klaxon::command();
    let mut table = "| Option | Environment | Default | Meaning |\n| --- | --- | --- | --- |\n".to_owned();
    for arg in command.find_subcommand(name).unwrap().get_arguments() {
        let Some(long) = arg.get_long().filter(|long| *long != "help") else { continue };
        let help = arg.get_help().unwrap().to_string();
        let (meaning, computed) = match help.split_once(" Default: ") {
            Some((meaning, default)) => (meaning, Some(default.trim_end_matches('.').to_owned())),
            None => (help.trim_end_matches('.'), None),
        };
        let environment = arg.get_env().map(|name| format!("`{}`", name.to_str().unwrap())).unwrap_or_default();
        let given = arg.get_default_values().first().map(|value| format!("`{}`", value.to_str().unwrap()));
        let is_switch = !arg.get_action().takes_values();
        let default = if is_switch { String::new() } else { given.or(computed).unwrap() };
        let meaning = meaning.trim_end_matches('.');
        table += &format!("| `--{long}` | {environment} | {default} | {meaning}. |\n");
    }
    table
}

#[test]
fn the_docs_list_every_option_as_it_is() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operations.md");
    let docs = std::fs::read_to_string(&path).unwrap();
    let mut updated = docs.clone();
    for name in CONFIGURED {
        let head = format!("<!-- options of klaxon {name}: a test compares this table with the command -->\n");
        let (before, rest) = updated.split_once(&head).expect("each command has its place");
        let (_, after) = rest.split_once("<!-- end of options -->").expect("the table ends");
        updated = format!("{before}{head}{}<!-- end of options -->{after}", option_table(name));
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, updated).unwrap();
        return;
    }
    assert!(docs == updated, "docs/operations.md has other options; UPDATE_DOCS=1 corrects it");
}
