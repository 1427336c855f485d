-- The results of shows, and how far their journals were read, for MariaDB 10.8 or MySQL 8.0 and later. docs/archive.md explains
-- the tables and the queries that the indices are for. Every table has its indices in it, so that this can be run again if it
-- was cut off: MySQL has no transactions around tables.

CREATE TABLE IF NOT EXISTS shows (
    -- Of this database only: short, for the other tables to name a show by.
    id          BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    -- The show's id, 64 bits without sign, as a decimal number.
    `show`      VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL UNIQUE,
    code        VARCHAR(12) NOT NULL,
    title       TEXT        NOT NULL,
    mode        VARCHAR(16) NOT NULL CHECK (mode IN ('elimination', 'points', 'both')),
    -- Times are milliseconds since 1970, amounts are minor units of the currency.
    created_at  BIGINT      NOT NULL,
    ended_at    BIGINT      NOT NULL,
    joined      BIGINT      NOT NULL,
    pot         BIGINT      NOT NULL,
    currency    VARCHAR(16) NOT NULL,
    paid        BIGINT      NOT NULL,
    rolled_over BIGINT      NOT NULL
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS questions (
    show_id       BIGINT   NOT NULL,
    question      INTEGER  NOT NULL,
    text          TEXT     NOT NULL,
    category      TEXT,
    difficulty    VARCHAR(16) CHECK (difficulty IN ('easy', 'medium', 'hard')),
    right_choice  SMALLINT NOT NULL,
    answers       BIGINT   NOT NULL,
    right_answers BIGINT   NOT NULL,
    silent        BIGINT   NOT NULL,
    voided        SMALLINT NOT NULL CHECK (voided IN (0, 1)),
    asked_at      BIGINT   NOT NULL,
    closed_at     BIGINT   NOT NULL,
    -- How many of a million answers were right; nothing if nobody answered or it does not count.
    right_share   BIGINT GENERATED ALWAYS AS (
        CASE WHEN voided = 0 AND answers > 0 THEN right_answers * 1000000 DIV answers END
    ) STORED,
    PRIMARY KEY (show_id, question),
    KEY questions_by_share (right_share, answers DESC, asked_at DESC),
    FOREIGN KEY (show_id) REFERENCES shows (id) ON DELETE CASCADE
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS choices (
    show_id  BIGINT   NOT NULL,
    question INTEGER  NOT NULL,
    choice   SMALLINT NOT NULL,
    text     TEXT     NOT NULL,
    answers  BIGINT   NOT NULL,
    PRIMARY KEY (show_id, question, choice),
    FOREIGN KEY (show_id, question) REFERENCES questions (show_id, question) ON DELETE CASCADE
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS players (
    show_id       BIGINT   NOT NULL,
    seat          BIGINT   NOT NULL,
    -- Bytes, because two texts that differ in spaces at their end only are equal for MySQL, and two players for us.
    player        VARBINARY(64) NOT NULL,
    name          VARCHAR(24)   NOT NULL,
    alive         SMALLINT NOT NULL CHECK (alive IN (0, 1)),
    lives         SMALLINT NOT NULL,
    score         BIGINT   NOT NULL,
    right_answers BIGINT   NOT NULL,
    out_at        INTEGER,
    -- From 1, equals share one; 0 is no place.
    place         BIGINT   NOT NULL,
    prize         BIGINT   NOT NULL,
    PRIMARY KEY (show_id, seat),
    UNIQUE KEY players_by_player (player, show_id),
    KEY players_by_place (show_id, place, seat),
    FOREIGN KEY (show_id) REFERENCES shows (id) ON DELETE CASCADE
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS prizes (
    show_id  BIGINT        NOT NULL,
    seat     BIGINT        NOT NULL,
    player   VARBINARY(64) NOT NULL,
    name     VARCHAR(24)   NOT NULL,
    currency VARCHAR(16)   NOT NULL,
    ended_at BIGINT        NOT NULL,
    amount   BIGINT        NOT NULL CHECK (amount > 0),
    PRIMARY KEY (show_id, seat),
    KEY prizes_by_end (currency, ended_at, player, name, amount),
    FOREIGN KEY (show_id) REFERENCES shows (id) ON DELETE CASCADE
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS answers (
    `show`   VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    question INTEGER  NOT NULL,
    seat     BIGINT   NOT NULL,
    choice   SMALLINT NOT NULL,
    read_at  BIGINT   NOT NULL,
    PRIMARY KEY (`show`, question, seat)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS journals (
    `show`       VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    topic        VARCHAR(249) NOT NULL,
    `partition`  INTEGER  NOT NULL,
    first_offset BIGINT   NOT NULL,
    next_number  BIGINT   NOT NULL,
    fence        BIGINT   NOT NULL,
    -- 0: goes on; 1: over, its results are here; 2: set aside, as it does not replay.
    state        SMALLINT NOT NULL CHECK (state IN (0, 1, 2)),
    KEY journals_by_state (topic, `partition`, state)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS offsets (
    topic       VARCHAR(249) NOT NULL,
    `partition` INTEGER NOT NULL,
    next_offset BIGINT  NOT NULL,
    PRIMARY KEY (topic, `partition`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ENGINE = InnoDB;
