//! The results of a trivia show, for the archive.

use klaxon_protocol::games::trivia::QuestionId;
use klaxon_protocol::ids::{Seat, ShowId};

use super::Trivia;
use crate::game::results::{Played, PlayerResults, QuestionResult, ShowResults, ShowSummary};

impl Trivia {
    /// None before the end.
    pub(super) fn show_results(&self, show: ShowId) -> Option<ShowResults> {
        let (ended_at, podium) = (self.stage.ended_at?, self.podium.as_ref()?);
        let summary = ShowSummary {
            show,
            code: self.code.clone(),
            title: self.title.clone(),
            played: Played::Trivia(self.settings.mode),
            created_at: self.stage.created_at,
            ended_at,
            joined: self.people.roster.seated(),
            pot: podium.pot,
            currency: podium.currency.clone(),
            paid: podium.paid,
            rolled_over: podium.rolled_over,
        };
        let questions = self.asked.iter().zip(&self.pack);
        let questions = questions.map(|(asked, pack)| QuestionResult {
            question: asked.id(),
            text: asked.question.text.clone(),
            category: asked.question.category.clone(),
            difficulty: pack.difficulty,
            choices: asked.question.choices.clone(),
            right: asked.right,
            counts: asked.counts.clone(),
            silent: asked.reveal.as_ref().map_or(0, |reveal| reveal.silent),
            // A question that was not revealed before the show ended does not count either.
            voided: asked.voided || asked.reveal.is_none(),
            asked_at: asked.clock.first_opened(),
            closed_at: asked.closed_at.unwrap_or(ended_at).max(asked.clock.first_opened()),
        });
        Some(ShowResults {
            summary,
            questions: questions.collect(),
            players: self.player_results(show),
            rounds: Vec::new(),
        })
    }

    fn player_results(&self, show: ShowId) -> Vec<PlayerResults> {
        let mut places = vec![0; self.seats.len()];
        for (place, seat) in self.ranking() {
            places[seat.index()] = place;
        }
        let result = |seat: Seat| {
            let index = seat.index();
            Some(PlayerResults {
                seat,
                player: self.people.roster.kept_player(show, seat)?,
                name: self.people.roster.name(seat)?.clone(),
                alive: self.seats.is_alive(seat),
                lives: self.seats.lives[index],
                score: self.seats.score[index],
                right_answers: u32::from(self.seats.rights[index]),
                out_at: Some(self.seats.out_at[index]).filter(|&number| number > 0).map(QuestionId),
                place: places[index],
                prize: self.prize_of(seat),
            })
        };
        (0..self.people.roster.seated()).map(Seat).filter_map(result).collect()
    }

    /// The seat's prize, in minor units; 0 before the end.
    pub(super) fn prize_of(&self, seat: Seat) -> u64 {
        self.prizes.binary_search_by_key(&seat, |&(seat, _)| seat).map_or(0, |at| self.prizes[at].1)
    }
}
