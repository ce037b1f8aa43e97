//! The cases of a policy: actions in a few words, each with what is to come of it. They stand in a file
//! beside the policy and are its tests, so that a change to a rule shows what it changes.

use std::path::Path;

use freehand_tools::action::{
    Action, ActionKind, Basis, Button, Condition, EffectClass, Status, Target, TargetElement,
    TargetWindow,
};
use freehand_tools::call::ToolCall;
use freehand_tools::element::{ElementId, ElementKey, Role, Source, WindowId};
use freehand_tools::frame::Digest;
use freehand_tools::gate::{Decision, Evaluation, Policy as _};
use freehand_tools::geometry::{Point, Rect};
use freehand_tools::observation::ObservationId;
use freehand_tools::setting::{Author, Entered, Setting};
use serde::Deserialize;
use serde_json::Value;

use crate::PolicyError;
use crate::layers::Layers;
use crate::preset::DisplayTrust;
use crate::rulebook::Rulebook;
use crate::rules::{Kind, RuleSet};
use crate::tiers::Tiers;

/// Under a layer that only narrows.
const EVERYTHING: &str = "@id(\"everything\") @reason(\"the layer is tried by itself\") \
                          permit (principal, action, resource);";

/// One case. What is left out is not there: no window, no element, no text.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// What is to come of it.
    pub expect: Decision,
    /// A rule that has to be among the reasons.
    #[serde(default)]
    pub rule: Option<String>,
    tool: String,
    #[serde(default)]
    by: Author,
    #[serde(default)]
    display: Display,
    #[serde(default)]
    app: Option<String>,
    #[serde(default)]
    title: String,
    #[serde(default)]
    role: Option<Role>,
    #[serde(default)]
    element: String,
    #[serde(default)]
    within: Option<String>,
    /// What is typed, chosen, put on the clipboard, opened or started.
    #[serde(default)]
    text: String,
    #[serde(default)]
    submit: bool,
    #[serde(default)]
    keys: Option<String>,
    /// What was typed into the window before and not entered.
    #[serde(default)]
    begun: Option<String>,
    /// The line that would be entered, where it is not `text`.
    #[serde(default)]
    line: Option<String>,
    #[serde(default)]
    unsure: bool,
    #[serde(default)]
    words: Vec<String>,
    #[serde(default)]
    addresses: Vec<String>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Display {
    #[default]
    Own,
    Vouched,
    Users,
}

/// A file of cases.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cases {
    #[serde(rename = "case")]
    cases: Vec<Case>,
    tiers: Tiers,
}

/// What became of a case.
#[derive(Debug, Clone)]
pub struct Tried {
    /// The case.
    pub case: Case,
    /// What the policy said.
    pub said: Evaluation,
}

impl Tried {
    /// Whether it came out as it was to.
    pub fn is_right(&self) -> bool {
        let named = self.case.rule.as_ref().is_none_or(|wanted| {
            self.said.reasons.iter().any(|reason| {
                reason.rule == *wanted || reason.rule.rsplit(':').next() == Some(wanted.as_str())
            })
        });
        self.said.decision == self.case.expect && named
    }
}

impl Cases {
    /// Reads a file of cases; `file` is what an error calls it.
    pub fn parse(text: &str, file: &Path) -> Result<Self, PolicyError> {
        toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            PolicyError::Toml { file: file.into(), line, reason: error.message().replace('\n', " ") }
        })
    }

    /// The actions that they stand for, with their names.
    pub fn actions(&self) -> Vec<(String, Action)> {
        self.cases.iter().filter_map(|case| Some((case.name.clone(), case.action()?))).collect()
    }

    /// Tries all of them on `rules`.
    pub fn run(&self, rules: &RuleSet) -> Result<Vec<Tried>, PolicyError> {
        self.cases
            .iter()
            .map(|case| {
                let book = book(rules, case.display.into())?.with_tiers(self.tiers.clone())?;
                let said = if let Some(action) = case.action() {
                    Layers::new(vec![Box::new(book)]).evaluate(&action)
                } else {
                    let because = format!("`{}` is no tool, or lacks what it needs", case.tool);
                    Evaluation::by(Decision::Deny, "cases:unreadable", because)
                };
                Ok(Tried { case: case.clone(), said })
            })
            .collect()
    }
}

fn book(rules: &RuleSet, display: DisplayTrust) -> Result<Rulebook, PolicyError> {
    if rules.kind() == Kind::Base {
        return Ok(Rulebook::new(rules.clone(), display));
    }
    let all = RuleSet::parse("cases", Kind::Base, EVERYTHING, Path::new("cases"))?;
    Ok(Rulebook::new(all, display).under(rules.clone()))
}

impl From<Display> for DisplayTrust {
    fn from(display: Display) -> Self {
        match display {
            Display::Own => Self::Own,
            Display::Vouched => Self::Vouched,
            Display::Users => Self::Users,
        }
    }
}

