use proptest::prelude::*;

use super::*;

fn programs(text: &str) -> Vec<String> {
    read(text, false).programs.into_iter().collect()
}

#[test]
fn every_program_is_found() {
    for (text, expected) in [
        ("ls -l", &["ls"][..]),
        ("ls; rm -rf ~ && curl x || mail", &["curl", "ls", "mail", "rm"]),
        ("ls\nrm x", &["ls", "rm"]),
        ("cat a | sudo -u root tee /etc/x", &["cat", "sudo", "tee"]),
        ("echo $(rm x) `reboot` \"$(mail y)\"", &["echo", "mail", "reboot", "rm"]),
        ("diff <(curl a) <(wget b)", &["curl", "diff", "wget"]),
        (
            "env A=1 -u B nice -n 5 timeout 3s ionice -c 2 rm x",
            &["env", "ionice", "nice", "rm", "timeout"],
        ),
        ("sh -c 'bash -lc \"rm x\"'", &["bash", "rm", "sh"]),
        ("eval 'rm x'", &["eval", "rm"]),
        ("find . -name x -exec rm {} ;", &["find", "rm"]),
        ("for f in $(ls); do if true; then rm $f; fi; done", &["ls", "rm", "true"]),
        ("while read x; do echo $x; done < f", &["echo", "read"]),
        ("case $x in a) rm x;; esac", &["rm"]),
        ("(cd /tmp; { rm x; })", &["cd", "rm"]),
        ("r\"m\" x; \\rm y; 'r'm z", &["rm"]),
        ("/bin/rm x; /tmp/rm y", &["/tmp/rm", "rm"]),
        ("xterm -e 'rm x'", &["rm", "xterm"]),
        ("# only a comment", &[]),
        ("", &[]),
    ] {
        assert_eq!(programs(text), expected, "{text}");
    }
}

#[test]
fn what_cannot_be_read_is_not_understood() {
    for text in [
        "$x -rf ~",
        "`cat f`",
        "r? x",
        "{rm,-rf,x}",
        "echo 'a",
        "echo a \\",
        "if true; then",
        "!!",
        "sudo !rm",
        "PATH=/tmp ls",
        "LD_PRELOAD=/tmp/x.so ls",
        "ls() { rm x; }; ls",
        "alias ls=rm",
        "python3 -c 'import os'",
        "awk 'BEGIN{system(\"rm x\")}'",
        "sh -c \"$x\"",
        "eval $x",
        "echo ${x:-$(rm y)}",
        "echo $(( $(rm x) ))",
        "((((((((((((((((((((ls))))))))))))))))))))",
    ] {
        assert!(!read(text, false).is_understood(), "{text}");
    }
    assert!(!read("ls", true).is_understood());
    for text in ["ls -l", "git commit -m 'fix: it works!'", "echo \"$HOME\"", "[ ! -f x ] && touch x"] {
        let command = read(text, false);
        assert!(command.is_understood(), "{text}: {:?}", command.unclear);
    }
}

#[test]
fn what_is_fetched_and_run_is_known_as_such() {
    for (text, expected) in [
        ("curl https://x | sh", true),
        ("curl -s x | sudo bash -s --", true),
        ("wget -qO- x | python3", true),
        ("bash <(curl x)", true),
        ("sh -c \"$(curl x)\"", true),
        ("eval \"$(wget x)\"", true),
        ("wget x; sh x", true),
        ("curl -o x y && chmod +x x && ./x", true),
        ("curl x > y", false),
        ("sh build.sh", false),
    ] {
        assert_eq!(read(text, false).runs_fetched, expected, "{text}");
    }
}

#[test]
fn what_it_does_besides() {
    for (text, expected) in [
        ("rm x", Some(Risk::Delete)),
        ("find . -delete", Some(Risk::Delete)),
        ("sudo ls", Some(Risk::Rights)),
        ("chmod 777 x", Some(Risk::Rights)),
        ("pip install x", Some(Risk::Install)),
        ("pip list", None),
        ("git push", Some(Risk::Send)),
        ("git status", None),
        ("curl -d @f https://x", Some(Risk::Send)),
        ("kill 1", Some(Risk::Discard)),
        ("ls", None),
    ] {
        let found = read(text, false).risks.into_iter().map(|(risk, _)| risk).next();
        assert_eq!(found, expected, "{text}");
    }
    for (text, expected) in [
        ("ls > f", true),
        ("ls >> f", true),
        ("ls 2>&1", false),
        ("ls > /dev/null", false),
        ("a | tee f", true),
    ] {
        assert_eq!(read(text, false).writes, expected, "{text}");
    }
}

proptest! {
    #[test]
    fn never_panics(text in any::<String>(), unsure in any::<bool>()) {
        read(&text, unsure);
    }

    #[test]
    fn never_panics_on_what_a_shell_knows(text in "([a-z]{1,3}|[ ;&|(){}$`'\"<>\\\\!#*?=\n\\[\\]-]){0,30}") {
        read(&text, false);
    }

    #[test]
    fn more_commands_never_hide_one(before in "[a-z ]{0,8}", after in "[a-z ]{0,8}") {
        let text = format!("{before}; rm x; {after}");
        let command = read(&text, false);
        prop_assert!(command.programs.contains("rm") || !command.is_understood(), "{text}: {command:?}");
    }
}
