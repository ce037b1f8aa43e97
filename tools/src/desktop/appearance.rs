//! What a thing looks like, in plain words: `red box`, `small blue circle`. For things that no program
//! names, it is the only way in which a person can ask for them and a text-only model can find them.
//!
//! Looks are a description and never a name: two red boxes look the same, and what looks like a button
//! need not be one.

use std::collections::HashMap;

use image::{Rgb, RgbImage};

use crate::desktop::vision::form::{Form, Mask};
use crate::desktop::vision::words::neighbour;
use crate::element::{Element, Role, Source};
use crate::frame::Frame;
use crate::geometry::ScreenRect;

/// Sides in px beyond which it is a part of the page and not a thing with a look.
const LARGEST: u32 = 400;
/// Sides in px below which nothing can be told.
const SMALLEST: u32 = 4;
/// Distance, in steps of a channel, from which two colours are different ones.
const APART: i32 = 48;
/// The share of an area that one colour must have for the area to be of that colour.
const MOSTLY: f64 = 0.7;
/// The share of an area that a shape must have to be seen.
const VISIBLE: f64 = 0.02;

/// Colours with the names that people use most, as the web defines them.
const COLOURS: [(&str, [u8; 3]); 24] = [
    ("black", [0, 0, 0]),
    ("white", [255, 255, 255]),
    ("grey", [128, 128, 128]),
    ("light grey", [211, 211, 211]),
    ("red", [255, 0, 0]),
    ("dark red", [139, 0, 0]),
    ("pink", [255, 192, 203]),
    ("orange", [255, 165, 0]),
    ("brown", [139, 69, 19]),
    ("yellow", [255, 255, 0]),
    ("olive", [128, 128, 0]),
    ("lime", [0, 255, 0]),
    ("green", [0, 128, 0]),
    ("light green", [144, 238, 144]),
    ("teal", [0, 128, 128]),
    ("cyan", [0, 255, 255]),
    ("light blue", [173, 216, 230]),
    ("blue", [0, 0, 255]),
    ("dark blue", [0, 0, 128]),
    ("purple", [128, 0, 128]),
    ("violet", [148, 0, 211]),
    ("magenta", [255, 0, 255]),
    ("beige", [245, 222, 179]),
    ("steel blue", [70, 130, 180]),
];

/// Says of each thing without a name what it looks like in `frame`, and of a control that is called nothing in
/// code either, beside what it stands. What merely reacts to clicks may be a swatch among many.
pub fn describe_nameless(frame: &Frame, elements: &mut [Element]) {
    let described = elements.iter().map(|element| looks_of(frame, element, elements));
    let described: Vec<Option<String>> = described.collect();
    for (element, looks) in elements.iter_mut().zip(described) {
        if looks.is_some() {
            element.looks = looks;
        }
    }
}

fn looks_of(frame: &Frame, element: &Element, all: &[Element]) -> Option<String> {
    let pressed =
        element.role.takes_clicks() && !element.role.takes_text() && element.states.checked.is_none();
    let is_meant = element.source != Source::Vision && (pressed || element.role == Role::Image);
    if !element.name.is_empty() || !is_meant {
        return None;
    }
    let seen = looks(frame, &element.bounds)?;
    if let Some(called) = &element.looks {
        return Some(format!("{called}, {seen}"));
    }
    let is_control = pressed && element.role != Role::Clickable;
    let place = neighbour(&element.bounds, all, element.window).filter(|_| is_control);
    Some([Some(seen), place].into_iter().flatten().collect::<Vec<_>>().join(" "))
}

/// What stands at `bounds` of `frame` looks like, if it can be said in a few words.
pub fn looks(frame: &Frame, bounds: &ScreenRect) -> Option<String> {
    let seen = bounds.intersect(&frame.bounds())?;
    let fits = |side| (SMALLEST..=LARGEST).contains(&side);
    if !fits(seen.width) || !fits(seen.height) {
        return None;
    }
    describe(frame.crop(&seen)?.pixels())
}

/// The colour of what is written at `bounds` of `frame`.
pub(super) fn ink(frame: &Frame, bounds: &ScreenRect) -> Option<&'static str> {
    let crop = frame.crop(bounds)?;
    let (ground, _) = most_common(crop.pixels().pixels().copied())?;
    // The softened edges of letters are less than their strokes.
    let drawn = crop.pixels().pixels().copied().filter(|pixel| apart(*pixel, ground));
    most_common(drawn).map(|(ink, _)| colour(ink))
}

fn describe(part: &RgbImage) -> Option<String> {
    let inner = |v: u32, size: u32| v >= size / 8 && v < size - size / 8;
    let (width, height) = part.dimensions();
    let centre = part.enumerate_pixels().filter(|(x, y, _)| inner(*x, width) && inner(*y, height));
    let (fill, share) = most_common(centre.map(|(_, _, pixel)| *pixel))?;
    let (ground, _) = most_common(corners(part))?;
    if share >= MOSTLY && (apart(fill, ground) || is_plain(part, fill)) {
        let form = if apart(fill, ground) { form(part, ground) } else { "box" };
        return Some(format!("{} {form}", colour(fill)));
    }
    let drawn = part.pixels().filter(|pixel| apart(**pixel, ground));
    let (ink, _) = most_common(drawn.copied())?;
    let count = part.pixels().filter(|pixel| apart(**pixel, ground)).count();
    (share_of(count, part) > VISIBLE).then(|| format!("{} {}", colour(ink), form(part, ground)))
}

