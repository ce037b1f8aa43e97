//! One rule at a time: when a thing may be another one that was there, and what says how far all was scrolled.

use super::*;
use crate::desktop::names::scroll::{Scroll, Shift, by};

const TEXT: Source = Source::Ocr;
const SHAPE: Source = Source::Vision;

fn thing(source: Source, words: &str, [x, y, width, height]: [i32; 4]) -> Element {
    let [width, height] = [width, height].map(|side| u32::try_from(side).unwrap());
    Element { source, bounds: Rect::new(x, y, width, height), ..text(words, 1, 0) }
}

fn on(grounds: &[ScreenRect], source: Source, words: &str, place: [i32; 4]) -> Mark {
    let look = Look { frame: &picture(0), windows: &[], grounds, whole: true };
    Mark::of(&thing(source, words, place), look)
}

fn mark(source: Source, words: &str, place: [i32; 4]) -> Mark {
    on(&[], source, words, place)
}

#[test]
fn a_text_stands_on_the_smallest_shape_that_holds_most_of_it() {
    let (card, field) = (Rect::new(0, 80, 300, 100), Rect::new(10, 100, 200, 30));
    let empty = on(&[card], SHAPE, "grey rectangle", [10, 100, 200, 30]);
    let written = on(&[card, field], TEXT, "ab", [16, 108, 20, 14]);
    assert!(empty.is_filled_as(&written) && written.is_filled_as(&empty));
    // Half of it stands beside the shape.
    let beside = on(&[field], TEXT, "ab", [190, 108, 40, 14]);
    assert!(!empty.is_filled_as(&beside));
    assert!(!written.is_filled_as(&on(&[field], TEXT, "abc", [16, 108, 30, 14])));
}

#[test]
fn only_a_text_is_read_otherwise() {
    let short = [10, 40, 20, 12];
    for (source, before, now, place, want) in [
        (TEXT, "desk", "desk-4", [10, 40, 60, 12], true),
        (SHAPE, "desk", "desk-4", [10, 40, 60, 12], false),
        // It says nothing that the other could begin with.
        (TEXT, "...", "Save", [10, 40, 60, 12], false),
        (TEXT, "desk", "desk", [10, 80, 20, 12], false),
    ] {
        let (before, now) = (mark(source, before, short), mark(source, now, place));
        assert_eq!(before.is_read_as(&now), want, "{before:?} {now:?}");
    }
    assert!(!mark(TEXT, "blue icon", short).is_read_as(&mark(SHAPE, "blue icon", short)));
}

#[test]
fn a_part_lies_within_the_whole_and_is_of_its_kind() {
    let whole = [20, 40, 90, 12];
    for (source, words, place, want) in [
        (TEXT, "Volvo", [60, 40, 50, 12], true),
        (SHAPE, "Volvo", [60, 40, 50, 12], false),
        // Most of it stands out, or it says nothing.
        (TEXT, "Volvo", [60, 28, 30, 30], false),
        (TEXT, "..", [60, 40, 50, 12], false),
    ] {
        let (part, whole) = (mark(source, words, place), mark(TEXT, "Car Volvo", whole));
        assert_eq!(part.is_part_of(&whole), want, "{part:?}");
    }
}

#[test]
fn a_shape_of_which_a_hint_lies_over_one_side_is_drawn_otherwise() {
    let whole = mark(SHAPE, "grey square", [142, 20, 34, 34]);
    for (source, height, want) in [(SHAPE, 24, true), (SHAPE, 8, false), (TEXT, 34, false)] {
        let now = mark(source, "grey icon", [142, 20, 34, height]);
        assert_eq!(whole.is_redrawn_as(&now), want, "{source:?} {height}");
    }
}

#[test]
fn an_edge_cuts_across_what_is_scrolled() {
    let whole = mark(SHAPE, "grey square", [10, 20, 60, 30]);
    let left = mark(SHAPE, "grey square", [10, 20, 25, 30]);
    let upper = mark(SHAPE, "grey square", [10, 20, 60, 12]);
    assert!(whole.is_cut_as(&left, true) && !whole.is_cut_as(&left, false));
    assert!(whole.is_cut_as(&upper, false) && !whole.is_cut_as(&upper, true));
    let [anna, zoe] = ["Anna", "Zoe"].map(|name| mark(TEXT, name, [10, 20, 60, 12]));
    assert!(anna.is_cut_as(&anna, false) && !anna.is_cut_as(&zoe, false));
}

