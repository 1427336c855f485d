//! Messages as WebSocket frames, each encoded once for all connections that are sent it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use klaxon_protocol::claim::{ClaimForm, Verdict};
use klaxon_protocol::codec::Codec;
use klaxon_protocol::error::{ErrorMessage, Refusal};
use klaxon_protocol::ids::{ClaimKey, RoundId, Seat, Seq};
use klaxon_protocol::link::{Broadcast, Personal, View};
use klaxon_protocol::player::ToPlayer;
use tungstenite::protocol::frame::Frame;
use tungstenite::protocol::frame::coding::{Data, OpCode};

/// Shapes of an event whose frames are cached for further players with the same shape. With more shapes, nearly every
/// player has a shape of its own, and a cache costs more than it saves.
const MAX_KEPT_SHAPES: usize = 1024;

/// Appends the message's frame.
pub(crate) fn append(codec: Codec, message: &ToPlayer, out: &mut Vec<u8>) {
    let kind = match codec {
        Codec::Json => Data::Text,
        Codec::Bincode => Data::Binary,
    };
    let frame = Frame::message(codec.encode(message), OpCode::Data(kind), true);
    out.reserve(frame.len());
    frame.format(out).expect("a Vec takes all that is written to it");
}

/// The message's frame.
pub(crate) fn frame(codec: Codec, message: &ToPlayer) -> Bytes {
    let mut out = Vec::new();
    append(codec, message, &mut out);
    out.into()
}

/// A refusal's frame.
pub(crate) fn refusal(codec: Codec, refusal: &Refusal) -> Bytes {
    frame(codec, &ToPlayer::Error(ErrorMessage::from(refusal)))
}

/// Bytes that are encoded at most once per codec.
#[derive(Default)]
pub(crate) struct PerCodec([OnceLock<Bytes>; 2]);

impl PerCodec {
    /// The bytes for the codec; `make` is called if there are none yet.
    pub fn get(&self, codec: Codec, make: impl FnOnce() -> Bytes) -> Bytes {
        let slot = match codec {
            Codec::Json => &self.0[0],
            Codec::Bincode => &self.0[1],
        };
        slot.get_or_init(make).clone()
    }
}

/// An event of a show with its frames, encoded at most once per codec and shape for all shards.
pub struct EncodedEvent {
    /// The part for all connections, if there is one.
    message: Option<ToPlayer>,
    seq: Option<Seq>,
    personal: Option<Arc<Personal>>,
    shared: PerCodec,
    /// By shape: the shared and the personal part together.
    whole: Box<[PerCodec]>,
}

impl EncodedEvent {
    /// The event, not encoded yet.
    pub fn new(broadcast: Broadcast) -> Self {
        Self::of(Some(broadcast.message), broadcast.personal)
    }

    /// A message for some seats only.
    pub fn personal_only(personal: Arc<Personal>) -> Self {
        Self::of(None, Some(personal))
    }

    fn of(message: Option<ToPlayer>, personal: Option<Arc<Personal>>) -> Self {
        let shapes = personal.as_ref().map_or(0, |personal| personal.shapes.len());
        let kept = if shapes > MAX_KEPT_SHAPES { 0 } else { shapes };
        Self {
            seq: message.as_ref().and_then(ToPlayer::seq),
            message,
            personal,
            shared: PerCodec::default(),
            whole: (0..kept).map(|_| PerCodec::default()).collect(),
        }
    }

    /// Its sequence number in the show; none if it may be missed.
    pub const fn seq(&self) -> Option<Seq> {
        self.seq
    }

    /// Whether it begins a round.
    pub const fn begins_round(&self) -> bool {
        matches!(&self.message, Some(message) if message.begins_round().is_some())
    }

    /// Whether a round is open after it; none if it does not change that.
    pub fn opens(&self) -> Option<bool> {
        self.message.as_ref()?.opens()
    }

    /// The bytes for a connection of this seat: the shared part, then the seat's personal part. Empty if there is
    /// neither.
    pub fn bytes(&self, codec: Codec, seat: Option<Seat>) -> Bytes {
        let shared = match &self.message {
            Some(message) => self.shared.get(codec, || frame(codec, message)),
            None => Bytes::new(),
        };
        let Some((shape, own)) = self.own(seat) else { return shared };
        let make = || {
            let mut out = shared.to_vec();
            append(codec, own, &mut out);
            out.into()
        };
        match self.whole.get(shape) {
            Some(kept) => kept.get(codec, make),
            None => make(),
        }
    }

    fn own(&self, seat: Option<Seat>) -> Option<(usize, &ToPlayer)> {
        let personal = self.personal.as_ref()?;
        let shape = personal.shape_of(seat?)?;
        Some((shape, personal.shapes.get(shape)?))
    }
}

/// The frame of the last snapshot, shared by all players who join before the next event.
#[derive(Default)]
pub(crate) struct SnapshotFrames {
    last: Option<(Arc<View>, PerCodec)>,
}

impl SnapshotFrames {
    /// The snapshot's frame.
    pub fn get(&mut self, codec: Codec, view: &Arc<View>) -> Bytes {
        let encode = || frame(codec, &view.message);
        if let Some((last, frames)) = &self.last
            && Arc::ptr_eq(last, view)
        {
            return frames.get(codec, encode);
        }
        let frames = PerCodec::default();
        let bytes = frames.get(codec, encode);
        self.last = Some((Arc::clone(view), frames));
        bytes
    }

    /// Frees the frame.
    pub fn forget(&mut self) {
        self.last = None;
    }
}

