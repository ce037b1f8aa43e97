//! Which of what was found stands in the list: what no element explains, once, and not more than can be
//! read. A page that tells of itself is believed to tell of what matters, so that on it only clear shapes
//! and icons count; in a drawing everything does.

use super::things::Look;
use super::{Found, SMALL, Scene, explains, form::Form};
use crate::desktop::area::AreaKind;
use crate::element::{Element, Role, Source, Window, WindowId};
use crate::geometry::{Rect, ScreenRect};

/// Things that are listed of one window in drawings, and beside them.
const MOST: (usize, usize) = (60, 12);
/// Texts on a thing, beyond which it is a place where things stand.
const LABELS: usize = 2;
/// The height in px up to which things in a row may be letters.
const LETTER: u32 = 28;

/// What became of the things.
#[derive(Debug, Default)]
pub(super) struct Sifted {
    pub(super) listed: Vec<Found>,
    /// How many there was no room for.
    pub(super) left_out: usize,
    /// Those that are not listed, since a text stands on them.
    pub(super) grounds: Vec<ScreenRect>,
}

/// What is listed.
pub(super) fn sift(scene: Scene<'_>, found: Vec<Found>, elements: &mut [Element]) -> Sifted {
    let mut grounds = Vec::new();
    let mut kept: Vec<(Found, WindowId, bool)> = Vec::new();
    for thing in once(without_letters(found)) {
        let Some(window) = front(scene.windows, &thing.bounds) else { continue };
        let drawn = is_drawn(scene, window, elements, &thing.bounds);
        if is_ground(window, &thing.bounds)
            || !(drawn || is_clear(&thing))
            || is_explained(scene, window, elements, &thing)
        {
            continue;
        }
        let labels = labels(elements, window.id, &thing);
        if labels.is_empty() {
            kept.push((thing, window.id, drawn));
        } else if labels.len() <= LABELS {
            grounds.push(thing.bounds);
            let on = format!("on {}", thing.look.words());
            for at in labels.into_iter().filter(|_| drawn) {
                if let Some(text) = elements.get_mut(at).filter(|text| text.looks.is_none()) {
                    text.looks = Some(on.clone());
                }
            }
        }
    }
    let count = kept.len();
    let mut listed = Vec::new();
    for window in scene.windows {
        for (drawn, most) in [(true, MOST.0), (false, MOST.1)] {
            let mut own: Vec<Found> = kept
                .iter()
                .filter(|(_, id, is_drawn)| *id == window.id && *is_drawn == drawn)
                .map(|(thing, _, _)| *thing)
                .collect();
            own.sort_by_key(|thing| std::cmp::Reverse(thing.bounds.area()));
            own.truncate(most);
            listed.extend(own);
        }
    }
    listed.sort_by_key(|thing| (thing.bounds.y, thing.bounds.x));
    let left_out = count - listed.len();
    Sifted { listed, left_out, grounds }
}

/// Without what was found twice in parts that overlap; a filled shape stands for its own edge.
fn once(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_by_key(|thing| matches!(thing.look, Look::Shape { outline: true, .. }));
    let mut kept: Vec<Found> = Vec::new();
    for thing in found {
        let same = |other: &Found| {
            let shared = other.bounds.intersect(&thing.bounds).map_or(0, |shared| shared.area());
            shared * 10 >= other.bounds.union(&thing.bounds).area() * 7
        };
        if !kept.iter().any(same) {
            kept.push(thing);
        }
    }
    kept
}

/// The window that a thing stands in, where all of it shows.
fn front<'w>(windows: &'w [Window], bounds: &ScreenRect) -> Option<&'w Window> {
    windows.iter().find(|window| window.bounds.contains(bounds.center()))
}

/// Whether it is in an area to draw in, or in a window that tells nothing.
fn is_drawn(scene: Scene<'_>, window: &Window, elements: &[Element], bounds: &ScreenRect) -> bool {
    let tells =
        |element: &Element| element.window == Some(window.id) && element.source == Source::Accessibility;
    let mut drawings = scene.areas.iter().filter(|area| area.kind == AreaKind::Drawing);
    drawings.any(|area| area.window == window.id && area.bounds.contains(bounds.center()))
        || !elements.iter().any(tells)
}

/// Whether it is what a window stands on, and no thing in it.
fn is_ground(window: &Window, bounds: &ScreenRect) -> bool {
    let shared = window.bounds.intersect(bounds).map_or(0, |shared| shared.area());
    shared * 10 >= window.bounds.area() * 8
}

