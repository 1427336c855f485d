-- The results of shows. docs/archive.md explains the tables and the queries that the indices are for.

CREATE TABLE shows (
    -- Of this database only: short, for the other tables to name a show by.
    id          INTEGER PRIMARY KEY,
    -- The show's id, 64 bits without sign, which SQLite's integers can't hold: as a decimal number.
    show        TEXT    NOT NULL UNIQUE,
    code        TEXT    NOT NULL,
    title       TEXT    NOT NULL,
    mode        TEXT    NOT NULL CHECK (mode IN ('elimination', 'points', 'both')),
    -- Times are milliseconds since 1970, amounts are minor units of the currency.
    created_at  INTEGER NOT NULL,
    ended_at    INTEGER NOT NULL,
    joined      INTEGER NOT NULL,
    pot         INTEGER NOT NULL,
    currency    TEXT    NOT NULL,
    paid        INTEGER NOT NULL,
    rolled_over INTEGER NOT NULL
) STRICT;

CREATE INDEX shows_by_end ON shows (currency, ended_at);

CREATE TABLE questions (
    show_id       INTEGER NOT NULL REFERENCES shows (id) ON DELETE CASCADE,
    question      INTEGER NOT NULL,
    text          TEXT    NOT NULL,
    category      TEXT,
    difficulty    TEXT CHECK (difficulty IN ('easy', 'medium', 'hard')),
    right_choice  INTEGER NOT NULL,
    answers       INTEGER NOT NULL,
    right_answers INTEGER NOT NULL,
    silent        INTEGER NOT NULL,
    voided        INTEGER NOT NULL CHECK (voided IN (0, 1)),
    asked_at      INTEGER NOT NULL,
    closed_at     INTEGER NOT NULL,
    -- How many of a million answers were right; nothing if nobody answered or it does not count.
    right_share   INTEGER GENERATED ALWAYS AS (
        CASE WHEN voided = 0 AND answers > 0 THEN right_answers * 1000000 / answers END
    ) STORED,
    PRIMARY KEY (show_id, question)
) STRICT, WITHOUT ROWID;

CREATE INDEX questions_by_share ON questions (right_share, answers DESC, asked_at DESC) WHERE right_share IS NOT NULL;

CREATE TABLE choices (
    show_id  INTEGER NOT NULL,
    question INTEGER NOT NULL,
    choice   INTEGER NOT NULL,
    text     TEXT    NOT NULL,
    answers  INTEGER NOT NULL,
    PRIMARY KEY (show_id, question, choice),
    FOREIGN KEY (show_id, question) REFERENCES questions (show_id, question) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE players (
    show_id       INTEGER NOT NULL REFERENCES shows (id) ON DELETE CASCADE,
    seat          INTEGER NOT NULL,
    player        TEXT    NOT NULL,
    name          TEXT    NOT NULL,
    alive         INTEGER NOT NULL CHECK (alive IN (0, 1)),
    lives         INTEGER NOT NULL,
    score         INTEGER NOT NULL,
    right_answers INTEGER NOT NULL,
    out_at        INTEGER,
    -- From 1, equals share one; 0 is no place.
    place         INTEGER NOT NULL,
    prize         INTEGER NOT NULL,
    PRIMARY KEY (show_id, seat)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX players_by_player ON players (player, show_id);
CREATE INDEX players_by_place ON players (show_id, place);
CREATE INDEX players_by_prize ON players (show_id, player, name, prize) WHERE prize > 0;
