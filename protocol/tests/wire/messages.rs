//! Within version 1 of the wire a message's bytes in bincode never change; there may only be more messages.

use klaxon_protocol::codec::PROTOCOL_VERSION;

use crate::kept::{self, GOLDEN};
use crate::layout::source::Source;
use crate::layout::{Layout, growth, page};

/// The layouts of version 1 as they were when the last message was added.
const KEPT: &str = "protocol/golden/wire.layouts.md";

const SPEAKERS: [(&str, &str); 4] = [
    ("player/says.rs", "FromPlayer"),
    ("player/hears.rs", "ToPlayer"),
    ("host/says.rs", "FromHost"),
    ("host/hears.rs", "ToHost"),
];

fn layouts_of_the_code() -> Vec<Layout> {
    let source = Source::read(&kept::path("protocol/src"));
    let mut layouts: Vec<Layout> = Vec::new();
    for layout in SPEAKERS.iter().flat_map(|(file, root)| source.reachable(file, root)) {
        match layouts.iter().find(|other| other.name == layout.name) {
            Some(same) => assert_eq!(*same, layout, "two types of one name are on the wire"),
            None => layouts.push(layout),
        }
    }
    layouts
}

#[test]
fn within_a_version_messages_are_only_added() {
    assert_eq!(PROTOCOL_VERSION, 1, "a new version begins a new file, and the kept one goes on being checked");
    let layouts = layouts_of_the_code();
    let kept = page::read(&std::fs::read_to_string(kept::path(KEPT)).unwrap());
    for (_, root) in SPEAKERS {
        if let Err(problem) = growth::check(&kept, &layouts, root) {
            panic!("clients of version 1 and this program would misread each other: {problem}");
        }
    }
    kept::check(GOLDEN, KEPT, &page::written(&layouts));
}
