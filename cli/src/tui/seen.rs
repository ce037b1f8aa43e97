//! What the view knows: the state as the hub tells it, and when the open question came up.

use std::time::{Duration, Instant};

use freehand_agent::supervision::{Activity, Pace, Question, State, Subject, ToView, Wait};

use crate::terminal;

/// A key that was meant for something else is no answer.
const TOO_SOON: Duration = Duration::from_millis(400);

const YOURS: &str = "mouse and keyboard are yours";

/// See the module.
#[derive(Default)]
pub(super) struct Seen {
    /// Whether tasks are begun here.
    begins: bool,
    pub(super) state: State,
    /// Since when the question of this number is shown.
    asked: Option<(u64, Instant)>,
    /// When the task began.
    pub(super) began: Option<Instant>,
}

impl Seen {
    /// Of a session in which tasks are begun here, or not.
    pub(super) fn of(begins: bool) -> Self {
        Self { begins, ..Self::default() }
    }

    /// Takes in a message of the hub.
    pub(super) fn take(&mut self, message: ToView) {
        let ran = self.state.activity == Activity::Running;
        match message {
            ToView::State { state, .. } => self.state = state,
            ToView::Event(numbered) => self.state.take(&numbered.event),
            // None of these comes to a view within the program.
            ToView::Resumed { .. } | ToView::Reply(_) | ToView::Refused { .. } => {}
        }
        let number = self.state.question.as_ref().map(|question| question.number);
        if number != self.asked.map(|(number, _)| number) {
            self.asked = number.map(|number| (number, Instant::now()));
        }
        if self.state.activity == Activity::Running && !ran {
            self.began = Some(Instant::now());
        }
    }

    /// The open question, once it has been shown for long enough to be answered.
    pub(super) fn question(&self) -> Option<&Question> {
        let (_, since) = self.asked?;
        self.state.question.as_ref().filter(|_| since.elapsed() >= TOO_SOON)
    }

    /// How it stands, in a few words.
    pub(super) fn status(&self) -> String {
        let State { activity, pace, waiting, question, .. } = &self.state;
        match (activity, question, waiting, pace) {
            (Activity::Idle | Activity::Ended { .. }, _, _, Pace::TakenOver) => YOURS.into(),
            (Activity::Idle, ..) if self.begins => "ready for a task".into(),
            (Activity::Idle, ..) => "getting ready".into(),
            (Activity::Ended { exit }, ..) => terminal::conclusion(exit).1,
            (_, Some(Question { subject: Subject::Action { .. }, .. }), ..) => "asks you".into(),
            (_, Some(_), ..) => "wants to know something".into(),
            (_, _, Some(Wait::Resume), _) => "paused".into(),
            (_, _, Some(Wait::GiveBack), _) => YOURS.into(),
            (_, _, Some(Wait::Presence { place }), _) => format!("works in {place} only while you look"),
            (_, _, None, Pace::Paused) => "about to pause".into(),
            (_, _, None, Pace::TakenOver) => "about to give you mouse and keyboard".into(),
            (_, _, None, Pace::Step) => "one step".into(),
            (_, _, None, Pace::Going) => "at work".into(),
        }
    }
}
