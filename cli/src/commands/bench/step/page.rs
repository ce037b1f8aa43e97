//! The pages that are looked at: made here from a fixed seed, so that every run measures the same.
//!
//! A page counts the clicks that arrive in its title, which is how the benchmark knows from outside
//! that they did; the count is also shown in the page, so every click makes a new picture.

use std::fmt::Write as _;

/// Where the words of the pages begin.
pub const SEED: u64 = 0x5eed;
/// The buttons that are clicked in turn: a click right after another at one place would have to wait.
pub const BUTTONS: [&str; 2] = ["Count here", "Count there"];
/// What the title of a page begins with; the number of clicks follows.
pub const TITLE: &str = "clicks ";
/// Blocks of rows that stand beside each other on the full page.
const BLOCKS: usize = 5;
/// Rows of one block, of four elements each.
const ROWS: usize = 34;

/// How much is on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// A form: about 20 elements, the right half empty.
    Few,
    /// A table from edge to edge: about 700 elements.
    Many,
}

impl Page {
    /// The page, as HTML.
    pub fn html(self) -> String {
        let mut words = Words(SEED);
        let body = match self {
            Self::Few => form(&mut words),
            Self::Many => table(&mut words),
        };
        let [here, there] = BUTTONS;
        format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{TITLE}0</title>\
             <style>{STYLE}</style>\
             <p><button type=\"button\">{here}</button> <button type=\"button\">{there}</button> \
             <output>none</output></p>{body}<script>{SCRIPT}</script></html>"
        )
    }

    /// So many elements are there at the least once the page has loaded.
    pub const fn least(self) -> usize {
        match self {
            Self::Few => 15,
            Self::Many => BLOCKS * ROWS * 4 * 9 / 10,
        }
    }
}

const STYLE: &str = "body{font:10px/1.2 sans-serif;margin:8px}p{margin:4px 0}\
    form{width:45%;font-size:14px}form>*{display:block;margin:6px 0}\
    main{display:flex;gap:8px}section{flex:1}\
    div{display:flex;gap:4px;height:20px;align-items:center;white-space:nowrap}\
    div>*{flex:1;font-size:9px;overflow:hidden}div>input{flex:none;margin:0}div>button{padding:0 2px}";

const SCRIPT: &str = "let n=0;document.addEventListener('click',()=>{n+=1;\
    document.querySelector('output').textContent=n+' clicks';document.title='clicks '+n})";

fn form(words: &mut Words) -> String {
    let mut html = String::from("<form><h1>Order</h1>");
    for label in ["Name", "Street", "Town", "Telephone"] {
        let _ = write!(html, "<label>{label} <input value=\"{}\"></label>", words.next());
    }
    html.push_str("<label>Seat <select><option>Aisle<option>Window</select></label>");
    for label in ["Gift", "Express", "Insured"] {
        let _ = write!(html, "<label><input type=\"checkbox\"> {label}</label>");
    }
    for _ in 0..3 {
        let _ = write!(html, "<a href=\"#\">{} {}</a>", words.next(), words.next());
    }
    for _ in 0..3 {
        let _ = write!(html, "<span>{} {} {}.</span>", words.next(), words.next(), words.next());
    }
    html.push_str("<button type=\"button\">Send</button></form>");
    html
}

fn table(words: &mut Words) -> String {
    let mut html = String::from("<main>");
    for block in 0..BLOCKS {
        html.push_str("<section>");
        for row in 0..ROWS {
            let (item, colour, number) = (words.next(), words.next(), block * ROWS + row);
            let _ = write!(
                html,
                "<div><input type=\"checkbox\" aria-label=\"Take {number}\">\
                 <a href=\"#{number}\">{item} {number}</a><span>{colour} {number}</span>\
                 <button type=\"button\">Buy {number}</button></div>"
            );
        }
        html.push_str("</section>");
    }
    html.push_str("</main>");
    html
}

/// Words that look like words, always the same ones.
struct Words(u64);

impl Words {
    fn number(&mut self) -> u64 {
        // xorshift64
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn next(&mut self) -> String {
        let syllables = ["ka", "lo", "mi", "ter", "su", "ban", "ri", "no", "pel", "da"];
        let mut word = String::new();
        for _ in 0..=(self.number() % 2 + 1) {
            let at = usize::try_from(self.number() % 10).unwrap_or(0);
            word.push_str(syllables.get(at).copied().unwrap_or_default());
        }
        word
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_the_same_every_time() {
        for page in [Page::Few, Page::Many] {
            assert_eq!(page.html(), page.html());
            assert!(BUTTONS.iter().all(|name| page.html().contains(name)));
        }
        assert_eq!(Page::Many.html().matches("<button").count(), BLOCKS * ROWS + 2);
    }
}
