//! The form of a thing in a word, from its outline: the corners of its convex hull, and how much of the
//! hull it fills.

use std::f64::consts::TAU;

/// Sides in px below which corners cannot be counted.
const COARSE: f64 = 22.0;
/// The share of its hull that a form without dents fills.
const SOLID: f64 = 0.88;
/// Directions in which the points of a star are looked for.
const DIRECTIONS: usize = 48;

/// What something is like in outline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::desktop) enum Form {
    Square,
    Rectangle,
    Circle,
    Oval,
    Triangle,
    Diamond,
    /// With so many corners, 4 to 8.
    Polygon(u8),
    Star,
    Cross,
    Line,
    /// None of these.
    Irregular,
}

impl Form {
    pub(in crate::desktop) const fn word(self) -> &'static str {
        match self {
            Self::Square => "square",
            Self::Rectangle => "rectangle",
            Self::Circle => "circle",
            Self::Oval => "oval",
            Self::Triangle => "triangle",
            Self::Diamond => "diamond",
            Self::Polygon(4) => "four-sided shape",
            Self::Polygon(5) => "pentagon",
            Self::Polygon(6) => "hexagon",
            Self::Polygon(7) => "heptagon",
            Self::Polygon(_) => "octagon",
            Self::Star => "star",
            Self::Cross => "cross",
            Self::Line => "line",
            Self::Irregular => "shape",
        }
    }
}

/// The pixels of one thing within its bounds, without holes.
#[derive(Debug, Clone)]
pub(in crate::desktop) struct Mask {
    width: usize,
    height: usize,
    set: Vec<bool>,
}

type Corner = (f64, f64);

impl Mask {
    /// Nothing yet.
    pub(in crate::desktop) fn empty(width: u32, height: u32) -> Self {
        let (width, height) = (width as usize, height as usize);
        Self { width, height, set: vec![false; width * height] }
    }

    /// Marks the pixels of one row from `left` to before `right`.
    pub(in crate::desktop) fn mark(&mut self, y: u32, left: u32, right: u32) {
        let row = y as usize * self.width;
        let span = row + left as usize..row + (right as usize).min(self.width);
        self.set.get_mut(span).unwrap_or_default().fill(true);
    }

    /// Cut to what is set.
    pub(in crate::desktop) fn trimmed(&self) -> Self {
        let rows: Vec<usize> =
            (0..self.height).filter(|y| (0..self.width).any(|x| self.has(x, *y))).collect();
        let columns: Vec<usize> =
            (0..self.width).filter(|x| (0..self.height).any(|y| self.has(*x, y))).collect();
        let side = |all: &[usize]| match (all.first(), all.last()) {
            (Some(first), Some(last)) => (*first, last - first + 1),
            _ => (0, 0),
        };
        let ((top, height), (left, width)) = (side(&rows), side(&columns));
        let places = (top..top + height).flat_map(|y| (left..left + width).map(move |x| (x, y)));
        Self { width, height, set: places.map(|(x, y)| self.has(x, y)).collect() }
    }

    fn has(&self, x: usize, y: usize) -> bool {
        x < self.width && self.set.get(y * self.width + x).copied().unwrap_or(false)
    }

    /// How many pixels it has.
    pub(in crate::desktop) fn area(&self) -> usize {
        self.set.iter().filter(|set| **set).count()
    }

    /// Fills its holes.
    pub(in crate::desktop) fn without_holes(mut self) -> Self {
        let (width, height) = (self.width, self.height);
        let mut outside = vec![false; self.set.len()];
        let ends = (0..height).flat_map(|y| [(0, y), (width.saturating_sub(1), y)]);
        let mut open: Vec<(usize, usize)> =
            (0..width).flat_map(|x| [(x, 0), (x, height.saturating_sub(1))]).chain(ends).collect();
        while let Some((x, y)) = open.pop() {
            if x >= width || y >= height || self.has(x, y) {
                continue;
            }
            let Some(seen) = outside.get_mut(y * width + x).filter(|seen| !**seen) else { continue };
            *seen = true;
            open.extend([(x.wrapping_sub(1), y), (x + 1, y), (x, y.wrapping_sub(1)), (x, y + 1)]);
        }
        for (set, outside) in self.set.iter_mut().zip(outside) {
            *set = !outside;
        }
        self
    }

