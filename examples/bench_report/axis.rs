//! Where a value stands on an axis.

/// From this factor between the smallest and the largest value on an axis is logarithmic.
const LOGARITHMIC_FROM: f64 = 8.0;
/// From this factor between its ends a logarithmic axis is long.
const LONG_FROM: f64 = 200.0;

/// An axis of a plot, from the value at its beginning to the one at its end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Axis {
    first: f64,
    last: f64,
    logarithmic: bool,
}

impl Axis {
    /// An axis on which all of these values stand; those that are not above zero stand at its beginning if it is logarithmic.
    pub(crate) fn over(values: impl Iterator<Item = f64> + Clone) -> Self {
        let last = values.clone().fold(0.0_f64, f64::max);
        let smallest = values.filter(|value| *value > 0.0).fold(f64::INFINITY, f64::min);
        if smallest.is_finite() && last / smallest >= LOGARITHMIC_FROM {
            return Self { first: round_down(smallest), last: round_up(last), logarithmic: true };
        }
        Self { first: 0.0, last: if last > 0.0 { round_up(last) } else { 1.0 }, logarithmic: false }
    }

    /// An axis on which each doubling takes the same room, from the smallest of these values to the largest.
    pub(crate) fn doubling(values: &[f64]) -> Self {
        let first = values.iter().copied().fold(f64::INFINITY, f64::min);
        let last = values.iter().copied().fold(0.0_f64, f64::max);
        Self { first, last: if last > first { last } else { first * 2.0 }, logarithmic: true }
    }

    /// Where a value stands: 0 at the beginning, 1 at the end.
    pub(crate) fn place(&self, value: f64) -> f64 {
        let Self { first, last, logarithmic } = *self;
        let place =
            if logarithmic { (value.max(first).ln() - first.ln()) / (last.ln() - first.ln()) } else { (value - first) / (last - first) };
        place.clamp(0.0, 1.0)
    }

    /// Values to be written along the axis.
    pub(crate) fn ticks(&self) -> Vec<f64> {
        if !self.logarithmic {
            return (0..=4).map(|quarter| self.last * f64::from(quarter) / 4.0).collect();
        }
        // On a long axis only one, ten, a hundred and so on are written.
        let long = self.last / self.first >= LONG_FROM;
        let mut ticks = Vec::new();
        let mut tick = self.first;
        while tick <= self.last * EXACT {
            if !long || is_power_of_ten(tick) {
                ticks.push(tick);
            }
            tick = round_up(tick * 1.5);
        }
        ticks
    }

    pub(crate) const fn is_logarithmic(&self) -> bool {
        self.logarithmic
    }
}

/// Numbers of one, two or five and zeros stand along an axis.
const STEPS: [f64; 4] = [1.0, 2.0, 5.0, 10.0];
/// Numbers that differ by less are the same.
const EXACT: f64 = 1.000_001;

fn round_up(value: f64) -> f64 {
    let power = 10_f64.powf(value.log10().floor());
    STEPS.into_iter().map(|step| step * power).find(|rounded| *rounded * EXACT >= value).unwrap_or(value)
}

fn round_down(value: f64) -> f64 {
    let power = 10_f64.powf(value.log10().floor());
    STEPS.into_iter().rev().map(|step| step * power).find(|rounded| *rounded <= value * EXACT).unwrap_or(value)
}

fn is_power_of_ten(value: f64) -> bool {
    (value.log10() - value.log10().round()).abs() < EXACT - 1.0
}

/// A number as it is written along an axis.
pub(crate) fn label(value: f64) -> String {
    let (number, unit) = match value {
        value if value >= 1e6 => (value / 1e6, " M"),
        value if value >= 1e4 => (value / 1e3, " k"),
        value => (value, ""),
    };
    if (number - number.round()).abs() < 1e-6 {
        format!("{number:.0}{unit}")
    } else {
        format!("{number:.3}").trim_end_matches('0').to_owned() + unit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_spans_magnitudes_stands_on_a_logarithmic_axis_and_the_rest_begins_at_zero() {
        let wide = Axis::over([30.0, 400.0].into_iter());
        assert!(wide.is_logarithmic());
        assert_eq!(wide.ticks().into_iter().map(label).collect::<Vec<_>>(), ["20", "50", "100", "200", "500"]);
        assert!((wide.place(100.0) - 0.5).abs() < 1e-9);
        let wider = Axis::over([30.0, 40_000.0].into_iter());
        assert_eq!(wider.ticks().into_iter().map(label).collect::<Vec<_>>(), ["100", "1000", "10 k"]);
        let narrow = Axis::over([300.0, 450.0].into_iter());
        assert!(!narrow.is_logarithmic());
        assert_eq!(narrow.ticks(), [0.0, 125.0, 250.0, 375.0, 500.0]);
        assert!(Axis::over([0.0].into_iter()).place(0.0) < 1e-9);
    }

    #[test]
    fn numbers_along_an_axis_are_short() {
        assert_eq!([0.5, 1.0, 1_000.0, 20_000.0, 2_500_000.0].map(label), ["0.5", "1", "1000", "20 k", "2.5 M"]);
    }
}
