//! Lines to programs made here: one that a library speaks for, and some that do what programs should not.

use std::time::Duration;

use futures_util::future::join_all;
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use zbus::zvariant::serialized::Context;
use zbus::zvariant::{NATIVE_ENDIAN, to_bytes};
use zbus::{AuthMechanism, Connection, Guid, Message, MessageStream, message};

use super::*;

const PATIENCE: Duration = Duration::from_secs(10);

fn question<'a>(path: &'a str, body: &'a [u8]) -> Question<'a> {
    let signature = if body.is_empty() { "" } else { "is" };
    Question { path, interface: "org.a11y.atspi.Accessible", method: "GetName", signature, body }
}

/// A line, and what comes in at a program that the library for the bus speaks for.
async fn line_to_a_program() -> (Line, (Connection, MessageStream)) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let program = zbus::connection::Builder::unix_stream(theirs)
        .server(Guid::generate())
        .unwrap()
        .p2p()
        .auth_mechanism(AuthMechanism::External)
        .build();
    let (line, program) = tokio::join!(Line::over(ours), program);
    let program = program.unwrap();
    let calls = MessageStream::from(&program);
    (line.unwrap(), (program, calls))
}

/// Answers with what was asked, in handfuls and each of them from behind.
fn echo((program, calls): (Connection, MessageStream)) -> JoinHandle<()> {
    let calls = calls.filter_map(async |message| message.ok());
    let mut handfuls = Box::pin(calls.ready_chunks(10));
    tokio::spawn(async move {
        while let Some(handful) = handfuls.next().await {
            let is_call = |call: &&Message| call.message_type() == message::Type::MethodCall;
            for call in handful.iter().rev().filter(is_call) {
                let header = call.header();
                let said: (i32, String) = call.body().deserialize().unwrap_or_default();
                let path = header.path().unwrap().to_string();
                let asked = format!(
                    "{path} {} {} {said:?}",
                    header.interface().unwrap(),
                    header.member().unwrap()
                );
                if path.ends_with("none") {
                    program.reply_error(&header, "org.a.Fault", &"no").await.unwrap();
                } else {
                    program.reply(&header, &asked).await.unwrap();
                }
            }
        }
    })
}

#[tokio::test]
async fn each_question_gets_its_own_answer() {
    let (line, program) = line_to_a_program().await;
    let echo = echo(program);
    let body = to_bytes(Context::new_dbus(NATIVE_ENDIAN, 0), &(7_i32, "Üb")).unwrap();
    let asked = (0..3000).map(async |number| {
        let path = format!("/org/a11y/{number}");
        let body = if number % 2 == 0 { &body[..] } else { &[] };
        let answer: String = line.ask(&question(&path, body)).await.unwrap().read().unwrap();
        let said = if number % 2 == 0 { "(7, \"Üb\")" } else { "(0, \"\")" };
        assert_eq!(answer, format!("{path} org.a11y.atspi.Accessible GetName {said}"));
    });
    timeout(PATIENCE, join_all(asked)).await.unwrap();
    assert_eq!(line.0.0.state().open.len(), 0);
    echo.abort();
}

#[tokio::test]
async fn a_program_may_have_no_answer() {
    let (line, program) = line_to_a_program().await;
    let echo = echo(program);
    let fault = timeout(PATIENCE, line.ask(&question("/a/none", &[]))).await.unwrap();
    assert_eq!(fault.err(), Some(Fault::Refused));
    let other = timeout(PATIENCE, line.ask(&question("/a", &[]))).await.unwrap().unwrap();
    assert_eq!(other.read::<u32>(), Err(Fault::Refused), "a text is no number");
    assert!(other.read::<String>().unwrap().starts_with("/a "));
    assert_eq!(line.ask(&question("no path", &[])).await.err(), Some(Fault::Refused));
    echo.abort();
}

