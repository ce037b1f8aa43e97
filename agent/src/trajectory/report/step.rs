//! One step of the page: what was seen with the target marked on it, what was said, how it was judged
//! and what came of it.

use std::fmt::Write;

use freehand_tools::action::{Action, ActionKind};
use freehand_tools::frame::Digest;
use freehand_tools::gate::{Approval, Decision, Verdict};
use freehand_tools::geometry::{ScreenPoint, ScreenRect};
use freehand_tools::outcome::{Effect, Outcome};

use super::Pictures;
use super::html::{Escaped, Moment, Span};
use crate::trajectory::{Choices, Intervention, Judged, Step, Timing};

pub(super) fn write(out: &mut String, step: &Step, pictures: &Pictures) {
    let _ = writeln!(
        out,
        "<section id=\"step-{i}\">\n<h2><a href=\"#step-{i}\">Step {i}</a> <time>{at}</time></h2>",
        i = step.index,
        at = Moment(step.at_ms),
    );
    let title = step.seen.windows.iter().find(|window| window.focused).or(step.seen.windows.first());
    if let Some(window) = title {
        let _ = writeln!(
            out,
            "<p class=\"where\">{} · {}</p>",
            Escaped(&window.title),
            Escaped(&window.app)
        );
    }
    // A batch may act on several pictures; marks on the same one share it.
    let mut shown: Vec<(Digest, Vec<&Action>)> = vec![(step.seen.frame, Vec::new())];
    for action in step.actions.iter().filter_map(|judged| judged.action.as_ref()) {
        match shown.last_mut() {
            Some((frame, marks)) if *frame == action.basis.frame => marks.push(action),
            _ => shown.push((action.basis.frame, vec![action])),
        }
    }
    for (frame, marks) in &shown {
        picture(out, pictures, *frame, &step.seen.bounds, marks);
    }
    for gap in &step.seen.gaps {
        let _ = writeln!(out, "<p class=\"gap\">{}</p>", Escaped(gap));
    }
    for intervention in &step.interventions {
        let _ = match intervention {
            Intervention::Said { text } => {
                writeln!(out, "<p class=\"person\">The person adds: {}</p>", Escaped(text))
            }
            Intervention::TookOver => {
                writeln!(out, "<p class=\"person\">Before this the person took over and gave back</p>")
            }
        };
    }
    said(out, step);
    for judged in &step.actions {
        action(out, judged, pictures);
    }
    if !step.list.is_empty() {
        let count = step.seen.elements.len();
        let _ = writeln!(
            out,
            "<details><summary>The list ({count} on the screen)</summary><pre>{}</pre></details>",
            Escaped(&step.list)
        );
    }
    times(out, &step.timing);
    out.push_str("</section>\n");
}

fn picture(
    out: &mut String,
    pictures: &Pictures,
    frame: Digest,
    bounds: &ScreenRect,
    marks: &[&Action],
) {
    let (x, y, width, height) = (bounds.x, bounds.y, bounds.width.max(1), bounds.height.max(1));
    let link = pictures.link(frame);
    let (open, close) =
        link.map_or_else(Default::default, |link| (format!("<a href=\"{link}\">"), "</a>"));
    let _ = write!(
        out,
        "<figure>{open}<img src=\"{source}\" width=\"{width}\" height=\"{height}\" \
         loading=\"lazy\" alt=\"the screen\">{close}\
         <svg viewBox=\"{x} {y} {width} {height}\" preserveAspectRatio=\"none\" aria-hidden=\"true\">",
        source = pictures.source(frame),
    );
    for action in marks {
        mark(out, action);
    }
    out.push_str("</svg></figure>\n");
}

/// In screen pixels, which is what the picture's view box counts in.
fn mark(out: &mut String, action: &Action) {
    let mut frame = |class: &str, r: &ScreenRect| {
        let ScreenRect { x, y, width, height, .. } = r;
        let _ = write!(
            out,
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"/>"
        );
    };
    if let Some(element) = &action.target.element {
        frame("target", &element.bounds);
    }
    if let Some(element) = &action.target.destination {
        frame("destination", &element.bounds);
    }
    if let ActionKind::Zoom { region } = &action.kind {
        frame("target", region);
    }
    let Some(point) = action.target.point else { return };
    if let ActionKind::Drag { path, .. } = &action.kind {
        let points: Vec<String> =
            std::iter::once(&point).chain(path).map(|p| format!("{},{}", p.x, p.y)).collect();
        let _ = write!(out, "<polyline points=\"{}\"/>", points.join(" "));
        path.last().iter().for_each(|end| cross(out, **end));
    }
    cross(out, point);
}

fn cross(out: &mut String, at: ScreenPoint) {
    const ARM: i32 = 12;
    let (left, right) = (at.offset(-ARM, 0).x, at.offset(ARM, 0).x);
    let (top, bottom) = (at.offset(0, -ARM).y, at.offset(0, ARM).y);
    let _ = write!(out, "<path d=\"M{left} {y}H{right}M{x} {top}V{bottom}\"/>", x = at.x, y = at.y);
}

