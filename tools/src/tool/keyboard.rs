//! The tools of the keyboard: type_text and press_keys.

use std::borrow::Cow;
use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::action::{ActionKind, Button, EffectClass, Target, TargetElement};
use crate::call::CallError;
use crate::desktop::{Desktop, DesktopError, KeyboardInput, PointerInput};
use crate::element::Role;
use crate::key::{Chord, Key, KeySequence, Modifier, NamedKey};
use crate::observation::Observation;
use crate::outcome::Outcome;
use crate::permit::Redeemed;
use crate::quote::{ticked, typed};
use crate::secret::{self, Secret};
use crate::tool::pointer::place_name;
use crate::tool::target::Place;
use crate::tool::{Act, Grounded, MAX_HOLD, Performed, bad};

/// Characters that one call may type.
const MAX_TEXT: usize = 20_000;

/// Type text into a field, or into whatever has the keyboard.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TypeTextInput {
    /// The field; it is clicked first. Without it, what has the keyboard.
    #[serde(default)]
    pub target: Option<Place>,
    /// The text. A line break is the Return key, a tab the Tab key.
    pub text: String,
    /// Whether Return is pressed after it.
    #[serde(default)]
    pub submit: bool,
    /// Whether it replaces what stands in the field.
    #[serde(default)]
    pub clear: bool,
}

/// Press keys: a chord such as `ctrl+s`, or several chords one after another.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PressKeysInput {
    /// Which keys.
    pub keys: KeySequence,
    /// How long the last key is held, in ms.
    #[serde(default)]
    #[schemars(range(max = 10_000))]
    pub hold_ms: u32,
    /// How often.
    #[serde(default = "once")]
    #[schemars(range(min = 1, max = 100))]
    pub times: u16,
}

const fn once() -> u16 {
    1
}

/// The tool `type_text`.
#[derive(Debug, Default)]
pub struct TypeText;

#[async_trait]
impl Act for TypeText {
    const NAME: &'static str = "type_text";
    type Input = TypeTextInput;

    fn ground(input: TypeTextInput, seen: &Observation) -> Result<Grounded, CallError> {
        let length = input.text.chars().count();
        if length > MAX_TEXT {
            return Err(bad(
                Self::NAME,
                format!("`text` has {length} characters, at most {MAX_TEXT} go"),
            ));
        }
        let target = match input.target {
            Some(place) => place.ground(seen)?,
            None => Target::focused(seen),
        };
        // A secret is named nowhere, not even to the person who is asked.
        let text = match secret::named(&input.text) {
            Some(name) => format!("the secret `{name}`"),
            None if target.is_protected() => "a secret".into(),
            None => typed(&input.text),
        };
        let how = match (input.clear, input.submit) {
            (true, true) => ", replacing what is there, and press Return",
            (true, false) => ", replacing what is there",
            (false, true) => " and press Return",
            (false, false) => "",
        };
        let summary = format!("type {text} into {}{how}", place_name(&target));
        let kind = ActionKind::TypeText { text: input.text, submit: input.submit, clear: input.clear };
        Ok(Grounded { kind, effects: EffectClass::Input, target, summary })
    }

