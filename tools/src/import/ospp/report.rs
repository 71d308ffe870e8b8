//! The products of a report, read by their labels: in any order, in either case, with values that
//! may go on in the next line, and with any other text around them.

use crate::import::Refusal;
use ledger::event::word::LicenseState;
use std::collections::BTreeMap;

const SEPARATOR_LENGTH_MIN: usize = 10;
const LABEL_LENGTH_MAX: usize = 60;
const RUN_AGAIN: &str =
    "run `cscript ospp.vbs /dstatus` on the machine again and keep all of its output";

/// What a line of a product says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Label {
    /// The licence's SKU id.
    SkuId,
    /// The licence's name.
    Name,
    /// The licence's description.
    Description,
    /// When it expires, local time of an unknown zone.
    Expiration,
    /// The licence state.
    Status,
    /// The error code.
    ErrorCode,
    /// The error in words.
    ErrorDescription,
    /// The grace that remains.
    RemainingGrace,
    /// The last five characters of the installed key.
    LastFive,
    /// A label that the ledger has no field for.
    Other,
}

const LABELS: &[(&str, Label)] = &[
    ("SKU ID", Label::SkuId),
    ("LICENSE NAME", Label::Name),
    ("LICENSE DESCRIPTION", Label::Description),
    ("EXPIRATION", Label::Expiration),
    ("LICENSE STATUS", Label::Status),
    ("ERROR CODE", Label::ErrorCode),
    ("ERROR DESCRIPTION", Label::ErrorDescription),
    ("REMAINING GRACE", Label::RemainingGrace),
    (
        "LAST 5 CHARACTERS OF INSTALLED PRODUCT KEY",
        Label::LastFive,
    ),
];

/// The eight states that the tool prints between dashes (E13); a blank stands for an underscore too.
const STATES: &[(&str, LicenseState)] = &[
    ("LICENSED", LicenseState::Licensed),
    ("OOB_GRACE", LicenseState::OobGrace),
    ("OOT_GRACE", LicenseState::OotGrace),
    ("NON_GENUINE_GRACE", LicenseState::NonGenuineGrace),
    ("NOTIFICATIONS", LicenseState::Notifications),
    ("EXTENDED_GRACE", LicenseState::ExtendedGrace),
    ("UNLICENSED", LicenseState::Unlicensed),
    ("UNKNOWN", LicenseState::Unknown),
];

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The line of its label; the first is 1.
    pub line: u64,
    /// The byte of the decoded line at which it begins; the first is 1.
    pub column: u64,
    /// The value, its lines joined by a blank.
    pub value: String,
}

/// One product of a report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Product {
    /// The line of its first label.
    pub line: u64,
    found: BTreeMap<Label, Found>,
}

impl Product {
    /// The value of a label.
    pub fn get(&self, label: Label) -> Option<&Found> {
        self.found
            .get(&label)
            .filter(|found| !found.value.is_empty())
    }

    /// Everything that is read of it, for a digest.
    pub fn content(&self) -> String {
        let lines = self
            .found
            .iter()
            .map(|(label, found)| format!("{label:?}={}\n", found.value));
        lines.collect()
    }

    /// The licence state.
    pub fn state(&self) -> Result<LicenseState, Refusal> {
        let Some(status) = self.get(Label::Status) else {
            let reason = "the product has no LICENSE STATUS";
            return Err(Refusal::at(self.line, 1, reason, RUN_AGAIN));
        };
        let word = status
            .value
            .trim_matches(|c: char| c == '-' || c.is_whitespace());
        let word = word.replace(' ', "_").to_ascii_uppercase();
        let state = STATES.iter().find(|(name, _)| *name == word);
        state.map(|(_, state)| *state).ok_or_else(|| {
            let names: Vec<&str> = STATES.iter().map(|(name, _)| *name).collect();
            let hint = format!("the states are: {}", names.join(", "));
            let reason = "the LICENSE STATUS is no state that is known";
            Refusal::at(status.line, status.column, reason, hint)
        })
    }

    /// The minutes of grace that remain. The days that are printed beside them are rounded, so they
    /// count only where no minutes are printed.
    pub fn remaining_minutes(&self) -> Result<Option<u32>, Refusal> {
        let Some(grace) = self.get(Label::RemainingGrace) else {
            return Ok(None);
        };
        let minutes = number_before(&grace.value, "minute");
        let days = || number_before(&grace.value, "day")?.checked_mul(24 * 60);
        match minutes.or_else(days) {
            Some(minutes) => Ok(Some(minutes)),
            None => {
                let reason = "the REMAINING GRACE holds no number of minutes or days";
                Err(Refusal::at(grace.line, grace.column, reason, RUN_AGAIN))
            }
        }
    }
}

fn number_before(text: &str, unit: &str) -> Option<u32> {
    let lower = text.to_ascii_lowercase();
    let before = lower.get(..lower.find(unit)?)?.trim_end();
    let start = before
        .rfind(|c: char| !c.is_ascii_digit())
        .map_or(0, |at| at + 1);
    before.get(start..)?.parse().ok()
}

