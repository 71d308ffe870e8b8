use super::select::SelectArgs;
use crate::audited::audited;
use crate::error::{Failure, Outcome};
use crate::format::audit::{self as report, Origins};
use crate::format::{Format, ReportForm, csv, html, sarif};
use crate::histories::{self, PointArgs};
use crate::reveal::{Labels, RevealArgs};
use crate::session::Session;
use ledger::store::Store;
use replay::audit::Report;
use replay::audit::select::Selection;

/// What a report shows, and of when.
#[derive(Debug, Clone, clap::Args)]
pub struct ReportArgs {
    #[command(flatten)]
    pub point: PointArgs,

    #[command(flatten)]
    pub select: SelectArgs,

    /// Show a line for everything that is clean, however much it is.
    #[arg(long)]
    pub all: bool,

    #[command(flatten)]
    pub reveal: RevealArgs,
}

impl ReportArgs {
    /// The report of the store, of what is kept.
    pub fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let selection = self.select.selection()?;
        let store = session.place.open_store()?;
        let point = self.point.point_of(&store, histories::now())?;
        let found = audited(&store, point)?;
        self.show(session, found, &selection, &Origins::new(), store, "audit")
    }

    /// Shows a report of a store, which is closed before.
    pub fn show(
        &self,
        session: &mut Session,
        found: Report,
        selection: &Selection,
        origins: &Origins,
        store: Store,
        command: &'static str,
    ) -> Result<Outcome, Failure> {
        let found = found.selected(selection);
        let labels = match self.reveal.is_asked() {
            false => Labels::default(),
            true => {
                let text = report::json(&found, origins).to_string();
                let texts = std::iter::once(text);
                self.reveal.labels(&session.place, &store, command, texts)?
            }
        };
        session.place.close(store)?;
        self.print(session, &found, origins, &labels, &|text| text)
    }

    /// Prints a report. `dress` adds to its text form.
    pub fn print(
        &self,
        session: &mut Session,
        found: &Report,
        origins: &Origins,
        labels: &Labels,
        dress: &dyn Fn(String) -> String,
    ) -> Result<Outcome, Failure> {
        let outcome = match found.findings.is_empty() {
            true => Outcome::Clean,
            false => Outcome::Findings,
        };
        if let Some(form) = session.report {
            self.reveal
                .refuse("a report in this form leaves the house, and shows pseudonyms only")?;
            match form {
                ReportForm::Csv => session.out.text(&csv::text(found)?)?,
                ReportForm::Sarif => session.out.json(&sarif::json(found, origins))?,
                ReportForm::Html => session.out.text(&html::document(found, origins))?,
            }
            return Ok(outcome);
        }
        match session.format {
            Format::Table => {
                let is_latest = !origins.is_empty() && self.point.valid_at.is_none();
                let width = crate::output::width();
                let text = report::text(found, origins, is_latest, self.all, width);
                session.out.text(&dress(labels.text(&text)))?;
            }
            Format::Json => session
                .out
                .json(&labels.value(&report::json(found, origins)))?,
            Format::Jsonl => {
                for finding in &found.findings {
                    let finding = report::finding(finding, origins);
                    session.out.json_line(&labels.value(&finding))?;
                }
            }
        }
        Ok(outcome)
    }
}
