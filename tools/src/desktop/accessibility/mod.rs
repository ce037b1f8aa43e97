//! What programs say of themselves over the accessibility bus (AT-SPI), read quickly and made into
//! the short list of elements that an observation holds.
//!
//! The bus part ([`bus`]) only asks; [`list`] and [`merge`] decide what stands in the list; the
//! numbers ([`identity`]) live as long as the connection.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use ::atspi::Role as BusRole;
use futures_util::future::join_all;

use crate::desktop::area::{Area, AreaKind};
use crate::desktop::counter::Counter;
use crate::desktop::uncovered;
use crate::element::{Element, ElementId, ElementKey, Role, Source, Window, WindowId};
use crate::frame::Frame;
use crate::geometry::{ScreenPoint, ScreenRect};
use crate::observation::More;

mod afresh;
mod areas;
mod asking;
mod attributes;
mod beyond;
mod bus;
mod draft;
mod hidden;
mod identity;
mod later;
mod line;
mod list;
mod merge;
mod naming;
mod node;
mod placing;
mod programs;
mod pulse;
mod reading;
mod regions;
mod reply;
mod roles;
mod said;
mod scale;
mod sheet;
pub mod status;
mod value;

use beyond::Beyond;
use bus::{Bus, Silence};
use draft::Draft;
use hidden::Verdicts;
use identity::{Looks, Numbers};
use later::Later;
use list::Lister;
use node::{Address, Node, Tree};
use placing::Places;
use programs::{Program, Programs};
use pulse::{HEARTBEAT, LONG};
use reading::Cuts;
use sheet::Cells;

/// Objects of one program that are looked at.
const MAX_NODES: usize = 4000;
/// Actions of one object that are asked for.
const MAX_ACTIONS: i32 = 8;
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
    /// What cannot be read, one line each: it is too much, or nobody tells. More patience would not bring it.
    pub(super) cuts: Vec<String>,
    /// What is told of parts of the windows.
    pub(super) areas: Vec<Area>,
    /// What holds more than it shows.
    pub(super) more: Vec<More>,
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
    /// The parts of them that have the keyboard.
    cursors: HashMap<ElementKey, Address>,
    /// Where those of them are that their programs tell elsewhere.
    places: Places,
    /// Where in their sheets those of them stand that are cells.
    cells: Cells,
    /// Of these, those of GTK 4, which says of nothing but its windows that it shows.
    in_gtk4: HashSet<Address>,
    /// What lies under something else.
    verdicts: Verdicts,
    /// Programs that did not answer in time.
    later: Later,
}

impl Accessibility {
    /// Connects to the bus at `address`, or to the one that the session bus of this process names.
    pub async fn connect(address: Option<&str>) -> Result<Self, String> {
        let bus = Bus::connect(address).await?;
        let (programs, numbers) = (Programs::default(), Numbers::default());
        let (last, said, places) = (HashMap::new(), HashMap::new(), Places::default());
        let (cursors, cells) = (HashMap::new(), Cells::default());
        let (in_gtk4, verdicts, later) = (HashSet::new(), Verdicts::default(), Later::default());
        Ok(Self { bus, programs, numbers, last, said, cursors, places, cells, in_gtk4, verdicts, later })
    }

    /// Takes the numbers of its elements from `counter`, to be called before the first look.
    pub(super) fn counting_with(self, counter: Counter) -> Self {
        Self { numbers: Numbers::from(counter), ..self }
    }

    /// Whether the bus is still there; when it is not, nothing shows any more.
    pub async fn answers(&self) -> bool {
        self.bus.answers().await
    }

