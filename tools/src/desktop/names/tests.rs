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
fn what_is_written_into_a_field_is_not_what_stood_near_it_long_ago() {
    let mut names = names();
    let fixed = (0..8).map(|at| sized(&format!("Fixed {at}"), Rect::new(300, at * 14, 40, 8)));
    let fixed: Vec<Element> = fixed.collect();
    let with = |words: &str, x: i32| [fixed.clone(), vec![text(words, 1, x)]].concat();
    let mut last = |all: &[Element]| look_at(&mut names, all, &[], true)[8];
    let before = last(&with("ab", 155));
    let field = last(&with("Search mail", 175));
    assert_ne!(field, before);
    assert_eq!(last(&with("ab", 172)), field);
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
    // One comes back with a hint over its lower edge.
    assert!(look_at(&mut names, &[], &[], true).is_empty());
    assert_eq!(look_at(&mut names, &[at("grey icon", 100, 26)], &[], true), [1]);
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

fn sized(words: &str, bounds: ScreenRect) -> Element {
    Element { bounds, ..text(words, 1, 0) }
}

#[test]
fn what_is_read_together_keeps_the_number_of_what_its_middle_stands_in() {
    let mut names = names();
    let apart = [sized("Car", Rect::new(20, 40, 30, 12)), sized("Volvo", Rect::new(60, 40, 50, 12))];
    assert_eq!(look_at(&mut names, &apart, &[], true), [1, 2]);
    assert_eq!(look_at(&mut names, &[sized("Car Volvo", Rect::new(20, 40, 90, 12))], &[], true), [2]);
    assert_eq!(look_at(&mut names, &apart, &[], true), [1, 2]);
    // Shapes that touch, and one of them under the pointer; a small one in the midst of a large one is no part of it.
    let shape = |looks: &str, bounds| Element { bounds, ..field(looks, 0) };
    let slider = shape("blue icon", Rect::new(20, 80, 40, 14));
    let parts = [
        shape("blue rectangle", Rect::new(20, 84, 26, 8)),
        shape("pale circle", Rect::new(46, 80, 14, 14)),
    ];
    assert_eq!(look_at(&mut names, std::slice::from_ref(&slider), &[], true), [3]);
    assert_eq!(look_at(&mut names, &parts, &[], true), [3, 4]);
    assert_eq!(look_at(&mut names, &[slider], &[], true), [3]);
    let dot = shape("black dot", Rect::new(36, 84, 6, 6));
    assert_eq!(look_at(&mut names, &[dot], &[], true), [5]);
}

#[test]
fn rows_that_differ_in_their_digits_are_not_read_otherwise() {
    let rows = |from: u32| -> Vec<Element> {
        let name = |at: u32| format!("Member {}", from + at);
        (0..6).map(|at| row(&name(at), 20 + i32::try_from(at).unwrap() * 30)).collect()
    };
    let mut names = names();
    assert_eq!(look_at(&mut names, &rows(1), &[], true), [1, 2, 3, 4, 5, 6]);
    assert_eq!(look_at(&mut names, &rows(10), &[], true), [7, 8, 9, 10, 11, 12]);
}

#[test]
fn what_is_gone_goes_along_when_all_is_scrolled() {
    let mut names = names();
    let list = |from: i32| -> Vec<Element> {
        ["Anna", "Boris", "Carla"]
            .iter()
            .zip((from..).step_by(40))
            .map(|(name, y)| row(name, y))
            .collect()
    };
    let below = |from: i32| row("Dora", from + 120);
    let all = |from: i32| [list(from), vec![below(from)]].concat();
    assert_eq!(look_at(&mut names, &all(200), &[], true), [1, 2, 3, 4]);
    // A bubble lies over the last one, and goes when all is scrolled.
    assert_eq!(look_at(&mut names, &list(200), &[], true), [1, 2, 3]);
    assert_eq!(look_at(&mut names, &all(60), &[], true), [1, 2, 3, 4]);
    // What stands where it was before is another one.
    let other = [list(60), vec![row("Dora", 320)]].concat();
    assert_eq!(look_at(&mut names, &list(60), &[], true), [1, 2, 3]);
    assert_eq!(look_at(&mut names, &other, &[], true), [1, 2, 3, 5]);
}

#[test]
fn where_all_is_scrolled_nothing_takes_the_number_of_what_was_in_its_place() {
    let mut names = names();
    let rows = |from: i32, all: &[&'static str]| -> Vec<Element> {
        let fixed = (0..16).map(|at| sized(&format!("Fixed {at}"), Rect::new(300, at * 14, 40, 8)));
        fixed.chain(all.iter().zip((from..).step_by(40)).map(|(name, y)| row(name, y))).collect()
    };
    let before = look_at(&mut names, &rows(20, &["Anna", "Boris", "Carla", "Dora"]), &[], true);
    let after = look_at(&mut names, &rows(20, &["Carla", "Dora", "Emil", "Fritz"]), &[], true);
    assert_eq!(after[16..18], before[18..20]);
    assert!(after[18..].iter().all(|id| !before.contains(id)), "{after:?}");
}

/// What one look at a window of 400 px finds, where the picture begins at `from`.
fn look_where(names: &mut Names, elements: &[Element], from: u32) -> Vec<u32> {
    let bounds = Rect::new(0, 0, 400, 400);
    let (title, app) = (String::new(), String::new());
    let window = [Window { id: WindowId(1), title, app, pid: None, bounds, focused: true }];
    let mut elements = elements.to_vec();
    names.assign(
        &mut elements,
        Look { frame: &picture(from), windows: &window, grounds: &[], whole: true },
    );
    elements.into_iter().map(|element| element.id.0).collect()
}

#[test]
fn the_tip_that_an_edge_leaves_of_a_text_has_its_number() {
    let tip = Element { bounds: Rect::new(10, 386, 16, 5), ..field("blue icon", 0) };
    let rows = |from: i32| [row("Anna", from), row("Boris", from + 40), row("Carla", from + 80)];
    let with = |from: i32, more: Element| [rows(from).to_vec(), vec![more]].concat();
    let mut names = names();
    assert_eq!(look_where(&mut names, &with(100, tip.clone()), 0), [1, 2, 3, 4]);
    assert_eq!(look_where(&mut names, &with(60, row("Back", 346)), 40), [1, 2, 3, 4]);
    assert_eq!(look_where(&mut names, &with(100, tip), 0), [1, 2, 3, 4]);
    // What is as low in the midst of it is another thing.
    let low = Element { bounds: Rect::new(10, 286, 16, 5), ..field("blue icon", 0) };
    assert_eq!(look_where(&mut names, &with(100, low), 0), [1, 2, 3, 5]);
    assert_eq!(look_where(&mut names, &with(60, row("Back", 246)), 40), [1, 2, 3, 6]);
}

#[test]
fn the_pixels_decide_where_as_much_stands_still_as_moves() {
    let fixed = [row("Offer", 200), row("Accept", 240), row("Refuse", 280)];
    let page = |from: i32| {
        let moving = [
            sized("Anna", Rect::new(150, from, 50, 12)),
            sized("Boris", Rect::new(150, from + 40, 50, 12)),
        ];
        [moving.to_vec(), fixed.to_vec()].concat()
    };
    let mut names = names();
    assert_eq!(look_where(&mut names, &page(100), 0), [1, 2, 3, 4, 5]);
    assert_eq!(look_where(&mut names, &page(60), 40), [1, 2, 3, 4, 5]);
    // They stand elsewhere and the pixels say nothing of it.
    assert_eq!(look_where(&mut names, &page(120), 300), [6, 7, 3, 4, 5]);
}

#[test]
fn the_arrow_of_a_scroll_bar_does_not_hold_back_what_most_pixels_and_a_text_say() {
    let arrow = sized("A", Rect::new(380, 200, 10, 6));
    let page = |name: &str, from: i32| {
        [row(name, from), arrow.clone(), row("Edit", from + 80), row("Edit", from + 120)]
    };
    let mut names = names();
    assert_eq!(look_where(&mut names, &page("Anna", 150), 0), [1, 2, 3, 4]);
    assert_eq!(look_where(&mut names, &page("Anna", 110), 40), [1, 2, 3, 4]);
    // The text alone, and the pixels alone.
    assert_ne!(look_where(&mut names, &page("Anna", 150), 300)[0], 1);
    let before = look_where(&mut names, &page("Boris", 150), 0);
    assert_ne!(look_where(&mut names, &page("Carla", 110), 40)[2..], before[2..]);
}

#[test]
fn a_pane_in_which_nothing_has_changed_is_not_scrolled() {
    let round = Some(Rect::new(200, 0, 100, 400));
    let stood = vec![Rect::new(10, 100, 40, 12), Rect::new(210, 20, 40, 12)];
    let went = vec![Rect::new(210, 100, 40, 12), Rect::new(210, 160, 40, 12)];
    let scroll = scroll::Scroll { by: (0, -40), round, went, stood };
    // Beside what has stood still, in another pane; and what stands beside nothing else than what has moved.
    assert!(!scroll.takes(&Rect::new(60, 100, 40, 12)));
    assert!(scroll.takes(&Rect::new(60, 160, 40, 12)));
    // In the midst of it, beside what is fixed there and beside nothing.
    assert!(!scroll.takes(&Rect::new(255, 20, 40, 12)));
    assert!(scroll.takes(&Rect::new(255, 100, 40, 12)));
    assert!(scroll.takes(&Rect::new(255, 300, 40, 12)));
}

mod rules;
