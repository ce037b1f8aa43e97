//! What has no text and what no program tells of, found in the pixels: icons, swatches, shapes of drawings
//! and games, each called by its form and colour and by what stands beside it, so that a model that only
//! reads can point at them.
//!
//! It looks only where the tree explains nothing, and at the same pixels once. What it finds is never a
//! name: the gate judges a click on it as one on a place that nothing is known about.

use crate::desktop::area::{Area, AreaKind};
use crate::desktop::cache::Cache;
use crate::desktop::region::{self, Cells};
use crate::element::{Element, Role, Source, Window};
use crate::frame::Frame;
use crate::geometry::{Image, Rect, ScreenRect};

mod covered;
pub(super) mod form;
mod merge;
mod segment;
mod sift;
pub(super) mod sizes;
mod things;
pub(super) mod words;

use covered::Seen;
use things::{Look, Thing, things};

/// Parts of screens that are remembered by their pixels.
const MEMORY: usize = 500;
/// Sides in px up to which a thing without a name that reacts to clicks is the thing that is drawn there.
const SMALL: u32 = 120;
/// The same of one with a name: what lies on it belongs to it, as the picture on a card.
const NAMED: u32 = 240;

/// What is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scene<'a> {
    /// The picture.
    pub(super) frame: &'a Frame,
    /// The windows, the front one first.
    pub(super) windows: &'a [Window],
    /// What is told of parts of the windows.
    pub(super) areas: &'a [Area],
}

/// Something that was found, where it is on the screen.
#[derive(Debug, Clone, Copy)]
struct Found {
    bounds: ScreenRect,
    look: Look,
}

/// What a look found beside the elements.
#[derive(Debug, Default)]
pub(super) struct Beside {
    /// A line that says how many things are left out.
    pub(super) gap: Option<String>,
    /// Things that are not listed, since a text stands on them.
    pub(super) grounds: Vec<ScreenRect>,
}

/// Finds things in the pixels of one screen, and remembers what it has found.
#[derive(Debug)]
pub(super) struct Vision {
    known: Cache<Vec<Thing>>,
    frame: Option<Frame>,
    seen: Vec<Seen>,
}

impl Default for Vision {
    fn default() -> Self {
        Self { known: Cache::new(MEMORY), frame: None, seen: Vec::new() }
    }
}

impl Vision {
    /// Whether the screen still is as it was at the last look, where `now` shows it.
    pub(super) fn shows(&self, now: &Frame) -> bool {
        let before = self.frame.as_ref().and_then(|frame| frame.crop(&now.bounds()));
        before.is_some_and(|before| before.digest() == now.digest())
    }

    /// Adds to `elements` the things that they do not explain, without numbers.
    pub(super) fn look(&mut self, scene: Scene<'_>, elements: &mut Vec<Element>) -> Beside {
        self.frame = Some(scene.frame.clone());
        let cells = unexplained(scene, elements);
        let mut found = Vec::new();
        for part in cells.parts(scene.frame) {
            found.extend(self.part(scene.frame, &part, &cells));
        }
        let (covered, seen) = covered::still_there(&self.seen, &found, scene.frame);
        self.seen = seen;
        found.extend(covered.into_iter().filter(|thing| cells.touches(scene.frame, &thing.bounds)));
        let sifted = sift::sift(scene, found, elements);
        merge::into_list(scene, &sifted.listed, elements);
        let more = |left_out| format!("{left_out} more shapes and icons on the screen are not listed");
        let gap = Some(sifted.left_out).filter(|count| *count > 0).map(more);
        Beside { gap, grounds: sifted.grounds }
    }

    /// The things in one part that the cells do not leave out.
    fn part(&mut self, frame: &Frame, part: &ScreenRect, cells: &Cells) -> Vec<Found> {
        let Some(crop) = frame.crop(part) else { return Vec::new() };
        let on_screen = |Rect { x, y, width, height, .. }: &Rect<Image>| {
            Rect::new(*x, *y, *width, *height).offset(part.x, part.y)
        };
        // What is drawn elsewhere is a part of an element, and what its program tells of it is in the list.
        let key = cells.within(frame, &crop).digest(crop.pixels());
        let things = self.known.get(&key).unwrap_or_else(|| {
            let is_meant = |bounds: &Rect<Image>| cells.touches(frame, &on_screen(bounds));
            let found = things(crop.pixels(), &is_meant);
            self.known.put(key, found.clone());
            found
        });
        let found = |thing: Thing| Found { bounds: on_screen(&thing.bounds), look: thing.look };
        things.into_iter().map(found).filter(|found| cells.touches(frame, &found.bounds)).collect()
    }
}

/// The cells with an edge in them that nothing explains.
fn unexplained(scene: Scene<'_>, elements: &[Element]) -> Cells {
    let Scene { frame, windows, areas } = scene;
    let explains = |element: &Element| explains(element, areas);
    let limit = |window: &Window, cells: &mut Cells| {
        let of = |kind| {
            let own = areas.iter().filter(move |area| area.window == window.id && area.kind == kind);
            own.map(|area| area.bounds)
        };
        let pages: Vec<ScreenRect> = of(AreaKind::Page).collect();
        if !pages.is_empty() {
            cells.keep_within(frame, &window.bounds, &pages);
        }
        let known = [AreaKind::Picture, AreaKind::Bar, AreaKind::Ruler];
        for hidden in known.into_iter().flat_map(of) {
            cells.mark(frame, &hidden, false);
        }
    };
    Cells::edges(frame, windows, elements, &explains, &limit)
}

/// Whether an element says what is drawn where it is. An area to draw in does not.
fn explains(element: &Element, areas: &[Area]) -> bool {
    let drawn = |area: &Area| {
        area.kind == AreaKind::Drawing && area.bounds.intersect(&element.bounds) == Some(area.bounds)
    };
    if element.source == Source::Ocr {
        return true;
    }
    if areas.iter().any(drawn) {
        return false;
    }
    let most = if element.name.is_empty() { SMALL } else { NAMED };
    let small = element.bounds.width.max(element.bounds.height) <= most;
    region::explains(element) || element.role == Role::Image || element.role.takes_clicks() && small
}

#[cfg(test)]
mod tests;
