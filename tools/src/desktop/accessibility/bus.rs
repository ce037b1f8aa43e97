//! What is asked over the accessibility bus, all of it pipelined and each part with a time limit, so
//! that one program that hangs costs little and hides only itself.
//!
//! The interfaces are those of AT-SPI 2 (`org.a11y.atspi.*`).

use std::time::Duration;

use ::atspi::{CacheItem, Interface, InterfaceSet, LegacyCacheItem, ObjectRefOwned, Role, StateSet};
use futures_util::future::join_all;
use tokio::time::timeout;
use zbus::Connection;
use zbus::zvariant::{DynamicType, OwnedValue, Type};

use super::node::{Address, Node};
use crate::geometry::{Rect, ScreenRect};

/// As long as one program may take over its whole tree.
const TREE: Duration = Duration::from_millis(400);
/// As long as one program may take over what is asked of its nodes.
const NODES: Duration = Duration::from_millis(400);
/// Characters of a field that are read.
const MAX_TEXT: i32 = 400;
/// Coordinates of the whole screen, in the numbering of AT-SPI.
const SCREEN: u32 = 0;
/// The relation "is labelled by", in the numbering of AT-SPI.
const LABELLED_BY: u32 = 2;

/// A connection to the accessibility bus.
#[derive(Debug, Clone)]
pub(super) struct Bus {
    connection: Connection,
}

/// An application on the bus.
#[derive(Debug, Clone)]
pub(super) struct Program {
    pub(super) root: Address,
    pub(super) pid: Option<u32>,
}

fn address(reference: &ObjectRefOwned) -> Option<Address> {
    let bus = reference.name_as_str()?.to_owned();
    Some(Address { bus, path: reference.path_as_str().to_owned() })
}

/// The address that the session bus of this process gives.
async fn named_by_session() -> zbus::Result<String> {
    let session = Connection::session().await?;
    let name = Some("org.a11y.Bus");
    session.call_method(name, "/org/a11y/bus", name, "GetAddress", &()).await?.body().deserialize()
}

impl Bus {
    /// Connects to the bus at `given`, or to the one that the session bus names.
    pub(super) async fn connect(given: Option<&str>) -> Result<Self, String> {
        let text = |error: zbus::Error| error.to_string();
        let named = match given {
            Some(given) => given.to_owned(),
            None => named_by_session().await.map_err(text)?,
        };
        let builder = zbus::connection::Builder::address(named.as_str()).map_err(text)?;
        let connection = timeout(Duration::from_secs(2), builder.build())
            .await
            .map_err(|_| "the bus does not answer".to_owned())?
            .map_err(text)?;
        Ok(Self { connection })
    }

    async fn call<A, R>(&self, at: &Address, interface: &str, method: &str, args: &A) -> zbus::Result<R>
    where
        A: serde::Serialize + DynamicType + Sync,
        R: serde::de::DeserializeOwned + Type,
    {
        let reply = self
            .connection
            .call_method(Some(at.bus.as_str()), at.path.as_str(), Some(interface), method, args)
            .await?;
        reply.body().deserialize()
    }

    async fn property(&self, at: &Address, interface: &str, name: &str) -> zbus::Result<OwnedValue> {
        self.call(at, "org.freedesktop.DBus.Properties", "Get", &(interface, name)).await
    }

    /// Whether the bus is still there.
    pub(super) async fn answers(&self) -> bool {
        let bus = Address { bus: "org.freedesktop.DBus".into(), path: "/org/freedesktop/DBus".into() };
        let asked = self.call::<_, String>(&bus, "org.freedesktop.DBus", "GetId", &());
        matches!(timeout(TREE, asked).await, Ok(Ok(_)))
    }

    /// The applications that are there, with their processes.
    pub(super) async fn programs(&self) -> Vec<Program> {
        let root = Address {
            bus: "org.a11y.atspi.Registry".into(),
            path: "/org/a11y/atspi/accessible/root".into(),
        };
        let children: Vec<ObjectRefOwned> =
            match timeout(TREE, self.call(&root, "org.a11y.atspi.Accessible", "GetChildren", &())).await
            {
                Ok(Ok(children)) => children,
                _ => return Vec::new(),
            };
        let bus = Address { bus: "org.freedesktop.DBus".into(), path: "/org/freedesktop/DBus".into() };
        let asked = children.iter().filter_map(address).map(|root| {
            let bus = bus.clone();
            async move {
                let name = (root.bus.clone(),);
                let pid = self.call(&bus, "org.freedesktop.DBus", "GetConnectionUnixProcessID", &name);
                Program { pid: timeout(TREE, pid).await.ok().and_then(Result::ok), root }
            }
        });
        join_all(asked).await
    }

