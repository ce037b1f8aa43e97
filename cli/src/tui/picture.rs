//! The live screen with the next action drawn on it, in the way that this terminal shows pictures best.

use std::io::{Write as _, stdout};
use std::time::{Duration, Instant};

use freehand_agent::supervision::Intent;
use freehand_tools::geometry::{ScreenPoint, ScreenRect};
use freehand_tools::picture::sketch::Sketch;
use image::RgbImage;
use image::imageops::{FilterType, resize};
use ratatui::buffer::Buffer;
use ratatui::crossterm::cursor::{MoveTo, RestorePosition, SavePosition};
use ratatui::crossterm::queue;
use ratatui::crossterm::terminal::window_size;
use ratatui::layout::{Position, Rect};

use super::ability::{Way, ask};
use super::pixels;
use crate::console::{Screen, Viewer};

/// Between two pictures: a terminal, and the line to it, are slower than a page.
const PACE: Duration = Duration::from_millis(250);
/// Sides of a cell in px where the terminal does not tell.
const CELL: (u32, u32) = (9, 18);

/// See the module.
pub(super) struct Picture {
    viewer: Option<Viewer>,
    way: Way,
    sketch: Sketch,
    pixels: Option<RgbImage>,
    at: Option<Instant>,
    /// Where it is shown, and whether that is another picture than the one that is there.
    place: Option<Rect>,
    /// The cells that it covers, however it is shown, and the part of the screen that it is of.
    covers: Option<Rect>,
    bounds: Option<ScreenRect>,
    /// The room that it has.
    area: Option<Rect>,
    stale: bool,
    /// What else has to be sent before it: the old one goes, and what stood in its place.
    before: String,
}

impl Picture {
    /// Of `screen`, where there is one to be watched. The terminal is asked what it can.
    pub(super) fn of(screen: Option<&Screen>) -> Self {
        Self {
            way: if screen.is_some() { ask() } else { Way::Blocks },
            viewer: screen.map(Screen::viewer),
            sketch: Sketch::default(),
            pixels: None,
            at: None,
            place: None,
            covers: None,
            bounds: None,
            area: None,
            stale: false,
            before: String::new(),
        }
    }

    /// Whether there is a screen to be shown at all.
    pub(super) const fn is_shown(&self) -> bool {
        self.viewer.is_some()
    }

    /// Looks whether the screen or the action is another one.
    pub(super) fn look(&mut self, intent: Option<&Intent>) -> bool {
        let Some(viewer) = &mut self.viewer else { return false };
        let sketch = intent.map(sketch).unwrap_or_default();
        let due = self.at.is_none_or(|at| at.elapsed() >= PACE);
        if !(sketch != self.sketch || due && viewer.has_news()) {
            return false;
        }
        let (bounds, pixels) = viewer.picture();
        if pixels.width() == 0 {
            return false;
        }
        self.at = Some(Instant::now());
        self.bounds = Some(bounds);
        self.pixels = Some(sketch.draw(pixels, bounds));
        (self.sketch, self.stale) = (sketch, true);
        true
    }

    /// The pixel of the screen that is shown in the middle of a cell.
    pub(super) fn point(&self, column: u16, row: u16) -> Option<ScreenPoint> {
        let (covers, bounds) = (self.covers?, self.bounds?);
        if !covers.contains(Position::new(column, row)) {
            return None;
        }
        let along = |cell: u16, cells: u16, pixels: u32| {
            let middle = u64::from(cell) * 2 + 1;
            i32::try_from(middle * u64::from(pixels) / (u64::from(cells.max(1)) * 2)).unwrap_or(0)
        };
        let x = along(column - covers.x, covers.width, bounds.width);
        let y = along(row - covers.y, covers.height, bounds.height);
        let origin = bounds.origin();
        Some(ScreenPoint::new(origin.x.saturating_add(x), origin.y.saturating_add(y)))
    }

    /// Nothing of it is there any more.
    pub(super) fn forget(&mut self) {
        if self.place.take().is_some() && self.way == Way::Kitty {
            self.before.push_str(pixels::KITTY_GONE);
        }
        self.stale = true;
    }

