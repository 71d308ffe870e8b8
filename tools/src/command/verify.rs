use crate::checkpoints::{does_not_hold, given_checkpoint, given_key, kept, need_key};
use crate::checkpoints::{read_proof, store_key};
use crate::error::{Failure, Outcome};
use crate::format::{Format, table};
use crate::output::note;
use crate::place::integrity_failure;
use crate::progress::Progress;
use crate::session::Session;
use ledger::proof::{Checkpoint, ProofFile, VerifierKey};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Check the whole log, or a proof.
///
/// Reads every byte of the log again, hashes every event, and compares with every checkpoint that the
/// store keeps and with those that are given. Names the first position at which something is not what
/// it was. Exit code 3 if anything does not hold: a damaged or changed event, a log that is shorter
/// than a checkpoint says, one that leads to another root, a checkpoint that is not signed with the key.
///
/// Whoever can write to the store can replace the key and the checkpoints in it as well. To notice
/// that, keep them elsewhere and give them with --key and --checkpoint. Events after the last
/// checkpoint are covered by hashes only, not by a signature. The index is derived and is not read.
///
/// With --proof, checks a proof file and needs no store. Without --key only its arithmetic is checked,
/// which proves nothing about who made it: this is said, and the exit code is 2.
#[derive(Debug, clap::Args)]
pub struct Verify {
    /// A checkpoint that is known from elsewhere. Can be given several times.
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,

    /// The verifier key that is known from elsewhere: the key itself, or a file that holds it.
    /// [default: the one that the store keeps; for a proof, none]
    #[arg(long, value_name = "KEY|FILE")]
    key: Option<String>,

    /// A proof file, or `-` for standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "checkpoint")]
    proof: Option<PathBuf>,
}

impl Verify {
    /// Checks it.
    pub fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let key = self.key.as_deref().map(given_key).transpose()?;
        match &self.proof {
            Some(path) => verify_proof(session, path, key.as_ref()),
            None => verify_store(session, &self.checkpoint, key),
        }
    }
}

fn verify_store(
    session: &mut Session,
    given: &[PathBuf],
    key: Option<VerifierKey>,
) -> Result<Outcome, Failure> {
    let store = session.place.open_log()?;
    let key_is_given = key.is_some();
    let key = match key {
        Some(key) => Some(key),
        None => store_key(&session.place)?,
    };
    let folder = session.place.checkpoints();
    let mut checkpoints: Vec<Checkpoint> = Vec::new();
    for path in given {
        let key = need_key(key.as_ref())?;
        checkpoints.push(given_checkpoint(path, key)?.checkpoint().clone());
    }
    for signed in kept(&folder, key.as_ref())? {
        checkpoints.push(signed.checkpoint().clone());
    }
    let mut progress = Progress::of_events("verifying", store.end().0);
    let verified = store
        .verify(&checkpoints, |position| progress.to_event(position.0))
        .map_err(|error| integrity_failure("the log does not hold", &error))?;
    drop(progress);
    let signed = checkpoints.iter().map(|checkpoint| checkpoint.size).max();
    let signed = signed.unwrap_or_default();
    if verified.size > signed {
        note(&format!(
            "the events after position {signed} are under no checkpoint: `actl checkpoint` signs them"
        ));
    }
    if !key_is_given && !checkpoints.is_empty() {
        note(
            "the key is the one that the store keeps: give --key to notice if the store was replaced",
        );
    }
    let value = json!({
        "schema": "actl.verify/1",
        "holds": true,
        "origin": store.origin().to_string(),
        "events": verified.size.0,
        "lost": verified.lost,
        "root": verified.root.to_string(),
        "checkpoints": verified.checkpoints,
        "signed": signed.0,
        "key_given": key_is_given,
    });
    match session.format {
        Format::Table => session.out.text(&table::pairs(&[
            ("the log holds", String::new()),
            ("events", verified.size.to_string()),
            ("lost", verified.lost.to_string()),
            ("root", verified.root.to_string()),
            ("checkpoints", verified.checkpoints.to_string()),
            ("signed up to", signed.to_string()),
        ]))?,
        Format::Json => session.out.json(&value)?,
        Format::Jsonl => session.out.json_line(&value)?,
    }
    Ok(Outcome::Clean)
}

fn verify_proof(
    session: &mut Session,
    path: &Path,
    key: Option<&VerifierKey>,
) -> Result<Outcome, Failure> {
    let text = read_proof(path)?;
    let hint = "ask for the proof again, and for the verifier key on another way";
    let refused = |error| does_not_hold("the proof does not hold", &error, hint);
    let proof = ProofFile::parse(&text).map_err(refused)?;
    match key {
        Some(key) => proof.verify(key).map_err(refused)?,
        None => proof.check_arithmetic().map_err(refused)?,
    }
    let signed = match key {
        Some(key) => format!("{} with the key {}", key.name(), key.id()),
        None => "NOT CHECKED: without --key only the arithmetic is checked".to_owned(),
    };
    let mut rows = said(&proof);
    rows.push(("signed by", signed));
    let members = rows
        .iter()
        .map(|(name, value)| (name.replace(' ', "_"), json!(value)));
    let mut value = json!({
        "schema": "actl.verify-proof/1",
        "holds": key.is_some(),
        "arithmetic_holds": true,
    });
    if let Some(object) = value.as_object_mut() {
        object.extend(members);
    }
    match session.format {
        Format::Table => session.out.text(&table::pairs(&rows))?,
        Format::Json => session.out.json(&value)?,
        Format::Jsonl => session.out.json_line(&value)?,
    }
    Ok(match key {
        Some(_) => Outcome::Clean,
        None => Outcome::Incomplete,
    })
}

/// What a proof proves, for people.
fn said(proof: &ProofFile) -> Vec<(&'static str, String)> {
    match proof {
        ProofFile::Inclusion {
            position,
            checkpoint,
            ..
        } => {
            let of = checkpoint.checkpoint();
            let mut rows = vec![
                ("proves", "the event is in the log".to_owned()),
                ("position", position.to_string()),
            ];
            match proof.event() {
                Some(Ok(event)) => rows.extend([
                    ("event", event.id.to_string()),
                    ("kind", event.kind().name.to_owned()),
                    ("happened", event.occurred_at.to_string()),
                    ("recorded", event.recorded_at.to_string()),
                ]),
                _ => rows.push(("event", "this version of actl cannot read it".to_owned())),
            }
            rows.extend([
                ("log", of.origin.to_string()),
                ("of size", of.size.to_string()),
                ("root", of.root.to_string()),
            ]);
            rows
        }
        ProofFile::Consistency { from, to, .. } => {
            let (from, to) = (from.checkpoint(), to.checkpoint());
            vec![
                (
                    "proves",
                    "the earlier log is the beginning of the later one".to_owned(),
                ),
                ("log", to.origin.to_string()),
                ("from size", from.size.to_string()),
                ("from root", from.root.to_string()),
                ("to size", to.size.to_string()),
                ("to root", to.root.to_string()),
            ]
        }
    }
}
