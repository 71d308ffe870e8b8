use crate::checkpoints::store_key;
use crate::error::{Failure, Outcome};
use crate::format::Format;
use crate::output::note;
use crate::place::integrity_failure;
use crate::privacy::shown_path;
use crate::session::Session;
use serde_json::json;

/// Sign the present size and root of the log.
///
/// Prints the checkpoint as a signed note (C2SP tlog-checkpoint) and keeps it in the store's folder
/// `checkpoints`. Give it to others: with it, they notice if anything that is recorded now is ever
/// changed or taken away. Refused with exit code 3 if the log does not continue every checkpoint that
/// was signed before. Reads the whole log once.
#[derive(Debug, clap::Args)]
pub struct Checkpoint {
    /// Sign nothing, and print the key that checks this store's checkpoints.
    #[arg(long)]
    key: bool,
}

impl Checkpoint {
    /// Signs it.
    pub fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let store = session.place.open_log()?;
        if self.key {
            let key = match store_key(&session.place)? {
                Some(key) => key,
                None => session.place.open_signing_key(&store)?.verifier(),
            };
            let value = json!({ "schema": "actl.verifier-key/1", "key": key.to_string() });
            match session.format {
                Format::Table => session.out.text(&key.to_string())?,
                Format::Json => session.out.json(&value)?,
                Format::Jsonl => session.out.json_line(&value)?,
            }
            return Ok(Outcome::Clean);
        }
        let key = session.place.open_signing_key(&store)?;
        let folder = session.place.checkpoints();
        let signed = store
            .checkpoint(&folder, &key)
            .map_err(|error| integrity_failure("cannot sign a checkpoint", &error))?;
        let of = signed.checkpoint();
        let file = shown_path(&folder.path_of(of.size));
        let value = json!({
            "schema": "actl.checkpoint/1",
            "origin": of.origin.to_string(),
            "size": of.size.0,
            "root": of.root.to_string(),
            "file": file,
            "note": signed.to_string(),
        });
        match session.format {
            Format::Table => session.out.text(signed.to_string().trim_end())?,
            Format::Json => session.out.json(&value)?,
            Format::Jsonl => session.out.json_line(&value)?,
        }
        note(&format!("kept as {file}"));
        Ok(Outcome::Clean)
    }
}
