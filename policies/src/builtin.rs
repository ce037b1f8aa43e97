//! The rules that nothing lifts: what keeps secrets, what asks for a password and Freehand's own
//! windows and files are never touched. This is no [`Policy`] of its own but the first layer of [`Layers`], so
//! that nobody can take it for a whole set of rules or leave it out.
//!
//! [`Policy`]: freehand_tools::gate::Policy
//! [`Layers`]: crate::layers::Layers

use freehand_tools::action::{Action, ActionKind, EffectClass, TargetWindow};
use freehand_tools::element::WindowId;
use freehand_tools::gate::Reason;

use crate::place::{host, mentions};

/// Programs that keep secrets, by the words of their command, window class or title.
const VAULTS: &[&str] = &[
    "1password",
    "bitwarden",
    "dashlane",
    "enpass",
    "gnome-passwordsafe",
    "keepass",
    "keepass2",
    "keepassx",
    "keepassxc",
    "keepassxc-cli",
    "kwalletmanager",
    "kwalletmanager5",
    "lastpass",
    "nordpass",
    "proton pass",
    "proton-pass",
    "protonpass",
    "qtpass",
    "roboform",
];
/// The same, for words that a title may hold by chance.
const VAULT_PROGRAMS: &[&str] = &["gnome-secrets", "org.gnome.world.secrets", "seahorse"];
/// Programs that ask for a password or lock the screen.
const PROMPTS: &[&str] = &[
    "gcr-prompter",
    "gcr4-prompter",
    "gksu",
    "gnome-keyring",
    "gnome-screensaver",
    "i3lock",
    "kdesu",
    "kscreenlocker",
    "kscreenlocker_greet",
    "ksshaskpass",
    "kwalletd",
    "kwalletd5",
    "kwalletd6",
    "light-locker",
    "lxpolkit",
    "lxqt-policykit",
    "mate-screensaver",
    "pinentry",
    "pkexec",
    "polkit",
    "polkit-1",
    "slock",
    "ssh-askpass",
    "swaylock",
    "xfce4-screensaver",
    "xscreensaver",
    "xsecurelock",
    "xtrlock",
];
/// Whole titles of dialogs that ask for a password under the name of another program.
const PROMPT_TITLES: &[&str] =
    &["authenticate", "authentication required", "unlock keyring", "unlock login keyring"];

/// Folders with Freehand's own files, in parts of a path. They go by the usual places.
const OWN_FOLDERS: &[&str] = &[
    ".cache/freehand",
    ".config/freehand",
    ".freehand/",
    ".local/share/freehand",
    ".local/state/freehand",
    "/etc/freehand",
];

/// Why `action` is never allowed, whatever the policies say; `own` are windows through which Freehand
/// itself talks, for example the terminal that it was started in.
pub fn forbids(action: &Action, own: &[WindowId]) -> Option<Reason> {
    if misstates(action) {
        return Some(reason("unclear", "what it would change is not clear"));
    }
    let name = |word: &str| format!("`{word}`");
    if let ActionKind::OpenApp { command } = &action.kind {
        return by_words(command, &name(command)).or_else(|| own_file(command));
    }
    if let ActionKind::OpenUrl { url } = &action.kind {
        let host = host(url);
        return by_words(&host, &name(&host)).or_else(|| own_file(url));
    }
    if action.effects == EffectClass::Nothing {
        return None;
    }
    let texts = typed(action);
    let window = action.target.window.as_ref();
    window.and_then(|window| by_window(window, own)).or_else(|| texts.into_iter().find_map(own_file))
}

/// What an action writes, with what stands before it on the line.
fn typed(action: &Action) -> Vec<&str> {
    let entered = action.setting.entered.as_ref().map(|entered| entered.text.as_str());
    let mut text = None;
    if let ActionKind::TypeText { text: typed, .. } = &action.kind {
        text = Some(typed.as_str());
    }
    entered.into_iter().chain(text).collect()
}

/// Whether `text` names a folder of Freehand's own: its rules, its settings, its records.
fn own_file(text: &str) -> Option<Reason> {
    let text = text.to_lowercase().replace("//", "/").replace("/./", "/");
    let own = OWN_FOLDERS.iter().find(|folder| text.contains(*folder))?;
    Some(reason("own-files", format!("`{own}` holds Freehand's own settings, rules or records")))
}

fn by_window(window: &TargetWindow, own: &[WindowId]) -> Option<Reason> {
    if own.contains(&window.id) || mentions(&window.app, "freehand") {
        return Some(reason("own-window", "Freehand does not operate its own windows"));
    }
    let title = window.title.trim().to_lowercase();
    if PROMPT_TITLES.contains(&title.as_str()) {
        return Some(prompt(&format!("`{}`", window.title.trim())));
    }
    by_words(&window.app, &format!("`{}`", window.app))
        .or_else(|| {
            let found = VAULTS.iter().find(|vault| mentions(&title, vault))?;
            Some(vault(&format!("`{found}`")))
        })
        .or_else(|| own_file(&title))
}

fn by_words(text: &str, name: &str) -> Option<Reason> {
    let known = |words: &[&str]| words.iter().any(|word| mentions(text, word));
    if known(VAULTS) || known(VAULT_PROGRAMS) {
        return Some(vault(name));
    }
    known(PROMPTS).then(|| prompt(name))
}

fn vault(name: &str) -> Reason {
    reason("passwords", format!("{name} keeps passwords; Freehand never touches it"))
}

