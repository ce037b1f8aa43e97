//! Steps for the tests of the record.

use freehand_model::dialect::Proposal;
use freehand_model::prompt::{Completion, Finish, Usage};
use freehand_tools::action::{
    Action, ActionKind, Basis, Button, EffectClass, Target, TargetElement, TargetWindow,
};
use freehand_tools::call::ToolCall;
use freehand_tools::element::{Element, ElementId, ElementKey, Role, Source, States, Window, WindowId};
use freehand_tools::frame::{Frame, Monitor};
use freehand_tools::gate::{Decision, Reason, Verdict};
use freehand_tools::geometry::{Point, Rect};
use freehand_tools::observation::ObservationId;
use freehand_tools::outcome::{Effect, Outcome};
use freehand_tools::setting::Setting;
use image::RgbImage;
use serde_json::{Value, json};

use super::{Choices, FORMAT, Header, Judged, Seen, Step, Timing};

pub(crate) fn header(task: &str) -> Header {
    Header {
        format: FORMAT,
        task: task.into(),
        until: None,
        model: "tiny".into(),
        dialect: "numbered".into(),
        policy: "unattended-in-sandbox".into(),
        policy_digest: String::new(),
        display: ":7".into(),
        started_ms: 1_767_225_600_000,
    }
}

pub(crate) fn frame(shade: u8) -> Frame {
    let monitor = Monitor { name: "screen".into(), bounds: Rect::new(-8, 0, 64, 48), scale: 1.0 };
    Frame::new(monitor, RgbImage::from_pixel(64, 48, image::Rgb([shade; 3])))
}

pub(crate) fn element(id: u32, role: Role, name: &str) -> Element {
    Element {
        id: ElementId(id),
        key: ElementKey(format!("app/{id}")),
        role,
        name: name.into(),
        value: None,
        description: None,
        looks: None,
        options: Vec::new(),
        actions: Vec::new(),
        states: States::default(),
        bounds: Rect::new(0, 8, 20, 10),
        source: Source::Accessibility,
        window: Some(WindowId(5)),
        within: None,
        region: None,
    }
}

/// A step that has seen `elements` and done nothing.
pub(crate) fn seen(index: u32, elements: Vec<Element>) -> Step {
    let list: Vec<String> = elements.iter().map(|e| format!("[{}] {}", e.id, e.name)).collect();
    let bounds = Rect::new(-8, 0, 64, 48);
    Step {
        index,
        at_ms: 1_767_225_601_000,
        seen: Seen {
            frame: frame(u8::try_from(index).unwrap()).digest(),
            bounds,
            windows: vec![Window {
                id: WindowId(5),
                title: "Form".into(),
                app: "form".into(),
                pid: None,
                bounds,
                focused: true,
            }],
            elements,
            focus: None,
            cursor: Point::new(0, 0),
            gaps: Vec::new(),
            more: Vec::new(),
        },
        list: list.join("\n"),
        done: None,
        choices: Choices::default(),
        completion: None,
        proposal: None,
        unread: None,
        interventions: Vec::new(),
        actions: Vec::new(),
        timing: Timing { observe: 3.5, model: 800.0, ..Timing::default() },
    }
}

/// What a model says to call `tool`, as it writes it.
pub(crate) fn says(step: &mut Step, tool: &str, args: &Value) -> ToolCall {
    let call = ToolCall { id: format!("{}.1", step.index), tool: tool.into(), args: args.clone() };
    let text = json!({ "tool": tool, "args": args }).to_string();
    let usage = Usage {
        prompt: 900,
        reused: 700,
        sampled: 9,
        forced: 4,
        prefill_ms: 300.0,
        decode_ms: 90.0,
        ..Usage::default()
    };
    step.completion = Some(Completion { text, thinking: None, finish: Finish::Stop, usage });
    let calls = step.proposal.take().map(|proposal| proposal.calls).unwrap_or_default();
    let calls = calls.into_iter().chain([call.clone()]).collect();
    step.proposal = Some(Proposal { calls, thought: None });
    call
}

/// The step does `kind` to its element number `id`.
pub(crate) fn does(step: &mut Step, call: ToolCall, kind: ActionKind, id: u32, summary: &str) {
    let element = step.seen.elements.iter().find(|e| e.id == ElementId(id)).unwrap();
    let target = Target {
        point: Some(element.bounds.center()),
        element: Some(TargetElement::from(element)),
        window: Some(TargetWindow { id: WindowId(5), app: "form".into(), title: "Form".into() }),
        destination: None,
    };
    let basis = Basis { observation: ObservationId(1), frame: step.seen.frame };
    let action = Action {
        call: call.clone(),
        kind,
        target,
        effects: EffectClass::Input,
        summary: summary.into(),
        basis,
        setting: Setting::default(),
    };
    let reasons = vec![Reason { rule: "own-display".into(), because: "Freehand started it".into() }];
    step.actions.push(Judged {
        call,
        action: Some(action),
        verdict: Some(Verdict {
            decision: Decision::Allow,
            reasons,
            approval: None,
            earlier: false,
            allowed: true,
        }),
        outcome: Outcome::Done { effect: Effect::Confirmed, answer: None },
        picture: None,
    });
}

/// A step that types `text` into the element number `id` of `elements`.
pub(crate) fn typing(index: u32, elements: Vec<Element>, id: u32, text: &str) -> Step {
    let mut step = seen(index, elements);
    let call = says(&mut step, "type_text", &json!({ "target": id, "text": text }));
    let secret = step.seen.elements.iter().any(|e| e.id == ElementId(id) && e.is_protected());
    let words = if secret { "a secret".into() } else { format!("\"{text}\"") };
    let kind = ActionKind::TypeText { text: text.into(), submit: false, clear: false };
    does(&mut step, call, kind, id, &format!("type {words} into it"));
    step
}

/// A step that clicks a button.
pub(crate) fn clicking(index: u32) -> Step {
    let mut step = seen(index, vec![element(2, Role::Button, "Save")]);
    let call = says(&mut step, "click", &json!({ "target": 2 }));
    let kind =
        ActionKind::Click { button: Button::default(), count: 1, modifiers: Vec::new(), hold_ms: 0 };
    does(&mut step, call, kind, 2, "click button \"Save\"");
    step
}
