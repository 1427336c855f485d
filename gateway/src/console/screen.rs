//! The console on a terminal: draws the screen and reads keys.

use std::io::{self, Write};
use std::sync::Once;

use anyhow::Context;
use crossterm::event::{Event, EventStream, KeyCode, KeyEvent, KeyModifiers};
use crossterm::style::{Attribute, Color, Print, ResetColor, SetAttribute, SetForegroundColor};
use crossterm::terminal::{self, Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen};
use crossterm::{cursor, execute, queue};
use futures_util::StreamExt;
use tokio::signal::unix::{SignalKind, signal};

use super::Orders;
use super::connection::{Connection, Report};
use super::keys::{Key, press};
use super::orders::Order;
use super::render::{Look, ScreenLine, screen};
use super::view::{Note, View};

/// Hosts the show until the host leaves.
///
/// # Errors
/// If the terminal can't be used, or the server will not have us any more.
pub async fn run(connection: &mut Connection, view: &mut View) -> anyhow::Result<()> {
    let mut orders = Orders::new()?;
    let mut terminate = signal(SignalKind::terminate())?;
    let _screen =
        RawScreen::enter().context("this terminal can't be used; with `| cat` behind it, lines are printed")?;
    let mut events = EventStream::new();
    loop {
        draw(view)?;
        tokio::select! {
            report = connection.report() => {
                let Some(report) = report else { anyhow::bail!("the connection is over") };
                view.report(&report);
                if let Report::Over { problem } = report {
                    anyhow::bail!(problem);
                }
            }
            event = events.next() => {
                let Some(event) = event.transpose()? else { return Ok(()) };
                let Event::Key(pressed) = event else { continue };
                if is_interrupt(&pressed) {
                    return Ok(());
                }
                let Some(key) = key(&pressed) else { continue };
                match press(view, key) {
                    Some(Order::Quit) => return Ok(()),
                    Some(Order::Help) => view.help(),
                    Some(Order::Near) => _ = view.near(),
                    Some(Order::Wait(_)) => view.note = Some(Note::Refused("wait is for scripts".into())),
                    Some(order) => orders.give(connection, view, order)?,
                    None => {}
                }
            }
            _ = terminate.recv() => return Ok(()),
        }
    }
}

fn is_interrupt(pressed: &KeyEvent) -> bool {
    pressed.modifiers.contains(KeyModifiers::CONTROL) && matches!(pressed.code, KeyCode::Char('c' | 'd'))
}

fn key(pressed: &KeyEvent) -> Option<Key> {
    if !pressed.is_press() || pressed.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) {
        return None;
    }
    match pressed.code {
        KeyCode::Char(c) => Some(Key::Char(c)),
        KeyCode::Enter => Some(Key::Enter),
        KeyCode::Backspace => Some(Key::Backspace),
        KeyCode::Esc => Some(Key::Escape),
        _ => None,
    }
}

fn draw(view: &View) -> io::Result<()> {
    let (columns, rows) = terminal::size()?;
    let lines = screen(view, usize::from(columns), usize::from(rows));
    let mut out = io::stdout().lock();
    queue!(out, terminal::BeginSynchronizedUpdate)?;
    for (row, line) in (0..).zip(&lines) {
        queue!(out, cursor::MoveTo(0, row))?;
        put(&mut out, line)?;
        queue!(out, Clear(ClearType::UntilNewLine))?;
    }
    queue!(out, terminal::EndSynchronizedUpdate)?;
    out.flush()
}

fn put(out: &mut impl Write, line: &ScreenLine) -> io::Result<()> {
    match line.look {
        Look::Plain => {}
        Look::Bold => queue!(out, SetAttribute(Attribute::Bold))?,
        Look::Dim => queue!(out, SetAttribute(Attribute::Dim))?,
        Look::Good => queue!(out, SetForegroundColor(Color::Green))?,
        Look::Bad => queue!(out, SetForegroundColor(Color::Red))?,
    }
    queue!(out, Print(&line.text), SetAttribute(Attribute::Reset), ResetColor)
}

/// The terminal as the console needs it, for as long as this lives.
struct RawScreen;

impl RawScreen {
    fn enter() -> io::Result<Self> {
        static HOOK: Once = Once::new();
        // A panic's message must be readable: the terminal is restored before it is printed, not when the stack unwinds.
        HOOK.call_once(|| {
            let usual = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                restore();
                usual(panic);
            }));
        });
        let screen = Self;
        terminal::enable_raw_mode()?;
        execute!(io::stdout(), EnterAlternateScreen, cursor::Hide, Clear(ClearType::All))?;
        Ok(screen)
    }
}

impl Drop for RawScreen {
    fn drop(&mut self) {
        restore();
    }
}

/// Does what it can; a terminal that is gone needs nothing.
fn restore() {
    let _ = execute!(io::stdout(), cursor::Show, LeaveAlternateScreen);
    let _ = terminal::disable_raw_mode();
}
