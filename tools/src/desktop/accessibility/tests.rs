//! The rules of the list, on small trees.

use ::atspi::{InterfaceSet, Role as BusRole, State, StateSet};

use super::areas::areas;
use super::hidden::doubts;
use super::list::Lister;
use super::merge::tidy;
use super::node::{Address, Node, Tree};
use super::placing::{Place, Places};
use super::programs::Program;
use super::said::{Said, node};
use super::{from_front_to_back, owner, pages};
use crate::desktop::area::AreaKind;
use crate::element::{Role, Window, WindowId};
use crate::geometry::{Rect, ScreenRect};

const SCREEN: ScreenRect = Rect::new(0, 0, 1000, 800);

pub(super) fn at(path: &str) -> Address {
    Address::new(":1.5", format!("/{path}"))
}

/// An object that shows, at these sides.
pub(super) fn part(path: &str, parent: &str, role: BusRole, name: &str, sides: [i32; 4]) -> Node {
    let said = Said {
        role,
        states: StateSet::new(State::Showing | State::Visible | State::Enabled | State::Sensitive),
        ifaces: InterfaceSet::empty(),
        name: name.into(),
        description: String::new(),
    };
    let [x, y, width, height] = sides;
    let length = |side: i32| u32::try_from(side).unwrap();
    let parent = (!parent.is_empty()).then(|| at(parent));
    let bounds = Some(Rect::new(x, y, length(width), length(height)));
    Node { bounds, ..node(at(path), parent, 0, said) }
}

fn with(mut node: Node, state: State) -> Node {
    node.states.insert(state);
    node
}

/// A tree with a window that fills the screen, and these in it, in their order.
pub(super) fn tree(parts: Vec<Node>) -> Tree {
    let mut nodes = vec![
        part("app", "", BusRole::Application, "", [0, 0, 0, 0]),
        part("win", "app", BusRole::Frame, "Window", [0, 0, 1000, 800]),
    ];
    nodes.extend(parts.into_iter().zip(0..).map(|(node, index)| Node { index, ..node }));
    Tree::new(nodes)
}

/// What the list says: role, name and value.
fn listed(tree: &Tree) -> Vec<(Role, String)> {
    let frame = tree.get(&at("win")).unwrap();
    let drafts = tidy(Lister::list(tree, &pages(tree, frame), SCREEN, SCREEN)).0;
    drafts.into_iter().map(|draft| (draft.role, draft.name)).collect()
}

fn names(tree: &Tree) -> Vec<String> {
    listed(tree).into_iter().map(|(_, name)| name).collect()
}

#[test]
fn a_page_below_its_tab_leaves_the_tab() {
    let tree = tree(vec![
        part("tab", "win", BusRole::PageTab, "Person", [10, 10, 60, 30]),
        part("ok", "tab", BusRole::Button, "OK", [10, 200, 60, 30]),
        part("web", "win", BusRole::PageTab, "Section", [10, 300, 500, 200]),
        part("in", "web", BusRole::Button, "Inside", [20, 320, 60, 30]),
    ]);
    assert_eq!(names(&tree), ["Person", "OK", "Inside"]);
}

#[test]
fn a_part_that_is_edited_is_a_field_with_its_words() {
    let words = part("t", "p", BusRole::Static, "Dear Ada", [10, 10, 90, 20]);
    let tree = tree(vec![
        with(part("e", "win", BusRole::Section, "Letter", [0, 0, 400, 200]), State::Editable),
        with(part("p", "e", BusRole::Paragraph, "", [10, 10, 300, 20]), State::Editable),
        with(words, State::Editable),
    ]);
    let frame = tree.get(&at("win")).unwrap();
    let drafts = Lister::list(&tree, &[frame], SCREEN, SCREEN);
    assert_eq!(drafts.len(), 1, "{drafts:#?}");
    assert_eq!((drafts[0].role, drafts[0].name.as_str()), (Role::Textbox, "Letter"));
    assert_eq!(drafts[0].value.as_deref(), Some("Dear Ada"));
}

