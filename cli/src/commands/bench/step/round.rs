//! One round of our own: the same calls in the same order as in a run, each with the time it took. The
//! model is left out, and waiting for the screen to settle is done and not counted.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use freehand_agent::trajectory::recorder::Recorder;
use freehand_agent::trajectory::{Choices, FORMAT, Header, Judged, Seen, Step, Timing};
use freehand_model::dialect::list;
use freehand_policies::approver::DenyAll;
use freehand_policies::preset::{DisplayTrust, Preset};
use freehand_tools::action::Button;
use freehand_tools::call::ToolCall;
use freehand_tools::desktop::{Desktop as _, DesktopError, PointerInput};
use freehand_tools::element::{Role, Source};
use freehand_tools::frame::Frame;
use freehand_tools::gate::Gate;
use freehand_tools::geometry::ScreenPoint;
use freehand_tools::observation::Observation;
use freehand_tools::outcome::Outcome;
use freehand_tools::permit::Redeemed;
use freehand_tools::settle::{Patience, settle};
use freehand_tools::toolbox::Toolbox;
use serde::Serialize;
use serde_json::{Value, json};

use super::page::BUTTONS;
use super::stage::Stage;
use crate::commands::bench::spread::Spread;
use crate::work::NO_MODEL;

/// After this time a screen that has not changed is taken for one that stands still.
const STILL: Duration = Duration::from_millis(600);

/// What is measured of a round, in ms.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Parts<T> {
    /// Frame, windows and elements.
    pub observe: T,
    /// The list that the model reads, and the observation as it is recorded.
    pub list: T,
    /// Grounding the call, judging it, looking at the target once more.
    pub gate: T,
    /// The picture from before, and the click.
    pub act: T,
    /// The line of the record, on the disk, and the picture.
    pub record: T,
    /// All of the above.
    pub step: T,
    /// Looking once more at a screen that stands still.
    pub observe_unchanged: T,
    /// The windows alone.
    pub windows: T,
    /// The frame alone.
    pub picture: T,
    /// The frame alone, as a PNG file.
    pub png: T,
    /// The click alone.
    pub click: T,
}

impl Parts<f64> {
    /// What the rounds come to.
    pub fn spread(rounds: &[Self]) -> Option<Parts<Spread>> {
        let of = |part: fn(&Self) -> f64| Spread::of(rounds.iter().map(part));
        Some(Parts {
            observe: of(|r| r.observe)?,
            list: of(|r| r.list)?,
            gate: of(|r| r.gate)?,
            act: of(|r| r.act)?,
            record: of(|r| r.record)?,
            step: of(|r| r.step)?,
            observe_unchanged: of(|r| r.observe_unchanged)?,
            windows: of(|r| r.windows)?,
            picture: of(|r| r.picture)?,
            png: of(|r| r.png)?,
            click: of(|r| r.click)?,
        })
    }
}

/// A round that is done.
pub struct Done {
    /// The times.
    pub parts: Parts<f64>,
    /// Where it was clicked.
    pub point: ScreenPoint,
    /// Elements that were seen.
    pub elements: usize,
}

/// Does the rounds of one case, all in one record.
pub struct Stepper {
    toolbox: Toolbox,
    gate: Gate,
    recorder: Recorder,
    index: u32,
}

/// The time since `start` in ms; the next one begins now.
fn lap(start: &mut Instant) -> f64 {
    let now = Instant::now();
    let ms = now.duration_since(*start).as_secs_f64() * 1000.0;
    *start = now;
    ms
}

impl Stepper {
    /// Records into `folder`.
    pub fn new(folder: &Path, display: &str) -> Result<Self> {
        let header = Header {
            format: FORMAT,
            task: "the benchmark of a step".into(),
            until: None,
            model: NO_MODEL.into(),
            dialect: NO_MODEL.into(),
            policy: Preset::Unattended.name().into(),
            policy_digest: String::new(),
            display: display.into(),
            started_ms: 0,
        };
        Ok(Self {
            toolbox: Toolbox::default(),
            gate: Gate::new(vec![Preset::Unattended.policy(DisplayTrust::Own)], Box::new(DenyAll)),
            recorder: Recorder::create(folder, header)?,
            index: 0,
        })
    }

