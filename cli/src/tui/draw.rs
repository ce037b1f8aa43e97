//! Draws all of it. Texts of the screen and of the model are shown with whatever is hidden in them
//! written out, so that nothing of them is obeyed by the terminal.

use freehand_agent::event::Cost;
use freehand_agent::supervision::{
    Activity, Pace, Plan, PlanBy, Question, Standing, State, StepState, Subject,
};
use freehand_tools::visible::visible;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style, Stylize as _};
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Block, Paragraph, Wrap};

use super::handover::BACK;
use super::keys::Keys;
use super::picture::Picture;
use super::seen::Seen;
use crate::terminal::{self, Tone};

/// Columns from which there is room for two parts beside each other.
const WIDE: u16 = 96;
/// Characters of one text that are shown.
const MOST: usize = 400;
/// Parts of a plan that are shown.
const PLAN: usize = 7;
/// Lines of what is thought or said that are shown.
const THOUGHT: usize = 6;

pub(super) fn all(
    frame: &mut Frame<'_>,
    seen: &Seen,
    keys: &mut Keys,
    picture: &mut Picture,
    told: Option<&str>,
) {
    let asked = seen.state.question.as_ref().map(question).unwrap_or_default();
    let width = frame.area().width.saturating_sub(2).max(1);
    let asked_height = if asked.lines.is_empty() { 0 } else { height(&asked, width) + 2 };
    let hints = packed(&hints(seen, keys, picture.is_shown()), frame.area().width);
    let [top, body, bottom, below, foot] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Min(3),
        Constraint::Length(asked_height.min(frame.area().height / 2)),
        Constraint::Length(1),
        Constraint::Length(u16::try_from(hints.lines.len()).unwrap_or(1).min(3)),
    ])
    .areas(frame.area());
    title(frame, top, seen);
    let [left, right] = if body.width >= WIDE {
        Layout::horizontal([Constraint::Percentage(58), Constraint::Min(30)]).areas(body)
    } else {
        Layout::vertical([Constraint::Percentage(50), Constraint::Min(3)]).areas(body)
    };
    if let Some(past) = &keys.past {
        picture.forget();
        past.draw(frame, left);
    } else if keys.list || !picture.is_shown() {
        picture.forget();
        list(frame, left, &seen.state);
    } else {
        screen(frame, left, &seen.state, picture);
    }
    let right = match &seen.state.plan {
        Some(plan) => {
            let lines = planned(plan);
            let tall = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2);
            let parts = [Constraint::Length(tall.min(right.height / 2)), Constraint::Min(3)];
            let [above, rest] = Layout::vertical(parts).areas(right);
            let block = Block::bordered().title(plan_title(plan));
            frame.render_widget(Paragraph::new(lines).block(block), above);
            rest
        }
        None => right,
    };
    steps(frame, right, &seen.state, keys);
    if asked_height > 0 {
        let block = Block::bordered().title(" asks you ").border_style(Style::new().fg(Color::Yellow));
        frame.render_widget(Paragraph::new(asked).wrap(Wrap { trim: false }).block(block), bottom);
    }
    // The task is said as a line too, and stands at the top already.
    let task = seen.state.header.as_ref().map(|header| shown(&header.task));
    typed(frame, below, keys, told.filter(|told| Some(*told) != task.as_deref()));
    let faint = Style::new().add_modifier(Modifier::DIM);
    frame.render_widget(Paragraph::new(hints).style(faint), foot);
}

/// Whose plan it is, and how much of it is done.
fn plan_title(plan: &Plan) -> String {
    let done = plan.parts.iter().filter(|part| part.standing == Standing::Done).count();
    let whose = match plan.by {
        PlanBy::Script => "steps of the script",
        PlanBy::Model => "plan of the model",
        PlanBy::Task => "named by the task",
    };
    format!(" {whose}: {done} of {} done ", plan.parts.len())
}

/// Of a plan what is near to where it stands.
fn planned(plan: &Plan) -> Vec<Line<'static>> {
    let at = plan.parts.iter().position(|part| part.standing != Standing::Done);
    let at = at.unwrap_or(plan.parts.len());
    let first = at.saturating_sub(2).min(plan.parts.len().saturating_sub(PLAN));
    let near = plan.parts.iter().enumerate().skip(first).take(PLAN);
    near.map(|(i, part)| {
        let (mark, tone) = match part.standing {
            Standing::Left => (' ', Tone::Faint),
            Standing::Current => ('>', Tone::Strong),
            Standing::Done => ('x', Tone::Good),
            Standing::Failed => ('!', Tone::Bad),
        };
        toned(tone, format!("[{mark}] {}. {}", i + 1, shown(&part.text)))
    })
    .collect()
}

fn shown(text: &str) -> String {
    visible(text, MOST)
}

