//! Comparing is done here and not by the model: it is asked once which way the task compares, and of
//! things that differ in a number only the one that the task wants is offered.

use std::cmp::Ordering;
use std::collections::HashMap;

use freehand_tools::element::{Element, ElementId};

use crate::dialect::{Choice, Order};
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

/// Things that are the same but for one number in their names, each with its number.
fn series<'e>(elements: &[&'e Element]) -> Vec<Vec<(f64, &'e Element)>> {
    let mut series: HashMap<_, Vec<(f64, &Element)>> = HashMap::new();
    for element in elements {
        if let [(number, rest)] = numbers(&element.name).as_slice() {
            series.entry((element.role, rest.clone())).or_default().push((*number, *element));
        }
    }
    series.into_values().filter(|members| members.len() > 1).collect()
}

/// Whether there is anything to compare.
pub(super) fn is_needed(elements: &[&Element]) -> bool {
    !series(elements).is_empty()
}

/// What loses the comparison.
pub(super) fn losers(order: Order, elements: &[&Element]) -> Vec<ElementId> {
    if order == Order::Any {
        return Vec::new();
    }
    let worst = |a: &f64, b: &f64| match order {
        Order::Any => Ordering::Equal,
        Order::Smallest => b.total_cmp(a),
        Order::Largest => a.total_cmp(b),
    };
    let mut losers = Vec::new();
    for members in series(elements) {
        let best = members.iter().map(|(number, _)| *number).max_by(worst);
        losers.extend(members.iter().filter(|(n, _)| Some(*n) != best).map(|(_, element)| element.id));
    }
    losers
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
    fn an_answer_must_be_likely() {
        assert_eq!(order(&[0.1, 0.8, 0.1]), Order::Smallest);
        assert_eq!(order(&[0.2, 0.2, 0.6]), Order::Largest);
        assert_eq!(order(&[0.3, 0.4, 0.3]), Order::Any);
    }
}
