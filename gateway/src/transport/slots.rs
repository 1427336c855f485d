//! Values by socket slot, for a reactor and its driver.

use super::driver::Slot;

/// Values by slot. Slots are small numbers that are reused, so this is an array.
pub(super) struct BySlot<T>(Vec<Option<T>>);

impl<T> Default for BySlot<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> BySlot<T> {
    /// Sets the value of a slot.
    pub fn put(&mut self, slot: Slot, thing: T) {
        if self.0.len() <= slot.index() {
            self.0.resize_with(slot.index() + 1, || None);
        }
        self.0[slot.index()] = Some(thing);
    }

    /// The value of a slot.
    pub fn get(&mut self, slot: Slot) -> Option<&mut T> {
        self.0.get_mut(slot.index())?.as_mut()
    }

    /// Upper bound (exclusive) of the slots in use.
    pub fn slots(&self) -> usize {
        self.0.len()
    }

    /// Removes and returns the value of a slot.
    pub fn take(&mut self, slot: Slot) -> Option<T> {
        self.0.get_mut(slot.index())?.take()
    }
}
