//! Reads the journal files of a server.

use std::io::ErrorKind;
use std::path::Path;

use klaxon_protocol::ids::ShowId;
use klaxon_protocol::journal::Records;

use super::service::{ServiceError, file_error};

/// The bytes of the journal in `directory` that contains `show`, and of its person records.
///
/// # Errors
/// If the directory can't be read, or none of its journals contains the show.
pub fn journal_of(directory: &Path, show: ShowId) -> Result<(Vec<u8>, Vec<u8>), ServiceError> {
    let files = std::fs::read_dir(directory).map_err(file_error(directory))?;
    for file in files {
        let path = file.map_err(file_error(directory))?.path();
        if path.extension().is_none_or(|extension| extension != "klxj") {
            continue;
        }
        let bytes = std::fs::read(&path).map_err(file_error(&path))?;
        if holds(&bytes, show) {
            let people = path.with_extension("klxp");
            return match std::fs::read(&people) {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(file_error(&people)(error)),
                // A show without players has no such file.
                people => Ok((bytes, people.unwrap_or_default())),
            };
        }
    }
    Err(ServiceError::NoJournal(directory.to_owned()))
}

fn holds(journal: &[u8], show: ShowId) -> bool {
    Records::new(journal).is_ok_and(|mut records| records.any(|record| record.is_ok_and(|(_, r)| r.show == show)))
}

#[cfg(test)]
mod tests {
    use klaxon_protocol::ids::Fence;
    use klaxon_protocol::journal::{Command, MAGIC, Record, frame_record};
    use klaxon_protocol::time::Millis;

    use super::*;

    #[test]
    fn the_journal_of_a_show_is_found_among_others() {
        let directory = tempfile::tempdir().unwrap();
        for show in [1, 2] {
            let mut bytes = MAGIC.to_vec();
            let record = Record {
                show: ShowId(show),
                number: 0,
                fence: Fence(1),
                at: Millis(0),
                command: Command::Tick,
                events: vec![],
                state: show,
            };
            frame_record(&record, &mut bytes).unwrap();
            std::fs::write(directory.path().join(format!("{show}.klxj")), bytes).unwrap();
        }
        std::fs::write(directory.path().join("note.txt"), "KLXJ").unwrap();
        std::fs::write(directory.path().join("2.klxp"), "who is who").unwrap();
        let (bytes, people) = journal_of(directory.path(), ShowId(2)).unwrap();
        assert_eq!(people, b"who is who");
        assert!(journal_of(directory.path(), ShowId(1)).unwrap().1.is_empty());
        assert!(holds(&bytes, ShowId(2)) && !holds(&bytes, ShowId(1)));
        assert!(matches!(journal_of(directory.path(), ShowId(3)), Err(ServiceError::NoJournal(_))));
    }
}
