//! The sets of rules that a user chooses from by name. Each is a few lines on classes of effects, so
//! that its whole meaning fits into one sentence of the manual.

use std::fmt;
use std::str::FromStr;

use freehand_tools::action::{Action, EffectClass};
use freehand_tools::element::WindowId;
use freehand_tools::gate::{Decision, Evaluation, Policy};

use crate::PolicyError;
use crate::layers::Layers;

/// A set of rules with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Preset {
    /// Looking is allowed, and nothing else.
    ObserveOnly,
    /// Looking is allowed; everything that changes something is asked for.
    Supervised,
    /// Everything is allowed, on a display that may be used up.
    Unattended,
}

/// Whose display it is that would be operated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DisplayTrust {
    /// Freehand started it itself: nothing of the user's is on it.
    Own,
    /// The user's, who vouches for it with `--trust-display`.
    Vouched,
    /// The user's.
    Users,
}

impl Preset {
    /// All of them, the strictest first.
    pub const ALL: [Self; 3] = [Self::ObserveOnly, Self::Supervised, Self::Unattended];

    /// The name that a user writes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ObserveOnly => "observe-only",
            Self::Supervised => "supervised",
            Self::Unattended => "unattended",
        }
    }

    /// All names, for a message.
    pub(crate) fn names() -> String {
        Self::ALL.map(|preset| format!("`{preset}`")).join(", ")
    }

    /// Its rules for `display`, under the built-in ones.
    pub fn policy(self, display: DisplayTrust) -> Box<dyn Policy> {
        self.policy_sparing(display, Vec::new())
    }

    /// The same, with the windows through which Freehand talks to the person out of reach.
    pub fn policy_sparing(self, display: DisplayTrust, own: Vec<WindowId>) -> Box<dyn Policy> {
        let rules = Rules { preset: self, display };
        Box::new(Layers::new(vec![Box::new(rules)]).sparing(own))
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Preset {
    type Err = PolicyError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|preset| preset.name() == name);
        found.ok_or_else(|| PolicyError::UnknownPreset { name: name.into() })
    }
}

#[derive(Debug, Clone, Copy)]
struct Rules {
    preset: Preset,
    display: DisplayTrust,
}

impl Policy for Rules {
    fn evaluate(&self, action: &Action) -> Evaluation {
        let (decision, because) = match (self.preset, action.effects) {
            (Preset::ObserveOnly | Preset::Supervised, EffectClass::Nothing) => {
                (Decision::Allow, "it changes nothing".into())
            }
            (Preset::ObserveOnly, effects) => (
                Decision::Deny,
                format!(
                    "{}, and only looking is allowed; choose another --policy to act",
                    words(effects)
                ),
            ),
            (Preset::Supervised, effects) => (Decision::Ask, words(effects).into()),
            (Preset::Unattended, _) => match self.display {
                DisplayTrust::Own => (Decision::Allow, "the display is Freehand's own".into()),
                DisplayTrust::Vouched => (Decision::Allow, "you vouched for the display".into()),
                DisplayTrust::Users => (
                    Decision::Deny,
                    "nobody watches and the display is yours; work on one of Freehand's own with \
                     --display virtual, or vouch for this one with --trust-display"
                        .into(),
                ),
            },
        };
        Evaluation::by(decision, &format!("preset:{}", self.preset), because)
    }
}

const fn words(effects: EffectClass) -> &'static str {
    match effects {
        EffectClass::Nothing => "it changes nothing",
        EffectClass::Input => "it operates a program",
        EffectClass::BlindInput => "it clicks or types where nothing is known about what is there",
        EffectClass::Launch => "it opens a program or an address",
        EffectClass::ReadClipboard => "it reads the clipboard, which may hold a secret",
        EffectClass::WriteClipboard => "it replaces what is on the clipboard",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::arbitrary::{action, changes};

    const DISPLAYS: [DisplayTrust; 3] = [DisplayTrust::Own, DisplayTrust::Vouched, DisplayTrust::Users];

    fn decide(preset: Preset, display: DisplayTrust, action: &Action) -> Decision {
        preset.policy(display).evaluate(action).decision
    }

    #[test]
    fn names_go_both_ways() {
        for preset in Preset::ALL {
            assert_eq!(preset.name().parse(), Ok(preset));
        }
        assert_eq!(
            "yolo".parse::<Preset>().unwrap_err().to_string(),
            "no policy is called `yolo`; there are `observe-only`, `supervised`, `unattended`"
        );
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        use crate::arbitrary::in_window;
        let action = in_window(1, "mousepad", "Untitled");
        let refused = Preset::Unattended.policy(DisplayTrust::Users).evaluate(&action);
        assert_eq!(refused.decision, Decision::Deny);
        assert!(refused.reasons[0].because.contains("--trust-display"));
    }

    proptest! {
        #[test]
        fn observe_only_never_allows_what_changes(action in action()) {
            for display in DISPLAYS {
                let decision = decide(Preset::ObserveOnly, display, &action);
                let expected = if changes(&action) { Decision::Deny } else { Decision::Allow };
                prop_assert!(decision >= expected);
                prop_assert!(decision != Decision::Ask);
            }
        }

        #[test]
        fn supervised_never_lets_a_change_pass_unasked(action in action()) {
            for display in DISPLAYS {
                let decision = decide(Preset::Supervised, display, &action);
                prop_assert!(!changes(&action) || decision >= Decision::Ask);
            }
        }

        #[test]
        fn unattended_does_nothing_on_the_users_display(action in action()) {
            prop_assert_eq!(decide(Preset::Unattended, DisplayTrust::Users, &action), Decision::Deny);
        }

        #[test]
        fn a_stricter_preset_is_stricter(action in action()) {
            for display in [DisplayTrust::Own, DisplayTrust::Vouched] {
                let by = |preset| decide(preset, display, &action);
                prop_assert!(by(Preset::ObserveOnly) >= by(Preset::Supervised));
                prop_assert!(by(Preset::Supervised) >= by(Preset::Unattended));
            }
        }
    }
}
