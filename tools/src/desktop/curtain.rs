//! What must not be seen: windows and parts of the screen that are black in every picture and absent from
//! every list, before anything else gets to see them.
//!
//! The window itself stays known, without its title: a click must not be judged as one on what lies behind
//! it. The gate lets nothing through to it.

use crate::element::{Element, Source, Window, WindowId};
use crate::frame::Frame;
use crate::geometry::{ScreenPoint, ScreenRect};
use crate::observation::More;

/// One window or several, by what they say of themselves; all that is given has to fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pattern {
    /// The program: the window class or the name of its command.
    pub program: Option<String>,
    /// A part of the title.
    pub title: Option<String>,
}

impl Pattern {
    /// Whether it fits. Case does not matter; a pattern that says nothing fits nothing.
    pub fn fits(&self, window: &Window) -> bool {
        let program =
            self.program.as_ref().map(|program| program.to_lowercase() == window.app.to_lowercase());
        let title =
            self.title.as_ref().map(|title| window.title.to_lowercase().contains(&title.to_lowercase()));
        let said = [program, title];
        said.iter().any(Option::is_some) && said.iter().flatten().all(|fits| *fits)
    }
}

/// All that must not be seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Curtain {
    /// Windows.
    pub windows: Vec<Pattern>,
    /// Parts of the desktop, in screen pixels.
    pub places: Vec<ScreenRect>,
}

/// What of it is on the screen now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hidden {
    /// The windows.
    pub windows: Vec<WindowId>,
    /// What shows of them, and the other places, in screen pixels.
    pub places: Vec<ScreenRect>,
    /// The other places alone.
    fixed: Vec<ScreenRect>,
    /// Where Freehand's own windows take clicks. They are not seen, and nothing is hidden by them.
    pub own: Vec<ScreenRect>,
}

impl Hidden {
    /// Whether nothing is hidden.
    pub const fn is_empty(&self) -> bool {
        self.windows.is_empty() && self.places.is_empty()
    }

    /// Whether `point` is in it.
    pub fn holds(&self, point: ScreenPoint) -> bool {
        self.places.iter().any(|place| place.contains(point))
    }

    /// `frame` with all of it in black.
    pub(super) fn blacken(&self, frame: Frame) -> Frame {
        frame.blackened(&self.places)
    }

    /// Takes out of `elements` what stands in it. What a program tells of another window, which a hidden one
    /// covers in part, is no secret; what is read off the pixels at the edge of it may be one.
    pub(super) fn clear(&self, elements: &mut Vec<Element>) {
        elements.retain(|element| {
            let touches = |place: &ScreenRect| place.intersect(&element.bounds).is_some();
            let read = element.source != Source::Accessibility;
            self.shows(element.window, &element.bounds) && !(read && self.places.iter().any(touches))
        });
    }

    /// Takes out of `more` what stands in it.
    pub(super) fn clear_more(&self, more: &mut Vec<More>) {
        more.retain(|more| self.shows(Some(more.window), &more.bounds));
    }

    /// Takes the titles of the hidden windows out of `windows`.
    pub(super) fn untitle(&self, windows: &mut [Window]) {
        for window in windows.iter_mut().filter(|window| self.windows.contains(&window.id)) {
            window.title.clear();
        }
    }

    /// Whether what a program tells of one of its windows may be known.
    fn shows(&self, window: Option<WindowId>, bounds: &ScreenRect) -> bool {
        let behind = window.is_some_and(|window| self.windows.contains(&window));
        let covered = self.fixed.iter().any(|place| place.intersect(bounds).is_some());
        !behind && !covered && !self.holds(bounds.center())
    }

    /// Both.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.windows.extend(other.windows);
        self.places.extend(other.places);
        self
    }
}

impl Curtain {
    /// Whether it hides nothing.
    pub const fn is_empty(&self) -> bool {
        self.windows.is_empty() && self.places.is_empty()
    }

    /// What it hides of `windows`, which stand from front to back.
    pub(super) fn draw(&self, windows: &[Window]) -> Hidden {
        let (places, fixed) = (self.places.clone(), self.places.clone());
        let mut hidden = Hidden { windows: Vec::new(), places, fixed, own: Vec::new() };
        let mut in_front: Vec<ScreenRect> = Vec::new();
        for window in windows {
            if self.windows.iter().any(|pattern| pattern.fits(window)) {
                hidden.windows.push(window.id);
                hidden.places.extend(without(window.bounds, &in_front));
            } else {
                in_front.push(window.bounds);
            }
        }
        hidden
    }
}

/// What is left of `whole` without `others`, in rectangles.
fn without(whole: ScreenRect, others: &[ScreenRect]) -> Vec<ScreenRect> {
    let mut left = vec![whole];
    for other in others {
        left = left.into_iter().flat_map(|part| around(part, other)).collect();
    }
    left
}

