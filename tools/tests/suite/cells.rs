//! What is typed into a cell of a sheet. A cell holds its text as a field does, but the keys that choose all that a field
//! holds choose the whole sheet, and the next one would delete it.

use async_trait::async_trait;
use freehand_tools::call::ToolCall;
use freehand_tools::desktop::simulated::Simulated;
use freehand_tools::desktop::{
    ClipboardUse, Desktop, DesktopError, Hit, KeyboardInput, Launch, PointerInput,
};
use freehand_tools::element::{Element, ElementKey, Role};
use freehand_tools::frame::Frame;
use freehand_tools::geometry::{ScreenPoint, ScreenRect, Size};
use freehand_tools::observation::Observation;
use freehand_tools::outcome::Outcome;
use freehand_tools::permit::Redeemed;
use freehand_tools::toolbox::Toolbox;
use serde_json::json;

use crate::conformance::gate;

/// A desktop whose fields are told to be of this role, and the keys that arrived there.
struct Told {
    desktop: Simulated,
    role: Role,
    keys: Vec<KeyboardInput>,
}

impl Told {
    fn role_of(&self, element: Element) -> Element {
        let role = if element.role == Role::Textbox { self.role } else { element.role };
        Element { role, ..element }
    }
}

#[async_trait]
impl Desktop for Told {
    async fn observe(&mut self) -> Result<Observation, DesktopError> {
        let seen = self.desktop.observe().await?;
        let elements = seen.elements.iter().map(|element| self.role_of(element.clone())).collect();
        Ok(Observation { elements, ..seen })
    }

    async fn capture(&mut self, region: Option<ScreenRect>) -> Result<Frame, DesktopError> {
        self.desktop.capture(region).await
    }

    async fn element_at(
        &mut self,
        point: Option<ScreenPoint>,
        expected: Option<&ElementKey>,
    ) -> Result<Hit, DesktopError> {
        let hit = self.desktop.element_at(point, expected).await?;
        Ok(Hit { element: hit.element.map(|element| self.role_of(element)), ..hit })
    }

    async fn pointer(&mut self, permit: &Redeemed, input: PointerInput) -> Result<(), DesktopError> {
        self.desktop.pointer(permit, input).await
    }

    async fn keyboard(&mut self, permit: &Redeemed, input: KeyboardInput) -> Result<(), DesktopError> {
        self.keys.push(input.clone());
        self.desktop.keyboard(permit, input).await
    }

    async fn clipboard(
        &mut self,
        permit: &Redeemed,
        usage: ClipboardUse,
    ) -> Result<Option<String>, DesktopError> {
        self.desktop.clipboard(permit, usage).await
    }

    async fn launch(&mut self, permit: &Redeemed, what: Launch) -> Result<(), DesktopError> {
        self.desktop.launch(permit, what).await
    }

    fn release(&mut self) {
        self.desktop.release();
    }
}

/// The keys that arrive where a text is typed into the one field, replacing what it holds.
async fn keys(role: Role) -> Vec<KeyboardInput> {
    let desktop = Simulated::new(Size::new(640, 480))
        .window("Sheet", "calc", |window| _ = window.textbox_with("Fruit", "Quince"));
    let mut told = Told { desktop, role, keys: Vec::new() };
    let seen = told.observe().await.unwrap();
    let target = seen.elements.iter().find(|element| element.role == role).unwrap().id;
    let call = ToolCall::new("type_text", json!({"target": target, "text": "Medlar", "clear": true}));
    let toolbox = Toolbox::default();
    let action = toolbox.resolve(&call, &seen).unwrap();
    let permit = gate().review(action, &seen).await.permit.unwrap();
    let done = toolbox.perform(permit, &mut told).await.unwrap().outcome;
    assert!(matches!(done, Outcome::Done { .. }), "{done:?}");
    told.keys
}

#[tokio::test]
async fn a_cell_is_replaced_without_choosing_the_whole_sheet() {
    let typed = KeyboardInput::Text("Medlar".into());
    assert_eq!(keys(Role::Cell).await, std::slice::from_ref(&typed));
    let tap = |chord: &str| KeyboardInput::Tap(chord.parse().unwrap());
    assert_eq!(keys(Role::Textbox).await, [tap("ctrl+a"), tap("Delete"), typed]);
}
