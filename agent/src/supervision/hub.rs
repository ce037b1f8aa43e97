//! The one truth of a supervised run: numbers what happens, keeps what it comes to, asks the person,
//! and follows the first of several who answer.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use freehand_tools::gate::Approval;
use tokio::sync::{mpsc, oneshot, watch};

use super::message::{
    Answer, Command, Extent, Numbered, Pace, Question, Subject, ToView, VERSION, Wait,
};
use super::state::{Activity, State};
use super::steering::Steering;
use crate::event::{Event, Listener, Nobody};
use crate::outside::Stop;

/// Events that are kept for views that come back; who was away for longer gets the state.
const KEPT: usize = 4_096;
/// Answers that are kept, so that a late one is told whose came first.
const CLOSED: usize = 64;
/// Characters that a person may say at once.
const SAYING: usize = 4_000;

/// Holds a supervised session. Cheap to clone; every copy is the same.
#[derive(Clone)]
pub struct Hub {
    session: String,
    inner: Arc<Mutex<Inner>>,
    latest: watch::Sender<u64>,
    steering: Steering,
    echo: Arc<dyn Listener>,
}

#[derive(Default)]
struct Inner {
    number: u64,
    kept: VecDeque<Numbered>,
    state: State,
    questions: u64,
    open: Option<(u64, bool, oneshot::Sender<Answer>)>,
    closed: VecDeque<(u64, String)>,
    stop: Stop,
    tasks: Option<mpsc::UnboundedSender<String>>,
    /// How the run went on before the person took over.
    before: Pace,
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("session", &self.session).finish_non_exhaustive()
    }
}

impl Hub {
    /// A hub that is known as `session`, a name that no other has: numbers mean nothing in another one.
    pub fn new(session: impl Into<String>, steering: Steering) -> Self {
        let latest = watch::Sender::new(0);
        let inner = Arc::default();
        Self { session: session.into(), inner, latest, steering, echo: Arc::new(Nobody) }
    }

    /// Tells `listener` everything too, in the same order.
    #[must_use]
    pub fn echoing(mut self, listener: Arc<dyn Listener>) -> Self {
        self.echo = listener;
        self
    }

    /// What the run looks at.
    pub const fn steering(&self) -> &Steering {
        &self.steering
    }

    /// The way to stop the run that comes next; it is stopped through no other.
    pub fn stops(&self, stop: Stop) {
        self.inner().stop = stop;
    }

    /// Where tasks go that the person begins.
    pub fn starts(&self, tasks: mpsc::UnboundedSender<String>) {
        self.inner().tasks = Some(tasks);
    }

    /// What everything so far comes to.
    pub fn state(&self) -> State {
        self.inner().state.clone()
    }

    /// Whether mouse and keyboard are the person's now: they took over, and the run stands still.
    pub fn is_handed_over(&self) -> bool {
        let inner = self.inner();
        let rests =
            inner.state.waiting == Some(Wait::GiveBack) || inner.state.activity != Activity::Running;
        self.steering.pace() == Pace::TakenOver && rests
    }

    /// A view joins; `known` is the session and the last number that it has seen, where it was here before.
    pub fn join(&self, known: Option<(&str, u64)>) -> Updates {
        let inner = self.inner();
        let after = known.filter(|(session, _)| *session == self.session).map(|(_, number)| number);
        let first = match after {
            Some(number) if inner.reaches(number) => {
                ToView::Resumed { session: self.session.clone(), number }
            }
            _ => self.whole(&inner),
        };
        let seen = after.filter(|number| inner.reaches(*number)).unwrap_or(inner.number);
        Updates { hub: self.clone(), seen, latest: self.latest.subscribe(), first: Some(first) }
    }

    fn whole(&self, inner: &Inner) -> ToView {
        let (session, number) = (self.session.clone(), inner.number);
        ToView::State { protocol: VERSION, session, number, state: inner.state.clone() }
    }