#[test]
fn a_tip_is_low_lies_within_the_whole_and_at_the_edge() {
    let round = Rect::new(0, 5, 400, 386);
    let whole = mark(TEXT, "Back", [10, 346, 80, 12]);
    let is_tip = |tip: [i32; 4], was: i32| {
        let [x, _, width, height] = tip;
        let (tip, was) = (mark(SHAPE, "icon", tip), mark(SHAPE, "icon", [x, was, width, height]));
        tip.is_tip_as(&was, &whole, &round).is_some()
    };
    for (tip, was, want) in [
        ([10, 346, 16, 5], 386, true),
        ([10, 353, 16, 5], 7, true),
        // Too high, beside it, in the midst of it, and where nothing was cut off.
        ([10, 346, 16, 9], 382, false),
        ([200, 346, 16, 5], 386, false),
        ([10, 330, 16, 5], 386, false),
        ([10, 353, 16, 5], 60, false),
    ] {
        assert_eq!(is_tip(tip, was), want, "{tip:?} {was}");
    }
}

#[test]
fn what_is_in_the_place_of_another_stands_on_its_ground_or_begins_with_it() {
    let field = [Rect::new(10, 100, 300, 30)];
    let written = |words, x, width| on(&field, TEXT, words, [x, 108, width, 14]);
    assert!(written("one", 20, 30).is_in_place_of(&written("another", 150, 90)));
    let alone = |source, words, x, width| mark(source, words, [x, 40, width, 12]);
    assert!(alone(TEXT, "one", 10, 30).is_in_place_of(&alone(TEXT, "another", 12, 200)));
    assert!(!alone(TEXT, "one", 10, 30).is_in_place_of(&alone(TEXT, "another", 40, 200)));
    assert!(!alone(SHAPE, "one", 10, 30).is_in_place_of(&alone(SHAPE, "another", 12, 200)));
    // As far from each other as it is high.
    let large = |words, place| mark(TEXT, words, place);
    assert!(large("Search", [42, 40, 90, 21]).is_in_place_of(&large("ab", [26, 40, 30, 34])));
    assert!(!large("Search", [42, 40, 90, 14]).is_in_place_of(&large("ab", [26, 40, 30, 14])));
}

#[test]
fn what_programs_tell_keeps_its_own_number_and_key() {
    let mut told =
        [Element { id: ElementId(77), ..thing(Source::Accessibility, "told", [10, 40, 50, 12]) }];
    names().assign(&mut told, Look { frame: &picture(0), windows: &[], grounds: &[], whole: true });
    assert_eq!((told[0].id, told[0].key.0.as_str()), (ElementId(77), "told"));
}

#[test]
fn what_has_been_gone_for_long_is_forgotten() {
    let mut names = names();
    let mut ids = |texts: &[Element]| look_at(&mut names, texts, &[], true);
    assert_eq!(ids(&[text("Save", 1, 10)]), [1]);
    for _ in 0..MEMORY {
        assert!(ids(&[]).is_empty());
    }
    assert_eq!(ids(&[text("Save", 1, 10)]), [2]);
}

#[test]
fn the_nearest_of_two_alike_is_it() {
    let mut names = names();
    let mut ids = |all: [i32; 2]| {
        let texts = all.map(|y| thing(TEXT, "Edit", [10, y, 50, 12]));
        look_at(&mut names, &texts, &[], true)
    };
    assert_eq!(ids([10, 30]), [1, 2]);
    assert_eq!(ids([28, 48]), [2, 3]);
}

#[test]
fn a_shape_comes_back_nearer_than_a_text_does() {
    let mut names = names();
    let mut ids = |all: &[Element]| look_at(&mut names, all, &[], true);
    let red = |x| thing(SHAPE, "red square", [x, 20, 40, 40]);
    assert_eq!(ids(&[red(20)]), [1]);
    assert!(ids(&[]).is_empty());
    assert_eq!(ids(&[red(35)]), [2]);
}

#[test]
fn a_shape_may_fade_for_a_few_looks_and_no_longer() {
    for (looks, want) in [(FADING, 1), (FADING + 1, 2)] {
        let mut names = names();
        let mut ids = |all: &[Element]| look_at(&mut names, all, &[], true);
        assert_eq!(ids(&[thing(SHAPE, "grey icon", [100, 20, 34, 34])]), [1]);
        for _ in 0..looks {
            assert!(ids(&[]).is_empty());
        }
        assert_eq!(ids(&[thing(SHAPE, "blue icon", [100, 20, 34, 34])]), [want], "{looks}");
    }
}

