//! docs/rules/quiz.md by examples, and what holds for all answers.

use klaxon_protocol::games::quiz::{AfterWrong, Folding, STREAK_MOST, Scoring, Stake, Tie, order_to_bits};
use klaxon_protocol::ids::Seat;
use klaxon_protocol::time::Span;
use proptest::prelude::*;

use super::cloud::Cloud;
use super::points::{Timing, gained};
use super::{Mark, Share, buzzer, choices, majority, number, order, race, wager};

const USUAL: Scoring = Scoring { points: 1000, speed: 50, streak: 100, penalty: 0 };

fn at(elapsed: u32, streak: u8) -> Timing {
    Timing { elapsed: Span(elapsed), total: Span(10_000), streak }
}

#[test]
fn points_fall_with_time_and_rise_with_a_streak() {
    let right = |scoring, timing| gained(scoring, &[], Mark::Right, timing);
    assert_eq!(
        [at(0, 0), at(5_000, 0), at(9_999, 0), at(0, 2), at(0, 200)].map(|timing| right(USUAL, timing)),
        [1000, 750, 500, 1200, 1500]
    );
    let all = Scoring { speed: 100, streak: 0, ..USUAL };
    assert_eq!([at(0, 3), at(5_000, 3), at(9_999, 3)].map(|timing| right(all, timing)), [1000, 500, 0]);
    let accuracy = Scoring { speed: 0, streak: 0, ..USUAL };
    assert_eq!([at(0, 3), at(9_999, 0)].map(|timing| right(accuracy, timing)), [1000, 1000]);
    let warm_up = Scoring { points: 0, ..USUAL };
    assert_eq!(right(warm_up, at(0, 5)), 0, "a question without points has no streak's either");
}

#[test]
fn a_wrong_answer_costs_the_penalty_and_a_missing_one_nothing() {
    let strict = Scoring { penalty: 250, ..USUAL };
    assert_eq!(gained(strict, &[], Mark::Wrong, at(0, 4)), -250);
    assert_eq!(gained(strict, &[], Mark::Silent, at(0, 4)), 0);
}

#[test]
fn a_share_earns_its_part_and_no_streak() {
    assert_eq!(gained(USUAL, &[], Mark::of(Share::of(1, 2)), at(0, 5)), 500);
    assert_eq!(gained(USUAL, &[], Mark::of(Share::of(1, 3)), at(0, 5)), 333);
}

#[test]
fn places_earn_what_they_say_and_those_after_them_nothing() {
    let places = [500, 300];
    let of = |mark| gained(USUAL, &places, mark, at(0, 5));
    assert_eq!([of(Mark::Placed(1)), of(Mark::Placed(2)), of(Mark::Right), of(Mark::Silent)], [500, 300, 0, 0]);
}

#[test]
fn several_choices_by_share() {
    // Two of four are right.
    let weights = [1, -1, 1, -1];
    let by = |chosen| choices::by_weights(&weights, chosen);
    assert_eq!(by(0b0101), Share::WHOLE);
    assert_eq!(by(0b0001), Share::of(1, 2));
    assert_eq!(by(0b0111), Share::of(1, 2), "a wrong one takes away what a right one adds");
    assert_eq!(by(0b1111), Share::NONE, "all of them is nothing");
    assert_eq!(choices::by_weights(&[3, 1, 0], 0b001), Share::of(3, 4));
    assert!(choices::by_weights(&[3, 1, 0], 0b111) < Share::WHOLE, "with a wrong one it is not all right");
}

#[test]
fn numbers_by_how_near_they_are() {
    let by = |said| number::by_curve(1889, 100, said);
    assert_eq!(
        [by(1889), by(1899), by(1839), by(1989), by(0)],
        [Share::WHOLE, Share::of(45, 50), Share::of(25, 50), Share::NONE, Share::NONE]
    );
    // 1 off in either direction, and the earlier of two who are as near.
    let said = [(0, 1900, 10), (1, 1890, 30), (2, 1888, 20), (3, 1889, 90)];
    let answers = said.map(|(seat, said, elapsed)| (Seat(seat), said, Span(elapsed)));
    assert_eq!(number::nearest(&[1889], 3, None, answers.into_iter()), [Seat(3), Seat(2), Seat(1)]);
}

