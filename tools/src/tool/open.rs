//! The tools that bring something to the front: open_app, open_url, focus_window.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::action::{ActionKind, EffectClass, Target};
use crate::call::CallError;
use crate::desktop::{Desktop, DesktopError, Launch};
use crate::observation::Observation;
use crate::outcome::{Effect, Outcome};
use crate::permit::Redeemed;
use crate::quote::ticked;
use crate::tool::{Act, Grounded, Performed, bad};

/// Start a program.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenAppInput {
    /// Its command with its arguments, for example `mousepad notes.txt`. No shell reads it.
    pub name: String,
}

/// Open an address in the browser.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenUrlInput {
    /// An http, https or file address.
    pub url: String,
}

/// Bring a window to the front.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FocusWindowInput {
    /// Its title or its program, whole or in part.
    pub title: String,
}

/// The tool `open_app`.
#[derive(Debug, Default)]
pub struct OpenApp;

#[async_trait]
impl Act for OpenApp {
    const NAME: &'static str = "open_app";
    type Input = OpenAppInput;

    fn ground(input: OpenAppInput, _: &Observation) -> Result<Grounded, CallError> {
        words(&input.name)
            .ok_or_else(|| bad(Self::NAME, format!("`{}` is not a command", input.name)))?;
        let summary = format!("start {}", ticked(&input.name));
        let kind = ActionKind::OpenApp { command: input.name };
        Ok(Grounded { kind, target: Target::default(), effects: EffectClass::Launch, summary })
    }

    async fn act(permit: &Redeemed, desktop: &mut dyn Desktop) -> Result<Performed, DesktopError> {
        let ActionKind::OpenApp { command } = permit.kind() else {
            return Ok(Outcome::failed("nothing to start").into());
        };
        let argv = words(command).unwrap_or_default();
        desktop.launch(permit, Launch::App(argv)).await?;
        Ok(Outcome::sent().into())
    }
}

/// The words of a command, with quotes read as a shell would; `None` when there are none.
fn words(command: &str) -> Option<Vec<String>> {
    shlex::split(command).filter(|words| words.first().is_some_and(|word| !word.is_empty()))
}

/// The tool `open_url`.
#[derive(Debug, Default)]
pub struct OpenUrl;

#[async_trait]
impl Act for OpenUrl {
    const NAME: &'static str = "open_url";
    type Input = OpenUrlInput;

    fn ground(input: OpenUrlInput, _: &Observation) -> Result<Grounded, CallError> {
        let lower = input.url.to_lowercase();
        let known = ["http://", "https://", "file://"].iter().any(|scheme| lower.starts_with(scheme));
        if !known || input.url.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(bad(
                Self::NAME,
                format!("`{}` is not an http, https or file address", input.url),
            ));
        }
        let summary = format!("open {} in the browser", ticked(&input.url));
        let kind = ActionKind::OpenUrl { url: input.url };
        Ok(Grounded { kind, target: Target::default(), effects: EffectClass::Launch, summary })
    }

    async fn act(permit: &Redeemed, desktop: &mut dyn Desktop) -> Result<Performed, DesktopError> {
        let ActionKind::OpenUrl { url } = permit.kind() else {
            return Ok(Outcome::failed("nothing to open").into());
        };
        desktop.launch(permit, Launch::Url(url.clone())).await?;
        Ok(Outcome::sent().into())
    }
}

/// The tool `focus_window`.
#[derive(Debug, Default)]
pub struct FocusWindow;

#[async_trait]
impl Act for FocusWindow {
    const NAME: &'static str = "focus_window";
    type Input = FocusWindowInput;

    fn ground(input: FocusWindowInput, seen: &Observation) -> Result<Grounded, CallError> {
        let wanted = input.title.trim().to_lowercase();
        let window = seen
            .windows
            .iter()
            .filter(|_| !wanted.is_empty())
            .find(|w| w.title.to_lowercase().contains(&wanted) || w.app.to_lowercase().contains(&wanted))
            .ok_or_else(|| CallError::NotFound(input.title.clone()))?;
        let target = Target { window: Some(Target::window(window)), ..Target::default() };
        let summary = format!("bring {} to the front", ticked(&window.title));
        Ok(Grounded { kind: ActionKind::FocusWindow, target, effects: EffectClass::Input, summary })
    }

    async fn act(permit: &Redeemed, desktop: &mut dyn Desktop) -> Result<Performed, DesktopError> {
        let Some(window) = permit.target().window.as_ref() else {
            return Ok(Outcome::failed("no window").into());
        };
        desktop.launch(permit, Launch::Window(window.id)).await?;
        Ok(Outcome::Done { effect: Effect::Confirmed, answer: None }.into())
    }
}
