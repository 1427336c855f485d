//! What is asked of the database. docs/archive.md says which index each query uses, and a test checks it.

macro_rules! show_columns {
    () => {
        "s.show, s.code, s.title, s.mode, s.created_at, s.ended_at, s.joined, s.pot, s.currency, s.paid, s.rolled_over"
    };
}

macro_rules! player_columns {
    () => {
        "p.seat, p.player, p.name, p.alive, p.lives, p.score, p.right_answers, p.out_at, p.place, p.prize"
    };
}

/// By show.
pub(super) const SHOW: &str = concat!("SELECT ", show_columns!(), " FROM shows s WHERE s.show = ?");

/// By show; one row a choice, in order.
pub(super) const QUESTIONS: &str = "\
    SELECT q.question, q.text, q.category, q.difficulty, q.right_choice, q.silent, q.voided, q.asked_at, q.closed_at, \
    c.text AS choice_text, c.answers AS choice_answers \
    FROM shows s CROSS JOIN questions q ON q.show_id = s.id \
    CROSS JOIN choices c ON c.show_id = q.show_id AND c.question = q.question \
    WHERE s.show = ? ORDER BY q.question, c.choice";

/// By show, at most so many.
pub(super) const PODIUM: &str = concat!(
    "SELECT ",
    player_columns!(),
    " FROM shows s CROSS JOIN players p ON p.show_id = s.id",
    " WHERE s.show = ? AND p.place > 0 ORDER BY p.place, p.seat LIMIT ?"
);

/// By player, at most so many.
pub(super) const HISTORY: &str = concat!(
    "SELECT ",
    show_columns!(),
    ", ",
    player_columns!(),
    " FROM players p CROSS JOIN shows s ON s.id = p.show_id",
    " WHERE p.player = ? ORDER BY s.ended_at DESC LIMIT ?"
);

/// At most so many.
pub(super) const HARDEST: &str = "\
    SELECT s.show, q.question, q.text, q.category, q.right_answers, q.answers \
    FROM questions q CROSS JOIN shows s ON s.id = q.show_id \
    WHERE q.right_share IS NOT NULL ORDER BY q.right_share, q.answers DESC, q.asked_at DESC LIMIT ?";

/// By currency, from, until; at most so many. SQLite takes a bare column, here the name, from the row that has the `MAX`.
pub(super) const WINNERS: &str = "\
    SELECT p.player, p.name, COUNT(*) AS shows, SUM(p.prize) AS won, MAX(s.ended_at) \
    FROM shows s CROSS JOIN players p ON p.show_id = s.id \
    WHERE s.currency = ? AND s.ended_at >= ? AND s.ended_at < ? AND p.prize > 0 \
    GROUP BY p.player ORDER BY won DESC, p.player LIMIT ?";
