//! Where the numbers of the list come from. Elements are found in more than one way, and a number is
//! given once, whoever asks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::element::ElementId;

/// Gives numbers. All copies of one give from the same numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct Counter(Arc<AtomicU32>);

impl Counter {
    /// A number that was not given before.
    pub(super) fn next(&self) -> ElementId {
        let last = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_add(1));
        ElementId(last.map_or(u32::MAX, |last| last + 1))
    }
}
