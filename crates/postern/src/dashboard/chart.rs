//! Charts as SVG, drawn here: no script, no style attribute.

use std::fmt::Write as _;

/// Drawing area, in the units of the view box.
const WIDTH: u64 = 720;
const HEIGHT: u64 = 180;
/// Below it the axis is labelled.
const FOOT: u64 = 20;

/// A bar of a chart: its label, and two amounts of which the second is part of the first.
pub(super) struct Bar {
    pub(super) label: String,
    pub(super) whole: u64,
    pub(super) part: u64,
}

/// A bar chart. `title` says what it shows to who cannot see it; the numbers stand in a table beside it.
pub(super) fn bars(title: &str, bars: &[Bar]) -> String {
    let most = bars
        .iter()
        .map(|bar| bar.whole.max(bar.part))
        .max()
        .unwrap_or(0)
        .max(1);
    let count = u64::try_from(bars.len()).unwrap_or(1).max(1);
    let step = (WIDTH / count).max(4);
    let width = step * count;
    let wide = (step * 3 / 4).clamp(2, 48);
    let mut svg = format!(
        "<svg class=\"chart\" role=\"img\" viewBox=\"0 0 {width} {}\" preserveAspectRatio=\"none\"><title>{}</title>",
        HEIGHT + FOOT,
        escaped(title)
    );
    for line in 0..=3_u64 {
        let y = HEIGHT * line / 3;
        let _ = write!(
            svg,
            "<line class=\"grid\" x1=\"0\" x2=\"{width}\" y1=\"{y}\" y2=\"{y}\"/>"
        );
    }
    for (place, bar) in (0_u64..).zip(bars) {
        let x = place * step + (step - wide) / 2;
        let told = format!(
            "{}: {} requested, {} verified",
            bar.label, bar.whole, bar.part
        );
        let _ = write!(svg, "<g><title>{}</title>", escaped(&told));
        for (class, amount) in [("whole", bar.whole), ("part", bar.part)] {
            let tall = amount * HEIGHT / most;
            let y = HEIGHT - tall;
            let _ = write!(
                svg,
                "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{wide}\" height=\"{tall}\" rx=\"2\"/>"
            );
        }
        svg.push_str("</g>");
    }
    svg.push_str("</svg>");
    svg
}

/// A bar as long as its part of the whole. The numbers stand beside it, so it is hidden from who cannot see it.
pub(super) fn meter(part: u64, whole: u64, tone: &str) -> String {
    let long = (part.min(whole) * 1000).checked_div(whole).unwrap_or(0);
    format!(
        "<svg class=\"meter {tone}\" viewBox=\"0 0 1000 8\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
         <rect class=\"track\" width=\"1000\" height=\"8\"/><rect class=\"fill\" width=\"{long}\" height=\"8\"/></svg>"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_is_escaped_and_as_tall_as_its_largest_bar() {
        let bar = |whole, part| Bar {
            label: String::new(),
            whole,
            part,
        };
        let svg = bars("<a & b>", &[bar(10, 5), bar(0, 0)]);
        assert!(svg.contains("<title>&lt;a &amp; b&gt;</title>"));
        assert!(svg.contains("height=\"180\"") && svg.contains("height=\"90\""));
        assert!(!svg.contains("style"));
    }

    #[test]
    fn a_meter_is_as_long_as_its_share_and_never_longer_than_the_whole() {
        assert!(meter(1, 4, "good").contains("class=\"fill\" width=\"250\""));
        assert!(meter(9, 4, "").contains("class=\"fill\" width=\"1000\""));
        assert!(meter(0, 0, "").contains("class=\"fill\" width=\"0\""));
    }
}
