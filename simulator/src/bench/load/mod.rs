//! The load: many players in a process of its own, on a core of its own, at a minimal cost. The bench starts it and
//! sends it orders as lines of JSON.

mod handle;
mod order;
mod players;

use std::io::{self, BufRead, Write};
use std::time::Duration;

pub use handle::{Load, LoadError};
pub use order::{Arrivals, Connect};
use order::{Order, Reply};
use players::Players;

/// Carries out the orders from the standard input, until its end.
///
/// # Errors
/// If the bench has ended.
pub fn obey() -> io::Result<()> {
    let mut players = Players::new()?;
    let mut out = io::stdout();
    for line in io::stdin().lock().lines() {
        let order: Order = serde_json::from_str(&line?)?;
        let outcome = match act(&mut players, order) {
            Ok(Some(received)) => Reply::Arrivals(received),
            Ok(None) => Reply::Done,
            Err(error) => Reply::Failed(error.to_string()),
        };
        let mut line = serde_json::to_vec(&outcome)?;
        line.push(b'\n');
        out.write_all(&line)?;
        out.flush()?;
    }
    Ok(())
}

fn act(players: &mut Players, order: Order) -> io::Result<Option<Arrivals>> {
    match order {
        Order::Connect(connect) => players.connect(&connect)?,
        Order::Leave => players.leave()?,
        Order::AwaitQuestion => return players.await_question().map(Some),
        Order::Answer(text) => return players.answer(text).map(Some),
        Order::Drain(quiet) => players.drain(Duration::from_millis(quiet))?,
        Order::Listen(long) => players.listen(Duration::from_millis(long))?,
        Order::Beat { text, every, long } => {
            players.beat(text, Duration::from_millis(every), Duration::from_millis(long))?;
        }
    }
    Ok(None)
}
