//! What is at stake in an action, in words by which an answer to one question is found again for the
//! next. An effect that names its object counts wherever it comes from: a program that was refused in
//! a terminal is refused as well when the menu is to start it.

use freehand_tools::action::{Action, ActionKind};
use freehand_tools::gate::Stakes;

use super::{Findings, Risk};
use crate::place;

/// What is at stake in `action`.
pub(crate) fn stakes(action: &Action) -> Stakes {
    let found = Findings::of(action);
    let mut stakes = Stakes::default();
    for effect in &found.effects {
        let word = effect.risk.word();
        match effect.risk {
            // Where nothing is known about a place, the place itself is what counts.
            Risk::Blind => {}
            Risk::Run => {
                let programs = found.command.iter().flat_map(|command| &command.programs);
                let named: Vec<String> =
                    programs.map(|program| format!("{word} {}", base(program))).collect();
                if named.is_empty() {
                    stakes.here.insert(word.into());
                }
                stakes.anywhere.extend(named);
            }
            Risk::File => {
                stakes.anywhere.extend(found.file.iter().map(|file| format!("{word} {file}")));
            }
            Risk::Address => stakes.anywhere.extend(found.address.iter().map(|it| opened(it))),
            Risk::Send
            | Risk::Pay
            | Risk::Delete
            | Risk::Rights
            | Risk::Install
            | Risk::LogIn
            | Risk::Upload
            | Risk::Discard
            | Risk::Accept => {
                stakes.here.insert(word.into());
            }
        }
    }
    if let ActionKind::OpenUrl { url } = &action.kind {
        stakes.anywhere.insert(opened(url));
    }
    if let ActionKind::OpenApp { command } = &action.kind {
        let first = shlex::split(command).and_then(|words| words.into_iter().next());
        stakes.anywhere.extend(first.map(|program| format!("run_command {}", base(&program))));
    }
    stakes.command = found.command.map(|command| command.text);
    stakes
}

fn base(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

fn opened(address: &str) -> String {
    let host = place::host(address.trim());
    format!("open {}", if host.is_empty() { address.trim() } else { &host })
}

#[cfg(test)]
mod tests {
    use freehand_tools::setting::Entered;

    use super::*;
    use crate::arbitrary::in_window;

    fn entered(text: &str) -> Stakes {
        let mut action = in_window(1, "xterm", "sh");
        action.setting.entered = Some(Entered { text: text.into(), unsure: false });
        stakes(&action)
    }

    fn opens(kind: ActionKind) -> Stakes {
        let mut action = in_window(1, "xterm", "sh");
        action.target = freehand_tools::action::Target::default();
        action.kind = kind;
        action.effects = freehand_tools::action::EffectClass::Launch;
        stakes(&action)
    }

    #[test]
    fn the_same_deed_has_a_stake_in_common_however_it_is_put() {
        let app = |command: &str| opens(ActionKind::OpenApp { command: command.into() });
        let url = |url: &str| opens(ActionKind::OpenUrl { url: url.into() });
        for (one, other) in [
            (entered("rm -rf x"), entered("cd / && /bin/rm -r -f x")),
            (entered("rm -rf x"), app("/usr/bin/rm -rf x")),
            (url("http://evil.example/a"), url("https://evil.example/b?c")),
            (url("http://evil.example/a"), app("chromium http://evil.example/x")),
        ] {
            assert!(!one.anywhere.is_disjoint(&other.anywhere), "{one:?} {other:?}");
        }
        assert!(!entered("rm x").here.is_disjoint(&entered("find . -delete").here));
        let (ls, pwd) = (entered("ls"), entered("pwd"));
        assert!(ls.anywhere.is_disjoint(&pwd.anywhere) && ls.here.is_disjoint(&pwd.here));
        assert_eq!(ls.command.as_deref(), Some("ls"));
    }
}
