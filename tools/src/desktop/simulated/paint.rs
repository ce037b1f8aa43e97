//! Draws the simulated desktop, so that pixels differ when and only when something differs.

use image::{Rgb, RgbImage};

use super::field::{Field, Shape};
use super::scene::{Scene, SimWindow, TITLE, scaled};
use super::widget::{CHAR, Choice, Kind, LINE, Logical, PAD, ROW, Widget};
use crate::geometry::{Rect, ScreenRect};
use crate::picture::canvas::{Canvas, Colour, glyph};

const DESKTOP: Colour = [58, 82, 104];
const PAPER: Colour = [255, 255, 255];
const FACE: Colour = [236, 236, 236];
const INK: Colour = [20, 20, 20];
const FAINT: Colour = [150, 150, 150];
const BLUE: Colour = [38, 98, 190];
const MARKED: Colour = [178, 206, 255];
const BLACK: Colour = [12, 12, 12];
const GREEN: Colour = [140, 220, 140];

/// What draws one window, in its own coordinates.
struct Pen<'a> {
    canvas: &'a mut Canvas,
    window: &'a SimWindow,
}

impl Pen<'_> {
    fn fill(&mut self, area: &Rect<Logical>, colour: Colour) {
        self.canvas.fill(&self.window.to_screen(area), colour);
    }

    fn boxed(&mut self, area: &Rect<Logical>, face: Colour, edge: Colour) {
        let area = self.window.to_screen(area);
        self.canvas.fill(&area, face);
        self.canvas.outline(&area, edge);
    }

    /// One line of text, from the left edge of `area`, cut at its right one.
    fn text(&mut self, area: &Rect<Logical>, text: &str, colour: Colour) {
        let fits = (area.width / CHAR) as usize + 1;
        let down = area.height.saturating_sub(CHAR).cast_signed() / 2;
        let clip = self.canvas.clip;
        self.canvas.clip = clip.intersect(&self.window.to_screen(area)).unwrap_or(Rect::new(0, 0, 0, 0));
        for (c, x) in text.chars().take(fits).zip((area.x..).step_by(CHAR as usize)) {
            self.glyph(c, x, area.y + down, colour);
        }
        self.canvas.clip = clip;
    }

    fn glyph(&mut self, c: char, x: i32, y: i32, colour: Colour) {
        for (bits, row) in glyph(c).into_iter().zip(y..) {
            for (bit, column) in (0..8).zip(x..) {
                if bits >> bit & 1 == 1 {
                    self.fill(&Rect::new(column, row, 1, 1), colour);
                }
            }
        }
    }
}

/// Draws what `region` of the screen shows.
pub(super) fn paint(scene: &Scene, region: ScreenRect) -> RgbImage {
    let image = RgbImage::from_pixel(region.width, region.height, Rgb(DESKTOP));
    let mut canvas = Canvas { image, region, clip: region };
    for window in scene.windows.iter().rev() {
        canvas.clip = window.bounds();
        if canvas.clip.intersect(&region).is_some() {
            let active = scene.active == Some(window.id);
            paint_window(&mut Pen { canvas: &mut canvas, window }, scene, active);
        }
    }
    canvas.clip = region;
    if scene.clock {
        paint_clock(&mut canvas, scene);
    }
    canvas.image
}

