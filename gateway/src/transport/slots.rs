//! What a reactor and its driver keep of each socket, by the socket's slot.

use super::driver::Slot;

/// Things by slot. Slots are small numbers that are used again, so this is an array.
pub(super) struct BySlot<T>(Vec<Option<T>>);

impl<T> Default for BySlot<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> BySlot<T> {
    /// Puts a thing into a slot.
    pub fn put(&mut self, slot: Slot, thing: T) {
        if self.0.len() <= slot.index() {
            self.0.resize_with(slot.index() + 1, || None);
        }
        self.0[slot.index()] = Some(thing);
    }

    /// What is in a slot.
    pub fn get(&mut self, slot: Slot) -> Option<&mut T> {
        self.0.get_mut(slot.index())?.as_mut()
    }

    /// All slots are below this.
    pub fn slots(&self) -> usize {
        self.0.len()
    }

    /// Takes out what is in a slot.
    pub fn take(&mut self, slot: Slot) -> Option<T> {
        self.0.get_mut(slot.index())?.take()
    }
}
