//! A file of rules: read, checked against the schema, and asked. Cedar knows yes and no; a question to
//! the person is a `permit` that carries `@ask("why")`. Of all rules that fit, the strictest holds:
//! a `forbid` before an `@ask`, an `@ask` before a `permit`, and where none fits, no.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use cedar_policy::{
    ActionConstraint, AuthorizationError, Authorizer, Effect, EntityUid, Policy as Cedar, PolicyId,
    PolicySet, PolicySetError, ResourceConstraint, ValidationMode, Validator,
};
use freehand_tools::gate::{Decision, Evaluation, Reason};

use serde_json::json;

use crate::PolicyError;
use crate::request::{Case, Question};
use crate::statements::statements;
use crate::vocabulary::{CHANGE, GROUPS, actions, schema, uid};

/// A file of rules is a few pages of text; a larger one is none.
pub const MAX_BYTES: usize = 1024 * 1024;

/// What a set of rules is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It says what is allowed. What none of its rules allows is denied.
    Base,
    /// It takes away from what the others allow: its rules forbid or ask, and do nothing else.
    Narrowing,
}

/// What one rule says where it fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its name, as it is shown.
    pub name: String,
    /// What it decides.
    pub decision: Decision,
    /// Why, in words for a person.
    pub because: String,
    /// The line on which it begins.
    pub line: usize,
}

/// A set of rules that was read and checked.
#[derive(Debug, Clone)]
pub struct RuleSet {
    name: String,
    kind: Kind,
    source: String,
    rules: Arc<HashMap<PolicyId, Rule>>,
    /// Those that can fit an action, by the action: the engine goes through all that it is given.
    by_action: Arc<HashMap<&'static str, Sorted>>,
    /// What Cedar has to remark, with the rule's line.
    warnings: Vec<(usize, String)>,
}

impl RuleSet {
    /// Reads rules. `name` is what their names begin with, `file` what an error calls the file.
    pub fn parse(name: &str, kind: Kind, source: &str, file: &Path) -> Result<Self, PolicyError> {
        let fault = |line: usize, rule: Option<&str>, reason: String| PolicyError::Rule {
            file: file.into(),
            line,
            rule: rule.map(|rule| format!(" in the rule `{rule}`")).unwrap_or_default(),
            reason,
        };
        if source.len() > MAX_BYTES {
            return Err(fault(1, None, format!("it is longer than {MAX_BYTES} bytes")));
        }
        let mut rules: HashMap<PolicyId, Rule> = HashMap::new();
        let mut policies = Vec::new();
        for statement in statements(source) {
            let anonymous = Cedar::parse(None, statement.text)
                .map_err(|error| fault(statement.line, None, one_line(&words(&error))))?;
            let id = anonymous.annotation("id").filter(|id| !id.trim().is_empty()).map(str::to_owned);
            let Some(id) = id else {
                let reason = "it has no name; write @id(\"…\") before it";
                return Err(fault(statement.line, None, reason.into()));
            };
            let rule = rule(name, kind, &id, &anonymous, statement.line)
                .map_err(|reason| fault(statement.line, Some(&id), reason))?;
            let key = PolicyId::new(&id);
            if let Some(other) = rules.insert(key.clone(), rule) {
                let reason = format!("line {} has one of this name already", other.line);
                return Err(fault(statement.line, Some(&id), reason));
            }
            policies.push(anonymous.new_id(key));
        }
        let all = PolicySet::from_policies(policies.iter().cloned())
            .map_err(|error| fault(1, None, one_line(&error.to_string())))?;
        let line = |id: &PolicyId| rules.get(id).map_or(1, |rule| rule.line);
        let warnings = check(&all).map_err(|(id, reason)| {
            let rule = id.as_ref().map(ToString::to_string);
            fault(id.as_ref().map_or(1, line), rule.as_deref(), one_line(&reason))
        })?;
        let warnings = warnings.into_iter().map(|(id, text)| (line(&id), one_line(&text))).collect();
        let by_action =
            by_action(&policies).map_err(|error| fault(1, None, one_line(&error.to_string())))?;
        let (rules, by_action) = (Arc::new(rules), Arc::new(by_action));
        Ok(Self { name: name.into(), kind, source: source.into(), rules, by_action, warnings })
    }

