//! Replays the journal with the service's own program.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::Command;

use crate::evidence::Replay;

/// The program that replays a journal; the journal's path is its last argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayCommand {
    /// The program, such as `target/debug/klaxon`.
    pub program: PathBuf,
    /// The arguments before the journal's path, such as `replay`.
    pub arguments: Vec<OsString>,
}

impl ReplayCommand {
    /// The command `PROGRAM replay JOURNAL`.
    #[must_use]
    pub fn of_klaxon(program: PathBuf) -> Self {
        Self { program, arguments: vec!["replay".into()] }
    }

    /// Replays this journal, with its person records in the file next to it.
    #[must_use]
    pub fn run(&self, journal: &[u8], people: &[u8]) -> Replay {
        self.output(journal, people).unwrap_or_else(|error| {
            let message = format!("{} could not be run: {error}", self.program.display());
            Replay { identical: false, message }
        })
    }

    fn output(&self, journal: &[u8], people: &[u8]) -> io::Result<Replay> {
        let directory = tempfile::Builder::new().prefix("klaxon-").tempdir()?;
        let file = directory.path().join("show.klxj");
        std::fs::write(&file, journal)?;
        std::fs::write(file.with_extension("klxp"), people)?;
        let output = Command::new(&self.program).args(&self.arguments).arg(file).output()?;
        let identical = output.status.success();
        let last_line = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes);
            text.lines().rev().find(|line| !line.trim().is_empty()).map(str::to_owned)
        };
        let (stdout, stderr) = (last_line(&output.stdout), last_line(&output.stderr));
        let message = if identical { stdout.or(stderr) } else { stderr.or(stdout) };
        Ok(Replay { identical, message: message.unwrap_or_else(|| format!("nothing, {}", output.status)) })
    }
}
