//! How a gateway drives its sockets: by io_uring or by readiness.

use std::fmt;
use std::io;

use super::mailbox;
use super::uring::Uring;

/// How a gateway's sockets are driven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Transport {
    /// By io_uring where it is available and permitted, by readiness elsewhere.
    #[default]
    Auto,
    /// By completion, with Linux' io_uring; a gateway does not start if that is unavailable.
    IoUring,
    /// By readiness, which works everywhere.
    Portable,
}

impl Transport {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 3] = [Self::Auto, Self::IoUring, Self::Portable];

    /// The name in options.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::IoUring => "io-uring",
            Self::Portable => "portable",
        }
    }

    /// Resolves [`Transport::Auto`]: the result is [`Transport::IoUring`] or [`Transport::Portable`].
    ///
    /// # Errors
    /// If io_uring was asked for and is not available.
    pub(super) fn choose(self) -> io::Result<Self> {
        if self == Self::Portable {
            return Ok(self);
        }
        let probed = mailbox::mailbox::<()>().and_then(|(_, _, wakeups)| Uring::new(wakeups));
        match (self, probed) {
            (_, Ok(_)) => Ok(Self::IoUring),
            (Self::IoUring, Err(error)) => {
                let advice = "use `--transport auto`, or let this process have io_uring (Linux 6.1 or later, and a container that allows it)";
                Err(io::Error::new(error.kind(), format!("io_uring is not to be had here: {error}; {advice}")))
            }
            (_, Err(error)) => {
                tracing::info!(%error, "io_uring is not available");
                Ok(Self::Portable)
            }
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
