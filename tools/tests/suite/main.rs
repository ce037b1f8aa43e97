//! The crate as others use it, on real displays and simulated ones.
#![allow(unused_crate_dependencies, reason = "a test binary uses some of them only")]

mod conformance;
mod permits;
mod simulated;
#[cfg(target_os = "linux")]
mod x11;
