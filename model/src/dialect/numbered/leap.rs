//! The look before the leap: a button that ends something is not pressed while fields are empty, unless the
//! task would be done with it. Once pressed it is too late to find that half of the form was missing.

use freehand_tools::element::{Element, Role};

use super::check;
use crate::dialect::{Barred, Choice, PastStep, PlanView, Proposal, Usage, list};

/// The question whether the task would be done after `proposal`, where that is to press something while a
/// field is empty, and what is to be barred if it would not.
pub(super) fn question(view: &PlanView<'_>, proposal: &Proposal) -> Option<(Choice, Barred)> {
    let [call] = proposal.calls.as_slice() else { return None };
    let id = call.args.get("target")?.as_u64()?;
    let listed = list::listed(view.seen);
    let pressed = listed.iter().find(|element| u64::from(element.id.0) == id)?;
    let ends = call.tool == "click" && matches!(pressed.role, Role::Button | Role::Clickable);
    let empty = listed.iter().any(|element| is_empty_field(element, pressed));
    if !ends || !empty || view.steps.is_empty() {
        return None;
    }
    let did = format!("clicked {}", pressed.describe());
    let steps = view.steps.iter().cloned().chain([PastStep {
        did,
        result: None,
        effective: true,
        opened: None,
        times: 1,
    }]);
    let choice = check::question(view.task, &steps.collect::<Vec<_>>());
    Some((choice, Barred { id: Some(pressed.id), usage: Usage::Click }))
}

/// What stands in a password field cannot be seen, so it never counts as empty.
fn is_empty_field(field: &Element, pressed: &Element) -> bool {
    let holds = field.value.as_deref().is_some_and(|value| !value.trim().is_empty());
    matches!(field.role, Role::Textbox | Role::Moment)
        && !holds
        && !field.states.disabled
        && field.window == pressed.window
}
