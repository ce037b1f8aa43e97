//! The tools of the clipboard: read_clipboard and write_clipboard.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::action::{ActionKind, EffectClass, Target};
use crate::call::CallError;
use crate::desktop::{ClipboardUse, Desktop, DesktopError};
use crate::observation::Observation;
use crate::outcome::Outcome;
use crate::permit::Redeemed;
use crate::quote::typed;
use crate::tool::{Act, Grounded, Performed};

/// Read the text on the clipboard.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadClipboardInput {}

/// Put a text on the clipboard.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WriteClipboardInput {
    /// The text.
    pub text: String,
}

/// As much of the clipboard as a model is shown, in characters.
const MAX_SHOWN: usize = 2_000;

/// The tool `read_clipboard`.
#[derive(Debug, Default)]
pub struct ReadClipboard;

#[async_trait]
impl Act for ReadClipboard {
    const NAME: &'static str = "read_clipboard";
    type Input = ReadClipboardInput;

    fn ground(_: ReadClipboardInput, _: &Observation) -> Result<Grounded, CallError> {
        Ok(Grounded {
            kind: ActionKind::ReadClipboard,
            target: Target::default(),
            effects: EffectClass::ReadClipboard,
            summary: "read the clipboard".into(),
        })
    }

    async fn act(permit: &Redeemed, desktop: &mut dyn Desktop) -> Result<Performed, DesktopError> {
        let text = desktop.clipboard(permit, ClipboardUse::Read).await?.unwrap_or_default();
        Ok(Outcome::answer(text.chars().take(MAX_SHOWN).collect::<String>()).into())
    }
}

/// The tool `write_clipboard`.
#[derive(Debug, Default)]
pub struct WriteClipboard;

#[async_trait]
impl Act for WriteClipboard {
    const NAME: &'static str = "write_clipboard";
    type Input = WriteClipboardInput;

    fn ground(input: WriteClipboardInput, _: &Observation) -> Result<Grounded, CallError> {
        let summary = format!("put {} on the clipboard", typed(&input.text));
        Ok(Grounded {
            kind: ActionKind::WriteClipboard { text: input.text },
            target: Target::default(),
            effects: EffectClass::WriteClipboard,
            summary,
        })
    }

    async fn act(permit: &Redeemed, desktop: &mut dyn Desktop) -> Result<Performed, DesktopError> {
        let ActionKind::WriteClipboard { text } = permit.kind() else {
            return Ok(Outcome::failed("nothing to write").into());
        };
        desktop.clipboard(permit, ClipboardUse::Write(text.clone())).await?;
        Ok(Outcome::answer("the clipboard holds the text").into())
    }
}
