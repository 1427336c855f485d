//! The buzzer: who may answer, and what happens after a wrong answer.

use klaxon_protocol::binary::Encode;
use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::games::quiz::{AfterWrong, Buzzer, Floor, Judgement, Kind, NAMED, QuizEvent};
use klaxon_protocol::ids::Seat;
use klaxon_protocol::player::Phase;
use klaxon_protocol::time::{Millis, Span};

use super::judge::buzzer;
use super::{MOST_ROUNDS, QuizPart};
use crate::game::people::SeatSet;
use crate::game::rundown::{Opening, Stage};

/// A buzzer that is being played.
#[derive(Debug, Clone, Default, Encode)]
pub struct Buzzing {
    /// When the first buzz of the open round was read.
    pub first_at: Option<Millis>,
    /// Those who buzzed in the last round, first first.
    pub order: Vec<Seat>,
    /// How many of them had the floor.
    heard: u16,
    /// Who may answer, while the host has not judged it.
    pub floor: Option<Seat>,
    /// Whose answers were wrong.
    pub wrong: Vec<Seat>,
    /// Whose answer was right.
    pub right: Option<Seat>,
}

impl QuizPart {
    fn buzzer(&self) -> Option<(&Buzzer, &Buzzing)> {
        let Kind::Buzzer(buzzer) = self.kind(self.last()?.index) else { return None };
        Some((buzzer, self.buzzing.as_ref()?))
    }

    /// When the buzzes of the open round are all in.
    pub(super) fn buzzes_close(&self) -> Option<Millis> {
        let (buzzer, buzzing) = self.buzzer()?;
        Some(buzzing.first_at? + buzzer.window)
    }

    /// All buzzes are in: the first may answer or, if buzzing means to choose, has answered.
    pub(super) fn settle_buzzes(&mut self, stage: &mut Stage<'_>) {
        let late = &self.seats.late;
        let buzzes = self.answers.iter().filter(|(seat, _, _)| stage.plays(*seat) && !late.contains(*seat));
        let order = buzzer::order(NAMED, stage.teams, buzzes.map(|(seat, _, elapsed)| (seat, elapsed)));
        let is_choice = self.last().is_some_and(|asked| asked.sheet.choices > 0);
        let buzzing = self.buzzing.as_mut().expect("a buzzer is settled");
        (buzzing.order, buzzing.heard) = (order, 0);
        stage.leave_closed();
        if is_choice {
            self.judge_choices();
        } else {
            self.give_floor(stage);
        }
    }

    pub(super) fn judge_choices(&mut self) {
        let Some((_, buzzing)) = self.buzzer() else { return };
        let (right, wrong) = self.judging(&SeatSet::default(), Span(0), None).buzzes(buzzing);
        let buzzing = self.buzzing.as_mut().expect("it is a buzzer");
        (buzzing.right, buzzing.wrong) = (right, wrong);
    }

    /// Gives the floor to the next of those who buzzed, and tells so. Returns false if there is none.
    fn give_floor(&mut self, stage: &mut Stage<'_>) -> bool {
        let (number, round) = self.last().map(|asked| (asked.sheet.asked.number, asked.round)).expect("it was asked");
        let buzzed = self.answers.count();
        let buzzing = self.buzzing.as_mut().expect("it is a buzzer");
        buzzing.floor = None;
        while let Some(&seat) = buzzing.order.get(usize::from(buzzing.heard)) {
            buzzing.heard += 1;
            // The host may have removed the player in the meantime.
            if stage.plays(seat) {
                buzzing.floor = Some(seat);
                let floor = Floor { number, round, seat: Some(seat), order: buzzing.order.clone(), buzzed };
                stage.tell(Phase::Closed, QuizEvent::Floor(floor));
                return true;
            }
        }
        false
    }

    /// The host judges the answer of who has the floor.
    pub(super) fn judge_floor(&mut self, stage: &mut Stage<'_>, judgement: Judgement) -> Result<(), Refusal> {
        let floor = self.buzzer().and_then(|(buzzer, buzzing)| Some((buzzer.wrong, buzzing.floor?)));
        let Some((after, seat)) = floor.filter(|_| stage.phase() == Phase::Closed) else {
            return Err(Refusal::because(ErrorCode::WrongPhase, "Nobody has the floor: there is nothing to judge."));
        };
        let reopens = judgement == Judgement::Wrong && after == AfterWrong::Reopen;
        if reopens && stage.paused {
            return Err(Refusal::because(
                ErrorCode::Paused,
                "The buzzers are opened again then: resume the show first.",
            ));
        }
        let buzzing = self.buzzing.as_mut().expect("it is a buzzer");
        buzzing.floor = None;
        match judgement {
            Judgement::Right => buzzing.right = Some(seat),
            Judgement::Wrong => buzzing.wrong.push(seat),
        }
        let goes_on = match (judgement, after) {
            (Judgement::Wrong, AfterWrong::Next) => self.give_floor(stage),
            (Judgement::Wrong, AfterWrong::Reopen) => self.reopen(stage),
            (Judgement::Right, _) | (Judgement::Wrong, AfterWrong::Over) => false,
        };
        if !goes_on {
            self.reveal_last(stage);
        }
        Ok(())
    }

    /// Opens the buzzers again, for all who have not been wrong. Returns false if no more rounds are left.
    fn reopen(&mut self, stage: &mut Stage<'_>) -> bool {
        if stage.last_round().is_none_or(|last| last.0 >= MOST_ROUNDS) {
            return false;
        }
        let asked = self.last().expect("it was asked");
        let (index, event, space) = (asked.index, asked.sheet.asked.clone(), asked.sheet.values.space());
        let opening = Opening { space, lead: stage.lead, open_for: self.quiz.time_of(index) };
        let round = stage.open(opening, QuizEvent::Question(event), None).round;
        let asked = self.must_last();
        (asked.round, asked.settled) = (round, false);
        let buzzing = self.buzzing.as_mut().expect("it is a buzzer");
        (buzzing.first_at, buzzing.order, buzzing.heard) = (None, Vec::new(), 0);
        self.open_for_answers(stage);
        true
    }

    /// What all see of a buzzer that has the host's judgement before it.
    pub(super) fn floor(&self) -> Option<Floor> {
        let (asked, (_, buzzing)) = (self.last()?, self.buzzer()?);
        let seat = Some(buzzing.floor?);
        let (number, round) = (asked.sheet.asked.number, asked.round);
        Some(Floor { number, round, seat, order: buzzing.order.clone(), buzzed: self.answers.count() })
    }
}