    /// All that a program says it shows; `Err` when it does not answer in time.
    pub(super) async fn tree(&self, program: &Program) -> Result<Vec<Node>, String> {
        let cache = Address { bus: program.root.bus.clone(), path: "/org/a11y/atspi/cache".into() };
        let Ok(reply) = timeout(
            TREE,
            self.connection.call_method(
                Some(cache.bus.as_str()),
                cache.path.as_str(),
                Some("org.a11y.atspi.Cache"),
                "GetItems",
                &(),
            ),
        )
        .await
        else {
            return Err("does not answer".into());
        };
        let nodes = reply.ok().map(|reply| {
            let body = reply.body();
            if let Ok(items) = body.deserialize::<Vec<CacheItem>>() {
                return items.into_iter().filter_map(from_cache).collect();
            }
            body.deserialize::<Vec<LegacyCacheItem>>().map(from_legacy).unwrap_or_default()
        });
        match nodes {
            Some(nodes) if nodes.len() > 1 => Ok(nodes),
            _ => Ok(self.walk(program).await),
        }
    }

    /// The tree of a program without a cache, level by level.
    async fn walk(&self, program: &Program) -> Vec<Node> {
        let mut found: Vec<Node> = Vec::new();
        let mut level: Vec<(Address, Option<Address>, i32)> = vec![(program.root.clone(), None, 0)];
        let deadline = tokio::time::Instant::now() + Duration::from_millis(1500);
        for _ in 0..super::MAX_DEPTH {
            if level.is_empty()
                || found.len() >= super::MAX_NODES
                || tokio::time::Instant::now() > deadline
            {
                break;
            }
            let asked = level.into_iter().map(|(at, parent, index)| self.one(at, parent, index));
            let nodes: Vec<Node> = join_all(asked).await.into_iter().flatten().collect();
            let open = nodes.iter().filter(|node| {
                node.role == Role::Application || node.shows() || node.role == Role::Menu
            });
            let children = join_all(open.map(|node| async move {
                let children: zbus::Result<Vec<ObjectRefOwned>> =
                    self.call(&node.address, "org.a11y.atspi.Accessible", "GetChildren", &()).await;
                (node.address.clone(), children.unwrap_or_default())
            }))
            .await;
            level = children
                .into_iter()
                .flat_map(|(parent, children)| {
                    let children: Vec<Address> = children.iter().filter_map(address).collect();
                    children
                        .into_iter()
                        .zip(0..)
                        .map(move |(child, index)| (child, Some(parent.clone()), index))
                })
                .collect();
            found.extend(nodes);
        }
        found
    }

    /// One object, asked for by its address.
    pub(super) async fn one(&self, at: Address, parent: Option<Address>, index: i32) -> Option<Node> {
        let accessible = "org.a11y.atspi.Accessible";
        let (role, states, ifaces, name, description) = tokio::join!(
            self.call::<_, Role>(&at, accessible, "GetRole", &()),
            self.call::<_, StateSet>(&at, accessible, "GetState", &()),
            self.call::<_, InterfaceSet>(&at, accessible, "GetInterfaces", &()),
            self.property(&at, accessible, "Name"),
            self.property(&at, accessible, "Description"),
        );
        let text = |value: zbus::Result<OwnedValue>| {
            value.ok().and_then(|value| String::try_from(value).ok()).unwrap_or_default()
        };
        let item = Said {
            role: role.ok()?,
            states: states.ok()?,
            ifaces: ifaces.unwrap_or_default(),
            name: text(name),
            description: text(description),
        };
        Some(node(at, parent, index, item))
    }

    /// The extents of each, in physical px as the program counts them.
    pub(super) async fn extents(&self, of: &[Address]) -> Vec<Option<ScreenRect>> {
        let asked = of.iter().map(|at| async move {
            let extents: zbus::Result<(i32, i32, i32, i32)> =
                self.call(at, "org.a11y.atspi.Component", "GetExtents", &(SCREEN,)).await;
            let (x, y, width, height) = extents.ok()?;
            let length = |v: i32| u32::try_from(v).unwrap_or(0);
            Some(Rect::new(x, y, length(width), length(height)))
        });
        timeout(NODES, join_all(asked)).await.unwrap_or_else(|_| vec![None; of.len()])
    }

