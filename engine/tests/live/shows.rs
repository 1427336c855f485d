use klaxon_engine::archive::Archive;
use klaxon_engine::game::Games;
use klaxon_engine::journal::JournalError;
use klaxon_engine::replay;
use klaxon_fixtures::create;
use klaxon_protocol::claim::{ClaimValue, Verdict};
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::games::trivia::{Autopilot, Choice, Create, QuestionId, Settings};
use klaxon_protocol::host::{Action, AlertKind, CreateGame, Done, FromHost, JournalTail, ToHost};
use klaxon_protocol::ids::{CommandId, Seat, ShowId};
use klaxon_protocol::journal::{Command, Record, Records};
use klaxon_protocol::link::{ToEngine, ToGateway};
use klaxon_protocol::player::{Phase, ToPlayer};
use klaxon_protocol::time::Span;
use tempfile::TempDir;

use crate::house::{GATEWAY, House, pack, seat, settings, snapshot, you};

/// What is changed in a `create_game`.
type Change = fn(&mut CreateGame);

const YES: Verdict = Verdict::Accepted(ClaimValue::Bits(1));

fn journal(data: &TempDir, show: ShowId) -> Vec<u8> {
    std::fs::read(data.path().join("journal").join(format!("{show}.klxj"))).unwrap()
}

fn records(journal: &[u8]) -> Vec<Record> {
    Records::new(journal).unwrap().map(|item| item.unwrap().1).collect()
}

#[tokio::test]
async fn a_show_from_its_creation_to_the_archive() {
    let data = TempDir::new().unwrap();
    let mut house = House::open(data.path()).await;
    let show = house.lobby(settings(), 2).await;
    let ann = house.join(0).await;
    let other = house.join(1).await;
    assert_eq!((ann.name.as_str(), other.name.as_str()), ("Ann", "Ann 2"));
    assert_eq!((ann.seat, other.seat), (Some(seat(0)), Some(seat(1))));

    house.command(show, "next", Action::Next).await;
    house.answer(show, 1, house.clock.now(), &[(0, 1), (1, 0), (0, 1), (0, 0)]);
    assert_eq!(
        house.verdicts().await,
        [(0, YES), (1, Verdict::Accepted(Choice(0).into())), (0, YES), (0, Verdict::AlreadyAnswered(Choice(1).into()))]
    );
    house.command(show, "close", Action::Close).await;
    let refused = house.command(show, "too soon", Action::Reveal).await;
    assert!(matches!(refused, ToHost::Refused(refused) if refused.error.code == ErrorCode::WrongPhase));
    house
        .hear(|message| matches!(message, ToGateway::Figures(figures) if figures.phase == Phase::Closed).then_some(()))
        .await;
    house.host_says(FromHost::Command(klaxon_protocol::host::HostCommand {
        id: klaxon_protocol::ids::CommandId::parse("reveal").unwrap(),
        show,
        action: Action::Reveal,
    }));
    let personal = house
        .hear(|message| match message {
            ToGateway::Broadcast(broadcast) if matches!(broadcast.message, ToPlayer::Reveal(_)) => broadcast.personal,
            _ => None,
        })
        .await;
    assert!(matches!(house.host_hears().await, ToHost::Done(_)));
    assert_eq!(personal.shapes.len(), 2, "the right share one result, the wrong another");
    house.command(show, "end", Action::End { pay: true }).await;
    house.host_says(FromHost::JournalTail(JournalTail { show, last: 2 }));
    let ToHost::Journal(tail) = house.host_hears().await else { panic!("no journal") };
    assert!(tail.lines[1].contains("podium: 1 winners, 100 of 100 EUR paid"), "{:?}", tail.lines);

    let replayed = replay::replay(&Games::default(), &journal(&data, show), |_, _| {}).unwrap();
    let mut stored = None;
    while stored.is_none() {
        stored = house.archive.show(show).await.unwrap();
    }
    assert_eq!(stored.map(|summary| summary.paid), Some(100));
    assert_eq!(house.archive.podium(show, 10).await.unwrap()[0].prize, 100);
    assert_eq!(replayed.game.phase(), Phase::Ended);
}

