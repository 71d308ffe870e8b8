//! Findings against labels.

use super::index::Index;
use super::{Fate, Marks, Tally};
use ledger::secret::{Pepper, Purpose};
use ledger::subject::SubjectKind;
use serde_json::Value;
use std::collections::BTreeSet;
use tools::simulate::label::{Label, Role};
use tools::simulate::mistake::MISTAKES;

/// One finding, as the report prints it.
struct Finding<'r> {
    kinds: BTreeSet<u8>,
    subjects: Vec<&'r str>,
    license: Option<&'r str>,
    tenant: Option<&'r str>,
    about: &'r str,
}

impl<'r> Finding<'r> {
    fn read(value: &'r Value) -> Self {
        let texts = |name: &str| {
            let list = value[name].as_array().into_iter().flatten();
            list.filter_map(Value::as_str).collect::<Vec<&'r str>>()
        };
        let codes = texts("codes");
        let is_kind = |code: &&str| code.starts_with("WTR");
        let number = |code: &&str| code.get(3..)?.parse().ok();
        let mut subjects = texts("subjects");
        let about = value["landing"].as_str().or(value["subject"].as_str());
        let about = about.or(value["about"].as_str()).unwrap_or_default();
        subjects.push(about);
        Self {
            kinds: codes
                .iter()
                .filter(|c| is_kind(c))
                .filter_map(number)
                .collect(),
            subjects,
            license: value["license_id"].as_str(),
            tenant: value["actual"]["tenant"].as_str(),
            about,
        }
    }

    /// Whether it is about what a label is about.
    fn is_about(&self, label: &Label, index: &Index) -> bool {
        let of = &label.subject;
        if let Some(machine) = &of.machine
            && self.subjects.contains(&seat(machine).as_str())
        {
            return true;
        }
        match self.tenant {
            // A landing: the same one, and no other of the same agreement.
            Some(tenant) => {
                let redemption = of.redemption.as_ref();
                let named = self.subjects.iter().any(|s| s.starts_with("redemption:"));
                let same = redemption
                    .map(|id| self.subjects.contains(&format!("redemption:{id}").as_str()));
                tenant == of.tenant
                    && self.license == Some(of.license_id.as_str())
                    && same.is_none_or(|same| same || !named)
            }
            None => {
                let licenses = index.licenses(&self.subjects);
                let customers = index.customers(&self.subjects);
                self.license == Some(of.license_id.as_str())
                    || licenses.contains(of.license_id.as_str())
                    || (licenses.is_empty() && customers.contains(of.customer.as_str()))
            }
        }
    }
}

fn seat(machine: &str) -> String {
    let pepper = Pepper::public();
    let id = pepper.pseudonym(Purpose::Machine, &[machine.to_lowercase().as_bytes()]);
    let hex: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}:{hex}", SubjectKind::Seat.name())
}

/// Counts a report's findings against the labels of its run; `run` names the run in the notes.
pub fn judge(labels: &[Label], index: &Index, report: &Value, run: &str) -> Tally {
    let mut tally = Tally::default();
    for mistake in MISTAKES {
        tally.rules.insert(mistake.number, Marks::default());
    }
    for (code, _) in super::families::findings(report).keys() {
        tally.families.entry(code).or_default().found += 1;
    }
    let findings = report["findings"].as_array().into_iter().flatten();
    let findings: Vec<Finding<'_>> = findings.map(Finding::read).collect();
    let scenes = labels.iter().filter(|label| label.role == Role::LookAlike);
    tally.look_alikes = scenes.count();
    tally.events = count(&report["events"]);
    let landings = count(&report["judged"]) + report["not_judged"].as_array().map_or(0, Vec::len);
    tally.ordinary = landings.saturating_sub(labels.len());
    for label in labels.iter().filter(|label| label.role == Role::Mistake) {
        of_mistake(&mut tally, label, &findings, index, report, run);
    }
    for finding in &findings {
        of_finding(&mut tally, finding, labels, index, run);
    }
    tally
}

fn count(value: &Value) -> usize {
    value
        .as_u64()
        .and_then(|n| usize::try_from(n).ok())
        .unwrap_or(0)
}

