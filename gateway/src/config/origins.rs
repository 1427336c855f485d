//! Where options' values come from.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// It was written behind the command.
    Flag(String),
    /// The environment variable.
    Environment(String),
    /// The configuration file.
    File(PathBuf),
    /// Not given: the default.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "the flag {flag}"),
            Self::Environment(variable) => write!(f, "the environment variable {variable}"),
            Self::File(path) => write!(f, "the file {}", path.display()),
            Self::Default => f.write_str("the default"),
        }
    }
}

/// Where each option's value comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OptionOrigins(pub(super) BTreeMap<String, Origin>);

impl OptionOrigins {
    /// Where this option's value comes from.
    #[must_use]
    pub fn of(&self, key: &str) -> Origin {
        self.0.get(key).cloned().unwrap_or(Origin::Default)
    }
}