#[tokio::test]
async fn each_of_a_flood_of_requests_for_the_journal_has_a_reply_and_some_are_served() {
    let data = TempDir::new().unwrap();
    let mut house = House::open(data.path()).await;
    let show = house.lobby(settings(), 1).await;
    for _ in 0..500 {
        house.host_says(FromHost::JournalTail(JournalTail { show, last: 1 }));
    }
    let mut served = 0;
    for _ in 0..500 {
        match house.host_hears().await {
            ToHost::Journal(_) => served += 1,
            ToHost::Error(error) => assert_eq!(error.code, ErrorCode::Unavailable),
            other => panic!("{other:?}"),
        }
    }
    assert!(served >= 4, "{served}");
    house.host_says(FromHost::JournalTail(JournalTail { show, last: 1 }));
    assert!(matches!(house.host_hears().await, ToHost::Journal(_)), "there are places again");
}

#[tokio::test]
async fn nothing_that_acts_on_a_screen_or_is_blank_is_said_to_players() {
    let data = TempDir::new().unwrap();
    let mut house = House::open(data.path()).await;
    let bad = ["a\u{1b}[2J", "a\u{7}", "a\nb", "a\u{2028}b", "a\u{202e}b", " ", "\u{ad}"];
    for (at, text) in bad.iter().enumerate() {
        let mut pack = pack(1);
        pack.title = (*text).to_owned();
        let create = create(&format!("bad {at}"), pack, settings());
        house.host_says(FromHost::Create(Box::new(Create { code: None, ..create })));
        let told = house.host_hears().await;
        assert!(matches!(&told, ToHost::Refused(refused) if refused.error.code == ErrorCode::BadPack), "{told:?}");
    }
    let show = house.lobby(settings(), 1).await;
    house.command(show, "next", Action::Next).await;
    for (at, text) in bad.iter().enumerate() {
        let message = Action::Message { text: (*text).to_owned() };
        let void = Action::Void { reason: (*text).to_owned() };
        for (what, action) in [("message", message), ("void", void)] {
            let told = house.command(show, &format!("{what} {at}"), action).await;
            assert!(
                matches!(&told, ToHost::Refused(refused) if refused.error.code == ErrorCode::BadArgument),
                "{told:?}"
            );
        }
    }
    // What was refused was not done: its id can be used again, and the journal knows nothing of it.
    let done = house.command(show, "message 0", Action::Message { text: "שלום\u{200f}!".to_owned() }).await;
    assert!(matches!(done, ToHost::Done(done) if !done.again));
    let mut said = 0;
    replay::replay(&Games::default(), &journal(&data, show), |record, _| {
        said += usize::from(replay::line(record).contains("notice"))
    })
    .unwrap();
    assert_eq!(said, 1);
}

#[tokio::test]
async fn one_id_is_for_one_command_and_a_repetition_is_told_from_another() {
    let data = TempDir::new().unwrap();
    let mut house = House::open(data.path()).await;
    let show = house.lobby(settings(), 2).await;
    let taken = |message| matches!(message, ToHost::Refused(refused) if refused.error.code == ErrorCode::IdTaken);
    assert!(matches!(house.command(show, "open", Action::OpenLobby).await, ToHost::Done(done) if done.again));
    assert!(taken(house.command(show, "open", Action::Next).await));
    assert!(taken(house.command(show, "create", Action::Next).await));
    assert_eq!(house.shows().await[0].phase, Phase::Lobby, "nothing was done");

    let again = house.create("create", settings(), 2).await;
    assert!(matches!(again, ToHost::Created(created) if created.show == show));
    assert!(taken(house.create("create", settings(), 1).await), "another pack");
    assert!(taken(house.create("create", Settings { pot: 7, ..settings() }, 2).await), "other settings");
    house.ask_to_create("create", "OTHER", settings(), 2);
    assert!(taken(house.host_hears().await), "another code");
}