fn height(text: &Text<'_>, width: u16) -> u16 {
    let rows = text.lines.iter().map(|line| line.width().div_ceil(usize::from(width)).max(1));
    u16::try_from(rows.sum::<usize>()).unwrap_or(u16::MAX)
}

fn title(frame: &mut Frame<'_>, area: Rect, seen: &Seen) {
    let task = seen.state.header.as_ref().map(|header| header.task.as_str()).unwrap_or_default();
    let passed = seen.began.map_or(0, |began| began.elapsed().as_secs());
    let status = format!(" {} · {}:{:02} ", shown(&seen.status()), passed / 60, passed % 60);
    let status = Line::from(status).style(Style::new().add_modifier(Modifier::REVERSED));
    let width = u16::try_from(status.width()).unwrap_or(0).min(area.width);
    let [left, right] = Layout::horizontal([Constraint::Min(0), Constraint::Length(width)]).areas(area);
    let name = Span::styled(" Freehand ", Style::new().add_modifier(Modifier::BOLD));
    frame.render_widget(Line::from(vec![name, Span::raw(shown(task))]), left);
    frame.render_widget(status, right);
}

fn screen(frame: &mut Frame<'_>, area: Rect, state: &State, picture: &mut Picture) {
    let window = state.windows.first().map(|title| format!(" {} ", shown(title))).unwrap_or_default();
    let block = Block::bordered().title(window);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    if inner.area() == 0 {
        return;
    }
    picture.put(inner, frame.buffer_mut());
}

/// What the model reads, where there is no picture to be shown.
fn list(frame: &mut Frame<'_>, area: Rect, state: &State) {
    let lines: Vec<Line<'_>> = state.list.lines().map(|line| Line::from(shown(line))).collect();
    frame.render_widget(
        Paragraph::new(lines).block(Block::bordered().title(" what the model sees ")),
        area,
    );
}

fn steps(frame: &mut Frame<'_>, area: Rect, state: &State, keys: &mut Keys) {
    let mut lines: Vec<Line<'_>> = Vec::new();
    if state.older > 0 {
        lines.push(faint(format!("{} older steps are in the record", state.older)));
    }
    let last = state.steps.back().map(|step| step.step);
    for told in &state.said {
        lines.push(strong(format!("you: {}", shown(told))));
    }
    for note in &state.notes {
        lines.push(faint(format!("note: {}", shown(note))));
    }
    for step in &state.steps {
        one(&mut lines, step, Some(step.step) == last);
    }
    for gap in &state.gaps {
        lines.push(faint(format!("cannot see everything: {}", shown(gap))));
    }
    let block = Block::bordered().title(" steps ");
    let inner = block.inner(area);
    let text = Text::from(lines);
    let rows = height(&text, inner.width.max(1));
    let over = rows.saturating_sub(inner.height);
    keys.scrolled = keys.scrolled.min(over);
    let steps = Paragraph::new(text).wrap(Wrap { trim: false }).scroll((over - keys.scrolled, 0));
    frame.render_widget(steps.block(block), area);
}

fn one(lines: &mut Vec<Line<'_>>, step: &StepState, is_last: bool) {
    let number = format!("{:3} ", step.step);
    if let Some(unread) = &step.unread {
        lines.push(toned(Tone::Bad, format!("{number} could not be read: {}", shown(unread))));
    }
    for action in &step.actions {
        let (tone, came) =
            action.outcome.as_ref().map_or((Tone::Plain, String::new()), terminal::result);
        let mut parts = vec![Span::raw(format!("{number} {}", shown(&action.summary)))];
        if !came.is_empty() {
            parts.push(Span::styled(format!(" ({came})"), style(tone)));
        }
        lines.push(Line::from(parts));
    }
    if !is_last {
        return;
    }
    let thought = step.thought.as_deref().filter(|thought| !thought.trim().is_empty());
    // An answer shows while it comes; afterwards its actions do, and why.
    let (text, is_thought) = match thought {
        Some(thought) if step.said.is_empty() || step.cost.is_some() => (thought, true),
        _ => (step.said.as_str(), false),
    };
    let words: Vec<&str> = text.lines().collect();
    for line in words.iter().skip(words.len().saturating_sub(THOUGHT)) {
        let line = faint(format!("     {}", shown(line)));
        lines.push(if is_thought { line.italic() } else { line });
    }
    if let Some(mut cost) = step.cost {
        cost += step.choices.unwrap_or_default();
        let Cost { read, reused, written, ms } = cost;
        let again = if reused > 0 { format!(" ({reused} reused)") } else { String::new() };
        let cost = format!("     {read} tokens read{again}, {written} written, {:.1} s", ms / 1000.0);
        lines.push(faint(cost));
    }
}

