//! What an action would bring about that cannot be taken back, found from the action as it would really
//! happen: the element's role and name, the words of its dialog, the keys, the address, the file and
//! the command. It is found, not believed: a name that says nothing makes nothing safe, and a name
//! that says too much only asks once more.

use freehand_tools::action::{Action, ActionKind, EffectClass};
use freehand_tools::element::Role;
use serde::{Deserialize, Serialize};

use crate::place;
use crate::shell::{self, Command};

mod cells;
mod keys;
mod names;
mod stakes;

use names::Kinds;
pub(crate) use stakes::stakes;

/// One kind of effect that a rule may speak of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Input to a place that nothing is known about.
    Blind,
    /// Something is sent or posted.
    Send,
    /// Money is spent.
    Pay,
    /// Something is deleted or written over.
    Delete,
    /// Rights or protection change.
    #[serde(rename = "change_rights")]
    Rights,
    /// Software is installed.
    Install,
    /// A command is run.
    #[serde(rename = "run_command")]
    Run,
    /// Somebody is logged in.
    LogIn,
    /// A file leaves the machine.
    Upload,
    /// Work that is not saved is lost.
    Discard,
    /// Terms are accepted.
    #[serde(rename = "accept_terms")]
    Accept,
    /// A file is opened.
    #[serde(rename = "open_file")]
    File,
    /// An address is opened.
    #[serde(rename = "open_address")]
    Address,
}

impl Risk {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Blind,
        Self::Send,
        Self::Pay,
        Self::Delete,
        Self::Rights,
        Self::Install,
        Self::Run,
        Self::LogIn,
        Self::Upload,
        Self::Discard,
        Self::Accept,
        Self::File,
        Self::Address,
    ];

    /// The name of the Cedar action.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Blind => "blind",
            Self::Send => "send",
            Self::Pay => "pay",
            Self::Delete => "delete",
            Self::Rights => "change_rights",
            Self::Install => "install",
            Self::Run => "run_command",
            Self::LogIn => "log_in",
            Self::Upload => "upload",
            Self::Discard => "discard",
            Self::Accept => "accept_terms",
            Self::File => "open_file",
            Self::Address => "open_address",
        }
    }

    /// What it does, for a person.
    pub const fn phrase(self) -> &'static str {
        match self {
            Self::Blind => "click or type where nothing is known about what is there",
            Self::Send => "send or post something",
            Self::Pay => "spend money",
            Self::Delete => "delete something or write over it",
            Self::Rights => "change rights or protection",
            Self::Install => "install software",
            Self::Run => "run a command",
            Self::LogIn => "log in or give away a password",
            Self::Upload => "send a file away",
            Self::Discard => "close something, and what is not saved in it is lost",
            Self::Accept => "accept terms",
            Self::File => "open a file",
            Self::Address => "open an address",
        }
    }
}

/// One effect that was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// Which.
    pub risk: Risk,
    /// What shows it, for a person: words of the screen stand in backticks.
    pub why: String,
}

/// All that was found of one action.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// Its effects.
    pub effects: Vec<Found>,
    /// What was not understood.
    pub unclear: Vec<String>,
    /// The command that it would run.
    pub command: Option<Command>,
    /// The address that it would open.
    pub address: Option<String>,
    /// The file that it would open.
    pub file: Option<String>,
}

