//! The tools. Each is one input type, whose documentation is what the model reads and whose schema
//! is made from it, one way to ground the input on what is seen, and one way to do it.

use std::fmt;
use std::marker::PhantomData;

use async_trait::async_trait;
use schemars::{JsonSchema, generate::SchemaSettings};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::action::{Action, ActionKind, Basis, EffectClass, Target};
use crate::call::{CallError, ToolCall, ToolSpec};
use crate::desktop::{Desktop, DesktopError};
use crate::frame::Frame;
use crate::observation::Observation;
use crate::outcome::Outcome;
use crate::permit::{Permit, Redeemed, Void};
use crate::setting::Setting;

pub mod clipboard;
pub mod keyboard;
pub mod look;
pub mod open;
pub mod pointer;
pub mod select;
pub mod talk;
pub mod target;

/// Longest time that a key or a button is held, in ms.
pub(crate) const MAX_HOLD: u32 = 10_000;

/// What a tool has done.
#[derive(Debug, Clone)]
pub struct Performed {
    /// What became of it.
    pub outcome: Outcome,
    /// A picture that it took, for tools that look.
    pub picture: Option<Frame>,
}

impl From<Outcome> for Performed {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, picture: None }
    }
}

/// One tool as the toolbox holds it.
#[async_trait]
pub trait Tool: Send + Sync + fmt::Debug {
    /// What it says of itself.
    fn spec(&self) -> &ToolSpec;

    /// Turns a call into a grounded action. Pure: it looks at nothing but the observation.
    fn resolve(&self, call: &ToolCall, seen: &Observation) -> Result<Action, CallError>;

    /// Does what the permit allows. `Err` means that the desktop is gone.
    async fn perform(
        &self,
        permit: Permit,
        desktop: &mut dyn Desktop,
    ) -> Result<Performed, DesktopError>;
}

/// A call grounded on an observation, before it is judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Grounded {
    /// What would be done.
    pub kind: ActionKind,
    /// Where.
    pub target: Target,
    /// What it would change.
    pub effects: EffectClass,
    /// The whole of it in one sentence.
    pub summary: String,
}

/// What is written for each tool; [`Typed`] makes a [`Tool`] of it.
#[async_trait]
pub trait Act: Send + Sync + fmt::Debug + Default + 'static {
    /// The name that a call uses.
    const NAME: &'static str;
    /// The arguments. The documentation of the type is the description of the tool.
    type Input: DeserializeOwned + JsonSchema + Send;

    /// What the input would mean on this screen.
    fn ground(input: Self::Input, seen: &Observation) -> Result<Grounded, CallError>;

    /// Does it.
    async fn act(permit: &Redeemed, desktop: &mut dyn Desktop) -> Result<Performed, DesktopError>;
}

/// A [`Tool`] made of what is particular to it.
#[derive(Debug)]
pub struct Typed<A> {
    spec: ToolSpec,
    act: PhantomData<fn() -> A>,
}

impl<A: Act> Typed<A> {
    /// The tool, with its schema.
    pub fn new() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|s| {
            s.inline_subschemas = true;
            s.meta_schema = None;
        });
        let mut schema = settings.into_generator().into_root_schema_for::<A::Input>().to_value();
        let mut description = String::new();
        if let Some(object) = schema.as_object_mut() {
            object.remove("title");
            if let Some(Value::String(text)) = object.remove("description") {
                description = text;
            }
        }
        Self { spec: ToolSpec { name: A::NAME, description, schema }, act: PhantomData }
    }
}

impl<A: Act> Default for Typed<A> {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl<A: Act> Tool for Typed<A> {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn resolve(&self, call: &ToolCall, seen: &Observation) -> Result<Action, CallError> {
        let args =
            if call.args.is_null() { Value::Object(serde_json::Map::new()) } else { call.args.clone() };
        let input = serde_json::from_value(args)
            .map_err(|e| CallError::BadArguments { tool: A::NAME.into(), message: e.to_string() })?;
        let Grounded { kind, target, effects, summary } = A::ground(input, seen)?;
        let basis = Basis { observation: seen.id, frame: seen.frame.digest() };
        let setting = Setting::of(&target, seen);
        Ok(Action { call: call.clone(), kind, target, effects, summary, basis, setting })
    }

    async fn perform(
        &self,
        permit: Permit,
        desktop: &mut dyn Desktop,
    ) -> Result<Performed, DesktopError> {
        let redeemed = match permit.redeem(desktop).await {
            Ok(redeemed) => redeemed,
            Err(Void::Desktop(error)) if error.is_fatal() => return Err(error),
            Err(void) => {
                let hint = Some("look at the new list and choose again".into());
                return Ok(Outcome::Failed { reason: void.to_string(), hint }.into());
            }
        };
        match A::act(&redeemed, desktop).await {
            Err(error) if !error.is_fatal() => Ok(Outcome::failed(error.to_string()).into()),
            result => result,
        }
    }
}

pub(crate) fn bad(tool: &str, message: impl Into<String>) -> CallError {
    CallError::BadArguments { tool: tool.into(), message: message.into() }
}
