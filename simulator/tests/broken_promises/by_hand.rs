//! Breaks written into a show by hand, promise by promise.