    /// The corners of its convex hull (Andrew's monotone chain), of which each pixel has four.
    fn hull(&self) -> Vec<Corner> {
        let mut points: Vec<(i64, i64)> = Vec::with_capacity(self.height * 4);
        for y in 0..self.height {
            let row = self.set.get(y * self.width..(y + 1) * self.width).unwrap_or_default();
            let first = row.iter().position(|set| *set);
            let last = row.iter().rposition(|set| *set);
            if let Some((first, last)) = first.zip(last) {
                let whole = |v: usize| i64::try_from(v).unwrap_or(0);
                let (left, right, top) = (whole(first), whole(last) + 1, whole(y));
                points.extend([(left, top), (right, top), (left, top + 1), (right, top + 1)]);
            }
        }
        points.sort_unstable();
        points.dedup();
        let half = |points: &mut dyn Iterator<Item = &(i64, i64)>| {
            let mut chain: Vec<(i64, i64)> = Vec::new();
            for point in points {
                while let [.., a, b] = chain.as_slice()
                    && (b.0 - a.0) * (point.1 - a.1) - (b.1 - a.1) * (point.0 - a.0) <= 0
                {
                    chain.pop();
                }
                chain.push(*point);
            }
            chain.pop();
            chain
        };
        let (lower, upper) = (half(&mut points.iter()), half(&mut points.iter().rev()));
        #[expect(clippy::cast_precision_loss, reason = "places inside of a picture")]
        lower.into_iter().chain(upper).map(|(x, y)| (x as f64, y as f64)).collect()
    }

    /// What it is like.
    #[expect(clippy::cast_precision_loss, reason = "sides and areas of a picture")]
    pub(in crate::desktop) fn form(&self) -> Form {
        let (width, height, area) = (self.width as f64, self.height as f64, self.area() as f64);
        let hull = self.hull();
        let (hulled, round) = (extent(&hull), circumference(&hull));
        // Twice the area by the way round is how thick something long is.
        if width.min(height) <= 3.0 || 2.0 * area / round.max(1.0) <= 3.0 && hulled < round * 2.0 {
            return Form::Line;
        }
        let (fills, long) = (area / (width * height), width.max(height) / width.min(height));
        if area / hulled.max(1.0) < SOLID {
            return self.dented();
        }
        let (even, uneven) = if fills >= 0.9 {
            (Form::Square, Form::Rectangle)
        } else if width.max(height) < COARSE {
            match fills {
                0.68.. => (Form::Circle, Form::Oval),
                _ if self.is_balanced() => (Form::Diamond, Form::Diamond),
                _ => (Form::Triangle, Form::Triangle),
            }
        } else {
            let corners = simplified(hull, (0.04 * width.hypot(height)).max(1.2));
            match corners.len() {
                0..=3 => (Form::Triangle, Form::Triangle),
                4 if fills < 0.58 && self.is_balanced() => (Form::Diamond, Form::Diamond),
                // A sharp corner may look like two; more than half of its bounds no triangle fills.
                4 if fills < 0.55 => (Form::Triangle, Form::Triangle),
                // Seven corners and more that fill their bounds as a circle does are one.
                count @ 4..=8 if count < 7 || (fills - TAU / 8.0).abs() > 0.03 => {
                    let polygon = Form::Polygon(u8::try_from(count).unwrap_or(8));
                    (polygon, polygon)
                }
                _ => (Form::Circle, Form::Oval),
            }
        };
        if long < 1.15 { even } else { uneven }
    }

