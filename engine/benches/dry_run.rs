//! What it costs to play a show dry: `cargo bench -p klaxon-engine --bench dry_run` reads each of the examples and plays it with 100 players, and prints
//! how long that took. Of all three together it is to be below a second.

use std::path::Path;
use std::time::Instant;

use klaxon_engine::dry_run::{self, DryOptions};
use klaxon_engine::show_file;

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/examples/shows");
    for name in ["trivia.toml", "bingo75.toml", "mixed.json"] {
        let began = Instant::now();
        let show = show_file::read(&folder.join(name)).unwrap_or_else(|bad| panic!("{bad}"));
        let read = began.elapsed();
        let report = dry_run::play(&show, DryOptions::default()).unwrap_or_else(|refusal| panic!("{refusal}"));
        let rounds: u32 = report.parts.iter().map(|part| part.rounds).sum();
        let (read, all) = (read.as_secs_f64() * 1e3, began.elapsed().as_secs_f64() * 1e3);
        println!("{name:<14} {rounds} rounds: read in {read:.1} ms, read and played in {all:.1} ms");
    }
}
