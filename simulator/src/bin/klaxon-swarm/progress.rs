//! The progress of a run, on the terminal.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use klaxon_protocol::player::Phase;
use klaxon_simulator::socket::admin::AdminAccess;
use klaxon_simulator::swarm::faults::Target;
use klaxon_simulator::swarm::host::Stage;
use klaxon_simulator::swarm::players::{Gateways, World};
use klaxon_simulator::swarm::show::{Played, ShowPlan, play};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::sleep;

/// Plays the show with a progress bar.
pub async fn watched(
    plan: ShowPlan,
    players: Gateways,
    admin: AdminAccess,
    target: &mut impl Target,
) -> anyhow::Result<Played> {
    let questions = u64::from(plan.game.rounds());
    let mut bar = None;
    let played =
        play(plan, players, admin, target, |world, stage| bar = Some(ShowProgress::new(questions, world, stage))).await;
    drop(bar);
    Ok(played?)
}

/// A progress bar that follows a show; removed when dropped.
struct ShowProgress {
    bar: ProgressBar,
    follower: AbortHandle,
}

impl ShowProgress {
    fn new(questions: u64, world: Arc<World>, stage: watch::Receiver<Stage>) -> Self {
        let bar = ProgressBar::new(questions);
        if let Ok(style) = ProgressStyle::with_template("{elapsed_precise} {bar:24} {pos}/{len}  {msg}") {
            bar.set_style(style);
        }
        let follower = tokio::spawn(follow(bar.clone(), world, stage)).abort_handle();
        Self { bar, follower }
    }
}

impl Drop for ShowProgress {
    fn drop(&mut self) {
        self.follower.abort();
        self.bar.finish_and_clear();
    }
}

async fn follow(bar: ProgressBar, world: Arc<World>, stage: watch::Receiver<Stage>) {
    loop {
        let phase = match stage.borrow().phase {
            Phase::Created => "created",
            Phase::Lobby => "lobby",
            Phase::Question => "open",
            Phase::Closing => "closing",
            Phase::Closed => "closed",
            Phase::Revealed => "revealed",
            Phase::Ended => "ended",
        };
        let progress = &world.progress;
        bar.set_position(progress.round.load(Ordering::Relaxed).into());
        bar.set_message(format!(
            "{phase}: {} joined, {} connected, {} claims",
            progress.joined.load(Ordering::Relaxed),
            progress.connected.load(Ordering::Relaxed),
            progress.claims.load(Ordering::Relaxed),
        ));
        sleep(Duration::from_millis(100)).await;
    }
}

/// Shows the current step while nothing else is displayed; removed when dropped.
pub struct Spinner(ProgressBar);

impl Spinner {
    pub fn new() -> Self {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{elapsed_precise} {spinner} {msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(bar)
    }

    pub fn show(&self, what: String) {
        self.0.set_message(what);
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
