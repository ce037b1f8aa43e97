//! What each key does: answers, the pace of the run, a line that is typed.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use freehand_agent::supervision::{Activity, Command, Extent, Hub, Pace, Question, Subject};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::line::{Line, Purpose};
use super::past::{Past, Pressed};
use super::seen::Seen;
use crate::signals::Interrupt;

/// Who this view is to the others.
const NAME: &str = "terminal";
/// How often it is said that somebody looks, and how long a key is a sign of that.
const EVERY: Duration = Duration::from_secs(3);
const RECENT: Duration = Duration::from_secs(60);

/// See the module.
pub(super) struct Keys {
    /// What is being typed.
    pub(super) line: Option<Line>,
    /// Why the last command was not followed.
    pub(super) refused: Option<String>,
    /// Whether the list is shown in place of the picture.
    pub(super) list: bool,
    /// The runs of the past, while they are shown.
    pub(super) past: Option<Past>,
    /// Where they are.
    runs: PathBuf,
    /// Lines that the steps are scrolled up by.
    pub(super) scrolled: u16,
    focused: bool,
    pressed: Option<Instant>,
    looked: Option<Instant>,
}

impl Keys {
    /// Those of a view that knows the runs in the folder `runs`.
    pub(super) const fn over(runs: PathBuf) -> Self {
        Self {
            line: None,
            refused: None,
            list: false,
            past: None,
            runs,
            scrolled: 0,
            // A terminal that does not tell is looked at.
            focused: true,
            pressed: None,
            looked: None,
        }
    }

    /// Says that the person looks, as long as that can be told.
    pub(super) fn looks(&mut self, hub: &Hub) {
        let recent = self.pressed.is_some_and(|when| when.elapsed() < RECENT);
        let due = self.looked.is_none_or(|when| when.elapsed() >= EVERY);
        if self.focused && recent && due {
            self.looked = Some(Instant::now());
            let _ = hub.command(Command::Look, NAME);
        }
    }

    /// The terminal is looked at again.
    pub(super) const fn comes(&mut self) {
        self.focused = true;
    }

    /// The person has gone to something else.
    pub(super) fn leaves(&mut self, hub: &Hub) {
        self.focused = false;
        if self.looked.take().is_some() {
            let _ = hub.command(Command::LookAway, NAME);
        }
    }

    pub(super) fn paste(&mut self, text: &str) {
        if let Some(line) = &mut self.line {
            line.insert(text);
        }
    }

