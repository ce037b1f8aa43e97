//! What a client is told: of the screen, and of what became of a call. Words from the screen stand in quotes
//! in lines of their own, as our own model reads them.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use freehand_agent::step::Done;
use freehand_agent::trajectory::Intervention;
use freehand_model::dialect::list;
use freehand_tools::frame::{Frame, png};
use freehand_tools::geometry::ScreenPoint;
use freehand_tools::observation::Observation;
use freehand_tools::outcome::{Effect, Outcome};
use freehand_tools::picture::fit::ANY;
use freehand_tools::picture::marks;
use freehand_tools::picture::resize::Filter;
use freehand_tools::visible::visible;
use image::RgbImage;
use rmcp::model::{CallToolResult, ContentBlock};

/// Characters of an answer of a tool.
const ANSWER: usize = 20_000;
/// Characters of a sentence.
const SENTENCE: usize = 2_000;
/// Changes that are told one by one; of more the whole list says more.
const MANY: usize = 40;

/// The windows and the list.
pub fn screen(seen: &Observation) -> String {
    let mut text = format!("The screen is {}.\n{}", seen.bounds(), list::screen(seen, "", list::BUDGET));
    for gap in &seen.gaps {
        let _ = writeln!(text, "Not everything is seen: {}", visible(gap, SENTENCE));
    }
    text
}

/// The picture with the numbers of the list, and what is missing in it; nothing where it cannot be encoded.
pub fn marked(seen: &Observation) -> Vec<ContentBlock> {
    let marked = marks::marked(&seen.frame, &list::listed(seen), Some(seen.cursor));
    picture(&marked.pixels).into_iter().chain(marked.gap().map(ContentBlock::text)).collect()
}

fn picture(pixels: &RgbImage) -> Option<ContentBlock> {
    let png = png(pixels).ok()?;
    Some(ContentBlock::image(BASE64_STANDARD.encode(png), "image/png"))
}

/// What became of a call, and how the screen differs from what the client knows.
pub fn done(done: &Done, screens: Option<(&Observation, &Observation)>) -> CallToolResult {
    let judged = &done.judged;
    let what = judged.action.as_ref().map_or(&judged.call.tool, |action| &action.summary);
    let mut text = format!("{}: {}", outcome(&judged.outcome), visible(what, SENTENCE));
    if let Outcome::Done { answer: Some(answer), .. } = &judged.outcome {
        text.push('\n');
        text.push_str(&visible_lines(answer));
    }
    if let Some((before, now)) = screens {
        text.push('\n');
        text.push_str(&changes(before, now));
    }
    let mut content = vec![ContentBlock::text(text)];
    let origin = screens.map_or(ScreenPoint::new(0, 0), |(_, now)| now.bounds().origin());
    content.extend(done.picture.iter().flat_map(|frame| close(frame, origin)));
    if judged.outcome.is_done() {
        CallToolResult::success(content)
    } else {
        CallToolResult::error(content)
    }
}

/// A part of the screen as a model sees it best, and how its pixels lead back to those that calls are made in,
/// which are counted from `origin`.
fn close(part: &Frame, origin: ScreenPoint) -> Vec<ContentBlock> {
    let Some(fitted) = ANY.close(part, Filter::Bicubic) else { return Vec::new() };
    let shown = part.bounds().offset(origin.x.saturating_neg(), origin.y.saturating_neg());
    let (width, height) = fitted.pixels.dimensions();
    let words = format!(
        "The picture, {width}x{height} px, shows {shown} of the screen: its pixel (u, v) is x = {} + u * {} / {width}, \
         y = {} + v * {} / {height}",
        shown.x, shown.width, shown.y, shown.height
    );
    picture(&fitted.pixels).into_iter().chain([ContentBlock::text(words)]).collect()
}

/// How the person came between, for the client's model to know.
pub fn interventions(heard: &[Intervention]) -> Vec<ContentBlock> {
    let words = heard.iter().map(|intervention| match intervention {
        Intervention::Said { text } => {
            format!("The person beside you says: \"{}\"", visible(text, ANSWER))
        }
        Intervention::TookOver => "The person took over mouse and keyboard and gave them back; the \
             screen is as they left it"
            .to_owned(),
    });
    words.map(ContentBlock::text).collect()
}

/// A call that came to nothing, and why.
pub fn failed(why: &str) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(visible(why, SENTENCE))])
}

fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done { effect: Effect::NoVisibleEffect, answer: None } => {
            "done, and nothing changed on the screen".into()
        }
        Outcome::Done { .. } => "done".into(),
        Outcome::Failed { reason, hint } => {
            let hint = hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
            visible(&format!("failed ({reason}{hint})"), SENTENCE)
        }
        Outcome::Refused { reason } => visible(&format!("refused ({reason})"), SENTENCE),
    }
}

/// An answer, with its lines kept and nothing hidden in them.
fn visible_lines(answer: &str) -> String {
    let lines: Vec<String> = answer.lines().map(|line| visible(line, ANSWER)).collect();
    lines.join("\n").chars().take(ANSWER).collect()
}

fn changes(before: &Observation, now: &Observation) -> String {
    let changes = list::changes(before, now);
    if changes.is_empty() {
        return "The list is as it was.".into();
    }
    if changes.len() > MANY.min(list::listed(now).len()) {
        return format!("Much has changed. {}", screen(now));
    }
    let mut text = String::from("What came (+), went (-) and became something else (~):");
    for change in changes {
        let _ = write!(text, "\n{change}");
    }
    text
}
