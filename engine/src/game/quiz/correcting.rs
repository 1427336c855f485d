//! The host corrects what is right, after the reveal: the question and all after it are judged again.

use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::games::quiz::{
    Accept, Accepted, Buzzer, By, Corrected, Fastest, Kind, MOST_RIGHTS, NumberAnswer, NumberScore, QuizEvent, Right,
    RightOrder, SeatResult, SeveralRight, TypedAnswer, is_order, order_to_bits, set_to_bits,
};
use klaxon_protocol::games::rundown::Standing;
use klaxon_protocol::ids::Seat;
use klaxon_protocol::link::Personal;
use klaxon_protocol::player::{Body, Phase};
use serde::Serialize;

use super::QuizPart;
use super::past::Again;
use super::sheet::{Rule, accepts};
use super::telling::{PointRanks, leaders, result_of};
use crate::game::people::SeatSet;
use crate::game::personal::for_each_seat_by;
use crate::game::rundown::Stage;

/// What is right now.
struct Rights {
    rules: Vec<Rule>,
    rights: Vec<Right>,
}

/// What a seat is told for which something changed.
#[derive(Serialize)]
struct CorrectedResult {
    /// None for those who came after the question.
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<SeatResult>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stake: Option<u32>,
    #[serde(flatten)]
    standing: Standing,
}

/// How many right answers these are: each is compared with what players answered.
const fn answers(right: &Right) -> usize {
    match right {
        Right::Spellings(spellings) => spellings.len(),
        Right::Choices(_) | Right::Number(_) | Right::Order(_) => 1,
    }
}

fn bad(problem: impl Into<String>) -> Refusal {
    Refusal::because(ErrorCode::BadArgument, problem.into())
}

fn wrong(problem: impl Into<String>) -> Refusal {
    Refusal::because(ErrorCode::WrongPhase, problem.into())
}

impl QuizPart {
    /// Accepts another answer to a question that was revealed, and judges it and all after it again.
    pub(super) fn accept(&mut self, stage: &mut Stage<'_>, accept: &Accept) -> Result<(), Refusal> {
        if stage.phase() != Phase::Revealed {
            return Err(wrong("Answers are accepted between a reveal and the next question."));
        }
        let at = self.to_correct(accept.question)?;
        let Rights { rules, rights } = self.rights(at, accept)?;
        self.corrections.note(&(at as u64, Body::of(accept).to_string()));
        let ranks = self.ranks(stage);
        let was = self.judge_again(at, stage.teams);
        let winners = self.winners(at);
        let mut rights = rights.into_iter();
        let sheet = &mut self.asked[at].sheet;
        (sheet.rules, sheet.right, sheet.also) = (rules, rights.next(), rights.collect());
        self.mark_texts(at);
        let mut is = self.judge_again(at, stage.teams);
        let mut changed = SeatSet::default();
        for seat in (0..stage.ledger.seats()).map(Seat) {
            if stage.ledger.correct(seat, was.ledger.line(seat), is.ledger.line(seat)) {
                changed.insert(seat);
            }
        }
        self.apply(stage, at, &mut is);
        let result =
            |again: &Again, winners: &[Seat], seat| result_of(self.asked[at].round, again.undo(at), winners, seat);
        let winners_now = self.winners(at);
        let ranks_now = self.ranks(stage);
        for seat in (0..stage.ledger.seats()).map(Seat) {
            let rank = |ranks: &[u32]| ranks.get(seat.index()).copied();
            if result(&was, &winners, seat) != result(&is, &winners_now, seat) || rank(&ranks) != rank(&ranks_now) {
                changed.insert(seat);
            }
        }
        let personal = self.corrected_results(stage, &changed, &ranks_now, |seat| result(&is, &winners_now, seat));
        let mut reveal = self.asked[at].reveal.clone().expect("it was revealed");
        reveal.in_play = stage.look().playing();
        if self.shows_ranks() {
            reveal.leaders = leaders(stage.ledger, |seat| stage.plays(seat));
        }
        if let Some(undo) = is.take_undo(self.asked.len() - 1).filter(|_| self.undo.is_some()) {
            self.undo = Some(undo);
        }
        let corrected = Corrected { reveal, changed: changed.count() };
        stage.tell_with(Phase::Revealed, QuizEvent::Corrected(corrected), personal);
        Ok(())
    }

