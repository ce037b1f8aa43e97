//! The real binary, as a user starts it: what it says, what it does on a real display, how it ends.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails, and that is what these say"
)]

mod bench;
mod console;
mod display;
mod fold;
mod mcp;
mod policy;
mod run;
mod runs;
mod screen;
mod see;
#[cfg(unix)]
mod serve;
mod steered;
mod support;
#[cfg(target_os = "linux")]
mod tui;
mod usage;
