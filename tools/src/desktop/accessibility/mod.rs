//! What programs say of themselves over the accessibility bus (AT-SPI), read quickly and made into
//! the short list of elements that an observation holds.
//!
//! The bus part ([`bus`]) only asks; [`list`] and [`merge`] decide what stands in the list; the
//! numbers ([`identity`]) live as long as the connection.

use std::collections::{HashMap, HashSet};

use ::atspi::Role as BusRole;
use futures_util::future::join_all;

use crate::desktop::counter::Counter;
use crate::element::{Element, ElementId, ElementKey, Role, Source, Window, WindowId};
use crate::geometry::ScreenRect;

mod asking;
mod bus;
mod draft;
mod identity;
mod list;
mod merge;
mod naming;
mod node;
mod programs;
mod reading;
mod roles;
mod value;

use bus::{Bus, Silence};
use draft::Draft;
use identity::{Looks, Numbers};
use list::Lister;
use node::{Address, Node, Tree};
use programs::{Program, Programs};

/// Objects of one program that are looked at.
const MAX_NODES: usize = 4000;
/// Levels of a tree that are looked at.
const MAX_DEPTH: usize = 80;

/// What the bus shows of the windows.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// The list, window by window from front to back, each in reading order.
    pub elements: Vec<Element>,
    /// The element that has the keyboard.
    pub focus: Option<ElementId>,
    /// What could not be read, one line each.
    pub gaps: Vec<String>,
}

/// A connection to the accessibility bus, with what must be remembered from look to look.
#[derive(Debug)]
pub struct Accessibility {
    bus: Bus,
    programs: Programs,
    numbers: Numbers,
    last: HashMap<ElementKey, Element>,
    /// What each of them said of itself. The list may call it something else, after its label.
    said: HashMap<ElementKey, (BusRole, String)>,
}

impl Accessibility {
    /// Connects to the bus at `address`, or to the one that the session bus of this process names.
    pub async fn connect(address: Option<&str>) -> Result<Self, String> {
        let bus = Bus::connect(address).await?;
        let (programs, numbers) = (Programs::default(), Numbers::default());
        Ok(Self { bus, programs, numbers, last: HashMap::new(), said: HashMap::new() })
    }

    /// Takes the numbers of its elements from `counter`, to be called before the first look.
    pub(super) fn counting_with(self, counter: Counter) -> Self {
        Self { numbers: Numbers::from(counter), ..self }
    }

    /// Whether the bus is still there; when it is not, nothing shows any more.
    pub async fn answers(&self) -> bool {
        self.bus.answers().await
    }

    /// The elements of these windows, which stand from front to back; all in physical px.
    pub async fn read(&mut self, windows: &[Window], screen: ScreenRect) -> Seen {
        let programs = self.programs.all(&mut self.bus).await;
        let wanted = programs.iter().filter(|program| {
            windows
                .iter()
                .any(|window| window.pid.is_none() || program.pid.is_none() || window.pid == program.pid)
        });
        let bus = &self.bus;
        let trees =
            join_all(wanted.map(|program| async move { (program, asking::tree(bus, program).await) }))
                .await;
        let (mut gaps, mut broken) = (Vec::new(), Vec::new());
        let mut found: Vec<(usize, Draft)> = Vec::new();
        self.said.clear();
        for (program, tree) in trees {
            match tree {
                Ok((tree, gap)) => {
                    let drafts = drafts(&tree, program, windows, screen);
                    self.said.extend(drafts.iter().filter_map(|(_, draft)| {
                        let node = tree.get(&draft.address)?;
                        Some((ElementKey(draft.address.key()), (node.role, node.name.clone())))
                    }));
                    found.extend(drafts);
                    gaps.extend(gap.map(|reason| missed(program, windows, &reason)));
                }
                Err(Silence::Late) => gaps.push(missed(program, windows, "does not answer")),
                Err(Silence::Broken) => {
                    gaps.push(missed(program, windows, "does not listen any more"));
                    broken.push(program.root.clone());
                }
            }
        }
        for root in &broken {
            self.programs.forget(root);
            self.bus.talk_through_the_bus(|name| name == root.bus);
        }
        for (at, draft) in &mut found {
            *at = popup(draft, *at, windows).unwrap_or(*at);
        }
        found.sort_by_key(|(window, _)| *window);
        found.retain(|(at, draft)| !is_covered(draft, windows.get(..*at).unwrap_or_default()));
        // An open list stands in the tree of its owner and in that of its own window.
        let mut twins = HashSet::new();
        found.retain(|(_, draft)| twins.insert((draft.role, draft.name.clone(), draft.bounds)));
        self.number(found, windows, gaps)
    }

    fn number(&mut self, found: Vec<(usize, Draft)>, windows: &[Window], gaps: Vec<String>) -> Seen {
        let keys: Vec<(ElementKey, Looks)> = found
            .iter()
            .map(|(_, draft)| {
                let looks = Looks { role: draft.role, name: draft.name.clone(), bounds: draft.bounds };
                (ElementKey(draft.address.key()), looks)
            })
            .collect();
        let ids = self.numbers.assign(&keys);
        let elements: Vec<Element> = found
            .into_iter()
            .zip(ids)
            .map(|((at, draft), id)| element(draft, id, windows.get(at).map(|window| window.id)))
            .collect();
        self.last = elements.iter().map(|element| (element.key.clone(), element.clone())).collect();
        let focus = elements.iter().find(|element| element.states.focused).map(|element| element.id);
        Seen { elements, focus, gaps }
    }

