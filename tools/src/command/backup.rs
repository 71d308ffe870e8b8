use crate::clock::SystemClock;
use crate::error::{Failure, Outcome};
use crate::format::{Format, table};
use crate::output::note;
use crate::place::store_failure;
use crate::privacy::shown_path;
use crate::progress::Progress;
use crate::session::Session;
use ledger::store::back_up;
use serde_json::json;
use std::path::PathBuf;

/// Back up the store into a folder.
///
/// The folder is made if nothing is there; else what is new is added to it, and what is in it already is
/// never written over. A store of the journal engine is backed up while others work with it, up to what
/// was durable a second ago; one of the sled engine must not be in use. The vault and the signing key are
/// not part of a backup: keep copies of them elsewhere.
#[derive(Debug, clap::Args)]
pub struct Backup {
    /// The folder of the backup.
    #[arg(value_name = "FOLDER")]
    to: PathBuf,
}

impl Backup {
    /// Backs it up.
    pub fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let place = &session.place;
        place.check_private()?;
        let mut progress = Progress::of_events("copying", 0);
        let clock = Box::new(SystemClock);
        let mut watch = |done, of| progress.over(done, of);
        let done = back_up(place.store(), &self.to, clock, &mut watch).map_err(|error| {
            let what = format!(
                "cannot back up the store {} to {}",
                shown_path(place.store()),
                shown_path(&self.to)
            );
            store_failure(what, &error)
        })?;
        drop(progress);
        note(&format!(
            "the vault {} and the signing key {} are not in the backup: keep copies of them elsewhere",
            shown_path(place.vault()),
            shown_path(&place.signing_key())
        ));
        let value = json!({
            "schema": "actl.backup/1",
            "backup": shown_path(&self.to),
            "reached_before": done.before.0,
            "reached": done.end.0,
            "copied_bytes": done.copied_bytes,
        });
        match session.format {
            Format::Table => session.out.text(&table::pairs(&[
                ("events before", done.before.to_string()),
                ("events now", done.end.to_string()),
                ("copied bytes", done.copied_bytes.to_string()),
            ]))?,
            Format::Json => session.out.json(&value)?,
            Format::Jsonl => session.out.json_line(&value)?,
        }
        Ok(Outcome::Clean)
    }
}
