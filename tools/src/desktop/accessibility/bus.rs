//! What is asked over the accessibility bus, all of it pipelined and each question with a time limit
//! ([`Pulses`]), so that one program that hangs costs little and hides only itself.
//!
//! The interfaces are those of AT-SPI 2 (`org.a11y.atspi.*`).

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use ::atspi::{InterfaceSet, Role, StateSet};
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use zbus::Connection;
use zbus::zvariant::serialized::Context;
use zbus::zvariant::{DynamicType, NATIVE_ENDIAN, OwnedValue, Type, Value, to_bytes};

use super::attributes::Attributes;
use super::line::{Line, Question};
use super::node::Address;
use super::pulse::{LONG, Pulses};
use super::reply::{Fault, Reply};
use super::said::{
    Item, Kept, LegacyItem, Reference, Said, Words, address, from_cache, from_legacy, node,
};
use crate::geometry::{Rect, ScreenPoint, ScreenRect};

/// As long as a connection may take to come about.
const CONNECTION: Duration = Duration::from_secs(2);
/// Characters of a field that are read.
const MAX_TEXT: i32 = 400;
/// Coordinates of the whole screen, in the numbering of AT-SPI.
const SCREEN: u32 = 0;
/// The relation "is labelled by", in the numbering of AT-SPI.
const LABELLED_BY: u32 = 2;

/// A connection to the accessibility bus, and lines that lead to single programs directly.
#[derive(Debug)]
pub(super) struct Bus {
    connection: Connection,
    direct: HashMap<String, Line>,
    /// Programs that complain on their terminal of each question about what an object has not.
    complaining: HashSet<String>,
    pulses: Pulses,
}

/// The toolkit of the GNOME desktop. Of GTK 3 a program complains, of GTK 4 it tells places and names in a way of
/// its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gtk {
    Three,
    Four,
}

