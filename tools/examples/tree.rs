//! Prints what is seen on the display in `$DISPLAY`: windows, the list, and what could not be read.

#![expect(clippy::print_stdout, reason = "an example talks to its terminal")]

use freehand_tools::desktop::x11::X11;
use freehand_tools::desktop::{Desktop as _, DesktopError};

#[tokio::main]
async fn main() -> Result<(), DesktopError> {
    let mut desktop = X11::connect(None)?;
    for _ in 0..2 {
        let start = std::time::Instant::now();
        let seen = desktop.observe().await?;
        println!("{:.1} ms, {} elements", start.elapsed().as_secs_f64() * 1000.0, seen.elements.len());
        for window in &seen.windows {
            println!("{window:?}");
        }
        for element in &seen.elements {
            println!(
                "[{}] {} {:?} {} {:?} {:?} in {:?} {:?}",
                element.id,
                element.describe(),
                element.value,
                element.bounds,
                element.options,
                element.states,
                element.within,
                element.window
            );
        }
        println!("{:?} {:?}", seen.gaps, seen.cursor);
    }
    Ok(())
}
