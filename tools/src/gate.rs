//! The one door between a grounded action and the desktop: policies judge, a person answers where
//! they say so, and whatever is not clearly allowed is refused.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::action::{Action, ActionKind, EffectClass};
use crate::observation::Observation;
use crate::permit::Permit;
use crate::setting::Author;
use crate::typed::{Typed, Used};

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
}

/// A question to the person: may this be done?
#[derive(Debug, Clone, PartialEq)]
pub struct ApprovalRequest {
    /// What would be done.
    pub action: Action,
    /// The rules that ask.
    pub reasons: Vec<Reason>,
}

/// The person's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "answer")]
pub enum Approval {
    /// Yes, this once.
    Once,
    /// Yes, and the same kind of effect in the same program for the rest of the run.
    Run,
    /// No.
    Deny {
        /// What the model is told.
        reason: String,
    },
}

/// Somebody who can be asked. No answer is a no: an approver that fails answers [`Approval::Deny`].
#[async_trait]
pub trait Approver: Send + Sync + fmt::Debug {
    /// Asks whether an action may be done.
    async fn ask(&self, request: &ApprovalRequest) -> Approval;

    /// Asks the person something in the model's name; `None` when nobody answers.
    async fn question(&self, question: &str) -> Option<String>;
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
    /// Whether it may be done after all.
    pub allowed: bool,
}

impl Verdict {
    /// Why it was refused, in one sentence for the model and the person.
    pub fn refusal(&self) -> Option<String> {
        if self.allowed {
            return None;
        }
        if let Some(Approval::Deny { reason }) = &self.approval {
            return Some(reason.clone());
        }
        let reasons: Vec<&str> = self.reasons.iter().map(|r| r.because.as_str()).collect();
        Some(reasons.first().map_or_else(|| "no rule allows it".into(), ToString::to_string))
    }
}

/// Whether an action lands on what must not be seen.
fn lands_on_hidden(action: &Action, seen: &Observation) -> bool {
    let target = &action.target;
    let stops = if let ActionKind::Drag { path, .. } = &action.kind { path.as_slice() } else { &[] };
    let window = target.window.as_ref().is_some_and(|window| seen.hidden.windows.contains(&window.id));
    window || target.point.iter().chain(stops).any(|point| seen.hidden.holds(*point))
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

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Grant {
    effects: EffectClass,
    app: Option<String>,
    /// What is launched: leave to open one program is not leave to open every other.
    opened: Option<String>,
    /// Whether a secret is typed: leave to click in a program is not leave to sign in to it.
    protected: bool,
    /// The rules that had a word in it: leave to press buttons is not leave to send or to delete.
    rules: BTreeSet<String>,
}

impl Grant {
    /// Whether a "yes" to this is one to `other`: the same in all, with no rule more behind it.
    fn covers(&self, other: &Self) -> bool {
        let Self { effects, app, opened, protected, rules } = self;
        (effects, app, opened, protected)
            == (&other.effects, &other.app, &other.opened, &other.protected)
            && rules.is_superset(&other.rules)
    }

    /// What a "yes" for the rest of the run is good for; `None` where nothing limits it.
    fn of(action: &Action, reasons: &[Reason]) -> Option<Self> {
        let app = action.target.window.as_ref().map(|window| window.app.clone());
        let mut opened = None;
        if let ActionKind::OpenApp { command: what } | ActionKind::OpenUrl { url: what } = &action.kind {
            opened = Some(what.clone());
        }
        let aimed = matches!(action.effects, EffectClass::Input | EffectClass::BlindInput);
        let launches = action.effects == EffectClass::Launch;
        let limited = (app.is_some() || !aimed) && (opened.is_some() || !launches);
        let protected = action.is_protected();
        let rules = reasons.iter().map(|reason| reason.rule.clone()).collect();
        limited.then_some(Self { effects: action.effects, app, opened, protected, rules })
    }
}

/// Judges actions. The policies only narrow each other; the grants last as long as the gate.
#[derive(Debug)]
pub struct Gate {
    policies: Vec<Box<dyn Policy>>,
    approver: Box<dyn Approver>,
    patience: Duration,
    grants: BTreeSet<Grant>,
    author: Author,
    typed: Typed,
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
            grants: BTreeSet::new(),
            author: Author::default(),
            typed: Typed::default(),
            witness: None,
        }
    }

    /// Waits at most so long for an answer.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
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

    /// The one who is asked.
    pub fn approver(&self) -> &dyn Approver {
        self.approver.as_ref()
    }

    /// Judges `action`, which was grounded on `seen`, and asks the person if a rule says so.
    pub async fn review(&mut self, mut action: Action, seen: &Observation) -> Review {
        action.setting.author = self.author;
        action.setting.entered = self.typed.entered(&action);
        let evaluation = self.evaluate(&action, seen);
        let mut approval = None;
        let allowed = match evaluation.decision {
            Decision::Allow => true,
            Decision::Deny => false,
            Decision::Ask if self.is_granted(&action, &evaluation.reasons) => true,
            Decision::Ask => {
                let answer = self.ask(&action, &evaluation.reasons).await;
                let yes = !matches!(answer, Approval::Deny { .. });
                if answer == Approval::Run {
                    self.grants.extend(Grant::of(&action, &evaluation.reasons));
                }
                approval = Some(answer);
                yes
            }
        };
        let Evaluation { decision, reasons } = evaluation;
        let verdict = Verdict { decision, reasons, approval, allowed };
        let verdict = self.written_down(&action, verdict);
        let judged = action.clone();
        let permit = verdict.allowed.then(|| {
            let used = Used::default();
            self.typed.expect(&action, Arc::clone(&used));
            Permit::new(action, seen.frame.clone(), used)
        });
        Review { action: judged, verdict, permit }
    }

    fn written_down(&mut self, action: &Action, verdict: Verdict) -> Verdict {
        let Some(witness) = &mut self.witness else { return verdict };
        let Err(error) = witness.judged(action, &verdict) else { return verdict };
        let because = format!("it cannot be written down: {error}");
        let Evaluation { decision, reasons } = Evaluation::by(Decision::Deny, "built-in:audit", because);
        Verdict { decision, reasons, approval: None, allowed: false }
    }

    fn is_granted(&self, action: &Action, reasons: &[Reason]) -> bool {
        let wanted = Grant::of(action, reasons);
        wanted.is_some_and(|wanted| self.grants.iter().any(|grant| grant.covers(&wanted)))
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
        self.policies
            .iter()
            .map(|policy| policy.evaluate(action))
            .reduce(Evaluation::and)
            .unwrap_or_else(|| {
                Evaluation::by(Decision::Deny, "built-in:no-policy", "no policy is loaded")
            })
    }

    async fn ask(&self, action: &Action, reasons: &[Reason]) -> Approval {
        let request = ApprovalRequest { action: action.clone(), reasons: reasons.to_vec() };
        match tokio::time::timeout(self.patience, self.approver.ask(&request)).await {
            Ok(answer) => answer,
            Err(_) => Approval::Deny { reason: "nobody answered the question in time".into() },
        }
    }
}
