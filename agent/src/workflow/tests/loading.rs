//! How files come in: whole, with variables from outside, and whatever they hold.

use super::*;

#[test]
fn variables_are_given_from_outside() {
    let text = "{name: x, vars: {who: , size: M}, steps: [{task: 'for ${who}'}]}";
    let mut workflow = Workflow::parse(text, Path::new("w.yaml")).unwrap();
    let message = workflow.check(&Toolbox::default()).unwrap_err().to_string();
    assert!(message.contains("--var who="), "{message}");
    let message = workflow.set("whom", "Ada").unwrap_err().to_string();
    assert!(message.contains("no variable `whom`") && message.contains("`size`, `who`"), "{message}");
    workflow.set("who", "Ada").unwrap();
    workflow.check(&Toolbox::default()).unwrap();
}

#[test]
fn a_file_is_loaded_or_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("w.yaml");
    assert!(matches!(Workflow::load(&path), Err(AgentError::Unreadable { .. })));
    std::fs::write(&path, FORM).unwrap();
    assert_eq!(Workflow::load(&path).unwrap().steps.len(), 9);
    std::fs::write(&path, [0xff, 0xfe, 0, 1]).unwrap();
    assert!(Workflow::load(&path).unwrap_err().to_string().contains("UTF-8"));
    std::fs::write(&path, "#".repeat(MAX_FILE + 1)).unwrap();
    assert!(Workflow::load(&path).unwrap_err().to_string().contains("larger than 1 MB"));
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "[a-z:\\-{}\\[\\]\"'$ \n&*!|>#,0-9]{0,80}") {
        let _ = Workflow::parse(&text, Path::new("w.yaml"));
    }
}
