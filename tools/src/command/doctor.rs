use crate::clock::SystemClock;
use crate::error::{Class, Failure, Outcome};
use crate::format::{Format, doctor, table};
use crate::ground::views_failure;
use crate::incarnate;
use crate::place::{Place, events, positions, store_failure};
use crate::privacy::shown_path;
use crate::progress::Progress;
use crate::session::Session;
use clap::builder::PossibleValuesParser;
use ledger::secret::Keyring;
use ledger::store::{Examination, Identity, Store, StoreError, examine, salvage};
use projections::stored::{Rebuilding, Views, state_of};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Find out what is wrong with the store, and what to do.
///
/// Reads every frame and every event of the log and changes nothing. Ends with 0 if nothing is damaged
/// that cannot be derived, else with 3. The store must not be in use.
#[derive(Debug, clap::Args)]
pub struct Doctor {
    /// Remove the index and build it again, and write the tiles that are wrong or missing.
    #[arg(long, conflicts_with = "salvage")]
    rebuild_index: bool,

    /// Make the stored views again beside those in use, and let them take their place if every view is
    /// the same; else nothing is changed, and it ends with 3.
    #[arg(long, conflicts_with_all = ["salvage", "rebuild_index"])]
    rebuild_views: bool,

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
            None if self.rebuild_views => rebuild_views(session, &place),
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

fn rebuild_views(session: &mut Session, place: &Place) -> Result<Outcome, Failure> {
    let store = place.open_store()?;
    let views = Views::open(&store).map_err(|error| views_failure(&error))?;
    let progress = Mutex::new(Progress::of_events("taking in", store.end().0));
    let rebuilt = views.rebuild(&|done, of| {
        let mut progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
        progress.over(done, of);
    });
    let rebuilt = rebuilt.map_err(|error| views_failure(&error))?;
    drop(progress);
    views.close().map_err(|error| views_failure(&error))?;
    drop(views);
    place.close(store)?;
    let (at, state) = match rebuilt {
        Rebuilding::Swapped { at, state } => (at, state),
        Rebuilding::Differs {
            at,
            in_use,
            made_again,
            first,
        } => {
            let first = first.unwrap_or_else(|| "none that can be named".to_owned());
            return Err(Failure::new(
                "the stored views were not replaced",
                format!(
                    "at position {at} those in use have the state {in_use}, those made again {made_again}; \
                     the first subject that differs is {first}"
                ),
                "one of the two is wrong: report it, with the history of that subject; removing the \
                 folder `views` of the store makes them of the log alone",
            )
            .class(Class::IntegrityBroken));
        }
    };
    let value = json!({
        "schema": "actl.rebuild-views/1",
        "position": at.0,
        "state": state.as_ref().ok(),
        "before_unreadable": state.as_ref().err(),
    });
    let compared = match &state {
        Ok(state) => format!("the same views before and after, {state}"),
        Err(reason) => format!("those before could not be read: {reason}"),
    };
    match session.format {
        Format::Table => session.out.text(&table::pairs(&[
            ("views made up to position", at.to_string()),
            ("state", compared),
        ]))?,
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
    let views = state_of(place.store());
    let value = doctor::json(&found, &views);
    match session.format {
        Format::Table => session.out.text(&doctor::page(&found, &views))?,
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
