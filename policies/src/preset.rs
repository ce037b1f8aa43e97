//! The sets of rules that a user chooses from by name. Each is a file of Cedar that can be read, with
//! cases beside it that say what it means; nothing of it stands in the program.

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::OnceLock;

use freehand_tools::element::WindowId;
use freehand_tools::gate::Policy;

use crate::PolicyError;
use crate::layers::Layers;
use crate::rulebook::Rulebook;
use crate::rules::{Kind, RuleSet};

/// What [`Preset::Unattended`] may be called as well: the name in older records.
const SHORT: &str = "unattended";

/// A set of rules with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Preset {
    /// Looking is allowed, and nothing else.
    ObserveOnly,
    /// The steps of a workflow are done; a model may only look.
    WorkflowOnly,
    /// Looking is allowed; everything that changes something is asked for.
    Supervised,
    /// What the tiers of programs and sites cover is done; everything else is asked for.
    TrustedApps,
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

impl DisplayTrust {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Own, Self::Vouched, Self::Users];

    /// The word that a rule uses.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Vouched => "vouched",
            Self::Users => "users",
        }
    }
}

impl Preset {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::ObserveOnly, Self::Supervised, Self::Unattended, Self::TrustedApps, Self::WorkflowOnly];

    /// The name that a user writes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ObserveOnly => "observe-only",
            Self::WorkflowOnly => "workflow-only",
            Self::Supervised => "supervised",
            Self::TrustedApps => "trusted-apps",
            Self::Unattended => "unattended-in-sandbox",
        }
    }

    /// The file of its rules.
    pub const fn file(self) -> &'static str {
        match self {
            Self::ObserveOnly => "observe-only.cedar",
            Self::WorkflowOnly => "workflow-only.cedar",
            Self::Supervised => "supervised.cedar",
            Self::TrustedApps => "trusted-apps.cedar",
            Self::Unattended => "unattended-in-sandbox.cedar",
        }
    }

    /// Its rules.
    pub const fn source(self) -> &'static str {
        match self {
            Self::ObserveOnly => include_str!("../presets/observe-only.cedar"),
            Self::WorkflowOnly => include_str!("../presets/workflow-only.cedar"),
            Self::Supervised => include_str!("../presets/supervised.cedar"),
            Self::TrustedApps => include_str!("../presets/trusted-apps.cedar"),
            Self::Unattended => include_str!("../presets/unattended-in-sandbox.cedar"),
        }
    }

    /// The cases that say what it means.
    pub const fn cases(self) -> &'static str {
        match self {
            Self::ObserveOnly => include_str!("../presets/observe-only.cases.toml"),
            Self::WorkflowOnly => include_str!("../presets/workflow-only.cases.toml"),
            Self::Supervised => include_str!("../presets/supervised.cases.toml"),
            Self::TrustedApps => include_str!("../presets/trusted-apps.cases.toml"),
            Self::Unattended => include_str!("../presets/unattended-in-sandbox.cases.toml"),
        }
    }

    /// All names, for a message.
    pub(crate) fn names() -> String {
        Self::ALL.map(|preset| format!("`{preset}`")).join(", ")
    }

    /// Its rules, read.
    pub fn rules(self) -> Result<RuleSet, PolicyError> {
        static READ: [OnceLock<Result<RuleSet, PolicyError>>; Preset::ALL.len()] =
            [const { OnceLock::new() }; Preset::ALL.len()];
        let read = || RuleSet::parse(self.name(), Kind::Base, self.source(), Path::new(self.file()));
        READ.get(self as usize).map_or_else(read, |once| once.get_or_init(read).clone())
    }

    /// Its rules for `display`, under the built-in ones.
    pub fn policy(self, display: DisplayTrust) -> Box<dyn Policy> {
        self.policy_sparing(display, Vec::new())
    }

    /// The same, with the windows through which Freehand talks to the person out of reach.
    pub fn policy_sparing(self, display: DisplayTrust, own: Vec<WindowId>) -> Box<dyn Policy> {
        // A test reads all of them. Rules that could not be read would allow nothing.
        let rules = self.rules().ok().map(|rules| Rulebook::new(rules, display));
        let policies = rules.into_iter().map(|rules| Box::new(rules) as Box<dyn Policy>);
        Box::new(Layers::new(policies.collect()).sparing(own))
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
        let found = Self::ALL
            .into_iter()
            .find(|preset| preset.name() == name)
            .or_else(|| (name == SHORT).then_some(Self::Unattended));
        found.ok_or_else(|| PolicyError::UnknownPreset { name: name.into() })
    }
}

#[cfg(test)]
mod tests {
    use freehand_tools::action::Action;
    use freehand_tools::gate::Decision;
    use proptest::prelude::*;

    use super::*;
    use crate::arbitrary::{action, changes};

    const DISPLAYS: [DisplayTrust; 3] = DisplayTrust::ALL;

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
            "no policy is called `yolo`; there are `observe-only`, `supervised`, \
             `unattended-in-sandbox`, `trusted-apps`, `workflow-only`, or name a file that ends with `.cedar`"
        );
        assert_eq!("unattended".parse(), Ok(Preset::Unattended));
    }

    #[test]
    fn all_of_them_can_be_read_without_a_remark() {
        for preset in Preset::ALL {
            let rules = preset.rules().unwrap();
            assert!(!rules.rules().is_empty() && rules.warnings().is_empty(), "{:?}", rules.warnings());
        }
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
                for preset in [Preset::WorkflowOnly, Preset::Supervised, Preset::TrustedApps] {
                    prop_assert!(by(Preset::ObserveOnly) >= by(preset));
                    prop_assert!(by(preset) >= by(Preset::Unattended));
                }
                prop_assert!(by(Preset::Supervised) >= by(Preset::TrustedApps));
            }
        }
    }
}
