//! SQL that differs between the databases. All other SQL is written once.

use std::fmt::Write as _;

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// A database's migrations in order: for each the description that the database stores, and its SQL. They are listed
/// here instead of being found by `sqlx::migrate!`, which would compile all of sqlx and SQLite a second time as
/// dependencies of the macro.
type Migrations = &'static [(&'static str, &'static str)];

const SQLITE: Migrations = &[
    ("results", include_str!("../../../migrations/sqlite/0001_results.sql")),
    ("journals", include_str!("../../../migrations/sqlite/0002_journals.sql")),
    ("games", include_str!("../../../migrations/sqlite/0003_games.sql")),
];
const POSTGRES: Migrations = &[
    ("archive", include_str!("../../../migrations/postgres/0001_archive.sql")),
    ("games", include_str!("../../../migrations/postgres/0002_games.sql")),
];
const MYSQL: Migrations = &[
    ("archive", include_str!("../../../migrations/mysql/0001_archive.sql")),
    ("names", include_str!("../../../migrations/mysql/0002_names.sql")),
    ("games", include_str!("../../../migrations/mysql/0003_games.sql")),
];

/// The SQL dialect of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
    /// MariaDB, too.
    MySql,
}

/// A table that rows are inserted into.
pub(super) struct Table {
    pub name: &'static str,
    pub columns: &'static [&'static str],
    /// The columns of the primary key.
    pub key: &'static [&'static str],
    pub again: OnConflict,
}

/// What an insert does if a row with the same key exists.
pub(super) enum OnConflict {
    /// The insert fails.
    Refused,
    /// The existing row is kept.
    Kept,
    /// The existing row is replaced.
    Replaced,
    /// Each of these columns, all numbers, is set to the larger of the two values; the others stay.
    Raised(&'static [&'static str]),
}

impl Dialect {
    /// The dialect of the database at this URL; none if it is not supported.
    pub fn of(url: &str) -> Option<Self> {
        match url.split(':').next()? {
            "sqlite" => Some(Self::Sqlite),
            "postgres" | "postgresql" => Some(Self::Postgres),
            "mysql" | "mariadb" => Some(Self::MySql),
            _ => None,
        }
    }

    /// The migrations of this dialect. A migration's version is its place in the list, from 1.
    pub fn migrator(self) -> Migrator {
        let migrations = match self {
            Self::Sqlite => SQLITE,
            Self::Postgres => POSTGRES,
            Self::MySql => MYSQL,
        };
        let migration = |(version, &(description, sql)): (i64, &(&'static str, &'static str))| {
            Migration::new(version, description.into(), MigrationType::Simple, sql.into_sql_str(), false)
        };
        Migrator::with_migrations((1..).zip(migrations).map(migration).collect())
    }

