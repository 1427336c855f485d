//! Forgetting a person, in every database.

use klaxon_protocol::apart;
use klaxon_protocol::ids::{PlayerId, Seat, ShowId};
use klaxon_protocol::time::Millis;
use tempfile::TempDir;

use super::super::SqlArchive;
use crate::archive::contract::{player, question, show};
use crate::archive::{Archive, ShowResults};

fn id(text: &str) -> PlayerId {
    PlayerId::parse(text).unwrap()
}

/// A show in which Ann won and Bob did not, and one that Bob won.
fn shows() -> [ShowResults; 2] {
    let question = || vec![question(1, [1, 2, 3], false)];
    [
        show(u64::MAX, 9, question(), vec![player(0, "bob", 2, 0), player(1, "ann", 1, 5)]),
        show(4, 9, question(), vec![player(0, "ann", 2, 0), player(1, "bob", 1, 5)]),
    ]
}

async fn a_person_is_forgotten_and_their_points_and_prizes_stay(archive: &SqlArchive) {
    let [first, second] = shows();
    archive.store(&first).await.unwrap();
    archive.store(&second).await.unwrap();
    assert_eq!(archive.forget(&id("ann"), Some(ShowId(77))).await.unwrap(), []);
    assert_eq!(archive.forget(&id("nobody"), None).await.unwrap(), []);
    assert_eq!(archive.forget(&id("ann"), Some(ShowId(u64::MAX))).await.unwrap(), [ShowId(u64::MAX)]);
    let mut wanted = first;
    let ann = &mut wanted.players[1];
    (ann.player, ann.name) = (apart::forgotten(ShowId(u64::MAX), Seat(1)), apart::unnamed(Seat(1)));
    assert_eq!(archive.results(ShowId(u64::MAX)).await.unwrap().unwrap(), wanted);
    assert_eq!(archive.results(ShowId(4)).await.unwrap().unwrap(), second, "in that show only");
    assert_eq!(archive.forget(&id("ann"), None).await.unwrap(), [ShowId(4)]);
    assert_eq!(archive.history_of(&id("ann"), 9).await.unwrap(), []);
    assert_eq!(archive.history_of(&id("bob"), 9).await.unwrap().len(), 2);
    let winners = archive.top_winners(Millis(0), Millis(100), &wanted.summary.currency, 9).await.unwrap();
    let winners: Vec<_> =
        winners.iter().map(|winner| (winner.player.as_str(), winner.name.as_str(), winner.won)).collect();
    let nobody = apart::forgotten(ShowId(u64::MAX), Seat(1));
    assert_eq!(winners, [("bob", second.players[1].name.as_str(), 5), (nobody.as_str(), "Player 2", 5)]);
    assert_eq!(archive.forget(&id("ann"), None).await.unwrap(), [], "it can be done again");
}

#[tokio::test]
async fn in_sqlite() {
    let directory = TempDir::new().unwrap();
    let archive = SqlArchive::open_file(&directory.path().join("archive.db")).await.unwrap();
    a_person_is_forgotten_and_their_points_and_prizes_stay(&archive).await;
}

/// Also of what was stored over and freed again, and while the database is open.
#[tokio::test]
async fn no_byte_of_them_is_left_in_sqlites_files() {
    let directory = TempDir::new().unwrap();
    let archive = SqlArchive::open_file(&directory.path().join("archive.db")).await.unwrap();
    let who = "unusual.per@ex.org";
    for round in 0..3 {
        for number in 0..20 {
            let players = (0..9 - 3 * round).map(|seat| player(seat, &format!("{who}{seat}"), seat + 1, 5));
            archive.store(&show(number, 9, Vec::new(), players.collect())).await.unwrap();
        }
    }
    for person in 0..3 {
        assert_eq!(archive.forget(&id(&format!("{who}{person}")), None).await.unwrap().len(), 20);
    }
    for file in std::fs::read_dir(directory.path()).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(who.len()).any(|part| part == who.as_bytes()), "{}", path.display());
    }
    assert_eq!(archive.podium(ShowId(1), 100).await.unwrap().len(), 3);
}

#[cfg(feature = "cluster")]
#[tokio::test]
async fn in_postgresql_and_mariadb() {
    for (url, _server) in [super::servers::postgres().await, super::servers::mariadb().await] {
        let archive = SqlArchive::open(&url).await.unwrap();
        a_person_is_forgotten_and_their_points_and_prizes_stay(&archive).await;
        archive.close().await;
    }
}
