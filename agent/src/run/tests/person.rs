//! What the person does while a model thinks, and what comes of it.

use std::sync::Arc;

use freehand_tools::desktop::simulated::SimEvent;

use super::*;
use crate::supervision::{Asked, Command, Extent, Hub, Pace, Steering, Wait, Watched};
use crate::trajectory::Intervention;
use crate::trajectory::reader::Reader;

/// What the person does at the beginning of a thought, by its number from 0.
type During = Arc<dyn Fn(usize) + Send + Sync>;

/// Answers from a script, while the person does something.
struct Beside(Scripted, During);

impl std::fmt::Debug for Beside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

#[async_trait]
impl Model for Beside {
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    async fn complete(
        &self,
        prompt: &Prompt,
        sink: &mut dyn TokenSink,
    ) -> Result<Completion, ModelError> {
        (self.1)(self.0.asked().len());
        self.0.complete(prompt, sink).await
    }

    async fn choose(&self, prompt: &Prompt, options: &[String]) -> Result<Preference, ModelError> {
        self.0.choose(prompt, options).await
    }
}

/// Everything is asked.
#[derive(Debug)]
struct Ask;

impl Policy for Ask {
    fn evaluate(&self, _: &Action) -> Evaluation {
        Evaluation::by(Decision::Ask, "test", "it is a test")
    }
}

struct Beheld {
    exit: Exit,
    prompts: Vec<String>,
    steps: Vec<Step>,
    clicks: usize,
}

/// A run beside `hub` that a person steers in `during`.
async fn beheld(hub: &Hub, policy: Box<dyn Policy>, answers: &[&str], during: During) -> Beheld {
    let model = Beside(Scripted::new(answers.iter().copied()), during);
    let mut desktop = form();
    let folder = tempfile::tempdir().unwrap();
    let header = crate::trajectory::Header {
        format: crate::trajectory::FORMAT,
        task: "Save it".into(),
        until: None,
        model: "script".into(),
        dialect: "tools".into(),
        policy: "test".into(),
        policy_digest: String::new(),
        display: "simulated".into(),
        started_ms: 0,
    };
    hub.event(Event::Started { header: header.clone() });
    let mut recorder = Recorder::create(&folder.path().join("r"), header).unwrap();
    let stop = Stop::default();
    hub.stops(stop.clone());
    let mut gate = Gate::new(vec![policy], Box::new(Asked::through(hub.clone())));
    let mut run = Run {
        desktop: &mut desktop,
        toolbox: &Toolbox::default(),
        gate: &mut gate,
        model: &model,
        dialect: &Tools,
        recorder: &mut recorder,
        listener: hub,
        limits: Limits { steps: 6, ..Limits::default() },
        until: None,
        apps: &[],
        stop,
        person: Presence::default().steered_by(hub.steering().clone()),
    };
    let exit = run.task("Save it", &[]).await.unwrap();
    let (mut reader, _) = Reader::open(&folder.path().join("r")).unwrap();
    let mut steps = Vec::new();
    while let Some(entry) = reader.entry().unwrap() {
        if let crate::trajectory::reader::Entry::Step(step) = entry {
            steps.push(*step);
        }
    }
    assert!(model.0.asked().iter().all(|asked| asked.thinking == Limits::default().thinking));
    let prompts = model.0.asked().iter().map(|asked| asked.turns.last().unwrap().text.clone()).collect();
    let is_click = |event: &&SimEvent| matches!(event, SimEvent::Clicked { .. });
    let clicks = desktop.events().iter().filter(is_click).count();
    Beheld { exit, prompts, steps, clicks }
}

/// A form whose button says that it was pressed.
fn form() -> Simulated {
    let form = Simulated::new(Size::new(640, 480)).window("Form", "form", |w| {
        w.textbox("Name").button("Save");
    });
    form.on_click("Save", |then| {
        then.open("Thanks", "form", |w| {
            w.label("It is saved");
        });
    })
}

fn hub() -> Hub {
    Hub::new("s", Steering::default())
}

/// A run in which nothing is asked and the person does something at the beginning of the first thought.
async fn steered(answers: &[&str], act: impl Fn(&Hub) + Send + Sync + 'static) -> Beheld {
    let hub = hub();
    let steers = hub.clone();
    let during = Arc::new(move |thought| {
        if thought == 0 {
            act(&steers);
        }
    });
    beheld(&hub, Box::new(Open), answers, during).await
}

fn after(time: Duration, then: impl FnOnce() + Send + 'static) {
    tokio::spawn(async move {
        tokio::time::sleep(time).await;
        then();
    });
}

const SOON: Duration = Duration::from_millis(80);

#[tokio::test]
async fn what_is_thought_when_it_is_paused_is_not_done() {
    let beheld = steered(&[CLICK, CLICK, FINISH], |steers| {
        steers.command(Command::Pause, "a").unwrap();
        let steers = steers.clone();
        after(SOON, move || {
            assert_eq!(steers.state().waiting, Some(Wait::Resume));
            steers.command(Command::Resume, "a").unwrap();
        });
    })
    .await;
    assert!(matches!(beheld.exit, Exit::Done { .. }), "{:?}", beheld.exit);
    assert_eq!(beheld.prompts.len(), 3);
    assert_eq!(beheld.clicks, 1);
}

