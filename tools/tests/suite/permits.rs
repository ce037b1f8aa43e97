//! What voids a permit between the judgement and the act, tried by changing the screen in between.

use freehand_tools::action::{Action, ActionKind, Button, EffectClass, Target};
use freehand_tools::desktop::Desktop;
use freehand_tools::desktop::simulated::{Changes, SimEvent, Simulated};
use freehand_tools::element::Role;
use freehand_tools::gate::{Approval, ApprovalRequest, Approver, Decision, Evaluation, Gate, Policy};
use freehand_tools::geometry::{ScreenPoint, Size};
use freehand_tools::observation::Observation;
use freehand_tools::permit::Void;

use crate::conformance::{click, find, permit, pressing, typing};

/// A form with a field, a secret, a button and an area that no list speaks of, over another window.
fn form() -> Simulated {
    Simulated::new(Size::new(800, 600))
        .window("Back", "other", |w| {
            w.place(300, 20).size(400, 500).button("OK elsewhere");
        })
        .window("Form", "form", |w| {
            w.place(40, 40).textbox("Name").password("Secret").button("Send").canvas("Map", 120, 80);
            w.canvas("Icon", 8, 8);
        })
}

/// Judges an action, lets something happen, and looks whether the permit is still good.
async fn after(
    kind: ActionKind,
    target: impl Fn(&Observation) -> Target,
    change: impl FnOnce(&mut Changes),
) -> Result<(), Void> {
    let mut desktop = form();
    let seen = desktop.observe().await.unwrap();
    let permit = permit(kind, target(&seen), &seen).await;
    desktop.change(change);
    permit.redeem(&mut desktop).await.map(|_| ())
}

fn on_send(seen: &Observation) -> Target {
    Target::of(find(seen, Role::Button, "Send"), seen)
}

fn on_map(seen: &Observation) -> Target {
    let send = find(seen, Role::Button, "Send").bounds;
    Target::at(ScreenPoint::new(send.x + 60, send.bottom() + 48), seen)
}

fn on_icon(seen: &Observation) -> Target {
    let send = find(seen, Role::Button, "Send").bounds;
    Target::at(ScreenPoint::new(send.x + 4, send.bottom() + 100), seen)
}

fn over_the_form(then: &mut Changes) {
    then.open("Pop-up", "shop", |w| {
        w.place(30, 30).size(600, 400).button("Buy");
    });
}

#[tokio::test]
async fn a_permit_on_an_element() {
    let nothing = |_: &mut Changes| {};
    assert_eq!(after(click(), on_send, nothing).await, Ok(()));
    let typed = |then: &mut Changes| _ = then.set("Name", "a longer text").focus("Secret");
    assert_eq!(after(click(), on_send, typed).await, Ok(()), "what is beside it does not matter");
    let nudged = |then: &mut Changes| _ = then.shift("Form", 42, 41);
    assert_eq!(after(click(), on_send, nudged).await, Ok(()), "it is still under the point");

    let other = |now: &str| Err(Void::OtherWindow { now: now.into() });
    assert_eq!(after(click(), on_send, over_the_form).await, other("`Pop-up`"));
    assert_eq!(after(click(), on_send, |t| _ = t.close("Form")).await, other("no window"));
    assert_eq!(after(click(), on_send, |t| _ = t.shift("Form", 500, 300)).await, other("no window"));

    let was = || "button \"Send\"".to_owned();
    let changed = Err(Void::Changed { was: was(), now: "button \"Pay\"".into() });
    assert_eq!(after(click(), on_send, |t| _ = t.relabel("Send", "Pay")).await, changed);
    let gone = || Err(Void::Gone { was: was() });
    assert_eq!(after(click(), on_send, |t| _ = t.remove("Send")).await, gone());
    let page = |then: &mut Changes| {
        then.page("Form", "Form", |w| {
            w.textbox("Name").password("Secret").button("Send");
        });
    };
    assert_eq!(after(click(), on_send, page).await, gone(), "a twin on another page is not the same");
    assert_eq!(after(click(), on_send, |t| _ = t.shift("Form", 40, 80)).await, gone(), "it moved away");
}

