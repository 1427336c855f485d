-- The results of shows, and how far their journals were read. docs/archive.md explains the tables and the queries that the
-- indices are for. Texts compare byte by byte (COLLATE "C").

CREATE TABLE shows (
    -- Of this database only: short, for the other tables to name a show by.
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- The show's id, 64 bits without sign, which SQL's integers can't hold: as a decimal number.
    show        TEXT COLLATE "C" NOT NULL UNIQUE,
    code        TEXT     NOT NULL,
    title       TEXT     NOT NULL,
    mode        TEXT     NOT NULL CHECK (mode IN ('elimination', 'points', 'both')),
    -- Times are milliseconds since 1970, amounts are minor units of the currency.
    created_at  BIGINT   NOT NULL,
    ended_at    BIGINT   NOT NULL,
    joined      BIGINT   NOT NULL,
    pot         BIGINT   NOT NULL,
    currency    TEXT COLLATE "C" NOT NULL,
    paid        BIGINT   NOT NULL,
    rolled_over BIGINT   NOT NULL
);

CREATE TABLE questions (
    show_id       BIGINT   NOT NULL REFERENCES shows (id) ON DELETE CASCADE,
    question      INTEGER  NOT NULL,
    text          TEXT     NOT NULL,
    category      TEXT,
    difficulty    TEXT CHECK (difficulty IN ('easy', 'medium', 'hard')),
    right_choice  SMALLINT NOT NULL,
    answers       BIGINT   NOT NULL,
    right_answers BIGINT   NOT NULL,
    silent        BIGINT   NOT NULL,
    voided        SMALLINT NOT NULL CHECK (voided IN (0, 1)),
    asked_at      BIGINT   NOT NULL,
    closed_at     BIGINT   NOT NULL,
    -- How many of a million answers were right; nothing if nobody answered or it does not count.
    right_share   BIGINT GENERATED ALWAYS AS (
        CASE WHEN voided = 0 AND answers > 0 THEN right_answers * 1000000 / answers END
    ) STORED,
    PRIMARY KEY (show_id, question)
);

CREATE INDEX questions_by_share ON questions (right_share, answers DESC, asked_at DESC) WHERE right_share IS NOT NULL;

CREATE TABLE choices (
    show_id  BIGINT   NOT NULL,
    question INTEGER  NOT NULL,
    choice   SMALLINT NOT NULL,
    text     TEXT     NOT NULL,
    answers  BIGINT   NOT NULL,
    PRIMARY KEY (show_id, question, choice),
    FOREIGN KEY (show_id, question) REFERENCES questions (show_id, question) ON DELETE CASCADE
);

CREATE TABLE players (
    show_id       BIGINT   NOT NULL REFERENCES shows (id) ON DELETE CASCADE,
    seat          BIGINT   NOT NULL,
    player        TEXT COLLATE "C" NOT NULL,
    name          TEXT     NOT NULL,
    alive         SMALLINT NOT NULL CHECK (alive IN (0, 1)),
    lives         SMALLINT NOT NULL,
    score         BIGINT   NOT NULL,
    right_answers BIGINT   NOT NULL,
    out_at        INTEGER,
    -- From 1, equals share one; 0 is no place.
    place         BIGINT   NOT NULL,
    prize         BIGINT   NOT NULL,
    PRIMARY KEY (show_id, seat)
);

CREATE UNIQUE INDEX players_by_player ON players (player, show_id);
CREATE INDEX players_by_place ON players (show_id, place, seat);

CREATE TABLE prizes (
    show_id  BIGINT NOT NULL REFERENCES shows (id) ON DELETE CASCADE,
    seat     BIGINT NOT NULL,
    player   TEXT COLLATE "C" NOT NULL,
    name     TEXT   NOT NULL,
    currency TEXT COLLATE "C" NOT NULL,
    ended_at BIGINT NOT NULL,
    amount   BIGINT NOT NULL CHECK (amount > 0),
    PRIMARY KEY (show_id, seat)
);

CREATE INDEX prizes_by_end ON prizes (currency, ended_at) INCLUDE (player, name, amount);

CREATE TABLE answers (
    show     TEXT COLLATE "C" NOT NULL,
    question INTEGER  NOT NULL,
    seat     BIGINT   NOT NULL,
    choice   SMALLINT NOT NULL,
    read_at  BIGINT   NOT NULL,
    PRIMARY KEY (show, question, seat)
);

CREATE TABLE journals (
    show         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    topic        TEXT COLLATE "C" NOT NULL,
    partition    INTEGER  NOT NULL,
    first_offset BIGINT   NOT NULL,
    next_number  BIGINT   NOT NULL,
    fence        BIGINT   NOT NULL,
    -- 0: goes on; 1: over, its results are here; 2: set aside, as it does not replay.
    state        SMALLINT NOT NULL CHECK (state IN (0, 1, 2))
);

CREATE INDEX journals_by_state ON journals (topic, partition, state);

CREATE TABLE offsets (
    topic       TEXT COLLATE "C" NOT NULL,
    partition   INTEGER NOT NULL,
    next_offset BIGINT  NOT NULL,
    PRIMARY KEY (topic, partition)
);