#[tokio::test]
async fn a_show_is_made_with_settings_that_came_later_and_goes_on_with_them_after_a_crash() {
    let data = TempDir::new().unwrap();
    let mut house = House::open(data.path()).await;
    let newer = Settings { speed_points: false, ..settings() };
    let show = house.lobby(newer.clone(), 1).await;
    let taken = |message| matches!(message, ToHost::Refused(refused) if refused.error.code == ErrorCode::IdTaken);
    assert!(matches!(house.create("create", newer.clone(), 1).await, ToHost::Created(created) if created.show == show));
    assert!(taken(house.create("create", settings(), 1).await), "points for speed make another show of it");
    house.crash().await;
    let mut house = House::open(data.path()).await;
    assert_eq!(house.join(0).await.view.phase, Phase::Lobby);
    let first = records(&journal(&data, show)).swap_remove(0);
    let kept = first.command.begun().and_then(|begun| begun.trivia()).unwrap().unwrap();
    assert_eq!(kept.settings, newer);
}

#[tokio::test]
async fn create_game_of_trivia_is_create_and_what_it_does_not_know_it_names() {
    let data = TempDir::new().unwrap();
    let mut house = House::open(data.path()).await;
    let show = house.lobby(settings(), 1).await;
    let game = CreateGame::from(create("create", pack(1), settings()));
    house.host_says(FromHost::CreateGame(Box::new(game.clone())));
    assert!(matches!(house.host_hears().await, ToHost::Created(created) if created.show == show), "the same show");
    let first = records(&journal(&data, show)).swap_remove(0);
    assert!(matches!(first.command, Command::Begin { .. }), "any program of this journal's version can play it");

    let refusals: [(Change, ErrorCode, &str); 4] = [
        (|game| game.setup.0["settings"]["encores"] = 3.into(), ErrorCode::BadSettings, "`settings.encores`"),
        (|game| game.setup.0["settings"]["lives"] = 100.into(), ErrorCode::BadSettings, "lives: 0 to 99, not 100"),
        (|game| game.seats = 0, ErrorCode::BadSettings, "seats: 1 to 10000000, not 0"),
        (|game| game.title = String::new(), ErrorCode::BadPack, "title "),
    ];
    for (change, code, told) in refusals {
        let mut bad = CreateGame { id: CommandId::parse("bad").unwrap(), code: None, ..game.clone() };
        change(&mut bad);
        house.host_says(FromHost::CreateGame(Box::new(bad)));
        let ToHost::Refused(refused) = house.host_hears().await else { panic!("it was made: {told}") };
        assert_eq!((refused.id.as_str(), refused.error.code), ("bad", code));
        assert!(refused.error.message.contains(told), "{}", refused.error.message);
    }
}

#[tokio::test]
async fn who_is_given_lives_hears_it_at_once() {
    let data = TempDir::new().unwrap();
    let mut house = House::open(data.path()).await;
    let show = house.lobby(settings(), 1).await;
    house.join(0).await;
    house.join(1).await;
    house.ask_for(show, "lives", Action::GiveLives { seat: Some(Seat(1)), lives: 3 });
    let personal = house
        .hear(|message| match message {
            ToGateway::Own { personal, .. } => Some(personal),
            _ => None,
        })
        .await;
    assert_eq!(personal.shape_of(Seat(0)), None);
    let shape = personal.shape_of(Seat(1)).unwrap();
    assert!(matches!(personal.shapes[shape], ToPlayer::You(you) if you.lives == 3));
    assert!(matches!(house.host_hears().await, ToHost::Done(_)));
}