    /// The statements that a new connection runs first.
    pub const fn init_statements(self) -> &'static str {
        match self {
            // The timeout is for another process that writes. With a write-ahead log readers do not wait for the
            // writer. `synchronous = NORMAL` is safe against crashes of the process; a power cut may lose the last
            // shows, which can be stored again.
            Self::Sqlite => {
                "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; \
                 PRAGMA foreign_keys = ON"
            }
            Self::Postgres => "SET TIME ZONE 'UTC'",
            // MySQL's default, REPEATABLE READ, locks the gaps between rows, so two transactions that store different
            // shows could abort each other.
            Self::MySql => "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
        }
    }

    /// Begins a transaction that writes.
    pub const fn begin(self) -> &'static str {
        match self {
            // With a plain BEGIN two transactions that read before they write would make each other fail.
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN",
            Self::MySql => "START TRANSACTION",
        }
    }

    /// A query in this dialect. `?` is a parameter; `{join}` a join that reads its left side first; `{integer}` the
    /// type of 64-bit numbers in a cast; `{latest_name}` the winner's name in the most recent prize of a group.
    pub fn sql(self, query: &str) -> String {
        let (join, integer, latest_name) = match self {
            // SQLite takes a bare column from the row that has the `MAX`.
            Self::Sqlite => ("CROSS JOIN", "INTEGER", "r.name"),
            Self::Postgres => ("JOIN", "BIGINT", "(ARRAY_AGG(r.name ORDER BY r.ended_at DESC))[1]"),
            // No name has a line's end in it.
            Self::MySql => (
                "STRAIGHT_JOIN",
                "SIGNED",
                "SUBSTRING_INDEX(GROUP_CONCAT(r.name ORDER BY r.ended_at DESC SEPARATOR '\\n'), '\\n', 1)",
            ),
        };
        let said = query.replace("{join}", join).replace("{integer}", integer).replace("{latest_name}", latest_name);
        if self != Self::Postgres {
            return said;
        }
        let mut parts = said.split('?');
        let mut numbered = parts.next().unwrap_or_default().to_owned();
        for (number, part) in (1..).zip(parts) {
            // Writing to a text can't fail.
            let _ = write!(numbered, "${number}{part}");
        }
        numbered
    }

    /// An INSERT of this number of rows.
    pub fn insert(self, table: &Table, rows: usize) -> String {
        let quoted = |names: &[&str]| names.iter().map(|name| self.quoted(name)).collect::<Vec<_>>().join(", ");
        let row = format!("({})", vec!["?"; table.columns.len()].join(", "));
        let values = vec![row; rows].join(", ");
        let again = self.again(table, &quoted(table.key));
        self.sql(&format!("INSERT INTO {} ({}) VALUES {values}{again}", table.name, quoted(table.columns)))
    }

    fn again(self, table: &Table, key: &str) -> String {
        let set = |columns: &[&str], value: &dyn Fn(&str) -> String| {
            columns
                .iter()
                .map(|column| format!("{} = {}", self.quoted(column), value(column)))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let set = match table.again {
            OnConflict::Refused => return String::new(),
            // MySQL's `INSERT IGNORE` would also ignore other errors, so a key column is set to itself instead.
            OnConflict::Kept if self == Self::MySql => set(&table.key[..1], &|column| self.quoted(column)),
            OnConflict::Kept => return format!(" ON CONFLICT ({key}) DO NOTHING"),
            OnConflict::Replaced => {
                let others: Vec<&str> =
                    table.columns.iter().copied().filter(|column| !table.key.contains(column)).collect();
                set(&others, &|column| self.new_value(column))
            }
            OnConflict::Raised(columns) => {
                let greatest = if self == Self::Sqlite { "MAX" } else { "GREATEST" };
                set(columns, &|column| {
                    format!("{greatest}({}.{}, {})", table.name, self.quoted(column), self.new_value(column))
                })
            }
        };
        match self {
            Self::Sqlite | Self::Postgres => format!(" ON CONFLICT ({key}) DO UPDATE SET {set}"),
            Self::MySql => format!(" ON DUPLICATE KEY UPDATE {set}"),
        }
    }

    /// A column's value in the row that was not inserted because of the conflict.
    fn new_value(self, column: &str) -> String {
        let column = self.quoted(column);
        match self {
            Self::Sqlite | Self::Postgres => format!("excluded.{column}"),
            Self::MySql => format!("VALUES({column})"),
        }
    }

    fn quoted(self, name: &str) -> String {
        match self {
            Self::Sqlite | Self::Postgres => format!("\"{name}\""),
            Self::MySql => format!("`{name}`"),
        }
    }

    /// A text as the database can store it: PostgreSQL's texts can't contain U+0000, which only a player's id could
    /// have.
    pub fn text(self, text: &str) -> String {
        match self {
            Self::Postgres => text.replace('\0', "\u{fffd}"),
            Self::Sqlite | Self::MySql => text.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_migration_in_the_folders_is_listed_in_its_place() {
        for (folder, dialect) in
            [("sqlite", Dialect::Sqlite), ("postgres", Dialect::Postgres), ("mysql", Dialect::MySql)]
        {
            let files = std::fs::read_dir(format!("{}/migrations/{folder}", env!("CARGO_MANIFEST_DIR"))).unwrap();
            let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
            files.sort();
            let migrator = dialect.migrator();
            let listed: Vec<_> =
                migrator.iter().map(|it| (it.version, it.description.as_ref(), it.sql.as_str())).collect();
            assert_eq!(listed.len(), files.len(), "{folder}");
            for (file, (version, name, sql)) in files.iter().zip(listed) {
                assert_eq!(file.file_name().unwrap().to_str().unwrap(), format!("{version:04}_{name}.sql"));
                assert_eq!(std::fs::read_to_string(file).unwrap(), sql);
            }
        }
    }

    #[test]
    fn databases_that_exist_know_these_migrations_again() {
        // What `sqlx::migrate!` wrote into them: the SHA-384 of each file. A migration that was released never changes.
        let known = [
            (Dialect::Sqlite, 0, "7dcae747955e78a9"),
            (Dialect::Sqlite, 1, "34ad955f3e94c489"),
            (Dialect::Postgres, 0, "8cd97e36e57e236a"),
            (Dialect::MySql, 0, "7f101cfeee8f30c6"),
            (Dialect::MySql, 1, "6b6fcc021ab64898"),
        ];
        for (dialect, place, begins) in known {
            let migrator = dialect.migrator();
            let checksum = &migrator.iter().nth(place).unwrap().checksum;
            let hex: String = checksum.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            assert_eq!((hex.as_str(), checksum.len()), (begins, 48), "{dialect:?} {place}");
        }
    }
}
