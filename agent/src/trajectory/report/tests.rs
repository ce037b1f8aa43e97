use freehand_model::prompt::Usage;
use freehand_tools::action::{ActionKind, Button};
use freehand_tools::element::Role;
use freehand_tools::gate::{Approval, Decision};
use freehand_tools::geometry::Point;
use serde_json::json;

use super::*;
use crate::trajectory::sample::{clicking, does, element, header, says, seen};

const HOSTILE: &str = "</script></pre><img src=x onerror=\"alert('x')\"><svg/onload=alert(1)>&\u{202e}";

fn page_of(steps: Vec<Step>) -> String {
    render(&Trajectory {
        header: header(HOSTILE),
        steps,
        exit: Some(Exit::GaveUp { reason: HOSTILE.into() }),
    })
}

/// The names of all tags, and of all attributes in them.
fn markup(page: &str) -> Vec<String> {
    let tags = page.split('<').skip(1).map(|rest| rest.split('>').next().unwrap());
    let mut names = Vec::new();
    for tag in tags.filter(|tag| !tag.starts_with('!')) {
        let outside: String = tag.split('"').step_by(2).collect();
        names.extend(outside.split_whitespace().map(|word| word.trim_matches(['/', '=']).to_owned()));
    }
    names
}

fn hostile_step() -> Step {
    let mut step = seen(1, vec![element(1, Role::Button, HOSTILE), element(2, Role::Text, HOSTILE)]);
    let call = says(&mut step, HOSTILE, &json!({ HOSTILE: HOSTILE }));
    let kind = ActionKind::Drag {
        path: vec![Point::new(30, 40)],
        button: Button::default(),
        modifiers: vec![],
    };
    does(&mut step, call, kind, 1, HOSTILE);
    step.seen.windows[0].title = HOSTILE.into();
    step.seen.windows[0].app = HOSTILE.into();
    step.seen.gaps = vec![HOSTILE.into()];
    step.unread = Some(HOSTILE.into());
    let completion = step.completion.as_mut().unwrap();
    (completion.text, completion.thinking) = (HOSTILE.into(), Some(HOSTILE.into()));
    let judged = &mut step.actions[0];
    judged.outcome = Outcome::Failed { reason: HOSTILE.into(), hint: Some(HOSTILE.into()) };
    let verdict = judged.verdict.as_mut().unwrap();
    verdict.reasons[0].rule = HOSTILE.into();
    verdict.reasons[0].because = HOSTILE.into();
    verdict.approval = Some(Approval::deny(HOSTILE));
    verdict.decision = Decision::Ask;
    step
}

#[test]
fn nothing_on_the_screen_becomes_markup() {
    let page = page_of(vec![hostile_step()]);
    let known = markup(&page_of(vec![clicking(1)]));
    let extra = ["details", "summary", "polyline", "points"];
    for name in markup(&page) {
        assert!(known.contains(&name) || extra.contains(&name.as_str()), "`{name}` in {page}");
    }
    assert!(page.matches("&lt;/script&gt;").count() > 12, "all of it is shown");
    for never in ["<script", "<img src=x", "onerror=\"", "http://", "https://"] {
        assert!(!page.contains(never), "{never}");
    }
}

#[test]
fn a_step_in_full() {
    let mut body = String::new();
    step::write(&mut body, &clicking(1), &Pictures::Beside);
    insta::assert_snapshot!(body, @r##"
    <section id="step-1">
    <h2><a href="#step-1">Step 1</a> <time>2026-01-01 00:00:01</time></h2>
    <p class="where">Form · form</p>
    <figure><a href="frames/67ac9e2962adc4ef.png"><img src="frames/67ac9e2962adc4ef.png" width="64" height="48" loading="lazy" alt="the screen"></a><svg viewBox="-8 0 64 48" preserveAspectRatio="none" aria-hidden="true"><rect class="target" x="0" y="8" width="20" height="10"/><path d="M-2 13H22M10 1V25"/></svg></figure>
    <div class="said"><h3>The model said</h3><pre>{&quot;tool&quot;:&quot;click&quot;,&quot;args&quot;:{&quot;target&quot;:2}}</pre><p class="small">900 tokens read, 700 of them reused; 9 chosen, 4 forced; read in 300 ms, written in 90 ms</p></div>
    <div class="action"><h3>click button &quot;Save&quot;</h3>
    <pre class="call">click {&quot;target&quot;:2}</pre>
    <p class="verdict good"><b>Gate: allowed</b> <code>own-display</code> Freehand started it</p>
    <p class="result good"><b>Done</b> the screen changed</p>
    </div>
    <details><summary>The list (1 on the screen)</summary><pre>[2] Save</pre></details>
    <p class="times"><b>804 ms</b> <span>looking 3.5 ms</span> <span>model 800 ms</span></p>
    </section>
    "##);
}

#[test]
fn a_run_that_goes_on_has_a_page_too() {
    let mut chosen = clicking(2);
    let usage = Usage { prompt: 300, reused: 250, scored: 7, prefill_ms: 40.0, ..Usage::default() };
    (0..2).for_each(|_| chosen.choices.add(usage));
    let page = render(&Trajectory { header: header("t"), steps: vec![clicking(1), chosen], exit: None });
    assert!(page.contains("Not ended"), "{page}");
    for right in
        ["2400, of them 1900 reused", "2 times, 14 tokens", "600 tokens read before them, 500 of"]
    {
        assert!(page.contains(right), "{right} in {page}");
    }
}
