//! A workflow: tool calls, waits, checks, variables, and tasks for the model, written down in a YAML
//! file. All that can be wrong with it before the screen is seen is found before it is begun.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use freehand_tools::call::{CallError, ToolCall};
use freehand_tools::desktop::curtain::Hidden;
use freehand_tools::frame::{Frame, Monitor};
use freehand_tools::geometry::{Rect, ScreenPoint};
use freehand_tools::observation::{Observation, ObservationId};
use freehand_tools::tool::target::Place;
use freehand_tools::toolbox::Toolbox;
use image::RgbImage;
use serde_json::Value;

use crate::AgentError;

mod file;
mod run;
mod variables;

pub(crate) use run::absent;
pub use run::{TaskRunner, TaskWork};

/// As many bytes as a workflow file may have.
const MAX_FILE: usize = 1 << 20;

/// A place in the file, both counted from 1; 0 where it is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: u64,
    /// The column, in characters.
    pub column: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// A workflow as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Workflow {
    /// What it is called.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Its variables with what they hold; `None` is to be given by the one who runs it.
    pub vars: BTreeMap<String, Option<String>>,
    /// What is done, in order.
    pub steps: Vec<WorkflowStep>,
    path: PathBuf,
}

/// One step of a workflow.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkflowStep {
    /// Where it begins.
    pub at: Position,
    /// What it is called.
    pub name: Option<String>,
    /// What it does.
    pub work: Work,
}

/// What a step does. Texts still hold their variables.
#[derive(Debug, Clone, PartialEq)]
pub enum Work {
    /// Calls a tool.
    Call {
        /// The call.
        call: ToolCall,
        /// Where the tool is named.
        tool_at: Position,
        /// Where the arguments begin.
        at: Position,
        /// How long its target is waited for.
        patience: Duration,
    },
    /// Looks whether something is on the screen, or gone, and ends the workflow otherwise.
    Assert {
        /// A call of `wait` that says for what.
        call: ToolCall,
        /// Where it begins.
        at: Position,
    },
    /// Gives variables their values.
    Set {
        /// Names and values.
        values: BTreeMap<String, String>,
        /// Where it begins.
        at: Position,
    },
    /// Gives a variable what an element holds.
    Read {
        /// The variable.
        variable: String,
        /// The element, as a target is written.
        from: Value,
        /// Where it begins.
        at: Position,
        /// How long the element is waited for.
        patience: Duration,
    },
    /// Has the model do something.
    Task {
        /// What.
        task: String,
        /// As many steps as it may take.
        max_steps: Option<u32>,
        /// Where it begins.
        at: Position,
    },
}

