//! Pictures that go to servers of each kind, and what those say that take none.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use freehand_tools::frame::png;
use image::{Rgb, RgbImage};
use serde_json::json;

use super::super::servers::{body, client, listed, path, refusal, reply, said};
use super::*;
use crate::backend::openai::OpenAi;
use crate::backend::{Model as _, ModelError, Unread};
use crate::fake_server::{Asked, Fake, Play};
use crate::prompt::{Picture, Prompt, Speaker, Turn};

fn pixels() -> RgbImage {
    RgbImage::from_fn(56, 28, |x, y| Rgb([u8::try_from(x).unwrap(), u8::try_from(y).unwrap(), 9]))
}

/// A question with a picture in its last turn.
fn asking() -> Prompt {
    let picture = Picture { png: png(&pixels()).unwrap().into(), words: "Look. ".into() };
    let turns = vec![
        Turn::new(Speaker::System, "be brief"),
        Turn::new(Speaker::User, "q").showing(Some(picture)),
    ];
    Prompt { turns, max_tokens: 8, ..Prompt::default() }
}

fn decoded(base64: &str) -> RgbImage {
    image::load_from_memory(&BASE64_STANDARD.decode(base64).unwrap()).unwrap().to_rgb8()
}

/// The picture and the text of the last turn of a question.
fn shown(asked: &Asked) -> (Option<RgbImage>, String) {
    let body = body(asked);
    let content = &body["messages"][1]["content"];
    let Some(parts) = content.as_array() else {
        return (None, content.as_str().unwrap().to_owned());
    };
    let url = parts[0]["image_url"]["url"].as_str().unwrap();
    let picture = decoded(url.strip_prefix("data:image/png;base64,").unwrap());
    (Some(picture), parts[1]["text"].as_str().unwrap().to_owned())
}

/// A server that says nothing of pictures and refuses each in these words.
async fn refusing(status: &'static str, words: &'static str) -> Fake {
    Fake::start(move |asked: &Asked| match path(asked) {
        "/v1/models" => listed("x"),
        _ if asked.body.contains("image_url") => refusal(status, words),
        _ => said("ok"),
    })
    .await
}

/// One whose user says that it sees.
async fn seeing(fake: &Fake) -> OpenAi {
    let model = client(fake).with_images(Some(true));
    model.probe().await.unwrap();
    model
}

#[tokio::test]
async fn a_server_that_says_that_it_sees_is_shown_the_picture_before_the_words() {
    let fake = Fake::start(|asked: &Asked| match path(asked) {
        "/v1/models" => listed("llamacpp"),
        "/props" => reply(&json!({ "modalities": { "vision": true } })),
        _ => said("ok"),
    })
    .await;
    let model = client(&fake);
    model.probe().await.unwrap();
    assert_eq!(model.capabilities().images, Some(USUAL));
    assert_eq!(model.complete(&asking(), &mut Unread).await.unwrap().text, "ok");
    let asked = fake.asked();
    let (picture, text) = shown(asked.last().unwrap());
    assert_eq!((picture, text.as_str()), (Some(pixels()), "Look. q"));
    assert_eq!(body(asked.last().unwrap())["messages"][0]["content"], "be brief");
}

#[tokio::test]
async fn ollama_is_shown_it_in_its_own_way() {
    let fake = Fake::start(|asked: &Asked| match path(asked) {
        "/v1/models" => listed("library"),
        "/api/show" => reply(&json!({ "capabilities": ["completion", "vision"] })),
        "/api/chat" => {
            let line = json!({ "message": { "content": "ok" }, "done": true });
            Play::reply("200 OK", "application/x-ndjson", &line.to_string())
        }
        other => panic!("{other}"),
    })
    .await;
    let model = client(&fake);
    model.probe().await.unwrap();
    assert_eq!(model.complete(&asking(), &mut Unread).await.unwrap().text, "ok");
    let asked = body(fake.asked().last().unwrap());
    let turn = &asked["messages"][1];
    assert_eq!(decoded(turn["images"][0].as_str().unwrap()), pixels());
    assert_eq!((&turn["content"], &turn["role"]), (&json!("Look. q"), &json!("user")));
    assert_eq!(asked["messages"][0], json!({ "role": "system", "content": "be brief" }));
}

