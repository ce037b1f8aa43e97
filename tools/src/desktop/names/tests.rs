//! Numbers from look to look, of texts and shapes made up for the purpose.

use super::*;
use crate::element::{Role, States};
use crate::frame::Monitor;
use crate::geometry::Rect;
use image::{Rgb, RgbImage};

fn text(words: &str, window: u64, x: i32) -> Element {
    Element {
        id: ElementId(0),
        key: ElementKey(words.into()),
        role: Role::Text,
        name: words.into(),
        value: None,
        description: None,
        looks: None,
        options: Vec::new(),
        actions: Vec::new(),
        states: States::default(),
        bounds: Rect::new(x, 40, 50, 12),
        source: Source::Ocr,
        window: Some(WindowId(window)),
        within: None,
        region: None,
    }
}

fn field(looks: &str, y: i32) -> Element {
    let bounds = Rect::new(10, y, 200, 30);
    Element { source: Source::Vision, role: Role::Image, bounds, ..text(looks, 1, 0) }
}

/// A picture of rows of text, each with a look of its own, the first of them `from` px from the top.
fn picture(from: u32) -> Frame {
    let ink = |x: u32, y: u32| (x * 31 + y * 57 + x * y * 3).wrapping_mul(2_654_435_761) >> 30 == 0;
    let pixels = RgbImage::from_fn(400, 400, |x, y| Rgb([if ink(x, y + from) { 0 } else { 255 }; 3]));
    Frame::new(Monitor { name: "screen".into(), bounds: Rect::new(0, 0, 400, 400), scale: 1.0 }, pixels)
}

fn look_at(names: &mut Names, elements: &[Element], grounds: &[ScreenRect], whole: bool) -> Vec<u32> {
    let window = |id, x| Window {
        id: WindowId(id),
        title: String::new(),
        app: String::new(),
        pid: None,
        bounds: Rect::new(x, 0, 900, 900),
        focused: false,
    };
    let mut elements = elements.to_vec();
    let windows = [window(1, 0), window(2, 0), window(3, 300)];
    names.assign(&mut elements, Look { frame: &picture(0), windows: &windows, grounds, whole });
    elements.into_iter().map(|element| element.id.0).collect()
}

fn names() -> Names {
    Names::new(Counter::default())
}

#[test]
fn numbers_stay_with_their_texts() {
    let mut names = names();
    let mut ids = |texts: &[Element]| look_at(&mut names, texts, &[], true);
    assert_eq!(ids(&[text("Save", 1, 10), text("Save", 1, 90)]), [1, 2]);
    // Moved a little, and the other one is gone.
    assert_eq!(ids(&[text("Save", 1, 95)]), [2]);
    assert_eq!(ids(&[text("Save", 1, 10), text("Open", 1, 95)]), [1, 3]);
    // Another window, and another place.
    assert_eq!(ids(&[text("Save", 2, 10), text("Save", 1, 340)]), [4, 5]);
}

#[test]
fn what_moves_with_its_window_keeps_its_number() {
    let mut names = names();
    let mut at = |x: i32| {
        let bounds = Rect::new(x, 0, 900, 900);
        let (title, app) = (String::new(), String::new());
        let window = Window { id: WindowId(1), title, app, pid: None, bounds, focused: false };
        let mut elements = [text("Save", 1, x + 10)];
        names.assign(
            &mut elements,
            Look { frame: &picture(0), windows: &[window], grounds: &[], whole: true },
        );
        elements[0].id.0
    };
    assert_eq!([at(0), at(300)], [1, 1]);
}

#[test]
fn a_field_keeps_its_number_when_it_is_filled_and_emptied() {
    let mut names = names();
    let grounds = [Rect::new(10, 100, 200, 30)];
    let written = Element { bounds: Rect::new(16, 108, 20, 14), ..text("ab", 1, 0) };
    let empty = [field("grey rectangle outline", 100), field("grey rectangle outline", 160)];
    let half = [written.clone(), empty[1].clone()];
    assert_eq!(look_at(&mut names, &empty, &[], true), [1, 2]);
    assert_eq!(look_at(&mut names, &half, &grounds, true), [1, 2]);
    assert_eq!(look_at(&mut names, &empty, &[], true), [1, 2]);
    // A text where the shape is no more is another thing.
    assert_eq!(look_at(&mut names, &half, &[], true), [3, 2]);
}