    /// The name of the first action of each: `click` where a click does something.
    pub(super) async fn actions(&self, of: &[Address]) -> Vec<Option<String>> {
        let asked = of.iter().map(|at| async move {
            let name: zbus::Result<String> =
                self.call(at, "org.a11y.atspi.Action", "GetName", &(0i32,)).await;
            name.ok()
        });
        timeout(NODES, join_all(asked)).await.unwrap_or_else(|_| vec![None; of.len()])
    }

    /// What a field holds.
    pub(super) async fn text(&self, at: &Address) -> Option<String> {
        let text = self.call(at, "org.a11y.atspi.Text", "GetText", &(0i32, MAX_TEXT));
        timeout(NODES, text).await.ok()?.ok()
    }

    /// What a slider or the like stands at.
    pub(super) async fn value(&self, at: &Address) -> Option<f64> {
        let value = timeout(NODES, self.property(at, "org.a11y.atspi.Value", "CurrentValue"))
            .await
            .ok()?
            .ok()?;
        f64::try_from(value).ok()
    }

    /// What else its program says of it.
    pub(super) async fn attributes(&self, at: &Address) -> Attributes {
        let asked = self.call(at, "org.a11y.atspi.Accessible", "GetAttributes", &());
        let all: std::collections::HashMap<String, String> = match timeout(NODES, asked).await {
            Ok(Ok(all)) => all,
            _ => return Attributes::default(),
        };
        let first = |keys: &[&str]| {
            keys.iter().find_map(|key| all.get(*key).filter(|text| !text.trim().is_empty()).cloned())
        };
        Attributes {
            hint: first(&["placeholder-text", "placeholder", "title"]),
            calling: first(&["class", "id"]),
            holds: first(&["valuetext"]),
        }
    }

    /// The option that a dropdown stands at.
    pub(super) async fn chosen(&self, at: &Address) -> Option<Address> {
        let chosen = self.call(at, "org.a11y.atspi.Selection", "GetSelectedChild", &(0i32,));
        let chosen: ObjectRefOwned = timeout(NODES, chosen).await.ok()?.ok()?;
        address(&chosen).filter(|_| !chosen.is_null())
    }

    /// What labels it.
    pub(super) async fn label(&self, at: &Address) -> Option<Address> {
        let relations = self.call(at, "org.a11y.atspi.Accessible", "GetRelationSet", &());
        let relations: Vec<(u32, Vec<ObjectRefOwned>)> = timeout(NODES, relations).await.ok()?.ok()?;
        let labels = relations.into_iter().find(|(kind, _)| *kind == LABELLED_BY)?.1;
        labels.first().and_then(address)
    }
}

/// What a program says of an object beside what all programs say.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    /// The place-holder or tooltip of a field.
    pub(super) hint: Option<String>,
    /// What its author called it in code.
    pub(super) calling: Option<String>,
    /// Its value as a person reads it.
    pub(super) holds: Option<String>,
}

struct Said {
    role: Role,
    states: StateSet,
    ifaces: InterfaceSet,
    name: String,
    description: String,
}

fn node(address: Address, parent: Option<Address>, index: i32, said: Said) -> Node {
    Node {
        address,
        parent,
        index,
        role: said.role,
        name: said.name,
        description: said.description,
        states: said.states,
        has_action: said.ifaces.contains(Interface::Action),
        has_text: said.ifaces.contains(Interface::Text),
        has_value: said.ifaces.contains(Interface::Value),
        bounds: None,
        text: None,
        value: None,
        action: None,
        hint: None,
        calling: None,
        labelled_by: None,
        chosen: None,
    }
}

/// The field names of a cache item are those of an older description of the bus: `short_name` is the
/// name and `name` the description.
fn from_cache(item: CacheItem) -> Option<Node> {
    let said = Said {
        role: item.role,
        states: item.states,
        ifaces: item.ifaces,
        name: item.short_name,
        description: item.name,
    };
    Some(node(address(&item.object)?, address(&item.parent), item.index, said))
}

fn from_legacy(items: Vec<LegacyCacheItem>) -> Vec<Node> {
    let mut places = std::collections::HashMap::new();
    for item in &items {
        for (child, index) in item.children.iter().filter_map(address).zip(0..) {
            places.insert(child, index);
        }
    }
    let one = |item: LegacyCacheItem| {
        let said = Said {
            role: item.role,
            states: item.states,
            ifaces: item.ifaces,
            name: item.short_name,
            description: item.name,
        };
        let at = address(&item.object)?;
        let index = places.get(&at).copied().unwrap_or(0);
        Some(node(at, address(&item.parent), index, said))
    };
    items.into_iter().filter_map(one).collect()
}
