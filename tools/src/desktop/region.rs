//! What is read: the parts of the windows that no element explains, where something is drawn, and where
//! it is not as it was. Everything is counted in small square cells, so that a letter's breadth decides
//! and not a whole window.

use image::RgbImage;

use crate::desktop::area::{Area, AreaKind};
use crate::element::{Element, Role, Window, WindowId};
use crate::frame::Frame;
use crate::geometry::{Rect, ScreenRect};

/// The side of a cell in px.
const CELL: u32 = 8;
/// By how many px an element explains more than its bounds: its border and its shadow.
const BORDER: u32 = 3;
/// Steps of a channel by which two neighbouring pixels differ where something is drawn.
const EDGE: u8 = 24;
/// Cells of the smallest thing that may be a text.
const LEAST: usize = 2;
/// More parts than this are taken together line by line.
const MOST: usize = 40;
/// Two parts are one when together they have at most so many hundredths of the cells of both.
const WASTE: usize = 130;
/// Sides in px up to which a named picture explains what is drawn in it: an icon.
const ICON: u32 = 48;

/// Whether an element explains what is drawn where it is.
type Explains<'a> = &'a dyn Fn(&Element) -> bool;
/// Takes out of a window's cells what is not looked at.
type Limits<'a> = &'a dyn Fn(&Window, &mut Cells);

/// A set of the cells of a picture.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Cells {
    columns: usize,
    rows: usize,
    marked: Vec<bool>,
}

/// Columns and rows of cells: from, from, to, to.
type Span = (usize, usize, usize, usize);

impl Cells {
    fn of(frame: &Frame) -> Self {
        let count = |side: u32| side.div_ceil(CELL) as usize;
        let (columns, rows) = (count(frame.pixels().width()), count(frame.pixels().height()));
        Self { columns, rows, marked: vec![false; columns * rows] }
    }

    /// The cells that differ in the two pictures, and all where these show different things.
    pub(super) fn changed(before: Option<&Frame>, now: &Frame) -> Self {
        let mut cells = Self::of(now);
        let Some(before) = before.filter(|before| before.bounds() == now.bounds()) else {
            cells.marked.fill(true);
            return cells;
        };
        let stride = now.pixels().width() as usize * 3;
        let rows = now.pixels().as_raw().chunks_exact(stride.max(1));
        let old = before.pixels().as_raw().chunks_exact(stride.max(1));
        for (y, (new, old)) in rows.zip(old).enumerate().filter(|(_, (new, old))| new != old) {
            let pieces = new.chunks(CELL as usize * 3).zip(old.chunks(CELL as usize * 3));
            for (column, _) in pieces.enumerate().filter(|(_, (new, old))| new != old) {
                cells.mark_one(column, y / CELL as usize, true);
            }
        }
        cells
    }

    /// The cells in which something is drawn like a text that no element explains, in the windows that
    /// show; and no area that the list says otherwise.
    pub(super) fn unexplained(
        frame: &Frame,
        (windows, areas): (&[Window], &[Area]),
        elements: &[Element],
    ) -> Self {
        let said = |window: &Window, cells: &mut Self| {
            let said = |area: &&Area| matches!(area.kind, AreaKind::Ruler | AreaKind::Echo);
            for area in areas.iter().filter(|area| area.window == window.id).filter(said) {
                cells.mark(frame, &wider(&area.bounds), false);
            }
        };
        Self::drawn(frame, windows, elements, (&explains, &said), &is_written)
    }

    /// The same with an edge in them, however straight it is, by what `explains` says; `limit` clears
    /// what is not looked at of a window.
    pub(super) fn edges(
        frame: &Frame,
        windows: &[Window],
        elements: &[Element],
        explains: &dyn Fn(&Element) -> bool,
        limit: &dyn Fn(&Window, &mut Self),
    ) -> Self {
        Self::drawn(frame, windows, elements, (explains, limit), &has_edge)
    }

