//! What a join costs a journal on disk, with who is who apart from it and in it, as journals of older editions have it:
//! `cargo bench -p klaxon-engine --no-default-features --bench joins`. docs/journal.md has what it printed.

use std::time::Instant;

use klaxon_engine::journal::{FileJournal, Journal, SyncPolicy};
use klaxon_protocol::apart::{Apart, Person};
use klaxon_protocol::ids::{Fence, Name, PlayerId, Seat, ShowId};
use klaxon_protocol::journal::{Command, Record};
use klaxon_protocol::player::Role;
use klaxon_protocol::time::Millis;

const JOINS: u64 = 2_000;

#[tokio::main]
async fn main() {
    for (group, name) in [(1, "one by one"), (100, "a hundred at once")] {
        for (is_apart, place) in [(false, "in the journal"), (true, "apart")] {
            let directory = tempfile::tempdir().expect("a directory");
            let journal = FileJournal::open(directory.path(), SyncPolicy::Always).await.expect("a new journal");
            let begun = Instant::now();
            for first in (0..JOINS).step_by(group) {
                let joins: Vec<Record> = (first..first + group as u64).map(|number| join(number, is_apart)).collect();
                journal.append(&joins).await.expect("a disk that is not full");
            }
            println!("{name}, {place}: {:?} a join", begun.elapsed() / JOINS as u32);
        }
    }
}

fn join(number: u64, is_apart: bool) -> Record {
    let id = format!("guest-0123456789ab{number:04x}");
    let (player, name) = (PlayerId::parse(&id).expect("an id"), Name::parse(&id).expect("a name"));
    let command = if is_apart {
        Command::Sit { seat: Seat(0), guest: true, who: Apart::known(Person { player, name }) }
    } else {
        Command::Join { player, name, role: Role::Player }
    };
    Record { show: ShowId(77), number, fence: Fence(1), at: Millis(number), command, events: Vec::new(), state: 0 }
}
