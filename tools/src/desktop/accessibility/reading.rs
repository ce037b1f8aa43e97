//! Reads the tree of one program: all at once from its cache, and level by level where it has none or
//! where its cache does not hold what the program says it has. A cache is kept by the toolkit from what
//! it hears of changes, so it may lack something; but every object in it is described as it is now,
//! with the number of its children, and that gives away what is missing or left over.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use ::atspi::Role;
use futures_util::future::join_all;
use tokio::time::Instant;

use super::bus::{Bus, Kept};
use super::node::{Address, Node};
use super::programs::Program;
use super::{MAX_DEPTH, MAX_NODES};

/// As long as reading level by level may take.
const WALK: Duration = Duration::from_millis(1500);

/// Objects that are to be asked for: the address, the parent, the place among its children.
type Level = Vec<(Address, Option<Address>, i32)>;
type Nodes = HashMap<Address, Node>;
type Children = HashMap<Address, Vec<Address>>;

/// All that a program says it shows; `Err` when it does not answer in time.
pub(super) async fn read(bus: &Bus, program: &Program) -> Result<Vec<Node>, String> {
    let kept = bus.cache(&program.root).await?;
    if kept.len() > 1 && kept.iter().any(|(node, _)| node.address == program.root) {
        return Ok(complete(bus, &program.root, kept).await);
    }
    Ok(walk(bus, vec![(program.root.clone(), None, 0)], &HashSet::new()).await)
}

/// Whether what is in it is looked at.
fn is_open(node: &Node) -> bool {
    node.role == Role::Application || node.shows() || node.role == Role::Menu
}

/// What the cache holds, with what it lacks and without what is not there any more.
async fn complete(bus: &Bus, root: &Address, kept: Vec<Kept>) -> Vec<Node> {
    let doubtful = doubtful(&kept);
    let mut nodes: Nodes = kept.into_iter().map(|(node, _)| (node.address.clone(), node)).collect();
    let mut below = children(nodes.values());
    let answers = join_all(doubtful.iter().map(|at| bus.children(at))).await;
    let mut missing = Level::new();
    for (parent, children) in doubtful.into_iter().zip(answers) {
        let lacking = children.iter().zip(0..).filter(|(child, _)| !nodes.contains_key(*child));
        missing.extend(lacking.map(|(child, index)| (child.clone(), Some(parent.clone()), index)));
        below.insert(parent, children);
    }
    if !missing.is_empty() {
        let known: HashSet<Address> = nodes.keys().cloned().collect();
        let found = walk(bus, missing, &known).await;
        for (parent, children) in children(found.iter()) {
            below.entry(parent).or_insert(children);
        }
        nodes.extend(found.into_iter().map(|node| (node.address.clone(), node)));
    }
    from_root(root, &nodes, &below)
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

/// The open objects that have not as many children in the cache as they say they have.
fn doubtful(kept: &[Kept]) -> Vec<Address> {
    let mut counts: HashMap<&Address, i32> = HashMap::with_capacity(kept.len());
    for parent in kept.iter().filter_map(|(node, _)| node.parent.as_ref()) {
        *counts.entry(parent).or_default() += 1;
    }
    kept.iter()
        .filter(|(node, count)| {
            is_open(node) && *count != counts.get(&node.address).copied().unwrap_or(0)
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

/// Reads level by level; what is `known` is not asked for again.
async fn walk(bus: &Bus, mut level: Level, known: &HashSet<Address>) -> Vec<Node> {
    let mut found: Vec<Node> = Vec::new();
    let deadline = Instant::now() + WALK;
    for _ in 0..MAX_DEPTH {
        if level.is_empty() || found.len() >= MAX_NODES || Instant::now() > deadline {
            break;
        }
        level.truncate(MAX_NODES - found.len());
        let asked = level.into_iter().map(|(at, parent, index)| bus.one(at, parent, index));
        let nodes: Vec<Node> = join_all(asked).await.into_iter().flatten().collect();
        let open = nodes.iter().filter(|node| is_open(node));
        let children = join_all(
            open.map(|node| async move { (node.address.clone(), bus.children(&node.address).await) }),
        )
        .await;
        level = children
            .into_iter()
            .flat_map(|(parent, children)| {
                children
                    .into_iter()
                    .zip(0..)
                    .map(move |(child, index)| (child, Some(parent.clone()), index))
            })
            .filter(|(child, _, _)| !known.contains(child))
            .collect();
        found.extend(nodes);
    }
    found
}

#[cfg(test)]
mod tests {
    use ::atspi::{InterfaceSet, State, StateSet};

    use super::super::bus::{Said, node};
    use super::*;

    fn at(path: &str) -> Address {
        Address { bus: ":1.5".into(), path: format!("/{path}") }
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
        (node(at(path), parent, 0, said), count)
    }

    #[test]
    fn what_has_other_children_than_it_says_is_asked() {
        let kept = [
            kept("root", "", true, 3),
            kept("whole", "root", true, 1),
            kept("leaf", "whole", true, 0),
            kept("lacks", "root", true, 2),
            kept("has", "lacks", true, 0),
            kept("untold", "root", true, -1),
            kept("hidden", "has", false, 7),
        ];
        let paths: Vec<String> = doubtful(&kept).into_iter().map(|at| at.path).collect();
        assert_eq!(paths, ["/lacks", "/has", "/untold"]);
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
        let edge = |node: Node| (node.parent.map_or(String::new(), |at| at.path), node.address.path);
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
