//! The lines that say where scrolling brings more into sight.

use freehand_tools::element::{Element, WindowId};
use freehand_tools::observation::{More, Observation};
use freehand_tools::quote::named;

/// Lines of one list.
const MOST: usize = 4;
/// Characters of a name.
const NAME: usize = 40;

/// One line for each part of the `active` windows that holds more than it shows, the largest first.
pub(super) fn lines(seen: &Observation, active: &[WindowId], listed: &[&Element]) -> Vec<String> {
    let mut all: Vec<&More> = seen.more.iter().filter(|more| active.contains(&more.window)).collect();
    all.sort_by_key(|more| std::cmp::Reverse(more.bounds.area()));
    all.truncate(MOST);
    let largest = |more: &More| {
        let window = seen.window(more.window);
        window.is_some_and(|window| more.bounds.area() * 2 > window.bounds.area())
    };
    all.into_iter().map(|more| line(more, largest(more), listed)).collect()
}

fn line(more: &More, is_whole: bool, listed: &[&Element]) -> String {
    let ways = [
        (more.above, "above", "up"),
        (more.below, "below", "down"),
        (more.left, "to the left", "left"),
        (more.right, "to the right", "right"),
    ];
    let open: Vec<_> = ways.iter().filter(|(there, _, _)| *there).collect();
    let words: Vec<&str> = open.iter().map(|(_, place, _)| *place).collect();
    let turns: Vec<&str> = open.iter().map(|(_, _, turn)| *turn).collect();
    let inside = || listed.iter().filter(|element| more.bounds.contains(element.bounds.center()));
    let place = match &more.name {
        _ if is_whole => String::new(),
        Some(name) => format!(" in {}", named(name, NAME)),
        None => match (inside().next(), inside().next_back()) {
            (Some(first), Some(last)) if first.id != last.id => {
                format!(" around [{}] to [{}]", first.id, last.id)
            }
            (Some(only), _) => format!(" around [{}]", only.id),
            _ => String::new(),
        },
    };
    let over = if is_whole { "" } else { " over it" };
    format!("(more {}{place}; scroll {}{over})", words.join(" and "), turns.join(" or "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use freehand_tools::geometry::Rect;

    fn more(name: Option<&str>, [above, below, left, right]: [bool; 4]) -> More {
        let bounds = Rect::new(0, 0, 9, 9);
        More { window: WindowId(1), name: name.map(str::to_owned), bounds, above, below, left, right }
    }

    #[test]
    fn ways_are_said_in_words() {
        for (name, ways, whole, want) in [
            (None, [false, true, false, false], true, "(more below; scroll down)"),
            (None, [true, true, false, false], true, "(more above and below; scroll up or down)"),
            (
                Some("Ci\"ties"),
                [false, true, false, false],
                false,
                "(more below in \"Ci'ties\"; scroll down over it)",
            ),
            (
                None,
                [false, false, true, true],
                false,
                "(more to the left and to the right; scroll left or right over it)",
            ),
        ] {
            assert_eq!(line(&more(name, ways), whole, &[]), want);
        }
    }
}
