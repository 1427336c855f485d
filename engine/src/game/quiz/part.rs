//! The quiz as a part of a rundown.

use klaxon_protocol::claim::ClaimValue;
use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::games::quiz::{Kind, QuizEvent, QuizPlay, Words};
use klaxon_protocol::ids::{ClaimKey, RoundId, Seat};
use klaxon_protocol::player::{Body, Phase};
use klaxon_protocol::time::{Millis, Span};

use super::past::Past;
use super::sheet::{Rule, accepts};
use super::{AskedQuestion, QuizPart};
use crate::game::results::RoundResult;
use crate::game::rundown::{Counted, HostChange, Look, Part, Stage, Wait, hash};
use crate::round::SeatClaim;

/// How many words the host can take out of one word cloud.
const MOST_HIDDEN: usize = 1000;

impl Part for QuizPart {
    fn begin(&mut self, stage: &mut Stage<'_>) {
        if let Some(prizes) = self.quiz.prizes.clone() {
            stage.tell_between(QuizEvent::Quiz { prizes }, None);
        }
    }

    fn next(&mut self, stage: &mut Stage<'_>) -> Result<(), Refusal> {
        self.go_on(stage);
        Ok(())
    }

    fn is_over(&self) -> bool {
        usize::from(self.course.begun) >= self.quiz.questions.len() || self.course.nobody_left
    }

    /// What was needed to undo the last reveal is not kept: a show can have many parts.
    fn finish(&mut self, stage: &mut Stage<'_>) {
        self.pay(stage);
        self.course.on_slide = false;
        self.undo = None;
        self.past = None;
        self.seats.stakes = Vec::new();
        self.seats.changed();
    }

    fn settle(&mut self, stage: &mut Stage<'_>) {
        self.must_last().settled = true;
        let index = self.must_last().index;
        match &self.quiz.questions[index].kind {
            Kind::Buzzer(_) => self.settle_buzzes(stage),
            Kind::Wager(_) => self.reveal_last(stage),
            _ => stage.leave_closed(),
        }
    }

    fn lost(&mut self, stage: &mut Stage<'_>, reason: &str) {
        self.undo_last(stage, reason);
    }

    fn reveal(&mut self, stage: &mut Stage<'_>) -> Result<(), Refusal> {
        if self.floor().is_some() {
            let detail = "The player who buzzed first has the floor: judge the answer by `play`, or void the question.";
            return Err(Refusal::because(ErrorCode::WrongPhase, detail));
        }
        self.reveal_last(stage);
        Ok(())
    }

    fn void(&mut self, stage: &mut Stage<'_>, reason: &str) -> Result<(), Refusal> {
        self.undo_last(stage, reason);
        Ok(())
    }

    fn play(&mut self, stage: &mut Stage<'_>, body: &Body) -> Result<(), Refusal> {
        let bad = |problem: String| Refusal::because(ErrorCode::BadArgument, problem);
        match body.read_known().map_err(bad)? {
            QuizPlay { judge: Some(judgement), hide: None, accept: None } => self.judge_floor(stage, judgement),
            QuizPlay { judge: None, hide: Some(word), accept: None } => self.hide(stage, &word),
            QuizPlay { judge: None, hide: None, accept: Some(accept) } => self.accept(stage, &accept),
            _ => Err(bad("a quiz has `accept`, `judge` and `hide`: one of them at a time.".into())),
        }
    }

    /// A judgement is; a rude word is hidden at once.
    fn is_seen_on_stream(&self, body: &Body) -> bool {
        body.0.contains_key("judge")
    }

    fn seat_taken(&mut self, stage: &mut Stage<'_>, seat: Seat) {
        self.seats.grow(stage.ledger.seats());
        if self.course.first_points != 0 {
            stage.ledger.add_points(seat, self.course.first_points);
        }
        match stage.phase() {
            Phase::Question if self.quiz.close_when_all => self.seats.awaited.insert(seat),
            Phase::Closing | Phase::Closed => self.seats.late.insert(seat),
            _ => {}
        }
        self.note_taken(seat);
        self.seats.changed();
    }

    fn given(&mut self, look: &Look<'_>, change: HostChange) {
        self.note_given(look, change);
    }

    fn restored(&mut self, stage: &mut Stage<'_>, seat: Seat, from: RoundId) {
        self.miss(stage, seat, from);
    }

    fn takes_players(&self) -> bool {
        let mut eliminating = self.asked.iter().filter(|asked| self.kind(asked.index).eliminates());
        // In elimination players can come until its first question closes, which they then have to answer.
        !self.eliminates() || (eliminating.next().is_none_or(|first| !first.settled) && eliminating.next().is_none())
    }

    fn wait(&self, phase: Phase) -> Wait {
        if phase == Phase::Closed {
            return if self.floor().is_some() { Wait::ForHost } else { Wait::Usual };
        }
        if self.course.on_slide {
            Wait::For(self.quiz.time_of(usize::from(self.course.begun) - 1))
        } else {
            Wait::Usual
        }
    }

    fn closes_early(&self, _: &Look<'_>) -> Option<Millis> {
        self.buzzes_close().or_else(|| self.seats.awaited.done_at())
    }

    fn gives_extra_time(&self) -> bool {
        let is_race = |asked: &AskedQuestion| matches!(self.kind(asked.index), Kind::Fastest(_) | Kind::Buzzer(_));
        self.last().is_some_and(|asked| !is_race(asked))
    }

