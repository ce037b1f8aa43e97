//! Sets of rules on top of each other. Each layer can only narrow what the others allow: the
//! strictest decision holds, the built-in rules come first, and with no other layer nothing is
//! allowed.

use freehand_tools::action::Action;
use freehand_tools::element::WindowId;
use freehand_tools::gate::{Decision, Evaluation, Policy, Stakes};

use crate::builtin;
use crate::risk::stakes;

/// The built-in rules and any number of policies, of which the strictest holds.
#[derive(Debug)]
pub struct Layers {
    policies: Vec<Box<dyn Policy>>,
    own: Vec<WindowId>,
}

impl Layers {
    /// These policies, under the built-in rules.
    pub fn new(policies: Vec<Box<dyn Policy>>) -> Self {
        Self { policies, own: Vec::new() }
    }

    /// Keeps Freehand's hands off `windows` too: those through which it talks to the person.
    #[must_use]
    pub fn sparing(mut self, windows: Vec<WindowId>) -> Self {
        self.own.extend(windows);
        self
    }
}

impl Policy for Layers {
    fn evaluate(&self, action: &Action) -> Evaluation {
        let judged = self.policies.iter().map(|policy| policy.evaluate(action));
        let Some(evaluation) = judged.reduce(Evaluation::and) else {
            return Evaluation::by(Decision::Deny, "built-in:no-policy", "no policy is loaded");
        };
        match builtin::forbids(action, &self.own) {
            Some(reason) => {
                Evaluation { decision: Decision::Deny, reasons: vec![reason] }.and(evaluation)
            }
            None => evaluation,
        }
    }

    fn stakes(&self, action: &Action) -> Stakes {
        stakes(action)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::arbitrary::{action, decision};
    use crate::preset::{DisplayTrust, Preset};

    /// Says the same of everything.
    #[derive(Debug, Clone, Copy)]
    struct Always(Decision);

    impl Policy for Always {
        fn evaluate(&self, _: &Action) -> Evaluation {
            Evaluation::by(self.0, "test", "always")
        }
    }

    fn layers(decisions: &[Decision]) -> Layers {
        Layers::new(decisions.iter().map(|d| Box::new(Always(*d)) as Box<dyn Policy>).collect())
    }

    fn any_preset() -> impl Strategy<Value = (Preset, DisplayTrust)> {
        let display = [DisplayTrust::Own, DisplayTrust::Vouched, DisplayTrust::Users];
        (prop::sample::select(Preset::ALL.to_vec()), prop::sample::select(display.to_vec()))
    }

    proptest! {
        #[test]
        fn another_layer_never_loosens(
            action in action(),
            below in prop::collection::vec(decision(), 1..4),
            more in decision(),
        ) {
            let before = layers(&below).evaluate(&action).decision;
            let all: Vec<Decision> = below.iter().copied().chain([more]).collect();
            let after = layers(&all).evaluate(&action).decision;
            prop_assert!(after >= before && after >= more);
        }

        #[test]
        fn another_layer_never_loosens_a_preset(
            action in action(),
            (preset, display) in any_preset(),
            more in decision(),
        ) {
            let before = preset.policy(display).evaluate(&action).decision;
            let both = Layers::new(vec![preset.policy(display), Box::new(Always(more))]);
            prop_assert!(both.evaluate(&action).decision >= before);
        }

        #[test]
        fn no_layer_lifts_the_built_in_rules(action in action(), above in decision()) {
            let decision = layers(&[above]).evaluate(&action).decision;
            let forbidden = builtin::forbids(&action, &[]).is_some();
            prop_assert_eq!(decision == Decision::Deny, forbidden || above == Decision::Deny);
        }

        #[test]
        fn without_a_layer_nothing_is_allowed(action in action()) {
            prop_assert_eq!(layers(&[]).evaluate(&action).decision, Decision::Deny);
        }

        #[test]
        fn sparing_a_window_never_loosens(action in action(), id in 0_u64..4) {
            let before = layers(&[Decision::Allow]).evaluate(&action).decision;
            let spared = layers(&[Decision::Allow]).sparing(vec![WindowId(id)]);
            prop_assert!(spared.evaluate(&action).decision >= before);
        }
    }
}
