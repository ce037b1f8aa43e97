//! What an answer is good for besides the one action that it was given to. A yes reaches as little as
//! can be: the same effects in the same program, under the rules that were shown. A no reaches as far
//! as a model could get by saying the same in other words.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::action::{Action, ActionKind, EffectClass};
use crate::gate::refusal::{Again, Refusal, again};
use crate::gate::{Approval, Reason};

/// What is at stake in an action beyond that a program is operated, in the words of the policies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stakes {
    /// What would happen in the window that it lands in: `send`, `delete`.
    pub here: BTreeSet<String>,
    /// What would happen wherever it comes from: `run_command rm`, `open example.org`.
    pub anywhere: BTreeSet<String>,
    /// The command that it would run. A yes to it is a yes to no other.
    pub command: Option<String>,
}

impl Stakes {
    /// All that is at stake in the one or the other.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.here.extend(other.here);
        self.anywhere.extend(other.anywhere);
        self.command = self.command.or(other.command);
        self
    }

    fn all(&self) -> BTreeSet<String> {
        self.here.union(&self.anywhere).cloned().collect()
    }
}

/// What a yes that lasts is good for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// What is changed.
    pub effects: EffectClass,
    /// In which program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// What is opened: leave to open one program is not leave to open every other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened: Option<String>,
    /// Which command is run: leave to run one is not leave to run every other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Whether a secret is typed: leave to click in a program is not leave to sign in to it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub protected: bool,
    /// What may come of it: leave to press buttons is not leave to send or to delete.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub stakes: BTreeSet<String>,
    /// The rules that had a word in it.
    pub rules: BTreeSet<String>,
}

impl Scope {
    /// What a yes to `action` can be good for; `None` where nothing limits it.
    pub(super) fn of(action: &Action, reasons: &[Reason], stakes: &Stakes) -> Option<Self> {
        let app = action.target.window.as_ref().map(|window| window.app.clone());
        let opened = opened(&action.kind).map(str::to_owned);
        let aimed = matches!(action.effects, EffectClass::Input | EffectClass::BlindInput);
        let launches = action.effects == EffectClass::Launch;
        let limited = (app.is_some() || !aimed) && (opened.is_some() || !launches);
        limited.then(|| Self {
            effects: action.effects,
            app,
            opened,
            command: stakes.command.clone(),
            protected: action.is_protected(),
            stakes: stakes.all(),
            rules: reasons.iter().map(|reason| reason.rule.clone()).collect(),
        })
    }

    /// Whether a yes to it may be kept for later runs. Where a secret goes is decided each time.
    pub const fn may_be_kept(&self) -> bool {
        !self.protected
    }

    /// Whether a yes to this is one to `other`: the same, with nothing more at stake and no rule more.
    fn covers(&self, other: &Self) -> bool {
        let Self { effects, app, opened, command, protected, stakes, rules } = self;
        (effects, app, opened, command, protected)
            == (&other.effects, &other.app, &other.opened, &other.command, &other.protected)
            && stakes.is_superset(&other.stakes)
            && rules.is_superset(&other.rules)
    }
}

pub(super) fn opened(kind: &ActionKind) -> Option<&str> {
    if let ActionKind::OpenApp { command: what } | ActionKind::OpenUrl { url: what } = kind {
        return Some(what);
    }
    None
}

/// A yes that was given before.
#[derive(Debug, Clone)]
struct Grant {
    scope: Scope,
    answer: Approval,
    ends: Option<Instant>,
}

/// The answers of a run that hold for more than the action that they were given to.
#[derive(Debug, Default)]
pub(super) struct Answers {
    grants: Vec<Grant>,
    refusals: Vec<Refusal>,
}

impl Answers {
    /// Takes in a yes that was given in an earlier run.
    pub(super) fn stands(&mut self, scope: Scope) {
        self.grants.push(Grant { scope, answer: Approval::Always, ends: None });
    }

