use crate::error::{Failure, Outcome};
use crate::format::{Format, table};
use crate::incarnate;
use crate::place::{Open, Prepared};
use crate::privacy::shown_path;
use crate::session::Session;
use clap::builder::PossibleValuesParser;
use ledger::log::Engine;
use ledger::store::DEFAULT_ENGINE;
use serde_json::json;

/// Make a store, its vault and its signing key.
///
/// The vault holds the secrets that keys and persons are protected with, the signing key signs
/// checkpoints. Both are files beside the store, readable by their owner only; keep copies of them
/// apart from the store. Prints the verifier key: give it to whoever is to check checkpoints and
/// proofs, on a way that does not lead through the store.
#[derive(Debug, clap::Args)]
pub struct Init {
    /// How the store keeps its log.
    #[arg(long, default_value = DEFAULT_ENGINE, value_parser = PossibleValuesParser::new(incarnate::engines()))]
    engine: String,
}

impl Init {
    /// Makes it.
    pub fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let place = session.place.clone();
        let vault = match place.prepare()? {
            Prepared::New(vault) => vault,
            Prepared::Open(_) => {
                return Err(Failure::new(
                    format!("cannot make the store {}", shown_path(place.store())),
                    "it is there already; nothing was changed",
                    "give another --store, or work with the one that is there",
                ));
            }
        };
        let engine = Engine::named(&self.engine).map_or(DEFAULT_ENGINE, |engine| engine.name);
        let Open { store, .. } = place.make_new(*vault, engine)?;
        let key = place.open_signing_key(&store)?.verifier().to_string();
        let origin = store.origin().to_string();
        place.close(store)?;
        let path = |path| shown_path(path);
        let signing_key = place.signing_key();
        let value = json!({
            "schema": "actl.init/1",
            "store": path(place.store()),
            "vault": path(place.vault()),
            "signing_key": path(&signing_key),
            "engine": engine,
            "origin": origin,
            "verifier_key": key,
        });
        match session.format {
            Format::Table => session.out.text(&table::pairs(&[
                ("engine", engine.to_owned()),
                ("origin", origin),
                ("verifier key", key),
            ]))?,
            Format::Json => session.out.json(&value)?,
            Format::Jsonl => session.out.json_line(&value)?,
        }
        Ok(Outcome::Clean)
    }
}
