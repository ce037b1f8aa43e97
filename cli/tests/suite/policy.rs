//! Rules of a user's own: read, shown, tried, in force on a real display, and named in the records.

use crate::support::Account;

const TOUCH: &str = r#"{"tool":"open_app","args":{"name":"touch done.txt"}}"#;

const MINE: &str = "\
@id(\"look\") @reason(\"it changes nothing\")
permit (principal, action in Action::\"look\", resource);

@id(\"open\") @reason(\"opening is fine\")
permit (principal, action in [Action::\"open\", Action::\"open_file\"], resource);

@id(\"no-vi\") @reason(\"nobody gets out of it again\")
forbid (principal, action == Action::\"open_app\", resource in Application::\"vi\");
";

fn digest(account: &Account, args: &[&str]) -> String {
    let said = account.run(&[&["policy", "show"], args].concat());
    said.check(0, &[]);
    said.out.rsplit(": ").next().unwrap().trim().to_owned()
}

#[test]
fn the_rules_in_force_are_shown_with_their_digest() {
    let account = Account::new();
    let plain = digest(&account, &[]);
    assert_eq!(plain.len(), 64);
    assert_eq!(plain, digest(&account, &["--policy", "supervised"]));
    assert_ne!(plain, digest(&account, &["--deny", "pay"]));
    account.write(
        ".config/freehand/policy.cedar",
        "@id(\"x\") @reason(\"no\") forbid (principal, action == Action::\"pay\", resource);",
    );
    assert_ne!(plain, digest(&account, &[]));
    let said = account.run(&["policy", "show", "--allow-app", "mousepad"]);
    for part in ["// supervised: what is allowed", "// user: a layer", "Application::\"mousepad\""] {
        assert!(said.out.contains(part), "{part}: {}", said.out);
    }
    let schema = account.run(&["policy", "show", "--schema"]).out;
    assert!(schema.contains("action \"type_text\" in [\"input\"]"), "{schema}");
}

#[test]
fn a_file_of_rules_is_checked_and_tried() {
    let account = Account::new();
    account.write("mine.cedar", MINE);
    let said = account.run(&["policy", "check", "mine.cedar"]);
    assert!(said.code == Some(0) && said.out.contains("3 rules, it says what is allowed"), "{said:?}");
    account.write("bad.cedar", &MINE.replace("open_app", "open_ap"));
    account
        .run(&["policy", "check", "bad.cedar"])
        .check(2, &["`bad.cedar`, line 7 in the rule `no-vi`", "open_ap"]);
    account
        .run(&["policy", "test", "mine.cedar"])
        .check(2, &["mine.cases.toml`: there is no such file"]);
    let case = |expect: &str| {
        format!("[[case]]\nname = \"vi\"\ntool = \"open_app\"\ntext = \"vi x\"\nexpect = \"{expect}\"\n")
    };
    account.write("mine.cases.toml", &case("deny"));
    assert_eq!(account.run(&["policy", "test", "mine.cedar"]).code, Some(0));
    account.write("mine.cases.toml", &case("allow"));
    let said = account.run(&["policy", "test", "mine.cedar"]);
    said.check(2, &["1 cases came out otherwise"]);
    assert!(said.out.contains("nobody gets out of it again (mine:no-vi)"), "{}", said.out);
    assert_eq!(account.run(&["policy", "test"]).code, Some(0));
}

#[test]
fn rules_of_ones_own_hold_on_a_display() {
    let account = Account::new();
    account.write("mine.cedar", MINE);
    let doing = |more: &[&str], call: &str| {
        account.run(&[&["do", "--display", "virtual", "--policy", "mine.cedar"], more, &[call]].concat())
    };
    let open_vi = r#"{"tool":"open_app","args":{"name":"vi"}}"#;
    doing(&[], open_vi).check(4, &["nobody gets out of it again"]);
    doing(&["--deny", "open"], TOUCH).check(4, &["you forbade `open`"]);
    doing(&["--allow-app", "mousepad"], TOUCH)
        .check(4, &["only these programs may be operated: mousepad"]);
    account.write(
        ".freehand/policy.cedar",
        "@id(\"x\") @reason(\"not in this project\")\nforbid (principal, action in Action::\"open\", resource);",
    );
    doing(&[], TOUCH).check(4, &["not in this project"]);
    account.write(".freehand/policy.cedar", "permit (principal, action, resource);");
    doing(&[], TOUCH).check(2, &[".freehand/policy.cedar`, line 1", "@id"]);
    assert!(!account.path("done.txt").exists());
    std::fs::remove_file(account.path(".freehand/policy.cedar")).unwrap();
    doing(&["--allow-app", "touch"], TOUCH).check(0, &[]);
    crate::support::wait_for("the file", || account.path("done.txt").exists().then_some(()));
}

#[test]
fn a_command_typed_in_parts_is_judged_as_the_line_that_it_is() {
    let account = Account::new();
    let rules = "\
@id(\"all\") @reason(\"it is a test\")
permit (principal, action, resource);
@id(\"no-rm\") @reason(\"nothing is removed\")
forbid (principal, action == Action::\"run_command\", resource)
when { resource is Shell && resource.programs.contains(\"rm\") };
";
    account.write("no-rm.cedar", rules);
    account.write("kept.txt", "x");
    let window = r#"{"tool":"wait","args":{"window":"sh","timeout_ms":60000}}"#;
    let said = account.run(&[
        "do",
        "--display",
        "virtual",
        "--policy",
        "no-rm.cedar",
        r#"{"tool":"open_app","args":{"name":"xterm -T sh"}}"#,
        window,
        r#"{"tool":"type_text","args":{"text":"touch made.txt","submit":true}}"#,
        r#"{"tool":"type_text","args":{"text":"r"}}"#,
        r#"{"tool":"type_text","args":{"text":"m kept.txt"}}"#,
        r#"{"tool":"press_keys","args":{"keys":"Return"}}"#,
    ]);
    said.check(4, &["nothing is removed"]);
    assert!(account.path("made.txt").exists() && account.path("kept.txt").exists());
}

#[test]
fn records_name_the_rules_and_can_be_explained() {
    let account = Account::new();
    account
        .write("w.yaml", "name: open\nsteps:\n  - do: open_app\n    args: { name: touch done.txt }\n");
    let run = ["workflow", "run", "w.yaml", "--display", "virtual", "--out", "r"];
    account.run(&run).check(0, &[]);
    let record = std::fs::read_to_string(account.path("r/trajectory.jsonl")).unwrap();
    let header: serde_json::Value = serde_json::from_str(record.lines().next().unwrap()).unwrap();
    let digest = digest(&account, &["--display", "virtual"]);
    assert!(header.to_string().contains(&digest), "{header}");
    let said = account.run(&["policy", "explain", "r", "--policy", "supervised"]);
    for part in ["step 1: start `touch done.txt`", "ask", "(supervised:open)", "it would open a file"] {
        assert!(said.out.contains(part), "{part}: {said:#?}");
    }
    assert!(said.err.contains("the rules are not those of the run"), "{said:#?}");
    assert!(account.run(&["policy", "explain", "r"]).err.is_empty());
}

#[test]
fn what_was_judged_stands_in_a_log_that_cannot_be_changed_unseen() {
    let account = Account::new();
    account.run(&["do", "--display", "virtual", TOUCH]).check(0, &[]);
    account.run(&["do", "--display", "virtual", "--policy", "observe-only", TOUCH]).check(4, &[]);
    let said = account.run(&["audit", "verify"]);
    assert!(said.code == Some(0) && said.out.contains("2 entries"), "{said:#?}");
    let said = account.run(&["audit", "show", "--last", "1"]);
    assert!(
        said.out.contains("refused 2 ") && said.out.contains("(observe-only:only-look)"),
        "{said:#?}"
    );
    let path = account.path(".local/state/freehand/audit.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("done.txt", "fine.txt", 1)).unwrap();
    account.run(&["audit", "verify"]).check(2, &["line 1: it was changed"]);
    // Where nothing can be written down, nothing is done.
    std::fs::remove_file(account.path("done.txt")).unwrap();
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    account.run(&["do", "--display", "virtual", TOUCH]).check(4, &["cannot be written down"]);
    assert!(!account.path("done.txt").exists());
}

const GRANT: &str = "\
[[grant]]
what = \"whatever\"
since = \"2026-11-25\"

[grant.scope]
effects = \"launch\"
opened = \"touch done.txt\"
stakes = [\"open_file done.txt\", \"run_command touch\"]
rules = [\"supervised:open\", \"supervised:open-file\"]
";

#[test]
fn what_was_allowed_for_good_is_shown_and_taken_back() {
    let account = Account::new();
    let grants = account.write(".config/freehand/grants.toml", GRANT);
    let said = account.run(&["policy", "show"]);
    said.check(0, &[]);
    for part in ["// 1. opening just \"touch done.txt\"", "since 2026-11-25", "answers supervised:open"]
    {
        assert!(said.out.contains(part), "{part}: {}", said.out);
    }
    // Nobody is there to ask, and nobody has to be.
    let call = ["do", "--display", "virtual", "--policy", "supervised", TOUCH];
    account.run(&call).check(0, &[]);
    account.run(&["policy", "forget", "2"]).check(2, &["there is no grant 2, it holds 1"]);
    account.run(&["policy", "forget", "1"]).check(0, &[]);
    account.run(&call).check(4, &["nobody is there to ask"]);
    // A file that is not sound grants nothing.
    std::fs::write(&grants, GRANT.replace("opened =", "opened: ")).unwrap();
    account.run(&call).check(4, &["no grant holds", "grants.toml`, line 7"]);
    account.run(&["policy", "show"]).check(2, &["grants.toml`, line 7"]);
}

#[test]
fn two_policies_are_compared_over_a_record() {
    let account = Account::new();
    account.write("mine.cedar", MINE);
    let said = account.run(&["policy", "diff", "supervised", "mine.cedar"]);
    said.check(0, &[]);
    for part in ["- send, ask:", "+ no-vi, deny:", "~ open, ask:", "1 rules of `supervised`"] {
        assert!(said.out.contains(part), "{part}: {}", said.out);
    }
    account.write(
        "w.yaml",
        "name: x\nsteps:\n  - name: touch\n    do: open_app\n    args: { name: touch done.txt }\n",
    );
    account.run(&["workflow", "run", "w.yaml", "--display", "virtual", "--out", "r"]).check(0, &[]);
    let said = account.run(&["policy", "diff", "unattended", "supervised", "--run", "r"]);
    assert!(said.out.contains("allow -> ask, step 1: start `touch done.txt`"), "{}", said.out);
    assert!(said.out.contains("1 of 1 actions are judged otherwise"), "{}", said.out);
    let said = account.run(&["audit", "why", "1", "--run", "r"]);
    assert!(
        said.out.contains("allowed 1 ") && said.out.contains("(unattended-in-sandbox:own-display)"),
        "{said:#?}"
    );
    account.run(&["audit", "why", "9", "--run", "r"]).check(2, &["has no step 9; it has 1"]);
}

#[cfg(unix)]
#[test]
fn secrets_are_kept_by_name_in_a_file_of_the_account_alone() {
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt as _;
    use std::process::Stdio;

    use crate::support::Running;

    let account = Account::new();
    let set = |value: &str, more: &[&str]| {
        let mut command = account.command(&[&["secret", "set", "shop", "--in-file"], more].concat());
        command.stdin(Stdio::piped());
        let mut running = Running::start(command);
        running.child.stdin.take().unwrap().write_all(value.as_bytes()).unwrap();
        running.end()
    };
    set("hunter2\n", &[]).check(2, &["--domain"]);
    set("abc\n", &["--domain", "shop.example"]).check(2, &["fewer than 4 characters"]);
    set("a\nb c\n", &["--domain", "shop.example"]).check(2, &["line break"]);
    set("hunter2\n", &["--domain", "shop.example", "--field", "Key"]).check(0, &["{{secret:shop}}"]);
    let said = account.run(&["secret", "list"]);
    assert!(
        said.out.contains("shop  in the file, for password fields, \"Key\" of shop.example"),
        "{said:#?}"
    );
    assert!(!format!("{said:?}").contains("hunter2"));
    let file = account.path(".config/freehand/secrets.toml");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    account.run(&["secret", "list"]).check(2, &["its mode is 640", "chmod 600"]);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let broken = std::fs::read_to_string(&file).unwrap().replace("value = ", "valeu = ");
    std::fs::write(&file, broken).unwrap();
    let said = account.run(&["secret", "list"]);
    said.check(2, &["secrets.toml`, line"]);
    assert!(!said.err.contains("hunter2"));
    account.run(&["run", "log in with {{secret:bank}}"]).check(2, &[]);
}
