//! The part of the screen that was asked for: a window or a region, the monitor that it is on, and what to type where
//! it is not there.

use anyhow::Result;
use freehand_model::dialect::list;
use freehand_tools::element::Window;
use freehand_tools::frame::Monitor;
use freehand_tools::geometry::ScreenRect;
use freehand_tools::observation::Observation;
use freehand_tools::quote::quoted;

use super::TITLE;
use crate::args::ObserveArgs;
use crate::display::{Opened, written};
use crate::exit::usage;

/// Windows that are named to be looked at by themselves.
const OTHERS: usize = 3;
/// Characters of a word that is typed to choose a window: fewer say little, more are long to type.
const WORD: std::ops::RangeInclusive<usize> = 3..=40;

/// The monitor with this number, counted from 1, where `bounds` lie in `monitors`.
fn number_of(bounds: &ScreenRect, monitors: &[Monitor]) -> Option<u16> {
    let middle = bounds.center();
    let holds = monitors.iter().position(|monitor| monitor.bounds.contains(middle));
    let meets = || monitors.iter().position(|monitor| monitor.bounds.intersect(bounds).is_some());
    u16::try_from(holds.or_else(meets)? + 1).ok()
}

/// The number of the monitor that shows what `args` ask for, where `seen` shows another one and nobody chose it.
pub(super) fn elsewhere(opened: &Opened, seen: &Observation, args: &ObserveArgs) -> Option<u16> {
    let window = |text| find(&seen.windows, text).map(|window| window.bounds);
    let bounds = args.window.as_deref().and_then(window).or(args.region)?;
    let is_seen = bounds.intersect(&seen.bounds()).is_some();
    number_of(&bounds, &opened.monitors).filter(|_| args.monitor.is_none() && !is_seen)
}

/// The front window that is meant by `text`.
fn find<'w>(windows: &'w [Window], text: &str) -> Option<&'w Window> {
    let text = text.to_lowercase();
    let names = |window: &Window| [window.title.to_lowercase(), window.app.to_lowercase()];
    windows.iter().find(|window| names(window).iter().any(|name| name.contains(&text)))
}

/// The window or the part of the screen that was asked for.
pub(super) fn part(
    mut seen: Observation,
    args: &ObserveArgs,
    monitors: &[Monitor],
) -> Result<Observation> {
    let (region, what) = match (&args.window, args.region) {
        (Some(text), _) => {
            let window = find(&seen.windows, text).cloned().ok_or_else(|| no_window(text, &seen))?;
            // What lies over it is no part of it.
            let in_front = seen.windows.iter().take_while(|other| other.id != window.id);
            let over: Vec<ScreenRect> = in_front.map(|other| other.bounds).collect();
            seen.frame = seen.frame.blackened(&over);
            seen.elements.retain(|element| element.window == Some(window.id));
            seen.windows.retain(|other| other.id == window.id);
            (window.bounds, format!("window {}", quoted(&window.title, TITLE)))
        }
        (None, Some(region)) => {
            seen.elements.retain(|element| element.bounds.intersect(&region).is_some());
            seen.windows.retain(|window| window.bounds.intersect(&region).is_some());
            (region, format!("`{}`", written(&region)))
        }
        (None, None) => return Ok(seen),
    };
    let shown = seen.bounds();
    seen.frame =
        seen.frame.crop(&region).ok_or_else(|| usage(not_there(&what, &region, &shown, monitors)))?;
    Ok(seen)
}

fn not_there(what: &str, region: &ScreenRect, shown: &ScreenRect, monitors: &[Monitor]) -> String {
    let here = written(shown);
    if monitors.len() < 2 {
        return format!("{what} is not on the screen, which is `{here}`");
    }
    if let Some(number) = number_of(region, monitors) {
        let there = format!("but on monitor {number}; use `--monitor {number}`");
        return format!("{what} is not on this monitor, which is `{here}`, {there}");
    }
    let all = monitors.iter().zip(1..);
    let all: Vec<String> =
        all.map(|(one, number)| format!("{number} is `{}`", written(&one.bounds))).collect();
    format!("{what} is on no monitor: {}", all.join(", "))
}

