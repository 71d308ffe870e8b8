use crate::clock::SystemClock;
use crate::error::{Failure, Outcome};
use crate::format::{Format, table};
use crate::import::passes::{BATCH_EVENTS, Job, LeftOut, Survey, deliver, survey};
use crate::import::source::Source;
use crate::import::translate::Translator;
use crate::import::{Given, Importer, named, source};
use crate::output::note;
use crate::place::{Open, append_failure};
use crate::progress::Progress;
use crate::session::Session;
use crate::vault::Vault;
use crate::vault::master_key::{self, KeySource};
use ledger::event::json::read_fact;
use ledger::id::Position;
use ledger::secret::Keyring;
use ledger::store::Known;
use ledger::time::{Clock, Occurred};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;

/// How many files one event records: keeps it far below the largest event.
const FILES_RECORDED_MAX: usize = 2048;

/// Take event files, or other sources, into the ledger.
///
/// Every source is read twice: first all of it is checked, then it is appended. A record that cannot
/// be read stops the import before anything is appended. Importing the same again changes nothing.
/// Makes the store and its vault if there are none.
///
/// Importers: `jsonl`, the ledger's own form, one event a line (`actl schema events`); `ospp`, the
/// output of `cscript ospp.vbs /dstatus`, whose files are named MACHINE_USER_2024-03-11T0942Z.txt
/// unless --machine, --user and --observed-at say what the report does not.
#[derive(Debug, clap::Args)]
pub struct Import {
    /// Files, folders of files, or `-` for standard input.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// The importer.
    #[arg(long, value_name = "IMPORTER", default_value = "jsonl")]
    from: String,

    /// Leave out what cannot be read, list it, and exit with 2.
    #[arg(long)]
    keep_going: bool,

    /// ospp: the machine that the report is about.
    #[arg(long, value_name = "NAME")]
    machine: Option<String>,

    /// ospp: the address of the user who was signed in.
    #[arg(long, value_name = "ADDRESS")]
    user: Option<String>,

    /// ospp: when the report was made, for example 2024-03-11T09:42Z.
    #[arg(long, value_name = "TIME")]
    observed_at: Option<String>,

    /// jsonl: the vault of another ledger that the files are an export of. What is sealed in them is
    /// opened with it and protected anew. Activation keys have to be given again with --keys.
    #[arg(long, value_name = "PATH")]
    from_vault: Option<PathBuf>,

    /// The master key of --from-vault. Default: `.master-key` beside it.
    #[arg(long, value_name = "PATH", requires = "from_vault")]
    from_master_key: Option<PathBuf>,

    /// A file with the activation keys of the export, one a line.
    #[arg(long, value_name = "PATH", requires = "from_vault")]
    keys: Option<PathBuf>,
}

/// What an import has done.
#[derive(Default)]
struct Counts {
    appended: usize,
    known: usize,
}

impl Import {
    /// Imports them.
    pub fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let importer = named(&self.from)?;
        let given = self.given(importer)?;
        let sources = source::find(&self.paths, importer, &mut std::io::stdin().lock())?;
        if given.machine.is_some() && sources.len() > 1 {
            return Err(Failure::new(
                "cannot import several files for one machine",
                format!(
                    "--machine names one machine, and there are {} files",
                    sources.len()
                ),
                "import them one by one, or let the files' names say whose they are",
            ));
        }
        let job = Job {
            sources: &sources,
            importer,
            given: &given,
        };
        let total: u64 = sources.iter().map(|source| source.length_bytes).sum();
        let prepared = session.place.prepare()?;
        let pepper = prepared.vault().pepper();
        let mut progress = Progress::new("checking", total);
        let survey = survey(&job, pepper, self.keep_going, &mut progress)?;
        drop(progress);
        list_left_out(&survey);
        let mut open = session.place.make(prepared)?;
        open.vault.make_keys(survey.owners.iter().copied());
        open.vault.save()?;
        let mut progress = Progress::new("importing", total);
        let mut counts = Counts::default();
        let Open { store, vault } = &mut open;
        deliver(&job, &survey, vault, &mut progress, &mut |facts| {
            debug_assert!(facts.len() <= BATCH_EVENTS);
            let receipt = store
                .append(facts, &[], Known::Skip)
                .map_err(|error| append_failure("cannot import the next events", &error))?;
            counts.appended += receipt.appended;
            counts.known += receipt.known;
            Ok(())
        })?;
        drop(progress);
        if counts.appended > 0 {
            record_import(&mut open, &job, &survey, &counts)?;
        }
        session.place.apply_erasures(&open.store, &mut open.vault)?;
        let end = open.store.end();
        session.place.close(open.store)?;
        write(session, end, &job, &survey, &counts)?;
        match survey.refused {
            0 => Ok(Outcome::Clean),
            _ => Ok(Outcome::Incomplete),
        }
    }

    fn translator(&self) -> Result<Option<Arc<Translator>>, Failure> {
        let Some(path) = &self.from_vault else {
            return Ok(None);
        };
        let key = self.from_master_key.clone();
        let key = key.unwrap_or_else(|| master_key::path_beside(path));
        let vault = Vault::open(path, KeySource::File(key))?;
        let translator = Translator::new(vault, self.keys.as_deref())?;
        Ok(Some(Arc::new(translator)))
    }

    fn given(&self, importer: &dyn Importer) -> Result<Given, Failure> {
        let parse = |text: &String| {
            Occurred::parse(text.trim()).ok_or_else(|| {
                let hint = "write it as 2024-03-11T09:42:00Z, 2024-03-11T09:42Z or 2024-03-11";
                Failure::new("cannot read --observed-at", "it is no time", hint)
            })
        };
        let translator = self.translator()?;
        if translator.is_some() && importer.info().name != "jsonl" {
            let why = "only the ledger's own form is an export of another ledger";
            let what = format!("cannot import {} with these options", importer.info().name);
            return Err(Failure::new(what, why, "leave out --from-vault, or --from"));
        }
        let given = Given {
            translator,
            machine: self.machine.clone(),
            user: self.user.clone(),
            observed_at: self.observed_at.as_ref().map(parse).transpose()?,
        };
        if given.is_empty() || importer.info().takes_given {
            return Ok(given);
        }
        Err(Failure::new(
            format!("cannot import {} with these options", importer.info().name),
            "--machine, --user and --observed-at are for sources that do not say so themselves",
            "leave them out, or choose the importer with --from",
        ))
    }
}

