//! From a number to its place on a logarithmic axis, and which numbers to write there.

/// A logarithmic axis over some length of the drawing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    least: f64,
    most: f64,
    /// Where `least` and `most` are drawn.
    from: f64,
    to: f64,
}

impl Scale {
    /// An axis that begins at the first of these marks and ends at the last.
    pub(super) fn over(marks: &[f64], from: f64, to: f64) -> Self {
        let least = marks.first().copied().unwrap_or(1.0);
        let most = marks.last().copied().unwrap_or(2.0);
        Self {
            least,
            most: if most > least { most } else { least * 2.0 },
            from,
            to,
        }
    }

    /// Where a number is drawn.
    pub(super) fn place(&self, number: f64) -> f64 {
        let part = (number / self.least).ln() / (self.most / self.least).ln();
        self.from + part * (self.to - self.from)
    }
}

/// The powers of two that hold all the numbers between them.
pub(super) fn powers_of_two(numbers: impl Iterator<Item = f64> + Clone) -> Vec<f64> {
    let (least, most) = ends(numbers);
    steps(least.log2().floor(), most.log2().ceil())
        .map(f64::exp2)
        .collect()
}

/// The numbers 1, 2 and 5, and ten times, a hundred times and so on these, that hold all
/// the numbers between them.
pub(super) fn round_numbers(numbers: impl Iterator<Item = f64> + Clone) -> Vec<f64> {
    let (least, most) = ends(numbers);
    let all: Vec<f64> = steps(least.log10().floor(), most.log10().ceil())
        .flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10_f64.powf(power)))
        .collect();
    let begin = all.iter().rposition(|mark| *mark <= least).unwrap_or(0);
    let end = all.iter().position(|mark| *mark >= most);
    all[begin..=end.unwrap_or(all.len() - 1)].to_vec()
}

fn ends(numbers: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let least = numbers.clone().fold(f64::INFINITY, f64::min);
    (least, numbers.fold(0.0, f64::max))
}

fn steps(first: f64, last: f64) -> impl Iterator<Item = f64> {
    std::iter::successors(Some(first), |step| Some(step + 1.0))
        .take_while(move |step| *step <= last)
        // No number of the book needs more.
        .take(64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(marks: &[f64]) -> String {
        let marks: Vec<String> = marks.iter().map(|mark| format!("{mark:.0}")).collect();
        marks.join(" ")
    }

    #[test]
    fn the_marks_hold_the_numbers_between_them() {
        let numbers = [3.0, 64.0];
        let marks = shown(&powers_of_two(numbers.into_iter()));
        assert_eq!(marks, "2 4 8 16 32 64");
        let numbers = [227.0, 15_194.0];
        let marks = shown(&round_numbers(numbers.into_iter()));
        assert_eq!(marks, "200 500 1000 2000 5000 10000 20000");
    }

    #[test]
    fn twice_as_much_is_as_far_everywhere() {
        let scale = Scale::over(&[1.0, 2.0, 4.0, 8.0], 10.0, 310.0);
        for (number, place) in [(1.0, 10.0), (2.0, 110.0), (4.0, 210.0), (8.0, 310.0)] {
            let off = scale.place(number) - place;
            assert!(off.abs() < 1e-9, "{number} is off by {off}");
        }
    }

    #[test]
    fn a_single_number_has_an_axis_too() {
        let marks = powers_of_two([4.0].into_iter());
        assert!(Scale::over(&marks, 0.0, 100.0).place(4.0).is_finite());
        assert_eq!(round_numbers([100.0].into_iter()).len(), 1);
    }
}
