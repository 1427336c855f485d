//! Work that takes a processor for longer than the other tasks of a runtime should wait.

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::{JoinError, spawn_blocking};

/// Does the work in another thread; at once if the runtime has only one thread, as where shows are played on virtual time.
///
/// # Errors
/// If the work panics in the other thread.
pub async fn compute<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, JoinError> {
    match Handle::current().runtime_flavor() {
        RuntimeFlavor::CurrentThread => Ok(work()),
        _ => spawn_blocking(work).await,
    }
}
