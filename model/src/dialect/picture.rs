//! The screen as a picture for a model that sees: in a size of its grid, with the numbers of the list on it.
//! After it has asked to look closely at a part of the screen, the picture is of that part, enlarged; a question
//! never has two. Where it answers in pixels of the picture, they become pixels of the frame, which the tools take.

use freehand_tools::element::{Element, Source};
use freehand_tools::frame::png;
use freehand_tools::geometry::{Grid, Image, Mapping, Point, Rect, ScreenRect, Size};
use freehand_tools::picture::resize::Filter;
use serde_json::{Map, Value, json};

use super::list;
use super::{ParseError, PlanView};
use crate::prompt::Picture;

/// What the picture shows.
struct Shown {
    /// Its size.
    size: Size<Image>,
    /// The part of the screen, where it is not all of it.
    part: Option<ScreenRect>,
}

/// What the picture shows, where there is one.
fn shown(view: &PlanView<'_>) -> Option<Shown> {
    let sizes = view.images?;
    let part = view.closeup.and_then(|part| part.intersect(&view.seen.bounds()));
    let close = part.and_then(|part| sizes.close_size(Size::new(part.width, part.height)));
    match close {
        Some(size) => Some(Shown { size, part }),
        None => Some(Shown { size: sizes.size(view.seen.frame.size())?, part: None }),
    }
}

/// The picture of what is seen, where the model sees pictures and this one fits.
pub(super) fn of(view: &PlanView<'_>) -> Option<Picture> {
    let (sizes, part) = (view.images?, shown(view)?.part);
    // As Qwen-VL's own processor resizes.
    let fitted = match part {
        Some(part) => sizes.close(&view.seen.frame.crop(&part)?, Filter::Bicubic)?,
        None => sizes.frame(&view.seen.frame, Filter::Bicubic)?,
    };
    let elements: Vec<&Element> =
        list::listed(view.seen).into_iter().filter(|element| is_marked(element)).collect();
    let marked = fitted.marked(&elements, Some(view.seen.cursor));
    let file = png(&marked.pixels).ok()?;
    let (width, height) = fitted.pixels.dimensions();
    let gap = marked.gap().map(|gap| format!(" {gap}.")).unwrap_or_default();
    let what = match part {
        Some(_) => "the part of the screen that you asked to look at closely",
        None => "the same screen",
    };
    let words = format!(
        "The picture, {width}x{height} px, shows {what}, with their numbers on what can be used. \
         Prefer a number; what has none is given as {{\"x\": X, \"y\": Y}} in px of the picture.{gap}\n"
    );
    Some(Picture { png: file.into(), words: words.into() })
}

/// What can be used, or may be: boxes around all the text of a page hide the page.
fn is_marked(element: &Element) -> bool {
    element.source != Source::Accessibility || element.role.takes_clicks()
}

/// The schema of a point of the picture, where there is one.
pub(super) fn point(view: &PlanView<'_>) -> Option<Value> {
    let Size { width, height, .. } = shown(view)?.size;
    let within = |side: u32| json!({"type": "integer", "minimum": 0, "maximum": side.saturating_sub(1)});
    Some(json!({
        "type": "object",
        "properties": {"x": within(width), "y": within(height)},
        "required": ["x", "y"],
        "additionalProperties": false
    }))
}

/// Makes pixels of the frame out of the pixels of the picture in `args`, at whatever depth they stand; nothing
/// where no picture was shown.
pub(super) fn bring_back(view: &PlanView<'_>, args: &mut Value) -> Result<(), ParseError> {
    let Some(Shown { size, part }) = shown(view) else { return Ok(()) };
    let picture = Rect::<Grid>::new(0, 0, size.width, size.height);
    let origin = view.seen.bounds().origin();
    let within = |part: ScreenRect| {
        let (x, y) = (part.x.saturating_sub(origin.x), part.y.saturating_sub(origin.y));
        Rect::new(x, y, part.width, part.height)
    };
    let frame = part.map_or_else(|| Rect::of_size(view.seen.frame.size()), within);
    match Mapping::new(picture, frame) {
        Some(way) => all_back(&way, picture, args),
        None => Ok(()),
    }
}

fn all_back(
    way: &Mapping<Grid, Image>,
    picture: Rect<Grid>,
    value: &mut Value,
) -> Result<(), ParseError> {
    match value {
        Value::Object(fields) => {
            one_back(way, picture, fields)?;
            fields.values_mut().try_for_each(|inner| all_back(way, picture, inner))
        }
        Value::Array(items) => items.iter_mut().try_for_each(|item| all_back(way, picture, item)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

/// A point, or with a width and a height a part of the picture.
fn one_back(
    way: &Mapping<Grid, Image>,
    picture: Rect<Grid>,
    fields: &mut Map<String, Value>,
) -> Result<(), ParseError> {
    let whole = |fields: &Map<String, Value>, name: &str| -> Option<i32> {
        fields.get(name)?.as_i64().and_then(|number| i32::try_from(number).ok())
    };
    let (Some(x), Some(y)) = (whole(fields, "x"), whole(fields, "y")) else { return Ok(()) };
    let at = Point::new(x, y);
    if !picture.contains(at) {
        let size = picture.size();
        return Err(ParseError::Misfit(format!("the point {at} is not on the picture of {size} px")));
    }
    let from = way.forward(at);
    if let (Some(width @ 1..), Some(height @ 1..)) = (whole(fields, "width"), whole(fields, "height")) {
        let last = picture.clamp(at.offset(width - 1, height - 1));
        let to = way.forward(last);
        fields.insert("width".into(), json!(to.x - from.x + 1));
        fields.insert("height".into(), json!(to.y - from.y + 1));
    }
    fields.insert("x".into(), json!(from.x));
    fields.insert("y".into(), json!(from.y));
    Ok(())
}

#[cfg(test)]
mod tests;
