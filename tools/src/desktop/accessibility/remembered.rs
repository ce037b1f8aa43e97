//! What stays as it is as long as an object is there, so that it is asked for once and not at every look. Only programs
//! that the AT-SPI bridge for ATK speaks for are known to give an address to one object and never to another.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ::atspi::Role;

use super::node::Address;

/// Objects that are remembered at most; with more of them all are learned anew.
const MOST: usize = 20_000;

/// The roles of objects.
#[derive(Debug, Default)]
pub(super) struct Roles(Mutex<HashMap<Address, Role>>);

impl Roles {
    /// The role that it had.
    pub(super) fn get(&self, at: &Address) -> Option<Role> {
        self.roles().get(at).copied()
    }

    /// Remembers it, unless it may change: a field becomes one for a password and back.
    pub(super) fn learn(&self, at: &Address, role: Role) {
        if !stays(role) {
            return;
        }
        let mut roles = self.roles();
        if roles.len() >= MOST {
            roles.clear();
        }
        roles.insert(at.clone(), role);
    }

    /// Forgets the objects of these programs.
    pub(super) fn forget(&self, is_meant: impl Fn(&str) -> bool) {
        self.roles().retain(|at, _| !is_meant(&at.bus));
    }

    fn roles(&self) -> MutexGuard<'_, HashMap<Address, Role>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const fn stays(role: Role) -> bool {
    matches!(
        role,
        Role::Button
            | Role::CheckBox
            | Role::ColumnHeader
            | Role::Heading
            | Role::Image
            | Role::Link
            | Role::ListItem
            | Role::MenuItem
            | Role::PageTab
            | Role::Paragraph
            | Role::RadioButton
            | Role::RowHeader
            | Role::Section
            | Role::Static
            | Role::TableCell
            | Role::TableRow
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stays_is_remembered_and_only_of_programs_that_are_there() {
        let at = |bus: &str, path: &str| Address { bus: bus.into(), path: path.into() };
        let roles = Roles::default();
        roles.learn(&at(":1", "/cell"), Role::TableCell);
        roles.learn(&at(":1", "/field"), Role::Entry);
        roles.learn(&at(":1", "/secret"), Role::PasswordText);
        roles.learn(&at(":2", "/link"), Role::Link);
        let known = |bus, path| roles.get(&at(bus, path));
        assert_eq!(known(":1", "/cell"), Some(Role::TableCell));
        assert_eq!((known(":1", "/field"), known(":1", "/secret")), (None, None));
        roles.forget(|bus| bus == ":1");
        assert_eq!((known(":1", "/cell"), known(":2", "/link")), (None, Some(Role::Link)));
    }
}