fn of_mistake(
    tally: &mut Tally,
    label: &Label,
    findings: &[Finding<'_>],
    index: &Index,
    report: &Value,
    run: &str,
) {
    let about = findings.iter().filter(|f| f.is_about(label, index));
    let kinds: BTreeSet<u8> = about.flat_map(|finding| finding.kinds.clone()).collect();
    let found = kinds.contains(&label.kind);
    let fate = match found {
        true => Fate::Found,
        false if !kinds.is_empty() => Fate::FoundByAnother,
        false => elsewhere_in(report, label),
    };
    let marks = tally.rules.entry(label.kind).or_default();
    marks.mistakes += 1;
    if label.is_decidable() {
        marks.decidable += 1;
        marks.found += usize::from(found);
        if !found {
            let others: Vec<String> = kinds.iter().map(|kind| format!("WTR{kind:03}")).collect();
            tally.notes.push(
                format!(
                    "missed  WTR{:03}  {}  [{}]  {}{}{}",
                    label.kind,
                    label.scene,
                    name(label),
                    fate.words(),
                    if others.is_empty() { "" } else { ": " },
                    others.join(" "),
                ) + &format!("  ({run})"),
            );
        }
    } else {
        marks.found_without += usize::from(found);
        *tally.without_evidence.entry(fate).or_default() += 1;
        if fate == Fate::Clean {
            let lost = label.needs.iter().filter(|need| !need.met);
            let lost: Vec<&str> = lost.map(|need| need.what).collect();
            tally.notes.push(format!(
                "clean   WTR{:03}  {}  [{}]  without {}  ({run})",
                label.kind,
                label.scene,
                name(label),
                lost.join(", "),
            ));
        }
    }
}

/// What a label is about, as it can be looked for in the history.
fn name(label: &Label) -> String {
    let of = &label.subject;
    match (&of.machine, &of.redemption) {
        (Some(machine), _) => format!("machine {machine}"),
        (None, Some(redemption)) => format!("redemption:{redemption}"),
        (None, None) => format!("agreement:{}", of.license_id),
    }
}

fn elsewhere_in(report: &Value, label: &Label) -> Fate {
    let of = &label.subject;
    let agreement = format!("agreement:{}", of.license_id);
    let redemption = of.redemption.as_ref().map(|id| format!("redemption:{id}"));
    let names = |one: &Value, field: &str| {
        let text = one[field].as_str();
        text == Some(&of.license_id)
            || text == Some(&agreement)
            || text.is_some() && text == redemption.as_deref()
    };
    let listed = |list: &str, field: &str| {
        let list = report[list].as_array();
        list.into_iter().flatten().any(|one| names(one, field))
    };
    if listed("not_judged", "landing") {
        Fate::NotJudged
    } else if listed("unexplained", "subject") {
        Fate::Unexplained
    } else if listed("clean", "subject") {
        Fate::Clean
    } else {
        Fate::NotMentioned
    }
}

fn of_finding(
    tally: &mut Tally,
    finding: &Finding<'_>,
    labels: &[Label],
    index: &Index,
    run: &str,
) {
    let about: Vec<&Label> = labels
        .iter()
        .filter(|label| finding.is_about(label, index))
        .collect();
    for kind in &finding.kinds {
        let marks = tally.rules.entry(*kind).or_default();
        let may = |label: &&&Label| label.kind == *kind || label.also.contains(kind);
        let wrong = about.iter().filter(|label| label.role == Role::Mistake);
        let beside = about.iter().filter(|label| label.role != Role::Mistake);
        let allowed = |label: &&&Label| match label.role {
            Role::Mistake => false,
            Role::Beside => may(label),
            Role::LookAlike => label.also.contains(kind),
        };
        if wrong.clone().any(|label| may(&label)) {
            marks.right += 1;
            continue;
        }
        if beside.clone().any(|label| allowed(&label)) {
            continue;
        }
        let cause = match about.first() {
            None => {
                let order = order_of(finding);
                if matches!(kind, 3 | 19) && order.is_some_and(|o| index.forward_was_lost(o)) {
                    marks.unclear += 1;
                    continue;
                }
                marks.false_on_ordinary += 1;
                let session = finding
                    .subjects
                    .iter()
                    .find_map(|s| s.strip_prefix("session:"));
                match session.is_some_and(|session| !index.signed_in(session)) {
                    true => "an ordinary landing whose sign-in record is missing".to_owned(),
                    false => "an ordinary landing".to_owned(),
                }
            }
            Some(label) if label.role == Role::Mistake || label.role == Role::Beside => {
                marks.false_on_others += 1;
                format!("a landing of W{}: {}", label.kind, label.scene)
            }
            Some(label) if !label.is_decidable() => {
                marks.unclear += 1;
                continue;
            }
            Some(label) => {
                marks.false_on_look_alikes += 1;
                format!("a look-alike of W{}: {}", label.kind, label.scene)
            }
        };
        tally.notes.push(format!(
            "false   WTR{kind:03}  {cause}  [{}]  ({run})",
            finding.about
        ));
    }
}

fn order_of<'f>(finding: &Finding<'f>) -> Option<&'f str> {
    finding
        .subjects
        .iter()
        .find_map(|s| s.strip_prefix("order:"))
}
