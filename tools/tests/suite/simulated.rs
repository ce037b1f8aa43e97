//! The simulated desktop behaves like a real one where a rule or a loop could notice the difference.

use std::time::Duration;

use freehand_tools::action::{ActionKind, Button, Target};
use freehand_tools::desktop::simulated::{SimEvent, Simulated};
use freehand_tools::desktop::{Desktop, DesktopError, KeyboardInput, Launch, PointerInput};
use freehand_tools::element::Role;
use freehand_tools::geometry::{Point, Rect, ScreenPoint, Size};
use freehand_tools::key::{Key, Modifier};
use freehand_tools::observation::Observation;
use freehand_tools::permit::Redeemed;
use freehand_tools::settle::{Patience, dirty, settle};

use crate::conformance::permit;

/// Somebody at the desktop who may do everything.
struct Person {
    desktop: Simulated,
    right: Redeemed,
}

impl Person {
    async fn at(mut desktop: Simulated) -> Self {
        let seen = desktop.observe().await.unwrap();
        let right = permit(ActionKind::Move, Target::default(), &seen).await;
        let right = right.redeem(&mut desktop).await.unwrap();
        Self { desktop, right }
    }

    async fn see(&mut self) -> Observation {
        self.desktop.observe().await.unwrap()
    }

    async fn names(&mut self, role: Role) -> Vec<String> {
        let seen = self.see().await;
        seen.elements.into_iter().filter(|e| e.role == role).map(|e| e.name).collect()
    }

    async fn mouse(&mut self, input: PointerInput) {
        self.desktop.pointer(&self.right, input).await.unwrap();
    }

    async fn keys(&mut self, input: KeyboardInput) {
        self.desktop.keyboard(&self.right, input).await.unwrap();
    }

    async fn where_is(&mut self, name: &str) -> ScreenPoint {
        let seen = self.see().await;
        let found =
            seen.elements.iter().filter(|e| e.name == name).min_by_key(|e| !e.role.takes_clicks());
        found.unwrap_or_else(|| panic!("no `{name}` in {:#?}", seen.elements)).bounds.center()
    }

    async fn click(&mut self, name: &str) {
        let point = self.where_is(name).await;
        self.mouse(PointerInput::MoveTo(point)).await;
        self.mouse(PointerInput::Click(Button::Left, 1)).await;
    }

    async fn tap(&mut self, chords: &str) {
        for chord in chords.split(' ') {
            self.keys(KeyboardInput::Tap(chord.parse().unwrap())).await;
        }
    }

    async fn text(&mut self, text: &str) {
        self.keys(KeyboardInput::Text(text.into())).await;
    }

    fn value(&self, name: &str) -> String {
        self.desktop.value(name).unwrap_or_else(|| panic!("nothing is called `{name}`"))
    }
}

fn small() -> Simulated {
    Simulated::new(Size::new(640, 480))
}

#[tokio::test]
async fn the_keyboard_goes_where_the_focus_is() {
    let mut person = Person::at(small().window("Form", "form", |w| {
        w.textbox("First").checkbox("Agree", false).textbox("Second").default_button("OK");
    }))
    .await;
    person.text("one\t \ttwo").await;
    assert_eq!(
        [person.value("First"), person.value("Agree"), person.value("Second")],
        ["one", "true", "two"]
    );
    person.tap("shift+Tab shift+Tab Tab Tab").await;
    person.text("three").await;
    assert_eq!(person.value("Second"), "three", "a field that is tabbed to is selected");
    person.tap("Home shift+End ctrl+x ctrl+v ctrl+v Left BackSpace Delete").await;
    assert_eq!(person.value("Second"), "threethr");
    person.tap("Return").await;
    assert!(person.desktop.events().contains(&SimEvent::Pressed("OK".into())));
    person.click("Agree").await;
    person.text("lost").await;
    let lost = SimEvent::Typed { window: Some("Form".into()), field: None, text: "lost".into() };
    assert_eq!(person.desktop.events().last(), Some(&lost));
}

