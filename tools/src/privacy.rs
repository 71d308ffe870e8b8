//! What may be printed: the last guard before any text reaches a terminal or a log.
//!
//! Stored types hold no plaintext, and errors are written so that they name no secret. This guard
//! is for what comes from elsewhere: file names, arguments that the argument parser repeats, messages
//! of the operating system.

use std::path::Path;

const GROUPS: usize = 5;
const GROUP_LENGTH: usize = 5;
const PHONE_DIGITS_MIN: usize = 8;
const KEY_LENGTH: usize = GROUPS * GROUP_LENGTH;

/// The text without activation keys, addresses, phone numbers and control characters other than line ends. Costs
/// one walk over the text.
pub fn scrub(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(&first) = chars.get(at) {
        let word_starts = at == 0 || !chars.get(at - 1).is_some_and(char::is_ascii_alphanumeric);
        let rest = chars.get(at..).unwrap_or_default();
        if word_starts && let Some(length) = key_length(rest) {
            out.push_str("(a key, not shown)");
            at += length;
            continue;
        }
        let token_starts = at == 0 || chars.get(at - 1).is_some_and(|c| separates(*c));
        if token_starts && let Some(length) = address_length(rest) {
            out.push_str("(an address, not shown)");
            at += length;
            continue;
        }
        if let Some(length) = phone_length(rest) {
            out.push_str("(a phone number, not shown)");
            at += length;
            continue;
        }
        out.push(if first.is_control() && first != '\n' {
            ' '
        } else {
            first
        });
        at += 1;
    }
    out
}

/// A path as it may be printed.
pub fn shown_path(path: &Path) -> String {
    scrub(&path.display().to_string()).replace('\n', " ")
}

/// How long the activation key at the start of a text is, if there is one: 25 letters and digits,
/// alone with both kinds among them, or in five groups joined by hyphens or blanks.
fn key_length(chars: &[char]) -> Option<usize> {
    let run = chars
        .iter()
        .take_while(|c| c.is_ascii_alphanumeric())
        .count();
    if run == KEY_LENGTH {
        let mixed = |test: fn(&char) -> bool| chars.iter().take(run).any(test);
        return (mixed(char::is_ascii_digit) && mixed(char::is_ascii_alphabetic)).then_some(run);
    }
    let mut length = 0;
    for group in 0..GROUPS {
        let rest = chars.get(length..)?;
        let rest = match (group, rest.split_first()) {
            (0, _) => rest,
            (_, Some(('-' | ' ', rest))) => {
                length += 1;
                rest
            }
            _ => return None,
        };
        let run = rest
            .iter()
            .take_while(|c| c.is_ascii_alphanumeric())
            .count();
        if run != GROUP_LENGTH {
            return None;
        }
        length += run;
    }
    Some(length)
}

fn separates(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '\'' | '"' | '<' | '>' | '(' | ')' | ',' | ';' | ':' | '=' | '/' | '\\'
        )
}

/// How long the address at the start of a text is, if there is one: a word with an `@` that is
/// followed by a name with a dot.
fn address_length(chars: &[char]) -> Option<usize> {
    let length = chars.iter().take_while(|c| !separates(**c)).count();
    let word = chars.get(..length)?;
    let at = word.iter().rposition(|c| *c == '@')?;
    let domain = word.get(at + 1..)?;
    (at > 0 && domain.contains(&'.')).then_some(length)
}

/// How long the phone number at the start of a text is, if there is one: a plus, and at least eight
/// digits with nothing but separators between them.
fn phone_length(chars: &[char]) -> Option<usize> {
    let (plus, rest) = chars.split_first()?;
    let starts = rest
        .first()
        .is_some_and(|c| c.is_ascii_digit() || *c == '(');
    if *plus != '+' || !starts {
        return None;
    }
    let within = |c: &&char| c.is_ascii_digit() || matches!(c, ' ' | '-' | '.' | '/' | '(' | ')');
    let run = rest.get(..rest.iter().take_while(within).count())?;
    let digits = run.iter().filter(|c| c.is_ascii_digit()).count();
    let last = run.iter().rposition(char::is_ascii_digit)?;
    (digits >= PHONE_DIGITS_MIN).then_some(last + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_addresses_are_taken_out_and_the_rest_stays() {
        for (text, shown) in [
            (
                "value 'AAAAA-BBBBB-CCCCC-DDDDD-EEEE2' for",
                "value '(a key, not shown)' for",
            ),
            ("AAAAA BBBBB CCCCC DDDDD EEEE2", "(a key, not shown)"),
            ("x=AAAAABBBBBCCCCCDDDDDEEEE2.", "x=(a key, not shown)."),
            (
                "for jo.blake@contoso.example: no",
                "for (an address, not shown): no",
            ),
            (
                "dir/jo@a.example/x.txt",
                "dir/(an address, not shown)/x.txt",
            ),
            ("PC-1_jo@a.example_2024.txt", "(an address, not shown)"),
            (
                "call +49 (30) 1234-5678, x",
                "call (a phone number, not shown), x",
            ),
            ("1+1 and +12", "1+1 and +12"),
            ("SUBJECT@REVISION", "SUBJECT@REVISION"),
            (
                "tenant:contoso.onmicrosoft.example@3",
                "tenant:contoso.onmicrosoft.example@3",
            ),
            (
                "82cef0d9-d31d-456e-a3fa-ae2637ea2984",
                "82cef0d9-d31d-456e-a3fa-ae2637ea2984",
            ),
            ("\u{1b}[31mred", " [31mred"),
            ("", ""),
        ] {
            assert_eq!(scrub(text), shown);
        }
    }
}
