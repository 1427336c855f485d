//! A part of bingo as others see it: snapshots, each seat's own state, a card for the host, results.

use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::games::bingo::{BingoOwn, BingoView, Card, Dealing as DealingEvent, TicketPrize, Won};
use klaxon_protocol::host::AlertKind;
use klaxon_protocol::ids::Seat;
use klaxon_protocol::player::Body;
use serde_json::json;

use super::cards::Cards;
use super::judging::Gone;
use super::part::{BingoPart, Course, Drawn, Playing, hex};
use crate::game::results::RoundResult;
use crate::game::rundown::Stage;

impl BingoPart {
    pub(super) fn dealing(&self) -> DealingEvent {
        DealingEvent {
            balls: self.setup.balls,
            tickets: self.setup.tickets,
            prizes: self.setup.prizes.clone(),
            settings: self.setup.settings.clone(),
            commitment: hex(&self.seed.commitment()),
            public_value: self.setup.public_value.clone(),
        }
    }

    pub(super) fn overview(&self) -> BingoView {
        let drawn = self.playing().map_or(&[][..], |playing| &playing.order[..playing.drawn]);
        let won = (0..).zip(&self.gone).filter_map(|(prize, gone)| Some(gone.as_ref()?.told(prize)));
        BingoView {
            dealing: self.dealing(),
            dealt: self.dealt(),
            public_value: self.public_value.clone(),
            drawn: drawn.to_vec(),
            won: won.collect(),
        }
    }

    const fn cards(&self) -> Option<&Cards> {
        match &self.course {
            Course::Waiting => None,
            Course::Dealing(dealing) => Some(&dealing.cards),
            Course::Playing(playing) => Some(&playing.cards),
        }
    }

    /// A seat's tickets, and what happened with them.
    pub(super) fn own_of(&self, seat: Seat) -> BingoOwn {
        let rows = |cards: &Cards| cards.of(seat).map(|number| cards.rows(number)).collect();
        BingoOwn { tickets: self.cards().map(rows).unwrap_or_default(), ..self.state_of(seat) }
    }

    /// The same without the tickets.
    pub(super) fn state_of(&self, seat: Seat) -> BingoOwn {
        let prizes = 0..u8::try_from(self.setup.prizes.len()).expect("there are 32 prizes at most");
        let tickets = 0..self.setup.tickets;
        let keys = tickets.flat_map(|ticket| prizes.clone().map(move |prize| TicketPrize { ticket, prize }.key()));
        let caller = self.callers.get(&seat).cloned().unwrap_or_default();
        BingoOwn {
            tickets: Vec::new(),
            calls: keys.filter(|&key| self.calls.made.contains_key(&(seat, key))).collect(),
            won: self.won_by(seat),
            false_calls: caller.false_calls,
            barred: caller.barred,
        }
    }

    /// What the seat has won, by prize.
    pub(super) fn won_by(&self, seat: Seat) -> Vec<Won> {
        let gone = (0..).zip(&self.gone).filter_map(|(prize, gone)| Some((prize, gone.as_ref()?)));
        gone.flat_map(|(prize, gone)| gone.won_by(prize, seat)).collect()
    }

    /// Shows the hosts the tickets of a seat.
    pub(super) fn show_card(&self, stage: &mut Stage<'_>, seat: Seat) -> Result<(), Refusal> {
        stage.people.check_seat(seat)?;
        let Some(Playing { cards, index, order, drawn, .. }) = self.playing() else {
            return Err(Refusal::because(ErrorCode::WrongPhase, "The dealing is not closed yet."));
        };
        let numbers = || cards.of(seat);
        let marked =
            |number| order[..*drawn].iter().copied().filter(|&ball| cards.place(number, ball).is_some()).collect();
        let prizes = 0..u8::try_from(self.setup.prizes.len()).expect("there are 32 prizes at most");
        let complete = |number| prizes.clone().filter(|&prize| index.to_go(number, prize) == 0).collect();
        let card = Card {
            card: seat,
            own: self.own_of(seat),
            drawn: numbers().map(marked).collect(),
            complete: numbers().map(complete).collect(),
        };
        stage.alert(AlertKind::Game { body: Body::of(&card) });
        Ok(())
    }
}

impl Gone {
    fn won_by(&self, prize: u8, seat: Seat) -> impl Iterator<Item = Won> {
        let first = self.winners.partition_point(|winner| winner.seat < seat);
        let own = self.winners[first..].iter().take_while(move |winner| winner.seat == seat);
        own.zip(first..).map(move |(winner, index)| Won { prize, ticket: winner.ticket, share: self.shares.of(index) })
    }
}

impl Drawn {
    /// For the archive.
    pub fn result(&self) -> RoundResult {
        let Self { round, ball, number, won, false_calls, is_void } = self;
        let body =
            json!({ "ball": ball, "number_of_ball": number, "won": won, "false_calls": false_calls, "void": is_void });
        RoundResult { round: *round, body: Body::of(&body) }
    }
}
