//! A program that runs beside the test: what it prints is awaited, and it never outlives the test.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// Longer than anything here takes, on any machine.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two looks.
const MOMENT: Duration = Duration::from_millis(20);

pub struct Program {
    child: Child,
    stdin: Option<ChildStdin>,
    /// Lines of standard output and standard error; closed when both are.
    lines: Receiver<String>,
    /// All lines so far.
    pub said: Vec<String>,
}

impl Program {
    #[track_caller]
    pub fn start(command: &mut Command) -> Self {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        let (send, lines) = channel();
        read(child.stdout.take().unwrap(), send.clone());
        read(child.stderr.take().unwrap(), send);
        Self { stdin: child.stdin.take(), child, lines, said: Vec::new() }
    }

    /// Writes a line to its standard input.
    pub fn send(&mut self, line: &str) {
        writeln!(self.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// The next line that has all of this in it.
    #[track_caller]
    pub fn wait_for(&mut self, parts: &[&str]) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.said.push(line.clone());
                    if parts.iter().all(|part| line.contains(part)) {
                        return line;
                    }
                }
                Err(error) => panic!("waiting for {parts:?}: {error}; it said\n{}", self.said.join("\n")),
            }
        }
    }

    /// Whether it has said, so far, a line that has all of this in it. Waits a moment for more.
    pub fn has_printed(&mut self, parts: &[&str]) -> bool {
        while let Ok(line) = self.lines.recv_timeout(MOMENT) {
            self.said.push(line);
        }
        self.said.iter().any(|line| parts.iter().all(|part| line.contains(part)))
    }

    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Tells it to stop, which it does.
    #[track_caller]
    pub fn stop(mut self) {
        self.signal(Signal::TERM);
        let status = self.end();
        assert!(status.success(), "{}", self.said.join("\n"));
    }

    /// Waits until it has ended by itself, and has closed its output.
    #[track_caller]
    pub fn end(&mut self) -> ExitStatus {
        drop(self.stdin.take());
        let until = Instant::now() + PATIENCE;
        loop {
            match self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => self.said.push(line),
                Err(RecvTimeoutError::Disconnected) => return self.child.wait().unwrap(),
                Err(RecvTimeoutError::Timeout) => panic!("it does not end; it said\n{}", self.said.join("\n")),
            }
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // One that has ended can't be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(output: impl Read + Send + 'static, lines: Sender<String>) {
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines() {
            let Ok(line) = line else { return };
            if lines.send(line).is_err() {
                return;
            }
        }
    });
}