#[tokio::test]
async fn a_permit_on_a_bare_point() {
    assert_eq!(after(click(), on_map, |_| {}).await, Ok(()));
    assert_eq!(after(click(), on_map, |t| _ = t.set("Name", "far away")).await, Ok(()));
    assert_eq!(after(click(), on_map, |t| _ = t.repaint("Map")).await, Err(Void::Pixels));
    assert_eq!(after(click(), on_map, |t| _ = t.shift("Form", 40, 44)).await, Err(Void::Pixels));
    let covered = after(click(), on_map, over_the_form).await;
    assert_eq!(covered, Err(Void::OtherWindow { now: "`Pop-up`".into() }));
    assert_eq!(after(click(), on_icon, |_| {}).await, Ok(()));
    let tiny = after(click(), on_icon, |t| _ = t.repaint("Icon")).await;
    assert_eq!(tiny, Err(Void::Pixels), "a small target that changes wholly");
}

#[tokio::test]
async fn a_permit_on_the_bare_desktop() {
    let corner = |seen: &Observation| Target::at(ScreenPoint::new(0, 0), seen);
    assert_eq!(after(click(), corner, |_| {}).await, Ok(()));
    let over = |then: &mut Changes| {
        then.open("Pop-up", "shop", |w| {
            w.place(0, 0);
        });
    };
    assert!(after(click(), corner, over).await.is_err());
    // A window with nothing to see around that point must not take the click either.
    let end = |seen: &Observation| Target::at(ScreenPoint::new(790, 590), seen);
    assert_eq!(after(click(), end, |_| {}).await, Ok(()));
}

#[tokio::test]
async fn a_permit_for_the_keyboard() {
    let focused = |seen: &Observation| Target::focused(seen);
    assert_eq!(after(typing("x"), focused, |_| {}).await, Ok(()));
    assert_eq!(after(typing("x"), focused, |t| _ = t.set("Name", "y")).await, Ok(()));
    let stolen = after(typing("x"), focused, |t| _ = t.raise("Back")).await;
    assert_eq!(stolen, Err(Void::OtherFocus { now: "`Back`".into() }));
    let moved = after(typing("x"), focused, |t| _ = t.focus("Secret")).await;
    assert!(moved.is_err(), "the text was judged for the field and would land in the secret");
    let closed = after(typing("x"), focused, |t| _ = t.close("Form")).await;
    assert!(closed.is_err());
    let removed = after(typing("x"), focused, |t| _ = t.remove("Name")).await;
    assert!(removed.is_err());
}

#[tokio::test]
async fn a_permit_for_the_keyboard_of_nobody() {
    let mut desktop = Simulated::new(Size::new(400, 300));
    let seen = desktop.observe().await.unwrap();
    let permit = permit(pressing("ctrl+s"), Target::focused(&seen), &seen).await;
    desktop.change(|then| {
        then.open("Terminal", "xterm", |w| {
            w.terminal();
        });
    });
    assert!(permit.redeem(&mut desktop).await.is_err(), "nothing had the keyboard when it was judged");
}

#[tokio::test]
async fn a_permit_for_a_drag_holds_at_both_ends() {
    let mut desktop = form();
    let seen = desktop.observe().await.unwrap();
    let end = find(&seen, Role::Button, "OK elsewhere");
    let path = vec![end.bounds.center()];
    let kind = ActionKind::Drag { path, button: Button::Left, modifiers: Vec::new() };
    let mut target = on_map(&seen);
    target.destination = Some(end.into());
    let permit = permit(kind, target, &seen).await;
    desktop.change(|then| _ = then.relabel("OK elsewhere", "Bin"));
    assert!(permit.redeem(&mut desktop).await.is_err(), "it would be dropped on something else");
}

#[tokio::test]
async fn a_window_can_be_brought_forward() {
    let back = |seen: &Observation| {
        let window = seen.windows.iter().find(|w| w.title == "Back").unwrap();
        Target { window: Some(Target::window(window)), ..Target::default() }
    };
    assert_eq!(after(ActionKind::FocusWindow, back, |_| {}).await, Ok(()));
}

#[tokio::test]
async fn a_change_right_after_the_look_is_caught() {
    let mut desktop = form().after_observations(1, over_the_form);
    let seen = desktop.observe().await.unwrap();
    let permit = permit(click(), on_send(&seen), &seen).await;
    let void = permit.redeem(&mut desktop).await.map(|_| ()).unwrap_err();
    assert_eq!(void, Void::OtherWindow { now: "`Pop-up`".into() });
    assert!(!desktop.events().iter().any(|e| matches!(e, SimEvent::Clicked { .. })));
}

