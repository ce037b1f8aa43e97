//! What one client has done on the desktop: its calls, one after the other, with the person beside it.

use freehand_agent::AgentError;
use freehand_agent::event::{Event, Listener};
use freehand_agent::halt::Halt;
use freehand_agent::lent::LOOKING;
use freehand_agent::outside::Stop;
use freehand_agent::scripted::Scripted;
use freehand_agent::trajectory::recorder::Recorder;
use freehand_agent::trajectory::{Exit, Header};
use freehand_tools::call::ToolCall;
use freehand_tools::observation::Observation;
use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::Value;

use super::{offered, told};
use crate::work::Work;

/// Where a session is kept, and how that begins.
pub type Keeping = Box<dyn FnMut(&Header) -> Result<Recorder, AgentError> + Send>;

/// See the module.
pub struct Session {
    pub(super) work: Work,
    listener: Box<dyn Listener>,
    header: Header,
    keeping: Keeping,
    /// Keeps nothing until the client has said who it is.
    recorder: Recorder,
    begun: bool,
    ended: bool,
    stop: Stop,
    /// What the client was last told of the screen.
    last: Option<Observation>,
}

impl Session {
    /// The desktop of `work`, ended through `stop`. `listener` is told what happens, under `header` as soon as the
    /// client has said who it is; then `keeping` begins the record.
    pub fn new(
        work: Work,
        listener: Box<dyn Listener>,
        header: Header,
        keeping: Keeping,
        stop: Stop,
    ) -> Self {
        let (recorder, begun, ended, last) = (Recorder::off(), false, false, None);
        Self { work, listener, header, keeping, recorder, begun, ended, stop, last }
    }

    /// The client, of this `name`, has come. Later it is known.
    pub(super) fn begins(&mut self, name: &str) -> Result<(), AgentError> {
        if self.begun {
            return Ok(());
        }
        self.begun = true;
        self.header.task = format!("What {name} asks for");
        name.clone_into(&mut self.header.model);
        self.recorder = (self.keeping)(&self.header)?;
        self.work.protect(&mut self.recorder)?;
        self.listener.event(Event::Started { header: self.header.clone() });
        Ok(())
    }

    /// It is over, once.
    pub(super) fn ends(&mut self, exit: Exit) -> Result<(), AgentError> {
        if self.ended || !self.begun {
            self.let_go();
            return Ok(());
        }
        self.ended = true;
        self.stop.stop();
        self.calls().end(Halt::Exit(exit)).map(drop)
    }

    pub(super) fn let_go(&mut self) {
        self.work.opened.desktop.release();
    }

    /// What its calls go through.
    pub(super) fn calls(&mut self) -> Scripted<'_> {
        let Work { opened, toolbox, gate, desk, .. } = &mut self.work;
        Scripted {
            desktop: opened.desktop.as_mut(),
            toolbox,
            gate,
            recorder: &mut self.recorder,
            listener: self.listener.as_ref(),
            stop: self.stop.clone(),
            person: desk.person.clone(),
        }
    }

    /// Does one.
    pub(super) async fn call(&mut self, name: &str, args: Value) -> Result<CallToolResult, Halt> {
        let mut told = if name == LOOKING {
            match serde_json::from_value(args) {
                Ok(args) => self.observe(&args).await?,
                Err(error) => told::failed(&format!("the arguments of `{name}`: {error}")),
            }
        } else {
            self.act(ToolCall::new(name, args)).await?
        };
        told.content.extend(told::interventions(&self.calls().heard()));
        Ok(told)
    }

    async fn observe(&mut self, args: &offered::Observe) -> Result<CallToolResult, Halt> {
        let seen = self.calls().show().await?;
        let mut content = vec![ContentBlock::text(told::screen(&seen))];
        content.extend(args.picture.then(|| told::marked(&seen)).into_iter().flatten());
        self.last = Some(seen);
        Ok(CallToolResult::success(content))
    }

    async fn act(&mut self, call: ToolCall) -> Result<CallToolResult, Halt> {
        let served = self.calls().serve(&call).await?;
        let Some(now) = served.now else { return Ok(told::done(&served.done, None)) };
        let before = self.last.as_ref().or(served.before.as_ref()).unwrap_or(&now);
        let told = told::done(&served.done, Some((before, &now)));
        self.last = Some(now);
        Ok(told)
    }
}
