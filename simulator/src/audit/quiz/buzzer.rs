//! The buzzer: who has the floor, and who was right or wrong.

use klaxon_protocol::games::quiz::{AfterWrong, Buzzer, Floor, Judgement, Kind, NAMED, QuizEvent};
use klaxon_protocol::ids::Seat;
use klaxon_protocol::time::Millis;

use super::super::rundown::SeatLedger;
use super::marks::is_right_buzz;
use super::part::QuizBook;

/// What the host's judgement leads to.
#[derive(Debug)]
pub(in crate::audit) enum AfterJudgement {
    /// The next has the floor.
    Floor(Box<QuizEvent>),
    /// The buzzers are opened again.
    Reopens,
    /// The question is revealed.
    Over,
}

impl QuizBook {
    fn buzzer(&self) -> Option<&Buzzer> {
        match &self.last()?.question.question.kind {
            Kind::Buzzer(buzzer) => Some(buzzer),
            _ => None,
        }
    }

    /// When the buzzes of the open round are all in.
    pub(super) fn buzzes_close(&self) -> Option<Millis> {
        Some(self.buzzing.as_ref()?.first_at? + self.buzzer()?.window)
    }

    /// All buzzes are in. Returns who has the floor, if the host is to judge.
    pub(super) fn settle_buzzes(&mut self, ledger: &SeatLedger) -> Option<QuizEvent> {
        let playing = self.judged_seats(ledger);
        let mut buzzes: Vec<(u64, Seat)> = Vec::new();
        for (&seat, answer) in &self.answers {
            if playing.contains(&seat) {
                buzzes.push((answer.elapsed, seat));
            }
        }
        buzzes.sort_unstable();
        let order: Vec<Seat> = buzzes.into_iter().map(|(_, seat)| seat).take(NAMED).collect();
        let after = self.buzzer()?.wrong;
        let asked = self.last()?.question.clone();
        let is_right = |seat: &Seat| is_right_buzz(&asked, self.answers.get(seat));
        let mut verdicts = Vec::new();
        for seat in &order {
            let right = is_right(seat);
            verdicts.push((*seat, right));
            if right || after == AfterWrong::Over {
                break;
            }
        }
        let buzzing = self.buzzing.as_mut()?;
        (buzzing.order, buzzing.heard) = (order, 0);
        if asked.places.is_empty() {
            return self.give_floor(ledger);
        }
        buzzing.right = verdicts.iter().find(|(_, right)| *right).map(|&(seat, _)| seat);
        buzzing.wrong = verdicts.into_iter().filter(|(_, right)| !right).map(|(seat, _)| seat).collect();
        None
    }

    fn give_floor(&mut self, ledger: &SeatLedger) -> Option<QuizEvent> {
        let buzzing = self.buzzing.as_mut()?;
        buzzing.floor = None;
        while buzzing.floor.is_none() {
            let &seat = buzzing.order.get(buzzing.heard)?;
            buzzing.heard += 1;
            buzzing.floor = Some(seat).filter(|&seat| ledger.plays(seat));
        }
        self.floor().map(QuizEvent::Floor)
    }

    /// The host judges who has the floor.
    pub fn judge_floor(&mut self, judgement: Judgement, ledger: &SeatLedger) -> Result<AfterJudgement, String> {
        let after = self.buzzer().map(|buzzer| buzzer.wrong);
        let seat = self.buzzing.as_ref().and_then(|buzzing| buzzing.floor);
        let (Some(after), Some(seat), Some(buzzing)) = (after, seat, self.buzzing.as_mut()) else {
            return Err("nobody has the floor, and it is judged".to_owned());
        };
        buzzing.floor = None;
        if judgement == Judgement::Right {
            buzzing.right = Some(seat);
            return Ok(AfterJudgement::Over);
        }
        buzzing.wrong.push(seat);
        Ok(match after {
            AfterWrong::Next => {
                self.give_floor(ledger).map_or(AfterJudgement::Over, |event| AfterJudgement::Floor(Box::new(event)))
            }
            AfterWrong::Reopen => AfterJudgement::Reopens,
            AfterWrong::Over => AfterJudgement::Over,
        })
    }

    /// Who has the floor, as all see it.
    pub(super) fn floor(&self) -> Option<Floor> {
        let (asked, buzzing) = (self.last()?, self.buzzing.as_ref()?);
        Some(Floor {
            number: asked.question.asked.number,
            round: asked.round,
            seat: Some(buzzing.floor?),
            order: buzzing.order.clone(),
            buzzed: u32::try_from(self.answers.len()).unwrap_or(u32::MAX),
        })
    }

    pub const fn has_floor(&self) -> bool {
        matches!(&self.buzzing, Some(buzzing) if buzzing.floor.is_some())
    }
}
