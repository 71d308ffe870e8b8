//! The second pass hands on exactly what the first has seen.

use super::*;
use crate::import::{jsonl::Jsonl, source};
use ledger::secret::PublicKeyring;
use std::path::{Path, PathBuf};

fn line(number: usize) -> String {
    format!(
        "{{\"kind\":\"TenantCreated\",\"occurred_at\":\"2024-03-11\",\"source\":{{\"system\":\"graph\",\"record\":\"r{number}\"}},\"data\":{{\"tenant\":\"t{number}.onmicrosoft.example\",\"created_via\":\"SignUpChoice\"}}}}\n"
    )
}

fn file(folder: &Path, name: &str, lines: std::ops::Range<usize>) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, lines.map(line).collect::<String>()).unwrap();
    path
}

fn sources(paths: &[PathBuf]) -> Vec<Source> {
    source::find(paths, &Jsonl, &mut std::io::empty()).unwrap()
}

fn job<'a>(sources: &'a [Source], given: &'a Given) -> Job<'a> {
    Job {
        sources,
        importer: &Jsonl,
        given,
    }
}

fn first(job: &Job<'_>, keep_going: bool) -> Result<Survey, Failure> {
    survey(job, Pepper::public(), keep_going, &mut Progress::new("", 0))
}

fn second(job: &Job<'_>, survey: &Survey) -> (Vec<usize>, Result<(), Failure>) {
    let mut batches = Vec::new();
    let mut progress = Progress::new("", 0);
    let result = deliver(
        job,
        survey,
        &mut PublicKeyring,
        &mut progress,
        &mut |facts| {
            batches.push(facts.len());
            Ok(())
        },
    );
    (batches, result)
}

#[test]
fn facts_come_in_batches_that_may_span_files() {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        file(folder.path(), "a.jsonl", 0..200),
        file(folder.path(), "b.jsonl", 200..500),
        file(folder.path(), "c.jsonl", 500..513),
    ];
    let (sources, given) = (sources(&files), Given::default());
    let job = job(&sources, &given);
    let survey = first(&job, false).unwrap();
    assert_eq!(
        (survey.readable, survey.refused, survey.digests.len()),
        (513, 0, 3)
    );
    assert_eq!(second(&job, &survey), (vec![256, 256, 1], Ok(())));
}

#[test]
fn a_file_that_changes_between_the_passes_is_refused_before_what_changed_is_handed_on() {
    for (changed, handed_on) in [(10, 0), (255, 0), (256, 1), (600, 2)] {
        let folder = tempfile::tempdir().unwrap();
        let path = file(folder.path(), "a.jsonl", 0..700);
        let (sources, given) = (sources(std::slice::from_ref(&path)), Given::default());
        let job = job(&sources, &given);
        let survey = first(&job, false).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let from = format!("\"r{changed}\"");
        std::fs::write(&path, text.replace(&from, "\"other\"")).unwrap();
        let (batches, result) = second(&job, &survey);
        assert_eq!(batches.len(), handed_on, "line {changed}");
        assert!(result.unwrap_err().why.contains("changed"));
    }
}

#[test]
fn a_file_that_grows_or_shrinks_between_the_passes_is_refused() {
    for lines in [0..100, 0..299, 0..301, 0..800] {
        let folder = tempfile::tempdir().unwrap();
        let path = file(folder.path(), "a.jsonl", 0..300);
        let (sources, given) = (sources(std::slice::from_ref(&path)), Given::default());
        let job = job(&sources, &given);
        let survey = first(&job, false).unwrap();
        file(folder.path(), "a.jsonl", lines);
        assert!(second(&job, &survey).1.is_err());
    }
}

#[test]
fn one_bad_line_stops_everything_unless_it_may_be_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let good = file(folder.path(), "a.jsonl", 0..3);
    let bad = folder.path().join("b.jsonl");
    std::fs::write(&bad, format!("{}{{}}\n{}", line(7), line(8))).unwrap();
    let (sources, given) = (sources(&[good, bad]), Given::default());
    let job = job(&sources, &given);
    let failure = first(&job, false).unwrap_err();
    assert!(
        failure.what.contains("b.jsonl, line 2, column 1"),
        "{failure}"
    );
    let survey = first(&job, true).unwrap();
    assert_eq!((survey.readable, survey.refused), (5, 1));
    assert_eq!(survey.left_out[0].refusal.line, Some(2));
    assert_eq!(second(&job, &survey), (vec![5], Ok(())));
}

#[test]
fn if_nothing_can_be_read_it_is_an_error_in_any_case() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    std::fs::write(&path, "{}\n{}\n").unwrap();
    let (sources, given) = (sources(&[path]), Given::default());
    assert!(first(&job(&sources, &given), true).is_err());
}

#[test]
fn a_folder_is_its_files_in_order_and_standard_input_is_kept_for_the_second_pass() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("b")).unwrap();
    file(folder.path(), "b/2.jsonl", 2..3);
    file(folder.path(), "a.jsonl", 0..1);
    file(folder.path(), "expected.json", 5..6);
    let mut stdin = line(9);
    let paths = [folder.path().to_owned(), PathBuf::from("-")];
    let sources = source::find(&paths, &Jsonl, &mut stdin.as_bytes()).unwrap();
    stdin.clear();
    let names: Vec<&str> = sources
        .iter()
        .map(|s| s.shown.rsplit('/').next().unwrap())
        .collect();
    assert_eq!(names, ["a.jsonl", "2.jsonl", "(standard input)"]);
    let given = Given::default();
    let job = job(&sources, &given);
    let survey = first(&job, false).unwrap();
    assert_eq!(second(&job, &survey), (vec![3], Ok(())));
}

#[test]
fn folders_without_files_and_paths_to_nothing_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = [folder.path().to_owned()];
    let failure = source::find(&nothing, &Jsonl, &mut std::io::empty())
        .err()
        .unwrap();
    assert!(failure.why.contains(".jsonl or .ndjson"), "{failure}");
    let missing = [folder.path().join("x")];
    let failure = source::find(&missing, &Jsonl, &mut std::io::empty())
        .err()
        .unwrap();
    assert!(failure.why.contains("no such file"), "{failure}");
}