#[test]
fn few_change_at_once_and_what_was_gone_is_not_what_changed() {
    let word = |at: i32, kind: &str| {
        // Letters alone, since digits tell one from another.
        let letter = |v: i32| char::from(b'a' + u8::try_from(v).unwrap());
        thing(
            TEXT,
            &format!("{kind}{}{}", letter(at / 26), letter(at % 26)),
            [at % 8 * 110, at / 8 * 20, 60, 12],
        )
    };
    let stay: Vec<Element> = (8..48).map(|at| word(at, "stay")).collect();
    for (changed, keeps) in [(4, true), (5, false)] {
        let mut names = names();
        let mut ids = |kind: &str| {
            let all = (0..changed).map(|at| word(at, kind)).chain(stay.clone());
            look_at(&mut names, &all.collect::<Vec<_>>(), &[], true)
        };
        let before = ids("on");
        assert_eq!(ids("xyz")[..2] == before[..2], keeps, "{changed}");
    }
    let mut names = names();
    let with = |kind: &str| [vec![word(0, kind)], stay.clone()].concat();
    let before = look_at(&mut names, &with("on"), &[], true);
    look_at(&mut names, &stay, &[], true);
    assert_ne!(look_at(&mut names, &with("xyz"), &[], true)[0], before[0]);
}

fn rows(from: i32) -> Vec<Element> {
    ["Anna", "Boris", "Carla"].iter().zip((from..).step_by(40)).map(|(name, y)| row(name, y)).collect()
}

#[test]
fn what_vanishes_while_all_is_scrolled_comes_back_where_it_would_be() {
    let mut names = names();
    let mut ids = |all: Vec<Element>| look_at(&mut names, &all, &[], true);
    assert_eq!(ids([rows(200), vec![row("Dora", 320)]].concat()), [1, 2, 3, 4]);
    assert_eq!(ids(rows(60)), [1, 2, 3]);
    assert_eq!(ids([rows(60), vec![row("Dora", 180)]].concat()), [1, 2, 3, 4]);
}

#[test]
fn where_all_is_scrolled_the_like_of_a_thing_near_its_old_place_is_another() {
    let mut names = names();
    let with = |from, edit| [rows(from), vec![row("Edit", edit)]].concat();
    assert_eq!(look_at(&mut names, &with(100, 300), &[], true), [1, 2, 3, 4]);
    assert_eq!(look_at(&mut names, &with(70, 290), &[], true), [1, 2, 3, 5]);
}

#[test]
fn what_is_read_otherwise_beside_what_stands_still_is_not_scrolled() {
    let mut names = names();
    let with = |from: i32, words: &str| {
        let moving =
            rows(from).into_iter().map(|row| Element { bounds: row.bounds.offset(250, 0), ..row });
        let fixed = [thing(TEXT, "Menu", [10, 100, 40, 12]), thing(TEXT, words, [60, 100, 80, 12])];
        moving.chain(fixed).collect::<Vec<_>>()
    };
    assert_eq!(look_where(&mut names, &with(100, "Save as..."), 0), [1, 2, 3, 4, 5]);
    assert_eq!(look_where(&mut names, &with(60, "Saveas.."), 40), [1, 2, 3, 4, 5]);
}

#[test]
fn what_is_scrolled_across_takes_its_number_along_and_is_cut_at_its_sides() {
    let mut names = names();
    let columns = |from: i32, cut: [i32; 4]| {
        let all = [("Anna", 0), ("Boris", 90), ("Carla", 180)];
        let all = all.map(|(name, x)| thing(TEXT, name, [from + x, 40, 60, 12]));
        [all.to_vec(), vec![thing(SHAPE, "grey square", cut)]].concat()
    };
    assert_eq!(look_at(&mut names, &columns(200, [120, 80, 60, 30]), &[], true), [1, 2, 3, 4]);
    // Of the square a third is left at the left edge.
    assert_eq!(look_at(&mut names, &columns(60, [20, 80, 20, 30]), &[], true), [1, 2, 3, 4]);
}

#[test]
fn what_has_moved_both_ways_was_not_scrolled() {
    let mut names = names();
    assert_eq!(look_at(&mut names, &rows(100), &[], true), [1, 2, 3]);
    let moved = rows(60).into_iter().map(|row| Element { bounds: row.bounds.offset(50, 0), ..row });
    assert_eq!(look_at(&mut names, &moved.collect::<Vec<_>>(), &[], true), [4, 5, 6]);
}

