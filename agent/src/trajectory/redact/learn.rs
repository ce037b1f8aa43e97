//! Which texts of a step are secrets: what was typed, spelled or pasted into a password field, and what
//! the model meant to type there and did not come to.

use freehand_tools::action::{Action, ActionKind};
use freehand_tools::call::ToolCall;
use freehand_tools::element::Element;
use freehand_tools::gate::Approval;
use freehand_tools::key::{Chord, Key, KeySequence, Modifier, NamedKey};
use freehand_tools::outcome::Outcome;
use freehand_tools::secret;
use freehand_tools::tool::target::Place;
use serde_json::Value;

use super::{KEY, MASK, Step};
use crate::trajectory::Judged;

const SPELLED: &str = "press the keys of a secret";

/// The secrets that the step shows. `clipboard` is what was on it before the step, and is after it.
pub(super) fn typed(step: &Step, clipboard: &mut Option<String>) -> Vec<String> {
    let mut found = Vec::new();
    for judged in &step.actions {
        if let Some(action) = &judged.action {
            found.extend(secret_of(action, clipboard.as_deref()));
        }
        match (judged.action.as_ref().map(|action| &action.kind), &judged.outcome) {
            (Some(ActionKind::WriteClipboard { text }), _) => *clipboard = Some(text.clone()),
            (Some(ActionKind::ReadClipboard), Outcome::Done { answer: Some(text), .. }) => {
                *clipboard = Some(text.clone());
            }
            _ => {}
        }
    }
    let proposed = step.proposal.iter().flat_map(|proposal| &proposal.calls);
    let calls = proposed.chain(step.actions.iter().map(|judged| &judged.call));
    found.extend(calls.filter(|call| is_aimed_at_secret(call, step)).filter_map(text_of));
    found
        .retain(|text| !text.is_empty() && text != MASK && text != KEY && secret::named(text).is_none());
    found
}

fn secret_of(action: &Action, clipboard: Option<&str>) -> Option<String> {
    if !action.target.is_protected() {
        return None;
    }
    if let ActionKind::TypeText { text, .. } = &action.kind {
        // The name of a secret is none.
        return Some(text.clone()).filter(|text| secret::named(text).is_none());
    }
    let ActionKind::PressKeys { keys, .. } = &action.kind else { return None };
    if keys.chords().iter().any(pastes) { clipboard.map(str::to_owned) } else { spelled(keys) }
}

fn pastes(chord: &Chord) -> bool {
    match chord.key {
        Key::Char(c) => c.eq_ignore_ascii_case(&'v') && chord.holds(Modifier::Ctrl),
        Key::Named(NamedKey::Insert) => chord.holds(Modifier::Shift),
        Key::Named(_) | Key::Function(_) | Key::Modifier(_) => false,
    }
}

/// The text that the keys write; `None` when they write none.
fn spelled(keys: &KeySequence) -> Option<String> {
    let writes = |chord: &Chord| match chord.key {
        _ if chord.modifiers.iter().any(|m| *m != Modifier::Shift) => None,
        Key::Char(c) => Some(c),
        Key::Named(NamedKey::Space) => Some(' '),
        Key::Named(_) | Key::Function(_) | Key::Modifier(_) => None,
    };
    let text: String = keys.chords().iter().filter_map(writes).collect();
    (!text.is_empty()).then_some(text)
}

/// Whether a call, done or not, means to type into a password field of the step's screen.
fn is_aimed_at_secret(call: &ToolCall, step: &Step) -> bool {
    let seen = &step.seen;
    let has_keyboard = || seen.focus.and_then(|id| seen.elements.iter().find(|e| e.id == id));
    match call.tool.as_str() {
        "press_keys" => has_keyboard().is_some_and(Element::is_protected),
        "type_text" => match call.args.get("target").filter(|target| !target.is_null()) {
            None => has_keyboard().is_some_and(Element::is_protected),
            Some(target) => {
                Place::try_from(target.clone()).is_ok_and(|place| is_secret_place(&place, step))
            }
        },
        _ => false,
    }
}

