//! A question to the person in words: what would really happen, where, what would come of it, what was
//! not understood, and what each answer is good for. Whoever asks shows these, so that the terminal and
//! a page of the console say the same. Words from the screen may be written to deceive: they stand in
//! quotes, with nothing hidden.

use freehand_tools::action::{Action, EffectClass, Target};
use freehand_tools::gate::{ApprovalRequest, Reason, Scope};
use serde::Serialize;
use serde_json::Value;

use crate::risk::Findings;
use freehand_tools::quote::quoted;
use freehand_tools::visible::visible;

/// Characters of a title or a name that are shown.
pub(crate) const NAME: usize = 120;
/// Characters of the action or of a question that are shown.
pub(crate) const SUMMARY: usize = 2_000;
/// What is shown for a secret.
const MASK: &str = "•••";

/// A question in words.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Question {
    /// What would be done, in one sentence.
    pub what: String,
    /// Where it lands, in lines.
    pub place: Vec<String>,
    /// What would come of it.
    pub would: Vec<String>,
    /// What was not understood.
    pub unclear: Vec<String>,
    /// The rules that ask, with why.
    pub because: Vec<Reason>,
    /// Why it is asked again.
    pub note: Option<String>,
    /// What an answer that lasts is good for; without it only this one action can be allowed.
    pub lasting: Option<String>,
    /// Whether such an answer may be kept for later runs.
    pub may_be_kept: bool,
    /// The tool.
    pub tool: String,
    /// Its arguments, which the person may change. A secret is not shown.
    pub args: Value,
}

impl Question {
    /// The words for a request.
    pub fn of(request: &ApprovalRequest) -> Self {
        let ApprovalRequest { action, reasons, scope, note } = request;
        let found = Findings::of(action);
        let because = reasons.iter().map(|reason| Reason {
            rule: visible(&reason.rule, NAME),
            because: visible(&reason.because, SUMMARY),
        });
        let would = found
            .effects
            .iter()
            .map(|effect| format!("{}: {}", effect.risk.phrase(), visible(&effect.why, SUMMARY)));
        Self {
            what: visible(&action.summary, SUMMARY),
            place: landing(&action.target),
            would: would.collect(),
            unclear: found.unclear.iter().map(|what| visible(what, NAME)).collect(),
            because: because.collect(),
            note: note.as_ref().map(|note| visible(note, SUMMARY)),
            lasting: scope.as_ref().map(covered),
            may_be_kept: scope.as_ref().is_some_and(Scope::may_be_kept),
            tool: action.call.tool.clone(),
            args: shown_args(action),
        }
    }

    /// What is asked, in lines; without the answers that there are.
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.note.iter().cloned().collect();
        lines.push(self.what.clone());
        lines.extend(self.place.iter().cloned());
        lines.extend(self.would.iter().map(|effect| format!("it would {effect}")));
        lines.extend(self.unclear.iter().map(|what| format!("not understood: {what}")));
        lines.extend(self.because.iter().map(|by| format!("because {} ({})", by.because, by.rule)));
        lines
    }
}

/// Where the action lands, in lines.
fn landing(target: &Target) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(element) = &target.element {
        let within = element.within.as_deref().map(|w| format!(" in {}", quoted(w, NAME)));
        let within = within.unwrap_or_default();
        let called = match &element.looks {
            Some(looks) if element.name.is_empty() => format!("that looks like {}", quoted(looks, NAME)),
            _ => quoted(&element.name, NAME),
        };
        lines.push(format!("on {} {called}{within}", element.role.word()));
    }
    if let Some(point) = target.point {
        lines.push(format!("at the point {point}"));
    }
    if let Some(window) = &target.window {
        let (title, app) = (quoted(&window.title, NAME), quoted(&window.app, NAME));
        lines.push(format!("in the window {title} of the program {app}"));
    }
    lines
}

/// What an answer that lasts is good for.
pub fn covered(scope: &Scope) -> String {
    let app = scope.app.as_deref().map_or_else(|| "no known program".into(), |app| quoted(app, NAME));
    let what = match (scope.effects, &scope.command, &scope.opened) {
        (EffectClass::Launch, _, Some(opened)) => format!("opening just {}", quoted(opened, SUMMARY)),
        (EffectClass::Launch, ..) => "opening just this".into(),
        (EffectClass::Input | EffectClass::BlindInput, Some(command), _) => {
            format!("running just {} in {app}", quoted(command, SUMMARY))
        }
        (EffectClass::Input, ..) if scope.protected => format!("typing a secret into {app}"),
        (EffectClass::Input, ..) => format!("any input to {app}"),
        (EffectClass::BlindInput, ..) => format!("any input to unknown places in {app}"),
        (EffectClass::Nothing, ..) => "whatever changes nothing".into(),
        (EffectClass::ReadClipboard, ..) => "reading the clipboard".into(),
        (EffectClass::WriteClipboard, ..) => "replacing the clipboard".into(),
    };
    let stakes: Vec<String> = scope.stakes.iter().map(|stake| visible(stake, NAME)).collect();
    let stakes =
        if stakes.is_empty() { String::new() } else { format!(" ({} included)", stakes.join(", ")) };
    format!("{what}{stakes}, as long as no other rule asks")
}

/// The arguments of the call without what nobody may read.
fn shown_args(action: &Action) -> Value {
    let mut args = action.call.args.clone();
    if action.target.is_protected() {
        for field in ["text", "keys"] {
            if let Some(secret) = args.get_mut(field) {
                *secret = MASK.into();
            }
        }
    }
    args
}

/// The arguments with the fields of `change` in the place of theirs; what is `null` there goes.
/// `None` where one of the two is no object.
pub fn changed(args: &Value, change: &Value) -> Option<Value> {
    let mut all = if args.is_null() { serde_json::Map::new() } else { args.as_object()?.clone() };
    for (name, value) in change.as_object()? {
        if value.is_null() {
            all.shift_remove(name);
        } else {
            all.insert(name.clone(), value.clone());
        }
    }
    Some(Value::Object(all))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_takes_the_place_of_what_it_names() {
        let args = json!({"text": "a", "submit": true});
        for (change, expected) in [
            (json!({"text": "b"}), Some(json!({"text": "b", "submit": true}))),
            (json!({"submit": null, "clear": true}), Some(json!({"text": "a", "clear": true}))),
            (json!({}), Some(args.clone())),
            (json!("b"), None),
        ] {
            assert_eq!(changed(&args, &change), expected, "{change}");
        }
        assert_eq!(changed(&Value::Null, &json!({"a": 1})), Some(json!({"a": 1})));
    }
}
