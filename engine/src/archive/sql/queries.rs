//! The queries. docs/archive.md lists the index that each uses, and tests check it.
//!
//! `dialect.rs` describes the placeholders in braces.

macro_rules! show_columns {
    () => {
        "s.show, s.code, s.title, s.mode, s.created_at, s.ended_at, s.joined, s.pot, s.currency, s.paid, s.rolled_over, \
         (SELECT g.game FROM games g WHERE g.show_id = s.id) AS game"
    };
}

macro_rules! player_columns {
    () => {
        "p.seat, p.player, p.name, p.alive, p.lives, p.score, p.right_answers, p.out_at, p.place, p.prize"
    };
}

/// The show's key in this database. Parameters: show.
pub(super) const KEY: &str = "SELECT s.id FROM shows s WHERE s.show = ?";

/// Parameters: show.
pub(super) const SHOW: &str = concat!("SELECT ", show_columns!(), " FROM shows s WHERE s.show = ?");

/// One row per choice, in order. Parameters: show.
pub(super) const QUESTIONS: &str = "\
    SELECT q.question, q.text, q.category, q.difficulty, q.right_choice, q.silent, q.voided, q.asked_at, q.closed_at, \
    c.text AS choice_text, c.answers AS choice_answers \
    FROM questions q {join} choices c ON c.show_id = q.show_id AND c.question = q.question \
    WHERE q.show_id = (SELECT s.id FROM shows s WHERE s.show = ?) ORDER BY q.question, c.choice";

/// The game's results of each round, in order. Parameters: show.
pub(super) const ROUNDS: &str = "\
    SELECT r.round, r.body FROM rounds r WHERE r.show_id = (SELECT s.id FROM shows s WHERE s.show = ?) ORDER BY r.round";

/// Parameters: show, limit.
pub(super) const PODIUM: &str = concat!(
    "SELECT ",
    player_columns!(),
    " FROM players p WHERE p.show_id = (SELECT s.id FROM shows s WHERE s.show = ?) AND p.place > 0",
    " ORDER BY p.place, p.seat LIMIT ?"
);

/// All players by seat. Parameters: show.
pub(super) const PLAYERS: &str = concat!(
    "SELECT ",
    player_columns!(),
    " FROM players p WHERE p.show_id = (SELECT s.id FROM shows s WHERE s.show = ?) ORDER BY p.seat"
);

/// Parameters: player, limit.
pub(super) const HISTORY: &str = concat!(
    "SELECT ",
    show_columns!(),
    ", ",
    player_columns!(),
    " FROM players p {join} shows s ON s.id = p.show_id",
    " WHERE p.player = ? ORDER BY s.ended_at DESC LIMIT ?"
);

/// By player: where they are named.
pub(super) const SEATS_OF: &str = "\
    SELECT s.show, p.show_id, p.seat FROM players p {join} shows s ON s.id = p.show_id WHERE p.player = ?";

/// Parameters: limit.
pub(super) const HARDEST: &str = "\
    SELECT s.show, q.question, q.text, q.category, q.right_answers, q.answers \
    FROM questions q {join} shows s ON s.id = q.show_id \
    WHERE q.right_share IS NOT NULL ORDER BY q.right_share, q.answers DESC, q.asked_at DESC LIMIT ?";

/// Parameters: currency, from, until, limit.
pub(super) const WINNERS: &str = "\
    SELECT r.player, {latest_name} AS name, COUNT(*) AS shows, CAST(SUM(r.amount) AS {integer}) AS won, MAX(r.ended_at) \
    FROM prizes r WHERE r.currency = ? AND r.ended_at >= ? AND r.ended_at < ? \
    GROUP BY r.player ORDER BY won DESC, r.player LIMIT ?";

/// A show's counted answers, by question and seat. Parameters: show.
pub(super) const ANSWERS: &str = "\
    SELECT a.question, a.seat, a.choice, a.read_at FROM answers a WHERE a.show = ? ORDER BY a.question, a.seat";

macro_rules! journal_columns {
    () => {
        "SELECT j.show, j.partition, j.first_offset, j.next_number, j.fence, j.state FROM journals j WHERE j.topic = ? "
    };
}

/// How far a show's journal was read. Parameters: topic, show.
pub(super) const JOURNAL: &str = concat!(journal_columns!(), "AND j.show = ?");

/// Parameters: topic, partition, state.
pub(super) const JOURNALS: &str = concat!(journal_columns!(), "AND j.partition = ? AND j.state = ? ORDER BY j.show");

/// The next offset of each partition. Parameters: topic.
pub(super) const OFFSETS: &str =
    "SELECT o.partition, o.next_offset FROM offsets o WHERE o.topic = ? ORDER BY o.partition";
