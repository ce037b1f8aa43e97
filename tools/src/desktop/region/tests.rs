use super::*;
use crate::element::{ElementId, ElementKey, Source, States};
use crate::frame::Monitor;
use image::Rgb;

/// A screen at (-100, 0) with texts, as stripes of 2 px, in these places of the picture.
fn screen(texts: &[(u32, u32, u32, u32)]) -> Frame {
    let inside = |x: u32, y: u32| {
        texts.iter().any(|(l, t, w, h)| (*l..l + w).contains(&x) && (*t..t + h).contains(&y))
    };
    let pixels = RgbImage::from_fn(400, 300, |x, y| {
        Rgb([if inside(x, y) && (x / 2 + y / 2) % 2 == 0 { 0 } else { 255 }; 3])
    });
    let monitor = Monitor { name: "screen".into(), bounds: Rect::new(-100, 0, 400, 300), scale: 1.0 };
    Frame::new(monitor, pixels)
}

fn window(bounds: ScreenRect) -> Window {
    Window {
        id: WindowId(1),
        title: String::new(),
        app: String::new(),
        pid: None,
        bounds,
        focused: true,
    }
}

fn element(role: Role, name: &str, bounds: ScreenRect) -> Element {
    Element {
        id: ElementId(1),
        key: ElementKey("k".into()),
        role,
        name: name.into(),
        value: None,
        description: None,
        looks: None,
        options: Vec::new(),
        actions: Vec::new(),
        states: States::default(),
        bounds,
        source: Source::Accessibility,
        window: Some(WindowId(1)),
        within: None,
        region: None,
    }
}

#[test]
fn only_what_no_element_explains_is_read() {
    let frame = screen(&[(40, 40, 100, 16), (40, 200, 100, 16)]);
    let windows = [window(frame.bounds())];
    let all = Cells::unexplained(&frame, (&windows, &[]), &[]).parts(&frame);
    assert_eq!(all.len(), 2, "{all:?}");
    assert!(all[0].contains(crate::geometry::Point::new(-40, 48)) && all[0].height < 50, "{all:?}");
    let label = element(Role::Text, "a label", Rect::new(-60, 40, 100, 16));
    let left = Cells::unexplained(&frame, (&windows, &[]), std::slice::from_ref(&label)).parts(&frame);
    assert_eq!(left, all[1..]);
    for (role, name) in [(Role::Button, ""), (Role::Group, "a group"), (Role::Image, "a map")] {
        let other = element(role, name, label.bounds);
        assert_eq!(Cells::unexplained(&frame, (&windows, &[]), &[other]).parts(&frame), all, "{role:?}");
    }
    let secret = element(Role::Password, "", label.bounds);
    assert_eq!(Cells::unexplained(&frame, (&windows, &[]), &[secret]).parts(&frame), all[1..]);
    assert!(Cells::unexplained(&frame, (&[], &[]), &[]).parts(&frame).is_empty());
}

#[test]
fn lines_and_plain_colours_are_no_text() {
    let frame = screen(&[]);
    let mut pixels = frame.pixels().clone();
    for at in 0..300 {
        pixels.put_pixel(at, 100, Rgb([0; 3]));
        pixels.put_pixel(50, at, Rgb([0; 3]));
    }
    let frame = Frame::new(frame.monitor().clone(), pixels);
    assert!(Cells::unexplained(&frame, (&[window(frame.bounds())], &[]), &[]).parts(&frame).is_empty());
}

#[test]
fn what_changed_is_known_by_cells() {
    let (a, b) = (screen(&[(40, 40, 100, 16)]), screen(&[(40, 40, 108, 16)]));
    assert!(Cells::changed(Some(&a), &a).parts(&a).is_empty());
    let changed = Cells::changed(Some(&a), &b);
    assert!(changed.touches(&b, &Rect::new(40, 40, 8, 8)));
    assert!(!changed.touches(&b, &Rect::new(-60, 40, 90, 16)));
    assert!(Cells::changed(None, &a).without(&Cells::none(&a)).touches(&a, &Rect::new(0, 0, 1, 1)));
    assert!(!Cells::changed(None, &a).touches(&a, &Rect::new(900, 900, 5, 5)));
}

#[test]
fn many_parts_become_few() {
    let texts: Vec<_> = (0..60).map(|n| ((n % 10) * 40, (n / 10) * 48, 16, 12)).collect();
    let frame = screen(&texts);
    let parts = Cells::unexplained(&frame, (&[window(frame.bounds())], &[]), &[]).parts(&frame);
    assert!(!parts.is_empty() && parts.len() <= MOST, "{parts:?}");
    for (x, y, _, _) in texts {
        let middle =
            crate::geometry::Point::new(i32::try_from(x).unwrap() - 92, i32::try_from(y).unwrap() + 6);
        assert!(parts.iter().any(|part| part.contains(middle)), "{middle}");
    }
}

#[test]
fn the_smallest_frames_have_no_parts() {
    for (width, height) in [(0, 0), (1, 1), (1, 50)] {
        let bounds = Rect::new(0, 0, width, height);
        let monitor = Monitor { name: "screen".into(), bounds, scale: 1.0 };
        let frame = Frame::new(monitor, RgbImage::new(width, height));
        assert!(Cells::unexplained(&frame, (&[window(bounds)], &[]), &[]).parts(&frame).is_empty());
        assert!(Cells::changed(None, &frame).without(&Cells::none(&frame)).parts(&frame).len() <= 1);
    }
}

#[test]
fn a_text_that_the_list_says_elsewhere_is_not_read() {
    let frame = screen(&[(40, 40, 100, 16), (40, 200, 100, 16)]);
    let front = Window { id: WindowId(2), ..window(Rect::new(-80, 180, 200, 60)) };
    let windows = [front, window(frame.bounds())];
    let read = |areas: &[Area]| Cells::unexplained(&frame, (&windows, areas), &[]).parts(&frame);
    let all = read(&[]);
    assert_eq!(all.len(), 2);
    for (y, kind, left) in [
        (40, AreaKind::Echo, &all[1..]),
        (40, AreaKind::Ruler, &all[1..]),
        (40, AreaKind::Page, &all[..]),
        // Here another window lies over it.
        (200, AreaKind::Echo, &all[..]),
    ] {
        let area = Area { window: WindowId(1), bounds: Rect::new(-60, y, 100, 16), kind };
        assert_eq!(read(&[area]), left, "{kind:?} at {y}");
    }
}

#[test]
fn cells_are_told_apart_by_what_is_in_and_around_them() {
    let frame = screen(&[(40, 40, 100, 16), (240, 200, 100, 16)]);
    let windows = [window(frame.bounds())];
    let label = element(Role::Text, "a label", Rect::new(140, 200, 100, 16));
    let cells = Cells::unexplained(&frame, (&windows, &[]), std::slice::from_ref(&label));
    let digest = |x, y| {
        let mut image = frame.pixels().clone();
        image.put_pixel(x, y, Rgb([9; 3]));
        cells.digest(&image)
    };
    let here = cells.digest(frame.pixels());
    assert_eq!(digest(280, 208), here, "what the label explains");
    assert_ne!(digest(60, 48), here, "in a cell");
    assert_ne!(digest(60, 60), here, "beside one");
    assert_ne!(Cells::none(&frame).digest(frame.pixels()), here);
    assert_eq!(digest(399, 299), here, "far away");
}
