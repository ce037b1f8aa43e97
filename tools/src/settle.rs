//! Waits until the screen is quiet, and no longer. A fixed sleep is too long on most steps and too
//! short on some; here the pixels say when an application has finished reacting.
//!
//! A program that is busy draws nothing either, so the one with the keyboard must answer before the screen counts as
//! quiet. A blinking caret or a clock changes a small patch again and again and is ignored; a page that
//! never rests is left after a cap.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::desktop::{Desktop, DesktopError};
use crate::frame::Frame;
use crate::geometry::{Rect, ScreenRect};

/// How patient [`settle`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// How long an application may take to begin to react.
    pub reaction: Duration,
    /// How long nothing may change for the screen to count as quiet.
    pub quiet: Duration,
    /// When it is given up.
    pub cap: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            reaction: Duration::from_millis(160),
            quiet: Duration::from_millis(100),
            cap: Duration::from_millis(2500),
        }
    }
}

/// How the screen came to rest.
#[derive(Debug, Clone)]
pub struct Settled {
    /// The last picture.
    pub frame: Frame,
    /// How long it took.
    pub waited: Duration,
    /// Whether it was quiet in the end, or the cap was reached.
    pub quiet: bool,
    /// The part of the screen that is not as it was before, 0 to 1.
    pub changed: f32,
}

const POLL: Duration = Duration::from_millis(20);
/// A patch of at most so many pixels that keeps changing is a caret, a clock or a spinner.
const PATCH: u64 = 48 * 48;
/// After so long a small patch that still changes is ignored.
const PATCH_AFTER: Duration = Duration::from_millis(350);

/// Waits until `desktop` has stopped changing; `before` is the picture from before the action.
pub async fn settle(
    desktop: &mut dyn Desktop,
    before: &Frame,
    patience: Patience,
) -> Result<Settled, DesktopError> {
    let start = Instant::now();
    let mut last = desktop.capture(Some(before.bounds())).await?;
    let mut last_change = (dirty(before, &last).is_some()).then_some(start);
    let mut is_ready = false;
    loop {
        let waited = start.elapsed();
        let quiet = match last_change {
            Some(at) => at.elapsed() >= patience.quiet,
            None => waited >= patience.reaction,
        };
        if quiet && !is_ready && waited < patience.cap {
            let asked = Instant::now();
            desktop.ready().await?;
            is_ready = true;
            // What it was busy with it draws only now.
            if asked.elapsed() > POLL {
                last_change = Some(Instant::now());
                continue;
            }
        }
        if quiet || waited >= patience.cap {
            let changed = before.difference(&last, &before.bounds());
            return Ok(Settled { frame: last, waited, quiet, changed });
        }
        sleep(POLL).await;
        let next = desktop.capture(Some(before.bounds())).await?;
        if let Some(patch) = dirty(&last, &next) {
            let ignored = waited > PATCH_AFTER && patch.area() <= PATCH;
            if !ignored {
                last_change = Some(Instant::now());
            }
        }
        last = next;
    }
}

/// The smallest rectangle around everything that differs, in screen pixels; `None` when nothing does.
pub fn dirty(a: &Frame, b: &Frame) -> Option<ScreenRect> {
    if a.bounds() != b.bounds() || a.size() != b.size() {
        return Some(b.bounds());
    }
    let (old, new) = (a.pixels().as_raw(), b.pixels().as_raw());
    if old == new {
        return None;
    }
    let row = a.pixels().width() as usize * 3;
    let mut found: Option<(usize, usize, usize, usize)> = None;
    for (y, (p, q)) in old.chunks_exact(row).zip(new.chunks_exact(row)).enumerate() {
        if p == q {
            continue;
        }
        let first = p.iter().zip(q).position(|(a, b)| a != b).unwrap_or(0) / 3;
        let last = p.iter().zip(q).rposition(|(a, b)| a != b).unwrap_or(0) / 3;
        let (left, top, right, _) = found.unwrap_or((first, y, last, y));
        found = Some((left.min(first), top, right.max(last), y));
    }
    let (left, top, right, bottom) = found?;
    let px = |v: usize| u32::try_from(v).unwrap_or(u32::MAX);
    let origin = a.bounds().origin();
    let at = |v: usize| i32::try_from(v).unwrap_or(i32::MAX);
    Some(Rect::new(
        origin.x.saturating_add(at(left)),
        origin.y.saturating_add(at(top)),
        px(right - left + 1),
        px(bottom - top + 1),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Monitor;
    use image::{Rgb, RgbImage};

    #[test]
    fn the_dirty_patch_is_tight() {
        let monitor = Monitor { name: "screen".into(), bounds: Rect::new(-10, 0, 40, 20), scale: 1.0 };
        let clean = RgbImage::new(40, 20);
        let mut marked = clean.clone();
        marked.put_pixel(5, 3, Rgb([0, 0, 1]));
        marked.put_pixel(9, 7, Rgb([1, 0, 0]));
        let a = Frame::new(monitor.clone(), clean);
        let b = Frame::new(monitor, marked);
        assert_eq!(dirty(&a, &a), None);
        assert_eq!(dirty(&a, &b), Some(Rect::new(-5, 3, 5, 5)));
    }
}
