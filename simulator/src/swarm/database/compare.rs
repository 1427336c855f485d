//! Compares the database's rows with the journal, and with what players were sent.

use std::collections::BTreeMap;
use std::fmt::Debug;

use klaxon_protocol::ids::Seat;

use super::rows::{PlayerRow, Rows};
use crate::audit::{Final, Outcome};
use crate::swarm::report::DatabaseLine;

/// The number of differences that are kept; further ones are only counted.
const TOLD: usize = 10;

/// Compares the rows of a show with its outcome by the journal, and with the prizes that players were sent. Both sides
/// must be complete.
#[must_use]
pub fn compare(rows: &Rows, outcome: &Outcome, told: &BTreeMap<Seat, u64>) -> DatabaseLine {
    let mut line = DatabaseLine::default();
    let mut judge = Judge { line: &mut line };
    judge.players(rows, outcome);
    judge.prizes(rows, outcome, told);
    judge.answers(rows, outcome);
    judge.podium(rows, outcome);
    line
}

struct Judge<'l> {
    line: &'l mut DatabaseLine,
}

impl Judge<'_> {
    fn players(&mut self, rows: &Rows, outcome: &Outcome) {
        let by_journal = (0..).map(Seat).zip(&outcome.players).map(|(seat, player)| (seat, row_of(player))).collect();
        self.all("players with place, prize and lives", &rows.players, &by_journal);
    }

    fn prizes(&mut self, rows: &Rows, outcome: &Outcome, told: &BTreeMap<Seat, u64>) {
        let won = (0..).map(Seat).zip(&outcome.players).filter(|(_, player)| player.prize > 0);
        let by_journal = won.map(|(seat, player)| (seat, signed(player.prize))).collect();
        self.all("prizes", &rows.prizes, &by_journal);
        // Players who were not connected at the end were sent no prize.
        let told = told.iter().map(|(&seat, &amount)| (seat, signed(amount)));
        let mut times = 0;
        for (seat, amount) in told {
            times += 1;
            let row = rows.prizes.get(&seat);
            self.one(row == Some(&amount), || format!("seat {seat} was told of {amount}, the database has {row:?}"));
        }
        self.line.compared.push(("prizes that players were told of".into(), times));
    }

    fn answers(&mut self, rows: &Rows, outcome: &Outcome) {
        let counted = outcome.answers.iter();
        let by_journal = counted.map(|(&key, &(choice, at))| (key, (i64::from(choice.0), signed(at.0)))).collect();
        self.all("counted answers", &rows.answers, &by_journal);
    }

    /// Compares the podium that all players were sent.
    fn podium(&mut self, rows: &Rows, outcome: &Outcome) {
        let Some(podium) = &outcome.podium else {
            return self.one(false, || "the journal has no podium".into());
        };
        let sums = (rows.show.joined, rows.show.paid, rows.show.rolled_over);
        let joined = i64::try_from(outcome.players.len()).unwrap_or(i64::MAX);
        self.one(sums == (joined, signed(podium.paid), signed(podium.rolled_over)), || {
            let (paid, kept) = (podium.paid, podium.rolled_over);
            format!(
                "the show has {sums:?} in the database, and {joined} players, {paid} paid, {kept} kept by the journal"
            )
        });
        let paid: i64 = rows.prizes.values().sum();
        self.one(paid == signed(podium.paid), || format!("the prizes sum to {paid}, {} are paid", podium.paid));
        for place in &podium.places {
            let row = rows.players.get(&place.seat).map(|row| (row.place, row.prize, row.score));
            let shown = (i64::from(place.place), signed(place.prize), i64::from(place.score));
            self.one(row == Some(shown), || {
                format!("seat {} was shown as place, prize, points {shown:?}, the database has {row:?}", place.seat)
            });
        }
        self.line.compared.push(("places of the podium".into(), podium.places.len() as u64));
    }

    fn all<K: Ord + Debug, V: PartialEq + Debug>(
        &mut self,
        what: &str,
        database: &BTreeMap<K, V>,
        journal: &BTreeMap<K, V>,
    ) {
        for (key, by_journal) in journal {
            let row = database.get(key);
            self.one(row == Some(by_journal), || {
                format!("{what}: {key:?} is {row:?} in the database, {by_journal:?} by the journal")
            });
        }
        for (key, row) in database.iter().filter(|(key, _)| !journal.contains_key(key)) {
            self.one(false, || format!("{what}: {key:?} is {row:?} in the database, and not in the journal"));
        }
        self.line.compared.push((what.to_owned(), journal.len() as u64));
    }

    fn one(&mut self, same: bool, difference: impl FnOnce() -> String) {
        if same {
            return;
        }
        self.line.different += 1;
        if self.line.differences.len() < TOLD {
            self.line.differences.push(difference());
        }
    }
}

