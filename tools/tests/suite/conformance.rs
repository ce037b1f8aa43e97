//! What every desktop must do, written once and run on the simulated one and on a real X server.
//!
//! A [`Stage`] is a desktop with the standard window on it and somebody outside of Freehand who says
//! what really arrived there: the journal of the simulated desktop, or the program that owns the
//! window on the real one.

use std::time::Duration;

use async_trait::async_trait;
use freehand_tools::action::{Action, ActionKind, Basis, Button, EffectClass, Target};
use freehand_tools::call::ToolCall;
use freehand_tools::desktop::{ClipboardUse, Desktop, KeyboardInput, Launch, PointerInput};
use freehand_tools::element::{Element, Role};
use freehand_tools::gate::{Approval, ApprovalRequest, Approver, Decision, Evaluation, Gate, Policy};
use freehand_tools::geometry::{Rect, ScreenPoint, ScreenRect};
use freehand_tools::observation::Observation;
use freehand_tools::permit::{Permit, Redeemed};
use serde::Deserialize;
use tokio::time::{Instant, sleep};

#[cfg(target_os = "linux")]
mod gtk_stage;
mod simulated_stage;

/// What has arrived at the standard window.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub(crate) struct Arrived {
    pub(crate) name: String,
    pub(crate) secret: String,
    pub(crate) agree: bool,
    pub(crate) pressed: u32,
    pub(crate) size: String,
    pub(crate) scroll: i64,
    pub(crate) chords: Vec<String>,
    pub(crate) held: bool,
}

/// A desktop with the standard window in front: fields `Name` and `Secret`, a box `Agree`, a dropdown
/// `Size` (Small, Medium, Large), a text `Notes` that scrolls, a button `OK`.
#[async_trait]
pub(crate) trait Stage: Send {
    fn desktop(&mut self) -> &mut dyn Desktop;
    fn monitor(&self) -> ScreenRect;
    fn arrived(&mut self) -> Arrived;
}

const WIDGETS: [(Role, &str); 5] = [
    (Role::Textbox, "Name"),
    (Role::Password, "Secret"),
    (Role::Checkbox, "Agree"),
    (Role::Dropdown, "Size"),
    (Role::Button, "OK"),
];

#[derive(Debug)]
struct Everything;

impl Policy for Everything {
    fn evaluate(&self, _: &Action) -> Evaluation {
        Evaluation::by(Decision::Allow, "test", "everything is allowed")
    }
}

#[derive(Debug)]
struct Nobody;

#[async_trait]
impl Approver for Nobody {
    async fn ask(&self, _: &ApprovalRequest) -> Approval {
        Approval::Deny { reason: "nobody is there".into() }
    }

    async fn question(&self, _: &str) -> Option<String> {
        None
    }
}

/// A permit for what is said, on what was seen.
pub(crate) async fn permit(kind: ActionKind, target: Target, seen: &Observation) -> Permit {
    let effects = if target.element.is_some() { EffectClass::Input } else { EffectClass::BlindInput };
    let action = Action {
        call: ToolCall::new("test", serde_json::Value::Null),
        kind,
        target,
        effects,
        summary: "a test".into(),
        basis: Basis { observation: seen.id, frame: seen.frame.digest() },
    };
    let mut gate = Gate::new(vec![Box::new(Everything)], Box::new(Nobody));
    gate.review(action, seen).await.permit.unwrap()
}

pub(crate) fn click() -> ActionKind {
    ActionKind::Click { button: Button::Left, count: 1, modifiers: Vec::new() }
}

pub(crate) fn typing(text: &str) -> ActionKind {
    ActionKind::TypeText { text: text.into(), submit: false, clear: false }
}

pub(crate) fn pressing(keys: &str) -> ActionKind {
    ActionKind::PressKeys { keys: keys.parse().unwrap(), hold_ms: 0, times: 1 }
}

pub(crate) fn find<'a>(seen: &'a Observation, role: Role, name: &str) -> &'a Element {
    let all: Vec<&Element> = seen.elements.iter().filter(|e| e.role == role && e.name == name).collect();
    assert_eq!(all.len(), 1, "one {role:?} `{name}` in {:#?}", seen.elements);
    all[0]
}