impl Findings {
    /// Looks at an action. Pure, and total.
    pub fn of(action: &Action) -> Self {
        let mut found = Self::default();
        if action.effects == EffectClass::Nothing {
            return found;
        }
        if action.effects == EffectClass::BlindInput {
            found.add(Risk::Blind, "no program says what is there");
            found.unclear.push("what lies under that point".into());
        }
        match &action.kind {
            ActionKind::Click { .. } => found.pressed(action),
            ActionKind::TypeText { text, submit, clear } => {
                found.typed(action, text, *submit, *clear);
            }
            ActionKind::PressKeys { keys, .. } => found.keys(action, keys),
            ActionKind::OpenApp { command } => found.started(command),
            ActionKind::OpenUrl { url } => found.opened(url),
            ActionKind::Drag { .. } => {
                let trash = action.target.destination.as_ref().filter(|end| {
                    names::kinds(&end.name).has(Risk::Delete) || place::mentions(&end.name, "trash")
                });
                if let Some(end) = trash {
                    found.add(Risk::Delete, format!("it is dropped on `{}`", end.name));
                }
            }
            ActionKind::Move
            | ActionKind::Scroll { .. }
            | ActionKind::SelectOption { .. }
            | ActionKind::Wait { .. }
            | ActionKind::Zoom { .. }
            | ActionKind::FocusWindow
            | ActionKind::ReadClipboard
            | ActionKind::WriteClipboard { .. }
            | ActionKind::Note { .. }
            | ActionKind::AskUser { .. }
            | ActionKind::Finish { .. } => {}
        }
        found.in_cells(action);
        found.in_macros(action);
        found.entered(action);
        found.effects.sort();
        found.effects.dedup_by_key(|effect| effect.risk);
        found
    }

    fn add(&mut self, risk: Risk, why: impl Into<String>) {
        self.effects.push(Found { risk, why: why.into() });
    }

    /// A press on the element that an action lands on, by the pointer or by a key.
    fn pressed(&mut self, action: &Action) {
        let Some(element) = &action.target.element else { return };
        if !says_what_it_does(element.role) {
            return;
        }
        if let Some(address) = &action.setting.leads_to {
            self.opened(address);
            self.add(Risk::Address, format!("the link leads to `{address}`"));
        }
        let kinds = names::kinds(&element.name);
        for risk in &kinds.risks {
            self.add(*risk, format!("it is called `{}`", element.name));
        }
        if kinds.assents {
            self.assented(action);
        } else if element.name.trim().is_empty()
            && matches!(element.role, Role::Button | Role::Clickable)
        {
            self.unclear.push(format!("the {} has no name", element.role.word()));
        }
        self.chosen_file(action, &kinds);
        // A page tells nobody what a button of it does.
        let is_silent = self.effects.is_empty() && element.role == Role::Button;
        if is_silent && place::in_browser(&action.target) {
            self.unclear.push("what the page does then; it may send or post something".into());
        }
    }

    /// A yes to whatever the dialog asks.
    fn assented(&mut self, action: &Action) {
        let title = action.target.window.as_ref().map(|window| &window.title);
        for text in action.setting.words.iter().chain(title) {
            let Kinds { risks, told, .. } = names::kinds(text);
            for risk in risks.union(&told) {
                self.add(*risk, format!("the dialog says `{text}`"));
            }
        }
    }

    /// The button of a browser's dialog for files sends one away.
    fn chosen_file(&mut self, action: &Action, kinds: &Kinds) {
        let title = action.target.window.as_ref().map(|window| window.title.to_lowercase());
        let asks = title.is_some_and(|title| {
            ["file upload", "open file", "open files", "datei hochladen", "datei öffnen"]
                .iter()
                .any(|known| title.contains(known))
        });
        let opens = action.target.element.as_ref().is_some_and(|element| {
            element.role == Role::Button && (kinds.assents || place::mentions(&element.name, "open"))
        });
        if asks && opens && place::in_browser(&action.target) {
            self.add(Risk::Upload, "the dialog chooses a file for a page");
        }
    }

    fn typed(&mut self, action: &Action, text: &str, submit: bool, clear: bool) {
        if action.is_protected() {
            self.add(Risk::LogIn, "a secret is typed");
        }
        let enters = submit || text.contains(['\n', '\r']);
        if place::is_address_bar(&action.target) && enters {
            self.typed_address(action, text, clear);
        }
        if enters {
            self.written(action);
        }
    }

    /// Return in the field for the address, in which the start may have been typed before.
    pub(super) fn typed_address(&mut self, action: &Action, text: &str, clear: bool) {
        let entered = action.setting.entered.as_ref();
        let whole = entered.filter(|_| !clear).map_or(text, |entered| entered.text.as_str()).trim();
        self.opened(whole);
        self.add(Risk::Address, "it is typed into the field for the address");
        if whole != text.trim() {
            self.unclear.push(format!("whether all of `{whole}` stands there, or only the end of it"));
        }
    }

