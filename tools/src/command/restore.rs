use crate::error::{Class, Failure, Outcome};
use crate::incarnate;
use crate::place::{Place, store_failure};
use crate::privacy::shown_path;
use crate::progress::Progress;
use crate::session::Session;
use clap::builder::PossibleValuesParser;
use ledger::store::{DEFAULT_ENGINE, StoreError, restore};
use std::path::PathBuf;

/// Make a store of a backup.
///
/// The store is made at the place that --store says, where nothing may be. It is the next incarnation of
/// the one that was backed up: it has its identity, its vault stays valid, and its log says that it was
/// restored. What was recorded after the backup is not in it.
#[derive(Debug, clap::Args)]
pub struct Restore {
    /// The folder of the backup.
    #[arg(value_name = "FOLDER")]
    from: PathBuf,

    /// How the store keeps its log.
    #[arg(long, default_value = DEFAULT_ENGINE, value_parser = PossibleValuesParser::new(incarnate::engines()))]
    engine: String,

    /// What the log is to say about it, in clear.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

impl Restore {
    /// Makes it.
    pub fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let place: Place = session.place.clone();
        let new = incarnate::new(Some(&self.engine), self.note.as_deref(), None)?;
        let mut progress = Progress::of_events("copying", 0);
        let mut watch = |done, of| progress.over(done, of);
        let made = restore(&self.from, place.store(), &new, &mut watch).map_err(|error| {
            let what = format!(
                "cannot make the store {} of the backup {}",
                shown_path(place.store()),
                shown_path(&self.from)
            );
            let class = match error {
                StoreError::Exists { .. } => Some(Class::Refused),
                _ => None,
            };
            let failure = store_failure(what, &error);
            class.into_iter().fold(failure, Failure::class)
        })?;
        drop(progress);
        incarnate::report(session, place.store(), "actl.restore/1", &made, &[])?;
        Ok(Outcome::Clean)
    }
}
