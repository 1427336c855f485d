//! `klaxon proof`: writes the proof file of a part of bingo from the journal of its show, once the part is over. The journal is replayed, and
//! what players were sent has to agree with it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};

use anyhow::{Context, bail, ensure};
use klaxon_engine::game::Games;
use klaxon_engine::game::bingo::{RosterHasher, Seed, TicketKind, order};
use klaxon_engine::replay::{self, Rebuilt};
use klaxon_gateway::cli::ProofOptions;
use klaxon_protocol::games::bingo::{
    AtMost, Ball, Balls, BingoEvent, BingoOwn, BingoProof, Bytes32, Dealing, Dealt, Opened, ProofGame, ProofSeat,
    ProofVersion,
};
use klaxon_protocol::games::rundown::OfPart;
use klaxon_protocol::ids::Seat;
use klaxon_protocol::journal::{Command, Record};
use klaxon_protocol::player::ToPlayer;
use serde::{Serialize, Serializer};

/// What a journal has of a part of bingo.
struct Played {
    dealing: Dealing,
    dealt: Option<DealtAll>,
    balls: Vec<Ball>,
    opened: Option<Opened>,
}

/// The roster and the tickets at the close of dealing.
struct DealtAll {
    dealt: Dealt,
    seats: Vec<ProofSeat>,
    tickets: Option<Cells>,
}

/// The cells of all tickets, seat by seat from seat 0 on.
#[derive(Debug, PartialEq)]
struct Cells {
    cells: Vec<u8>,
    columns: usize,
    /// Cells of a ticket, and of all tickets of a seat.
    ticket: usize,
    seat: usize,
}

impl Serialize for Cells {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let tickets_of = |cells: &[u8]| -> Vec<Vec<Vec<u8>>> {
            cells.chunks(self.ticket).map(|ticket| ticket.chunks(self.columns).map(Vec::from).collect()).collect()
        };
        serializer.collect_map(self.cells.chunks(self.seat).map(tickets_of).enumerate())
    }
}

/// Gathers from the records of a show what a proof needs.
struct Gathering {
    with_tickets: bool,
    /// When each seat was taken by its player.
    sat_at: Vec<u64>,
    parts: BTreeMap<u8, Played>,
    /// The first thing that a right journal does not have.
    problem: Option<anyhow::Error>,
}

impl Gathering {
    fn see(&mut self, record: &Record, show: &Rebuilt) {
        if let Command::Sit { seat, .. } = &record.command {
            self.sat_at.resize(self.sat_at.len().max(seat.index() + 1), 0);
            self.sat_at[seat.index()] = record.at.0;
        }
        for event in &record.events {
            let ToPlayer::GameEvent(event) = event else { continue };
            // Other parts have other events.
            let Ok(OfPart { part, event }) = event.body.read::<OfPart<BingoEvent>>() else { continue };
            if let Err(error) = self.take(part, event, show) {
                self.problem.get_or_insert(error.context(format!("part {part}, record {}", record.number)));
            }
        }
    }

    fn take(&mut self, part: u8, event: BingoEvent, show: &Rebuilt) -> anyhow::Result<()> {
        if let BingoEvent::Dealing(dealing) = event {
            self.parts.insert(part, Played { dealing, dealt: None, balls: Vec::new(), opened: None });
            return Ok(());
        }
        let Some(played) = self.parts.get_mut(&part) else { return Ok(()) };
        match event {
            BingoEvent::Dealt(dealt) => {
                let each = played.dealing.tickets;
                let seats = (0..).zip(&self.sat_at).take(dealt.seats as usize);
                let seats: Vec<ProofSeat> = seats.map(|(seat, &at)| ProofSeat(seat, at, each)).collect();
                let tickets = if self.with_tickets { Some(tickets(&played.dealing, dealt.seats, show)?) } else { None };
                played.dealt = Some(DealtAll { dealt, seats, tickets });
            }
            BingoEvent::Ball(ball) => played.balls.push(ball),
            BingoEvent::Opened(opened) => played.opened = Some(opened),
            _ => {}
        }
        Ok(())
    }
}

/// The tickets that these many first seats have, as the show tells each.
fn tickets(dealing: &Dealing, seats: u32, show: &Rebuilt) -> anyhow::Result<Cells> {
    let (columns, ticket) = match dealing.balls {
        Balls::Of75 => (5, 25),
        Balls::Of90 => (9, 27),
    };
    let seat_size = ticket * usize::from(dealing.tickets);
    let mut cells = Vec::with_capacity(seat_size * seats as usize);
    for seat in 0..seats {
        let ToPlayer::GameOwn(own) = show.game.own(Some(Seat(seat))) else { bail!("seat {seat} is told nothing") };
        let own: BingoOwn = own.body.read().map_err(anyhow::Error::msg)?;
        cells.extend(own.tickets.iter().flatten().flatten());
        ensure!(cells.len() == seat_size * (seat as usize + 1), "seat {seat} has other tickets than it should");
    }
    Ok(Cells { cells, columns, ticket, seat: seat_size })
}

