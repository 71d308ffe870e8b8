use crate::clock::SystemClock;
use crate::error::{Class, Failure, Outcome};
use crate::format::{Format, doctor, table};
use crate::incarnate;
use crate::place::{Place, events, positions, store_failure};
use crate::privacy::shown_path;
use crate::progress::Progress;
use crate::session::Session;
use clap::builder::PossibleValuesParser;
use ledger::secret::Keyring;
use ledger::store::{Examination, Identity, Store, StoreError, examine, salvage};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Find out what is wrong with the store, and what to do.
///
/// Reads every frame and every event of the log and changes nothing. Ends with 0 if nothing is damaged
/// that cannot be derived, else with 3. The store must not be in use.
#[derive(Debug, clap::Args)]
pub struct Doctor {
    /// Remove the index and build it again, and write the tiles that are wrong or missing.
    #[arg(long, conflicts_with = "salvage")]
    rebuild_index: bool,

    /// Make a store in this folder, where nothing may be, of all that can still be read. It is the next
    /// incarnation: events have the same positions, the vault stays valid, and its log says what is lost.
    /// Ends with 1 if events are lost.
    #[arg(long, value_name = "FOLDER")]
    salvage: Option<PathBuf>,

    /// How the salvaged store keeps its log. [default: as before]
    #[arg(long, requires = "salvage", value_parser = PossibleValuesParser::new(incarnate::engines()))]
    engine: Option<String>,

    /// What the log of the salvaged store is to say about it, in clear.
    #[arg(long, value_name = "TEXT", requires = "salvage")]
    note: Option<String>,
}

impl Doctor {
    /// Examines, rebuilds or salvages it.
    pub fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let place = session.place.clone();
        match &self.salvage {
            Some(to) => self.salvage(session, &place, to),
            None if self.rebuild_index => rebuild(session, &place),
            None => diagnose(session, &place),
        }
    }

    fn salvage(&self, session: &mut Session, place: &Place, to: &Path) -> Result<Outcome, Failure> {
        // Only a store without its manifest needs it, and that one says so.
        let identity = place.read_vault().ok().map(|vault| Identity {
            store_id: vault.store_id(),
            pepper: vault.pepper().id(),
        });
        let new = incarnate::new(self.engine.as_deref(), self.note.as_deref(), identity)?;
        let mut progress = Progress::of_events("reading", 0);
        let mut watch = |done, of| progress.over(done, of);
        // What the store's own tiles know is used in any case.
        let salvaged = salvage(place.store(), to, &new, &|_| None, &mut watch);
        let salvaged = salvaged.map_err(|error| {
            let what = format!(
                "cannot salvage the store {} to {}",
                shown_path(place.store()),
                shown_path(to)
            );
            let failure = store_failure(what, &error);
            match error {
                StoreError::Exists { .. } => failure.class(Class::Refused),
                _ => failure,
            }
        })?;
        drop(progress);
        let made = &salvaged.incarnation;
        incarnate::report(session, to, "actl.salvage/1", made, &salvaged.damage)?;
        match made.lost.is_empty() {
            true => Ok(Outcome::Clean),
            false => Ok(Outcome::Findings),
        }
    }
}

fn rebuild(session: &mut Session, place: &Place) -> Result<Outcome, Failure> {
    let what = || format!("cannot build the index of {}", shown_path(place.store()));
    place.check_private()?;
    let store = Store::rebuild(place.store(), Box::new(SystemClock));
    let store = store.map_err(|error| store_failure(what(), &error))?;
    let mut progress = Progress::of_events("building the index", 0);
    let ready = store.wait_for_index(&mut |done, of| progress.over(done, of));
    ready.map_err(|error| store_failure(what(), &error))?;
    drop(progress);
    let end = store.end();
    let mut progress = Progress::of_events("writing tiles", end.0);
    let written = store.write_tiles(|position| progress.to_event(position.0));
    let what = || format!("cannot write the tiles of {}", shown_path(place.store()));
    written.map_err(|error| store_failure(what(), &error))?;
    drop(progress);
    place.close(store)?;
    let value = json!({ "schema": "actl.rebuild/1", "position": end.0 });
    match session.format {
        Format::Table => session.out.text(&table::pairs(&[(
            "index built up to position",
            end.to_string(),
        )]))?,
        Format::Json => session.out.json(&value)?,
        Format::Jsonl => session.out.json_line(&value)?,
    }
    Ok(Outcome::Clean)
}

fn diagnose(session: &mut Session, place: &Place) -> Result<Outcome, Failure> {
    let mut progress = Progress::of_events("reading", 0);
    let mut watch = |done, of| progress.over(done, of);
    let found = examine(place.store(), &mut watch).map_err(|error| {
        let what = format!("cannot examine the store {}", shown_path(place.store()));
        let failure = store_failure(what, &error);
        match error {
            StoreError::DamagedManifest { .. } => Failure {
                hint: "put the manifest back from a copy of the store, or make a new store of what can be read with `actl doctor --salvage FOLDER`".to_owned(),
                ..failure
            },
            _ => failure,
        }
    })?;
    drop(progress);
    let value = doctor::json(&found);
    match session.format {
        Format::Table => session.out.text(&doctor::page(&found))?,
        Format::Json => session.out.json(&value)?,
        Format::Jsonl => session.out.json_line(&value)?,
    }
    match found.is_damaged() {
        false => Ok(Outcome::Clean),
        true => Err(Failure::new(
            format!("the store {} is damaged", shown_path(place.store())),
            why(&found),
            "copy the store before doing anything else; then `actl restore` a backup, or `actl doctor --salvage FOLDER`",
        )
        .class(Class::IntegrityBroken)),
    }
}

fn why(found: &Examination) -> String {
    if !found.missing.is_empty() {
        let (missing, at) = (events(&found.missing), positions(&found.missing));
        return format!("{missing} cannot be read: {at}");
    }
    if let Some(position) = found.unreadable.first() {
        return format!("the event at position {position} cannot be understood");
    }
    match &found.bad_checkpoints {
        Some(error) => error.clone(),
        None => {
            "no event is lost, but the log holds bytes that are not what was written".to_owned()
        }
    }
}