/// Whether it is a thing and no ornament.
fn is_clear(thing: &Found) -> bool {
    let (long, short) =
        (thing.bounds.width.max(thing.bounds.height), thing.bounds.width.min(thing.bounds.height));
    match thing.look {
        Look::Icon { .. } => short >= 10 && long <= 48,
        Look::Shape { form: Form::Line | Form::Irregular, .. } | Look::Picture => false,
        Look::Shape { outline, .. } => short >= 12 && long <= SMALL && long <= short * 4 && !outline,
    }
}

/// Whether an element stands for it already, or something stands in it that it only holds.
fn is_explained(scene: Scene<'_>, window: &Window, elements: &[Element], thing: &Found) -> bool {
    let bounds = thing.bounds;
    elements.iter().filter(|element| element.window.is_none_or(|id| id == window.id)).any(|element| {
        let Some(shared) = element.bounds.intersect(&bounds) else { return false };
        if element.source == Source::Ocr {
            return shared.area() * 10 >= bounds.area() * 6;
        }
        let is_text = matches!(element.role, Role::Text | Role::Heading);
        let inside = bounds.contains(element.bounds.center());
        let same = !is_text && shared.area() * 2 >= element.bounds.union(&bounds).area();
        let under = explains(element, scene.areas) && element.bounds.contains(bounds.center());
        let holds = inside && !is_text && shared.area() < bounds.area();
        same || holds || under && (!is_text || shared.area() * 10 >= bounds.area() * 6)
    })
}

/// The texts that stand on it, by their places in the list.
fn labels(elements: &[Element], window: WindowId, thing: &Found) -> Vec<usize> {
    let is_on = |element: &Element| {
        matches!(element.role, Role::Text | Role::Heading)
            && element.window.is_none_or(|id| id == window)
            && thing
                .bounds
                .intersect(&element.bounds)
                .is_some_and(|shared| shared.area() * 10 >= element.bounds.area() * 7)
    };
    elements.iter().enumerate().filter(|(_, element)| is_on(element)).map(|(at, _)| at).collect()
}

/// Without rows of small signs of like height close to each other, which are a text that was not read. Round
/// letters look like circles: what counts is what most of the row looks like.
fn without_letters(mut found: Vec<Found>) -> Vec<Found> {
    let is_small = |thing: &Found| {
        let Rect { width, height, .. } = thing.bounds;
        let is_field =
            matches!(thing.look, Look::Shape { form: Form::Rectangle, .. }) && width >= height * 3;
        height <= LETTER && !is_field
    };
    let letter = |thing: &Found| {
        let plain = matches!(
            thing.look,
            Look::Shape {
                form: Form::Square | Form::Circle | Form::Diamond | Form::Star,
                outline: false,
                ..
            }
        );
        !(plain && thing.bounds.height.min(thing.bounds.width) >= 7)
    };
    let follows = |a: &ScreenRect, b: &ScreenRect| {
        let level = i64::from(a.bottom().min(b.bottom())) - i64::from(a.y.max(b.y));
        let high = a.height.max(b.height);
        let gap = b.x.saturating_sub(a.right());
        level * 2 > i64::from(a.height.min(b.height))
            && (-2..=i32::try_from(high).unwrap_or(0)).contains(&gap)
    };
    found.sort_by_key(|thing| (thing.bounds.x, thing.bounds.y));
    let mut lines: Vec<Vec<usize>> = Vec::new();
    for (at, thing) in found.iter().enumerate().filter(|(_, thing)| is_small(thing)) {
        let last =
            |line: &Vec<usize>| line.last().and_then(|last| found.get(*last)).map(|thing| thing.bounds);
        match lines.iter_mut().find(|line| last(line).is_some_and(|end| follows(&end, &thing.bounds))) {
            Some(line) => line.push(at),
            None => lines.push(vec![at]),
        }
    }
    let is_text = |line: &Vec<usize>| {
        let letters = line.iter().filter_map(|at| found.get(*at)).filter(|thing| letter(thing)).count();
        line.len() > 2 && letters * 2 > line.len()
    };
    let text: Vec<usize> = lines.into_iter().filter(is_text).flatten().collect();
    let mut at = 0;
    found.retain(|_| {
        at += 1;
        !text.contains(&(at - 1))
    });
    found.sort_by_key(|thing| (thing.bounds.y, thing.bounds.x));
    found
}