impl Workflow {
    /// Reads a file.
    pub fn load(path: &Path) -> Result<Self, AgentError> {
        let unreadable = |source| AgentError::Unreadable { path: path.to_owned(), source };
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path).map_err(unreadable)?;
        std::io::Read::read_to_end(&mut std::io::Read::take(file, MAX_FILE as u64 + 1), &mut bytes)
            .map_err(unreadable)?;
        let bad = |reason: String| AgentError::BadWorkflow { path: path.to_owned(), reason };
        if bytes.len() > MAX_FILE {
            return Err(bad(format!("it is larger than {} MB", MAX_FILE >> 20)));
        }
        let text = String::from_utf8(bytes).map_err(|_| bad("it is not UTF-8 text".into()))?;
        Self::parse(&text, path)
    }

    /// Reads a text; `path` is its name in errors.
    pub fn parse(text: &str, path: &Path) -> Result<Self, AgentError> {
        let workflow = file::parse(text).map_err(|fault| AgentError::BadWorkflow {
            path: path.to_owned(),
            reason: match fault.at {
                Some(at) => format!("{at}: {}", fault.reason),
                None => fault.reason,
            },
        })?;
        Ok(Self { path: path.to_owned(), ..workflow })
    }

    /// Gives a variable another value than the file does.
    pub fn set(&mut self, name: &str, value: impl Into<String>) -> Result<(), AgentError> {
        if let Some(held) = self.vars.get_mut(name) {
            *held = Some(value.into());
            return Ok(());
        }
        Err(self.bad(variables::Trouble::Unknown(name.into()).words(self.vars.keys())))
    }

    /// Finds what is wrong before anything is done: unknown tools and variables, variables without a
    /// value, arguments that fit no screen at all.
    pub fn check(&self, toolbox: &Toolbox) -> Result<(), AgentError> {
        let mut known = self.values()?;
        // What is read off the screen is not known yet.
        let mut later: BTreeMap<String, String> = known.clone();
        let blank = blank();
        for step in &self.steps {
            match &step.work {
                Work::Call { call, tool_at, at, .. } => {
                    self.check_tool(call, *tool_at, toolbox)?;
                    self.check_call(call, *at, (&known, &later), toolbox, &blank)?;
                }
                Work::Assert { call, at } => {
                    self.check_call(call, *at, (&known, &later), toolbox, &blank)?;
                }
                Work::Set { values, at } => {
                    for (name, text) in values {
                        self.fill(text, &later, *at)?;
                        match variables::fill(text, &known) {
                            Ok(value) => known.insert(name.clone(), value),
                            Err(_) => known.remove(name),
                        };
                        later.insert(name.clone(), String::new());
                    }
                }
                Work::Read { variable, from, at, .. } => {
                    let from = self.fill_value(from, &later, *at)?;
                    Place::try_from(from)
                        .map_err(|reason| self.bad(format!("{at}: `from`: {reason}")))?;
                    known.remove(variable);
                    later.insert(variable.clone(), String::new());
                }
                Work::Task { task, at, .. } => drop(self.fill(task, &later, *at)?),
            }
        }
        Ok(())
    }

    fn check_tool(&self, call: &ToolCall, at: Position, toolbox: &Toolbox) -> Result<(), AgentError> {
        if call.tool == "finish" {
            return Err(
                self.bad(format!("{at}: a workflow ends after its last step; leave `finish` out"))
            );
        }
        if toolbox.specs().any(|spec| spec.name == call.tool) {
            return Ok(());
        }
        let known: Vec<&str> =
            toolbox.specs().map(|spec| spec.name).filter(|name| *name != "finish").collect();
        let error = CallError::UnknownTool { name: call.tool.clone(), known: known.join(", ") };
        Err(self.bad(format!("{at}: {error}")))
    }

    fn check_call(
        &self,
        call: &ToolCall,
        at: Position,
        (known, later): (&BTreeMap<String, String>, &BTreeMap<String, String>),
        toolbox: &Toolbox,
        blank: &Observation,
    ) -> Result<(), AgentError> {
        self.fill_value(&call.args, later, at)?;
        let Ok(args) = variables::fill_value(&call.args, known) else { return Ok(()) };
        match toolbox.resolve(&ToolCall { args, ..call.clone() }, blank) {
            Err(error @ (CallError::BadArguments { .. } | CallError::Key(_))) => {
                Err(self.bad(format!("{at}: {error}")))
            }
            _ => Ok(()),
        }
    }

    /// The variables as the run begins.
    fn values(&self) -> Result<BTreeMap<String, String>, AgentError> {
        let value = |(name, value): (&String, &Option<String>)| match value {
            Some(value) => Ok((name.clone(), value.clone())),
            None => {
                Err(self
                    .bad(format!("the variable `{name}` has no value; give it one with --var {name}=…")))
            }
        };
        self.vars.iter().map(value).collect()
    }

    fn fill(
        &self,
        text: &str,
        vars: &BTreeMap<String, String>,
        at: Position,
    ) -> Result<String, AgentError> {
        let trouble =
            |trouble: variables::Trouble| self.bad(format!("{at}: {}", trouble.words(vars.keys())));
        variables::fill(text, vars).map_err(trouble)
    }

    fn fill_value(
        &self,
        value: &Value,
        vars: &BTreeMap<String, String>,
        at: Position,
    ) -> Result<Value, AgentError> {
        let trouble =
            |trouble: variables::Trouble| self.bad(format!("{at}: {}", trouble.words(vars.keys())));
        variables::fill_value(value, vars).map_err(trouble)
    }

    fn bad(&self, reason: String) -> AgentError {
        AgentError::BadWorkflow { path: self.path.clone(), reason }
    }
}

/// A screen with nothing on it: arguments that do not fit it for another reason fit no screen.
fn blank() -> Observation {
    let monitor = Monitor { name: String::new(), bounds: Rect::new(0, 0, 1, 1), scale: 1.0 };
    Observation {
        id: ObservationId::next(),
        frame: Frame::new(monitor, RgbImage::new(1, 1)),
        windows: Vec::new(),
        elements: Vec::new(),
        focus: None,
        cursor: ScreenPoint::new(0, 0),
        gaps: Vec::new(),
        more: Vec::new(),
        hidden: Hidden::default(),
    }
}

#[cfg(test)]
mod tests;