#[tokio::test]
async fn a_click_is_a_press_and_a_release_on_one_thing() {
    let mut person = Person::at(small().window("Form", "form", |w| {
        w.button("A").button("B").slider("Loudness", 0);
    }))
    .await;
    let (a, b) = (person.where_is("A").await, person.where_is("B").await);
    for input in [PointerInput::MoveTo(a), PointerInput::Down(Button::Left), PointerInput::MoveTo(b)] {
        person.mouse(input).await;
    }
    person.mouse(PointerInput::Up(Button::Left)).await;
    let dragged = SimEvent::Dragged { from: a, to: b, button: Button::Left };
    assert_eq!(person.desktop.events().last(), Some(&dragged));
    person.keys(KeyboardInput::Down(Key::Modifier(Modifier::Ctrl))).await;
    person.mouse(PointerInput::Click(Button::Right, 1)).await;
    let clicked = SimEvent::Clicked {
        window: Some("Form".into()),
        target: Some("B".into()),
        button: Button::Right,
        count: 1,
        at: b,
        modifiers: vec![Modifier::Ctrl],
    };
    assert_eq!(person.desktop.events().last(), Some(&clicked));
    assert!(!person.desktop.events().iter().any(|e| matches!(e, SimEvent::Pressed(_))));
    person.desktop.release();
    assert_eq!(person.desktop.held(), (Vec::new(), Vec::new()));

    let slider = person.see().await.elements.iter().find(|e| e.name == "Loudness").unwrap().bounds;
    person.mouse(PointerInput::MoveTo(slider.origin().offset(2, 5))).await;
    person.mouse(PointerInput::Down(Button::Left)).await;
    person.mouse(PointerInput::MoveTo(slider.center())).await;
    person.mouse(PointerInput::Up(Button::Left)).await;
    assert_eq!(person.value("Loudness"), "50");
}

#[tokio::test]
async fn the_caret_goes_where_the_click_is() {
    for scale in [1.0, 1.25, 2.0] {
        let mut person = Person::at(
            small().scale(scale).window("Form", "form", |w| _ = w.textbox_with("Name", "abcdefgh")),
        )
        .await;
        let field = person.see().await.elements[0].bounds;
        #[expect(clippy::cast_possible_truncation, reason = "a few pixels")]
        let before = |n: i16| field.origin().offset((scale * f32::from(4 + 8 * n)) as i32, 10);
        person.mouse(PointerInput::MoveTo(before(3))).await;
        person.mouse(PointerInput::Click(Button::Left, 1)).await;
        person.text("-").await;
        assert_eq!(person.value("Name"), "abc-defgh", "at {scale}");
        person.mouse(PointerInput::Down(Button::Left)).await;
        person.mouse(PointerInput::MoveTo(before(6))).await;
        person.mouse(PointerInput::Up(Button::Left)).await;
        person.text("+").await;
        assert_eq!(person.value("Name"), "abc+fgh", "a drag selects, at {scale}");
    }
}

#[tokio::test]
async fn windows_lie_over_each_other_and_move() {
    let mut person = Person::at(
        small()
            .window("Back", "a", |w| {
                w.place(20, 20).size(300, 200).button("Under").at(200, 150, 80, 24).button("Free");
            })
            .window("Front", "b", |w| {
                w.place(20, 40).size(120, 80);
            }),
    )
    .await;
    assert_eq!(person.names(Role::Button).await, ["Free"], "what is covered is not listed");
    person.click("Free").await;
    assert_eq!(person.desktop.titles(), ["Back", "Front"], "a click brings its window forward");
    assert_eq!(person.names(Role::Button).await, ["Under", "Free"]);
    person.mouse(PointerInput::MoveTo(Point::new(200, 30))).await;
    person.mouse(PointerInput::Down(Button::Left)).await;
    person.mouse(PointerInput::MoveTo(Point::new(250, 40))).await;
    person.mouse(PointerInput::Up(Button::Left)).await;
    assert_eq!(person.see().await.windows[0].bounds, Rect::new(70, 30, 300, 200));
    person.tap("alt+Tab").await;
    assert_eq!(person.desktop.titles(), ["Front", "Back"]);
    person.tap("alt+F4").await;
    assert_eq!(person.desktop.titles(), ["Back"]);
}

