//! The runs of the past: which there are, and what the chosen one did. They are read from their records when they
//! are asked for, and nothing of them is kept.

use std::path::Path;

use freehand_agent::history::{self, Standing};
use freehand_agent::trajectory::reader;
use freehand_tools::visible::visible;
use ratatui::Frame;
use ratatui::crossterm::event::KeyCode;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{Block, Paragraph, Wrap};

use super::draw::toned;
use crate::commands::runs::standing;
use crate::places;
use crate::terminal::{self, Tone};

/// Runs that are listed, the newest first.
const LISTED: usize = 200;
/// Characters of one text that are shown.
const MOST: usize = 400;

/// What became of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pressed {
    /// It was meant for this.
    Taken,
    /// It closes this.
    Closes,
    /// It means something else.
    Other,
}

/// See the module.
pub(super) struct Past {
    runs: Vec<history::Past>,
    at: usize,
    /// What the chosen one did, and lines that it is scrolled down by.
    open: Option<(Vec<Line<'static>>, u16)>,
}

impl Past {
    /// Those in the folder `runs`.
    pub(super) fn read(runs: &Path) -> Result<Self, String> {
        let mut runs = history::list(runs).map_err(|error| error.to_string())?;
        runs.truncate(LISTED);
        Ok(Self { runs, at: 0, open: None })
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "all other keys mean something else")]
    pub(super) fn press(&mut self, key: KeyCode) -> Pressed {
        let by: i16 = match key {
            KeyCode::Up => -1,
            KeyCode::Down => 1,
            KeyCode::PageUp => -10,
            KeyCode::PageDown => 10,
            KeyCode::Enter => {
                self.open = self.runs.get(self.at).map(|run| (told(run), 0));
                return Pressed::Taken;
            }
            KeyCode::Esc | KeyCode::Char('h') => {
                return if self.open.take().is_some() { Pressed::Taken } else { Pressed::Closes };
            }
            _ => return Pressed::Other,
        };
        if let Some((lines, down)) = &mut self.open {
            let last = u16::try_from(lines.len().saturating_sub(1)).unwrap_or(u16::MAX);
            *down = down.saturating_add_signed(by).min(last);
        } else {
            let last = self.runs.len().saturating_sub(1);
            self.at = self.at.saturating_add_signed(isize::from(by)).min(last);
        }
        Pressed::Taken
    }

    pub(super) fn draw(&self, frame: &mut Frame<'_>, area: Rect) {
        if let Some((lines, down)) = &self.open {
            let block = Block::bordered().title(" a past run · Esc = back ");
            let text = Paragraph::new(lines.clone()).wrap(Wrap { trim: false }).scroll((*down, 0));
            frame.render_widget(text.block(block), area);
            return;
        }
        let block = Block::bordered().title(" past runs · Enter = open · Esc = leave ");
        let mut lines: Vec<Line<'static>> = self.runs.iter().map(row).collect();
        if lines.is_empty() {
            lines.push(toned(Tone::Faint, "there is none yet".into()));
        }
        if let Some(chosen) = lines.get_mut(self.at) {
            *chosen = std::mem::take(chosen).patch_style(Style::new().add_modifier(Modifier::REVERSED));
        }
        // The chosen one is always seen.
        let room = usize::from(area.height.saturating_sub(2)).max(1);
        let first = (self.at + 1).saturating_sub(room);
        let shown: Vec<Line<'static>> = lines.into_iter().skip(first).collect();
        frame.render_widget(Paragraph::new(shown).block(block), area);
    }
}

fn row(run: &history::Past) -> Line<'static> {
    let (tone, word) = standing(&run.standing);
    let when = places::moment(run.started_ms);
    let task = if run.task.is_empty() { run.name.clone() } else { run.task.clone() };
    toned(tone, format!("{when}  {word:<10} {:>4} steps  {}", run.steps, visible(&task, MOST)))
}

/// What a run did, a line for each action.
fn told(run: &history::Past) -> Vec<Line<'static>> {
    let mut lines = vec![toned(Tone::Strong, visible(&run.task, MOST))];
    let under = format!("model {}, policy {}, display {}", run.model, run.policy, run.display);
    lines.push(toned(Tone::Faint, visible(&under, MOST)));
    let trajectory = match reader::read(&run.folder) {
        Ok(trajectory) => trajectory,
        Err(error) => {
            lines.push(toned(Tone::Bad, visible(&error.to_string(), MOST)));
            return lines;
        }
    };
    for step in &trajectory.steps {
        for judged in &step.actions {
            let did = judged.action.as_ref().map_or(&judged.call.tool, |action| &action.summary);
            let (tone, came) = terminal::result(&judged.outcome);
            let came = if came.is_empty() { came } else { format!(" ({came})") };
            lines.push(toned(tone, format!("{:3}  {}{came}", step.index, visible(did, MOST))));
        }
    }
    lines.push(match &run.standing {
        Standing::Ended { exit } => {
            let (tone, words) = terminal::conclusion(exit);
            toned(tone, words)
        }
        other @ (Standing::UnderWay | Standing::CutOff | Standing::Broken { .. }) => {
            let (tone, word) = standing(other);
            toned(tone, word.to_owned())
        }
    });
    lines
}
