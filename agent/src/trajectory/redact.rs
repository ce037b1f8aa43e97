//! Keeps secrets out of the record: what is typed into a password field is taken out of every text of
//! a step before the step is written.
//!
//! The texts are walked through their types and not through the JSON, because a secret may well be the
//! word `button` or four digits of a picture's digest, and a record must stay readable. Every struct is
//! taken apart by name, so a new field does not compile before somebody has thought about it.

use std::fmt;

use freehand_model::dialect::Proposal;
use freehand_model::prompt::Completion;
use freehand_tools::action::{Action, ActionKind, Condition, Target, TargetElement, TargetWindow};
use freehand_tools::call::ToolCall;
use freehand_tools::element::{Element, Region, Window};
use freehand_tools::gate::{Approval, Reason, Verdict};
use freehand_tools::outcome::Outcome;
use freehand_tools::setting::{Entered, Setting};
use serde_json::{Map, Value};

use super::{Exit, Header, Intervention, Judged, Seen, Step};

mod find;
mod learn;

use find::Needle;

/// What stands in the record where a secret stood.
pub const MASK: &str = "•••";

/// The one key that stands there for those that spelled a secret.
pub const KEY: &str = "•";

/// A shorter secret would blank half of the record: it is taken out where it was typed and where the
/// model said it, and not elsewhere.
const SHORT: usize = 4;

/// The secrets of a run. They live in memory only.
#[derive(Clone, Default)]
pub struct Secrets {
    known: Vec<Needle>,
    /// What is on the clipboard, as far as the run knows: it may be pasted.
    clipboard: Option<String>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").field("known", &self.known.len()).finish_non_exhaustive()
    }
}

impl Secrets {
    /// Remembers a secret. Says whether it was unknown until now and is long enough to be looked for
    /// in what was recorded before.
    pub fn learn(&mut self, secret: &str) -> bool {
        let mut new = false;
        for form in [secret, secret.trim()] {
            let needle = Needle::anywhere(form);
            if form.chars().count() >= SHORT && !self.known.iter().any(|known| known.same(&needle)) {
                self.known.push(needle);
                new = true;
            }
        }
        new
    }

    /// Remembers what a step has typed into password fields; `true` as for [`Secrets::learn`].
    pub fn learn_from(&mut self, step: &Step) -> bool {
        let typed = learn::typed(step, &mut self.clipboard);
        typed.iter().fold(false, |new, secret| self.learn(secret) | new)
    }

    /// Takes the secrets out of a header.
    pub fn header(&self, header: &mut Header) {
        let Header {
            format: _,
            task,
            until,
            model,
            dialect,
            policy,
            policy_digest: _,
            display,
            started_ms: _,
        } = header;
        self.texts([task, model, dialect, policy, display]);
        self.maybe(until);
    }

    /// Takes the secrets out of a step; what it typed into password fields goes whatever its length.
    pub fn step(&self, step: &mut Step) {
        let mut own = self.clone();
        let typed = learn::typed(step, &mut own.clipboard);
        own.known.extend(typed.iter().map(|secret| Needle::as_word(secret)));
        own.said(step);
        learn::blank(step);
        let Step {
            index: _,
            at_ms: _,
            seen,
            list,
            done: _,
            choices: _,
            completion: _,
            proposal: _,
            unread,
            interventions,
            actions,
            timing: _,
        } = step;
        self.seen(seen);
        self.text(list);
        self.maybe(unread);
        for intervention in interventions {
            if let Intervention::Said { text } = intervention {
                self.text(text);
            }
        }
        for judged in actions {
            self.judged(judged);
        }
    }

    /// Takes the secrets out of how a run ended.
    pub fn exit(&self, exit: &mut Exit) {
        match exit {
            Exit::Done { checked: text }
            | Exit::Limit { which: text }
            | Exit::GaveUp { reason: text }
            | Exit::Refused { reason: text }
            | Exit::ModelFailed { reason: text }
            | Exit::DesktopFailed { reason: text } => self.text(text),
            Exit::Left | Exit::Interrupted => {}
        }
    }

    fn text(&self, text: &mut String) {
        if let Some(masked) = find::replace(text, &self.known, MASK) {
            *text = masked;
        }
    }

    fn maybe(&self, text: &mut Option<String>) {
        if let Some(text) = text {
            self.text(text);
        }
    }