#[tokio::test]
async fn lists_dropdowns_tabs_and_radios() {
    let items: Vec<String> = (1..=30).map(|n| format!("Item {n}")).collect();
    let items: Vec<&str> = items.iter().map(String::as_str).collect();
    let mut person = Person::at(small().window("Settings", "settings", |w| {
        w.tab("General", |w| {
            w.dropdown("Colour", &["Red", "Green", "Blue"]).button("Below").list("Items", &items, 4);
        });
        w.tab("Other", |w| {
            w.radios("Size", &["Small", "Large"]);
        });
    }))
    .await;
    assert_eq!(person.names(Role::ListItem).await, ["Item 1", "Item 2", "Item 3", "Item 4"]);
    let list = person.where_is("Items").await;
    person.mouse(PointerInput::MoveTo(list)).await;
    person.mouse(PointerInput::Scroll(0, 10)).await;
    assert_eq!(person.names(Role::ListItem).await[0], "Item 11");
    person.click("Item 12").await;
    assert_eq!(person.value("Items"), "Item 12");
    person.tap("Down Down Down").await;
    assert_eq!(person.value("Items"), "Item 15");
    assert!(person.names(Role::ListItem).await.contains(&"Item 15".into()), "the chosen one shows");

    person.click("Colour").await;
    assert_eq!(person.names(Role::Option).await, ["Red", "Green", "Blue"]);
    assert!(person.names(Role::Button).await.is_empty(), "the open list covers what is below it");
    person.click("Blue").await;
    assert_eq!(person.value("Colour"), "Blue");
    assert!(person.names(Role::Option).await.is_empty());
    person.tap("Up").await;
    assert_eq!(person.value("Colour"), "Green");

    person.click("Other").await;
    assert_eq!(person.names(Role::Radio).await, ["Small", "Large"]);
    assert!(person.names(Role::Dropdown).await.is_empty(), "another tab shows");
    person.click("Large").await;
    assert_eq!(person.value("Size"), "Large");
}

#[tokio::test]
async fn a_terminal_records_and_no_list_speaks_of_it() {
    let mut person = Person::at(small().terminal("Terminal")).await;
    let seen = person.see().await;
    assert_eq!((seen.windows[0].app.as_str(), seen.elements.len(), seen.focus), ("xterm", 0, None));
    person.text("ls -l\ncat").await;
    person.tap("space x KP_Enter").await;
    assert_eq!(person.desktop.entered(), ["ls -l", "cat x"]);
    assert_ne!(person.see().await.frame.digest(), seen.frame.digest(), "its pixels tell");
}

#[tokio::test]
async fn things_happen_on_cue() {
    let mut person = Person::at(
        small()
            .app("notes", "Notes", |w| {
                w.textarea("Text", "");
            })
            .page("http://localhost/a", "Page A", |w| {
                w.link("Next", "http://localhost/b");
            })
            .page("http://localhost/b", "Page B", |w| {
                w.heading("The end");
            })
            .window("Editor", "editor", |w| {
                w.textbox("File").button("Save");
            })
            .on_click("Save", |then| {
                then.relabel("Save", "Saved").after(Duration::from_millis(60)).open(
                    "Done",
                    "editor",
                    |w| {
                        w.label("Written");
                    },
                );
            })
            .on_keys("ctrl+w".parse().unwrap(), |then| _ = then.close("Done")),
    )
    .await;
    person.click("Save").await;
    assert_eq!(person.names(Role::Button).await, ["Saved"]);
    assert_eq!(person.desktop.titles(), ["Editor"], "not yet");
    tokio::time::sleep(Duration::from_millis(80)).await;
    person.see().await;
    assert_eq!(person.desktop.titles(), ["Done", "Editor"]);
    person.tap("ctrl+w").await;
    assert_eq!(person.desktop.titles(), ["Editor"]);

    let app = |name: &str| Launch::App(vec![name.into(), "--new".into()]);
    person.desktop.launch(&person.right, app("/usr/bin/notes")).await.unwrap();
    let error = person.desktop.launch(&person.right, app("nothing")).await.unwrap_err();
    assert_eq!(error.to_string(), "the launch failed: there is no program `nothing`");
    person.desktop.launch(&person.right, Launch::Url("http://localhost/a".into())).await.unwrap();
    person.click("Next").await;
    assert_eq!(person.desktop.titles(), ["Page B", "Notes", "Editor"]);
}

