//! Proof files of bingo: `klaxon proof` and `klaxon verify`, and docs/examples/verify_bingo.py, which was written from docs/rules/bingo.md alone.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

mod journal;

use std::path::{Path, PathBuf};
use std::process::Command;

use klaxon_engine::game::bingo::{Dealer, RosterHash, RosterHasher, Seed, TicketKind, Tickets, order};
use klaxon_protocol::games::bingo::{
    AtMost, Balls, BingoProof, Bytes32, ProofGame, ProofSeat, ProofVersion, SeatTickets,
};

const SEED: Seed = Seed(*b"the seed of the tests of proofs.");
const PUBLIC: &str = "DAX 24,123.45 €";
/// A kind of tickets, and how many each seat has.
const KINDS: [(Balls, u8); 3] = [(Balls::Of75, 3), (Balls::Of90, 2), (Balls::Of90, 6)];

const fn kind(balls: Balls) -> TicketKind {
    match balls {
        Balls::Of75 => TicketKind::Balls75,
        Balls::Of90 => TicketKind::Balls90,
    }
}

fn rows(tickets: Tickets) -> SeatTickets {
    let lists = |rows: Vec<Vec<u8>>| AtMost(rows.into_iter().map(AtMost).collect());
    AtMost(match tickets {
        Tickets::Balls75(tickets) => {
            tickets.iter().map(|ticket| lists(ticket.cells().iter().map(|row| row.to_vec()).collect())).collect()
        }
        Tickets::Balls90(tickets) => {
            tickets.iter().map(|ticket| lists(ticket.cells().iter().map(|row| row.to_vec()).collect())).collect()
        }
    })
}

/// A true proof. Each third seat got no tickets.
fn proof(balls: Balls, tickets_each: u8, seats: u32, public_value: Option<&str>) -> BingoProof {
    let mut dealer = Dealer::new(kind(balls), SEED);
    let mut roster = RosterHasher::default();
    let (mut listed, mut tickets) = (Vec::new(), std::collections::BTreeMap::new());
    for seat in (0..seats).filter(|seat| seat % 3 != 1) {
        let sat_at = 1_795_960_000_000 + 7 * u64::from(seat);
        roster.add(seat, sat_at, tickets_each);
        listed.push(ProofSeat(seat, sat_at, tickets_each));
        tickets.insert(seat, rows(dealer.deal(seat, tickets_each)));
    }
    let hash = roster.hash();
    BingoProof {
        klaxon_proof: ProofVersion,
        game: ProofGame::Bingo,
        balls,
        tickets_each,
        commitment: Bytes32(SEED.commitment()),
        seed: Bytes32(SEED.0),
        roster: AtMost(listed),
        roster_hash: Bytes32(hash.0),
        public_value: public_value.map(Into::into),
        order: AtMost(order(kind(balls), &SEED, hash, public_value)),
        drawn: 40,
        tickets: Some(tickets),
    }
}

fn python() -> Command {
    let mut command = Command::new("python3");
    // Nothing is written beside the sources.
    command.env("PYTHONDONTWRITEBYTECODE", "1").current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/examples"));
    command
}

struct Said {
    code: Option<i32>,
    text: String,
}

fn run(command: &mut Command) -> Said {
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].map(|said| String::from_utf8(said).unwrap()).concat();
    for crash in ["Traceback", "panicked"] {
        assert!(!text.contains(crash), "{command:?}\n{text}");
    }
    assert!(!text.contains('\u{1b}'), "a file's text reached the terminal: {text:?}");
    Said { code: output.status.code(), text }
}

fn klaxon(file: &Path, more: &[&str]) -> Said {
    run(Command::new(env!("CARGO_BIN_EXE_klaxon")).arg("verify").arg(file).args(more))
}

/// What both verifiers say of a file.
fn both(file: &Path) -> [Said; 2] {
    [klaxon(file, &[]), run(python().arg("verify_bingo.py").arg(file))]
}

struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join("proof.json");
        std::fs::write(&path, content).unwrap();
        path
    }

    fn proof(&self, proof: &BingoProof) -> PathBuf {
        self.write(serde_json::to_vec(proof).unwrap())
    }
}

