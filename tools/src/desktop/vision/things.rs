//! From a picture to the things in it: what is not the ground is a blob, and a blob is a shape of one
//! colour, an outline, several shapes that touch, a surface with things on it, an icon, or a picture.

use std::collections::HashMap;

use image::{Rgb, RgbImage};

use super::form::{Form, Mask};
use super::segment::{Region, Run, Segments, blobs};
use crate::desktop::appearance;
use crate::geometry::{Image, Rect};

/// Sides in px below which a thing is dirt.
const SMALLEST: u32 = 5;
/// Sides in px up to which a thing of many colours is an icon.
const ICON: u32 = 64;
/// Sides in px beyond which it is a part of the page and not a thing with a look.
const LARGEST: u32 = 400;
/// Sides in px from which a region on which things lie is a panel.
const PANEL: u32 = 64;
/// How deep things may lie upon each other.
const LAYERS: usize = 3;
/// Pixels of the smallest region that counts as a part of a thing.
const PART: u32 = 20;
/// Hundredths of the edge of a picture that its ground takes up.
const GROUND: u32 = 15;

/// What was found in a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Thing {
    /// Where, in pixels of the picture.
    pub(super) bounds: Rect<Image>,
    pub(super) look: Look,
}

/// What it looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Look {
    Shape {
        colour: &'static str,
        form: Form,
        /// Only its edge is drawn.
        outline: bool,
    },
    Icon {
        colour: &'static str,
    },
    Picture,
}

/// The picture that is taken apart, and what of it is asked for.
struct Picture<'a> {
    segments: &'a Segments,
    is_meant: &'a dyn Fn(&Rect<Image>) -> bool,
}

/// A part of the runs that hang together.
#[derive(Debug)]
struct Blob {
    runs: Vec<Run>,
    bounds: Rect<Image>,
    area: u32,
}

/// One region within a blob.
#[derive(Debug, Clone, Copy)]
struct Part {
    region: u32,
    area: u32,
    bounds: Rect<Image>,
}

/// The things in `image`, from top to bottom; not those in a rectangle that is not meant.
pub(super) fn things(image: &RgbImage, is_meant: &dyn Fn(&Rect<Image>) -> bool) -> Vec<Thing> {
    let segments = Segments::of(image);
    let round = 2 * (segments.width + segments.height);
    let whole = u64::from(segments.width) * u64::from(segments.height);
    let is_ground = |run: &Run| {
        let region = segments.region(run);
        let most = u64::from(region.area) * 3 >= whole;
        region.on_edge * 100 >= round * GROUND || region.on_edge > 0 && most
    };
    let ground: Vec<Rgb<u8>> = {
        let mut seen: Vec<u32> =
            segments.runs.iter().filter(|run| is_ground(run)).map(|run| run.region).collect();
        seen.sort_unstable();
        seen.dedup();
        let regions = seen.iter().filter_map(|number| segments.regions.get(*number as usize));
        regions.map(Region::colour).collect()
    };
    let drawn: Vec<Run> = segments.runs.iter().filter(|run| !is_ground(run)).copied().collect();
    let mut found = Vec::new();
    let picture = Picture { segments: &segments, is_meant };
    for blob in Blob::all(&drawn) {
        blob.things(&picture, &ground, 0, &mut found);
    }
    found.sort_by_key(|thing| (thing.bounds.y, thing.bounds.x));
    found
}

impl Blob {
    fn all(runs: &[Run]) -> Vec<Self> {
        let numbers = blobs(runs, &|_| true);
        let count = numbers.iter().flatten().max().map_or(0, |last| *last as usize + 1);
        let mut all: Vec<Vec<Run>> = vec![Vec::new(); count];
        for (run, number) in runs.iter().zip(numbers) {
            if let Some(blob) = number.and_then(|number| all.get_mut(number as usize)) {
                blob.push(*run);
            }
        }
        all.into_iter().filter_map(Self::of).collect()
    }

    fn of(runs: Vec<Run>) -> Option<Self> {
        let bounds = bounds(runs.iter())?;
        let area = runs.iter().map(Run::length).sum();
        Some(Self { runs, bounds, area })
    }