    /// Puts it in `area` of what is being drawn; what is no text is left to [`Self::show`].
    pub(super) fn put(&mut self, area: Rect, buffer: &mut Buffer) {
        let Some(pixels) = &self.pixels else { return };
        let cell = if self.way == Way::Blocks { (1, 2) } else { cell() };
        let place = fit(pixels, area, cell);
        self.covers = Some(place);
        if self.way == Way::Blocks {
            let (width, height) = (u32::from(place.width).max(1), u32::from(place.height).max(1) * 2);
            pixels::blocks(&resize(pixels, width, height, FilterType::Triangle), place, buffer);
            return;
        }
        if (self.area, self.place) != (Some(area), Some(place)) {
            (self.area, self.place, self.stale) = (Some(area), Some(place), true);
            self.before.extend(area.rows().map(pixels::blank));
        }
        for position in area.positions() {
            if let Some(cell) = buffer.cell_mut(position) {
                cell.set_skip(true);
            }
        }
    }

    /// Sends it, where it is no text and another one than before.
    pub(super) fn show(&mut self) -> std::io::Result<()> {
        let mut out = stdout().lock();
        if !self.before.is_empty() {
            queue!(out, SavePosition)?;
            out.write_all(std::mem::take(&mut self.before).as_bytes())?;
            queue!(out, RestorePosition)?;
            out.flush()?;
        }
        let (Some(pixels), Some(place), true) = (&self.pixels, self.place, self.stale) else {
            return Ok(());
        };
        self.stale = false;
        let Rect { x, y, width, height } = place;
        let cell = cell();
        let small = |by: u32| {
            let (width, height) =
                (u32::from(width).max(1) * cell.0 * by, u32::from(height).max(1) * cell.1 * by);
            // No larger than it is: the terminal does that better.
            resize(pixels, width.min(pixels.width()), height.min(pixels.height()), FilterType::Triangle)
        };
        let sent = match self.way {
            Way::Blocks => None,
            Way::Kitty => pixels::kitty(&small(2), width, height),
            Way::Iterm2 => pixels::iterm2(&small(2), width, height),
            Way::Sixel => {
                let (width, height) =
                    (u32::from(width).max(1) * cell.0, u32::from(height).max(1) * cell.1);
                Some(pixels::sixel(&resize(pixels, width, height, FilterType::Triangle)))
            }
        };
        queue!(out, SavePosition, MoveTo(x, y))?;
        out.write_all(sent.unwrap_or_default().as_bytes())?;
        queue!(out, RestorePosition)?;
        out.flush()
    }
}

/// Sides of a cell in px.
fn cell() -> (u32, u32) {
    let Ok(all) = window_size() else { return CELL };
    let part = |px: u16, count: u16| u32::from(px).checked_div(u32::from(count)).filter(|px| *px > 0);
    part(all.width, all.columns).zip(part(all.height, all.rows)).unwrap_or(CELL)
}

/// The cells in `area` that a picture takes without being torn.
fn fit(picture: &RgbImage, area: Rect, (cell_width, cell_height): (u32, u32)) -> Rect {
    let (width, height) = (u64::from(picture.width().max(1)), u64::from(picture.height().max(1)));
    let room =
        (u64::from(area.width) * u64::from(cell_width), u64::from(area.height) * u64::from(cell_height));
    let (wide, high) = if room.0 * height <= room.1 * width {
        (room.0, room.0 * height / width)
    } else {
        (room.1 * width / height, room.1)
    };
    let cells = |px: u64, cell: u32, most: u16| {
        u16::try_from(px / u64::from(cell.max(1))).unwrap_or(most).clamp(1.min(most), most)
    };
    Rect::new(area.x, area.y, cells(wide, cell_width, area.width), cells(high, cell_height, area.height))
}

fn sketch(intent: &Intent) -> Sketch {
    Sketch { bounds: intent.bounds, at: intent.at, path: intent.path.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_the_pixel_in_its_middle() {
        let mut picture = Picture::of(None);
        picture.covers = Some(Rect::new(2, 1, 10, 5));
        picture.bounds = Some(ScreenRect::new(-100, 0, 1000, 500));
        assert_eq!(picture.point(2, 1), Some(ScreenPoint::new(-50, 50)));
        assert_eq!(picture.point(11, 5), Some(ScreenPoint::new(850, 450)));
        assert_eq!(picture.point(12, 5), None);
        assert_eq!(picture.point(1, 1), None);
    }

    #[test]
    fn a_picture_keeps_its_shape() {
        let picture = RgbImage::new(1000, 500);
        for (area, expected) in [
            (Rect::new(1, 1, 40, 40), Rect::new(1, 1, 40, 10)),
            (Rect::new(0, 0, 100, 10), Rect::new(0, 0, 40, 10)),
            (Rect::new(0, 0, 1, 1), Rect::new(0, 0, 1, 1)),
            (Rect::new(0, 0, 0, 0), Rect::new(0, 0, 0, 0)),
        ] {
            assert_eq!(fit(&picture, area, (1, 2)), expected);
        }
    }
}
