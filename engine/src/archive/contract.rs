//! What every archive must do, whatever it is made of.
//!
//! An implementation's tests say `archive_contract!(EXPRESSION)`, where the expression makes a new, empty archive and
//! something that is kept until the test is over.

use std::sync::Arc;

use klaxon_protocol::games::trivia::{Choice, Difficulty, Mode, QuestionId};
use klaxon_protocol::ids::{GameName, Name, PlayerId, RoundId, Seat, ShowCode, ShowId};
use klaxon_protocol::player::Body;
use klaxon_protocol::time::Millis;

use super::{
    Archive, ArchiveError, HardQuestion, Played, PlayedShow, PlayerResults, QuestionResult, RoundResult, ShowResults,
    ShowSummary, Winner,
};

const SHOW: ShowId = ShowId(u64::MAX);
const ALWAYS: (Millis, Millis) = (Millis(0), Millis(u64::MAX));

fn id(text: &str) -> PlayerId {
    PlayerId::parse(text).unwrap()
}

/// A player of seat `seat`, who won `prize`.
pub fn player(seat: u32, who: &str, place: u32, prize: u64) -> PlayerResults {
    PlayerResults {
        seat: Seat(seat),
        player: id(who),
        name: Name::parse(&format!("{who} 🎉")).unwrap(),
        alive: place == 1,
        lives: 2,
        score: 1_000_000 - seat,
        right_answers: 7,
        out_at: (place != 1).then_some(QuestionId(3)),
        place,
        prize,
    }
}

/// A question of three choices, of which the second is right.
pub fn question(number: u16, counts: [u32; 3], voided: bool) -> QuestionResult {
    QuestionResult {
        question: QuestionId(number),
        text: format!("Question {number}?"),
        category: (number != 2).then(|| "Science".into()),
        difficulty: [None, Some(Difficulty::Easy), Some(Difficulty::Medium), Some(Difficulty::Hard)]
            [usize::from(number % 4)],
        choices: vec!["one".into(), "two \"2\"".into(), "drei; ünd".into()],
        right: Choice(1),
        counts: counts.to_vec(),
        silent: 4,
        voided,
        asked_at: Millis(10_000 * u64::from(number)),
        closed_at: Millis(10_000 * u64::from(number) + 5_000),
    }
}

/// A show that ended at `ended_at` and paid out its prizes in euros.
pub fn show(show: u64, ended_at: u64, questions: Vec<QuestionResult>, players: Vec<PlayerResults>) -> ShowResults {
    let paid = players.iter().map(|player| player.prize).sum();
    let summary = ShowSummary {
        show: ShowId(show),
        code: ShowCode::parse("QUIZ42").unwrap(),
        title: "Tonight's show".into(),
        played: Played::Trivia([Mode::Elimination, Mode::Points, Mode::Both][(show % 3) as usize]),
        created_at: Millis(5),
        ended_at: Millis(ended_at),
        joined: players.len() as u32,
        pot: paid + 1,
        currency: "EUR".into(),
        paid,
        rolled_over: 1,
    };
    ShowResults { summary, questions, players, rounds: Vec::new() }
}

fn full_show() -> ShowResults {
    let questions = vec![question(1, [1, 2, 3], false), question(2, [0, 0, 0], false), question(3, [9, 0, 1], true)];
    let players = vec![player(0, "ann", 2, 300), player(1, "bob", 1, 1 << 52), player(2, "cy", 0, 0)];
    show(SHOW.0, 900, questions, players)
}

async fn assert_holds(archive: &impl Archive, results: &ShowResults) {
    let id = results.summary.show;
    assert_eq!(archive.show(id).await.unwrap().as_ref(), Some(&results.summary));
    assert_eq!(archive.questions(id).await.unwrap(), results.questions);
    assert_eq!(archive.rounds(id).await.unwrap(), results.rounds);
    let mut placed: Vec<_> = results.players.iter().filter(|player| player.place > 0).cloned().collect();
    placed.sort_by_key(|player| (player.place, player.seat));
    assert_eq!(archive.podium(id, u32::MAX).await.unwrap(), placed);
}

