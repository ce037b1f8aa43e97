//! From a tree to the list: which objects stand in it, as what, and where. Pure, so that it can be tested
//! on recorded trees.

use ::atspi::{Role as BusRole, State};

use super::draft::{Draft, clean};
use super::naming::{calling, is_number, name};
use super::node::{Address, Node, Tree};
use super::regions;
use super::roles::{is_control, role, states};
use super::value::{parts, value};
use crate::element::{BARS, Region, Role};
use crate::geometry::ScreenRect;

/// The part of its window that something may fill and still count as one thing to click.
const MAX_SHARE: u64 = 3;
/// Sides in px below which something is only there for those who hear the page.
pub(super) const TINY: u32 = 3;
/// Signs before the points of a list.
const BULLETS: [char; 6] = ['•', '◦', '▪', '■', '‣', '○'];
/// Levels below an object in which the things that make it what it is are looked for.
const INSIDE: usize = 6;

/// Where the walk is.
#[derive(Debug, Clone, Copy)]
struct Place<'n> {
    /// What shows of this part of the tree.
    clip: ScreenRect,
    /// The nearest container with a name.
    within: Option<&'n str>,
    /// The nearest part of the window that is one.
    region: Option<&'n Region>,
    /// Whether it is within a web page.
    paged: bool,
    depth: usize,
}

/// Makes the list of one program.
pub(super) struct Lister<'a> {
    tree: &'a Tree,
    window: ScreenRect,
    screen: ScreenRect,
    /// Whether this is the window of a browser, whose own bars are none of the page.
    browses: bool,
    /// Whether a page is in it.
    shows_page: bool,
    drafts: Vec<Draft>,
    labels: Vec<Address>,
    left: usize,
}