fn list_left_out(survey: &Survey) {
    for LeftOut { shown, refusal } in &survey.left_out {
        let place = refusal.place();
        note(&format!(
            "left out: {shown}{place}: {} ({})",
            refusal.reason, refusal.hint
        ));
    }
    let listed = survey.left_out.len() as u64;
    if survey.refused > listed {
        note(&format!("left out: {} more", survey.refused - listed));
    }
}

/// Records which files were taken in: one event, or several if there are many files, the first of
/// which has the counts.
fn record_import(
    open: &mut Open,
    job: &Job<'_>,
    survey: &Survey,
    counts: &Counts,
) -> Result<(), Failure> {
    let names = job
        .sources
        .iter()
        .map(|source| name_to_keep(source, job.importer));
    let digests = survey
        .digests
        .iter()
        .map(|digest| digest.to_hex().to_string());
    let files = names
        .zip(digests)
        .map(|(name, digest)| json!({ "name": name, "digest": digest }));
    let files: Vec<Value> = files.collect();
    let read = survey.readable + survey.refused;
    let now = SystemClock.now().to_string();
    let mut facts = Vec::new();
    for (index, files) in files.chunks(FILES_RECORDED_MAX).enumerate() {
        let once = |count: u64| if index == 0 { count } else { 0 };
        let event = json!({
            "kind": "ImportRecorded",
            "occurred_at": now,
            "source": { "system": "actl" },
            "data": {
                "files": files,
                "read": once(read),
                "appended": once(counts.appended as u64),
                "known": once(counts.known as u64),
                "refused": once(survey.refused),
                "importer": job.importer.info().name,
            },
        });
        let fact = read_fact(&event, &mut open.vault).map_err(|error| {
            let why = format!("{} {}", error.path.join("."), error.reason);
            let hint = "the events are stored; only the record of their import is missing";
            Failure::new("cannot record the import", why, hint)
        })?;
        facts.push(fact);
    }
    open.vault.save()?;
    let appended = open.store.append(facts, &[], Known::Skip);
    appended.map_err(|error| append_failure("cannot record the import", &error))?;
    Ok(())
}

/// The name of a file as it is kept: not that of a source whose file names say whose it is.
fn name_to_keep<'s>(source: &'s Source, importer: &dyn Importer) -> Option<&'s str> {
    let name = source.path.as_deref()?.file_name()?.to_str()?;
    let keep = importer.names_are_clear() && !name.trim().is_empty();
    keep.then_some(name)
}

fn write(
    session: &mut Session,
    end: Position,
    job: &Job<'_>,
    survey: &Survey,
    counts: &Counts,
) -> Result<(), Failure> {
    let read = survey.readable + survey.refused;
    let left_out = survey.left_out.iter().map(|LeftOut { shown, refusal }| {
        json!({
            "file": shown,
            "line": refusal.line,
            "column": refusal.column,
            "reason": refusal.reason,
            "hint": refusal.hint,
        })
    });
    let value = json!({
        "schema": "actl.import/1",
        "importer": job.importer.info().name,
        "files": job.sources.len(),
        "read": read,
        "appended": counts.appended,
        "known": counts.known,
        "refused": survey.refused,
        "left_out": left_out.collect::<Vec<_>>(),
        "position": end.0,
    });
    match session.format {
        Format::Table => session.out.text(&table::pairs(&[
            ("files", job.sources.len().to_string()),
            ("read", read.to_string()),
            ("appended", counts.appended.to_string()),
            ("known already", counts.known.to_string()),
            ("left out", survey.refused.to_string()),
            ("last position", end.to_string()),
        ])),
        Format::Json => session.out.json(&value),
        Format::Jsonl => session.out.json_line(&value),
    }
}
