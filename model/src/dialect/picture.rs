//! The screen as a picture for a model that sees: in a size of its grid, with the numbers of the list on it.
//! Where it answers in pixels of that picture, they become pixels of the frame, which the tools take.

use freehand_tools::element::{Element, Source};
use freehand_tools::frame::png;
use freehand_tools::geometry::{Grid, Image, Mapping, Point, Rect, Size};
use freehand_tools::picture::resize::Filter;
use serde_json::{Map, Value, json};

use super::list;
use super::{ParseError, PlanView};
use crate::prompt::Picture;

/// The picture of what is seen, where the model sees pictures and this one fits.
pub(super) fn of(view: &PlanView<'_>) -> Option<Picture> {
    // As Qwen-VL's own processor resizes.
    let fitted = view.images?.frame(&view.seen.frame, Filter::Bicubic)?;
    let elements: Vec<&Element> =
        list::listed(view.seen).into_iter().filter(|element| is_marked(element)).collect();
    let marked = fitted.marked(&elements, Some(view.seen.cursor));
    let file = png(&marked.pixels).ok()?;
    let (width, height) = fitted.pixels.dimensions();
    let gap = marked.gap().map(|gap| format!(" {gap}.")).unwrap_or_default();
    let words = format!(
        "The picture, {width}x{height} px, shows the same screen, with their numbers on what can be used. \
         Prefer a number; what has none is given as {{\"x\": X, \"y\": Y}} in px of the picture.{gap}\n"
    );
    Some(Picture { png: file.into(), words: words.into() })
}

/// What can be used, or may be: boxes around all the text of a page hide the page.
fn is_marked(element: &Element) -> bool {
    element.source != Source::Accessibility || element.role.takes_clicks()
}

/// The size of the picture, where there is one.
fn size(view: &PlanView<'_>) -> Option<Size<Image>> {
    view.images?.size(view.seen.frame.size())
}

/// The schema of a point of the picture, where there is one.
pub(super) fn point(view: &PlanView<'_>) -> Option<Value> {
    let Size { width, height, .. } = size(view)?;
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
    let Some(size) = size(view) else { return Ok(()) };
    let picture = Rect::<Grid>::new(0, 0, size.width, size.height);
    match Mapping::new(picture, Rect::of_size(view.seen.frame.size())) {
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
