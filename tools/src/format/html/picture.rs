//! One picture a case: a lane for each tenant, the steps from the order to the seats, and the hop
//! into the wrong lane, which is red, thick, dashed and called wrong, so that it needs no colour.

use super::escaped;
use crate::format::audit::when;
use replay::audit::expectation::Wanted;
use replay::audit::finding::{Finding, FindingState, Landed};
use std::fmt::Write;

/// Room for the lanes' names, in pixels.
const MARGIN: usize = 256;
/// From one step to the next.
const STEP: usize = 178;
const BOX_WIDTH: usize = 152;
const BOX_HEIGHT: usize = 62;
/// From one lane to the next.
const LANE: usize = 104;
const TOP: usize = 12;
/// So many letters fit into a line of a box.
const LINE_CHARS: usize = 19;
/// So many bold ones.
const BOLD_LINE_CHARS: usize = 16;
/// So many letters of a lane's name fit.
const NAME_CHARS: usize = 30;

/// A step in the picture.
struct Step {
    lane: usize,
    at: String,
    what: String,
    look: Look,
}

/// How a step looks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    /// An ordinary step.
    Plain,
    /// The hop to here is the wrong one.
    Wrong,
    /// It did not happen, and should have.
    Missing,
}

/// The picture of a case as an SVG element.
pub(super) fn picture(finding: &Finding) -> String {
    let (lanes, steps) = match finding.landed() {
        Some(landed) => of_landing(finding, landed),
        None => of_subject(finding),
    };
    let columns = columns(&steps);
    let width = MARGIN + columns.iter().max().map_or(1, |last| last + 1) * STEP;
    let height = TOP + lanes.len() * LANE;
    let mut out = String::new();
    let _ = write!(
        out,
        "<svg role=\"img\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" xmlns=\"http://www.w3.org/2000/svg\"><title>{}</title>",
        escaped(&finding.summary)
    );
    for (index, (name, note)) in lanes.iter().enumerate() {
        let y = TOP + index * LANE;
        let fill = if index % 2 == 0 { "#f6f6f6" } else { "#ffffff" };
        let _ = write!(
            out,
            "<rect x=\"0\" y=\"{y}\" width=\"{width}\" height=\"{LANE}\" fill=\"{fill}\" stroke=\"#ccc\"/>"
        );
        for (row, line) in name_lines(name).iter().enumerate() {
            let at = y + 36 + row * 16;
            let _ = write!(
                out,
                "<text class=\"lane\" x=\"8\" y=\"{at}\">{}</text>",
                escaped(line)
            );
        }
        let _ = write!(
            out,
            "<text class=\"small\" x=\"8\" y=\"{}\">{note}</text>",
            y + 76
        );
    }
    let placed: Vec<(usize, &Step)> = columns.into_iter().zip(&steps).collect();
    for pair in placed.windows(2) {
        if let [from, to] = pair {
            arrow(&mut out, *from, *to);
        }
    }
    for (column, step) in placed {
        boxed(&mut out, column, step);
    }
    out.push_str("</svg>");
    out
}

/// Where each step stands: after the one before it. What should have happened stands with what did instead.
fn columns(steps: &[Step]) -> Vec<usize> {
    let wrong = steps.iter().position(|step| step.look == Look::Wrong);
    let column = |(index, step): (usize, &Step)| match step.look {
        Look::Missing => wrong.unwrap_or(index),
        Look::Plain | Look::Wrong => index,
    };
    steps.iter().enumerate().map(column).collect()
}

fn left(column: usize) -> usize {
    MARGIN + column * STEP
}

fn middle(lane: usize) -> usize {
    TOP + lane * LANE + LANE / 2
}

/// The arrow from a step to the next one, each with its column.
fn arrow(out: &mut String, (before, from): (usize, &Step), (after, to): (usize, &Step)) {
    let (x1, y1) = (left(before) + BOX_WIDTH, middle(from.lane));
    let (x2, y2) = (left(after), middle(to.lane));
    let style = match to.look {
        Look::Plain => "stroke=\"#1c1c1c\" stroke-width=\"1.5\"",
        Look::Wrong => "stroke=\"#a40000\" stroke-width=\"4\" stroke-dasharray=\"9 4\"",
        Look::Missing => return,
    };
    let _ = write!(
        out,
        "<path d=\"M{x1} {y1}L{x2} {y2}\" fill=\"none\" {style}/>"
    );
    let fill = if to.look == Look::Wrong {
        "#a40000"
    } else {
        "#1c1c1c"
    };
    let (back, up, down) = (x2.saturating_sub(9), y2.saturating_sub(6), y2 + 6);
    let _ = write!(
        out,
        "<path d=\"M{x2} {y2}L{back} {up}L{back} {down}Z\" fill=\"{fill}\"/>"
    );
}

