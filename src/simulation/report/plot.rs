//! The ground of every chart: scales, axes with ticks, and lines. It knows no policy.

use std::fmt::Write;

use maud::{Markup, html};

use crate::simulation::{
    figures::grouped,
    numbers::{count, real, share},
};

/// An axis has about so many ticks.
const TICKS: f64 = 4.0;

/// Lengths of time that people count in, in seconds.
const TIME_STEPS: [u64; 16] = [
    1, 5, 15, 60, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400, 172_800,
    604_800,
];

/// From numbers to places between 0 and 1.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scale {
    /// From 0.
    Linear { max: f64 },
    /// From 0, in seconds.
    Time { max: f64 },
    /// Between two positive numbers.
    Logarithmic { min: f64, max: f64 },
}

impl Scale {
    /// Where a number is; beyond the ends it is at them.
    pub(super) fn place(self, number: f64) -> f64 {
        let place = match self {
            Self::Linear { max } | Self::Time { max } => share(number, max),
            Self::Logarithmic { min, max } => share((number.max(min) / min).ln(), (max / min).ln()),
        };
        place.clamp(0.0, 1.0)
    }

    pub(super) fn ticks(self) -> Vec<f64> {
        match self {
            Self::Linear { max } => multiples(round_step(max / TICKS), max),
            Self::Time { max } => multiples(time_step(max), max),
            Self::Logarithmic { min, max } if max / min < 5.0 => {
                let ticks = multiples(round_step((max - min) / TICKS), max);
                ticks.into_iter().filter(|tick| *tick >= min).collect()
            }
            Self::Logarithmic { min, max } => {
                let decades = -6_i32..=9;
                let ticks = decades
                    .flat_map(|decade| [1.0, 2.0, 5.0].map(|digit| digit * 10_f64.powi(decade)));
                ticks.filter(|tick| (min..=max).contains(tick)).collect()
            }
        }
    }
}

/// The next of 1, 2, 5, 10, ... Replicas and messages are whole.
fn round_step(step: f64) -> f64 {
    let decade = 10_f64.powf(step.max(1e-3).log10().floor());
    let digits = [1.0, 2.0, 5.0, 10.0];
    let found = digits
        .iter()
        .map(|digit| digit * decade)
        .find(|round| *round >= step);
    found.unwrap_or(decade)
}

fn time_step(max: f64) -> f64 {
    let fits = TIME_STEPS
        .iter()
        .map(|step| real(*step))
        .find(|step| max / step <= TICKS + 2.0);
    fits.unwrap_or(max.max(1.0))
}

fn multiples(step: f64, max: f64) -> Vec<f64> {
    let last = count((max / step + 1e-9).floor());
    (0..=last).map(|index| real(index) * step).collect()
}

/// A rectangle of the picture with a scale in each direction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plot {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) x: Scale,
    pub(super) y: Scale,
}

impl Plot {
    pub(super) fn x(&self, number: f64) -> f64 {
        self.left + self.width * self.x.place(number)
    }

    pub(super) fn y(&self, number: f64) -> f64 {
        self.top + self.height * (1.0 - self.y.place(number))
    }

    fn right(&self) -> f64 {
        self.left + self.width
    }

    pub(super) fn bottom(&self) -> f64 {
        self.top + self.height
    }

    /// Lines across for the ticks of `y`, and short ones below for those of `x`.
    pub(super) fn axes(&self) -> Markup {
        html! {
            g.axis {
                @for tick in self.y.ticks() {
                    @let y = self.y(tick);
                    line x1=(self.left) x2=(self.right()) y1=(short(y)) y2=(short(y)) {}
                    text x=(self.left - 5.0) y=(short(y + 3.5)) text-anchor="end" { (label(self.y, tick)) }
                }
                @for tick in self.x.ticks() {
                    @let x = self.x(tick);
                    line x1=(short(x)) x2=(short(x)) y1=(self.bottom()) y2=(self.bottom() + 4.0) {}
                    text x=(short(x)) y=(self.bottom() + 16.0) text-anchor="middle" { (label(self.x, tick)) }
                }
            }
        }
    }

    /// A line over all of the width.
    pub(super) fn level(&self, number: f64, class: &str) -> Markup {
        let y = short(self.y(number));
        html! { line class=(class) x1=(self.left) x2=(self.right()) y1=(y) y2=(y) {} }
    }