    /// What follows from the questions that were judged again, apart from what stands in the ledger.
    fn apply(&mut self, stage: &Stage<'_>, at: usize, is: &mut Again) {
        std::mem::swap(&mut self.seats.streaks, &mut is.seats.streaks);
        std::mem::swap(&mut self.seats.rights, &mut is.seats.rights);
        if !self.seats.stakes.is_empty() {
            std::mem::swap(&mut self.seats.stakes, &mut is.seats.stakes);
        }
        self.seats.grow(stage.ledger.seats());
        self.seats.changed();
        if at + 1 == self.asked.len()
            && matches!(self.kind(self.asked[at].index), Kind::Buzzer(Buzzer { choices: Some(_), .. }))
        {
            self.judge_choices();
        }
        self.note_corrected(&is.judged);
        self.note_state(stage);
        // Not what the host gave since the last reveal.
        self.course.first_points = is.mean;
    }

    fn winners(&self, at: usize) -> Vec<Seat> {
        self.asked[at].reveal.as_ref().map(|reveal| reveal.winners.clone()).unwrap_or_default()
    }

    /// The rank of each seat, 0 for those who have none; empty if ranks are not told.
    fn ranks(&self, stage: &Stage<'_>) -> Vec<u32> {
        if !self.shows_ranks() {
            return Vec::new();
        }
        let ranks = PointRanks::of(stage);
        let rank =
            |seat: Seat| ranks.of_points(stage.ledger.line(seat).points).filter(|_| stage.plays(seat)).unwrap_or(0);
        (0..stage.ledger.seats()).map(Seat).map(rank).collect()
    }

    /// What those seats are told for which something changed.
    fn corrected_results(
        &self,
        stage: &Stage<'_>,
        changed: &SeatSet,
        ranks: &[u32],
        result: impl Fn(Seat) -> Option<SeatResult>,
    ) -> Personal {
        let message = |seat: Seat| {
            let rank = ranks.get(seat.index()).copied().filter(|rank| *rank > 0);
            let stake = self.seats.stakes.get(seat.index()).copied();
            let result = result(seat).map(|result| SeatResult { rank, ..result });
            CorrectedResult { result, stake, standing: stage.standing(seat) }
        };
        let key = |seat: Seat| {
            if !changed.contains(seat) {
                return [u64::MAX; 6];
            }
            let CorrectedResult { result, stake, standing } = message(seat);
            let Standing { in_play, lives, points, winnings } = standing;
            let (outcome, place) =
                result.map_or((0, 0), |of| (of.outcome as u64 + 1, u64::from(of.place.unwrap_or(0))));
            let small = u64::from(in_play) | u64::from(lives) << 1 | outcome << 8 | place << 16;
            let stake = stake.map_or(0, |stake| u64::from(stake) + 1);
            let rank = u64::from(result.and_then(|of| of.rank).unwrap_or(0));
            [small, result.map_or(0, |of| of.gained).cast_unsigned(), points.cast_unsigned(), winnings, stake, rank]
        };
        let mut personal = for_each_seat_by(stage.ledger.seats(), key, |seat| stage.own(message(seat)));
        for (seat, shape) in (0..).map(Seat).zip(&mut personal.by_seat) {
            if !changed.contains(seat) {
                *shape = Personal::NONE;
            }
        }
        personal
    }