fn prompt(name: &str) -> Reason {
    reason("login", format!("{name} asks for a password or locks the screen; that is for you alone"))
}

fn reason(rule: &str, because: impl Into<String>) -> Reason {
    Reason { rule: format!("built-in:{rule}"), because: because.into() }
}

/// Whether an action says that it changes something else than its kind does.
const fn misstates(action: &Action) -> bool {
    let effects = action.effects;
    let input = matches!(effects, EffectClass::Input | EffectClass::BlindInput);
    !match &action.kind {
        ActionKind::Click { .. }
        | ActionKind::Move
        | ActionKind::Drag { .. }
        | ActionKind::Scroll { .. }
        | ActionKind::TypeText { .. }
        | ActionKind::SelectOption { .. }
        | ActionKind::PressKeys { .. }
        | ActionKind::FocusWindow => input,
        ActionKind::OpenApp { .. } | ActionKind::OpenUrl { .. } => {
            matches!(effects, EffectClass::Launch)
        }
        ActionKind::ReadClipboard => matches!(effects, EffectClass::ReadClipboard),
        ActionKind::WriteClipboard { .. } => matches!(effects, EffectClass::WriteClipboard),
        ActionKind::Wait { .. }
        | ActionKind::Zoom { .. }
        | ActionKind::Note { .. }
        | ActionKind::AskUser { .. }
        | ActionKind::Finish { .. } => matches!(effects, EffectClass::Nothing),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arbitrary::{in_window, plain};

    fn rule(action: &Action) -> Option<String> {
        forbids(action, &[WindowId(7)]).map(|reason| reason.rule)
    }

    #[test]
    fn windows_that_are_never_touched() {
        for (app, title, expected) in [
            ("KeePassXC", "x", Some("built-in:passwords")),
            ("org.keepassxc.KeePassXC", "x", Some("built-in:passwords")),
            ("firefox", "Bitwarden Web Vault - Mozilla Firefox", Some("built-in:passwords")),
            ("Seahorse", "Passwords and Keys", Some("built-in:passwords")),
            ("firefox", "The seahorse, a fish", None),
            ("Polkit-gnome-authentication-agent-1", "Authenticate", Some("built-in:login")),
            ("Gcr-prompter", "", Some("built-in:login")),
            ("some-shell", " Authentication Required ", Some("built-in:login")),
            ("i3lock", "i3lock", Some("built-in:login")),
            ("pinentry-gtk-2", "", Some("built-in:login")),
            ("freehand", "approve", Some("built-in:own-window")),
            ("mousepad", "Untitled 1 - Mousepad", None),
            ("firefox", "Freehand drawing - Mozilla Firefox", None),
            ("", "", None),
        ] {
            assert_eq!(rule(&in_window(1, app, title)).as_deref(), expected, "{app} / {title}");
        }
        assert_eq!(rule(&in_window(7, "xterm", "shell")).as_deref(), Some("built-in:own-window"));
    }

    #[test]
    fn programs_that_are_never_started() {
        for (command, denied) in [
            ("keepassxc", true),
            ("/usr/bin/KeePassXC --minimized", true),
            ("flatpak run com.bitwarden.desktop", true),
            ("sh -c '1password'", true),
            ("pkexec mousepad", true),
            ("gnome-keyring-daemon", true),
            ("mousepad notes.txt", false),
            ("unlock", false),
        ] {
            let action = plain(ActionKind::OpenApp { command: command.into() }, EffectClass::Launch);
            assert_eq!(rule(&action).is_some(), denied, "{command}");
        }
        for (url, denied) in [
            ("https://vault.bitwarden.com/#/login", true),
            ("https://my.1password.com", true),
            ("https://example.org/?q=bitwarden", false),
        ] {
            let action = plain(ActionKind::OpenUrl { url: url.into() }, EffectClass::Launch);
            assert_eq!(rule(&action).is_some(), denied, "{url}");
        }
    }

    #[test]
    fn own_files_are_out_of_reach() {
        let typing = |text: &str| {
            let kind = ActionKind::TypeText { text: text.into(), submit: true, clear: false };
            let mut action = in_window(1, "xterm", "shell");
            action.kind = kind;
            action
        };
        let open =
            |command: &str| plain(ActionKind::OpenApp { command: command.into() }, EffectClass::Launch);
        for (action, denied) in [
            (typing("rm ~/.config/freehand/policy.cedar"), true),
            (typing("cat ~/.local/state//freehand/runs"), true),
            (typing("ls ~/.config"), false),
            (open("mousepad /etc/freehand/policy.cedar"), true),
            (open("mousepad notes.txt"), false),
            (in_window(1, "mousepad", "~/.config/freehand/config.toml - Mousepad"), true),
        ] {
            let expected = denied.then_some("built-in:own-files");
            assert_eq!(rule(&action).as_deref(), expected, "{action:?}");
        }
    }

    #[test]
    fn an_action_cannot_understate_what_it_changes() {
        let typing = ActionKind::TypeText { text: "x".into(), submit: false, clear: false };
        assert_eq!(
            rule(&plain(typing.clone(), EffectClass::Nothing)).as_deref(),
            Some("built-in:unclear")
        );
        assert_eq!(rule(&plain(typing, EffectClass::Input)), None);
        let reading = plain(ActionKind::ReadClipboard, EffectClass::WriteClipboard);
        assert_eq!(rule(&reading).as_deref(), Some("built-in:unclear"));
    }
}
