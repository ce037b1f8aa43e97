//! Text must arrive whole and in order, in programs of every toolkit.

use std::process::Command;
use std::time::Duration;

use freehand_tools::action::Button;
use freehand_tools::desktop::x11::X11;
use freehand_tools::desktop::{Desktop, KeyboardInput, Launch, PointerInput};
use freehand_tools::geometry::Rect;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::EventMask;

use super::probe::{Kind, Probe};
use super::support::{Bench, permit};

/// Capitals, symbols, accents, another script, a character beyond 16 bits, brackets, and characters
/// whose older symbols programs read differently.
pub(crate) const HARD: &str = "é 中文 🎉 ≡▒ {}[]<>~|€ ÄÖ ß \"Quoted\" C:\\x `a` $1 100% #x ^y";

/// About 500 characters in several scripts.
pub(crate) fn long() -> String {
    let lines = [
        "The quick brown fox jumps over the lazy dog, 0123456789 times.\n",
        "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich.\n",
        "Съешь же ещё этих мягких французских булок, да выпей чаю!\n",
        "敏捷的棕色狐狸跳过懒狗。いろはにほへと ちりぬるを\n",
        "fn main() { let x = [1, 2, 3]; println!(\"{x:?} => {}\", x.len()); }\n",
        "\tindented; UPPER lower MiXeD cAsE; ~!@#$%^&*()_+-=`{}|[]\\:\";'<>?,./\n",
    ];
    let text = lines.concat();
    text.chars().chain(text.chars().take(100)).collect()
}

#[tokio::test]
async fn a_terminal_gets_every_character() {
    let mut bench = Bench::start().await;
    let file = bench.path("out").display().to_string();
    bench.open(&["xterm", "-e", "sh", "-c", "cat > \"$0\"", &file], "XTerm").await;
    bench.type_text(&format!("{HARD}\n")).await;
    bench.expect_file("out", &format!("{HARD}\n")).await;
    let long = long() + "\n";
    bench.type_text(&long.replace('\t', " ")).await;
    bench.expect_file("out", &format!("{HARD}\n{}", long.replace('\t', " "))).await;
}

#[tokio::test]
async fn text_arrives_though_the_desktop_ends_at_once() {
    let mut bench = Bench::start().await;
    let file = bench.path("out").display().to_string();
    bench.open(&["xterm", "-e", "sh", "-c", "cat > \"$0\"", &file], "XTerm").await;
    type_and_leave(&bench, &format!("{HARD}\n")).await;
    bench.expect_file("out", &format!("{HARD}\n")).await;
    std::fs::write(bench.path("note.txt"), "").unwrap();
    let file = bench.path("note.txt").display().to_string();
    bench.open(&["mousepad", &file], "Mousepad").await;
    for _ in 0..3 {
        type_and_leave(&bench, HARD).await;
    }
    bench.tap("ctrl+s").await;
    bench.expect_file("note.txt", &HARD.repeat(3)).await;
}

/// Types through a desktop that is gone right after.
async fn type_and_leave(bench: &Bench, text: &str) {
    let mut desktop = X11::on(&bench.display).unwrap();
    let permit = permit(&mut desktop).await;
    desktop.keyboard(&permit, KeyboardInput::Text(text.into())).await.unwrap();
}

#[tokio::test]
async fn a_key_waits_until_the_program_knows_its_meaning() {
    let mut bench = Bench::start().await;
    let probe = Probe::on(bench.display.name());
    let window = probe.window(Rect::new(100, 100, 400, 300), Kind::Managed, "Slow");
    let ping = probe.answers_pings(window);
    bench.window("Slow").await;
    let program = std::thread::spawn(move || {
        // As GTK answers, as Qt 5 does, and once more: who does not answer is not asked again.
        for mask in
            [EventMask::SUBSTRUCTURE_NOTIFY, EventMask::STRUCTURE_NOTIFY, EventMask::SUBSTRUCTURE_NOTIFY]
        {
            let asked = |event: &Event| match event {
                Event::ClientMessage(message) if message.data.as_data32()[0] == ping => Some(*message),
                _ => None,
            };
            let is_key = |event: &Event| matches!(event, Event::KeyPress(_));
            let mut seen = probe.events(|events| events.iter().any(|event| asked(event).is_some()));
            let question = seen.iter().find_map(asked).unwrap();
            std::thread::park_timeout(Duration::from_millis(200));
            seen.extend(probe.events(|_| true));
            assert!(!seen.iter().any(is_key), "a key came before the answer: {seen:#?}");
            probe.answer(question, mask);
            probe.events(|events| events.iter().any(is_key));
        }
    });
    for text in ["中", "文", "字"] {
        bench.type_text(text).await;
        // What was typed counts as read, so that the next question is about the next text.
        tokio::time::sleep(Duration::from_millis(1100)).await;
    }
    program.join().unwrap();
}

