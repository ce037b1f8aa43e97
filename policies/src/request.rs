//! The questions to Cedar that one action makes: one for its tool, and one for each effect that was
//! found. All of them have to be answered with yes, so a rule that forbids an effect needs to know
//! nothing of the ways to it.

use std::collections::{HashMap, HashSet};

use cedar_policy::{
    Context, Entities, Entity, EntityUid, Request, RestrictedExpression as Value, Schema,
};
use freehand_tools::action::{Action, ActionKind, Target};

use crate::place;
use crate::preset::DisplayTrust;
use crate::risk::{Findings, Risk, ending};
use crate::shell::{Command, program_name};
use crate::tiers::{Reach, Tier, Tiers};
use crate::vocabulary::{groups, principal, role, tool, uid};

/// Characters of a text from the screen or from a call that a rule sees.
const TEXT: usize = 8_192;

/// Why no question can be made of an action, which then is denied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecidable(pub String);

impl<E: std::error::Error> From<E> for Undecidable {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// One question.
#[derive(Debug, Clone)]
pub struct Question {
    /// The Cedar action.
    pub action: &'static str,
    /// Who wants to do what to what.
    pub request: Request,
    /// The things in it, with what they stand in.
    pub things: Entities,
}

/// All questions of one action.
#[derive(Debug, Clone)]
pub struct Case {
    questions: Vec<Question>,
}

impl Case {
    /// The questions of `action` on such a display.
    pub fn of(action: &Action, display: DisplayTrust, tiers: &Tiers) -> Result<Self, Undecidable> {
        Self::build(action, display, tiers, None)
    }

    /// The same, checked against the schema.
    #[cfg(test)]
    pub(crate) fn fitting(
        action: &Action,
        display: DisplayTrust,
        tiers: &Tiers,
        schema: &Schema,
    ) -> Result<Self, Undecidable> {
        Self::build(action, display, tiers, Some(schema))
    }

    /// The questions.
    pub fn questions(&self) -> &[Question] {
        &self.questions
    }

    fn build(
        action: &Action,
        display: DisplayTrust,
        tiers: &Tiers,
        schema: Option<&Schema>,
    ) -> Result<Self, Undecidable> {
        let findings = Findings::of(action);
        let reach = tiers.of(action);
        let asked = std::iter::once((tool(&action.kind), Thing::of_tool(action))).chain(
            findings
                .effects
                .iter()
                .map(|found| (found.risk.word(), Thing::of_effect(found.risk, action, &findings))),
        );
        let around = Around::of(action, display)?;
        let mut questions = Vec::with_capacity(findings.effects.len() + 1);
        for (name, thing) in asked {
            questions.push(around.question(name, &thing, reach, schema)?);
        }
        Ok(Self { questions })
    }
}

/// What is acted on.
enum Thing<'a> {
    Application(String),
    Place(&'a Target),
    Url(&'a str, Home<'a>),
    File(&'a str, Home<'a>),
    Clipboard,
    Shell(&'a Command, Home<'a>),
}

/// The program with which something is opened, or in whose window it is typed.
#[derive(Clone)]
enum Home<'a> {
    Started(String),
    Window(&'a Target),
}

impl<'a> Home<'a> {
    fn of(action: &'a Action) -> Self {
        if let ActionKind::OpenApp { command } = &action.kind {
            let first = shlex::split(command).and_then(|words| words.into_iter().next());
            return Self::Started(program_name(&first.unwrap_or_default()));
        }
        Self::Window(&action.target)
    }
}

impl<'a> Thing<'a> {
    fn of_tool(action: &'a Action) -> Self {
        if let ActionKind::OpenUrl { url } = &action.kind {
            return Self::Url(url, Home::of(action));
        }
        if matches!(action.kind, ActionKind::ReadClipboard | ActionKind::WriteClipboard { .. }) {
            return Self::Clipboard;
        }
        match Home::of(action) {
            Home::Started(program) => Self::Application(program),
            Home::Window(target) => Self::Place(target),
        }
    }

    fn of_effect(risk: Risk, action: &'a Action, findings: &'a Findings) -> Self {
        match (risk, &findings.command, &findings.address, &findings.file) {
            (Risk::Run, Some(command), _, _) => Self::Shell(command, Home::of(action)),
            (Risk::File | Risk::Run | Risk::Install, _, _, Some(file)) => {
                Self::File(file, Home::of(action))
            }
            (Risk::Address, _, Some(address), _) => Self::Url(address, Home::of(action)),
            _ => Self::of_tool(action),
        }
    }
}

/// What is the same in all questions of an action.
struct Around {
    principal: EntityUid,
    context: Context,
}

impl Around {
    fn of(action: &Action, display: DisplayTrust) -> Result<Self, Undecidable> {
        let (mut text, mut keys) = ("", String::new());
        if let ActionKind::TypeText { text: given, .. }
        | ActionKind::SelectOption { option: given }
        | ActionKind::WriteClipboard { text: given } = &action.kind
        {
            text = if action.is_protected() { "" } else { given };
        }
        if let ActionKind::PressKeys { keys: pressed, .. } = &action.kind {
            keys = pressed.to_string();
        }
        let target = &action.target;
        let display = entity("Display", display.word())?;
        let context = Context::from_pairs([
            ("display".into(), Value::new_entity_uid(display)),
            ("text".into(), string(text)),
            ("keys".into(), string(&keys)),
            ("secret".into(), Value::new_bool(target.is_protected())),
            ("known".into(), Value::new_bool(target.is_known())),
        ])?;
        Ok(Self { principal: entity(principal(action.setting.author), "")?, context })
    }

