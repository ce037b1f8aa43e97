//! All tools by name: resolves calls and performs what was permitted.

use crate::action::Action;
use crate::call::{CallError, ToolCall, ToolSpec};
use crate::desktop::{Desktop, DesktopError};
use crate::observation::Observation;
use crate::outcome::Outcome;
use crate::permit::Permit;
use crate::tool::{Performed, Tool, Typed, clipboard, keyboard, look, open, pointer, select, talk};

/// A set of tools.
#[derive(Debug)]
pub struct Toolbox {
    tools: Vec<Box<dyn Tool>>,
}

impl Default for Toolbox {
    fn default() -> Self {
        Self {
            tools: vec![
                Box::new(Typed::<pointer::Click>::new()),
                Box::new(Typed::<keyboard::TypeText>::new()),
                Box::new(Typed::<select::SelectOption>::new()),
                Box::new(Typed::<keyboard::PressKeys>::new()),
                Box::new(Typed::<pointer::Scroll>::new()),
                Box::new(Typed::<pointer::Drag>::new()),
                Box::new(Typed::<pointer::Move>::new()),
                Box::new(Typed::<open::OpenApp>::new()),
                Box::new(Typed::<open::OpenUrl>::new()),
                Box::new(Typed::<open::FocusWindow>::new()),
                Box::new(Typed::<look::Wait>::new()),
                Box::new(Typed::<look::Zoom>::new()),
                Box::new(Typed::<clipboard::ReadClipboard>::new()),
                Box::new(Typed::<clipboard::WriteClipboard>::new()),
                Box::new(Typed::<talk::Note>::new()),
                Box::new(Typed::<talk::AskUser>::new()),
                Box::new(Typed::<talk::Finish>::new()),
            ],
        }
    }
}

impl Toolbox {
    /// What each tool says of itself.
    pub fn specs(&self) -> impl Iterator<Item = &ToolSpec> {
        self.tools.iter().map(|tool| tool.spec())
    }

    fn tool(&self, name: &str) -> Result<&dyn Tool, CallError> {
        let found = self.tools.iter().find(|tool| tool.spec().name == name);
        found.map(AsRef::as_ref).ok_or_else(|| {
            let known: Vec<&str> = self.specs().map(|spec| spec.name).collect();
            CallError::UnknownTool { name: name.into(), known: known.join(", ") }
        })
    }

    /// Grounds a call on what is seen.
    pub fn resolve(&self, call: &ToolCall, seen: &Observation) -> Result<Action, CallError> {
        self.tool(&call.tool)?.resolve(call, seen)
    }

    /// Does what the permit allows. `Err` means that the desktop is gone.
    pub async fn perform(
        &self,
        permit: Permit,
        desktop: &mut dyn Desktop,
    ) -> Result<Performed, DesktopError> {
        match self.tool(&permit.action().call.tool) {
            Ok(tool) => tool.perform(permit, desktop).await,
            Err(error) => Ok(Outcome::failed(error.to_string()).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_says_what_it_does_and_takes() {
        let toolbox = Toolbox::default();
        for spec in toolbox.specs() {
            assert!(!spec.description.is_empty(), "{}", spec.name);
            assert_eq!(spec.schema["type"], "object", "{}", spec.name);
            assert_eq!(spec.schema["additionalProperties"], false, "{}", spec.name);
        }
    }
}
