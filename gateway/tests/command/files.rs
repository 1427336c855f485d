//! Files that others could read, change or put there are refused at the start, with what to do; what the server makes is its own.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::program::Program;
use crate::server::{Server, clean, klaxon};

const ANYWHERE: [&str; 4] = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Starts `klaxon`, which must end by itself with exit code 2; what it said last.
#[track_caller]
fn refused(words: &[&str]) -> String {
    let mut program = Program::start(&mut klaxon(words));
    let status = program.end();
    assert_eq!(status.code(), Some(2), "{words:?}: {}", program.said.join("\n"));
    program.said.pop().unwrap()
}

#[track_caller]
fn serve_refused(data: &Path, flags: &[&str], parts: &[&str]) {
    let words = [&["serve", "--data-dir", data.to_str().unwrap()][..], &ANYWHERE, flags].concat();
    let message = refused(&words);
    for part in parts.iter().chain(&["error: "]) {
        assert!(message.contains(part), "{part:?} is not in {message}");
    }
}

/// A data directory of a server that has run.
fn used_data(dir: &Path) -> PathBuf {
    let data = dir.join("data");
    let server = Server::start(&data);
    server.host_of_new_show("SHOW");
    server.stop();
    data
}

#[test]
fn what_others_can_change_or_read_is_refused_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let data = used_data(dir.path());

    for mode in [0o777, 0o775] {
        set_mode(&data, mode);
        serve_refused(&data, &[], &["data-dir: ", &format!("(mode {mode:o})"), "`chmod go-w "]);
    }
    set_mode(&data, 0o700);

    let archive = data.join("archive.sqlite");
    for name in ["archive.sqlite", "archive.sqlite-wal"] {
        fs::write(data.join(name), fs::read(data.join(name)).unwrap_or_default()).unwrap();
        set_mode(&data.join(name), 0o666);
        serve_refused(&data, &[], &["data-dir: ", name, "(mode 666)", "`chmod go-w "]);
        set_mode(&data.join(name), 0o600);
    }
    fs::rename(&archive, dir.path().join("elsewhere")).unwrap();
    fs::create_dir(&archive).unwrap();
    serve_refused(&data, &[], &["archive.sqlite is a directory; it must be a regular file"]);
    fs::remove_dir(&archive).unwrap();
    fs::rename(dir.path().join("elsewhere"), &archive).unwrap();

    let journal = fs::read_dir(data.join("journal")).unwrap().map(|entry| entry.unwrap().path());
    let journal = journal.into_iter().find(|path| path.extension().is_some()).unwrap();
    set_mode(&journal, 0o622);
    serve_refused(&data, &[], &[".klxj: others can write to it (mode 622)", "`chmod go-w "]);
    set_mode(&journal, 0o600);

    let shared = dir.path().join("shared");
    fs::create_dir(&shared).unwrap();
    set_mode(&shared, 0o777);
    fs::rename(data.join("journal"), dir.path().join("kept")).unwrap();
    symlink(&shared, data.join("journal")).unwrap();
    serve_refused(&data, &[], &["data/journal: ", "shared: others can write to it (mode 777)", "`chmod go-w "]);
    fs::create_dir(shared.join("ours")).unwrap();
    fs::remove_file(data.join("journal")).unwrap();
    symlink(shared.join("ours"), data.join("journal")).unwrap();
    serve_refused(&data, &[], &["data/journal: ", "shared: others can write to it (mode 777)"]);
    fs::remove_file(data.join("journal")).unwrap();
    fs::rename(dir.path().join("kept"), data.join("journal")).unwrap();

    Server::start(&data).stop();
}

#[test]
fn a_file_that_an_option_names_is_refused_too() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let fifo = dir.path().join("fifo");
    rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, rustix::fs::Mode::from_raw_mode(0o600)).unwrap();
    let file = dir.path().join("file");
    for option in ["admin-token-file", "secret-file", "jwt-key-file", "config"] {
        // A configuration is named by its path alone.
        let named = if option == "config" { "error: ".to_owned() } else { format!("{option}: ") };
        let flag = |path: &Path| format!("--{option}={}", path.display());
        serve_refused(&data, &[&flag(&fifo)], &[&named, "is a FIFO; it must be a regular file"]);
        serve_refused(&data, &[&flag(Path::new("/dev/zero"))], &["is a device; it must be a regular file"]);
        fs::write(&file, "").unwrap();
        set_mode(&file, 0o666);
        serve_refused(&data, &[&flag(&file)], &[&named, "(mode 666)", "`chmod go-w "]);
        if rustix::process::geteuid().is_root() {
            set_mode(&file, 0o600);
            std::os::unix::fs::chown(&file, Some(4242), None).unwrap();
            serve_refused(&data, &[&flag(&file)], &["belongs to another user (uid 4242", "`chown -h 0 "]);
        }
        fs::remove_file(&file).unwrap();
    }

    let config = format!("--config={}", file.display());
    fs::write(&file, "redis = \"redis://:hush@127.0.0.1:1\"\n").unwrap();
    for (mode, is_refused) in [(0o644, true), (0o640, true), (0o600, false)] {
        set_mode(&file, mode);
        let words = ["gateway", "--print-config", &config];
        if is_refused {
            let message = refused(&words);
            assert!(message.contains(&format!("can be read by others (mode {mode:o}); run `chmod 600 ")), "{message}");
            assert!(!message.contains("hush"), "{message}");
        } else {
            assert!(klaxon(&words).output().unwrap().status.success());
        }
    }
    let token = dir.path().join("token");
    fs::write(&token, "x".repeat(32)).unwrap();
    set_mode(&token, 0o600);
    serve_refused(
        &data,
        &[&format!("--admin-token-file={}", token.display())],
        &["can be guessed", "openssl rand -hex 32"],
    );
    let words = [&format!("--jwt-key-file={}", token.display()), "--jwt-algorithm=hs256"];
    serve_refused(&data, &words, &["can be guessed", "openssl rand -hex 32"]);
}

#[test]
fn all_that_a_server_makes_is_for_its_user_only_whatever_the_umask() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("deep/data");
    let mut command = Command::new("sh");
    clean(&mut command).args([
        "-c",
        "umask 000; exec \"$0\" \"$@\"",
        env!("CARGO_BIN_EXE_klaxon"),
        "serve",
        "--data-dir",
    ]);
    let mut server = Program::start(command.arg(&data).args(ANYWHERE));
    server.wait_for(&["ready", "players="]);
    let mut seen = Vec::new();
    let mut left = vec![dir.path().join("deep")];
    while let Some(path) = left.pop() {
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
        if path.is_dir() {
            left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            seen.push(path.file_name().unwrap().to_str().unwrap().to_owned());
        }
    }
    server.stop();
    for name in ["addresses.json", "admin.token", "archive.sqlite", "lock", "resume.secret"] {
        assert!(seen.iter().any(|file| file == name), "{name} is not among {seen:?}");
    }
}
