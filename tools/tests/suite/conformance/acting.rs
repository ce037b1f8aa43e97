//! What must arrive when something is done, judged by the window that it is done to.

use std::time::Duration;

use freehand_tools::action::{ActionKind, Button, Target};
use freehand_tools::desktop::{ClipboardUse, KeyboardInput, Launch, PointerInput};
use freehand_tools::element::{Element, Role};
use freehand_tools::key::{Key, Modifier};
use tokio::time::{Instant, sleep};

use super::{
    Stage, arrives, click_on, enter, find, keyboard_permit, move_to, permit, pressing, tap, type_text,
};

pub(super) async fn the_origin_is_a_point(stage: &mut dyn Stage) {
    let origin = stage.monitor().origin();
    move_to(stage, origin).await;
    assert_eq!(stage.desktop().observe().await.unwrap().cursor, origin);
    let center = stage.monitor().center();
    move_to(stage, center).await;
    assert_eq!(stage.desktop().observe().await.unwrap().cursor, center);
}

pub(super) async fn a_click_toggles(stage: &mut dyn Stage) {
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

pub(super) async fn a_button_is_pressed_once_per_click(stage: &mut dyn Stage) {
    for want in 1..=2 {
        click_on(stage, Role::Button, "OK", 1).await;
        arrives(stage, "each click presses the button", |a| a.pressed >= want).await;
    }
    sleep(Duration::from_millis(100)).await;
    assert_eq!(stage.arrived().pressed, 2);
}

pub(super) async fn text_arrives_whole(stage: &mut dyn Stage) {
    let text = "Grüße, Ωmega! {[~|^`]} \"q\" 'r' €5 <a@b.c> 中文 #1 \\ 0123456789 THE quick BROWN fox";
    enter(stage, Role::Textbox, "Name", 1).await;
    type_text(stage, text).await;
    arrives(stage, "the text arrives whole and in order", |a| a.name == text).await;
    let seen = stage.desktop().observe().await.unwrap();
    assert_eq!(find(&seen, Role::Textbox, "Name").value.as_deref(), Some(text));

    enter(stage, Role::Textbox, "Name", 1).await;
    tap(stage, "ctrl+a").await;
    type_text(stage, "other words").await;
    arrives(stage, "what is selected is replaced", |a| a.name == "other words").await;

    enter(stage, Role::Textbox, "Name", 3).await;
    tap(stage, "BackSpace").await;
    arrives(stage, "a triple click selects the line", |a| a.name.is_empty()).await;
}

pub(super) async fn a_secret_arrives_and_is_never_seen(stage: &mut dyn Stage) {
    enter(stage, Role::Password, "Secret", 1).await;
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

pub(super) async fn chords_arrive(stage: &mut dyn Stage) {
    for keys in ["ctrl+shift+k", "alt+j", "F5", "ctrl+Home"] {
        tap(stage, keys).await;
        let want = keys.to_lowercase();
        arrives(stage, keys, |a| a.chords.last() == Some(&want)).await;
    }
}

pub(super) async fn the_wheel_scrolls(stage: &mut dyn Stage) {
    let seen = stage.desktop().observe().await.unwrap();
    let notes = seen.elements.iter().find(|e| e.name == "Notes").expect("the text `Notes`");
    let redeemed = move_to(stage, notes.bounds.center()).await;
    stage.desktop().pointer(&redeemed, PointerInput::Scroll(0, 3)).await.unwrap();
    let down = arrives(stage, "the wheel scrolls down", |a| a.scroll > 0).await.scroll;
    stage.desktop().pointer(&redeemed, PointerInput::Scroll(0, -3)).await.unwrap();
    arrives(stage, "the wheel scrolls up", |a| a.scroll < down).await;
}

pub(super) async fn an_option_is_chosen(stage: &mut dyn Stage) {
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

pub(super) async fn the_clipboard_is_shared(stage: &mut dyn Stage) {
    let desktop = stage.desktop();
    let kind = ActionKind::WriteClipboard { text: "from outside é".into() };
    let redeemed = keyboard_permit(desktop, kind).await;
    let write = ClipboardUse::Write("from outside é".into());
    assert_eq!(desktop.clipboard(&redeemed, write).await.unwrap(), None);
    let read = desktop.clipboard(&redeemed, ClipboardUse::Read).await.unwrap();
    assert_eq!(read.as_deref(), Some("from outside é"));

    enter(stage, Role::Textbox, "Name", 1).await;
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

pub(super) async fn letting_go_lets_go(stage: &mut dyn Stage) {
    enter(stage, Role::Textbox, "Name", 1).await;
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

pub(super) async fn a_window_comes_forward(stage: &mut dyn Stage) {
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
