//! How texts that were read stand in the list: a text inside an element without a name names it, one that
//! says an element's words again is left out, and every other stands in its window in reading order.

use crate::desktop::order::insert;
use crate::desktop::region::explains;
use crate::element::{Element, ElementId, ElementKey, Role, Source, States, Window, WindowId};
use crate::geometry::ScreenRect;

/// Rows of px at the top of a window in which its title stands.
const TITLE_BAR: u32 = 40;
/// An element of more than so many lines in height is a place, and not one thing with a name.
const NAMED: u32 = 4;
/// How far beside a text a thing may stand that is called by it, in heights of the text.
const BESIDE: i32 = 2;
/// The same in heights of the title, where everything is drawn larger.
const TITLE_HEIGHTS: u32 = 2;
/// Letters before a title that its icon may be taken for, and of what is left at least.
const ICON: usize = 2;
const LEFT: usize = 3;

/// What stands between the name of a document and that of its program.
const DASHES: [&str; 4] = ["-", "–", "—", "|"];

/// A text on the screen.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Text {
    pub(super) words: String,
    pub(super) bounds: ScreenRect,
    /// How sure the network is of it, 0 to 1.
    pub(super) sure: f32,
}

/// Puts `texts` into `elements`, without numbers.
pub(super) fn into_list(texts: &[Text], windows: &[Window], elements: &mut Vec<Element>) {
    let mut own: Vec<(&Text, Option<&Window>, Option<String>)> = Vec::new();
    let mut called: Vec<(usize, &Text)> = Vec::new();
    for text in texts {
        let middle = text.bounds.center();
        let window = windows.iter().find(|window| window.bounds.contains(middle));
        if window.is_some_and(|window| is_in_title_bar(text, window, texts)) {
            continue;
        }
        match holder(text, window, elements) {
            Holder::Explained => {}
            Holder::Nameless(at) => called.push((at, text)),
            Holder::Within(name) => own.push((text, window, name)),
        }
    }
    name(elements, &called);
    in_reading_order(&mut own);
    for (text, window, within) in own {
        insert(elements, element(text, window.map(|window| window.id), within), windows);
    }
}

/// What a text stands in.
enum Holder {
    /// In an element that says it already, or whose words are its own affair.
    Explained,
    /// In the element at this place of the list, which has no name.
    Nameless(usize),
    /// In none of these; the name of the smallest named place that it is in.
    Within(Option<String>),
}

fn holder(text: &Text, window: Option<&Window>, elements: &[Element]) -> Holder {
    let middle = text.bounds.center();
    let id = window.map(|window| window.id);
    let mut around: Vec<(usize, &Element)> = elements
        .iter()
        .enumerate()
        .filter(|(_, element)| element.bounds.contains(middle))
        .filter(|(_, element)| element.window.is_none() || id.is_none() || element.window == id)
        .collect();
    around.sort_by_key(|(_, element)| element.bounds.area());
    let says = |element: &Element| {
        let value = element.value.as_deref().unwrap_or_default();
        is_in(&text.words, &element.name) || is_in(&text.words, value)
    };
    if around.iter().any(|(_, element)| explains(element) || says(element))
        || is_in(&text.words, &named_beside(text, id, elements))
    {
        return Holder::Explained;
    }
    let small = |element: &Element| element.bounds.height <= text.bounds.height.saturating_mul(NAMED);
    let nameless = around.iter().find(|(_, e)| e.name.is_empty() && e.role.takes_clicks() && small(e));
    if let Some((at, _)) = nameless {
        return Holder::Nameless(*at);
    }
    Holder::Within(around.iter().find(|(_, e)| !e.name.is_empty()).map(|(_, e)| e.name.clone()))
}

/// What the things on the line of a text are called, from left to right: a box to tick stands before its label, and
/// several with theirs are read as one text.
fn named_beside(text: &Text, window: Option<WindowId>, elements: &[Element]) -> String {
    let ScreenRect { x, height, .. } = text.bounds;
    let near = i32::try_from(height).unwrap_or(i32::MAX).saturating_mul(BESIDE);
    let columns = x.saturating_sub(near)..text.bounds.right().saturating_add(near);
    let beside = |element: &&Element| {
        let bounds = &element.bounds;
        element.window == window
            && element.role.takes_clicks()
            && element.source == Source::Accessibility
            && (bounds.y..bounds.bottom()).contains(&text.bounds.center().y)
            && columns.contains(&bounds.x)
            && columns.contains(&bounds.right())
    };
    let mut beside: Vec<&Element> = elements.iter().filter(beside).collect();
    beside.sort_by_key(|element| element.bounds.x);
    beside.iter().map(|element| element.name.as_str()).collect()
}

