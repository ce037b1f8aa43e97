//! What an answer of the person is good for, and what it is not: by a gate that asks about everything.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use freehand_tools::action::{Action, ActionKind};
use freehand_tools::call::ToolCall;
use freehand_tools::desktop::Desktop;
use freehand_tools::desktop::simulated::Simulated;
use freehand_tools::gate::{
    Approval, ApprovalRequest, Approver, Decision, Evaluation, Gate, Policy, Review, Scope, Stakes,
};
use freehand_tools::geometry::Size;
use freehand_tools::observation::Observation;
use freehand_tools::toolbox::Toolbox;
use serde_json::{Value, json};

/// Asks about everything; a press on `Send` sends, and the field `Locked` is out of reach.
#[derive(Debug)]
struct Careful;

fn aims_at(action: &Action, name: &str) -> bool {
    action.target.element.as_ref().is_some_and(|element| element.name == name)
}

impl Policy for Careful {
    fn evaluate(&self, action: &Action) -> Evaluation {
        let asked = Evaluation::by(Decision::Ask, "test:input", "it operates a program");
        if aims_at(action, "Locked") {
            return asked.and(Evaluation::by(Decision::Deny, "test:locked", "it is locked"));
        }
        if aims_at(action, "Send") {
            return asked.and(Evaluation::by(Decision::Ask, "test:send", "it sends"));
        }
        asked
    }

    fn stakes(&self, action: &Action) -> Stakes {
        let mut stakes = Stakes::default();
        let enters = matches!(&action.kind, ActionKind::PressKeys { keys, .. } if keys.to_string().to_lowercase() == "ctrl+enter");
        if aims_at(action, "Send") || enters {
            stakes.here.insert("send".into());
        }
        if let ActionKind::OpenUrl { url } = &action.kind {
            stakes.anywhere.insert(format!("open {}", url.split('/').nth(2).unwrap_or_default()));
        }
        stakes
    }
}

/// Gives one answer after the other, then none at all.
#[derive(Debug, Clone, Default)]
struct Person {
    answers: Arc<Mutex<VecDeque<Approval>>>,
    asked: Arc<Mutex<Vec<ApprovalRequest>>>,
}