#[test]
fn an_order_by_its_right_places() {
    let right = order_to_bits(&[2, 0, 1, 3]);
    let by = |said: &[u8]| order::by_places(right, 4, order_to_bits(said));
    assert_eq!([by(&[2, 0, 1, 3]), by(&[0, 2, 1, 3]), by(&[3, 2, 0, 1])], [Share::WHOLE, Share::of(2, 4), Share::NONE]);
}

#[test]
fn the_majority_is_right_and_a_tie_is_settled_by_the_setting() {
    assert_eq!(majority::right(&[3, 5, 1], Tie::All), 0b010);
    assert_eq!(majority::right(&[5, 5, 1], Tie::All), 0b011);
    assert_eq!(majority::right(&[5, 5, 1], Tie::None), 0);
    assert_eq!(majority::right(&[0, 0], Tie::All), 0, "nobody answered, so nobody was right");
}

#[test]
fn the_fastest_finger_is_who_was_read_first() {
    let said = [(0, 1, 30), (1, 0, 10), (2, 1, 20), (3, 1, 20)];
    let answers = said.map(|(seat, said, elapsed)| (Seat(seat), said, Span(elapsed)));
    assert_eq!(race::first(&[1], 2, None, answers.into_iter()), [Seat(2), Seat(3)], "seat 1 was faster, and wrong");
}

#[test]
fn the_first_to_buzz_answers_and_after_a_wrong_answer_the_next() {
    let order = buzzer::order(
        3,
        None,
        [(5, 20), (4, 20), (9, 10), (1, 30)].into_iter().map(|(seat, at)| (Seat(seat), Span(at))),
    );
    assert_eq!(order, [Seat(9), Seat(4), Seat(5)]);
    let only = |right| move |seat| seat == Seat(right);
    assert_eq!(buzzer::judge(&order, only(4), AfterWrong::Next), (Some(Seat(4)), vec![Seat(9)]));
    assert_eq!(buzzer::judge(&order, only(4), AfterWrong::Over), (None, vec![Seat(9)]));
    assert_eq!(buzzer::judge(&order, only(8), AfterWrong::Next), (None, order.clone()));
}

#[test]
fn a_stake_is_no_more_than_a_player_has() {
    let points = |said| wager::stake(Stake::Points, 500, 300, said);
    assert_eq!([points(0), points(300), points(301), points(u64::MAX)], [Some(0), Some(300), None, None]);
    let staked = |points, said| wager::staked(Stake::Points, 500, points, said);
    assert_eq!([staked(300, 200), staked(300, 400), staked(-5, 400), staked(900, 600)], [200, 300, 0, 500]);
    let double = |have, said| wager::stake(Stake::DoubleOrQuit, 500, have, said);
    assert_eq!(
        [double(300, 1), double(900, 1), double(-5, 1), double(300, 0), double(300, 2)],
        [Some(300), Some(500), Some(0), Some(0), None]
    );
    assert_eq!([Mark::Right, Mark::Wrong, Mark::Silent].map(|mark| wager::outcome(300, mark)), [300, -300, -300]);
}

#[test]
fn a_word_counts_once_for_a_player_and_what_is_taken_out_stays_out() {
    let mut cloud = Cloud::default();
    cloud.add("Café", [].into_iter());
    cloud.add("cafe", ["Café"].into_iter());
    cloud.add("CAFE", [].into_iter());
    cloud.add("tea", [].into_iter());
    let shown = |cloud: &Cloud, players| {
        cloud.most_frequent(players).into_iter().map(|word| (word.word, word.players)).collect::<Vec<_>>()
    };
    assert_eq!(shown(&cloud, 1), [("CAFE".to_owned(), 2), ("tea".to_owned(), 1)]);
    assert_eq!(shown(&cloud, 2), [("CAFE".to_owned(), 2)]);
    assert!(cloud.hide("Cafe") && !cloud.hide("CAFÉ"));
    cloud.add("cafe", [].into_iter());
    assert_eq!(shown(&cloud, 1), [("tea".to_owned(), 1)]);
    assert_eq!(klaxon_protocol::games::quiz::fold("Cafe", Folding { case: true, marks: true }), "cafe");
}