    /// Numbers that each last for `step` along `x`, as stairs. Only changes are written.
    pub(super) fn stairs(&self, numbers: &[f64], step: f64) -> String {
        let (mut path, mut before) = (String::new(), None);
        for (index, number) in (0_u64..).zip(numbers) {
            let (x, y) = (short(self.x(real(index) * step)), short(self.y(*number)));
            match &before {
                None => write(&mut path, format_args!("M{x} {y}")),
                Some(before) if *before == y => {}
                Some(_) => write(&mut path, format_args!("H{x}V{y}")),
            }
            before = Some(y);
        }
        let there_are = u64::try_from(numbers.len()).unwrap_or(u64::MAX);
        write(
            &mut path,
            format_args!("H{}", short(self.x(real(there_are) * step))),
        );
        path
    }

    /// What is below stairs.
    pub(super) fn area(&self, numbers: &[f64], step: f64) -> String {
        let (stairs, bottom) = (self.stairs(numbers, step), self.bottom());
        format!("{stairs}V{bottom}H{}Z", self.left)
    }
}

fn write(path: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    path.write_fmt(arguments).ok();
}

/// A coordinate, to a tenth: more cannot be seen.
pub(super) fn short(number: f64) -> String {
    let text = format!("{number:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

fn label(scale: Scale, tick: f64) -> String {
    match scale {
        Scale::Time { max } => time(tick, max),
        Scale::Linear { .. } | Scale::Logarithmic { .. } if tick >= 1_000.0 => grouped(count(tick)),
        Scale::Linear { .. } | Scale::Logarithmic { .. } => {
            // Sums of tenths are not exact, and nobody wants to read so.
            let text = format!("{tick:.3}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
    }
}

/// A time in the unit that fits a chart of `max` seconds.
pub(super) fn time(seconds: f64, max: f64) -> String {
    let whole = count(seconds);
    match max {
        short if short <= 180.0 => format!("{whole} s"),
        _ if whole.is_multiple_of(86_400) && whole > 0 => format!("{} d", whole / 86_400),
        _ if whole.is_multiple_of(3_600) => format!("{} h", whole / 3_600),
        _ if whole < 3_600 => format!("{} min", whole / 60),
        _ => format!("{}:{:02} h", whole / 3_600, whole / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given_labels(scale: Scale) -> Vec<String> {
        scale
            .ticks()
            .iter()
            .map(|tick| label(scale, *tick))
            .collect()
    }

    #[test]
    fn ticks_are_round_and_few() {
        assert_eq!(given_labels(Scale::Linear { max: 87.0 }), ["0", "50"]);
        assert_eq!(
            given_labels(Scale::Linear { max: 200_000.0 }),
            ["0", "50,000", "100,000", "150,000", "200,000"]
        );
        assert_eq!(
            given_labels(Scale::Time { max: 2_600.0 }),
            ["0 h", "10 min", "20 min", "30 min", "40 min"]
        );
        assert_eq!(
            given_labels(Scale::Logarithmic {
                min: 1.5,
                max: 30.0
            }),
            ["2", "5", "10", "20"]
        );
        assert_eq!(
            given_labels(Scale::Logarithmic { min: 1.1, max: 2.0 }),
            ["1.5", "2"]
        );
    }

    #[test]
    fn every_scale_goes_from_0_to_1_and_never_beyond() {
        let scales = [
            (Scale::Linear { max: 8.0 }, 0.0, 8.0),
            (Scale::Logarithmic { min: 2.0, max: 8.0 }, 2.0, 8.0),
        ];
        for (scale, low, high) in scales {
            let places = [low - 1.0, low, high, high + 1.0].map(|number| scale.place(number));
            assert_eq!(places.map(short), ["0", "0", "1", "1"], "{scale:?}");
        }
        // Nothing to show is no division by zero.
        assert_eq!(short(Scale::Linear { max: 0.0 }.place(3.0)), "0");
    }

    #[test]
    fn stairs_have_a_step_for_each_change_alone() {
        let plot = Plot {
            left: 0.0,
            top: 0.0,
            width: 100.0,
            height: 10.0,
            x: Scale::Time { max: 10.0 },
            y: Scale::Linear { max: 10.0 },
        };
        let path = plot.stairs(&[0.0, 0.0, 5.0, 5.0, 10.0], 2.0);
        assert_eq!(path, "M0 10H40V5H80V0H100");
        assert!(plot.area(&[1.0], 1.0).ends_with("V10H0Z"));
    }
}