/// Cached reply frames: enough for a few rounds of several shows. Cleared at the limit, as clients can choose any round
/// number.
const MAX_REPLY_FRAMES: usize = 512;

/// The content of a reply: equal keys have equal bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ReplyKey {
    pub form: ClaimForm,
    pub round: RoundId,
    pub key: ClaimKey,
    pub verdict: Verdict,
}

/// Reply frames, shared by all answers with the same verdict.
#[derive(Default)]
pub(crate) struct ReplyFrames(HashMap<(ReplyKey, Codec), Bytes>);

impl ReplyFrames {
    /// The frame of this reply.
    pub fn get(&mut self, reply: ReplyKey, codec: Codec) -> Bytes {
        if self.0.len() >= MAX_REPLY_FRAMES {
            self.0.clear();
        }
        let entry = self.0.entry((reply, codec));
        let (ReplyKey { form, round, key, verdict }, codec) = entry.key();
        let bytes = match entry {
            Entry::Occupied(ref kept) => return kept.get().clone(),
            Entry::Vacant(_) => frame(*codec, &ToPlayer::reply(*form, *round, *key, verdict)),
        };
        entry.or_insert(bytes).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use klaxon_protocol::error::ErrorCode;
    use klaxon_protocol::games::trivia::{Choice, Outcome, PlayerResult, Reveal};
    use klaxon_protocol::ids::ShowId;
    use klaxon_protocol::time::Millis;

    fn result(score: u32) -> ToPlayer {
        ToPlayer::Result(PlayerResult {
            question: RoundId(1),
            outcome: Outcome::Right,
            alive: true,
            lives: 0,
            gained: score,
            score,
            rank: 1,
        })
    }

    fn reveal(shapes: Vec<ToPlayer>, by_seat: Vec<u32>) -> Broadcast {
        let message = ToPlayer::Reveal(Reveal {
            seq: Seq(3),
            at: Millis(9),
            question: RoundId(1),
            right: Choice(0),
            counts: vec![1, 2],
            silent: 0,
            alive: 3,
        });
        Broadcast { show: ShowId(1), message, personal: Some(Arc::new(Personal { shapes, by_seat })) }
    }

    #[test]
    fn what_is_for_some_seats_only_is_nothing_for_all_others() {
        let personal = Personal { shapes: vec![result(10)], by_seat: vec![Personal::NONE, 0] };
        let event = EncodedEvent::personal_only(Arc::new(personal));
        assert_eq!(event.seq(), None);
        assert_eq!(event.opens(), None);
        for codec in Codec::ALL {
            assert_eq!(event.bytes(codec, Some(Seat(1))), frame(codec, &result(10)));
            for seat in [Some(Seat(0)), Some(Seat(2)), None] {
                assert!(event.bytes(codec, seat).is_empty(), "{seat:?}");
            }
        }
    }

    #[test]
    fn each_seat_gets_the_shared_part_and_then_its_own() {
        for codec in Codec::ALL {
            let broadcast = reveal(vec![result(10), result(20)], vec![1, 0, Personal::NONE]);
            let shared = frame(codec, &broadcast.message).to_vec();
            let with = |own: &ToPlayer| [&shared[..], &frame(codec, own)[..]].concat();
            let event = EncodedEvent::new(broadcast);
            assert_eq!(event.bytes(codec, Some(Seat(0))), with(&result(20)));
            assert_eq!(event.bytes(codec, Some(Seat(1))), with(&result(10)));
            for nothing_own in [Some(Seat(2)), Some(Seat(3)), None] {
                assert_eq!(event.bytes(codec, nothing_own), shared);
            }
        }
    }

    #[test]
    fn players_who_get_the_same_get_the_very_same_bytes() {
        let event = EncodedEvent::new(reveal(vec![result(10)], vec![0, 0]));
        let (one, two) = (event.bytes(Codec::Json, Some(Seat(0))), event.bytes(Codec::Json, Some(Seat(1))));
        assert_eq!(one.as_ptr(), two.as_ptr());
    }

    #[test]
    fn a_shape_that_is_not_there_is_no_part() {
        let event = EncodedEvent::new(reveal(vec![], vec![7]));
        assert_eq!(event.bytes(Codec::Json, Some(Seat(0))), event.bytes(Codec::Json, None));
    }

    #[test]
    fn very_many_shapes_are_made_right_though_not_kept() {
        let many = u32::try_from(MAX_KEPT_SHAPES).unwrap() + 1;
        let event = EncodedEvent::new(reveal((0..many).map(result).collect(), (0..many).collect()));
        let bytes = event.bytes(Codec::Bincode, Some(Seat(many - 1)));
        assert!(bytes.ends_with(&frame(Codec::Bincode, &result(many - 1))));
    }

    #[test]
    fn reply_frames_are_shared_and_never_too_many() {
        let mut frames = ReplyFrames::default();
        let reply = |round, verdict| ReplyKey { form: ClaimForm::Answer, round, key: ClaimKey(0), verdict };
        let accepted = reply(RoundId(1), Verdict::Accepted(Choice(1).into()));
        let one = frames.get(accepted.clone(), Codec::Json);
        assert_eq!(one.as_ptr(), frames.get(accepted.clone(), Codec::Json).as_ptr());
        let claimed = frames.get(ReplyKey { form: ClaimForm::Claim, ..accepted }, Codec::Json);
        assert_ne!(one, claimed, "each by its own message");
        for round in 0..u16::MAX {
            frames.get(reply(RoundId(round), Verdict::Refused(ErrorCode::NotInPlay)), Codec::Bincode);
        }
        assert!(frames.0.len() <= MAX_REPLY_FRAMES);
    }
}