fn answers() -> impl Strategy<Value = Vec<(Seat, u64, Span)>> {
    let claims = proptest::collection::btree_map(0u32..40, (0u64..4, 0u32..20), 0..40);
    claims.prop_map(|claims| claims.into_iter().map(|(seat, (said, at))| (Seat(seat), said, Span(at))).collect())
}

proptest! {
    #[test]
    fn no_order_of_arrival_matters(
        (answers, mixed) in answers().prop_flat_map(|answers| (Just(answers.clone()), Just(answers).prop_shuffle())),
        places in 1usize..10,
    ) {
        let nearest = |answers: &[(Seat, u64, Span)]| {
            number::nearest(&[2], places, None, answers.iter().map(|&(seat, said, at)| (seat, said.cast_signed(), at)))
        };
        prop_assert_eq!(nearest(&answers), nearest(&mixed));
        prop_assert_eq!(race::first(&[1], places, None, answers.iter().copied()), race::first(&[1], places, None, mixed.iter().copied()));
        let buzzed = |answers: &[(Seat, u64, Span)]| buzzer::order(places, None, answers.iter().map(|&(seat, _, at)| (seat, at)));
        prop_assert_eq!(buzzed(&answers), buzzed(&mixed));
        let words = |answers: &[(Seat, u64, Span)]| {
            let mut cloud = Cloud::default();
            answers.iter().for_each(|&(_, said, _)| cloud.add(["Red", "red", "blue", "bleu"][usize::try_from(said).unwrap()], [].into_iter()));
            cloud.most_frequent(1)
        };
        prop_assert_eq!(words(&answers), words(&mixed));
    }

    #[test]
    fn the_nearest_are_those_of_the_whole_list(answers in answers(), places in 1usize..10) {
        let mut all: Vec<_> = answers.iter().map(|&(seat, said, at)| (said.abs_diff(2), at, seat)).collect();
        all.sort_unstable();
        let expected: Vec<Seat> = all.into_iter().take(places).map(|(_, _, seat)| seat).collect();
        prop_assert_eq!(number::nearest(&[2], places, None, answers.iter().map(|&(seat, said, at)| (seat, said.cast_signed(), at))), expected);
    }

    #[test]
    fn points_never_exceed_the_most_that_is_declared_and_a_faster_answer_never_earns_less(
        (points, speed, streak_points, penalty) in (0u32..=100_000, 0u8..=100, 0u32..=100_000, 0u32..=100_000),
        (share, streak) in (0u64..=100, 0u8..=9),
        (early, late) in (0u32..12_000, 0u32..12_000),
    ) {
        let scoring = Scoring { points, speed, streak: streak_points, penalty };
        let of = |elapsed| gained(scoring, &[], Mark::of(Share::of(share, 100)), at(elapsed, streak));
        let (fast, slow) = (of(early.min(late)), of(early.max(late)));
        prop_assert!(fast >= slow);
        prop_assert!(fast <= i64::from(scoring.most()) && slow >= -i64::from(penalty));
        prop_assert!(scoring.most() <= points + u32::from(STREAK_MOST) * streak_points);
    }

    #[test]
    fn a_nearer_number_never_earns_less(zero in 1u64..1_000_000, a in -2_000_000i64..2_000_000, b in -2_000_000i64..2_000_000) {
        let (near, far) = if a.abs() < b.abs() { (a, b) } else { (b, a) };
        prop_assert!(number::by_curve(0, zero, near) >= number::by_curve(0, zero, far));
    }

    #[test]
    fn of_several_choices_all_the_right_ones_alone_are_the_whole(right in 1u64..0xffff, chosen in 1u64..0xffff) {
        let weights: Vec<i8> = (0..16).map(|choice| if right >> choice & 1 == 1 { 1 } else { -1 }).collect();
        prop_assert_eq!(choices::by_weights(&weights, chosen) == Share::WHOLE, chosen == right);
    }
}
