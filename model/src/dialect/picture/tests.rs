//! What a model that sees is shown of a simulated desktop, and where its answers land.

use std::collections::BTreeSet;

use freehand_tools::desktop::Desktop as _;
use freehand_tools::desktop::simulated::Simulated;
use freehand_tools::observation::Observation;
use freehand_tools::picture::fit::Fit;
use freehand_tools::toolbox::Toolbox;
use image::RgbImage;
use proptest::prelude::*;

use super::*;
use crate::dialect::tools::Tools;
use crate::dialect::{Comparison, Dialect as _, PastStep};
use crate::prompt::{Completion, Finish, Prompt, Usage};

/// Small enough that a screen of 1000 by 700 px becomes another size.
const SIZES: Fit = Fit { factor: 28, least: 56 * 56, most: 400 * 28 * 28, longest: 616 };

async fn seen() -> Observation {
    let mut desk = Simulated::new(Size::new(1000, 700)).window("Form", "form", |w| {
        w.place(300, 200).label("All that can be read").textbox("Name").button("Save");
    });
    desk.observe().await.unwrap()
}

/// Asks something of the view of this screen.
fn with_view<T>(seen: &Observation, images: Option<Fit>, ask: impl Fn(&PlanView<'_>) -> T) -> T {
    looking_at(None, seen, images, ask)
}

/// The same after a part of the screen was looked at.
fn looking_at<T>(
    closeup: Option<ScreenRect>,
    seen: &Observation,
    images: Option<Fit>,
    ask: impl Fn(&PlanView<'_>) -> T,
) -> T {
    let did = "clicked button \"Save\"".into();
    let step = PastStep { did, result: None, effective: true, opened: None, times: 1 };
    let tools: Vec<_> = Toolbox::default().specs().cloned().collect();
    let (list, comparison) = (list::screen(seen, "", list::BUDGET), Comparison::default());
    ask(&PlanView {
        task: "Save it",
        seen,
        steps: &[step.clone(), step],
        notes: &[],
        hint: None,
        tools: &tools,
        apps: &[],
        program: None,
        barred: &[],
        comparison: &comparison,
        list: &list,
        images,
        closeup,
    })
}

fn picture(prompt: &Prompt) -> RgbImage {
    let picture = prompt.turns.last().unwrap().picture.as_ref().unwrap();
    image::load_from_memory(&picture.png).unwrap().to_rgb8()
}

fn said(text: &Value) -> Completion {
    let (text, finish) = (text.to_string(), Finish::Stop);
    Completion { text, thinking: None, finish, usage: Usage::default() }
}

/// What a click at this place of the picture becomes.
fn click(seen: &Observation, target: &Value) -> Result<Value, ParseError> {
    let answer = said(&json!({"tool": "click", "args": {"target": target}}));
    with_view(seen, Some(SIZES), |view| {
        Tools.parse(&answer, view).map(|proposal| proposal.calls[0].args["target"].clone())
    })
}

#[tokio::test]
async fn the_newest_turn_alone_has_the_marked_screen_in_a_size_of_the_grid() {
    let seen = seen().await;
    let prompt = with_view(&seen, Some(SIZES), |view| Tools.render(view));
    let with: Vec<bool> = prompt.turns.iter().map(|turn| turn.picture.is_some()).collect();
    assert_eq!(with, [false, true]);
    let shown = picture(&prompt);
    assert_eq!(shown.dimensions(), (616, 420));
    let words = &prompt.turns[1].picture.as_ref().unwrap().words;
    assert!(words.contains("616x420 px"), "{words}");

    let plain = SIZES.frame(&seen.frame, Filter::Bicubic).unwrap();
    let changed: BTreeSet<(u32, u32)> = shown
        .enumerate_pixels()
        .filter(|(x, y, pixel)| plain.pixels.get_pixel(*x, *y) != *pixel)
        .map(|(x, y, _)| (x, y))
        .collect();
    let here = plain.mapping.inverse();
    for (name, marked) in [("Save", true), ("Name", true), ("All that can be read", false)] {
        let element = seen.elements.iter().find(|element| element.name == name).unwrap();
        let corner = here.forward(element.bounds.origin());
        let at = (corner.x.unsigned_abs(), corner.y.unsigned_abs());
        assert_eq!(changed.contains(&at), marked, "{name} at {corner}");
        // The number on the picture is the one in the list, and the one that the schema takes.
        assert!(!marked || prompt.turns[1].text.contains(&format!("[{}]", element.id)), "{name}");
    }
}

#[tokio::test]
async fn a_model_that_does_not_see_is_told_of_no_picture() {
    let seen = seen().await;
    let prompt = with_view(&seen, None, |view| Tools.render(view));
    assert!(!prompt.has_picture());
    let text = format!("{:?}{:?}", prompt.turns, prompt.constraint);
    assert!(
        !text.contains("shows the same screen") && !text.contains("maximum\": Number(615)"),
        "{text}"
    );
    let seeing = with_view(&seen, Some(SIZES), |view| Tools.render(view));
    let schema = seeing.constraint.schema().unwrap().to_string();
    assert!(schema.contains("\"maximum\":615") && schema.contains("\"maximum\":419"), "{schema}");
    assert_eq!(prompt.turns[1].text, seeing.turns[1].text, "the list is the same");
}

#[tokio::test]
async fn what_it_points_at_is_what_stands_there_on_the_screen() {
    let seen = seen().await;
    let save = seen.elements.iter().find(|element| element.name == "Save").unwrap();
    let fitted = SIZES.frame(&seen.frame, Filter::Bicubic).unwrap();
    let at = fitted.mapping.inverse().forward(save.bounds.center());
    let target = click(&seen, &json!({"x": at.x, "y": at.y})).unwrap();
    let point = |value: &Value, name: &str| i32::try_from(value[name].as_i64().unwrap()).unwrap();
    let landed = Point::new(point(&target, "x"), point(&target, "y"));
    let on_screen = seen.frame.mapping().unwrap().forward(landed);
    assert!(save.bounds.contains(on_screen), "{on_screen} is not in {}", save.bounds);
    assert_ne!(landed, Point::new(at.x, at.y), "or the sizes are the same");

    // The rest is left as it is, and nothing is moved where no picture was shown.
    assert_eq!(click(&seen, &json!(3)), Ok(json!(3)));
    assert_eq!(click(&seen, &json!({"label": "Save"})), Ok(json!({"label": "Save"})));
    let drag =
        json!({"tool": "drag", "args": {"target": 3, "path": [{"x": 0, "y": 0}, {"x": 615, "y": 419}]}});
    let dragged = with_view(&seen, Some(SIZES), |view| Tools.parse(&said(&drag), view).unwrap());
    assert_eq!(dragged.calls[0].args["path"], json!([{"x": 0, "y": 0}, {"x": 999, "y": 699}]));
    let plain = with_view(&seen, None, |view| Tools.parse(&said(&drag), view).unwrap());
    assert_eq!(plain.calls[0].args["path"][1], json!({"x": 615, "y": 419}));
    let zoom = json!({"tool": "zoom", "args": {"x": 308, "y": 210, "width": 308, "height": 210}});
    let zoomed = with_view(&seen, Some(SIZES), |view| Tools.parse(&said(&zoom), view).unwrap());
    assert_eq!(zoomed.calls[0].args, json!({"x": 500, "y": 350, "width": 500, "height": 350}));
}

#[tokio::test]
async fn what_was_asked_for_is_shown_enlarged_and_points_in_it_lead_back() {
    let seen = seen().await;
    let save = seen.elements.iter().find(|element| element.name == "Save").unwrap();
    let corner = save.bounds.origin().offset(-10, -10);
    let part = Rect::new(corner.x, corner.y, 154, 105);
    let prompt = looking_at(Some(part), &seen, Some(SIZES), |view| Tools.render(view));
    let shown = picture(&prompt);
    assert_eq!(shown.dimensions(), (616, 420));
    let words = &prompt.turns[1].picture.as_ref().unwrap().words;
    assert!(words.contains("look at closely"), "{words}");
    let close = SIZES.close(&seen.frame.crop(&part).unwrap(), Filter::Bicubic).unwrap();
    let at = close.mapping.inverse().forward(save.bounds.center());
    let answer = said(&json!({"tool": "click", "args": {"target": {"x": at.x, "y": at.y}}}));
    let parsed = looking_at(Some(part), &seen, Some(SIZES), |view| Tools.parse(&answer, view).unwrap());
    let target = &parsed.calls[0].args["target"];
    let point = |name: &str| i32::try_from(target[name].as_i64().unwrap()).unwrap();
    let landed = Point::new(point("x"), point("y"));
    assert_eq!(seen.frame.mapping().unwrap().forward(landed), save.bounds.center());
    let outside = Rect::new(5000, 0, 10, 10);
    let whole = looking_at(Some(outside), &seen, Some(SIZES), |view| Tools.render(view));
    let words = &whole.turns[1].picture.as_ref().unwrap().words;
    assert!(words.contains("the same screen"), "{words}");
}

#[tokio::test]
async fn a_point_beside_the_picture_is_told_to_the_model() {
    let seen = seen().await;
    for (x, y) in [(616, 3), (3, 420), (-1, 3), (900, 600)] {
        let error = click(&seen, &json!({"x": x, "y": y})).unwrap_err().to_string();
        assert!(error.contains("616x420") && error.contains(&format!("({x}, {y})")), "{error}");
    }
}

proptest! {
    #[test]
    fn no_answer_panics(
        (x, y) in any::<(i64, i64)>(), (w, h) in any::<(i64, i64)>(), (sw, sh) in (1_u32..300, 1_u32..300),
    ) {
        let size = Rect::<Grid>::new(0, 0, sw, sh);
        let way = Mapping::new(size, Rect::<Image>::new(0, 0, 100, 80)).unwrap();
        for mut value in [
            json!({"x": x, "y": y}),
            json!([{"x": x % 300, "y": y % 300, "width": w, "height": h}]),
            json!({"x": x.unsigned_abs(), "y": 1.5}),
        ] {
            let _ = all_back(&way, size, &mut value);
        }
    }
}