    /// The elements of these windows, which stand from front to back, on the monitor that `frame` shows; all
    /// in physical px.
    pub async fn read(&mut self, windows: &[Window], frame: &Frame) -> Seen {
        let screen = frame.bounds();
        self.bus.pulses().begin(HEARTBEAT);
        let waited = self.later.wait(HEARTBEAT).await;
        let programs = self.programs.all(&mut self.bus, &mut self.later).await;
        let trees = self.trees(&programs, windows, waited).await;
        let (mut gaps, mut cuts, mut broken) = (Vec::new(), Vec::new(), Vec::new());
        let mut found: Vec<(usize, Draft)> = Vec::new();
        let (mut areas, mut more) = (Vec::new(), Vec::new());
        let mut framed = HashSet::new();
        self.said.clear();
        self.places.clear();
        self.cells.begin();
        self.in_gtk4.clear();
        self.verdicts.age();
        for (program, tree) in trees {
            match tree {
                Ok((mut tree, mut cut, old)) => {
                    self.place(&mut tree, program, windows);
                    let known = (&mut self.places, &mut self.cells);
                    cut.vast |= !sheet::add_cells(&self.bus, &mut tree, frame, known).await;
                    let drafts =
                        self.list(&tree, program, windows, (screen, &mut areas, &mut more)).await;
                    self.said.extend(drafts.iter().filter_map(|(_, draft)| {
                        let node = tree.get(&draft.address)?;
                        Some((ElementKey(draft.address.key()), (node.role, node.name.clone())))
                    }));
                    found.extend(drafts);
                    framed.extend(frames(&tree, program, windows));
                    cuts.extend(cut.words().map(|reason| missed(program, windows, &reason)));
                    let late = cut.late.then_some(pulse::SLOW);
                    let missing = || self.bus.pulses().missing(&program.root.bus).or(late);
                    let gap = old.or_else(missing);
                    gaps.extend(gap.map(|reason| missed(program, windows, reason)));
                }
                Err(Silence::Late) => gaps.push(missed(program, windows, "does not answer")),
                Err(Silence::Broken) => {
                    gaps.push(missed(program, windows, "does not listen any more"));
                    broken.push(program.root.clone());
                }
            }
        }
        if self.bus.pulses().others_stuck(programs.iter().map(|program| program.root.bus.as_str())) {
            gaps.push("a part of a program does not answer".into());
        }
        for root in &broken {
            self.programs.forget(root);
            self.bus.talk_through_the_bus(|name| name == root.bus);
        }
        let found = from_front_to_back(found, windows, &framed);
        Seen { gaps, cuts, areas, more, ..self.number(found, windows) }
    }