#[tokio::test]
async fn caps_lock_does_not_matter() {
    let mut bench = Bench::start().await;
    let file = bench.path("out").display().to_string();
    bench.open(&["xterm", "-e", "sh", "-c", "cat > \"$0\"", &file], "XTerm").await;
    bench.tap("capslock").await;
    bench.type_text("small CAPITAL é Ä\n").await;
    bench.tap("x").await;
    bench.tap("X").await;
    bench.tap("enter").await;
    bench.expect_file("out", "small CAPITAL é Ä\nxX\n").await;
}

#[tokio::test]
async fn other_layouts_are_typed_on_as_they_are() {
    let mut bench = Bench::start().await;
    let file = bench.path("out").display().to_string();
    bench.open(&["xterm", "-e", "sh", "-c", "cat > \"$0\"", &file], "XTerm").await;
    let mut want = String::new();
    for layout in ["de", "fr", "us,ru"] {
        let set = Command::new("setxkbmap").arg(layout).envs(bench.display.environment()).status();
        assert!(set.unwrap().success(), "{layout}");
        let line = format!("{layout}: {HARD} Да! {{[]}} \\ @ ^ ° ´`\n");
        bench.type_text(&line).await;
        want += &line;
        bench.expect_file("out", &want).await;
    }
}

#[tokio::test]
async fn more_characters_than_there_are_spare_keys() {
    let mut bench = Bench::start().await;
    let text: String = ('一'..).take(300).chain(('a'..='z').chain('α'..='ω')).collect();
    std::fs::write(bench.path("note.txt"), "").unwrap();
    let file = bench.path("note.txt").display().to_string();
    bench.open(&["mousepad", &file], "Mousepad").await;
    bench.type_text(&text).await;
    bench.tap("ctrl+s").await;
    bench.expect_file("note.txt", &text).await;
    let file = bench.path("out").display().to_string();
    bench.open(&["xterm", "-e", "sh", "-c", "cat > \"$0\"", &file], "XTerm").await;
    bench.type_text(&format!("{text}\n")).await;
    bench.expect_file("out", &format!("{text}\n")).await;
}

#[tokio::test]
async fn a_gtk_editor_gets_every_character() {
    let mut bench = Bench::start().await;
    std::fs::write(bench.path("note.txt"), "").unwrap();
    let file = bench.path("note.txt").display().to_string();
    bench.open(&["mousepad", &file], "Mousepad").await;
    let text = format!("{HARD}\n{}", long());
    bench.type_text(&text).await;
    bench.tap("ctrl+s").await;
    bench.expect_file("note.txt", &text).await;
}

#[tokio::test]
async fn a_qt_editor_gets_every_character() {
    let mut bench = Bench::start().await;
    std::fs::write(bench.path("note.txt"), "").unwrap();
    let file = bench.path("note.txt").display().to_string();
    bench.open(&["featherpad", &file], "FeatherPad").await;
    bench.type_text(HARD).await;
    bench.tap("ctrl+s").await;
    bench.expect_file("note.txt", &format!("{HARD}\n")).await;
}

/// Opens the page and clicks into its field until the page says that it has the keyboard: a browser
/// that has just started drops input.
pub(crate) async fn open_page(bench: &mut Bench) {
    std::fs::write(bench.path("page.html"), PAGE).unwrap();
    let url = format!("file://{}", bench.path("page.html").display());
    bench.desktop.launch(&bench.permit, Launch::Url(url)).await.unwrap();
    let field = bench.window("empty").await.bounds.origin().offset(250, 250);
    while bench.desktop.observe().await.unwrap().focused_window().unwrap().title.contains("empty") {
        bench.pointer(PointerInput::MoveTo(field)).await;
        bench.pointer(PointerInput::Click(Button::Left, 1)).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

/// What a page's text field holds, told by the page through its title.
const PAGE: &str = "<meta charset=utf-8><title>empty</title><textarea rows=20 cols=60></textarea>
<script>const t = document.querySelector('textarea');
t.addEventListener('focus', () => document.title = 'ready');
t.addEventListener('input', () => {
  let sum = 7;
  for (const c of t.value) sum = (sum * 31 + c.codePointAt(0)) % 1000003;
  document.title = 'holds ' + [...t.value].length + ' sum ' + sum + ' end';
});</script>";

pub(crate) fn title_for(text: &str) -> String {
    let sum = text.chars().fold(7, |sum, c| (sum * 31 + u64::from(u32::from(c))) % 1_000_003);
    format!("holds {} sum {sum} end", text.chars().count())
}

#[tokio::test]
async fn a_browser_gets_every_character() {
    let mut bench = Bench::start().await;
    open_page(&mut bench).await;
    // A tab would leave the field.
    let long = long().replace('\t', " ");
    bench.type_text(HARD).await;
    bench.window(&title_for(HARD)).await;
    bench.type_text(&long).await;
    bench.window(&title_for(&format!("{HARD}{long}"))).await;
}
