//! An action as a person is shown it: what, where it lands on the screen, and what would come of it.
//! Secrets are masked before anything leaves the process.

use freehand_policies::risk::Findings;
use freehand_tools::action::{Action, ActionKind};
use freehand_tools::geometry::{ScreenPoint, ScreenRect};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::trajectory::redact::MASK;

/// What would be done next, with all that is needed to draw it on the screen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Intent {
    /// In one sentence.
    pub summary: String,
    /// The tool.
    pub tool: String,
    /// Its arguments; a secret in them is masked.
    pub args: Value,
    /// Whether the arguments may be edited: not where they hold a secret that is masked.
    pub editable: bool,
    /// Where it lands, in screen pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<ScreenPoint>,
    /// Where a drag goes from there; the last point is where it is let go.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<ScreenPoint>,
    /// The element under it, in screen pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bounds: Option<ScreenRect>,
    /// What it types, presses or opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub types: Option<String>,
    /// The title of the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<String>,
    /// The program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
}

impl Intent {
    /// What `action` would do.
    pub fn of(action: &Action) -> Self {
        let secret = action.is_protected();
        let path =
            if let ActionKind::Drag { path, .. } = &action.kind { path.clone() } else { Vec::new() };
        let mut args = action.call.args.clone();
        if secret && let Some(text) = args.get_mut("text") {
            *text = MASK.into();
        }
        let target = &action.target;
        Self {
            summary: action.summary.clone(),
            tool: action.call.tool.clone(),
            args,
            editable: !secret,
            at: target.point,
            path,
            bounds: target.element.as_ref().map(|element| element.bounds),
            types: if secret { Some(MASK.into()) } else { typed(&action.kind) },
            window: target.window.as_ref().map(|window| window.title.clone()),
            app: target.window.as_ref().map(|window| window.app.clone()),
        }
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "what else there is types and opens nothing")]
fn typed(kind: &ActionKind) -> Option<String> {
    Some(match kind {
        ActionKind::TypeText { text, .. } | ActionKind::WriteClipboard { text } => text.clone(),
        ActionKind::SelectOption { option } => option.clone(),
        ActionKind::PressKeys { keys, .. } => keys.to_string(),
        ActionKind::OpenApp { command } => command.clone(),
        ActionKind::OpenUrl { url } => url.clone(),
        _ => return None,
    })
}

/// What would come of `action`, in one sentence: what it does, and what that would bring about.
pub fn effect(action: &Action) -> String {
    let found = Findings::of(action);
    let would: Vec<String> = found
        .effects
        .iter()
        .map(|effect| format!("it would {} ({})", effect.risk.phrase(), effect.why))
        .chain(found.unclear.iter().map(|what| format!("nobody can tell what {what} does")))
        .collect();
    if would.is_empty() {
        return action.summary.clone();
    }
    format!("{}; {}", action.summary, would.join("; "))
}
