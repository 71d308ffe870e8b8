use crate::checkpoints::{kept, need_key, size_or_file, store_key};
use crate::error::{Failure, Outcome};
use crate::format::Format;
use crate::place::integrity_failure;
use crate::session::Session;
use crate::which::Which;
use ledger::proof::{ProofFile, SignedCheckpoint, VerifierKey};
use ledger::store::Store;
use serde_json::json;

/// Write a proof that others can check without the store.
///
/// The proof goes to standard output; `actl verify --proof FILE --key KEY` checks it anywhere. It holds
/// what is proved and the signed checkpoints, and no secret. Reads the log once, up to the size of the
/// checkpoint. Exit code 3 if the log is not the one that was signed.
#[derive(Debug, clap::Args)]
pub struct Prove {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// That an event is in the log of a checkpoint.
    Inclusion {
        /// The event's id (32 hexadecimal digits) or its position.
        #[arg(value_name = "EVENT|POSITION")]
        event: String,

        /// The checkpoint. [default: the last one that the store keeps]
        #[arg(long, value_name = "SIZE|FILE")]
        checkpoint: Option<String>,
    },
    /// That the log of a checkpoint is the beginning of that of a later one.
    Consistency {
        /// The earlier checkpoint: the size of one that the store keeps, or a file.
        #[arg(value_name = "SIZE|FILE")]
        from: String,

        /// The later one. [default: the last one that the store keeps]
        #[arg(value_name = "SIZE|FILE")]
        to: Option<String>,
    },
}

impl Prove {
    /// Writes it.
    pub fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let store = session.place.open_store()?;
        let key = store_key(&session.place)?;
        let key = need_key(key.as_ref())?;
        let proof = match &self.what {
            What::Inclusion { event, checkpoint } => {
                let what = "cannot prove that the event is in the log";
                let event = Which::parse(event, what)?.look_up(&store, what)?;
                let checkpoint = checkpoint_or_last(session, checkpoint.as_deref(), key)?;
                let proof = store.prove_inclusion(event.position, &checkpoint);
                proof.map_err(|error| integrity_failure(what, &error))?
            }
            What::Consistency { from, to } => {
                let from = size_or_file(from, &session.place.checkpoints(), key)?;
                let to = checkpoint_or_last(session, to.as_deref(), key)?;
                consistency(&store, &from, &to)?
            }
        };
        let text = proof.to_string();
        let value = json!({ "schema": "actl.proof/1", "proof": text });
        match session.format {
            Format::Table => session.out.text(text.trim_end())?,
            Format::Json => session.out.json(&value)?,
            Format::Jsonl => session.out.json_line(&value)?,
        }
        Ok(Outcome::Clean)
    }
}

fn consistency(
    store: &Store,
    from: &SignedCheckpoint,
    to: &SignedCheckpoint,
) -> Result<ProofFile, Failure> {
    let what = "cannot prove that the log only grew";
    let (first, last) = (from.checkpoint().size, to.checkpoint().size);
    if first > last {
        let why = format!("the first checkpoint is of {first} events, the second of {last}");
        return Err(Failure::new(what, why, "name the earlier one first"));
    }
    let proof = store.prove_consistency(from, to);
    proof.map_err(|error| integrity_failure(what, &error))
}

fn checkpoint_or_last(
    session: &Session,
    argument: Option<&str>,
    key: &VerifierKey,
) -> Result<SignedCheckpoint, Failure> {
    let folder = session.place.checkpoints();
    if let Some(argument) = argument {
        return size_or_file(argument, &folder, key);
    }
    kept(&folder, Some(key))?.pop().ok_or_else(|| {
        Failure::new(
            "cannot prove anything yet",
            "the store keeps no checkpoint",
            "`actl checkpoint` signs the present log",
        )
    })
}