impl Case {
    /// The action that it stands for.
    fn action(&self) -> Option<Action> {
        let kind = self.kind()?;
        let target = self.target(&kind);
        let pointed = !target.is_known();
        let effects = match &kind {
            ActionKind::Wait { .. }
            | ActionKind::Zoom { .. }
            | ActionKind::Note { .. }
            | ActionKind::AskUser { .. }
            | ActionKind::Finish { .. } => EffectClass::Nothing,
            ActionKind::OpenApp { .. } | ActionKind::OpenUrl { .. } => EffectClass::Launch,
            ActionKind::ReadClipboard => EffectClass::ReadClipboard,
            ActionKind::WriteClipboard { .. } => EffectClass::WriteClipboard,
            ActionKind::Click { .. } | ActionKind::Move | ActionKind::Drag { .. } if pointed => {
                EffectClass::BlindInput
            }
            ActionKind::Click { .. }
            | ActionKind::Move
            | ActionKind::Drag { .. }
            | ActionKind::Scroll { .. }
            | ActionKind::TypeText { .. }
            | ActionKind::SelectOption { .. }
            | ActionKind::PressKeys { .. }
            | ActionKind::FocusWindow => EffectClass::Input,
        };
        let typed = self.submit.then(|| self.text.clone());
        let entered = self.line.clone().or(typed);
        let setting = Setting {
            author: self.by,
            words: self.words.clone(),
            addresses: self.addresses.clone(),
            leads_to: None,
            begun: self.begun.clone(),
            entered: entered.map(|text| Entered { text, unsure: self.unsure }),
        };
        let summary = self.name.clone();
        let basis = Basis { observation: ObservationId(0), frame: nothing()? };
        let call = ToolCall::new(&self.tool, Value::Null);
        Some(Action { call, kind, target, effects, summary, basis, setting })
    }

    fn kind(&self) -> Option<ActionKind> {
        let text = self.text.clone();
        Some(match self.tool.as_str() {
            "click" => {
                ActionKind::Click { button: Button::Left, count: 1, modifiers: Vec::new(), hold_ms: 0 }
            }
            "move" => ActionKind::Move,
            "drag" => ActionKind::Drag {
                path: vec![Point::new(0, 0)],
                button: Button::Left,
                modifiers: Vec::new(),
            },
            "scroll" => ActionKind::Scroll { dx: 0, dy: 1, modifiers: Vec::new() },
            "type_text" => ActionKind::TypeText { text, submit: self.submit, clear: false },
            "select_option" => ActionKind::SelectOption { option: text },
            "press_keys" => {
                ActionKind::PressKeys { keys: self.keys.as_ref()?.parse().ok()?, hold_ms: 0, times: 1 }
            }
            "wait" => ActionKind::Wait { until: Condition::Elapsed, gone: false, timeout_ms: 1 },
            "zoom" => ActionKind::Zoom { region: Rect::new(0, 0, 1, 1) },
            "open_app" => ActionKind::OpenApp { command: text },
            "open_url" => ActionKind::OpenUrl { url: text },
            "focus_window" => ActionKind::FocusWindow,
            "read_clipboard" => ActionKind::ReadClipboard,
            "write_clipboard" => ActionKind::WriteClipboard { text },
            "note" => ActionKind::Note { text },
            "ask_user" => ActionKind::AskUser { question: text },
            "finish" => {
                ActionKind::Finish { status: Status::Success, evidence: Vec::new(), answer: text }
            }
            _ => return None,
        })
    }

    fn target(&self, kind: &ActionKind) -> Target {
        let window = self.app.as_ref().map(|app| TargetWindow {
            id: WindowId(1),
            app: app.clone(),
            title: self.title.clone(),
        });
        let element = self.role.map(|role| TargetElement {
            id: ElementId(1),
            key: ElementKey("case".into()),
            role,
            name: self.element.clone(),
            looks: None,
            within: self.within.clone(),
            source: Source::Accessibility,
            bounds: Rect::new(0, 0, 1, 1),
        });
        let points = matches!(
            kind,
            ActionKind::Click { .. }
                | ActionKind::Move
                | ActionKind::Drag { .. }
                | ActionKind::Scroll { .. }
        );
        Target { point: points.then(|| Point::new(0, 0)), element, window, destination: None }
    }
}

fn nothing() -> Option<Digest> {
    serde_json::from_value(Value::String("00".repeat(32))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preset::Preset;
    use crate::vocabulary::TOOLS;

    #[test]
    fn the_presets_do_what_their_cases_say() {
        for preset in Preset::ALL {
            let file = Path::new(preset.file());
            let cases = Cases::parse(preset.cases(), file).unwrap();
            let tried = cases.run(&preset.rules().unwrap()).unwrap();
            assert!(tried.len() > 4, "{preset}");
            for one in tried {
                assert!(one.is_right(), "{preset}: {}: {:#?}", one.case.name, one.said);
            }
        }
    }

    #[test]
    fn every_tool_can_stand_in_a_case() {
        for (tool, _) in TOOLS {
            let text = format!(
                "[[case]]\nname = \"x\"\nexpect = \"allow\"\ntool = \"{tool}\"\nkeys = \"a\"\n\
                 text = \"x\"\napp = \"x\"\nrole = \"button\"\n"
            );
            let cases = Cases::parse(&text, Path::new("x")).unwrap();
            let tried = cases.run(&Preset::Unattended.rules().unwrap()).unwrap();
            assert!(tried[0].is_right(), "{tool}: {:?}", tried[0].said);
        }
    }

    #[test]
    fn what_cannot_be_a_case_is_said() {
        let error =
            Cases::parse("\n[[case]]\nname = \"x\"\ntol = 1\n", Path::new("c.toml")).unwrap_err();
        assert!(error.to_string().starts_with("`c.toml`, line 4"), "{error}");
        let none = "[[case]]\nname = \"x\"\nexpect = \"deny\"\ntool = \"fly\"\nrule = \"unreadable\"\n";
        let cases = Cases::parse(none, Path::new("c.toml")).unwrap();
        assert!(cases.run(&Preset::Unattended.rules().unwrap()).unwrap()[0].is_right());
    }
}
