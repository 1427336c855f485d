//! A part of bingo in a rundown: dealing, balls, and what the host does. docs/rules/bingo.md has the rules.

use std::collections::HashMap;

use klaxon_protocol::claim::ClaimValue;
use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::games::bingo::{
    BINGO_KEYS, Ball, Balls, BingoEvent, BingoPlay, BingoSetup, CallBy, Dealt as DealtEvent, Opened, Pattern, PrizeWon,
    TicketPrize,
};
use klaxon_protocol::ids::{ClaimKey, RoundId, Seat};
use klaxon_protocol::limits::TEXT_LENGTH;
use klaxon_protocol::player::{Body, Phase};
use klaxon_protocol::text;
use klaxon_protocol::time::{Millis, Span};
use xxhash_rust::xxh3::xxh3_64;

use super::cards::Cards;
use super::dealer::TicketKind;
use super::dealing::Dealing;
use super::draws::Seed;
use super::judging::{Caller, Gone, Undo};
use super::near::{NearIndex, TicketNumber};
use super::order::{RosterHash, order};
use crate::game::people::Chain;
use crate::game::results::RoundResult;
use crate::game::rundown::{Counted, Look, Opening, Part, Stage, Wait, hash};
use crate::round::{ClaimSpace, ClaimValues, SeatClaim};

/// A claim for each ticket of a seat and prize.
const CALLS: ClaimSpace = ClaimSpace { keys: BINGO_KEYS, values: ClaimValues::Below(1) };
/// What a call's value is.
const CALLED: ClaimValue = ClaimValue::Bits(0);

/// A part of bingo.
pub struct BingoPart {
    pub(super) setup: BingoSetup,
    pub(super) seed: Seed,
    pub(super) course: Course,
    /// What was announced, once it is known.
    pub(super) public_value: Option<String>,
    /// By prize: who won it.
    pub(super) gone: Vec<Option<Gone>>,
    pub(super) calls: Calls,
    /// Seats that made false calls.
    pub(super) callers: HashMap<Seat, Caller>,
    /// Of tickets that won and can't win all others: which they can't, as a bit set.
    pub(super) satisfied: HashMap<TicketNumber, u32>,
    /// What takes back the settlement of the last round.
    pub(super) undo: Option<Undo>,
    pub(super) rounds: Vec<Drawn>,
    /// A hash over all settlements and voids.
    pub(super) history: Chain,
    pub(super) paid_beyond: u64,
}

/// How far the part is.
pub(super) enum Course {
    /// It has not begun.
    Waiting,
    Dealing(Dealing),
    Playing(Playing),
}

/// The part after the close of dealing.
pub(super) struct Playing {
    pub roster: RosterHash,
    pub cards: Cards,
    pub index: NearIndex,
    /// All balls; none as long as the public value is awaited.
    pub order: Vec<u8>,
    /// How many of them are drawn.
    pub drawn: usize,
}

/// The calls of the last round.
#[derive(Default)]
pub(super) struct Calls {
    pub made: HashMap<(Seat, ClaimKey), Millis>,
    /// A sum of hashes, so that a call does not rehash the others.
    digest: u64,
}

/// A ball that was drawn: a round.
pub(super) struct Drawn {
    pub round: RoundId,
    pub ball: u8,
    /// How many balls were drawn, this one included.
    pub number: u8,
    pub won: Vec<PrizeWon>,
    pub false_calls: u32,
    pub is_void: bool,
}

impl BingoPart {
    /// A part whose tickets and balls follow from this seed.
    #[must_use]
    pub fn new(setup: BingoSetup, seed: Seed) -> Self {
        Self {
            gone: setup.prizes.iter().map(|_| None).collect(),
            setup,
            seed,
            course: Course::Waiting,
            public_value: None,
            calls: Calls::default(),
            callers: HashMap::new(),
            satisfied: HashMap::new(),
            undo: None,
            rounds: Vec::new(),
            history: Chain::default(),
            paid_beyond: 0,
        }
    }

    const fn kind(&self) -> TicketKind {
        match self.setup.balls {
            Balls::Of75 => TicketKind::Balls75,
            Balls::Of90 => TicketKind::Balls90,
        }
    }

