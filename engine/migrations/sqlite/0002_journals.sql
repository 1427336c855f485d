-- What the journals told, as `klaxon archive` writes it, and the prizes on their own. docs/archive.md explains the tables.

CREATE TABLE prizes (
    show_id  INTEGER NOT NULL REFERENCES shows (id) ON DELETE CASCADE,
    seat     INTEGER NOT NULL,
    player   TEXT    NOT NULL,
    name     TEXT    NOT NULL,
    currency TEXT    NOT NULL,
    ended_at INTEGER NOT NULL,
    amount   INTEGER NOT NULL CHECK (amount > 0),
    PRIMARY KEY (show_id, seat)
) STRICT, WITHOUT ROWID;

INSERT INTO prizes (show_id, seat, player, name, currency, ended_at, amount)
SELECT p.show_id, p.seat, p.player, p.name, s.currency, s.ended_at, p.prize
FROM players p JOIN shows s ON s.id = p.show_id WHERE p.prize > 0;

CREATE INDEX prizes_by_end ON prizes (currency, ended_at, player, name, amount);

-- Both were there to find the prizes by.
DROP INDEX players_by_prize;
DROP INDEX shows_by_end;

CREATE TABLE answers (
    show     TEXT    NOT NULL,
    question INTEGER NOT NULL,
    seat     INTEGER NOT NULL,
    choice   INTEGER NOT NULL,
    read_at  INTEGER NOT NULL,
    PRIMARY KEY (show, question, seat)
) STRICT, WITHOUT ROWID;

CREATE TABLE journals (
    show         TEXT    NOT NULL PRIMARY KEY,
    topic        TEXT    NOT NULL,
    partition    INTEGER NOT NULL,
    first_offset INTEGER NOT NULL,
    next_number  INTEGER NOT NULL,
    fence        INTEGER NOT NULL,
    -- 0: goes on; 1: over, its results are here; 2: set aside, as it does not replay.
    state        INTEGER NOT NULL CHECK (state IN (0, 1, 2))
) STRICT, WITHOUT ROWID;

CREATE INDEX journals_by_state ON journals (topic, partition, state);

CREATE TABLE offsets (
    topic       TEXT    NOT NULL,
    partition   INTEGER NOT NULL,
    next_offset INTEGER NOT NULL,
    PRIMARY KEY (topic, partition)
) STRICT, WITHOUT ROWID;
