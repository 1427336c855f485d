//! The outbox: frames that wait to be written to one connection.

use std::collections::VecDeque;

use bytes::Bytes;

/// Frames in order. The first one is lent to the socket's driver until the kernel has taken it. Allocates nothing while
/// at most one frame waits.
#[derive(Debug, Default)]
pub struct Outbox {
    first: Option<QueuedFrame>,
    rest: Rest,
    /// The length of the frame that is lent, in bytes; 0 if none is.
    lent: usize,
    /// Unwritten bytes, over all frames.
    bytes: usize,
}

#[derive(Debug)]
struct QueuedFrame {
    bytes: Bytes,
    droppable: bool,
}

/// The frames after the first one. The queue exists only while there are any, which is rare.
#[derive(Debug, Default)]
#[expect(clippy::box_collection, reason = "a million players have none, and the queue itself is four words")]
struct Rest(Option<Box<VecDeque<QueuedFrame>>>);

impl Rest {
    fn len(&self) -> usize {
        self.iter().len()
    }

    fn iter(&self) -> std::collections::vec_deque::Iter<'_, QueuedFrame> {
        self.0.as_deref().map_or_else(Default::default, VecDeque::iter)
    }

    fn push_back(&mut self, frame: QueuedFrame) {
        self.0.get_or_insert_default().push_back(frame);
    }

    fn pop_front(&mut self) -> Option<QueuedFrame> {
        let frame = self.0.as_mut()?.pop_front();
        self.forget_if_empty();
        frame
    }

    fn retain(&mut self, keep: impl FnMut(&QueuedFrame) -> bool) {
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
    /// The overhead of a frame, in bytes: its entry in the queue, and the allocator's header.
    pub const FRAME_OVERHEAD: usize = 96;

    /// The memory that the queued frames take, in bytes, overhead included.
    #[must_use]
    pub fn memory(&self) -> usize {
        let frames = usize::from(self.lent > 0) + usize::from(self.first.is_some()) + self.rest.len();
        self.bytes + Self::FRAME_OVERHEAD * frames
    }

    /// The memory that a frame of this size takes, in bytes.
    #[must_use]
    pub const fn memory_of(frame: usize) -> usize {
        frame + Self::FRAME_OVERHEAD
    }

    /// Whether everything is written.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Appends a frame.
    pub fn push(&mut self, bytes: Bytes, droppable: bool) {
        if bytes.is_empty() {
            return;
        }
        self.bytes += bytes.len();
        let frame = QueuedFrame { bytes, droppable };
        if self.first.is_none() {
            self.first = Some(frame);
        } else {
            self.rest.push_back(frame);
        }
    }

    /// Lends the next frame, unless the one before is still lent.
    pub fn lend(&mut self) -> Option<Bytes> {
        if self.lent > 0 {
            return None;
        }
        let QueuedFrame { bytes, .. } = self.first.take()?;
        self.first = self.rest.pop_front();
        self.lent = bytes.len();
        Some(bytes)
    }

    /// Called when the lent frame is written.
    pub fn wrote(&mut self) {
        self.bytes -= std::mem::take(&mut self.lent).min(self.bytes);
    }

    /// Drops the droppable frames, except one that is being written.
    pub fn drop_droppable(&mut self) {
        let bytes = &mut self.bytes;
        self.rest.retain(|frame| {
            if frame.droppable {
                *bytes -= frame.bytes.len();
            }
            !frame.droppable
        });
        if self.first.as_ref().is_some_and(|first| first.droppable) {
            self.bytes -= self.first.take().map_or(0, |first| first.bytes.len());
            self.first = self.rest.pop_front();
        }
    }

    /// Drops all frames except one that is being written.
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
        for (frame, droppable) in frames {
            outbox.push(Bytes::from_static(frame.as_bytes()), *droppable);
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
    fn only_droppable_frames_are_dropped() {
        let mut outbox = outbox(&[("lobby", true), ("question", false), ("lobby", true), ("close", false)]);
        outbox.drop_droppable();
        assert_eq!(outbox.bytes, 13);
        assert_eq!(written(&mut outbox), b"questionclose");
        assert!(outbox.is_empty());
    }

    #[test]
    fn a_frame_that_is_being_written_is_never_dropped_and_counts_until_it_is_written() {
        let mut outbox = outbox(&[("lobby", true), ("lobby", true), ("question", false)]);
        assert_eq!(outbox.lend().unwrap(), "lobby");
        assert_eq!(outbox.lend(), None);
        outbox.drop_droppable();
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
