//! What a part of bingo has, and how far it is.

use std::collections::HashMap;

use klaxon_protocol::games::bingo::{Barred, BingoSetup, Pattern, PrizeWon, TicketOfSeat, WINNERS_NAMED, Won};
use klaxon_protocol::ids::{ClaimKey, RoundId, Seat};
use klaxon_protocol::time::Millis;

use super::calls::Shares;
use super::cards::Cards;
use super::dealing::Dealing;
use super::draws::Seed;
use super::near::{NearIndex, TicketNumber};
use super::order::RosterHash;
use crate::game::people::Chain;

/// A part of bingo.
pub struct BingoPart {
    pub(super) setup: BingoSetup,
    pub(super) seed: Seed,
    pub(super) progress: BingoProgress,
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
    pub(super) undo: Option<SettlementUndo>,
    pub(super) rounds: Vec<Drawn>,
    /// A hash over all settlements and voids.
    pub(super) history: Chain,
    pub(super) paid_beyond: u64,
}

/// How far the part is.
pub(super) enum BingoProgress {
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
    pub digest: u64,
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

/// A prize that was won.
pub(super) struct Gone {
    /// By seat and ticket.
    pub winners: Vec<TicketOfSeat>,
    pub shares: Shares,
}

/// A seat that made false calls.
#[derive(Debug, Clone, Default)]
pub(super) struct Caller {
    pub false_calls: u16,
    pub barred: Barred,
}

/// What takes back the settlement of a round.
#[derive(Default)]
pub(super) struct SettlementUndo {
    /// The prizes that were won.
    pub prizes: Vec<u8>,
    /// Seats that made false calls, as they were before.
    pub callers: Vec<(Seat, Option<Caller>)>,
    /// Tickets that won and can't win all others, as they were before.
    pub satisfied: Vec<(TicketNumber, Option<u32>)>,
    pub paid_beyond: u64,
}

impl BingoPart {
    /// A part whose tickets and balls follow from this seed.
    #[must_use]
    pub fn new(setup: BingoSetup, seed: Seed) -> Self {
        Self {
            gone: setup.prizes.iter().map(|_| None).collect(),
            setup,
            seed,
            progress: BingoProgress::Waiting,
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

    pub(super) const fn playing(&self) -> Option<&Playing> {
        match &self.progress {
            BingoProgress::Playing(playing) => Some(playing),
            BingoProgress::Waiting | BingoProgress::Dealing(_) => None,
        }
    }

    /// The part, after the close of dealing.
    ///
    /// # Panics
    /// Before that.
    pub(super) const fn play_on(&mut self) -> &mut Playing {
        match &mut self.progress {
            BingoProgress::Playing(playing) => playing,
            BingoProgress::Waiting | BingoProgress::Dealing(_) => panic!("a ball is drawn after the close of dealing"),
        }
    }

    /// Whether this prize can be won on the next ball, or on the one that is being called: it is not gone, and the house before it is.
    pub(super) fn is_open(&self, prize: usize) -> bool {
        self.gone[prize].is_none() && !self.awaits_another(prize)
    }

    /// Whether another prize has to be won before this one.
    pub(super) fn awaits_another(&self, prize: usize) -> bool {
        let before = |pattern: Pattern| self.setup.prizes.iter().position(|prize| prize.pattern == pattern);
        let first = self.setup.prizes[prize].pattern.after().and_then(before);
        first.is_some_and(|first| self.gone[first].is_none())
    }
}

impl Gone {
    /// As it is told.
    pub fn told(&self, prize: u8) -> PrizeWon {
        PrizeWon {
            prize,
            winners: self.winners.iter().copied().take(WINNERS_NAMED).collect(),
            count: u32::try_from(self.winners.len()).expect("an index has room for all tickets"),
            share: self.shares.share,
            one_more: self.shares.one_more,
        }
    }

    /// What a seat won of it.
    pub fn won_by(&self, prize: u8, seat: Seat) -> impl Iterator<Item = Won> {
        let first = self.winners.partition_point(|winner| winner.seat < seat);
        let own = self.winners[first..].iter().take_while(move |winner| winner.seat == seat);
        own.zip(first..).map(move |(winner, index)| Won { prize, ticket: winner.ticket, share: self.shares.of(index) })
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
