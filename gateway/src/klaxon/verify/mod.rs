//! `klaxon verify`: checks a proof file of bingo. Tickets and balls are computed again from the file's seed, roster and public value, and
//! compared with those in the file. That a file agrees with itself says nothing of the show: so what the show published is printed, or
//! compared with what the options say.

mod file;

use anyhow::Context;
use klaxon_engine::game::bingo::{Dealer, RosterHash, RosterHasher, Seed, TicketKind, Tickets, order};
use klaxon_gateway::cli::VerifyOptions;
use klaxon_protocol::games::bingo::{Balls, BingoProof, Bytes32, ProofSeat, SeatTickets, TicketRows};
use klaxon_protocol::limits::TEXT_LENGTH;
use klaxon_protocol::text::{self, harmless};
use serde::de::IgnoredAny;

use self::file::ProofFile;

/// How many of the seats with other tickets are named.
const NAMED: usize = 10;

/// What was found out about each part of the file, printed as it is found out.
#[derive(Default)]
struct Findings {
    /// What is wrong.
    wrong: Vec<&'static str>,
}

impl Findings {
    /// Prints that something is as it must be, or what is wrong with it.
    fn add(&mut self, name: &'static str, found: Result<String, String>) {
        match found {
            Ok(told) => println!("{name:<12} ok     {}", harmless(told)),
            Err(problem) => {
                println!("{name:<12} WRONG  {}", harmless(problem));
                self.wrong.push(name);
            }
        }
    }

    fn must(&mut self, is_so: bool, name: &'static str, told: impl Into<String>, problem: impl Into<String>) {
        self.add(name, if is_so { Ok(told.into()) } else { Err(problem.into()) });
    }
}

pub fn verify(options: &VerifyOptions) -> anyhow::Result<()> {
    let name = options.file.display();
    let file = ProofFile::open(&options.file)?;
    let proof = file.all_but_tickets().with_context(|| format!("{name} is no proof file"))?;
    let mut findings = Findings::default();
    check(&proof, options, &mut findings);
    if findings.wrong.contains(&"roster") {
        println!("{:<12} not checked: they follow from the roster", "tickets");
    } else {
        check_tickets(&file, &proof, options.seat, &mut findings)
            .with_context(|| format!("{name} is no proof file"))?;
    }
    anyhow::ensure!(findings.wrong.is_empty(), "{name} is wrong: {}", findings.wrong.join(", "));
    println!("The file agrees with itself. Compare what the show published:");
    println!("  before the first ticket  commitment {}", proof.commitment);
    println!("  before the first ball    roster {}", proof.roster_hash);
    println!("  ball by ball             {}", numbers(&proof.order.0[..usize::from(proof.drawn)]));
    Ok(())
}

const fn kind(proof: &BingoProof<IgnoredAny>) -> TicketKind {
    match proof.balls {
        Balls::Of75 => TicketKind::Balls75,
        Balls::Of90 => TicketKind::Balls90,
    }
}

fn numbers(balls: &[u8]) -> String {
    balls.iter().map(u8::to_string).collect::<Vec<_>>().join(" ")
}

/// Whether what the show published, if the options tell it, is what the file says.
fn published(file: Bytes32, shown: Option<Bytes32>) -> Option<String> {
    let shown = shown.filter(|&shown| shown != file)?;
    Some(format!("the file has {file}, and the show published {shown}"))
}

fn check(proof: &BingoProof<IgnoredAny>, options: &VerifyOptions, findings: &mut Findings) {
    let seed = Seed(proof.seed.0);
    let commitment = Bytes32(seed.commitment());
    findings.add(
        "commitment",
        match published(proof.commitment, options.commitment) {
            Some(problem) => Err(problem),
            None if commitment == proof.commitment => Ok(format!("it is the SHA-256 of the seed {}", proof.seed)),
            None => Err(format!("the SHA-256 of the seed is {commitment}")),
        },
    );
    let hash = hash(&proof.roster.0, proof.tickets_each);
    let tickets = proof.tickets_each;
    findings.add(
        "roster",
        hash.as_ref()
            .map(|_| format!("{} seats with {tickets} tickets each", proof.roster.0.len()))
            .map_err(Clone::clone),
    );
    if let Ok(hash) = hash {
        findings.add(
            "roster_hash",
            match published(proof.roster_hash, options.roster_hash) {
                Some(problem) => Err(problem),
                None if Bytes32(hash.0) == proof.roster_hash => Ok("it is that of the roster".into()),
                None => Err(format!("that of the roster is {}", Bytes32(hash.0))),
            },
        );
        let public_value = proof.public_value.as_deref();
        findings.add("public_value", check_public_value(public_value, options.public_value.as_deref()));
        let right = order(kind(proof), &seed, hash, public_value);
        findings.must(
            proof.order.0 == right,
            "order",
            format!("all {} balls follow from the seed, the roster and the public value", right.len()),
            format!("what follows is {}", numbers(&right)),
        );
    }
    let drawn = usize::from(proof.drawn);
    let most = proof.order.0.len().min(usize::from(proof.balls.count()));
    findings.must(
        drawn <= most,
        "drawn",
        format!("{drawn} balls"),
        format!("{drawn} balls can't be drawn from {most}"),
    );
}

