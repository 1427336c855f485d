//! The answers of a connection that have no reply yet, so that each gets exactly one, even if engines send several.
//!
//! After a loss of data in Redis, gateways send again what no engine has acknowledged. An engine that had processed it
//! replies again; so does the next engine of a show whose engine died. Only the gateway knows which replies the client
//! was sent.

/// A connection's unreplied answers, in six bytes, as a million players have one each.
#[derive(Debug, Default)]
pub(super) struct Unreplied {
    /// Bit `n` is set while the answer `n` before the last has no reply. Answers before the last 16 count as lost, so
    /// limits above 16 have no effect.
    waiting: u16,
    /// The number of the last answer; wraps around after 65,535.
    last: u16,
    /// How many of the last answers count against the limit if they have no reply.
    expected: u8,
}

impl Unreplied {
    /// Adds an answer, and returns its number.
    pub const fn ask(&mut self) -> u16 {
        self.last = self.last.wrapping_add(1);
        self.waiting = self.waiting << 1 | 1;
        self.expected = self.expected.saturating_add(1);
        self.last
    }

    /// Marks an answer as replied to. Returns false if it was before.
    pub const fn reply(&mut self, number: u16) -> bool {
        let bit = 1u16.unbounded_shl(self.last.wrapping_sub(number) as u32);
        let waits = self.waiting & bit != 0;
        self.waiting &= !bit;
        waits
    }

    /// Stops counting the outstanding answers against the limit. A late reply to one is still sent.
    pub const fn expect_none(&mut self) {
        self.expected = 0;
    }

    /// How many answers count against the limit.
    pub const fn outstanding(&self) -> u32 {
        let expected = !u16::MAX.unbounded_shl(self.expected as u32);
        (self.waiting & expected).count_ones()
    }

    /// The number of the last answer.
    pub const fn last(&self) -> u16 {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_answer_has_one_reply_in_whatever_order_they_come_and_however_often() {
        let mut unreplied = Unreplied::default();
        let numbers = [(); 4].map(|()| unreplied.ask());
        for (at, left) in [(2, 3), (0, 2), (3, 1), (1, 0)] {
            assert!(unreplied.reply(numbers[at]));
            assert!(!unreplied.reply(numbers[at]), "a second time");
            assert_eq!(unreplied.outstanding(), left, "the second makes no room for another answer");
        }
        assert!(!unreplied.reply(numbers[3].wrapping_add(1)), "there is no such answer");
    }

    #[test]
    fn a_reply_that_is_no_longer_waited_for_comes_once_and_makes_no_room() {
        let mut unreplied = Unreplied::default();
        let old = unreplied.ask();
        unreplied.expect_none();
        assert_eq!(unreplied.outstanding(), 0);
        for _ in 0..4 {
            unreplied.ask();
        }
        assert!(unreplied.reply(old) && !unreplied.reply(old));
        assert_eq!(unreplied.outstanding(), 4);
    }

    #[test]
    fn numbers_start_again_and_what_is_too_old_is_taken_for_lost() {
        let mut unreplied = Unreplied::default();
        for _ in 0..3 * u32::from(u16::MAX) {
            let number = unreplied.ask();
            assert!(unreplied.reply(number) && unreplied.outstanding() == 0);
        }
        let numbers: Vec<u16> = (0..=u16::BITS).map(|_| unreplied.ask()).collect();
        let replied: Vec<bool> = numbers.iter().map(|&number| unreplied.reply(number)).collect();
        assert!(!replied[0] && replied[1..].iter().all(|&replied| replied), "{replied:?}");
    }
}
