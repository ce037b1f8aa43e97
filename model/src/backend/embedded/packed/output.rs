//! Where products go: rows of floats of which several threads fill different columns at a time.

use std::marker::PhantomData;

/// Rows of `width` columns.
pub(super) struct Columns<'a> {
    start: *mut f32,
    rows: usize,
    width: usize,
    out: PhantomData<&'a mut [f32]>,
}

#[expect(unsafe_code, reason = "several threads write different columns")]
// SAFETY: `put` is the only access, and each thread puts columns of its own.
unsafe impl Sync for Columns<'_> {}
#[expect(unsafe_code, reason = "several threads write different columns")]
// SAFETY: as above.
unsafe impl Send for Columns<'_> {}

impl<'a> Columns<'a> {
    pub(super) fn new(out: &'a mut [f32], width: usize) -> Self {
        let rows = out.len() / width.max(1);
        Self { start: out.as_mut_ptr(), rows, width, out: PhantomData }
    }

    /// Writes `values` into `row` from the column `first` on; what lies beyond the last is dropped.
    pub(super) fn put(&self, row: usize, first: usize, values: &[f32]) {
        if row >= self.rows || first >= self.width {
            return;
        }
        let count = values.len().min(self.width - first);
        let at = self.start.wrapping_add(row * self.width + first);
        #[expect(unsafe_code, reason = "several threads write different columns")]
        // SAFETY: the range lies in the row, which lies in the slice that `self` borrows. Each tile is
        // given to one thread, and its columns are written by nobody else.
        unsafe {
            std::ptr::copy_nonoverlapping(values.as_ptr(), at, count);
        }
    }
}
