//! What programs say of their objects, in the two forms of the cache of AT-SPI, as objects of the tree.

use std::collections::HashMap;

use ::atspi::{CacheItem, Interface, InterfaceSet, LegacyCacheItem, ObjectRefOwned, Role, StateSet};

use super::beyond::Beyond;
use super::node::{Address, Node};

/// An object, and how many children it says it has; a negative number stands for one that it does not
/// tell.
pub(super) type Kept = (Node, i32);

/// Where an object is, unless it is none.
pub(super) fn address(reference: &ObjectRefOwned) -> Option<Address> {
    let bus = reference.name_as_str()?.to_owned();
    Some(Address { bus, path: reference.path_as_str().to_owned() })
}

/// What an object says of itself.
pub(super) struct Said {
    pub(super) role: Role,
    pub(super) states: StateSet,
    pub(super) ifaces: InterfaceSet,
    pub(super) name: String,
    pub(super) description: String,
}

/// An object of which nothing else is known yet.
pub(super) fn node(address: Address, parent: Option<Address>, index: i32, said: Said) -> Node {
    Node {
        address,
        parent,
        index,
        is_vast: false,
        role: said.role,
        name: said.name,
        description: said.description,
        states: said.states,
        has_action: said.ifaces.contains(Interface::Action),
        has_text: said.ifaces.contains(Interface::Text),
        has_value: said.ifaces.contains(Interface::Value),
        has_place: said.ifaces.contains(Interface::Component),
        has_choice: said.ifaces.contains(Interface::Selection),
        bounds: None,
        text: None,
        value: None,
        action: None,
        hint: None,
        calling: None,
        landmark: None,
        is_drawn: false,
        labelled_by: None,
        chosen: None,
        stands_at: None,
        beyond: Beyond::default(),
    }
}

/// The field names of a cache item are those of an older description of the bus: `short_name` is the
/// name and `name` the description.
pub(super) fn from_cache(item: CacheItem) -> Option<Kept> {
    let said = Said {
        role: item.role,
        states: item.states,
        ifaces: item.ifaces,
        name: item.short_name,
        description: item.name,
    };
    Some((node(address(&item.object)?, address(&item.parent), item.index, said), item.children))
}

pub(super) fn from_legacy(items: Vec<LegacyCacheItem>) -> Vec<Kept> {
    let mut places = HashMap::new();
    for item in &items {
        for (child, index) in item.children.iter().filter_map(address).zip(0..) {
            places.insert(child, index);
        }
    }
    let one = |item: LegacyCacheItem| {
        let count = i32::try_from(item.children.len()).unwrap_or(-1);
        let said = Said {
            role: item.role,
            states: item.states,
            ifaces: item.ifaces,
            name: item.short_name,
            description: item.name,
        };
        let at = address(&item.object)?;
        let index = places.get(&at).copied().unwrap_or(0);
        Some((node(at, address(&item.parent), index, said), count))
    };
    items.into_iter().filter_map(one).collect()
}
