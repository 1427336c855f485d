//! All that a host says and hears, on the admin socket.

mod hears;
mod says;

pub use hears::*;
pub use says::*;
