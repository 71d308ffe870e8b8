//! The vault is saved whole, refused when it is not whole, not private or not opened by this key, and
//! never overwritten.

use super::*;
use crate::error::Class;
use crate::hex;
use crate::vault::master_key::path_beside as key_beside;
use ledger::secret::Keyring;
use std::os::unix::fs::PermissionsExt;

fn source(directory: &Path) -> KeySource {
    KeySource::File(directory.join("store.master-key"))
}

fn saved(directory: &Path) -> Vault {
    let path = directory.join("store.vault");
    let mut vault = Vault::draft(&path, source(directory)).unwrap();
    assert!(vault.create().unwrap(), "its master key is made");
    vault
}

fn open(directory: &Path) -> Result<Vault, Failure> {
    Vault::open(&directory.join("store.vault"), source(directory))
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn what_was_saved_is_read_back_and_only_its_owner_can_read_it() {
    let directory = tempfile::tempdir().unwrap();
    let mut vault = saved(directory.path());
    let key = vault.sealing_key([7; 16]).unwrap();
    vault.sealing_key([8; 16]).unwrap();
    assert_eq!(vault.destroy(&BTreeSet::from([[8; 16], [9; 16]])), 1);
    vault.save().unwrap();
    assert_eq!(mode(&vault.path), 0o600);
    assert_eq!(mode(&directory.path().join("store.master-key")), 0o600);
    let mut back = open(directory.path()).unwrap();
    assert_eq!(back.sealing_key([7; 16]).unwrap().expose(), key.expose());
    for destroyed in [[8; 16], [9; 16]] {
        assert!(
            back.sealing_key(destroyed).is_none(),
            "it is never made again"
        );
        assert!(back.opening_key(destroyed).is_none());
    }
    assert!(back.opening_key([1; 16]).is_none(), "reading makes no key");
    assert_eq!((back.key_count(), back.erased_count()), (1, 2));
    assert_eq!(back.store_id(), vault.store_id());
    let pepper = vault.pepper().id();
    assert_eq!(back.check_store(vault.store_id(), pepper), Ok(()));
    assert!(back.check_store([0; 16], pepper).is_err());
    let public = Pepper::public().id();
    assert!(back.check_store(vault.store_id(), public).is_err());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 3);
}

#[test]
fn neither_file_nor_debug_output_holds_a_secret_in_clear() {
    let directory = tempfile::tempdir().unwrap();
    let mut vault = saved(directory.path());
    let key = *vault.sealing_key([7; 16]).unwrap().expose();
    vault.save().unwrap();
    let bytes = fs::read(&vault.path).unwrap();
    let text = String::from_utf8_lossy(&bytes).into_owned() + &format!("{vault:?}");
    for secret in [key, *vault.pepper().expose()] {
        assert!(!text.contains(&hex::write(&secret)));
        assert!(!bytes.windows(32).any(|window| window == secret));
    }
    assert!(
        !text.contains(&hex::write(&[7; 16])),
        "nor whose keys there are"
    );
}

#[test]
fn a_vault_that_is_there_is_never_overwritten_by_a_new_one() {
    let directory = tempfile::tempdir().unwrap();
    let first = saved(directory.path());
    let before = fs::read(&first.path).unwrap();
    let mut second = Vault::draft(&first.path, source(directory.path())).unwrap();
    let failure = second.create().unwrap_err();
    assert!(
        failure.hint.contains("a vault is there already"),
        "{failure}"
    );
    assert_eq!(fs::read(&first.path).unwrap(), before);
    assert!(open(directory.path()).is_ok(), "nor is its master key");
}

#[test]
fn nothing_new_means_nothing_written() {
    let directory = tempfile::tempdir().unwrap();
    let mut vault = saved(directory.path());
    fs::remove_file(&vault.path).unwrap();
    vault.save().unwrap();
    assert!(!vault.path.exists());
}

