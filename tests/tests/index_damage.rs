//! The index is derived: whatever becomes of its files, a store opens with the right answers. A file
//! that is not what was written is never given to sled, which panics on damage, in threads of its own
//! too; so no thread of this process panics here.

use ledger::id::Position;
use ledger::store::{Known, Store};
use ledger::subject::{Subject, SubjectKind};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use tests::facts::session_started;
use tests::stores::{Place, copy, create, open};

const EVENTS: usize = 90;
const TENANTS: usize = 5;

static PANICS: AtomicUsize = AtomicUsize::new(0);

fn check(store: &Store, what: &str) {
    for tenant in 0..TENANTS {
        let subject = Subject::new(SubjectKind::Tenant, format!("t{tenant}.example"));
        let count = store.revision(&subject).unwrap().0;
        assert_eq!(count, (EVENTS / TENANTS) as u64, "{what}");
        let history = store.history(&subject, Position(0));
        let positions: Vec<_> = history.map(|event| event.unwrap().position.0).collect();
        let wanted = (0..EVENTS).filter(|n| n % TENANTS == tenant);
        let wanted: Vec<_> = wanted.map(|n| n as u64 + 1).collect();
        assert_eq!(positions, wanted, "{what}");
    }
    for number in 0..EVENTS {
        let event = store.event(Position(number as u64 + 1)).unwrap().unwrap();
        assert_eq!(store.find(event.id).unwrap(), Some(event), "{what}");
    }
}

/// Every file of every run.
fn files(index: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for run in fs::read_dir(index).unwrap() {
        let run = run.unwrap().path();
        if run.is_dir() {
            let within = fs::read_dir(run).unwrap().map(|file| file.unwrap().path());
            files.extend(within.filter(|path| path.is_file()));
        }
    }
    files.sort();
    files
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    let at = at % bytes.len();
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn whatever_becomes_of_the_files_of_the_index_a_store_answers_as_before_and_nothing_panics() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        PANICS.fetch_add(1, Ordering::SeqCst);
        hook(info);
    }));
    let place = Place::new();
    drop(create(&place.store()));
    // Three openings, so that there are runs of several sizes, and an old copy of the index.
    let old = place.path().join("old");
    for part in 0..3 {
        let store = open(&place.store());
        for number in part * 30..(part + 1) * 30 {
            let tenant = format!("t{}.example", number % TENANTS);
            let fact = session_started(number, &format!("s-{number}"), &tenant);
            store.append(vec![fact], &[], Known::Refuse).unwrap();
        }
        store.close().unwrap();
        if part == 1 {
            copy(&place.store().join("index"), &old);
        }
    }
    let whole = place.path().join("whole");
    copy(&place.store(), &whole);
    let names: Vec<_> = files(&whole.join("index"));
    assert!(names.len() >= 6, "{names:?}");
    type Damage = fn(&Path);
    let damages: [(&str, Damage); 7] = [
        ("gone", |path| fs::remove_file(path).unwrap()),
        ("empty", |path| fs::write(path, b"").unwrap()),
        ("garbage", |path| fs::write(path, [0xa5; 70_000]).unwrap()),
        ("cut", |path| {
            let bytes = fs::read(path).unwrap();
            fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
        }),
        ("flipped at its start", |path| flip(path, 3)),
        ("flipped in the middle", |path| flip(path, 4_321)),
        ("run gone", |path| {
            fs::remove_dir_all(path.parent().unwrap()).unwrap()
        }),
    ];
    let mut copies = 0;
    let mut try_with = |what: &str, is_noticed: bool, damage: &dyn Fn(&Path)| {
        copies += 1;
        let store = place.path().join(format!("copy-{copies}"));
        copy(&whole, &store);
        damage(&store);
        for opening in 0..2 {
            let store = open(&store);
            let rebuilt = store.wait_for_index(&mut |_, _| {}).unwrap();
            let rebuilt = rebuilt.map(|rebuilt| rebuilt.reason);
            assert_eq!(
                rebuilt.is_some(),
                is_noticed && opening == 0,
                "{what} {rebuilt:?}"
            );
            check(&store, what);
            store.close().unwrap();
        }
        fs::remove_dir_all(store).unwrap();
    };
    for name in &names {
        let name = name.strip_prefix(&whole).unwrap();
        for (what, damage) in damages {
            let what = format!("{} {what}", name.display());
            try_with(&what, true, &|store| damage(&store.join(name)));
        }
    }
    try_with("an old index", false, &|store| {
        fs::remove_dir_all(store.join("index")).unwrap();
        copy(&old, &store.join("index"));
    });
    try_with("an old index under the new manifest", true, &|store| {
        let manifest = fs::read(store.join("index/manifest")).unwrap();
        fs::remove_dir_all(store.join("index")).unwrap();
        copy(&old, &store.join("index"));
        fs::write(store.join("index/manifest"), manifest).unwrap();
    });
    try_with("runs that changed places", true, &|store| {
        let files = files(&store.join("index"));
        let one = files.first().unwrap().parent().unwrap();
        let other = files.last().unwrap().parent().unwrap();
        let between = store.join("index/between");
        fs::rename(one, &between).unwrap();
        fs::rename(other, one).unwrap();
        fs::rename(&between, other).unwrap();
    });
    try_with("nothing", false, &|_| {});
    assert_eq!(PANICS.load(Ordering::SeqCst), 0);
}
