//! Comparing is done here and not by the model: it is asked once which way the task compares and by what,
//! and of several of a kind only the one that wins is offered.

use std::cmp::Ordering;
use std::collections::HashMap;

use freehand_tools::element::{Element, ElementId, Role};

use super::offer::is_clickable;
use crate::dialect::{Choice, Comparison, Order};
use crate::prompt::{Speaker, Turn};

const RULES: &str = "What does the request want to be compared before it can be done? Answer with one word: largest, smallest or nothing.";

const EXAMPLES: [(&str, &str); 8] = [
    ("Take the tallest of the three ladders.", "largest"),
    ("Write \"Hello\" into the box and press \"Send\".", "nothing"),
    ("Rent the car with the lowest price per day.", "smallest"),
    ("Open the tab \"Prices\" and tick \"Blue\".", "nothing"),
    ("Which city has the most people? Open it.", "largest"),
    ("Set the number of guests to 4.", "nothing"),
    ("Take the nearest hotel.", "smallest"),
    ("Find Peter and write down his number.", "nothing"),
];

/// The answers, in the order of [`order`].
const ANSWERS: [&str; 3] = ["nothing", "smallest", "largest"];
const COLUMN_RULES: &str = "Which of the things does the request compare? Answer with its letter.";

const LETTERS: [&str; 5] = ["A", "B", "C", "D", "E"];

const COLUMN_EXAMPLES: [(&str, &[&str], &str); 5] = [
    ("Rent the car with the lowest price per day.", &["5 seats", "$30 a day"], "B"),
    ("Take the tallest ladder.", &["height 3 m", "weight 12 kg", "costs 80"], "A"),
    ("Open the newest letter.", &["3 pages", "12 May 2019"], "B"),
    ("Pick the flat with the most rooms.", &["4 rooms", "90 m2"], "A"),
    ("Buy the lightest bicycle.", &["$400", "24 gears", "11 kg"], "C"),
];

/// How likely an answer must be.
const SURE: f64 = 0.55;

/// The question which way the task compares.
pub(super) fn question(task: &str) -> Choice {
    let mut turns = vec![Turn::new(Speaker::System, RULES)];
    for (task, answer) in EXAMPLES {
        turns.extend([Turn::new(Speaker::User, task), Turn::new(Speaker::Assistant, answer)]);
    }
    let lasting = turns.len();
    turns.push(Turn::new(Speaker::User, task.trim()));
    Choice::new(turns, lasting, &ANSWERS)
}

/// What these likelihoods of [`ANSWERS`] say.
pub(super) fn order(shares: &[f64]) -> Order {
    let [_, smallest, largest] = shares else { return Order::Any };
    if *smallest > SURE {
        Order::Smallest
    } else if *largest > SURE {
        Order::Largest
    } else {
        Order::Any
    }
}

/// Several of a kind, such as one button for each offer, with the numbers that tell them apart.
struct Series<'e> {
    members: Vec<&'e Element>,
    /// What stands beside them.
    texts: Vec<ElementId>,
    columns: Vec<Column>,
}

/// The same number of each member.
struct Column {
    /// The words around it.
    form: String,
    /// How it reads at the first member.
    sample: String,
    /// What it is at each member; several numbers in one text, such as hours and minutes, count in order.
    values: Vec<Vec<f64>>,
}

/// The largest series among `elements`, which stand in reading order: of things that are called alike but
/// for numbers, or else of buttons that say the same of different things, such as `Buy red kettle`.
fn series<'e>(elements: &[&'e Element]) -> Option<Series<'e>> {
    let named = |element: &Element| Some(read(&element.name).0);
    let verb = |element: &Element| {
        let mut words = element.name.split_whitespace();
        let first = words.next().filter(|_| element.role == Role::Button && words.next().is_some());
        first.map(str::to_owned)
    };
    largest(elements, &named).or_else(|| largest(elements, &verb))
}

fn largest<'e>(
    elements: &[&'e Element],
    kind: &dyn Fn(&Element) -> Option<String>,
) -> Option<Series<'e>> {
    let mut kinds: HashMap<(Role, String), Vec<usize>> = HashMap::new();
    for (at, element) in elements.iter().enumerate().filter(|(_, element)| is_clickable(element)) {
        if let Some(kind) = kind(element).filter(|_| element.role != Role::Text) {
            kinds.entry((element.role, kind)).or_default().push(at);
        }
    }
    let all = kinds.into_values().filter(|at| at.len() > 1).map(|at| Series::of(elements, &at));
    all.filter(|series| !series.columns.is_empty())
        .max_by_key(|series| (series.members.len(), series.members.first().map(|element| element.id)))
}