/// A line and what stands for a program that says what it likes once it has been greeted.
async fn line_to_nobody() -> (Line, UnixStream) {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let greet = async {
        let mut heard = [0; 64];
        let _ = theirs.read(&mut heard).await.unwrap();
        theirs.write_all(b"OK 0123456789abcdef0123456789abcdef\r\n").await.unwrap();
        let count = theirs.read(&mut heard).await.unwrap();
        assert_eq!(&heard[..count], b"BEGIN\r\n");
        theirs
    };
    let (line, theirs) = tokio::join!(Line::over(ours), greet);
    (line.unwrap(), theirs)
}

#[tokio::test]
async fn all_questions_end_when_a_program_does() {
    let (line, theirs) = line_to_nobody().await;
    let asked = join_all((0..100).map(async |_| line.ask(&question("/a", &[])).await));
    let ends = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        drop(theirs);
    };
    let (answers, ()) = timeout(PATIENCE, async { tokio::join!(asked, ends) }).await.unwrap();
    assert!(answers.iter().all(|answer| matches!(answer, Err(Fault::Broken))));
    assert_eq!(line.ask(&question("/a", &[])).await.err(), Some(Fault::Broken), "nobody is there");
}

#[tokio::test]
async fn who_talks_nonsense_is_not_listened_to() {
    let (line, mut theirs) = line_to_nobody().await;
    theirs.write_all(&[0xff; 300]).await.unwrap();
    let answer = timeout(PATIENCE, line.ask(&question("/a", &[]))).await.unwrap();
    assert_eq!(answer.err(), Some(Fault::Broken));
}

#[tokio::test]
async fn who_does_not_greet_back_gets_no_line() {
    for greeting in ["REJECTED EXTERNAL\r\n", "", "OKAY\r\n"] {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let greet = async {
            let _ = theirs.read(&mut [0; 64]).await.unwrap();
            theirs.write_all(greeting.as_bytes()).await.unwrap();
            drop(theirs);
        };
        let (line, ()) = tokio::join!(Line::over(ours), greet);
        assert!(line.is_none(), "{greeting:?}");
    }
}

#[tokio::test]
async fn what_nobody_waits_for_is_forgotten() {
    let (line, mut theirs) = line_to_nobody().await;
    let long = vec![0; 1 << 20];
    for _ in 0..100 {
        // Far more than a socket takes.
        assert!(line.ask(&question("/a", &long)).now_or_never().is_none());
    }
    let left = {
        let state = line.0.0.state();
        (state.open.len(), state.waiting.len())
    };
    assert_eq!(left, (0, 0));
    let asked = question("/the/last", &[]);
    let last = line.ask(&asked);
    let reads = async {
        let (mut heard, mut all) = (vec![0; 1 << 20], 0);
        loop {
            let count = theirs.read(&mut heard).await.unwrap();
            all += count;
            if heard[..count].windows(9).any(|part| part == b"/the/last") {
                return all;
            }
        }
    };
    tokio::select! {
        answer = last => panic!("{answer:?}"),
        count = reads => assert!(count < 20 * long.len(), "{count} bytes were still asked"),
    }
}

#[tokio::test]
async fn what_a_program_says_last_is_heard() {
    let (line, (program, mut calls)) = line_to_a_program().await;
    let asked = question("/a", &[]);
    let answers = async {
        let call = calls.next().await.unwrap().unwrap();
        program.reply(&call.header(), &"bye").await.unwrap();
        program.close().await.unwrap();
    };
    let both = async { tokio::join!(line.ask(&asked), answers) };
    let (answer, ()) = timeout(PATIENCE, both).await.unwrap();
    assert_eq!(answer.unwrap().read(), Ok("bye".to_owned()));
}

#[tokio::test]
async fn a_line_is_hung_up_with_its_last_copy() {
    let (line, mut theirs) = line_to_nobody().await;
    let copy = line.clone();
    drop(line);
    assert!(timeout(Duration::from_millis(50), theirs.read(&mut [0; 8])).await.is_err());
    drop(copy);
    assert_eq!(timeout(PATIENCE, theirs.read(&mut [0; 8])).await.unwrap().unwrap(), 0);
}