    /// Does one round and waits until the screen is quiet again.
    pub async fn round(&mut self, stage: &mut Stage) -> Result<Done> {
        self.index += 1;
        let desktop = &mut stage.desktop;
        let mut since = Instant::now();
        let seen = desktop.observe().await?;
        let observe = lap(&mut since);
        // It is known to stand still when two looks have agreed for a while.
        tokio::time::sleep(STILL).await;
        desktop.observe().await?;
        since = Instant::now();
        desktop.observe().await?;
        let observe_unchanged = lap(&mut since);
        let text = list::screen(&seen, "", list::BUDGET);
        let kept = Seen::from(&seen);
        let list = lap(&mut since);
        let (target, point) = target(&seen, self.index)?;
        since = Instant::now();
        let call = ToolCall::new("click", json!({ "target": target }));
        let action = self.toolbox.resolve(&call, &seen)?;
        let review = self.gate.review(action.clone(), &seen).await;
        let refusal = review.verdict.refusal().unwrap_or_default();
        let permit = review.permit.with_context(|| format!("the click was refused: {refusal}"))?;
        let permit = permit.redeem(desktop).await.map_err(|void| failed(&void))?;
        let gate = lap(&mut since);
        let before = desktop.capture(Some(seen.bounds())).await?;
        let picture_before = lap(&mut since);
        make_click(stage, &permit, point).await?;
        let click = lap(&mut since);
        let judged = Judged {
            call,
            action: Some(action),
            verdict: Some(review.verdict),
            outcome: Outcome::sent(),
            picture: None,
        };
        let step = step(self.index, kept, text, judged);
        since = Instant::now();
        self.recorder.step(&step, std::slice::from_ref(&seen.frame))?;
        let record = lap(&mut since);
        settle(&mut stage.desktop, &before, Patience::default()).await?;
        let act = picture_before + click;
        let elements = seen.elements.len();
        let (windows, picture, png) = alone(stage).await?;
        let parts = Parts {
            observe,
            list,
            gate,
            act,
            record,
            step: observe + list + gate + act + record,
            observe_unchanged,
            windows,
            picture,
            png,
            click,
        };
        Ok(Done { parts, point, elements })
    }
}

async fn make_click(stage: &mut Stage, permit: &Redeemed, point: ScreenPoint) -> Result<()> {
    stage.desktop.pointer(permit, PointerInput::MoveTo(point)).await?;
    stage.desktop.pointer(permit, PointerInput::Click(Button::Left, 1)).await?;
    Ok(())
}

/// Windows, frame, and frame as a file: each by itself, for the comparison.
async fn alone(stage: &mut Stage) -> Result<(f64, f64, f64)> {
    let desktop = &mut stage.desktop;
    let mut since = Instant::now();
    desktop.element_at(None, None).await?;
    let windows = lap(&mut since);
    let frame: Frame = desktop.capture(None).await?;
    let picture = lap(&mut since);
    frame.to_png().context("the picture cannot be encoded")?;
    Ok((windows, picture, picture + lap(&mut since)))
}

fn failed(reason: impl ToString) -> DesktopError {
    DesktopError::failed("a click of the benchmark", reason)
}

/// The target of a click as the model would name it, and the point that it means: a button where there
/// is a list, else the empty part of the page.
fn target(seen: &Observation, turn: u32) -> Result<(Value, ScreenPoint)> {
    let name = BUTTONS.get(usize::from(turn % 2 == 1)).copied().unwrap_or_default();
    let button = seen.elements.iter().find(|e| e.role == Role::Button && e.name == name);
    if let Some(button) = button {
        return Ok((json!(button.id), button.bounds.center()));
    }
    if seen.elements.iter().any(|element| element.source == Source::Accessibility) {
        return Err(failed(format!("there is no button `{name}`")).into());
    }
    let page = Stage::page(seen)?.bounds;
    let aside = page.center().offset(i32::try_from(page.width / 4)?, i32::try_from(turn % 2 * 40)?);
    Ok((json!({ "x": aside.x, "y": aside.y }), aside))
}

fn step(index: u32, seen: Seen, list: String, judged: Judged) -> Step {
    Step {
        index,
        at_ms: 0,
        seen,
        list,
        done: None,
        choices: Choices::default(),
        completion: None,
        proposal: None,
        unread: None,
        interventions: Vec::new(),
        actions: vec![judged],
        timing: Timing::default(),
    }
}