    /// What those of the programs tell that may have one of the windows, and what is said of those that did
    /// not tell it now. For these this look has waited already.
    async fn trees<'p>(
        &mut self,
        programs: &'p [Program],
        windows: &[Window],
        waited: Duration,
    ) -> Vec<(&'p Program, Result<(Tree, Cuts, Option<&'static str>), Silence>)> {
        let shown = programs.iter().filter(|program| !windows_of(program, windows).is_empty());
        let (bus, later) = (&self.bus, &self.later);
        let now = join_all(shown.map(|program| async move {
            let root = &program.root;
            if program.answers {
                bus.pulses().have_patience_with(&root.bus, later.patience_with(root, waited));
            }
            let is_asked = program.answers && !later.is_left_out(root) && bus.lives(root).await;
            let tree = if is_asked { asking::tree(bus, program).await } else { Err(Silence::Late) };
            (program, tree)
        }))
        .await;
        let mut trees = Vec::with_capacity(now.len());
        for (program, tree) in now {
            let tree = match tree {
                Err(Silence::Late) => {
                    self.later.begin(&self.bus, program);
                    let told = self.later.told(&program.root);
                    told.map(|(tree, cuts, gap)| (tree, cuts, Some(gap))).ok_or(Silence::Late)
                }
                Err(Silence::Broken) => {
                    self.later.end(&program.root, None);
                    Err(Silence::Broken)
                }
                Ok((tree, cuts)) => {
                    self.later.end(&program.root, Some((tree.clone(), cuts)));
                    Ok((tree, cuts, None))
                }
            };
            trees.push((program, tree));
        }
        trees
    }

    /// Waits for less than a second until the program in that process answers: it may be busy with what was just done
    /// to it. One that hangs is not waited for.
    pub async fn ready(&mut self, process: u32) {
        let Some(root) = self.programs.of(process).cloned() else { return };
        if !self.later.wait_for(&root, &self.bus, LONG).await {
            self.bus.pulses().begin(LONG);
            self.bus.lives(&root).await;
        }
    }

    /// Puts what a program shows where it is.
    fn place(&mut self, tree: &mut Tree, program: &Program, windows: &[Window]) {
        self.places.stretch(tree, program, windows);
        if program.is_gtk4 {
            self.in_gtk4.extend(self.places.move_into_windows(tree, program, windows));
        }
        self.places.move_below_menus(tree);
    }

    /// The elements of one program, each with the window that it stands in, counted from the front.
    async fn list(
        &mut self,
        tree: &Tree,
        program: &Program,
        windows: &[Window],
        (screen, areas, more): (ScreenRect, &mut Vec<Area>, &mut Vec<More>),
    ) -> Vec<(usize, Draft)> {
        let own = windows_of(program, windows);
        let mut found = Vec::new();
        for root in tree.roots() {
            for frame in tree.children(root).filter(|frame| frame.shows()) {
                let Some((at, window)) = owner(frame, &own) else { continue };
                let Some(clip) = window.bounds.intersect(&screen) else { continue };
                let roots = pages(tree, frame);
                let told = areas::areas(tree, &roots, clip);
                let place = |(bounds, kind)| Area { window: window.id, bounds, kind };
                areas.extend(told.areas.into_iter().map(place));
                more.extend(told.more.into_iter().map(|(bounds, name, beyond)| {
                    let Beyond { above, below, left, right } = beyond;
                    More { window: window.id, name, bounds, above, below, left, right }
                }));
                let mut listed = Lister::list(tree, &roots, clip, screen);
                // What a program keeps ready to pop up is nowhere yet.
                listed.retain(|draft| {
                    let middle = draft.bounds.center();
                    own.iter().any(|(_, window)| window.bounds.contains(middle))
                });
                let seen = self.verdicts.apply(&self.bus, (tree, &self.places), listed).await;
                let (listed, echoes) = merge::tidy(seen);
                areas.extend(echoes.into_iter().map(|bounds| place((bounds, AreaKind::Echo))));
                found.extend(listed.into_iter().map(|draft| (at, draft)));
            }
        }
        found
    }

    fn number(&mut self, found: Vec<(usize, Draft)>, windows: &[Window]) -> Seen {
        let keys: Vec<(ElementKey, Looks)> = found
            .iter()
            .map(|(_, draft)| {
                // A cell of a sheet is the same whatever is written into it.
                let place = draft.description.as_ref().filter(|_| draft.role == Role::Cell);
                let name = place.unwrap_or(&draft.name).clone();
                let looks = Looks { role: draft.role, name, bounds: draft.bounds };
                (ElementKey(draft.address.key()), looks)
            })
            .collect();
        let ids = self.numbers.assign(&keys);
        let cursor = |(_, draft): &(usize, Draft)| {
            draft.cursor.clone().map(|part| (ElementKey(draft.address.key()), part))
        };
        self.cursors = found.iter().filter_map(cursor).collect();
        let elements: Vec<Element> = found
            .into_iter()
            .zip(ids)
            .map(|((at, draft), id)| element(draft, id, windows.get(at).map(|window| window.id)))
            .collect();
        self.last = elements.iter().map(|element| (element.key.clone(), element.clone())).collect();
        let focus = elements.iter().find(|element| element.states.focused).map(|element| element.id);
        Seen { elements, focus, ..Seen::default() }
    }

    /// The address of the nearest page that an object stands in, as its program tells it.
    pub async fn page(&self, key: &ElementKey) -> Option<String> {
        let mut at = Address::from_key(&key.0)?;
        self.bus.pulses().begin(HEARTBEAT);
        for _ in 0..MAX_DEPTH {
            if let Some(address) = self.bus.page_address(&at).await {
                return Some(address);
            }
            at = self.bus.parent(&at).await?;
        }
        None
    }

    /// Whether something else of its page lies over an object at `point`, as its browser tells it. Where
    /// nobody tells, nothing does.
    pub async fn is_covered(&self, key: &ElementKey, point: ScreenPoint) -> bool {
        let Some(own) = Address::from_key(&key.0) else { return false };
        self.bus.pulses().begin(HEARTBEAT);
        let above = self.bus.above(&own, MAX_DEPTH).await;
        let Some((page, _)) = above.iter().rfind(|(_, role)| *role == BusRole::DocumentWeb) else {
            return false;
        };
        let point = self.places.of(page).back(point);
        let _guess = self.bus.at_point(page, point).await;
        // A slow browser still guesses, so it is asked twice before the answer is yes.
        for _ in 0..2 {
            tokio::time::sleep(hidden::MOMENT).await;
            let Some(hit) = self.bus.at_point(page, point).await else { return false };
            if hit == own || above.iter().any(|(at, _)| *at == hit) {
                return false;
            }
            let around = self.bus.above(&hit, MAX_DEPTH).await;
            let labels = |role: &BusRole| *role == BusRole::Label;
            if around.iter().any(|(at, role)| *at == own || labels(role)) {
                return false;
            }
        }
        true
    }

    /// The address that a link leads to, as its program tells it.
    pub async fn link(&self, key: &ElementKey) -> Option<String> {
        self.bus.pulses().begin(HEARTBEAT);
        self.bus.link_address(&Address::from_key(&key.0)?).await
    }

    /// What can be done with an object, as its program tells it.
    pub async fn actions(&self, key: &ElementKey) -> Vec<String> {
        let Some(at) = Address::from_key(&key.0) else { return Vec::new() };
        self.bus.pulses().begin(HEARTBEAT);
        let mut found = Vec::new();
        for number in 0..MAX_ACTIONS {
            let name = self.bus.action(&at, number).await.map(|name| draft::clean(&name));
            let Some(name) = name.filter(|name| !name.is_empty()) else { break };
            found.push(name);
        }
        found
    }
}