pub async fn an_empty_archive_answers_every_question_with_nothing(archive: impl Archive) {
    assert_eq!(archive.show(SHOW).await.unwrap(), None);
    assert_eq!(archive.questions(SHOW).await.unwrap(), []);
    assert_eq!(archive.podium(SHOW, 10).await.unwrap(), []);
    assert_eq!(archive.history_of(&id("ann"), 10).await.unwrap(), []);
    assert_eq!(archive.hardest_questions(10).await.unwrap(), []);
    assert_eq!(archive.top_winners(ALWAYS.0, ALWAYS.1, "EUR", 10).await.unwrap(), []);
}

pub async fn a_show_comes_back_as_it_was_stored(archive: impl Archive) {
    archive.store(&full_show()).await.unwrap();
    assert_holds(&archive, &full_show()).await;
    let empty = show(0, 1, Vec::new(), Vec::new());
    archive.store(&empty).await.unwrap();
    assert_holds(&archive, &empty).await;
    assert_holds(&archive, &full_show()).await;
    assert_eq!(archive.show(ShowId(1)).await.unwrap(), None);
}

pub async fn a_show_of_another_game_comes_back_with_its_rounds_and_is_replaced_by_one_of_trivia(archive: impl Archive) {
    let round = |round, text: &str| RoundResult {
        round: RoundId(round),
        body: Body::of(&serde_json::json!({ "word": text, "winners": [3, 1] })),
    };
    let mut results = full_show();
    results.questions.clear();
    results.summary.played = Played::Game(GameName::parse("lots").unwrap());
    results.rounds = vec![round(1, "drei \"3\"; ünd"), round(2, "two")];
    for _ in 0..2 {
        archive.store(&results).await.unwrap();
        assert_holds(&archive, &results).await;
    }
    let history = archive.history_of(&id("ann"), 10).await.unwrap();
    assert_eq!(history[0].show, results.summary);
    archive.store(&full_show()).await.unwrap();
    assert_holds(&archive, &full_show()).await;
}

pub async fn a_show_stored_again_is_there_once(archive: impl Archive) {
    let other = show(4, 100, vec![question(1, [3, 1, 0], false)], vec![player(0, "ann", 1, 50)]);
    archive.store(&other).await.unwrap();
    for _ in 0..3 {
        archive.store(&full_show()).await.unwrap();
    }
    assert_holds(&archive, &full_show()).await;
    assert_eq!(archive.history_of(&id("bob"), 10).await.unwrap().len(), 1);
    assert_eq!(archive.hardest_questions(10).await.unwrap().len(), 2);

    let mut corrected = full_show();
    corrected.summary.title = "Corrected".into();
    corrected.questions.remove(0);
    corrected.players.remove(1);
    archive.store(&corrected).await.unwrap();
    assert_holds(&archive, &corrected).await;
    assert_eq!(archive.history_of(&id("bob"), 10).await.unwrap(), []);
    assert_holds(&archive, &other).await;
}

pub async fn results_that_contradict_themselves_are_refused_whole(archive: impl Archive) {
    type Spoil = fn(&mut ShowResults);
    let spoil: [(&str, Spoil); 9] = [
        ("two players on one seat", |show| show.players[1].seat = show.players[0].seat),
        ("one player on two seats", |show| show.players[1].player = show.players[0].player.clone()),
        ("one question twice", |show| show.questions[1].question = show.questions[0].question),
        ("fewer counts than choices", |show| show.questions[1].counts.truncate(2)),
        ("a right choice that is none", |show| show.questions[1].right = Choice(3)),
        ("a prize that no money is", |show| show.players[2].prize = u64::MAX),
        ("a pot that no money is", |show| show.summary.pot = u64::MAX),
        ("an end that never comes", |show| show.summary.ended_at = Millis(u64::MAX)),
        ("no choices", |show| (show.questions[0].choices, show.questions[0].counts) = (Vec::new(), Vec::new())),
    ];
    let kept = show(SHOW.0, 5, vec![question(7, [1, 1, 1], false)], vec![player(9, "dee", 1, 1)]);
    archive.store(&kept).await.unwrap();
    for (what, spoil) in spoil {
        let mut spoilt = full_show();
        spoil(&mut spoilt);
        let heard = archive.store(&spoilt).await;
        assert!(matches!(&heard, Err(ArchiveError::BadResults { show: SHOW, .. })), "{what}: {heard:?}");
        assert_holds(&archive, &kept).await;
    }
}