/// Gives each element the texts that stand in it as its name.
fn name(elements: &mut [Element], called: &[(usize, &Text)]) {
    for (at, text) in called {
        if let Some(element) = elements.get_mut(*at) {
            if !element.name.is_empty() {
                element.name.push(' ');
            }
            element.name.push_str(&text.words);
            element.looks = None;
        }
    }
}

/// Whether it stands in the bar with the title: what else is there is an icon that looks like a letter.
fn is_in_title_bar(text: &Text, window: &Window, texts: &[Text]) -> bool {
    let middle = text.bounds.center();
    let level = |title: &Text| {
        let Text { bounds, .. } = title;
        (bounds.y..bounds.bottom()).contains(&middle.y) && window.bounds.contains(bounds.center())
    };
    texts.iter().any(|title| is_title(title, window) && level(title))
}

/// Whether it is the title that the window system gives anyway, most of it, or what stands before or behind a dash in it: a
/// menu may be called by a word of the title, as `Sheet` above `sheet.ods`.
fn is_title(text: &Text, window: &Window) -> bool {
    let high = text.bounds.height.saturating_mul(TITLE_HEIGHTS).max(TITLE_BAR);
    let top = window.bounds.y.saturating_add_unsigned(high);
    let cut = text.words.trim_end_matches(['.', '…']);
    let (said, all) = (letters(cut), letters(&window.title).chars().count());
    let pieces: Vec<&str> = window.title.split_whitespace().collect();
    let pieces: Vec<String> =
        pieces.split(|word| DASHES.contains(word)).map(|words| letters(&words.concat())).collect();
    let is_most = |part: &str| cut != text.words || part.chars().count() * 2 >= all;
    let is_part = |part: &str| {
        !part.is_empty()
            && (is_most(part) && is_in(part, &window.title) || pieces.iter().any(|piece| piece == part))
    };
    let rest = |icon: usize| -> String { said.chars().skip(icon).collect() };
    let behind_icon = |icon| rest(icon).chars().count() >= LEFT && is_part(&rest(icon));
    text.bounds.bottom() <= top && (is_part(&said) || (1..=ICON).any(behind_icon))
}

/// Whether the letters of `text` stand in `all`, whatever is between them.
fn is_in(text: &str, all: &str) -> bool {
    let text = letters(text);
    !text.is_empty() && letters(all).contains(&text)
}

fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn element(text: &Text, window: Option<WindowId>, within: Option<String>) -> Element {
    Element {
        id: ElementId(0),
        key: ElementKey(text.words.clone()),
        role: Role::Text,
        name: text.words.clone(),
        value: None,
        description: None,
        looks: None,
        options: Vec::new(),
        actions: Vec::new(),
        states: States::default(),
        bounds: text.bounds,
        source: Source::Ocr,
        window,
        within,
        region: None,
    }
}

