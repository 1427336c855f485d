//! `make run`: the script that starts a server with a lobby open.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use rustix::process::Signal;

use crate::player::{example, python_client};
use crate::program::Program;
use crate::server::{Addresses, clean};

fn script(data: &Path, listen: &str) -> Program {
    let mut command = Command::new("sh");
    clean(&mut command).arg(example("run.sh")).arg(env!("CARGO_BIN_EXE_klaxon"));
    command.env("KLAXON_DATA_DIR", data).env("KLAXON_LISTEN", listen).env("KLAXON_ADMIN_LISTEN", "127.0.0.1:0");
    Program::start(&mut command)
}

fn ready(running: &mut Program, data: &Path) -> Addresses {
    running.wait_for(&["Ctrl-C stops the server"]);
    Addresses::read(data)
}

#[test]
fn it_opens_a_lobby_says_how_to_join_stops_on_ctrl_c_and_goes_on_with_the_show_the_next_time() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    for run in 1..=2 {
        let mut running = script(&data, "127.0.0.1:0");
        let addresses = ready(&mut running, &data);
        assert_eq!(running.said.iter().any(|line| line.contains("of the last run goes on; it is at: lobby")), run == 2);
        assert!(running.said.iter().any(|line| line.contains(&addresses.players.to_string())));
        let mut client = python_client(addresses.players, "KLAXON", &format!("Ann {run}"));
        running.signal(Signal::INT);
        assert!(running.end().success(), "{}", running.said.join("\n"));
        client.wait_for(&["The server closed: 1012 restart"]);
        assert!(std::net::TcpStream::connect(addresses.players).is_err());
    }
}

#[test]
fn it_says_so_if_the_port_is_taken_and_leaves_nothing_running() {
    let dir = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut running = script(&dir.path().join("data"), &taken.local_addr().unwrap().to_string());
    // Its output is closed when the server is gone, too.
    assert_eq!(running.end().code(), Some(1));
    let said = running.said.join("\n");
    assert!(said.contains("error: listen: ") && said.contains("run.sh: the server did not start"), "{said}");
}

#[test]
fn it_does_not_disturb_a_server_that_has_the_data() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut first = script(&data, "127.0.0.1:0");
    let addresses = ready(&mut first, &data);
    let mut second = script(&data, "127.0.0.1:0");
    assert_eq!(second.end().code(), Some(1));
    assert!(second.said.join("\n").contains("runs already"), "{}", second.said.join("\n"));
    python_client(addresses.players, "KLAXON", "Ann");
    first.signal(Signal::TERM);
    assert!(first.end().success());
}