    /// Does what `by` wants, or says why not.
    pub fn command(&self, command: Command, by: &str) -> Result<(), String> {
        match command {
            Command::Approve { extent: Extent::For { minutes }, .. }
                if !(1..=Approval::LONGEST).contains(&minutes) =>
            {
                Err(format!("a yes holds from 1 to {} minutes", Approval::LONGEST))
            }
            Command::Approve { question, extent } => {
                self.answer(question, Answer::Approved { extent }, by)
            }
            Command::Edit { question, args } => self.answer(question, Answer::Changed { args }, by),
            Command::Deny { question, reason } => {
                let reason = reason.chars().take(SAYING).collect();
                self.answer(question, Answer::Denied { reason }, by)
            }
            Command::Tell { question, text } => self.answer(question, Answer::Told { text }, by),
            Command::Pause => self.set(Pace::Paused, by),
            Command::Step => self.set(Pace::Step, by),
            Command::Resume => self.set(Pace::Going, by),
            Command::Stop => self.stop(),
            Command::TakeOver => self.take_over(by),
            Command::GiveBack => self.give_back(by),
            Command::Say { text } => self.say(&text, by),
            Command::Start { task } => self.start(&task),
            Command::Look => {
                self.steering.look();
                Ok(())
            }
            Command::LookAway => {
                self.steering.look_away();
                Ok(())
            }
        }
    }

    /// Asks the person and waits for the first answer. A question that is dropped is closed.
    pub(super) async fn ask(&self, subject: Subject) -> Answer {
        let (send, receive) = oneshot::channel();
        let words = matches!(subject, Subject::Words { .. });
        let (number, stop) = {
            let mut inner = self.inner();
            inner.questions += 1;
            let number = inner.questions;
            inner.open = Some((number, words, send));
            self.tell(&mut inner, Event::Asked { question: Question { number, subject } });
            (number, inner.stop.clone())
        };
        let open = Open { hub: self, number };
        let answer = tokio::select! {
            answer = receive => answer.unwrap_or(Answer::Withdrawn),
            () = stop.stopped() => Answer::Withdrawn,
            () = self.steering.is_taken_over() => Answer::Withdrawn,
        };
        drop(open);
        answer
    }

    fn answer(&self, question: u64, answer: Answer, by: &str) -> Result<(), String> {
        let mut inner = self.inner();
        let fits = |words: bool| match answer {
            Answer::Approved { .. } | Answer::Changed { .. } => !words,
            Answer::Told { .. } => words,
            Answer::Denied { .. } | Answer::Withdrawn => true,
        };
        match &inner.open {
            Some((number, words, _)) if *number == question && !fits(*words) => {
                return Err("this is no answer to this question".into());
            }
            Some((number, _, _)) if *number == question => {}
            _ => return Err(inner.late(question)),
        }
        if let Some((_, _, send)) = inner.open.take() {
            inner.close(question, by);
            let told = Event::Answered { question, answer: answer.clone(), by: by.to_owned() };
            self.tell(&mut inner, told);
            let _ = send.send(answer);
        }
        Ok(())
    }

    fn withdraw(&self, question: u64) {
        let mut inner = self.inner();
        if inner.open.take_if(|(number, _, _)| *number == question).is_some() {
            inner.close(question, "");
            let answer = Answer::Withdrawn;
            self.tell(&mut inner, Event::Answered { question, answer, by: String::new() });
        }
    }

    fn set(&self, pace: Pace, by: &str) -> Result<(), String> {
        let mut inner = self.inner();
        if inner.state.activity != Activity::Running {
            return Err("no task is under way".into());
        }
        if self.steering.pace() == Pace::TakenOver {
            return Err("give mouse and keyboard back first".into());
        }
        self.pace(&mut inner, pace, by);
        Ok(())
    }

    fn take_over(&self, by: &str) -> Result<(), String> {
        let mut inner = self.inner();
        let pace = self.steering.pace();
        if pace == Pace::TakenOver {
            return Err("mouse and keyboard were taken over already".into());
        }
        inner.before = pace;
        self.pace(&mut inner, Pace::TakenOver, by);
        Ok(())
    }

    fn give_back(&self, by: &str) -> Result<(), String> {
        let mut inner = self.inner();
        if self.steering.pace() != Pace::TakenOver {
            return Err("mouse and keyboard were not taken over".into());
        }
        let pace = if inner.before == Pace::Going { Pace::Going } else { Pace::Paused };
        self.pace(&mut inner, pace, by);
        Ok(())
    }