    /// Return in a field in which somebody is written to.
    fn written(&mut self, action: &Action) {
        let Some(element) = &action.target.element else { return };
        if element.role == Role::Textbox && names::kinds(&element.name).addresses {
            self.add(Risk::Send, format!("Return sends what stands in `{}`", element.name));
        }
    }

    /// An address that would be opened.
    fn opened(&mut self, address: &str) {
        let scheme = place::scheme(address);
        match scheme.as_str() {
            // What was typed into that window before may stand in front of it.
            _ if ["javascript", "data", "vbscript"].iter().any(|program| scheme.ends_with(program)) => {
                self.add(Risk::Run, format!("an address that begins with `{scheme}:` is a program"));
                self.command = Some(shell::read("", true));
                self.unclear.push("what the program in the address does".into());
            }
            "file" => self.file(address.trim_start_matches("file://")),
            _ => {}
        }
        self.address = Some(address.to_owned());
    }

    /// A program that would be started without a shell.
    fn started(&mut self, line: &str) {
        let words = shlex::split(line).unwrap_or_default();
        let command = shell::started(&words);
        let file = words.iter().skip(1).find(|word| !word.starts_with('-') && word.contains(['/', '.']));
        if let Some(address) = words.iter().skip(1).find(|word| word.contains("://")) {
            self.opened(address);
            self.add(Risk::Address, "the program is given an address");
        } else if let Some(file) = file {
            self.file(file);
        }
        self.command_risks(&command);
        // A program that starts no other is what `open_app` is for.
        if command.programs.len() > 1 || !command.is_understood() || command.runs_code() {
            self.run(command);
        }
    }

    fn file(&mut self, path: &str) {
        let ending = ending(path);
        self.add(Risk::File, format!("`{path}` is opened"));
        if [
            "deb",
            "rpm",
            "flatpak",
            "flatpakref",
            "snap",
            "appimage",
            "apk",
            "msi",
            "pkg",
            "dmg",
            "xpi",
            "crx",
        ]
        .contains(&ending.as_str())
        {
            self.add(Risk::Install, format!("`{path}` is a package"));
        }
        if ["sh", "bash", "run", "desktop", "exe", "bat", "cmd", "ps1", "jar", "bin", "py", "pl"]
            .contains(&ending.as_str())
        {
            self.add(Risk::Run, format!("`{path}` is a program"));
        }
        self.file = Some(path.to_owned());
    }

    /// The lines that go to a shell or start a program.
    fn entered(&mut self, action: &Action) {
        if !place::runs_what_is_typed(&action.target) {
            return;
        }
        if let Some(entered) = &action.setting.entered {
            let command = shell::read(&entered.text, entered.unsure);
            if command.programs.is_empty() && command.is_understood() {
                return;
            }
            self.command_risks(&command);
            self.run(command);
        }
    }

    fn command_risks(&mut self, command: &Command) {
        for (risk, program) in &command.risks {
            self.add(*risk, format!("`{program}` is run"));
        }
        if command.runs_fetched {
            self.add(Risk::Install, "what comes from the network is run");
        }
    }

    fn run(&mut self, command: Command) {
        self.unclear.extend(command.unclear.iter().map(|why| format!("the command: {why}")));
        self.add(Risk::Run, format!("`{}` is run", command.text));
        self.command = Some(command);
    }
}

/// The ending of a file's name, in small letters.
pub fn ending(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.rsplit_once('.').map(|(_, ending)| ending.to_lowercase()).unwrap_or_default()
}

/// Whether the name of such an element says what a press on it does. A field's name says what it holds.
const fn says_what_it_does(role: Role) -> bool {
    !matches!(
        role,
        Role::Textbox
            | Role::Password
            | Role::Moment
            | Role::Spinner
            | Role::Slider
            | Role::Dropdown
            | Role::Tab
            | Role::Scrollbar
            | Role::Document
            | Role::Frame
            | Role::Header
            | Role::Progress
            | Role::Table
            | Role::List
    )
}

#[cfg(test)]
mod tests;