/// The roster's hash, if it is a roster.
fn hash(seats: &[ProofSeat], tickets_each: u8) -> Result<RosterHash, String> {
    if !(1..=6).contains(&tickets_each) {
        return Err(format!("a seat has 1 to 6 tickets, not {tickets_each}"));
    }
    if let Some([before, after]) = seats.array_windows().find(|[before, after]| before.0 >= after.0) {
        return Err(format!(
            "seat {} stands after seat {}: each stands once, in the order of numbers",
            after.0, before.0
        ));
    }
    let mut roster = RosterHasher::default();
    for &ProofSeat(seat, sat_at, tickets) in seats {
        if tickets != tickets_each {
            return Err(format!("seat {seat} has {tickets} tickets, and each has {tickets_each}"));
        }
        roster.add(seat, sat_at, tickets);
    }
    Ok(roster.hash())
}

fn check_public_value(file: Option<&str>, known: Option<&str>) -> Result<String, String> {
    if let Some(problem) = file.and_then(|value| text::problem(value, &TEXT_LENGTH)) {
        return Err(format!("it {problem}; null stands for none"));
    }
    match (file, known) {
        (file, Some(known)) if file != Some(known) => Err(format!("the file has {file:?}, and you know {known:?}")),
        (None, _) => {
            Ok("none: who operated the show could choose the order of the balls, see docs/rules/bingo.md".into())
        }
        (Some(value), Some(_)) => Ok(format!("{value:?}")),
        (Some(value), None) => Ok(format!("{value:?}: compare it with its source")),
    }
}

/// Deals again, as far as there is something to compare with.
struct Redealing<'p> {
    dealer: Dealer,
    /// Seats that are still to be dealt to.
    rest: &'p [ProofSeat],
    /// The seat whose tickets are printed.
    shown: Option<u32>,
    /// Seats that were compared.
    compared: u32,
    /// The first of the seats that have other tickets in the file.
    different: Vec<u32>,
    differing: u32,
    /// What is wrong with the order of the seats.
    problem: Option<String>,
}

impl Redealing<'_> {
    /// Deals to all seats up to this one, whose tickets are returned.
    fn deal_to(&mut self, seat: u32) -> Option<Tickets> {
        let mut dealt = None;
        while let Some((&ProofSeat(next, _, tickets), rest)) = self.rest.split_first() {
            if next > seat {
                break;
            }
            self.rest = rest;
            let tickets = self.dealer.deal(next, tickets);
            if self.shown == Some(next) {
                self.shown = None;
                print(next, &tickets);
            }
            dealt = Some(tickets).filter(|_| next == seat);
        }
        dealt
    }

    fn compare(&mut self, seat: u32, told: &SeatTickets) {
        if self.problem.is_some() {
            return;
        }
        let Some(dealt) = self.deal_to(seat) else {
            self.problem = Some(format!("seat {seat} is not in the roster, or not in the order of numbers"));
            return;
        };
        self.compared += 1;
        if !are_same(&dealt, told) {
            self.differing += 1;
            if self.different.len() < NAMED {
                self.different.push(seat);
            }
        }
    }
}

fn check_tickets(
    file: &ProofFile,
    proof: &BingoProof<IgnoredAny>,
    shown: Option<u32>,
    findings: &mut Findings,
) -> anyhow::Result<()> {
    let kind = kind(proof);
    let mut redealing = Redealing {
        dealer: Dealer::new(kind, Seed(proof.seed.0)),
        rest: &proof.roster.0,
        shown,
        compared: 0,
        different: Vec::new(),
        differing: 0,
        problem: None,
    };
    if proof.tickets.is_some() {
        file.tickets(&mut |seat, told| redealing.compare(seat, told))?;
    }
    if let Some(shown) = redealing.shown {
        redealing.deal_to(shown);
        findings.must(
            redealing.shown.is_none(),
            "seat",
            "its tickets are above",
            format!("{shown} is not in the roster"),
        );
    }
    let Redealing { compared, different, differing, problem, .. } = redealing;
    findings.add(
        "tickets",
        match problem {
            Some(problem) => Err(problem),
            None if differing > 0 => {
                Err(format!("{differing} seats have others than follow from the seed: {different:?}"))
            }
            None if proof.tickets.is_none() => Ok("the file has none to compare: compare your own, by --seat".into()),
            None => Ok(format!("those of {compared} seats follow from the seed")),
        },
    );
    Ok(())
}

fn are_same(dealt: &Tickets, told: &SeatTickets) -> bool {
    fn is_same<const ROWS: usize, const COLUMNS: usize>(cells: &[[u8; COLUMNS]; ROWS], told: &TicketRows) -> bool {
        told.0.iter().map(|row| &row.0[..]).eq(cells.iter().map(|row| &row[..]))
    }
    let told = &told.0;
    match dealt {
        Tickets::Balls75(dealt) => {
            dealt.len() == told.len() && dealt.iter().zip(told).all(|(dealt, told)| is_same(dealt.cells(), told))
        }
        Tickets::Balls90(dealt) => {
            dealt.len() == told.len() && dealt.iter().zip(told).all(|(dealt, told)| is_same(dealt.cells(), told))
        }
    }
}

/// Prints a seat's tickets, with a dot in free and blank cells.
fn print(seat: u32, tickets: &Tickets) {
    let row = |row: &[u8]| {
        let cell = |&cell: &u8| if cell == 0 { " .".to_owned() } else { format!("{cell:>2}") };
        println!("  {}", row.iter().map(cell).collect::<Vec<_>>().join(" "));
    };
    println!("The tickets of seat {seat}:");
    match tickets {
        Tickets::Balls75(tickets) => tickets.iter().for_each(|ticket| {
            ticket.cells().iter().for_each(|cells| row(cells));
            println!();
        }),
        Tickets::Balls90(tickets) => tickets.iter().for_each(|ticket| {
            ticket.cells().iter().for_each(|cells| row(cells));
            println!();
        }),
    }
}