pub async fn a_podium_goes_by_place_and_then_by_seat(archive: impl Archive) {
    let players = vec![
        player(5, "e", 3, 0),
        player(0, "a", 0, 0),
        player(4, "d", 1, 10),
        player(2, "b", 3, 0),
        player(3, "c", 1, 10),
    ];
    archive.store(&show(1, 1, Vec::new(), players)).await.unwrap();
    archive.store(&show(2, 1, Vec::new(), vec![player(0, "z", 1, 0)])).await.unwrap();
    let seats = async |limit| -> Vec<u32> {
        archive.podium(ShowId(1), limit).await.unwrap().iter().map(|player| player.seat.0).collect()
    };
    assert_eq!(seats(10).await, [3, 4, 2, 5]);
    assert_eq!(seats(3).await, [3, 4, 2]);
    assert!(seats(0).await.is_empty());
}

pub async fn a_history_is_a_players_shows_the_newest_first(archive: impl Archive) {
    for (number, ended_at) in [(1, 300), (2, 100), (3, 200), (4, 400)] {
        let mut players = vec![player(0, "bob", 1, 10)];
        if number != 4 {
            players.push(player(number, "ann", number, u64::from(number)));
        }
        archive.store(&show(u64::from(number), ended_at, vec![question(1, [1, 1, 1], false)], players)).await.unwrap();
    }
    let history = archive.history_of(&id("ann"), 10).await.unwrap();
    let told: Vec<_> = history
        .iter()
        .map(|PlayedShow { show, player }| (show.show.0, show.ended_at.0, player.seat.0, player.prize))
        .collect();
    assert_eq!(told, [(1, 300, 1, 1), (3, 200, 3, 3), (2, 100, 2, 2)]);
    assert!(history.iter().all(|played| played.player.player == id("ann")));
    assert_eq!(archive.history_of(&id("ann"), 2).await.unwrap(), history[..2]);
    assert_eq!(
        archive.history_of(&id("ANN"), 10).await.unwrap(),
        [],
        "ids are opaque: another letter is another player"
    );
    assert_eq!(archive.history_of(&id("' OR 1=1 --"), 10).await.unwrap(), []);
}

pub async fn players_are_told_apart_by_every_byte_of_their_ids(archive: impl Archive) {
    let ids = ["ann", "ann ", "Ann", "a\u{308}nn", "\u{e4}nn", "an\0n"];
    let players = (0..).zip(ids).map(|(seat, who)| {
        let mut player = player(seat, "ann", 1, 10);
        player.player = id(who);
        player
    });
    archive.store(&show(1, 1, Vec::new(), players.collect())).await.unwrap();
    for (seat, who) in (0..).zip(ids) {
        let seats: Vec<_> =
            archive.history_of(&id(who), 10).await.unwrap().iter().map(|played| played.player.seat).collect();
        assert_eq!(seats, [Seat(seat)], "{who:?}");
    }
    assert_eq!(archive.top_winners(ALWAYS.0, ALWAYS.1, "EUR", 10).await.unwrap().len(), ids.len());
}

pub async fn the_hardest_questions_have_the_lowest_share_of_right_answers(archive: impl Archive) {
    let first = vec![
        question(1, [1, 3, 0], false),
        question(2, [2, 1, 0], false),
        question(3, [900, 0, 100], true),
        question(4, [0, 0, 0], false),
        question(5, [0, 8, 0], false),
    ];
    let second = vec![question(1, [40, 20, 0], false), question(2, [4, 0, 1], false), question(3, [1, 0, 4], false)];
    archive.store(&show(1, 1, first, Vec::new())).await.unwrap();
    archive.store(&show(2, 2, second, Vec::new())).await.unwrap();
    let hardest = archive.hardest_questions(10).await.unwrap();
    let told: Vec<_> =
        hardest.iter().map(|hard| (hard.show.0, hard.question.0, hard.right_answers, hard.answers)).collect();
    assert_eq!(told, [(2, 3, 0, 5), (2, 2, 0, 5), (2, 1, 20, 60), (1, 2, 1, 3), (1, 1, 3, 4), (1, 5, 8, 8)]);
    let HardQuestion { text, category, .. } = &hardest[3];
    assert_eq!((text.as_str(), category.as_ref()), ("Question 2?", None));
    assert_eq!(archive.hardest_questions(2).await.unwrap(), hardest[..2]);
}

