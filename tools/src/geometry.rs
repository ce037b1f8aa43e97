//! Points, sizes and rectangles that know which space they live in.
//!
//! A screen pixel, a pixel of an image that was sent to a model and a coordinate in a model's own
//! grid are three different things, and mixing them up is the most common fault of computer-use
//! agents. The space is a type parameter, so a mix-up does not compile; the only way across is a
//! [`Mapping`], which names both ends.
//!
//! ```compile_fail
//! use freehand_tools::geometry::{Image, Point, Screen};
//! let on_image: Point<Image> = Point::new(3, 4);
//! let on_screen: Point<Screen> = on_image; // a different space: refused by the compiler
//! ```

use std::fmt;
use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Physical pixels of the whole desktop; (0,0) is the top left of the primary monitor, and a
/// monitor to the left of it has negative coordinates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, JsonSchema)]
pub enum Screen {}

/// Pixels of one image, counted from its top left corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, JsonSchema)]
pub enum Image {}

/// Units of a model's own coordinate grid, for example 0 to 1000 on both axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, JsonSchema)]
pub enum Grid {}

/// A position in the space `S`. (0,0) is a valid point, never a stand-in for "none".
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(bound = "")]
#[schemars(rename = "Point", bound = "S: JsonSchema")]
pub struct Point<S> {
    /// Distance from the origin to the right.
    pub x: i32,
    /// Distance from the origin downwards.
    pub y: i32,
    #[serde(skip)]
    space: PhantomData<S>,
}

/// A width and a height in the space `S`.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Size<S> {
    /// Extent to the right.
    pub width: u32,
    /// Extent downwards.
    pub height: u32,
    #[serde(skip)]
    space: PhantomData<S>,
}

/// A rectangle in the space `S`: left and top are inside it, right and bottom are not.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(bound = "")]
#[schemars(rename = "Rect", bound = "S: JsonSchema")]
pub struct Rect<S> {
    /// Left edge.
    pub x: i32,
    /// Top edge.
    pub y: i32,
    /// Extent to the right.
    pub width: u32,
    /// Extent downwards.
    pub height: u32,
    #[serde(skip)]
    space: PhantomData<S>,
}

/// A point in physical screen pixels.
pub type ScreenPoint = Point<Screen>;
/// A rectangle in physical screen pixels.
pub type ScreenRect = Rect<Screen>;

macro_rules! plain_value {
    ($name:ident { $($field:ident),+ }) => {
        // Written out because a derive would ask the same of the space, which is never a value.
        impl<S> Clone for $name<S> {
            fn clone(&self) -> Self {
                *self
            }
        }
        impl<S> Copy for $name<S> {}
        impl<S> PartialEq for $name<S> {
            fn eq(&self, other: &Self) -> bool {
                $(self.$field == other.$field)&&+
            }
        }
        impl<S> Eq for $name<S> {}
        impl<S> std::hash::Hash for $name<S> {
            fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
                $(self.$field.hash(state);)+
            }
        }
        impl<S> fmt::Debug for $name<S> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

plain_value!(Point { x, y });
plain_value!(Size { width, height });
plain_value!(Rect { x, y, width, height });

impl<S> fmt::Display for Point<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({}, {})", self.x, self.y)
    }
}

impl<S> fmt::Display for Size<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

impl<S> fmt::Display for Rect<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}{:+}{:+}", self.width, self.height, self.x, self.y)
    }
}

impl<S> Point<S> {
    /// The point at `x`, `y`.
    pub const fn new(x: i32, y: i32) -> Self {
        Self { x, y, space: PhantomData }
    }

    /// The point moved by `dx`, `dy`, held inside the range of `i32`.
    #[must_use]
    pub const fn offset(self, dx: i32, dy: i32) -> Self {
        Self::new(self.x.saturating_add(dx), self.y.saturating_add(dy))
    }
}

impl<S> Size<S> {
    /// Number of pixels; 0 when it is empty.
    pub const fn area(&self) -> u64 {
        self.width as u64 * self.height as u64
    }

