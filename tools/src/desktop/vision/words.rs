//! How a thing is called: its colour and form, and for a sign or an empty field what it stands beside.

use super::Found;
use super::things::Look;
use crate::element::{Element, WindowId};
use crate::geometry::ScreenRect;
use crate::quote::named;

/// How far in px a neighbour may be.
const BESIDE: i32 = 80;
/// Characters of a neighbour's name.
const NAME: usize = 24;

/// What each of `things` in one window is called.
pub(super) fn words(things: &[Found], elements: &[Element], window: Option<WindowId>) -> Vec<String> {
    let call = |thing: &Found| {
        let own = thing.look.words();
        let beside = matches!(thing.look, Look::Icon { .. } | Look::Shape { outline: true, .. });
        match neighbour(&thing.bounds, elements, window).filter(|_| beside) {
            Some(place) => format!("{own} {place}"),
            None => own,
        }
    };
    things.iter().map(call).collect()
}

/// Beside what it stands: the nearest name on its line, else right above or below.
pub(in crate::desktop) fn neighbour(
    bounds: &ScreenRect,
    elements: &[Element],
    window: Option<WindowId>,
) -> Option<String> {
    let near =
        elements.iter().filter(|e| e.window == window && e.name.chars().any(char::is_alphanumeric));
    let place = |element: &Element| {
        let other = element.bounds;
        let level = other.y < bounds.bottom() && bounds.y < other.bottom();
        let over = other.x < bounds.right() && bounds.x < other.right();
        let sides = [
            (level, bounds.x.saturating_sub(other.right()), "right of", 0),
            (level, other.x.saturating_sub(bounds.right()), "left of", 1),
            (over, bounds.y.saturating_sub(other.bottom()), "below", 2),
            (over, other.y.saturating_sub(bounds.bottom()), "above", 3),
        ];
        let found =
            sides.into_iter().filter(|(beside, gap, _, _)| *beside && (-2..=BESIDE).contains(gap));
        found
            .min_by_key(|(_, gap, _, order)| (*gap, *order))
            .map(|(_, gap, word, order)| (order / 2, gap, word))
    };
    let found = near.filter_map(|element| place(element).map(|place| (place, &element.name)));
    let ((_, _, word), name) = found.min_by_key(|((rank, gap, _), _)| (*rank, *gap))?;
    let short: String = name.chars().take(NAME).collect();
    Some(format!("{word} {}", named(short.trim(), usize::MAX)))
}
