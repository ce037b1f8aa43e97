//! What is asked of the objects of one tree besides what the tree says of them. All of it goes out at
//! once, and nothing is asked that the list does not look at: each question costs its program and the
//! bus some ten microseconds, and there are hundreds of them.

use ::atspi::Role as BusRole;
use futures_util::future::join_all;

use super::attributes::Attributes;
use super::beyond::Suspects;
use super::bus::{Bus, Silence};
use super::list::acts;
use super::naming::{is_number, name};
use super::node::{Address, Node, Tree, is_block};
use super::programs::Program;
use super::reading::Cuts;
use super::sheet::is_sheet;
use super::{MAX_NODES, reading, roles};
use crate::element::Role;

/// All that is needed of one program for its list, and what is cut off of it.
pub(super) async fn tree(bus: &Bus, program: &Program) -> Result<(Tree, Cuts), Silence> {
    let (nodes, mut cuts) = reading::read(bus, program).await?;
    let mut tree = Tree::new(nodes);
    let looked_at: Vec<Address> = looked_at(&tree, &mut cuts).map(|node| node.address.clone()).collect();
    let nodes = || looked_at.iter().filter_map(|at| tree.get(at));
    let acting: Vec<Address> = nodes()
        .filter(|node| node.has_action && !roles::is_control(roles::role(node)))
        // A click on words is one on what they stand in.
        .filter(|node| node.role != BusRole::Static)
        .map(|node| node.address.clone())
        .collect();
    // Some give each piece of a text as an object with a name; others only the whole of a paragraph.
    let has_pieces = nodes().any(|node| node.role == BusRole::Static);
    let tells_by_itself = |node: &Node| {
        let paragraph = matches!(node.role, BusRole::Paragraph | BusRole::Heading);
        let holder = is_block(node.role) || matches!(node.role, BusRole::ListItem | BusRole::TableCell);
        (paragraph || holder && !has_pieces)
            && !tree.children(node).any(|child| child.role == BusRole::Static)
    };
    let suspects = Suspects::among(&tree, nodes());
    let placed: Vec<Address> =
        nodes().filter(|node| node.has_place).map(|node| node.address.clone()).collect();
    let (extents, actions, details, answers) = tokio::join!(
        bus.extents(&placed),
        bus.actions(&acting),
        join_all(nodes().map(|node| detail(bus, node, tells_by_itself(node)))),
        suspects.ask(bus, &tree)
    );
    for (at, bounds) in placed.iter().zip(extents) {
        if let Some(node) = tree.get_mut(at) {
            node.bounds = bounds;
        }
    }
    for (at, action) in acting.iter().zip(actions) {
        if let Some(node) = tree.get_mut(at) {
            node.action = action;
        }
    }
    for (at, detail) in details.into_iter().flatten() {
        if let Some(node) = tree.get_mut(&at) {
            node.text = detail.text.filter(|text| !text.is_empty()).or(detail.attributes.holds);
            node.value = detail.value;
            node.hint = detail.attributes.hint;
            node.calling = detail.attributes.calling;
            node.landmark = detail.attributes.roles;
            node.is_drawn = detail.attributes.is_drawn;
            node.labelled_by = detail.label;
            node.chosen = detail.chosen;
            node.stands_at = detail.attributes.stands_at;
        }
    }
    for (at, beyond) in suspects.settle(&tree, &answers) {
        if let Some(node) = tree.get_mut(&at) {
            node.beyond = beyond;
        }
    }
    name_the_nameless(bus, &mut tree, &acting).await;
    bus.has_heard(&program.root.bus).map(|()| (tree, cuts))
}

/// Asks what those are called in code that react to clicks and are called nothing.
async fn name_the_nameless(bus: &Bus, tree: &mut Tree, acting: &[Address]) {
    let nameless = acting.iter().filter(|at| {
        tree.get(at)
            .is_some_and(|node| acts(node) && node.calling.is_none() && name(tree, node).is_empty())
    });
    let asked = nameless.map(|at| async move { (at, bus.attributes(at).await) });
    for (at, attributes) in join_all(asked).await {
        if let Some(node) = tree.get_mut(at) {
            node.hint = attributes.hint;
            node.calling = attributes.calling;
        }
    }
}

/// What shows and stands in the list or around what stands in it.
fn looked_at<'t>(tree: &'t Tree, cuts: &mut Cuts) -> impl Iterator<Item = &'t Node> + use<'t> {
    let mut found = Vec::new();
    let mut seen = std::collections::HashSet::new();
    let mut open: Vec<&Node> = tree.roots();
    open.reverse();
    while let Some(node) = open.pop() {
        if !seen.insert(&node.address) || node.role != BusRole::Application && !node.shows() {
            continue;
        }
        // The cells of a sheet are found by their places.
        cuts.vast |= node.is_vast && !is_sheet(node);
        cuts.large |= found.len() >= MAX_NODES;
        if node.is_vast || found.len() >= MAX_NODES {
            continue;
        }
        found.push(node);
        if !is_one_thing(node) {
            let children: Vec<&Node> = tree.children(node).collect();
            open.extend(children.into_iter().rev());
        }
    }
    found.into_iter()
}

/// Whether the list shows it without looking at what it is made of.
pub(super) fn is_one_thing(node: &Node) -> bool {
    let kind = roles::role(node);
    let is_taken_apart = matches!(kind, Role::Tab | Role::Dropdown | Role::Moment);
    roles::is_control(kind) && !is_taken_apart && node.role != BusRole::DocumentText
}

/// What only some objects have: text, value, and where their name may come from.
#[derive(Debug, Default)]
struct Detail {
    text: Option<String>,
    value: Option<f64>,
    attributes: Attributes,
    label: Option<Address>,
    chosen: Option<Address>,
}

async fn detail(bus: &Bus, node: &Node, tells_by_itself: bool) -> Option<(Address, Detail)> {
    let kind = roles::role(node);
    let secret = kind == Role::Password;
    let unnamed_text = (kind == Role::Text || tells_by_itself) && node.name.is_empty();
    let dropdown = kind == Role::Dropdown;
    let reads = (kind.takes_text() || dropdown || unnamed_text) && node.has_text && !secret;
    let control = roles::is_control(kind);
    // Some are called by where they stand.
    let is_called = !(node.name.is_empty() || is_number(kind, &node.name));
    let nameless = !is_called && (control || kind == Role::Image);
    let stands = node.has_value && matches!(kind, Role::Spinner | Role::Slider | Role::Progress);
    let landmark = node.role == BusRole::Landmark;
    if !reads && !nameless && !dropdown && !stands && !landmark && kind != Role::Image {
        return None;
    }
    let described =
        nameless || dropdown || landmark || matches!(kind, Role::Spinner | Role::Image | Role::Textbox);
    let (text, value, attributes, label, chosen) = tokio::join!(
        async { if reads { bus.text(&node.address).await } else { None } },
        async { if stands { bus.value(&node.address).await } else { None } },
        async { if described { bus.attributes(&node.address).await } else { Attributes::default() } },
        async { if control && (nameless || dropdown) { bus.label(&node.address).await } else { None } },
        async { if dropdown && node.has_choice { bus.chosen(&node.address).await } else { None } },
    );
    Some((node.address.clone(), Detail { text, value, attributes, label, chosen }))
}
