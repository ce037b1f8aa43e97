//! The one door between a grounded action and the desktop: policies judge, a person answers where
//! they say so, and whatever is not clearly allowed is refused.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::action::{Action, ActionKind};
use crate::call::ToolCall;
use crate::geometry::ScreenPoint;
use crate::observation::Observation;
use crate::permit::Permit;
use crate::secret::Secrets;
use crate::setting::Author;
use crate::toolbox::Toolbox;
use crate::typed::{Typed, Used};

mod ask;
mod refusal;
mod scope;

pub use ask::{Approval, ApprovalRequest, Approver};
use scope::{Answers, Earlier};
pub use scope::{Scope, Stakes};

/// How often the person may change one call before it is refused.
const CHANGES: u32 = 5;
/// Said with a question that comes after a no.
const REFUSED: &str = "you refused the like of it; this is something else, or may heed what you said";

/// What a policy says. Ordered: of several, the strictest holds.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// It may be done.
    Allow,
    /// It may be done if the person says so.
    Ask,
    /// It may not be done.
    Deny,
}

/// One rule that had something to say, in words for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reason {
    /// The name of the rule.
    pub rule: String,
    /// Why it says so.
    pub because: String,
}

/// What one policy says of one action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evaluation {
    /// The decision.
    pub decision: Decision,
    /// The rules behind it.
    pub reasons: Vec<Reason>,
}

impl Evaluation {
    /// A decision by one rule.
    pub fn by(decision: Decision, rule: &str, because: impl Into<String>) -> Self {
        let reason = Reason { rule: rule.into(), because: because.into() };
        Self { decision, reasons: vec![reason] }
    }

    /// The stricter of two; the reasons of the stricter one come first, and all are kept.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let (mut strict, lax) =
            if other.decision > self.decision { (other, self) } else { (self, other) };
        strict.reasons.extend(lax.reasons);
        strict
    }
}

/// A set of rules. Judging is pure and total: no I/O, no failure, the same answer every time.
pub trait Policy: Send + Sync + fmt::Debug {
    /// Judges one action.
    fn evaluate(&self, action: &Action) -> Evaluation;

    /// What is at stake in it beyond that a program is operated: by this an answer that was given before
    /// is found again.
    fn stakes(&self, _: &Action) -> Stakes {
        Stakes::default()
    }
}

/// Somebody who writes down what was judged, before anything is done.
pub trait Witness: Send + Sync + fmt::Debug {
    /// Writes it down. What cannot be written down is refused, with this reason.
    fn judged(&mut self, action: &Action, verdict: &Verdict) -> Result<(), String>;
}

/// How an action was judged, for the trajectory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// The strictest decision of all policies.
    pub decision: Decision,
    /// The rules behind it.
    pub reasons: Vec<Reason>,
    /// The person's answer, where one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    /// Whether that answer was given before, to a question like it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub earlier: bool,
    /// Whether it may be done after all.
    pub allowed: bool,
}

impl Verdict {
    /// Why it was refused, in one sentence for the model and the person.
    pub fn refusal(&self) -> Option<String> {
        if self.allowed {
            return None;
        }
        if let Some(Approval::Deny { reason, .. }) = &self.approval {
            return Some(reason.clone());
        }
        let reasons: Vec<&str> = self.reasons.iter().map(|r| r.because.as_str()).collect();
        Some(reasons.first().map_or_else(|| "no rule allows it".into(), ToString::to_string))
    }
}

/// Where an action lands.
fn landings(action: &Action) -> impl Iterator<Item = &ScreenPoint> {
    let stops = if let ActionKind::Drag { path, .. } = &action.kind { path.as_slice() } else { &[] };
    action.target.point.iter().chain(stops)
}

/// Whether an action lands on what must not be seen.
fn lands_on_hidden(action: &Action, seen: &Observation) -> bool {
    let window = action.target.window.as_ref();
    window.is_some_and(|window| seen.hidden.windows.contains(&window.id))
        || landings(action).any(|point| seen.hidden.holds(*point))
}

/// Whether an action lands on a window that Freehand shows to the person.
fn lands_on_own(action: &Action, seen: &Observation) -> bool {
    landings(action).any(|point| seen.hidden.own.iter().any(|own| own.contains(*point)))
}

/// What the gate answers: how the action was judged and, if it may be done, the permit for it.
#[derive(Debug)]
pub struct Review {
    /// What was judged: the action, with what only the gate knows of it.
    pub action: Action,
    /// How it was judged.
    pub verdict: Verdict,
    /// The right to do it.
    pub permit: Option<Permit>,
}

