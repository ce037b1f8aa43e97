//! The rules that need no model, on a simulated desktop: where a task is to be done and what is offered there.

use freehand_tools::apps::App;
use freehand_tools::desktop::Desktop as _;
use freehand_tools::desktop::simulated::Simulated;
use freehand_tools::element::{ElementId, Role};
use freehand_tools::geometry::Size;

use super::*;
use crate::dialect::{Comparison, PastStep};

fn menu() -> Vec<App> {
    let app = |name: &str, kind: &str, command: &str| App {
        name: name.into(),
        kind: Some(kind.into()),
        purpose: None,
        command: command.into(),
    };
    vec![
        app("Globe", "Web Browser", "globe"),
        app("Jotter", "Text Editor", "jotter"),
        app("Notes", "Text Editor", "notes"),
    ]
}

fn desk() -> Simulated {
    Simulated::new(Size::new(640, 480))
}

/// Steps that opened these.
fn opened(all: &[&str]) -> Vec<PastStep> {
    let step = |what: &&str| PastStep {
        did: format!("opened {what}"),
        result: None,
        effective: true,
        opened: Some((*what).to_owned()),
        times: 1,
    };
    all.iter().map(step).collect()
}

fn view<'v>(
    task: &'v str,
    seen: &'v Observation,
    steps: &'v [PastStep],
    apps: &'v [App],
    comparison: &'v Comparison,
    list: &'v str,
) -> PlanView<'v> {
    let (notes, hint, tools, program, barred) = (&[], None, &[], None, &[]);
    let (images, closeup) = (None, None);
    PlanView {
        task,
        seen,
        steps,
        notes,
        hint,
        tools,
        apps,
        program,
        barred,
        comparison,
        list,
        images,
        closeup,
    }
}

/// What is offered, as the schema says it, and the programs that the model is asked about.
async fn offered(task: &str, mut desk: Simulated, before: &[&str]) -> (Value, Option<Vec<String>>) {
    let seen = desk.observe().await.unwrap();
    let (apps, steps) = (menu(), opened(before));
    let comparison = Comparison::default();
    let list = list::screen(&seen, task, list::BUDGET);
    let view = view(task, &seen, &steps, &apps, &comparison, &list);
    (offer::schema(&view), Numbered.ask_program(&view).map(|(_, commands)| commands))
}

#[tokio::test]
async fn what_the_task_names_is_its_parts() {
    let task = "Write 'Buy milk' and 'Pay rent' in the editor and save it as todo.txt";
    let parts = async |title: &str, did: &[&str]| {
        let mut desk = desk().window(title, "jotter", |w| {
            w.textbox("Text");
        });
        let seen = desk.observe().await.unwrap();
        let steps: Vec<PastStep> = opened(did);
        let comparison = Comparison::default();
        Numbered.parts(&view(task, &seen, &steps, &[], &comparison, ""))
    };
    let named = |milk: bool, rent: bool, file: bool| {
        let parts = [("Buy milk", milk), ("Pay rent", rent), ("todo.txt", file)];
        parts.map(|(text, done)| (text.to_owned(), done)).to_vec()
    };
    assert_eq!(parts("*Untitled", &[]).await, named(false, false, false));
    assert_eq!(parts("*Untitled", &["\"Buy milk\""]).await, named(true, false, false));
    assert_eq!(parts("todo.txt", &["Buy milk", "Pay rent"]).await, named(true, true, true));
}

/// The only action that is offered.
fn only(schema: &Value) -> Value {
    let arms = schema["anyOf"].as_array().unwrap();
    assert_eq!(arms.len(), 1, "{schema}");
    arms[0]["properties"].clone()
}

