//! Laws of the list: whatever things on the screen are called, each stands in one line, and nothing in it is hidden.

use freehand_tools::desktop::Desktop as _;
use freehand_tools::desktop::simulated::Simulated;
use freehand_tools::element::{ElementId, ElementKey, RegionKind, States};
use freehand_tools::geometry::{Rect, Size};
use freehand_tools::observation::More;
use proptest::prelude::*;

use super::*;

const WINDOW: WindowId = WindowId(1);

/// A button below the one before it, with `word` wherever words of others stand.
fn button(at: usize, word: &str) -> Element {
    let number = u32::try_from(at).unwrap() + 1;
    Element {
        id: ElementId(number),
        key: ElementKey(String::new()),
        role: Role::Button,
        name: word.to_owned(),
        value: Some(word.to_owned()),
        description: Some(word.to_owned()),
        looks: Some(word.to_owned()),
        options: vec![word.to_owned(); 2],
        actions: Vec::new(),
        states: States::default(),
        bounds: Rect::new(0, i32::try_from(number).unwrap() * 20, 80, 20),
        source: Source::Accessibility,
        window: Some(WINDOW),
        within: Some(word.to_owned()),
        region: None,
    }
}

fn screen_of(words: &[String]) -> Observation {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut seen = runtime.block_on(Simulated::new(Size::new(8, 8)).observe()).unwrap();
    let title = words.first().cloned().unwrap_or_default();
    let bounds = Rect::new(0, 0, 8, 8);
    seen.more = vec![More {
        window: WINDOW,
        name: Some(title.clone()),
        bounds,
        above: true,
        below: false,
        left: false,
        right: false,
    }];
    seen.windows = vec![Window {
        id: WINDOW,
        app: title.clone(),
        title,
        pid: None,
        bounds: Rect::new(0, 0, 80, 8000),
        focused: true,
    }];
    seen.elements = words.iter().enumerate().map(|(at, word)| button(at, word)).collect();
    seen
}

/// The lines as a program, a terminal or a page may take them apart.
fn lines(text: &str) -> Vec<&str> {
    let breaks = |c| matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}');
    text.trim_end_matches('\n').split(breaks).collect()
}

fn word() -> impl Strategy<Value = String> {
    let breaking = "[\"\\n\\r\u{b}\u{c}\u{85}\u{2028}\u{2029}\u{202a}-\u{202e}\u{2066}-\u{2069}\u{200b}-\u{200f}\u{e0020}-\u{e007f}]";
    let piece = prop_oneof![breaking, "\\[[0-9]\\] button", any::<String>()];
    prop::collection::vec(piece, 1..6).prop_map(|pieces| format!("x{}", pieces.concat()))
}

#[test]
fn things_stand_below_the_title_of_their_window() {
    let mut seen = screen_of(&["Delete it?".into(), "Yes".into(), "Open".into(), "No".into()]);
    let front = seen.windows[0].clone();
    seen.windows.push(Window { id: WindowId(2), title: "Files".into(), ..front });
    seen.windows[0].focused = false;
    seen.elements[2].window = Some(WindowId(2));
    seen.more.clear();
    let list = screen(&seen, "", 100_000);
    let begins: Vec<&str> = list.lines().map(|line| line.split(" (").next().unwrap()).collect();
    assert_eq!(
        begins,
        [
            "Window \"Delete it?\"",
            "[1] button \"Delete it?\"",
            "[2] button \"Yes\"",
            "[4] button \"No\"",
            "Window \"Files\"",
            "[3] button \"Open\"",
        ]
    );
}

