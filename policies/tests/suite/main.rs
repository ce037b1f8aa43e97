//! The crate as others use it, with processes of its own.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on fails, and that is what these say"
)]

#[cfg(unix)]
mod killed;