    /// Its regions that are more than a softened edge, the largest first.
    fn parts(&self) -> Vec<Part> {
        let mut areas: HashMap<u32, u32> = HashMap::new();
        for run in &self.runs {
            *areas.entry(run.region).or_default() += run.length();
        }
        let mut parts: Vec<Part> = areas
            .into_iter()
            .filter(|(_, area)| *area >= PART.min(self.area / 3) && area * 66 >= self.area)
            .filter_map(|(region, area)| {
                let bounds = bounds(self.runs.iter().filter(|run| run.region == region))?;
                Some(Part { region, area, bounds })
            })
            .collect();
        parts.sort_by_key(|part| (std::cmp::Reverse(part.area), part.region));
        parts
    }

    fn mask(&self, of: impl Fn(&Run) -> bool, within: &Rect<Image>) -> Mask {
        let mut mask = Mask::empty(within.width, within.height);
        for run in self.runs.iter().filter(|run| of(run)) {
            let from = |v: u32, origin: i32| i64::from(v) - i64::from(origin);
            let place = |v| u32::try_from(v).unwrap_or(0);
            let (left, right) = (from(run.left, within.x), from(run.right, within.x));
            mask.mark(place(from(run.y, within.y)), place(left), place(right));
        }
        mask.without_holes()
    }

    fn things(&self, picture: &Picture<'_>, ground: &[Rgb<u8>], layer: usize, found: &mut Vec<Thing>) {
        let all = picture.segments;
        let Rect { width, height, .. } = self.bounds;
        let (long, short) = (width.max(height), width.min(height));
        if long < SMALLEST || self.area < SMALLEST * 2 || !(picture.is_meant)(&self.bounds) {
            return;
        }
        let parts = self.parts();
        let (Some(first), true) = (parts.first(), layer < LAYERS) else {
            found.extend(self.unclear(all, &parts));
            return;
        };
        let surfaces = self.surfaces(&parts);
        if !surfaces.is_empty() {
            self.things_on(picture, &surfaces, ground, layer, found);
            return;
        }
        if first.area * 3 >= width * height && fits(&first.bounds, &self.bounds) && short >= 24 {
            let mut on_it = self.without(std::slice::from_ref(first));
            // Its edge lies around it, and is not on it.
            on_it.retain(|blob| {
                let Rect { width, height, .. } = blob.bounds;
                let thin = width.min(height) <= 4 || blob.area * 3 < width * height;
                let part_of_edge = on_edge(&blob.bounds, &self.bounds) && thin;
                !part_of_edge && !fits(&blob.bounds, &self.bounds) && width.min(height) >= SMALLEST
            });
            if !on_it.is_empty() {
                let colour = all.regions.get(first.region as usize).map(Region::colour);
                found.extend(
                    self.shape(all, &parts, ground).filter(|thing| !thing.look.is_empty(ground, colour)),
                );
                let ground: Vec<Rgb<u8>> = colour.into_iter().collect();
                for blob in on_it {
                    blob.things(picture, &ground, layer + 1, found);
                }
                return;
            }
        }
        if first.area * 2 >= self.area {
            found.extend(self.shape(all, &parts, ground));
            return;
        }
        let several: Vec<&Part> = parts
            .iter()
            .filter(|part| part.area >= PART && part.bounds.width.min(part.bounds.height) >= SMALLEST)
            .collect();
        let clear: u32 = several.iter().map(|part| part.area).sum();
        if long > ICON / 2 && several.len() > 1 && clear * 5 >= self.area * 2 {
            found.extend(several.into_iter().filter_map(|part| self.one_of_several(all, part)));
        } else {
            found.extend(self.unclear(all, &parts));
        }
    }

