//! How large shapes are among their like: words that a person uses where there are several.

use super::form::Form;
use crate::desktop::appearance;
use crate::desktop::area::{Area, AreaKind};
use crate::element::{Element, Role};
use crate::frame::Frame;

/// Shapes are large and small where the longest is so many tenths as long as the shortest.
const UNLIKE: u32 = 15;
/// Characters of a text that is a sign in a drawing and nothing to be read.
const SIGN: usize = 2;
/// All forms that have a word.
const FORMS: [Form; 14] = [
    Form::Square,
    Form::Rectangle,
    Form::Circle,
    Form::Oval,
    Form::Triangle,
    Form::Diamond,
    Form::Polygon(4),
    Form::Polygon(5),
    Form::Polygon(6),
    Form::Polygon(7),
    Form::Polygon(8),
    Form::Star,
    Form::Cross,
    Form::Irregular,
];

/// Says of signs in drawings what colour they have, and of signs and shapes which are large and small,
/// where they differ.
pub(in crate::desktop) fn compare(frame: &Frame, elements: &mut [Element], areas: &[Area]) {
    let is_sign = |element: &Element| {
        let drawn = |area: &&Area| {
            area.kind == AreaKind::Drawing
                && Some(area.window) == element.window
                && area.bounds.contains(element.bounds.center())
        };
        let letters = element.name.chars().count();
        matches!(element.role, Role::Clickable | Role::Text)
            && (1..=SIGN).contains(&letters)
            && areas.iter().any(|area| drawn(&area))
    };
    for element in elements.iter_mut().filter(|element| is_sign(element) && element.looks.is_none()) {
        element.looks = appearance::ink(frame, &element.bounds).map(str::to_owned);
    }
    let windows: Vec<_> = elements.iter().map(|element| element.window).collect();
    for window in
        windows.iter().enumerate().filter(|(at, id)| windows.iter().position(|o| o == *id) == Some(*at))
    {
        let alike =
            |element: &Element| element.window == *window.1 && (is_sign(element) || is_shape(element));
        let extent = |element: &Element| element.bounds.width.max(element.bounds.height);
        let sides: Vec<u32> = elements.iter().filter(|e| alike(e)).map(extent).collect();
        let Some((least, most)) = sides.iter().min().copied().zip(sides.iter().max().copied()) else {
            continue;
        };
        if least == 0 || most.saturating_mul(10) < least.saturating_mul(UNLIKE) {
            continue;
        }
        for element in elements.iter_mut().filter(|element| alike(element)) {
            // The border between small and large is the geometric mean.
            let own = u64::from(extent(element));
            let size = if own * own >= u64::from(least) * u64::from(most) { "large" } else { "small" };
            element.looks = element.looks.take().map(|looks| format!("{size} {looks}"));
        }
    }
}

fn is_shape(element: &Element) -> bool {
    let looks = element.looks.as_deref().unwrap_or_default();
    let drawn = looks.strip_suffix(" outline").unwrap_or(looks);
    let is_form = || FORMS.iter().any(|form| drawn.ends_with(form.word())) || drawn.ends_with(" box");
    element.name.is_empty() && is_form()
}