    async fn act(permit: &Redeemed, desktop: &mut dyn Desktop) -> Result<Performed, DesktopError> {
        let ActionKind::TypeText { text, submit, clear } = permit.kind() else {
            return Ok(Outcome::failed("nothing to type").into());
        };
        if let Some(point) = permit.target().point {
            desktop.pointer(permit, PointerInput::MoveTo(point)).await?;
            desktop.pointer(permit, PointerInput::Click(Button::Left, 1)).await?;
            if let Some(stranger) = stranger(permit, desktop).await? {
                let reason =
                    format!("after the click the keyboard belongs to {stranger}, so nothing was typed");
                return Ok(Outcome::failed(reason).into());
            }
        }
        if let Some(reason) = misplaced(permit, desktop).await? {
            return Ok(Outcome::failed(reason).into());
        }
        let text = permit.secret().map_or(text.as_str(), Secret::value);
        let text = match &permit.target().element {
            Some(element) if element.role == Role::Moment => Cow::Owned(in_parts(text)),
            _ => Cow::Borrowed(text),
        };
        // What is typed into a cell replaces what it holds, and all that could be chosen is the whole sheet.
        let is_cell = permit.target().element.as_ref().is_some_and(|cell| cell.role == Role::Cell);
        if *clear && !is_cell {
            let all = Chord { modifiers: vec![Modifier::Ctrl], key: Key::Char('a') };
            tap(permit, desktop, all).await?;
            tap(permit, desktop, plain(NamedKey::Delete)).await?;
            let field = permit.target().element.as_ref();
            if field.is_none_or(|field| field.bounds.height > LINE) {
                tokio::time::sleep(CLEARING).await;
            }
        }
        desktop.keyboard(permit, KeyboardInput::Text(text.into_owned())).await?;
        if *submit {
            tap(permit, desktop, plain(NamedKey::Enter)).await?;
        }
        Ok(Outcome::sent().into())
    }
}

/// A date or a time as its field takes it: each part with two digits at least, since then the next one is
/// gone on to by itself, and nothing between them, since a space would open a calendar.
fn in_parts(text: &str) -> String {
    let letters_apart = |c: char, next: Option<&char>| {
        c.is_ascii_digit() && next.is_some_and(|next| next.is_alphabetic())
    };
    let chars: Vec<char> = text.chars().collect();
    let mut parts = vec![String::new()];
    for (c, next) in chars.iter().zip(chars.iter().skip(1).map(Some).chain([None])) {
        if c.is_alphanumeric()
            && let Some(part) = parts.last_mut()
        {
            part.push(*c);
        }
        if !c.is_alphanumeric() || letters_apart(*c, next) {
            parts.push(String::new());
        }
    }
    let single = |part: &String| part.len() == 1 && part.chars().all(|c| c.is_ascii_digit());
    parts.into_iter().map(|part| if single(&part) { format!("0{part}") } else { part }).collect()
}

/// A field that is higher, in screen px, holds a document. What edits one may do what keys mean later than
/// the letters that follow them, and would delete those.
const LINE: u32 = 80;
const CLEARING: Duration = Duration::from_millis(80);

/// As long as a window may take to get the keyboard after a click.
const FOCUS: Duration = Duration::from_millis(400);