fn row_of(player: &Final) -> PlayerRow {
    PlayerRow {
        player: player.player.to_string(),
        name: player.name.to_string(),
        alive: player.alive,
        lives: player.lives.into(),
        score: player.score.into(),
        right_answers: player.right_answers.into(),
        place: player.place.into(),
        prize: signed(player.prize),
    }
}

/// A number as SQL's signed integer; no real amount or time needs the 64th bit.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use klaxon_protocol::games::trivia::{Choice, QuestionId};
    use klaxon_protocol::ids::{Name, PlayerId, Seq};
    use klaxon_protocol::player::{Place, Podium};
    use klaxon_protocol::time::Millis;

    use super::*;
    use crate::swarm::database::ShowRow;

    fn player(number: u32, place: u32, prize: u64) -> Final {
        Final {
            player: PlayerId::parse(&format!("p{number}")).unwrap(),
            name: Name::parse(&format!("Player {number}")).unwrap(),
            alive: prize > 0,
            lives: 0,
            score: 0,
            right_answers: 1,
            place,
            prize,
        }
    }

    fn outcome() -> Outcome {
        let players = vec![player(0, 1, 60), player(1, 2, 40), player(2, 3, 0)];
        let places = (0..).map(Seat).zip(&players).map(|(seat, player)| Place {
            place: player.place,
            seat,
            name: player.name.clone(),
            score: 0,
            prize: player.prize,
        });
        let podium = Podium {
            seq: Seq(9),
            at: Millis(9),
            winners: 2,
            places: places.collect(),
            pot: 100,
            paid: 100,
            rolled_over: 0,
            currency: "EUR".into(),
        };
        let answers =
            [((QuestionId(1), Seat(0)), (Choice(1), Millis(5))), ((QuestionId(1), Seat(1)), (Choice(1), Millis(6)))];
        Outcome { players, answers: answers.into(), podium: Some(podium) }
    }

    fn rows() -> Rows {
        let outcome = outcome();
        Rows {
            show: ShowRow { joined: 3, paid: 100, rolled_over: 0 },
            players: (0..).map(Seat).zip(&outcome.players).map(|(seat, player)| (seat, row_of(player))).collect(),
            prizes: [(Seat(0), 60), (Seat(1), 40)].into(),
            answers: [((QuestionId(1), Seat(0)), (1, 5)), ((QuestionId(1), Seat(1)), (1, 6))].into(),
        }
    }

    fn differences(change: impl FnOnce(&mut Rows)) -> Vec<String> {
        let mut rows = rows();
        change(&mut rows);
        let line = compare(&rows, &outcome(), &[(Seat(0), 60)].into());
        assert_eq!(line.different > 0, !line.agrees());
        line.differences
    }

    #[test]
    fn a_database_that_agrees_is_told_with_what_was_compared() {
        let line = compare(&rows(), &outcome(), &[(Seat(0), 60)].into());
        assert!(line.agrees(), "{line:?}");
        let times: Vec<u64> = line.compared.iter().map(|&(_, times)| times).collect();
        assert_eq!(times, [3, 2, 1, 2, 3]);
    }

    #[test]
    fn every_row_that_differs_is_missing_or_is_too_many_is_found() {
        let found = |change: fn(&mut Rows), words: &str| {
            let differences = differences(change);
            assert!(differences.iter().any(|difference| difference.contains(words)), "{words:?} in {differences:#?}");
        };
        found(|rows| rows.players.get_mut(&Seat(1)).unwrap().place = 1, "place: 1");
        found(|rows| rows.players.get_mut(&Seat(1)).unwrap().alive = false, "alive: false");
        found(
            |rows| {
                rows.players.remove(&Seat(2));
            },
            "Seat(2) is None",
        );
        found(
            |rows| {
                rows.prizes.insert(Seat(2), 1);
            },
            "not in the journal",
        );
        found(
            |rows| {
                rows.prizes.insert(Seat(0), 61);
            },
            "was told of 60",
        );
        found(
            |rows| {
                rows.prizes.remove(&Seat(1));
            },
            "sum to 60",
        );
        found(
            |rows| {
                rows.answers.remove(&(QuestionId(1), Seat(0)));
            },
            "counted answers",
        );
        found(
            |rows| {
                rows.answers.insert((QuestionId(1), Seat(1)), (1, 7));
            },
            "(1, 7)",
        );
        found(|rows| rows.show.paid = 99, "99");
    }

    #[test]
    fn a_show_without_an_end_never_agrees() {
        let outcome = Outcome { podium: None, ..outcome() };
        assert!(!compare(&rows(), &outcome, &BTreeMap::new()).agrees());
    }
}