pub async fn the_top_winners_are_summed_over_a_time_in_one_currency(archive: impl Archive) {
    let mut in_dollars = show(9, 150, Vec::new(), vec![player(0, "ann", 1, 9_999)]);
    in_dollars.summary.currency = "USD".into();
    let mut renamed = player(8, "ann", 1, 70);
    renamed.name = Name::parse("Annie").unwrap();
    for results in [
        show(1, 100, Vec::new(), vec![player(0, "ann", 1, 50), player(1, "bob", 1, 50), player(2, "cy", 2, 0)]),
        show(3, 199, Vec::new(), vec![renamed, player(2, "dee", 2, 60)]),
        show(2, 150, Vec::new(), vec![player(7, "bob", 1, 10), player(1, "ann", 2, 1)]),
        show(4, 200, Vec::new(), vec![player(0, "dee", 1, 5_001)]),
        show(5, 99, Vec::new(), vec![player(0, "bob", 1, 5_000)]),
        in_dollars,
    ] {
        archive.store(&results).await.unwrap();
    }
    let won =
        |who: &str, name: &str, shows, won| Winner { player: id(who), name: Name::parse(name).unwrap(), shows, won };
    let expected = [won("ann", "Annie", 3, 121), won("bob", "bob 🎉", 2, 60), won("dee", "dee 🎉", 1, 60)];
    let (from, until) = (Millis(100), Millis(200));
    assert_eq!(archive.top_winners(from, until, "EUR", 10).await.unwrap(), expected);
    assert_eq!(archive.top_winners(from, until, "EUR", 1).await.unwrap(), expected[..1]);
    assert_eq!(archive.top_winners(from, until, "USD", 10).await.unwrap(), [won("ann", "ann 🎉", 1, 9_999)]);
    assert_eq!(archive.top_winners(from, until, "GBP", 10).await.unwrap(), []);
    assert_eq!(archive.top_winners(until, from, "EUR", 10).await.unwrap(), []);
    assert_eq!(archive.top_winners(ALWAYS.0, ALWAYS.1, "EUR", 1).await.unwrap(), [won("dee", "dee 🎉", 2, 5_061)]);
}

pub async fn a_show_of_a_hundred_thousand_is_stored_whole(archive: impl Archive) {
    let players =
        (0..100_000).map(|seat| player(seat, &format!("player-{seat}"), seat + 1, u64::from(seat % 2))).collect();
    let results = show(SHOW.0, 900, vec![question(1, [60_000, 40_000, 0], false)], players);
    archive.store(&results).await.unwrap();
    assert_holds(&archive, &results).await;
}

pub async fn shows_stored_at_once_are_all_there(archive: impl Archive) {
    let archive = Arc::new(archive);
    let results = |number| show(number, number, vec![question(1, [1, 1, 1], false)], vec![player(0, "ann", 1, number)]);
    let tasks: Vec<_> = (0..16)
        .map(|number| {
            let archive = Arc::clone(&archive);
            tokio::spawn(async move { archive.store(&results(number)).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    for number in 0..16 {
        assert_holds(&*archive, &results(number)).await;
    }
    assert_eq!(archive.history_of(&id("ann"), 100).await.unwrap().len(), 16);
}

/// Runs the contract against the archive that the expression makes.
macro_rules! archive_contract {
    ($make:expr) => {
        $crate::archive::contract::archive_contract! { @ $make;
            an_empty_archive_answers_every_question_with_nothing
            a_show_comes_back_as_it_was_stored
            a_show_of_another_game_comes_back_with_its_rounds_and_is_replaced_by_one_of_trivia
            a_show_stored_again_is_there_once
            results_that_contradict_themselves_are_refused_whole
            a_podium_goes_by_place_and_then_by_seat
            a_history_is_a_players_shows_the_newest_first
            players_are_told_apart_by_every_byte_of_their_ids
            the_hardest_questions_have_the_lowest_share_of_right_answers
            the_top_winners_are_summed_over_a_time_in_one_currency
            a_show_of_a_hundred_thousand_is_stored_whole
            shows_stored_at_once_are_all_there
        }
    };
    (@ $make:expr; $($rule:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $rule() {
                let (archive, _kept) = $make;
                $crate::archive::contract::$rule(archive).await;
            }
        )*
    };
}
pub(crate) use archive_contract;
