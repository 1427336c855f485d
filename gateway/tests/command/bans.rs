//! A guest who comes back after a ban, against a real server, from several addresses of the loopback network.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::ids::{Seat, ShowCode};
use klaxon_protocol::player::{Join, Role, ToPlayer};
use rustix::process::Signal;
use socket2::{Domain, Socket, Type};

use crate::player::Player;
use crate::server::Server;

const HOME: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const SCHOOL: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);

/// A connection from this address that asks for a seat, with a resume token or as a new guest; its seat and token, or why it has none.
fn come(
    server: &Server,
    from: Ipv4Addr,
    role: Role,
    resume: Option<String>,
) -> Result<(Option<Seat>, String), ErrorCode> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((from, 0)).into()).unwrap();
    socket.connect(&server.addresses.players.into()).unwrap();
    let show = ShowCode::parse("BANS").unwrap();
    let mut player = Player::over(TcpStream::from(socket), Join { show, name: None, role, token: None, resume });
    player.receive(|message| match message {
        ToPlayer::Welcome(welcome) => Some(Ok((welcome.seat, welcome.resume))),
        ToPlayer::Error(error) => Some(Err(error.code)),
        _ => None,
    })
}

#[test]
fn a_banned_guest_is_not_back_at_once_nor_after_kill_9_and_the_host_is_warned_of_neighbours() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::start(&dir.path().join("data"));
    let mut host = server.host_of_new_show("BANS");
    let new = |server: &Server, from| come(server, from, Role::Player, None);
    let (troll, _) = new(&server, HOME).unwrap();
    assert_eq!(troll, Some(Seat(0)));
    let pupils: Vec<_> = (0..3).map(|_| new(&server, SCHOOL).unwrap().1).collect();

    // A ban of the id alone: the guest who cleared the page's storage is back.
    host.send("ban 0");
    host.wait_for(&["alert: ", "the ban of seat 0 is a guest's", "`ban 0 address`"]);
    assert_eq!(new(&server, HOME).unwrap().0, Some(Seat(4)));
    let spectator = come(&server, HOME, Role::Spectator, None).unwrap().1;
    host.send("ban 4 address");
    host.wait_for(&["ok: ban address: done"]);
    assert_eq!(new(&server, HOME), Err(ErrorCode::Banned));
    host.wait_for(&["alert: ", "a new player got no seat"]);
    assert_eq!(come(&server, HOME, Role::Player, Some(spectator.clone())), Err(ErrorCode::Banned));
    assert_eq!(come(&server, HOME, Role::Spectator, Some(spectator)).unwrap().0, None, "watching is allowed");
    // Shards publish what they count ten times a second at most.
    let until = Instant::now() + Duration::from_secs(20);
    while !server.metrics().contains("klaxon_joins_banned_total 2") {
        assert!(Instant::now() < until, "{}", server.metrics());
        std::thread::sleep(Duration::from_millis(100));
    }

    host.send("ban 1 address");
    host.wait_for(&["refused", "2 other players come from there (seats 2, 3)", "`shared: true`"]);
    host.send("ban 1 address shared");
    host.wait_for(&["ok: ban address: done"]);
    assert_eq!(new(&server, SCHOOL), Err(ErrorCode::Banned));
    assert_eq!(
        come(&server, SCHOOL, Role::Player, Some(pupils[1].clone())).unwrap().0,
        Some(Seat(2)),
        "who is in stays"
    );

    server.program.signal(Signal::KILL);
    assert!(!server.program.end().success());
    let journal = std::fs::read(server.journal()).unwrap();
    for address in [HOME, SCHOOL] {
        for form in [address.octets().to_vec(), address.to_string().into_bytes()] {
            assert!(!journal.windows(form.len()).any(|bytes| bytes == form), "{address} is in the journal");
        }
    }
    let server = Server::start(&dir.path().join("data"));
    assert_eq!(new(&server, HOME), Err(ErrorCode::Banned));
    assert_eq!(new(&server, SCHOOL), Err(ErrorCode::Banned));
    let mut host = server.host(&["--code", "BANS"]);
    host.send("ban 3 address shared");
    host.wait_for(&["refused", "It is not known from which address this player comes."]);
    host.send("unban addresses");
    host.wait_for(&["ok: unban: done"]);
    assert_eq!(new(&server, HOME).unwrap().0, Some(Seat(5)));
    host.send("quit");
    host.end();
    server.stop();
}