#[test]
fn true_proofs_of_all_kinds_are_confirmed_by_both() {
    let files = Files::new();
    for (balls, tickets) in KINDS {
        for public in [None, Some(PUBLIC)] {
            let proof = proof(balls, tickets, 900, public);
            for Said { code, text } in both(&files.proof(&proof)) {
                assert_eq!(code, Some(0), "{text}");
                let drawn: Vec<String> = proof.order.0[..40].iter().map(u8::to_string).collect();
                let (commitment, hash) = (proof.commitment.to_string(), proof.roster_hash.to_string());
                for told in [commitment, hash, drawn.join(" "), "600 seats".into()] {
                    assert!(text.contains(&told), "{told}: {text}");
                }
                assert!(!text.contains("WRONG"), "{text}");
            }
        }
    }
}

#[test]
fn tickets_can_be_left_out_and_those_of_a_seat_are_shown() {
    let files = Files::new();
    for (balls, tickets) in KINDS {
        let mut proof = proof(balls, tickets, 30, None);
        let mut all = proof.tickets.take().unwrap();
        let of_nine = all[&9].clone();
        let without = files.proof(&proof);
        let row = |row: &[u8]| {
            let cell = |&cell: &u8| if cell == 0 { " .".to_owned() } else { format!("{cell:>2}") };
            row.iter().map(cell).collect::<Vec<_>>().join(" ")
        };
        let shown = [klaxon(&without, &["--seat", "9"]), run(python().arg("verify_bingo.py").arg(&without).arg("9"))];
        for Said { code, text } in shown {
            assert_eq!(code, Some(0), "{text}");
            let rows = of_nine.0.iter().flat_map(|ticket| &ticket.0);
            rows.for_each(|cells| assert!(text.contains(&row(&cells.0)), "{text}"));
        }
        let nobody =
            [klaxon(&without, &["--seat", "10"]), run(python().arg("verify_bingo.py").arg(&without).arg("10"))];
        assert!(nobody.iter().all(|said| said.code == Some(1) && said.text.contains("not in the roster")));
        all.retain(|&seat, _| seat == 9 || seat == 12);
        proof.tickets = Some(all);
        assert!(both(&files.proof(&proof)).iter().all(|said| said.code == Some(0)));
    }
}