#[tokio::test]
async fn an_answer_that_was_read_in_time_counts_though_it_comes_after_the_close() {
    let data = TempDir::new().unwrap();
    let mut house = House::open(data.path()).await;
    house.hands_in = false;
    let show = house.lobby(settings(), 1).await;
    house.join(0).await;
    house.join(1).await;
    house.command(show, "next", Action::Next).await;
    let in_time = house.clock.now();
    tokio::time::sleep(Span(5).to_std()).await;
    house.host_says(FromHost::Command(klaxon_protocol::host::HostCommand {
        id: klaxon_protocol::ids::CommandId::parse("close").unwrap(),
        show,
        action: Action::Close,
    }));
    let round = house
        .hear(|message| match message {
            ToGateway::Barrier { round, .. } => Some(round),
            _ => None,
        })
        .await;
    house.answer(show, 1, in_time, &[(0, 1)]);
    house.answer(show, 1, house.clock.now() + Span(1_000), &[(1, 1)]);
    house.say(ToEngine::BarrierPassed { gateway: GATEWAY, show, round });
    let mut verdicts = house.verdicts().await;
    verdicts.extend(house.verdicts().await);
    verdicts.sort_unstable_by_key(|(conn, _)| *conn);
    assert_eq!(verdicts, [(0, YES), (1, Verdict::Refused(ErrorCode::TooLate))]);
}

#[tokio::test]
async fn a_gateway_that_does_not_hand_in_holds_up_nobody_and_is_named() {
    let data = TempDir::new().unwrap();
    let mut house = House::open(data.path()).await;
    house.hands_in = false;
    let show = house.lobby(Settings { barrier: Span(20), ..settings() }, 1).await;
    house.command(show, "next", Action::Next).await;
    house.command(show, "close", Action::Close).await;
    let gateways = house
        .hear(|message| match message {
            ToGateway::Alert { alert: AlertKind::SilentGateways { gateways, .. }, .. } => Some(gateways),
            _ => None,
        })
        .await;
    assert_eq!(gateways, [GATEWAY]);
}

#[tokio::test]
async fn a_gateway_that_begins_to_hear_a_show_in_the_middle_is_told_the_running_question() {
    let data = TempDir::new().unwrap();
    let mut house = House::open(data.path()).await;
    let show = house.lobby(settings(), 2).await;
    let attends = || ToEngine::Attend { gateway: GATEWAY, show };
    let running = |message| if let ToGateway::Running { view, .. } = message { Some(view) } else { None };
    house.say(attends());
    house.command(show, "next", Action::Next).await;
    house.say(attends());
    // The first time there was no question: this is the second.
    let view = house.hear(running).await;
    assert_eq!(view.phase, Phase::Question);
    assert_eq!(snapshot(&view).question.as_ref().map(|question| question.question), Some(QuestionId(1)));
}

#[tokio::test]
async fn after_a_crash_the_show_goes_on_where_it_was() {
    let data = TempDir::new().unwrap();
    let mut house = House::open(data.path()).await;
    let show = house.lobby(settings(), 2).await;
    house.join(0).await;
    house.join(1).await;
    house.command(show, "next", Action::Next).await;
    house.answer(show, 1, house.clock.now(), &[(0, 1)]);
    assert_eq!(house.verdicts().await, [(0, YES)]);
    house.crash().await;

    let mut house = House::open(data.path()).await;
    let resumed = house
        .hear(|message| match message {
            ToGateway::Alert { alert: AlertKind::Recovered { closes_at, .. }, .. } => closes_at,
            _ => None,
        })
        .await;
    assert!(resumed > house.clock.now());
    let back = house.join(0).await;
    assert_eq!((back.seat, you(&back).answered, back.view.phase), (Some(seat(0)), Some(Choice(1)), Phase::Question));
    house.answer(show, 1, house.clock.now(), &[(0, 1), (0, 0)]);
    assert_eq!(house.verdicts().await, [(0, YES), (0, Verdict::AlreadyAnswered(Choice(1).into()))]);
    let again = house.command(show, "next", Action::Next).await;
    assert!(matches!(again, ToHost::Done(done) if done.again), "what was done before the crash is not done again");
    let ToHost::Created(created) = house.create("create", settings(), 2).await else { panic!("not created") };
    assert_eq!(created.show, show, "nor is the show made twice");
    house.command(show, "end", Action::End { pay: true }).await;
    replay::replay(&Games::default(), &journal(&data, show), |_, _| {}).unwrap();
}

