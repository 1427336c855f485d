//! Commands that prepare a database server's first start.

use std::fs::File;
use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use crate::ServerError;

/// The words of a command line as owned strings.
pub fn words<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(str::to_owned).to_vec()
}

/// Runs a command and waits until it ends; its output is appended to the file `log`.
pub async fn run(line: &[String], log: &Path) -> Result<(), ServerError> {
    let (program, arguments) = line.split_first().map_or(("", &[][..]), |(program, rest)| (program.as_str(), rest));
    let out = File::options().create(true).append(true).open(log)?;
    let err = out.try_clone()?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(out).stderr(err).kill_on_drop(true);
    let status = command.status().await;
    let status = status.map_err(|error| ServerError::Start { program: program.to_owned(), error })?;
    if status.success() {
        return Ok(());
    }
    let log = String::from_utf8_lossy(&std::fs::read(log).unwrap_or_default()).into_owned();
    Err(ServerError::Ended { program: line.join(" "), status, log })
}
