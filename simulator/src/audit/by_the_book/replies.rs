//! Replies to answers: each answer has at most one, answers that count by the rules are acknowledged, and each reason
//! of a refusal is true.

use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::games::trivia::{Choice, QuestionId};
use klaxon_protocol::ids::Seat;
use klaxon_protocol::time::Millis;

use super::super::book::{Asked, Book};
use super::super::claims::{ClaimAnswer, Claimed};
use super::super::finding::Finding;
use super::super::reading::{Exchange, Reading, as_millis, millis};
use crate::evidence::Micros;

/// A reply, and the answers that can have caused it.
struct ReplyCase<'r> {
    reading: &'r Reading<'r>,
    book: &'r Book,
    seat: Option<Seat>,
    /// Whether the seat was given to another player.
    lost_seat: bool,
    question: QuestionId,
    /// The answers of this connection to the question that were sent before the reply was received.
    sent: Vec<(Micros, Choice)>,
    received: Micros,
    reply: ClaimAnswer<'r>,
    /// The choice in it.
    choice: Option<Choice>,
}

pub(super) fn judge(reading: &Reading<'_>, book: &Book, finding: &mut Finding) -> u64 {
    let mut judged = 0;
    for (index, connection) in reading.connections.iter().enumerate() {
        for (claimed, exchange) in &connection.exchanges {
            let question = claimed.round;
            for (earlier, &(received, frame)) in exchange.received.iter().enumerate() {
                let Some(reply) = reading.reply(frame) else { continue };
                let sent = before(exchange, received);
                finding.check(earlier < sent.len(), || {
                    let what = format!("{} answers were sent, and this is reply {}", sent.len(), earlier + 1);
                    reading.violation(index, what).question(question).at(received).frame(reply.message)
                });
                let message = reply.message;
                let choice = reply.value.as_ref().and_then(Choice::claimed);
                let (seat, lost_seat) = (connection.seat, connection.lost_seat.is_some());
                let case = ReplyCase { reading, book, seat, lost_seat, question, sent, received, reply, choice };
                let problem = case.problem();
                judged += 1;
                finding.check(problem.is_none(), || {
                    let what = problem.unwrap_or_default();
                    reading.violation(index, what).question(question).at(received).frame(message)
                });
            }
        }
    }
    judged
}

fn before(exchange: &Exchange, received: Micros) -> Vec<(Micros, Choice)> {
    let by_then = exchange.sent.iter().filter(|&&(sent, _)| sent <= received);
    by_then.filter_map(|(sent, value)| Some((*sent, Choice::claimed(value)?))).collect()
}

impl ReplyCase<'_> {
    fn problem(&self) -> Option<String> {
        let asked = self.asked();
        let counted = self.counted();
        let fits = match (self.reply.accepted, self.reply.code) {
            (true, None) => self.choice.is_some() && self.choice == counted && self.says(counted),
            (false, Some(ErrorCode::AlreadyAnswered)) => {
                counted.is_some() && self.choice == counted && self.says_another_than(counted)
            }
            (false, Some(code)) if self.choice.is_none() => {
                return (!self.may_be_refused_as(code, asked))
                    .then(|| format!("refused as {code}, which was not so"))
                    .or_else(|| {
                        self.was_counted_before().then(|| {
                            format!("counted and acknowledged before, and the same again is refused as {code}")
                        })
                    });
            }
            _ => false,
        };
        (!fits).then(|| format!("no such reply by the book, which has {counted:?} counted"))
    }

    fn asked(&self) -> Option<&Asked> {
        self.book.asked.iter().find(|asked| asked.question.question == self.question)
    }

    /// The seat's choice that counts.
    fn counted(&self) -> Option<Choice> {
        let answers = &self.asked()?.answers;
        answers.get(&self.seat?).map(|&(choice, _)| choice)
    }

    fn says(&self, choice: Option<Choice>) -> bool {
        self.sent.iter().any(|&(_, sent)| Some(sent) == choice)
    }

    fn says_another_than(&self, choice: Option<Choice>) -> bool {
        self.sent.iter().any(|&(_, sent)| Some(sent) != choice)
    }

    /// The latest time at which the reply was received, on the server's clock.
    fn received_at(&self) -> Millis {
        Millis(millis(self.received).saturating_add(as_millis(self.reading.options.clock_slack)))
    }

    /// The earliest time at which the first of the answers can have been read, on the server's clock.
    fn first_sent(&self) -> Option<Millis> {
        let first = self.sent.iter().map(|&(sent, _)| millis(sent)).min()?;
        Some(Millis(first.saturating_sub(as_millis(self.reading.options.clock_slack))))
    }

    /// When the next question was asked, if it was.
    fn next_asked(&self) -> Option<Millis> {
        let next = self.book.asked.iter().find(|asked| asked.question.question > self.question);
        next.map(|asked| asked.question.at)
    }

    /// Whether an answer of this connection can have been refused for this reason.
    fn may_be_refused_as(&self, code: ErrorCode, asked: Option<&Asked>) -> bool {
        let Some(first) = self.first_sent() else { return false };
        let received = self.received_at();
        match code {
            // Always possible: the bus or the arbiter may be unavailable, and a flood is refused whatever it contains.
            ErrorCode::Unavailable | ErrorCode::RateLimited => true,
            ErrorCode::SeatGivenAway => self.lost_seat,
            ErrorCode::UnknownQuestion => asked.is_none_or(|asked| asked.question.at > first),
            ErrorCode::NotInPlay => self.seat.is_none_or(|seat| self.book.was(seat, first, received).1),
            ErrorCode::BadChoice => asked.is_some_and(|asked| {
                let choices = asked.question.choices.len();
                self.sent.iter().any(|(_, choice)| choice.index() >= choices)
            }),
            ErrorCode::Voided => asked.is_some_and(|asked| asked.voided.is_some_and(|at| at <= received)),
            ErrorCode::TooEarly => {
                asked.is_some_and(|asked| asked.clock.stretches().next().is_some_and(|stretch| first < stretch.opens))
            }
            ErrorCode::Paused => asked.is_some_and(|asked| {
                let stood_still = |&(from, until): &(Millis, Option<Millis>)| {
                    from <= received && until.is_none_or(|until| first < until)
                };
                asked.pauses.iter().any(stood_still)
            }),
            ErrorCode::TooLate => {
                let next = self.next_asked().is_some_and(|next| next <= received);
                next || asked.is_some_and(|asked| asked.clock.last().closes <= received)
            }
            _ => false,
        }
    }

    /// Whether the seat's choice was acknowledged before any of these answers was sent, and the question was still the
    /// last one. Then each of them is accepted, or gets the choice that counts.
    fn was_counted_before(&self) -> bool {
        let (Some(seat), Some(&(first, _))) = (self.seat, self.sent.first()) else { return false };
        let still_last = self.next_asked().is_none_or(|next| next > self.received_at());
        still_last
            && self.reply.code != Some(ErrorCode::Unavailable)
            && self.reply.code != Some(ErrorCode::RateLimited)
            && self
                .reading
                .replies(seat, Claimed::answer(self.question))
                .any(|(_, at, reply)| reply.accepted && at < first)
    }
}