#[test]
fn texts_of_an_editor_in_a_page_can_be_selected() {
    let editable = |node| with(node, State::Editable);
    let tree = tree(vec![
        part("page", "win", BusRole::DocumentWeb, "Page", [0, 0, 900, 700]),
        editable(part("e", "page", BusRole::Section, "Letter", [0, 0, 400, 200])),
        editable(part("t", "e", BusRole::Static, "Dear Ada", [10, 40, 90, 20])),
        editable(part("l", "e", BusRole::Link, "belt", [110, 40, 60, 20])),
    ]);
    let want = [(Role::Textbox, "Letter".to_owned()), (Role::Text, "Dear Ada".to_owned())];
    let mut found = listed(&tree);
    found.sort_by_key(|(role, _)| *role != Role::Textbox);
    assert_eq!(found, want);
}

#[test]
fn signs_are_called_by_their_hint_and_bullets_by_nothing() {
    let undo = part("u", "win", BusRole::Button, "↶", [0, 0, 20, 20]);
    let tree = tree(vec![
        Node { description: "Undo".into(), ..undo },
        part("x", "win", BusRole::Button, "×", [30, 0, 20, 20]),
        part("b", "win", BusRole::Static, "• ", [0, 50, 8, 20]),
        part("s", "win", BusRole::Link, "Skip", [0, 90, 1, 1]),
    ]);
    assert_eq!(names(&tree), ["Undo", "×"]);
}

#[test]
fn what_says_the_same_twice_is_said_once() {
    let tree = tree(vec![
        part("l", "win", BusRole::Label, "Card", [0, 0, 60, 20]),
        part("t", "l", BusRole::Static, "Card", [0, 0, 60, 20]),
        part("o", "win", BusRole::Static, "Card", [0, 400, 60, 20]),
    ]);
    assert_eq!(names(&tree), ["Card", "Card"]);
}

#[test]
fn what_is_greyed_in_a_field_or_chosen_in_a_dropdown_that_is_off_is_said() {
    let option = |path: &str, name| part(path, "pick", BusRole::MenuItem, name, [0, 60, 80, 10]);
    let told = |stands_at, text: Option<&str>| {
        let field = part("mail", "win", BusRole::Entry, "Email", [0, 0, 180, 20]);
        let pick = part("pick", "win", BusRole::ComboBox, "Currency", [0, 60, 80, 20]);
        let tree = tree(vec![
            Node { hint: Some("you@example.org".into()), text: text.map(str::to_owned), ..field },
            Node { stands_at, ..pick },
            option("first", "EUR"),
            option("second", "NOK"),
        ]);
        let drafts = Lister::list(&tree, &[tree.get(&at("win")).unwrap()], SCREEN, SCREEN);
        let [field, pick, ..] = drafts.as_slice() else { panic!("{drafts:?}") };
        (field.description.clone(), pick.value.clone())
    };
    let said = |text: &str| Some(text.to_owned());
    assert_eq!(told(Some((2, 2)), None), (said("you@example.org"), said("NOK")));
    assert_eq!(told(Some((2, 3)), Some("me@example.org")), (None, None));
    assert_eq!(told(Some((0, 2)), Some("me@example.org")), (None, None));
}

#[test]
fn only_the_bars_of_a_browser_are_none_of_its_page() {
    let bar = |parent: &str| part("bar", parent, BusRole::ToolBar, "Format", [0, 0, 200, 30]);
    let bold = part("bold", "bar", BusRole::Button, "Bold", [0, 0, 30, 30]);
    let page = || part("page", "win", BusRole::DocumentWeb, "Page", [0, 0, 900, 700]);
    let within = |parts: Vec<Node>| {
        let tree = tree(parts);
        let frame = tree.get(&at("win")).unwrap();
        Lister::list(&tree, &[frame], SCREEN, SCREEN).pop().unwrap().within
    };
    assert_eq!(within(vec![bar("win"), bold.clone()]), None);
    assert_eq!(within(vec![page(), bar("page"), bold.clone()]), None);
    assert_eq!(within(vec![page(), bar("win"), bold]).as_deref(), Some("toolbar"));
}

