//! What is found in drawings made here, and what of it stands in the list.

use image::{Rgb, RgbImage};

use super::covered::still_there;
use super::form::Form;
use super::things::{Look, things};
use super::{Found, Scene, Vision, sizes};
use crate::desktop::appearance;
use crate::desktop::area::{Area, AreaKind};
use crate::element::{Element, ElementId, ElementKey, Role, Source, States, Window, WindowId};
use crate::frame::{Frame, Monitor};
use crate::geometry::{Rect, ScreenRect};

const WHITE: [u8; 3] = [255; 3];
const RED: [u8; 3] = [220, 20, 20];
const BLUE: [u8; 3] = [20, 20, 230];
const BLACK: [u8; 3] = [0; 3];

/// A picture of this size, in one colour.
fn canvas(width: u32, height: u32, colour: [u8; 3]) -> RgbImage {
    RgbImage::from_pixel(width, height, Rgb(colour))
}

fn fill(image: &mut RgbImage, x: u32, y: u32, width: u32, height: u32, colour: [u8; 3]) {
    for (x, y) in (x..x + width).flat_map(|x| (y..y + height).map(move |y| (x, y))) {
        image.put_pixel(x, y, Rgb(colour));
    }
}

/// A circle with softened edges.
fn circle(image: &mut RgbImage, x: f64, y: f64, radius: f64, colour: [u8; 3]) {
    for (px, py, pixel) in image.enumerate_pixels_mut() {
        let far = (f64::from(px) + 0.5 - x).hypot(f64::from(py) + 0.5 - y);
        let share = (radius + 0.5 - far).clamp(0.0, 1.0);
        for (channel, ink) in pixel.0.iter_mut().zip(colour) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a colour")]
            let mixed = (f64::from(*channel) * (1.0 - share) + f64::from(ink) * share).round() as u8;
            *channel = mixed;
        }
    }
}

fn found(image: &RgbImage) -> Vec<String> {
    things(image, &|_| true).into_iter().map(|thing| thing.look.words()).collect()
}

#[test]
fn shapes_are_told_by_colour_and_form() {
    let mut image = canvas(300, 200, WHITE);
    fill(&mut image, 20, 20, 40, 40, RED);
    fill(&mut image, 100, 20, 80, 30, BLUE);
    circle(&mut image, 230.0, 40.0, 20.0, [0, 128, 0]);
    circle(&mut image, 40.0, 130.0, 30.0, BLACK);
    circle(&mut image, 40.0, 130.0, 28.0, WHITE);
    circle(&mut image, 150.0, 130.0, 4.0, BLUE);
    assert_eq!(
        found(&image),
        ["red square", "blue rectangle", "green circle", "black circle outline", "blue circle"]
    );
    let bounds: Vec<_> = things(&image, &|_| true).iter().map(|thing| thing.bounds).collect();
    assert_eq!(bounds[0], Rect::new(20, 20, 40, 40));
}

#[test]
fn what_lies_on_a_surface_is_found() {
    let mut image = canvas(300, 200, WHITE);
    fill(&mut image, 20, 20, 200, 150, [90, 90, 90]);
    fill(&mut image, 40, 40, 30, 30, RED);
    circle(&mut image, 150.0, 100.0, 20.0, BLUE);
    assert_eq!(found(&image), ["grey rectangle", "red square", "blue circle"]);
}

#[test]
fn the_parts_of_a_window_are_no_things_and_hide_none() {
    let mut image = canvas(700, 500, [200, 215, 240]);
    fill(&mut image, 4, 4, 692, 60, [90, 90, 90]);
    fill(&mut image, 4, 64, 692, 432, WHITE);
    fill(&mut image, 40, 20, 30, 30, RED);
    fill(&mut image, 100, 200, 60, 60, BLUE);
    assert_eq!(found(&image), ["red square", "blue square"]);
    // The fields of a table are no things.
    let mut image = canvas(700, 500, WHITE);
    for at in 0..20 {
        fill(&mut image, 20 + at * 30, 20, 1, 401, [180; 3]);
        fill(&mut image, 20, 20 + at * 20, 571, 1, [180; 3]);
    }
    assert_eq!(found(&image), Vec::<String>::new());
    // The same of two panels that are no larger than a thing may be.
    let mut image = canvas(500, 500, [85; 3]);
    fill(&mut image, 4, 4, 320, 100, [255, 255, 0]);
    fill(&mut image, 4, 104, 320, 250, WHITE);
    fill(&mut image, 60, 150, 24, 24, BLUE);
    fill(&mut image, 200, 200, 30, 30, RED);
    assert_eq!(found(&image), ["blue square", "red square"]);
}

