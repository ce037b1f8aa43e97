//! What programs say of their objects, in the two forms of the cache of AT-SPI and one by one, as objects of the tree.

use std::collections::HashMap;

use ::atspi::{Interface, InterfaceSet, Role, StateSet};
use zbus::names::UniqueName;
use zbus::zvariant::{DeserializeDict, OwnedObjectPath, OwnedValue, Type};

use super::beyond::Beyond;
use super::node::{Address, Node};

/// An object, and how many children it says it has; a negative number stands for one that it does not
/// tell.
pub(super) type Kept = (Node, i32);

/// A name on the bus and the path of an object there, as a program writes them; it may write anything.
pub(super) type Reference = (String, OwnedObjectPath);
/// What the cache holds of an object: it, its application and its parent, its place among the children of that, how many
/// it has, what it can do, its name, role, description and states.
pub(super) type Item =
    (Reference, Reference, Reference, i32, i32, InterfaceSet, String, Role, String, StateSet);
/// The same in the older form: the children themselves instead of a place and a number.
pub(super) type LegacyItem =
    (Reference, Reference, Reference, Vec<Reference>, InterfaceSet, String, Role, String, StateSet);

/// The path that stands for no object.
const NOTHING: &str = "/org/a11y/atspi/null";

/// Where an object is, unless it is none.
pub(super) fn address((bus, path): &Reference) -> Option<Address> {
    let leads = path.as_str() != NOTHING && UniqueName::try_from(bus.as_str()).is_ok();
    leads.then(|| Address::new(bus.as_str(), path.as_str()))
}

/// What an object says of itself.
pub(super) struct Said {
    pub(super) role: Role,
    pub(super) states: StateSet,
    pub(super) ifaces: InterfaceSet,
    pub(super) name: String,
    pub(super) description: String,
}

/// What an object says when it is asked for all its properties, as far as it is looked at; each may be of any type.
#[derive(Debug, Default, DeserializeDict, Type)]
#[zvariant(signature = "dict", rename_all = "PascalCase")]
pub(super) struct Words {
    name: Option<OwnedValue>,
    description: Option<OwnedValue>,
    child_count: Option<OwnedValue>,
}

impl Words {
    /// Name, description, and number of children; a negative one where that is not told.
    pub(super) fn told(self) -> (String, String, i32) {
        let text = |value: Option<OwnedValue>| value.and_then(|value| String::try_from(value).ok());
        let count = self.child_count.and_then(|count| i32::try_from(count).ok());
        let (name, description) = (text(self.name), text(self.description));
        (name.unwrap_or_default(), description.unwrap_or_default(), count.unwrap_or(-1))
    }
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

pub(super) fn from_cache(item: Item) -> Option<Kept> {
    let (at, _, parent, index, count, ifaces, name, role, description, states) = item;
    let said = Said { role, states, ifaces, name, description };
    Some((node(address(&at)?, address(&parent), index, said), count))
}

pub(super) fn from_legacy(items: Vec<LegacyItem>) -> Vec<Kept> {
    let mut places = HashMap::new();
    for (_, _, _, children, ..) in &items {
        for (child, index) in children.iter().filter_map(address).zip(0..) {
            places.insert(child, index);
        }
    }
    let one = |item: LegacyItem| {
        let (at, _, parent, children, ifaces, name, role, description, states) = item;
        let count = i32::try_from(children.iter().filter_map(address).count()).unwrap_or(-1);
        let said = Said { role, states, ifaces, name, description };
        let at = address(&at)?;
        let index = places.get(&at).copied().unwrap_or(0);
        Some((node(at, address(&parent), index, said), count))
    };
    items.into_iter().filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use serde::Serialize;
    use zbus::zvariant::serialized::Context;
    use zbus::zvariant::{NATIVE_ENDIAN, Value, to_bytes};

    use super::*;

    const HERE: &str = ":1.7";

    fn reference(bus: &str, path: &str) -> Reference {
        (bus.to_owned(), OwnedObjectPath::try_from(path).unwrap())
    }

    fn written<T: Serialize + Type>(all: &T) -> zbus::zvariant::serialized::Data<'static, 'static> {
        to_bytes(Context::new_dbus(NATIVE_ENDIAN, 0), all).unwrap()
    }

    #[test]
    fn what_is_no_text_takes_nothing_else_with_it() {
        let told = |all: &[(&str, Value<'_>)]| {
            let all: HashMap<&str, &Value<'_>> = all.iter().map(|(key, value)| (*key, value)).collect();
            written(&all).deserialize::<Words>().unwrap().0.told()
        };
        let parent = ("Parent", Value::from((":1.5", "/x")));
        let (name, count) = (("Name", Value::from("Save")), ("ChildCount", Value::from(3)));
        let all = [parent, name, ("Description", Value::from(7)), count];
        assert_eq!(told(&all), ("Save".into(), String::new(), 3));
        assert_eq!(told(&[]), (String::new(), String::new(), -1));
    }

    #[test]
    fn what_leads_nowhere_is_no_object() {
        let nowhere =
            [("", "/x"), ("", NOTHING), (HERE, NOTHING), ("not a name", "/x"), ("org.a.b", "/x")];
        let all: Vec<Reference> = nowhere
            .iter()
            .map(|(bus, path)| reference(bus, path))
            .chain([reference(HERE, "/x")])
            .collect();
        let data = written(&all);
        let (read, _): (Vec<Reference>, _) = data.deserialize().unwrap();
        let found: Vec<Address> = read.iter().filter_map(address).collect();
        assert_eq!(found, [Address::new(HERE, "/x")]);
    }

    #[test]
    fn both_forms_of_the_cache_leave_out_what_is_nowhere() {
        let none = (InterfaceSet::empty(), StateSet::empty());
        let (at, lost, top) = (reference(HERE, "/b"), reference("", "/b"), reference("", "/a"));
        let item = |at: &Reference| {
            let (name, told) = ("Save".to_owned(), "to the disk".to_owned());
            (at.clone(), at.clone(), top.clone(), 3, 0, none.0, name, Role::Button, told, none.1)
        };
        let data = written(&vec![item(&lost), item(&at)]);
        let (read, _): (Vec<Item>, _) = data.deserialize().unwrap();
        let kept: Vec<Kept> = read.into_iter().filter_map(from_cache).collect();
        let told = |kept: &[Kept]| {
            let one =
                |(node, count): &Kept| (node.name.clone(), node.parent.clone(), node.index, *count);
            kept.iter().map(one).collect::<Vec<_>>()
        };
        assert_eq!(told(&kept), [("Save".to_owned(), None, 3, 0)]);
        let item = |at: &Reference, children: &[&Reference]| {
            let children: Vec<_> = children.iter().copied().cloned().collect();
            let (name, told) = ("Save".to_owned(), String::new());
            (at.clone(), at.clone(), top.clone(), children, none.0, name, Role::Button, told, none.1)
        };
        let data = written(&vec![item(&lost, &[]), item(&at, &[&lost, &at])]);
        let (read, _): (Vec<LegacyItem>, _) = data.deserialize().unwrap();
        assert_eq!(told(&from_legacy(read)), [("Save".to_owned(), None, 0, 1)]);
    }
}