pub fn proof(options: &ProofOptions) -> anyhow::Result<()> {
    let name = options.journal.display();
    let bytes = std::fs::read(&options.journal).with_context(|| format!("can't read {name}"))?;
    let mut gathering =
        Gathering { with_tickets: options.tickets, sat_at: Vec::new(), parts: BTreeMap::new(), problem: None };
    let replayed = replay::replay(&Games::default(), &bytes, |record, show| gathering.see(record, show));
    replayed.with_context(|| name.to_string())?;
    if let Some(problem) = gathering.problem {
        return Err(problem.context(name.to_string()));
    }
    let (part, played) = choose(gathering.parts, options.part).with_context(|| name.to_string())?;
    let proof = prove(played).with_context(|| format!("{name}: part {part}"))?;
    let to = options.to.display();
    let write = || -> anyhow::Result<()> {
        // A file that exists may be the journal.
        let mut file = BufWriter::new(File::create_new(&options.to)?);
        serde_json::to_writer(&mut file, &proof)?;
        Ok(file.flush()?)
    };
    write().with_context(|| format!("can't write {to}"))?;
    println!("part {part}: {} seats, {} balls drawn, written to {to}", proof.roster.0.len(), proof.drawn);
    Ok(())
}

/// The part that is meant.
fn choose(mut parts: BTreeMap<u8, Played>, wanted: Option<u8>) -> anyhow::Result<(u8, Played)> {
    let known = parts.keys().map(u8::to_string).collect::<Vec<_>>().join(", ");
    let part = match (wanted, parts.len()) {
        (_, 0) => bail!("no part of bingo has begun in this show"),
        (Some(part), _) => part,
        (None, 1) => *parts.keys().next().expect("there is one"),
        (None, _) => bail!("these parts are bingo: {known}; say which, by --part"),
    };
    let played =
        parts.remove(&part).with_context(|| format!("part {part} is no bingo that has begun; these are: {known}"))?;
    Ok((part, played))
}

fn bytes(text: &str) -> anyhow::Result<Bytes32> {
    text.parse().map_err(anyhow::Error::msg)
}

fn prove(played: Played) -> anyhow::Result<BingoProof<Cells>> {
    let Played { dealing, dealt, balls, opened } = played;
    // A file made before would tell the balls to come.
    let opened = opened.context("it is not over: its seed is secret until then")?;
    let DealtAll { dealt, seats, tickets } =
        dealt.context("its dealing was never closed, so there was no order of balls")?;
    ensure!(
        dealing.public_value.is_none() || opened.public_value.is_some(),
        "its public value was announced and never given, so there was no order of balls"
    );
    let (commitment, seed, roster_hash) = (bytes(&dealing.commitment)?, bytes(&opened.seed)?, bytes(&dealt.roster)?);
    ensure!(Bytes32(Seed(seed.0).commitment()) == commitment, "its seed is not the one that was committed to");
    let mut roster = RosterHasher::default();
    seats.iter().for_each(|&ProofSeat(seat, sat_at, tickets)| roster.add(seat, sat_at, tickets));
    let hash = roster.hash();
    ensure!(
        Bytes32(hash.0) == roster_hash,
        "the roster's hash is {}, and {roster_hash} was published",
        Bytes32(hash.0)
    );
    let kind = match dealing.balls {
        Balls::Of75 => TicketKind::Balls75,
        Balls::Of90 => TicketKind::Balls90,
    };
    let order = order(kind, &Seed(seed.0), hash, opened.public_value.as_deref());
    for ball in balls {
        let place = usize::from(ball.number_of_ball).wrapping_sub(1);
        ensure!(
            order.get(place) == Some(&ball.ball),
            "ball {} was {}, which does not follow",
            ball.number_of_ball,
            ball.ball
        );
    }
    Ok(BingoProof {
        klaxon_proof: ProofVersion,
        game: ProofGame::Bingo,
        balls: dealing.balls,
        tickets_each: dealing.tickets,
        commitment,
        seed,
        roster: AtMost(seats),
        roster_hash,
        public_value: opened.public_value,
        order: AtMost(order),
        drawn: opened.drawn,
        tickets,
    })
}