fn around(part: ScreenRect, other: &ScreenRect) -> Vec<ScreenRect> {
    let Some(shared) = part.intersect(other) else { return vec![part] };
    let length = |from: i32, to: i32| u32::try_from(i64::from(to) - i64::from(from)).unwrap_or(0);
    let pieces = [
        ScreenRect::new(part.x, part.y, part.width, length(part.y, shared.y)),
        ScreenRect::new(part.x, shared.bottom(), part.width, length(shared.bottom(), part.bottom())),
        ScreenRect::new(part.x, shared.y, length(part.x, shared.x), shared.height),
        ScreenRect::new(shared.right(), shared.y, length(shared.right(), part.right()), shared.height),
    ];
    pieces.into_iter().filter(|piece| !piece.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Monitor;
    use crate::geometry::Rect;
    use image::{Rgb, RgbImage};
    use proptest::prelude::*;

    fn window(id: u64, app: &str, title: &str, bounds: ScreenRect) -> Window {
        let (title, app) = (title.to_owned(), app.to_owned());
        Window { id: WindowId(id), title, app, pid: None, bounds, focused: false }
    }

    fn pattern(program: Option<&str>, title: Option<&str>) -> Pattern {
        Pattern { program: program.map(str::to_owned), title: title.map(str::to_owned) }
    }

    #[test]
    fn patterns_fit_by_all_that_they_say() {
        let window = window(1, "KeePassXC", "Passwords - Private", Rect::new(0, 0, 9, 9));
        for (program, title, fits) in [
            (Some("keepassxc"), None, true),
            (Some("keepass"), None, false),
            (None, Some("private"), true),
            (Some("keepassxc"), Some("public"), false),
            (Some("keepassxc"), Some("PASSWORDS"), true),
            (None, None, false),
        ] {
            assert_eq!(pattern(program, title).fits(&window), fits, "{program:?} {title:?}");
        }
    }

    #[test]
    fn what_stands_in_front_is_seen_and_titles_are_gone() {
        let mut windows = [
            window(1, "front", "Note", Rect::new(50, 50, 20, 20)),
            window(2, "vault", "my bank", Rect::new(0, 0, 100, 100)),
            window(3, "back", "Back", Rect::new(0, 0, 200, 200)),
        ];
        let curtain = Curtain { windows: vec![pattern(Some("vault"), None)], places: Vec::new() };
        let hidden = curtain.draw(&windows);
        assert_eq!(hidden.windows, [WindowId(2)]);
        hidden.untitle(&mut windows);
        assert_eq!(windows.map(|window| window.title), ["Note", "", "Back"]);
        for (x, y, is_hidden) in
            [(10, 10, true), (60, 60, false), (99, 60, true), (60, 99, true), (150, 50, false)]
        {
            assert_eq!(hidden.holds(ScreenPoint::new(x, y)), is_hidden, "{x} {y}");
        }
        let monitor = Monitor { name: "m".into(), bounds: Rect::new(-10, 0, 210, 200), scale: 1.0 };
        let frame = Frame::new(monitor, RgbImage::from_pixel(210, 200, Rgb([9; 3])));
        let black = hidden.blacken(frame);
        for (x, y, pixel) in black.pixels().enumerate_pixels() {
            let at = ScreenPoint::new(i32::try_from(x).unwrap() - 10, i32::try_from(y).unwrap());
            assert_eq!(pixel.0 == [0; 3], hidden.holds(at), "{at}");
        }
    }

    #[test]
    fn what_scrolls_in_it_is_not_known() {
        let windows = [
            window(2, "vault", "my bank", Rect::new(0, 0, 100, 100)),
            window(3, "back", "Back", Rect::new(0, 0, 400, 400)),
        ];
        let place = Rect::new(0, 300, 400, 100);
        let hidden = Curtain { windows: vec![pattern(Some("vault"), None)], places: vec![place] };
        let more = |window, name: &str, bounds| More {
            window: WindowId(window),
            name: Some(name.into()),
            bounds,
            above: false,
            below: true,
            left: false,
            right: false,
        };
        let mut all = vec![
            more(2, "accounts", Rect::new(10, 10, 80, 80)),
            more(3, "page", Rect::new(0, 0, 400, 290)),
            more(3, "beneath it", Rect::new(20, 20, 20, 20)),
            more(3, "in the place", Rect::new(150, 250, 100, 100)),
        ];
        hidden.draw(&windows).clear_more(&mut all);
        let names: Vec<_> = all.into_iter().filter_map(|more| more.name).collect();
        assert_eq!(names, ["page"]);
    }

    proptest! {
        #[test]
        fn a_part_is_cut_into_what_is_left(
            a in (-20..20, -20..20, 1_u32..30, 1_u32..30), b in (-20..20, -20..20, 1_u32..30, 1_u32..30),
            (x, y) in (-20..50, -20..50),
        ) {
            let [a, b] = [a, b].map(|(x, y, w, h)| Rect::new(x, y, w, h));
            let pieces = around(a, &b);
            let at = ScreenPoint::new(x, y);
            let times = pieces.iter().filter(|piece| piece.contains(at)).count();
            prop_assert_eq!(times, usize::from(a.contains(at) && !b.contains(at)));
        }
    }
}
