//! What the view knows: the state as the hub tells it, and when the open question came up.

use std::time::{Duration, Instant};

use freehand_agent::supervision::{Activity, Pace, Question, State, Subject, ToView, Wait};

/// A key that was meant for something else is no answer.
const TOO_SOON: Duration = Duration::from_millis(400);

/// See the module.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) state: State,
    /// Since when the question of this number is shown.
    asked: Option<(u64, Instant)>,
    /// When the task began.
    pub(super) began: Option<Instant>,
}

impl Seen {
    /// Takes in a message of the hub.
    pub(super) fn take(&mut self, message: ToView) {
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
        if self.state.activity == Activity::Running {
            self.began.get_or_insert_with(Instant::now);
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
            (Activity::Idle, ..) => "getting ready".into(),
            (Activity::Ended { .. }, ..) => "over".into(),
            (_, Some(Question { subject: Subject::Action { .. }, .. }), ..) => "asks you".into(),
            (_, Some(_), ..) => "wants to know something".into(),
            (_, _, Some(Wait::Resume), _) => "paused".into(),
            (_, _, Some(Wait::GiveBack), _) => "mouse and keyboard are yours".into(),
            (_, _, Some(Wait::Presence { place }), _) => format!("works in {place} only while you look"),
            (_, _, None, Pace::Paused) => "about to pause".into(),
            (_, _, None, Pace::TakenOver) => "about to give you mouse and keyboard".into(),
            (_, _, None, Pace::Step) => "one step".into(),
            (_, _, None, Pace::Going) => "at work".into(),
        }
    }
}
