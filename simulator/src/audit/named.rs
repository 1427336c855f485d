//! A journal's records with names. If the names are kept apart, they are put back into the records, so that the audit
//! sees the commands and events as they were.

use klaxon_protocol::apart;
use klaxon_protocol::ids::{Name, PlayerId, Seat};
use klaxon_protocol::journal::{Command, FrameError, Record, Records};
use klaxon_protocol::origin::Origin;
use klaxon_protocol::player::{Role, ToPlayer};
use klaxon_protocol::register::Register;

/// The records of a journal, with names.
pub(super) struct NamedRecords<'a> {
    records: Records<'a>,
    people: Register,
    /// The current name of each seat's player.
    names: Vec<Name>,
    /// Whether the names are kept apart.
    is_apart: bool,
    found: Vec<u64>,
}

impl<'a> NamedRecords<'a> {
    /// Reads a journal, and the person records kept apart from it. A player without a person record gets a name made
    /// from the seat.
    ///
    /// # Errors
    /// If the bytes are not a journal, or the person records can't be read.
    pub fn new(journal: &'a [u8], people: &[u8]) -> Result<Self, FrameError> {
        let (records, people) = (Records::new(journal)?, Register::read(people)?);
        Ok(Self { records, people, names: Vec::new(), is_apart: false, found: Vec::new() })
    }

    /// The numbers of the records that name players, although the names are kept apart.
    pub fn into_names_found(self) -> Vec<u64> {
        self.found
    }

    fn sits(&mut self, seat: Seat, name: &Name) {
        if let Some(held) = self.names.get_mut(seat.index()) {
            held.clone_from(name);
        } else {
            self.names.push(name.clone());
        }
    }

    fn named(&mut self, mut record: Record) -> Record {
        self.people.fill(&mut record);
        record.command = self.command(record.number, record.command);
        let mut has_names = false;
        for event in &mut record.events {
            let lines: Vec<(Seat, &mut Name)> = match event {
                ToPlayer::Standings(standings) => {
                    standings.leaders.iter_mut().map(|leader| (leader.seat, &mut leader.name)).collect()
                }
                ToPlayer::Podium(podium) => {
                    podium.places.iter_mut().map(|place| (place.seat, &mut place.name)).collect()
                }
                _ => continue,
            };
            for (seat, name) in lines {
                match self.names.get(seat.index()) {
                    Some(held) if *name == apart::unnamed(seat) => name.clone_from(held),
                    _ => has_names = true,
                }
            }
        }
        if self.is_apart && has_names {
            self.found.push(record.number);
        }
        record
    }

    /// The command with its names, in the form of older journals.
    fn command(&mut self, number: u64, command: Command) -> Command {
        match command {
            Command::Sit { seat, guest, who } if seat.index() <= self.names.len() => {
                self.is_apart = true;
                let (player, name) = match who.get() {
                    Some(person) => (person.player.clone(), person.name.clone()),
                    None => (forgotten(number, guest), apart::unnamed(seat)),
                };
                let is_new = seat.index() == self.names.len();
                self.sits(seat, &name);
                if is_new {
                    Command::Join { player, name, role: Role::Player }
                } else {
                    Command::Reseat { seat, player, name }
                }
            }
            Command::SeatHasOrigin { seat, from } => {
                // The audit does not judge whom the address ban keeps out.
                let origin = from.get().map_or(Origin::of_hash(1), |from| from.origin);
                Command::SeatOrigin { seat, origin }
            }
            Command::Join { player, name, role } => {
                if role == Role::Player {
                    self.names.push(name.clone());
                }
                Command::Join { player, name, role }
            }
            Command::Reseat { seat, player, name } => {
                self.sits(seat, &name);
                Command::Reseat { seat, player, name }
            }
            other => other,
        }
    }
}

/// An id for a forgotten player, unique in the show.
fn forgotten(number: u64, guest: bool) -> PlayerId {
    let kind = if guest { PlayerId::GUEST } else { "" };
    PlayerId::parse(&format!("{kind}forgotten by record {number}")).expect("it is short enough")
}

impl Iterator for NamedRecords<'_> {
    type Item = Result<Record, FrameError>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.records.next()?.map(|(_, record)| self.named(record)))
    }
}