    pub(super) const fn playing(&self) -> Option<&Playing> {
        match &self.course {
            Course::Playing(playing) => Some(playing),
            Course::Waiting | Course::Dealing(_) => None,
        }
    }

    /// The part, after the close of dealing.
    ///
    /// # Panics
    /// Before that.
    pub(super) const fn play_on(&mut self) -> &mut Playing {
        match &mut self.course {
            Course::Playing(playing) => playing,
            Course::Waiting | Course::Dealing(_) => panic!("a ball is drawn after the close of dealing"),
        }
    }

    /// Whether this prize can be won on the next ball, or on the one that is being called: it is not gone, and the house before it is.
    pub(super) fn is_open(&self, prize: usize) -> bool {
        self.gone[prize].is_none() && !self.awaits_another(prize)
    }

    /// Whether another prize has to be won before this one.
    fn awaits_another(&self, prize: usize) -> bool {
        let before = |pattern: Pattern| self.setup.prizes.iter().position(|prize| prize.pattern == pattern);
        let first = self.setup.prizes[prize].pattern.after().and_then(before);
        first.is_some_and(|first| self.gone[first].is_none())
    }

    /// # Errors
    /// While tickets are still being dealt, or if the dealing is closed already.
    fn close_dealing(&mut self, stage: &mut Stage<'_>) -> Result<(), Refusal> {
        let wrong = |detail: String| Err(Refusal::because(ErrorCode::WrongPhase, detail));
        match &self.course {
            Course::Dealing(dealing) if dealing.next.is_some() => {
                let (dealt, seats) = (dealing.cards.seats(), stage.ledger.seats());
                return wrong(format!("Tickets are being dealt: {dealt} of {seats} seats have theirs."));
            }
            Course::Dealing(_) => {}
            Course::Waiting | Course::Playing(_) => return wrong("The dealing is closed already.".to_owned()),
        }
        let Course::Dealing(dealing) = std::mem::replace(&mut self.course, Course::Waiting) else {
            unreachable!("it was just looked at")
        };
        let dealt = dealing.close();
        self.course = Course::Playing(Playing {
            roster: dealt.roster,
            cards: dealt.cards,
            index: dealt.index,
            order: Vec::new(),
            drawn: 0,
        });
        if self.setup.public_value.is_none() {
            self.set_order();
        }
        let dealt = self.dealt().expect("the dealing was closed");
        stage.tell_between(BingoEvent::Dealt(dealt), None);
        Ok(())
    }

    fn set_order(&mut self) {
        let (kind, seed, value) = (self.kind(), self.seed, self.public_value.clone());
        let playing = self.play_on();
        playing.order = order(kind, &seed, playing.roster, value.as_deref());
    }

    pub(super) fn dealt(&self) -> Option<DealtEvent> {
        let Playing { roster, cards, .. } = self.playing()?;
        Some(DealtEvent { seats: cards.seats(), tickets: cards.count(), roster: hex(&roster.0) })
    }

    fn set_public_value(&mut self, stage: &mut Stage<'_>, value: String) -> Result<(), Refusal> {
        let wrong = |detail: &str| Err(Refusal::because(ErrorCode::WrongPhase, detail));
        if self.setup.public_value.is_none() {
            return wrong("No public value was announced, so the order of the balls depends on none.");
        }
        if self.playing().is_none() {
            return wrong("Close the dealing first: nobody may know the value before that.");
        }
        if self.public_value.is_some() {
            return wrong("The public value is set already.");
        }
        if let Some(problem) = text::problem(&value, &TEXT_LENGTH) {
            return Err(Refusal::because(ErrorCode::BadArgument, format!("`public_value` {problem}.")));
        }
        self.public_value = Some(value.clone());
        self.set_order();
        stage.tell_between(BingoEvent::PublicValue { value }, None);
        Ok(())
    }

