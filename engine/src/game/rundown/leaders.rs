//! A podium in the middle of a show: who leads by what was played so far.

use std::cmp::Reverse;

use klaxon_protocol::games::rundown::{Event, LeaderLine, LeadersBy, Leading, MidPodium};
use klaxon_protocol::ids::Seat;
use klaxon_protocol::player::Body;
use klaxon_protocol::time::Span;
use serde_json::{Map, json};

use super::interlude::Interlude;
use super::{Stage, hash};
use crate::game::personal::for_each_seat;
use crate::game::places::ranked;

/// A podium in the middle of a show.
pub struct Leaders {
    settings: MidPodium,
    /// What it shows since it began.
    leading: Option<Leading>,
    /// The place of each seat, from 1; 0 for those who have none.
    places: Vec<u32>,
}

impl Leaders {
    pub const fn new(settings: MidPodium) -> Self {
        Self { settings, leading: None, places: Vec::new() }
    }
}

impl Interlude for Leaders {
    const NAME: &str = "podium";

    fn begin(&mut self, stage: &mut Stage<'_>) {
        let MidPodium { by, places, text, lasts } = self.settings.clone();
        let line = |seat: Seat| stage.ledger.line(seat);
        let counts = |seat: Seat| match by {
            LeadersBy::Points => i128::from(line(seat).points),
            LeadersBy::Winnings => i128::from(line(seat).winnings),
        };
        let seats = (0..stage.ledger.seats()).map(Seat);
        let ranking = ranked(seats.filter(|&seat| !stage.look().is_kept_out(seat)), |seat| Reverse(counts(seat)));
        self.places = vec![0; stage.ledger.seats() as usize];
        ranking.iter().for_each(|&(place, seat)| self.places[seat.index()] = place);
        let named = ranking
            .iter()
            .filter(|(_, seat)| counts(*seat) > 0)
            .take(places.into())
            .map(|&(place, seat)| LeaderLine { place, seat, points: line(seat).points, winnings: line(seat).winnings });
        let leading = Leading { by, text, lasts, leaders: named.collect() };
        self.leading = Some(leading.clone());
        let place = |seat: Seat| self.places[seat.index()];
        let personal = for_each_seat(stage.ledger.seats(), |seat| place(seat).into(), |seat| stage.own(self.own(seat)));
        stage.tell_between(Event::Leaders(leading), personal);
    }

    fn lasts(&self) -> Span {
        self.settings.lasts
    }

    fn view(&self) -> Body {
        self.leading.as_ref().map_or_else(|| Body(Map::new()), Body::of)
    }

    fn own(&self, seat: Seat) -> Body {
        match self.places.get(seat.index()) {
            Some(place) if *place > 0 => Body::of(&json!({ "place": place })),
            _ => Body(Map::new()),
        }
    }

    /// What it shows follows from the ledger, which the hash of the state covers.
    fn digest(&self) -> u64 {
        hash(&self.leading.is_some())
    }
}
