//! A journal's records as the audit judges them: where who is who stands apart from the journal, its names are put into their places again,
//! so that whatever judges them sees the commands and events as they were.

use klaxon_protocol::apart::{self, Register};
use klaxon_protocol::ids::{Name, PlayerId, Seat};
use klaxon_protocol::journal::{Command, FrameError, Record, Records};
use klaxon_protocol::origin::Origin;
use klaxon_protocol::player::{Role, ToPlayer};

/// The records of a journal, with names.
pub(super) struct NamedRecords<'a> {
    records: Records<'a>,
    people: Register,
    /// What the player of each seat is called now.
    names: Vec<Name>,
    /// Whether who is who stands apart.
    is_apart: bool,
    found: Vec<u64>,
}

impl<'a> NamedRecords<'a> {
    /// Of this journal, with what stands apart from it. Who is not in that has a name by their seat.
    ///
    /// # Errors
    /// If these are not a journal's bytes, or what stands apart can't be read.
    pub fn new(journal: &'a [u8], people: &[u8]) -> Result<Self, FrameError> {
        let (records, people) = (Records::new(journal)?, Register::read(people)?);
        Ok(Self { records, people, names: Vec::new(), is_apart: false, found: Vec::new() })
    }

    /// The numbers of the records that name players, though who is who stands apart.
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

    /// The command with its names, as journals of before have it.
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
                // Whom a ban of it keeps out is judged by nobody here.
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

/// An id for somebody who is forgotten, unlike all others of the show.
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
