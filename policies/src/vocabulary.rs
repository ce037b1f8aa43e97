//! The words that a rule may use: a Cedar action for each tool and for each effect, the kinds of
//! things that are acted on, and the schema made of them. The roles and the tools come from the types
//! that the desktop side uses, so a rule that names one that is not there does not load.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use cedar_policy::{EntityId, EntityTypeName, EntityUid, Schema};
use freehand_tools::action::ActionKind;
use freehand_tools::element::Role;
use freehand_tools::setting::Author;
use serde_json::Value;

use crate::preset::DisplayTrust;
use crate::risk::Risk;
use crate::tiers::Tier;

/// Each tool with the group of actions that it belongs to.
pub const TOOLS: [(&str, &str); 17] = [
    ("click", "input"),
    ("type_text", "input"),
    ("select_option", "input"),
    ("press_keys", "input"),
    ("scroll", "input"),
    ("drag", "input"),
    ("move", "input"),
    ("focus_window", "input"),
    ("open_app", "open"),
    ("open_url", "open"),
    ("read_clipboard", "clipboard"),
    ("write_clipboard", "clipboard"),
    ("wait", "look"),
    ("zoom", "look"),
    ("note", "look"),
    ("ask_user", "look"),
    ("finish", "look"),
];
/// The groups that a rule may name; all but the first are `change`.
pub const GROUPS: [&str; 5] = ["look", "input", "open", "clipboard", "risk"];
/// The group of all that changes something.
pub const CHANGE: &str = "change";

/// The tool that an action is done with, by what it does and not by what the call says.
pub const fn tool(kind: &ActionKind) -> &'static str {
    match kind {
        ActionKind::Click { .. } => "click",
        ActionKind::Move => "move",
        ActionKind::Drag { .. } => "drag",
        ActionKind::Scroll { .. } => "scroll",
        ActionKind::TypeText { .. } => "type_text",
        ActionKind::SelectOption { .. } => "select_option",
        ActionKind::PressKeys { .. } => "press_keys",
        ActionKind::Wait { .. } => "wait",
        ActionKind::Zoom { .. } => "zoom",
        ActionKind::OpenApp { .. } => "open_app",
        ActionKind::OpenUrl { .. } => "open_url",
        ActionKind::FocusWindow => "focus_window",
        ActionKind::ReadClipboard => "read_clipboard",
        ActionKind::WriteClipboard { .. } => "write_clipboard",
        ActionKind::Note { .. } => "note",
        ActionKind::AskUser { .. } => "ask_user",
        ActionKind::Finish { .. } => "finish",
    }
}

/// The principal's type.
pub const fn principal(author: Author) -> &'static str {
    match author {
        Author::Agent => "Agent",
        Author::Workflow => "Workflow",
        Author::Client => "Client",
        Author::Person => "Person",
    }
}

/// All Cedar actions that something is asked about, each with its groups.
pub fn actions() -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
    let risks = Risk::ALL.into_iter().map(|risk| (risk.word(), "risk"));
    TOOLS.into_iter().chain(risks).map(|(name, group)| {
        let groups = if group == "look" { vec![group] } else { vec![group, CHANGE] };
        (name, groups)
    })
}

/// The groups of one action.
pub fn groups(action: &str) -> Vec<&'static str> {
    actions().find(|(name, _)| *name == action).map(|(_, groups)| groups).unwrap_or_default()
}

/// The name of a Cedar entity; `None` for a type that is none of ours.
pub fn uid(kind: &str, id: &str) -> Option<EntityUid> {
    // Cedar's own reader of names takes longer than all rules together.
    static KINDS: LazyLock<BTreeMap<&'static str, EntityTypeName>> = LazyLock::new(|| {
        KIND_NAMES.iter().filter_map(|name| Some((*name, name.parse().ok()?))).collect()
    });
    Some(EntityUid::from_type_name_and_id(KINDS.get(kind)?.clone(), EntityId::new(id)))
}

const KIND_NAMES: [&str; 17] = [
    "Action",
    "Agent",
    "Workflow",
    "Client",
    "Person",
    "Application",
    "Window",
    "Element",
    "Url",
    "File",
    "Clipboard",
    "Shell",
    "Screen",
    "Tier",
    "Limit",
    "Role",
    "Display",
];

/// The word of a role, as a rule writes it.
pub fn role(role: Role) -> String {
    serde_json::to_value(role).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}

/// The words of all roles.
fn roles() -> Vec<String> {
    let schema = schemars::schema_for!(Role).to_value();
    let options = schema.get("oneOf").and_then(Value::as_array).into_iter().flatten();
    let words = options.filter_map(|option| option.get("const").and_then(Value::as_str));
    words.map(str::to_owned).collect()
}