    fn question(
        &self,
        name: &'static str,
        thing: &Thing<'_>,
        reach: Reach,
        schema: Option<&Schema>,
    ) -> Result<Question, Undecidable> {
        let mut things = Things::default();
        let resource = things.add(thing, reach)?;
        let action = entity("Action", name)?;
        if schema.is_none() {
            // All groups, also those of groups: the engine looks no further.
            let groups = groups(name).into_iter().map(|group| entity("Action", group));
            let groups = groups.collect::<Result<HashSet<_>, _>>()?;
            things.list.push(Entity::new_no_attrs(action.clone(), groups));
        }
        let request =
            Request::new(self.principal.clone(), action, resource, self.context.clone(), schema)?;
        let things = Entities::from_entities(things.list, schema)?;
        Ok(Question { action: name, request, things })
    }
}

fn entity(kind: &str, id: &str) -> Result<EntityUid, Undecidable> {
    uid(kind, id).ok_or_else(|| Undecidable(format!("nothing is of the kind `{kind}`")))
}

/// The tiers that something stands in, each with all that it holds.
fn tiers(reach: Reach) -> Result<HashSet<EntityUid>, Undecidable> {
    let trust = reach.trust.into_iter().flat_map(Tier::holds).map(|tier| ("Tier", tier));
    let limit = reach.limit.into_iter().flat_map(Tier::holds).map(|tier| ("Limit", tier));
    trust.chain(limit).map(|(kind, tier)| entity(kind, tier.word())).collect()
}

fn string(text: &str) -> Value {
    Value::new_string(text.chars().take(TEXT).collect())
}

fn strings<'a>(texts: impl IntoIterator<Item = &'a String>) -> Value {
    Value::new_set(texts.into_iter().map(|text| string(text)))
}

/// The things of one question.
#[derive(Default)]
struct Things {
    list: Vec<Entity>,
}

impl Things {
    fn add(&mut self, thing: &Thing<'_>, reach: Reach) -> Result<EntityUid, Undecidable> {
        let mut parents = tiers(reach)?;
        match thing {
            Thing::Application(name) => self.application(name, parents),
            Thing::Place(target) => self.place(target, parents),
            Thing::Url(address, home) => {
                parents.extend(self.home(home, &parents)?);
                let attributes = [
                    ("address", string(address)),
                    ("scheme", string(&place::scheme(address))),
                    ("host", string(&place::host(address))),
                ];
                self.thing("Url", "", attributes, parents)
            }
            Thing::File(path, home) => {
                parents.extend(self.home(home, &parents)?);
                let attributes = [("path", string(path)), ("ending", string(&ending(path)))];
                self.thing("File", "", attributes, parents)
            }
            Thing::Clipboard => self.thing("Clipboard", "", [], HashSet::new()),
            Thing::Shell(command, home) => {
                parents.extend(self.home(home, &parents)?);
                let attributes = [
                    ("text", string(&command.text)),
                    ("programs", strings(&command.programs)),
                    ("understood", Value::new_bool(command.is_understood())),
                    ("substitutes", Value::new_bool(command.substitutes)),
                    ("runs_fetched", Value::new_bool(command.runs_fetched)),
                    ("writes", Value::new_bool(command.writes)),
                ];
                self.thing("Shell", "", attributes, parents)
            }
        }
    }

    /// What a thing stands in that is opened or run.
    fn home(
        &mut self,
        home: &Home<'_>,
        tiers: &HashSet<EntityUid>,
    ) -> Result<Vec<EntityUid>, Undecidable> {
        Ok(match home {
            Home::Started(program) => vec![self.application(program, HashSet::new())?],
            Home::Window(target) => self.window(target, tiers)?.into_iter().flatten().collect(),
        })
    }

    fn place(
        &mut self,
        target: &Target,
        mut parents: HashSet<EntityUid>,
    ) -> Result<EntityUid, Undecidable> {
        let window = self.window(target, &parents)?;
        if let Some(element) = &target.element {
            parents.extend(window.into_iter().flatten());
            let attributes = [
                ("name", string(&element.name)),
                ("role", Value::new_entity_uid(entity("Role", &role(element.role))?)),
                ("within", string(element.within.as_deref().unwrap_or_default())),
            ];
            return self.thing("Element", "", attributes, parents);
        }
        match window {
            Some([window, _]) => Ok(window),
            None => self.thing("Screen", "", [], HashSet::new()),
        }
    }

    /// The window of a target and its program, for what stands in them.
    fn window(
        &mut self,
        target: &Target,
        tiers: &HashSet<EntityUid>,
    ) -> Result<Option<[EntityUid; 2]>, Undecidable> {
        let Some(window) = &target.window else { return Ok(None) };
        let program = self.application(&window.app, HashSet::new())?;
        let parents = tiers.iter().cloned().chain([program.clone()]).collect();
        let attributes = [("title", string(&window.title))];
        let window = self.thing("Window", &window.id.0.to_string(), attributes, parents)?;
        Ok(Some([window, program]))
    }

    fn application(
        &mut self,
        name: &str,
        parents: HashSet<EntityUid>,
    ) -> Result<EntityUid, Undecidable> {
        let name = name.to_lowercase();
        self.thing("Application", &name, [("name", string(&name))], parents)
    }

    fn thing<const N: usize>(
        &mut self,
        kind: &str,
        id: &str,
        attributes: [(&str, Value); N],
        parents: HashSet<EntityUid>,
    ) -> Result<EntityUid, Undecidable> {
        let uid = entity(kind, id)?;
        let attributes: HashMap<String, Value> =
            attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        self.list.push(Entity::new(uid.clone(), attributes, parents)?);
        Ok(uid)
    }
}