    pub(super) fn press(&mut self, key: KeyEvent, seen: &Seen, hub: &Hub, interrupt: &Interrupt) {
        self.pressed = Some(Instant::now());
        self.refused = None;
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        if control && matches!(key.code, KeyCode::Char('c' | 'C')) {
            interrupt.again();
            return;
        }
        // What was typed for a question that another view has answered is for nothing.
        let open = seen.state.question.as_ref().map(|question| question.number);
        if self.line.as_ref().and_then(Line::question).is_some_and(|number| Some(number) != open) {
            self.line = None;
            self.refused = Some("the question is closed".into());
            return;
        }
        match self.line.take() {
            Some(line) => self.edit(line, key, control, hub),
            None if control || key.modifiers.contains(KeyModifiers::ALT) => {}
            None => self.command(key.code, seen, hub, interrupt),
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "all other keys do nothing")]
    fn edit(&mut self, mut line: Line, key: KeyEvent, control: bool, hub: &Hub) {
        match key.code {
            KeyCode::Esc => return,
            KeyCode::Enter if !key.modifiers.contains(KeyModifiers::ALT) => {
                self.refused = send(&line, hub).err();
                if self.refused.is_none() {
                    return;
                }
            }
            KeyCode::Enter => line.insert("\n"),
            KeyCode::Char('u') if control => line.clear(),
            KeyCode::Char('a') if control => line.home(),
            KeyCode::Char('e') if control => line.end(),
            KeyCode::Char(letter) if !control => line.insert(letter.encode_utf8(&mut [0; 4])),
            KeyCode::Backspace => line.back(),
            KeyCode::Delete => line.delete(),
            KeyCode::Left => line.left(),
            KeyCode::Right => line.right(),
            KeyCode::Home => line.home(),
            KeyCode::End => line.end(),
            _ => {}
        }
        self.line = Some(line);
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "all other keys do nothing")]
    fn command(&mut self, key: KeyCode, seen: &Seen, hub: &Hub, interrupt: &Interrupt) {
        if let Some(question) = seen.question()
            && let Some(answer) = self.answer(key, question)
        {
            self.tell(hub, answer);
            return;
        }
        match self.past.as_mut().map(|past| past.press(key)) {
            Some(Pressed::Taken) => return,
            Some(Pressed::Closes) => {
                self.past = None;
                return;
            }
            Some(Pressed::Other) | None => {}
        }
        match key {
            KeyCode::Char('p' | ' ') => {
                let holds = seen.state.pace.holds();
                self.tell(hub, if holds { Command::Resume } else { Command::Pause });
            }
            KeyCode::Char('g') => self.tell(hub, Command::Resume),
            KeyCode::Char('s') => self.tell(hub, Command::Step),
            KeyCode::Char('i') => {
                let runs = seen.state.activity == Activity::Running;
                self.line = Some(Line::new(if runs { Purpose::Say } else { Purpose::Start }, ""));
            }
            KeyCode::Char('h') => match Past::read(&self.runs) {
                Ok(past) => self.past = Some(past),
                Err(reason) => self.refused = Some(reason),
            },
            KeyCode::Char('t') => self.take_over(seen, hub),
            KeyCode::Char('l') => self.list = !self.list,
            KeyCode::Char('q') if seen.state.activity == Activity::Running => {
                self.tell(hub, Command::Stop);
            }
            KeyCode::Char('q') => interrupt.again(),
            KeyCode::Up => self.scrolled = self.scrolled.saturating_add(1),
            KeyCode::Down => self.scrolled = self.scrolled.saturating_sub(1),
            KeyCode::PageUp => self.scrolled = self.scrolled.saturating_add(10),
            KeyCode::PageDown => self.scrolled = self.scrolled.saturating_sub(10),
            KeyCode::End => self.scrolled = 0,
            _ => {}
        }
    }

    /// The answer that a key gives at once; a line is begun where one is needed.
    #[expect(clippy::wildcard_enum_match_arm, reason = "all other keys do nothing")]
    fn answer(&mut self, key: KeyCode, question: &Question) -> Option<Command> {
        let number = question.number;
        let approve = |extent| Some(Command::Approve { question: number, extent });
        let Subject::Action { intent, lasting, always, .. } = &question.subject else {
            match key {
                KeyCode::Char('n') => {
                    return Some(Command::Deny { question: number, reason: String::new() });
                }
                KeyCode::Char('a') | KeyCode::Enter => {
                    self.line = Some(Line::new(Purpose::Tell(number), ""));
                }
                _ => {}
            }
            return None;
        };
        match key {
            KeyCode::Char('y') => approve(Extent::Once),
            KeyCode::Char('r') if *lasting => approve(Extent::Run),
            KeyCode::Char('a') if *always => approve(Extent::Always),
            KeyCode::Char('m') if *lasting => {
                self.line = Some(Line::new(Purpose::Minutes(number), "10"));
                None
            }
            KeyCode::Char('e') if intent.editable => {
                self.line = Some(Line::edit(number, intent));
                None
            }
            KeyCode::Char('n') => {
                self.line = Some(Line::new(Purpose::Deny(number), ""));
                None
            }
            _ => None,
        }
    }

    fn take_over(&mut self, seen: &Seen, hub: &Hub) {
        if seen.state.pace == Pace::TakenOver {
            return self.tell(hub, Command::GiveBack);
        }
        self.tell(hub, Command::TakeOver);
    }

    /// Gives mouse and keyboard back.
    pub(super) fn give_back(&mut self, hub: &Hub) {
        self.pressed = Some(Instant::now());
        self.tell(hub, Command::GiveBack);
    }

    fn tell(&mut self, hub: &Hub, command: Command) {
        self.refused = hub.command(command, NAME).err();
    }
}

/// Does what a line is for, or says why not.
fn send(line: &Line, hub: &Hub) -> Result<(), String> {
    let text = line.text();
    let command = match &line.purpose {
        Purpose::Say => Command::Say { text },
        Purpose::Start => Command::Start { task: text },
        Purpose::Deny(question) => Command::Deny { question: *question, reason: text },
        Purpose::Tell(question) => Command::Tell { question: *question, text },
        Purpose::Minutes(question) => {
            let minutes =
                text.trim().parse().map_err(|_| format!("`{text}` is no number of minutes"))?;
            Command::Approve { question: *question, extent: Extent::For { minutes } }
        }
        Purpose::Text(question, args) => {
            let mut args = args.clone();
            if let Some(old) = args.get_mut("text") {
                *old = text.into();
            }
            Command::Edit { question: *question, args }
        }
        Purpose::Arguments(question) => {
            let args =
                serde_json::from_str(&text).map_err(|error| format!("this is no JSON: {error}"))?;
            Command::Edit { question: *question, args }
        }
    };
    hub.command(command, NAME)
}