/// Something that is changed in a proof, and by which name it is found.
type Change = (&'static str, fn(&mut BingoProof));

fn flip(bytes: &mut Bytes32) {
    bytes.0[31] ^= 1;
}

const CHANGES: [Change; 27] = [
    ("commitment", |proof| flip(&mut proof.commitment)),
    ("commitment", |proof| flip(&mut proof.seed)),
    ("roster_hash", |proof| flip(&mut proof.roster_hash)),
    ("roster_hash", |proof| proof.roster.0[3].1 += 1),
    ("roster_hash", |proof| _ = proof.roster.0.pop()),
    ("roster_hash", |proof| proof.roster.0.push(ProofSeat(u32::MAX, 0, proof.tickets_each))),
    ("roster", |proof| proof.roster.0.swap(1, 2)),
    ("roster", |proof| proof.roster.0.push(proof.roster.0[0])),
    ("roster", |proof| proof.roster.0.insert(1, proof.roster.0[0])),
    ("roster", |proof| proof.roster.0[0].2 += 1),
    ("roster", |proof| proof.tickets_each = 1 + proof.tickets_each % 2),
    ("order", |proof| proof.public_value = None),
    ("order", |proof| proof.public_value.as_mut().unwrap().push('1')),
    ("public_value", |proof| proof.public_value = Some(" ".into())),
    ("public_value", |proof| proof.public_value = Some("\u{1b}[31m".into())),
    ("order", |proof| proof.order.0.swap(0, 1)),
    ("order", |proof| proof.order.0.swap(70, 71)),
    ("order", |proof| _ = proof.order.0.pop()),
    ("order", |proof| proof.order.0[5] = proof.order.0[6]),
    ("order", |proof| proof.order.0.clear()),
    ("drawn", |proof| proof.drawn = 91),
    ("tickets", |proof| cell(proof, 3)),
    ("tickets", |proof| exchange(proof, 0, 3)),
    ("tickets", |proof| _ = proof.tickets.as_mut().unwrap().get_mut(&6).unwrap().0.pop()),
    ("tickets", |proof| proof.tickets.as_mut().unwrap().get_mut(&6).unwrap().0.swap(0, 1)),
    ("tickets", |proof| _ = proof.tickets.as_mut().unwrap().insert(1, AtMost(Vec::new()))),
    ("tickets", |proof| _ = proof.tickets.as_mut().unwrap().get_mut(&6).unwrap().0[1].0[2].0.pop()),
];

/// Exchanges two numbers of a column, or moves one, in a seat's last ticket.
fn cell(proof: &mut BingoProof, seat: u32) {
    let ticket = proof.tickets.as_mut().unwrap().get_mut(&seat).unwrap().0.last_mut().unwrap();
    let (above, below) = (ticket.0[0].0[4], ticket.0[1].0[4]);
    let other = ticket.0[2].0[4];
    (ticket.0[0].0[4], ticket.0[1].0[4], ticket.0[2].0[4]) = (below, other, above);
}

fn exchange(proof: &mut BingoProof, seat: u32, other: u32) {
    let tickets = proof.tickets.as_mut().unwrap();
    let (one, two) = (tickets[&seat].clone(), tickets[&other].clone());
    tickets.extend([(seat, two), (other, one)]);
}

#[test]
fn a_file_with_one_thing_changed_is_refused_by_both_and_the_thing_named() {
    let files = Files::new();
    for (balls, tickets) in KINDS {
        let valid = proof(balls, tickets, 20, Some(PUBLIC));
        // All else is the same for all kinds.
        let of_strips = |name| tickets < 6 || name == "tickets";
        for (index, (name, change)) in CHANGES.into_iter().enumerate().filter(|(_, (name, _))| of_strips(*name)) {
            let mut changed = valid.clone();
            change(&mut changed);
            assert_ne!(changed, valid, "change {index}");
            for Said { code, text } in both(&files.proof(&changed)) {
                assert_eq!(code, Some(1), "change {index}, {balls:?}: {text}");
                assert!(text.contains(name), "change {index} is found as {name}: {text}");
            }
        }
    }
}

#[test]
fn a_file_that_agrees_with_itself_is_refused_where_it_is_not_what_was_published() {
    let files = Files::new();
    let proof = proof(Balls::Of90, 1, 30, Some("24,123.45"));
    let file = files.proof(&proof);
    let (commitment, hash) = (proof.commitment.to_string(), proof.roster_hash.to_string());
    let shown = ["--commitment", &commitment, "--roster-hash", &hash, "--public-value", "24,123.45"];
    let said = klaxon(&file, &shown);
    assert_eq!(said.code, Some(0), "{}", said.text);
    for (option, value, name) in [
        ("--commitment", &*hash, "commitment"),
        ("--roster-hash", &commitment, "roster_hash"),
        ("--public-value", "24,123.46", "public_value"),
    ] {
        let said = klaxon(&file, &[option, value]);
        assert_eq!(said.code, Some(1), "{}", said.text);
        assert!(said.text.contains(&format!("is wrong: {name}")), "{}", said.text);
    }
    let said = klaxon(&file, &["--commitment", "00"]);
    assert!(said.code == Some(2) && said.text.contains("64 hex digits"), "{}", said.text);
}

#[test]
fn a_hostile_file_is_refused_by_both_with_what_is_wrong() {
    let files = Files::new();
    let valid = serde_json::to_string(&proof(Balls::Of75, 1, 20, None)).unwrap();
    let with = |from: &str, to: &str| {
        let changed = valid.replacen(from, to, 1);
        assert_ne!(changed, valid, "{from}");
        changed
    };
    let tickets_of = |seat| format!("\"tickets\":{{\"{seat}\":[],");
    let texts: Vec<(String, &str)> = vec![
        (String::new(), "EOF"),
        ("[]".into(), "expected"),
        ("{}".into(), "missing field"),
        (valid[..valid.len() - 9].into(), "EOF"),
        (format!("{valid}{valid}"), "trailing characters"),
        ("[".repeat(1_000_000), "nested more deeply"),
        (with("\"tickets\":", &format!("\"tickets\":{}", "[".repeat(1_000_000))), "nested more deeply"),
        (with("\"drawn\":40", "\"drawn\":NaN"), "expected value"),
        (with("\"drawn\":40", "\"drawn\":-1"), "-1"),
        (with("\"drawn\":40", "\"drawn\":4e1"), "40"),
        (with("\"drawn\":40", "\"drawn\":1e999"), "out of range"),
        (with("\"drawn\":40", &format!("\"drawn\":{}", "9".repeat(9000))), "longer than"),
        (with("\"drawn\":40", "\"drawn\":40,\"drawn\":40"), "duplicate field `drawn`"),
        (with("\"drawn\":40", "\"drawn\":true"), "boolean"),
        (with("\"drawn\":40", "\"drawn\":40,\"\\u001b[31m\":0"), "unknown field"),
        (with("\"klaxon_proof\":1", "\"klaxon_proof\":2"), "version 2"),
        (with("\"balls\":75", "\"balls\":76"), "75 or 90"),
        (with("\"seed\":\"", &format!("\"seed\":\"{}", "0".repeat(1_000_000))), "longer than"),
        (with("\"seed\":\"", "\"seed\":\"\\u001b"), "64 hex digits"),
        (with("\"public_value\":null", "\"public_value\":\"\\ud800\""), "hex escape"),
        (with("\"public_value\":null", "\"public_value\":7"), "invalid type"),
        (with("\"roster\":[", "\"roster\":[[4294967296,0,1],"), "4294967296"),
        (with("\"roster\":[", "\"roster\":[[0,18446744073709551616,1],"), "floating point"),
        (with("\"roster\":[", "\"roster\":[7,"), "invalid type"),
        (with("\"tickets\":{", &tickets_of("00")), "number"),
        (with("\"tickets\":{", &tickets_of("-0")), "floating point"),
        (with("\"tickets\":{", &tickets_of("\\u001b[31m")), "number"),
        (with("\"tickets\":{", "\"tickets\":{\"0\":[[[1,2,3,4,5,6,7,8,9,10]]],"), "at most 9"),
    ];
    for (text, told) in texts {
        let begin: String = text.chars().take(80).collect();
        for (index, said) in both(&files.write(&text)).into_iter().enumerate() {
            assert_eq!(said.code, Some(1), "{begin}: {}", said.text);
            let is_told = index == 1 || said.text.contains("is no proof file") && said.text.contains(told);
            assert!(is_told, "{begin}: wanted {told}: {}", said.text);
        }
    }
    assert!(both(&files.write(b"\"\xff\"")).iter().all(|said| said.code == Some(1)));
    // The same seat twice.
    let twice = with("\"tickets\":{", "\"tickets\":{\"0\":[],");
    assert!(both(&files.write(twice)).iter().all(|said| said.code == Some(1)));
    for path in [files.0.path().to_owned(), files.0.path().join("missing"), PathBuf::from("/dev/zero")] {
        let said = klaxon(&path, &[]);
        assert!(said.code == Some(1) && said.text.starts_with("error: "), "{}", said.text);
    }
}

/// So few tickets are alike by chance that no file can show it: both dealers deal to the same seats again.
#[test]
fn both_deal_a_ticket_again_that_was_dealt_before() {
    for (balls, tickets) in KINDS {
        let mut dealer = Dealer::new(kind(balls), SEED);
        let dealt: Vec<SeatTickets> = [7, 8, 7, 7].map(|seat| rows(dealer.deal(seat, tickets))).into();
        let seed = Bytes32(SEED.0);
        let script = format!(
            "import json, verify_bingo as v\n\
             dealer = v.Dealer({}, bytes.fromhex('{seed}'))\n\
             print(json.dumps([dealer.deal(seat, {tickets}) for seat in (7, 8, 7, 7)]))",
            balls.count()
        );
        let said = run(python().args(["-c", &script]));
        assert_eq!(serde_json::from_str::<Vec<SeatTickets>>(&said.text).unwrap(), dealt, "{}", said.text);
    }
}

/// The vectors of docs/rules/bingo.md.
#[test]
fn the_order_in_the_rules_is_that_of_the_code() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/rules/bingo.md")).unwrap();
    let mut roster = RosterHasher::default();
    roster.add(0, 1000, 1);
    roster.add(1, 1001, 1);
    let hash: RosterHash = roster.hash();
    let seed = Seed([1; 32]);
    let balls = |public| -> String {
        order(TicketKind::Balls75, &seed, hash, public).iter().take(10).map(|ball| format!(" {ball}")).collect()
    };
    for told in
        [Bytes32(seed.commitment()).to_string(), Bytes32(hash.0).to_string(), balls(None), balls(Some("24,123.45"))]
    {
        assert!(page.contains(&told), "{told}");
    }
}
