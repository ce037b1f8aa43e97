//! What can be seen and done on a desktop.
//!
//! The nouns of one step stand here ([`observation`], [`call`], [`action`], [`outcome`]), the tools
//! that turn a call into an action ([`tool`], [`toolbox`]), the [`gate`] that every action passes and
//! the [`permit`] that proves it, and the [`desktop`]s it happens on. Nothing here knows a model or a
//! policy: those come in through traits.

pub mod action;
pub mod apps;
pub mod call;
pub mod desktop;
pub mod element;
pub mod frame;
pub mod gate;
pub mod geometry;
pub mod key;
pub mod observation;
pub mod outcome;
pub mod permit;
pub mod picture;
pub mod quote;
pub mod secret;
pub mod setting;
pub mod settle;
pub mod tool;
pub mod toolbox;
mod typed;
pub mod visible;
