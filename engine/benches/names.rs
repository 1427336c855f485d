//! What names cost a show of a million: `cargo bench -p klaxon-engine --bench names` seats players of names of several kinds, and searches for one
//! whom nobody is called.

use std::time::Instant;

use klaxon_engine::game::people::{Roster, Sitter};
use klaxon_protocol::ids::{Name, PlayerId};

const PLAYERS: u32 = 1_000_000;
const KINDS: [&str; 6] = ["Ann {}", "MIA IRIS {}", "José Müller {}", "Анна {}", "محمد {}", "Ann"];

fn main() {
    for kind in KINDS {
        let mut roster = Roster::new(7, false);
        let begun = Instant::now();
        for number in 0..PLAYERS {
            let wanted = Name::parse(&kind.replace("{}", &number.to_string())).expect("a name");
            let called = roster.unused_name(Some(&wanted));
            roster.seat(Sitter::known(PlayerId::parse(&format!("p{number}")).expect("an id"), called));
        }
        let join = begun.elapsed().as_nanos() / u128::from(PLAYERS);
        let bytes = roster.name_table_bytes() / PLAYERS as usize;
        let begun = Instant::now();
        assert_eq!(roster.find("nobody").count(), 0);
        let search = begun.elapsed().as_millis();
        println!(
            "{kind:>14}: a join {join} ns with its checks, {bytes} bytes a name in the table, a search {search} ms"
        );
    }
}
