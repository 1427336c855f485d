//! The example of docs/rules/bingo.md, played.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use super::near::Needed;
use super::table::{Table, event};

const BOOK: &str = "../docs/rules/bingo.md";
const BEGIN: &str = "<!-- the example, as a test plays it -->\n```text\n";

/// With the switch `UPDATE_DOCS=1` the page is written.
#[test]
fn the_example_in_the_rule_book_is_what_happens() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(BOOK);
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("the page has the example");
    let (example, after) = rest.split_once("```").expect("the example ends");
    let played = play();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{played}```{after}")).unwrap();
        return;
    }
    assert_eq!(example, played);
}

/// Ann, Bob and Cat play: Ann and Bob call in time, Ann once falsely; Cat calls a ball too late.
fn play() -> String {
    let part = json!({ "balls": 90, "prizes": [
        { "name": "Early five", "pattern": "early_five", "amount": 301 },
        { "name": "Top line", "pattern": "top_line", "amount": 500 },
        { "name": "Full house", "pattern": "full_house", "amount": 1000 },
    ], "settings": { "false_call": "prize" } });
    let prizes: Vec<klaxon_protocol::games::bingo::BingoPrize> =
        serde_json::from_value(part["prizes"].clone()).unwrap();
    let names = ["Ann", "Bob", "Cat"];
    let mut table = Table::new(part, 3, 42);
    let mut text = String::new();
    table.next();
    for (seat, name) in (0..).zip(names) {
        _ = writeln!(text, "{name}'s ticket:");
        for row in table.tickets(seat).remove(0) {
            let cells = row.iter().map(|&number| if number == 0 { "  .".into() } else { format!("{number:3}") });
            _ = writeln!(text, "  {}", cells.collect::<String>());
        }
    }
    let needed: Vec<Vec<Needed>> = (0..3)
        .map(|seat| {
            let rows = table.tickets(seat).remove(0);
            prizes.iter().map(|prize| Needed::of(&rows, prize)).collect()
        })
        .collect();
    let mut drawn = [false; 91];
    let (mut quiet, mut called_late): (Vec<String>, Vec<u8>) = (Vec::new(), Vec::new());
    while table.view()["won"].as_array().unwrap().len() < prizes.len() {
        let before = drawn;
        let ball = table.draw();
        drawn[usize::from(ball)] = true;
        let number = table.view()["drawn"].as_array().unwrap().len();
        let mut lines = String::new();
        for (seat, name) in (0_u32..).zip(names) {
            for (prize, needed) in (0_u8..).zip(&needed[seat as usize]) {
                let missing = needed.missing(&drawn);
                let is_late = name == "Cat";
                let calls = match (is_late, missing) {
                    (false, 0) => needed.missing(&before) > 0,
                    (true, 0) => needed.missing(&before) == 0 && !called_late.contains(&prize),
                    _ => name == "Ann" && prize == 1 && number == 3,
                };
                if calls {
                    if is_late {
                        called_late.push(prize);
                    }
                    let what = &prizes[usize::from(prize)].name;
                    let came = match table.call(seat, 0, prize) {
                        Ok(()) if missing > 0 => format!("falsely: {missing} numbers are missing"),
                        Ok(()) if is_late => "too late: an earlier ball completed it".to_owned(),
                        Ok(()) => "rightly".to_owned(),
                        Err(code) => format!("and is refused with `{code}`"),
                    };
                    _ = writeln!(lines, "  {name} calls {what}, {came}.");
                }
            }
        }
        for won in event(&table.settle(), "settled")["won"].as_array().unwrap() {
            _ = writeln!(lines, "  {}", told(won, &prizes[won["prize"].as_u64().unwrap() as usize].name, &names));
        }
        if lines.is_empty() {
            quiet.push(ball.to_string());
            continue;
        }
        say_quiet(&mut text, &mut quiet);
        _ = writeln!(text, "Ball {number} is {ball}.\n{lines}", lines = lines.trim_end());
    }
    for (seat, name) in (0..).zip(names) {
        _ = writeln!(text, "{name} has won {}.", table.own(seat)["winnings"]);
    }
    text
}

fn say_quiet(text: &mut String, quiet: &mut Vec<String>) {
    if !quiet.is_empty() {
        _ = writeln!(text, "Nobody calls: {}.", quiet.join(", "));
        quiet.clear();
    }
}

fn told(won: &Value, prize: &str, names: &[&str]) -> String {
    let winners = won["winners"].as_array().unwrap().iter();
    let names: Vec<&str> = winners.map(|winner| names[winner["seat"].as_u64().unwrap() as usize]).collect();
    let each = if names.len() > 1 { " each" } else { "" };
    let more = if won["one_more"] == 0 { String::new() } else { format!(", and {} one unit more", names[0]) };
    format!("{prize} is won by {}: {}{each}{more}.", names.join(" and "), won["share"])
}
