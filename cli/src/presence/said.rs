//! What the events of a run come to for somebody who sees one line of it. Words from the screen and from the
//! model stand there with nothing hidden in them.

use freehand_agent::event::Event;
use freehand_agent::supervision::{Pace, Wait};
use freehand_tools::desktop::presence::Mood;
use freehand_tools::geometry::ScreenPoint;
use freehand_tools::visible::visible;

/// Characters of a text that can matter: no strip is so long.
const MOST: usize = 300;

/// One line, and a place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// What the agent is at.
    pub(super) mood: Mood,
    /// What it is about to do, or waits for.
    pub(super) text: String,
    /// Where it will click.
    pub(super) at: Option<ScreenPoint>,
    /// What it said before it asked.
    before: Option<String>,
}

impl Said {
    /// Nothing is done any more.
    pub(super) fn stopped() -> Self {
        Self { mood: Mood::Stopped, ..Self::default() }
    }

    /// Takes in what happened; whether that changes anything. What is asked comes through [`Self::asks`].
    pub(super) fn take(&mut self, event: &Event) -> bool {
        let before = self.clone();
        match event {
            Event::Started { header } => {
                *self = Self { text: line(&header.task), ..Self::default() };
            }
            Event::Observed { .. } => self.working("looks at the screen and thinks"),
            Event::Intended { intent, step: _ } => {
                self.working(&intent.summary);
                // Programs look for what lies under a thing that is dragged; nothing of ours must.
                self.at = intent.at.filter(|_| intent.path.is_empty());
            }
            Event::Judged { summary, verdict, step: _ } => {
                self.working(summary);
                self.at = self.at.filter(|_| verdict.allowed);
            }
            Event::Acted { .. } => self.at = None,
            Event::Waiting { wait, step: _ } => self.held(&match wait {
                Wait::Resume => "until you let it go on".to_owned(),
                Wait::GiveBack => "until you give mouse and keyboard back".to_owned(),
                Wait::Presence { place } => {
                    format!("until you look at the console: it works in {place}")
                }
            }),
            Event::Yielded { .. } => self.held("while you use the mouse or the keyboard"),
            Event::Paced { pace: Pace::Paused | Pace::TakenOver, by: _ } => {
                self.held("as soon as this step is over");
            }
            Event::WentOn { .. } | Event::Paced { .. } if self.mood == Mood::Held => {
                self.working("goes on");
            }
            Event::Ended { .. } => *self = Self::stopped(),
            // What the model thinks and says meanwhile is for those who look closer.
            Event::WentOn { .. }
            | Event::Paced { .. }
            | Event::Asked { .. }
            | Event::Answered { .. }
            | Event::Discarded { .. }
            | Event::Blinded { .. }
            | Event::Proposed { .. }
            | Event::AskedDone { .. }
            | Event::Chose { .. }
            | Event::Planned { .. }
            | Event::PartStands { .. }
            | Event::Noted { .. }
            | Event::Said { .. }
            | Event::Thought { .. }
            | Event::Piece { .. } => {}
        }
        *self != before
    }

    /// It asks this, and waits.
    pub(super) fn asks(&mut self, what: &str) {
        self.before = Some(std::mem::replace(&mut self.text, line(what)));
        self.mood = Mood::Asking;
    }

    /// It waits no longer.
    pub(super) fn answered(&mut self) {
        if self.mood == Mood::Asking {
            self.mood = Mood::Working;
            self.text = self.before.take().unwrap_or_default();
        }
    }

    fn working(&mut self, text: &str) {
        *self = Self { text: line(text), at: self.at, ..Self::default() };
    }

    fn held(&mut self, why: &str) {
        *self = Self { mood: Mood::Held, text: line(why), ..Self::default() };
    }
}

fn line(text: &str) -> String {
    visible(text, MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_stands_there_until_it_is_answered() {
        let mut said = Said { text: "click".into(), ..Said::default() };
        said.asks("send a letter");
        assert_eq!((said.mood, said.text.as_str()), (Mood::Asking, "send a letter"));
        said.answered();
        assert_eq!((said.mood, said.text.as_str()), (Mood::Working, "click"));
    }

    #[test]
    fn nothing_hides_in_it() {
        let mut said = Said::default();
        said.asks("\u{202e}kcilc \u{1b}[2J\n");
        assert_eq!(said.text, "\\u{202e}kcilc \\u{1b}[2J\\n");
        assert!(said.take(&Event::Yielded { step: 1 }));
        assert_eq!(said.mood, Mood::Held);
        assert!(said.take(&Event::WentOn { step: 1 }));
        assert_eq!(said.mood, Mood::Working);
        assert!(!said.take(&Event::WentOn { step: 1 }));
    }
}