    /// Draws the next ball.
    fn draw(&mut self, stage: &mut Stage<'_>) -> Result<(), Refusal> {
        let playing = self.play_on();
        let Some(&ball) = playing.order.get(playing.drawn) else {
            let detail = "The public value is awaited: `play` with `public_value`.";
            return Err(Refusal::because(ErrorCode::WrongPhase, detail));
        };
        playing.index.draw(ball);
        playing.drawn += 1;
        let number = u8::try_from(playing.drawn).expect("there are 90 balls at most");
        self.calls = Calls::default();
        self.undo = None;
        let opening = Opening { space: CALLS, lead: stage.lead, open_for: self.setup.settings.window };
        let event = BingoEvent::Ball(Ball { ball, number_of_ball: number });
        let round = stage.open(opening, event, None).round;
        self.rounds.push(Drawn { round, ball, number, won: Vec::new(), false_calls: 0, is_void: false });
        Ok(())
    }

    /// What a claim with this key calls; none if there is no such ticket or prize.
    fn called(&self, key: ClaimKey) -> Option<TicketPrize> {
        let called = TicketPrize::of(key);
        (called.ticket < self.setup.tickets && usize::from(called.prize) < self.setup.prizes.len()).then_some(called)
    }
}

impl Part for BingoPart {
    fn begin(&mut self, stage: &mut Stage<'_>) {
        stage.tell_between(BingoEvent::Dealing(self.dealing()), None);
        let mut dealing = Dealing::new(&self.setup, self.kind(), self.seed);
        dealing.deal_some(stage);
        self.course = Course::Dealing(dealing);
    }

    fn next(&mut self, stage: &mut Stage<'_>) -> Result<(), Refusal> {
        if let Course::Dealing(_) = self.course {
            self.close_dealing(stage)?;
            if self.setup.public_value.is_some() {
                return Ok(());
            }
        }
        self.draw(stage)
    }

    fn is_over(&self) -> bool {
        let all_drawn = |playing: &Playing| !playing.order.is_empty() && playing.drawn == playing.order.len();
        self.playing().is_some_and(|playing| all_drawn(playing) || self.gone.iter().all(Option::is_some))
    }

    fn finish(&mut self, stage: &mut Stage<'_>) {
        let opened = Opened {
            seed: hex(&self.seed.0),
            public_value: self.public_value.clone(),
            roster: self.playing().map(|playing| hex(&playing.roster.0)),
            drawn: self.playing().map_or(0, |playing| playing.drawn as u8),
        };
        stage.tell_between(BingoEvent::Opened(opened), None);
    }

    fn settle(&mut self, stage: &mut Stage<'_>) {
        self.settle_calls(stage);
    }

    fn lost(&mut self, stage: &mut Stage<'_>, reason: &str) {
        let personal = self.take_back(stage);
        stage.tell_void(reason, personal);
    }

    fn reveal(&mut self, _: &mut Stage<'_>) -> Result<(), Refusal> {
        unreachable!("a ball's round is never left closed")
    }

    fn void(&mut self, stage: &mut Stage<'_>, reason: &str) -> Result<(), Refusal> {
        let personal = self.take_back(stage);
        stage.tell_void(reason, personal);
        Ok(())
    }

    fn play(&mut self, stage: &mut Stage<'_>, body: &Body) -> Result<(), Refusal> {
        let play = BingoPlay::read(body).map_err(|problem| Refusal::because(ErrorCode::BadArgument, problem))?;
        match play {
            BingoPlay::CloseDealing => self.close_dealing(stage),
            BingoPlay::PublicValue(value) => self.set_public_value(stage, value),
            BingoPlay::Card(seat) => self.show_card(stage, seat),
        }
    }

    fn seat_taken(&mut self, stage: &mut Stage<'_>, seat: Seat) {
        if let Course::Dealing(dealing) = &mut self.course {
            dealing.seat_taken(stage, seat);
        }
    }

