//! What is known of programs by their names: which start others, which run what they are given, and
//! what some of them do that cannot be undone.

use super::Command;
use crate::risk::Risk;

/// Folders whose programs go by their name alone. A program of the same name elsewhere is another one.
const SYSTEM: &[&str] = &[
    "/bin",
    "/sbin",
    "/usr/bin",
    "/usr/sbin",
    "/usr/games",
    "/usr/local/bin",
    "/usr/local/sbin",
    "/snap/bin",
];
const SHELLS: &[&str] =
    &["ash", "bash", "csh", "dash", "fish", "ksh", "mksh", "rbash", "sh", "tcsh", "zsh"];
/// Run code of another language that is not read here.
const LANGUAGES: &[&str] = &[
    "awk", "bun", "deno", "gawk", "gdb", "guile", "irb", "java", "julia", "lua", "luajit", "mawk",
    "node", "perl", "php", "psql", "python", "python2", "python3", "r", "rscript", "ruby", "sqlite3",
    "tclsh",
];
/// Options after which code stands.
const CODE: &[&str] = &["-c", "-e", "-E", "-r", "--eval", "--command", "--execute", "-p"];
const FETCHERS: &[&str] = &[
    "aria2c", "axel", "curl", "fetch", "ftp", "http", "https", "lynx", "nc", "ncat", "netcat", "rsync",
    "scp", "sftp", "socat", "ssh", "wget", "wget2", "xh",
];
/// Start the program that stands behind their options; with the options that take a value.
const STARTERS: &[(&str, &[&str])] = &[
    ("busybox", &[]),
    ("builtin", &[]),
    ("chroot", &[]),
    ("chrt", &[]),
    ("command", &[]),
    ("dbus-run-session", &[]),
    ("doas", &["-u", "-C"]),
    ("env", &["-u", "--unset", "-C", "--chdir", "-S", "--split-string"]),
    ("exec", &["-a"]),
    ("fakeroot", &[]),
    ("firejail", &[]),
    ("flatpak-spawn", &[]),
    ("flock", &[]),
    ("gksu", &["-u"]),
    ("ionice", &["-c", "-n", "-p"]),
    ("kdesu", &["-u"]),
    ("nice", &["-n", "--adjustment"]),
    ("nohup", &[]),
    ("parallel", &["-j"]),
    ("pkexec", &["--user"]),
    ("run0", &[]),
    ("runuser", &["-u"]),
    ("script", &[]),
    ("setarch", &[]),
    ("setpriv", &[]),
    ("setsid", &[]),
    ("stdbuf", &["-i", "-o", "-e"]),
    ("strace", &["-e", "-o", "-p"]),
    ("sudo", &["-u", "-g", "-U", "-C", "-h", "-p", "-r", "-t", "-T", "-R", "-D"]),
    ("systemd-run", &["-p", "-u"]),
    ("taskset", &["-c"]),
    ("time", &["-f", "-o"]),
    ("timeout", &["-k", "-s"]),
    ("unshare", &[]),
    ("watch", &["-n"]),
    ("xargs", &["-a", "-d", "-E", "-I", "-L", "-n", "-P", "-s"]),
    ("xvfb-run", &["-s", "-n", "-e", "-f", "-p", "-w"]),
];
/// Terminals that start what stands behind this option.
const EXECUTES: &[&str] = &["-e", "-x", "--", "--command", "--execute"];

