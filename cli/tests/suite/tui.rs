//! The terminal view, driven through tmux as a person would, on a real display: what stands on its screen,
//! what its keys do, and that the terminal is given back.

use std::path::PathBuf;
use std::process::{Command, Stdio};

mod pictures;

use crate::run::Server;
use crate::support::{Account, processes_with, rest, wait_for};

const COLUMNS: &str = "120";
const ROWS: &str = "36";
const LOGIN: &str = include_str!("../console/login.py");

/// A terminal with a shell in it.
struct Terminal<'a> {
    account: &'a Account,
    socket: PathBuf,
}

impl<'a> Terminal<'a> {
    fn start(account: &'a Account) -> Self {
        Self::sized(account, COLUMNS, ROWS)
    }

    fn sized(account: &'a Account, columns: &str, rows: &str) -> Self {
        let this = Self { account, socket: account.path("tmux") };
        this.tmux(&["new-session", "-d", "-x", columns, "-y", rows, "env PS1='$ ' sh"]);
        this.tmux(&["set-option", "-g", "escape-time", "0"]);
        wait_for("the shell", || this.screen().contains('$').then_some(()));
        this
    }

    fn tmux(&self, args: &[&str]) -> String {
        let mut command = Command::new("tmux");
        command.arg("-S").arg(&self.socket).args(["-f", "/dev/null"]).args(args);
        command.env_clear().env("HOME", self.account.home.path()).current_dir(self.account.home.path());
        command.env("PATH", std::env::var_os("PATH").unwrap()).env("LANG", "C.UTF-8");
        let said = command.stdin(Stdio::null()).output().unwrap();
        assert!(said.status.success(), "{args:?}: {}", String::from_utf8_lossy(&said.stderr));
        String::from_utf8_lossy(&said.stdout).into_owned()
    }

    fn types(&self, text: &str) {
        self.tmux(&["send-keys", "-l", text]);
    }

    fn press(&self, key: &str) {
        self.tmux(&["send-keys", key]);
    }

    /// Runs a command of the shell.
    fn line(&self, text: &str) {
        self.types(text);
        self.press("Enter");
    }

    fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p"])
    }

    /// Waits until these words stand there; gives the screen.
    #[track_caller]
    fn shows(&self, words: &str) -> String {
        let mut last = String::new();
        let start = std::time::Instant::now();
        while start.elapsed().as_secs() < 60 {
            last = self.screen();
            if last.contains(words) {
                return last;
            }
            rest(std::time::Duration::from_millis(50));
        }
        panic!("`{words}` does not stand there:\n{last}");
    }

    /// Waits for a question with these words, and until an answer to it counts.
    #[track_caller]
    fn asks(&self, words: &str) -> String {
        self.shows(words);
        self.shows("asks you");
        rest(std::time::Duration::from_millis(900));
        self.screen()
    }
}

impl Drop for Terminal<'_> {
    fn drop(&mut self) {
        let mut command = Command::new("tmux");
        let _ = command.arg("-S").arg(&self.socket).arg("kill-server").output();
    }
}

