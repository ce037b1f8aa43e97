//! Actions of every kind for the tests, those that no tool would make included.

use freehand_tools::action::{
    Action, ActionKind, Basis, Button, Condition, EffectClass, Status, Target, TargetElement,
    TargetWindow,
};
use freehand_tools::call::ToolCall;
use freehand_tools::element::{ElementId, ElementKey, Role, Source, WindowId};
use freehand_tools::gate::Decision;
use freehand_tools::geometry::{Point, Rect};
use freehand_tools::key::KeySequence;
use freehand_tools::observation::ObservationId;
use freehand_tools::setting::{Author, Entered, Setting};
use proptest::prelude::*;
use serde_json::json;

use crate::preset::DisplayTrust;

pub(crate) fn plain(kind: ActionKind, effects: EffectClass) -> Action {
    Action {
        call: ToolCall::new("test", json!({})),
        kind,
        target: Target::default(),
        effects,
        summary: "a test".into(),
        basis: Basis { observation: ObservationId(1), frame: digest() },
        setting: Setting::default(),
    }
}

pub(crate) fn in_window(id: u64, app: &str, title: &str) -> Action {
    let click = ActionKind::Click { button: Button::Left, count: 1, modifiers: Vec::new(), hold_ms: 0 };
    let mut action = plain(click, EffectClass::Input);
    action.target.window = Some(TargetWindow { id: WindowId(id), app: app.into(), title: title.into() });
    action
}

/// Whether it changes something, by its kind or by its own word.
pub(crate) fn changes(action: &Action) -> bool {
    let quiet = matches!(
        action.kind,
        ActionKind::Wait { .. }
            | ActionKind::Zoom { .. }
            | ActionKind::Note { .. }
            | ActionKind::AskUser { .. }
            | ActionKind::Finish { .. }
    );
    !quiet || action.effects != EffectClass::Nothing
}

pub(crate) fn decision() -> impl Strategy<Value = Decision> {
    prop::sample::select(vec![Decision::Allow, Decision::Ask, Decision::Deny])
}

pub(crate) fn display() -> impl Strategy<Value = DisplayTrust> {
    prop::sample::select(DisplayTrust::ALL.to_vec())
}

/// A rule of any kind that fits the schema, with no name yet.
pub(crate) fn rule() -> impl Strategy<Value = String> {
    let heads = vec!["@reason(\"x\") permit", "@ask(\"x\") permit", "@reason(\"x\") forbid"];
    let principals = vec!["principal", "principal is Agent", "principal is Workflow"];
    let scopes = vec![
        "action",
        "action in Action::\"change\"",
        "action in Action::\"input\"",
        "action in [Action::\"risk\", Action::\"look\"]",
        "action == Action::\"click\"",
        "action == Action::\"run_command\"",
        "action == Action::\"open_app\"",
    ];
    let resources = vec![
        "resource",
        "resource in Application::\"firefox\"",
        "resource is Element",
        "resource is Shell",
    ];
    let conditions = vec![
        "",
        "when { context.display == Display::\"own\" }",
        "when { context.text like \"*rm*\" }",
        "unless { resource is Element && resource.role == Role::\"button\" }",
        "when { resource is Shell && resource.programs.contains(\"rm\") }",
        "unless { context.secret || context.known }",
        "when { resource is Window && resource.title like \"*e*\" }",
    ];
    let pick = |words: Vec<&'static str>| prop::sample::select(words);
    (pick(heads), pick(principals), pick(scopes), pick(resources), pick(conditions)).prop_map(
        |(head, principal, action, resource, when)| {
            format!("{head} ({principal}, {action}, {resource}) {when};")
        },
    )
}

pub(crate) fn action() -> impl Strategy<Value = Action> {
    let effects = prop::sample::select(vec![
        EffectClass::Nothing,
        EffectClass::Input,
        EffectClass::BlindInput,
        EffectClass::Launch,
        EffectClass::ReadClipboard,
        EffectClass::WriteClipboard,
    ]);
    (kind(), effects, target(), ".{0,20}", setting()).prop_map(
        |(kind, effects, target, summary, setting)| Action {
            target,
            summary,
            setting,
            ..plain(kind, effects)
        },
    )
}

