//! What a person is told of the agent on the display that both share.

/// What the agent is at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mood {
    /// It works.
    #[default]
    Working,
    /// It has asked something, and waits for the answer.
    Asking,
    /// It stands still until the person lets it go on.
    Held,
    /// It does nothing any more.
    Stopped,
}

/// What the strip says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    /// What the agent is at.
    pub mood: Mood,
    /// What it is about to do, or waits for; too long a text is cut where the strip ends.
    pub text: String,
    /// How it is stopped without the mouse.
    pub hint: String,
}