#[tokio::test]
async fn on_an_empty_desktop_a_program_is_started_that_the_task_names() {
    let (schema, asked) = offered("Write \"a\" in the text editor", desk(), &[]).await;
    assert_eq!(only(&schema)["program"]["enum"], json!(["jotter", "notes"]));
    assert_eq!(asked.unwrap(), ["jotter", "notes"]);
    let (schema, asked) = offered("Write \"a\" in Jotter", desk(), &[]).await;
    assert_eq!(only(&schema)["program"]["enum"], json!(["jotter"]));
    assert_eq!(asked, None);
    let (schema, _) = offered("Be kind", desk(), &[]).await;
    assert_eq!(only(&schema)["program"]["enum"], json!(["globe", "jotter", "notes"]));
    // What did not come up is not tried again while there is another.
    let (schema, _) = offered("Write \"a\" in the text editor", desk(), &["jotter"]).await;
    assert_eq!(only(&schema)["program"]["enum"], json!(["notes"]));
}

#[tokio::test]
async fn beside_other_windows_the_named_program_is_started_or_shown() {
    let page = || {
        desk().window("Shop", "globe", |w| {
            w.button("Buy");
        })
    };
    let (schema, _) = offered("Write \"a\" in Jotter", page(), &[]).await;
    assert_eq!(only(&schema)["program"]["enum"], json!(["jotter"]));
    let both = || {
        desk()
            .window("Untitled", "jotter", |w| {
                w.button("Save");
            })
            .window("Shop", "globe", |w| {
                w.button("Buy");
            })
    };
    let (schema, _) = offered("Write \"a\" in Jotter", both(), &[]).await;
    assert_eq!(only(&schema)["window"]["const"], "Untitled");
    for (task, steps) in [
        ("Buy it", &[][..]),
        ("Buy it in the web browser and note it in Jotter", &[]),
        ("Write \"a\" in Jotter", &["jotter"]),
    ] {
        let (schema, _) = offered(task, page(), steps).await;
        assert!(schema["anyOf"].as_array().unwrap().len() > 1, "{task}: {schema}");
    }
}

#[tokio::test]
async fn a_dialog_takes_no_chord_of_the_document_behind_it() {
    let mut desk = desk()
        .window("Untitled", "jotter", |w| {
            w.size(600, 400).button("Save");
        })
        .window("Save as", "jotter", |w| {
            w.textbox("File name:").button("Save").button("Cancel");
        });
    let mut seen = desk.observe().await.unwrap();
    let task = "Write \"a\" in Jotter and save it as a.txt";
    let keys = |seen: &Observation| {
        let (apps, comparison) = (menu(), Comparison::default());
        let list = list::screen(seen, task, list::BUDGET);
        let schema = offer::schema(&view(task, seen, &[], &apps, &comparison, &list));
        let arms = schema["anyOf"].as_array().unwrap();
        let press = arms.iter().find(|arm| arm["properties"]["action"]["const"] == "press").unwrap();
        press["properties"]["keys"]["pattern"].as_str().unwrap().to_owned()
    };
    // Two windows that stand beside each other are no dialog.
    assert!(keys(&seen).contains("ctrl"));
    seen.windows.iter_mut().for_each(|window| window.pid = Some(7));
    assert_eq!(keys(&seen), "^(enter|escape|tab)$");
}

#[tokio::test]
async fn what_answers_nothing_is_not_pressed_for_ever() {
    let mut desk = desk()
        .window("Untitled", "jotter", |w| {
            w.size(600, 400).button("Save");
        })
        .window("Tip of the Day", "jotter", |w| {
            w.button("Next Tip").button("OK");
        });
    let mut seen = desk.observe().await.unwrap();
    seen.windows.iter_mut().for_each(|window| window.pid = Some(7));
    let clicks = |times: u32| {
        let did = "clicked button \"Next Tip\"".to_owned();
        let steps = [PastStep { did, result: None, effective: true, opened: None, times }];
        let (apps, comparison) = (menu(), Comparison::default());
        let schema = offer::schema(&view("Be kind", &seen, &steps, &apps, &comparison, ""));
        let arms = schema["anyOf"].as_array().unwrap();
        let click = arms.iter().find(|arm| arm["properties"]["action"]["const"] == "click").unwrap();
        let id = |id: &Value| ElementId(id.as_u64().unwrap().try_into().unwrap());
        let ids = click["properties"]["id"]["enum"].as_array().unwrap();
        let names = ids.iter().map(|at| seen.element(id(at)).unwrap().name.clone());
        names.collect::<Vec<_>>()
    };
    assert_eq!(clicks(1), ["Next Tip", "OK"]);
    assert_eq!(clicks(3), ["OK"]);
}

