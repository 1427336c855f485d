//! What waits to be written to one connection.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::Bytes;

use crate::settings::GatewaySettings;

/// Frames in order, the first of them maybe half written. Takes no memory of its own while at most one frame waits.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    first: Option<Waiting>,
    rest: Rest,
    /// How much of the first frame is written.
    written: usize,
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
    pub fn memory(&self) -> usize {
        self.bytes + GatewaySettings::FRAME_OVERHEAD * (usize::from(self.first.is_some()) + self.rest.len())
    }

    /// The memory that a frame of so many bytes takes.
    pub const fn memory_of(frame: usize) -> usize {
        frame + GatewaySettings::FRAME_OVERHEAD
    }

    /// Whether all is written.
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

    /// Takes out the frames that can be missed, but never a half-written one.
    pub fn drop_what_can_be_missed(&mut self) {
        let bytes = &mut self.bytes;
        self.rest.retain(|waiting| {
            if waiting.can_be_missed {
                *bytes -= waiting.bytes.len();
            }
            !waiting.can_be_missed
        });
        if self.written == 0 && self.first.as_ref().is_some_and(|first| first.can_be_missed) {
            self.bytes -= self.first.take().map_or(0, |first| first.bytes.len());
            self.first = self.rest.pop_front();
        }
    }

    /// Takes out all frames but a half-written one.
    pub fn drop_all(&mut self) {
        self.rest = Rest::default();
        if self.written == 0 {
            self.first = None;
        }
        self.bytes = self.first.as_ref().map_or(0, |first| first.bytes.len() - self.written);
    }

    /// Points `slices` at what is to be written next; returns how many of them are used.
    pub fn slices<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let unwritten = self.first.iter().map(|first| &first.bytes[self.written..]);
        let all = unwritten.chain(self.rest.iter().map(|waiting| &waiting.bytes[..]));
        let mut used = 0;
        for (slice, bytes) in slices.iter_mut().zip(all) {
            *slice = IoSlice::new(bytes);
            used += 1;
        }
        used
    }

    /// So many bytes were written; at most what there was.
    pub fn wrote(&mut self, count: usize) {
        debug_assert!(count <= self.bytes, "more was written than there was");
        self.bytes -= count.min(self.bytes);
        self.written += count;
        while let Some(first) = &self.first
            && self.written >= first.bytes.len()
        {
            self.written -= first.bytes.len();
            self.first = self.rest.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn waiting(outbox: &Outbox) -> Vec<u8> {
        let mut slices = [IoSlice::new(&[]); 64];
        let used = outbox.slices(&mut slices);
        slices[..used].iter().flat_map(|slice| slice.iter().copied()).collect()
    }

    fn outbox(frames: &[(&'static str, bool)]) -> Outbox {
        let mut outbox = Outbox::default();
        for (frame, can_be_missed) in frames {
            outbox.push(Bytes::from_static(frame.as_bytes()), *can_be_missed);
        }
        outbox
    }

    #[test]
    fn only_what_can_be_missed_is_dropped() {
        let mut outbox = outbox(&[("lobby", true), ("question", false), ("lobby", true), ("close", false)]);
        outbox.drop_what_can_be_missed();
        assert_eq!(waiting(&outbox), b"questionclose");
        assert_eq!(outbox.bytes, 13);
    }

    #[test]
    fn a_half_written_frame_is_always_finished() {
        let mut outbox = outbox(&[("lobby", true), ("question", false)]);
        outbox.wrote(2);
        outbox.drop_what_can_be_missed();
        assert_eq!(waiting(&outbox), b"bbyquestion");
        outbox.drop_all();
        assert_eq!(waiting(&outbox), b"bby");
        assert_eq!(outbox.bytes, 3);
    }

    proptest! {
        #[test]
        fn however_it_is_written_the_bytes_come_out_in_order(
            frames in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..9), 0..20),
            steps in proptest::collection::vec(1_usize..12, 0..200),
        ) {
            let mut outbox = Outbox::default();
            for frame in &frames {
                outbox.push(frame.clone().into(), false);
            }
            let mut out = Vec::new();
            for step in steps {
                let bytes = waiting(&outbox);
                prop_assert_eq!(bytes.len(), outbox.bytes);
                prop_assert_eq!(outbox.is_empty(), outbox.memory() == 0);
                let count = step.min(bytes.len());
                out.extend_from_slice(&bytes[..count]);
                outbox.wrote(count);
            }
            out.extend(waiting(&outbox));
            prop_assert_eq!(out, frames.concat());
        }
    }
}
