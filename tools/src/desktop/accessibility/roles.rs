//! From the roles and states of the accessibility bus to the words of the list.

use ::atspi::{Role as BusRole, State};

use super::node::Node;
use crate::element::{Role, States};

/// What kind of thing a node is, by what its program says it is.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the bus has many more roles, all of them groups here"
)]
#[expect(clippy::match_same_arms, reason = "what can be edited is told apart from what cannot")]
pub(super) fn role(node: &Node) -> Role {
    let editable = node.is(State::Editable);
    match node.role {
        BusRole::Button | BusRole::PushButtonMenu => Role::Button,
        BusRole::ToggleButton => Role::Toggle,
        BusRole::CheckBox | BusRole::CheckMenuItem => Role::Checkbox,
        BusRole::RadioButton | BusRole::RadioMenuItem => Role::Radio,
        BusRole::Link => Role::Link,
        BusRole::PasswordText => Role::Password,
        BusRole::DateEditor => Role::Moment,
        BusRole::Entry | BusRole::Editbar | BusRole::Autocomplete => Role::Textbox,
        BusRole::Text | BusRole::Terminal | BusRole::DocumentText if editable => Role::Textbox,
        BusRole::ComboBox if editable => Role::Textbox,
        BusRole::ComboBox => Role::Dropdown,
        BusRole::ListBox | BusRole::List => Role::List,
        BusRole::ListItem => Role::ListItem,
        BusRole::MenuItem | BusRole::TearoffMenuItem => Role::MenuItem,
        BusRole::Menu => Role::Menu,
        BusRole::PageTab => Role::Tab,
        BusRole::Slider | BusRole::Dial => Role::Slider,
        BusRole::SpinButton => Role::Spinner,
        BusRole::Table | BusRole::TreeTable => Role::Table,
        BusRole::TableCell => Role::Cell,
        BusRole::ColumnHeader
        | BusRole::RowHeader
        | BusRole::TableColumnHeader
        | BusRole::TableRowHeader => Role::Header,
        BusRole::TreeItem => Role::TreeItem,
        BusRole::Image | BusRole::Icon | BusRole::Canvas | BusRole::Animation => Role::Image,
        BusRole::Heading => Role::Heading,
        BusRole::Label | BusRole::Static | BusRole::Caption | BusRole::Text | BusRole::StatusBar => {
            Role::Text
        }
        BusRole::ProgressBar | BusRole::LevelBar | BusRole::Rating => Role::Progress,
        BusRole::ScrollBar => Role::Scrollbar,
        BusRole::Dialog | BusRole::Alert | BusRole::FileChooser => Role::Dialog,
        BusRole::DocumentWeb | BusRole::DocumentFrame => Role::Document,
        BusRole::Frame | BusRole::Window => Role::Frame,
        _ => Role::Group,
    }
}

/// Whether it is one thing for its user, whatever it is made of inside.
pub(super) const fn is_control(role: Role) -> bool {
    matches!(
        role,
        Role::Button
            | Role::Toggle
            | Role::Checkbox
            | Role::Radio
            | Role::Link
            | Role::Textbox
            | Role::Moment
            | Role::Password
            | Role::Dropdown
            | Role::Option
            | Role::MenuItem
            | Role::Tab
            | Role::Slider
            | Role::Spinner
    )
}

/// The states that the list shows.
pub(super) fn states(node: &Node, role: Role) -> States {
    let checks = matches!(role, Role::Checkbox | Role::Radio | Role::Toggle);
    let selects =
        matches!(role, Role::Tab | Role::Option | Role::ListItem | Role::TreeItem | Role::Cell);
    let editable = node.is(State::Editable) || matches!(role, Role::Textbox | Role::Moment);
    States {
        checked: checks.then(|| node.is(State::Checked) || node.is(State::Pressed)),
        selected: (selects && node.is(State::Selectable)).then(|| node.is(State::Selected)),
        expanded: node.is(State::Expandable).then(|| node.is(State::Expanded)),
        has_menu: node.role == BusRole::MenuItem && node.is(State::HasPopup),
        focused: node.is(State::Focused),
        disabled: is_control(role)
            && role != Role::Dropdown
            && !(node.is(State::Enabled) || node.is(State::Sensitive))
            && !(editable && node.is(State::Focusable)),
        editable: role.takes_text() && node.is(State::Editable),
        multiline: role.takes_text() && node.is(State::MultiLine),
    }
}