/// Rows from top to bottom, each from left to right.
fn in_reading_order<W, N>(texts: &mut [(&Text, W, N)]) {
    texts.sort_by_key(|(text, _, _)| (text.bounds.y, text.bounds.x));
    let level = |a: &(&Text, W, N), b: &(&Text, W, N)| b.0.bounds.center().y < a.0.bounds.bottom();
    for row in texts.chunk_by_mut(level) {
        row.sort_by_key(|(text, _, _)| text.bounds.x);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Rect;

    fn window(id: u64, title: &str, bounds: ScreenRect) -> Window {
        let (title, app) = (title.to_owned(), "app".to_owned());
        Window { id: WindowId(id), title, app, pid: None, bounds, focused: id == 1 }
    }

    fn told(role: Role, name: &str, window: u64, bounds: ScreenRect) -> Element {
        let text = Text { words: name.into(), bounds, sure: 1.0 };
        let key = ElementKey(format!("told:{name}:{bounds}"));
        let element = element(&text, Some(WindowId(window)), None);
        Element { key, role, source: Source::Accessibility, ..element }
    }

    fn merged(texts: &[(&str, ScreenRect)], mut elements: Vec<Element>) -> Vec<(Role, String, u64)> {
        let windows = [
            window(1, "My Title - Program", Rect::new(0, 0, 200, 200)),
            window(2, "", Rect::new(0, 0, 400, 400)),
        ];
        let text = |(text, bounds): &(&str, ScreenRect)| Text {
            words: (*text).into(),
            bounds: *bounds,
            sure: 1.0,
        };
        let texts: Vec<Text> = texts.iter().map(text).collect();
        into_list(&texts, &windows, &mut elements);
        elements.into_iter().map(|e| (e.role, e.name, e.window.unwrap().0)).collect()
    }

    #[test]
    fn a_text_names_what_has_no_name_and_never_stands_twice() {
        let button = Rect::new(10, 60, 80, 30);
        let inside = Rect::new(20, 66, 40, 14);
        assert_eq!(
            merged(&[("Send", inside)], vec![told(Role::Button, "", 1, button)]),
            [(Role::Button, "Send".into(), 1)]
        );
        for name in ["Send", "send the letter", "Another name"] {
            let list = merged(&[("Send", inside)], vec![told(Role::Button, name, 1, button)]);
            assert_eq!(list, [(Role::Button, name.into(), 1)]);
        }
        // Two lines in one button, and a place that is larger than a thing.
        let two = [("Send", inside), ("now", Rect::new(20, 78, 40, 10))];
        assert_eq!(merged(&two, vec![told(Role::Button, "", 1, button)])[0].1, "Send now");
        let canvas = told(Role::Clickable, "", 1, Rect::new(0, 50, 180, 140));
        let list = merged(&[("Send", inside)], vec![canvas]);
        assert!(list.contains(&(Role::Text, "Send".into(), 1)) && list.len() == 2, "{list:?}");
    }

    #[test]
    fn the_labels_beside_boxes_are_their_names() {
        let boxes = || {
            let radio = |name: &str, x| told(Role::Radio, name, 1, Rect::new(x, 100, 12, 12));
            vec![radio("Post", 20), radio("Courier", 80), radio("Pick up", 140)]
        };
        for (text, bounds, count) in [
            ("Post", Rect::new(36, 98, 30, 16), 3),
            ("Post Courier Pick up", Rect::new(36, 98, 156, 16), 3),
            ("Post Courier", Rect::new(36, 98, 100, 16), 3),
            // On another line, too far away, in another order.
            ("Post", Rect::new(36, 120, 30, 16), 4),
            ("Post", Rect::new(100, 98, 30, 16), 4),
            ("Courier Post", Rect::new(36, 98, 60, 16), 4),
        ] {
            assert_eq!(merged(&[(text, bounds)], boxes()).len(), count, "{text} at {bounds}");
        }
    }

    #[test]
    fn a_title_is_known_already() {
        for (text, y, count) in [
            ("My Title - Pro...", 8, 0),
            ("MyTitle", 8, 0),
            ("O My Title", 8, 0),
            ("OKMy", 8, 1),
            ("My T...", 8, 0),
            ("Title", 8, 1),
            ("Program", 8, 0),
            ("Pro", 8, 1),
            ("My Title", 100, 1),
            ("Mine", 8, 1),
            ("My Title - Program saved", 8, 1),
        ] {
            let list = merged(&[(text, Rect::new(20, y, 90, 14))], Vec::new());
            assert_eq!(list.len(), count, "{text}");
        }
    }

    #[test]
    fn what_has_no_letters_is_no_title() {
        let windows = [window(1, "", Rect::new(0, 0, 200, 200))];
        let texts = [Text { words: "→".into(), bounds: Rect::new(20, 8, 9, 9), sure: 1.0 }];
        let mut elements = Vec::new();
        into_list(&texts, &windows, &mut elements);
        assert_eq!(elements.len(), 1);
    }

    #[test]
    fn what_stands_beside_the_title_is_an_icon() {
        let bar = [("X", Rect::new(2, 7, 10, 14)), ("My Title", Rect::new(60, 8, 60, 12))];
        assert!(merged(&bar, Vec::new()).is_empty());
        assert_eq!(merged(&bar[..1], Vec::new()).len(), 1);
    }

    #[test]
    fn texts_stand_in_their_window_in_reading_order() {
        let told = vec![
            told(Role::Button, "b", 1, Rect::new(100, 60, 40, 20)),
            told(Role::Button, "d", 1, Rect::new(10, 120, 40, 20)),
            told(Role::Button, "f", 2, Rect::new(300, 300, 40, 20)),
        ];
        let texts = [
            ("g", Rect::new(350, 302, 20, 14)),
            ("e", Rect::new(60, 123, 20, 14)),
            ("a", Rect::new(10, 63, 20, 14)),
            ("c", Rect::new(10, 90, 20, 14)),
        ];
        let names: Vec<String> = merged(&texts, told).into_iter().map(|(_, name, _)| name).collect();
        assert_eq!(names, ["a", "b", "c", "d", "e", "f", "g"]);
    }
}
