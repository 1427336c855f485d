//! The question that is measured: about 200 bytes of JSON from any server.

use klaxon_protocol::codec::Codec;
use klaxon_protocol::games::trivia::{AnswerReply, Choice, Pack, PackQuestion, Question, QuestionId};
use klaxon_protocol::ids::Seq;
use klaxon_protocol::player::ToPlayer;
use klaxon_protocol::time::Millis;

/// The approximate length of a question's message, in bytes.
pub const QUESTION_BYTES: usize = 200;
/// The beginning of a question's message.
pub const QUESTION_BEGINS: &[u8] = br#"{"type":"question""#;
/// The beginning of a reply to an answer.
pub const REPLY_BEGINS: &[u8] = br#"{"type":"answer_reply""#;
/// The choice of all players: the right one.
pub const RIGHT: Choice = Choice(0);

const CHOICES: [&str; 3] = ["Yes", "No", "Perhaps"];

/// A pack of questions, whose messages are about [`QUESTION_BYTES`] long.
#[must_use]
pub fn pack(questions: u16) -> Pack {
    let text = text(questions);
    // No two questions are equal.
    let question = |number| PackQuestion::new(format!("{number:03}{}", &text[3..]), CHOICES, RIGHT);
    Pack { title: "Benchmark".into(), questions: (1..=questions).map(question).collect() }
}

/// A question's message, for servers other than Klaxon.
#[must_use]
pub fn message() -> Vec<u8> {
    Codec::Json.encode(&ToPlayer::Question(question(text(99), 99)))
}

/// The reply to an accepted answer, for servers other than Klaxon.
#[must_use]
pub fn reply(question: QuestionId) -> Vec<u8> {
    let reply = AnswerReply { question, accepted: true, choice: Some(RIGHT), code: None, message: None };
    Codec::Json.encode(&ToPlayer::AnswerReply(reply))
}

fn text(total: u16) -> String {
    let bare = Codec::Json.encode(&ToPlayer::Question(question(String::new(), total))).len();
    "is this long enough? ".chars().cycle().take(QUESTION_BYTES.saturating_sub(bare).max(4)).collect()
}

fn question(text: String, total: u16) -> Question {
    Question {
        seq: Seq(100),
        at: Millis(1_800_000_000_000),
        question: QuestionId(10),
        total,
        text,
        choices: CHOICES.map(str::to_owned).to_vec(),
        category: None,
        opens_at: Millis(1_800_000_000_000),
        closes_at: Millis(1_800_000_600_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pack_can_be_played_and_its_questions_make_messages_of_200_bytes() {
        let pack = pack(90);
        assert_eq!(pack.problems(), vec![]);
        for asked in pack.questions {
            let message = Codec::Json.encode(&ToPlayer::Question(question(asked.text, 90)));
            assert!(message.len().abs_diff(QUESTION_BYTES) < 4 && message.starts_with(QUESTION_BEGINS));
        }
        assert!(message().len().abs_diff(QUESTION_BYTES) < 4);
        assert!(reply(QuestionId(1)).starts_with(REPLY_BEGINS));
    }
}