    /// Whether it is as wide above the middle as below, and left as right of it.
    fn is_balanced(&self) -> bool {
        let half = |far: bool, down: bool| {
            (0..self.height)
                .flat_map(|y| (0..self.width).map(move |x| (x, y)))
                .filter(|(x, y)| {
                    let (at, all) = if down { (y, self.height) } else { (x, self.width) };
                    if far { *at >= all.div_ceil(2) } else { *at < all / 2 }
                })
                .filter(|(x, y)| self.has(*x, *y))
                .count()
        };
        let alike = |a: usize, b: usize| a.abs_diff(b) * 8 <= a.max(b);
        alike(half(false, true), half(true, true)) && alike(half(false, false), half(true, false))
    }

    /// A star, a cross or none of both, by how far it reaches in each direction.
    #[expect(clippy::cast_precision_loss, reason = "sides of a picture")]
    fn dented(&self) -> Form {
        let centre = (self.width as f64 / 2.0, self.height as f64 / 2.0);
        let longest = centre.0.hypot(centre.1);
        let reach = |step: usize| {
            let angle = TAU * step as f64 / DIRECTIONS as f64;
            let mut far = 0.0;
            let mut at = 0.0;
            while at < longest {
                let (x, y) = (centre.0 + at * angle.cos(), centre.1 + at * angle.sin());
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "not below zero"
                )]
                if x >= 0.0 && y >= 0.0 && self.has(x as usize, y as usize) {
                    far = at;
                }
                at += 0.5;
            }
            far
        };
        let reaches: Vec<f64> = (0..DIRECTIONS).map(reach).collect();
        let most = reaches.iter().copied().fold(0.0, f64::max);
        let least = reaches.iter().copied().fold(f64::INFINITY, f64::min);
        if least < most * 0.2 || least > most * 0.75 {
            return Form::Irregular;
        }
        let middle = f64::midpoint(most, least);
        let far: Vec<bool> = reaches.iter().map(|reach| *reach > middle).collect();
        let before = far.iter().cycle().skip(DIRECTIONS - 1);
        let points = far.iter().zip(before).filter(|(now, before)| **now && !**before).count();
        match points {
            4 => Form::Cross,
            5..=8 => Form::Star,
            _ => Form::Irregular,
        }
    }
}

/// The area inside of a polygon (the shoelace formula).
fn extent(polygon: &[Corner]) -> f64 {
    let next = polygon.iter().cycle().skip(1);
    let twice: f64 = polygon.iter().zip(next).map(|(a, b)| a.0 * b.1 - b.0 * a.1).sum();
    twice.abs() / 2.0
}

fn circumference(polygon: &[Corner]) -> f64 {
    let next = polygon.iter().cycle().skip(1);
    polygon.iter().zip(next).map(|(a, b)| (a.0 - b.0).hypot(a.1 - b.1)).sum()
}

