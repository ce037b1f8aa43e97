//! Reads the tree of one program: all at once from its cache, and object by object where it has none or
//! where its cache does not hold what the program says it has. A cache is kept by the toolkit from what
//! it hears of changes, so it may lack something; but every object in it is described as it is now,
//! with the number of its children, and that gives away what is missing or left over.

use std::collections::{HashMap, HashSet};

use ::atspi::{Role, State};
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, timeout_at};

use super::asking::is_one_thing;
use super::bus::{Bus, Silence};
use super::node::{Address, Node};
use super::programs::Program;
use super::said::Kept;
use super::{MAX_DEPTH, MAX_NODES, roles};

/// Children of one object that are asked for. A spreadsheet says that it has two thousand million, and
/// does not come back from naming them all.
const MAX_CHILDREN: i32 = 4000;

type Nodes = HashMap<Address, Node>;
type Children = HashMap<Address, Vec<Address>>;

/// What of a program is not read because there is too much of it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cuts {
    /// It has too many objects, or too many levels of them.
    pub(super) large: bool,
    /// It has a list with too many entries.
    pub(super) vast: bool,
    /// Reading it object by object takes too long.
    pub(super) late: bool,
}

impl Cuts {
    /// What is cut off, as often as it is looked at.
    pub(super) fn words(self) -> impl Iterator<Item = String> {
        let large = format!(
            "shows more than {MAX_NODES} things, or some within more than {MAX_DEPTH} others; the rest is \
             not listed"
        );
        let vast = format!("has a list of more than {MAX_CHILDREN} entries, which are not listed");
        [(self.large, large), (self.vast, vast)]
            .into_iter()
            .filter_map(|(is, words)| is.then_some(words))
    }
}

/// All that a program says it shows.
pub(super) async fn read(bus: &Bus, program: &Program) -> Result<(Vec<Node>, Cuts), Silence> {
    let root = &program.root;
    let kept = bus.cache(root).await?;
    let kept = counted(bus, program, kept).await;
    let whole = kept.len() > 1 && kept.iter().any(|(node, _)| node.address == *root);
    let kept = if whole { kept } else { Vec::new() };
    let doubtful = if whole { doubtful(&kept) } else { Vec::new() };
    let mut nodes: Nodes = kept.into_iter().map(|(node, _)| (node.address.clone(), node)).collect();
    let mut below = children(nodes.values());
    let answers = join_all(doubtful.iter().map(|at| bus.children(at))).await;
    below.extend(doubtful.into_iter().zip(answers));
    let missing: Vec<Address> =
        below.values().flatten().filter(|at| !nodes.contains_key(*at)).cloned().collect();
    let start = if whole { missing } else { vec![root.clone()] };
    let cuts = walk((bus, program), start, &mut nodes, &mut below).await;
    Ok((from_root(root, &nodes, &below), cuts))
}

/// What is kept, with the counts of children that the cache leaves out: those of what is made only when
/// it is asked for, such as the rows of a list and the cells of a spreadsheet.
async fn counted(bus: &Bus, program: &Program, kept: Vec<Kept>) -> Vec<Kept> {
    let counted = kept.into_iter().map(|(node, count)| async move {
        let untold = count < 0 && node.shows();
        let count = if untold { bus.count(&node.address).await.unwrap_or(0) } else { count };
        (as_meant(program, node, count), count)
    });
    let mut counted = join_all(counted).await;
    if !counted.iter().any(|(node, _)| node.is_vast) {
        return counted;
    }
    // Nobody has to be asked for what is told already, and few of them show.
    let held = held(&counted);
    let is_told = |(node, count): &&Kept| node.is_vast && held.get(&node.address) == Some(count);
    let told: Vec<Address> =
        counted.iter().filter(is_told).map(|(node, _)| node.address.clone()).collect();
    for (node, _) in counted.iter_mut().filter(|(node, _)| told.contains(&node.address)) {
        node.is_vast = false;
    }
    counted
}

/// How many children of each object are kept.
fn held(kept: &[Kept]) -> HashMap<&Address, i32> {
    let mut counts: HashMap<&Address, i32> = HashMap::with_capacity(kept.len());
    for parent in kept.iter().filter_map(|(node, _)| node.parent.as_ref()) {
        *counts.entry(parent).or_default() += 1;
    }
    counts
}

