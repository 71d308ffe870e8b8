use crate::error::{Failure, Outcome};
use crate::format::{Format, table};
use crate::output::note;
use crate::privacy::shown_path;
use crate::secret_file;
use crate::session::Session;
use crate::vault::{Vault as Opened, file, pepper_beside};
use ledger::secret::Keyring;
use serde_json::{Value, json};
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

/// Look after the vault: the secrets that open what is sealed.
///
/// The vault holds the pepper, which pseudonyms are made with, and the keys of persons and machines. It
/// is encrypted under a master key, which comes from --master-key, from ACTL_MASTER_KEY, or from the
/// file `.master-key` beside the vault. Whoever has vault and master key can read what is sealed.
#[derive(Debug, clap::Args)]
pub struct Vault {
    #[command(subcommand)]
    command: VaultCommand,
}

#[derive(Debug, clap::Subcommand)]
enum VaultCommand {
    Init(Init),
    Rotate(Rotate),
    Backup(Backup),
    Status(Status),
}

/// Make a vault for a store that is made later, or again for one whose vault is lost.
///
/// `actl init`, `actl import` and `actl append` make one by themselves. This is for a vault or a master
/// key that is to be kept elsewhere from the first moment on. A lost vault is made again from the copy of
/// its pepper, the file `.pepper` beside it: what was sealed stays closed for ever, and events are
/// recognised, taken in and sealed as before.
#[derive(Debug, clap::Args)]
struct Init {}

/// Encrypt the vault under a new master key.
///
/// Neither the log nor the keys in the vault change. The new key takes the place of the old one, or goes
/// to the file that --to names, and then the old one is no use any more: destroy it. A copy of the vault
/// that was made before still needs the old master key.
#[derive(Debug, clap::Args)]
struct Rotate {
    /// Where the new master key goes; nothing may be there.
    #[arg(long, value_name = "PATH")]
    to: Option<PathBuf>,
}

/// Copy the vault to a file, encrypted as it is.
///
/// Without the master key the copy cannot be opened. Make a new one after an erasure and destroy the
/// older ones: they still hold the keys that were destroyed.
#[derive(Debug, clap::Args)]
struct Backup {
    /// The file to make; nothing may be there.
    #[arg(value_name = "PATH")]
    to: PathBuf,
}

/// Say whose vault it is, what opens it and what is in it.
#[derive(Debug, clap::Args)]
struct Status {}

impl Vault {
    /// Makes, rotates, copies or describes it.
    pub fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        match self.command {
            VaultCommand::Init(_) => init(session),
            VaultCommand::Rotate(rotate) => rotate.run(session),
            VaultCommand::Backup(backup) => backup.run(session),
            VaultCommand::Status(_) => {
                let vault = session.place.read_vault()?;
                status(session, &vault)
            }
        }
    }
}

fn init(session: &mut Session) -> Result<Outcome, Failure> {
    let place = session.place.clone();
    if fs::symlink_metadata(place.store()).is_ok() {
        return regain(session);
    }
    let mut vault = Opened::draft(place.vault(), place.master_key().clone())?;
    let is_new = vault.create()?;
    place.say_what_was_made(is_new);
    status(session, &vault)
}

/// Makes the vault of a store again that has lost it.
fn regain(session: &mut Session) -> Result<Outcome, Failure> {
    let place = session.place.clone();
    let refused = |why: &str, hint: &str| {
        let what = format!("cannot make the vault {}", shown_path(place.vault()));
        Err(Failure::new(what, why, hint))
    };
    if fs::symlink_metadata(place.vault()).is_ok() {
        let hint = "nothing has to be done; `actl vault status` says what is in it";
        return refused("the store has its vault", hint);
    }
    let pepper = pepper_beside(place.vault());
    if fs::symlink_metadata(&pepper).is_err() {
        let why = format!(
            "the store is there already, a new vault would not be its own, and there is no {} to make it from",
            shown_path(&pepper)
        );
        let hint = "put the vault or its pepper back from a copy, or give another --store";
        return refused(&why, hint);
    }
    let vault = place.regain_vault()?;
    note(&format!(
        "made the vault {} again from {}: names that were sealed before stay lost, and everything else goes on",
        shown_path(place.vault()),
        shown_path(&pepper)
    ));
    status(session, &vault)
}

