//! Checkpoints and keys that are given as arguments.

use crate::error::{Class, Failure};
use crate::place::{Place, integrity_failure};
use crate::privacy::shown_path;
use ledger::limits::{NOTE_LENGTH_MAX_BYTES, PROOF_FILE_LENGTH_MAX_BYTES};
use ledger::proof::{CheckpointFolder, SignedCheckpoint, TreeSize, VerifierKey};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The verifier key that the store keeps, if it has one.
pub fn store_key(place: &Place) -> Result<Option<VerifierKey>, Failure> {
    let key = place.checkpoints().key();
    key.map_err(|error| integrity_failure("cannot read the store's verifier key", &error.into()))
}

/// A verifier key, as its text or as a file that holds it.
pub fn given_key(argument: &str) -> Result<VerifierKey, Failure> {
    if let Ok(key) = VerifierKey::parse(argument.trim()) {
        return Ok(key);
    }
    let what = "cannot read --key";
    // The text is not repeated: it could be a signing key.
    let text = read(Path::new(argument), NOTE_LENGTH_MAX_BYTES, what, false)?;
    VerifierKey::parse(text.trim()).map_err(|error| {
        let hint = "give the key that `actl checkpoint --key` prints, or a file that holds it";
        Failure::new(what, error.to_string(), hint)
    })
}

/// A checkpoint from a file; its signature is checked.
pub fn given_checkpoint(path: &Path, key: &VerifierKey) -> Result<SignedCheckpoint, Failure> {
    let what = format!("cannot use the checkpoint {}", shown_path(path));
    let text = read(path, NOTE_LENGTH_MAX_BYTES, &what, true)?;
    let signed = SignedCheckpoint::parse(&text).and_then(|signed| {
        signed.verify(key)?;
        Ok(signed)
    });
    signed.map_err(|error| integrity_failure(what, &error.into()))
}

/// A kept checkpoint by its size, or any checkpoint by its file; its signature is checked.
pub fn size_or_file(
    argument: &str,
    folder: &CheckpointFolder,
    key: &VerifierKey,
) -> Result<SignedCheckpoint, Failure> {
    let Ok(size) = argument.parse().map(TreeSize) else {
        return given_checkpoint(Path::new(argument), key);
    };
    let what = format!("cannot use the checkpoint of {size} events");
    let kept = folder.checkpoint(size);
    let kept = kept.map_err(|error| integrity_failure(&what, &error.into()))?;
    let kept = kept.ok_or_else(|| {
        let hint = "give a size that has a file in the store's folder `checkpoints`, or the path of a checkpoint";
        Failure::new(&what, "the store keeps none of that size", hint)
    })?;
    kept.verify(key)
        .map_err(|error| integrity_failure(&what, &error.into()))?;
    Ok(kept)
}

/// Every checkpoint that the store keeps, the smallest first, their signatures checked. Without a key
/// there must be none.
pub fn kept(
    folder: &CheckpointFolder,
    key: Option<&VerifierKey>,
) -> Result<Vec<SignedCheckpoint>, Failure> {
    let what = "the checkpoints of the store do not hold";
    let kept = folder.checkpoints();
    let kept = kept.map_err(|error| integrity_failure(what, &error.into()))?;
    for signed in &kept {
        let key = need_key(key)?;
        let size = signed.checkpoint().size;
        signed.verify(key).map_err(|error| {
            let what = format!("the checkpoint of {size} events does not hold");
            integrity_failure(what, &error.into())
        })?;
    }
    Ok(kept)
}

/// Nothing that was signed can be checked without a key.
pub fn need_key(key: Option<&VerifierKey>) -> Result<&VerifierKey, Failure> {
    key.ok_or_else(|| {
        Failure::new(
            "cannot check a signature",
            "the store keeps no verifier key",
            "`actl checkpoint` signs the log and leaves the key; or give it with --key",
        )
    })
}

/// A proof file as text; `-` is standard input.
pub fn read_proof(path: &Path) -> Result<String, Failure> {
    let what = format!("cannot read the proof {}", shown_path(path));
    read(path, PROOF_FILE_LENGTH_MAX_BYTES, &what, true)
}

/// Reads a small text; what is no UTF-8 becomes none of the forms that are read here.
fn read(path: &Path, length_max: usize, what: &str, or_stdin: bool) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let limit = length_max as u64 + 1;
    let read = match or_stdin && path == Path::new("-") {
        true => std::io::stdin().lock().take(limit).read_to_end(&mut bytes),
        false => File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)),
    };
    let hint = "check the path and its permissions";
    read.map_err(|error| Failure::new(what, error.to_string(), hint))?;
    if bytes.len() > length_max {
        let why = format!("it is longer than {length_max} bytes");
        return Err(Failure::new(what, why, "check that it is the right file"));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A proof or a log that does not hold.
pub fn does_not_hold(what: &str, why: &dyn std::fmt::Display, hint: &str) -> Failure {
    Failure::new(what, why.to_string(), hint).class(Class::IntegrityBroken)
}