fn no_window(text: &str, seen: &Observation) -> anyhow::Error {
    let titles: Vec<String> = seen.windows.iter().map(|window| quoted(&window.title, TITLE)).collect();
    let there = match titles.as_slice() {
        [] => "there are none".to_owned(),
        titles => format!("there are {}", titles.join(", ")),
    };
    usage(format!("no window has `{text}` in its title or its program's name; {there}"))
}

/// A line for what the list leaves out because another window has the keyboard, and how it is seen.
pub(super) fn others(seen: &Observation) -> Option<String> {
    let others = list::passed_over(seen);
    let count: usize = others.iter().map(|(_, count)| count).sum();
    let ways: Vec<String> =
        others.iter().filter_map(|(window, _)| typed(window, &seen.windows)).take(OTHERS).collect();
    let way = match ways.as_slice() {
        [] => "--window TITLE".to_owned(),
        ways => ways.join(" or "),
    };
    (count > 0).then(|| format!("({count} more in windows without the keyboard; see them with {way})"))
}

/// What chooses this window among all, and can be typed as it stands: names are the words of others.
fn typed(window: &Window, all: &[Window]) -> Option<String> {
    let blank = |c: char| c == ' ' || c == '-' || c == '.' || c == '_';
    let is_plain = |text: &&str| {
        WORD.contains(&text.chars().count())
            && text.chars().all(|c| c.is_alphanumeric() || blank(c))
            && text.starts_with(char::is_alphanumeric)
            && text.ends_with(char::is_alphanumeric)
    };
    let words = window.title.split(|c: char| !c.is_alphanumeric());
    let candidates = [window.app.as_str(), window.title.as_str()].into_iter().chain(words);
    let chooses = |text: &&str| find(all, text).is_some_and(|found| found.id == window.id);
    let text = candidates.filter(is_plain).find(chooses)?;
    Some(if text.contains(' ') { format!("--window '{text}'") } else { format!("--window {text}") })
}

#[cfg(test)]
mod tests {
    use freehand_tools::element::WindowId;
    use freehand_tools::geometry::Rect;

    use super::*;

    fn window(id: u64, title: &str, app: &str) -> Window {
        let (title, app) = (title.to_owned(), app.to_owned());
        Window { id: WindowId(id), title, app, pid: None, bounds: Rect::new(0, 0, 9, 9), focused: false }
    }

    #[test]
    fn what_is_typed_chooses_the_window_and_nothing_else() {
        for (title, app, want) in [
            ("Shop", "Chromium", Some("--window Chromium")),
            ("Other letter", "editor", Some("--window 'Other letter'")),
            ("Letter: two", "editor", Some("--window two")),
            ("$(reboot)", "a b; c", Some("--window reboot")),
            ("'; x '", "-y", None),
            ("Letter", "editor", None),
            ("a\u{202e}b", "", None),
        ] {
            let all = [window(1, "Letter", "editor"), window(2, title, app)];
            assert_eq!(typed(&all[1], &all).as_deref(), want, "{title}");
        }
    }

    #[test]
    fn what_is_not_there_is_said_with_where_it_is() {
        let monitor = |name: &str, bounds| Monitor { name: name.into(), bounds, scale: 1.0 };
        let left = monitor("left", Rect::new(-800, 0, 800, 600));
        let right = monitor("right", Rect::new(0, 0, 640, 480));
        let (one, two) = ([right.clone()], [left, right.clone()]);
        let said = |region: ScreenRect, all: &[Monitor]| not_there("it", &region, &right.bounds, all);
        let (near, far) = (Rect::new(-10, 5, 8, 8), Rect::new(5000, 5000, 10, 10));
        assert_eq!(said(far, &one), "it is not on the screen, which is `0,0,640x480`");
        let want =
            "it is not on this monitor, which is `0,0,640x480`, but on monitor 1; use `--monitor 1`";
        assert_eq!(said(near, &two), want);
        let want = "it is on no monitor: 1 is `-800,0,800x600`, 2 is `0,0,640x480`";
        assert_eq!(said(far, &two), want);
    }
}