    fn counted_value(&self, seat: Seat, key: ClaimKey) -> Option<ClaimValue> {
        self.answers.value(seat, key)
    }

    fn check(&self, look: &Look<'_>, claim: &SeatClaim, _: Span) -> Result<(), ErrorCode> {
        let asked = self.last().ok_or(ErrorCode::UnknownQuestion)?;
        let mut wrong = self.buzzing.iter().flat_map(|buzzing| &buzzing.wrong);
        let was_wrong = wrong.any(|&wrong| look.are_together(wrong, claim.seat));
        if !look.plays(claim.seat) || self.seats.late.contains(claim.seat) || was_wrong {
            return Err(ErrorCode::NotInPlay);
        }
        let points = look.ledger.line(claim.seat).points;
        if asked.sheet.values.take(&claim.value, points) { Ok(()) } else { Err(ErrorCode::BadChoice) }
    }

    fn count(&mut self, Counted { claim: SeatClaim { seat, key, value }, at, elapsed }: Counted) {
        let asked = self.asked.last_mut().expect("a claim that counts is in a round that was begun");
        match value {
            ClaimValue::Bits(bits) => {
                if asked.sheet.choices > 0 {
                    asked.sheet.values.count_choices(&mut asked.counts, bits, |count| *count += 1);
                }
                self.answers.set(seat, bits, elapsed);
            }
            ClaimValue::Text(text) => {
                let right = match asked.sheet.rules[..] {
                    [Rule::Spelling(_), ..] => accepts(&asked.sheet.rules, text.as_str()),
                    _ => {
                        let earlier = self.answers.texts.range((seat, ClaimKey(0))..=(seat, ClaimKey(u16::MAX)));
                        self.answers.cloud.add(text.as_str(), earlier.map(|(_, word)| word.as_str()));
                        false
                    }
                };
                self.answers.set(seat, right.into(), elapsed);
                self.answers.set_text(seat, key, text);
            }
        }
        if let Some(buzzing) = &mut self.buzzing {
            buzzing.first_at = Some(buzzing.first_at.map_or(at, |first| first.min(at)));
        }
        self.seats.awaited.remove(seat, at);
    }

    fn counted(&self) -> Vec<SeatClaim> {
        self.answers.claims()
    }

    fn view(&self, _: &Look<'_>, _: Millis) -> Body {
        self.view_body()
    }

    fn own(&self, _: &Look<'_>, seat: Seat) -> Body {
        self.own_body(seat)
    }

    fn rounds(&self) -> u16 {
        let with_round = self.quiz.questions.iter().filter(|question| !matches!(question.kind, Kind::Slide(_)));
        u16::try_from(with_round.count()).expect("a quiz has 500 questions at most")
    }

    fn host_numbers(&self) -> Vec<u32> {
        match self.last() {
            Some(asked) if asked.sheet.choices > 0 => asked.counts.clone(),
            Some(_) => vec![self.answers.count()],
            None => Vec::new(),
        }
    }

    fn tells_leaders(&self) -> bool {
        self.quiz.leaderboard
    }

    fn right_claims(&self, seat: Seat) -> u32 {
        self.seats.rights.get(seat.index()).copied().unwrap_or(0).into()
    }

    fn digest(&self) -> u64 {
        let last =
            self.last().map(|asked| (asked.round, &asked.counts, asked.settled, asked.voided, asked.reveal.is_some()));
        let answers = (self.answers.digest(), self.answers.count(), self.answers.cloud.hidden() as u64);
        let seats = (self.seats.digest(), self.seats.awaited.count());
        let past = (self.undo.is_some(), self.past.as_ref().map_or(0, Past::size), self.corrections.digest());
        hash(&(&self.course, self.asked.len() as u64, last, answers, seats, &self.buzzing, past))
    }

    fn results(&self) -> Vec<RoundResult> {
        self.archived()
    }
}

impl QuizPart {
    /// The last question is void: what its reveal did is undone, and what was staked on it or by it is given back.
    fn undo_last(&mut self, stage: &mut Stage<'_>, reason: &str) {
        let was_revealed = self.undo.is_some();
        self.note_void(&stage.look());
        self.take_back(stage);
        let asked = self.must_last();
        (asked.voided, asked.settled, asked.reveal) = (true, true, None);
        self.buzzing = None;
        if self.last().is_some_and(|asked| matches!(self.kind(asked.index), Kind::Wager(_))) {
            self.seats.stakes.clear();
        }
        self.note_state(stage);
        self.seats.changed();
        let personal = was_revealed.then(|| Self::standings_of_seats(stage));
        stage.tell_void(reason, personal);
    }

    /// The host takes a word out of the word cloud.
    fn hide(&mut self, stage: &mut Stage<'_>, word: &str) -> Result<(), Refusal> {
        let last = self.last().filter(|asked| !asked.voided && !self.course.on_slide);
        let Some(Kind::Words(Words { players, .. })) = last.map(|asked| self.kind(asked.index)) else {
            return Err(Refusal::because(ErrorCode::WrongPhase, "The last question is no word cloud."));
        };
        let players = *players;
        if self.answers.cloud.hidden() >= MOST_HIDDEN {
            let detail = format!("{MOST_HIDDEN} words were taken out already: void the question instead.");
            return Err(Refusal::because(ErrorCode::BadArgument, detail));
        }
        if !self.answers.cloud.hide(word) {
            return Err(Refusal::because(ErrorCode::WrongPhase, "This word was taken out already."));
        }
        self.tell_words(stage, players);
        Ok(())
    }
}