    /// What the names of its rules begin with.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is for.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The text that it was read from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Its rules by their lines.
    pub fn rules(&self) -> Vec<&Rule> {
        let mut rules: Vec<&Rule> = self.rules.values().collect();
        rules.sort_by_key(|rule| rule.line);
        rules
    }

    /// What is odd in it and no fault, with the line: a rule that can never fit, for example.
    pub fn warnings(&self) -> &[(usize, String)] {
        &self.warnings
    }

    /// The strictest answer to all questions of a case.
    pub fn judge(&self, case: &Case) -> Evaluation {
        let judged = case.questions().iter().map(|question| self.answer(question));
        judged.reduce(Evaluation::and).unwrap_or_else(|| {
            Evaluation::by(Decision::Deny, "built-in:no-question", "nothing was asked")
        })
    }

    fn answer(&self, question: &Question) -> Evaluation {
        let (mut fitting, mut failed): (Vec<&Rule>, Vec<String>) = (Vec::new(), Vec::new());
        for policies in
            self.by_action.get(question.action).into_iter().flat_map(|all| all.near(question))
        {
            let response =
                Authorizer::new().is_authorized(&question.request, policies, &question.things);
            failed.extend(response.diagnostics().errors().map(failed_rule));
            fitting.extend(response.diagnostics().reason().filter_map(|id| self.rules.get(id)));
        }
        if !failed.is_empty() {
            let name = self.called(&failed.join("`, `"));
            let because = format!("the rule `{name}` cannot be decided for it");
            return Evaluation::by(Decision::Deny, &name, because);
        }
        fitting.sort_by(|a, b| b.decision.cmp(&a.decision).then(a.line.cmp(&b.line)));
        // What allows it besides is no reason for a no.
        let denied = fitting.first().is_some_and(|rule| rule.decision == Decision::Deny);
        fitting.retain(|rule| !denied || rule.decision == Decision::Deny);
        let reasons = |rules: &[&Rule]| {
            let reason =
                |rule: &&Rule| Reason { rule: rule.name.clone(), because: rule.because.clone() };
            rules.iter().map(reason).collect()
        };
        match (fitting.first(), self.kind) {
            (Some(strictest), _) => {
                Evaluation { decision: strictest.decision, reasons: reasons(&fitting) }
            }
            (None, Kind::Narrowing) => Evaluation { decision: Decision::Allow, reasons: Vec::new() },
            (None, Kind::Base) => Evaluation::by(
                Decision::Deny,
                &self.called("no-rule"),
                format!("no rule allows `{}` there", question.action),
            ),
        }
    }

    fn called(&self, rule: &str) -> String {
        format!("{}:{rule}", self.name)
    }
}

/// What a rule decides and why, or what is wrong with it.
fn rule(set: &str, kind: Kind, id: &str, policy: &Cedar, line: usize) -> Result<Rule, String> {
    for (key, _) in policy.annotations() {
        if !["id", "reason", "ask"].contains(&key) {
            return Err(format!("`@{key}` is not known; there are `@id`, `@reason` and `@ask`"));
        }
    }
    let said = |key: &str| policy.annotation(key).map(str::trim).filter(|text| !text.is_empty());
    let asks = policy.annotation("ask").is_some();
    let (decision, because) = match (policy.effect(), asks) {
        (Effect::Forbid, true) => {
            return Err("a `forbid` asks nobody; write `permit` with @ask, or leave @ask out".into());
        }
        (Effect::Forbid, false) => (Decision::Deny, said("reason")),
        (Effect::Permit, true) => (Decision::Ask, said("ask")),
        (Effect::Permit, false) if kind == Kind::Narrowing => {
            return Err(
                "a layer only narrows what the policy allows; write `forbid`, or `permit` with \
                        @ask"
                    .into(),
            );
        }
        (Effect::Permit, false) => (Decision::Allow, said("reason")),
    };
    let wanted = if asks { "@ask(\"…\")" } else { "@reason(\"…\")" };
    let because = because.ok_or_else(|| format!("it does not say why; write {wanted} before it"))?;
    Ok(Rule { name: format!("{set}:{id}"), decision, because: because.into(), line })
}

