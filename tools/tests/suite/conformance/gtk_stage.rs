//! The standard window on a real X server: a GTK program that writes down what arrived.

use std::path::PathBuf;
use std::time::Duration;

use freehand_tools::action::{ActionKind, Target};
use freehand_tools::desktop::x11::X11;
use freehand_tools::desktop::x11::virtual_display::VirtualDisplay;
use freehand_tools::desktop::{Desktop, Launch};
use freehand_tools::element::Role;
use freehand_tools::geometry::{Rect, ScreenRect, Size};
use tokio::time::{Instant, sleep};

use super::{Arrived, Stage, conforms, permit};

/// Dropped in this order: the desktop lets go before its display ends.
struct GtkStage {
    desktop: X11,
    monitor: ScreenRect,
    journal: PathBuf,
    _folder: tempfile::TempDir,
    _display: VirtualDisplay,
}

impl Stage for GtkStage {
    fn desktop(&mut self) -> &mut dyn Desktop {
        &mut self.desktop
    }

    fn monitor(&self) -> ScreenRect {
        self.monitor
    }

    fn arrived(&mut self) -> Arrived {
        let text = std::fs::read_to_string(&self.journal).unwrap_or_default();
        let whole = text.rsplit_once('\n').map_or("", |(lines, _)| lines);
        whole.lines().last().map_or_else(Arrived::default, |line| serde_json::from_str(line).unwrap())
    }
}

impl GtkStage {
    async fn start() -> Self {
        let size = Size::new(1280, 800);
        let display = VirtualDisplay::start(size).unwrap();
        let mut desktop = X11::on(&display).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let journal = folder.path().join("arrived.jsonl");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/stage.py");
        let command = ["/usr/bin/python3", script, journal.to_str().unwrap()].map(str::to_owned);

        let seen = desktop.observe().await.unwrap();
        let kind = ActionKind::OpenApp { command: command.join(" ") };
        let right = permit(kind, Target::default(), &seen).await.redeem(&mut desktop).await.unwrap();
        desktop.launch(&right, Launch::App(command.into())).await.unwrap();
        let mut stage =
            Self { desktop, monitor: Rect::of_size(size), journal, _folder: folder, _display: display };
        stage.wait_for_window().await;
        stage
    }

    /// Waits until the window is there, listed and at rest.
    async fn wait_for_window(&mut self) {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            let seen = self.desktop.observe().await.unwrap();
            let ready = seen.focused_window().is_some_and(|w| w.title == "Stage")
                && seen.elements.iter().any(|e| e.role == Role::Button && e.name == "OK")
                && seen.focus.is_some();
            if ready {
                return;
            }
            assert!(Instant::now() < end, "the standard window does not show: {seen:#?}");
            sleep(Duration::from_millis(50)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gtk_window_on_a_real_server() {
    conforms(&mut GtkStage::start().await).await;
}
