//! The crate as others use it, on real displays and simulated ones.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test that cannot go on fails, and that is what these say"
)]

mod approvals;
mod cells;
mod conformance;
mod permits;
mod simulated;
#[cfg(target_os = "linux")]
mod x11;