impl<'a> Lister<'a> {
    /// The elements below `roots` that show inside `window`, in the order of the tree.
    pub(super) fn list(
        tree: &'a Tree,
        roots: &[&'a Node],
        window: ScreenRect,
        screen: ScreenRect,
    ) -> Vec<Draft> {
        let showing = tree.showing();
        let labels = showing.iter().filter_map(|at| tree.get(at)?.labelled_by.clone()).collect();
        let has = |such: &dyn Fn(BusRole) -> bool| {
            showing.iter().filter_map(|at| tree.get(at)).any(|node| such(node.role))
        };
        let (browses, shows_page) = (has(&is_browser_part), has(&|role| role == BusRole::DocumentWeb));
        let (drafts, left) = (Vec::new(), super::MAX_NODES);
        let mut lister = Self { tree, window, screen, browses, shows_page, drafts, labels, left };
        for root in roots {
            let within = lister.shows_page.then_some(BARS);
            lister.visit(root, Place { clip: window, within, region: None, paged: false, depth: 0 });
        }
        lister.drafts
    }

    fn visit(&mut self, node: &'a Node, place: Place<'_>) {
        // An open menu reaches beyond the window that it belongs to.
        let clip = if node.role == BusRole::Menu { self.screen } else { place.clip };
        let place = Place { clip, ..place };
        let shows = node.role == BusRole::Application || node.shows();
        if place.depth > super::MAX_DEPTH || self.left == 0 || !shows {
            return;
        }
        self.left -= 1;
        let kind = role(node);
        let section = kind == Role::Tab && self.is_section(node);
        let kind = if section { Role::Group } else { kind };
        let whole = node.bounds.and_then(|bounds| bounds.intersect(&clip));
        let seen = if kind == Role::Moment { self.first_part(node).or(whole) } else { whole };
        if is_control(kind) {
            self.control(node, kind, seen, place);
        } else if is_entry(kind) {
            if let Some(bounds) = seen {
                self.entry(node, kind, bounds, place);
            }
        } else if let Some(bounds) = seen.filter(|bounds| self.is_clickable(node, kind, bounds)) {
            self.push(node, Role::Clickable, name(self.tree, node), bounds, place);
        } else {
            if let Some(bounds) = seen {
                self.readable(node, kind, bounds, place);
            }
            if node.role != BusRole::Static {
                self.inside(node, place);
            }
        }
    }

    /// What stands in a thing that is no element itself.
    fn inside(&mut self, node: &'a Node, place: Place<'_>) {
        let own = clean(&node.name);
        let group = matches!(
            node.role,
            BusRole::Dialog
                | BusRole::Grouping
                | BusRole::Panel
                | BusRole::Form
                | BusRole::Landmark
                | BusRole::Section
                | BusRole::PageTabList
        );
        let named = Some(own.as_str()).filter(|own| !own.is_empty());
        let within = if self.browses && !place.paged && node.role == BusRole::ToolBar {
            Some(BARS)
        } else if self.shows_page && !place.paged {
            let asks = matches!(
                node.role,
                BusRole::Dialog | BusRole::Alert | BusRole::Menu | BusRole::PopupMenu | BusRole::ListBox
            );
            if asks || node.role == BusRole::DocumentWeb { named.filter(|_| asks) } else { place.within }
        } else {
            named.filter(|_| group).or(place.within)
        };
        let paged = place.paged || node.role == BusRole::DocumentWeb;
        // A dialog with a window of its own is that window.
        let part = regions::of(node, &own).filter(|_| place.depth > 0 && within != Some(BARS));
        let region = part.as_ref().or(place.region);
        let clip = inner_clip(node, place.clip);
        self.children(node, Place { clip, within, region, paged, ..place });
    }

    fn children(&mut self, node: &'a Node, place: Place<'_>) {
        for child in self.tree.children(node) {
            self.visit(child, Place { depth: place.depth + 1, ..place });
        }
    }

    fn control(&mut self, node: &'a Node, kind: Role, seen: Option<ScreenRect>, place: Place<'_>) {
        let seen = seen.and_then(|bounds| self.touchable(node, kind, bounds));
        if let Some(bounds) = seen {
            let is_option = kind == Role::MenuItem && self.in_listbox(node);
            let kind = if is_option { Role::Option } else { kind };
            self.push(node, kind, name(self.tree, node), bounds, place);
        }
        let is_shut = node.is(State::Expandable) && !node.is(State::Expanded);
        if node.role == BusRole::DocumentText && place.paged {
            // Its texts can be selected one by one; what else stands in it is text like them.
            let before = self.drafts.len();
            self.children(node, place);
            let inside = self.drafts.split_off(before);
            let is_text = |draft: &Draft| matches!(draft.role, Role::Text | Role::Heading);
            self.drafts.extend(inside.into_iter().filter(is_text));
        } else if kind == Role::Tab {
            self.page(node, place);
        } else if kind == Role::Dropdown && !is_shut {
            // An open list of options reaches beyond the window too.
            let before = self.drafts.len();
            self.children(node, Place { clip: self.screen, ..place });
            // The button that opens it is the dropdown itself.
            let inside = |draft: &Draft| seen.is_some_and(|whole| whole.contains(draft.bounds.center()));
            let options = self.drafts.split_off(before);
            let other = |draft: &Draft| draft.role != Role::Button || !inside(draft);
            self.drafts.extend(options.into_iter().filter(other));
        }
    }

    /// Where a control can be clicked. What is hardly there at all is for those who hear a page, except
    /// for boxes to tick that are drawn by their label, which stands for them.
    fn touchable(&self, node: &Node, kind: Role, bounds: ScreenRect) -> Option<ScreenRect> {
        if bounds.width >= TINY && bounds.height >= TINY {
            return Some(bounds);
        }
        let parent = node.parent.as_ref().and_then(|at| self.tree.get(at))?;
        let drawn = matches!(kind, Role::Checkbox | Role::Radio) && parent.role == BusRole::Label;
        parent.bounds.filter(|label| drawn && !label.is_empty())
    }

    /// Some pages call a whole section a tab; what can be used in it is what counts. A page that hangs
    /// below its tab lies beside it.
    fn is_section(&self, node: &Node) -> bool {
        let inside = |child: &Node| {
            is_usable(child)
                && node.bounds.zip(child.bounds).is_some_and(|(tab, child)| tab.contains(child.center()))
        };
        self.holds(node, &inside, 0)
    }

    /// Some programs hang the page below its tab: what stands outside the tab is the page.
    fn page(&mut self, node: &'a Node, place: Place<'_>) {
        let tab = node.bounds.filter(|bounds| !bounds.is_empty());
        for child in self.tree.children(node) {
            let inside = tab.zip(child.bounds).is_some_and(|(tab, child)| tab.contains(child.center()));
            if !inside {
                self.visit(child, Place { depth: place.depth + 1, ..place });
            }
        }
    }

    /// The options of a dropdown say that they are entries of a menu.
    fn in_listbox(&self, node: &Node) -> bool {
        let parent = node.parent.as_ref().and_then(|at| self.tree.get(at));
        let owner = parent.and_then(|parent| parent.parent.as_ref()).and_then(|at| self.tree.get(at));
        [parent, owner]
            .into_iter()
            .flatten()
            .any(|node| matches!(node.role, BusRole::ComboBox | BusRole::ListBox))
    }

    /// What can only be read, and the titles of menus, which are pressed to open them.
    fn readable(&mut self, node: &'a Node, kind: Role, bounds: ScreenRect, place: Place<'_>) {
        let acts = acts(node);
        if kind == Role::Menu && acts && !node.name.is_empty() {
            return self.push(node, Role::MenuItem, clean(&node.name), bounds, place);
        }
        // Some tell what a part of a text says only as a whole.
        let kind = if kind == Role::Group && node.text.is_some() { Role::Text } else { kind };
        if !matches!(kind, Role::Text | Role::Heading | Role::Image | Role::Progress) {
            return;
        }
        // A click on a label only leads to the field that it names.
        let is_label = node.role == BusRole::Label;
        let acts = acts && !is_label;
        let holds_field = is_label && self.holds(node, &|child| is_control(role(child)), 0);
        let own =
            if node.name.is_empty() { node.text.as_deref().unwrap_or_default() } else { &node.name };
        let said =
            if kind == Role::Image && own.is_empty() { name(self.tree, node) } else { clean(own) };
        let names_another = holds_field || self.labels.contains(&node.address);
        let tiny = bounds.width < TINY || bounds.height < TINY || said.trim_matches(BULLETS).is_empty();
        let tiny = tiny && !holds_field && !(kind == Role::Image && acts);
        if tiny {
            return;
        }
        let kind = if acts { Role::Clickable } else { kind };
        let before = self.drafts.len();
        self.push(node, kind, said, bounds, place);
        self.drafts.iter_mut().skip(before).for_each(|draft| draft.is_echo = names_another);
    }

    /// An entry that holds things of its own is taken apart, any other is one thing.
    fn entry(&mut self, node: &'a Node, kind: Role, bounds: ScreenRect, place: Place<'_>) {
        let before = self.drafts.len();
        self.children(node, place);
        let inside = self.drafts.get(before..).unwrap_or_default();
        let composed = inside.iter().any(|draft| draft.role.takes_clicks());
        // A branch of a tree holds its twigs: its own line is what is above them.
        let twig =
            inside.iter().filter(|draft| draft.role == Role::TreeItem).map(|draft| draft.bounds.y).min();
        let branch = twig.filter(|_| kind == Role::TreeItem).and_then(|y| {
            let height =
                u32::try_from(y.saturating_sub(bounds.y)).ok().filter(|height| *height >= TINY)?;
            Some(ScreenRect::new(bounds.x, bounds.y, bounds.width, height))
        });
        if composed && !acts(node) && branch.is_none() {
            return;
        }
        let bounds = branch.unwrap_or(bounds);
        let plain = inside.iter().filter(|draft| !draft.is_echo).map(|draft| draft.name.as_str());
        let plain = plain.collect::<Vec<_>>().join(" ");
        if !composed {
            self.drafts.truncate(before);
        }
        let text = node.text.as_deref().filter(|text| !text.is_empty()).unwrap_or(&plain);
        // The cells of a sheet are called by their place, and known by what stands in them.
        let parent = node.parent.as_ref().and_then(|at| self.tree.get(at));
        let of_sheet = parent.is_some_and(|table| table.is_vast);
        let is_full = of_sheet && node.text.is_some();
        let own = if node.name.is_empty() || is_full { clean(text) } else { clean(&node.name) };
        if own.is_empty() {
            return;
        }
        let item = kind == Role::ListItem;
        let kind = if item && self.in_listbox(node) {
            Role::Option
        } else if item && !acts(node) && !node.is(State::Selectable) {
            Role::Text
        } else {
            kind
        };
        self.push(node, kind, own, bounds, place);
        // An entry is a whole and no piece of a longer text.
        if let Some(draft) = self.drafts.last_mut() {
            draft.whole = None;
            draft.states.editable |= of_sheet && node.is(State::Editable);
            if is_full {
                let place = clean(&node.name);
                draft.description =
                    Some(place).filter(|place| !place.is_empty() && *place != draft.name);
            }
        }
    }

    /// Something without a role of its own that reacts to clicks, small enough to be one thing.
    fn is_clickable(&self, node: &Node, kind: Role, bounds: &ScreenRect) -> bool {
        kind == Role::Group
            && is_plain(node.role)
            && acts(node)
            && bounds.area() * MAX_SHARE < self.window.area()
            && !self.holds(node, &|node| is_control(role(node)) || acts(node), 0)
    }

    /// Whether something that shows below `node` is such.
    fn holds(&self, node: &Node, such: &dyn Fn(&Node) -> bool, depth: usize) -> bool {
        self.find(node, such, depth).is_some()
    }

    /// The first such thing.
    fn find(&self, node: &Node, such: &dyn Fn(&Node) -> bool, depth: usize) -> Option<&'a Node> {
        let mut children = self.tree.children(node).filter(|child| depth < INSIDE && child.shows());
        children.find_map(|child| {
            Some(child).filter(|child| such(child)).or_else(|| self.find(child, such, depth + 1))
        })
    }

