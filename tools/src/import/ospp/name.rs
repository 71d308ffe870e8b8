//! What a report's file name says: `MACHINE_USER_TIME.txt`.
//!
//! The machine is everything before the first underscore, the user's address everything between it
//! and the last one, the time what comes after, in UTC and without colons: `2024-03-11T0942Z` or
//! `2024-03-11T094207Z`. `MACHINE_TIME.txt` leaves the user to `--user`. A machine with an underscore
//! in its name needs `--machine`.

use crate::import::Given;
use crate::privacy::shown_path;
use ledger::time::Occurred;
use std::path::Path;

/// Reads a file name; `None` if it does not have this form.
pub fn read(path: &Path) -> Option<Given> {
    let stem = path.file_stem()?.to_str()?;
    let (rest, time) = stem.rsplit_once('_')?;
    let observed_at = Some(read_time(time)?);
    let (machine, user) = match rest.split_once('_') {
        Some((machine, user)) => (machine, Some(user)),
        None => (rest, None),
    };
    if machine.is_empty() || user.is_some_and(|user| !user.contains('@')) {
        return None;
    }
    Some(Given {
        translator: None,
        machine: Some(machine.to_owned()),
        user: user.map(ToOwned::to_owned),
        observed_at,
    })
}

fn read_time(text: &str) -> Option<Occurred> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    if !time.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let pairs = [time.get(0..2), time.get(2..4), time.get(4..6)];
    let pairs: Vec<&str> = pairs.into_iter().flatten().collect();
    if pairs.concat().len() != time.len() || pairs.len() < 2 {
        return None;
    }
    Occurred::parse(&format!("{date}T{}Z", pairs.join(":")))
}

/// A path as it may be printed: machine and user are taken out of the file's name.
pub fn shown(path: &Path) -> String {
    let extension = path.extension().unwrap_or_default();
    let time = path
        .file_stem()
        .and_then(|stem| stem.to_str()?.rsplit_once('_'));
    match (read(path), time) {
        (Some(_), Some((_, time))) => {
            let name = format!("(machine and user not shown)_{time}");
            shown_path(&path.with_file_name(name).with_extension(extension))
        }
        _ => shown_path(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(name: &str) -> Option<(Option<String>, Option<String>, String)> {
        let given = read(Path::new(name))?;
        let time = given.observed_at?.to_string();
        Some((given.machine, given.user, time))
    }

    #[test]
    fn machine_user_and_time_are_read_from_the_name() {
        let user = Some("jo_blake@contoso.example".to_owned());
        assert_eq!(
            parts("in/PC-1_jo_blake@contoso.example_2024-03-11T0942Z.txt"),
            Some((
                Some("PC-1".to_owned()),
                user,
                "2024-03-11T09:42Z".to_owned()
            ))
        );
        assert_eq!(
            parts("PC-1_2024-03-11T094207Z.log"),
            Some((
                Some("PC-1".to_owned()),
                None,
                "2024-03-11T09:42:07Z".to_owned()
            ))
        );
    }

    #[test]
    fn other_names_say_nothing() {
        for name in [
            "report.txt",
            "PC-1_2024-03-11T0942.txt",
            "PC-1_2024-03-11T09Z.txt",
            "PC-1_2024-13-11T0942Z.txt",
            "PC-1_2024-03-11T2542Z.txt",
            "_jo@contoso.example_2024-03-11T0942Z.txt",
            "PC_1_2024-03-11T0942Z.txt",
            "PC-1_2024-03-11T09420Z.txt",
        ] {
            assert_eq!(parts(name), None, "{name}");
        }
    }

    #[test]
    fn neither_machine_nor_user_is_shown() {
        let path = Path::new("in/PC-1_jo@contoso.example_2024-03-11T0942Z.txt");
        assert_eq!(
            shown(path),
            "in/(machine and user not shown)_2024-03-11T0942Z.txt"
        );
        assert_eq!(shown(Path::new("in/report.txt")), "in/report.txt");
    }
}
