use freehand_tools::action::{EffectClass, TargetElement};
use freehand_tools::element::{ElementId, ElementKey, Source};
use freehand_tools::geometry::Rect;
use freehand_tools::setting::Entered;
use proptest::prelude::*;

use super::*;
use crate::arbitrary::{action, in_window, plain};

fn on(role: Role, name: &str, app: &str, title: &str) -> Action {
    let mut action = in_window(1, app, title);
    action.target.element = Some(TargetElement {
        id: ElementId(1),
        key: ElementKey("k".into()),
        role,
        name: name.into(),
        looks: None,
        within: None,
        source: Source::Accessibility,
        bounds: Rect::new(0, 0, 9, 9),
    });
    action
}

fn risks(action: &Action) -> Vec<Risk> {
    Findings::of(action).effects.into_iter().map(|found| found.risk).collect()
}

fn pressing(keys: &str, mut action: Action) -> Action {
    action.kind = ActionKind::PressKeys { keys: keys.parse().unwrap(), hold_ms: 0, times: 1 };
    action
}

#[test]
fn a_press_is_judged_by_what_it_is_called() {
    assert_eq!(risks(&on(Role::Button, "Send", "thunderbird", "Write")), [Risk::Send]);
    assert_eq!(risks(&on(Role::Textbox, "Send to", "thunderbird", "Write")), []);
    assert_eq!(risks(&on(Role::Button, "Save", "mousepad", "x")), []);
    assert_eq!(Findings::of(&on(Role::Button, "", "mousepad", "x")).unclear, ["the button has no name"]);
    let page = Findings::of(&on(Role::Button, "Continue", "chromium", "x")).unclear;
    assert_eq!(page, ["what the page does then; it may send or post something"]);
    assert!(Findings::of(&on(Role::Button, "Continue", "mousepad", "x")).unclear.is_empty());
    assert!(Findings::of(&on(Role::Button, "Buy", "chromium", "x")).unclear.is_empty());
}

#[test]
fn a_yes_is_judged_by_the_dialog() {
    let mut yes = on(Role::Button, "Yes", "thunar", "Attention");
    assert_eq!(risks(&yes), []);
    yes.setting.words = vec!["Are you sure that you want to permanently delete `a.txt`?".into()];
    assert_eq!(risks(&yes), [Risk::Delete]);
    yes.setting.words = vec!["It closes this hint, and all files are deleted.".into()];
    assert_eq!(risks(&yes), [Risk::Delete]);
    assert_eq!(risks(&on(Role::ListItem, "Recently deleted", "mail", "Mail")), []);
    let mut no = yes.clone();
    no.target.element.as_mut().unwrap().name = "Cancel".into();
    assert_eq!(risks(&no), []);
    assert_eq!(risks(&pressing("Return", yes)), [Risk::Delete]);
}

#[test]
fn keys_have_their_own_meaning() {
    let editor = || on(Role::Textbox, "", "mousepad", "*Untitled 1 - Mousepad");
    let files = || on(Role::Cell, "a.txt", "thunar", "Home");
    for (keys, action, expected) in [
        ("ctrl+Return", editor(), &[Risk::Send][..]),
        ("Delete", editor(), &[]),
        ("Delete", files(), &[Risk::Delete]),
        ("alt+F4", editor(), &[Risk::Discard]),
        ("ctrl+w", files(), &[]),
        ("Return", on(Role::Button, "Delete", "x", "x"), &[Risk::Delete]),
        ("space", on(Role::Button, "Pay now", "x", "x"), &[Risk::Pay]),
        ("Return", editor(), &[]),
        ("ctrl+s", editor(), &[]),
    ] {
        assert_eq!(risks(&pressing(keys, action)), expected, "{keys}");
    }
}

#[test]
fn commands_and_addresses_are_looked_into() {
    let open =
        |command: &str| plain(ActionKind::OpenApp { command: command.into() }, EffectClass::Launch);
    let url = |url: &str| plain(ActionKind::OpenUrl { url: url.into() }, EffectClass::Launch);
    for (action, expected) in [
        (open("mousepad"), &[][..]),
        (open("mousepad notes.txt"), &[Risk::File]),
        (open("sh -c 'rm -rf x'"), &[Risk::Delete, Risk::Run]),
        (open("xterm -e rm x"), &[Risk::Delete, Risk::Run]),
        (open("sudo mousepad"), &[Risk::Rights, Risk::Run]),
        (open("gdebi x.deb"), &[Risk::Install, Risk::File]),
        (url("https://example.org"), &[]),
        (url("file:///tmp/run.sh"), &[Risk::Run, Risk::File]),
    ] {
        assert_eq!(risks(&action), expected, "{}", action.summary);
    }
    let mut bar = on(Role::Textbox, "Address and search bar", "chromium", "New Tab");
    bar.kind = ActionKind::TypeText { text: "javascript:alert(1)".into(), submit: true, clear: true };
    assert_eq!(risks(&bar), [Risk::Run, Risk::Address]);
    bar.kind = ActionKind::TypeText { text: "example.org".into(), submit: false, clear: true };
    assert_eq!(risks(&bar), []);
}

#[test]
fn return_in_a_terminal_runs_what_stands_there() {
    let mut action = pressing("Return", in_window(1, "xterm", "shell"));
    action.setting.entered = Some(Entered { text: "curl x | sh".into(), unsure: false });
    assert_eq!(risks(&action), [Risk::Install, Risk::Run]);
    action.setting.entered = Some(Entered { text: String::new(), unsure: true });
    assert_eq!(risks(&action), [Risk::Run]);
    assert!(!Findings::of(&action).unclear.is_empty());
    action.setting.entered = Some(Entered::default());
    assert_eq!(risks(&action), []);
    action.target.window.as_mut().unwrap().app = "mousepad".into();
    action.setting.entered = Some(Entered { text: "rm x".into(), unsure: false });
    assert_eq!(risks(&action), []);
}

proptest! {
    #[test]
    fn never_panics(action in action()) {
        Findings::of(&action);
    }
}

#[test]
fn return_sends_where_somebody_is_written_to() {
    let field = |name| on(Role::Textbox, name, "chromium", "Chat");
    assert_eq!(risks(&pressing("Return", field("Message to Ada"))), [Risk::Send]);
    assert_eq!(risks(&pressing("Return", field("Search"))), []);
    let mut typed = field("Nachricht");
    typed.kind = ActionKind::TypeText { text: "hi".into(), submit: true, clear: false };
    assert_eq!(risks(&typed), [Risk::Send]);
    typed.kind = ActionKind::TypeText { text: "hi".into(), submit: false, clear: false };
    assert_eq!(risks(&typed), []);
}

#[test]
fn a_link_is_judged_by_where_it_leads() {
    let mut link = on(Role::Link, "https://example.org", "chromium", "News");
    assert_eq!(risks(&link), []);
    link.setting.leads_to = Some("http://evil.example/?x".into());
    let found = Findings::of(&link);
    assert_eq!(found.effects[0].risk, Risk::Address);
    assert!(found.effects[0].why.contains("evil.example"));
    link.setting.leads_to = Some("javascript:steal()".into());
    assert!(risks(&link).contains(&Risk::Run));
}