#[tokio::test]
async fn a_desktop_can_be_slow_fail_and_die() {
    let pace = Duration::from_millis(20);
    let mut person = Person::at(small().slow(pace).die_after(6)).await;
    let start = std::time::Instant::now();
    person.mouse(PointerInput::MoveTo(Point::new(5, 5))).await;
    assert!(start.elapsed() >= pace);
    person.desktop.fail_next("the mouse is stuck");
    let failed =
        person.desktop.pointer(&person.right, PointerInput::Down(Button::Left)).await.unwrap_err();
    assert!(!failed.is_fatal() && failed.to_string().contains("stuck"));
    assert_eq!(person.desktop.held().1, []);
    let mut left = 0;
    while person.desktop.capture(None).await.is_ok() {
        left += 1;
        assert!(left < 6);
    }
    assert!(matches!(person.desktop.observe().await, Err(DesktopError::Lost(_))));
    person.desktop.release();
}

#[tokio::test]
async fn pixels_change_when_and_only_when_something_does() {
    let mut desktop = small().window("Form", "form", |w| {
        w.place(40, 40)
            .textbox("Name")
            .checkbox("Agree", false)
            .canvas("Map", 60, 40)
            .dropdown("Size", &["S", "L"]);
    });
    let before = desktop.observe().await.unwrap();
    let window = before.windows[0].bounds;
    assert_eq!(desktop.observe().await.unwrap().frame.digest(), before.frame.digest());
    for (name, value) in [("Name", "a"), ("Name", "b"), ("Name", "中"), ("Agree", "true"), ("Size", "L")]
    {
        let old = desktop.capture(None).await.unwrap();
        desktop.change(|then| _ = then.set(name, value));
        let new = desktop.capture(None).await.unwrap();
        let patch = dirty(&old, &new).unwrap_or_else(|| panic!("{name} = {value} cannot be seen"));
        assert!(patch.area() < 60 * 24, "{name}: only what changed is drawn anew, not {patch}");
        assert_eq!(patch.intersect(&window), Some(patch));
    }
}

#[tokio::test]
async fn a_quiet_screen_settles_in_spite_of_clock_and_caret() {
    let patience = Patience::default();
    let form = |desktop: Simulated| {
        desktop.window("Form", "form", |w| _ = w.place(10, 60).textbox("Name").button("Go"))
    };
    let mut desktop = form(small().with_clock().with_blinking_caret());
    let before = desktop.capture(None).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let later = desktop.capture(None).await.unwrap();
    assert!(
        dirty(&before, &later).is_some_and(|patch| patch.y == 8),
        "the clock ticks: {:?}",
        dirty(&before, &later)
    );
    let settled = settle(&mut desktop, &later, patience).await.unwrap();
    assert!(settled.quiet && settled.waited < Duration::from_secs(1), "{settled:?}");

    let mut desktop =
        form(small()).window("Film", "film", |w| _ = w.place(300, 60).film("Film", 200, 200));
    let before = desktop.capture(None).await.unwrap();
    let restless = settle(&mut desktop, &before, patience).await.unwrap();
    assert!(!restless.quiet && restless.waited >= patience.cap);
}

#[tokio::test]
async fn several_monitors_are_one_desktop() {
    let left = Rect::new(-400, 0, 400, 300);
    let desktop = small().monitor("left", left, 2.0).watching("left");
    let desktop = desktop.window("Here", "a", |w| _ = w.place(-380, 10).button("OK"));
    let mut person =
        Person::at(desktop.window("There", "b", |w| _ = w.place(100, 100).button("Cancel"))).await;
    let seen = person.see().await;
    assert_eq!((seen.frame.bounds(), seen.frame.monitor().scale), (left, 2.0));
    assert_eq!(seen.windows.len(), 2, "windows of all monitors");
    assert_eq!(person.names(Role::Button).await, ["OK"], "elements of the one that is watched");
    assert_eq!(seen.elements[0].bounds.height, 48, "drawn twice as large");
    person.mouse(PointerInput::MoveTo(Point::new(-5000, 700))).await;
    assert_eq!(person.desktop.cursor(), Point::new(-400, 299), "the pointer stays on the desktop");
    let there = person.desktop.capture(Some(Rect::new(90, 90, 50, 50))).await.unwrap();
    assert_eq!(there.monitor().name, "screen");
    let nowhere = person.desktop.capture(Some(Rect::new(5000, 0, 5, 5))).await.unwrap_err();
    assert!(!nowhere.is_fatal());
}
