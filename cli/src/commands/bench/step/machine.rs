//! What was measured on: figures without it mean nothing.

use std::process::Command;

use serde::Serialize;

use super::stage;

/// The machine, and what runs on it besides.
#[derive(Debug, Serialize)]
pub struct Machine {
    /// Cores that this program may use.
    pub cores: usize,
    /// The processor's name.
    pub processor: String,
    /// The version of the kernel.
    pub kernel: String,
    /// The browser that shows the pages.
    pub browser: String,
    /// The package of the X server of the virtual display, which does not tell its version itself.
    pub server: String,
}

impl Machine {
    /// This one.
    pub fn here() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            cores,
            processor: processor(),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            browser: stage::program().map(|program| said(program, &["--version"])).unwrap_or_default(),
            server: said("dpkg-query", &["--show", "xvfb"]).replace('\t', " "),
        }
    }
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn processor() -> String {
    let about = read("/proc/cpuinfo");
    let name = about.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    name.map(|(_, name)| name.trim().to_owned()).unwrap_or_default()
}

/// The first line that a program says; nothing where it is not there.
fn said(program: &str, args: &[&str]) -> String {
    let Ok(output) = Command::new(program).args(args).output() else { return String::new() };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().next().unwrap_or_default().trim().to_owned()
}
