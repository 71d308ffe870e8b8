//! The vault is saved whole, refused when it is not whole or not private, and never overwritten.

use super::*;
use ledger::secret::Keyring;
use std::os::unix::fs::PermissionsExt;

fn saved(directory: &Path) -> Vault {
    let mut vault = Vault::draft(&directory.join("store.vault")).unwrap();
    vault.create().unwrap();
    vault
}

#[test]
fn what_was_saved_is_read_back_and_only_its_owner_can_read_it() {
    let directory = tempfile::tempdir().unwrap();
    let mut vault = saved(directory.path());
    let key = vault.sealing_key([7; 16]).unwrap();
    vault.save().unwrap();
    let mode = fs::metadata(&vault.path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let mut back = Vault::open(&vault.path).unwrap();
    assert_eq!(back.sealing_key([7; 16]).unwrap().0, key.0);
    assert_eq!(back.store_id(), vault.store_id());
    assert_eq!(
        back.check_store(vault.store_id(), vault.pepper().id()),
        Ok(())
    );
    assert!(back.check_store([0; 16], vault.pepper().id()).is_err());
    assert!(
        back.check_store(vault.store_id(), Pepper::public().id())
            .is_err()
    );
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn a_vault_that_is_there_is_never_overwritten_by_a_new_one() {
    let directory = tempfile::tempdir().unwrap();
    let first = saved(directory.path());
    let before = fs::read(&first.path).unwrap();
    let mut second = Vault::draft(&first.path).unwrap();
    let failure = second.create().unwrap_err();
    assert!(
        failure.hint.contains("a vault is there already"),
        "{failure}"
    );
    assert_eq!(fs::read(&first.path).unwrap(), before);
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
fn every_cut_of_a_vault_is_refused_and_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let mut vault = saved(directory.path());
    vault.make_keys([[1; 16], [2; 16]]);
    vault.save().unwrap();
    let whole = fs::read(&vault.path).unwrap();
    let secret = hex::write(vault.pepper().expose());
    for length in 0..whole.len() - 1 {
        fs::write(&vault.path, &whole[..length]).unwrap();
        let failure = Vault::open(&vault.path).unwrap_err();
        assert_eq!(failure.class, Class::IntegrityBroken, "{length}: {failure}");
        assert!(!failure.to_string().contains(&secret));
        assert_eq!(fs::read(&vault.path).unwrap(), whole[..length]);
    }
}

#[test]
fn a_vault_that_others_can_read_or_write_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let vault = saved(directory.path());
    for mode in [0o640, 0o604, 0o620, 0o666] {
        fs::set_permissions(&vault.path, fs::Permissions::from_mode(mode)).unwrap();
        let failure = Vault::open(&vault.path).unwrap_err();
        assert!(failure.hint.contains("chmod 600"), "{failure}");
    }
}

#[test]
fn missing_foreign_and_later_vaults_say_what_they_are() {
    let directory = tempfile::tempdir().unwrap();
    let vault = saved(directory.path());
    let missing = Vault::open(&directory.path().join("other.vault")).unwrap_err();
    assert!(missing.why.contains("missing"), "{missing}");
    let folder = Vault::open(directory.path()).unwrap_err();
    assert!(folder.why.contains("not a file"), "{folder}");
    let text = fs::read_to_string(&vault.path).unwrap();
    fs::write(&vault.path, text.replace("\"version\":1", "\"version\":9")).unwrap();
    let later = Vault::open(&vault.path).unwrap_err();
    assert!(later.why.contains("version is 9"), "{later}");
    fs::write(&vault.path, "{\"hello\":1}").unwrap();
    let foreign = Vault::open(&vault.path).unwrap_err();
    assert!(foreign.why.contains("no vault"), "{foreign}");
}

#[test]
fn what_a_killed_save_left_goes_away_with_the_next_one() {
    let directory = tempfile::tempdir().unwrap();
    let mut vault = saved(directory.path());
    fs::write(directory.path().join(".store.vault.new"), "keys").unwrap();
    vault.make_keys([[1; 16]]);
    vault.save().unwrap();
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    assert_eq!(Vault::open(&vault.path).unwrap().key_count(), 1);
    let mode = fs::metadata(&vault.path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
