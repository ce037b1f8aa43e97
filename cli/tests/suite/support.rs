//! Starts the binary in an account of its own, and waits for it with a limit.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// As long as one command may take.
const LIMIT: Duration = Duration::from_secs(120);

/// A home folder with nothing in it, and no display.
pub(crate) struct Account {
    pub(crate) home: TempDir,
}

/// What a command said and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Account {
    pub(crate) fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// A command in this account.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        self.dress(Command::new(env!("CARGO_BIN_EXE_freehand")), args)
    }

    /// The same, with a terminal on all three sides, as `script` makes one.
    pub(crate) fn at_terminal(&self, args: &[&str]) -> Command {
        let quoted = args.iter().map(|arg| format!("'{}'", arg.replace('\'', "'\\''")));
        let line = std::iter::once(env!("CARGO_BIN_EXE_freehand").to_owned()).chain(quoted);
        let line = line.collect::<Vec<_>>().join(" ");
        self.dress(Command::new("script"), &["--quiet", "--return", "--command", &line, "/dev/null"])
    }

    /// The same in a process that may write no file longer than 64 kB, which fails at the same call as
    /// a full disk and needs no rights.
    pub(crate) fn limited(&self, args: &[&str]) -> Command {
        let script = "trap '' XFSZ; ulimit -f 128; exec \"$0\" \"$@\"";
        let shell = ["-c", script, env!("CARGO_BIN_EXE_freehand")];
        self.dress(Command::new("sh"), &[&shell, args].concat())
    }

    fn dress(&self, mut command: Command, args: &[&str]) -> Command {
        command
            .args(args)
            .current_dir(self.home.path())
            .env_clear()
            .env("HOME", self.home.path())
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("LANG", "C.UTF-8")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Said {
        Running::start(self.command(args)).end()
    }
}

/// A command under way.
pub(crate) struct Running {
    pub(crate) child: Child,
    out: Listened,
    err: Listened,
}

/// What comes out of a command, while it comes.
struct Listened {
    bytes: Arc<Mutex<Vec<u8>>>,
    thread: JoinHandle<()>,
}

impl Listened {
    fn to(mut source: impl std::io::Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&bytes);
        let thread = std::thread::spawn(move || {
            let mut room = [0; 4096];
            while let Ok(count @ 1..) = source.read(&mut room) {
                heard.lock().unwrap().extend(room.iter().take(count));
            }
        });
        Self { bytes, thread }
    }

    fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().unwrap()).into_owned()
    }

    fn whole(self) -> String {
        self.thread.join().unwrap();
        String::from_utf8_lossy(&self.bytes.lock().unwrap()).into_owned()
    }
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let out = Listened::to(child.stdout.take().unwrap());
        let err = Listened::to(child.stderr.take().unwrap());
        Self { child, out, err }
    }

    /// Waits until it has said this, on either side.
    #[track_caller]
    pub(crate) fn wait_for(&self, words: &str) {
        wait_for(words, || {
            (self.out.so_far().contains(words) || self.err.so_far().contains(words)).then_some(())
        });
    }

    /// What it has said so far, on both sides.
    pub(crate) fn so_far(&self) -> String {
        self.out.so_far() + &self.err.so_far()
    }

    pub(crate) fn signal(&self, name: &str) {
        signal(self.child.id(), name);
    }

    /// Waits for the end, which must come.
    pub(crate) fn end(mut self) -> Said {
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if start.elapsed() > LIMIT {
                let _ = self.child.kill();
                panic!("no end after {LIMIT:?}: {} {}", self.out.so_far(), self.err.so_far());
            }
            pause();
        };
        Said { code: status.code(), out: self.out.whole(), err: self.err.whole() }
    }
}

impl Said {
    /// Ended with this code and said all of these on the standard error.
    #[track_caller]
    pub(crate) fn check(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:#?}");
        for part in parts {
            assert!(self.err.contains(part), "`{part}` is missing in {self:#?}");
        }
    }
}

/// Sends a signal to a process.
pub(crate) fn signal(process: u32, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &process.to_string()]).status();
    assert!(sent.unwrap().success());
}

pub(crate) fn pause() {
    rest(Duration::from_millis(50));
}

#[expect(clippy::disallowed_methods, reason = "the tests wait for other processes, outside any runtime")]
pub(crate) fn rest(time: Duration) {
    std::thread::sleep(time);
}

/// Waits until `look` finds something.
#[track_caller]
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < LIMIT, "{what} did not come");
        pause();
    }
}

/// The processes that carry a mark in their environment.
pub(crate) fn processes_with(mark: &str) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Ok(id) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
        let mut bytes = Vec::new();
        let read = std::fs::File::open(entry.path().join("environ"))
            .and_then(|mut f| f.read_to_end(&mut bytes));
        if read.is_ok() && String::from_utf8_lossy(&bytes).contains(mark) {
            found.push(id);
        }
    }
    found
}

/// The last line of a record.
pub(crate) fn last_line(folder: &Path) -> serde_json::Value {
    let text = std::fs::read_to_string(folder.join("trajectory.jsonl")).unwrap();
    serde_json::from_str(text.lines().last().unwrap()).unwrap()
}