#[test]
fn a_dialog_is_its_own_window_and_not_its_owner() {
    let window = |id, bounds| Window {
        id: WindowId(id),
        title: format!("Window {id}"),
        app: "app".into(),
        pid: None,
        bounds,
        focused: id == 1,
    };
    let (front, back) = (window(1, Rect::new(0, 0, 558, 204)), window(2, SCREEN));
    let alert = part("a", "app", BusRole::Alert, "Question", [0, 0, 558, 204]);
    assert_eq!(owner(&alert, &[(0, &front), (1, &back)]).unwrap().0, 0);
}

/// Everything in it holds everything else, which is a way through it for each order of its parts.
#[test]
fn what_stands_below_a_menu_bar_is_not_told_without_it() {
    let mut parts = vec![
        part("panel", "win", BusRole::Panel, "", [0, 44, 1000, 756]),
        part("pane", "panel", BusRole::RootPane, "", [0, 19, 1000, 756]),
        part("save", "pane", BusRole::Button, "Save", [92, 21, 44, 35]),
        part("file", "win", BusRole::Menu, "File", [0, 19, 39, 25]),
        part("holder", "pane", BusRole::Panel, "", [4, 99, 162, 34]),
        part("box", "holder", BusRole::Panel, "", [4, 124, 160, 35]),
        part("field", "box", BusRole::Entry, "", [6, 126, 126, 30]),
    ];
    let mut told = tree(parts.clone());
    let mut places = Places::default();
    places.move_below_menus(&mut told);
    let bounds = |tree: &Tree, path: &str| tree.get(&at(path)).unwrap().bounds.unwrap();
    assert_eq!(bounds(&told, "save"), Rect::new(92, 46, 44, 35));
    assert_eq!(bounds(&told, "file"), Rect::new(0, 19, 39, 25));
    // What the toolkit draws in it fills what holds it, and is told where that is.
    assert_eq!(bounds(&told, "holder"), Rect::new(4, 124, 162, 34));
    assert_eq!(bounds(&told, "box"), Rect::new(4, 124, 160, 35));
    assert_eq!(bounds(&told, "field"), Rect::new(6, 126, 126, 30));
    assert_eq!(places.of(&at("field")), Place::default());
    // One that lies in a larger panel is where it says.
    parts[0].bounds = Some(Rect::new(0, 19, 1000, 781));
    let mut told = tree(parts);
    places.move_below_menus(&mut told);
    assert_eq!(bounds(&told, "save"), Rect::new(92, 21, 44, 35));
}

/// A window of the program in the tests, called as its frame is.
fn window(bounds: ScreenRect) -> Window {
    let (title, app) = ("Window".to_owned(), "app".to_owned());
    Window { id: WindowId(1), title, app, pid: None, bounds, focused: true }
}

/// A program as [`tree`] tells of one.
fn program() -> Program {
    Program { root: at("app"), pid: None, answers: true, is_gtk4: false }
}

#[test]
fn what_is_told_in_larger_pixels_is_stretched() {
    let button = part("b", "win", BusRole::Button, "Save", [10, 20, 31, 15]);
    let stretched = |bounds| {
        let (mut told, mut places) = (tree(vec![button.clone()]), Places::default());
        places.stretch(&mut told, &program(), &[window(bounds)]);
        (told.get(&at("b")).unwrap().bounds.unwrap(), places.of(&at("b")))
    };
    let as_told = Rect::new(10, 20, 31, 15);
    // The frame of the window manager is no part of what is told.
    for size in [(1000, 800), (1002, 822), (992, 792)] {
        assert_eq!(stretched(Rect::new(0, 0, size.0, size.1)).0, as_told, "{size:?}");
    }
    let (twice, place) = stretched(Rect::new(0, 0, 2002, 1622));
    assert_eq!(twice, Rect::new(20, 40, 62, 30));
    assert_eq!(place.back(twice.center()), as_told.center());
    assert_eq!(stretched(Rect::new(0, 0, 1502, 1222)).0, Rect::new(15, 30, 47, 23));
    // A window of other proportions is another window.
    assert_eq!(stretched(Rect::new(0, 0, 2000, 900)).0, as_told);
}