/// Without the corners that stand out by less than `least` px.
fn simplified(mut polygon: Vec<Corner>, least: f64) -> Vec<Corner> {
    while polygon.len() > 3 {
        let count = polygon.len();
        let at = |i: usize| polygon.get(i % count).copied().unwrap_or_default();
        let stands_out = |i: usize| {
            let (a, b, c) = (at(i + count - 1), at(i), at(i + 1));
            let base = (c.0 - a.0).hypot(c.1 - a.1).max(0.001);
            ((c.0 - a.0) * (b.1 - a.1) - (c.1 - a.1) * (b.0 - a.0)).abs() / base
        };
        let weakest = (0..count).map(|i| (stands_out(i), i)).min_by(|a, b| a.0.total_cmp(&b.0));
        match weakest {
            Some((by, i)) if by < least => drop(polygon.remove(i)),
            _ => break,
        }
    }
    polygon
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What fills the pixels whose middle is inside.
    fn form(width: u32, height: u32, inside: impl Fn(f64, f64) -> bool) -> Form {
        let mut mask = Mask::empty(width, height);
        for y in 0..height {
            for x in 0..width {
                if inside(f64::from(x) + 0.5, f64::from(y) + 0.5) {
                    mask.mark(y, x, x + 1);
                }
            }
        }
        mask.without_holes().form()
    }

    fn polygon(corners: u32, radius: f64, turn: f64) -> Form {
        let points: Vec<Corner> = (0..corners)
            .map(|i| TAU * f64::from(i) / f64::from(corners) + turn)
            .map(|angle| (angle.cos() * radius, angle.sin() * radius))
            .collect();
        let (left, right) = points.iter().fold((0.0, 0.0), |(l, r): Corner, p| (l.min(p.0), r.max(p.0)));
        let (top, bottom) = points.iter().fold((0.0, 0.0), |(t, b): Corner, p| (t.min(p.1), b.max(p.1)));
        let inside = |x: f64, y: f64| {
            let (x, y) = (x + left, y + top);
            points
                .iter()
                .zip(points.iter().cycle().skip(1))
                .all(|(a, b)| (b.0 - a.0) * (y - a.1) - (b.1 - a.1) * (x - a.0) >= 0.0)
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small sizes")]
        form((right - left).ceil() as u32, (bottom - top).ceil() as u32, inside)
    }

    #[test]
    fn circles_are_circles_at_every_size() {
        for radius in [4.0, 5.0, 7.0, 10.0, 16.0, 25.0, 40.0, 80.0, 150.0_f64] {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small sizes")]
            let side = (radius * 2.0) as u32;
            let inside = |x: f64, y: f64| (x - radius).hypot(y - radius) <= radius;
            assert_eq!(form(side, side, inside), Form::Circle, "{radius}");
            let ring = |x: f64, y: f64| {
                let far = (x - radius).hypot(y - radius);
                far <= radius && far > radius - 2.0
            };
            assert_eq!(form(side, side, ring), Form::Circle, "ring {radius}");
        }
    }

    #[test]
    fn corners_are_counted() {
        for radius in [20.0, 35.0, 70.0] {
            for turn in [0.0, 0.3, 0.9] {
                assert_eq!(polygon(3, radius, turn), Form::Triangle, "{radius} {turn}");
                for (corners, want) in (5..=7).map(|n| (n, Form::Polygon(u8::try_from(n).unwrap()))) {
                    assert_eq!(polygon(corners, radius, turn), want, "{corners} {radius} {turn}");
                }
            }
        }
        assert_eq!(polygon(4, 30.0, 0.0), Form::Diamond);
        assert_eq!(polygon(4, 30.0, 0.2), Form::Diamond);
        assert_eq!(polygon(4, 30.0, TAU / 8.0), Form::Square);
    }

    #[test]
    fn forms_have_their_words() {
        assert_eq!(form(30, 30, |_, _| true), Form::Square);
        assert_eq!(form(60, 20, |_, _| true), Form::Rectangle);
        assert_eq!(form(60, 2, |_, _| true), Form::Line);
        assert_eq!(form(60, 60, |x, y| (x - y).abs() < 1.5), Form::Line);
        assert_eq!(form(60, 30, |x, y| ((x - 30.0) / 30.0).hypot((y - 15.0) / 15.0) <= 1.0), Form::Oval);
        assert_eq!(
            form(60, 60, |x, y| (20.0..40.0).contains(&x) || (20.0..40.0).contains(&y)),
            Form::Cross
        );
        let star = |x: f64, y: f64| {
            let (x, y) = (x - 40.0, y - 40.0);
            let angle = (y.atan2(x) + TAU / 4.0).rem_euclid(TAU / 5.0) - TAU / 10.0;
            x.hypot(y) <= 16.0 + 24.0 * (angle.abs() / (TAU / 10.0))
        };
        assert_eq!(form(80, 80, star), Form::Star);
        assert_eq!(form(40, 40, |x, y| x < 12.0 || y > 28.0), Form::Irregular);
        assert_eq!(form(1, 1, |_, _| true), Form::Line);
    }
}
