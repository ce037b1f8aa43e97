//! Browsers that tell nothing of their pages. Chromium, and whatever is made with it (Chrome, Electron), tells the
//! accessibility bus of pages only when it was started so. From outside such a page looks like one with
//! nothing on it, so the program is known by the files beside it and by what it was started with.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::desktop::accessibility::Seen;
use crate::desktop::area::AreaKind;
use crate::element::Window;
use crate::geometry::ScreenRect;

/// What makes one tell of its pages.
pub const FLAG: &str = "--force-renderer-accessibility";
/// What lies beside the program of each.
const FILES: [&str; 2] = ["resources.pak", "icudtl.dat"];
/// Programs that are named.
const MOST: usize = 3;
/// Bytes of a command line that are looked at.
const WORDS: usize = 64 * 1024;

/// What is known of the processes that have windows.
#[derive(Debug, Default)]
pub(super) struct Browsers {
    mute: HashMap<u32, bool>,
}

impl Browsers {
    /// A line for those that show a window in `frame` and have told nothing of a page. One that does not answer has
    /// a line already.
    pub(super) fn gap(&mut self, windows: &[Window], frame: &ScreenRect, seen: &Seen) -> Option<String> {
        self.mute.retain(|pid, _| windows.iter().any(|window| window.pid == Some(*pid)));
        let pages = seen.areas.iter().filter(|area| area.kind == AreaKind::Page);
        let of = |id| windows.iter().find(|window| window.id == id).and_then(|window| window.pid);
        let telling: Vec<Option<u32>> = pages.map(|page| of(page.window)).collect();
        let shown = windows.iter().filter(|window| window.bounds.intersect(frame).is_some());
        let mut found: Vec<String> = Vec::new();
        for window in shown.filter(|window| !telling.contains(&window.pid)) {
            let Some(pid) = window.pid else { continue };
            let name = format!("`{}`", window.app);
            let is_said = found.contains(&name) || seen.gaps.iter().any(|gap| gap.contains(&name));
            if !is_said && *self.mute.entry(pid).or_insert_with(|| is_mute(pid)) {
                found.push(name);
            }
        }
        found.truncate(MOST);
        let (tell, them) = match found.len() {
            0 => return None,
            1 => ("tells nothing of its pages", "it"),
            _ => ("tell nothing of their pages", "them"),
        };
        Some(format!("{} {tell}; start {them} with `{FLAG}`", found.join(", ")))
    }
}

/// Whether a process is such a browser and was not told to speak.
fn is_mute(pid: u32) -> bool {
    let own = PathBuf::from(format!("/proc/{pid}"));
    let Ok(program) = std::fs::read_link(own.join("exe")) else { return false };
    // A sandboxed one sees other files than we do.
    let inside = program.strip_prefix("/").unwrap_or(&program);
    let Some(folder) = own.join("root").join(inside).parent().map(Path::to_owned) else { return false };
    FILES.iter().all(|file| folder.join(file).is_file()) && !is_told(&own)
}

fn is_told(process: &Path) -> bool {
    let words = std::fs::read(process.join("cmdline")).unwrap_or_default();
    let words = words.get(..WORDS).unwrap_or(&words);
    // Some put all of it into one word.
    String::from_utf8_lossy(words).contains(FLAG)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desktop::area::Area;
    use crate::element::WindowId;
    use crate::geometry::Rect;

    fn window(id: u64, app: &str, pid: u32) -> Window {
        let (title, bounds) = (String::new(), Rect::new(0, 0, 9, 9));
        Window { id: WindowId(id), title, app: app.into(), pid: Some(pid), bounds, focused: false }
    }

    #[test]
    fn one_line_names_those_that_show_no_page() {
        let windows = [window(1, "Chromium", 1), window(2, "code", 2), window(3, "xterm", 3)];
        let frame = Rect::new(0, 0, 9, 9);
        let gap = |frame: &ScreenRect, seen: &Seen| {
            let mute = HashMap::from([(1, true), (2, true), (3, false), (9, true)]);
            Browsers { mute }.gap(&windows, frame, seen)
        };
        let both = gap(&frame, &Seen::default()).unwrap();
        assert!(both.starts_with("`Chromium`, `code` tell nothing of their pages"), "{both}");
        let page = Area { window: WindowId(1), bounds: frame, kind: AreaKind::Page };
        let one = gap(&frame, &Seen { areas: vec![page], ..Seen::default() }).unwrap();
        assert!(one.starts_with("`code` tells nothing of its pages; start it with `--force-"), "{one}");
        let gaps = vec!["`Chromium` does not answer".into(), "`code` does not answer".into()];
        assert_eq!(gap(&frame, &Seen { gaps, ..Seen::default() }), None);
        assert_eq!(gap(&Rect::new(20, 0, 9, 9), &Seen::default()), None);
    }

    #[test]
    fn other_programs_are_not_taken_for_one() {
        assert!(!is_mute(std::process::id()));
        assert!(!is_mute(u32::MAX));
    }
}