    fn pace(&self, inner: &mut Inner, pace: Pace, by: &str) {
        self.steering.set(pace);
        self.tell(inner, Event::Paced { pace, by: by.to_owned() });
    }

    fn stop(&self) -> Result<(), String> {
        let inner = self.inner();
        if inner.state.activity != Activity::Running {
            return Err("no task is under way".into());
        }
        inner.stop.stop();
        Ok(())
    }

    fn say(&self, text: &str, by: &str) -> Result<(), String> {
        let text = sentence(text)?;
        let mut inner = self.inner();
        if inner.state.activity != Activity::Running {
            return Err("no task is under way; begin one".into());
        }
        self.steering.say(text.clone());
        self.tell(&mut inner, Event::Said { text, by: by.to_owned() });
        Ok(())
    }

    fn start(&self, task: &str) -> Result<(), String> {
        let task = sentence(task)?;
        let inner = self.inner();
        if inner.state.activity == Activity::Running {
            return Err("a task is under way; stop it first, or add a sentence to it".into());
        }
        let sent = inner.tasks.as_ref().is_some_and(|tasks| tasks.send(task).is_ok());
        if sent { Ok(()) } else { Err("no task can be begun here; use `freehand console`".into()) }
    }

    /// Numbers, keeps and hands on.
    fn tell(&self, inner: &mut Inner, event: Event) {
        inner.number += 1;
        inner.state.take(&event);
        if inner.state.pace != self.steering.pace() {
            // A task ends with the wishes for it.
            self.steering.set(inner.state.pace);
        }
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let at_ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        self.echo.event(event.clone());
        inner.kept.push_back(Numbered { number: inner.number, at_ms, event });
        if inner.kept.len() > KEPT {
            inner.kept.pop_front();
        }
        self.latest.send_replace(inner.number);
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listener for Hub {
    fn event(&self, event: Event) {
        self.tell(&mut self.inner(), event);
    }
}

impl Inner {
    /// Whether all that came after `number` is kept.
    fn reaches(&self, number: u64) -> bool {
        let first = self.kept.front().map_or(self.number + 1, |first| first.number);
        number <= self.number && number + 1 >= first
    }

    fn close(&mut self, question: u64, by: &str) {
        self.closed.push_back((question, by.to_owned()));
        if self.closed.len() > CLOSED {
            self.closed.pop_front();
        }
    }

    /// Why an answer to `question` does not count.
    fn late(&self, question: u64) -> String {
        match self.closed.iter().find(|(number, _)| *number == question) {
            Some((_, by)) if by.is_empty() => "the question was withdrawn".into(),
            Some((_, by)) => format!("the question was answered already, by {by}"),
            None => "there is no such question".into(),
        }
    }
}

/// An open question. However it ends, it is closed.
struct Open<'h> {
    hub: &'h Hub,
    number: u64,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.hub.withdraw(self.number);
    }
}

fn sentence(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("nothing was said".into());
    }
    if text.chars().count() > SAYING {
        return Err(format!("that is longer than {SAYING} characters"));
    }
    Ok(text.to_owned())
}

/// What one view is told, in order. A slow view costs nothing: what it has missed for too long it gets
/// as the state.
#[derive(Debug)]
pub struct Updates {
    hub: Hub,
    seen: u64,
    latest: watch::Receiver<u64>,
    first: Option<ToView>,
}

impl Updates {
    /// The next message; waits for it.
    pub async fn next(&mut self) -> ToView {
        if let Some(first) = self.first.take() {
            return first;
        }
        loop {
            if let Some(message) = self.pending() {
                return message;
            }
            let seen = self.seen;
            // The hub that this view holds keeps the channel open.
            let _ = self.latest.wait_for(|latest| *latest > seen).await;
        }
    }

    fn pending(&mut self) -> Option<ToView> {
        let inner = self.hub.inner();
        if inner.number == self.seen {
            return None;
        }
        if !inner.reaches(self.seen) {
            self.seen = inner.number;
            return Some(self.hub.whole(&inner));
        }
        let first = inner.kept.front().map_or(0, |first| first.number);
        let at = usize::try_from(self.seen + 1 - first).unwrap_or(usize::MAX);
        let numbered = inner.kept.get(at)?.clone();
        self.seen = numbered.number;
        Some(ToView::Event(numbered))
    }
}
