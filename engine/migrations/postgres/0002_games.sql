-- Shows of other games than trivia, and what a game has to say of each of its rounds.

CREATE TABLE games (
    show_id BIGINT PRIMARY KEY REFERENCES shows (id) ON DELETE CASCADE,
    -- Its row in shows has the mode 'points', which means nothing.
    game    TEXT   NOT NULL
);

CREATE TABLE rounds (
    show_id BIGINT  NOT NULL REFERENCES shows (id) ON DELETE CASCADE,
    round   INTEGER NOT NULL,
    -- JSON, as the game's page says.
    body    TEXT    NOT NULL,
    PRIMARY KEY (show_id, round)
);