    /// One element, read afresh; `None` when it is gone or does not show any more.
    pub async fn element(&mut self, key: &ElementKey) -> Option<Element> {
        let known = self.last.get(key)?.clone();
        let id = self.numbers.of(key)?;
        let address = Address::from_key(&key.0)?;
        let (node, bounds) =
            tokio::join!(self.bus.one(&address), self.bus.extents(std::slice::from_ref(&address)));
        let node = node.map(|(node, _)| node).filter(Node::shows)?;
        let bounds = bounds.into_iter().flatten().next().filter(|bounds| !bounds.is_empty())?;
        let mut fresh = known.clone();
        fresh.id = id;
        let said = self.said.get(key);
        if said.is_some_and(|(role, name)| *role != node.role || *name != node.name) {
            fresh.role = roles::role(&node);
            fresh.name = draft::clean(&node.name);
        }
        fresh.states = roles::states(&node, fresh.role);
        // The pieces of a text that goes on are read as one; the first stands for all.
        let piece = fresh.role == Role::Text && bounds.intersect(&known.bounds) == Some(bounds);
        if !piece {
            fresh.bounds = bounds.intersect(&known.bounds).unwrap_or(bounds);
        }
        Some(fresh)
    }
}

/// What could not be read of a program.
fn missed(program: &Program, windows: &[Window], reason: &str) -> String {
    let name = windows.iter().find(|w| w.pid == program.pid).map_or("a program", |w| &w.app);
    format!("`{name}` {reason}")
}

fn element(draft: Draft, id: ElementId, window: Option<WindowId>) -> Element {
    Element {
        id,
        key: ElementKey(draft.address.key()),
        role: draft.role,
        name: draft.name,
        value: draft.value,
        description: draft.description,
        looks: draft.looks,
        options: draft.options,
        states: draft.states,
        bounds: draft.bounds,
        source: Source::Accessibility,
        window,
        within: draft.within,
    }
}

/// The window in front that the entry of an open menu or list stands in: pop-ups are windows of the
/// window system, and not of the tree.
fn popup(draft: &Draft, owner: usize, windows: &[Window]) -> Option<usize> {
    let entry = matches!(
        draft.role,
        Role::MenuItem | Role::Option | Role::ListItem | Role::Checkbox | Role::Radio
    );
    let pid = windows.get(owner)?.pid;
    let mut in_front = windows.iter().take(owner);
    in_front
        .position(|window| entry && window.pid == pid && window.bounds.contains(draft.bounds.center()))
}

/// Whether the middle of it lies under one of the windows in front.
fn is_covered(draft: &Draft, in_front: &[Window]) -> bool {
    in_front.iter().any(|window| window.bounds.contains(draft.bounds.center()))
}

/// The elements of one program, each with the window that it stands in, counted from the front.
fn drafts(
    tree: &Tree,
    program: &Program,
    windows: &[Window],
    screen: ScreenRect,
) -> Vec<(usize, Draft)> {
    let own: Vec<(usize, &Window)> = windows
        .iter()
        .enumerate()
        .filter(|(_, w)| w.pid.is_none() || program.pid.is_none() || w.pid == program.pid)
        .collect();
    let mut found = Vec::new();
    for root in tree.roots() {
        for frame in tree.children(root).filter(|frame| frame.shows()) {
            let Some((at, window)) = owner(frame, &own) else { continue };
            let Some(clip) = window.bounds.intersect(&screen) else { continue };
            let begin = pages(tree, frame);
            let drafts = merge::tidy(Lister::list(tree, &begin, clip, screen));
            found.extend(drafts.into_iter().map(|draft| (at, draft)));
        }
    }
    found
}

/// The window that a frame of the tree is: by its title, else by its place, else the only one.
fn owner<'a>(frame: &Node, own: &[(usize, &'a Window)]) -> Option<(usize, &'a Window)> {
    let name = frame.name.trim();
    let by_title =
        own.iter().find(|(_, w)| !name.is_empty() && (w.title == name || w.title.starts_with(name)));
    let by_place = || {
        let bounds = frame.bounds?;
        own.iter()
            .filter_map(|entry| Some((entry.1.bounds.intersect(&bounds)?.area(), entry)))
            .max_by_key(|(area, _)| *area)
            .map(|(_, entry)| entry)
    };
    by_title.or_else(by_place).or(own.first()).copied()
}

/// Where the list of a frame begins. A browser that scales gives its pages in physical px and its own
/// bars in logical ones; the bars are left out where the two are not the same.
fn pages<'a>(tree: &'a Tree, frame: &'a Node) -> Vec<&'a Node> {
    let mut documents = Vec::new();
    let mut open = vec![frame];
    let mut left = MAX_NODES;
    while let Some(node) = open.pop() {
        left = left.saturating_sub(1);
        if left == 0 {
            break;
        }
        if node.role == BusRole::DocumentWeb {
            documents.push(node);
        } else {
            open.extend(tree.children(node).filter(|child| child.shows()));
        }
    }
    let scaled = frame.bounds.is_some_and(|bounds| {
        documents
            .iter()
            .any(|page| page.bounds.is_some_and(|page| page.width > bounds.width.saturating_add(8)))
    });
    if scaled { documents } else { vec![frame] }
}