fn is_secret_place(place: &Place, step: &Step) -> bool {
    let mut secret = step.seen.elements.iter().filter(|element| element.is_protected());
    match place {
        Place::Element(id) => secret.any(|element| element.id == *id),
        Place::Described { label, .. } => {
            let wanted = label.trim().to_lowercase();
            secret.any(|element| element.name.to_lowercase().contains(&wanted))
        }
        Place::Point { at, .. } => {
            let corner = step.seen.bounds.origin();
            secret.any(|element| element.bounds.contains(corner.offset(at.x, at.y)))
        }
    }
}

fn text_of(call: &ToolCall) -> Option<String> {
    if call.tool == "press_keys" {
        let keys = call.args.get("keys")?.clone();
        return spelled(&serde_json::from_value(keys).ok()?);
    }
    match call.args.get("text")? {
        Value::String(text) => Some(text.clone()),
        number @ Value::Number(_) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Empties the fields that hold what was typed, however short it is.
pub(super) fn blank(step: &mut Step) {
    let mut is_spelled = false;
    let screen = step.clone();
    let typed = |judged: &&Judged| judged.action.as_ref().is_some_and(writes_secret);
    let typed: Vec<&ToolCall> = screen.actions.iter().filter(typed).map(|judged| &judged.call).collect();
    let is_typed =
        |call: &ToolCall| typed.iter().any(|t| (&t.tool, &t.args) == (&call.tool, &call.args));
    for call in step.proposal.iter_mut().flat_map(|proposal| &mut proposal.calls) {
        if (is_typed(call) || is_aimed_at_secret(call, &screen)) && !names_secret(call) {
            is_spelled |= blank_call(call);
        }
    }
    for judged in &mut step.actions {
        let is_secret = judged.action.as_ref().is_some_and(writes_secret);
        if (is_secret || is_aimed_at_secret(&judged.call, &screen)) && !names_secret(&judged.call) {
            is_spelled |= blank_call(&mut judged.call);
        }
        if let Some(action) = judged.action.as_mut().filter(|_| is_secret) {
            is_spelled |= blank_call(&mut action.call);
            blank_action(action);
            if let Some(Approval::Edit { args }) =
                judged.verdict.as_mut().and_then(|verdict| verdict.approval.as_mut())
            {
                blank_args(args);
            }
        }
    }
    // A secret that is spelled key by key cannot be found in an answer.
    if let Some(completion) = step.completion.as_mut().filter(|_| is_spelled) {
        completion.text = MASK.into();
        completion.thinking = completion.thinking.take().map(|_| MASK.into());
    }
}

/// Whether the action itself holds the secret. One that pastes it does not.
fn writes_secret(action: &Action) -> bool {
    secret_of(action, None).is_some()
}

/// Whether the call holds a secret's name in the place of the secret.
fn names_secret(call: &ToolCall) -> bool {
    call.args.get("text").and_then(Value::as_str).is_some_and(|text| secret::named(text).is_some())
}

/// Says whether keys were blanked.
fn blank_call(call: &mut ToolCall) -> bool {
    blank_args(&mut call.args)
}

fn blank_args(args: &mut Value) -> bool {
    if let Some(text) = args.get_mut("text") {
        *text = MASK.into();
    }
    let keys = args.get_mut("keys").filter(|keys| {
        serde_json::from_value(Value::clone(keys))
            .is_ok_and(|keys: KeySequence| spelled(&keys).is_some())
    });
    let Some(keys) = keys else { return false };
    *keys = KEY.into();
    true
}

fn blank_action(action: &mut Action) {
    if let ActionKind::TypeText { text, .. } = &mut action.kind {
        *text = MASK.into();
    }
    if let ActionKind::PressKeys { keys, .. } = &mut action.kind {
        if let Ok(mask) = KEY.parse() {
            *keys = mask;
        }
        action.summary = SPELLED.into();
    }
}