/// Reads all reports of a text. Refused: a text without a report, a report without its end or its
/// beginning, and reports without any product.
pub fn read(text: &str) -> Result<Vec<Product>, Refusal> {
    let mut products = Vec::new();
    let mut open: Option<u64> = None;
    let mut reports = 0_u64;
    let mut product = Product::default();
    let mut last = None;
    for (line, number) in text.lines().zip(1_u64..) {
        let trimmed = line.trim();
        let begins = is_mark(trimmed, "processing");
        let ends = is_mark(trimmed, "exiting");
        if begins || ends || is_separator(trimmed) {
            keep(&mut products, &mut product);
            last = None;
        }
        match open {
            Some(start) if begins => return Err(cut_off(start)),
            None if begins => {
                open = Some(number);
                reports += 1;
            }
            None if ends => {
                let reason = "the beginning of the report is missing: no ---Processing--- before ---Exiting---";
                return Err(Refusal::at(number, 1, reason, RUN_AGAIN));
            }
            Some(_) if ends => open = None,
            Some(_) if !is_separator(trimmed) => {
                read_line(line, number, &mut products, &mut product, &mut last);
            }
            _ => {}
        }
    }
    match (open, reports, products.is_empty()) {
        (Some(start), _, _) => Err(cut_off(start)),
        (None, 0, _) => {
            let reason = "the file holds no report of ospp.vbs: there is no ---Processing--- line";
            Err(Refusal::whole(reason, RUN_AGAIN))
        }
        (None, _, true) => {
            let reason = "the report shows no product: no key is installed on the machine";
            let hint = "there is nothing to record; leave the file out, or use --keep-going";
            Err(Refusal::whole(reason, hint))
        }
        (None, _, false) => Ok(products),
    }
}

fn cut_off(start: u64) -> Refusal {
    let reason = "the report is cut off: there is no ---Exiting--- after this ---Processing---";
    Refusal::at(start, 1, reason, RUN_AGAIN)
}

fn is_mark(line: &str, word: &str) -> bool {
    line.starts_with("---") && line.trim_matches('-').trim().eq_ignore_ascii_case(word)
}

fn is_separator(line: &str) -> bool {
    line.len() >= SEPARATOR_LENGTH_MIN && line.bytes().all(|byte| byte == b'-')
}

fn keep(products: &mut Vec<Product>, product: &mut Product) {
    let done = std::mem::take(product);
    let names_licence = [Label::SkuId, Label::Name, Label::Status, Label::LastFive];
    if names_licence
        .iter()
        .any(|label| done.found.contains_key(label))
    {
        products.push(done);
    }
}

/// Reads a line inside a report: a label and its value, the rest of the value before, or other text.
/// A label that the product has already begins the next product.
fn read_line(
    line: &str,
    number: u64,
    products: &mut Vec<Product>,
    product: &mut Product,
    last: &mut Option<Label>,
) {
    if let Some((label, start, value)) = labelled(line) {
        *last = Some(label);
        if label == Label::Other {
            return;
        }
        if product.found.contains_key(&label) {
            keep(products, product);
        }
        if product.found.is_empty() {
            product.line = number;
        }
        let column = start as u64 + 1;
        let value = value.to_owned();
        product.found.insert(
            label,
            Found {
                line: number,
                column,
                value,
            },
        );
        return;
    }
    let rest = line.trim();
    let found = last.and_then(|label| product.found.get_mut(&label).map(|found| (label, found)));
    if let (false, Some((label, found))) = (rest.is_empty(), found) {
        if found.value.is_empty() {
            found.value = rest.to_owned();
        } else if may_go_on(label) {
            found.value = format!("{} {rest}", found.value);
        }
    }
}

/// Whether a value may be several lines long; the others are one word or one time.
fn may_go_on(label: Label) -> bool {
    matches!(
        label,
        Label::Name | Label::Description | Label::ErrorDescription | Label::RemainingGrace
    )
}

/// Splits `LABEL: value`; the number is the byte at which the value begins.
fn labelled(line: &str) -> Option<(Label, usize, &str)> {
    let colon = line.find(':')?;
    let name = line
        .get(..colon)?
        .trim_start_matches(['>', ' ', '\t'])
        .trim_end();
    let rest = line.get(colon + 1..)?;
    let value = rest.trim();
    let start = colon + 1 + (rest.len() - rest.trim_start().len());
    let known = LABELS
        .iter()
        .find(|(label, _)| label.eq_ignore_ascii_case(name));
    if let Some((_, label)) = known {
        return Some((*label, start, value));
    }
    let plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '_' | '/' | '(' | ')');
    let is_label = !name.is_empty() && name.len() <= LABEL_LENGTH_MAX && name.chars().all(plain);
    is_label.then_some((Label::Other, start, value))
}
