//! A show with few seats, and who keeps them: over real sockets, on a real server.
//!
//! Who may abuse it: five bots that join and leave, or just drop, to close a show of five seats; somebody who had a seat, and comes back
//! by its token when it is another's.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::player::{FromPlayer, Phase, ToPlayer, Welcome};
use rustix::process::Signal;

use crate::player::Player;
use crate::server::Server;

/// For so long those keep their seats who lost the connection.
const GRACE: Duration = Duration::from_secs(10);

fn bots(address: SocketAddr) -> Vec<(Player, Welcome)> {
    (0..5).map(|bot| Player::join(address, "FIVE", &format!("Bot {bot}"))).collect()
}

#[track_caller]
fn refused(address: SocketAddr, resume: Option<&str>) -> String {
    match Player::try_join(address, "FIVE", resume.map(str::to_owned)) {
        Ok((_, welcome)) => panic!("{welcome:?}"),
        Err(error) => {
            assert_eq!(error.code, ErrorCode::ShowFull);
            error.message
        }
    }
}

/// Asks for a seat until there is one, and how long that took.
fn join_when_there_is_room(address: SocketAddr) -> (Player, Welcome, Duration) {
    let began = Instant::now();
    loop {
        match Player::try_join(address, "FIVE", None) {
            Ok((player, welcome)) => return (player, welcome, began.elapsed()),
            Err(error) => assert_eq!(error.code, ErrorCode::ShowFull),
        }
        assert!(began.elapsed() < 6 * GRACE, "there is room some time");
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn five_bots_that_join_and_leave_do_not_close_a_show_of_five_seats() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir.path().join("data"));
    let mut host = server.host_of_show_with("FIVE", &["--seats", "5"]);
    let address = server.addresses.players;
    let mut players = bots(address);
    refused(address, None);
    for (bot, _) in &mut players {
        bot.send(FromPlayer::Leave);
    }
    let (mut ann, ann_is, waited) = join_when_there_is_room(address);
    assert!(waited < GRACE, "who says goodbye leaves at once: {waited:?}");
    assert!(ann_is.seat < Some(klaxon_protocol::ids::Seat(5)));
    // The bots come back by their tokens: those whose seats are still there, and not the one whose seat is Ann's.
    let had_anns = players.iter().position(|(_, bot)| bot.seat == ann_is.seat).unwrap();
    let mut back = Vec::new();
    for (number, (_, bot)) in players.iter().enumerate() {
        if number != had_anns {
            let (player, welcome) = Player::try_join(address, "FIVE", Some(bot.resume.clone())).unwrap();
            assert_eq!(welcome.seat, bot.seat);
            back.push(player);
        }
    }
    assert!(refused(address, Some(&players[had_anns].1.resume)).contains("given to another player"));
    host.send("next");
    ann.question(1);
    ann.answer(1, 1);
    assert!(ann.is_accepted(1));
    host.send("close");
    host.wait_for(&["state: closed", "answers 0 1 0 0"]);
    assert!(refused(address, None).starts_with("This show has no seat left"), "no seat is given again now");
    server.stop();
}

#[test]
fn five_bots_that_just_drop_lose_their_seats_after_a_while_also_if_the_server_was_started_again_meanwhile() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::start(&dir.path().join("data"));
    drop(server.host_of_show_with("FIVE", &["--seats", "5"]));
    let players = bots(server.addresses.players);
    let tokens: Vec<String> = players.iter().map(|(_, welcome)| welcome.resume.clone()).collect();
    drop(players);
    let (mut ann, ann_is, waited) = join_when_there_is_room(server.addresses.players);
    assert!(waited > GRACE - Duration::from_secs(2), "a phone gets some time to come back: {waited:?}");
    // A new engine knows of nobody who is gone.
    server.program.signal(Signal::KILL);
    assert!(!server.program.end().success());
    let server = Server::start(&dir.path().join("data"));
    let address = server.addresses.players;
    drop(ann);
    ann = Player::resume(address, "FIVE", ann_is.resume.clone());
    assert_eq!(ann.welcome().seat, ann_is.seat);
    let (_bob, bob_is, waited) = join_when_there_is_room(address);
    assert!(waited > GRACE / 2, "{waited:?}");
    assert_ne!(bob_is.seat, ann_is.seat, "who came back keeps the seat");
    let (snapshot, _) = ann.snapshot();
    assert_eq!((snapshot.phase, snapshot.joined), (Phase::Lobby, 5));
    // Of the bots those come back whose seats nobody wanted.
    let back: Vec<bool> =
        tokens.iter().map(|token| Player::try_join(address, "FIVE", Some(token.clone())).is_ok()).collect();
    assert_eq!(back.iter().filter(|&&is_back| is_back).count(), 3);
    server.stop();
}

#[test]
fn a_host_lets_more_in_locks_the_lobby_and_undoes_a_ban() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir.path().join("data"));
    let mut host = server.host_of_show_with("FIVE", &["--seats", "1"]);
    let address = server.addresses.players;
    let (mut ann, ann_is) = Player::join(address, "FIVE", "Ann");
    host.send("ban 0");
    host.wait_for(&["ok: ban: done"]);
    let code = |player: &mut Player| {
        player.receive(|message| if let ToPlayer::Error(error) = message { Some(error.code) } else { None })
    };
    assert_eq!(code(&mut ann), ErrorCode::Banned);
    let banned = Player::try_join(address, "FIVE", Some(ann_is.resume.clone())).err();
    assert_eq!(banned.map(|error| error.code), Some(ErrorCode::Banned));
    host.send("restore 0");
    host.wait_for(&["ok: restore: done"]);
    let (_ann, welcome) = Player::try_join(address, "FIVE", Some(ann_is.resume)).unwrap();
    assert_eq!(welcome.seat, ann_is.seat);
    refused(address, None);
    host.send("seats 2");
    host.wait_for(&["ok: seats: done"]);
    host.send("lock");
    host.wait_for(&["ok: lock: done"]);
    let locked = Player::try_join(address, "FIVE", None).err();
    assert_eq!(locked.map(|error| error.code), Some(ErrorCode::LobbyLocked));
    host.send("unlock");
    host.wait_for(&["ok: unlock: done"]);
    assert!(Player::try_join(address, "FIVE", None).is_ok());
    server.stop();
}