    /// The place of the question with this number among those that were asked; without a number that of the last one that counts.
    fn to_correct(&self, number: Option<u16>) -> Result<usize, Refusal> {
        let at = match number {
            Some(number) => self.asked.iter().position(|asked| asked.sheet.asked.number == number),
            None => self.asked.iter().rposition(|asked| asked.reveal.is_some() && !asked.voided),
        };
        let at = at.ok_or_else(|| wrong("No such question was revealed."))?;
        let asked = &self.asked[at];
        if asked.voided {
            return Err(wrong("This question is void: nothing follows from it."));
        }
        if asked.reveal.is_none() || !self.can_be_judged_again(at) {
            return Err(wrong("The answers to this question are not kept any more: correct points by `points`."));
        }
        Ok(at)
    }

    /// What is right after this correction.
    fn rights(&self, at: usize, accept: &Accept) -> Result<Rights, Refusal> {
        let sheet = &self.asked[at].sheet;
        let old: Vec<&Right> = sheet.right.iter().chain(&sheet.also).collect();
        let mut all = self.accepted(at, accept)?;
        if !accept.only {
            all.retain(|(right, _)| !old.contains(&right));
        }
        let is_same = accept.only && all.iter().map(|(right, _)| right).eq(old.iter().copied());
        if all.is_empty() || is_same {
            return Err(bad("`accept`: that is what is right already."));
        }
        let before = old.iter().copied().filter(|_| !accept.only);
        let count: usize = all.iter().map(|(right, _)| right).chain(before).map(answers).sum();
        if count > MOST_RIGHTS {
            return Err(bad(format!("`accept`: a question has {MOST_RIGHTS} right answers at most, not {count}.")));
        }
        let (new_rights, new_rules): (Vec<Right>, Vec<Rule>) = all.into_iter().unzip();
        let (mut rights, mut rules) = (Vec::new(), Vec::new());
        if !accept.only {
            rights.extend(old.into_iter().cloned());
            rules.extend(sheet.rules.iter().cloned());
        }
        rights.extend(new_rights);
        rules.extend(new_rules);
        Ok(Rights { rules, rights })
    }

    /// The answers that the host accepts, each with the rule by which it is right.
    fn accepted(&self, at: usize, accept: &Accept) -> Result<Vec<(Right, Rule)>, Refusal> {
        let Accept { choices, number, order, spellings, .. } = accept;
        let needs = |field: &str| bad(format!("`accept`: a question of this kind needs `{field}`, and nothing else."));
        let kind = self.kind(self.asked[at].index);
        let count = u8::try_from(kind.choices().len()).expect("a question has 16 choices at most");
        let chosen = |choices: &[u8]| {
            let is_known =
                choices.iter().enumerate().all(|(at, choice)| *choice < count && !choices[..at].contains(choice));
            let told = || bad(format!("`accept.choices`: from 0 to {}, each once.", count.saturating_sub(1)));
            if choices.is_empty() || !is_known { Err(told()) } else { Ok(()) }
        };
        let each = |choices: &[u8], rule: &dyn Fn(u64) -> Rule| {
            chosen(choices)?;
            Ok(choices.iter().map(|&choice| (Right::Choices(vec![choice]), rule(choice.into()))).collect())
        };
        let ordered = |order: &[u8], rule: &dyn Fn(u64) -> Rule| {
            let bits = order_to_bits(order);
            if order.len() != usize::from(count) || !is_order(bits, count.into()) {
                return Err(bad(format!(
                    "`accept.order`: the numbers from 0 to {}, each once.",
                    count.saturating_sub(1)
                )));
            }
            Ok(vec![(Right::Order(order.to_vec()), rule(bits))])
        };
        match (kind, choices, number, order, spellings) {
            (Kind::Choice(_), Some(choices), None, None, None) => each(choices, &Rule::Exact),
            (Kind::Buzzer(Buzzer { choices: Some(_), .. }), Some(choices), None, None, None) => {
                each(choices, &|choice| Rule::Buzzer(Some(choice)))
            }
            (Kind::Fastest(of), Some(choices), None, None, None) if !of.is_order() => each(choices, &Rule::Race),
            (Kind::Choices(of), Some(choices), None, None, None) => {
                chosen(choices)?;
                Ok(vec![set_of(of, choices, count)?])
            }
            (Kind::Number(of), None, Some(number), None, None) => Ok(vec![number_of(of, *number)?]),
            (Kind::Order(RightOrder { by: By::All, .. }), None, None, Some(order), None) => {
                ordered(order, &Rule::Exact)
            }
            (Kind::Order(_), None, None, Some(order), None) => {
                ordered(order, &|right| Rule::Places { right, items: count.into() })
            }
            (Kind::Fastest(of), None, None, Some(order), None) if of.is_order() => ordered(order, &Rule::Race),
            (Kind::Text(of), None, None, None, Some(spellings)) => self.spelt(at, of, spellings, accept.only),
            (Kind::Choice(_) | Kind::Choices(_) | Kind::Buzzer(Buzzer { choices: Some(_), .. }), ..) => {
                Err(needs("choices"))
            }
            (Kind::Fastest(of), ..) => Err(needs(if Fastest::is_order(of) { "order" } else { "choices" })),
            (Kind::Number(_), ..) => Err(needs("number")),
            (Kind::Order(_), ..) => Err(needs("order")),
            (Kind::Text(_), ..) => Err(needs("spellings")),
            (Kind::Buzzer(_), ..) => Err(bad("`accept`: the host judged this question: void it, or correct `points`.")),
            (Kind::Majority(_), ..) => Err(bad("`accept`: the most frequent choice is right, whatever the host says.")),
            (Kind::Poll(_) | Kind::Words(_) | Kind::Wager(_) | Kind::Slide(_), ..) => {
                Err(bad("`accept`: this question has no right answer."))
            }
        }
    }