fn failed_rule(error: &AuthorizationError) -> String {
    match error {
        AuthorizationError::PolicyEvaluationError(error) => error.policy_id().to_string(),
    }
}

type Fault = (Option<PolicyId>, String);

/// The remarks on rules that fit the schema, or what is wrong.
fn check(all: &PolicySet) -> Result<Vec<(PolicyId, String)>, Fault> {
    static VALIDATOR: LazyLock<Result<Validator, String>> =
        LazyLock::new(|| schema().map(|schema| Validator::new(schema.clone())));
    let validator = VALIDATOR.as_ref().map_err(|error| (None, error.clone()))?;
    let result = validator.validate(all, ValidationMode::Strict);
    if let Some(error) = result.validation_errors().next() {
        return Err((Some(error.policy_id().clone()), words(error)));
    }
    let warning =
        |warning: &cedar_policy::ValidationWarning| (warning.policy_id().clone(), warning.to_string());
    Ok(result.validation_warnings().map(warning).collect())
}

/// An error with the help that it has.
fn words(error: &dyn miette::Diagnostic) -> String {
    let labels = error.labels().into_iter().flatten();
    let labels = labels.filter_map(|label| label.label().map(str::to_owned));
    let help = error.help().map(|help| help.to_string());
    let parts = std::iter::once(error.to_string()).chain(labels).chain(help);
    parts.collect::<Vec<_>>().join("; ")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The rules for one action by what they are about.
#[derive(Debug, Clone, Default)]
struct Sorted {
    /// Those on whatever it is.
    everywhere: PolicySet,
    /// Those on what stands in one thing: a program, a tier.
    within: HashMap<EntityUid, PolicySet>,
}

impl Sorted {
    fn add(&mut self, policy: &Cedar) -> Result<(), Box<PolicySetError>> {
        let set = match policy.resource_constraint() {
            ResourceConstraint::In(thing)
            | ResourceConstraint::Eq(thing)
            | ResourceConstraint::IsIn(_, thing) => self.within.entry(thing).or_default(),
            ResourceConstraint::Any | ResourceConstraint::Is(_) => &mut self.everywhere,
        };
        Ok(set.add(for_any_action(policy).unwrap_or_else(|| policy.clone()))?)
    }

    /// Those that can fit a question: what is not about its resource, or what that stands in, cannot.
    fn near<'a>(&'a self, question: &'a Question) -> impl Iterator<Item = &'a PolicySet> {
        let resource = question.request.resource();
        let around = resource.and_then(|resource| question.things.ancestors(resource));
        let things = resource.into_iter().chain(around.into_iter().flatten());
        std::iter::once(&self.everywhere).chain(things.filter_map(|thing| self.within.get(thing)))
    }
}

/// The same rule for whatever action: it is only asked about those that it fits, and the engine need not find
/// that out each time.
fn for_any_action(policy: &Cedar) -> Option<Cedar> {
    let mut json = policy.to_json().ok()?;
    json.as_object_mut()?.insert("action".into(), json!({ "op": "All" }));
    Cedar::from_json(Some(policy.id().clone()), json).ok()
}

/// The rules that can fit each action.
fn by_action(policies: &[Cedar]) -> Result<HashMap<&'static str, Sorted>, Box<PolicySetError>> {
    actions()
        .map(|(action, groups)| {
            let names: Vec<_> =
                groups.into_iter().chain([action]).filter_map(|name| uid("Action", name)).collect();
            let fits = |policy: &&Cedar| match policy.action_constraint() {
                ActionConstraint::Any => true,
                ActionConstraint::Eq(one) => names.contains(&one),
                ActionConstraint::In(some) => some.iter().any(|one| names.contains(one)),
            };
            let mut sorted = Sorted::default();
            for policy in policies.iter().filter(fits) {
                sorted.add(policy)?;
            }
            Ok((action, sorted))
        })
        .collect()
}

/// All words that a rule may use after `action ==` or `action in`.
pub fn action_words() -> Vec<&'static str> {
    GROUPS.into_iter().chain([CHANGE]).chain(actions().map(|(name, _)| name)).collect()
}

#[cfg(test)]
mod tests;