#[test]
fn what_stands_in_another_pane_says_nothing_and_panes_lie_beside_each_other() {
    let round = Some(Rect::new(200, 0, 100, 400));
    let scroll = |by, stood: ScreenRect, went: ScreenRect| Scroll {
        by,
        round,
        stood: vec![stood],
        went: vec![went],
    };
    let place = Rect::new(210, 100, 20, 12);
    let inside = Rect::new(260, 100, 20, 12);
    assert!(scroll((0, -40), Rect::new(180, 100, 15, 12), inside).takes(&place));
    assert!(!scroll((0, -40), Rect::new(200, 100, 5, 12), inside).takes(&place));
    // What is scrolled across stands still or goes with what is above and below.
    let (above, level) = (Rect::new(210, 60, 20, 12), Rect::new(235, 100, 20, 12));
    assert!(scroll((-40, 0), level, above).takes(&place));
    assert!(!scroll((-40, 0), above, level).takes(&place));
}

/// A picture of which every pixel comes from `pixel`.
fn frame(side: u32, pixel: impl Fn(u32, u32) -> u8) -> Frame {
    let pixels = RgbImage::from_fn(side, side, |x, y| Rgb([pixel(x, y); 3]));
    let bounds = Rect::new(0, 0, side, side);
    Frame::new(Monitor { name: "screen".into(), bounds, scale: 1.0 }, pixels)
}

/// As [`picture`] is drawn.
const fn ink(x: u32, y: u32) -> u8 {
    let is_dark = (x * 31 + y * 57 + x * y * 3).wrapping_mul(2_654_435_761) >> 30 == 0;
    if is_dark { 0 } else { 255 }
}

/// How a window of 400 px was scrolled between two pictures, by what stands in it.
fn scrolled(before: &Frame, now: &Frame, old: &[Element], new: &[Element]) -> Option<Scroll> {
    let bounds = Rect::new(0, 0, 400, 400);
    let (title, app) = (String::new(), String::new());
    let windows = [Window { id: WindowId(1), title, app, pid: None, bounds, focused: true }];
    let look = Look { frame: now, windows: &windows, grounds: &[], whole: true };
    let marks = |all: &[Element]| all.iter().map(|one| Mark::of(one, look)).collect::<Vec<_>>();
    let (old, new) = (marks(old), marks(new));
    let shift = Some(Shift { before, now });
    by(&old.iter().collect::<Vec<_>>(), &new, shift, &windows).remove(&Some(WindowId(1)))
}

#[test]
fn pictures_of_other_sizes_say_nothing() {
    let found = scrolled(&frame(300, ink), &picture(40), &rows(100), &rows(60)).unwrap();
    assert_eq!((found.by, found.round), ((0, -40), None));
}

#[test]
fn a_ground_of_another_colour_is_nothing_that_was_scrolled() {
    let words = |y: u32, x: u32| (100..160).contains(&y) && (200..300).contains(&x);
    let before = frame(400, |x, y| if words(y, x) { ink(x, y) } else { 255 });
    let now = frame(400, |x, y| match y {
        304.. => 200,
        _ if words(y + 40, x) => ink(x, y + 40),
        _ => 255,
    });
    let found = scrolled(&before, &now, &rows(100), &rows(60)).unwrap();
    let round = found.round.unwrap();
    assert!(round.bottom() <= 168 && round.y <= 64, "{round}");
}

#[test]
fn the_pixels_say_it_within_a_pixel_and_only_where_enough_of_them_do() {
    let fixed = [row("Offer", 200), row("Accept", 240), row("Refuse", 280)];
    let with = |from: i32, more: &[Element]| [rows(from)[..2].to_vec(), more.to_vec()].concat();
    let said = |down: i32, now: &Frame, more: &[Element]| {
        scrolled(&picture(0), now, &with(100, more), &with(100 + down, more)).map(|scroll| scroll.by)
    };
    assert_eq!(said(-41, &picture(40), &fixed), Some((0, -40)));
    assert_eq!(said(-44, &picture(40), &fixed), None);
    // A strip has moved, and all else is another picture.
    let strip = |rows: u32| {
        let other = picture(1000);
        frame(400, move |x, y| {
            let moved = (80..80 + rows).contains(&y) && x < 96;
            if moved { ink(x, y + 40) } else { other.pixels().get_pixel(x, y).0[0] }
        })
    };
    assert_eq!(said(-40, &strip(24), &fixed), None);
    // Half of what has changed is enough.
    let half = frame(400, |x, y| if y < 200 { ink(x, y + 40) } else { ink(x, y + 1000) });
    assert_eq!(said(-40, &half, &fixed), Some((0, -40)));
    // The same without a word of two of them: most of it must have moved, or some with one text.
    let edit = |y| [row("Edit", y), row("Edit", y + 30)];
    let by = |now: &Frame, old: &[Element], new: &[Element]| {
        scrolled(&picture(0), now, old, new).map(|scroll| scroll.by)
    };
    let (old, new) = (edit(100), edit(60));
    assert_eq!(by(&picture(40), &old, &new), Some((0, -40)));
    assert_eq!(by(&strip(24), &old, &new), None);
    let anna = |y| [edit(y).to_vec(), vec![row("Anna", y + 100)]].concat();
    assert_eq!(by(&strip(24), &anna(100), &anna(60)), Some((0, -40)));
    let few =
        frame(
            400,
            |x, y| if (80..96).contains(&y) && x < 24 { ink(x, y + 40) } else { ink(x, y + 1000) },
        );
    assert_eq!(by(&few, &anna(100), &anna(60)), None);
    // What stands still in the midst of it, and a shape, say nothing of how far.
    let still = |y| [edit(y).to_vec(), vec![row("Offer", 200)]].concat();
    assert_eq!(by(&picture(40), &still(100), &still(60)), None);
}

