//! The sizes in which a model behind a server is shown pictures. They are ours: a server that resizes by itself
//! blurs what is small, and no point in its pixels would be one of ours.

use freehand_tools::picture::fit::Fit;

/// What most models that see can take: some 1,300 tokens for those that read cells of 28 px, and no side that
/// others would shrink.
const USUAL: Fit = Fit { factor: 28, least: 56 * 56, most: 1280 * 28 * 28, longest: 1568 };

/// Parts of the names of models that read cells of 32 px: Qwen3-VL, Qwen3.5 and what was made of them.
const CELLS_OF_32: [&str; 8] =
    ["qwen3", "qwen-3", "gui-owl-1.5", "ui-venus-1.5", "mai-ui", "evocua", "holo2", "holo3"];

/// The sizes for the model of that name.
pub(super) fn sizes(model: &str) -> Fit {
    let model = model.to_lowercase();
    if CELLS_OF_32.iter().any(|name| model.contains(name)) {
        return Fit { factor: 32, most: 1024 * 32 * 32, ..USUAL };
    }
    USUAL
}

#[cfg(test)]
mod tests;