#[tokio::test]
async fn a_lost_desktop_voids_and_says_so() {
    let mut desktop = form().die_after(1);
    let seen = desktop.observe().await.unwrap();
    let permit = permit(click(), on_send(&seen), &seen).await;
    match permit.redeem(&mut desktop).await {
        Err(Void::Desktop(error)) => assert!(error.is_fatal()),
        other => panic!("{other:?}"),
    }
}

#[derive(Debug)]
struct Says(Decision);

impl Policy for Says {
    fn evaluate(&self, _: &Action) -> Evaluation {
        Evaluation::by(self.0, "test", "the test says so")
    }
}

#[derive(Debug, Default)]
struct ForTheRun(std::sync::Mutex<u32>);

#[async_trait::async_trait]
impl Approver for &'static ForTheRun {
    async fn ask(&self, _: &ApprovalRequest) -> Approval {
        *self.0.lock().unwrap() += 1;
        Approval::Run
    }

    async fn question(&self, _: &str) -> Option<String> {
        None
    }
}

/// A gate that asks about everything, and somebody who always says "for the rest of the run".
fn asking() -> (Gate, &'static ForTheRun) {
    let person: &'static ForTheRun = Box::leak(Box::default());
    (Gate::new(vec![Box::new(Says(Decision::Ask))], Box::new(person)), person)
}

async fn action(kind: ActionKind, target: Target, effects: EffectClass, seen: &Observation) -> Action {
    let permit = permit(kind, target, seen).await;
    Action { effects, ..permit.action().clone() }
}

#[tokio::test]
async fn a_grant_is_no_wider_than_what_was_asked() {
    let mut desktop = form();
    let seen = desktop.observe().await.unwrap();
    let (mut gate, person) = asking();
    let app = |command: &str| ActionKind::OpenApp { command: command.into() };
    let field = |name| Target::of(seen.elements.iter().find(|e| e.name == name).unwrap(), &seen);
    let launch = EffectClass::Launch;
    let input = EffectClass::Input;
    for (n, kind, target, effects) in [
        (1, app("notes"), Target::default(), launch),
        (1, app("notes"), Target::default(), launch),
        (2, app("rm -r /"), Target::default(), launch),
        (3, ActionKind::OpenUrl { url: "http://a.example".into() }, Target::default(), launch),
        (4, click(), field("Name"), input),
        (4, click(), field("Send"), input),
        (5, typing("secret"), field("Secret"), input),
    ] {
        let what = format!("{kind:?}");
        let action = action(kind, target, effects, &seen).await;
        assert!(gate.review(action, &seen).await.verdict.allowed);
        assert_eq!(*person.0.lock().unwrap(), n, "questions after {what}");
    }
}

#[tokio::test]
async fn what_was_worked_out_on_another_picture_is_refused() {
    let mut desktop = form();
    let first = desktop.observe().await.unwrap();
    let second = desktop.observe().await.unwrap();
    let action = action(click(), on_send(&first), EffectClass::Input, &first).await;
    let mut gate = Gate::new(vec![Box::new(Says(Decision::Allow))], Box::new(asking().1));
    let review = gate.review(action.clone(), &second).await;
    assert!(review.permit.is_none() && !review.verdict.allowed);
    assert!(Gate::new(Vec::new(), Box::new(asking().1)).review(action, &first).await.permit.is_none());
}

#[tokio::test]
async fn the_strictest_of_several_holds() {
    use Decision::{Allow, Ask, Deny};
    let mut desktop = form();
    let seen = desktop.observe().await.unwrap();
    for (says, want) in
        [(vec![Allow, Deny], Deny), (vec![Deny, Ask], Deny), (vec![Allow, Ask, Allow], Ask)]
    {
        let policies = says.iter().map(|d| Box::new(Says(*d)) as Box<dyn Policy>).collect();
        let mut gate = Gate::new(policies, Box::new(asking().1));
        let action = action(click(), on_send(&seen), EffectClass::Input, &seen).await;
        let review = gate.review(action, &seen).await;
        assert_eq!(review.verdict.decision, want);
        assert_eq!(review.permit.is_some(), want != Deny);
    }
}