#[test]
fn every_cut_and_every_changed_byte_of_a_vault_is_refused_and_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let mut vault = saved(directory.path());
    vault.make_keys([[1; 16], [2; 16]]);
    vault.save().unwrap();
    let whole = fs::read(&vault.path).unwrap();
    for length in 0..whole.len() - 1 {
        fs::write(&vault.path, &whole[..length]).unwrap();
        let failure = open(directory.path()).unwrap_err();
        assert_eq!(failure.class, Class::IntegrityBroken, "{length}: {failure}");
        assert_eq!(fs::read(&vault.path).unwrap(), whole[..length]);
    }
    let head = whole
        .windows(9)
        .position(|part| part == b"encrypted")
        .unwrap();
    for at in 0..whole.len() - 1 {
        let mut changed = whole.clone();
        // Another digit where there are digits, so that it stays a vault as far as one can see.
        changed[at] = if changed[at] == b'7' { b'6' } else { b'7' };
        fs::write(&vault.path, &changed).unwrap();
        let failure = open(directory.path()).map(drop).unwrap_err();
        if at > head + 12 {
            assert_eq!(failure.class, Class::IntegrityBroken, "{at}: {failure}");
        }
        assert_eq!(fs::read(&vault.path).unwrap(), changed);
    }
}

#[test]
fn a_vault_or_master_key_that_others_can_read_or_write_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let vault = saved(directory.path());
    for path in [
        vault.path.clone(),
        directory.path().join("store.master-key"),
    ] {
        for mode in [0o640, 0o604, 0o620, 0o666] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let failure = open(directory.path()).unwrap_err();
            assert!(failure.hint.contains("chmod 600"), "{failure}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    open(directory.path()).unwrap();
}

#[test]
fn missing_foreign_and_later_vaults_say_what_they_are() {
    let directory = tempfile::tempdir().unwrap();
    let vault = saved(directory.path());
    let at = |path: &Path| Vault::open(path, source(directory.path())).unwrap_err();
    let missing = at(&directory.path().join("other.vault"));
    assert!(missing.why.contains("missing"), "{missing}");
    let folder = at(directory.path());
    assert!(folder.why.contains("not a file"), "{folder}");
    let text = fs::read_to_string(&vault.path).unwrap();
    fs::write(&vault.path, text.replace("\"version\":2", "\"version\":9")).unwrap();
    let later = at(&vault.path);
    assert!(later.why.contains("version is 9"), "{later}");
    fs::write(&vault.path, "{\"hello\":1}").unwrap();
    let foreign = at(&vault.path);
    assert!(foreign.why.contains("no vault"), "{foreign}");
}

#[test]
fn a_wrong_missing_or_damaged_master_key_says_so_and_destroys_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let vault = saved(directory.path());
    let before = fs::read(&vault.path).unwrap();
    let path = directory.path().join("store.master-key");
    let right = fs::read(&path).unwrap();
    let says = |content: Option<&str>, part: &str| {
        match content {
            Some(content) => fs::write(&path, content).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        let failure = open(directory.path()).unwrap_err();
        assert!(failure.to_string().contains(part), "{failure}");
        let secret = String::from_utf8_lossy(&right).into_owned();
        assert!(!failure.to_string().contains(secret.trim()), "{failure}");
        assert_eq!(fs::read(&vault.path).unwrap(), before);
    };
    says(Some(&hex::write(&[5; 32])), "it is the wrong key");
    says(Some("not a key"), "holds no master key");
    says(Some(""), "holds no master key");
    says(None, "the file is missing");
    assert!(!path.exists(), "opening makes no key");
    fs::write(&path, &right).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    open(directory.path()).unwrap();
}

#[test]
fn a_rotation_changes_the_key_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let mut vault = saved(directory.path());
    let key = *vault.sealing_key([7; 16]).unwrap().expose();
    vault.save().unwrap();
    let path = directory.path().join("store.master-key");
    let old = fs::read(&path).unwrap();
    vault.rotate(None).unwrap();
    assert_ne!(fs::read(&path).unwrap(), old);
    assert_eq!(mode(&path), 0o600);
    let mut back = open(directory.path()).unwrap();
    assert_eq!(*back.opening_key([7; 16]).unwrap().expose(), key);
    let elsewhere = directory.path().join("elsewhere");
    back.rotate(Some(&elsewhere)).unwrap();
    assert!(
        open(directory.path())
            .unwrap_err()
            .why
            .contains("wrong key")
    );
    let moved = Vault::open(&vault.path, KeySource::File(elsewhere)).unwrap();
    assert_eq!(*moved.opening_key([7; 16]).unwrap().expose(), key);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 4);
}

