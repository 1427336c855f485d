//! One connection's way through the show: waiting, joining, in, gone. No socket, no clock, nothing to wait for.

mod close;
mod doors;
mod jwt_header;
mod origin;

use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::ids::{QuestionId, SeatRef, ShowCode, ShowId};
use klaxon_protocol::origin::Origin;
use klaxon_protocol::player::{Answer, Emoji, FromPlayer};
use klaxon_protocol::time::{Millis, Span};

pub use close::Close;
pub(crate) use doors::{Admitted, Doors, Holder};
pub(crate) use origin::Origins;

/// Where a connection is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Session {
    /// Has said nothing that let it in.
    Waiting(Box<Newcomer>),
    /// The engine was asked.
    Joining(Box<Asked>),
    /// In a show.
    In(Place),
    /// Being closed; nothing it says matters.
    Leaving { since: Millis },
}

/// Somebody who is not in yet, from there. Kept apart, as those who are in, nearly all, do not have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Newcomer {
    since: Millis,
    origin: Origin,
}

/// A wish for a seat. Kept apart like that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    since: Millis,
    origin: Origin,
    code: ShowCode,
}

/// Whose connection it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub show: ShowId,
    /// None for a spectator.
    pub seat: Option<SeatRef>,
}

/// What a message asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing is done; say why.
    Refuse(Refusal),
    /// Ask the engine for a seat.
    Ask(Admitted),
    /// An answer of somebody with a seat.
    Answer(ShowId, SeatRef, Answer),
    /// An answer of somebody without one.
    NotInPlay(QuestionId),
    /// An emoji for a show.
    React(ShowId, Emoji),
    /// The server's time, with the client's own.
    Pong(Millis),
    /// Goodbye.
    Leave,
    /// Nothing.
    Ignore,
}

impl Session {
    /// A connection that just opened.
    pub fn new(now: Millis, origin: Origin) -> Self {
        Self::Waiting(Box::new(Newcomer { since: now, origin }))
    }

    /// Hears a message.
    pub fn hear(&mut self, message: FromPlayer, doors: &Doors, now: Millis) -> Step {
        let refuse = |code| Step::Refuse(Refusal::plain(code));
        match (&*self, message) {
            (Self::Leaving { .. }, _) => Step::Ignore,
            (_, FromPlayer::Ping(ping)) => Step::Pong(ping.sent),
            (_, FromPlayer::Leave) => Step::Leave,
            (Self::Waiting(newcomer), FromPlayer::Join(join)) => {
                let origin = newcomer.origin;
                self.ask(doors.admit(join, now), origin, now)
            }
            (Self::Waiting(newcomer), FromPlayer::Reclaim(reclaim)) => {
                let origin = newcomer.origin;
                self.ask(doors.reclaim(reclaim), origin, now)
            }
            (_, FromPlayer::Join(_) | FromPlayer::Reclaim(_)) => refuse(ErrorCode::AlreadyJoined),
            (Self::In(Place { show, seat: Some(seat) }), FromPlayer::Answer(answer)) => {
                Step::Answer(*show, *seat, answer)
            }
            (Self::In(_), FromPlayer::Answer(answer)) => Step::NotInPlay(answer.question),
            (Self::In(place), FromPlayer::React(react)) => Step::React(place.show, react.emoji),
            (_, FromPlayer::Answer(_) | FromPlayer::React(_)) => refuse(ErrorCode::NotJoined),
        }
    }

    fn ask(&mut self, admitted: Result<Admitted, Refusal>, origin: Origin, now: Millis) -> Step {
        match admitted {
            Ok(admitted) => {
                *self = Self::Joining(Box::new(Asked { since: now, origin, code: admitted.code.clone() }));
                Step::Ask(admitted)
            }
            Err(refusal) => {
                // Whoever mistypes a name gets the whole time again.
                *self = Self::new(now, origin);
                Step::Refuse(refusal)
            }
        }
    }

    /// The engine gave a seat. The code with which it had been asked; none if nobody waits for a seat any more.
    pub fn seated(&mut self, place: Place) -> Option<ShowCode> {
        let Self::Joining(asked) = self else { return None };
        let code = asked.code.clone();
        *self = Self::In(place);
        Some(code)
    }

    /// The engine gave none. Whether anybody still waits to hear so.
    pub fn refused(&mut self, now: Millis) -> bool {
        let Self::Joining(asked) = self else { return false };
        *self = Self::new(now, asked.origin);
        true
    }

    /// From where it comes, until it is in: nobody asks for more than one seat.
    pub fn origin(&self) -> Option<Origin> {
        match self {
            Self::Waiting(newcomer) => Some(newcomer.origin),
            Self::Joining(asked) => Some(asked.origin),
            Self::In(_) | Self::Leaving { .. } => None,
        }
    }

    /// Where it is, if it is in a show.
    pub const fn place(&self) -> Option<Place> {
        match self {
            Self::In(place) => Some(*place),
            _ => None,
        }
    }

    /// Whether it is being closed.
    pub const fn is_leaving(&self) -> bool {
        matches!(self, Self::Leaving { .. })
    }

    /// Since when it is being closed, if it is.
    pub const fn leaving_since(&self) -> Option<Millis> {
        match self {
            Self::Leaving { since } => Some(*since),
            _ => None,
        }
    }

