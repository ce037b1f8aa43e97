use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::trajectory::sample::{clicking, header};

fn read_bytes(bytes: &[u8]) -> Result<Trajectory, AgentError> {
    let (mut reader, header) = Reader::new(bytes, "t.jsonl".into())?;
    reader.rest(header)
}

fn lines(values: &[serde_json::Value]) -> Vec<u8> {
    values.iter().flat_map(|value| format!("{value}\n").into_bytes()).collect()
}

#[test]
fn what_is_wrong_is_named_by_its_line() {
    let head = json!(header("task"));
    let step = json!(clicking(1));
    let exit = json!({"exit": "interrupted"});
    let garbage = json!({"index": "one"});
    for (name, bytes, expected) in [
        ("empty", Vec::new(), "line 1: it is empty"),
        ("newer", lines(&[json!({"format": 9, "goal": "other fields"})]), "line 1: it has format 9"),
        ("no header", lines(std::slice::from_ref(&step)), "line 1: missing field `format`"),
        (
            "bad step",
            lines(&[head.clone(), step.clone(), garbage.clone(), step.clone()]),
            "line 3: invalid type",
        ),
        ("bad last line", lines(&[head.clone(), garbage]), "line 2: invalid type"),
        (
            "bad exit",
            lines(&[head.clone(), json!({"exit": "bored"})]),
            "line 2: unknown variant `bored`",
        ),
        ("after the end", lines(&[head.clone(), exit.clone(), step.clone()]), "line 3: a line follows"),
        (
            "no UTF-8",
            [lines(std::slice::from_ref(&head)), vec![b'"', 0xff, b'"', b'\n']].concat(),
            "line 2: ",
        ),
        (
            "deep",
            [lines(std::slice::from_ref(&head)), [b"[".repeat(100_000), b"\n".to_vec()].concat()]
                .concat(),
            "line 2: ",
        ),
    ] {
        let error = read_bytes(&bytes).unwrap_err().to_string();
        assert!(error.contains("t.jsonl") && error.contains(expected), "{name}: {error}");
    }
    let torn = [lines(&[head, step, exit]), vec![b'{', 0xff, 0]].concat();
    assert_eq!(read_bytes(&torn).unwrap().exit, Some(Exit::Interrupted));
}

#[test]
fn a_line_has_a_bound() {
    let endless = std::io::repeat(b'a');
    let error = Reader::new(endless, "t.jsonl".into()).unwrap_err().to_string();
    assert!(error.contains("line 1: it is longer than 32 MB"), "{error}");
}

#[test]
fn a_missing_file_is_named() {
    let error = read(Path::new("no/such/folder")).unwrap_err();
    assert!(matches!(error, AgentError::Unreadable { .. }), "{error:?}");
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_named(mut bytes in proptest::collection::vec(any::<u8>(), 0..300), begun: bool) {
        if begun {
            bytes = [lines(&[json!(header("task"))]), bytes].concat();
        }
        match read_bytes(&bytes) {
            Ok(_) | Err(AgentError::BadTrajectory { .. }) => {}
            Err(error) => prop_assert!(false, "{error:?}"),
        }
    }

    #[test]
    fn a_flipped_byte_is_no_panic(at in 0usize..3_000, to in any::<u8>()) {
        let mut bytes = lines(&[json!(header("task")), json!(clicking(1)), json!({"exit": "interrupted"})]);
        let at = at % bytes.len();
        bytes[at] = to;
        let _ = read_bytes(&bytes);
    }
}