const RIGHTS: &[&str] = &[
    "chattr",
    "chgrp",
    "chmod",
    "chown",
    "crontab",
    "doas",
    "gksu",
    "gpasswd",
    "groupadd",
    "insmod",
    "iptables",
    "kdesu",
    "modprobe",
    "mount",
    "nft",
    "passwd",
    "pkexec",
    "run0",
    "runuser",
    "setcap",
    "setenforce",
    "setfacl",
    "ssh-copy-id",
    "su",
    "sudo",
    "systemctl",
    "ufw",
    "umount",
    "useradd",
    "userdel",
    "usermod",
    "visudo",
    "xhost",
];
const DELETES: &[&str] = &[
    "blkdiscard",
    "cfdisk",
    "dd",
    "fdisk",
    "gio",
    "mkfs",
    "mkswap",
    "parted",
    "rm",
    "rmdir",
    "sgdisk",
    "shred",
    "srm",
    "trash",
    "trash-put",
    "truncate",
    "unlink",
    "wipefs",
];
const INSTALLS: &[&str] = &[
    "apt", "apt-get", "aptitude", "brew", "bun", "cargo", "composer", "conda", "dnf", "dpkg", "emerge",
    "flatpak", "gem", "go", "guix", "helm", "make", "nix", "nix-env", "npm", "pacman", "pip", "pip3",
    "pipx", "pnpm", "poetry", "rpm", "snap", "uv", "yarn", "yay", "yum", "zypper",
];
/// Words after an installer that make it one.
const INSTALLING: &[&str] = &[
    "install",
    "add",
    "i",
    "-i",
    "--install",
    "-S",
    "-Syu",
    "-U",
    "-Uvh",
    "get",
    "upgrade",
    "full-upgrade",
];
const SENDS: &[&str] = &[
    "ftp", "mail", "mailx", "mutt", "nc", "ncat", "neomutt", "netcat", "rclone", "rsync", "scp",
    "sendmail", "sftp", "socat", "ssh", "swaks", "telnet", "twine",
];
/// Options with which a fetcher sends.
const SENDING: &[&str] = &[
    "-d",
    "--data",
    "--data-binary",
    "--data-raw",
    "--data-urlencode",
    "--json",
    "-F",
    "--form",
    "-T",
    "--upload-file",
    "--post-data",
    "--post-file",
    "--body-data",
    "--body-file",
];
const ENDS: &[&str] =
    &["halt", "kill", "killall", "loginctl", "pkill", "poweroff", "reboot", "shutdown", "xkill"];

/// The name that a program goes by: without its folder where that is one of the system's.
pub fn program_name(command: &str) -> String {
    match command.rsplit_once('/') {
        Some((folder, name)) if SYSTEM.contains(&folder) => name.to_owned(),
        _ => command.to_owned(),
    }
}

impl Command {
    /// Takes in a program with its words; `None` is a word that is not known yet.
    pub(super) fn start(&mut self, words: &[Option<String>], depth: usize) {
        if depth > super::NESTED {
            self.unclear.insert("it is too long or too deep to be read");
            return;
        }
        let Some((name, args)) = words.split_first() else { return };
        let Some(name) = name.as_deref().map(program_name) else {
            self.unclear.insert("which program it starts is not known before it runs");
            self.interprets = true;
            return;
        };
        // Some write `python3.11` and some `Python3`.
        let plain = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.').to_lowercase();
        let is = |list: &[&str]| list.contains(&name.as_str()) || list.contains(&plain.as_str());
        self.fetches |= is(FETCHERS);
        self.interprets |=
            is(SHELLS) || is(LANGUAGES) || name.contains('/') || is(&["eval", "source", "."]);
        self.note_risks(&name, &is, args);
        if is(SHELLS) {
            self.code_of_shell(args, depth);
        } else if is(&["eval", "trap"]) {
            self.code(args, depth);
        } else if is(&["alias", "bind", "complete", "enable", "hash"]) {
            self.unclear.insert("it changes what later commands mean");
        } else if is(LANGUAGES) && (is(&["awk", "gawk", "mawk"]) || has(args, CODE)) {
            self.unclear.insert("it holds code of another language");
        } else if is(&["find", "fd", "fdfind"]) {
            self.found(args, depth);
        } else if crate::place::is_terminal(&name) {
            let at = args.iter().position(|word| word.as_deref().is_some_and(|w| EXECUTES.contains(&w)));
            self.executed(at.and_then(|at| args.get(at + 1..)).unwrap_or_default(), depth);
        }
        if let Some((_, valued)) = STARTERS.iter().find(|(starter, _)| *starter == name) {
            self.start(behind_options(args, valued), depth + 1);
        }
        self.programs.insert(name);
    }