#[test]
fn what_is_not_read_yet_is_not_gone() {
    let mut names = names();
    let mut read = |words: &str| look_at(&mut names, &[text(words, 1, 10)], &[], true)[0];
    assert_eq!(read("Save as..."), 1);
    assert!(look_at(&mut names, &[], &[], false).is_empty());
    let mut read = |words: &str| look_at(&mut names, &[text(words, 1, 10)], &[], true)[0];
    assert_eq!(read("Saveas.."), 1);
    assert!(look_at(&mut names, &[], &[], true).is_empty());
    let mut read = |words: &str| look_at(&mut names, &[text(words, 1, 10)], &[], true)[0];
    assert_eq!(read("Save ass"), 2);
}

#[test]
fn a_field_keeps_its_number_while_more_is_written_into_it() {
    let mut names = names();
    let written =
        |words: &str, width| Element { bounds: Rect::new(10, 40, width, 12), ..text(words, 1, 10) };
    let mut number = |words: &str, width| look_at(&mut names, &[written(words, width)], &[], true)[0];
    assert_eq!([number("desk-4", 44), number("[desk-4ab", 71), number("desk", 30)], [1, 1, 1]);
    assert_eq!(number("chair", 71), 2);
}

#[test]
fn what_changes_alone_stays_itself_and_what_changes_with_all_does_not() {
    let at = |words: &str, x: i32| Element { bounds: Rect::new(x, 40, 30, 12), ..text(words, 1, x) };
    let all = ["Anna", "Boris", "Carla", "Dora", "Off"];
    let row =
        |all: &[&str]| all.iter().zip((0..).step_by(80)).map(|(one, x)| at(one, x)).collect::<Vec<_>>();
    let mut names = names();
    assert_eq!(look_at(&mut names, &row(&all), &[], true), [1, 2, 3, 4, 5]);
    let one = ["Anna", "Boris", "Carla", "Dora", "Nil"];
    assert_eq!(look_at(&mut names, &row(&one), &[], true), [1, 2, 3, 4, 5]);
    let page = ["Quinn", "Hugo", "Wim", "Zoe", "Bye"];
    assert_eq!(look_at(&mut names, &row(&page), &[], true), [6, 7, 8, 9, 10]);
}

#[test]
fn what_an_edge_cuts_off_when_it_is_scrolled_keeps_its_number() {
    let mut names = names();
    let label = |words: &str, y: i32| Element { bounds: Rect::new(300, y, 80, 12), ..text(words, 1, 0) };
    let boxed =
        |y: i32, height| Element { bounds: Rect::new(10, y, 200, height), ..field("grey rectangle", y) };
    let before = [label("Name", 300), label("Town", 340), boxed(300, 30), boxed(340, 30)];
    assert_eq!(look_at(&mut names, &before, &[], true), [1, 2, 3, 4]);
    // Of the first of the two a third is left.
    let after = [label("Name", 100), label("Town", 140), boxed(120, 10), boxed(140, 30)];
    assert_eq!(look_at(&mut names, &after, &[], true), [1, 2, 3, 4]);
}

#[test]
fn a_shape_is_no_text_of_the_same_words() {
    let mut names = names();
    assert_eq!(look_at(&mut names, &[text("red square", 1, 10)], &[], true), [1]);
    let shape = Element { source: Source::Vision, ..text("red square", 1, 30) };
    assert_eq!(look_at(&mut names, &[shape], &[], true), [2]);
}

fn row(words: &str, y: i32) -> Element {
    Element { bounds: Rect::new(10, y, 80, 12), ..text(words, 1, 0) }
}

#[test]
fn shapes_keep_their_numbers_while_they_stay_about_where_they_are() {
    let at = |looks: &str, x: i32| Element { bounds: Rect::new(x, 20, 40, 40), ..field(looks, 20) };
    let red = [at("red square", 20), at("red square", 120)];
    let mut names = names();
    assert_eq!(look_at(&mut names, &red, &[], true), [1, 2]);
    let moved = [at("red square", 125), at("blue square", 300)];
    assert_eq!(look_at(&mut names, &moved, &[], true), [2, 3]);
    assert_eq!(look_at(&mut names, &red, &[], true), [1, 2]);
}

#[test]
fn shapes_that_are_drawn_otherwise_where_they_were_keep_their_numbers() {
    let at = |looks: &str, x: i32, height| Element {
        bounds: Rect::new(x, 20, 34, height),
        ..field(looks, 20)
    };
    let mut names = names();
    let before = [at("grey square outline", 100, 34), at("grey square outline", 142, 34)];
    assert_eq!(look_at(&mut names, &before, &[], true), [1, 2]);
    // A hint lies over their lower edges.
    let hinted = [at("grey icon", 100, 34), at("grey icon", 142, 31)];
    assert_eq!(look_at(&mut names, &hinted, &[], true), [1, 2]);
    // One that is much smaller is another.
    assert_eq!(look_at(&mut names, &[at("black dot", 110, 8)], &[], true), [3]);
}