    /// A size of `width` by `height`.
    pub const fn new(width: u32, height: u32) -> Self {
        Self { width, height, space: PhantomData }
    }
}

impl<S> Rect<S> {
    /// The rectangle with its top left corner at `x`, `y`.
    pub const fn new(x: i32, y: i32, width: u32, height: u32) -> Self {
        Self { x, y, width, height, space: PhantomData }
    }

    /// The rectangle of `size` at the origin.
    pub const fn of_size(size: Size<S>) -> Self {
        Self::new(0, 0, size.width, size.height)
    }

    /// The rectangle moved by `dx`, `dy`, held inside the range of `i32`.
    #[must_use]
    pub const fn offset(self, dx: i32, dy: i32) -> Self {
        Self::new(self.x.saturating_add(dx), self.y.saturating_add(dy), self.width, self.height)
    }

    /// First column to the right of the rectangle.
    pub const fn right(&self) -> i32 {
        self.x.saturating_add_unsigned(self.width)
    }

    /// First row below the rectangle.
    pub const fn bottom(&self) -> i32 {
        self.y.saturating_add_unsigned(self.height)
    }

    /// The size without the position.
    pub const fn size(&self) -> Size<S> {
        Size::new(self.width, self.height)
    }

    /// The top left corner.
    pub const fn origin(&self) -> Point<S> {
        Point::new(self.x, self.y)
    }

    /// Number of pixels; 0 when the rectangle is empty.
    pub const fn area(&self) -> u64 {
        self.width as u64 * self.height as u64
    }

    /// Whether it has no pixel at all.
    pub const fn is_empty(&self) -> bool {
        self.width == 0 || self.height == 0
    }

    /// The pixel in the middle, which lies inside whenever the rectangle is not empty.
    pub const fn center(&self) -> Point<S> {
        Point::new(
            self.x.saturating_add_unsigned(self.width / 2),
            self.y.saturating_add_unsigned(self.height / 2),
        )
    }

    /// Whether `point` is one of its pixels.
    pub const fn contains(&self, point: Point<S>) -> bool {
        point.x >= self.x && point.x < self.right() && point.y >= self.y && point.y < self.bottom()
    }

    /// The part that both share, or `None` when they share no pixel.
    pub fn intersect(&self, other: &Self) -> Option<Self> {
        let (x, y) = (self.x.max(other.x), self.y.max(other.y));
        let width = u32::try_from(i64::from(self.right().min(other.right())) - i64::from(x)).ok()?;
        let height = u32::try_from(i64::from(self.bottom().min(other.bottom())) - i64::from(y)).ok()?;
        let shared = Self::new(x, y, width, height);
        (!shared.is_empty()).then_some(shared)
    }

    /// The smallest rectangle that holds both.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        let width = u32::try_from(i64::from(self.right().max(other.right())) - i64::from(x));
        let height = u32::try_from(i64::from(self.bottom().max(other.bottom())) - i64::from(y));
        Self::new(x, y, width.unwrap_or(u32::MAX), height.unwrap_or(u32::MAX))
    }

    /// The point of the rectangle nearest to `point`; the origin when the rectangle is empty.
    pub fn clamp(&self, point: Point<S>) -> Point<S> {
        let clamp = |v: i32, low: i32, end: i32| v.clamp(low, end.saturating_sub(1).max(low));
        Point::new(clamp(point.x, self.x, self.right()), clamp(point.y, self.y, self.bottom()))
    }

    /// The square of `2 * radius + 1` pixels a side around `point`.
    pub const fn around(point: Point<S>, radius: u32) -> Self {
        let side = radius.saturating_mul(2).saturating_add(1);
        Self::new(
            point.x.saturating_sub_unsigned(radius),
            point.y.saturating_sub_unsigned(radius),
            side,
            side,
        )
    }
}

