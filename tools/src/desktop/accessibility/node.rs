//! One object of an accessibility tree as it came over the bus, and the tree made of such objects.
//! Nothing here talks to anybody, so that the rules of the list can be tested on recorded trees.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, Hash, Hasher, RandomState};
use std::ops::Deref;
use std::sync::{Arc, LazyLock};

use ::atspi::{Role as BusRole, State, StateSet};

use super::beyond::Beyond;
use crate::geometry::ScreenRect;

/// Parents below which one object may stand: an open list has two, its owner and its own window. With
/// more of them a knotted tree would have more ways through it than anybody can walk.
const MAX_PARENTS: usize = 2;

/// The bus name and the object path: what tells one object from all others. A look copies and looks up thousands,
/// so copies share the text, and what it is found by is counted once.
#[derive(Debug, Clone)]
pub(super) struct Address(Arc<Place>);

/// What the copies of an address share.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) bus: String,
    pub(super) path: String,
    hash: u64,
}

/// The seeds of all hashes of places; no program can know them.
static SEEDS: LazyLock<RandomState> = LazyLock::new(RandomState::new);

impl Deref for Address {
    type Target = Place;

    fn deref(&self) -> &Place {
        &self.0
    }
}

impl PartialEq for Address {
    fn eq(&self, other: &Self) -> bool {
        let same = || self.hash == other.hash && self.path == other.path && self.bus == other.bus;
        Arc::ptr_eq(&self.0, &other.0) || same()
    }
}

impl Eq for Address {}

impl Hash for Address {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl PartialOrd for Address {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Address {
    fn cmp(&self, other: &Self) -> Ordering {
        (&self.bus, &self.path).cmp(&(&other.bus, &other.path))
    }
}

impl Address {
    pub(super) fn new(bus: impl Into<String>, path: impl Into<String>) -> Self {
        let (bus, path) = (bus.into(), path.into());
        let hash = SEEDS.hash_one((&bus, &path));
        Self(Arc::new(Place { bus, path, hash }))
    }

    pub(super) fn key(&self) -> String {
        format!("{}{}", self.bus, self.path)
    }

    /// Reads what [`Address::key`] has written; a bus name holds no slash.
    pub(super) fn from_key(key: &str) -> Option<Self> {
        let at = key.find('/')?;
        let (bus, path) = key.split_at_checked(at)?;
        Some(Self::new(bus, path))
    }
}

/// One object. What was not asked for or not answered is `None`.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is an answer of its own")]
pub(super) struct Node {
    pub(super) address: Address,
    pub(super) parent: Option<Address>,
    pub(super) index: i32,
    /// Has more in it than can be looked at, and is itself not looked at: a spreadsheet does not come
    /// back from adding up how wide and high it is.
    pub(super) is_vast: bool,
    pub(super) role: BusRole,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) states: StateSet,
    pub(super) has_action: bool,
    pub(super) has_text: bool,
    pub(super) has_value: bool,
    /// Whether it has a place, and is not only a whole of others.
    pub(super) has_place: bool,
    /// Whether one of the things in it can be chosen.
    pub(super) has_choice: bool,
    pub(super) bounds: Option<ScreenRect>,
    pub(super) text: Option<String>,
    pub(super) value: Option<f64>,
    pub(super) action: Option<String>,
    pub(super) hint: Option<String>,
    /// What its author called it in code.
    pub(super) calling: Option<String>,
    /// What kind of landmark it is, in the words of ARIA.
    pub(super) landmark: Option<String>,
    /// Whether it is an image that is drawn by its page, and no photo.
    pub(super) is_drawn: bool,
    pub(super) labelled_by: Option<Address>,
    pub(super) chosen: Option<Address>,
    /// Which of its options a dropdown stands at, counted from one, and of how many.
    pub(super) stands_at: Option<(usize, usize)>,
    /// Where it holds more than it shows.
    pub(super) beyond: Beyond,
}

impl Node {
    pub(super) fn is(&self, state: State) -> bool {
        self.states.contains(state)
    }