#[test]
fn bars_around_a_page_are_stretched_to_it() {
    let parts = vec![
        part("back", "win", BusRole::Button, "Back", [30, 76, 34, 34]),
        part("holder", "win", BusRole::Panel, "", [24, 117, 500, 259]),
        part("page", "holder", BusRole::DocumentWeb, "Form", [48, 234, 1000, 518]),
        part("ok", "page", BusRole::Button, "OK", [60, 300, 80, 40]),
    ];
    let (mut told, mut places) = (tree(parts), Places::default());
    places.stretch(&mut told, &program(), &[window(Rect::new(48, 60, 1000, 692))]);
    let bounds = |path: &str| told.get(&at(path)).unwrap().bounds.unwrap();
    assert_eq!(bounds("back"), Rect::new(60, 152, 68, 68));
    assert_eq!(bounds("holder"), bounds("page"));
    assert_eq!(bounds("ok"), Rect::new(60, 300, 80, 40));
    // A frame within a page says nothing of the bars.
    let mut told = tree(vec![
        part("back", "win", BusRole::Button, "Back", [30, 76, 34, 34]),
        part("page", "win", BusRole::DocumentWeb, "Form", [0, 100, 1000, 700]),
        part("frame", "page", BusRole::InternalFrame, "", [20, 200, 300, 100]),
        part("within", "frame", BusRole::DocumentWeb, "", [20, 200, 600, 200]),
    ]);
    places.stretch(&mut told, &program(), &[window(SCREEN)]);
    assert_eq!(told.get(&at("back")).unwrap().bounds.unwrap(), Rect::new(30, 76, 34, 34));
}

#[test]
fn a_knotted_tree_is_walked_to_an_end() {
    let paths: Vec<String> = (0..60).map(|n| format!("n{n}")).collect();
    let mut nodes = vec![part("n0", "win", BusRole::Link, "", [0, 0, 90, 20])];
    for from in &paths {
        nodes.extend(paths.iter().map(|to| part(to, from, BusRole::Section, "", [0, 0, 90, 20])));
    }
    assert_eq!(names(&tree(nodes)), Vec::<String>::new());
}

#[test]
fn only_what_may_be_hidden_is_asked_about() {
    let page = part("page", "win", BusRole::DocumentWeb, "Page", [0, 0, 900, 700]);
    let tree = tree(vec![
        page,
        part("free", "page", BusRole::Button, "Free", [0, 0, 60, 20]),
        part("under", "page", BusRole::Button, "Under", [300, 100, 60, 20]),
        part("box", "page", BusRole::Section, "", [0, 200, 100, 100]),
        part("cut", "box", BusRole::Button, "Cut", [0, 290, 60, 40]),
        part("lid", "page", BusRole::Section, "", [250, 50, 300, 200]),
        part("on", "lid", BusRole::Button, "On", [460, 100, 60, 20]),
    ]);
    let frame = tree.get(&at("win")).unwrap();
    let drafts = Lister::list(&tree, &[frame], SCREEN, SCREEN);
    let doubtful: Vec<&str> = drafts
        .iter()
        .zip(doubts(&tree, &drafts))
        .filter_map(|(draft, (doubted, _))| doubted.then_some(draft.name.as_str()))
        .collect();
    assert_eq!(doubtful, ["Under", "Cut"]);
}

#[test]
fn beside_what_lies_over_a_thing_there_may_be_enough_of_it() {
    let tree = tree(vec![
        part("page", "win", BusRole::DocumentWeb, "Page", [0, 0, 900, 700]),
        part("wide", "page", BusRole::Button, "Wide", [0, 100, 800, 20]),
        part("long", "page", BusRole::Static, "Long words", [0, 140, 800, 20]),
        part("under", "page", BusRole::Button, "Under", [300, 180, 100, 20]),
        part("row", "page", BusRole::Link, "Row", [0, 500, 800, 40]),
        part("ground", "page", BusRole::Section, "", [0, 0, 900, 700]),
        part("lid", "ground", BusRole::Section, "", [200, 50, 500, 200]),
        part("words", "lid", BusRole::Paragraph, "", [210, 60, 480, 180]),
        part("chat", "page", BusRole::Button, "Chat", [390, 510, 30, 20]),
        part("find", "page", BusRole::Button, "Find", [0, 600, 800, 20]),
        part("lens", "page", BusRole::Section, "", [400, 590, 60, 40]),
    ]);
    let frame = tree.get(&at("win")).unwrap();
    let drafts = Lister::list(&tree, &[frame], SCREEN, SCREEN);
    let found: Vec<_> = drafts.iter().map(|d| d.name.as_str()).zip(doubts(&tree, &drafts)).collect();
    for (name, rest) in [
        ("Wide", Some(Rect::new(0, 100, 200, 20))),
        ("Long words", None),
        ("Under", None),
        ("Row", Some(Rect::new(0, 500, 390, 40))),
        ("Find", Some(Rect::new(0, 600, 400, 20))),
    ] {
        assert!(found.contains(&(name, (true, rest))), "{name}: {found:?}");
    }
    assert!(found.contains(&("Chat", (false, None))), "{found:?}");
}