#[tokio::test]
async fn a_step_is_one_step() {
    let beheld = steered(&[CLICK, FINISH], |steers| {
        steers.command(Command::Step, "a").unwrap();
        let steers = steers.clone();
        after(SOON * 20, move || {
            let state = steers.state();
            assert_eq!((state.pace, state.waiting), (Pace::Paused, Some(Wait::Resume)));
            steers.command(Command::Resume, "a").unwrap();
        });
    })
    .await;
    assert!(matches!(beheld.exit, Exit::Done { .. }), "{:?}", beheld.exit);
}

#[tokio::test]
async fn what_the_person_says_is_in_the_next_question_and_in_the_record() {
    let beheld = steered(&["what?", CLICK, FINISH], |steers| {
        steers.command(Command::Say { text: "and be quick".into() }, "a").unwrap();
    })
    .await;
    assert!(!beheld.prompts[0].contains("be quick"), "{}", beheld.prompts[0]);
    assert!(beheld.prompts[1].contains("The person adds: and be quick"), "{}", beheld.prompts[1]);
    let said = Intervention::Said { text: "and be quick".into() };
    assert_eq!(beheld.steps[1].interventions, [said]);
}

#[tokio::test]
async fn while_the_person_has_the_desktop_nothing_is_seen_and_afterwards_it_is_told() {
    let beheld = steered(&[CLICK, CLICK, FINISH], |steers| {
        steers.command(Command::TakeOver, "a").unwrap();
        assert!(!steers.is_handed_over(), "before the run stands still");
        let steers = steers.clone();
        after(SOON, move || {
            assert!(steers.is_handed_over());
            steers.command(Command::GiveBack, "a").unwrap();
            assert!(!steers.is_handed_over());
        });
    })
    .await;
    assert!(matches!(beheld.exit, Exit::Done { .. }), "{:?}", beheld.exit);
    assert_eq!(beheld.clicks, 1);
    assert!(beheld.prompts[1].contains("the person took over"), "{}", beheld.prompts[1]);
    assert_eq!(beheld.steps[0].interventions, [Intervention::TookOver]);
}

const GIVEN_UP: &str =
    r#"{"tool":"finish","args":{"status":"success","answer":"not saved","evidence":["Save"]}}"#;

#[tokio::test]
async fn a_reason_for_no_is_read_by_the_model() {
    let hub = hub();
    let answers = hub.clone();
    tokio::spawn(async move {
        let mut updates = answers.join(None);
        let mut asked = 0;
        while asked < 2 {
            updates.next().await;
            let Some(question) = answers.state().question else { continue };
            asked += 1;
            let question = question.number;
            let command = if asked == 1 {
                Command::Deny { question, reason: "save it elsewhere".into() }
            } else {
                Command::Approve { question, extent: Extent::default() }
            };
            answers.command(command, "a").unwrap();
        }
    });
    let beheld = beheld(&hub, Box::new(Ask), &[CLICK, GIVEN_UP], Arc::new(|_| ())).await;
    assert!(matches!(beheld.exit, Exit::Done { .. }), "{:?}", beheld.exit);
    assert!(beheld.prompts[1].contains("save it elsewhere"), "{}", beheld.prompts[1]);
}

#[tokio::test]
async fn at_a_watched_place_it_goes_on_only_while_somebody_looks() {
    let watched = Watched::new(&["form".into()], &[]);
    let hub = Hub::new("s", Steering::watching(watched));
    let looks = hub.clone();
    after(SOON, move || {
        assert_eq!(looks.state().waiting, Some(Wait::Presence { place: "form".into() }));
        looks.command(Command::Look, "a").unwrap();
    });
    let beheld = beheld(&hub, Box::new(Open), &[CLICK, FINISH], Arc::new(|_| ())).await;
    assert!(matches!(beheld.exit, Exit::Done { .. }), "{:?}", beheld.exit);
}

#[tokio::test]
async fn of_a_watched_place_that_comes_up_while_it_thinks_the_model_is_told_nothing() {
    let hub = Hub::new("s", Steering::watching(Watched::new(&["bank".into()], &[])));
    let desktop = Simulated::new(Size::new(640, 480))
        .window("Form", "form", |w| {
            w.button("Save");
        })
        .after_observations(1, |then| {
            then.after(WAIT).open("Bank", "bank", |w| {
                w.button("Pay");
            });
        });
    let model = Thinking(Scripted::new([CLICK]), Meanwhile::Slow(WAIT * 2));
    let person = Presence::default().steered_by(hub.steering().clone());
    let told =
        tokio::time::timeout(WAIT * 6, told(desktop, &model, None, Stop::default(), person)).await;
    assert!(told.is_err(), "it went on while nobody looked: {told:?}");
    assert_eq!(model.0.asked().len(), 1);
}