    /// When it should be closed for not being in by then, and how.
    pub fn deadline(&self, limit: Span) -> Option<(Millis, Close)> {
        match self {
            Self::Waiting(newcomer) => Some((newcomer.since + limit, Close::NeverJoined)),
            Self::Joining(asked) => Some((asked.since + limit, Close::TryLater)),
            Self::In(_) | Self::Leaving { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Auth;
    use klaxon_protocol::ids::{Choice, Seat};
    use klaxon_protocol::player::{Join, Ping, React, Role};
    use proptest::prelude::*;

    fn doors() -> Doors {
        Doors::new(Auth::Guests, None, &[0; 32])
    }

    fn join() -> FromPlayer {
        FromPlayer::Join(Join {
            show: ShowCode::parse("QUIZ").unwrap(),
            name: Some("Ann".into()),
            role: Role::Player,
            token: None,
            resume: None,
        })
    }

    fn answer() -> FromPlayer {
        FromPlayer::Answer(Answer { question: QuestionId(1), choice: Choice(0) })
    }

    fn refused_with(step: Step) -> ErrorCode {
        let Step::Refuse(refusal) = step else { panic!("{step:?}") };
        refusal.code
    }

    const HOME: Origin = Origin::of_hash(7);
    const PLACE: Place = Place { show: ShowId(1), seat: Some(SeatRef::first(Seat(4))) };

    #[test]
    fn nothing_but_a_ping_is_answered_before_the_join() {
        let mut session = Session::new(Millis(0), HOME);
        assert_eq!(refused_with(session.hear(answer(), &doors(), Millis(1))), ErrorCode::NotJoined);
        let react = FromPlayer::React(React { emoji: Emoji::Clap });
        assert_eq!(refused_with(session.hear(react, &doors(), Millis(1))), ErrorCode::NotJoined);
        let ping = FromPlayer::Ping(Ping { sent: Millis(9) });
        assert_eq!(session.hear(ping, &doors(), Millis(5)), Step::Pong(Millis(9)));
    }

    #[test]
    fn a_connection_joins_once() {
        let mut session = Session::new(Millis(0), HOME);
        assert!(matches!(session.hear(join(), &doors(), Millis(1)), Step::Ask(_)));
        assert_eq!(refused_with(session.hear(join(), &doors(), Millis(1))), ErrorCode::AlreadyJoined);
        assert_eq!(session.seated(PLACE), ShowCode::parse("QUIZ").ok());
        assert_eq!(refused_with(session.hear(join(), &doors(), Millis(1))), ErrorCode::AlreadyJoined);
        assert_eq!(session.seated(PLACE), None);
    }

    #[test]
    fn one_whom_the_engine_refused_may_ask_again() {
        let mut session = Session::new(Millis(0), HOME);
        session.hear(join(), &doors(), Millis(1));
        assert!(session.refused(Millis(2)));
        assert!(!session.refused(Millis(2)));
        assert_eq!(session.origin(), Some(HOME), "from where they came");
        assert!(matches!(session.hear(join(), &doors(), Millis(3)), Step::Ask(_)));
    }

    #[test]
    fn a_spectators_answer_is_not_in_play() {
        let mut session = Session::In(Place { seat: None, ..PLACE });
        assert_eq!(session.hear(answer(), &doors(), Millis(1)), Step::NotInPlay(QuestionId(1)));
    }

    #[test]
    fn one_who_does_not_join_has_a_deadline_and_one_who_is_in_has_none() {
        let limit = Span(10);
        let mut session = Session::new(Millis(5), HOME);
        assert_eq!(session.deadline(limit), Some((Millis(15), Close::NeverJoined)));
        session.hear(join(), &doors(), Millis(14));
        assert_eq!(session.deadline(limit), Some((Millis(24), Close::TryLater)));
        session.seated(PLACE);
        assert_eq!(session.deadline(limit), None);
    }

    #[derive(Debug, Clone)]
    enum Happening {
        Message(FromPlayer),
        Seated,
        Refused,
    }

    fn happenings() -> impl Strategy<Value = Vec<Happening>> {
        let one = prop_oneof![
            Just(Happening::Message(join())),
            Just(Happening::Message(answer())),
            Just(Happening::Message(FromPlayer::React(React { emoji: Emoji::Fire }))),
            Just(Happening::Message(FromPlayer::Ping(Ping { sent: Millis(1) }))),
            Just(Happening::Message(FromPlayer::Leave)),
            Just(Happening::Seated),
            Just(Happening::Refused),
        ];
        proptest::collection::vec(one, 0..40)
    }

    proptest! {
        #[test]
        fn whatever_is_said_it_asks_only_when_out_answers_only_when_in_and_joins_once(story in happenings()) {
            let doors = doors();
            let mut session = Session::new(Millis(0), HOME);
            let (mut asked, mut joined) = (false, false);
            for happening in story {
                match happening {
                    Happening::Message(message) => match session.hear(message, &doors, Millis(1)) {
                        Step::Ask(_) => {
                            prop_assert!(!asked && !joined);
                            asked = true;
                        }
                        Step::Answer(show, seat, _) => {
                            prop_assert!(joined);
                            prop_assert_eq!(Place { show, seat: Some(seat) }, PLACE);
                        }
                        Step::React(..) => prop_assert!(joined),
                        _ => {}
                    },
                    Happening::Seated => {
                        let seated = session.seated(PLACE).is_some();
                        prop_assert_eq!(seated, asked);
                        if seated {
                            (asked, joined) = (false, true);
                        }
                    }
                    Happening::Refused => prop_assert_eq!(session.refused(Millis(1)), std::mem::take(&mut asked)),
                }
            }
        }
    }
}