/// Waits until what arrived is as it should be; at most three seconds.
async fn arrives(stage: &mut dyn Stage, what: &str, test: impl Fn(&Arrived) -> bool) -> Arrived {
    let end = Instant::now() + Duration::from_secs(3);
    loop {
        let arrived = stage.arrived();
        if test(&arrived) {
            return arrived;
        }
        assert!(Instant::now() < end, "{what}, but this arrived: {arrived:#?}");
        sleep(Duration::from_millis(10)).await;
    }
}

async fn click_on(stage: &mut dyn Stage, role: Role, name: &str, count: u8) {
    let desktop = stage.desktop();
    let seen = desktop.observe().await.unwrap();
    let element = find(&seen, role, name);
    let kind = ActionKind::Click { button: Button::Left, count, modifiers: Vec::new() };
    let redeemed = permit(kind, Target::of(element, &seen), &seen).await.redeem(desktop).await.unwrap();
    desktop.pointer(&redeemed, PointerInput::MoveTo(element.bounds.center())).await.unwrap();
    desktop.pointer(&redeemed, PointerInput::Click(Button::Left, count)).await.unwrap();
}

/// A permit for the keyboard as it is now.
async fn keyboard_permit(desktop: &mut dyn Desktop, kind: ActionKind) -> Redeemed {
    let seen = desktop.observe().await.unwrap();
    permit(kind, Target::focused(&seen), &seen).await.redeem(desktop).await.unwrap()
}

async fn type_text(stage: &mut dyn Stage, text: &str) {
    let desktop = stage.desktop();
    let redeemed = keyboard_permit(desktop, typing(text)).await;
    desktop.keyboard(&redeemed, KeyboardInput::Text(text.into())).await.unwrap();
}

async fn tap(stage: &mut dyn Stage, keys: &str) {
    let desktop = stage.desktop();
    let redeemed = keyboard_permit(desktop, pressing(keys)).await;
    desktop.keyboard(&redeemed, KeyboardInput::Tap(keys.parse().unwrap())).await.unwrap();
}

async fn move_to(stage: &mut dyn Stage, point: ScreenPoint) -> Redeemed {
    let desktop = stage.desktop();
    let seen = desktop.observe().await.unwrap();
    let target = Target::at(point, &seen);
    let redeemed = permit(ActionKind::Move, target, &seen).await.redeem(desktop).await.unwrap();
    desktop.pointer(&redeemed, PointerInput::MoveTo(point)).await.unwrap();
    redeemed
}

/// Every check, on one stage, in an order in which none disturbs the next.
pub(crate) async fn conforms(stage: &mut dyn Stage) {
    shows_the_whole_monitor(stage).await;
    lists_windows_front_first(stage).await;
    lists_what_can_be_used(stage).await;
    a_part_is_what_the_whole_shows_there(stage).await;
    numbers_stay(stage).await;
    what_is_under_a_point_is_what_was_listed(stage).await;
    the_origin_is_a_point(stage).await;
    a_click_toggles(stage).await;
    a_button_is_pressed_once_per_click(stage).await;
    text_arrives_whole(stage).await;
    a_secret_arrives_and_is_never_seen(stage).await;
    chords_arrive(stage).await;
    the_wheel_scrolls(stage).await;
    an_option_is_chosen(stage).await;
    the_clipboard_is_shared(stage).await;
    letting_go_lets_go(stage).await;
    a_window_comes_forward(stage).await;
}

async fn shows_the_whole_monitor(stage: &mut dyn Stage) {
    let monitor = stage.monitor();
    let seen = stage.desktop().observe().await.unwrap();
    assert_eq!(seen.frame.bounds(), monitor);
    let size = seen.frame.size();
    assert_eq!((size.width, size.height), (monitor.width, monitor.height));
    let pixels = seen.frame.pixels();
    assert!(pixels.pixels().any(|p| p != pixels.get_pixel(0, 0)), "the picture is of one colour");
}

async fn lists_windows_front_first(stage: &mut dyn Stage) {
    let seen = stage.desktop().observe().await.unwrap();
    let front = &seen.windows[0];
    assert_eq!(front.title, "Stage");
    assert!(front.focused && !front.app.is_empty());
    assert_eq!(seen.windows.iter().filter(|w| w.focused).count(), 1);
    assert_eq!(seen.window_at(front.bounds.center()).unwrap().id, front.id);
}