#[test]
fn what_is_read_a_little_differently_keeps_its_number() {
    let mut names = names();
    let mut id = |words: &str, x: i32| look_at(&mut names, &[text(words, 1, x)], &[], true)[0];
    assert_eq!([id("Save as...", 10), id("Saveas..", 11), id("Save as...", 10)], [1, 1, 1]);
    assert_eq!([id("Delete", 10), id("Save as...", 50)], [2, 3]);
}

#[test]
fn what_is_scrolled_takes_its_number_along() {
    let mut names = names();
    let mut ids = |texts: &[Element]| look_at(&mut names, texts, &[], true);
    let rows = |from: i32, names: &[&'static str]| -> Vec<Element> {
        let each = names
            .iter()
            .zip(0..)
            .flat_map(|(name, at)| [row(name, from + at * 40), row("Edit", from + 20 + at * 40)]);
        std::iter::once(row("Title", 0)).chain(each).collect()
    };
    assert_eq!(ids(&rows(20, &["Anna", "Boris", "Carla"])), [1, 2, 3, 4, 5, 6, 7]);
    // By a row: what is called alike is not mistaken for its neighbour, and the title stays.
    assert_eq!(ids(&rows(20, &["Boris", "Carla", "Dora"])), [1, 4, 5, 6, 7, 8, 9]);
    assert_eq!(ids(&rows(120, &["Boris", "Carla", "Dora"])), [1, 4, 5, 6, 7, 8, 9]);
}

#[test]
fn numbers_are_shared_with_all_elements() {
    let counter = Counter::default();
    let mut names = Names::new(counter.clone());
    assert_eq!(counter.next(), ElementId(1));
    assert_eq!(look_at(&mut names, &[text("a", 1, 0)], &[], true), [2]);
    assert_eq!(counter.next(), ElementId(3));
}

#[test]
fn where_nothing_stands_once_the_pixels_say_how_far_it_was_scrolled() {
    let rows = |from: i32| [row("Edit", from + 60), row("Edit", from + 100), row("Edit", from + 140)];
    let bounds = Rect::new(0, 0, 400, 400);
    let (title, app) = (String::new(), String::new());
    let window = [Window { id: WindowId(1), title, app, pid: None, bounds, focused: true }];
    let mut names = names();
    let mut ids = |from: i32, scrolled: u32| {
        let mut elements = rows(from).to_vec();
        let look = Look { frame: &picture(scrolled), windows: &window, grounds: &[], whole: true };
        names.assign(&mut elements, look);
        elements.into_iter().map(|element| element.id.0).collect::<Vec<_>>()
    };
    assert_eq!(ids(0, 0), [1, 2, 3]);
    assert_eq!(ids(-40, 40), [1, 2, 3]);
    assert_eq!(ids(0, 0), [1, 2, 3]);
    // They are drawn anew where they were: nobody knows that these are others.
    assert_eq!(ids(0, 300), [1, 2, 3]);
}

#[test]
fn what_is_scrolled_far_over_an_empty_page_is_found() {
    let bounds = Rect::new(0, 0, 400, 400);
    let (title, app) = (String::new(), String::new());
    let window = [Window { id: WindowId(1), title, app, pid: None, bounds, focused: true }];
    let mut names = names();
    let mut ids = |from: u32| {
        let written = picture(0);
        let inside = |y: u32| (from..from + 60).contains(&y);
        let at = |x, y| if inside(y) { *written.pixels().get_pixel(x, y - from) } else { Rgb([255; 3]) };
        let frame = Frame::new(written.monitor().clone(), RgbImage::from_fn(400, 400, at));
        let top = i32::try_from(from).unwrap();
        let mut elements = [row("Edit", top + 4), row("Edit", top + 24), row("Edit", top + 44)];
        names.assign(&mut elements, Look { frame: &frame, windows: &window, grounds: &[], whole: true });
        elements.map(|element| element.id.0)
    };
    assert_eq!(ids(320), [1, 2, 3]);
    assert_eq!(ids(80), [1, 2, 3]);
    assert_eq!(ids(320), [1, 2, 3]);
}
