//! The swarm and the host against a scripted server.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

mod mini;

use std::time::Duration;

use klaxon_protocol::games::trivia::{Mode, PrizeRule, Settings};
use klaxon_protocol::time::Span;
use klaxon_simulator::report::{page, text};
use klaxon_simulator::socket::admin::AdminAccess;
use klaxon_simulator::swarm::faults::{FaultPlan, Untouched};
use klaxon_simulator::swarm::games::Game;
use klaxon_simulator::swarm::games::trivia::arithmetic;
use klaxon_simulator::swarm::host::{Extras, Pace};
use klaxon_simulator::swarm::players::{CodecChoice, Gateways, Shares, SwarmSettings};
use klaxon_simulator::swarm::report::{HostLine, Report, Setup, document};
use klaxon_simulator::swarm::show::{Played, ShowPlan, play};

use mini::{LIMIT, Mini};

const NOBODY: Shares =
    Shares { bad_networks: 0.0, cheats: 0.0, double_taps: 0.0, two_devices: 0.0, dawdlers: 0.0, hidden_tabs: 0.0 };

fn plan(players: u32, questions: u16, shares: Shares) -> ShowPlan {
    let settings = Settings {
        mode: Mode::Points,
        prize: PrizeRule::Podium { weights: vec![1] },
        open_for: Span(600),
        lead: Span(50),
        ..Settings::default()
    };
    ShowPlan {
        game: Game::Trivia { pack: arithmetic(7, questions), settings },
        pace: Pace {
            players,
            lobby_least: Duration::from_millis(500),
            lobby_most: Duration::from_secs(20),
            suspense: Duration::from_millis(20),
            pause: Duration::from_millis(50),
            autopilot: false,
        },
        extras: Extras::default(),
        swarm: SwarmSettings {
            seed: 7,
            players,
            spectators: 3,
            rush: Duration::from_millis(200),
            codec: CodecChoice::Mix,
            shares,
        },
        hostile: 0,
        faults: FaultPlan::default(),
        limit: LIMIT,
    }
}

async fn run(mini: &Mini, plan: ShowPlan) -> Played {
    play(plan, mini.players.into(), mini.admin.clone(), &mut Untouched, |_, _| {}).await.unwrap()
}

fn report(played: &Played) -> Report {
    let setup = Setup { title: "Mini".into(), ..Setup::default() };
    Report::new(7, setup, HostLine::default(), &[], &played.evidence)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plain_players_join_answer_and_see_the_end() {
    let mini = Mini::start(None).await;
    let played = run(&mini, plan(40, 3, NOBODY)).await;
    let report = report(&played);
    assert_eq!((report.crowd.joined, report.crowd.watched), (40, 3));
    assert_eq!(report.crowd.connections, 43);
    assert_eq!(report.questions.len(), 3);
    assert!(report.questions.iter().all(|line| line.seen_by == 43 && line.alive == 40), "{:?}", report.questions);
    assert_eq!(report.question_seen.count, 3 * 43);
    assert_eq!(report.answers.sent, report.answers.replied);
    assert_eq!(report.answer_replied.count, report.answers.replied);
    assert_eq!(report.answers.counted, mini.counted() as u64);
    assert!(report.answers.counted > 80, "{}", report.answers.counted);
    assert!(report.winners.is_some());
    assert!(played.host.refused.is_empty(), "{:?}", played.host.refused);
    assert_eq!(played.host.done, 1 + 3 + 3 + 1);
    assert!(text(&document(&report), false).contains("from question sent to seen"));
    assert!(page(&document(&report)).contains("</html>"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_habit_and_every_cheat_gets_through_a_show() {
    let mini = Mini::start(None).await;
    let shares =
        Shares { bad_networks: 0.3, cheats: 0.5, double_taps: 0.5, two_devices: 0.3, dawdlers: 0.3, hidden_tabs: 0.3 };
    let report = report(&run(&mini, plan(60, 4, shares)).await);
    assert_eq!(report.crowd.joined, 60);
    assert!(report.crowd.resumed > 10, "{}", report.crowd.resumed);
    let codes: Vec<&str> = report.answers.refused.iter().map(|(code, _)| code.as_str()).collect();
    for code in ["already_answered", "bad_message", "unknown_question", "bad_choice", "not_joined", "too_late"] {
        assert!(codes.contains(&code), "{code} not among {codes:?}");
    }
    assert_eq!(report.answers.counted, mini.counted() as u64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_who_is_cut_off_repeats_the_command_and_it_is_done_once() {
    let mini = Mini::start(Some(2)).await;
    let played = run(&mini, plan(10, 2, NOBODY)).await;
    assert_eq!((played.host.reconnects, played.host.repeated), (1, 1));
    assert_eq!(report(&played).questions.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn players_who_are_cut_off_come_back_to_their_seats_and_answer() {
    let mini = Mini::start(None).await;
    let cutting = async {
        while mini.asked() == 0 || mini.counted() == 0 {
            tokio::task::yield_now().await;
        }
        mini.cut_players();
    };
    let (played, ()) = tokio::join!(run(&mini, plan(40, 2, NOBODY)), cutting);
    let report = report(&played);
    assert_eq!(report.crowd.joined, 40);
    assert_eq!(report.crowd.resumed, 43);
    assert!(report.questions[0].silent < 15, "{:?}", report.questions[0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn players_and_host_who_lose_one_of_several_addresses_go_to_another() {
    let mini = Mini::start(Some(2)).await;
    // The second address is not listening: players who choose it first must find the other one.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let gateways = Gateways::new(mini.players, vec![nobody, mini.players]);
    let admin = AdminAccess { addresses: vec![nobody, mini.admin.addresses[0]], ..mini.admin.clone() };
    let played = play(plan(30, 2, NOBODY), gateways, admin, &mut Untouched, |_, _| {}).await.unwrap();
    let report = report(&played);
    assert_eq!((report.crowd.joined, report.crowd.watched), (30, 3));
    assert_eq!((played.host.reconnects, played.host.repeated), (1, 1));
    let used: std::collections::BTreeSet<u16> = played.evidence.connections.iter().map(|log| log.gateway.0).collect();
    assert_eq!(used.into_iter().collect::<Vec<_>>(), [0, 2]);
}
