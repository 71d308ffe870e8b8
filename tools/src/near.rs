//! Names that are near one that is not known.

/// At most so many names are offered.
const NEAR_MAX: usize = 5;
/// How like a name has to be, between 0 and 1 (Jaro-Winkler).
const LIKENESS_MIN: f64 = 0.85;

/// The known names that may have been meant: those that hold the wanted text or its first part, and
/// those that are spelled like it; the likest first. Costs a walk over the known names.
pub fn near<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let wanted = wanted.to_lowercase();
    let first = wanted.split(['.', '-']).next().unwrap_or_default();
    let mut near: Vec<(f64, &str)> = known
        .into_iter()
        .filter_map(|name| {
            let lower = name.to_lowercase();
            let holds = !first.is_empty() && lower.contains(first);
            let likeness = strsim::jaro_winkler(&wanted, &lower);
            (holds || likeness >= LIKENESS_MIN).then_some((likeness, name))
        })
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    let names = near.into_iter().take(NEAR_MAX);
    names.map(|(_, name)| name.to_owned()).collect()
}

/// How like one of a few words has to be to be offered, between 0 and 1 (Jaro-Winkler).
const WORD_LIKENESS_MIN: f64 = 0.7;

/// The likest of a few words, however little it is, as long as it can be a misspelling.
pub fn nearest<'a>(wanted: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = wanted.to_lowercase();
    let likeness = |word: &str| strsim::jaro_winkler(&wanted, &word.to_lowercase());
    let words = words.into_iter().map(|word| (likeness(word), word));
    let likest = words.max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)));
    likest
        .filter(|(likeness, _)| *likeness >= WORD_LIKENESS_MIN)
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likest_names_come_first_and_unlike_ones_not_at_all() {
        let known = [
            "contoso.onmicrosoft.example",
            "contosso-emea.onmicrosoft.example",
            "zava.example",
        ];
        let near = near("contoso.onmicrosoft.exampel", known);
        assert_eq!(near.first().map(String::as_str), Some(known[0]));
        assert!(!near.iter().any(|name| name == known[2]), "{near:?}");
    }

    #[test]
    fn a_misspelled_word_is_known_and_another_word_is_not() {
        let words = ["state", "seats", "seats_by_sku", "tenant"];
        assert_eq!(nearest("seet", words), Some("seats"));
        assert_eq!(nearest("tennant", words), Some("tenant"));
        assert_eq!(nearest("xyzzy", words), None);
    }
}
