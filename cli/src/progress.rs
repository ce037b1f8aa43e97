//! What a person sees while something takes its time: a bar or a turning sign on a terminal, one plain
//! line anywhere else.

use std::io::IsTerminal as _;
use std::time::Duration;

use freehand_model::store::Stage;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::terminal::{self, Tone};

/// How often the sign turns, in ms.
const TICK: Duration = Duration::from_millis(120);

/// A sign that turns until it is cleared.
pub fn spinner(what: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() || terminal::is_held() {
        terminal::say(Tone::Faint, what);
        return ProgressBar::hidden();
    }
    let sign = ProgressBar::new_spinner().with_message(what.to_owned());
    sign.enable_steady_tick(TICK);
    sign
}

/// The bar of a model that is being fetched.
#[derive(Debug)]
pub struct Fetching {
    bar: ProgressBar,
    stage: Option<Stage>,
}

impl Fetching {
    /// A bar that is not shown before anything comes.
    pub fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let template = "{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self { bar, stage: None }
    }

    /// `done` bytes of `total` are there.
    pub fn at(&mut self, stage: Stage, done: u64, total: u64) {
        if self.stage != Some(stage) {
            let words = match stage {
                Stage::Check => "looking at what is there",
                Stage::Hub => "fetching from the hub",
                Stage::Packages => "fetching as Python packages",
            };
            self.stage = Some(stage);
            self.bar.set_message(words);
            if self.bar.is_hidden() {
                terminal::say(Tone::Faint, words);
            }
            self.bar.reset_eta();
        }
        self.bar.set_length(total);
        self.bar.set_position(done);
    }

    /// Takes the bar away.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