impl<'e> Series<'e> {
    /// The members at these places, each with the texts that stand before it, or behind it where they do
    /// at the last one.
    fn of(elements: &[&'e Element], at: &[usize]) -> Self {
        let records = records(elements, at);
        let members = at.iter().filter_map(|at| elements.get(*at).copied()).collect();
        let texts = records.iter().flatten().filter(|e| e.role == Role::Text).map(|e| e.id).collect();
        let alike = columns(&records, |name| read(name).0);
        let columns = if alike.is_empty() { columns(&records, unit) } else { alike };
        Self { members, texts, columns }
    }
}

/// What stands before each of the elements at these places, or behind it where it does at the last one.
fn records<'e>(elements: &[&'e Element], at: &[usize]) -> Vec<Vec<&'e Element>> {
    let first = at.first().copied().unwrap_or(0);
    let says = |element: &Element| !is_clickable(element) || element.role == Role::Text;
    let before = elements.get(..first).is_some_and(|head| {
        head.last().is_some_and(|element| says(element) && !read(&element.name).1.is_empty())
    });
    let mut records: Vec<Vec<&Element>> = vec![Vec::new(); at.len()];
    for (place, element) in elements.iter().enumerate() {
        let passed = at.iter().filter(|member| **member < place).count();
        let member = at.contains(&place);
        let owner = if before || member { passed } else { passed.wrapping_sub(1) };
        if let Some(record) = records.get_mut(owner).filter(|_| member || says(element)) {
            record.push(*element);
        }
    }
    records
}

/// The numbers that every record has, and that are not the same in all of them. Those belong together whose
/// texts have the same `form`.
fn columns(records: &[Vec<&Element>], form: fn(&str) -> String) -> Vec<Column> {
    let mut columns: Vec<Column> = Vec::new();
    for element in records.first().into_iter().flatten() {
        let own = form(&element.name);
        let of = |record: &Vec<&Element>| {
            let alike = record.iter().filter(|element| form(&element.name) == own);
            alike.map(|element| read(&element.name).1).find(|numbers| !numbers.is_empty())
        };
        let values: Vec<Vec<f64>> = records.iter().filter_map(of).collect();
        let differ = values.iter().any(|value| values.first() != Some(value));
        let known = columns.iter().any(|column| column.form == own);
        if values.len() == records.len() && differ && !known {
            columns.push(Column { form: own, sample: element.name.clone(), values });
        }
    }
    columns
}

/// Whether there is anything to compare.
pub(super) fn is_needed(elements: &[&Element]) -> bool {
    series(elements).is_some()
}

/// The question by which of several numbers the task compares, and their forms; `None` where one number
/// is all there is.
pub(super) fn which(task: &str, elements: &[&Element]) -> Option<(Choice, Vec<String>)> {
    let columns = series(elements)?.columns;
    let letters = LETTERS.get(..columns.len()).filter(|letters| letters.len() > 1)?;
    let mut turns = vec![Turn::new(Speaker::System, COLUMN_RULES)];
    for (task, things, answer) in COLUMN_EXAMPLES {
        turns.push(Turn::new(Speaker::User, lettered(task, things.iter().copied())));
        turns.push(Turn::new(Speaker::Assistant, answer));
    }
    let lasting = turns.len();
    let samples = columns.iter().map(|column| column.sample.as_str());
    turns.push(Turn::new(Speaker::User, lettered(task.trim(), samples)));
    Some((Choice::new(turns, lasting, letters), columns.into_iter().map(|column| column.form).collect()))
}

fn lettered<'t>(task: &str, things: impl Iterator<Item = &'t str>) -> String {
    let lines: Vec<String> =
        LETTERS.iter().zip(things).map(|(l, thing)| format!("{l}: {thing}")).collect();
    format!("Request: {task}\n{}", lines.join("\n"))
}