async fn lists_what_can_be_used(stage: &mut dyn Stage) {
    let seen = stage.desktop().observe().await.unwrap();
    let window = &seen.windows[0];
    for (role, name) in WIDGETS {
        let element = find(&seen, role, name);
        assert_eq!(element.window, Some(window.id), "{name}");
        assert_eq!(
            element.bounds.intersect(&window.bounds),
            Some(element.bounds),
            "{name} is in its window"
        );
        assert!(!element.states.disabled, "{name}");
    }
    assert_eq!(find(&seen, Role::Checkbox, "Agree").states.checked, Some(false));
    assert!(find(&seen, Role::Textbox, "Name").states.editable);
    assert_eq!(
        seen.focus,
        Some(find(&seen, Role::Textbox, "Name").id),
        "the first field has the keyboard"
    );
    let mut ids: Vec<_> = seen.elements.iter().map(|e| e.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), seen.elements.len(), "a number names one element");
    let [name, ok] = [(Role::Textbox, "Name"), (Role::Button, "OK")]
        .map(|(role, name)| seen.elements.iter().position(|e| e.role == role && e.name == name));
    assert!(name < ok, "the list is in reading order");
}

async fn a_part_is_what_the_whole_shows_there(stage: &mut dyn Stage) {
    let monitor = stage.monitor();
    let seen = stage.desktop().observe().await.unwrap();
    let element = find(&seen, Role::Checkbox, "Agree").bounds;
    let corner = Rect::new(monitor.right() - 9, monitor.bottom() - 7, 100, 100);
    for region in [element, Rect::new(monitor.x, monitor.y, 1, 1), corner] {
        // The caret may blink between two pictures: it must agree within some tries.
        let mut same = false;
        for _ in 0..20 {
            let whole = stage.desktop().capture(None).await.unwrap().crop(&region).unwrap();
            let part = stage.desktop().capture(Some(region)).await.unwrap();
            assert_eq!(part.bounds(), whole.bounds(), "{region}");
            same |= part.digest() == whole.digest();
            if same {
                break;
            }
        }
        assert!(same, "the picture of {region} is not what the whole shows there");
    }
}

async fn numbers_stay(stage: &mut dyn Stage) {
    let ids = |seen: &Observation| -> Vec<_> {
        seen.elements.iter().map(|e| (e.id, e.key.clone(), e.role, e.name.clone())).collect()
    };
    let first = ids(&stage.desktop().observe().await.unwrap());
    assert!(first.len() >= WIDGETS.len());
    assert_eq!(first, ids(&stage.desktop().observe().await.unwrap()));
}

async fn what_is_under_a_point_is_what_was_listed(stage: &mut dyn Stage) {
    let seen = stage.desktop().observe().await.unwrap();
    for element in &seen.elements {
        let point = element.bounds.center();
        let hit = stage.desktop().element_at(Some(point), Some(&element.key)).await.unwrap();
        assert_eq!(
            hit.window.map(|w| w.id),
            seen.window_at(point).map(|w| w.id),
            "{}",
            element.describe()
        );
        assert_eq!(hit.keyboard.map(|w| w.id), seen.focused_window().map(|w| w.id));
        let found = hit.element.expect(&element.describe());
        assert_eq!((&found.key, found.role, &found.name), (&element.key, element.role, &element.name));
    }
    for (role, name) in WIDGETS {
        let listed = find(&seen, role, name);
        let hit = stage.desktop().element_at(Some(listed.bounds.center()), None).await.unwrap();
        let found = hit.element.expect(name);
        assert_eq!(Some(&found.key), seen.element_at(listed.bounds.center()).map(|e| &e.key), "{name}");
    }
    let gone = freehand_tools::element::ElementKey("nothing".into());
    let button = find(&seen, Role::Button, "OK");
    let hit = stage.desktop().element_at(Some(button.bounds.center()), Some(&gone)).await.unwrap();
    assert!(hit.element.is_none_or(|e| e.key != gone));
}