/// What shows of the windows, the front one first, each thing once.
fn from_front_to_back(
    mut found: Vec<(usize, Draft)>,
    windows: &[Window],
    framed: &HashSet<usize>,
) -> Vec<(usize, Draft)> {
    for (at, draft) in &mut found {
        *at = popup(draft, *at, windows, framed).unwrap_or(*at);
    }
    found.sort_by_key(|(window, _)| *window);
    found.retain_mut(|(at, draft)| {
        let in_front = windows.iter().take(*at).map(|window| &window.bounds);
        let left = uncovered::enough(draft.role, draft.bounds, in_front);
        draft.bounds = left.unwrap_or(draft.bounds);
        left.is_some()
    });
    // An open list stands in the tree of its owner and in that of its own window.
    let mut twins = HashSet::new();
    found.retain(|(_, draft)| twins.insert((draft.role, draft.name.clone(), draft.bounds)));
    found
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
        actions: draft.actions,
        states: draft.states,
        bounds: draft.bounds,
        source: Source::Accessibility,
        window,
        within: draft.within,
        region: draft.region,
    }
}

/// The window in front that the entry of an open menu or list stands in: pop-ups are windows of the
/// window system, and no frames of the tree. What lies under a dialog does not stand in it.
fn popup(draft: &Draft, owner: usize, windows: &[Window], framed: &HashSet<usize>) -> Option<usize> {
    let entry = matches!(
        draft.role,
        Role::MenuItem | Role::Option | Role::ListItem | Role::Checkbox | Role::Radio
    );
    let pid = windows.get(owner)?.pid;
    let stands_in = |window: &Window| window.bounds.contains(draft.bounds.center());
    windows.iter().take(owner).enumerate().find_map(|(at, window)| {
        let popup = entry && window.pid == pid && !framed.contains(&at);
        (popup && stands_in(window)).then_some(at)
    })
}

/// Windows that may be the program's, with their places from the front.
fn windows_of<'a>(program: &Program, windows: &'a [Window]) -> Vec<(usize, &'a Window)> {
    windows
        .iter()
        .enumerate()
        .filter(|(_, w)| w.pid.is_none() || program.pid.is_none() || w.pid == program.pid)
        .collect()
}

/// The windows that the program has frames or dialogs for.
fn frames(tree: &Tree, program: &Program, windows: &[Window]) -> Vec<usize> {
    let own = windows_of(program, windows);
    let framed = tree.roots().into_iter().flat_map(|root| tree.children(root)).filter(|frame| {
        frame.shows() && !matches!(frame.role, BusRole::Window | BusRole::PopupMenu | BusRole::ToolTip)
    });
    framed.filter_map(|frame| owner(frame, &own)).map(|(at, _)| at).collect()
}

/// The window that a frame of the tree is: by its title, else by its place, else the only one.
fn owner<'a>(frame: &Node, own: &[(usize, &'a Window)]) -> Option<(usize, &'a Window)> {
    let name = frame.name.trim();
    let by_title =
        own.iter().find(|(_, w)| !name.is_empty() && (w.title == name || w.title.starts_with(name)));
    let by_place = || {
        let bounds = frame.bounds?;
        own.iter()
            .filter_map(|entry| {
                let window = entry.1.bounds;
                let shared = window.intersect(&bounds)?.area();
                // A dialog lies within its owner as much as within itself.
                Some((shared * 1000 / window.union(&bounds).area().max(1), entry))
            })
            .max_by_key(|(share, _)| *share)
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

#[cfg(test)]
mod tests;