    fn drawn(
        frame: &Frame,
        windows: &[Window],
        elements: &[Element],
        (explains, limit): (Explains<'_>, Limits<'_>),
        is_drawn: &dyn Fn(&RgbImage, usize, usize) -> bool,
    ) -> Self {
        let mut cells = Self::of(frame);
        let clear = |window: Option<WindowId>, cells: &mut Self| {
            let own = elements.iter().filter(|element| element.window == window);
            for element in own.filter(|element| explains(element)) {
                cells.mark(frame, &wider(&element.bounds), false);
            }
        };
        // From the back to the front: what a window in front hides explains nothing.
        for window in windows.iter().rev() {
            cells.mark(frame, &window.bounds, true);
            clear(Some(window.id), &mut cells);
            limit(window, &mut cells);
        }
        clear(None, &mut cells);
        for row in 0..cells.rows {
            for column in 0..cells.columns {
                let drawn = cells.has(column, row) && is_drawn(frame.pixels(), column, row);
                cells.mark_one(column, row, drawn);
            }
        }
        cells
    }

    fn mark_one(&mut self, column: usize, row: usize, mark: bool) {
        if column < self.columns
            && let Some(cell) = self.marked.get_mut(row * self.columns + column)
        {
            *cell = mark;
        }
    }

    /// Marks or clears every cell that `part` of the screen touches.
    pub(super) fn mark(&mut self, frame: &Frame, part: &ScreenRect, mark: bool) {
        let Some((left, top, right, bottom)) = self.span(frame, part) else { return };
        for row in top..bottom {
            for column in left..right {
                self.mark_one(column, row, mark);
            }
        }
    }

    fn has(&self, column: usize, row: usize) -> bool {
        column < self.columns && self.marked.get(row * self.columns + column).copied().unwrap_or(false)
    }

    /// Whether one of the cells that `part` of the screen touches is marked.
    pub(super) fn touches(&self, frame: &Frame, part: &ScreenRect) -> bool {
        let Some((left, top, right, bottom)) = self.span(frame, part) else { return false };
        (top..bottom).any(|row| (left..right).any(|column| self.has(column, row)))
    }

    fn span(&self, frame: &Frame, part: &ScreenRect) -> Option<Span> {
        let shown = part.intersect(&frame.bounds())?;
        let origin = frame.bounds().origin();
        let cell = |v: i32| usize::try_from(v).ok().map(|v| v / CELL as usize);
        let (left, top) = (cell(shown.x - origin.x)?, cell(shown.y - origin.y)?);
        let (right, bottom) =
            (cell(shown.right() - 1 - origin.x)?, cell(shown.bottom() - 1 - origin.y)?);
        Some((left, top, (right + 1).min(self.columns), (bottom + 1).min(self.rows)))
    }

    /// These without the others.
    pub(super) fn without(mut self, others: &Self) -> Self {
        if (self.columns, self.rows) == (others.columns, others.rows) {
            for (cell, other) in self.marked.iter_mut().zip(&others.marked) {
                *cell &= !other;
            }
        }
        self
    }

    /// Leaves of the cells in `whole` only those in one of `parts`.
    pub(super) fn keep_within(&mut self, frame: &Frame, whole: &ScreenRect, parts: &[ScreenRect]) {
        let mut kept = Self::of(frame);
        for part in parts {
            kept.mark(frame, part, true);
        }
        let Some((left, top, right, bottom)) = self.span(frame, whole) else { return };
        for row in top..bottom {
            for column in left..right {
                let stays = self.has(column, row) && kept.has(column, row);
                self.mark_one(column, row, stays);
            }
        }
    }

    /// Those of a part of the picture, as [`Self::parts`] gives it.
    pub(super) fn within(&self, frame: &Frame, part: &Frame) -> Self {
        let mut inside = Self::of(part);
        let Some((left, top, _, _)) = self.span(frame, &part.bounds()) else { return inside };
        for row in 0..inside.rows {
            for column in 0..inside.columns {
                let marked = self.has(left + column, top + row);
                inside.mark_one(column, row, marked);
            }
        }
        inside
    }

