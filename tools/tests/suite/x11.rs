//! The real desktop on a real X server. Every test starts a display of its own; where that cannot be
//! done the test fails, it is not skipped.

mod beyond;
mod changing;
mod composited;
mod curtain;
mod drawn;
mod gestures;
mod input;
mod leaving;
mod monitors;
mod odd_pages;
mod odd_programs;
mod person;
mod presence;
mod probe;
mod reading;
mod seeing;
mod sheet;
mod support;
mod typing;