/// What a program of GTK 4 means: it says only of its windows that they show, and calls what has no
/// name after its class.
fn as_meant(program: &Program, mut node: Node, count: i32) -> Node {
    node.is_vast = count > MAX_CHILDREN;
    if program.is_gtk4 && node.is(State::Visible) {
        node.states.insert(State::Showing);
    }
    let class = node.name.strip_prefix("Gtk").unwrap_or_default();
    let is_class = class.starts_with(char::is_uppercase) || ["Tab", "Tab list"].contains(&&*node.name);
    if program.is_gtk4 && is_class {
        node.name.clear();
    }
    node
}

/// Whether what is in it is looked at. A control that has a name is one thing, except that a part of a
/// field may have the keyboard.
fn is_open(node: &Node) -> bool {
    let shows = node.role == Role::Application || node.shows() || node.role == Role::Menu;
    let is_whole = is_one_thing(node) && !node.name.is_empty() && !roles::role(node).takes_text();
    shows && !is_whole && !node.is_vast
}

/// The children of each object as they themselves say it, in their order.
fn children<'a>(nodes: impl Iterator<Item = &'a Node>) -> Children {
    let mut indexed: HashMap<Address, Vec<(i32, Address)>> = HashMap::new();
    for node in nodes {
        if let Some(parent) = &node.parent {
            indexed.entry(parent.clone()).or_default().push((node.index, node.address.clone()));
        }
    }
    let in_order = |mut children: Vec<(i32, Address)>| {
        children.sort();
        children.into_iter().map(|(_, child)| child).collect()
    };
    indexed.into_iter().map(|(parent, children)| (parent, in_order(children))).collect()
}

/// The open objects that have not as many children in the cache as they say they have, and those that hold
/// a web page: a browser goes to another one without a word, and the page before is still in the cache.
fn doubtful(kept: &[Kept]) -> Vec<Address> {
    let counts = held(kept);
    let pages = kept.iter().filter(|(node, _)| node.role == Role::DocumentWeb);
    let holders: HashSet<&Address> = pages.filter_map(|(node, _)| node.parent.as_ref()).collect();
    kept.iter()
        .filter(|(node, count)| {
            let differs = *count != counts.get(&node.address).copied().unwrap_or(0);
            is_open(node) && (differs || holders.contains(&node.address))
        })
        .map(|(node, _)| node.address.clone())
        .collect()
}

/// The objects that hang together with the root, level by level. One that has two parents, such as an
/// open list with its owner and its own window, stands below both.
fn from_root(root: &Address, nodes: &Nodes, below: &Children) -> Vec<Node> {
    let mut found: Vec<Node> = nodes.get(root).cloned().into_iter().collect();
    let mut expanded: HashSet<&Address> = HashSet::with_capacity(nodes.len());
    let mut level = vec![root];
    while !level.is_empty() {
        let mut next = Vec::new();
        for parent in level.into_iter().filter(|at| expanded.insert(at)) {
            for (child, index) in below.get(parent).into_iter().flatten().zip(0..) {
                if let Some(node) = nodes.get(child) {
                    found.push(Node { parent: Some(parent.clone()), index, ..node.clone() });
                    next.push(child);
                }
            }
        }
        level = next;
    }
    found
}

/// Reads what is in `start` and below it, and leaves out what is there already. Nothing waits for the
/// rest of its level: a page may be twenty levels deep.
async fn walk(
    program: (&Bus, &Program),
    start: Vec<Address>,
    nodes: &mut Nodes,
    below: &mut Children,
) -> Cuts {
    let mut cuts = Cuts::default();
    let deadline = Instant::now() + program.0.pulses().walk();
    let mut asked: HashSet<Address> = HashSet::new();
    let mut open = FuturesUnordered::new();
    let mut next: Vec<(Address, usize, bool)> = start.into_iter().map(|at| (at, 0, false)).collect();
    loop {
        for (at, depth, is_option) in next.drain(..) {
            if nodes.contains_key(&at) || asked.contains(&at) {
                continue;
            }
            if asked.len() >= MAX_NODES || depth >= MAX_DEPTH {
                cuts.large = true;
                continue;
            }
            asked.insert(at.clone());
            open.push(visit(program, at, depth, is_option));
        }
        let Ok(visited) = timeout_at(deadline, open.next()).await else {
            return Cuts { late: true, ..cuts };
        };
        let Some(visited) = visited else { return cuts };
        let Some((node, children, depth)) = visited else { continue };
        // The options of a closed list do not show, and may stand in groups.
        let options = matches!(node.role, Role::Menu | Role::ComboBox);
        next.extend(children.iter().map(|child| (child.clone(), depth + 1, options)));
        below.insert(node.address.clone(), children);
        nodes.insert(node.address.clone(), node);
    }
}