    /// One byte for each cell.
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.marked.iter().map(|marked| u8::from(*marked)).collect()
    }

    /// What tells these cells of `image`, and the pixels in them and in those around them, from others.
    pub(super) fn digest(&self, image: &RgbImage) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&image.width().to_le_bytes()).update(&self.bytes());
        let (cell, stride) = (CELL as usize, (image.width() as usize * 3).max(1));
        for (band, row) in image.as_raw().chunks(stride * cell).zip(0_usize..) {
            let around = |at: usize| at.saturating_sub(1)..=at + 1;
            let is_near = |column: &usize| around(row).any(|y| around(*column).any(|x| self.has(x, y)));
            let near: Vec<usize> = (0..self.columns).filter(is_near).collect();
            let spans: Vec<&[usize]> = near.chunk_by(|left, right| left + 1 == *right).collect();
            for line in band.chunks_exact(stride) {
                for span in &spans {
                    let from = span.first().map_or(0, |column| column * cell * 3);
                    let to = (from + span.len() * cell * 3).min(stride);
                    hasher.update(line.get(from..to).unwrap_or_default());
                }
            }
        }
        hasher.finalize()
    }

    /// No cell at all, of the same picture.
    pub(super) fn none(frame: &Frame) -> Self {
        Self::of(frame)
    }

    /// The parts of the screen that hold the marked cells, each with a margin.
    pub(super) fn parts(&self, frame: &Frame) -> Vec<ScreenRect> {
        let mut spans = self.clumps();
        merge(&mut spans);
        if spans.len() > MOST {
            spans.sort_by_key(|span| span.1);
            let all = std::mem::take(&mut spans);
            for span in all {
                match spans.last_mut() {
                    Some(last) if span.1 <= last.3 => *last = union(last, &span),
                    _ => spans.push(span),
                }
            }
        }
        let origin = frame.bounds().origin();
        let px = |v: usize| i32::try_from(v * CELL as usize).unwrap_or(i32::MAX);
        let rect = |(left, top, right, bottom): Span| {
            let part: ScreenRect = Rect::new(
                origin.x.saturating_add(px(left)),
                origin.y.saturating_add(px(top)),
                px(right - left).unsigned_abs(),
                px(bottom - top).unsigned_abs(),
            );
            part.intersect(&frame.bounds())
        };
        spans.into_iter().filter_map(rect).collect()
    }

    /// What hangs together, over a gap of one cell as well, with one cell around it.
    fn clumps(&self) -> Vec<Span> {
        let mut left = self.clone();
        let mut found = Vec::new();
        for row in 0..self.rows {
            for column in 0..self.columns {
                if !left.has(column, row) {
                    continue;
                }
                let (mut span, mut count) = ((column, row, column + 1, row + 1), 0);
                let mut open = vec![(column, row)];
                left.mark_one(column, row, false);
                while let Some((x, y)) = open.pop() {
                    count += 1;
                    span = union(&span, &(x, y, x + 1, y + 1));
                    for ny in y.saturating_sub(2)..=y + 2 {
                        for nx in x.saturating_sub(2)..=x + 2 {
                            if left.has(nx, ny) {
                                left.mark_one(nx, ny, false);
                                open.push((nx, ny));
                            }
                        }
                    }
                }
                if count >= LEAST {
                    let (x, y) = (span.0.saturating_sub(1), span.1.saturating_sub(1));
                    found.push((x, y, (span.2 + 1).min(self.columns), (span.3 + 1).min(self.rows)));
                }
            }
        }
        found
    }
}

fn union(a: &Span, b: &Span) -> Span {
    (a.0.min(b.0), a.1.min(b.1), a.2.max(b.2), a.3.max(b.3))
}