/// The window that has the keyboard after the click, if it is not the one that was judged: a click
/// may open a window, and what is typed must not land there.
async fn stranger(permit: &Redeemed, desktop: &mut dyn Desktop) -> Result<Option<String>, DesktopError> {
    let Some(window) = &permit.target().window else { return Ok(None) };
    let start = tokio::time::Instant::now();
    loop {
        let keyboard = desktop.element_at(None, None).await?.keyboard;
        match keyboard {
            Some(now) if now.id == window.id => return Ok(None),
            now if start.elapsed() >= FOCUS => {
                return Ok(Some(now.map_or_else(|| "no window".into(), |w| ticked(&w.title))));
            }
            _ => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

/// Whether that very element gets the keyboard, after a click, within a moment.
async fn has_keyboard(was: &TargetElement, desktop: &mut dyn Desktop) -> Result<bool, DesktopError> {
    let start = tokio::time::Instant::now();
    loop {
        let now = desktop.element_at(None, Some(&was.key)).await?.element;
        let Some(now) = now.filter(|now| now.role == was.role && now.name == was.name) else {
            return Ok(false);
        };
        if now.states.focused || start.elapsed() >= FOCUS {
            return Ok(now.states.focused);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Why a secret may not be typed, looked at in the last moment: which field has the keyboard now, and which
/// page it stands in, as the browser itself tells it.
async fn misplaced(
    permit: &Redeemed,
    desktop: &mut dyn Desktop,
) -> Result<Option<String>, DesktopError> {
    let (Some(secret), target) = (permit.secret(), permit.target()) else { return Ok(None) };
    let Some(element) = &target.element else {
        return Ok(Some("a secret is typed into a field, and there is none".into()));
    };
    if !has_keyboard(element, desktop).await? {
        return Ok(Some(format!("the keyboard does not belong to {}", place_name(target))));
    }
    if !secret.needs_page(target.window.as_ref().map(|window| window.app.as_str())) {
        return Ok(None);
    }
    let page = desktop.page_of(&element.key).await?;
    Ok(match page {
        Some(page) if secret.fits(&page) => None,
        Some(page) => Some(format!("the secret `{}` may not go to the page `{page}`", secret.name)),
        None => Some(format!(
            "the browser does not tell the page, so the secret `{}` is not typed",
            secret.name
        )),
    })
}

pub(crate) const fn plain(key: NamedKey) -> Chord {
    Chord { modifiers: Vec::new(), key: Key::Named(key) }
}

pub(crate) async fn tap(
    permit: &Redeemed,
    desktop: &mut dyn Desktop,
    chord: Chord,
) -> Result<(), DesktopError> {
    desktop.keyboard(permit, KeyboardInput::Tap(chord)).await
}

/// The tool `press_keys`.
#[derive(Debug, Default)]
pub struct PressKeys;

#[async_trait]
impl Act for PressKeys {
    const NAME: &'static str = "press_keys";
    type Input = PressKeysInput;

    fn ground(input: PressKeysInput, seen: &Observation) -> Result<Grounded, CallError> {
        if input.hold_ms > MAX_HOLD {
            return Err(bad(
                Self::NAME,
                format!("`hold_ms` is {}, at most {MAX_HOLD} go", input.hold_ms),
            ));
        }
        if !(1..=100).contains(&input.times) {
            return Err(bad(Self::NAME, format!("`times` is {}, expected 1 to 100", input.times)));
        }
        let target = Target::focused(seen);
        let times = if input.times == 1 { String::new() } else { format!(" {} times", input.times) };
        let summary = format!("press {}{times} in {}", input.keys, place_name(&target));
        let kind =
            ActionKind::PressKeys { keys: input.keys, hold_ms: input.hold_ms, times: input.times };
        Ok(Grounded { kind, effects: EffectClass::Input, target, summary })
    }

    async fn act(permit: &Redeemed, desktop: &mut dyn Desktop) -> Result<Performed, DesktopError> {
        let ActionKind::PressKeys { keys, hold_ms, times } = permit.kind() else {
            return Ok(Outcome::failed("no keys").into());
        };
        for _ in 0..*times {
            for (i, chord) in keys.chords().iter().enumerate() {
                if *hold_ms > 0 && i + 1 == keys.chords().len() {
                    hold(permit, desktop, chord, Duration::from_millis(u64::from(*hold_ms))).await?;
                } else {
                    tap(permit, desktop, chord.clone()).await?;
                }
            }
        }
        Ok(Outcome::sent().into())
    }
}

async fn hold(
    permit: &Redeemed,
    desktop: &mut dyn Desktop,
    chord: &Chord,
    time: Duration,
) -> Result<(), DesktopError> {
    let keys: Vec<Key> = chord.modifiers.iter().map(|m| Key::Modifier(*m)).chain([chord.key]).collect();
    let mut result = Ok(());
    for key in &keys {
        if result.is_ok() {
            result = desktop.keyboard(permit, KeyboardInput::Down(*key)).await;
        }
    }
    if result.is_ok() {
        tokio::time::sleep(time).await;
    }
    // Whatever went wrong, what was pressed is let go.
    for key in keys.iter().rev() {
        let up = desktop.keyboard(permit, KeyboardInput::Up(*key)).await;
        result = result.and(up);
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_are_typed_part_by_part() {
        for (text, keys) in [
            ("9:37 PM", "0937PM"),
            ("9:37pm", "0937pm"),
            ("05/2/2010", "05022010"),
            ("2010-05-20", "20100520"),
            ("12:00", "1200"),
        ] {
            assert_eq!(in_parts(text), keys);
        }
    }
}