/// The screen with whatever another run would show otherwise taken out: the steps, in which it matters how
/// quick a program was, and the time that has passed.
fn steady(screen: &str) -> String {
    let mut within = false;
    let lines = screen.lines().map(|line| {
        // Where there is no room beside each other they stand below.
        within &= !line.starts_with('└');
        if within {
            return "│ STEPS".to_owned();
        }
        within = line.starts_with("┌ steps");
        let left = line.split("││").next().unwrap().trim_end();
        if let Some((before, _)) = left.split_once("the console: ") {
            return format!("{before}the console: ADDRESS");
        }
        match left.rsplit_once(" · ") {
            Some((before, _)) => format!("{before} · TIME"),
            None => left.to_owned(),
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn command(server: &Server, more: &str) -> String {
    let freehand = env!("CARGO_BIN_EXE_freehand");
    format!(
        "{freehand} run 'Log in' --display virtual:1000x700 --policy supervised --model {} --out r {more}; echo code $?",
        server.url
    )
}

/// A run that asks whether it may type a name.
fn asking<'a>(account: &'a Account, server: &Server) -> Terminal<'a> {
    account.write("login.py", LOGIN);
    let terminal = Terminal::start(account);
    terminal.line(&command(server, "--tui"));
    terminal.asks("login.py");
    terminal.press("y");
    terminal.asks("type \"Grace\"");
    terminal
}

/// Says whether lines are edited and letters shown, as a shell wants it; the words are not in the command.
const COOKED: &str = "stty -a | grep -q -e '-icanon' -e '-echo ' && echo r''aw || echo coo''ked";

const OPEN: &str = r#"{"tool":"open_app","args":{"name":"/usr/bin/python3 login.py journal"}}"#;
const COME: &str = r#"{"tool":"wait","args":{"window":"Sign in","timeout_ms":60000}}"#;
const NAME: &str = r#"{"tool":"type_text","args":{"target":{"label":"Name"},"text":"Grace"}}"#;
const LOG_IN: &str = r#"{"tool":"click","args":{"target":{"label":"Log in","role":"button"}}}"#;
const DONE: &str =
    r#"{"tool":"finish","args":{"status":"success","evidence":["Welcome, "],"answer":"done"}}"#;

#[test]
fn a_run_is_watched_and_steered_on_the_whole_terminal() {
    let account = Account::new();
    account.write("login.py", LOGIN);
    let server = Server::start(&[OPEN, COME, NAME, LOG_IN, DONE]);
    let terminal = Terminal::start(&account);
    terminal.line(&command(&server, ""));
    let asked = terminal.asks("login.py");
    assert!(asked.contains("y = yes, once"), "{asked}");
    terminal.press("y");
    // What is typed can be another text.
    let asked = terminal.asks("type \"Grace\"");
    insta::assert_snapshot!("question", steady(&asked));
    terminal.press("e");
    terminal.shows("the text, as it shall be: Grace");
    terminal.press("C-u");
    terminal.types("Ada");
    terminal.press("Enter");
    terminal.asks("click button \"Log in\"");
    terminal.press("l");
    let list = terminal.shows("what the model sees");
    insta::assert_snapshot!("list", steady(&list));
    assert!(list.contains("  3  type \"Ada\" into textbox \"Name\""), "{list}");
    terminal.press("i");
    terminal.types("be quick");
    terminal.press("Enter");
    terminal.shows("you: be quick");
    terminal.press("y");
    // The terminal is the shell's again, with what was done as lines.
    let after = terminal.shows("code 0");
    assert!(after.contains("click button \"Log in\""), "{after}");
    let journal = std::fs::read_to_string(account.path("journal")).unwrap();
    assert!(journal.contains("\"name\": \"Ada\""), "{journal}");
    terminal.line(COOKED);
    terminal.shows("\ncooked");
}

#[test]
fn a_no_has_a_reason_and_a_pause_holds() {
    let account = Account::new();
    let server = Server::start(&[OPEN, COME, NAME, LOG_IN]);
    let terminal = asking(&account, &server);
    terminal.press("n");
    terminal.shows("why not?");
    terminal.types("leave it empty");
    terminal.press("Enter");
    terminal.asks("click button \"Log in\"");
    let record = std::fs::read_to_string(account.path("r/trajectory.jsonl")).unwrap();
    assert!(record.contains("the person said no: leave it empty"), "{record}");
    terminal.press("p");
    terminal.press("y");
    let paused = terminal.shows("paused");
    insta::assert_snapshot!("paused", steady(&paused));
    assert!(paused.contains("g = go on"), "{paused}");
    terminal.press("q");
    terminal.shows("code 130");
    let mark = format!("HOME={}", account.home.path().display());
    drop(terminal);
    wait_for("the end of every process", || processes_with(&mark).is_empty().then_some(()));
}

/// Where the pointer of that program's display is.
fn pointer(pid: u32) -> (i32, i32) {
    let environment = std::fs::read_to_string(format!("/proc/{pid}/environ")).unwrap();
    let mut command = Command::new("xdotool");
    command.args(["getmouselocation", "--shell"]);
    let needed = |pair: &&str| pair.starts_with("DISPLAY=") || pair.starts_with("XAUTHORITY=");
    command.envs(environment.split('\0').filter(needed).filter_map(|pair| pair.split_once('=')));
    let said = String::from_utf8(command.output().unwrap().stdout).unwrap();
    let of = |name: &str| said.lines().find_map(|line| line.strip_prefix(name)?.parse().ok()).unwrap();
    (of("X="), of("Y="))
}

#[test]
fn a_virtual_display_is_taken_over_from_the_terminal() {
    let account = Account::new();
    // What was asked and not answered is asked again.
    let server = Server::start(&[OPEN, COME, NAME, NAME]);
    let terminal = asking(&account, &server);
    terminal.press("t");
    terminal.shows("mouse and keyboard are yours");
    let taken = terminal.shows("ctrl+g = give them back");
    insta::assert_snapshot!("taken_over", steady(&taken));
    // Also the keys that otherwise answer and stop.
    terminal.types("q y");
    terminal.press("Tab");
    terminal.types("open sesame");
    terminal.press("Enter");
    let journal = || std::fs::read_to_string(account.path("journal")).ok();
    let line = wait_for("the login", || journal().filter(|line| line.contains("open sesame")));
    assert!(line.contains("\"name\": \"q y\""), "{line}");
    let is_login = |pid: &u32| {
        std::fs::read_to_string(format!("/proc/{pid}/cmdline"))
            .is_ok_and(|line| line.contains("login.py"))
    };
    let mark = format!("HOME={}", account.home.path().display());
    let pid = processes_with(&mark).into_iter().find(is_login).unwrap();
    let mut places = vec![pointer(pid)];
    for (column, row) in [(10, 5), (40, 12)] {
        terminal.types(&format!("\u{1b}[<0;{column};{row}M\u{1b}[<0;{column};{row}m"));
        let before = places.last().copied();
        places.push(wait_for("the pointer", || Some(pointer(pid)).filter(|now| Some(*now) != before)));
    }
    // Thirty columns and seven rows of a screen that is 69 columns wide.
    let (across, down) = (places[2].0 - places[1].0, places[2].1 - places[1].1);
    assert!((380..500).contains(&across) && (120..260).contains(&down), "{places:?}");
    terminal.press("C-g");
    let asked = terminal.asks("type \"Grace\"");
    assert!(asked.contains("y = yes, once"), "{asked}");
    let record = std::fs::read_to_string(account.path("r/trajectory.jsonl")).unwrap();
    assert!(!record.contains("sesame"), "{record}");
    terminal.press("C-c");
    terminal.shows("code 130");
    terminal.line(COOKED);
    terminal.shows("\ncooked");
}

#[test]
fn what_the_screen_says_is_shown_and_never_obeyed() {
    let account = Account::new();
    account.write("login.py", LOGIN);
    // A title that would clear a terminal and turn its text.
    let open = r#"{"tool":"open_app","args":{"name":"/usr/bin/python3 login.py journal '\u001b[2J\u001b]0;owned\u0007\u202eevil'"}}"#;
    let server = Server::start(&[open, r#"{"tool":"wait","args":{"timeout_ms":1000}}"#]);
    let terminal = Terminal::start(&account);
    terminal.line(&command(&server, ""));
    let asked = terminal.asks("login.py");
    assert!(asked.contains("\\u{202e}evil"), "{asked}");
    assert!(asked.contains("Freehand"), "it was cleared:\n{asked}");
    terminal.press("C-c");
    terminal.shows("code 130");
}

#[test]
fn a_signal_gives_the_terminal_back() {
    for (signal, keys) in [("TERM", "x"), ("INT", "x")] {
        let account = Account::new();
        account.write("login.py", LOGIN);
        let server = Server::start(&[OPEN]);
        let terminal = Terminal::start(&account);
        terminal.line(&command(&server, ""));
        terminal.asks("login.py");
        terminal.types(keys);
        let pids = terminal.tmux(&["list-panes", "-F", "#{pane_pid}"]);
        let children = Command::new("pgrep").args(["-P", pids.trim()]).output().unwrap();
        let child = String::from_utf8_lossy(&children.stdout).trim().parse().unwrap();
        crate::support::signal(child, signal);
        terminal.shows("code 130");
        terminal.line(COOKED);
        terminal.shows("\ncooked");
    }
}

#[test]
fn a_terminal_that_goes_away_ends_the_run() {
    let account = Account::new();
    account.write("login.py", LOGIN);
    let server = Server::start(&[OPEN]);
    let terminal = Terminal::start(&account);
    terminal.line(&command(&server, ""));
    terminal.asks("login.py");
    drop(terminal);
    wait_for("the end of the run", || processes_with(&server.url).is_empty().then_some(()));
}

#[test]
fn without_a_terminal_there_is_none() {
    let account = Account::new();
    let said = account.run(&["run", "x", "--display", "virtual", "--tui"]);
    said.check(2, &["`--tui` needs a terminal"]);
    account.run(&["run", "x", "--tui", "--plain"]).check(2, &["--plain"]);
}

#[test]
fn tasks_are_begun_and_past_runs_read_on_the_whole_terminal() {
    let account = Account::new();
    account.write("login.py", LOGIN);
    let server = Server::start(&[OPEN, COME, NAME, LOG_IN, DONE]);
    let terminal = Terminal::start(&account);
    let freehand = env!("CARGO_BIN_EXE_freehand");
    terminal.line(&format!(
        "{freehand} console --display virtual:1000x700 --policy supervised --model {} --tui --no-open; echo code $?",
        server.url
    ));
    terminal.shows("ready for a task");
    terminal.press("h");
    terminal.shows("there is none yet");
    terminal.press("Escape");
    terminal.press("i");
    terminal.shows("what is to be done?");
    terminal.types("Log in");
    terminal.press("Enter");
    for question in ["login.py", "type \"Grace\"", "click button \"Log in\""] {
        terminal.asks(question);
        terminal.press("y");
    }
    let finished = terminal.shows("done: on the screen: Welcome,");
    insta::assert_snapshot!("finished", steady(&finished));
    terminal.press("h");
    let past = terminal.shows("past runs");
    let row = past.lines().find(|line| line.contains("Log in") && line.contains("steps")).unwrap();
    assert!(row.contains("done") && row.starts_with("│20"), "{past}");
    terminal.press("Enter");
    let opened = terminal.shows("a past run");
    for words in ["type \"Grace\" into textbox \"Name\"", "done: on the screen", "policy supervised"] {
        assert!(opened.contains(words), "`{words}` is missing:\n{opened}");
    }
    terminal.press("Escape");
    terminal.shows("Enter = open");
    terminal.press("Escape");
    terminal.shows("i = begin a task");
    terminal.press("q");
    terminal.shows("code 130");
    terminal.line(COOKED);
    terminal.shows("\ncooked");
}

#[test]
fn a_narrow_terminal_has_room_for_all_of_it() {
    let account = Account::new();
    account.write("login.py", LOGIN);
    let server = Server::start(&[OPEN, COME, NAME, LOG_IN, DONE]);
    let terminal = Terminal::sized(&account, "60", "40");
    terminal.line(&command(&server, "--tui"));
    terminal.asks("login.py");
    terminal.press("y");
    let asked = terminal.asks("type \"Grace\"");
    insta::assert_snapshot!("narrow", steady(&asked));
    assert!(asked.contains("n = no") && asked.contains("q = stop"), "{asked}");
    terminal.press("y");
    terminal.asks("click button \"Log in\"");
    terminal.press("y");
    terminal.shows("code 0");
}

#[test]
fn the_steps_of_a_script_are_its_plan() {
    let account = Account::new();
    account.write("login.py", LOGIN);
    let call = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let steps = [OPEN, COME, NAME, LOG_IN]
        .map(|text| serde_json::json!({ "do": call(text)["tool"], "args": call(text)["args"] }));
    account.write("w.yaml", &serde_json::json!({ "name": "Log in", "steps": steps }).to_string());
    let terminal = Terminal::start(&account);
    let freehand = env!("CARGO_BIN_EXE_freehand");
    terminal.line(&format!(
        "{freehand} workflow run w.yaml --display virtual:1000x700 --policy supervised --tui; echo code $?"
    ));
    terminal.asks("login.py");
    terminal.press("y");
    let asked = terminal.asks("type \"Grace\"");
    for words in ["steps of the script: 2 of 4 done", "[x] 2. wait", "[>] 3. type_text", "[ ] 4. click"]
    {
        assert!(asked.contains(words), "`{words}` is missing:\n{asked}");
    }
    terminal.press("n");
    terminal.press("Enter");
    terminal.shows("code 4");
}
