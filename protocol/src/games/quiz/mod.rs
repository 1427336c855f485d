//! Quiz: a part of a rundown with questions of many kinds. The rule book is docs/rules/quiz.md.

mod accept;
mod check;
mod events;
mod kinds;
mod prizes;
mod setup;
mod spelling;
mod values;

pub use accept::*;
pub use events::*;
pub use kinds::*;
pub use prizes::*;
pub use setup::*;
pub use spelling::*;
pub use values::*;