/// A sheet of two cells, one of which holds something.
#[tokio::test]
async fn a_cell_of_a_sheet_is_written_into() {
    let mut desk = desk().window("Sheet", "jotter", |w| {
        w.button("31").button("B3");
    });
    let mut seen = desk.observe().await.unwrap();
    for cell in &mut seen.elements {
        cell.role = Role::Cell;
        cell.states.editable = true;
        cell.description = (cell.name == "31").then(|| "B2".to_owned());
    }
    let after = |task: &str, did: &[&str]| {
        let (comparison, steps) = (Comparison::default(), opened(did));
        let schema = offer::schema(&view(task, &seen, &steps, &[], &comparison, ""));
        let arms = schema["anyOf"].as_array().unwrap().clone();
        let into = arms.into_iter().find(|arm| arm["properties"]["action"]["const"] == "type");
        into.map(|arm| arm["properties"]["id"]["enum"].clone())
    };
    let typed = |task: &str| after(task, &[]);
    let (full, empty) = (seen.elements[0].id.0, seen.elements[1].id.0);
    assert_eq!(typed("Write 5 below"), Some(json!([empty])));
    assert_eq!(typed("Write 5 in the place of 31"), Some(json!([full, empty])));
    // What is left to do when all of it is written is done elsewhere.
    let task = "Write 5 and \"six\" below, and save it as a2.ods";
    assert_eq!(after(task, &["\"5\""]), Some(json!([empty])));
    assert_eq!(after(task, &["\"5\"", "\"six\""]), None);
    assert_eq!(typed("Write the months below"), Some(json!([empty])));
}

/// An editor with the field of a search beside its page.
#[tokio::test]
async fn an_empty_page_takes_the_text_that_is_to_be_saved() {
    let typed = async |task: &str, held: &str, did: &[&str]| {
        let mut desk = desk().window("*Untitled", "jotter", |w| {
            w.textarea("Page", held).textbox("Search");
        });
        let seen = desk.observe().await.unwrap();
        let (comparison, steps) = (Comparison::default(), opened(did));
        let schema = offer::schema(&view(task, &seen, &steps, &[], &comparison, ""));
        let arms = schema["anyOf"].as_array().unwrap().clone();
        let into = arms.into_iter().find(|arm| arm["properties"]["action"]["const"] == "type");
        into.map_or(Value::Null, |arm| arm["properties"].clone())
    };
    let task = "Save a text file called a.txt that says \"Buy milk\"";
    let empty = typed(task, "", &[]).await;
    assert_eq!(empty["id"]["const"], 1);
    assert_eq!(empty["text"]["const"], "Buy milk");
    // Neither when it is written does anything go into the field of the search, unless that is the task.
    let search = "Write \"Buy milk\" into the search of a.txt";
    for (task, held, did, into) in [
        (task, "Buy milk", &["\"Buy milk\""][..], json!([1])),
        (task, "Buy bread", &[], Value::Null),
        (search, "", &[], json!([1, 2])),
    ] {
        let arm = typed(task, held, did).await;
        assert_eq!(arm["id"]["enum"], into, "{task} {held} {did:?}");
    }
}

#[tokio::test]
async fn an_address_is_opened_first_and_once() {
    let task = "Go to http://shop.test/ and press \"Buy\"";
    let (schema, _) = offered(task, desk(), &[]).await;
    assert_eq!(only(&schema)["address"]["const"], "http://shop.test/");
    let page = desk().window("Shop", "globe", |w| {
        w.button("Buy");
    });
    let (schema, _) = offered(task, page, &["http://shop.test/"]).await;
    assert!(!schema.to_string().contains("address"), "{schema}");
}

