//! The standard window on the simulated desktop, at several scales and on several monitors.

use freehand_tools::desktop::Desktop;
use freehand_tools::desktop::simulated::{SimEvent, Simulated, WindowBuilder};
use freehand_tools::geometry::{Rect, ScreenRect, Size};

use super::{Arrived, Stage, conforms};

struct SimulatedStage {
    desktop: Simulated,
    monitor: ScreenRect,
}

impl Stage for SimulatedStage {
    fn desktop(&mut self) -> &mut dyn Desktop {
        &mut self.desktop
    }

    fn monitor(&self) -> ScreenRect {
        self.monitor
    }

    fn arrived(&mut self) -> Arrived {
        let value = |name| self.desktop.value(name).unwrap_or_default();
        let (keys, buttons) = self.desktop.held();
        let mut arrived = Arrived {
            name: value("Name"),
            secret: value("Secret"),
            agree: value("Agree") == "true",
            size: value("Size"),
            held: !keys.is_empty() || !buttons.is_empty(),
            ..Arrived::default()
        };
        for event in self.desktop.events() {
            match event {
                SimEvent::Pressed(name) if name == "OK" => arrived.pressed += 1,
                SimEvent::Scrolled { target, dy, .. } if target.as_deref() == Some("Notes") => {
                    arrived.scroll += i64::from(*dy);
                }
                SimEvent::Chord { window, chord } if window.as_deref() == Some("Stage") => {
                    arrived.chords.push(chord.to_string());
                }
                _ => {}
            }
        }
        arrived
    }
}

fn standard(window: &mut WindowBuilder) {
    let lines: Vec<String> = (1..=100).map(|n| format!("Line {n}")).collect();
    window.label("Name").textbox("Name").label("Secret").password("Secret").checkbox("Agree", false);
    window
        .dropdown("Size", &["Small", "Medium", "Large"])
        .textarea("Notes", &lines.join("\n"))
        .button("OK");
}

fn behind(window: &mut WindowBuilder) {
    window.place(20, 20).label("Something that stood here before").button("Elsewhere");
}

#[tokio::test]
async fn one_monitor_at_every_scale() {
    for scale in [1.0, 1.25, 1.5, 2.0] {
        let size = Size::new(1280, 1000);
        let desktop = Simulated::new(size).scale(scale);
        let desktop = desktop.window("Other", "other", behind).window("Stage", "stage", standard);
        conforms(&mut SimulatedStage { desktop, monitor: Rect::of_size(size) }).await;
    }
}

#[tokio::test]
async fn either_of_two_monitors_one_left_of_the_origin() {
    let (left, size) = (Rect::new(-1280, -100, 1280, 960), Size::new(1280, 1000));
    for scale in [1.0, 1.25, 2.0] {
        let two = || Simulated::new(size).monitor("left", left, scale).window("Other", "other", behind);
        let desktop = two().watching("left").window("Stage", "stage", |w| standard(w.place(-1200, -90)));
        conforms(&mut SimulatedStage { desktop, monitor: left }).await;
        let desktop = two().scale(scale).window("Stage", "stage", standard);
        conforms(&mut SimulatedStage { desktop, monitor: Rect::of_size(size) }).await;
    }
}

#[tokio::test]
async fn a_clock_and_a_blinking_caret_change_nothing() {
    let size = Size::new(800, 600);
    let desktop = Simulated::new(size).with_clock().with_blinking_caret();
    let desktop = desktop.window("Other", "other", behind).window("Stage", "stage", standard);
    conforms(&mut SimulatedStage { desktop, monitor: Rect::of_size(size) }).await;
}
