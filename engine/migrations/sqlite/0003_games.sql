-- Shows of other games than trivia, and what a game has to say of each of its rounds.

CREATE TABLE games (
    show_id INTEGER PRIMARY KEY REFERENCES shows (id) ON DELETE CASCADE,
    -- Its row in shows has the mode 'points', which means nothing.
    game    TEXT    NOT NULL
) STRICT;

CREATE TABLE rounds (
    show_id INTEGER NOT NULL REFERENCES shows (id) ON DELETE CASCADE,
    round   INTEGER NOT NULL,
    -- JSON, as the game's page says.
    body    TEXT    NOT NULL,
    PRIMARY KEY (show_id, round)
) STRICT, WITHOUT ROWID;