    fn spelt(
        &self,
        at: usize,
        of: &TypedAnswer,
        spellings: &[String],
        only: bool,
    ) -> Result<Vec<(Right, Rule)>, Refusal> {
        let said = TypedAnswer { spellings: spellings.to_vec(), ..of.clone() };
        if let Some(problem) = said.problems().first() {
            return Err(bad(format!("`accept.{problem}`.")));
        }
        let rules = &self.asked[at].sheet.rules;
        let is_new = |spelling: &&String| only || !accepts(rules, spelling);
        let new: Vec<String> = spellings.iter().filter(is_new).cloned().collect();
        if new.is_empty() {
            return Ok(Vec::new());
        }
        let rule = Rule::Spelling(Accepted::new(&new, of.folding(), of.typos));
        Ok(vec![(Right::Spellings(new), rule)])
    }
}

fn set_of(of: &SeveralRight, choices: &[u8], count: u8) -> Result<(Right, Rule), Refusal> {
    let mut right = choices.to_vec();
    right.sort_unstable();
    let rule = match of {
        SeveralRight { by: By::All, .. } => Rule::Exact(set_to_bits(&right)),
        SeveralRight { weights: Some(_), .. } => {
            return Err(bad(
                "`accept`: this question has `weights` of its own, which are for the choices that are right in the setup.",
            ));
        }
        SeveralRight { weights: None, .. } => {
            Rule::Weights((0..count).map(|choice| if right.contains(&choice) { 1 } else { -1 }).collect())
        }
    };
    Ok((Right::Choices(right), rule))
}

fn number_of(of: &NumberAnswer, right: i64) -> Result<(Right, Rule), Refusal> {
    if !(of.least..=of.most).contains(&right) {
        return Err(bad(format!("`accept.number`: {} to {}, not {right}.", of.least, of.most)));
    }
    let rule = match of.score {
        NumberScore::Within { off } => Rule::Within { right, off },
        NumberScore::Curve { zero } => Rule::Curve { right, zero },
        NumberScore::Nearest { .. } => Rule::Nearest(right),
    };
    Ok((Right::Number(right), rule))
}
