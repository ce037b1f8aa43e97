//! One element of the list, read once more: what a click is judged by right before it is made.

use ::atspi::{Role as BusRole, State};

use super::list::TINY;
use super::node::{Address, Node, is_block};
use super::pulse::LONG;
use super::{Accessibility, draft, roles};
use crate::element::{Element, ElementKey, Role};

impl Accessibility {
    /// One element, read afresh; `None` when it is gone or does not show any more.
    pub async fn element(&mut self, key: &ElementKey) -> Option<Element> {
        let known = self.last.get(key)?.clone();
        let id = self.numbers.of(key)?;
        self.bus.pulses().begin(LONG);
        let known_at = Address::from_key(&key.0)?;
        // A program forgets the object of a cell as soon as nobody looks at it, and makes another one.
        let address = match self.cells.at.get(&known_at) {
            Some((table, at)) => self.bus.cell(table, *at).await?,
            None => known_at.clone(),
        };
        let (node, bounds) =
            tokio::join!(self.bus.one(&address), self.bus.extents(std::slice::from_ref(&address)));
        let is_cell = self.cells.at.contains_key(&known_at);
        let is_shown = |node: &Node| is_cell || self.in_gtk4.contains(&address) || node.shows();
        let node = node.map(|(node, _)| node).filter(is_shown)?;
        let bounds = bounds.into_iter().flatten().next().filter(|bounds| !bounds.is_empty())?;
        let bounds = self.places.of(&known_at).of(bounds);
        let mut fresh = known.clone();
        fresh.id = id;
        let is_same = |(role, name): &(BusRole, String)| {
            // A part of a page that is edited is called a field, and what is called after its class in
            // GTK 4 is called nothing.
            let edited = *role == BusRole::DocumentText && node.is(State::Editable);
            let unnamed = name.is_empty() && self.in_gtk4.contains(&address);
            (*role == node.role || edited && is_block(node.role)) && (*name == node.name || unnamed)
        };
        if !self.said.get(key).is_none_or(is_same) {
            fresh.role = roles::role(&node);
            fresh.name = draft::clean(&node.name);
        }
        fresh.states = roles::states(&node, fresh.role);
        fresh.states.editable |= is_cell && known.states.editable;
        if let Some(part) = self.cursors.get(key).filter(|_| !fresh.states.focused) {
            let part = self.bus.one(part).await;
            fresh.states.focused = part.is_some_and(|(part, _)| part.is(State::Focused));
        }
        // The pieces of a text that goes on are read as one; the first stands for all.
        let piece = fresh.role == Role::Text && bounds.intersect(&known.bounds) == Some(bounds);
        // The label of a box that is hardly there stands for it.
        let tiny = bounds.width < TINY || bounds.height < TINY;
        let drawn = tiny && known.bounds.contains(bounds.center());
        if !piece && !drawn {
            fresh.bounds = bounds.intersect(&known.bounds).unwrap_or(bounds);
        }
        Some(fresh)
    }
}