#[cfg(test)]
mod tests {
    use klaxon_protocol::apart::{Apart, Person};
    use klaxon_protocol::games::trivia::QuestionId;
    use klaxon_protocol::ids::{Fence, ShowId};
    use klaxon_protocol::journal::{MAGIC, frame_record};
    use klaxon_protocol::player::{Leader, Standings};
    use klaxon_protocol::register::PEOPLE_MAGIC;
    use klaxon_protocol::time::Millis;

    use super::*;
    use crate::audit::{AuditOptions, audit};
    use crate::evidence::Evidence;

    fn standings(names: [&str; 2]) -> ToPlayer {
        let leader = |(seat, name): (u32, &str)| Leader {
            rank: 1,
            seat: Seat(seat),
            name: Name::parse(name).unwrap(),
            score: 0,
        };
        ToPlayer::Standings(Standings { question: QuestionId(1), leaders: (0..).zip(names).map(leader).collect() })
    }

    /// Ann and Bob take seats, standings are sent, Cid gets Bob's seat, and standings are sent again.
    fn journal(second: ToPlayer) -> (Vec<u8>, Vec<u8>) {
        let sit = |seat, name: &str| Command::Sit {
            seat: Seat(seat),
            guest: seat == 1,
            who: Apart::known(Person { player: PlayerId::parse(name).unwrap(), name: Name::parse(name).unwrap() }),
        };
        let first = standings(["Ann", "guest-Bob"]).without_names();
        let steps = [
            (sit(0, "Ann"), vec![]),
            (sit(1, "guest-Bob"), vec![]),
            (Command::Tick, vec![first]),
            (sit(1, "guest-Cid"), vec![]),
            (Command::Tick, vec![second]),
        ];
        let (mut journal, mut people) = (MAGIC.to_vec(), PEOPLE_MAGIC.to_vec());
        for (number, (command, events)) in (0..).zip(steps) {
            let (show, fence, at) = (ShowId(7), Fence(1), Millis(number));
            let record = Record { show, number, fence, at, command, events, state: 0 };
            frame_record(&record, &mut journal).unwrap();
            record.apart().iter().for_each(|person| frame_record(person, &mut people).unwrap());
        }
        (journal, people)
    }

    fn read(journal: &[u8], people: &[u8]) -> (Vec<Record>, Vec<u64>) {
        let mut records = NamedRecords::new(journal, people).unwrap();
        let all = records.by_ref().map(Result::unwrap).collect();
        (all, records.into_names_found())
    }

    #[test]
    fn who_is_who_is_put_into_commands_and_events() {
        let (journal, people) = journal(standings(["Ann", "guest-Cid"]).without_names());
        let (records, found) = read(&journal, &people);
        assert!(found.is_empty(), "{found:?}");
        let joins = |record: &Record, who: &str| matches!(&record.command, Command::Join { player, .. } if player.as_str() == who);
        assert!(joins(&records[0], "Ann") && joins(&records[1], "guest-Bob"));
        assert!(
            matches!(&records[3].command, Command::Reseat { seat: Seat(1), name, .. } if name.as_str() == "guest-Cid")
        );
        assert_eq!(records[2].events, [standings(["Ann", "guest-Bob"])]);
        assert_eq!(records[4].events, [standings(["Ann", "guest-Cid"])]);
    }

    #[test]
    fn who_is_forgotten_is_called_by_their_seat_and_is_nobody_elses_double() {
        let (journal, _) = journal(standings(["Ann", "guest-Cid"]).without_names());
        let (records, found) = read(&journal, &[]);
        assert!(found.is_empty(), "{found:?}");
        assert_eq!(records[4].events, [standings(["Player 1", "Player 2"])]);
        let (Command::Join { player: before, .. }, Command::Reseat { player: after, .. }) =
            (&records[1].command, &records[3].command)
        else {
            panic!("{records:?}")
        };
        assert!(before != after && before.is_guest() && after.is_guest());
    }

    #[test]
    fn a_name_in_a_journal_that_should_have_none_is_found() {
        let (journal, people) = journal(standings(["Ann", "guest-Cid"]));
        assert_eq!(read(&journal, &people).1, [4]);
        let evidence = Evidence { journal, people, ..Evidence::default() };
        let audit = audit(&evidence, &AuditOptions::default());
        let found = audit.findings.iter().flat_map(|finding| &finding.violations);
        assert!(found.into_iter().any(|violation| violation.what.contains("record 4 names players")), "{audit:?}");
    }
}