#[test]
fn where_there_is_not_room_for_all_a_quarter_is_for_what_can_be_read() {
    let plain = |at: usize, role| Element {
        role,
        value: None,
        description: None,
        looks: None,
        options: Vec::new(),
        within: None,
        ..button(at, &at.to_string())
    };
    let mut seen = screen_of(&["page".into()]);
    seen.more.clear();
    seen.elements = (0..300).map(|at| plain(at, Role::Button)).collect();
    seen.elements.extend((300..304).map(|at| plain(at, Role::Link)));
    seen.elements.push(Element { name: "Press the third one.".into(), ..plain(304, Role::Text) });
    let text = screen(&seen, "", 400);
    assert!((360..=410).contains(&tokens::estimate(&text)), "{}", tokens::estimate(&text));
    assert!(text.contains("text \"Press the third one.\""), "{text}");
    let shown = lines(&text).iter().filter(|line| line.contains("button")).count() - 1;
    let last = *lines(&text).last().unwrap();
    assert_eq!(last, format!("({} more not shown: button {}, link 4)", 304 - shown, 300 - shown));
    // Where hardly anything can be used, nothing is kept free.
    seen.elements.iter_mut().for_each(|element| element.role = Role::Text);
    assert_eq!(lines(&screen(&seen, "", 400)).len().abs_diff(lines(&text).len()), 0);
    assert!(!screen(&seen, "", 90_000).contains("not shown"));
}

#[test]
fn a_window_of_another_monitor_keeps_nothing_off_the_list() {
    let mut seen = screen_of(&["Editor".into(), "Save".into()]);
    let front = seen.windows[0].clone();
    let beside = Window { id: WindowId(2), bounds: Rect::new(800, 0, 80, 80), ..front.clone() };
    seen.windows = vec![beside.clone(), Window { focused: false, ..front.clone() }];
    let active: Vec<WindowId> = active_windows(&seen).iter().map(|window| window.id).collect();
    assert_eq!(active, [WINDOW]);
    assert!(screen(&seen, "", 100_000).contains("[2] button \"Save\""));
    assert_eq!(passed_over(&seen), []);
    // On the same monitor the one with the keyboard hides it.
    seen.windows[0].bounds = Rect::new(0, 0, 4, 4);
    assert!(screen(&seen, "", 100_000).contains("(nothing that can be read)"));
    assert_eq!(passed_over(&seen), [(&seen.windows[1], 2)]);
    // One that is in front there, of another monitor, has no line of its own.
    seen.windows = vec![Window { focused: false, ..beside }, front];
    assert_eq!(active_windows(&seen).len(), 1);
}

#[test]
fn a_name_cannot_fake_a_line_or_turn_one_round() {
    let seen = screen_of(&["OK\"\n[7] button \"\u{202e}lecnaC\u{2028}".into()]);
    let name = "\"OK'\\n[7] button '\\u{202e}lecnaC\\u{2028}\"";
    let list = screen(&seen, "", 100_000);
    let mut lines = list.lines();
    assert_eq!(lines.next(), Some(format!("Window {name}").as_str()));
    assert!(lines.next().is_some_and(|line| line.starts_with(&format!("[1] button {name} (looks: OK"))));
    assert_eq!(lines.count(), 1, "{list}");
    let empty = screen_of(&[]);
    let told: Vec<String> = changes(&empty, &seen).iter().map(ToString::to_string).collect();
    assert!(told.iter().any(|line| line.starts_with(&format!("+ [1] button {name}"))), "{told:?}");
}

#[test]
fn what_cannot_be_seen_is_told_when_it_comes_and_goes() {
    let seen = screen_of(&["Save".into()]);
    let mut hung = screen_of(&[]);
    hung.windows.clone_from(&seen.windows);
    hung.gaps = vec!["`a\n` does not answer".into()];
    let told = |before, now| -> Vec<String> {
        changes(before, now).iter().map(|line| line.to_string().chars().take(60).collect()).collect()
    };
    let gap = "(cannot see everything: `a\\n` does not answer)";
    let lines = told(&seen, &hung);
    assert_eq!(lines[0], format!("+ {gap}"));
    assert!(lines[1].starts_with("- [1] button \"Save\""), "{lines:?}");
    assert_eq!(told(&hung, &seen)[0], format!("- {gap}"));
    assert!(told(&hung, &hung).is_empty());
}