#[tokio::test]
async fn a_server_that_says_nothing_is_shown_none_unless_the_user_says_so() {
    let fake = Fake::start(|asked: &Asked| match path(asked) {
        "/v1/models" => listed("vllm"),
        _ => said("ok"),
    })
    .await;
    for images in [None, Some(false)] {
        let model = client(&fake).with_images(images);
        model.probe().await.unwrap();
        assert_eq!(model.capabilities().images, None);
        let refused = model.complete(&asking(), &mut Unread).await;
        assert!(matches!(refused, Err(ModelError::Blind { .. })), "{refused:?}");
        let refused = model.choose(&asking(), &["a".into(), "b".into()]).await;
        assert!(matches!(refused, Err(ModelError::Blind { .. })), "{refused:?}");
    }
    assert_eq!(fake.asked().len(), 2, "only for its models");
    let model = seeing(&fake).await;
    assert!(model.capabilities().images.is_some());
    model.complete(&asking(), &mut Unread).await.unwrap();
    assert_eq!(shown(fake.asked().last().unwrap()).0, Some(pixels()));
}

/// Refusals in the words of servers.
#[tokio::test]
async fn a_server_that_refuses_is_asked_the_same_without_and_shown_none_again() {
    for (status, words) in [
        ("500 Oops", "image input is not supported - hint: you may need to provide the mmproj"),
        ("400 Bad Request", "At most 0 image(s) may be provided in one prompt."),
        ("400 Bad Request", "m is not a multimodal model"),
        ("400 Bad Request", "Model does not support images. Please use a model that does."),
        ("422 No", "messages[1]: unknown variant `image_url`, expected `text`"),
        ("400 Bad Request", "Failed to parse messages: Expected 'content' to be a string"),
        ("422 No", "body -> messages -> 1: Input should be a valid string"),
        ("413 Payload Too Large", ""),
        (
            "400 Bad Request",
            "This model's maximum context length is 2048 tokens. However, your request has 3000 tokens.",
        ),
    ] {
        let fake = refusing(status, words).await;
        let model = seeing(&fake).await;
        assert_eq!(model.complete(&asking(), &mut Unread).await.unwrap().text, "ok", "{words}");
        assert_eq!(model.capabilities().images, None, "{words}");
        // Nor is it an error to be asked once more in the same way.
        model.complete(&asking(), &mut Unread).await.unwrap();
        let asked: Vec<_> = fake.asked().iter().skip(1).map(shown).collect();
        let plain = || (None, "q".to_owned());
        assert_eq!(asked, [(Some(pixels()), "Look. q".to_owned()), plain(), plain()], "{words}");
    }
}

#[tokio::test]
async fn a_server_that_repeats_the_question_names_what_is_not_to_blame() {
    let words = "no: {'temperature': 0, 'type': 'image_url'}";
    let fake = refusing("400 Bad Request", words).await;
    let model = seeing(&fake).await;
    assert_eq!(model.complete(&asking(), &mut Unread).await.unwrap().text, "ok");
    assert_eq!(model.capabilities().images, None);
}

#[tokio::test]
async fn what_is_refused_beside_a_picture_leaves_the_picture() {
    let fake = Fake::start(|asked: &Asked| match path(asked) {
        "/v1/models" => listed("x"),
        _ if body(asked)["temperature"].is_number() => {
            refusal("400 Bad Request", "'temperature' does not support 0 with this model.")
        }
        _ => said("ok"),
    })
    .await;
    let model = seeing(&fake).await;
    model.complete(&asking(), &mut Unread).await.unwrap();
    assert_eq!(shown(fake.asked().last().unwrap()).0, Some(pixels()));
    assert!(model.capabilities().images.is_some());
}

#[tokio::test]
async fn a_refusal_in_the_stream_is_one() {
    let fake = Fake::start(|asked: &Asked| match path(asked) {
        "/v1/models" => listed("organization_owner"),
        _ if asked.body.contains("image_url") => {
            let error = json!({ "error": { "message": "Model does not support images." } });
            Play::events(&format!("event: error\ndata: {error}\n\n"))
        }
        _ => said("ok"),
    })
    .await;
    let model = seeing(&fake).await;
    assert_eq!(model.complete(&asking(), &mut Unread).await.unwrap().text, "ok");
    assert_eq!(model.capabilities().images, None);
}

#[tokio::test]
async fn a_choice_goes_on_without_a_picture_that_is_refused() {
    let fake = Fake::start(|asked: &Asked| match path(asked) {
        "/v1/models" => listed("x"),
        _ if asked.body.contains("image_url") => refusal("400 Bad Request", "no images, please"),
        _ => said("b"),
    })
    .await;
    let model = seeing(&fake).await;
    let chances = model.choose(&asking(), &["a".into(), "b".into()]).await.unwrap().probabilities;
    assert!(chances[1] > chances[0], "{chances:?}");
    assert_eq!(model.capabilities().images, None);
}

#[test]
fn sizes_go_by_the_family() {
    for (name, factor) in
        [("Qwen2.5-VL-7B-Instruct", 28), ("qwen3-vl:8b", 32), ("mmproj/Holo2-4B.gguf", 32), ("m", 28)]
    {
        assert_eq!(sizes(name).factor, factor, "{name}");
    }
}
