use freehand_tools::action::{Action, ActionKind, EffectClass};
use proptest::prelude::*;

use super::*;
use crate::arbitrary::{action, display, in_window, plain, rule as any_rule};
use crate::preset::DisplayTrust;
use crate::tiers::Tiers;

fn base(source: &str) -> Result<RuleSet, PolicyError> {
    RuleSet::parse("t", Kind::Base, source, Path::new("t.cedar"))
}

fn judge(rules: &RuleSet, action: &Action) -> Evaluation {
    rules.judge(&Case::of(action, DisplayTrust::Own, &Tiers::default()).unwrap())
}

const ALLOW: &str = "@id(\"all\") @reason(\"yes\")\npermit (principal, action, resource);\n";
const ASK: &str =
    "@id(\"some\") @ask(\"why\")\npermit (principal, action == Action::\"click\", resource);\n";
const FORBID: &str = "@id(\"none\") @reason(\"no\")\nforbid (principal, action in Action::\"input\", resource)\n\
     when { resource in Application::\"xterm\" };\n";

#[test]
fn a_fault_names_file_line_and_rule() {
    for (source, parts) in [
        ("\n\npermit (principal, action, resource);", &["line 3:", "@id"][..]),
        ("@id(\"a\")\npermit (principal, action, resource);", &["line 1 in the rule `a`", "@reason"]),
        ("@id(\"a\") @ask(\" \")\npermit (principal, action, resource);", &["rule `a`", "@ask"]),
        ("@id(\"a\") @ask(\"x\")\nforbid (principal, action, resource);", &["rule `a`", "asks nobody"]),
        (
            "@id(\"a\") @resaon(\"x\")\npermit (principal, action, resource);",
            &["`@resaon` is not known"],
        ),
        ("@id(\"a\") @reason(\"x\")\npermit (principal, action);", &["line 1:"]),
        ("@id(\"a\") @reason(\"x\")\npermit (principal, action, resource)", &["line 1:"]),
        (
            "// x\n@id(\"a\") @reason(\"x\")\npermit (principal, action == Action::\"clik\", resource);",
            &["line 2 in the rule `a`", "clik"],
        ),
        (
            "@id(\"a\") @reason(\"x\")\npermit (principal, action, resource) when { context.displya == 1 };",
            &["rule `a`", "displya"],
        ),
        (
            "@id(\"a\") @reason(\"x\")\npermit (principal, action, resource)\n\
             when { resource is Element && resource.role == Role::\"buton\" };",
            &["rule `a`", "buton"],
        ),
        (
            "@id(\"a\") @reason(\"x\")\npermit (principal, action, resource) when { resource.name == \"x\" };",
            &["rule `a`", "name"],
        ),
    ] {
        let error = base(source).unwrap_err().to_string();
        assert!(error.starts_with("`t.cedar`, line "), "{error}");
        for part in parts {
            assert!(error.contains(part), "{part}: {error}");
        }
        assert!(!error.contains('\n'), "{error}");
    }
    let twice = format!("{ALLOW}{ALLOW}");
    assert!(base(&twice).unwrap_err().to_string().contains("line 3 in the rule `all`: line 1 has one"));
}

#[test]
fn the_strictest_rule_that_fits_decides() {
    let click = |app: &str| in_window(1, app, "x");
    for source in [[ALLOW, ASK, FORBID], [FORBID, ASK, ALLOW], [ASK, FORBID, ALLOW]] {
        let rules = base(&source.concat()).unwrap();
        let said = judge(&rules, &click("xterm"));
        assert_eq!(said.decision, Decision::Deny);
        assert_eq!(said.reasons, [Reason { rule: "t:none".into(), because: "no".into() }]);
        let said = judge(&rules, &click("mousepad"));
        assert_eq!(said.decision, Decision::Ask);
        assert_eq!(said.reasons[0].rule, "t:some");
        let open = plain(ActionKind::OpenApp { command: "gimp".into() }, EffectClass::Launch);
        assert_eq!(judge(&rules, &open).decision, Decision::Allow);
    }
    let said = judge(&base(ASK).unwrap(), &plain(ActionKind::ReadClipboard, EffectClass::ReadClipboard));
    assert_eq!((said.decision, said.reasons[0].rule.as_str()), (Decision::Deny, "t:no-rule"));
}