fn setting() -> impl Strategy<Value = Setting> {
    let author =
        prop::sample::select(vec![Author::Agent, Author::Workflow, Author::Client, Author::Person]);
    let entered = prop::option::of((command(), any::<bool>()));
    let words = prop::collection::vec(word(), 0..3);
    let begun = prop::option::of(command());
    (author, words, prop::collection::vec(word(), 0..3), begun, entered).prop_map(
        |(author, words, addresses, begun, entered)| Setting {
            author,
            words,
            addresses,
            leads_to: None,
            begun,
            entered: entered.map(|(text, unsure)| Entered { text, unsure }),
        },
    )
}

fn command() -> impl Strategy<Value = String> {
    let known = ["ls", "rm -rf ~", "curl x | sh", "sudo $(x)", "echo 'a", ""];
    prop_oneof![".{0,12}", prop::sample::select(known.to_vec()).prop_map(Into::into)]
}

fn kind() -> impl Strategy<Value = ActionKind> {
    let region = Rect::new(0, 0, 10, 10);
    let path = vec![Point::new(1, 2)];
    prop_oneof![
        Just(ActionKind::Click { button: Button::Left, count: 1, modifiers: Vec::new(), hold_ms: 0 }),
        Just(ActionKind::Move),
        Just(ActionKind::Drag { path, button: Button::Left, modifiers: Vec::new() }),
        Just(ActionKind::Scroll { dx: 0, dy: 3, modifiers: Vec::new() }),
        (".{0,9}", any::<bool>(), any::<bool>())
            .prop_map(|(text, submit, clear)| ActionKind::TypeText { text, submit, clear }),
        ".{0,9}".prop_map(|option| ActionKind::SelectOption { option }),
        chord().prop_map(|keys| ActionKind::PressKeys { keys, hold_ms: 0, times: 1 }),
        Just(ActionKind::Wait { until: Condition::Elapsed, gone: false, timeout_ms: 1 }),
        Just(ActionKind::Zoom { region }),
        prop_oneof![word(), command()].prop_map(|command| ActionKind::OpenApp { command }),
        word().prop_map(|host| ActionKind::OpenUrl { url: format!("https://{host}/") }),
        Just(ActionKind::FocusWindow),
        Just(ActionKind::ReadClipboard),
        ".{0,9}".prop_map(|text| ActionKind::WriteClipboard { text }),
        ".{0,9}".prop_map(|text| ActionKind::Note { text }),
        ".{0,9}".prop_map(|question| ActionKind::AskUser { question }),
        ".{0,9}".prop_map(|answer| ActionKind::Finish {
            status: Status::Success,
            evidence: vec![answer.clone()],
            answer,
        }),
    ]
}

fn chord() -> impl Strategy<Value = KeySequence> {
    let known = ["ctrl+s", "Return", "Delete", "alt+F4", "ctrl+Return", "space", "a b"];
    prop::sample::select(known.to_vec()).prop_map(|keys| keys.parse().unwrap())
}

/// Names as they come, and some that the rules know.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,12}",
        prop::sample::select(vec![
            "mousepad",
            "KeePassXC",
            "bitwarden",
            "gcr-prompter",
            "freehand",
            "xterm",
            "firefox",
            "Delete",
            "Send",
            "OK",
            "Address bar",
            "example.org"
        ])
        .prop_map(Into::into),
    ]
}

fn target() -> impl Strategy<Value = Target> {
    let point = prop::option::of((-9_i32..9, -9_i32..9).prop_map(|(x, y)| Point::new(x, y)));
    let window = (0_u64..4, word(), word()).prop_map(|(id, app, title)| TargetWindow {
        id: WindowId(id),
        app,
        title,
    });
    let roles = vec![Role::Button, Role::Password, Role::Textbox, Role::Cell];
    let element = (word(), prop::sample::select(roles)).prop_map(|(name, role)| TargetElement {
        id: ElementId(1),
        key: ElementKey("k".into()),
        role,
        name,
        looks: None,
        within: None,
        source: Source::Accessibility,
        bounds: Rect::new(0, 0, 5, 5),
    });
    (point, prop::option::of(window), prop::option::of(element))
        .prop_map(|(point, window, element)| Target { point, element, window, destination: None })
}

fn digest() -> freehand_tools::frame::Digest {
    serde_json::from_value(json!("00".repeat(32))).unwrap()
}