fn style(tone: Tone) -> Style {
    match tone {
        Tone::Plain => Style::new(),
        Tone::Strong => Style::new().add_modifier(Modifier::BOLD),
        Tone::Faint => Style::new().add_modifier(Modifier::DIM),
        Tone::Good => Style::new().fg(Color::Green),
        Tone::Bad => Style::new().fg(Color::Red),
    }
}

pub(super) fn toned(tone: Tone, text: String) -> Line<'static> {
    Line::from(text).style(style(tone))
}

fn faint(text: String) -> Line<'static> {
    toned(Tone::Faint, text)
}

fn strong(text: String) -> Line<'static> {
    toned(Tone::Strong, text)
}

fn question(question: &Question) -> Text<'static> {
    let mut lines = Vec::new();
    match &question.subject {
        Subject::Words { text } => {
            lines.extend(text.lines().map(|line| strong(shown(line))));
            lines.push(Line::from("a = answer   n = no answer"));
        }
        Subject::Action { effect, intent, reasons, lasting, always, note } => {
            lines.push(strong(shown(effect)));
            if let Some(window) = &intent.window {
                let app = intent.app.as_deref().unwrap_or("an unknown program");
                lines.push(Line::from(format!("in \"{}\" of {}", shown(window), shown(app))));
            }
            lines.extend(
                note.iter().map(|note| toned(Tone::Bad, format!("asked again: {}", shown(note)))),
            );
            for reason in reasons {
                let (because, rule) = (shown(&reason.because), shown(&reason.rule));
                lines.push(faint(format!("because {because} ({rule})")));
            }
            let answers = [
                (true, "y = yes, once"),
                (*lasting, "r = and its like in this run"),
                (*lasting, "m = for some minutes"),
                (*always, "a = always"),
                (intent.editable, "e = change it"),
                (true, "n = no"),
            ];
            let offered = answers.into_iter().filter(|(offered, _)| *offered).map(|(_, words)| words);
            lines.push(Line::from(offered.collect::<Vec<_>>().join("   ")));
        }
    }
    Text::from(lines)
}

/// The line that is being typed, or what was said last.
fn typed(frame: &mut Frame<'_>, area: Rect, keys: &Keys, told: Option<&str>) {
    let Some(line) = &keys.line else {
        let words = keys.refused.as_deref().or(told).unwrap_or_default();
        let tone = if keys.refused.is_some() { Tone::Bad } else { Tone::Faint };
        frame.render_widget(toned(tone, format!(" {}", shown(words))), area);
        return;
    };
    let whole = |text: &str| visible(&text.replace('\n', "↵"), usize::MAX);
    let (before, after) = line.parts();
    let asked = format!(" {}: ", line.words());
    let before = Line::from(format!("{asked}{}", whole(&before)));
    let at = u16::try_from(before.width()).unwrap_or(u16::MAX);
    // The end of a long line is what is being typed.
    let off = at.saturating_sub(area.width.saturating_sub(2));
    let text = format!("{before}{}", whole(&after));
    frame.render_widget(Paragraph::new(text).scroll((0, off)), area);
    frame.set_cursor_position((area.x + at - off, area.y));
}

fn hints(seen: &Seen, keys: &Keys, puts_through: bool) -> Vec<String> {
    let all = |hints: &[&str]| hints.iter().map(ToString::to_string).collect();
    if keys.line.is_some() {
        return all(&["Enter = send", "Esc = leave it"]);
    }
    if seen.state.pace == Pace::TakenOver && puts_through {
        return vec![
            "all keys and the mouse go to the screen".into(),
            format!("{BACK} = give them back"),
        ];
    }
    let pause = if seen.state.pace.holds() { "g = go on" } else { "p = pause" };
    let list = if keys.list { "l = picture" } else { "l = list" };
    if seen.state.activity != Activity::Running {
        let taken = seen.state.pace == Pace::TakenOver;
        let take = if taken { "t = give back" } else { "t = take over" };
        return all(&["i = begin a task", "h = past runs", list, take, "↑↓ = scroll", "q = leave"]);
    }
    let (step, say, past) = ("s = one step", "i = say more", "h = past runs");
    all(&[pause, step, say, list, past, "t = take over", "↑↓ = scroll", "q = stop"])
}

/// As many beside each other as there is room for, none of them broken.
fn packed(hints: &[String], width: u16) -> Text<'static> {
    let mut rows = vec![String::new()];
    for hint in hints {
        let room = |row: &String| Line::from(format!("{row}   {hint}")).width() <= usize::from(width);
        match rows.last_mut() {
            Some(row) if row.is_empty() => *row = format!(" {hint}"),
            Some(row) if room(row) => row.push_str(&format!("   {hint}")),
            _ => rows.push(format!(" {hint}")),
        }
    }
    Text::from(rows.join("\n"))
}
