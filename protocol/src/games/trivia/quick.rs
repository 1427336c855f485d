//! The fast way to read an answer in JSON: the one message that every player sends in the same second.

use super::ids::{Choice, QuestionId};
use super::player::Answer;

/// The answer that this JSON says as clients usually write it: its three fields in any order, and nothing else. None if it
/// is anything else, right or wrong: that is serde's to say.
pub(crate) fn answer(json: &[u8]) -> Option<Answer> {
    let mut rest = Rest(json);
    let (mut is_answer, mut question, mut choice) = (false, None, None);
    rest.mark(b'{')?;
    loop {
        match rest.key()? {
            Key::Type if !is_answer => {
                rest.word(b"\"answer\"")?;
                is_answer = true;
            }
            Key::Question if question.is_none() => question = Some(rest.number()?),
            Key::Choice if choice.is_none() => choice = Some(u8::try_from(rest.number()?).ok()?),
            _ => return None,
        }
        match rest.next()? {
            b',' => {}
            b'}' => break,
            _ => return None,
        }
    }
    rest.skip_space();
    (is_answer && rest.0.is_empty()).then_some(())?;
    Some(Answer { question: QuestionId(question?), choice: Choice(choice?) })
}

/// An answer's fields.
enum Key {
    Type,
    Question,
    Choice,
}

/// What was not read yet. Each method skips the white space before what it is for.
struct Rest<'j>(&'j [u8]);

impl Rest<'_> {
    fn skip_space(&mut self) {
        while let [b' ' | b'\t' | b'\n' | b'\r', rest @ ..] = self.0 {
            self.0 = rest;
        }
    }

    fn next(&mut self) -> Option<u8> {
        self.skip_space();
        let (&byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(byte)
    }

    fn mark(&mut self, mark: u8) -> Option<()> {
        (self.next()? == mark).then_some(())
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        self.skip_space();
        self.0 = self.0.strip_prefix(word)?;
        Some(())
    }

    /// A field's name, and the colon behind it.
    fn key(&mut self) -> Option<Key> {
        self.skip_space();
        let (key, name) = match self.0 {
            [b'"', b't', ..] => (Key::Type, &b"\"type\""[..]),
            [b'"', b'q', ..] => (Key::Question, &b"\"question\""[..]),
            [b'"', b'c', ..] => (Key::Choice, &b"\"choice\""[..]),
            _ => return None,
        };
        self.word(name)?;
        self.mark(b':')?;
        Some(key)
    }

    /// Digits, of which the first is 0 only if it is the only one, and which make no more than the type holds.
    fn number(&mut self) -> Option<u16> {
        let first @ b'0'..=b'9' = self.next()? else { return None };
        let mut number = u16::from(first - b'0');
        while let [digit @ b'0'..=b'9', rest @ ..] = self.0 {
            if number == 0 {
                return None;
            }
            number = number.checked_mul(10)?.checked_add(u16::from(digit - b'0'))?;
            self.0 = rest;
        }
        Some(number)
    }
}

#[cfg(test)]
mod tests {
    use allocation_counter::measure;
    use proptest::prelude::*;

    use super::*;
    use crate::codec::Codec;
    use crate::player::FromPlayer;

    #[test]
    fn an_answer_is_read_fast_as_clients_usually_write_it() {
        let answer_3_1 = Some(Answer { question: QuestionId(3), choice: Choice(1) });
        for json in [
            r#"{"type":"answer","question":3,"choice":1}"#,
            r#"{"type":"answer","choice":1,"question":3}"#,
            r#"{"question":3,"choice":1,"type":"answer"}"#,
            r#"{"choice": 1, "type": "answer", "question": 3}"#,
            "{\n\t\"type\" : \"answer\" ,\r\n\t\"question\" : 3 ,\n\t\"choice\" : 1\n}\n",
        ] {
            assert_eq!(answer(json.as_bytes()), answer_3_1, "{json}");
        }
    }

    #[test]
    fn what_is_unusual_is_left_to_serde() {
        for json in [
            r#"{"type":"answer","question":3,"choice":1,"seat":9}"#,
            r#"{"type":"answer","question":3,"choice":1,"choice":1}"#,
            r#"{"type":"answer","question":03,"choice":1}"#,
            r#"{"type":"answer","question":65536,"choice":1}"#,
            r#"{"type":"answer","question":3,"choice":256}"#,
            r#"{"type":"answer","question":3,"choice":1.0}"#,
            r#"{"type":"answer","question":3}"#,
            r#"{"type":"answer","question":3,"choice":1}}"#,
            r#"{"type":"leave"}"#,
            "",
        ] {
            assert_eq!(answer(json.as_bytes()), None, "{json}");
        }
    }

    #[test]
    fn an_answer_is_read_without_allocation() {
        for codec in Codec::ALL {
            let bytes = codec.encode(&FromPlayer::Answer(Answer { question: QuestionId(300), choice: Choice(5) }));
            let allocations = measure(|| assert!(FromPlayer::decode(codec, &bytes).is_ok()));
            assert_eq!(allocations.count_total, 0, "{codec:?}");
        }
    }

    proptest! {
        #[test]
        fn every_answer_is_read_fast_as_we_write_it(one in any::<Answer>()) {
            prop_assert_eq!(answer(&Codec::Json.encode(&FromPlayer::Answer(one))), Some(one));
        }
    }
}
