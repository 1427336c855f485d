//! The console where there is no terminal: a line for each change, an order a line.

use std::io::{self, Write};

use klaxon_protocol::player::Phase;
use tokio::sync::mpsc;

use super::connection::{Connection, Report};
use super::orders::{HELP, Order, parse};
use super::view::{News, Note, View};
use super::{Orders, printed};

/// Hosts the show until `quit`, or until it has ended and there are no more lines.
///
/// A line is read when what was sent before it is answered, and what it waits for is here: so a script needs no pauses.
///
/// # Errors
/// If the output can't be written, or the server will not have us any more.
pub async fn run(
    connection: &mut Connection,
    view: &mut View,
    mut lines: mpsc::Receiver<String>,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let mut orders = Orders::new()?;
    let mut awaited: Option<Phase> = None;
    let mut more = true;
    loop {
        if awaited.is_some_and(|phase| view.phase == phase || view.phase == Phase::Ended) {
            awaited = None;
        }
        let ready = view.is_settled() && awaited.is_none();
        if ready && !more && view.phase == Phase::Ended {
            return Ok(());
        }
        tokio::select! {
            report = connection.report() => {
                let Some(report) = report else { anyhow::bail!("the connection is over") };
                for news in view.report(&report) {
                    print(out, &news)?;
                }
                if let Report::Over { problem } = report {
                    anyhow::bail!(problem);
                }
            }
            line = lines.recv(), if ready && more => match line.as_deref().map(parse) {
                None => more = false,
                Some(Err(problem)) => {
                    view.refusals += 1;
                    print(out, &News::Note(Note::Refused(problem)))?;
                }
                Some(Ok(None)) => {}
                Some(Ok(Some(Order::Quit))) => return Ok(()),
                Some(Ok(Some(Order::Wait(phase)))) => awaited = Some(phase),
                Some(Ok(Some(Order::Near))) => {
                    for news in view.near() {
                        print(out, &news)?;
                    }
                }
                Some(Ok(Some(Order::Help))) => {
                    for line in HELP {
                        writeln!(out, "  {line}")?;
                    }
                }
                Some(Ok(Some(order @ (Order::Do(_) | Order::Find(_) | Order::Journal(_))))) => orders.give(connection, view, order)?,
            }
        }
        out.flush()?;
    }
}

fn print(out: &mut impl Write, news: &News) -> io::Result<()> {
    for line in printed(news) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}