    /// Where typing into a date begins: its parts are filled one after another.
    fn first_part(&self, node: &Node) -> Option<ScreenRect> {
        parts(self.tree, node).first().and_then(|part| part.bounds)
    }

    fn push(&mut self, node: &Node, kind: Role, name: String, bounds: ScreenRect, place: Place<'_>) {
        if bounds.is_empty() {
            return;
        }
        let (value, options) = value(self.tree, node, kind);
        let mut description = clean(&node.description);
        // What stands in an empty field, greyed, where it has another name.
        if description.is_empty() && kind == Role::Textbox && value.is_none() {
            description = node.hint.as_deref().map(clean).unwrap_or_default();
        }
        if is_number(kind, &description) {
            description.clear();
        }
        let looks = if name.is_empty() { calling(node) } else { None };
        let description = (!description.is_empty() && description != name).then_some(description);
        let action = node.action.as_deref().map(clean).filter(|action| !action.is_empty());
        let actions = action.into_iter().collect();
        let mut states = states(node, kind);
        let has_focus = |child: &Node| child.is(State::Focused);
        let cursor = kind.takes_text().then(|| self.find(node, &has_focus, 0)).flatten();
        states.focused |= cursor.is_some();
        let bare = place.within.filter(|within| *within != name);
        // Other pages are a way on.
        let within = bare.filter(|within| *within != BARS || kind != Role::Tab).map(str::to_owned);
        self.drafts.push(Draft {
            address: node.address.clone(),
            role: kind,
            name,
            value,
            description,
            looks,
            options,
            actions,
            states,
            bounds,
            within,
            region: place.region.cloned(),
            cursor: cursor.map(|part| part.address.clone()),
            whole: node.parent.clone(),
            is_echo: false,
        });
    }
}

