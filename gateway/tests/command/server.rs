//! A real `klaxon serve`, or `klaxon gateway`, on free ports with a data directory of its own.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;
use serde::Deserialize;

use crate::program::Program;

/// Two questions.
pub const PACK: &str = r#"
title = "Two questions"

[[questions]]
text = "Which planet of our solar system is the largest?"
choices = ["Saturn", "Jupiter", "Neptune", "Uranus"]
right = "Jupiter"

[[questions]]
text = "Is 91 a prime number?"
choices = ["Yes", "No"]
right = "No"
"#;

/// The program with nothing of this process's `KLAXON_*` variables.
pub fn klaxon(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_klaxon"));
    clean(&mut command).args(words);
    command
}

pub fn clean(command: &mut Command) -> &mut Command {
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("KLAXON_")) {
        command.env_remove(name);
    }
    command
}

#[derive(Deserialize)]
pub struct Addresses {
    pub players: SocketAddr,
    pub admin: SocketAddr,
}

impl Addresses {
    pub fn read(data: &Path) -> Self {
        serde_json::from_slice(&std::fs::read(data.join("addresses.json")).unwrap()).unwrap()
    }
}

pub struct Server {
    pub program: Program,
    pub addresses: Addresses,
    pub data: PathBuf,
}

impl Server {
    #[track_caller]
    pub fn start(data: &Path) -> Self {
        Self::start_as(data, &["serve"])
    }

    /// Starts a command that has players and hosts, with these further flags.
    #[track_caller]
    pub fn start_as(data: &Path, words: &[&str]) -> Self {
        let anywhere = "127.0.0.1:0";
        let mut command = klaxon(words);
        command.args(["--listen", anywhere, "--admin-listen", anywhere, "--data-dir"]);
        let mut program = Program::start(command.arg(data));
        program.wait_for(&["ready", "players="]);
        Self { program, addresses: Addresses::read(data), data: data.to_owned() }
    }

    fn host_command(&self, flags: &[&str]) -> Command {
        let mut command = klaxon(&["host", "--admin", &self.addresses.admin.to_string(), "--token-file"]);
        command.arg(self.data.join("admin.token")).args(flags);
        command
    }

    /// A host who takes orders on standard input.
    #[track_caller]
    pub fn host(&self, flags: &[&str]) -> Program {
        let mut host = Program::start(&mut self.host_command(flags));
        host.wait_for(&["show "]);
        host
    }

    /// A new show of two questions in points mode, with its lobby open and time enough for every test.
    #[track_caller]
    pub fn host_of_new_show(&self, code: &str) -> Program {
        self.host_of_show_with(code, &[])
    }

    /// The same with these further flags.
    #[track_caller]
    pub fn host_of_show_with(&self, code: &str, more: &[&str]) -> Program {
        let pack = self.data.with_extension("toml");
        std::fs::write(&pack, PACK).unwrap();
        let flags = ["--pack", pack.to_str().unwrap(), "--code", code, "--mode", "points", "--open-for", "10min"];
        let mut host = self.host(&[&flags, more].concat());
        host.send("open");
        host.wait_for(&["ok: open: done"]);
        host
    }

    /// What `klaxon host --list` prints.
    pub fn list(&self) -> String {
        let output = self.host_command(&["--list"]).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    }

    /// The journal of the one show there is.
    pub fn journal(&self) -> PathBuf {
        let files = std::fs::read_dir(self.data.join("journal")).unwrap().map(|entry| entry.unwrap().path());
        let journals: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|end| end == "klxj")).collect();
        let [journal] = &journals[..] else { panic!("{journals:?}") };
        journal.clone()
    }

    /// What `/metrics` says.
    pub fn metrics(&self) -> String {
        let token = std::fs::read_to_string(self.data.join("admin.token")).unwrap();
        get(self.addresses.admin, "/metrics", &format!("Authorization: Bearer {}\r\n", token.trim()))
    }

    /// Tells it to stop: it ends well, and nothing is left of it but its data.
    #[track_caller]
    pub fn stop(mut self) {
        self.program.signal(Signal::TERM);
        let status = self.program.end();
        assert_eq!(status.code(), Some(0), "{}", self.program.said.join("\n"));
        assert!(!self.data.join("addresses.json").exists());
        for address in [self.addresses.players, self.addresses.admin] {
            assert!(TcpStream::connect(address).is_err(), "somebody listens at {address}");
        }
    }
}

/// The whole response to a plain request.
pub fn get(address: SocketAddr, path: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n").unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    response
}
