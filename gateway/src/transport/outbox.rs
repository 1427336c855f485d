//! What waits to be written to one connection.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::settings::GatewaySettings;

/// Frames in order. The first is lent to the socket's driver until the kernel has it. Takes no memory of its own while at most one
/// frame waits.
#[derive(Debug, Default)]
pub struct Outbox {
    first: Option<Waiting>,
    rest: Rest,
    /// How long the frame is that is lent out, 0 if none is.
    lent: usize,
    /// How much is not written, over all frames.
    bytes: usize,
}

#[derive(Debug)]
struct Waiting {
    bytes: Bytes,
    can_be_missed: bool,
}

/// The frames behind the first, in a queue that is there only while there are any: nearly always there are none.
#[derive(Debug, Default)]
#[expect(clippy::box_collection, reason = "a million players have none, and the queue itself is four words")]
struct Rest(Option<Box<VecDeque<Waiting>>>);

impl Rest {
    fn len(&self) -> usize {
        self.iter().len()
    }

    fn iter(&self) -> std::collections::vec_deque::Iter<'_, Waiting> {
        self.0.as_deref().map_or_else(Default::default, VecDeque::iter)
    }

    fn push_back(&mut self, waiting: Waiting) {
        self.0.get_or_insert_default().push_back(waiting);
    }

    fn pop_front(&mut self) -> Option<Waiting> {
        let waiting = self.0.as_mut()?.pop_front();
        self.forget_if_empty();
        waiting
    }

    fn retain(&mut self, keep: impl FnMut(&Waiting) -> bool) {
        if let Some(rest) = &mut self.0 {
            rest.retain(keep);
        }
        self.forget_if_empty();
    }

    fn forget_if_empty(&mut self) {
        if self.len() == 0 {
            self.0 = None;
        }
    }
}

impl Outbox {
    /// The memory that is held for this connection: a small frame takes more than its bytes.
    #[must_use]
    pub fn memory(&self) -> usize {
        let frames = usize::from(self.lent > 0) + usize::from(self.first.is_some()) + self.rest.len();
        self.bytes + GatewaySettings::FRAME_OVERHEAD * frames
    }

    /// The memory that a frame of so many bytes takes.
    #[must_use]
    pub const fn memory_of(frame: usize) -> usize {
        frame + GatewaySettings::FRAME_OVERHEAD
    }

    /// Whether all is written.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Appends a frame.
    pub fn push(&mut self, bytes: Bytes, can_be_missed: bool) {
        if bytes.is_empty() {
            return;
        }
        self.bytes += bytes.len();
        let waiting = Waiting { bytes, can_be_missed };
        if self.first.is_none() {
            self.first = Some(waiting);
        } else {
            self.rest.push_back(waiting);
        }
    }

    /// Lends the next frame out, if the one before was written.
    pub fn lend(&mut self) -> Option<Bytes> {
        if self.lent > 0 {
            return None;
        }
        let Waiting { bytes, .. } = self.first.take()?;
        self.first = self.rest.pop_front();
        self.lent = bytes.len();
        Some(bytes)
    }

    /// The frame that was lent is written.
    pub fn wrote(&mut self) {
        self.bytes -= std::mem::take(&mut self.lent).min(self.bytes);
    }

    /// Takes out the frames that can be missed, but none that is being written.
    pub fn drop_what_can_be_missed(&mut self) {
        let bytes = &mut self.bytes;
        self.rest.retain(|waiting| {
            if waiting.can_be_missed {
                *bytes -= waiting.bytes.len();
            }
            !waiting.can_be_missed
        });
        if self.first.as_ref().is_some_and(|first| first.can_be_missed) {
            self.bytes -= self.first.take().map_or(0, |first| first.bytes.len());
            self.first = self.rest.pop_front();
        }
    }

    /// Takes out all frames but one that is being written.
    pub fn drop_all(&mut self) {
        (self.first, self.rest) = (None, Rest::default());
        self.bytes = self.lent;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn outbox(frames: &[(&'static str, bool)]) -> Outbox {
        let mut outbox = Outbox::default();
        for (frame, can_be_missed) in frames {
            outbox.push(Bytes::from_static(frame.as_bytes()), *can_be_missed);
        }
        outbox
    }

    /// All that is lent, one frame after the other.
    fn written(outbox: &mut Outbox) -> Vec<u8> {
        let mut out = Vec::new();
        while let Some(frame) = outbox.lend() {
            out.extend_from_slice(&frame);
            outbox.wrote();
        }
        out
    }

    #[test]
    fn only_what_can_be_missed_is_dropped() {
        let mut outbox = outbox(&[("lobby", true), ("question", false), ("lobby", true), ("close", false)]);
        outbox.drop_what_can_be_missed();
        assert_eq!(outbox.bytes, 13);
        assert_eq!(written(&mut outbox), b"questionclose");
        assert!(outbox.is_empty());
    }

    #[test]
    fn a_frame_that_is_being_written_is_never_dropped_and_counts_until_it_is_written() {
        let mut outbox = outbox(&[("lobby", true), ("lobby", true), ("question", false)]);
        assert_eq!(outbox.lend().unwrap(), "lobby");
        assert_eq!(outbox.lend(), None);
        outbox.drop_what_can_be_missed();
        assert_eq!(outbox.bytes, 13);
        outbox.drop_all();
        assert_eq!(outbox.memory(), Outbox::memory_of(5));
        outbox.wrote();
        assert!(outbox.is_empty());
        assert_eq!(outbox.memory(), 0);
    }

    proptest! {
        #[test]
        fn the_frames_come_out_in_order_whenever_they_are_put_in(
            frames in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..9), 0..20),
            steps in proptest::collection::vec(any::<bool>(), 0..60),
        ) {
            let (mut outbox, mut out, mut put_in) = (Outbox::default(), Vec::new(), frames.iter());
            for step in steps {
                if step {
                    put_in.next().into_iter().for_each(|frame| outbox.push(frame.clone().into(), false));
                } else if let Some(frame) = outbox.lend() {
                    out.push(frame.to_vec());
                    outbox.wrote();
                }
                prop_assert_eq!(outbox.is_empty(), outbox.memory() == 0);
            }
            put_in.for_each(|frame| outbox.push(frame.clone().into(), false));
            while let Some(frame) = outbox.lend() {
                out.push(frame.to_vec());
                outbox.wrote();
            }
            prop_assert_eq!(out, frames);
        }
    }
}
