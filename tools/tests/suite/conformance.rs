//! What every desktop must do, written once and run on the simulated one and on a real X server.
//!
//! A [`Stage`] is a desktop with the standard window on it and somebody outside of Freehand who says
//! what really arrived there: the journal of the simulated desktop, or the program that owns the
//! window on the real one.

use std::time::Duration;

use async_trait::async_trait;
use freehand_tools::action::{Action, ActionKind, Basis, Button, EffectClass, Target};
use freehand_tools::call::ToolCall;
use freehand_tools::desktop::{Desktop, KeyboardInput, PointerInput};
use freehand_tools::element::{Element, Role};
use freehand_tools::gate::{Approval, ApprovalRequest, Approver, Decision, Evaluation, Gate, Policy};
use freehand_tools::geometry::{ScreenPoint, ScreenRect};
use freehand_tools::observation::Observation;
use freehand_tools::permit::{Permit, Redeemed};
use freehand_tools::setting::Setting;
use serde::Deserialize;
use tokio::time::{Instant, sleep};

mod acting;
#[cfg(target_os = "linux")]
mod gtk_stage;
mod seeing;
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
        Approval::deny("nobody is there")
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
        setting: Setting::default(),
    };
    gate().review(action, seen).await.permit.unwrap()
}

/// Everything may be done.
pub(crate) fn gate() -> Gate {
    Gate::new(vec![Box::new(Everything)], Box::new(Nobody))
}

pub(crate) fn click() -> ActionKind {
    ActionKind::Click { button: Button::Left, count: 1, modifiers: Vec::new(), hold_ms: 0 }
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
    let kind = ActionKind::Click { button: Button::Left, count, modifiers: Vec::new(), hold_ms: 0 };
    let redeemed = permit(kind, Target::of(element, &seen), &seen).await.redeem(desktop).await.unwrap();
    desktop.pointer(&redeemed, PointerInput::MoveTo(element.bounds.center())).await.unwrap();
    desktop.pointer(&redeemed, PointerInput::Click(Button::Left, count)).await.unwrap();
}

/// Clicks into a field and waits until it has the keyboard.
async fn enter(stage: &mut dyn Stage, role: Role, name: &str, count: u8) {
    click_on(stage, role, name, count).await;
    let end = Instant::now() + Duration::from_secs(3);
    loop {
        let seen = stage.desktop().observe().await.unwrap();
        if seen.focus == Some(find(&seen, role, name).id) {
            return;
        }
        assert!(Instant::now() < end, "a click gives `{name}` the keyboard; {:?} has it", seen.focus);
        sleep(Duration::from_millis(20)).await;
    }
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
    seeing::shows_the_whole_monitor(stage).await;
    seeing::lists_windows_front_first(stage).await;
    seeing::lists_what_can_be_used(stage).await;
    seeing::a_part_is_what_the_whole_shows_there(stage).await;
    seeing::numbers_stay(stage).await;
    seeing::what_is_under_a_point_is_what_was_listed(stage).await;
    acting::the_origin_is_a_point(stage).await;
    acting::a_click_toggles(stage).await;
    acting::a_button_is_pressed_once_per_click(stage).await;
    acting::text_arrives_whole(stage).await;
    acting::a_secret_arrives_and_is_never_seen(stage).await;
    acting::chords_arrive(stage).await;
    acting::the_wheel_scrolls(stage).await;
    acting::an_option_is_chosen(stage).await;
    acting::the_clipboard_is_shared(stage).await;
    acting::letting_go_lets_go(stage).await;
    acting::a_window_comes_forward(stage).await;
}