#[test]
fn shapes_that_touch_are_told_apart() {
    let mut image = canvas(300, 100, WHITE);
    for (at, colour) in (0..).zip([RED, BLUE, BLACK, [0, 128, 0]]) {
        fill(&mut image, 20 + at * 50, 20, 50, 50, colour);
    }
    assert_eq!(found(&image), ["red square", "blue square", "black square", "green square"]);
}

#[test]
fn dots_on_lines_are_dots() {
    let mut image = canvas(200, 200, WHITE);
    fill(&mut image, 0, 100, 200, 2, BLACK);
    fill(&mut image, 100, 0, 2, 200, BLACK);
    for at in [20.0, 61.0, 101.0, 141.0, 180.0] {
        circle(&mut image, at, 101.0, 8.0, BLUE);
    }
    let dots = found(&image).iter().filter(|words| *words == "blue circle").count();
    assert_eq!(dots, 5, "{:?}", things(&image, &|_| true));
}

#[test]
fn a_photo_is_one_picture() {
    let mut image = canvas(300, 200, WHITE);
    let mut seed = 7_u32;
    for (x, y) in (30..250).flat_map(|x| (20..180).map(move |y| (x, y))) {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let shade = |by: u32| u8::try_from((seed >> by) % 90 + x / 2).unwrap();
        image.put_pixel(x, y, Rgb([shade(8), shade(16), shade(24)]));
    }
    assert_eq!(found(&image), ["picture"]);
}

#[test]
fn nothing_is_found_where_nothing_is() {
    for (width, height) in [(0, 0), (1, 1), (3, 90), (200, 100)] {
        assert!(things(&canvas(width, height, RED), &|_| true).is_empty(), "{width} {height}");
    }
}

fn window(bounds: ScreenRect) -> Window {
    let (title, app) = (String::new(), "app".to_owned());
    Window { id: WindowId(1), title, app, pid: None, bounds, focused: true }
}