async fn the_origin_is_a_point(stage: &mut dyn Stage) {
    let origin = stage.monitor().origin();
    move_to(stage, origin).await;
    assert_eq!(stage.desktop().observe().await.unwrap().cursor, origin);
    let center = stage.monitor().center();
    move_to(stage, center).await;
    assert_eq!(stage.desktop().observe().await.unwrap().cursor, center);
}

async fn a_click_toggles(stage: &mut dyn Stage) {
    for want in [true, false] {
        let before = stage.desktop().capture(None).await.unwrap();
        click_on(stage, Role::Checkbox, "Agree", 1).await;
        arrives(stage, "a click toggles the box", |a| a.agree == want).await;
        let seen = stage.desktop().observe().await.unwrap();
        let element = find(&seen, Role::Checkbox, "Agree");
        assert_eq!(element.states.checked, Some(want));
        let end = Instant::now() + Duration::from_secs(3);
        while stage.desktop().capture(None).await.unwrap().difference(&before, &element.bounds) == 0.0 {
            assert!(Instant::now() < end, "the picture shows it where the list says that it is");
            sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn a_button_is_pressed_once_per_click(stage: &mut dyn Stage) {
    for want in 1..=2 {
        click_on(stage, Role::Button, "OK", 1).await;
        arrives(stage, "each click presses the button", |a| a.pressed >= want).await;
    }
    sleep(Duration::from_millis(100)).await;
    assert_eq!(stage.arrived().pressed, 2);
}

async fn text_arrives_whole(stage: &mut dyn Stage) {
    let text = "Grüße, Ωmega! {[~|^`]} \"q\" 'r' €5 <a@b.c> 中文 #1 \\ 0123456789 THE quick BROWN fox";
    click_on(stage, Role::Textbox, "Name", 1).await;
    type_text(stage, text).await;
    arrives(stage, "the text arrives whole and in order", |a| a.name == text).await;
    let seen = stage.desktop().observe().await.unwrap();
    assert_eq!(find(&seen, Role::Textbox, "Name").value.as_deref(), Some(text));

    click_on(stage, Role::Textbox, "Name", 1).await;
    tap(stage, "ctrl+a").await;
    type_text(stage, "other words").await;
    arrives(stage, "what is selected is replaced", |a| a.name == "other words").await;

    click_on(stage, Role::Textbox, "Name", 3).await;
    tap(stage, "BackSpace").await;
    arrives(stage, "a triple click selects the line", |a| a.name.is_empty()).await;
}

async fn a_secret_arrives_and_is_never_seen(stage: &mut dyn Stage) {
    click_on(stage, Role::Password, "Secret", 1).await;
    type_text(stage, "hunter-ZWEI").await;
    arrives(stage, "the secret arrives", |a| a.secret == "hunter-ZWEI").await;
    let seen = stage.desktop().observe().await.unwrap();
    let secret = find(&seen, Role::Password, "Secret");
    assert_eq!(secret.value, None);
    let written = serde_json::to_string(&seen.elements).unwrap();
    assert!(!written.contains("hunter"), "{written}");
    let hit = stage.desktop().element_at(Some(secret.bounds.center()), Some(&secret.key)).await.unwrap();
    assert_eq!(hit.element.unwrap().value, None);
}

async fn chords_arrive(stage: &mut dyn Stage) {
    for keys in ["ctrl+shift+k", "alt+j", "F5", "ctrl+Home"] {
        tap(stage, keys).await;
        let want = keys.to_lowercase();
        arrives(stage, keys, |a| a.chords.last() == Some(&want)).await;
    }
}

async fn the_wheel_scrolls(stage: &mut dyn Stage) {
    let seen = stage.desktop().observe().await.unwrap();
    let notes = seen.elements.iter().find(|e| e.name == "Notes").expect("the text `Notes`");
    let redeemed = move_to(stage, notes.bounds.center()).await;
    stage.desktop().pointer(&redeemed, PointerInput::Scroll(0, 3)).await.unwrap();
    let down = arrives(stage, "the wheel scrolls down", |a| a.scroll > 0).await.scroll;
    stage.desktop().pointer(&redeemed, PointerInput::Scroll(0, -2)).await.unwrap();
    arrives(stage, "the wheel scrolls up", |a| a.scroll < down).await;
}

async fn an_option_is_chosen(stage: &mut dyn Stage) {
    click_on(stage, Role::Dropdown, "Size", 1).await;
    let end = Instant::now() + Duration::from_secs(3);
    let is_large = |e: &&Element| e.name == "Large" && matches!(e.role, Role::Option | Role::MenuItem);
    let (role, name) = loop {
        let seen = stage.desktop().observe().await.unwrap();
        if let Some(option) = seen.elements.iter().find(is_large) {
            break (option.role, option.name.clone());
        }
        assert!(Instant::now() < end, "the open list shows its options: {:#?}", seen.elements);
        sleep(Duration::from_millis(20)).await;
    };
    click_on(stage, role, &name, 1).await;
    arrives(stage, "an option is chosen", |a| a.size == "Large").await;
    let seen = stage.desktop().observe().await.unwrap();
    assert_eq!(find(&seen, Role::Dropdown, "Size").value.as_deref(), Some("Large"));
}

async fn the_clipboard_is_shared(stage: &mut dyn Stage) {
    let desktop = stage.desktop();
    let kind = ActionKind::WriteClipboard { text: "from outside é".into() };
    let redeemed = keyboard_permit(desktop, kind).await;
    let write = ClipboardUse::Write("from outside é".into());
    assert_eq!(desktop.clipboard(&redeemed, write).await.unwrap(), None);
    let read = desktop.clipboard(&redeemed, ClipboardUse::Read).await.unwrap();
    assert_eq!(read.as_deref(), Some("from outside é"));

    click_on(stage, Role::Textbox, "Name", 1).await;
    tap(stage, "ctrl+a").await;
    tap(stage, "ctrl+v").await;
    arrives(stage, "what was copied is pasted", |a| a.name == "from outside é").await;

    type_text(stage, " and back").await;
    tap(stage, "ctrl+a").await;
    tap(stage, "ctrl+c").await;
    arrives(stage, "the text grows", |a| a.name == "from outside é and back").await;
    let end = Instant::now() + Duration::from_secs(3);
    loop {
        let desktop = stage.desktop();
        let redeemed = keyboard_permit(desktop, ActionKind::ReadClipboard).await;
        let read = desktop.clipboard(&redeemed, ClipboardUse::Read).await.unwrap();
        if read.as_deref() == Some("from outside é and back") {
            return;
        }
        assert!(Instant::now() < end, "what the window copied is read; it was {read:?}");
        sleep(Duration::from_millis(20)).await;
    }
}

async fn letting_go_lets_go(stage: &mut dyn Stage) {
    use freehand_tools::key::{Key, Modifier};
    click_on(stage, Role::Textbox, "Name", 1).await;
    let held = keyboard_permit(stage.desktop(), pressing("shift")).await;
    for modifier in [Modifier::Shift, Modifier::Ctrl] {
        stage.desktop().keyboard(&held, KeyboardInput::Down(Key::Modifier(modifier))).await.unwrap();
    }
    stage.desktop().pointer(&held, PointerInput::Down(Button::Left)).await.unwrap();
    arrives(stage, "keys and a button are held", |a| a.held).await;
    stage.desktop().release();
    arrives(stage, "nothing is held any more", |a| !a.held).await;
    stage.desktop().release();

    tap(stage, "ctrl+a").await;
    type_text(stage, "quiet").await;
    arrives(stage, "no modifier is left over", |a| a.name == "quiet").await;
    click_on(stage, Role::Checkbox, "Agree", 1).await;
    arrives(stage, "no button is left over", |a| a.agree).await;
}

async fn a_window_comes_forward(stage: &mut dyn Stage) {
    let desktop = stage.desktop();
    let seen = desktop.observe().await.unwrap();
    let id = seen.windows[0].id;
    let redeemed =
        permit(ActionKind::FocusWindow, Target::default(), &seen).await.redeem(desktop).await.unwrap();
    desktop.launch(&redeemed, Launch::Window(id)).await.unwrap();
    assert_eq!(desktop.observe().await.unwrap().focused_window().map(|w| w.id), Some(id));
    let missing = Launch::App(vec!["no-such-program-here".into()]);
    assert!(!desktop.launch(&redeemed, missing).await.unwrap_err().is_fatal());
}