/// Takes together what overlaps, and what costs hardly more together.
fn merge(spans: &mut Vec<Span>) {
    let area = |span: &Span| (span.2 - span.0) * (span.3 - span.1);
    let mut at = 0;
    while at < spans.len() {
        let Some(&span) = spans.get(at) else { break };
        let fits =
            |other: &Span| area(&union(&span, other)) * 100 <= (area(&span) + area(other)) * WASTE;
        match spans.iter().skip(at + 1).position(fits) {
            Some(found) => {
                let other = spans.swap_remove(at + 1 + found);
                if let Some(span) = spans.get_mut(at) {
                    *span = union(span, &other);
                }
                at = 0;
            }
            None => at += 1,
        }
    }
}

fn wider(bounds: &ScreenRect) -> ScreenRect {
    Rect::new(
        bounds.x.saturating_sub_unsigned(BORDER),
        bounds.y.saturating_sub_unsigned(BORDER),
        bounds.width.saturating_add(2 * BORDER),
        bounds.height.saturating_add(2 * BORDER),
    )
}

/// Whether neither all rows nor all columns of the cell are alike, with an edge somewhere.
fn is_written(image: &RgbImage, column: usize, row: usize) -> bool {
    let (along, down) = edges(image, column, row, 0);
    along && down
}

/// Whether there is an edge in the cell, or to the next one.
fn has_edge(image: &RgbImage, column: usize, row: usize) -> bool {
    let (along, down) = edges(image, column, row, 1);
    along || down
}

/// Whether neighbours in a row of the cell and of so many pixels beyond it differ, and those in a column.
fn edges(image: &RgbImage, column: usize, row: usize, beyond: usize) -> (bool, bool) {
    const PIXEL: usize = 3;
    let (cell, stride) = (CELL as usize, image.width() as usize * PIXEL);
    let (from, to) = (column * cell * PIXEL, ((column + 1) * cell + beyond) * PIXEL);
    let line = |y: usize| image.as_raw().get(y * stride + from..y * stride + to.min(stride));
    let (mut along, mut down) = (false, false);
    let mut above: Option<&[u8]> = None;
    for line in (row * cell..(row + 1) * cell + beyond).map_while(line) {
        along = along || line.get(PIXEL..).is_some_and(|next| differ(line, next));
        down = down || above.is_some_and(|above| differ(above, line));
        if along && down {
            break;
        }
        above = Some(line);
    }
    (along, down)
}

/// Whether two pieces of rows differ anywhere by more than an edge, as far as both reach. Every byte is looked
/// at, which takes less time than to stop at the first.
fn differ(a: &[u8], b: &[u8]) -> bool {
    a.iter().zip(b).fold(false, |any, (a, b)| any | (a.abs_diff(*b) > EDGE))
}

/// Whether the tree says of it what is drawn there.
pub(super) fn explains(element: &Element) -> bool {
    let Rect { width, height, .. } = element.bounds;
    if element.is_protected() || element.role.takes_text() {
        return true;
    }
    if element.name.is_empty() {
        return element.value.is_some();
    }
    match element.role {
        Role::Group
        | Role::Document
        | Role::Frame
        | Role::Dialog
        | Role::Table
        | Role::List
        | Role::Menu
        | Role::Other
        | Role::Scrollbar => false,
        Role::Image | Role::Clickable => width <= ICON && height <= ICON,
        Role::Button
        | Role::Checkbox
        | Role::Radio
        | Role::Toggle
        | Role::Link
        | Role::Textbox
        | Role::Password
        | Role::Moment
        | Role::Dropdown
        | Role::Option
        | Role::ListItem
        | Role::MenuItem
        | Role::Tab
        | Role::Slider
        | Role::Spinner
        | Role::Cell
        | Role::Header
        | Role::TreeItem
        | Role::Heading
        | Role::Text
        | Role::Progress => true,
    }
}

#[cfg(test)]
mod tests;