fn paint_clock(canvas: &mut Canvas, scene: &Scene) {
    for monitor in &scene.monitors {
        let wide = scaled(80, monitor.scale);
        let origin = monitor.bounds.origin().offset(monitor.bounds.width.cast_signed() - wide, 0);
        let seconds = scene.age.as_secs();
        let time = format!("{:02}:{:02}:{:02}", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
        let area: Rect<Logical> = Rect::new(0, 0, 80, TITLE);
        let panel = SimWindow {
            id: crate::element::WindowId(0),
            title: String::new(),
            app: String::new(),
            origin,
            size: area.size(),
            scale: monitor.scale,
            widgets: Vec::new(),
            focus: None,
            listed: false,
        };
        let mut pen = Pen { canvas: &mut *canvas, window: &panel };
        pen.fill(&area, BLACK);
        pen.text(&Rect::new(8, 0, 72, TITLE), &time, PAPER);
    }
}

fn paint_window(pen: &mut Pen<'_>, scene: &Scene, active: bool) {
    let window = pen.window;
    let whole = Rect::of_size(window.size);
    pen.boxed(&whole, FACE, FAINT);
    let bar = Rect::new(0, 0, window.size.width, TITLE);
    pen.fill(&bar, if active { BLUE } else { FAINT });
    let title = Rect::new(8, 0, window.size.width.saturating_sub(8), TITLE);
    pen.text(&title, &window.title, PAPER);
    for widget in window.shown() {
        let focused = active && window.focus == Some(widget.number);
        paint_widget(pen, scene, widget, focused);
    }
    for widget in window.shown() {
        if let (Some(area), Kind::Dropdown { options, chosen, .. }) = (widget.overlay(), &widget.kind) {
            pen.boxed(&area, PAPER, INK);
            paint_entries(pen, widget, options, *chosen);
        }
    }
}

fn paint_widget(pen: &mut Pen<'_>, scene: &Scene, widget: &Widget, focused: bool) {
    let area = widget.area;
    let ink = if widget.disabled { FAINT } else { INK };
    let edge = if focused { BLUE } else { FAINT };
    match &widget.kind {
        Kind::Label => pen.text(&area, &widget.name, ink),
        Kind::Heading => {
            pen.text(&area, &widget.name, ink);
            pen.text(&Rect::new(area.x + 1, area.y, area.width, area.height), &widget.name, ink);
        }
        Kind::Link { .. } => {
            pen.text(&area, &widget.name, BLUE);
            pen.fill(&Rect::new(area.x, area.bottom() - 2, area.width, 1), BLUE);
        }
        Kind::Button { is_default } => {
            pen.boxed(&area, if *is_default { MARKED } else { PAPER }, edge);
            pen.text(&inset(&area, 12), &widget.name, ink);
        }
        Kind::Tab { on, .. } => {
            pen.boxed(&area, if *on { PAPER } else { FACE }, edge);
            pen.text(&inset(&area, 12), &widget.name, ink);
        }
        Kind::Checkbox { on } | Kind::Radio { on } => {
            let mark = Rect::new(area.x, area.y + 2, 16, 16);
            pen.boxed(&mark, PAPER, edge);
            if *on {
                let dot = if matches!(widget.kind, Kind::Radio { .. }) { 5 } else { 3 };
                let side = 16 - 2 * dot;
                pen.fill(
                    &Rect::new(mark.x + dot, mark.y + dot, side.unsigned_abs(), side.unsigned_abs()),
                    BLUE,
                );
            }
            pen.text(&inset(&area, 24), &widget.name, ink);
        }
        Kind::Field(field) => {
            pen.boxed(&area, PAPER, edge);
            paint_field(pen, field, &area, focused && caret_shows(scene), ink);
        }
        Kind::Dropdown { options, chosen, open } => {
            pen.boxed(&area, PAPER, edge);
            let text = chosen.and_then(|i| options.get(i)).map_or("", |choice| &choice.text);
            pen.text(&inset(&area, 8), text, ink);
            let arrow = Rect::new(area.right() - 20, area.y, 16, area.height);
            pen.text(&arrow, if *open { "^" } else { "v" }, ink);
        }
        Kind::List { items, chosen, .. } => {
            pen.boxed(&area, PAPER, edge);
            paint_entries(pen, widget, items, *chosen);
        }
        Kind::Slider { value } => {
            pen.boxed(&Rect::new(area.x, area.y + 8, area.width, 4), FAINT, edge);
            let along = area.width.saturating_sub(8) * value / 100;
            pen.fill(&Rect::new(area.x + along.cast_signed(), area.y, 8, area.height), BLUE);
        }
        Kind::Terminal { lines, input } => {
            paint_terminal(pen, &area, lines, &input.text(), focused && caret_shows(scene));
        }
        Kind::Canvas { shade } => stripes(pen, &area, *shade),
        Kind::Film => stripes(pen, &area, u32::try_from(scene.age.as_millis() / 16).unwrap_or(0)),
    }
}

fn paint_terminal(pen: &mut Pen<'_>, area: &Rect<Logical>, lines: &[String], input: &str, caret: bool) {
    pen.fill(area, BLACK);
    let rows = (area.height / LINE).saturating_sub(1) as usize;
    let prompt = format!("$ {input}{}", if caret { "_" } else { "" });
    let old = lines.iter().skip(lines.len().saturating_sub(rows)).map(|line| format!("$ {line}"));
    for (text, y) in old.chain([prompt]).zip((area.y..).step_by(LINE as usize)) {
        pen.text(&Rect::new(area.x + PAD, y, area.width, LINE), &text, GREEN);
    }
}

/// A pattern with no plain spot in it, another one for each number.
fn stripes(pen: &mut Pen<'_>, area: &Rect<Logical>, number: u32) {
    let [_, _, high, low] = number.wrapping_mul(40_503).to_be_bytes();
    for (i, y) in (0u8..).zip((area.y..area.bottom()).step_by(4)) {
        let colour = [low ^ i.wrapping_mul(29), high.wrapping_add(i), 200u8.wrapping_sub(low)];
        pen.fill(&Rect::new(area.x, y, area.width, 4).intersect(area).unwrap_or(*area), colour);
    }
}

fn caret_shows(scene: &Scene) -> bool {
    !scene.blinking || (scene.age.as_millis() / 500).is_multiple_of(2)
}

fn paint_field(pen: &mut Pen<'_>, field: &Field, area: &Rect<Logical>, caret: bool, ink: Colour) {
    let (many, shown) = (field.shape == Shape::Lines, field.shown());
    let (row, column) = field.position();
    let height = if many { LINE } else { area.height };
    // A single line is drawn from where its caret shows.
    let visible = (area.width / CHAR).saturating_sub(1) as usize;
    let skip = if many { 0 } else { column.saturating_sub(visible) };
    let mut at = 0;
    for (i, line) in shown.split('\n').enumerate() {
        let start = at;
        at += line.chars().count() + 1;
        let Some(offset) = i.checked_sub(field.top).and_then(|n| u32::try_from(n).ok()) else {
            continue;
        };
        let y = area.y + if many { PAD } else { 0 } + (offset * LINE).cast_signed();
        if y + height.cast_signed() > area.bottom() {
            break;
        }
        let x = |chars: usize| {
            area.x + PAD + i32::try_from(chars.saturating_sub(skip)).unwrap_or(0) * CHAR.cast_signed()
        };
        let marked = field.selection();
        for (_, n) in line.chars().zip(start..).filter(|(_, n)| marked.contains(n)) {
            pen.fill(&Rect::new(x(n - start), y + 1, CHAR, height - 2), MARKED);
        }
        let text: String = line.chars().skip(skip).collect();
        pen.text(&Rect::new(area.x + PAD, y, area.width - PAD.unsigned_abs(), height), &text, ink);
        if caret && i == row {
            pen.fill(&Rect::new(x(column), y + 2, 1, height - 4), INK);
        }
    }
}

fn paint_entries(pen: &mut Pen<'_>, widget: &Widget, choices: &[Choice], chosen: Option<usize>) {
    for (i, area) in widget.entry_areas() {
        if chosen == Some(i) {
            pen.fill(&area, MARKED);
        }
        let text = choices.get(i).map_or("", |choice| &choice.text);
        pen.text(&Rect::new(area.x + 8, area.y, area.width.saturating_sub(8), ROW), text, INK);
    }
}

fn inset(area: &Rect<Logical>, left: i32) -> Rect<Logical> {
    Rect::new(area.x + left, area.y, area.width.saturating_sub(left.unsigned_abs()), area.height)
}
