//! The chat template of a model: a Jinja program that comes with the weights and writes a conversation the
//! way the model was trained on.
//!
//! Such programs are written for Python's Jinja as Hugging Face transformers sets it up, so its habits are
//! kept here: the methods of Python's strings, `raise_exception`, `strftime_now`, `tojson` without escapes
//! for HTML. The program is as trustworthy as the file it comes from, which is not at all: it gets so many
//! steps and no more, and can touch nothing but its arguments.

use std::{fmt, io};

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Kwargs;
use minijinja::{Environment, Error, ErrorKind, State, Value, context};
use serde::Serialize as _;
use serde_json::ser::{PrettyFormatter, Serializer};

use crate::prompt::{Speaker, Turn};

const NAME: &str = "chat";
/// Steps that a template may take for each turn. Real ones take some hundred.
const STEPS: u64 = 100_000;
/// Bytes of JSON that a step pays for.
const BYTES_A_STEP: u64 = 4;

/// A chat template, ready to be used.
pub(super) struct Template {
    environment: Environment<'static>,
    bos: String,
    eos: String,
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Template")
    }
}

impl Template {
    /// Compiles `source`. `bos` and `eos` are the names of the tokens that begin and end a text.
    pub(super) fn new(source: &str, bos: &str, eos: &str) -> Result<Self, String> {
        let mut environment = Environment::new();
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.map_err(|e| words(&e))?);
        environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.add_filter("tojson", to_json);
        environment.add_function("raise_exception", raise);
        environment.add_function("strftime_now", now);
        environment.add_template_owned(NAME, source.to_owned()).map_err(|e| words(&e))?;
        Ok(Self { environment, bos: bos.into(), eos: eos.into() })
    }

    /// The conversation as text; with `answer` up to where the model's answer begins, which may think
    /// aloud first if `thinks`.
    pub(super) fn render(&self, turns: &[Turn], answer: bool, thinks: bool) -> Result<String, String> {
        match self.try_render(turns, answer, thinks) {
            Err(reason) => {
                // Some models know no rules apart from what the user says.
                let joined = rules_said_by_user(turns).ok_or_else(|| reason.clone())?;
                self.try_render(&joined, answer, thinks).map_err(|_| reason)
            }
            text => text,
        }
    }

    fn try_render(&self, turns: &[Turn], answer: bool, thinks: bool) -> Result<String, String> {
        let messages: Vec<Value> = turns
            .iter()
            .map(|turn| context! { role => name(turn.speaker), content => turn.text.as_str() })
            .collect();
        let steps = STEPS.saturating_mul(turns.len() as u64 + 1);
        let mut environment = self.environment.clone();
        environment.set_fuel(Some(steps));
        let template = environment.get_template(NAME).map_err(|e| words(&e))?;
        let arguments = context! {
            messages,
            add_generation_prompt => answer,
            enable_thinking => thinks,
            bos_token => self.bos.as_str(),
            eos_token => self.eos.as_str(),
            tools => (),
            documents => (),
        };
        template.render(arguments).map_err(|e| words(&e))
    }
}

/// What a model calls the speakers.
pub(super) fn name(speaker: Speaker) -> &'static str {
    match speaker {
        Speaker::System => "system",
        Speaker::User => "user",
        Speaker::Assistant => "assistant",
    }
}

/// The turns with the rules at their head put before what the user says first, if there are both.
fn rules_said_by_user(turns: &[Turn]) -> Option<Vec<Turn>> {
    let [rules, first, rest @ ..] = turns else { return None };
    if (rules.speaker, first.speaker) != (Speaker::System, Speaker::User) {
        return None;
    }
    let first = Turn::new(Speaker::User, format!("{}\n\n{}", rules.text, first.text));
    Some(std::iter::once(first).chain(rest.iter().cloned()).collect())
}

/// What went wrong, with the line.
fn words(error: &Error) -> String {
    let line = error.line().map_or_else(String::new, |line| format!(" (line {line})"));
    let reason = error.detail().map_or_else(|| error.kind().to_string(), ToOwned::to_owned);
    format!("the chat template cannot be used: {reason}{line}")
}

fn raise(message: String) -> Result<Value, Error> {
    Err(Error::new(ErrorKind::InvalidOperation, message))
}

fn now(format: &str) -> Result<String, Error> {
    let wrong = |e: jiff::Error| Error::new(ErrorKind::InvalidOperation, e.to_string());
    jiff::fmt::strtime::format(format, &jiff::ZonedDateTime::now()).map_err(wrong)
}

