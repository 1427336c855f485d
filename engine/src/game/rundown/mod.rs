//! Rundown: a show's running order, whose parts are games and breaks. The rule book is docs/rules/rundown.md.

mod ledger;
mod part;
mod stage;

pub use self::ledger::{Ledger, Line, Lost};
pub use self::part::{Counted, Look, Part, Wait, hash};
pub use self::stage::{Opening, Stage};
