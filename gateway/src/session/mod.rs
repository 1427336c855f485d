//! The state of one connection: waiting, joining, in a show, leaving. Pure: no socket, no clock, no blocking.

mod admission;
mod close;
mod jwt_header;
mod origin;

use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::ids::{SeatRef, ShowCode, ShowId};
use klaxon_protocol::origin::Origin;
use klaxon_protocol::player::{Join, Reclaim};
use klaxon_protocol::time::{Millis, Span};

pub(crate) use admission::{Admission, Admitted, Holder};
pub use close::Close;
pub(crate) use origin::Origins;

/// The state of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Session {
    /// It has not asked to join.
    Waiting(Box<Newcomer>),
    /// The engine was asked for a seat.
    Joining(Box<Asked>),
    /// In a show.
    In(Place),
    /// Being closed; its messages are no longer processed.
    Leaving { since: Millis },
}

/// A connection before its join. Boxed to keep the enum small: nearly all connections are in a show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Newcomer {
    since: Millis,
    origin: Origin,
}

/// A pending join. Boxed for the same reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    since: Millis,
    origin: Origin,
    code: ShowCode,
}

/// The show of a connection, and its seat there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub show: ShowId,
    /// None for a spectator.
    pub seat: Option<SeatRef>,
}

impl Session {
    /// A connection that just opened.
    pub fn new(now: Millis, origin: Origin) -> Self {
        Self::Waiting(Box::new(Newcomer { since: now, origin }))
    }

    /// Processes a join. Returns the request to the engine, or why the join is refused.
    pub fn join(&mut self, join: Join, admission: &Admission, now: Millis) -> Result<Admitted, Refusal> {
        let origin = self.waiting()?;
        self.ask(admission.admit(join, now), origin, now)
    }

    /// As [`Self::join`], for a player who takes a seat back.
    pub fn reclaim(&mut self, reclaim: Reclaim, admission: &Admission, now: Millis) -> Result<Admitted, Refusal> {
        let origin = self.waiting()?;
        self.ask(admission.reclaim(reclaim), origin, now)
    }

    /// The show that the connection has joined.
    pub fn joined(&self) -> Result<Place, Refusal> {
        self.place().ok_or(Refusal::plain(ErrorCode::NotJoined))
    }

    fn waiting(&self) -> Result<Origin, Refusal> {
        match self {
            Self::Waiting(newcomer) => Ok(newcomer.origin),
            Self::Joining(_) | Self::In(_) | Self::Leaving { .. } => Err(Refusal::plain(ErrorCode::AlreadyJoined)),
        }
    }

    fn ask(&mut self, admitted: Result<Admitted, Refusal>, origin: Origin, now: Millis) -> Result<Admitted, Refusal> {
        *self = match &admitted {
            Ok(admitted) => Self::Joining(Box::new(Asked { since: now, origin, code: admitted.code.clone() })),
            // A refused join, such as for a mistyped name, restarts the join timeout.
            Err(_) => Self::new(now, origin),
        };
        admitted
    }

    /// Processes a seat that the engine gave. Returns the code of the join; none if no join was pending.
    pub fn seated(&mut self, place: Place) -> Option<ShowCode> {
        let Self::Joining(asked) = self else { return None };
        let code = asked.code.clone();
        *self = Self::In(place);
        Some(code)
    }

    /// Processes the engine's refusal of a seat. Returns whether a join was pending.
    pub fn refused(&mut self, now: Millis) -> bool {
        let Self::Joining(asked) = self else { return false };
        *self = Self::new(now, asked.origin);
        true
    }

    /// The origin of the connection; none once it has joined, as it is needed for the join only.
    pub fn origin(&self) -> Option<Origin> {
        match self {
            Self::Waiting(newcomer) => Some(newcomer.origin),
            Self::Joining(asked) => Some(asked.origin),
            Self::In(_) | Self::Leaving { .. } => None,
        }
    }

    /// The show and seat of the connection, if it is in a show.
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

    /// When it began to be closed, if it is being closed.
    pub const fn leaving_since(&self) -> Option<Millis> {
        match self {
            Self::Leaving { since } => Some(*since),
            _ => None,
        }
    }