#[tokio::test]
async fn of_rivals_only_the_one_that_is_meant_is_clicked() {
    let shop = || {
        desk().window("Shop", "globe", |w| {
            w.button("Buy red kettle");
            w.button("Buy blue kettle");
            w.button("Help");
        })
    };
    let clicks = |schema: &Value| {
        let arms = schema["anyOf"].as_array().unwrap();
        let click = arms.iter().find(|arm| arm["properties"]["action"]["const"] == "click").unwrap();
        click["properties"]["id"]["enum"].as_array().unwrap().len()
    };
    let (schema, _) = offered("Buy the blue kettle", shop(), &[]).await;
    assert_eq!(clicks(&schema), 1, "{schema}");
    let (schema, _) = offered("Buy a kettle", shop(), &[]).await;
    assert_eq!(clicks(&schema), 3, "{schema}");
}

#[tokio::test]
async fn of_twins_the_one_is_clicked_beside_which_the_task_says_something() {
    let notes = || {
        desk().window("Notes", "globe", |w| {
            w.heading("To do");
            for note in ["Water the plants", "Pay rent"] {
                w.row(|w| {
                    w.label(note);
                    w.button("Done");
                });
            }
        })
    };
    let ids = |schema: &Value| schema["anyOf"][0]["properties"]["id"]["enum"].as_array().unwrap().len();
    let (schema, _) = offered("Mark \"Pay rent\" as done", notes(), &[]).await;
    assert_eq!(ids(&schema), 1, "{schema}");
    let (schema, _) = offered("Mark all notes as done", notes(), &[]).await;
    assert!(ids(&schema) > 2, "{schema}");
}

#[tokio::test]
async fn a_form_waits_for_what_the_task_means() {
    let form = || {
        desk().window("Table", "globe", |w| {
            w.dropdown("Time", &["18:00", "19:00"]);
            w.dropdown("Persons", &["1", "2", "3"]);
            w.checkbox("I accept the terms", false);
            w.button("Reserve");
        })
    };
    let task = "Reserve a table at 19:00 for two persons";
    let mut desk = form();
    let seen = desk.observe().await.unwrap();
    let button = seen.elements.iter().find(|element| element.name == "Reserve").unwrap().id;
    let press =
        Proposal { calls: vec![ToolCall::new("click", json!({"target": button}))], thought: None };
    let (comparison, apps) = (Comparison::default(), menu());
    let list = list::screen(&seen, task, list::BUDGET);
    let view = view(task, &seen, &[], &apps, &comparison, &list);
    let picks = Numbered.picks(&view, &press);
    let [Pick::Known(known), Pick::Asked(persons, doings), Pick::Asked(terms, _)] = &picks[..] else {
        panic!("{picks:?}")
    };
    assert_eq!(known.calls[0].args["option"], "19:00");
    assert_eq!(persons.answers, ["1", "2", "3", "none of them"]);
    assert!(doings[0].calls.is_empty() && doings[1].calls[0].args["option"] == "2", "{doings:?}");
    assert_eq!(terms.answers, ["I accept the terms (off)", "none of them"]);
}

#[tokio::test]
async fn a_file_is_saved_once_a_window_says_so() {
    let task = "Write \"a\" and save it as a.txt";
    for (title, left) in [("*Untitled", true), ("*a.txt - Jotter", true), ("a.txt - Jotter", false)] {
        let seen = desk()
            .window(title, "jotter", |w| {
                w.button("x");
            })
            .observe()
            .await
            .unwrap();
        assert_eq!(files::is_unsaved(task, &seen), left, "{title}");
        assert!(!files::is_unsaved("Write \"a\" and save it", &seen));
    }
}