    /// Its regions that are parts of a window: too large to be a thing, or panels that lie beside each other
    /// with something on them.
    fn surfaces(&self, parts: &[Part]) -> Vec<Part> {
        let is_large = |part: &Part| part.bounds.width.max(part.bounds.height) > LARGEST;
        let is_panel = |part: &Part| {
            part.bounds.width.min(part.bounds.height) >= PANEL && part.area * 5 >= self.area
        };
        let large = parts.iter().any(is_large);
        let beside = parts.first().is_some_and(|part| !fits(&part.bounds, &self.bounds));
        if !large && !beside {
            return Vec::new();
        }
        let surfaces: Vec<Part> =
            parts.iter().filter(|part| is_large(part) || is_panel(part)).copied().collect();
        let lies_on = |blob: &Self| {
            surfaces.iter().any(|part| {
                let shared = part.bounds.intersect(&blob.bounds);
                shared == Some(blob.bounds) && !on_edge(&blob.bounds, &part.bounds)
            })
        };
        let is_thing = |blob: &Self| blob.bounds.width.min(blob.bounds.height) >= SMALLEST;
        let holds = || self.without(&surfaces).iter().any(|blob| is_thing(blob) && lies_on(blob));
        if large || holds() { surfaces } else { Vec::new() }
    }

    /// What is left of it without these of its regions.
    fn without(&self, parts: &[Part]) -> Vec<Self> {
        let is_left = |run: &&Run| parts.iter().all(|part| part.region != run.region);
        Self::all(&self.runs.iter().filter(is_left).copied().collect::<Vec<_>>())
    }

    /// The things on these of its regions, which are parts of a window and no things themselves.
    fn things_on(
        &self,
        picture: &Picture<'_>,
        surfaces: &[Part],
        ground: &[Rgb<u8>],
        layer: usize,
        found: &mut Vec<Thing>,
    ) {
        // What shows through a net of lines is what it lies on.
        let is_net = |part: &Part| part.area * 3 < part.bounds.width * part.bounds.height;
        let below = if surfaces.iter().any(is_net) { ground } else { &[] };
        let own = surfaces.iter().filter_map(|part| picture.segments.regions.get(part.region as usize));
        let ground: Vec<Rgb<u8>> = own.map(Region::colour).chain(below.iter().copied()).collect();
        for blob in self.without(surfaces) {
            blob.things(picture, &ground, layer + 1, found);
        }
    }

    /// It as one shape, filled or only drawn around.
    fn shape(&self, all: &Segments, parts: &[Part], ground: &[Rgb<u8>]) -> Option<Thing> {
        let first = parts.first()?;
        let colour_of = |part: &Part| all.regions.get(part.region as usize).map(Region::colour);
        let fill = colour_of(first)?;
        let empty = ground.iter().any(|ground| !appearance::apart(fill, *ground));
        let edge =
            parts.iter().skip(1).filter_map(colour_of).find(|edge| appearance::apart(*edge, fill));
        // A thin edge is softened all through; its colour is what is least like what it goes round.
        let strokes = self.runs.iter().map(|run| all.region(run).colour());
        let stroke = strokes.max_by_key(|own| (distance(*own, fill), own.0));
        let edge = edge.or(stroke.filter(|stroke| empty && appearance::apart(*stroke, fill)));
        let (colour, ring) = match edge {
            Some(edge) if empty => (edge, true),
            _ if empty => return None,
            _ => (fill, false),
        };
        // Of a softened edge, what is more like the shape than like what it stands on is the shape.
        let inks: Vec<Rgb<u8>> =
            if ring { vec![colour] } else { edge.into_iter().chain([fill]).collect() };
        let nearest =
            |own: Rgb<u8>, all: &[Rgb<u8>]| all.iter().map(|other| distance(own, *other)).min();
        let inked = |run: &Run| {
            let own = all.region(run).colour();
            nearest(own, ground).is_none_or(|ground| nearest(own, &inks).is_some_and(|ink| ink < ground))
        };
        let drawn = Self::of(self.runs.iter().filter(|run| inked(run)).copied().collect())?;
        let mask = drawn.mask(|_| true, &drawn.bounds);
        let hollow = mask.area() > 2 * drawn.area as usize;
        drawn.thing(&mask, appearance::colour(colour), ring || hollow)
    }