impl Person {
    fn asked(&self) -> Vec<ApprovalRequest> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl Approver for Person {
    async fn ask(&self, request: &ApprovalRequest) -> Approval {
        self.asked.lock().unwrap().push(request.clone());
        let next = self.answers.lock().unwrap().pop_front();
        match next {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }

    async fn question(&self, question: &str) -> Option<String> {
        if question.starts_with("nobody") {
            return std::future::pending().await;
        }
        self.answers.lock().unwrap().pop_front().map(|_| "Grace".into())
    }
}

struct Stage {
    gate: Gate,
    person: Person,
    seen: Observation,
}

impl Stage {
    async fn with(answers: impl IntoIterator<Item = Approval>) -> Self {
        let mut desktop = Simulated::new(Size::new(800, 600)).window("Form", "form", |w| {
            w.place(40, 40).textbox("Name").textbox("Locked").password("Secret");
            w.button("Send").button("Other");
        });
        let person = Person::default();
        person.answers.lock().unwrap().extend(answers);
        let gate = Gate::new(vec![Box::new(Careful)], Box::new(person.clone()))
            .with_patience(Duration::from_millis(50));
        Self { gate, person, seen: desktop.observe().await.unwrap() }
    }

    async fn call(&mut self, tool: &str, args: Value) -> Review {
        let action = Toolbox::default().resolve(&ToolCall::new(tool, args), &self.seen).unwrap();
        self.gate.review(action, &self.seen).await
    }

    async fn click(&mut self, label: &str) -> Review {
        self.call("click", json!({"target": {"label": label}})).await
    }

    async fn write(&mut self, label: &str, text: &str) -> Review {
        self.call("type_text", json!({"target": {"label": label}, "text": text})).await
    }

    fn questions(&self) -> usize {
        self.person.asked().len()
    }
}

fn no() -> Approval {
    Approval::deny("the person said no")
}

fn edit(args: Value) -> Approval {
    Approval::Edit { args }
}

#[tokio::test]
async fn what_was_refused_does_not_come_back_in_other_words() {
    let mut stage = Stage::with([no(), no(), Approval::Once, no()]).await;
    assert!(stage.click("Send").await.permit.is_none());
    for (tool, args) in [
        ("click", json!({"target": {"label": "Send"}, "count": 2})),
        ("move", json!({"target": {"label": "Send"}})),
        // The same effect in the same window, by other means.
        ("press_keys", json!({"keys": "ctrl+enter"})),
    ] {
        let Ok(action) = Toolbox::default().resolve(&ToolCall::new(tool, args.clone()), &stage.seen)
        else {
            panic!("{tool} {args}");
        };
        let review = stage.gate.review(action, &stage.seen).await;
        let said = review.verdict.refusal().unwrap();
        assert!(review.permit.is_none() && review.verdict.earlier, "{tool}: {said}");
        assert!(said.contains("refused before in this run (the person said no)"), "{said}");
        assert!(said.contains("do something else"), "{said}");
    }
    assert_eq!(stage.questions(), 1);
    assert!(stage.write("Name", "Ada").await.permit.is_none());
    assert!(stage.write("Name", "a d a.").await.permit.is_none());
    assert_eq!(stage.questions(), 2, "the same text in the same field");
    assert!(stage.click("Other").await.permit.is_some());
    assert_eq!(stage.questions(), 3, "something else is asked for");
    assert!(stage.call("open_url", json!({"url": "http://evil.example/a"})).await.permit.is_none());
    assert!(stage.call("open_url", json!({"url": "http://evil.example/b"})).await.permit.is_none());
    assert_eq!(stage.questions(), 4);
}

#[tokio::test]
async fn what_heeds_the_reason_of_a_no_is_asked_again_a_few_times() {
    let instead = || Approval::no("use Grace instead");
    let mut stage = Stage::with([instead(), Approval::Run]).await;
    assert!(stage.write("Name", "Ada").await.permit.is_none());
    let again = stage.write("Name", "ada!").await;
    assert!(again.permit.is_none() && again.verdict.earlier, "the same in other words");
    assert!(stage.write("Name", "Grace").await.permit.is_some());
    let asked = stage.person.asked();
    assert_eq!(asked.len(), 2);
    assert!(asked[1].note.as_ref().unwrap().contains("you refused the like of it"));

    // Who answers with other texts for ever is not put through.
    let mut stage = Stage::with(std::iter::repeat_n(instead(), 9)).await;
    for text in ["Ada", "Alan", "Barbara", "Grace", "Edsger", "Tony"] {
        assert!(stage.write("Name", text).await.permit.is_none());
    }
    assert_eq!(stage.questions(), 3);
}

#[tokio::test]
async fn what_was_refused_with_a_reason_is_asked_again_once_something_was_changed() {
    let fill = Approval::no("fill in the name first");
    let mut stage = Stage::with([fill, Approval::Once, Approval::Once]).await;
    assert!(stage.click("Send").await.permit.is_none());
    assert!(stage.click("Send").await.permit.is_none());
    assert_eq!(stage.questions(), 1, "nothing has changed");
    assert!(stage.write("Name", "Ada").await.permit.is_some());
    assert!(stage.click("Send").await.permit.is_some());
    assert_eq!(stage.questions(), 3);

    let mut stage = Stage::with([no(), Approval::Once]).await;
    assert!(stage.click("Send").await.permit.is_none());
    assert!(stage.write("Name", "Ada").await.permit.is_some());
    assert!(stage.click("Send").await.permit.is_none());
    assert_eq!(stage.questions(), 2, "a no without a reason is one for the whole run");
}

#[tokio::test]
async fn a_no_counts_before_a_yes() {
    let mut stage = Stage::with([no(), Approval::Run]).await;
    assert!(stage.click("Other").await.permit.is_none());
    assert!(stage.write("Name", "Ada").await.permit.is_some());
    assert!(stage.write("Name", "Ada").await.permit.is_some());
    assert!(stage.click("Other").await.permit.is_none());
    assert_eq!(stage.questions(), 2);
}

#[tokio::test]
async fn leave_to_press_is_none_to_send() {
    let mut stage = Stage::with([Approval::Run, no()]).await;
    assert!(stage.click("Other").await.permit.is_some());
    assert!(stage.click("Send").await.permit.is_none());
    assert_eq!(stage.questions(), 2);
}

#[tokio::test]
async fn a_question_that_is_not_answered_is_a_refusal() {
    let mut stage = Stage::with([]).await;
    for _ in 0..10 {
        let review = stage.click("Other").await;
        assert!(review.permit.is_none());
        assert!(review.verdict.refusal().unwrap().contains("nobody answered the question in time"));
    }
    assert_eq!(stage.questions(), 1);
}

#[tokio::test]
async fn what_stands_for_good_answers_and_lifts_nothing() {
    let mut stage = Stage::with([Approval::Always, Approval::Always]).await;
    assert!(stage.click("Other").await.permit.is_some());
    let scope = stage.person.asked()[0].scope.clone().unwrap();
    let text = serde_json::to_string(&scope).unwrap();
    let kept: Scope = serde_json::from_str(&text).unwrap();
    assert_eq!(kept, scope);

    let mut later = Stage::with([no()]).await;
    later.gate = std::mem::replace(&mut later.gate, Gate::new(Vec::new(), Box::new(Person::default())))
        .knowing([kept]);
    let review = later.click("Other").await;
    assert!(review.permit.is_some() && review.verdict.earlier);
    assert_eq!(review.verdict.approval, Some(Approval::Always));
    assert!(later.write("Locked", "x").await.permit.is_none());
    assert!(later.click("Send").await.permit.is_none());
    assert_eq!(later.questions(), 1);

    // Where a secret goes is asked each time.
    assert!(stage.write("Secret", "hunter2").await.permit.is_some());
    assert!(!stage.person.asked()[1].scope.as_ref().unwrap().may_be_kept());
    stage.person.answers.lock().unwrap().push_back(Approval::Once);
    assert!(stage.write("Secret", "hunter2").await.permit.is_some());
    assert_eq!(stage.questions(), 3);
}

#[tokio::test]
async fn a_change_is_done_in_the_place_of_what_was_asked() {
    let changed = json!({"target": {"label": "Name"}, "text": "Bob"});
    let mut stage = Stage::with([edit(changed.clone())]).await;
    let review = stage.write("Name", "Ada").await;
    assert!(review.permit.is_some());
    assert_eq!(review.action.call.args, changed);
    assert_eq!(review.permit.unwrap().action().kind, review.action.kind);
    assert!(review.action.summary.contains("Bob"));
    assert_eq!(review.verdict.approval, Some(edit(changed)));
    assert_eq!(stage.questions(), 1);
}

#[tokio::test]
async fn a_change_is_judged_anew() {
    // What is denied stays so, whoever writes it.
    let locked = json!({"target": {"label": "Locked"}, "text": "x"});
    let mut stage = Stage::with([edit(locked)]).await;
    let review = stage.write("Name", "Ada").await;
    assert!(review.permit.is_none());
    assert_eq!(review.verdict.refusal().as_deref(), Some("it is locked"));

    // A rule that was not shown asks.
    let send = json!({"target": {"label": "Send"}});
    for (then, allowed) in [(Approval::Once, true), (no(), false)] {
        let mut stage = Stage::with([edit(send.clone()), then]).await;
        let review = stage.click("Other").await;
        assert_eq!(review.permit.is_some(), allowed);
        let asked = stage.person.asked();
        assert!(asked[1].note.as_ref().unwrap().contains("asks for more"));
        assert!(aims_at(&asked[1].action, "Send"));
    }
}

#[tokio::test]
async fn a_change_that_does_not_hold_is_asked_again() {
    let mut stage = Stage::with([edit(json!({"target": {"label": "Nowhere"}})), Approval::Once]).await;
    let review = stage.click("Other").await;
    assert!(review.permit.is_some() && aims_at(&review.action, "Other"));
    assert!(stage.person.asked()[1].note.as_ref().unwrap().contains("does not hold"));

    let endless = std::iter::repeat_n(edit(json!({"x": 1})), 20);
    let mut stage = Stage::with(endless).await;
    assert!(stage.click("Other").await.permit.is_none());
    assert_eq!(stage.questions(), 6);
}

#[tokio::test]
async fn the_models_question_is_put_once() {
    let mut stage = Stage::with([no()]).await;
    assert_eq!(stage.gate.question("Which name?").await.as_deref(), Some("Grace"));
    assert_eq!(stage.gate.question(" which  NAME? ").await.as_deref(), Some("Grace"));
    assert_eq!(stage.gate.question("nobody knows").await, None);
    assert_eq!(stage.gate.question("nobody knows").await, None);
}