async fn visit(
    (bus, program): (&Bus, &Program),
    at: Address,
    depth: usize,
    is_option: bool,
) -> Option<(Node, Vec<Address>, usize)> {
    let (node, mut count) = bus.one(&at).await?;
    if count < 0 && node.is(State::ManagesDescendants) {
        count = bus.count(&at).await.unwrap_or(0);
    }
    let node = as_meant(program, node, count);
    let group = is_option && matches!(node.role, Role::Panel | Role::Grouping);
    let children =
        if (is_open(&node) || group) && count != 0 { bus.children(&at).await } else { Vec::new() };
    Some((node, children, depth))
}

#[cfg(test)]
mod tests {
    use ::atspi::{InterfaceSet, StateSet};

    use super::super::said::{Said, node};
    use super::*;

    fn at(path: &str) -> Address {
        Address::new(":1.5", format!("/{path}"))
    }

    fn kept(path: &str, parent: &str, shows: bool, count: i32) -> Kept {
        let showing = StateSet::new(State::Showing | State::Visible);
        let said = Said {
            role: Role::Panel,
            states: if shows { showing } else { StateSet::empty() },
            ifaces: InterfaceSet::empty(),
            name: String::new(),
            description: String::new(),
        };
        let parent = (!parent.is_empty()).then(|| at(parent));
        let program = Program { root: at("root"), pid: None, answers: true, is_gtk4: false };
        (as_meant(&program, node(at(path), parent, 0, said), count), count)
    }

    #[test]
    fn what_has_other_children_than_it_says_is_asked() {
        let kept = [
            kept("root", "", true, 4),
            kept("whole", "root", true, 1),
            kept("leaf", "whole", true, 0),
            kept("lacks", "root", true, 2),
            kept("has", "lacks", true, 0),
            kept("untold", "root", true, -1),
            kept("hidden", "has", false, 7),
            kept("endless", "root", true, i32::MAX),
        ];
        let paths: Vec<String> = doubtful(&kept).into_iter().map(|at| at.path.clone()).collect();
        assert_eq!(paths, ["/lacks", "/has", "/untold"]);
    }

    #[test]
    fn what_holds_a_page_is_asked_whatever_it_says() {
        let mut page = kept("page", "holder", true, 1);
        page.0.role = Role::DocumentWeb;
        let kept = [
            kept("root", "", true, 1),
            kept("holder", "root", true, 1),
            page,
            kept("text", "page", true, 0),
        ];
        let paths: Vec<String> = doubtful(&kept).into_iter().map(|at| at.path.clone()).collect();
        assert_eq!(paths, ["/holder"]);
    }

    #[test]
    fn the_tree_is_what_hangs_together_with_the_root() {
        let all = [
            kept("root", "", true, 2),
            kept("combo", "root", true, 1),
            kept("window", "root", true, 1),
            kept("list", "window", true, 0),
            kept("orphan", "gone", true, 1),
            kept("below", "orphan", true, 0),
            kept("a", "b", true, 1),
            kept("b", "a", true, 1),
        ];
        let nodes: Nodes = all.into_iter().map(|(node, _)| (node.address.clone(), node)).collect();
        let mut below = children(nodes.values());
        below.insert(at("combo"), vec![at("list"), at("unknown")]);
        below.insert(at("list"), vec![at("combo")]);
        let edge = |node: Node| {
            (node.parent.map_or(String::new(), |at| at.path.clone()), node.address.path.clone())
        };
        let edges: Vec<_> = from_root(&at("root"), &nodes, &below).into_iter().map(edge).collect();
        let want = [
            ("", "/root"),
            ("/root", "/combo"),
            ("/root", "/window"),
            ("/combo", "/list"),
            ("/window", "/list"),
            ("/list", "/combo"),
        ];
        assert_eq!(edges, want.map(|(parent, child)| (parent.to_owned(), child.to_owned())));
    }
}