    pub(super) fn shows(&self) -> bool {
        self.is(State::Showing) && self.is(State::Visible)
    }
}

/// Whether it is a part of a text or a page with no better name.
pub(super) const fn is_block(role: BusRole) -> bool {
    matches!(
        role,
        BusRole::Section
            | BusRole::Paragraph
            | BusRole::Panel
            | BusRole::Article
            | BusRole::BlockQuote
            | BusRole::Heading
            | BusRole::Landmark
            | BusRole::Grouping
    )
}

/// The objects of one application by address, with the children of each in their order.
#[derive(Debug, Clone, Default)]
pub(super) struct Tree {
    nodes: HashMap<Address, Node>,
    children: HashMap<Address, Vec<Address>>,
}

impl Tree {
    pub(super) fn new(nodes: Vec<Node>) -> Self {
        let mut tree = Self::default();
        let mut order: Vec<(i32, Address, Address)> = Vec::with_capacity(nodes.len());
        for node in nodes {
            if let Some(parent) = &node.parent {
                order.push((node.index, parent.clone(), node.address.clone()));
            }
            tree.nodes.insert(node.address.clone(), node);
        }
        let mut parents: HashMap<Address, usize> = HashMap::new();
        order.retain(|(_, parent, child)| {
            let count = parents.entry(child.clone()).or_default();
            *count += 1;
            parent != child && *count <= MAX_PARENTS
        });
        order.sort_by_key(|(index, _, _)| *index);
        for (_, parent, child) in order {
            tree.children.entry(parent).or_default().push(child);
        }
        tree.mark_editors();
        tree
    }

    /// Adds objects whose parents are there, each behind the children that these have.
    pub(super) fn add(&mut self, nodes: Vec<Node>) {
        for node in nodes {
            if let Some(parent) = &node.parent {
                self.children.entry(parent.clone()).or_default().push(node.address.clone());
            }
            self.nodes.insert(node.address.clone(), node);
        }
    }

    /// A part of a page that can be edited has no role that says so, and all within it can be edited
    /// too: the outermost part is the field.
    fn mark_editors(&mut self) {
        let is_part = |node: &Node| node.is(State::Editable) && is_block(node.role);
        let editors: Vec<Address> = self
            .nodes
            .values()
            .filter(|node| is_part(node))
            .filter(|node| {
                let parent = node.parent.as_ref().and_then(|parent| self.nodes.get(parent));
                parent.is_some_and(|parent| !parent.is(State::Editable))
            })
            .map(|node| node.address.clone())
            .collect();
        for at in editors {
            if let Some(node) = self.nodes.get_mut(&at) {
                node.role = BusRole::DocumentText;
            }
        }
    }

    pub(super) fn get(&self, address: &Address) -> Option<&Node> {
        self.nodes.get(address)
    }

    pub(super) fn get_mut(&mut self, address: &Address) -> Option<&mut Node> {
        self.nodes.get_mut(address)
    }

    /// All objects, in no order.
    pub(super) fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.values()
    }

    pub(super) fn children<'a>(&'a self, node: &Node) -> impl Iterator<Item = &'a Node> + use<'a> {
        let children = self.children.get(&node.address).map(Vec::as_slice).unwrap_or_default();
        children.iter().filter_map(|address| self.nodes.get(address))
    }

    /// Objects whose parent is not in the tree, which is where it begins.
    pub(super) fn roots(&self) -> Vec<&Node> {
        let mut roots: Vec<&Node> = self
            .nodes
            .values()
            .filter(|node| node.parent.as_ref().is_none_or(|parent| !self.nodes.contains_key(parent)))
            .collect();
        roots.sort_by(|a, b| a.index.cmp(&b.index).then_with(|| a.address.cmp(&b.address)));
        roots
    }

    /// An object and all below it, each once, but for what `ends` at its parent and what is below that.
    pub(super) fn below_but(&self, at: &Address, ends: impl Fn(&Node, &Node) -> bool) -> Vec<Address> {
        let mut found = vec![at.clone()];
        let mut seen: HashSet<Address> = found.iter().cloned().collect();
        let mut next = 0;
        while let Some(at) = found.get(next).cloned() {
            next += 1;
            let children = self.children.get(&at).map(Vec::as_slice).unwrap_or_default();
            let goes_on = |child: &&Address| {
                let pair = self.get(&at).zip(self.get(child));
                !pair.is_some_and(|(parent, child)| ends(parent, child))
            };
            let children = children.iter().filter(goes_on);
            found.extend(children.filter(|child| seen.insert((*child).clone())).cloned());
        }
        found
    }

    /// What shows, each once, however the tree is knotted: a node is left out with all below it when
    /// it does not show, and what a closed list holds is left to its owner.
    pub(super) fn showing(&self) -> Vec<Address> {
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        let mut open: Vec<&Node> = self.roots();
        open.reverse();
        while let Some(node) = open.pop() {
            if found.len() >= super::MAX_NODES || !seen.insert(&node.address) {
                continue;
            }
            if node.role != BusRole::Application && !node.shows() {
                continue;
            }
            found.push(node.address.clone());
            let children: Vec<&Node> = self.children(node).collect();
            open.extend(children.into_iter().rev());
        }
        found
    }
}
