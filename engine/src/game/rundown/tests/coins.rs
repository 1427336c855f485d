//! A small part for the tests: in each round seats call heads (1) or tails (0). The right call is odd or even as the round's number. Right
//! earns 10 points, and the first right call the round's prize; wrong or silent costs a life, or the place in the show.

use std::collections::BTreeMap;

use klaxon_protocol::claim::ClaimValue;
use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::ids::{ClaimKey, RoundId, Seat};
use klaxon_protocol::player::{Body, Phase};
use klaxon_protocol::time::{Millis, Span};
use serde_json::json;

use super::super::part::hash;
use super::super::{Counted, Look, Lost, Opening, Part, Stage};
use crate::game::results::RoundResult;
use crate::round::{ClaimSpace, SeatClaim};

const POINTS: i64 = 10;
/// How long a round is open.
pub const OPEN_FOR: Span = Span(10_000);

pub struct Coins {
    rounds: u16,
    prize: u64,
    flips: Vec<Flip>,
    finished: bool,
}

struct Flip {
    round: RoundId,
    claims: BTreeMap<Seat, (u64, Millis)>,
    /// None before the reveal, and after a void.
    result: Option<Outcome>,
}

#[derive(Default)]
struct Outcome {
    right: Vec<Seat>,
    winner: Option<Seat>,
    lost: Vec<(Seat, Lost)>,
}

impl Coins {
    pub fn new(rounds: u16, prize: u64) -> Self {
        Self { rounds, prize, flips: Vec::new(), finished: false }
    }

    fn last(&mut self) -> &mut Flip {
        self.flips.last_mut().expect("a round was begun")
    }
}

impl Flip {
    fn right(&self) -> u64 {
        u64::from(self.round.0 % 2)
    }
}

impl Part for Coins {
    fn begin(&mut self, stage: &mut Stage<'_>) {
        stage.tell_between(json!({ "event": "coins", "rounds": self.rounds }), None);
    }

    fn next(&mut self, stage: &mut Stage<'_>) -> Result<(), Refusal> {
        let opening = Opening { space: ClaimSpace::one_below(2), lead: stage.lead, open_for: OPEN_FOR };
        let times = stage.open(opening, json!({ "event": "flip" }), None);
        self.flips.push(Flip { round: times.round, claims: BTreeMap::new(), result: None });
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.flips.len() == usize::from(self.rounds)
    }

    fn finish(&mut self, stage: &mut Stage<'_>) {
        assert!(!std::mem::replace(&mut self.finished, true), "a part is finished once");
        stage.tell_between(json!({ "event": "coins_over" }), None);
    }

    fn settle(&mut self, stage: &mut Stage<'_>) {
        stage.leave_closed();
    }

    fn lost(&mut self, stage: &mut Stage<'_>, reason: &str) {
        stage.tell_void(reason, None);
    }

    fn reveal(&mut self, stage: &mut Stage<'_>) -> Result<(), Refusal> {
        let prize = self.prize;
        let flip = self.last();
        let (round, is_right) = (flip.round, flip.right());
        let mut outcome = Outcome::default();
        for seat in (0..stage.ledger.seats()).map(Seat).filter(|&seat| stage.plays(seat)).collect::<Vec<_>>() {
            match flip.claims.get(&seat) {
                Some(&(value, _)) if value == is_right => {
                    stage.ledger.add_points(seat, POINTS);
                    outcome.right.push(seat);
                }
                _ => outcome.lost.push((seat, stage.ledger.lose(seat, round))),
            }
        }
        outcome.winner = outcome.right.iter().copied().min_by_key(|seat| (flip.claims[seat].1, *seat));
        if let Some(winner) = outcome.winner {
            stage.ledger.pay(winner, prize);
        }
        stage.tell(Phase::Revealed, json!({ "event": "landed", "right": is_right, "winner": outcome.winner }));
        flip.result = Some(outcome);
        Ok(())
    }

    fn void(&mut self, stage: &mut Stage<'_>, reason: &str) -> Result<(), Refusal> {
        if reason == "No." {
            // Refused after something was told: that must be dropped.
            stage.tell_void(reason, None);
            return Err(Refusal::because(ErrorCode::BadArgument, "This part does not take that reason."));
        }
        let prize = self.prize;
        if let Some(Outcome { right, winner, lost }) = self.last().result.take() {
            right.into_iter().for_each(|seat| stage.ledger.add_points(seat, -POINTS));
            winner.into_iter().for_each(|seat| stage.ledger.take_back(seat, prize));
            for (seat, lost) in lost {
                match lost {
                    Lost::Life => stage.ledger.give_lives(seat, 1),
                    Lost::Out => stage.ledger.put_back(seat),
                    Lost::Nothing => {}
                }
            }
        }
        stage.tell_void(reason, None);
        Ok(())
    }