/// What wins the comparison, and what loses it, with the texts beside all of it: they only say what is compared.
pub(super) fn outcome(
    comparison: &Comparison,
    elements: &[&Element],
) -> (Vec<ElementId>, Vec<ElementId>) {
    let nothing = (Vec::new(), Vec::new());
    let Some(Series { members, texts, columns }) = series(elements) else { return nothing };
    let named = columns.iter().find(|column| Some(&column.form) == comparison.by.as_ref());
    let Some(column) = named.or(columns.first().filter(|_| columns.len() == 1)) else {
        return nothing;
    };
    let sorted = |a: &&Vec<f64>, b: &&Vec<f64>| a.partial_cmp(b).unwrap_or(Ordering::Equal);
    let best = match comparison.order {
        Order::Any => return nothing,
        Order::Smallest => column.values.iter().min_by(sorted),
        Order::Largest => column.values.iter().max_by(sorted),
    };
    let all =
        members.iter().zip(&column.values).map(|(element, value)| (element.id, Some(value) == best));
    let (won, lost): (Vec<_>, Vec<_>) = all.partition(|(_, wins)| *wins);
    let ids = |all: Vec<(ElementId, bool)>| all.into_iter().map(|(id, _)| id);
    (ids(won).collect(), ids(lost).chain(texts).collect())
}

/// A name without its numbers, and these.
fn read(name: &str) -> (String, Vec<f64>) {
    let found = numbers(name);
    match found.first() {
        Some((_, form)) => (form.clone(), found.iter().map(|(number, _)| *number).collect()),
        None => (name.to_owned(), Vec::new()),
    }
}

/// What its number counts: the signs at it, or else the word behind it. `24 euros` in `Red kettle, 24 euros`
/// counts euros.
fn unit(name: &str) -> String {
    let mut words =
        name.split_whitespace().skip_while(|word| !word.contains(|c: char| c.is_ascii_digit()));
    let number = words.next().unwrap_or_default();
    let signs = number
        .trim_matches(|c: char| ",;:".contains(c))
        .replace(|c: char| c.is_ascii_digit() || ".,".contains(c), "");
    if signs.is_empty() { words.next().unwrap_or_default().to_owned() } else { signs }
}

/// The numbers in a name, each with the name without it.
fn numbers(name: &str) -> Vec<(f64, String)> {
    let mut found = Vec::new();
    let mut rest = String::new();
    let mut digits = String::new();
    let chars: Vec<char> = name.chars().collect();
    for (at, c) in chars.iter().enumerate() {
        let next_is_digit = chars.get(at + 1).is_some_and(char::is_ascii_digit);
        let alone = at.checked_sub(1).and_then(|at| chars.get(at)).is_none_or(|c| c.is_whitespace());
        let inner = !digits.is_empty() && matches!(c, '.' | ',') && next_is_digit;
        let minus = digits.is_empty() && *c == '-' && next_is_digit && alone;
        if c.is_ascii_digit() || inner || minus {
            digits.push(*c);
            continue;
        }
        found.extend(number(&std::mem::take(&mut digits)));
        rest.push(*c);
    }
    found.extend(number(&digits));
    found.into_iter().map(|number| (number, rest.clone())).collect()
}

/// A comma groups thousands where three digits follow it, and else begins the fraction.
fn number(digits: &str) -> Option<f64> {
    let grouped = digits
        .split(',')
        .skip(1)
        .all(|part| part.len() == 3 || part.split('.').next().map_or(0, str::len) == 3);
    let plain = if grouped { digits.replace(',', "") } else { digits.replace(',', ".") };
    plain.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them() {
        for (name, expected) in [
            ("Book for $1844", Some(1844.0)),
            ("1,250.50 EUR", Some(1250.5)),
            ("3,5 km", Some(3.5)),
            ("-4", Some(-4.0)),
            ("none", None),
        ] {
            assert_eq!(numbers(name).first().map(|(n, _)| *n), expected, "{name}");
        }
        assert_eq!(numbers("11h 30m").len(), 2);
        assert_eq!(numbers("room 7 b")[0].1, "room  b");
    }

    #[test]
    fn a_number_counts_what_stands_at_it() {
        for (name, want) in [
            ("Red kettle, 24 euros", "euros"),
            ("Kettle for $19.50", "$"),
            ("Blue, 3 kg each", "kg"),
            ("12", ""),
        ] {
            assert_eq!(unit(name), want, "{name}");
        }
    }

    #[test]
    fn an_answer_must_be_likely() {
        assert_eq!(order(&[0.1, 0.8, 0.1]), Order::Smallest);
        assert_eq!(order(&[0.2, 0.2, 0.6]), Order::Largest);
        assert_eq!(order(&[0.3, 0.4, 0.3]), Order::Any);
    }
}