/// Whether a click on it does something, as its program says.
pub(super) fn acts(node: &Node) -> bool {
    node.action.as_deref().is_some_and(|action| {
        matches!(
            action.to_lowercase().as_str(),
            "click" | "press" | "activate" | "jump" | "select" | "open" | "toggle"
        )
    })
}

/// What scrolls hides what is beyond its own edges.
pub(super) fn inner_clip(node: &Node, clip: ScreenRect) -> ScreenRect {
    let scrolls = matches!(
        node.role,
        BusRole::ScrollPane | BusRole::Viewport | BusRole::DocumentWeb | BusRole::ListBox
    );
    match node.bounds.filter(|bounds| scrolls && !bounds.is_empty()) {
        Some(bounds) => bounds.intersect(&clip).unwrap_or(clip),
        None => clip,
    }
}

/// A page, or the root of what a program draws without a toolkit: the bars beside it are many, and their
/// places often wrong.
const fn is_browser_part(role: BusRole) -> bool {
    matches!(role, BusRole::DocumentWeb | BusRole::RootPane)
}

const fn is_entry(kind: Role) -> bool {
    matches!(kind, Role::ListItem | Role::TreeItem | Role::Cell | Role::Header)
}

const fn is_plain(role: BusRole) -> bool {
    matches!(
        role,
        BusRole::Section
            | BusRole::Paragraph
            | BusRole::Panel
            | BusRole::Landmark
            | BusRole::Article
            | BusRole::Unknown
            | BusRole::Grouping
            | BusRole::Mark
    )
}

fn is_usable(node: &Node) -> bool {
    let kind = role(node);
    matches!(kind, Role::Button | Role::Checkbox | Role::Radio | Role::Dropdown) || kind.takes_text()
}
