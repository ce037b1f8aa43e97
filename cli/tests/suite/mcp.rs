//! `freehand mcp`, with the official client of the protocol, on a real display with real programs.

use std::path::Path;
use std::process::Command;

use crate::support::Account;

#[test]
fn the_official_client_gets_what_the_guide_says() {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
    let (list, home) =
        (scripts.join("mcp.txt"), Path::new(env!("CARGO_TARGET_TMPDIR")).join("mcp-client"));
    let (wanted, mark) = (std::fs::read(&list).unwrap(), home.join("installed"));
    if std::fs::read(&mark).ok().as_ref() != Some(&wanted) {
        let pip = ["-m", "pip", "install", "--quiet", "--upgrade", "--target"];
        let installed = Command::new("python3").args(pip).arg(&home).arg("-r").arg(&list).status();
        assert!(installed.unwrap().success());
        std::fs::write(&mark, wanted).unwrap();
    }
    let account = Account::new();
    let checked = Command::new("python3")
        .arg(scripts.join("mcp_python.py"))
        .args([env!("CARGO_BIN_EXE_freehand").as_ref(), account.home.path()])
        .env("PYTHONPATH", &home)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&checked.stdout);
    assert!(checked.status.success() && said.contains("checks hold"), "{checked:?}");
}
