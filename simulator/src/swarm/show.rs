//! A whole show: the host, the swarm and the faults, from the show's creation until all players have left.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use klaxon_protocol::host::Created;
use klaxon_protocol::player::Phase;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use crate::evidence::{Disturbance, Evidence};
use crate::socket::admin::AdminAccess;
use crate::swarm::costs::Cost;
use crate::swarm::faults::{FaultPlan, Target, carry_out_plan};
use crate::swarm::games::Game;
use crate::swarm::host::{Extras, Host, HostError, HostLog, Pace, Stage};
use crate::swarm::players::{self, Gateways, HostileCrowd, SwarmPlan, SwarmSettings, World};
use crate::swarm::service::ServiceError;

/// The time limit for players to leave by themselves after the end.
const FAREWELL: Duration = Duration::from_secs(15);

/// The plan of a show.
#[derive(Debug, Clone)]
pub struct ShowPlan {
    /// What is played.
    pub game: Game,
    /// How fast the host drives the show.
    pub pace: Pace,
    /// The host's additional actions.
    pub extras: Extras,
    /// The settings of the swarm.
    pub swarm: SwarmSettings,
    /// The number of hostile connections.
    pub hostile: u32,
    /// The faults; only possible if the swarm started the processes.
    pub faults: FaultPlan,
    /// The time limit of the show.
    pub limit: Duration,
}

/// A show that was played.
#[derive(Debug)]
pub struct Played {
    /// The show.
    pub created: Created,
    /// What the players sent and received; without journal and memory.
    pub evidence: Evidence,
    /// The record of the host's commands.
    pub host: HostLog,
    /// The faults that were injected.
    pub faults: Vec<Disturbance>,
    /// The processor time of the processes; filled in by the code that started them.
    pub costs: Vec<Cost>,
    /// The duration of the show.
    pub took: Duration,
}

/// Why a show was not played to its end.
#[derive(Debug, thiserror::Error)]
pub enum ShowError {
    /// The host failed.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The service failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The show did not end within its limit.
    #[error("the show did not end within {limit:?}: it is {phase:?} in round {round}, {joined} players joined")]
    Endless {
        /// The time limit.
        limit: Duration,
        /// The phase at that time.
        phase: Phase,
        /// The last round that was begun, or 0.
        round: u16,
        /// The number of players that were welcomed.
        joined: u32,
    },
}

/// Plays a show at the gateways `players` and the admin socket `admin`. `watching` is called once, with what can be
/// observed during the show.
///
/// # Errors
/// If the show can't be created, the server fails, or the show does not end within its limit.
pub async fn play(
    plan: ShowPlan,
    players: Gateways,
    admin: AdminAccess,
    target: &mut impl Target,
    watching: impl FnOnce(Arc<World>, watch::Receiver<Stage>),
) -> Result<Played, ShowError> {
    let began = Instant::now();
    let deadline = began + plan.limit;
    let (known, form) = (plan.game.known(), plan.game.form());
    let host = Host::create(admin, None, plan.game, plan.pace, plan.extras, plan.swarm.seed);
    let unasked = |joined| ShowError::Endless { limit: plan.limit, phase: Phase::Created, round: 0, joined };
    let host = timeout(plan.limit, host).await.map_err(|_| unasked(0))??;
    let created = host.created().clone();
    let world = Arc::new(World::new(players, created.code.clone(), SwarmPlan::new(&plan.swarm), known, form));
    let (stage, mut stages) = watch::channel(Stage { phase: Phase::Created, round: None });
    let (over, is_over) = watch::channel(false);
    watching(Arc::clone(&world), stages.clone());

    let mut faults = Vec::new();
    let (hold, held) = watch::channel(false);
    let mut players = JoinSet::new();
    let mut hostile = JoinSet::new();
    let show = async {
        let open = async {
            // The sender lives longer than this future.
            let _ = stages.wait_for(|stage| stage.phase != Phase::Created).await;
            players.spawn(players::play(Arc::clone(&world), is_over.clone()));
            let crowd = HostileCrowd { connections: plan.hostile, rush: plan.swarm.rush };
            hostile.spawn(crowd.trouble(Arc::clone(&world), is_over));
        };
        let hosting = host.run(&stage, held);
        tokio::pin!(hosting);
        let log = tokio::select! {
            log = &mut hosting => return log,
            () = open => hosting.await,
        };
        // Players who have not received the end by then, or have not left, are stopped.
        let _ = timeout(FAREWELL, players.join_next()).await;
        over.send_replace(true);
        players.join_next().await;
        hostile.join_next().await;
        log
    };
    let trouble = carry_out_plan(&plan.faults, target, stage.subscribe(), &hold, &mut faults);
    let log = tokio::select! {
        log = show => log?,
        error = trouble => return Err(error.into()),
        () = sleep_until(deadline) => {
            let stage = stage.borrow().clone();
            return Err(ShowError::Endless {
                limit: plan.limit,
                phase: stage.phase,
                round: stage.round.map_or(0, |times| times.round.0),
                joined: world.progress.joined.load(Ordering::Relaxed),
            });
        }
    };
    Ok(Played { created, evidence: world.ledger.take(), host: log, faults, costs: Vec::new(), took: began.elapsed() })
}