#[test]
fn what_a_window_in_front_leaves_of_a_thing_is_listed() {
    let tree = tree(vec![
        part("row", "win", BusRole::Button, "Row", [0, 100, 800, 20]),
        part("under", "win", BusRole::Button, "Under", [300, 140, 100, 20]),
        part("half", "win", BusRole::Button, "Half", [560, 160, 60, 20]),
        part("words", "win", BusRole::Static, "Words", [0, 200, 800, 20]),
        part("free", "win", BusRole::Button, "Free", [0, 700, 100, 20]),
    ]);
    let frame = tree.get(&at("win")).unwrap();
    let listed = Lister::list(&tree, &[frame], SCREEN, SCREEN);
    let front = Window { id: WindowId(2), ..window(Rect::new(200, 50, 400, 300)) };
    let windows = [front, window(SCREEN)];
    let framed = (0..2).collect();
    let found = listed.into_iter().map(|draft| (1, draft)).collect();
    let seen: Vec<(String, ScreenRect)> = from_front_to_back(found, &windows, &framed)
        .into_iter()
        .map(|(_, draft)| (draft.name, draft.bounds))
        .collect();
    let want = [
        ("Row", Rect::new(0, 100, 200, 20)),
        ("Half", Rect::new(600, 160, 20, 20)),
        ("Free", Rect::new(0, 700, 100, 20)),
    ];
    assert_eq!(seen, want.map(|(name, bounds)| (name.to_owned(), bounds)));
}

#[test]
fn parts_of_a_window_with_several_things_in_them_are_told() {
    let row = |path: &str, parent: &str, y| part(path, parent, BusRole::Button, path, [0, y, 60, 20]);
    let tree = tree(vec![
        part("page", "win", BusRole::DocumentWeb, "Page", [0, 0, 900, 700]),
        Node {
            landmark: Some("navigation".into()),
            ..part("nav", "page", BusRole::Landmark, "", [0, 0, 900, 99])
        },
        row("One", "nav", 0),
        row("Two", "nav", 25),
        row("Three", "nav", 50),
        part("ask", "page", BusRole::Dialog, "Delete it?", [0, 200, 900, 99]),
        row("Yes", "ask", 200),
        row("No", "ask", 225),
        row("Never", "ask", 250),
        part("few", "page", BusRole::Grouping, "Few", [0, 400, 900, 99]),
        row("Left", "few", 400),
        row("Alone", "page", 500),
    ]);
    let frame = tree.get(&at("win")).unwrap();
    let drafts = tidy(Lister::list(&tree, &[frame], SCREEN, SCREEN)).0;
    let said: Vec<String> = drafts
        .iter()
        .map(|draft| match &draft.region {
            Some(region) => format!("{} in {} {}", draft.name, region.kind.word(), region.name),
            None => draft.name.clone(),
        })
        .collect();
    let (bar, box_) = ("in navigation ", "in dialog Delete it?");
    let want = ["One", "Two", "Three"].map(|name| format!("{name} {bar}"));
    let asked = ["Yes", "No", "Never"].map(|name| format!("{name} {box_}"));
    let rest = ["Left", "Alone"].map(str::to_owned);
    assert_eq!(said, [&want[..], &asked, &rest].concat());
}