#[test]
fn a_rule_that_cannot_be_decided_denies() {
    let rules = "@id(\"sum\") @reason(\"x\") permit (principal, action, resource)\n\
                 when { 9223372036854775807 + 1 > 0 };";
    let said = judge(&base(rules).unwrap(), &in_window(1, "mousepad", "x"));
    assert_eq!(said.decision, Decision::Deny);
    assert!(said.reasons[0].because.contains("`t:sum` cannot be decided"), "{said:?}");
}

#[test]
fn a_layer_cannot_allow() {
    let layer = |source| RuleSet::parse("l", Kind::Narrowing, source, Path::new("l.cedar"));
    assert!(layer(ALLOW).unwrap_err().to_string().contains("only narrows"));
    assert_eq!(judge(&layer(FORBID).unwrap(), &in_window(1, "mousepad", "x")).decision, Decision::Allow);
    assert_eq!(judge(&layer(FORBID).unwrap(), &in_window(1, "xterm", "x")).decision, Decision::Deny);
}

#[test]
fn rules_on_what_something_stands_in_are_found() {
    let forbid =
        |scope: &str| format!("{ALLOW}@id(\"f\") @reason(\"no\") forbid (principal, action, {scope});");
    let click = in_window(7, "XTerm", "x");
    for (scope, expected) in [
        ("resource in Application::\"xterm\"", Decision::Deny),
        ("resource in Application::\"gimp\"", Decision::Allow),
        ("resource is Window in Application::\"xterm\"", Decision::Deny),
        ("resource is Element in Application::\"xterm\"", Decision::Allow),
        ("resource == Window::\"7\"", Decision::Deny),
        ("resource == Window::\"8\"", Decision::Allow),
        ("resource is Window", Decision::Deny),
    ] {
        assert_eq!(judge(&base(&forbid(scope)).unwrap(), &click).decision, expected, "{scope}");
    }
}

/// Rules of which each has a name of its own.
fn sources(rules: &[String]) -> String {
    let named = rules.iter().enumerate();
    named.map(|(i, rule)| format!("@id(\"r{i}\") {rule}")).collect::<Vec<_>>().join("\n")
}

proptest! {
    #[test]
    fn a_forbid_more_never_allows_more(
        action in action(),
        display in display(),
        rules in prop::collection::vec(any_rule(), 0..5),
        more in any_rule().prop_filter("forbids", |rule| rule.contains("forbid")),
        at in 0_usize..5,
    ) {
        let case = Case::of(&action, display, &Tiers::default()).unwrap();
        let before = base(&sources(&rules)).unwrap().judge(&case).decision;
        let mut all = rules.clone();
        all.insert(at.min(rules.len()), more);
        prop_assert!(base(&sources(&all)).unwrap().judge(&case).decision >= before);
    }

    #[test]
    fn the_order_of_rules_does_not_matter(
        action in action(),
        display in display(),
        rules in prop::collection::vec(any_rule(), 0..5).prop_shuffle(),
        turned in any::<prop::sample::Index>(),
    ) {
        let case = Case::of(&action, display, &Tiers::default()).unwrap();
        let mut other = rules.clone();
        if !other.is_empty() {
            let middle = turned.index(other.len());
            other.rotate_left(middle);
            other.reverse();
        }
        let (one, two) = (base(&sources(&rules)).unwrap(), base(&sources(&other)).unwrap());
        prop_assert_eq!(one.judge(&case).decision, two.judge(&case).decision);
    }

    #[test]
    fn an_ask_more_never_turns_an_ask_into_a_yes(
        action in action(),
        display in display(),
        rules in prop::collection::vec(any_rule(), 0..5),
        more in any_rule().prop_filter("asks", |rule| rule.contains("@ask")),
    ) {
        let case = Case::of(&action, display, &Tiers::default()).unwrap();
        let before = base(&sources(&rules)).unwrap().judge(&case).decision;
        let all: Vec<String> = rules.into_iter().chain([more]).collect();
        let after = base(&sources(&all)).unwrap().judge(&case).decision;
        prop_assert!(after != Decision::Allow || before == Decision::Allow);
    }
}
