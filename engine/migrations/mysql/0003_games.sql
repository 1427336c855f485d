-- Shows of other games than trivia, and what a game has to say of each of its rounds. This can be run again if it was cut off.

CREATE TABLE IF NOT EXISTS games (
    show_id BIGINT      NOT NULL PRIMARY KEY,
    -- Its row in shows has the mode 'points', which means nothing.
    game    VARCHAR(24) NOT NULL,
    FOREIGN KEY (show_id) REFERENCES shows (id) ON DELETE CASCADE
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS rounds (
    show_id BIGINT     NOT NULL,
    round   INTEGER    NOT NULL,
    -- JSON, as the game's page says.
    body    MEDIUMTEXT NOT NULL,
    PRIMARY KEY (show_id, round),
    FOREIGN KEY (show_id) REFERENCES shows (id) ON DELETE CASCADE
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ENGINE = InnoDB;