/// As Python's `json.dumps` writes it: `, ` and `: ` between things, letters of all languages as they are.
#[expect(clippy::needless_pass_by_value, reason = "the shape that a filter has")]
fn to_json(state: &State<'_, '_>, value: &Value, options: Kwargs) -> Result<Value, Error> {
    let indent: Option<usize> = options.get("indent")?;
    // Others tell Python what is the case here anyway.
    let _: Option<bool> = options.get("ensure_ascii")?;
    let _: Option<bool> = options.get("sort_keys")?;
    options.assert_all_used()?;
    let wrong = |e: serde_json::Error| Error::new(ErrorKind::BadSerialization, e.to_string());
    let steps = state.fuel_levels().map_or(STEPS, |(_, left)| left);
    let most = steps.saturating_mul(BYTES_A_STEP).try_into().unwrap_or(usize::MAX);
    let mut out = Paid { bytes: Vec::new(), most };
    match indent {
        Some(width) => {
            let spaces = vec![b' '; width.min(16)];
            let form = PrettyFormatter::with_indent(&spaces);
            value.serialize(&mut Serializer::with_formatter(&mut out, form)).map_err(wrong)?;
        }
        None => value.serialize(&mut Serializer::with_formatter(&mut out, Spaced)).map_err(wrong)?,
    }
    state.consume_fuel(out.bytes.len() as u64 / BYTES_A_STEP)?;
    let text = String::from_utf8(out.bytes)
        .map_err(|e| Error::new(ErrorKind::BadSerialization, e.to_string()))?;
    Ok(Value::from_safe_string(text))
}

/// Bytes that there are steps left for: a short list can stand for more than any memory holds.
struct Paid {
    bytes: Vec<u8>,
    most: usize,
}

