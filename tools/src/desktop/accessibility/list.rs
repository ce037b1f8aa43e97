//! From a tree to the list: which objects stand in it, under which name, with which text. Pure, so
//! that it can be tested on recorded trees.

use ::atspi::Role as BusRole;

use super::node::{Address, Node, Tree};
use super::roles::{is_control, role, states};
use crate::element::{Role, States};
use crate::geometry::ScreenRect;

/// An element that has no number yet.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Draft {
    pub(super) address: Address,
    pub(super) role: Role,
    pub(super) name: String,
    pub(super) value: Option<String>,
    pub(super) description: Option<String>,
    pub(super) options: Vec<String>,
    pub(super) states: States,
    pub(super) bounds: ScreenRect,
    pub(super) within: Option<String>,
    /// What it stands in, for joining the pieces of one text.
    pub(super) parent: Option<Address>,
}

/// Longest name in characters.
const MAX_NAME: usize = 200;
/// Options of one dropdown.
const MAX_OPTIONS: usize = 50;
/// The part of its window that something may fill and still count as one thing to click.
const MAX_SHARE: u64 = 3;

/// A text from a program in one line, without control characters and bidirectional overrides.
pub(super) fn clean(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffc}' | '\u{feff}')
    };
    let plain: String =
        text.chars().take(MAX_NAME * 4).map(|c| if hidden(c) { ' ' } else { c }).collect();
    let folded = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut short: String = folded.chars().take(MAX_NAME).collect();
    if short.len() < folded.len() {
        short.push('…');
    }
    short
}

/// Makes the list of one program.
pub(super) struct Lister<'a> {
    tree: &'a Tree,
    window: ScreenRect,
    screen: ScreenRect,
    drafts: Vec<Draft>,
    labels: Vec<Address>,
    left: usize,
}