/// Whether nearly all of it has one colour.
fn is_plain(part: &RgbImage, fill: Rgb<u8>) -> bool {
    share_of(part.pixels().filter(|pixel| !apart(**pixel, fill)).count(), part) >= MOSTLY
}

fn share_of(count: usize, part: &RgbImage) -> f64 {
    let all = part.pixels().len().max(1);
    #[expect(clippy::cast_precision_loss, reason = "a thing has few pixels")]
    {
        count as f64 / all as f64
    }
}

fn corners(part: &RgbImage) -> impl Iterator<Item = Rgb<u8>> {
    let (right, bottom) = (part.width() - 1, part.height() - 1);
    [(0, 0), (right, 0), (0, bottom), (right, bottom)].into_iter().map(|(x, y)| *part.get_pixel(x, y))
}

/// The colour that most of them have, give or take a shade, and its share.
fn most_common(pixels: impl Iterator<Item = Rgb<u8>>) -> Option<(Rgb<u8>, f64)> {
    let mut counts: HashMap<[u8; 3], (usize, Rgb<u8>)> = HashMap::new();
    let mut all = 0_usize;
    for pixel in pixels {
        all += 1;
        counts.entry(pixel.0.map(|channel| channel / 32)).or_insert((0, pixel)).0 += 1;
    }
    let (count, pixel) = counts.into_values().max_by_key(|(count, pixel)| (*count, pixel.0))?;
    #[expect(clippy::cast_precision_loss, reason = "a thing has few pixels")]
    Some((pixel, count as f64 / all as f64))
}

pub(super) fn apart(a: Rgb<u8>, b: Rgb<u8>) -> bool {
    a.0.iter().zip(b.0).any(|(a, b)| (i32::from(*a) - i32::from(b)).abs() > APART)
}

/// The form of what differs from the ground.
fn form(part: &RgbImage, ground: Rgb<u8>) -> &'static str {
    let mut mask = Mask::empty(part.width(), part.height());
    for (x, y, _) in part.enumerate_pixels().filter(|(_, _, pixel)| apart(**pixel, ground)) {
        mask.mark(y, x, x + 1);
    }
    let form = mask.trimmed().without_holes().form();
    if matches!(form, Form::Square | Form::Rectangle) { "box" } else { form.word() }
}

/// The name of the nearest colour, by distance as the eye sees it.
pub(super) fn colour(pixel: Rgb<u8>) -> &'static str {
    let distance = |other: &[u8; 3]| -> i64 {
        let [r, g, b] = [0, 1, 2].map(|i| {
            let at = |of: &[u8]| of.get(i).copied().map_or(0, i64::from);
            at(&pixel.0) - at(other)
        });
        // The weights of the "redmean" approximation (CompuPhase, 2010).
        let red_of = |of: &[u8]| of.first().copied().map_or(0, i64::from);
        let red = i64::midpoint(red_of(&pixel.0), red_of(other));
        (((512 + red) * r * r) >> 8) + 4 * g * g + (((767 - red) * b * b) >> 8)
    };
    COLOURS.iter().min_by_key(|(_, other)| distance(other)).map_or("grey", |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(ground: [u8; 3], ink: [u8; 3], is_ink: impl Fn(i32, i32) -> bool) -> Option<String> {
        let pixel = |x: u32, y: u32| {
            let (x, y) = (i32::try_from(x).unwrap(), i32::try_from(y).unwrap());
            Rgb(if is_ink(x, y) { ink } else { ground })
        };
        describe(&RgbImage::from_fn(40, 40, pixel))
    }

    #[test]
    fn forms_and_colours_are_told() {
        let white = [255, 255, 255];
        let circle = |x: i32, y: i32| (x - 20).pow(2) + (y - 20).pow(2) < 17 * 17;
        let frame = |x: i32, y: i32| x == 0 || y == 0 || x == 39 || y == 39;
        for (what, ink, is_ink) in [
            ("red circle", [250, 10, 10], Box::new(circle) as Box<dyn Fn(i32, i32) -> bool>),
            ("blue box", [0, 0, 255], Box::new(|x, y| (8..32).contains(&x) && (8..32).contains(&y))),
            ("black triangle", [0, 0, 0], Box::new(|x, y| y > 3 && (x - 20).abs() * 2 < y - 3)),
            ("white box", [0, 0, 0], Box::new(frame)),
            ("yellow box", [255, 255, 0], Box::new(|_, _| true)),
        ] {
            assert_eq!(drawn(white, ink, is_ink).as_deref(), Some(what));
        }
    }

    #[test]
    fn colours_have_their_common_names() {
        for (pixel, name) in [
            ([255, 0, 0], "red"),
            ([0, 0, 200], "blue"),
            ([0, 255, 255], "cyan"),
            ([30, 30, 30], "black"),
            ([250, 250, 250], "white"),
            ([255, 0, 255], "magenta"),
        ] {
            assert_eq!(colour(Rgb(pixel)), name);
        }
    }
}
