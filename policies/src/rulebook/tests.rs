use freehand_tools::action::{ActionKind, EffectClass};
use freehand_tools::setting::{Author, Setting};
use proptest::prelude::*;

use super::*;
use crate::arbitrary::{action, display, in_window, plain, rule};
use crate::preset::Preset;

fn preset() -> impl Strategy<Value = Preset> {
    prop::sample::select(Preset::ALL.to_vec())
}

fn narrowing(rules: &[String]) -> RuleSet {
    let named = rules.iter().enumerate().map(|(i, rule)| format!("@id(\"r{i}\") {rule}"));
    let source = named.collect::<Vec<_>>().join("\n");
    RuleSet::parse("layer", Kind::Narrowing, &source, Path::new("layer.cedar")).unwrap()
}

fn book(preset: Preset, display: DisplayTrust) -> Rulebook {
    Rulebook::new(preset.rules().unwrap(), display)
}

#[test]
fn only_these_programs_and_none_of_those_actions() {
    let book = book(Preset::Unattended, DisplayTrust::Own)
        .under(only_apps(&["Mousepad".into(), "/usr/bin/gimp".into()]).unwrap())
        .under(without(&["delete".into(), "open_url".into()]).unwrap());
    let open =
        |command: &str| plain(ActionKind::OpenApp { command: command.into() }, EffectClass::Launch);
    let url = plain(ActionKind::OpenUrl { url: "https://x.org".into() }, EffectClass::Launch);
    for (action, expected) in [
        (in_window(1, "mousepad", "x"), Decision::Allow),
        (in_window(1, "Gimp", "x"), Decision::Allow),
        (in_window(1, "xterm", "x"), Decision::Deny),
        (open("mousepad notes.txt"), Decision::Allow),
        (open("/tmp/mousepad"), Decision::Deny),
        (open("sh -c mousepad"), Decision::Deny),
        (url, Decision::Deny),
    ] {
        let said = book.evaluate(&action);
        assert_eq!(said.decision, expected, "{action:?}: {said:?}");
    }
    let error = without(&["fly".into()]).unwrap_err().to_string();
    assert!(error.contains("`fly`") && error.contains("open_url") && error.contains("delete"));
}

#[test]
fn a_name_cannot_become_a_rule() {
    let name = "x\" || true }; @id(\"y\") permit(principal,action,resource) when { \"";
    let layer = only_apps(&[name.into()]).unwrap();
    assert_eq!(layer.rules().len(), 1);
    let said =
        book(Preset::Unattended, DisplayTrust::Own).under(layer).evaluate(&in_window(1, "xterm", "x"));
    assert_eq!(said.decision, Decision::Deny);
}

#[test]
fn the_digest_names_all_that_decides() {
    let plain = book(Preset::Supervised, DisplayTrust::Own);
    let digest = plain.digest();
    assert_eq!((digest.len(), &digest), (64, &book(Preset::Supervised, DisplayTrust::Own).digest()));
    let tiers = Tiers::parse("[[app]]\nprogram = \"x\"\ntier = \"see\"\n", Path::new("t")).unwrap();
    for other in [
        book(Preset::Supervised, DisplayTrust::Users),
        book(Preset::ObserveOnly, DisplayTrust::Own),
        plain.clone().under(without(&["pay".into()]).unwrap()),
        plain.clone().with_tiers(tiers).unwrap(),
    ] {
        assert_ne!(other.digest(), digest);
    }
}

proptest! {
    #[test]
    fn a_layer_more_never_allows_more(
        action in action(),
        preset in preset(),
        display in display(),
        one in prop::collection::vec(rule().prop_filter("narrows", |rule| narrows(rule)), 0..4),
        two in prop::collection::vec(rule().prop_filter("narrows", |rule| narrows(rule)), 0..4),
    ) {
        let before = book(preset, display);
        let between = before.clone().under(narrowing(&one));
        let after = between.clone().under(narrowing(&two));
        let turned = before.clone().under(narrowing(&two)).under(narrowing(&one));
        let decide = |book: &Rulebook| book.evaluate(&action).decision;
        prop_assert!(decide(&before) <= decide(&between) && decide(&between) <= decide(&after));
        prop_assert_eq!(decide(&after), decide(&turned));
    }

    #[test]
    fn a_tier_never_allows_more_but_where_tiers_are_what_allows(
        action in action(),
        preset in preset().prop_filter("tiers", |preset| *preset != Preset::TrustedApps),
        display in display(),
        tier in prop::sample::select(vec!["see", "click", "type", "full"]),
    ) {
        let file = format!(
            "[[app]]\nprogram = \"firefox\"\ntier = \"{tier}\"\n[[app]]\nprogram = \"xterm\"\ntier = \"{tier}\"\n\
             [[site]]\ndomain = \"example.org\"\ntier = \"{tier}\"\n"
        );
        let tiers = Tiers::parse(&file, Path::new("t")).unwrap();
        let before = book(preset, display);
        let after = before.clone().with_tiers(tiers).unwrap();
        prop_assert!(after.evaluate(&action).decision >= before.evaluate(&action).decision);
    }

    /// What the screen, the model and a page say may make an action stricter and never laxer: a case of
    /// which nothing is known is the laxest of all.
    #[test]
    fn no_text_of_the_screen_widens_a_right(
        action in action(),
        preset in preset(),
        display in display(),
        summary in ".{0,30}",
        tool in ".{0,12}",
    ) {
        let book = book(preset, display);
        let said = book.evaluate(&action);
        let mut other = action.clone();
        other.summary = summary;
        other.call.tool = tool;
        prop_assert_eq!(&book.evaluate(&other), &said);
        let author = action.setting.author;
        let Setting { begun, entered, .. } = action.setting.clone();
        other.setting = Setting { author, begun, entered, ..Setting::default() };
        prop_assert!(book.evaluate(&other).decision <= said.decision);
        if let Some(window) = &mut other.target.window {
            window.title.clear();
        }
        prop_assert!(book.evaluate(&other).decision <= said.decision);
    }

    #[test]
    fn a_call_cannot_say_who_it_comes_from(action in action(), display in display()) {
        let book = Preset::WorkflowOnly.policy(display);
        let mut action = action;
        action.setting.author = Author::Agent;
        action.call.args = serde_json::json!({ "author": "workflow", "by": "person" });
        let changes = crate::arbitrary::changes(&action);
        prop_assert!(!changes || book.evaluate(&action).decision == Decision::Deny);
    }
}

fn narrows(rule: &str) -> bool {
    rule.contains("forbid") || rule.contains("@ask")
}