impl<'a> Lister<'a> {
    /// The elements of `tree` that show inside `window`, in the order of the tree.
    pub(super) fn list(
        tree: &'a Tree,
        roots: &[&'a Node],
        window: ScreenRect,
        screen: ScreenRect,
    ) -> Vec<Draft> {
        let labels = tree
            .showing()
            .iter()
            .filter_map(|at| tree.get(at))
            .filter_map(|node| node.labelled_by.clone())
            .collect();
        let mut lister =
            Self { tree, window, screen, drafts: Vec::new(), labels, left: super::MAX_NODES };
        for root in roots {
            lister.visit(root, window, None, 0);
        }
        lister.drafts
    }

    fn visit(&mut self, node: &'a Node, clip: ScreenRect, within: Option<&str>, depth: usize) {
        // An open menu reaches beyond the window that it belongs to.
        let clip = if node.role == BusRole::Menu { self.screen } else { clip };
        if depth > super::MAX_DEPTH || self.left == 0 {
            return;
        }
        self.left -= 1;
        if node.role != BusRole::Application && !node.shows() {
            return;
        }
        // Some pages call a whole section a tab; what can be used in it is what counts.
        let kind = match role(node) {
            Role::Tab if self.holds_field(node, 0) => Role::Group,
            kind => kind,
        };
        let seen = node.bounds.and_then(|bounds| bounds.intersect(&clip));
        let seen = if node.role == BusRole::DateEditor { self.first_part(node).or(seen) } else { seen };
        if is_control(kind) {
            if let Some(bounds) = seen {
                self.control(node, kind, bounds, within);
            }
            match kind {
                Role::Tab => self.page(node, clip, within, depth),
                // An open list of options.
                Role::Dropdown => {
                    for child in self.tree.children(node).collect::<Vec<_>>() {
                        self.visit(child, self.screen, within, depth + 1);
                    }
                }
                _ => {}
            }
            return;
        }
        match kind {
            Role::Text | Role::Heading | Role::Image | Role::Progress => {
                if let Some(bounds) = seen {
                    self.readable(node, kind, bounds, within);
                }
                if node.role == BusRole::Static {
                    return;
                }
            }
            // The title of a menu is pressed to open it; what it holds shows in a window of its own.
            Role::Menu if self.acts(node) && !node.name.is_empty() => {
                if let Some(bounds) = seen {
                    self.push(node, Role::MenuItem, clean(&node.name), bounds, within);
                }
            }
            Role::ListItem | Role::TreeItem | Role::Cell | Role::Header => {
                if let Some(bounds) = seen {
                    self.entry(node, kind, bounds, clip, within, depth);
                }
                return;
            }
            _ => {
                if let Some(bounds) = seen.filter(|bounds| self.is_clickable(node, bounds)) {
                    let name = self.name(node);
                    self.push(node, Role::Clickable, name, bounds, within);
                    return;
                }
            }
        }
        let inner = self.inner_clip(node, clip);
        let name = clean(&node.name);
        let group = matches!(
            node.role,
            BusRole::Dialog
                | BusRole::Grouping
                | BusRole::Panel
                | BusRole::ToolBar
                | BusRole::Form
                | BusRole::Landmark
                | BusRole::Section
                | BusRole::PageTabList
        );
        let within = if group && !name.is_empty() { Some(name.as_str()) } else { within };
        let within = if node.role == BusRole::ToolBar { Some("toolbar") } else { within };
        for child in self.tree.children(node).collect::<Vec<_>>() {
            self.visit(child, inner, within, depth + 1);
        }
    }

    /// Some programs hang the page below its tab: what stands outside the tab is the page.
    fn page(&mut self, node: &'a Node, clip: ScreenRect, within: Option<&str>, depth: usize) {
        let tab = node.bounds.filter(|bounds| !bounds.is_empty());
        for child in self.tree.children(node).collect::<Vec<_>>() {
            let inside = tab.zip(child.bounds).is_some_and(|(tab, child)| tab.contains(child.center()));
            if !inside {
                self.visit(child, clip, within, depth + 1);
            }
        }
    }

    /// What scrolls hides what is beyond its own edges.
    fn inner_clip(&self, node: &Node, clip: ScreenRect) -> ScreenRect {
        let scrolls = matches!(
            node.role,
            BusRole::ScrollPane
                | BusRole::Viewport
                | BusRole::DocumentWeb
                | BusRole::ListBox
                | BusRole::List
        );
        match node.bounds.filter(|bounds| scrolls && !bounds.is_empty()) {
            Some(bounds) => bounds.intersect(&clip).unwrap_or(clip),
            None => clip,
        }
    }

    fn control(&mut self, node: &'a Node, kind: Role, bounds: ScreenRect, within: Option<&str>) {
        let kind = if kind == Role::MenuItem && self.in_listbox(node) { Role::Option } else { kind };
        let name = self.name(node);
        self.push(node, kind, name, bounds, within);
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

    fn readable(&mut self, node: &'a Node, kind: Role, bounds: ScreenRect, within: Option<&str>) {
        let name = clean(if node.name.is_empty() {
            node.text.as_deref().unwrap_or_default()
        } else {
            &node.name
        });
        let names_another = self.labels.contains(&node.address);
        let tiny = bounds.width < 3 || bounds.height < 3;
        if names_another || tiny || (name.is_empty() && (kind != Role::Image || !self.acts(node))) {
            return;
        }
        let kind = if self.acts(node) { Role::Clickable } else { kind };
        self.push(node, kind, name, bounds, within);
    }

    /// An entry that holds things of its own is taken apart, any other is one thing.
    fn entry(
        &mut self,
        node: &'a Node,
        kind: Role,
        bounds: ScreenRect,
        clip: ScreenRect,
        within: Option<&str>,
        depth: usize,
    ) {
        let before = self.drafts.len();
        for child in self.tree.children(node).collect::<Vec<_>>() {
            self.visit(child, clip, within, depth + 1);
        }
        let inside = self.drafts.get(before..).unwrap_or_default();
        let composed = inside.iter().any(|draft| draft.role.takes_clicks());
        if composed && !self.acts(node) {
            return;
        }
        let plain = inside.iter().map(|draft| draft.name.as_str()).collect::<Vec<_>>().join(" ");
        if !composed {
            self.drafts.truncate(before);
        }
        let name = if node.name.is_empty() { clean(&plain) } else { clean(&node.name) };
        if !name.is_empty() {
            let kind = match kind {
                Role::ListItem if self.in_listbox(node) => Role::Option,
                Role::ListItem if !self.acts(node) && !node.is(atspi::State::Selectable) => Role::Text,
                kind => kind,
            };
            self.push(node, kind, name, bounds, within);
        }
    }

    fn acts(&self, node: &Node) -> bool {
        node.action.as_deref().is_some_and(|action| {
            matches!(
                action.to_lowercase().as_str(),
                "click" | "press" | "activate" | "jump" | "select" | "open" | "toggle"
            )
        })
    }

    /// Something without a role of its own that reacts to clicks, small enough to be one thing.
    fn is_clickable(&self, node: &Node, bounds: &ScreenRect) -> bool {
        let plain = matches!(
            node.role,
            BusRole::Section
                | BusRole::Paragraph
                | BusRole::Panel
                | BusRole::Landmark
                | BusRole::Article
                | BusRole::Unknown
                | BusRole::Grouping
                | BusRole::Mark
        );
        plain
            && self.acts(node)
            && bounds.area() * MAX_SHARE < self.window.area()
            && !self.tree.children(node).any(|child| self.holds_control(child, 0))
    }

    fn holds_control(&self, node: &Node, depth: usize) -> bool {
        if depth > 6 || !node.shows() {
            return false;
        }
        let own = is_control(role(node)) || self.acts(node);
        own || self.tree.children(node).any(|child| self.holds_control(child, depth + 1))
    }

    fn holds_field(&self, node: &Node, depth: usize) -> bool {
        let inside = |child: &Node| {
            matches!(role(child), Role::Button | Role::Checkbox | Role::Radio | Role::Dropdown)
                || role(child).takes_text()
                || self.holds_field(child, depth + 1)
        };
        depth < 6 && self.tree.children(node).any(|child| child.shows() && inside(child))
    }

    /// Where typing into a date begins: its parts are filled one after another.
    fn first_part(&self, node: &Node) -> Option<ScreenRect> {
        self.parts(node, 0).first().and_then(|part| part.bounds)
    }

    /// The parts of a date or a time.
    fn parts(&self, node: &Node, depth: usize) -> Vec<&'a Node> {
        let mut parts = Vec::new();
        for child in self.tree.children(node).filter(|_| depth < 6) {
            if child.role == BusRole::SpinButton {
                parts.push(child);
            } else {
                parts.extend(self.parts(child, depth + 1));
            }
        }
        parts
    }

    /// What it is called: by its program, by its label, by what stands in it, by its hint.
    fn name(&self, node: &Node) -> String {
        let own = clean(&node.name);
        // Some dropdowns are called by what is chosen in them, which is their value.
        let is_value =
            role(node) == Role::Dropdown && self.value(node, Role::Dropdown).0.as_ref() == Some(&own);
        if !own.is_empty() && !is_value {
            return own;
        }
        if let Some(label) = node.labelled_by.as_ref().and_then(|at| self.tree.get(at)) {
            let named = clean(&label.name);
            let named = if named.is_empty() { self.words(label, 0) } else { named };
            if !named.is_empty() {
                return named;
            }
        }
        let kind = role(node);
        if node.role == BusRole::DateEditor {
            let parts: Vec<String> = self.parts(node, 0).iter().map(|part| clean(&part.name)).collect();
            return parts.join("/");
        }
        let inside = if kind.takes_text() || kind == Role::Dropdown {
            String::new()
        } else {
            self.words(node, 0)
        };
        if !inside.is_empty() {
            return inside;
        }
        clean(node.hint.as_deref().filter(|hint| !hint.is_empty()).unwrap_or(&node.description))
    }

    /// The words in it, in order.
    fn words(&self, node: &Node, depth: usize) -> String {
        let mut words = Vec::new();
        for child in self.tree.children(node).filter(|_| depth < 8) {
            let said = clean(&child.name);
            words.push(if said.is_empty() { self.words(child, depth + 1) } else { said });
        }
        words.retain(|word| !word.is_empty());
        clean(&words.join(" "))
    }

    fn push(&mut self, node: &Node, kind: Role, name: String, bounds: ScreenRect, within: Option<&str>) {
        if bounds.is_empty() {
            return;
        }
        let (value, options) = self.value(node, kind);
        let description = clean(&node.description);
        let description = (!description.is_empty() && description != name).then_some(description);
        let mut states = states(node, kind);
        states.focused |=
            kind.takes_text() && self.tree.children(node).any(|c| c.is(atspi::State::Focused));
        let within = within.map(str::to_owned).filter(|within| *within != name);
        let address = node.address.clone();
        self.drafts.push(Draft {
            address,
            role: kind,
            name,
            value,
            description,
            options,
            states,
            bounds,
            within,
            parent: node.parent.clone(),
        });
    }

    fn value(&self, node: &Node, kind: Role) -> (Option<String>, Vec<String>) {
        let text = node.text.as_deref().map(clean).filter(|text| !text.is_empty());
        match kind {
            Role::Password => (None, Vec::new()),
            Role::Textbox => (text, Vec::new()),
            Role::Spinner | Role::Slider | Role::Progress => (
                text.filter(|_| kind == Role::Spinner).or_else(|| node.value.map(|v| v.to_string())),
                Vec::new(),
            ),
            Role::Dropdown => {
                let mut options = Vec::new();
                let mut chosen =
                    node.chosen.as_ref().and_then(|at| self.tree.get(at)).map(|node| clean(&node.name));
                self.options(node, &mut options, &mut chosen, 0);
                let shown = clean(&node.name);
                // Once opened, some dropdowns keep their options in a window of their own.
                let own = options.contains(&shown) || (options.is_empty() && node.labelled_by.is_some());
                let chosen = chosen.or_else(|| own.then_some(shown));
                (chosen, options)
            }
            _ => (None, Vec::new()),
        }
    }

    fn options(
        &self,
        node: &Node,
        options: &mut Vec<String>,
        chosen: &mut Option<String>,
        depth: usize,
    ) {
        for child in self.tree.children(node) {
            let entry = matches!(
                child.role,
                BusRole::MenuItem | BusRole::ListItem | BusRole::RadioMenuItem | BusRole::TableCell
            );
            if entry && options.len() < MAX_OPTIONS {
                let name = clean(&child.name);
                if child.is(atspi::State::Selected) || child.is(atspi::State::Checked) {
                    *chosen = Some(name.clone());
                }
                if !name.is_empty() {
                    options.push(name);
                }
            } else if depth < 4 {
                self.options(child, options, chosen, depth + 1);
            }
        }
    }
}
