//! What an answer is good for besides the one action that it was given to. A yes reaches as little as
//! can be: the same effects in the same program, under the rules that were shown. A no reaches as far
//! as a model could get by saying the same in other words.

use std::collections::BTreeSet;
use std::mem::discriminant;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::action::{Action, ActionKind, EffectClass, Target};
use crate::gate::{Approval, Reason};
use crate::key::{Chord, Key, Modifier, NamedKey};

/// How near two places must be, in screen pixels, to be one where no program says what is there.
const NEAR: i32 = 24;

/// Refusals at one place after which nobody is asked about it again, whatever is meant.
const PATIENCE: usize = 3;

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

fn opened(kind: &ActionKind) -> Option<&str> {
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

/// A no that was given before.
#[derive(Debug, Clone)]
struct Refusal {
    effects: EffectClass,
    kind: ActionKind,
    target: Target,
    stakes: Stakes,
    reason: String,
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
            Approval::Run | Approval::Always => None,
            Approval::For { minutes } => {
                let minutes = u64::from((*minutes).min(Approval::LONGEST));
                Instant::now().checked_add(Duration::from_secs(60 * minutes))
            }
            Approval::Deny { reason } => {
                self.refusals.push(Refusal {
                    effects: action.effects,
                    kind: action.kind.clone(),
                    target: action.target.clone(),
                    stakes: stakes.clone(),
                    reason: reason.clone(),
                });
                return;
            }
        };
        if let Some(scope) = scope {
            self.grants.push(Grant { scope: scope.clone(), answer: answer.clone(), ends });
        }
    }

    /// The answer that was given already, if there is one. A no counts before a yes.
    pub(super) fn earlier(
        &self,
        action: &Action,
        scope: Option<&Scope>,
        stakes: &Stakes,
        now: Instant,
    ) -> Option<Approval> {
        if let Some(refusal) = self.refusals.iter().find(|refusal| refusal.covers(action, stakes)) {
            return Some(Approval::deny(format!(
                "the same was refused before in this run ({}), so nobody is asked again, however it is \
                 put; do something else",
                refusal.reason
            )));
        }
        let mut here = self.refusals.iter().filter(|refusal| refusal.is_about(action));
        if let Some(refusal) = here.nth(PATIENCE - 1) {
            return Some(Approval::deny(format!(
                "{PATIENCE} times the person refused something here ({}), so nobody is asked about this \
                 place again; do something else",
                refusal.reason
            )));
        }
        let holds = |grant: &&Grant| {
            grant.ends.is_none_or(|ends| now < ends) && scope.is_some_and(|s| grant.scope.covers(s))
        };
        self.grants.iter().find(holds).map(|grant| grant.answer.clone())
    }
}

impl Refusal {
    /// Whether `action` would do anything at all where that was refused.
    fn is_about(&self, action: &Action) -> bool {
        self.effects == action.effects
            && same_window(&self.target, &action.target)
            && same_place(&self.target, &action.target)
    }

    /// Whether `action` is what was refused, in other words.
    fn covers(&self, action: &Action, stakes: &Stakes) -> bool {
        let common = |a: &BTreeSet<String>, b: &BTreeSet<String>| !a.is_disjoint(b);
        if common(&self.stakes.anywhere, &stakes.anywhere) {
            return true;
        }
        if !same_window(&self.target, &action.target) {
            return false;
        }
        common(&self.stakes.here, &stakes.here)
            || self.effects == action.effects && self.is_same_deed(action, stakes)
    }

    fn is_same_deed(&self, action: &Action, stakes: &Stakes) -> bool {
        // Another command is another deed, and says so by what is at stake.
        if self.stakes.command.is_some() || stakes.command.is_some() {
            return self.stakes.command == stakes.command;
        }
        match action.effects {
            EffectClass::Launch => opened(&self.kind) == opened(&action.kind),
            EffectClass::Nothing => discriminant(&self.kind) == discriminant(&action.kind),
            EffectClass::Input | EffectClass::BlindInput => {
                same_place(&self.target, &action.target) && same_input(&self.kind, &action.kind)
            }
            EffectClass::ReadClipboard | EffectClass::WriteClipboard => {
                same_place(&self.target, &action.target)
            }
        }
    }
}

/// Whether one input to a place is the other in other words. Other text for a field is what a person who
/// said no may well want; a button that is pressed in another way is not.
fn same_input(one: &ActionKind, other: &ActionKind) -> bool {
    match (written(one), written(other)) {
        (Some(one), Some(other)) => one == other,
        (None, None) => match (one, other) {
            (ActionKind::PressKeys { keys: a, .. }, ActionKind::PressKeys { keys: b, .. }) => {
                a == b || presses(one) && presses(other)
            }
            (ActionKind::PressKeys { .. }, _) => presses(one),
            (_, ActionKind::PressKeys { .. }) => presses(other),
            (_, _) => true,
        },
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// What is written, by text or key by key, whatever spaces and capitals it has.
fn written(kind: &ActionKind) -> Option<String> {
    let text: String = if let ActionKind::TypeText { text, .. } = kind {
        text.clone()
    } else if let ActionKind::PressKeys { keys, .. } = kind {
        keys.chords().iter().map(letter).collect::<Option<_>>()?
    } else {
        return None;
    };
    Some(text.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect())
}

/// What a chord writes, where it is a letter.
fn letter(chord: &Chord) -> Option<char> {
    let is_plain = chord.modifiers.iter().all(|held| *held == Modifier::Shift);
    if let (Key::Char(c), true) = (chord.key, is_plain) { Some(c) } else { None }
}

/// Whether it presses what it lands on, as Enter and the space bar do.
fn presses(kind: &ActionKind) -> bool {
    let ActionKind::PressKeys { keys, .. } = kind else { return true };
    let press = |chord: &Chord| {
        chord.modifiers.is_empty()
            && matches!(chord.key, Key::Named(NamedKey::Enter | NamedKey::KpEnter | NamedKey::Space))
    };
    keys.chords().iter().all(press)
}

/// A window that was closed and opened again is the same.
fn same_window(one: &Target, other: &Target) -> bool {
    match (&one.window, &other.window) {
        (Some(one), Some(other)) => {
            one.id == other.id || (&one.app, &one.title) == (&other.app, &other.title)
        }
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

fn same_place(one: &Target, other: &Target) -> bool {
    match (&one.element, &other.element) {
        (Some(a), Some(b)) => {
            let named = !a.name.is_empty();
            a.key == b.key || named && (a.role, &a.name, &a.within) == (b.role, &b.name, &b.within)
        }
        (Some(element), None) => other.point.is_some_and(|point| element.bounds.contains(point)),
        (None, Some(element)) => one.point.is_some_and(|point| element.bounds.contains(point)),
        (None, None) => match (one.point, other.point) {
            (Some(a), Some(b)) => (a.x - b.x).abs() <= NEAR && (a.y - b.y).abs() <= NEAR,
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::action::{Basis, Button, TargetWindow};
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
        answers.earlier(then.0, Some(&scope(then)), then.1, Instant::now() + later)
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
            answers.earlier(action, None, &plain, Instant::now()).is_none()
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
}