/// Why a program says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Silence {
    /// It takes too long.
    Late,
    /// The connection is gone.
    Broken,
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
        let connection = timeout(CONNECTION, builder.build())
            .await
            .map_err(|_| "the bus does not answer".to_owned())?
            .map_err(text)?;
        let (direct, complaining) = (HashMap::new(), HashSet::new());
        Ok(Self { connection, direct, complaining, pulses: Pulses::new() })
    }

    /// The same connections for one program that is read while nobody looks.
    pub(super) fn unhurried(&self) -> Self {
        let (connection, direct) = (self.connection.clone(), self.direct.clone());
        let complaining = self.complaining.clone();
        Self { connection, direct, complaining, pulses: Pulses::unhurried() }
    }

    /// How long the programs are waited for.
    pub(super) const fn pulses(&self) -> &Pulses {
        &self.pulses
    }

    /// From now on talks to the program with that name directly.
    pub(super) fn talk_directly(&mut self, name: &str, line: Line) {
        self.direct.insert(name.to_owned(), line);
    }

    /// Talks to these programs through the bus again.
    pub(super) fn talk_through_the_bus(&mut self, is_meant: impl Fn(&str) -> bool) {
        self.direct.retain(|name, _| !is_meant(name));
    }

    /// Whether that program has answered to the end.
    pub(super) fn has_heard(&self, name: &str) -> Result<(), Silence> {
        if self.direct.get(name).is_some_and(Line::is_closed) {
            return Err(Silence::Broken);
        }
        if self.pulses.is_stuck(name) { Err(Silence::Late) } else { Ok(()) }
    }

    /// Asks the objects of this program first what each can be asked.
    pub(super) fn ask_first(&mut self, name: &str) {
        self.complaining.insert(name.to_owned());
    }

    /// Whether that program is talked to directly, which only those do that the AT-SPI bridge for ATK
    /// speaks for.
    fn is_direct(&self, at: &Address) -> bool {
        self.direct.contains_key(&at.bus)
    }

    async fn call<A, R>(&self, at: &Address, interface: &str, method: &str, args: &A) -> Result<R, Fault>
    where
        A: Serialize + DynamicType + Sync,
        R: for<'r> Deserialize<'r> + Type,
    {
        self.ask(at, interface, method, args).await?.read()
    }

    async fn ask<A>(&self, at: &Address, interface: &str, method: &str, args: &A) -> Result<Reply, Fault>
    where
        A: Serialize + DynamicType + Sync,
    {
        let (bus, path) = (at.bus.as_str(), at.path.as_str());
        let answer = if let Some(line) = self.direct.get(bus) {
            let body =
                to_bytes(Context::new_dbus(NATIVE_ENDIAN, 0), args).map_err(|_| Fault::Refused)?;
            let signature = args.signature().to_string_no_parens();
            let question = Question { path, interface, method, signature: &signature, body: &body };
            self.pulses.answer(bus, line.ask(&question)).await.map(|answer| answer.map(Reply::Direct))
        } else {
            let asked = self.connection.call_method(Some(bus), path, Some(interface), method, args);
            let answer = self.pulses.answer(bus, asked).await;
            answer.map(|answer| answer.map(Reply::ThroughTheBus).map_err(Fault::from))
        };
        answer.unwrap_or(Err(Fault::Late))
    }

    async fn property(&self, at: &Address, interface: &str, name: &str) -> Result<OwnedValue, Fault> {
        self.call(at, "org.freedesktop.DBus.Properties", "Get", &(interface, name)).await
    }

    /// Whether the bus is still there.
    pub(super) async fn answers(&self) -> bool {
        let bus = Address::new("org.freedesktop.DBus", "/org/freedesktop/DBus");
        self.pulses.begin(LONG);
        let asked = self.call::<_, String>(&bus, "org.freedesktop.DBus", "GetId", &());
        asked.await.is_ok()
    }

    /// The roots of the applications that are there; `None` when the registry does not say.
    pub(super) async fn roots(&self, patience: Duration) -> Option<Vec<Address>> {
        let registry = Address::new("org.a11y.atspi.Registry", "/org/a11y/atspi/accessible/root");
        self.pulses.have_patience_with(&registry.bus, patience);
        self.told_children(&registry).await
    }

    /// The process that an application runs in.
    pub(super) async fn pid(&self, root: &Address) -> Option<u32> {
        let bus = Address::new("org.freedesktop.DBus", "/org/freedesktop/DBus");
        let name = (root.bus.as_str(),);
        let pid = self.call(&bus, "org.freedesktop.DBus", "GetConnectionUnixProcessID", &name);
        pid.await.ok()
    }

    /// Whether an application answers at all.
    pub(super) async fn lives(&self, root: &Address) -> bool {
        let asked = self.call::<_, Role>(root, "org.a11y.atspi.Accessible", "GetRole", &());
        asked.await != Err(Fault::Late)
    }

    /// Has an application keep a cache of its tree, and connects to it directly, where it offers that.
    /// Many keep a cache only from the moment when they are asked where they can be reached.
    pub(super) async fn wake(&self, root: &Address) -> Result<Option<Line>, Silence> {
        let application = "org.a11y.atspi.Application";
        let place = self.call::<_, String>(root, application, "GetApplicationBusAddress", &()).await;
        if place == Err(Fault::Late) {
            return Err(Silence::Late);
        }
        let Some(place) = place.ok().filter(|place| !place.is_empty()) else { return Ok(None) };
        // One that stops there is spoken to through the bus.
        let patience = self.pulses.patience().min(CONNECTION);
        Ok(timeout(patience, Line::to(&place)).await.ok().flatten())
    }

    /// What an application keeps of its tree, in no order; nothing where it keeps nothing.
    pub(super) async fn cache(&self, root: &Address) -> Result<Vec<Kept>, Silence> {
        let cache = Address::new(root.bus.as_str(), "/org/a11y/atspi/cache");
        let reply = match self.ask(&cache, "org.a11y.atspi.Cache", "GetItems", &()).await {
            Ok(reply) => reply,
            Err(Fault::Refused) => return Ok(Vec::new()),
            Err(Fault::Late) => return Err(Silence::Late),
            Err(Fault::Broken) => return Err(Silence::Broken),
        };
        if let Ok(items) = reply.read::<Vec<Item>>() {
            return Ok(items.into_iter().filter_map(from_cache).collect());
        }
        Ok(reply.read::<Vec<LegacyItem>>().map(from_legacy).unwrap_or_default())
    }

    /// How many children an object says it has.
    pub(super) async fn count(&self, of: &Address) -> Option<i32> {
        let count = self.property(of, "org.a11y.atspi.Accessible", "ChildCount");
        i32::try_from(count.await.ok()?).ok()
    }

    /// Which GTK an application is made with, if any.
    pub(super) async fn gtk(&self, root: &Address) -> Option<Gtk> {
        let application = "org.a11y.atspi.Application";
        let ask = |name| async move {
            let value = self.property(root, application, name).await.ok()?;
            String::try_from(value).ok()
        };
        let (name, version) = tokio::join!(ask("ToolkitName"), ask("Version"));
        name.filter(|name| name.eq_ignore_ascii_case("gtk"))?;
        Some(if version?.starts_with("4.") { Gtk::Four } else { Gtk::Three })
    }

    /// The children of an object, in their order.
    pub(super) async fn children(&self, of: &Address) -> Vec<Address> {
        self.told_children(of).await.unwrap_or_default()
    }

    async fn told_children(&self, of: &Address) -> Option<Vec<Address>> {
        let children: Result<Vec<Reference>, Fault> =
            self.call(of, "org.a11y.atspi.Accessible", "GetChildren", &()).await;
        Some(children.ok()?.iter().filter_map(address).collect())
    }

    /// One object, asked for by its address. What it can do is not asked where nobody complains: a question too
    /// much is answered with a fault where it matters, and costs as much as this one.
    pub(super) async fn one(&self, at: &Address) -> Option<Kept> {
        self.told_by(at, self.complaining.contains(&at.bus)).await
    }

    /// The same with what it can do.
    pub(super) async fn whole(&self, at: &Address) -> Option<Kept> {
        self.told_by(at, true).await
    }

    async fn told_by(&self, at: &Address, asks_first: bool) -> Option<Kept> {
        let accessible = "org.a11y.atspi.Accessible";
        let ifaces = async {
            let all = InterfaceSet::all();
            if !asks_first {
                return all;
            }
            self.call(at, accessible, "GetInterfaces", &()).await.unwrap_or(all)
        };
        let (role, states, ifaces, (name, description, count)) = tokio::join!(
            self.call::<_, Role>(at, accessible, "GetRole", &()),
            self.call::<_, StateSet>(at, accessible, "GetState", &()),
            ifaces,
            self.words(at),
        );
        let (role, states) = (role.ok()?, states.ok()?);
        let said = Said { role, states, ifaces, name, description };
        Some((node(at.clone(), None, 0, said), count))
    }

    /// Name, description, and number of children; a negative one where that was not asked for. Some
    /// programs that are reached through the bus cannot take a question for all properties at once.
    async fn words(&self, at: &Address) -> (String, String, i32) {
        let accessible = "org.a11y.atspi.Accessible";
        if self.is_direct(at) {
            let all = self.ask(at, "org.freedesktop.DBus.Properties", "GetAll", &(accessible,)).await;
            let Ok(Reply::Direct(all)) = all else { return (String::new(), String::new(), -1) };
            return all.read::<Words>().unwrap_or_default().told();
        }
        let (name, description) = tokio::join!(
            self.property(at, accessible, "Name"),
            self.property(at, accessible, "Description"),
        );
        let text = |value: Result<OwnedValue, Fault>| {
            value.ok().and_then(|value| String::try_from(value).ok()).unwrap_or_default()
        };
        (text(name), text(description), -1)
    }

    /// The extents of each, in physical px as the program counts them.
    pub(super) async fn extents(&self, of: &[Address]) -> Vec<Option<ScreenRect>> {
        let asked = of.iter().map(|at| async move {
            let extents = self.call(at, "org.a11y.atspi.Component", "GetExtents", &(SCREEN,));
            let (x, y, width, height): (i32, i32, i32, i32) = extents.await.ok()?;
            let length = |v: i32| u32::try_from(v).unwrap_or(0);
            Some(Rect::new(x, y, length(width), length(height)))
        });
        join_all(asked).await
    }

    /// What an object stands in.
    pub(super) async fn parent(&self, of: &Address) -> Option<Address> {
        let parent = self.property(of, "org.a11y.atspi.Accessible", "Parent");
        // Made a pair by the library, one of one field would be a panic.
        let Value::Structure(parent) = Value::from(parent.await.ok()?) else { return None };
        let [Value::Str(bus), Value::ObjectPath(path)] = parent.fields() else { return None };
        address(&(bus.to_string(), path.clone().into()))
    }

    /// What an object stands in, from the inside, each with its role.
    pub(super) async fn above(&self, of: &Address, most: usize) -> Vec<(Address, Role)> {
        let mut found: Vec<(Address, Role)> = Vec::new();
        let mut at = of.clone();
        while found.len() < most
            && let Some(parent) = self.parent(&at).await
        {
            let role = self.call::<_, Role>(&parent, "org.a11y.atspi.Accessible", "GetRole", &());
            let Ok(role) = role.await else { break };
            if role == Role::Application || found.iter().any(|(known, _)| *known == parent) {
                break;
            }
            found.push((parent.clone(), role));
            at = parent;
        }
        found
    }

    /// The address that is shown there, where it is a page of a browser.
    pub(super) async fn page_address(&self, at: &Address) -> Option<String> {
        let role = self.call::<_, Role>(at, "org.a11y.atspi.Accessible", "GetRole", &());
        if !matches!(role.await, Ok(Role::DocumentWeb)) {
            return None;
        }
        let document = "org.a11y.atspi.Document";
        // Chromium and Firefox call it differently.
        for name in ["URI", "DocURL"] {
            let args = (name,);
            let asked = self.call::<_, String>(at, document, "GetAttributeValue", &args);
            if let Ok(address) = asked.await
                && !address.is_empty()
            {
                return Some(address);
            }
        }
        None
    }

    /// Where a link leads.
    pub(super) async fn link_address(&self, at: &Address) -> Option<String> {
        let asked = self.call::<_, String>(at, "org.a11y.atspi.Hyperlink", "GetURI", &(0i32,));
        asked.await.ok().filter(|address| !address.is_empty())
    }

    /// What lies on top at a point of the screen, as far as `within` knows.
    pub(super) async fn at_point(&self, within: &Address, point: ScreenPoint) -> Option<Address> {
        let args = (point.x, point.y, SCREEN);
        let hit = self.call(within, "org.a11y.atspi.Component", "GetAccessibleAtPoint", &args);
        address(&hit.await.ok()?)
    }

    /// The cell of a table in this row and column.
    pub(super) async fn cell(&self, table: &Address, at: (i32, i32)) -> Option<Address> {
        let cell = self.call(table, "org.a11y.atspi.Table", "GetAccessibleAt", &at);
        address(&cell.await.ok()?)
    }

    /// The row and the column in which a child of a table stands.
    pub(super) async fn place_in_table(&self, table: &Address, child: i32) -> Option<(i32, i32)> {
        let (interface, child) = ("org.a11y.atspi.Table", (child,));
        let (row, column) = tokio::join!(
            self.call::<_, i32>(table, interface, "GetRowAtIndex", &child),
            self.call::<_, i32>(table, interface, "GetColumnAtIndex", &child),
        );
        Some((row.ok()?, column.ok()?)).filter(|(row, column)| *row >= 0 && *column >= 0)
    }

    /// What stands above a column of a table.
    pub(super) async fn header(&self, table: &Address, column: i32) -> Option<Address> {
        let column = (column,);
        let header = self.call(table, "org.a11y.atspi.Table", "GetColumnHeader", &column);
        address(&header.await.ok()?)
    }

    /// How many columns a table has.
    pub(super) async fn columns(&self, table: &Address) -> Option<i32> {
        let columns = self.property(table, "org.a11y.atspi.Table", "NColumns");
        i32::try_from(columns.await.ok()?).ok()
    }

    /// Which child of its parent an object is.
    pub(super) async fn index(&self, of: &Address) -> Option<i32> {
        let index = self.call::<_, i32>(of, "org.a11y.atspi.Accessible", "GetIndexInParent", &());
        index.await.ok().filter(|index| *index >= 0)
    }

    /// The name of the first action of each: `click` where a click does something.
    pub(super) async fn actions(&self, of: &[Address]) -> Vec<Option<String>> {
        let asked = of.iter().map(|at| async move {
            let name = self.call(at, "org.a11y.atspi.Action", "GetName", &(0i32,));
            name.await.ok()
        });
        join_all(asked).await
    }

    /// What a field holds.
    pub(super) async fn text(&self, at: &Address) -> Option<String> {
        let text: Option<String> = self.text_until(at, MAX_TEXT).await;
        // Some give nothing when they are asked for more than they have.
        if text.as_deref().unwrap_or_default().is_empty() { self.text_until(at, -1).await } else { text }
    }

    async fn text_until(&self, at: &Address, end: i32) -> Option<String> {
        let part = (0i32, end);
        let text = self.call(at, "org.a11y.atspi.Text", "GetText", &part);
        text.await.ok()
    }

    /// What a slider or the like stands at.
    pub(super) async fn value(&self, at: &Address) -> Option<f64> {
        let value = self.property(at, "org.a11y.atspi.Value", "CurrentValue").await.ok()?;
        f64::try_from(value).ok()
    }

    /// The name of one of its actions.
    pub(super) async fn action(&self, at: &Address, number: i32) -> Option<String> {
        let number = (number,);
        let name = self.call(at, "org.a11y.atspi.Action", "GetName", &number);
        name.await.ok()
    }

    /// Where a scroll bar stands and where its end is, counted from its beginning.
    pub(super) async fn range(&self, at: &Address) -> Option<(f64, f64)> {
        let ask = |name| async move {
            let value = self.property(at, "org.a11y.atspi.Value", name).await.ok()?;
            f64::try_from(value).ok()
        };
        let (now, from, to) =
            tokio::join!(ask("CurrentValue"), ask("MinimumValue"), ask("MaximumValue"));
        let (now, from, to) = (now?, from.unwrap_or(0.0), to?);
        Some((now - from, to - from))
    }

    /// What else its program says of it.
    pub(super) async fn attributes(&self, at: &Address) -> Attributes {
        let asked = self.call(at, "org.a11y.atspi.Accessible", "GetAttributes", &());
        asked.await.map(|all| Attributes::of(&all)).unwrap_or_default()
    }

    /// The option that a dropdown stands at.
    pub(super) async fn chosen(&self, at: &Address) -> Option<Address> {
        let chosen = self.call(at, "org.a11y.atspi.Selection", "GetSelectedChild", &(0i32,));
        address(&chosen.await.ok()?)
    }

    /// What labels it.
    pub(super) async fn label(&self, at: &Address) -> Option<Address> {
        let relations = self.call(at, "org.a11y.atspi.Accessible", "GetRelationSet", &());
        let relations: Vec<(u32, Vec<Reference>)> = relations.await.ok()?;
        let labels = relations.into_iter().find(|(kind, _)| *kind == LABELLED_BY)?.1;
        labels.iter().find_map(address)
    }
}