fn boxed(out: &mut String, column: usize, step: &Step) {
    let x = left(column);
    let y = middle(step.lane).saturating_sub(BOX_HEIGHT / 2);
    let style = match step.look {
        Look::Plain => "fill=\"#ffffff\" stroke=\"#1c1c1c\" stroke-width=\"1.5\"",
        Look::Wrong => "fill=\"#fff0f0\" stroke=\"#a40000\" stroke-width=\"4\"",
        Look::Missing => {
            "fill=\"none\" stroke=\"#1c1c1c\" stroke-width=\"1.5\" stroke-dasharray=\"3 4\""
        }
    };
    let _ = write!(
        out,
        "<rect x=\"{x}\" y=\"{y}\" width=\"{BOX_WIDTH}\" height=\"{BOX_HEIGHT}\" rx=\"5\" {style}/>"
    );
    let _ = write!(
        out,
        "<text class=\"small\" x=\"{}\" y=\"{}\">{}</text>",
        x + 7,
        y + 15,
        escaped(&step.at)
    );
    let class = if step.look == Look::Wrong {
        " class=\"wrong\""
    } else {
        ""
    };
    let letters = match step.look {
        Look::Wrong => BOLD_LINE_CHARS,
        Look::Plain | Look::Missing => LINE_CHARS,
    };
    for (row, line) in lines(&step.what, letters, 3).iter().enumerate() {
        let at = y + 30 + row * 14;
        let _ = write!(
            out,
            "<text{class} x=\"{}\" y=\"{at}\">{}</text>",
            x + 7,
            escaped(line)
        );
    }
    if step.look == Look::Wrong {
        let at = y.saturating_sub(6);
        let _ = write!(
            out,
            "<text class=\"wrong\" x=\"{}\" y=\"{at}\">✗ wrong hop</text>",
            x + 7
        );
    }
}

type Lanes = Vec<(String, &'static str)>;

/// The lanes and steps of a landing: what came before it is in no tenant yet.
fn of_landing(finding: &Finding, landed: &Landed) -> (Lanes, Vec<Step>) {
    let mut lanes: Lanes = vec![("before any tenant".to_owned(), "order, mail and choice")];
    match &landed.expected.wanted {
        Wanted::Existing(tenants) => {
            for tenant in tenants.iter().filter(|tenant| **tenant != landed.actual) {
                lanes.push((tenant.to_string(), "expected"));
            }
        }
        Wanted::BornOfThisChoice => lanes.push(("a new tenant".to_owned(), "expected")),
        Wanted::Unknown => {}
    }
    let named = lanes.len() > 1;
    let actual = lanes.len();
    let note = if named {
        "where it landed"
    } else {
        "where it landed; expected: see below"
    };
    lanes.push((landed.actual.to_string(), note));
    let wrong = landed.kind.participle();
    let mut steps = Vec::new();
    for step in &finding.path {
        let (lane, look) = match &step.tenant {
            None => (0, Look::Plain),
            Some(tenant) if *tenant == landed.actual && step.what.starts_with(wrong) => {
                (actual, Look::Wrong)
            }
            Some(tenant) => {
                let name = tenant.as_str();
                let known = lanes.iter().position(|(lane, _)| lane == name);
                let lane = known.unwrap_or_else(|| {
                    lanes.push((name.to_owned(), "moved here"));
                    lanes.len() - 1
                });
                (lane, Look::Plain)
            }
        };
        let what = match look {
            Look::Wrong => wrong.trim_end_matches(" in").trim_end_matches(" to"),
            Look::Plain | Look::Missing => step.what.as_str(),
        };
        let at = when(step.at);
        steps.push(Step {
            lane,
            at,
            what: what.to_owned(),
            look,
        });
    }
    let open = finding.state != FindingState::Compensated;
    let name = finding
        .path
        .iter()
        .find_map(|step| step.what.strip_prefix(wrong));
    let of_actual = finding.effects.iter().find_map(|effect| {
        let (tenant, seats) = effect.split_once(": ")?;
        (name.map(str::trim) == Some(tenant)).then_some(seats)
    });
    if let Some(seats) = of_actual {
        let at_landing = steps.iter().position(|step| step.look == Look::Wrong);
        let after = at_landing.map_or(steps.len(), |index| index + 1);
        let seats = Step {
            lane: actual,
            at: "seats there".to_owned(),
            what: seats.to_owned(),
            look: Look::Plain,
        };
        steps.insert(after, seats);
    }
    if named && open {
        let (at, what) = ("expected".to_owned(), "should have come here".to_owned());
        steps.push(Step {
            lane: 1,
            at,
            what,
            look: Look::Missing,
        });
    }
    (lanes, steps)
}

/// The lane and steps of anything else: its evidence in time.
fn of_subject(finding: &Finding) -> (Lanes, Vec<Step>) {
    let lanes = vec![(finding.subject(), "what it is about")];
    const STEPS_MAX: usize = 8;
    let hidden = finding.evidence.len().saturating_sub(STEPS_MAX);
    let steps = finding.evidence.iter().skip(hidden).map(|exhibit| Step {
        lane: 0,
        at: when(exhibit.at),
        what: exhibit.why.clone(),
        look: Look::Plain,
    });
    (lanes, steps.collect())
}

/// The name of a lane in two lines at most, broken where a part of it ends.
fn name_lines(name: &str) -> Vec<String> {
    if name.contains(' ') || name.chars().count() <= NAME_CHARS {
        return lines(name, NAME_CHARS, 2);
    }
    let mut parts = vec![String::new()];
    for part in name.split_inclusive(['.', ':', '@']) {
        let room = |line: &&mut String| line.chars().count() + part.chars().count() <= NAME_CHARS;
        match parts.last_mut().filter(room) {
            Some(line) => line.push_str(part),
            None => parts.push(part.to_owned()),
        }
    }
    lines(parts.join(" ").trim_start(), NAME_CHARS, 2)
}

/// A text in lines of at most so many letters, cut after so many lines.
fn lines(text: &str, letters: usize, most: usize) -> Vec<String> {
    let wrapped = textwrap::wrap(text, textwrap::Options::new(letters));
    let mut lines: Vec<String> = wrapped.iter().map(|line| line.to_string()).collect();
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            last.push('…');
        }
    }
    lines
}
