//! How a call says where: by an element's number, by a description, or by a point of a frame that it
//! has seen. All three become a [`Target`].

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::action::Target;
use crate::call::CallError;
use crate::element::{Element, ElementId, Role};
use crate::geometry::{Image, Point};
use crate::observation::Observation;

/// Where on the screen.
#[derive(Debug, Clone, PartialEq)]
pub enum Place {
    /// The element with this number in the list.
    Element(ElementId),
    /// The element of this name.
    Described {
        /// Its name, whole or in part.
        label: String,
        /// Its role, where the name alone is not enough.
        role: Option<Role>,
        /// The named container that it stands in, where name and role are not enough.
        within: Option<String>,
    },
    /// A pixel of a frame.
    Point {
        /// The pixel, counted from the frame's top left corner.
        at: Point<Image>,
        /// The first digits of the frame's digest; without it, the newest frame is meant.
        frame: Option<String>,
    },
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    element: Option<ElementId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    role: Option<Role>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    within: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    x: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    y: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    frame: Option<String>,
}

const EXPECTED: &str =
    "expected an element's number, {\"label\": …, \"role\": …} or {\"x\": …, \"y\": …}";

impl TryFrom<Value> for Place {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        match value {
            Value::Number(number) => number
                .as_u64()
                .and_then(|n| u32::try_from(n).ok())
                .map(|n| Self::Element(ElementId(n)))
                .ok_or_else(|| format!("`{number}` is not an element's number")),
            Value::String(label) => Ok(Self::Described { label, role: None, within: None }),
            Value::Object(fields) => Self::from_fields(fields),
            Value::Null | Value::Bool(_) | Value::Array(_) => Err(EXPECTED.into()),
        }
    }
}

impl Place {
    fn from_fields(fields: Map<String, Value>) -> Result<Self, String> {
        let f: Fields = serde_json::from_value(fields.into()).map_err(|e| format!("{e}; {EXPECTED}"))?;
        match (f.element, f.label, f.x, f.y) {
            (Some(id), None, None, None) => Ok(Self::Element(id)),
            (None, Some(label), None, None) => {
                Ok(Self::Described { label, role: f.role, within: f.within })
            }
            (None, None, Some(x), Some(y)) => Ok(Self::Point { at: Point::new(x, y), frame: f.frame }),
            _ => Err(EXPECTED.into()),
        }
    }

    /// What it means on this screen.
    pub fn ground(&self, seen: &Observation) -> Result<Target, CallError> {
        match self {
            Self::Element(id) => {
                let element = seen.element(*id).ok_or(CallError::NoElement(*id))?;
                Ok(Target::of(element, seen))
            }
            Self::Described { label, role, within } => {
                find(seen, label, *role, within.as_deref()).map(|element| Target::of(element, seen))
            }
            Self::Point { at, frame } => ground_point(*at, frame.as_deref(), seen),
        }
    }
}

fn ground_point(at: Point<Image>, frame: Option<&str>, seen: &Observation) -> Result<Target, CallError> {
    let named = frame.map(str::to_lowercase);
    if named.is_some_and(|n| n.len() < 8 || !seen.frame.digest().to_string().starts_with(&n)) {
        return Err(CallError::StaleFrame);
    }
    let size = seen.frame.size();
    let inside = crate::geometry::Rect::of_size(size).contains(at);
    match seen.frame.mapping() {
        Some(map) if inside => Ok(Target::at(map.forward(at), seen)),
        _ => Err(CallError::OffScreen(at.to_string(), size.to_string())),
    }
}

/// The one element that fits: the same name first, then the same but for case, then a part of it.
fn find<'a>(
    seen: &'a Observation,
    label: &str,
    role: Option<Role>,
    within: Option<&str>,
) -> Result<&'a Element, CallError> {
    let wanted = label.trim().to_lowercase();
    if wanted.is_empty() {
        return Err(CallError::NotFound(label.into()));
    }
    let fits = |element: &&Element| {
        role.is_none_or(|role| element.role == role)
            && within.is_none_or(|within| element.within.as_deref() == Some(within))
    };
    let candidates: Vec<&Element> = seen.elements.iter().filter(fits).collect();
    let tests: [&dyn Fn(&str) -> bool; 3] =
        [&|name| name.trim() == label.trim(), &|name| name.trim().to_lowercase() == wanted, &|name| {
            name.to_lowercase().contains(&wanted)
        }];
    for test in tests {
        let found: Vec<&Element> = candidates.iter().copied().filter(|e| test(&e.name)).collect();
        // A label and the control that it names are told apart by what can be used.
        let usable: Vec<&Element> = found.iter().copied().filter(|e| e.role.takes_clicks()).collect();
        match (found.as_slice(), usable.as_slice()) {
            ([], _) => {}
            ([one], _) | (_, [one]) => return Ok(one),
            (many, _) => return Err(CallError::Ambiguous { name: label.into(), count: many.len() }),
        }
    }
    Err(CallError::NotFound(label.into()))
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_from(Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl Serialize for Place {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = Fields {
            element: None,
            label: None,
            role: None,
            within: None,
            x: None,
            y: None,
            frame: None,
        };
        match self.clone() {
            Self::Element(id) => fields.element = Some(id),
            Self::Described { label, role, within } => {
                (fields.label, fields.role, fields.within) = (Some(label), role, within);
            }
            Self::Point { at, frame } => {
                (fields.x, fields.y, fields.frame) = (Some(at.x), Some(at.y), frame);
            }
        }
        fields.serialize(serializer)
    }
}

impl JsonSchema for Place {
    fn schema_name() -> Cow<'static, str> {
        "Place".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let role = generator.subschema_for::<Role>();
        json_schema!({
            "description": "Where: the number of an element in the list, or the label of an element, or a pixel of the picture.",
            "anyOf": [
                { "type": "integer", "minimum": 0 },
                {
                    "type": "object",
                    "properties": {
                        "label": { "type": "string" },
                        "role": role,
                        "within": { "type": "string" }
                    },
                    "required": ["label"],
                    "additionalProperties": false
                },
                {
                    "type": "object",
                    "properties": {
                        "x": { "type": "integer" },
                        "y": { "type": "integer" },
                        "frame": { "type": "string", "description": "The first digits of the frame's digest." }
                    },
                    "required": ["x", "y"],
                    "additionalProperties": false
                }
            ]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_every_form_and_writes_it_back() {
        for value in [
            json!(3),
            json!({"element": 3}),
            json!("Save"),
            json!({"label": "Save", "role": "button"}),
            json!({"x": 0, "y": 0}),
        ] {
            let place: Place = serde_json::from_value(value.clone()).unwrap();
            let written = serde_json::to_value(&place).unwrap();
            assert_eq!(serde_json::from_value::<Place>(written).unwrap(), place, "{value}");
        }
    }

    #[test]
    fn says_what_was_expected() {
        for value in [
            json!(-1),
            json!(true),
            json!({"x": 1}),
            json!({"label": "a", "x": 1, "y": 2}),
            json!({"colour": 1}),
        ] {
            let error = serde_json::from_value::<Place>(value.clone()).unwrap_err().to_string();
            assert!(error.contains("element"), "{value}: {error}");
        }
    }
}
