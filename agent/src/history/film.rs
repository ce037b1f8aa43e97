//! A run as a film: the screen of each step with its action drawn on it, and under it what was done.

use std::path::{Path, PathBuf};

use freehand_tools::action::{Action, ActionKind};
use freehand_tools::frame::Digest;
use freehand_tools::geometry::ScreenRect;
use freehand_tools::outcome::Outcome;
use freehand_tools::picture::sketch::{STRIP, Sketch, captioned};
use image::{ImageReader, Limits, RgbImage};

use crate::AgentError;
use crate::trajectory::reader::{Entry, Reader};
use crate::trajectory::recorder::FRAMES;
use crate::trajectory::{Judged, Step};

/// A side of a picture in px that is taken for one; a file may say anything.
const SIDE: u32 = 16_384;

/// A film that is drawn picture by picture, so that a long one needs no more memory than a short one.
#[derive(Debug)]
pub struct Film {
    folder: PathBuf,
    shots: std::vec::IntoIter<Shot>,
    /// Of each picture in px; both are even, as most codecs want it.
    pub size: (u32, u32),
}

#[derive(Debug)]
struct Shot {
    frame: Digest,
    bounds: ScreenRect,
    sketch: Sketch,
    words: String,
}

impl Film {
    /// The film of the run in `folder`. What cannot be read of a record is not in it.
    pub fn of(folder: &Path) -> Result<Self, AgentError> {
        let (mut reader, _) = Reader::open(folder)?;
        let (mut shots, mut size) = (Vec::new(), (0, 0));
        while let Ok(Some(Entry::Step(step))) = reader.entry() {
            let ScreenRect { width, height, .. } = step.seen.bounds;
            size = (width.min(SIDE).max(size.0), height.min(SIDE).max(size.1));
            add(&mut shots, &step);
        }
        let even = |side: u32| side.next_multiple_of(2);
        let size = (even(size.0), even(size.1 + STRIP));
        Ok(Self { folder: folder.to_owned(), shots: shots.into_iter(), size })
    }
}

impl Iterator for Film {
    type Item = RgbImage;

    fn next(&mut self) -> Option<RgbImage> {
        let shot = self.shots.next()?;
        let (width, height) = self.size;
        let picture = read(&self.folder, shot.frame).map_or_else(
            // Its file is gone; what was done is told all the same.
            || RgbImage::new(shot.bounds.width.min(SIDE), shot.bounds.height.min(SIDE)),
            |picture| shot.sketch.draw(picture, shot.bounds),
        );
        Some(captioned(&picture, width, height - STRIP, &shot.words))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.shots.size_hint()
    }
}

impl ExactSizeIterator for Film {}

fn read(folder: &Path, frame: Digest) -> Option<RgbImage> {
    let path = folder.join(FRAMES).join(format!("{}.png", frame.short()));
    let mut reader = ImageReader::open(path).ok()?;
    reader.set_format(image::ImageFormat::Png);
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(SIDE), Some(SIDE));
    reader.limits(limits);
    Some(reader.decode().ok()?.into_rgb8())
}

fn add(shots: &mut Vec<Shot>, step: &Step) {
    let bounds = step.seen.bounds;
    let shot = |frame, sketch, words| Shot { frame, bounds, sketch, words };
    if step.actions.is_empty() {
        let words = step.unread.as_ref().map_or("looks", |_| "says something that cannot be read");
        let words = format!("{} {words}", step.index);
        shots.push(shot(step.seen.frame, Sketch::default(), words));
    }
    for Judged { call, action, outcome, .. } in &step.actions {
        let told = action.as_ref().map_or(&call.tool, |action| &action.summary);
        let result = match outcome {
            Outcome::Done { .. } => String::new(),
            Outcome::Failed { reason, .. } => format!(" - failed: {reason}"),
            Outcome::Refused { reason } => format!(" - refused: {reason}"),
        };
        let frame = action.as_ref().map_or(step.seen.frame, |action| action.basis.frame);
        let sketch = action.as_ref().map(sketch).unwrap_or_default();
        shots.push(shot(frame, sketch, format!("{} {told}{result}", step.index)));
    }
}

fn sketch(action: &Action) -> Sketch {
    let path = if let ActionKind::Drag { path, .. } = &action.kind { path.clone() } else { Vec::new() };
    let target = &action.target;
    Sketch { bounds: target.element.as_ref().map(|element| element.bounds), at: target.point, path }
}