    fn thing(&self, mask: &Mask, colour: &'static str, outline: bool) -> Option<Thing> {
        let Rect { width, height, .. } = self.bounds;
        let form = mask.form();
        let long = width.max(height);
        let small = long <= ICON;
        if form == Form::Line && long < 12 {
            return None;
        }
        // A stroke that goes round nothing in particular is the sign on a button.
        let is_sign = form == Form::Irregular && small && width.min(height) >= SMALLEST;
        let look = if is_sign { Look::Icon { colour } } else { Look::Shape { colour, form, outline } };
        let small_line = form == Form::Line || width.min(height) >= SMALLEST;
        (long <= LARGEST && small_line).then_some(Thing { bounds: self.bounds, look })
    }

    /// One of its regions as a shape of its own.
    fn one_of_several(&self, all: &Segments, part: &Part) -> Option<Thing> {
        let mask = self.mask(|run| run.region == part.region, &part.bounds);
        let colour = all.regions.get(part.region as usize)?.colour();
        let sparse = mask.area() * 8 < (part.bounds.width * part.bounds.height) as usize;
        let alone = Self { runs: Vec::new(), bounds: part.bounds, area: part.area };
        // What goes between the others is no thing.
        let lines = mask.area() > 3 * part.area as usize && self.bounds.size() == part.bounds.size();
        if sparse || lines { None } else { alone.thing(&mask, appearance::colour(colour), false) }
    }

    /// It as an icon or a picture.
    fn unclear(&self, all: &Segments, parts: &[Part]) -> Option<Thing> {
        let Rect { width, height, .. } = self.bounds;
        let (long, short) = (width.max(height), width.min(height));
        if short < SMALLEST {
            return None;
        }
        if long > ICON {
            return Some(Thing { bounds: self.bounds, look: Look::Picture });
        }
        let first = parts.first().map(|part| part.region);
        let most =
            first.or_else(|| self.runs.iter().max_by_key(|run| run.length()).map(|run| run.region));
        let colour = appearance::colour(all.regions.get(most? as usize)?.colour());
        Some(Thing { bounds: self.bounds, look: Look::Icon { colour } })
    }
}

impl Look {
    /// Whether it is a shape of the colour of what it stands on.
    fn is_empty(self, ground: &[Rgb<u8>], colour: Option<Rgb<u8>>) -> bool {
        let plain =
            colour.is_some_and(|own| ground.iter().any(|ground| !appearance::apart(own, *ground)));
        plain && matches!(self, Self::Shape { outline: false, .. })
    }

    /// It in words.
    pub(super) fn words(self) -> String {
        match self {
            Self::Shape { colour, form, outline: true } => format!("{colour} {} outline", form.word()),
            Self::Shape { colour, form, outline: false } => format!("{colour} {}", form.word()),
            Self::Icon { colour } => format!("{colour} icon"),
            Self::Picture => "picture".into(),
        }
    }
}

/// How far two colours are apart, all channels together.
fn distance(a: Rgb<u8>, b: Rgb<u8>) -> u32 {
    a.0.iter().zip(b.0).map(|(a, b)| u32::from(a.abs_diff(b))).sum()
}

fn bounds<'r>(runs: impl Iterator<Item = &'r Run>) -> Option<Rect<Image>> {
    let corners = runs.map(|run| (run.left, run.y, run.right, run.y + 1));
    let (left, top, right, bottom) =
        corners.reduce(|a, b| (a.0.min(b.0), a.1.min(b.1), a.2.max(b.2), a.3.max(b.3)))?;
    let place = |v: u32| i32::try_from(v).unwrap_or(i32::MAX);
    Some(Rect::new(place(left), place(top), right - left, bottom - top))
}

/// Whether `inner` is as wide and high as `outer`, give or take an edge.
fn fits(inner: &Rect<Image>, outer: &Rect<Image>) -> bool {
    let near = |inner: u32, outer: u32| inner + 8 >= outer && inner * 10 >= outer * 8;
    near(inner.width, outer.width) && near(inner.height, outer.height)
}

/// Whether `inner` touches the edge of `outer`.
fn on_edge(inner: &Rect<Image>, outer: &Rect<Image>) -> bool {
    inner.x <= outer.x + 4
        || inner.y <= outer.y + 4
        || inner.right() + 4 >= outer.right()
        || inner.bottom() + 4 >= outer.bottom()
}