fn told(role: Role, name: &str, bounds: ScreenRect) -> Element {
    Element {
        id: ElementId(900),
        key: ElementKey(format!("told:{name}")),
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

fn frame(image: RgbImage) -> Frame {
    let bounds = Rect::new(-50, 0, image.width(), image.height());
    Frame::new(Monitor { name: "screen".into(), bounds, scale: 1.0 }, image)
}

/// The list after a look at `image` in a window that fills it.
fn listed(vision: &mut Vision, image: &RgbImage, areas: &[Area], told: &[Element]) -> Vec<Element> {
    let frame = frame(image.clone());
    let windows = [window(frame.bounds())];
    let mut elements = told.to_vec();
    vision.look(Scene { frame: &frame, windows: &windows, areas }, &mut elements);
    elements
}

fn looks(elements: &[Element]) -> Vec<&str> {
    elements.iter().filter_map(|element| element.looks.as_deref()).collect()
}

#[test]
fn signs_are_called_by_what_they_stand_beside_and_nothing_stands_twice() {
    let mut image = canvas(400, 200, WHITE);
    // An arrow.
    for at in 0..20 {
        fill(&mut image, 200 + at, 60 + at / 2, 4, 20 - at, BLACK);
        fill(&mut image, 190, 68, 12, 6, BLACK);
    }
    fill(&mut image, 300, 100, 40, 40, RED);
    let button = told(Role::Button, "Save", Rect::new(50, 55, 60, 30));
    let swatch = told(Role::Clickable, "", Rect::new(250, 100, 40, 40));
    let mut vision = Vision::default();
    let plain = listed(&mut vision, &image, &[], std::slice::from_ref(&button));
    assert_eq!(looks(&plain), ["black icon right of \"Save\"", "red square"]);
    assert!(plain.iter().filter(|e| e.looks.is_some()).all(|e| e.source == Source::Vision));
    let both = listed(&mut vision, &image, &[], &[button, swatch]);
    assert_eq!(looks(&both), ["black icon right of \"Save\""]);
}

#[test]
fn a_button_without_a_name_is_called_by_what_it_stands_beside() {
    let mut image = canvas(400, 200, WHITE);
    fill(&mut image, 200, 60, 30, 30, RED);
    fill(&mut image, 300, 60, 30, 30, BLUE);
    let save = told(Role::Button, "Save", Rect::new(50, 60, 60, 30));
    let button = told(Role::Button, "", Rect::new(150, 60, 30, 30));
    let known =
        Element { looks: Some("trash".into()), ..told(Role::Button, "", Rect::new(250, 60, 30, 30)) };
    let swatch = told(Role::Clickable, "", Rect::new(250, 60, 30, 30));
    let mut all = [save, button, known, swatch];
    appearance::describe_nameless(&frame(image), &mut all);
    assert_eq!(looks(&all), ["red box right of \"Save\"", "trash, blue box", "blue box"]);
}

#[test]
fn what_lies_on_a_card_with_a_name_belongs_to_it() {
    let mut image = canvas(500, 300, WHITE);
    fill(&mut image, 60, 40, 40, 40, RED);
    fill(&mut image, 400, 40, 40, 40, RED);
    let card = told(Role::Clickable, "10", Rect::new(0, 20, 150, 200));
    let mut vision = Vision::default();
    let all = listed(&mut vision, &image, &[], &[card]);
    assert_eq!(looks(&all), ["red square"]);
}

#[test]
fn sizes_are_told_where_they_differ() {
    let mut image = canvas(400, 200, WHITE);
    fill(&mut image, 20, 20, 20, 20, RED);
    fill(&mut image, 120, 20, 60, 60, RED);
    let mut vision = Vision::default();
    let mut all = listed(&mut vision, &image, &[], &[]);
    sizes::compare(&frame(image), &mut all, &[]);
    assert_eq!(looks(&all), ["small red square", "large red square"]);
}

#[test]
fn a_drawing_tells_all_and_a_page_only_what_is_clear() {
    let mut image = canvas(400, 300, WHITE);
    fill(&mut image, 20, 30, 300, 2, BLACK);
    fill(&mut image, 20, 100, 300, 80, [180, 180, 230]);
    fill(&mut image, 330, 20, 30, 30, RED);
    let text = told(Role::Text, "Words of the page", Rect::new(-40, 250, 100, 20));
    let page = Area { window: WindowId(1), bounds: Rect::new(-50, 0, 400, 300), kind: AreaKind::Page };
    let mut vision = Vision::default();
    let plain = listed(&mut vision, &image, &[page], std::slice::from_ref(&text));
    assert_eq!(looks(&plain), ["red square"]);
    let drawing = Area { kind: AreaKind::Drawing, ..page };
    let all = listed(&mut vision, &image, &[page, drawing], std::slice::from_ref(&text));
    assert_eq!(looks(&all), ["black line", "red square", "light blue rectangle"]);
    // Beside the page, and in a photo, nothing is looked for.
    let small = Area { bounds: Rect::new(-50, 0, 300, 300), ..page };
    assert!(looks(&listed(&mut vision, &image, &[small], std::slice::from_ref(&text))).is_empty());
    let photo = Area { kind: AreaKind::Picture, ..page };
    assert!(looks(&listed(&mut vision, &image, &[page, photo], &[text])).is_empty());
}

#[test]
fn a_text_on_a_shape_says_what_it_stands_on() {
    let mut image = canvas(400, 200, WHITE);
    fill(&mut image, 100, 50, 120, 50, BLUE);
    let text = Element { source: Source::Ocr, ..told(Role::Text, "Start", Rect::new(80, 65, 60, 20)) };
    let mut vision = Vision::default();
    let all = listed(&mut vision, &image, &[], &[text]);
    assert_eq!(all.len(), 1);
    assert_eq!(looks(&all), ["on blue rectangle"]);
}

#[test]
fn what_a_window_stands_on_is_no_thing() {
    let mut image = canvas(400, 300, BLACK);
    fill(&mut image, 20, 20, 300, 200, BLUE);
    fill(&mut image, 60, 60, 30, 30, RED);
    let frame = frame(image);
    let windows = [window(Rect::new(-30, 20, 300, 200))];
    let mut elements = Vec::new();
    let scene = Scene { frame: &frame, windows: &windows, areas: &[] };
    Vision::default().look(scene, &mut elements);
    assert_eq!(looks(&elements), ["red square"]);
}

#[test]
fn an_empty_field_beside_its_label_is_no_letter() {
    let mut image = canvas(400, 100, WHITE);
    for at in 0..8 {
        fill(&mut image, 20 + at * 11, 40, 2, 12, BLACK);
        fill(&mut image, 20 + at * 11, 40 + (at % 3) * 5, 7, 2, BLACK);
    }
    fill(&mut image, 112, 36, 160, 21, [118; 3]);
    fill(&mut image, 113, 37, 158, 19, WHITE);
    let label =
        Element { source: Source::Ocr, ..told(Role::Text, "Full name", Rect::new(-32, 38, 88, 16)) };
    let all = listed(&mut Vision::default(), &image, &[], &[label]);
    assert_eq!(looks(&all), ["grey rectangle outline right of \"Full name\""]);
}

#[test]
fn rows_of_letters_are_no_icons() {
    let mut image = canvas(400, 100, WHITE);
    for at in 0..12 {
        fill(&mut image, 20 + at * 11, 40, 2, 12, BLACK);
        fill(&mut image, 20 + at * 11, 40 + (at % 3) * 5, 7, 2, BLACK);
    }
    let mut vision = Vision::default();
    assert!(listed(&mut vision, &image, &[], &[]).is_empty());
}

#[test]
fn what_a_hint_lies_over_is_still_there() {
    let box_at = |image: &mut RgbImage, x| {
        fill(image, x, 60, 68, 68, [150; 3]);
        fill(image, x + 2, 62, 64, 64, [239; 3]);
        fill(image, x + 24, 84, 20, 20, RED);
    };
    let mut image = canvas(400, 300, WHITE);
    box_at(&mut image, 40);
    box_at(&mut image, 120);
    let mut vision = Vision::default();
    let squares = |all: &[Element]| -> Vec<ScreenRect> {
        let is_square = |e: &&Element| e.looks.as_deref().is_some_and(|looks| looks.contains("outline"));
        all.iter().filter(is_square).map(|e| e.bounds).collect()
    };
    let both = [Rect::new(-10, 60, 68, 68), Rect::new(70, 60, 68, 68)];
    assert_eq!(squares(&listed(&mut vision, &image, &[], &[])), both);
    let mut hinted = image.clone();
    fill(&mut hinted, 96, 124, 132, 50, WHITE);
    fill(&mut hinted, 98, 126, 128, 46, BLACK);
    assert_ne!(squares(&listed(&mut Vision::default(), &hinted, &[], &[])), both);
    let seen = squares(&listed(&mut vision, &hinted, &[], &[]));
    assert_eq!(seen, both);
    // What has gone is not there.
    fill(&mut hinted, 40, 60, 68, 64, WHITE);
    assert_eq!(squares(&listed(&mut vision, &hinted, &[], &[])).len(), 1);
    assert_eq!(squares(&listed(&mut vision, &canvas(400, 300, WHITE), &[], &[])), []);
}

/// How many of these are still there in `now`, of which the first look saw `old` in `before`, and which finds `new`.
fn kept(before: &RgbImage, old: [u32; 4], now: &RgbImage, new: &[[u32; 4]]) -> usize {
    let thing = |[x, y, width, height]: [u32; 4]| {
        let [x, y] = [x, y].map(|v| i32::try_from(v).unwrap());
        Found { bounds: Rect::new(x - 50, y, width, height), look: Look::Picture }
    };
    let (_, seen) = still_there(&[], &[thing(old)], &frame(before.clone()));
    let found: Vec<_> = new.iter().map(|new| thing(*new)).collect();
    still_there(&seen, &found, &frame(now.clone())).0.len()
}

#[test]
fn a_thing_that_is_covered_in_part_is_kept_only_while_it_shows() {
    let place = [40, 40, 60, 60];
    let mut image = canvas(200, 200, WHITE);
    fill(&mut image, 40, 40, 60, 60, BLACK);
    fill(&mut image, 42, 42, 56, 56, WHITE);
    let mut hinted = image.clone();
    fill(&mut hinted, 90, 90, 80, 40, RED);
    assert_eq!(kept(&image, place, &hinted, &[[90, 90, 80, 40]]), 1);
    // It is found again, or in pieces; what reaches into it is none.
    assert_eq!(kept(&image, place, &hinted, &[place]), 0);
    assert_eq!(kept(&image, place, &hinted, &[[40, 40, 20, 60]]), 0);
    assert_eq!(kept(&image, place, &hinted, &[[80, 80, 80, 40]]), 1);
    // Three of its sides are gone, and the ground within it says nothing.
    let mut gone = image.clone();
    fill(&mut gone, 44, 40, 56, 60, WHITE);
    assert_eq!(kept(&image, place, &gone, &[]), 0);
    // Of one colour all over, and too small to be told from another.
    assert_eq!(kept(&image, [44, 44, 40, 40], &image, &[]), 0);
    assert_eq!(kept(&image, [38, 38, 10, 10], &image, &[]), 0);
}

#[test]
fn what_a_hint_comes_up_over_slowly_is_still_there() {
    let look = Look::Shape { colour: "grey", form: Form::Square, outline: true };
    let found = |x: i32, side: u32| Found { bounds: Rect::new(x, 20, side, side), look };
    let mut image = canvas(200, 120, WHITE);
    fill(&mut image, 70, 20, 52, 52, [150; 3]);
    fill(&mut image, 71, 21, 50, 50, [239; 3]);
    fill(&mut image, 90, 40, 12, 12, BLACK);
    let (_, seen) = still_there(&[], &[found(20, 52)], &frame(image.clone()));
    // While it is pale, the inner part of the button is found alone, with a corner of it already hidden.
    let hint = |shade: u8| {
        let mut hinted = image.clone();
        fill(&mut hinted, 0, 60, 84, 30, [shade; 3]);
        (62..84).step_by(3).for_each(|y| fill(&mut hinted, 4, y, 78, 1, [255 - shade; 3]));
        frame(hinted)
    };
    let inner = Found { bounds: Rect::new(21, 21, 50, 50), look };
    let (covered, seen) = still_there(&seen, &[inner], &hint(200));
    assert!(covered.is_empty());
    let (covered, seen) = still_there(&seen, &[], &hint(90));
    assert_eq!(covered.iter().map(|thing| thing.bounds).collect::<Vec<_>>(), [found(20, 52).bounds]);
    let (covered, _) = still_there(&seen, &[], &frame(canvas(200, 120, WHITE)));
    assert!(covered.is_empty());
}

#[test]
fn what_is_not_meant_is_not_taken_apart() {
    let mut image = canvas(300, 120, WHITE);
    fill(&mut image, 10, 10, 280, 100, [230; 3]);
    fill(&mut image, 40, 40, 40, 40, RED);
    fill(&mut image, 180, 40, 40, 40, BLUE);
    let left = |bounds: &Rect<crate::geometry::Image>| bounds.x < 100;
    let words: Vec<String> = things(&image, &left).iter().map(|thing| thing.look.words()).collect();
    assert!(words.contains(&"red square".to_owned()), "{words:?}");
    assert!(!words.contains(&"blue square".to_owned()), "{words:?}");
}

#[test]
fn what_changes_colour_is_called_by_the_new_one() {
    let mut image = canvas(400, 300, WHITE);
    // A frame holds it and the button together.
    for (x, y, width, height) in
        [(10, 10, 380, 2), (10, 280, 380, 2), (10, 10, 2, 270), (388, 10, 2, 270)]
    {
        fill(&mut image, x, y, width, height, BLACK);
    }
    fill(&mut image, 60, 60, 40, 40, RED);
    fill(&mut image, 250, 200, 80, 30, [200; 3]);
    let button = told(Role::Button, "Count", Rect::new(200, 200, 80, 30));
    let mut vision = Vision::default();
    let mut look = |image: &RgbImage| {
        let all = listed(&mut vision, image, &[], std::slice::from_ref(&button));
        looks(&all).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let first = look(&image);
    assert!(first.contains(&"red square".to_owned()), "{first:?}");
    fill(&mut image, 280, 210, 10, 10, BLACK);
    assert_eq!(look(&image), first, "only the button has changed");
    fill(&mut image, 60, 60, 40, 40, BLUE);
    let other = look(&image);
    assert!(other.contains(&"blue square".to_owned()), "{other:?}");
}