    /// Takes in an answer to `action`, as far as it is one to others.
    pub(super) fn given(
        &mut self,
        answer: &Approval,
        action: &Action,
        scope: Option<&Scope>,
        stakes: &Stakes,
    ) {
        let ends = match answer {
            Approval::Once | Approval::Edit { .. } => return,
            answer if answer.is_withdrawn() => return,
            Approval::Run | Approval::Always => None,
            Approval::For { minutes } => {
                let minutes = u64::from((*minutes).min(Approval::LONGEST));
                Instant::now().checked_add(Duration::from_secs(60 * minutes))
            }
            Approval::Deny { reason, said } => {
                self.refusals.push(Refusal::new(action, stakes, reason, said.as_deref()));
                return;
            }
        };
        if let Some(scope) = scope {
            self.refusals.iter_mut().for_each(|refusal| refusal.is_overtaken_by(action, stakes));
            self.grants.push(Grant { scope: scope.clone(), answer: answer.clone(), ends });
        }
    }

    /// Takes note of an action that was allowed: after it a question that was answered with a no and a
    /// reason may be another.
    pub(super) fn goes_on(&mut self, action: &Action) {
        self.refusals.iter_mut().for_each(|refusal| refusal.goes_on(action));
    }

    /// The answer that was given already, if there is one. A no counts before a yes.
    pub(super) fn earlier(
        &self,
        action: &Action,
        scope: Option<&Scope>,
        stakes: &Stakes,
        now: Instant,
    ) -> Earlier {
        match again(&self.refusals, action, stakes) {
            Again::Same(reason) => {
                return Earlier::Answer(Approval::deny(format!(
                    "the same was refused before in this run ({reason}), so nobody is asked again, however \
                     it is put; do something else"
                )));
            }
            Again::Other => return Earlier::Refused,
            Again::New => {}
        }
        let holds = |grant: &&Grant| {
            grant.ends.is_none_or(|ends| now < ends) && scope.is_some_and(|s| grant.scope.covers(s))
        };
        let grant = self.grants.iter().find(holds);
        grant.map_or(Earlier::Nothing, |grant| Earlier::Answer(grant.answer.clone()))
    }
}

/// What was said before to the like of a question.
#[derive(Debug, PartialEq)]
pub(super) enum Earlier {
    /// Nothing.
    Nothing,
    /// An answer that holds for it as well.
    Answer(Approval),
    /// A no with a reason that this may heed: it is asked, whatever else was allowed.
    Refused,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::action::{Basis, Button, Target, TargetWindow};
    use crate::call::ToolCall;
    use crate::element::WindowId;
    use crate::geometry::ScreenPoint;
    use crate::observation::ObservationId;
    use crate::setting::Setting;

    fn typing(window: u64, title: &str, x: i32) -> Action {
        let window = TargetWindow { id: WindowId(window), app: "xterm".into(), title: title.into() };
        let point = Some(ScreenPoint::new(x, 10));
        Action {
            call: ToolCall::new("test", json!({})),
            kind: ActionKind::TypeText { text: "x".into(), submit: false, clear: false },
            target: Target { window: Some(window), point, ..Target::default() },
            effects: EffectClass::Input,
            summary: "a test".into(),
            basis: Basis {
                observation: ObservationId(1),
                frame: serde_json::from_value(json!("00".repeat(32))).unwrap(),
            },
            setting: Setting::default(),
        }
    }

    fn running(command: &str, programs: &[&str]) -> Stakes {
        Stakes {
            anywhere: programs.iter().map(|program| format!("run_command {program}")).collect(),
            command: Some(command.into()),
            ..Stakes::default()
        }
    }

    /// The answer to `then` after `answer` was given to `first`.
    fn earlier(
        answer: &Approval,
        first: (&Action, &Stakes),
        then: (&Action, &Stakes),
        later: Duration,
    ) -> Option<Approval> {
        let scope = |(action, stakes): (&Action, &Stakes)| Scope::of(action, &[], stakes).unwrap();
        let mut answers = Answers::default();
        answers.given(answer, first.0, Some(&scope(first)), first.1);
        match answers.earlier(then.0, Some(&scope(then)), then.1, Instant::now() + later) {
            Earlier::Answer(answer) => Some(answer),
            Earlier::Nothing | Earlier::Refused => None,
        }
    }

    #[test]
    fn a_yes_for_some_minutes_ends() {
        let (action, plain) = (typing(1, "sh", 10), Stakes::default());
        let (yes, both) = (Approval::For { minutes: 3 }, (&action, &plain));
        let after = |seconds| earlier(&yes, both, both, Duration::from_secs(seconds));
        assert_eq!(after(0), Some(yes.clone()));
        assert_eq!(after(179), Some(yes.clone()));
        assert_eq!(after(181), None);
        let longest = Approval::For { minutes: u32::MAX };
        assert_eq!(earlier(&longest, both, both, Duration::from_secs(86_500)), None);
    }

