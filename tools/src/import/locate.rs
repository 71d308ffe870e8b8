//! Where in a line of JSON a field stands: columns for errors that know only the field's path.

/// The byte at which the value of a path begins, counted from 0: names of members and indices of
/// lists, outermost first. Where the path leads to nothing, the innermost value that it does lead
/// to. The text has to be valid JSON. Costs one walk over the text per level.
pub fn value_at(text: &str, path: &[String]) -> usize {
    let bytes = text.as_bytes();
    let mut at = skip_blank(bytes, 0);
    for name in path {
        let child = match bytes.get(at) {
            Some(b'{') => member(text, at + 1, name),
            Some(b'[') => name
                .parse()
                .ok()
                .and_then(|index| item(bytes, at + 1, index)),
            _ => None,
        };
        match child {
            Some(child) => at = child,
            None => break,
        }
    }
    at
}

/// Where the value of a member begins; the last one of that name, as the parser takes it.
fn member(text: &str, start: usize, name: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = skip_blank(bytes, start);
    let mut found = None;
    while bytes.get(at) == Some(&b'"') {
        let end = skip_value(bytes, at);
        let key: Option<String> = text
            .get(at..end)
            .and_then(|key| serde_json::from_str(key).ok());
        let value = skip_blank(bytes, skip_blank(bytes, end) + 1);
        if key.as_deref() == Some(name) {
            found = Some(value);
        }
        at = skip_blank(bytes, skip_value(bytes, value));
        if bytes.get(at) == Some(&b',') {
            at = skip_blank(bytes, at + 1);
        }
    }
    found
}

fn item(bytes: &[u8], start: usize, index: usize) -> Option<usize> {
    let mut at = skip_blank(bytes, start);
    for _ in 0..index {
        at = skip_blank(bytes, skip_value(bytes, at));
        if bytes.get(at) != Some(&b',') {
            return None;
        }
        at = skip_blank(bytes, at + 1);
    }
    (bytes.get(at).is_some_and(|byte| *byte != b']')).then_some(at)
}

fn skip_blank(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
        at += 1;
    }
    at
}

/// The byte after the value that begins here.
fn skip_value(bytes: &[u8], start: usize) -> usize {
    let mut depth = 0_usize;
    let mut quoted = false;
    let mut at = start;
    while let Some(byte) = bytes.get(at) {
        match (quoted, byte) {
            (true, b'\\') => at += 1,
            (true, b'"') => {
                quoted = false;
                if depth == 0 {
                    return at + 1;
                }
            }
            (true, _) => {}
            (false, b'"') => quoted = true,
            (false, b'{' | b'[') => depth += 1,
            (false, b'}' | b']') if depth == 0 => return at,
            (false, b'}' | b']') => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            (false, b',') if depth == 0 => return at,
            (false, _) => {}
        }
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::value_at;

    const TEXT: &str =
        r#" {"a":1,"b": {"c\u0020d" : [10, "x,]}\"", {"e":true}], "f":null},"b2":[]}"#;

    fn found(path: &[&str]) -> &'static str {
        let path: Vec<String> = path.iter().map(ToString::to_string).collect();
        TEXT.get(value_at(TEXT, &path)..).unwrap()
    }

    #[test]
    fn every_value_is_found_by_its_path() {
        assert!(found(&[]).starts_with("{\"a\""));
        assert!(found(&["a"]).starts_with("1,"));
        assert!(found(&["b", "c d", "0"]).starts_with("10,"));
        assert!(found(&["b", "c d", "1"]).starts_with("\"x,]"));
        assert!(found(&["b", "c d", "2", "e"]).starts_with("true"));
        assert!(found(&["b", "f"]).starts_with("null"));
        assert!(found(&["b2"]).starts_with("[]"));
    }

    #[test]
    fn a_path_to_nothing_leads_as_far_as_it_goes() {
        assert!(found(&["b", "missing"]).starts_with("{\"c"));
        assert!(found(&["b", "c d", "3"]).starts_with("[10"));
        assert!(found(&["b2", "0"]).starts_with("[]"));
        assert!(found(&["a", "x"]).starts_with("1,"));
        assert_eq!(value_at("", &["a".to_owned()]), 0);
        assert_eq!(value_at("{\"a\":", &["a".to_owned()]), 5);
    }

    #[test]
    fn of_two_members_with_one_name_the_last_is_meant() {
        assert_eq!(value_at(r#"{"a":1,"a":2}"#, &["a".to_owned()]), 11);
    }
}