/// Judges actions. The policies only narrow each other; the answers last as long as the gate.
#[derive(Debug)]
pub struct Gate {
    policies: Vec<Box<dyn Policy>>,
    approver: Box<dyn Approver>,
    patience: Duration,
    answers: Answers,
    /// What the model has asked the person, by the question in small letters.
    told: BTreeMap<String, Option<String>>,
    author: Author,
    typed: Typed,
    secrets: Secrets,
    witness: Option<Box<dyn Witness>>,
}

impl Gate {
    /// As long as a question to the person stays open.
    pub const PATIENCE: Duration = Duration::from_secs(300);

    /// A gate with these policies, of which the strictest holds. With none, everything is refused.
    pub fn new(policies: Vec<Box<dyn Policy>>, approver: Box<dyn Approver>) -> Self {
        Self {
            policies,
            approver,
            patience: Self::PATIENCE,
            answers: Answers::default(),
            told: BTreeMap::new(),
            author: Author::default(),
            typed: Typed::default(),
            secrets: Secrets::default(),
            witness: None,
        }
    }

    /// Waits at most so long for an answer.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Takes in what the person has allowed for good. It answers questions and lifts no denial.
    #[must_use]
    pub fn knowing(mut self, standing: impl IntoIterator<Item = Scope>) -> Self {
        standing.into_iter().for_each(|scope| self.answers.stands(scope));
        self
    }

    /// Takes in the secrets that the person gives to this run, by whose names they are typed.
    #[must_use]
    pub fn keeping(mut self, secrets: Secrets) -> Self {
        self.secrets = secrets;
        self
    }

    /// Has everything that is judged written down.
    #[must_use]
    pub fn watched_by(mut self, witness: Box<dyn Witness>) -> Self {
        self.witness = Some(witness);
        self
    }

    /// Says whose actions come from now on; until it is said, they are a model's.
    pub const fn acts_for(&mut self, author: Author) {
        self.author = author;
    }

    /// Asks the person something in the model's name; `None` when nobody answers in time. What was asked
    /// before is not asked again: the answer, or that there was none, still holds.
    pub async fn question(&mut self, question: &str) -> Option<String> {
        let key = question.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        if let Some(answer) = self.told.get(&key) {
            return answer.clone();
        }
        let asked = tokio::time::timeout(self.patience, self.approver.question(question));
        let answer = asked.await.ok().flatten();
        self.told.insert(key, answer.clone());
        answer
    }

    /// Judges `action`, which was grounded on `seen`, and asks the person if a rule says so. What is
    /// allowed in the end may be another action than the one that came in: the one of the review.
    pub async fn review(&mut self, action: Action, seen: &Observation) -> Review {
        let mut action = self.in_its_setting(action);
        let Evaluation { decision, reasons } = self.evaluate(&action, seen);
        let verdict = match decision {
            Decision::Allow | Decision::Deny => {
                let allowed = decision == Decision::Allow;
                Verdict { decision, reasons, approval: None, earlier: false, allowed }
            }
            Decision::Ask => self.answered(&mut action, reasons, seen).await,
        };
        let verdict = self.written_down(&action, verdict);
        if verdict.allowed {
            self.answers.goes_on(&action);
        }
        let judged = action.clone();
        let permit = verdict.allowed.then(|| {
            let used = Used::default();
            self.typed.expect(&action, Arc::clone(&used));
            let secret = self.secrets.of(&action).ok().flatten();
            Permit::new(action, seen.frame.clone(), used, secret)
        });
        Review { action: judged, verdict, permit }
    }

    /// Adds to an action what only the gate knows.
    fn in_its_setting(&mut self, mut action: Action) -> Action {
        action.setting.author = self.author;
        action.setting.entered = self.typed.entered(&action);
        action.setting.begun = self.typed.begun(&action);
        action
    }

