//! Pictures for people and for models that see: the screen with numbered marks on it.

pub(crate) mod canvas;
pub mod fit;
pub mod marks;
pub mod resize;
pub mod sketch;
mod tags;
