//! A whole show: the host, the swarm and what happens to the server, from the creation until everybody has left.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use klaxon_protocol::games::trivia::{Pack, Settings};
use klaxon_protocol::host::Created;
use klaxon_protocol::player::Phase;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use crate::evidence::{Disturbance, Evidence};
use crate::socket::admin::AdminAccess;
use crate::swarm::costs::Cost;
use crate::swarm::faults::{FaultPlan, Target, carry_out_plan};
use crate::swarm::host::{Extras, Host, HostError, HostLog, Pace, Stage};
use crate::swarm::players::{self, AnswerKey, Gateways, HostileCrowd, SwarmPlan, SwarmSettings, World};
use crate::swarm::service::ServiceError;

/// How long players may take to leave after the end by themselves.
const FAREWELL: Duration = Duration::from_secs(15);

/// What is to be played.
#[derive(Debug, Clone)]
pub struct ShowPlan {
    /// The questions.
    pub pack: Pack,
    /// How it is played.
    pub settings: Settings,
    /// How it is hosted.
    pub pace: Pace,
    /// What the host does besides.
    pub extras: Extras,
    /// Who plays.
    pub swarm: SwarmSettings,
    /// How many hostile connections there are.
    pub hostile: u32,
    /// What happens to its processes; only possible if they are ours.
    pub faults: FaultPlan,
    /// When the show is given up.
    pub limit: Duration,
}

/// A show that was played.
#[derive(Debug)]
pub struct Played {
    /// The show.
    pub created: Created,
    /// What the players saw; without journal and memory.
    pub evidence: Evidence,
    /// What the host did.
    pub host: HostLog,
    /// What happened to its processes.
    pub faults: Vec<Disturbance>,
    /// What its processes cost; filled in by who started them.
    pub costs: Vec<Cost>,
    /// How long it took.
    pub took: Duration,
}

/// Why a show was not played to its end.
#[derive(Debug, thiserror::Error)]
pub enum ShowError {
    /// The host could not go on.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The service could not.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// It did not end.
    #[error("the show did not end within {limit:?}: it is {phase:?} at question {question}, {joined} players joined")]
    Endless {
        /// The time it had.
        limit: Duration,
        /// Where it stands.
        phase: Phase,
        /// The last question, or 0.
        question: u16,
        /// How many players were welcomed.
        joined: u32,
    },
}

/// Plays a show at the gateways `players` and the admin socket `admin`. `watching` is called once with what can be watched meanwhile.
///
/// # Errors
/// If the show can't be made, the server fails, or the show does not end in its time.
pub async fn play(
    plan: ShowPlan,
    players: Gateways,
    admin: AdminAccess,
    target: &mut impl Target,
    watching: impl FnOnce(Arc<World>, watch::Receiver<Stage>),
) -> Result<Played, ShowError> {
    let began = Instant::now();
    let deadline = began + plan.limit;
    let key = AnswerKey::of(&plan.pack);
    let host = Host::create(admin, None, plan.pack, plan.settings, plan.pace, plan.extras);
    let unasked = |joined| ShowError::Endless { limit: plan.limit, phase: Phase::Created, question: 0, joined };
    let host = timeout(plan.limit, host).await.map_err(|_| unasked(0))??;
    let created = host.created().clone();
    let world = Arc::new(World::new(players, created.code.clone(), SwarmPlan::new(&plan.swarm), key));
    let (stage, mut stages) = watch::channel(Stage { phase: Phase::Created, question: None });
    let (over, is_over) = watch::channel(false);
    watching(Arc::clone(&world), stages.clone());

    let mut faults = Vec::new();
    let (hold, held) = watch::channel(false);
    let mut players = JoinSet::new();
    let mut hostile = JoinSet::new();
    let show = async {
        let open = async {
            // The sender outlives this.
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
        // Whoever has not seen the end by then, or does not go, is sent away.
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
                question: stage.question.map_or(0, |asked| asked.question.0),
                joined: world.progress.joined.load(Ordering::Relaxed),
            });
        }
    };
    Ok(Played { created, evidence: world.ledger.take(), host: log, faults, costs: Vec::new(), took: began.elapsed() })
}