    /// The answer to what the rules ask: an earlier one, or that of the person, who may change the
    /// action. A change is judged like what a model says, and what it asks for besides is asked.
    async fn answered(
        &mut self,
        action: &mut Action,
        mut reasons: Vec<Reason>,
        seen: &Observation,
    ) -> Verdict {
        let verdict = |decision, reasons, approval, allowed| Verdict {
            decision,
            reasons,
            approval: Some(approval),
            earlier: false,
            allowed,
        };
        let stakes = self.stakes(action);
        let scope = Scope::of(action, &reasons, &stakes);
        let note = match self.answers.earlier(action, scope.as_ref(), &stakes, Instant::now()) {
            Earlier::Answer(answer) => {
                let allowed = !matches!(answer, Approval::Deny { .. });
                return Verdict { earlier: true, ..verdict(Decision::Ask, reasons, answer, allowed) };
            }
            Earlier::Refused => Some(REFUSED.into()),
            Earlier::Nothing => None,
        };
        let (mut stakes, mut scope, mut note, mut change) = (stakes, scope, note, None);
        let mut shown = BTreeSet::new();
        for _ in 0..=CHANGES {
            shown.extend(named(&reasons, &stakes));
            let request = ApprovalRequest { action: action.clone(), reasons, scope, note };
            let answer = self.ask(&request).await;
            ApprovalRequest { reasons, scope, .. } = request;
            let Approval::Edit { args } = &answer else {
                self.answers.given(&answer, action, scope.as_ref(), &stakes);
                let allowed = !matches!(answer, Approval::Deny { .. });
                let approval = change.filter(|_| allowed).unwrap_or(answer);
                return verdict(Decision::Ask, reasons, approval, allowed);
            };
            let call = ToolCall { args: args.clone(), ..action.call.clone() };
            match Toolbox::default().resolve(&call, seen) {
                Err(error) => note = Some(format!("the change does not hold: {error}")),
                Ok(changed) => {
                    *action = self.in_its_setting(changed);
                    let judged = self.evaluate(action, seen);
                    reasons = judged.reasons;
                    stakes = self.stakes(action);
                    scope = Scope::of(action, &reasons, &stakes);
                    let more = !named(&reasons, &stakes).is_subset(&shown);
                    if judged.decision != Decision::Ask || !more {
                        let allowed = judged.decision != Decision::Deny;
                        return verdict(judged.decision, reasons, answer, allowed);
                    }
                    change = Some(answer);
                    note = Some("what you have changed asks for more than you were shown".into());
                }
            }
        }
        let refused = Approval::deny("it was changed again and again, and not allowed");
        self.answers.given(&refused, action, scope.as_ref(), &stakes);
        verdict(Decision::Ask, reasons, refused, false)
    }

    fn written_down(&mut self, action: &Action, verdict: Verdict) -> Verdict {
        let Some(witness) = &mut self.witness else { return verdict };
        let Err(error) = witness.judged(action, &verdict) else { return verdict };
        let because = format!("it cannot be written down: {error}");
        let Evaluation { decision, reasons } = Evaluation::by(Decision::Deny, "built-in:audit", because);
        Verdict { decision, reasons, approval: None, earlier: false, allowed: false }
    }

    fn stakes(&self, action: &Action) -> Stakes {
        let all = self.policies.iter().map(|policy| policy.stakes(action));
        all.reduce(Stakes::and).unwrap_or_default()
    }

    fn evaluate(&self, action: &Action, seen: &Observation) -> Evaluation {
        if action.basis.observation != seen.id || action.basis.frame != seen.frame.digest() {
            return Evaluation::by(
                Decision::Deny,
                "built-in:basis",
                "it was worked out on another picture of the screen",
            );
        }
        if lands_on_hidden(action, seen) {
            let because = "it would land on something that your rules hide";
            return Evaluation::by(Decision::Deny, "built-in:hidden", because);
        }
        if lands_on_own(action, seen) {
            let because = "Freehand does not operate its own windows";
            return Evaluation::by(Decision::Deny, "built-in:own-window", because);
        }
        if let Err(why) = self.secrets.of(action) {
            return Evaluation::by(Decision::Deny, "built-in:secret", why);
        }
        self.policies
            .iter()
            .map(|policy| policy.evaluate(action))
            .reduce(Evaluation::and)
            .unwrap_or_else(|| {
                Evaluation::by(Decision::Deny, "built-in:no-policy", "no policy is loaded")
            })
    }

    async fn ask(&self, request: &ApprovalRequest) -> Approval {
        let answer = tokio::time::timeout(self.patience, self.approver.ask(request)).await;
        match answer {
            // What nothing limits, or where a secret goes, is allowed this once, whatever was said.
            Ok(Approval::Run | Approval::For { .. } | Approval::Always) if request.scope.is_none() => {
                Approval::Once
            }
            Ok(Approval::Always) if !request.scope.as_ref().is_some_and(Scope::may_be_kept) => {
                Approval::Once
            }
            Ok(answer) => answer,
            Err(_) => Approval::deny("nobody answered the question in time"),
        }
    }
}

/// What a question shows: the rules and what is at stake.
fn named(reasons: &[Reason], stakes: &Stakes) -> BTreeSet<String> {
    let rules = reasons.iter().map(|reason| reason.rule.clone());
    rules.chain(stakes.here.iter().cloned()).chain(stakes.anywhere.iter().cloned()).collect()
}
