//! What journals depend on.

use klaxon_protocol::host::Action;
use klaxon_protocol::ids::Seat;
use serde_json::json;

use super::play::Play;
use crate::game::Game;

/// A journal is replayed only if its show comes to the same hashes again.
#[test]
fn a_known_show_comes_to_the_hash_it_always_had() {
    let mut play = Play::new(&["coins 1", "Tea!", "coins 2"], 3);
    play.host(Action::Next);
    play.flip(&[(0, 1), (1, 1)]);
    play.host(Action::Remove { seat: Seat(2), ban: false });
    play.play(json!({ "points": { "seat": 1, "by": -25 } })).unwrap();
    play.host(Action::Next);
    play.host(Action::Next);
    play.flip(&[(1, 1)]);
    play.host(Action::Void { reason: "It was wrong.".into() });
    assert_eq!(play.game.state_hash(), 10_964_175_806_959_646_346);
    play.end();
    assert_eq!(play.game.state_hash(), 4_253_346_047_332_006_644);
}
