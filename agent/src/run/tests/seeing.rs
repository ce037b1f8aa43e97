//! What a model that sees is shown in the course of a run.

use std::sync::atomic::{AtomicBool, Ordering};

use freehand_tools::picture::fit::Fit;

use super::*;

const SIZES: Fit = Fit { factor: 28, least: 56 * 56, most: 1280 * 28 * 28, longest: 1568 };

/// Answers from a script, and sees nothing any more once its first answer is given.
#[derive(Debug)]
struct Losing(Scripted, AtomicBool);

#[async_trait]
impl Model for Losing {
    fn capabilities(&self) -> Capabilities {
        let all = self.0.capabilities();
        Capabilities { images: all.images.filter(|_| !self.1.load(Ordering::Relaxed)), ..all }
    }

    async fn complete(
        &self,
        prompt: &Prompt,
        sink: &mut dyn TokenSink,
    ) -> Result<Completion, ModelError> {
        self.1.store(true, Ordering::Relaxed);
        self.0.complete(prompt, sink).await
    }

    async fn choose(&self, prompt: &Prompt, options: &[String]) -> Result<Preference, ModelError> {
        self.0.choose(prompt, options).await
    }
}

/// For each question, which of its turns have a picture.
fn shown(model: &Scripted) -> Vec<Vec<bool>> {
    let of = |prompt: Prompt| prompt.turns.iter().map(|turn| turn.picture.is_some()).collect();
    model.asked().into_iter().map(of).collect()
}

#[tokio::test]
async fn each_question_has_the_newest_screen_and_no_older_one() {
    let script = || Scripted::new([FINISH, FINISH, CLICK, FINISH]);
    for sees in [true, false] {
        let model = if sees { script().seeing(SIZES) } else { script() };
        let (exit, lines) =
            told(form(Duration::ZERO), &model, None, Stop::default(), Presence::default()).await;
        assert!(matches!(exit, Exit::Done { .. }), "{lines:#?}");
        assert_eq!(shown(&model), vec![vec![false, sees]; 4]);
        let last = |prompt: &Prompt| prompt.turns.last().unwrap().picture.clone();
        let asked = model.asked();
        assert_eq!(last(&asked[2]) == last(&asked[3]), !sees, "the click changed the screen");
    }
}

const ZOOM: &str = r#"{"tool": "zoom", "args": {"x": 100, "y": 100, "width": 150, "height": 90}}"#;

#[tokio::test]
async fn what_it_asked_to_look_at_is_shown_enlarged_once() {
    let model = Scripted::new([FINISH, FINISH, ZOOM, CLICK, FINISH]).seeing(SIZES);
    let (exit, lines) =
        told(form(Duration::ZERO), &model, None, Stop::default(), Presence::default()).await;
    assert!(matches!(exit, Exit::Done { .. }), "{lines:#?}");
    let words = |prompt: &Prompt| prompt.turns.last().unwrap().picture.clone().unwrap().words;
    let asked: Vec<bool> =
        model.asked().iter().map(|prompt| words(prompt).contains("look at closely")).collect();
    assert_eq!(asked.iter().filter(|close| **close).count(), 1, "{asked:?}");
}

#[tokio::test]
async fn one_that_is_refused_pictures_is_told_of_once() {
    let script = Scripted::new([FINISH, FINISH, CLICK, FINISH]).seeing(SIZES);
    let model = Losing(script, AtomicBool::new(false));
    let (exit, lines) =
        told(form(Duration::ZERO), &model, None, Stop::default(), Presence::default()).await;
    assert!(matches!(exit, Exit::Done { .. }), "{lines:#?}");
    assert_eq!(shown(&model.0), [[false, true], [false, false], [false, false], [false, false]]);
    let told: Vec<&String> = lines.iter().filter(|line| line.contains("no more pictures")).collect();
    assert_eq!(told, ["1 is shown no more pictures"]);
}