    /// A ball that was settled without the seat's calls stays so.
    fn restored(&mut self, _: &mut Stage<'_>, _: Seat, _: RoundId) {}

    fn wait(&self, _: Phase) -> Wait {
        match &self.course {
            Course::Dealing(dealing) if dealing.next.is_some() => Wait::ForHost,
            Course::Playing(playing) if playing.order.is_empty() => Wait::ForHost,
            Course::Playing(_) if !self.is_over() => Wait::For(self.setup.settings.pace),
            _ => Wait::Usual,
        }
    }

    fn timer(&self) -> Option<Millis> {
        match &self.course {
            Course::Dealing(dealing) => dealing.next,
            Course::Waiting | Course::Playing(_) => None,
        }
    }

    fn on_timer(&mut self, stage: &mut Stage<'_>) {
        if let Course::Dealing(dealing) = &mut self.course {
            dealing.deal_some(stage);
        }
    }

    fn paid_beyond(&self) -> u64 {
        self.paid_beyond
    }

    fn counted_value(&self, seat: Seat, key: ClaimKey) -> Option<ClaimValue> {
        self.calls.made.contains_key(&(seat, key)).then_some(CALLED)
    }

    fn check(&self, look: &Look<'_>, claim: &SeatClaim, _: Span) -> Result<(), ErrorCode> {
        let Some(TicketPrize { ticket, prize }) = self.called(claim.key) else { return Err(ErrorCode::BadChoice) };
        if self.setup.settings.call == CallBy::Auto {
            return Err(ErrorCode::BadChoice);
        }
        let prize = usize::from(prize);
        let Some(Playing { cards, index, .. }) = self.playing() else { return Err(ErrorCode::TooLate) };
        let Some(number) = cards.number(claim.seat, ticket) else { return Err(ErrorCode::NotInPlay) };
        if self.gone[prize].is_some() {
            return Err(ErrorCode::TooLate);
        }
        if self.awaits_another(prize) {
            return Err(ErrorCode::TooEarly);
        }
        if index.barred(number) >> prize & 1 == 1 || !look.plays(claim.seat) {
            return Err(ErrorCode::NotInPlay);
        }
        Ok(())
    }

    fn count(&mut self, Counted { claim, at, .. }: Counted) {
        let bytes = [u64::from(claim.seat.0), u64::from(claim.key.0), at.0].map(u64::to_le_bytes);
        self.calls.digest = self.calls.digest.wrapping_add(xxh3_64(bytes.as_flattened()));
        self.calls.made.insert((claim.seat, claim.key), at);
    }

    fn counted(&self) -> Vec<SeatClaim> {
        self.calls.made.keys().map(|&(seat, key)| SeatClaim { seat, key, value: CALLED }).collect()
    }

    fn view(&self, _: &Look<'_>, _: Millis) -> Body {
        Body::of(&self.overview())
    }

    fn own(&self, _: &Look<'_>, seat: Seat) -> Body {
        Body::of(&self.own_of(seat))
    }

    fn rounds(&self) -> u16 {
        self.setup.balls.count().into()
    }

    /// For each prize three numbers: tickets that could be called for it now, that miss one number, and that miss two.
    fn host_numbers(&self) -> Vec<u32> {
        let Some(Playing { index, .. }) = self.playing() else { return Vec::new() };
        let near = |(prize, gone): (u8, &Option<Gone>)| if gone.is_some() { [0; 3] } else { index.near(prize) };
        (0..).zip(&self.gone).flat_map(near).collect()
    }

    fn right_claims(&self, seat: Seat) -> u32 {
        u32::try_from(self.won_by(seat).len()).expect("a seat has six tickets, and there are 32 prizes")
    }

    fn digest(&self) -> u64 {
        let (step, dealt, next) = match &self.course {
            Course::Waiting => (0_u8, 0, None),
            Course::Dealing(dealing) => (1, dealing.cards.seats(), dealing.next),
            Course::Playing(playing) => (2, playing.cards.seats(), None),
        };
        let drawn = self.playing().map_or(0, |playing| playing.drawn as u64);
        let calls = (self.calls.made.len() as u64, self.calls.digest);
        hash(&(step, dealt, next, drawn, calls, self.public_value.as_deref(), self.history.digest()))
    }

    fn results(&self) -> Vec<RoundResult> {
        self.rounds.iter().map(Drawn::result).collect()
    }
}

/// Bytes as text.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        _ = write!(text, "{byte:02x}");
        text
    })
}
