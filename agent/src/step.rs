//! One call from words to effect: resolve, review, perform, wait until the screen is quiet. The loop,
//! a workflow, a replay and a single call on the command line all go through here.

use std::time::{Duration, Instant};

use freehand_tools::action::{ActionKind, Target};
use freehand_tools::call::ToolCall;
use freehand_tools::desktop::{Desktop, DesktopError};
use freehand_tools::element::{Role, Window};
use freehand_tools::frame::Frame;
use freehand_tools::gate::Gate;
use freehand_tools::geometry::ScreenRect;
use freehand_tools::observation::Observation;
use freehand_tools::outcome::{Effect, Outcome};
use freehand_tools::settle::{Patience, dirty, settle};
use freehand_tools::toolbox::Toolbox;

use crate::event::{Event, Listener};
use crate::outside::Stop;
use crate::supervision::{Intent, Plan};
use crate::trajectory::{Judged, Timing};

/// A patch of at most so many screen pixels is a caret, and no effect.
const CARET: u64 = 400;
/// As long as a program that runs may take to show its window, the same where it has handed over to another
/// or has none, and as long as a window may take to show what is in it.
const START: Duration = Duration::from_secs(20);
const HANDED_OVER: Duration = Duration::from_secs(1);
const FILL: Duration = Duration::from_secs(2);

/// What became of one call.
#[derive(Debug)]
pub struct Done {
    /// The record of it.
    pub judged: Judged,
    /// Where the time went.
    pub timing: Timing,
    /// A picture that the call took.
    pub picture: Option<Frame>,
}

fn ms(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

/// Says what comes next, before it is judged.
pub(crate) fn announce(
    listener: &dyn Listener,
    toolbox: &Toolbox,
    step: u32,
    call: &ToolCall,
    seen: &Observation,
) {
    let Ok(action) = toolbox.resolve(call, seen) else { return };
    if let ActionKind::Note { text } = &action.kind {
        listener.event(Event::Noted { step, text: text.clone() });
        if let Some(plan) = Plan::noted(text) {
            listener.event(Event::Planned { plan });
        }
    }
    listener.event(Event::Intended { step, intent: Intent::of(&action) });
}

/// Grounds `call` on `seen`, has it judged and does it. `Err` means that the desktop is gone.
pub async fn perform_call(
    desktop: &mut dyn Desktop,
    toolbox: &Toolbox,
    gate: &mut Gate,
    call: ToolCall,
    seen: &Observation,
    stop: &Stop,
) -> Result<Done, DesktopError> {
    let mut timing = Timing::default();
    let mut action = match toolbox.resolve(&call, seen) {
        Ok(action) => action,
        Err(error) => {
            let outcome = Outcome::Failed { reason: error.to_string(), hint: None };
            let judged = Judged { call, action: None, verdict: None, outcome, picture: None };
            return Ok(Done { judged, timing, picture: None });
        }
    };
    let start = Instant::now();
    let link = action.target.element.as_ref().filter(|element| element.role == Role::Link);
    if let Some(key) = link.map(|element| element.key.clone()) {
        action.setting.leads_to = desktop.link_of(&key).await?;
    }
    let review = gate.review(action, seen).await;
    let action = review.action;
    timing.gate = ms(start);
    let Some(permit) = review.permit else {
        let reason = review.verdict.refusal().unwrap_or_default();
        let outcome = Outcome::Refused { reason };
        let judged =
            Judged { call, action: Some(action), verdict: Some(review.verdict), outcome, picture: None };
        return Ok(Done { judged, timing, picture: None });
    };
    let start = Instant::now();
    let before = desktop.capture(Some(seen.bounds())).await?;
    let performed = toolbox.perform(permit, desktop).await?;
    timing.act = ms(start);
    let mut outcome = performed.outcome;
    if let ActionKind::AskUser { question } = &action.kind {
        outcome = match gate.question(question).await {
            Some(answer) => Outcome::answer(answer),
            None => Outcome::failed("nobody answered"),
        };
    }
    if outcome == Outcome::sent() {
        let start = Instant::now();
        let launches = matches!(action.kind, ActionKind::OpenApp { .. } | ActionKind::OpenUrl { .. });
        outcome = if launches {
            appearance(desktop, &before, seen, stop).await?
        } else {
            effect(desktop, &before, mark(&action.target)).await?
        };
        timing.settle = ms(start);
    }
    let picture = performed.picture;
    let judged = Judged {
        call,
        action: Some(action),
        verdict: Some(review.verdict),
        outcome,
        picture: picture.as_ref().map(Frame::digest),
    };
    Ok(Done { judged, timing, picture })
}

/// Waits until what was started shows itself: in a window that was not there before and has something in
/// it, or under another title in one that was. A splash is none: it goes when the program is there.
async fn appearance(
    desktop: &mut dyn Desktop,
    before: &Frame,
    known: &Observation,
    stop: &Stop,
) -> Result<Outcome, DesktopError> {
    let start = Instant::now();
    let (mut ran, mut appeared) = (start, None::<Instant>);
    loop {
        if desktop.launched_runs() && start.elapsed() < START {
            ran = Instant::now();
        }
        let outcome = effect(desktop, before, None).await?;
        let seen = desktop.observe().await?;
        let is_new = |window: &&Window| {
            !known.windows.iter().any(|old| old.id == window.id && old.title == window.title)
        };
        let mut windows = Vec::new();
        for window in seen.windows.iter().filter(is_new) {
            if !desktop.is_splash(window.id)? {
                windows.push(window);
            }
        }
        let filled = |window: &Window| seen.elements.iter().any(|e| e.window == Some(window.id));
        if !windows.is_empty() {
            appeared = appeared.or(Some(Instant::now()));
        }
        let waited = appeared.map_or(ran.elapsed() > HANDED_OVER, |at| at.elapsed() > FILL);
        if !windows.is_empty() && (windows.iter().any(|window| filled(window)) || waited) {
            return Ok(Outcome::Done { effect: Effect::Confirmed, answer: None });
        }
        if waited || stop.is_stopped() {
            return Ok(outcome);
        }
    }
}

/// Where the mark of a box is, which is no larger than a caret.
fn mark(target: &Target) -> Option<ScreenRect> {
    let element = target.element.as_ref()?;
    matches!(element.role, Role::Checkbox | Role::Radio | Role::Toggle).then_some(element.bounds)
}

/// Waits until the screen is quiet and says whether anything changed; a small change counts where the
/// `mark` is.
async fn effect(
    desktop: &mut dyn Desktop,
    before: &Frame,
    mark: Option<ScreenRect>,
) -> Result<Outcome, DesktopError> {
    let settled = settle(desktop, before, Patience::default()).await?;
    let visible = dirty(before, &settled.frame).is_some_and(|patch| {
        patch.area() > CARET || mark.is_some_and(|mark| mark.intersect(&patch).is_some())
    });
    let effect = if visible { Effect::Confirmed } else { Effect::NoVisibleEffect };
    Ok(Outcome::Done { effect, answer: None })
}