/// The way from one rectangle in the space `A` to one in the space `B`, and back.
///
/// A point stays inside: whatever the scale, the image of a pixel of `from` is a pixel of `to`.
pub struct Mapping<A, B> {
    from: Rect<A>,
    to: Rect<B>,
}

impl<A, B> fmt::Debug for Mapping<A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}", self.from, self.to)
    }
}

impl<A, B> Mapping<A, B> {
    /// Maps `from` onto `to`; both must have at least one pixel.
    pub fn new(from: Rect<A>, to: Rect<B>) -> Option<Self> {
        (!from.is_empty() && !to.is_empty()).then_some(Self { from, to })
    }

    /// The rectangle that it leads to.
    pub const fn to(&self) -> Rect<B> {
        self.to
    }

    /// Where the middle of the pixel `point` falls.
    pub fn forward(&self, point: Point<A>) -> Point<B> {
        let x = scale(point.x, self.from.x, self.from.width, self.to.x, self.to.width);
        let y = scale(point.y, self.from.y, self.from.height, self.to.y, self.to.height);
        self.to.clamp(Point::new(x, y))
    }

    /// The same mapping in the other direction.
    pub const fn inverse(&self) -> Mapping<B, A> {
        Mapping { from: self.to, to: self.from }
    }
}

fn scale(value: i32, from: i32, from_len: u32, to: i32, to_len: u32) -> i32 {
    // Twice the distance plus one is the middle of the pixel; integers keep it exact.
    let middle = (i64::from(value) - i64::from(from)) * 2 + 1;
    let scaled = (i128::from(middle) * i128::from(to_len)).div_euclid(2 * i128::from(from_len));
    i32::try_from(scaled + i128::from(to)).unwrap_or(if scaled < 0 { i32::MIN } else { i32::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_origin_is_a_point_like_any_other() {
        let screen: ScreenRect = Rect::new(0, 0, 10, 10);
        assert!(screen.contains(Point::new(0, 0)));
        assert!(!screen.contains(Point::new(10, 0)));
        assert_eq!(Rect::<Screen>::new(-20, 0, 10, 10).center(), Point::new(-15, 5));
    }

    #[test]
    fn intersections() {
        let a: ScreenRect = Rect::new(0, 0, 10, 10);
        assert_eq!(a.intersect(&Rect::new(5, 5, 10, 10)), Some(Rect::new(5, 5, 5, 5)));
        assert_eq!(a.intersect(&Rect::new(10, 0, 5, 5)), None);
        assert_eq!(a.union(&Rect::new(-5, 2, 1, 20)), Rect::new(-5, 0, 15, 22));
    }

    proptest! {
        #[test]
        fn a_point_stays_on_its_screen(
            (w, h) in (1u32..8000, 1u32..8000), (gw, gh) in (1u32..3000, 1u32..3000),
            (ox, oy) in (-8000i32..8000, -8000i32..8000), (fx, fy) in (0.0f64..1.0, 0.0f64..1.0),
        ) {
            let screen: Rect<Screen> = Rect::new(ox, oy, w, h);
            let grid: Rect<Grid> = Rect::new(0, 0, gw, gh);
            let map = Mapping::new(grid, screen).unwrap();
            #[expect(clippy::cast_possible_truncation, reason = "a fraction of a small length")]
            let at = Point::new((fx * f64::from(gw)) as i32, (fy * f64::from(gh)) as i32);
            prop_assert!(screen.contains(map.forward(at)));
            prop_assert!(grid.contains(map.inverse().forward(screen.center())));
        }

        #[test]
        fn no_arithmetic_overflows(x in any::<i32>(), y in any::<i32>(), w in any::<u32>(), h in any::<u32>()) {
            let r: ScreenRect = Rect::new(x, y, w, h);
            let _ = (r.center(), r.right(), r.bottom(), r.union(&Rect::new(0, 0, 1, 1)), r.intersect(&r));
            let _ = Rect::around(Point::<Screen>::new(x, y), w);
        }
    }
}