    fn note_risks(&mut self, name: &str, is: &dyn Fn(&[&str]) -> bool, args: &[Option<String>]) {
        let mut note = |risk| self.risks.insert((risk, name.to_owned()));
        if is(RIGHTS) {
            note(Risk::Rights);
        }
        if is(DELETES) || name.starts_with("mkfs") || (is(&["git"]) && has(args, &["clean", "reset"])) {
            note(Risk::Delete);
        }
        if is(INSTALLS) && has(args, INSTALLING) {
            note(Risk::Install);
        }
        let publishes =
            is(&["git", "cargo", "npm", "docker", "podman"]) && has(args, &["push", "publish"]);
        if is(SENDS) || publishes || (is(FETCHERS) && has(args, SENDING)) {
            note(Risk::Send);
        }
        if is(ENDS) {
            note(Risk::Discard);
        }
        self.writes |= is(&["tee", "dd", "install", "cp", "mv", "ln", "sponge"]);
    }

    /// What a shell is given with `-c`.
    fn code_of_shell(&mut self, args: &[Option<String>], depth: usize) {
        // `-lc` is `-l -c`.
        let at = args.iter().position(|word| match word.as_deref() {
            Some(word) => word.starts_with('-') && !word.starts_with("--") && word.contains('c'),
            None => true,
        });
        match at.map(|at| args.get(at + 1).cloned().flatten()) {
            Some(Some(code)) => self.read(&code, depth + 1),
            Some(None) => {
                self.unclear.insert("what a shell is given is not known before it runs");
            }
            None => {}
        }
    }

    /// All words together are a command.
    fn code(&mut self, args: &[Option<String>], depth: usize) {
        match args.iter().cloned().collect::<Option<Vec<String>>>() {
            Some(words) => self.read(&words.join(" "), depth + 1),
            None => {
                self.unclear.insert("what a shell is given is not known before it runs");
            }
        }
    }

    /// What a terminal is to start, as words or as one text for a shell.
    fn executed(&mut self, words: &[Option<String>], depth: usize) {
        match words {
            [] => {}
            [Some(text)] => self.read(text, depth + 1),
            words => self.start(words, depth + 1),
        }
    }

    fn found(&mut self, args: &[Option<String>], depth: usize) {
        if has(args, &["-delete"]) {
            self.risks.insert((Risk::Delete, "find".into()));
        }
        for (i, word) in args.iter().enumerate() {
            let runs = ["-exec", "-execdir", "-ok", "-okdir", "-x", "-X", "--exec", "--exec-batch"];
            if word.as_deref().is_some_and(|word| runs.contains(&word)) {
                self.start(args.get(i + 1..).unwrap_or_default(), depth + 1);
            }
        }
    }
}

fn has(args: &[Option<String>], words: &[&str]) -> bool {
    args.iter().flatten().any(|arg| {
        let bare = arg.split('=').next().unwrap_or_default();
        words.contains(&arg.as_str()) || words.contains(&bare)
    })
}

/// The words from the program on that a starter starts.
fn behind_options<'a>(args: &'a [Option<String>], valued: &[&str]) -> &'a [Option<String>] {
    let mut at = 0;
    while let Some(Some(word)) = args.get(at) {
        let is_number =
            word.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 's' | 'm' | 'h' | '%'))
                && word.starts_with(|c: char| c.is_ascii_digit());
        let is_setting = word.split_once('=').is_some_and(|(name, _)| !name.contains('/'));
        if valued.contains(&word.as_str()) {
            at += 2;
        } else if word.starts_with('-') || is_setting || is_number {
            at += 1;
        } else {
            break;
        }
    }
    args.get(at..).unwrap_or_default()
}