    #[test]
    fn a_yes_to_a_command_is_one_to_no_other() {
        let action = typing(1, "sh", 10);
        let (ls, other) = (running("ls", &["ls"]), running("ls /", &["ls"]));
        let now = Duration::ZERO;
        let given = |then| earlier(&Approval::Run, (&action, &ls), (&action, then), now);
        assert_eq!((given(&ls), given(&other)), (Some(Approval::Run), None));
    }

    #[test]
    fn a_no_reaches_what_is_the_same_and_no_further() {
        let (here, plain) = (typing(1, "sh", 10), Stakes::default());
        let refused = |first: (&Action, &Stakes), then: (&Action, &Stakes)| {
            earlier(&Approval::deny("no"), first, then, Duration::ZERO).is_some()
        };
        let both = |then: &Action| refused((&here, &plain), (then, &plain));
        assert!(both(&here) && both(&typing(1, "sh", 30)) && both(&typing(9, "sh", 10)));
        assert!(!both(&typing(1, "sh", 90)) && !both(&typing(2, "other", 10)));
        let (rm, again) = (running("rm x", &["rm"]), running("cd /; rm x", &["cd", "rm"]));
        let ls = running("ls", &["ls"]);
        assert!(refused((&here, &rm), (&typing(2, "other", 10), &again)));
        assert!(!refused((&here, &rm), (&here, &ls)), "another command is asked for");
    }

    #[test]
    fn other_text_for_a_field_is_asked_for_but_not_for_ever() {
        let write = |text: &str| {
            let kind = ActionKind::TypeText { text: text.into(), submit: false, clear: true };
            Action { kind, ..typing(1, "sh", 10) }
        };
        let press = |keys: &str| {
            let kind = ActionKind::PressKeys { keys: keys.parse().unwrap(), hold_ms: 0, times: 1 };
            Action { kind, ..typing(1, "sh", 10) }
        };
        let click = || {
            let kind =
                ActionKind::Click { button: Button::Left, count: 1, modifiers: Vec::new(), hold_ms: 0 };
            Action { kind, ..typing(1, "sh", 10) }
        };
        let plain = Stakes::default();
        let mut answers = Answers::default();
        let asked = |answers: &Answers, action: &Action| {
            !matches!(answers.earlier(action, None, &plain, Instant::now()), Earlier::Answer(_))
        };
        answers.given(&Approval::deny("use another"), &write("a car"), None, &plain);
        assert!(!asked(&answers, &write("A  car")) && !asked(&answers, &press("a c a r")));
        assert!(asked(&answers, &write("a bus")) && asked(&answers, &press("ctrl+s")));
        answers.given(&Approval::deny("no"), &click(), None, &plain);
        assert!(!asked(&answers, &press("Return")) && !asked(&answers, &press("space")));
        assert!(asked(&answers, &write("a bus")) && asked(&answers, &press("ctrl+s")));
        answers.given(&Approval::deny("no"), &write("a bus"), None, &plain);
        assert!(!asked(&answers, &write("a train")), "nobody is asked for ever");
    }

    #[test]
    fn a_later_yes_that_lasts_holds_for_what_its_like_was_refused_for() {
        let write = |text: &str| {
            let kind = ActionKind::TypeText { text: text.into(), submit: false, clear: true };
            Action { kind, ..typing(1, "sh", 10) }
        };
        let plain = Stakes::default();
        let scope = Scope::of(&write("a bus"), &[], &plain).unwrap();
        let mut answers = Answers::default();
        answers.given(&Approval::deny("no"), &write("a car"), Some(&scope), &plain);
        let of = |answers: &Answers, text: &str| {
            answers.earlier(&write(text), Some(&scope), &plain, Instant::now())
        };
        assert_eq!(of(&answers, "a bus"), Earlier::Refused);
        answers.given(&Approval::Run, &write("a bus"), Some(&scope), &plain);
        assert_eq!(of(&answers, "a train"), Earlier::Answer(Approval::Run));
        assert!(
            matches!(of(&answers, "A car"), Earlier::Answer(Approval::Deny { .. })),
            "itself stays refused"
        );
    }
}