    /// The deadline for joining, and how the connection is closed then.
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
    use crate::link::Random;
    use crate::settings::Auth;
    use klaxon_protocol::ids::Seat;
    use klaxon_protocol::player::Role;
    use proptest::prelude::*;

    fn admission() -> Admission {
        Admission::new(Auth::Guests, None, &[0; 32], Random::of_system())
    }

    fn join() -> Join {
        Join {
            show: ShowCode::parse("QUIZ").unwrap(),
            name: Some("Ann".into()),
            role: Role::Player,
            token: None,
            resume: None,
        }
    }

    fn refused_with<T: std::fmt::Debug>(result: Result<T, Refusal>) -> ErrorCode {
        result.unwrap_err().code
    }

    const HOME: Origin = Origin::of_hash(7);
    const PLACE: Place = Place { show: ShowId(1), seat: Some(SeatRef::first(Seat(4))) };

    #[test]
    fn nothing_is_accepted_before_the_join() {
        let mut session = Session::new(Millis(0), HOME);
        assert_eq!(refused_with(session.joined()), ErrorCode::NotJoined);
        session.join(join(), &admission(), Millis(1)).unwrap();
        assert_eq!(refused_with(session.joined()), ErrorCode::NotJoined);
        session.seated(PLACE);
        assert_eq!(session.joined(), Ok(PLACE));
    }

    #[test]
    fn a_connection_joins_once() {
        let mut session = Session::new(Millis(0), HOME);
        assert!(session.join(join(), &admission(), Millis(1)).is_ok());
        assert_eq!(refused_with(session.join(join(), &admission(), Millis(1))), ErrorCode::AlreadyJoined);
        assert_eq!(session.seated(PLACE), ShowCode::parse("QUIZ").ok());
        assert_eq!(refused_with(session.join(join(), &admission(), Millis(1))), ErrorCode::AlreadyJoined);
        assert_eq!(session.seated(PLACE), None);
    }

    #[test]
    fn one_whom_the_engine_refused_may_ask_again() {
        let mut session = Session::new(Millis(0), HOME);
        session.join(join(), &admission(), Millis(1)).unwrap();
        assert!(session.refused(Millis(2)));
        assert!(!session.refused(Millis(2)));
        assert_eq!(session.origin(), Some(HOME), "from where they came");
        assert!(session.join(join(), &admission(), Millis(3)).is_ok());
    }

    #[test]
    fn one_who_does_not_join_has_a_deadline_and_one_who_is_in_has_none() {
        let limit = Span(10);
        let mut session = Session::new(Millis(5), HOME);
        assert_eq!(session.deadline(limit), Some((Millis(15), Close::NeverJoined)));
        session.join(join(), &admission(), Millis(14)).unwrap();
        assert_eq!(session.deadline(limit), Some((Millis(24), Close::TryLater)));
        session.seated(PLACE);
        assert_eq!(session.deadline(limit), None);
    }

    #[derive(Debug, Clone)]
    enum Happening {
        Join,
        Message,
        Seated,
        Refused,
    }

    fn happenings() -> impl Strategy<Value = Vec<Happening>> {
        let one = prop_oneof![
            Just(Happening::Join),
            Just(Happening::Message),
            Just(Happening::Seated),
            Just(Happening::Refused),
        ];
        proptest::collection::vec(one, 0..40)
    }

    proptest! {
        #[test]
        fn whatever_happens_it_asks_only_when_out_acts_only_when_in_and_joins_once(story in happenings()) {
            let admission = admission();
            let mut session = Session::new(Millis(0), HOME);
            let (mut asked, mut joined) = (false, false);
            for happening in story {
                match happening {
                    Happening::Join => {
                        let may_ask = !asked && !joined;
                        prop_assert_eq!(session.join(join(), &admission, Millis(1)).is_ok(), may_ask);
                        asked |= may_ask;
                    }
                    Happening::Message => prop_assert_eq!(session.joined().ok(), joined.then_some(PLACE)),
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