#[test]
fn a_rotation_that_was_interrupted_at_any_step_leaves_a_vault_that_opens() {
    let directory = tempfile::tempdir().unwrap();
    let mut vault = saved(directory.path());
    let path = directory.path().join("store.master-key");
    let (old_key, old_vault) = (fs::read(&path).unwrap(), fs::read(&vault.path).unwrap());
    vault.rotate(None).unwrap();
    let (new_key, new_vault) = (fs::read(&path).unwrap(), fs::read(&vault.path).unwrap());
    let coming = directory.path().join("store.master-key.new");
    for vault_now in [&old_vault, &new_vault] {
        for (path, content) in [
            (&vault.path, vault_now),
            (&path, &old_key),
            (&coming, &new_key),
        ] {
            fs::write(path, content).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
        }
        let mut back = open(directory.path()).unwrap();
        back.rotate(None).unwrap();
        open(directory.path()).unwrap();
        assert!(!coming.exists());
        let label = |path: &Path| file::read(path).unwrap().label;
        assert_eq!(label(&pepper_beside(&vault.path)), label(&vault.path));
    }
}

#[test]
fn a_lost_vault_is_made_again_from_its_pepper_alone() {
    let directory = tempfile::tempdir().unwrap();
    let mut vault = saved(directory.path());
    vault.make_keys([[7; 16]]);
    vault.save().unwrap();
    let (id, pepper) = (vault.store_id(), vault.pepper().id());
    let again = |id, pepper| Vault::regain(&vault.path, vault.source.clone(), id, pepper);
    assert!(again(id, pepper).is_err(), "there is a vault");
    fs::remove_file(&vault.path).unwrap();
    assert!(again([0; 16], pepper).is_err());
    assert!(again(id, Pepper::public().id()).is_err());
    assert!(!vault.path.exists(), "nothing was made");
    let back = again(id, pepper).unwrap();
    assert_eq!((back.key_count(), back.pepper().id()), (0, pepper));
    assert_eq!(open(directory.path()).unwrap().store_id(), id);
    // The pepper of another store is never written over.
    fs::remove_file(&vault.path).unwrap();
    let mut other = Vault::draft(&vault.path, vault.source.clone()).unwrap();
    assert!(other.create().unwrap_err().why.contains("another store"));
    assert!(!vault.path.exists(), "nothing was made");
}

#[test]
fn the_master_key_is_beside_the_vault_under_a_name_of_its_own() {
    for (vault, key) in [("a/s.vault", "a/s.master-key"), ("keys", "keys.master-key")] {
        assert_eq!(key_beside(Path::new(vault)), Path::new(key));
    }
}

#[test]
fn what_a_killed_save_left_goes_away_with_the_next_one() {
    let directory = tempfile::tempdir().unwrap();
    let mut vault = saved(directory.path());
    fs::write(directory.path().join(".store.vault.new"), "keys").unwrap();
    vault.make_keys([[1; 16]]);
    vault.save().unwrap();
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 3);
    assert_eq!(open(directory.path()).unwrap().key_count(), 1);
    assert_eq!(mode(&vault.path), 0o600);
}