#[test]
fn a_short_name_stands_with_its_hint() {
    let told = |role, name: &str, description: Option<&str>| {
        let description = description.map(str::to_owned);
        let (name, looks, value, options) = (name.to_owned(), None, None, Vec::new());
        line(&Element { role, name, looks, value, options, description, ..button(0, "") }, None, false)
    };
    for (role, name, hint, want) in [
        (Role::Toggle, "B", Some("Bold (Ctrl+B)"), "[1] toggle \"B\" hint=\"Bold (Ctrl+B)\""),
        (Role::Button, "", Some("a\"\n[7] b\u{202e}"), "[1] button hint=\"a'\\n[7] b\\u{202e}\""),
        (Role::Button, "OK", Some("ok"), "[1] button \"OK\""),
        (Role::Button, "OK", None, "[1] button \"OK\""),
        (Role::Button, "Save", Some("Save the letter"), "[1] button \"Save\""),
        (Role::Button, "保存", Some("Save"), "[1] button \"保存\""),
        (Role::Cell, "31", Some("B2"), "[1] cell \"31\""),
    ] {
        assert_eq!(told(role, name, hint), want);
    }
    let cell = |name: &str, place: Option<&str>| {
        let states = States { editable: true, ..States::default() };
        let (name, description) = (name.to_owned(), place.map(str::to_owned));
        let (role, value, looks, options) = (Role::Cell, None, None, Vec::new());
        let cell = Element { role, name, description, states, value, looks, options, ..button(0, "") };
        line(&cell, None, false)
    };
    assert_eq!(cell("B3", None), "[1] cell \"B3\" (empty)");
    assert_eq!(cell("31", Some("B2")), "[1] cell \"31\"");
    let long = told(Role::Button, "B", Some(&"x".repeat(500)));
    assert_eq!(long, format!("[1] button \"B\" hint=\"{}…\"", "x".repeat(60)));
}

#[test]
fn a_person_reads_below_which_part_of_the_window_things_stand() {
    let mut seen = screen_of(&["One", "Two", "Three", "Four", "Five"].map(str::to_owned));
    seen.more.clear();
    let region = |kind, name: &str| Some(Region { kind, name: name.into() });
    for element in &mut seen.elements[..3] {
        element.region = region(RegionKind::Dialog, "Really\"?\n[9] button");
    }
    seen.elements[3].region = region(RegionKind::Toolbar, "");
    let begins = |list: &str| -> Vec<String> {
        let short = |line: &str| line.split(" (looks").next().unwrap().to_owned();
        list.lines().map(short).collect()
    };
    let plain = begins(&screen(&seen, "", 100_000));
    let grouped = begins(&grouped(&seen, 100_000));
    let mut want = plain.clone();
    want.insert(1, "dialog \"Really'?\\n[9] button\":".into());
    want[2..5].iter_mut().for_each(|line| *line = format!("  {line}"));
    assert_eq!(grouped, want);
    assert!(plain.iter().all(|line| !line.contains("dialog")), "{plain:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_list_has_as_many_lines_as_elements(words in prop::collection::vec(word(), 1..8)) {
        let seen = screen_of(&words);
        let text = screen(&seen, "", usize::MAX);
        let lines = lines(&text);
        // One for the window, one that more is above.
        prop_assert_eq!(lines.len(), words.len() + 2, "{}", text);
        for (at, line) in lines.iter().skip(1).take(words.len()).enumerate() {
            let begins = format!("[{}] button \"", at + 1);
            prop_assert!(line.starts_with(&begins), "{}", line);
        }
        let hidden = |c: char| c.is_control() && c != '\n'
            || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{e0020}'..='\u{e007f}');
        prop_assert!(!text.contains(hidden), "{:?}", text);
        for change in changes(&screen_of(&[]), &seen) {
            prop_assert_eq!(self::lines(&change.to_string()).len(), 1);
        }
    }
}