#[test]
fn a_look_that_did_not_see_all_is_no_picture_to_compare_with() {
    let bounds = Rect::new(0, 0, 400, 400);
    let (title, app) = (String::new(), String::new());
    let windows = [Window { id: WindowId(1), title, app, pid: None, bounds, focused: true }];
    let mut names = names();
    let mut ids = |from: i32, now: &Frame, whole: bool| {
        let mut edits = [row("Edit", from), row("Edit", from + 40), row("Edit", from + 80)];
        let seen = if whole { &mut edits[..] } else { &mut [] };
        names.assign(seen, Look { frame: now, windows: &windows, grounds: &[], whole });
        seen.iter().map(|element| element.id.0).collect::<Vec<_>>()
    };
    assert_eq!(ids(60, &picture(0), true), [1, 2, 3]);
    assert!(ids(20, &picture(40), false).is_empty());
    assert_eq!(ids(20, &picture(40), true), [1, 2, 3]);
}

#[test]
fn only_texts_have_a_say_with_few_pixels_and_a_few_pixels_have_none() {
    let patch = |place: [u32; 4], by: (u32, u32)| {
        frame(400, move |x, y| {
            let [left, top, right, bottom] = place;
            let inside = (left..right).contains(&x) && (top..bottom).contains(&y);
            if inside { ink(x + by.0, y + by.1) } else { 255 }
        })
    };
    let edits = |y| [row("Edit", y), row("Edit", y + 20)].to_vec();
    let with = |y: i32, more: Element| [edits(y), vec![more]].concat();
    // A strip that has moved up, within much that is another picture.
    let other = frame(400, |x, y| {
        let moved = (80..104).contains(&y) && x < 96;
        ink(x, if moved { y + 40 } else { y + 1000 })
    });
    for (source, want) in [(TEXT, Some((0, -40))), (SHAPE, None)] {
        let anna = |y| thing(source, "anna", [10, y, 80, 12]);
        let found = scrolled(&picture(0), &other, &with(100, anna(200)), &with(60, anna(160)));
        assert_eq!(found.map(|scroll| scroll.by), want, "{source:?}");
    }
    // Four blocks, all of which have moved.
    let (before, now) = (patch([80, 120, 96, 136], (0, 0)), patch([80, 80, 96, 96], (0, 40)));
    let found = scrolled(&before, &now, &with(100, row("Anna", 200)), &with(60, row("Anna", 160)));
    assert!(found.is_none(), "{found:?}");
    let within =
        |n: i32| thing(TEXT, ["Offer", "Accept"][usize::try_from(n).unwrap()], [82, 84 + n * 20, 8, 4]);
    let beside = |from: i32| [rows(from)[..2].to_vec(), vec![within(0), within(1)]].concat();
    assert!(scrolled(&before, &now, &beside(100), &beside(60)).is_none());
    // What stands outside of it has no say, and what went another way has not gone along.
    let outside = |from: i32, to: i32| {
        let fixed = [("Offer", 200), ("Accept", 240), ("Refuse", 280)];
        let fixed = fixed.map(|(name, y)| thing(TEXT, name, [300, y, 60, 12]));
        [rows(from)[..2].to_vec(), fixed.to_vec(), vec![thing(TEXT, "Dora", [200, to, 40, 12])]].concat()
    };
    let found = scrolled(&before, &now, &outside(100, 300), &outside(60, 200)).unwrap();
    assert_eq!((found.by, found.went.len(), found.stood.len()), ((0, -40), 2, 3));
}
