//! The tool select_option: opens a dropdown and takes one of its options, with the mouse where the
//! open list shows it and with the keyboard where it does not.

use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::action::{ActionKind, Button, EffectClass};
use crate::call::CallError;
use crate::desktop::{Desktop, DesktopError, KeyboardInput, PointerInput};
use crate::element::{Element, Role};
use crate::key::NamedKey;
use crate::observation::Observation;
use crate::outcome::{Effect, Outcome};
use crate::permit::Redeemed;
use crate::quote::{ticked, typed};
use crate::settle::{Patience, settle};
use crate::tool::keyboard::{plain, tap};
use crate::tool::pointer::place_name;
use crate::tool::target::Place;
use crate::tool::{Act, Grounded, Performed, bad};

/// Choose an option of a dropdown.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SelectOptionInput {
    /// The dropdown.
    pub target: Place,
    /// The text of the option.
    pub option: String,
}

/// The tool `select_option`.
#[derive(Debug, Default)]
pub struct SelectOption;

#[async_trait]
impl Act for SelectOption {
    const NAME: &'static str = "select_option";
    type Input = SelectOptionInput;

    fn ground(input: SelectOptionInput, seen: &Observation) -> Result<Grounded, CallError> {
        let target = input.target.ground(seen)?;
        let option = input.option.trim().to_owned();
        if option.is_empty() {
            return Err(bad(Self::NAME, "`option` is empty"));
        }
        let options = target
            .element
            .as_ref()
            .and_then(|element| seen.element(element.id))
            .map_or(&[][..], |element| element.options.as_slice());
        if !options.is_empty() && !options.iter().any(|known| same(known, &option)) {
            return Err(bad(
                Self::NAME,
                format!("{} is not an option; there are: {}", ticked(&option), options.join(", ")),
            ));
        }
        let summary = format!("choose {} in {}", typed(&option), place_name(&target));
        Ok(Grounded {
            kind: ActionKind::SelectOption { option },
            target,
            effects: EffectClass::Input,
            summary,
        })
    }

    async fn act(permit: &Redeemed, desktop: &mut dyn Desktop) -> Result<Performed, DesktopError> {
        let (Some(point), ActionKind::SelectOption { option }) = (permit.target().point, permit.kind())
        else {
            return Ok(Outcome::failed("no dropdown").into());
        };
        let before = desktop.capture(None).await?;
        desktop.pointer(permit, PointerInput::MoveTo(point)).await?;
        desktop.pointer(permit, PointerInput::Click(Button::Left, 1)).await?;
        settle(desktop, &before, Patience { cap: Duration::from_millis(800), ..Patience::default() })
            .await?;
        let open = desktop.observe().await?;
        if let Some(entry) = entry(&open, option, permit) {
            let at = entry.bounds.center();
            desktop.pointer(permit, PointerInput::MoveTo(at)).await?;
            desktop.pointer(permit, PointerInput::Click(Button::Left, 1)).await?;
            return Ok(Outcome::Done { effect: Effect::Unconfirmed, answer: None }.into());
        }
        by_keyboard(permit, desktop, &open, option).await
    }
}

fn same(a: &str, b: &str) -> bool {
    a.trim().to_lowercase() == b.trim().to_lowercase()
}

/// The open list's entry of that name.
fn entry<'a>(open: &'a Observation, option: &str, permit: &Redeemed) -> Option<&'a Element> {
    let own = permit.target().element.as_ref().map(|element| &element.key);
    open.elements
        .iter()
        .filter(|element| Some(&element.key) != own)
        .filter(|element| matches!(element.role, Role::Option | Role::MenuItem | Role::ListItem))
        .find(|element| same(&element.name, option))
}

/// Goes to the option by its place in the list, or by typing its first letters.
async fn by_keyboard(
    permit: &Redeemed,
    desktop: &mut dyn Desktop,
    open: &Observation,
    option: &str,
) -> Result<Performed, DesktopError> {
    let element = permit.target().element.as_ref().and_then(|element| open.element(element.id));
    let place = element.and_then(|element| element.options.iter().position(|known| same(known, option)));
    if let Some(steps) = place {
        tap(permit, desktop, plain(NamedKey::Home)).await?;
        for _ in 0..steps {
            tap(permit, desktop, plain(NamedKey::Down)).await?;
        }
    } else {
        desktop.keyboard(permit, KeyboardInput::Text(option.to_owned())).await?;
    }
    tap(permit, desktop, plain(NamedKey::Enter)).await?;
    Ok(Outcome::sent().into())
}