fn said(out: &mut String, step: &Step) {
    if let Some(done) = step.done {
        let _ = writeln!(out, "<p class=\"asked\">Is it done? {:.0} % yes</p>", done * 100.0);
    }
    let Choices { count, usage } = step.choices;
    if count > 0 {
        let _ = writeln!(
            out,
            "<p class=\"small\">Given answers weighed: {count} times, {} tokens; {} tokens read before them, {} of \
             these reused; read in {}, weighed in {}</p>",
            usage.scored,
            usage.prompt,
            usage.reused,
            Span(usage.prefill_ms),
            Span(usage.decode_ms),
        );
    }
    if let Some(completion) = &step.completion {
        if let Some(thinking) = completion.thinking.as_deref().filter(|text| !text.trim().is_empty()) {
            let _ = writeln!(
                out,
                "<details><summary>Thought aloud</summary><pre>{}</pre></details>",
                Escaped(thinking)
            );
        }
        let usage = &completion.usage;
        let _ = writeln!(
            out,
            "<div class=\"said\"><h3>The model said</h3><pre>{}</pre><p class=\"small\">{} tokens read, {} of them \
             reused; {} chosen, {} forced; read in {}, written in {}</p></div>",
            Escaped(&completion.text),
            usage.prompt,
            usage.reused,
            usage.sampled,
            usage.forced,
            Span(usage.prefill_ms),
            Span(usage.decode_ms),
        );
    }
    if let Some(unread) = &step.unread {
        let _ = writeln!(out, "<p class=\"result bad\">It could not be read: {}</p>", Escaped(unread));
    }
}

fn action(out: &mut String, judged: &Judged, pictures: &Pictures) {
    let (class, word, words) = result(&judged.outcome);
    let name =
        judged.action.as_ref().map_or(judged.call.tool.as_str(), |action| action.summary.as_str());
    let _ = writeln!(out, "<div class=\"action\"><h3>{}</h3>", Escaped(name));
    let _ = writeln!(
        out,
        "<pre class=\"call\">{} {}</pre>",
        Escaped(&judged.call.tool),
        Escaped(&judged.call.args.to_string())
    );
    if let Some(found) = &judged.verdict {
        verdict(out, found);
    }
    let _ = writeln!(out, "<p class=\"result {class}\"><b>{word}</b> {}</p>", Escaped(words));
    if let Outcome::Failed { hint: Some(hint), .. } = &judged.outcome {
        let _ = writeln!(out, "<p class=\"small\">{}</p>", Escaped(hint));
    }
    if let Some(picture) = judged.picture {
        let source = pictures.source(picture);
        let _ = writeln!(
            out,
            "<p><img class=\"taken\" src=\"{source}\" loading=\"lazy\" alt=\"the picture that it took\"></p>"
        );
    }
    out.push_str("</div>\n");
}

fn verdict(out: &mut String, verdict: &Verdict) {
    let class = if verdict.allowed { "good" } else { "bad" };
    let word = match verdict.decision {
        Decision::Allow => "allowed",
        Decision::Ask => "asked",
        Decision::Deny => "denied",
    };
    let before = if verdict.earlier { " (said before)" } else { "" };
    let answer = match &verdict.approval {
        Some(Approval::Deny { .. }) => format!(": no{before}"),
        Some(answer) => format!(": {}{before}", answer.words()),
        // A record that is older than the answers in it.
        None if verdict.decision == Decision::Ask && verdict.allowed => ": granted before".into(),
        None => String::new(),
    };
    let _ = write!(out, "<p class=\"verdict {class}\"><b>Gate: {word}{answer}</b>");
    for reason in &verdict.reasons {
        let _ = write!(out, " <code>{}</code> {}", Escaped(&reason.rule), Escaped(&reason.because));
    }
    if let Some(Approval::Deny { reason, .. }) = &verdict.approval {
        let _ = write!(out, " “{}”", Escaped(reason));
    }
    out.push_str("</p>\n");
}

fn result(outcome: &Outcome) -> (&'static str, &'static str, &str) {
    match outcome {
        Outcome::Done { effect, answer } => {
            let words = match (answer, effect) {
                (Some(answer), _) => answer.as_str(),
                (None, Effect::Confirmed) => "the screen changed",
                (None, Effect::Unconfirmed) => "",
                (None, Effect::NoVisibleEffect) => "nothing changed on the screen",
            };
            let class = if *effect == Effect::NoVisibleEffect { "open" } else { "good" };
            (class, "Done", words)
        }
        Outcome::Failed { reason, .. } => ("bad", "Failed", reason),
        Outcome::Refused { reason } => ("bad", "Refused", reason),
    }
}

fn times(out: &mut String, timing: &Timing) {
    let Timing { observe, model, gate, act, settle, record } = *timing;
    let all = observe + model + gate + act + settle + record;
    let _ = write!(out, "<p class=\"times\"><b>{}</b>", Span(all));
    let parts = [
        ("looking", observe),
        ("model", model),
        ("gate", gate),
        ("acting", act),
        ("settling", settle),
        ("recording", record),
    ];
    for (name, ms) in parts.into_iter().filter(|(_, ms)| *ms > 0.0) {
        let _ = write!(out, " <span>{name} {}</span>", Span(ms));
    }
    out.push_str("</p>\n");
}
