//! What journals depend on.

use klaxon_protocol::host::Action;
use klaxon_protocol::ids::Seat;
use serde_json::json;

use super::play::Play;
use crate::game::Game;

/// Journals of shows without teams are older than teams.
#[test]
fn a_known_show_without_teams_comes_to_the_hash_it_always_had() {
    let mut play = Play::new(&["coins 1", "Tea!", "coins 2"], 3);
    play.host(Action::Next);
    play.flip(&[(0, 1), (1, 1)]);
    play.host(Action::Remove { seat: Seat(2), ban: false });
    play.play(json!({ "points": { "seat": 1, "by": -25 } })).unwrap();
    play.host(Action::Next);
    play.host(Action::Next);
    play.flip(&[(1, 1)]);
    play.host(Action::Void { reason: "It was wrong.".into() });
    assert_eq!(play.game.state_hash(), 2_686_982_612_531_095_576);
    play.end();
    assert_eq!(play.game.state_hash(), 6_975_662_713_671_507_605);
}
