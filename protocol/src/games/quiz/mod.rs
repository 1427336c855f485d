//! Quiz: a part of a rundown with questions of many kinds. The rule book is docs/rules/quiz.md.

mod check;
mod events;
mod kinds;
mod setup;
mod spelling;
mod values;

pub use events::*;
pub use kinds::*;
pub use setup::*;
pub use spelling::*;
pub use values::*;
