//! The real binary, as a user starts it: what it says, what it does on a real display, how it ends.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on fails, and that is what these say"
)]

mod display;
mod run;
mod screen;
mod support;
mod usage;