    fn texts<'t>(&self, texts: impl IntoIterator<Item = &'t mut String>) {
        for text in texts {
            self.text(text);
        }
    }

    /// What the model said, and the calls as they were read from it.
    fn said(&self, step: &mut Step) {
        let resolved: Vec<String> =
            step.actions.iter().filter(|j| j.action.is_some()).map(|j| j.call.tool.clone()).collect();
        if let Some(Completion { text, thinking, finish: _, usage: _ }) = &mut step.completion {
            self.text(text);
            self.maybe(thinking);
        }
        if let Some(Proposal { calls, thought }) = &mut step.proposal {
            self.maybe(thought);
            for call in calls {
                let is_tool = resolved.contains(&call.tool);
                self.call(call, is_tool);
            }
        }
        for judged in &mut step.actions {
            let known = judged.action.is_some();
            self.call(&mut judged.call, known);
            if let Some(action) = &mut judged.action {
                self.call(&mut action.call, true);
            }
        }
    }

    /// A tool's own name stays, even when it is the secret: without it nothing could be replayed.
    fn call(&self, call: &mut ToolCall, is_tool: bool) {
        let ToolCall { id, tool, args } = call;
        self.text(id);
        if !is_tool {
            self.text(tool);
        }
        self.value(args, !is_tool);
    }

    /// `numbers`: a number may be what was to be typed, unless a tool has read it as something else.
    fn value(&self, value: &mut Value, numbers: bool) {
        match value {
            Value::Null | Value::Bool(_) => {}
            Value::Number(number) => {
                if numbers && find::replace(&number.to_string(), &self.known, MASK).is_some() {
                    *value = MASK.into();
                }
            }
            Value::String(text) => self.text(text),
            Value::Array(values) => {
                for value in values {
                    self.value(value, numbers);
                }
            }
            Value::Object(fields) => {
                let old: Map<String, Value> = std::mem::take(fields);
                fields.extend(old.into_iter().map(|(mut name, mut value)| {
                    self.text(&mut name);
                    self.value(&mut value, numbers);
                    (name, value)
                }));
            }
        }
    }

    fn seen(&self, seen: &mut Seen) {
        let Seen { frame: _, bounds: _, windows, elements, focus: _, cursor: _, gaps, more } = seen;
        for Window { id: _, title, app, pid: _, bounds: _, focused: _ } in windows {
            self.texts([title, app]);
        }
        for element in elements {
            self.element(element);
        }
        for more in more {
            self.maybe(&mut more.name);
        }
        self.texts(gaps);
    }

    fn element(&self, element: &mut Element) {
        let Element {
            id: _,
            key,
            role: _,
            name,
            value,
            description,
            looks,
            options,
            actions,
            states: _,
            bounds: _,
            source: _,
            window: _,
            within,
            region,
        } = element;
        self.texts([&mut key.0, name]);
        for text in [value, description, looks, within] {
            self.maybe(text);
        }
        if let Some(Region { kind: _, name }) = region {
            self.text(name);
        }
        self.texts(options);
        self.texts(actions);
    }

    fn judged(&self, judged: &mut Judged) {
        // The calls were seen to as what the model said.
        let Judged { call: _, action, verdict, outcome, picture: _ } = judged;
        if let Some(Action { call: _, kind, target, effects: _, summary, basis: _, setting }) = action {
            self.kind(kind);
            self.target(target);
            self.text(summary);
            self.setting(setting);
        }
        if let Some(Verdict { decision: _, reasons, approval, earlier: _, allowed: _ }) = verdict {
            for Reason { rule, because } in reasons {
                self.texts([rule, because]);
            }
            match approval {
                Some(Approval::Deny { reason, said }) => {
                    self.text(reason);
                    self.texts(said);
                }
                Some(Approval::Edit { args }) => self.value(args, true),
                Some(
                    Approval::Once | Approval::Run | Approval::For { minutes: _ } | Approval::Always,
                )
                | None => {}
            }
        }
        match outcome {
            Outcome::Done { effect: _, answer } => self.maybe(answer),
            Outcome::Failed { reason, hint } => {
                self.text(reason);
                self.maybe(hint);
            }
            Outcome::Refused { reason } => self.text(reason),
        }
    }

    fn target(&self, target: &mut Target) {
        let Target { point: _, element, window, destination } = target;
        for element in [element, destination].into_iter().flatten() {
            let TargetElement { id: _, key, role: _, name, looks, within, source: _, bounds: _ } =
                element;
            self.texts([&mut key.0, name]);
            self.maybe(looks);
            self.maybe(within);
        }
        if let Some(TargetWindow { id: _, app, title }) = window {
            self.texts([app, title]);
        }
    }

    fn setting(&self, setting: &mut Setting) {
        let Setting { author: _, words, addresses, leads_to, begun, entered } = setting;
        self.maybe(leads_to);
        self.texts(words);
        self.texts(addresses);
        self.texts(begun);
        if let Some(Entered { text, unsure: _ }) = entered {
            self.text(text);
        }
    }

    fn kind(&self, kind: &mut ActionKind) {
        match kind {
            ActionKind::TypeText { text, submit: _, clear: _ }
            | ActionKind::SelectOption { option: text }
            | ActionKind::OpenApp { command: text }
            | ActionKind::OpenUrl { url: text }
            | ActionKind::WriteClipboard { text }
            | ActionKind::Note { text }
            | ActionKind::AskUser { question: text } => self.text(text),
            ActionKind::Wait { until, gone: _, timeout_ms: _ } => match until {
                Condition::Text(text) | Condition::Element(text) | Condition::Window(text) => {
                    self.text(text);
                }
                Condition::Elapsed => {}
            },
            ActionKind::Finish { status: _, evidence, answer } => {
                self.texts(evidence);
                self.text(answer);
            }
            ActionKind::Click { .. }
            | ActionKind::Move
            | ActionKind::Drag { .. }
            | ActionKind::Scroll { .. }
            | ActionKind::PressKeys { .. }
            | ActionKind::Zoom { .. }
            | ActionKind::FocusWindow
            | ActionKind::ReadClipboard => {}
        }
    }
}

#[cfg(test)]
mod tests;