impl io::Write for Paid {
    fn write(&mut self, more: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + more.len() > self.most {
            return Err(io::Error::other("the template takes too many steps"));
        }
        self.bytes.extend_from_slice(more);
        Ok(more.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Spaced;

impl serde_json::ser::Formatter for Spaced {
    fn begin_array_value<W: ?Sized + std::io::Write>(
        &mut self,
        out: &mut W,
        first: bool,
    ) -> std::io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }
    fn begin_object_key<W: ?Sized + std::io::Write>(
        &mut self,
        out: &mut W,
        first: bool,
    ) -> std::io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }
    fn begin_object_value<W: ?Sized + std::io::Write>(&mut self, out: &mut W) -> std::io::Result<()> {
        out.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn turns() -> Vec<Turn> {
        vec![
            Turn::new(Speaker::System, "Be brief."),
            Turn::new(Speaker::User, " Hi. "),
            Turn::new(Speaker::Assistant, "<think>\nso\n</think>\n\nHo."),
        ]
    }

    fn render(source: &str) -> Result<String, String> {
        Template::new(source, "<s>", "</s>")?.render(&turns(), true, false)
    }

    #[test]
    fn the_habits_of_python_are_kept() {
        let cases = [
            (
                "{{ bos_token }}{% for m in messages %}{{ m['role'] }}:{{ m.content | trim }};{% endfor %}",
                "<s>system:Be brief.;user:Hi.;assistant:<think>\nso\n</think>\n\nHo.;",
            ),
            ("{{ messages[2].content.split('</think>')[-1].lstrip('\\n') }}", "Ho."),
            (
                "{% for m in messages[1:] %}\n    {%- if loop.first %}{% continue %}{% endif %}\n{{ m.role.upper() }}\n{% endfor %}\n",
                "ASSISTANT\n",
            ),
            (
                "{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.n }}",
                "3",
            ),
            (
                "{{ {'name': 'a<b', 'ü': [1, 2.5, none, true]} | tojson }}",
                r#"{"name": "a<b", "ü": [1, 2.5, null, true]}"#,
            ),
            ("{{ [{'a': 1}] | tojson(indent=2) }}", "[\n  {\n    \"a\": 1\n  }\n]"),
            ("{{ strftime_now('%Y')|length }}{{ tools is none }}{{ nothing is defined }}", "4TrueFalse"),
            ("{% if messages[0].role == 'system' %}\n  one\n{% endif %}\n", "  one\n"),
            ("{{ messages[-1].content is string and '</think>' in messages[-1].content }}", "True"),
        ];
        for (source, right) in cases {
            assert_eq!(render(source).as_deref(), Ok(right), "{source}");
        }
    }

    #[test]
    fn what_a_template_raises_is_said() {
        let source = "{% if messages[0].role == 'user' %}{{ raise_exception('No, ' + messages[0].role) }}{% endif %}{{ messages.nothing.at_all }}";
        let error = render(source).unwrap_err();
        assert!(error.starts_with("the chat template cannot be used: "), "{error}");
        let error = render("{{ raise_exception('never') }}").unwrap_err();
        assert_eq!(error, "the chat template cannot be used: never (line 1)");
        assert!(Template::new("{% if %}", "", "").unwrap_err().contains("line 1"));
    }

    #[test]
    fn rules_are_said_by_the_user_where_there_is_no_place_for_them() {
        let source = "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no rules') }}{% endif %}[{{ m.role }}|{{ m.content }}]{% endfor %}";
        let right = "[user|Be brief.\n\n Hi. ][assistant|<think>\nso\n</think>\n\nHo.]";
        assert_eq!(render(source).as_deref(), Ok(right));
    }

    /// What grows by each step takes few of them to fill all memory.
    #[test]
    fn a_template_that_grows_without_end_is_ended() {
        for source in [
            "{% set n = namespace(s='aaaaaaaa') %}{% for i in range(60) %}{% set n.s = n.s ~ n.s %}{% endfor %}{{ n.s }}",
            "{% set n = namespace(s='a') %}{% for i in range(60) %}{% set n.s = n.s + n.s %}{% endfor %}",
            "{{ 'a' * 9999999999 }}",
            "{{ ('a' * 9999999).replace('a', 'b' * 9999999) }}",
            "{% set s = 'a' * 99999 %}{{ s|replace('a', s) }}",
            "{{ 'a'|indent(9999999999, true) }}",
            "{{ '%9999999999d'|format(1) }}{{ '{:>9999999999}'.format('a') }}",
            "{{ (range(9999)|list * 99999)|tojson }}",
            "{% set n = namespace(s=[1]) %}{% for i in range(27) %}{% set n.s = [n.s, n.s] %}{% endfor %}{{ n.s|tojson }}",
        ] {
            let error = render(source).unwrap_err();
            assert!(error.len() < 200, "{error}");
        }
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:")?.trim().split(' ').next()?.parse().ok());
        assert!(peak.is_none_or(|kib: u64| kib < 400_000), "{peak:?} KiB");
    }

    /// One that reads a whole book is not ended.
    #[test]
    fn long_words_have_room() {
        let turns = [Turn::new(Speaker::User, "word ".repeat(200_000))];
        let text = Template::new(USUAL, "<s>", "</s>").unwrap().render(&turns, true, false);
        assert_eq!(text.map(|text| text.len()), Ok(1_000_038));
    }

    #[test]
    fn a_template_that_does_not_end_is_ended() {
        let source = "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}{% endfor %}{% endfor %}{% endfor %}";
        assert!(render(source).is_err());
        assert!(render("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}").is_err());
    }

    /// A template as models have them.
    const USUAL: &str = "{%- if tools %}{{ raise_exception('no tools') }}{% endif %}{% for m in messages %}{{ '<|im_start|>' + \
        m['role'] + '\n' }}{% if m.content is string %}{{ m.content.split('</think>')[-1] | trim }}{% else %}{{ m | tojson }}\
        {% endif %}{% endfor %}{%- if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), text in ".{0,60}") {
            let _ = render(&String::from_utf8_lossy(&bytes));
            let _ = render(&format!("{{{{ {text} }}}}{{% {text} %}}"));
        }

        /// A usual template with pieces of it lost, doubled or in the wrong place, and with odd words in its turns.
        #[test]
        fn no_changed_template_panics(cuts in prop::collection::vec((0..400_usize, 0..400_usize, 0..400_usize), 1..4), said in ".{0,40}") {
            let mut source: Vec<char> = USUAL.chars().collect();
            for (from, to, at) in cuts {
                let (from, to) = (from.min(source.len()), to.min(source.len()));
                let piece: Vec<char> = source.get(from..to).unwrap_or_default().to_vec();
                if at % 2 == 0 && from < to {
                    source.drain(from..to);
                }
                let at = at.min(source.len());
                source.splice(at..at, piece);
            }
            let source: String = source.into_iter().collect();
            let turns = [Turn::new(Speaker::User, said.as_str()), Turn::new(Speaker::Assistant, said.as_str())];
            if let Ok(template) = Template::new(&source, "<s>", &said) {
                let _ = template.render(&turns, true, true);
            }
            prop_assert!(Template::new(USUAL, "<s>", "</s>").unwrap().render(&turns, true, false).is_ok());
        }

        #[test]
        fn no_template_panics(parts in prop::collection::vec(prop::sample::select(vec![
            "{{", "}}", "{%", "%}", "{#", "#}", "-", " for m in messages ", " endfor ", " if ", " else ",
            " endif ", " set ", "messages", "[", "]", "(", ")", ".", "'", "\"", "role", "content", "|", "tojson",
            "trim", "split", "0", "1", "-1", ":", "=", "==", "+", "~", "is", "in", "not", "none", "loop", ".index",
            "raise_exception", "strftime_now", "%", "namespace", "range", "999999999", "*", "\n", " ", "é",
        ]), 0..24)) {
            let _ = render(&parts.concat());
        }
    }
}
