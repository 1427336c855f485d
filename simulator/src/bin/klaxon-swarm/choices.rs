//! What can be chosen by name on the command line.

use clap::ValueEnum;

/// What right and wrong answers do.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ModeArg {
    /// Wrong or silent players leave; survivors share the pot
    Elimination,
    /// Right and fast earns points; the podium shares the pot
    Points,
    /// Both; the best survivors share the pot
    Both,
}

/// What a Redis that was killed knows when it is started again.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum PersistenceArg {
    /// Everything: an append-only file
    Aof,
    /// Nothing
    None,
}

impl ModeArg {
    /// The mode's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Elimination => "elimination",
            Self::Points => "points",
            Self::Both => "both",
        }
    }
}
