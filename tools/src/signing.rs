//! The signing key of a store: a file of its own beside the store, `STORE.signing-key`.
//!
//! Whoever has it can sign checkpoints in the store's name, so it is readable by its owner only. It is
//! in the text form of C2SP signed notes and never printed. The verifier key, which belongs to it and is
//! no secret, lies in the store.

use crate::error::{Class, Failure};
use crate::privacy::shown_path;
use crate::secret_file::{check_private, create};
use crate::vault::random;
use ledger::proof::{KeyName, Origin, SignerKey};
use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Where the signing key of a store is.
pub fn path_beside(store: &Path) -> PathBuf {
    let mut name = store
        .file_name()
        .map_or_else(|| OsString::from("store"), OsString::from);
    name.push(".signing-key");
    store.with_file_name(name)
}

/// Opens the signing key of a log. Refused: a missing file, one that others may use, one that holds no
/// key, the key of another log.
pub fn open(path: &Path, origin: Origin) -> Result<SignerKey, Failure> {
    let what = format!("cannot use the signing key {}", shown_path(path));
    let io = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => Failure::new(
            what.clone(),
            "the file is missing",
            "put it back from a copy: without it nothing more can be signed in this store's name",
        ),
        _ => Failure::new(what.clone(), error.to_string(), "check its permissions"),
    };
    let metadata = fs::metadata(path).map_err(io)?;
    check_private(&metadata, &what, "the key")?;
    let text = fs::read_to_string(path).map_err(io)?;
    let key = SignerKey::parse(text.trim_end_matches('\n')).map_err(|error| {
        let hint = "put it back from a copy; the file was left as it is";
        Failure::new(what.clone(), error.to_string(), hint).class(Class::IntegrityBroken)
    })?;
    match key.name().to_string() == origin.to_string() {
        true => Ok(key),
        false => Err(Failure::new(
            what,
            format!("it is the key of another store: this one is {origin}"),
            "put back the key that was made with this store, or give another --store",
        )),
    }
}

/// Makes the signing key of a log, durable; refused if the file is there.
pub fn make(path: &Path, origin: Origin) -> Result<SignerKey, Failure> {
    let what = format!("cannot make the signing key {}", shown_path(path));
    let name = KeyName::new(&origin.to_string()).ok_or_else(|| {
        let hint = "this is a mistake in the program; please report it";
        Failure::new(what.clone(), "the store has no usable name", hint)
    })?;
    let key = SignerKey::new(name, &random()?);
    let content = format!("{}\n", key.expose());
    create(path, content.as_bytes()).map_err(|error| {
        let hint = match error.kind() {
            ErrorKind::AlreadyExists => "a key is there already: give another --store",
            _ => "check the space and the permissions of its directory",
        };
        Failure::new(what, error.to_string(), hint)
    })?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    const ORIGIN: Origin = Origin {
        store_id: [3; 16],
        incarnation: 0,
    };

    #[test]
    fn a_key_is_read_back_and_what_is_not_the_private_key_of_the_log_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = path_beside(&directory.path().join("store"));
        let says = |part: &str, origin| {
            let failure = open(&path, origin).unwrap_err();
            assert!(failure.to_string().contains(part), "{failure}");
        };
        says("missing", ORIGIN);
        let key = make(&path, ORIGIN).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(open(&path, ORIGIN).unwrap().verifier(), key.verifier());
        assert!(make(&path, ORIGIN).is_err(), "it is never made anew");
        let other = Origin {
            store_id: [4; 16],
            ..ORIGIN
        };
        says("another store", other);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        says("chmod 600", ORIGIN);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let secret = text.rsplit('+').next().unwrap().trim();
        for cut in [0, 10, text.len() - 5] {
            fs::write(&path, &text[..cut]).unwrap();
            let failure = open(&path, ORIGIN).unwrap_err();
            assert_eq!(failure.class, Class::IntegrityBroken);
            assert!(!failure.to_string().contains(secret), "{failure}");
        }
    }
}