    fn play(&mut self, stage: &mut Stage<'_>, body: &Body) -> Result<(), Refusal> {
        if body.0.get("sing") != Some(&json!(true)) {
            return Err(Refusal::because(ErrorCode::BadArgument, "Coins can `sing`."));
        }
        stage.tell(stage.phase(), json!({ "event": "song" }));
        Ok(())
    }

    fn seat_taken(&mut self, stage: &mut Stage<'_>, seat: Seat) {
        // Players who come after the first round watch.
        if let Some(first) = self.flips.first() {
            stage.ledger.take_out(seat, first.round);
        }
    }

    fn restored(&mut self, stage: &mut Stage<'_>, seat: Seat, from: RoundId) {
        for flip in self.flips.iter_mut().filter(|flip| flip.round >= from) {
            let Some(outcome) = &mut flip.result else { continue };
            if stage.plays(seat) {
                outcome.lost.push((seat, stage.ledger.lose(seat, flip.round)));
            }
        }
    }

    fn closes_early(&self, look: &Look<'_>) -> Option<Millis> {
        let claims = &self.flips.last()?.claims;
        let last = claims.values().map(|&(_, at)| at).max()?;
        (claims.len() >= look.playing() as usize).then_some(last + Span(1))
    }

    fn gives_extra_time(&self) -> bool {
        true
    }

    fn counted_value(&self, seat: Seat, _: ClaimKey) -> Option<ClaimValue> {
        self.flips.last()?.claims.get(&seat).map(|&(value, _)| ClaimValue::Bits(value))
    }

    fn check(&self, look: &Look<'_>, claim: &SeatClaim, _: Span) -> Result<(), ErrorCode> {
        if look.plays(claim.seat) { Ok(()) } else { Err(ErrorCode::NotInPlay) }
    }

    fn count(&mut self, Counted { claim, at, .. }: Counted) {
        let ClaimValue::Bits(value) = claim.value else { panic!("the space has numbers only") };
        assert!(self.last().claims.insert(claim.seat, (value, at)).is_none());
    }

    fn counted(&self) -> Vec<SeatClaim> {
        let claims = self.flips.last().into_iter().flat_map(|flip| &flip.claims);
        claims
            .map(|(&seat, &(value, _))| SeatClaim { seat, key: ClaimKey(0), value: ClaimValue::Bits(value) })
            .collect()
    }

    fn view(&self, _: &Look<'_>, _: Millis) -> Body {
        Body::of(&json!({ "flips": self.flips.len() }))
    }

    fn own(&self, _: &Look<'_>, seat: Seat) -> Body {
        let called = self.flips.last().and_then(|flip| flip.claims.get(&seat)).map(|&(value, _)| value);
        Body::of(&json!({ "called": called }))
    }

    fn rounds(&self) -> u16 {
        self.rounds
    }

    fn host_numbers(&self) -> Vec<u32> {
        let count = |value| self.flips.last().map_or(0, |flip| flip.claims.values().filter(|c| c.0 == value).count());
        [0, 1].map(|value| u32::try_from(count(value)).unwrap()).to_vec()
    }

    fn digest(&self) -> u64 {
        let flip = |flip: &Flip| {
            let claims: Vec<_> = flip.claims.iter().map(|(&seat, &claim)| (seat, claim)).collect();
            let lost =
                |outcome: &Outcome| outcome.lost.iter().map(|&(seat, lost)| (seat, lost as u8)).collect::<Vec<_>>();
            let result = flip.result.as_ref().map(|result| (result.right.clone(), result.winner, lost(result)));
            (flip.round, claims, result)
        };
        hash(&(self.finished, self.flips.iter().map(flip).collect::<Vec<_>>()))
    }

    fn results(&self) -> Vec<RoundResult> {
        let result = |flip: &Flip| {
            let winner = flip.result.as_ref().and_then(|result| result.winner);
            RoundResult { round: flip.round, body: Body::of(&json!({ "right": flip.right(), "winner": winner })) }
        };
        self.flips.iter().map(result).collect()
    }
}
