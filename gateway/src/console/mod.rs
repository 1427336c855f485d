//! `klaxon host`: the host's console, live on a terminal, in lines elsewhere.

mod connection;
mod keys;
mod options;
mod orders;
mod plain;
mod prompt;
mod render;
mod running;
mod screen;
mod view;
mod words;

use std::io::{BufRead, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use klaxon_protocol::games::trivia::{Create, Pack};
use klaxon_protocol::host::{CreateGame, FindPlayers, FromHost, HostCommand, JournalTail, ShowLine, ShowRef, ToHost};
use klaxon_protocol::ids::{CommandId, ShowCode, ShowId};
use klaxon_protocol::player::Phase;
use klaxon_protocol::text::harmless;
use tokio::sync::mpsc;

use connection::{Connection, Gateways, Report};
use orders::{Order, phase_name};
use view::{News, Note, View};

pub use options::{HostOptions, ShowOptions};

/// How long a host who leaves waits for the last answers.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// How the files are read that shows are made of.
#[derive(Debug, Clone, Copy)]
pub struct FileReaders {
    /// A pack of trivia.
    pub pack: fn(&Path) -> anyhow::Result<Pack>,
    /// A show, as the command with this id that creates it.
    pub show: fn(&Path, CommandId) -> anyhow::Result<CreateGame>,
}

/// Hosts a show according to the options, on this process's standard input and output.
///
/// The exit code is 1 if a command was refused, so that scripts can detect it.
///
/// # Errors
/// If a file can't be read, the server can't be reached, or there is no such show.
pub async fn run(options: &HostOptions, readers: FileReaders) -> anyhow::Result<ExitCode> {
    let is_live = std::io::stdout().is_terminal() && std::io::stdin().is_terminal();
    let mut connection = connect(options).await?;
    if options.list {
        connection.send(FromHost::Shows);
        write!(std::io::stdout(), "{}", table(&shows(&mut connection).await?))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut view = begin(options, readers, &mut connection).await?;
    if is_live {
        screen::run(&mut connection, &mut view).await?;
        // A command that was given right before leaving is still executed.
        let _ = tokio::time::timeout(LAST_ANSWERS, settle(&mut connection, &mut view)).await;
        return Ok(ExitCode::SUCCESS);
    }
    let mut out = std::io::stdout();
    writeln!(out, "show {} ({}): {}", view.code, view.show, view.title)?;
    plain::run(&mut connection, &mut view, lines_of_stdin(), &mut out).await?;
    Ok(if view.refusals == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Hosts a show according to the options, with the caller's orders and output. Returns how many commands were refused.
///
/// # Errors
/// As [`run`].
pub async fn run_script(
    options: &HostOptions,
    readers: FileReaders,
    lines: mpsc::Receiver<String>,
    out: &mut impl Write,
) -> anyhow::Result<usize> {
    let mut connection = connect(options).await?;
    let mut view = begin(options, readers, &mut connection).await?;
    writeln!(out, "show {} ({}): {}", view.code, view.show, view.title)?;
    plain::run(&mut connection, &mut view, lines, out).await?;
    Ok(view.refusals)
}

async fn connect(options: &HostOptions) -> anyhow::Result<Connection> {
    let token = crate::private_file::read(&options.token_file)
        .context("the server's admin token is needed; `--token-file` names the file it is in")?;
    Connection::open(Gateways { addresses: options.admin.clone().into(), token }).await
}

/// Waits until everything that was sent is answered.
async fn settle(connection: &mut Connection, view: &mut View) {
    while !view.is_settled() {
        let Some(report) = connection.report().await else { return };
        view.report(&report);
    }
}

/// Creates or finds the show and begins to watch it.
async fn begin(options: &HostOptions, readers: FileReaders, connection: &mut Connection) -> anyhow::Result<View> {
    let view = match (&options.pack, &options.file) {
        (Some(path), _) => create_of_pack(options, (readers.pack)(path)?, connection).await?,
        (None, Some(path)) => {
            let mut message = (readers.show)(path, Orders::new()?.next_id()?)?;
            message.code = options.code.clone().or(message.code);
            let (id, title, setup) = (message.id.clone(), message.title.clone(), message.setup.read().ok());
            let mut view = create(FromHost::CreateGame(Box::new(message)), &id, title, None, connection).await?;
            view.setup = setup;
            view
        }
        (None, None) => find(options.code.as_ref(), connection).await?,
    };
    connection.send(FromHost::Watch(ShowRef { show: view.show }));
    Ok(view)
}

async fn create_of_pack(options: &HostOptions, pack: Pack, connection: &mut Connection) -> anyhow::Result<View> {
    let settings = options.show.settings();
    let problems = settings.problems();
    if !problems.is_empty() {
        bail!("these settings can't make a show:\n  {}", problems.join("\n  "));
    }
    let id = Orders::new()?.next_id()?;
    let message = Create { id: id.clone(), code: options.code.clone(), pack: pack.clone(), settings };
    create(FromHost::Create(Box::new(message)), &id, pack.title.clone(), Some(pack), connection).await
}

/// Sends the message that creates a show, and waits until it is there.
async fn create(
    message: FromHost,
    id: &CommandId,
    title: String,
    pack: Option<Pack>,
    connection: &mut Connection,
) -> anyhow::Result<View> {
    connection.send(message);
    loop {
        match receive(connection).await? {
            ToHost::Created(created) if created.id == *id => {
                return Ok(View::new(created.show, created.code, title, Phase::Created, pack));
            }
            ToHost::Refused(refused) if refused.id == *id => {
                let error = refused.error;
                bail!("{}: {} {}", error.code, harmless(error.message), harmless(error.advice))
            }
            _ => {}
        }
    }
}

async fn find(code: Option<&ShowCode>, connection: &mut Connection) -> anyhow::Result<View> {
    connection.send(FromHost::Shows);
    let shows = shows(connection).await?;
    let running = || shows.iter().filter(|line| line.phase != Phase::Ended);
    let found = match code {
        Some(code) => running().chain(&shows).find(|line| line.code == *code),
        None if running().count() == 1 => running().next(),
        None => bail!(
            "which show? `--code CODE` says so, `--pack FILE` or `--show FILE` makes a new one\n{}",
            table(&shows)
        ),
    };
    let Some(line) = found else { bail!("there is no such show\n{}", table(&shows)) };
    Ok(View::new(line.show, line.code.clone(), line.title.clone(), line.phase, None))
}

async fn shows(connection: &mut Connection) -> anyhow::Result<Vec<ShowLine>> {
    loop {
        if let ToHost::Shows(shows) = receive(connection).await? {
            return Ok(shows.shows);
        }
    }
}

async fn receive(connection: &mut Connection) -> anyhow::Result<ToHost> {
    loop {
        match connection.report().await {
            Some(Report::Received(ToHost::Error(error))) => {
                bail!("{} {}", harmless(error.message), harmless(error.advice))
            }
            Some(Report::Received(message)) => return Ok(message),
            Some(Report::Lost { .. } | Report::Back { .. }) => {}
            Some(Report::Over { problem }) => bail!(problem),
            None => bail!("the connection is over"),
        }
    }
}

fn table(shows: &[ShowLine]) -> String {
    if shows.is_empty() {
        return "there are no shows\n".into();
    }
    shows
        .iter()
        .map(|line| {
            let (phase, title) = (phase_name(line.phase), harmless(&line.title));
            format!("{:12} {phase:10} {:>8} joined  {title}\n", line.code.as_str(), line.joined)
        })
        .collect()
}

/// Reads on a thread of its own, since a read of standard input can't be cancelled.
fn lines_of_stdin() -> mpsc::Receiver<String> {
    let (send, lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if send.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// Gives orders, each command under an id that no other has.
struct Orders {
    prefix: u64,
    count: u64,
}

impl Orders {
    fn new() -> anyhow::Result<Self> {
        let prefix = getrandom::u64().context("the system has no random numbers")?;
        Ok(Self { prefix, count: 0 })
    }

    fn next_id(&mut self) -> anyhow::Result<CommandId> {
        self.count += 1;
        Ok(CommandId::parse(&format!("{:016x}-{}", self.prefix, self.count))?)
    }

    /// Sends what the order stands for. Those about the console itself are for the caller.
    fn give(&mut self, connection: &Connection, view: &mut View, order: Order) -> anyhow::Result<()> {
        let show: ShowId = view.show;
        let message = match order {
            Order::Do(action) => FromHost::Command(HostCommand { id: self.next_id()?, show, action }),
            Order::Journal(last) => FromHost::JournalTail(JournalTail { show, last }),
            Order::Find(name) => FromHost::FindPlayers(FindPlayers { show, name }),
            Order::Wait(_) | Order::Near | Order::Help | Order::Quit => return Ok(()),
        };
        view.sent(&message);
        connection.send(message);
        Ok(())
    }
}

/// News as lines, in which nothing acts on a terminal.
fn printed(news: &News) -> Vec<String> {
    let lines = match news {
        News::Event(text) => vec![format!("event: {text}")],
        News::Alert(text) => vec![format!("alert: {text}")],
        News::State(text) => vec![format!("state: {text}")],
        News::Connection(text) => vec![format!("connection: {text}")],
        News::Note(Note::Fine(text)) => vec![format!("ok: {text}")],
        News::Note(Note::Refused(text)) => vec![format!("refused: {text}")],
        News::Answer(lines) => lines.iter().map(|line| format!("found: {line}")).collect(),
    };
    lines.into_iter().map(harmless).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_news_acts_on_a_terminal() {
        let hostile = "a\u{1b}[2Jb\nc\u{202e}d\u{9b}".to_owned();
        for news in [
            News::Event(hostile.clone()),
            News::Alert(hostile.clone()),
            News::State(hostile.clone()),
            News::Connection(hostile.clone()),
            News::Note(Note::Fine(hostile.clone())),
            News::Note(Note::Refused(hostile.clone())),
            News::Answer(vec![hostile.clone()]),
        ] {
            let lines = printed(&news);
            assert!(lines.iter().all(|line| line.ends_with("a\\u{1b}[2Jb\\nc\\u{202e}d\\u{9b}")), "{lines:?}");
        }
    }
}