#[tokio::test]
async fn the_autopilot_leads_a_show_by_itself() {
    let data = TempDir::new().unwrap();
    let mut house = House::open(data.path()).await;
    let short = Span(50);
    let autopilot = Autopilot { on: true, lobby: Span(1_000), suspense: short, pause: short };
    let show = house.lobby(Settings { autopilot, open_for: Span(1_000), ..settings() }, 2).await;
    house.join(0).await;
    for question in 1..=2 {
        house.event(|event| matches!(event, ToPlayer::Question(_)).then_some(())).await;
        house.answer(show, question, house.clock.now(), &[(0, 1)]);
        assert_eq!(house.verdicts().await, [(0, YES)]);
    }
    let podium = house
        .event(|event| match event {
            ToPlayer::Podium(podium) => Some(podium),
            _ => None,
        })
        .await;
    assert_eq!((podium.winners, podium.paid), (1, 100));
}

#[tokio::test]
async fn a_code_belongs_to_one_show_at_a_time() {
    let data = TempDir::new().unwrap();
    let mut house = House::open(data.path()).await;
    let show = house.lobby(settings(), 1).await;
    let refused = house.create("another", settings(), 1).await;
    assert!(matches!(refused, ToHost::Refused(refused) if refused.error.code == ErrorCode::CodeTaken));
    house.command(show, "end", Action::End { pay: true }).await;
    assert!(matches!(house.create("another", settings(), 1).await, ToHost::Created(_)));
    let bad = house.create("bad", Settings { pot: u64::MAX, ..settings() }, 1).await;
    assert!(matches!(bad, ToHost::Refused(_)), "{bad:?}");
}

#[tokio::test]
async fn a_show_whose_events_the_bus_has_no_room_for_is_taken_over_again_and_publishes_what_was_missing() {
    let data = TempDir::new().unwrap();
    let mut house = House::open(data.path()).await;
    let show = house.lobby(settings(), 2).await;
    house.join(0).await;
    house.engine_end.fill();
    house.ask_for(show, "next", Action::Next);
    house
        .hear(|message| match message {
            ToGateway::Broadcast(broadcast) if matches!(broadcast.message, ToPlayer::Question(_)) => Some(()),
            ToGateway::Host { message, .. } => panic!("the command is done, and has no reply yet: {message:?}"),
            _ => None,
        })
        .await;
    let again = house.command(show, "next", Action::Next).await;
    assert!(matches!(again, ToHost::Done(Done { again: true, .. })), "{again:?}");
}

#[tokio::test]
async fn a_show_stops_at_the_first_message_that_the_bus_has_no_room_for_also_if_it_is_an_alert() {
    let data = TempDir::new().unwrap();
    let mut house = House::open(data.path()).await;
    let show = house.lobby(settings(), 2).await;
    house.join(0).await;
    house.journal.fail(Some(JournalError::Unavailable("away".into())));
    house.engine_end.fill();
    house.ask_for(show, "next", Action::Next);
    house.journal.refused(1).await;
    house.journal.fail(None);
    house.hear(|message| matches!(message, ToGateway::Alert { .. }).then_some(())).await;
    // A show that had gone on would have written the command.
    let done = house.command(show, "next", Action::Next).await;
    assert!(matches!(done, ToHost::Done(Done { again: false, .. })), "{done:?}");
}