#[test]
fn boxes_without_size_or_beyond_all_screens_are_left_out() {
    let far = i32::MAX - 5;
    let tree = tree(vec![
        part("ok", "win", BusRole::Button, "OK", [10, 10, 60, 20]),
        part("flat", "win", BusRole::Button, "Flat", [10, 50, 0, 20]),
        part("far", "win", BusRole::Button, "Far", [far, far, i32::MAX, i32::MAX]),
        part("before", "win", BusRole::Button, "Before", [i32::MIN, i32::MIN, 40, 40]),
        part("huge", "win", BusRole::Button, "Huge", [i32::MIN, 200, i32::MAX, 20]),
    ]);
    assert_eq!(names(&tree), ["OK"]);
    let frame = tree.get(&at("win")).unwrap();
    assert!(areas(&tree, &[frame], SCREEN).more.is_empty());
}

#[test]
fn of_a_tree_without_end_a_part_is_looked_at() {
    let row = |n: i32| part(&format!("r{n}"), "win", BusRole::Label, "Row", [0, n % 800, 90, 1]);
    let tree = tree((0..200_000).map(row).collect());
    assert!(tree.showing().len() <= super::MAX_NODES);
    let frame = tree.get(&at("win")).unwrap();
    let _ = areas(&tree, &[frame], SCREEN);
    assert!(Lister::list(&tree, &[frame], SCREEN, SCREEN).len() <= super::MAX_NODES);
}

#[test]
fn drawings_pages_and_pictures_are_told_apart() {
    let tree = tree(vec![
        part("page", "win", BusRole::DocumentWeb, "Page", [0, 0, 900, 700]),
        part("canvas", "page", BusRole::Canvas, "", [0, 0, 300, 200]),
        part("photo", "page", BusRole::Image, "", [0, 300, 200, 100]),
        Node { is_drawn: true, ..part("graph", "page", BusRole::Image, "", [0, 500, 200, 100]) },
        Node { is_drawn: true, ..part("sign", "page", BusRole::Image, "", [300, 500, 20, 20]) },
        part("empty", "page", BusRole::Section, "", [0, 400, 200, 100]),
        part("own", "win", BusRole::Filler, "", [900, 0, 100, 700]),
        part("gap", "win", BusRole::Filler, "", [900, 700, 10, 10]),
    ]);
    let frame = tree.get(&at("win")).unwrap();
    let mut found: Vec<(i32, i32, AreaKind)> =
        areas(&tree, &[frame], SCREEN).areas.into_iter().map(|(b, kind)| (b.x, b.y, kind)).collect();
    found.sort_by_key(|(x, y, _)| (*x, *y));
    let mut want = [
        (0, 0, AreaKind::Page),
        (0, 0, AreaKind::Drawing),
        (0, 300, AreaKind::Picture),
        (0, 500, AreaKind::Drawing),
        (300, 500, AreaKind::Picture),
        (900, 0, AreaKind::Drawing),
    ];
    want.sort_by_key(|(x, y, _)| (*x, *y));
    assert_eq!(found.len(), want.len(), "{found:?}");
    assert!(want.iter().all(|area| found.contains(area)), "{found:?}");
}

#[test]
fn what_lies_along_the_edges_of_a_sheet_is_told_as_its_rulers() {
    let sheet = |is_vast| {
        let told = tree(vec![
            part("view", "win", BusRole::ScrollPane, "", [0, 139, 700, 614]),
            part("columns", "view", BusRole::Panel, "", [41, 139, 600, 18]),
            part("rows", "view", BusRole::Panel, "", [0, 157, 41, 559]),
            part("corner", "view", BusRole::Panel, "", [0, 139, 41, 18]),
            part("sheet", "view", BusRole::DocumentSpreadsheet, "", [41, 157, 600, 559]),
            Node { is_vast, ..part("table", "sheet", BusRole::Table, "Sheet", [41, 157, 600, 559]) },
        ]);
        let areas = areas(&told, &[told.get(&at("win")).unwrap()], SCREEN).areas;
        let rulers = areas.into_iter().filter(|(_, kind)| *kind == AreaKind::Ruler);
        rulers.map(|(bounds, _)| bounds).collect::<Vec<_>>()
    };
    let mut found = sheet(true);
    found.sort_by_key(|bounds| bounds.y);
    assert_eq!(found, [Rect::new(41, 139, 600, 18), Rect::new(0, 157, 41, 559)]);
    assert_eq!(sheet(false), []);
}
