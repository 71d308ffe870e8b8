//! The table of an accuracy run.

use super::{Marks, Tally};
use replay::audit::rules::RULES;
use std::fmt::Write;
use tools::simulate::mistake::MISTAKES;

const HEAD: &str = "rule    mistakes  evidence  found  missed  false: alike  other  ordinary  unclear  recall  precision  what";

/// One line for every rule, and one for all of them.
pub fn table(tally: &Tally) -> String {
    let mut out = format!("{HEAD}\n");
    for mistake in MISTAKES {
        let marks = tally
            .rules
            .get(&mistake.number)
            .copied()
            .unwrap_or_default();
        let code = format!("WTR{:03}", mistake.number);
        let _ = writeln!(out, "{}", line(&code, &marks, mistake.name));
    }
    let _ = writeln!(out, "{}", line("all", &tally.all(), ""));
    let _ = writeln!(
        out,
        "{} events, {} ordinary landings, {} look-alikes; evidence: the mistakes whose evidence survived; unclear: accused innocents that nothing in the record clears",
        tally.events, tally.ordinary, tally.look_alikes
    );
    let fates: Vec<String> = tally
        .without_evidence
        .iter()
        .map(|(fate, count)| format!("{count} {}", fate.words()))
        .collect();
    if !fates.is_empty() {
        let _ = writeln!(out, "mistakes whose evidence is gone: {}", fates.join(", "));
    }
    for (code, breaches) in &tally.families {
        let name = RULES.iter().find(|rule| rule.code == *code);
        let _ = writeln!(
            out,
            "{code:<6}  {:>8} found  {:>5} by the noise  {:>5} lost to it  {}",
            breaches.found,
            breaches.by_noise,
            breaches.lost,
            name.map_or("", |rule| rule.name)
        );
    }
    out
}

fn line(name: &str, marks: &Marks, what: &str) -> String {
    let share = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |v| format!("{v:.3}"));
    let text = format!(
        "{name:<6}  {:>8}  {:>8}  {:>5}  {:>6}  {:>12}  {:>5}  {:>8}  {:>7}  {:>6}  {:>9}  {what}",
        marks.mistakes,
        marks.decidable,
        marks.found,
        marks.missed(),
        marks.false_on_look_alikes,
        marks.false_on_others,
        marks.false_on_ordinary,
        marks.unclear,
        share(marks.recall()),
        share(marks.precision()),
    );
    text.trim_end().to_owned()
}