impl Rotate {
    fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let place = session.place.clone();
        let mut vault = place.read_vault()?;
        // Whoever has the store open may save the vault, under the old key.
        let held = match fs::symlink_metadata(place.store()) {
            Ok(_) => Some(place.open_log()?),
            Err(_) => None,
        };
        let id = vault.rotate(self.to.as_deref())?;
        held.map_or(Ok(()), |store| place.close(store))?;
        if let Some(path) = &self.to {
            note(&format!(
                "the vault opens with {} now: say so with ACTL_MASTER_KEY_FILE, and destroy the old master key",
                shown_path(path)
            ));
        }
        note(
            "copies of the vault that were made before still need the old master key: make new ones",
        );
        let value = json!({ "schema": "actl.vault-rotate/1", "master_key": id });
        write(session, &value, &[("master key", id)])
    }
}

impl Backup {
    fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let place = session.place.clone();
        // Only what opens is worth keeping.
        let vault = place.read_vault()?;
        let what = format!("cannot copy the vault to {}", shown_path(&self.to));
        let failed = |error: std::io::Error| {
            let hint = match error.kind() {
                ErrorKind::AlreadyExists => "a file is there already: give another path",
                ErrorKind::NotFound => "make its directory first",
                _ => "check the space and the permissions of its directory",
            };
            Failure::new(what.clone(), error.to_string(), hint)
        };
        let bytes = fs::read(place.vault()).map_err(failed)?;
        secret_file::create(&self.to, &bytes).map_err(failed)?;
        note("the master key is not in the copy: keep a copy of it elsewhere");
        let value = json!({
            "schema": "actl.vault-backup/1",
            "backup": shown_path(&self.to),
            "sealing_keys": vault.key_count(),
        });
        let rows = [
            ("backup", shown_path(&self.to)),
            ("sealing keys", vault.key_count().to_string()),
        ];
        write(session, &value, &rows)
    }
}

fn status(session: &mut Session, vault: &Opened) -> Result<Outcome, Failure> {
    let place = session.place.clone();
    let label = file::read(place.vault())?.label;
    let source = place.master_key();
    let beside = source.is_beside(place.vault());
    let pepper = vault.pepper().id().to_string();
    let value = json!({
        "schema": "actl.vault/1",
        "vault": shown_path(place.vault()),
        "store_id": crate::hex::write(&vault.store_id()),
        "pepper": pepper,
        "master_key": label.master_key,
        "master_key_from": source.to_string(),
        "master_key_is_beside": beside,
        "sealing_keys": vault.key_count(),
        "destroyed_keys": vault.erased_count(),
    });
    let rows = [
        ("vault", shown_path(place.vault())),
        ("store id", crate::hex::write(&vault.store_id())),
        ("pepper", pepper),
        ("master key", label.master_key.clone()),
        ("master key from", source.to_string()),
        ("sealing keys", vault.key_count().to_string()),
        ("destroyed keys", vault.erased_count().to_string()),
    ];
    if beside {
        note(
            "the master key lies beside the vault: whoever has this folder can read what is sealed",
        );
    }
    write(session, &value, &rows)
}

fn write(
    session: &mut Session,
    value: &Value,
    rows: &[(&str, String)],
) -> Result<Outcome, Failure> {
    match session.format {
        Format::Table => session.out.text(&table::pairs(rows))?,
        Format::Json => session.out.json(value)?,
        Format::Jsonl => session.out.json_line(value)?,
    }
    Ok(Outcome::Clean)
}
