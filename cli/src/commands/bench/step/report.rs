//! What came out: as JSON for a program, as tables for a person.

use std::fmt::Write as _;

use serde::Serialize;

use super::machine::Machine;
use super::peer::{Round, Versions};
use super::round::Parts;
use crate::commands::bench::spread::Spread;
use crate::terminal::{self, Tone};

/// All of it.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The version of Freehand.
    pub version: &'static str,
    /// Whether it was built to be quick. If not, the figures say little.
    pub optimised: bool,
    /// Rounds of each case that count.
    pub rounds: u32,
    /// Rounds before them that do not.
    pub warm_up: u32,
    /// Where the words of the pages begin.
    pub seed: u64,
    /// What it ran on.
    pub machine: Machine,
    /// What it is compared with.
    pub peer: Peer,
    /// One for each size and screen.
    pub cases: Vec<Case>,
}

/// What it is compared with, or why with nothing.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Peer {
    /// With this.
    There(Versions),
    /// With nothing.
    Missing {
        /// Why.
        missing: String,
    },
}

/// What is on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scene {
    /// A page without an accessibility bus.
    Mute,
    /// A page with about 20 elements.
    Few,
    /// A page with about 700 elements.
    Many,
}

impl Scene {
    /// In the order in which they are measured.
    pub const ALL: [Self; 3] = [Self::Mute, Self::Few, Self::Many];

    /// What a step should stay under, in ms.
    const fn aim(self) -> Option<f64> {
        match self {
            Self::Mute => Some(15.0),
            Self::Few => None,
            Self::Many => Some(100.0),
        }
    }

    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Mute => "no accessibility bus",
            Self::Few => "a form",
            Self::Many => "a full table",
        }
    }
}

/// One size and one scene.
#[derive(Debug, Serialize)]
pub struct Case {
    /// The size of the display in px.
    pub display: String,
    /// What is on it.
    pub scene: Scene,
    /// Elements in the list.
    pub elements: usize,
    /// What the step should stay under, in ms.
    pub aim_ms: Option<f64>,
    /// What else ran meanwhile: the load of the machine at the end.
    pub load: f64,
    /// Our own times, in ms.
    pub parts: Parts<Spread>,
    /// The same beside what people use otherwise.
    pub compared: Vec<Versus>,
}

/// The same thing done by us and by another.
#[derive(Debug, Serialize)]
pub struct Versus {
    /// What is done.
    pub what: &'static str,
    /// By whom.
    pub other: &'static str,
    /// Our time, in ms.
    pub ours: Spread,
    /// The other's time, in ms.
    pub theirs: Spread,
    /// How many times as long as ours the other's median is.
    pub ratio: f64,
    /// The same for the quickest rounds.
    pub ratio_min: f64,
}

impl Case {
    /// What the rounds come to; `None` when there was none.
    pub fn of(
        display: String,
        scene: Scene,
        elements: usize,
        load: f64,
        ours: &[Parts<f64>],
        theirs: &[Round],
    ) -> Option<Self> {
        let parts = Parts::spread(ours)?;
        let (aim_ms, compared) = (scene.aim(), compare(&parts, theirs));
        Some(Self { display, scene, elements, aim_ms, load, parts, compared })
    }
}

type Other = (&'static str, &'static str, fn(&Parts<Spread>) -> Spread, fn(&Round) -> Option<f64>);

/// What is compared: the thing, who else does it, our part and theirs.
const OTHERS: [Other; 7] = [
    ("picture", "mss", |p| p.picture, |r| Some(r.mss_picture)),
    ("picture", "Pillow", |p| p.picture, |r| Some(r.pillow_picture)),
    ("picture", "PyAutoGUI with scrot", |p| p.picture, |r| r.pyautogui_picture),
    ("png", "mss", |p| p.png, |r| Some(r.mss_png)),
    ("png", "scrot", |p| p.png, |r| r.scrot_png),
    ("click", "PyAutoGUI", |p| p.click, |r| Some(r.pyautogui_click)),
    ("click", "PyAutoGUI with its pause", |p| p.click, |r| Some(r.pyautogui_click_pause)),
];

fn compare(parts: &Parts<Spread>, theirs: &[Round]) -> Vec<Versus> {
    let versus = |(what, other, our, their): &Other| {
        let (ours, theirs) = (our(parts), Spread::of(theirs.iter().filter_map(their))?);
        let (ratio, ratio_min) = (theirs.median / ours.median, theirs.min / ours.min);
        Some(Versus { what, other, ours, theirs, ratio, ratio_min })
    };
    OTHERS.iter().filter_map(versus).collect()
}

impl Report {
    /// For a person.
    pub fn show(&self) {
        let Machine { cores, processor, kernel, browser, server } = &self.machine;
        terminal::answer(&format!("freehand {}, {} rounds, in ms", self.version, self.rounds));
        terminal::answer(&format!("{cores} cores of {processor}, Linux {kernel}"));
        terminal::answer(&format!("{browser}, {server}"));
        match &self.peer {
            Peer::There(Versions { python, mss, pyautogui, pillow }) => {
                terminal::answer(&format!(
                    "Python {python}, mss {mss}, PyAutoGUI {pyautogui}, Pillow {pillow}"
                ));
            }
            Peer::Missing { missing } => {
                terminal::answer(&format!("compared with nothing: {missing}"));
            }
        }
        if !self.optimised {
            terminal::answer_in(Tone::Bad, "built without optimisation: ", "the figures say little");
        }
        self.cases.iter().for_each(Case::show);
    }
}

impl Case {
    fn show(&self) {
        let Self { display, scene, elements, load, parts, .. } = self;
        terminal::answer("");
        terminal::answer(&format!("{display}, {}, {elements} elements (load {load:.1})", scene.words()));
        terminal::answer(&format!("  {:38}{:>9}{:>9}{:>9}", "", "min", "median", "p90"));
        for (name, spread) in [
            ("observe", parts.observe),
            ("list", parts.list),
            ("gate", parts.gate),
            ("act", parts.act),
            ("record", parts.record),
            ("the step", parts.step),
            ("observe again, nothing has changed", parts.observe_unchanged),
            ("windows alone", parts.windows),
        ] {
            row(name, spread, "");
        }
        if let Some(aim) = self.aim_ms {
            let (tone, word) = if parts.step.median < aim {
                (Tone::Good, "  reached")
            } else {
                (Tone::Bad, "  missed")
            };
            terminal::answer_in(tone, word, &format!(": a step in less than {aim:.0} ms"));
        }
        let mut before = "";
        for Versus { what, other, ours, theirs, ratio, ratio_min } in &self.compared {
            if before != *what {
                row(what, *ours, "");
            }
            before = what;
            let mut times = String::new();
            let _ = write!(times, "  {ratio:.1} times as long (min {ratio_min:.1})");
            row(&format!("  {other}"), *theirs, &times);
        }
    }
}

fn row(name: &str, spread: Spread, rest: &str) {
    let Spread { min, median, p90 } = spread;
    terminal::answer(&format!("  {name:38}{min:9.2}{median:9.2}{p90:9.2}{rest}"));
}
