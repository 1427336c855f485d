//! What the databases do not say alike. Everything else is said once, for all of them.

use std::fmt::Write as _;

use sqlx::migrate::Migrator;

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");
static MYSQL: Migrator = sqlx::migrate!("migrations/mysql");

/// How a database speaks.
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
    /// By what a row is known.
    pub key: &'static [&'static str],
    pub again: Again,
}

/// What happens to a row that is there already.
pub(super) enum Again {
    /// The new one is refused.
    Refused,
    /// The new one is dropped.
    Kept,
    /// The new one takes its place.
    Replaced,
    /// These columns, all numbers, take the larger value; the others stay.
    Raised(&'static [&'static str]),
}

impl Dialect {
    /// The dialect of the database at this URL, if Klaxon speaks it.
    pub fn of(url: &str) -> Option<Self> {
        match url.split(':').next()? {
            "sqlite" => Some(Self::Sqlite),
            "postgres" | "postgresql" => Some(Self::Postgres),
            "mysql" | "mariadb" => Some(Self::MySql),
            _ => None,
        }
    }

    pub const fn migrator(self) -> &'static Migrator {
        match self {
            Self::Sqlite => &SQLITE,
            Self::Postgres => &POSTGRES,
            Self::MySql => &MYSQL,
        }
    }

    /// What a new connection is told first.
    pub const fn greeting(self) -> &'static str {
        match self {
            // Patience for another process that writes. With a write-ahead log readers do not wait for whoever stores, and a
            // lesser sync is safe against crashes; a power cut may take the last shows, which can be stored again.
            Self::Sqlite => {
                "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; \
                 PRAGMA foreign_keys = ON"
            }
            Self::Postgres => "SET TIME ZONE 'UTC'",
            // The default locks the gaps between rows, and two that store different shows would refuse each other.
            Self::MySql => "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
        }
    }

    /// Begins a transaction that writes.
    pub const fn begin(self) -> &'static str {
        match self {
            // Two that read first and then want to write would refuse each other.
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN",
            Self::MySql => "START TRANSACTION",
        }
    }

    /// A query in this dialect. `?` is a value; `{join}` a join whose left side is read first; `{integer}` the type of 64-bit
    /// numbers in a cast; `{latest_name}` the name in that prize of a group that was won last.
    pub fn say(self, query: &str) -> String {
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

    /// An insert of so many rows.
    pub fn insert(self, table: &Table, rows: usize) -> String {
        let quoted = |names: &[&str]| names.iter().map(|name| self.quoted(name)).collect::<Vec<_>>().join(", ");
        let row = format!("({})", vec!["?"; table.columns.len()].join(", "));
        let values = vec![row; rows].join(", ");
        let again = self.again(table, &quoted(table.key));
        self.say(&format!("INSERT INTO {} ({}) VALUES {values}{again}", table.name, quoted(table.columns)))
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
            Again::Refused => return String::new(),
            // MySQL has no word for it but one that forgives other mistakes, too.
            Again::Kept if self == Self::MySql => set(&table.key[..1], &|column| self.quoted(column)),
            Again::Kept => return format!(" ON CONFLICT ({key}) DO NOTHING"),
            Again::Replaced => {
                let others: Vec<&str> =
                    table.columns.iter().copied().filter(|column| !table.key.contains(column)).collect();
                set(&others, &|column| self.new_value(column))
            }
            Again::Raised(columns) => {
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

    /// The value of a row that was not inserted, as another is there.
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

    /// A text as the database can hold it: PostgreSQL's have no zero character, which only a player's id could have.
    pub fn text(self, text: &str) -> String {
        match self {
            Self::Postgres => text.replace('\0', "\u{fffd}"),
            Self::Sqlite | Self::MySql => text.to_owned(),
        }
    }
}
