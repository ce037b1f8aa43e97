//! Averages of parts that do not overlap. The network that reads ends in one of three rows, and lines that are lower than
//! those that it was made for have only two by then: where there are fewer rows than it takes, it takes those.

/// An average of so many rows and columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pool {
    high: usize,
    wide: usize,
}

impl Pool {
    /// Of so many rows and columns; `None` if it is of no use.
    pub(super) const fn new((high, wide): (usize, usize)) -> Option<Self> {
        if high == 0 || wide == 0 { None } else { Some(Self { high, wide }) }
    }

    /// Applied to `input` with these pictures, planes, rows and columns. What is left over of these is dropped.
    pub(super) fn apply(
        self,
        input: &[f32],
        [count, planes, high, wide]: [usize; 4],
    ) -> Option<([usize; 4], Vec<f32>)> {
        let each = self.high.min(high);
        let (rows, columns) = (high.checked_div(each)?, wide / self.wide);
        if columns == 0 || input.len() != count * planes * high * wide {
            return None;
        }
        let area = u16::try_from(each * self.wide).map(f32::from).ok()?;
        let mut out = vec![0.0; count * planes * rows * columns];
        for (to, plane) in out.chunks_exact_mut(rows * columns).zip(input.chunks_exact(high * wide)) {
            for (to, lines) in to.chunks_exact_mut(columns).zip(plane.chunks_exact(each * wide)) {
                for line in lines.chunks_exact(wide) {
                    for (sum, values) in to.iter_mut().zip(line.chunks_exact(self.wide)) {
                        *sum += values.iter().sum::<f32>() / area;
                    }
                }
            }
        }
        Some(([count, planes, rows, columns], out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_become_one_and_fewer_rows_do_too() {
        let pool = Pool::new((2, 2)).unwrap();
        let values = [1.0, 3.0, 5.0, 7.0, 100.0, 2.0, 4.0, 0.0, 0.0, 100.0];
        assert_eq!(pool.apply(&values, [1, 1, 2, 5]), Some(([1, 1, 1, 2], vec![2.5, 3.0])));
        assert_eq!(pool.apply(&values[..8], [1, 1, 4, 2]), Some(([1, 1, 2, 1], vec![4.0, 26.5])));
        assert_eq!(pool.apply(&values[..8], [1, 2, 1, 4]).unwrap().1, [2.0, 6.0, 51.0, 2.0]);
        assert_eq!(pool.apply(&values[..6], [1, 1, 3, 2]).unwrap().1, [4.0]);
        assert_eq!(pool.apply(&[], [0, 2, 1, 4]), Some(([0, 2, 1, 2], Vec::new())));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert_eq!((Pool::new((0, 1)), Pool::new((1, 0))), (None, None));
        let pool = Pool::new((1, 2)).unwrap();
        for size in [[1, 1, 2, 3], [1, 1, 0, 4], [1, 4, 1, 1], [1, 1, 1, 70_000]] {
            assert_eq!(pool.apply(&[0.0; 4], size), None, "{size:?}");
        }
        assert_eq!(Pool::new((1, 70_000)).unwrap().apply(&vec![0.0; 70_000], [1, 1, 1, 70_000]), None);
    }
}