/// The schema as Cedar reads it.
pub fn text() -> String {
    let list =
        |words: &[String]| words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
    let displays: Vec<String> = DisplayTrust::ALL.iter().map(|display| display.word().into()).collect();
    let tiers: Vec<String> = Tier::ALL.iter().map(|tier| tier.word().into()).collect();
    let mut text = format!(
        "{ENTITIES}\nentity Role enum [{}];\nentity Display enum [{}];\n\n// What the user trusts Freehand with, and what it may not go beyond. The tiers: {}.\n\
         entity Tier in [Tier];\nentity Limit in [Limit];\n\n",
        list(&roles()),
        list(&displays),
        tiers.join(", each in the one before it: "),
    );
    text.push_str(CONTEXT);
    let _ = writeln!(text, "\naction \"look\", \"{CHANGE}\";");
    for group in GROUPS.into_iter().filter(|group| *group != "look") {
        let _ = writeln!(text, "action \"{group}\" in [\"{CHANGE}\"];");
    }
    for (name, groups) in actions() {
        let group = groups.first().copied().unwrap_or_default();
        let _ = write!(text, "action \"{name}\" in [\"{group}\"] {APPLIES}");
    }
    text
}

/// The same, read. `Err` says what is wrong with it, which a test would have said before.
pub fn schema() -> Result<&'static Schema, String> {
    static SCHEMA: LazyLock<Result<Schema, String>> = LazyLock::new(|| {
        let read = Schema::from_cedarschema_str(&text());
        read.map(|(schema, _)| schema).map_err(|error| error.to_string())
    });
    SCHEMA.as_ref().map_err(Clone::clone)
}

const ENTITIES: &str = "\
// What a rule of Freehand may speak of. Made from the program; do not change it by hand.

// Who acts: a model, a script that a person wrote, another program by MCP, a person call by call.
entity Agent, Workflow, Client, Person;

// A program, by its window class or its command, in small letters.
entity Application in [Tier, Limit] = { name: String };
entity Window in [Application, Tier, Limit] = { title: String };
entity Element in [Window, Application, Tier, Limit] = { name: String, role: Role, within: String };
entity Url in [Window, Application, Tier, Limit] = { address: String, scheme: String, host: String };
entity File in [Window, Application, Tier, Limit] = { path: String, ending: String };
entity Clipboard;
// A command line, with what a shell would make of it.
entity Shell in [Window, Application, Tier, Limit] = {
  text: String,
  programs: Set<String>,
  // Whether all of it could be read; what could not may run anything.
  understood: Bool,
  // $(…), `…`, <(…): what runs depends on what another command prints.
  substitutes: Bool,
  // What comes from the network goes into a shell.
  runs_fetched: Bool,
  // It writes to a file: >, >>, tee.
  writes: Bool,
};
// The screen where no window is known, and what touches nothing.
entity Screen;
";

const CONTEXT: &str = "\
type Around = {
  display: Display,
  // The text that is typed, chosen or put on the clipboard; never a secret.
  text: String,
  // The keys that are pressed, as `freehand do` writes them.
  keys: String,
  // Whether the target is a field for a secret.
  secret: Bool,
  // Whether the target is known to be what it is, and not only a place on the screen.
  known: Bool,
};
";

const APPLIES: &str = "\
appliesTo {
  principal: [Agent, Workflow, Client, Person],
  resource: [Application, Window, Element, Url, File, Clipboard, Shell, Screen],
  context: Around,
};
";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use freehand_tools::toolbox::Toolbox;
    use proptest::prelude::*;

    use super::*;
    use crate::arbitrary::{action, display};
    use crate::request::Case;
    use crate::tiers::Tiers;

    #[test]
    fn the_tools_are_those_of_the_toolbox() {
        let toolbox = Toolbox::default();
        let theirs: BTreeSet<&str> = toolbox.specs().map(|spec| spec.name).collect();
        let ours: BTreeSet<&str> = TOOLS.into_iter().map(|(name, _)| name).collect();
        assert_eq!(ours, theirs);
        assert!(TOOLS.iter().all(|(_, group)| GROUPS.contains(group)));
    }

    #[test]
    fn every_role_has_a_word() {
        let roles = roles();
        assert!(roles.len() > 20 && roles.contains(&role(Role::MenuItem)), "{roles:?}");
    }

    #[test]
    fn the_schema_can_be_read() {
        assert!(schema().is_ok(), "{:?}\n{}", schema().err(), text());
    }

    proptest! {
        #[test]
        fn every_action_fits_the_schema(action in action(), display in display()) {
            let case = Case::fitting(&action, display, &Tiers::default(), schema().unwrap());
            prop_assert!(case.is_ok(), "{:?}", case.err());
            prop_assert!(!case.unwrap().questions().is_empty());
        }
    }
}
