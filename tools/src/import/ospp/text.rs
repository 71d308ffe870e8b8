//! The text of a report: as a console or an editor saved it, or as PowerShell redirected it.

use crate::import::Refusal;

/// How much of a file is looked at to tell UTF-16 without a byte order mark.
const PROBE_LENGTH_BYTES: usize = 512;

/// Decodes UTF-8 and UTF-16 of both orders. Bytes that are neither are replaced: the labels and
/// states are ASCII in every code page, and old consoles do not say which one they used.
pub fn decode(bytes: &[u8]) -> Result<String, Refusal> {
    if bytes.is_empty() {
        let hint = "run `cscript ospp.vbs /dstatus` again and keep its output";
        return Err(Refusal::whole("the file is empty", hint));
    }
    let text = if let Some(rest) = bytes.strip_prefix(b"\xff\xfe") {
        utf16(rest, u16::from_le_bytes)
    } else if let Some(rest) = bytes.strip_prefix(b"\xfe\xff") {
        utf16(rest, u16::from_be_bytes)
    } else if looks_like_utf16(bytes) {
        utf16(bytes, u16::from_le_bytes)
    } else {
        let rest = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        String::from_utf8_lossy(rest).into_owned()
    };
    if text.contains('\0') {
        let hint = "check that this is the right file; a text is expected";
        let reason = "the file holds a NUL byte, so it is binary and no text";
        return Err(Refusal::whole(reason, hint));
    }
    Ok(text)
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let (units, odd) = bytes.as_chunks::<2>();
    let units: Vec<u16> = units.iter().map(|pair| unit(*pair)).collect();
    let mut text = String::from_utf16_lossy(&units);
    if !odd.is_empty() {
        text.push(char::REPLACEMENT_CHARACTER);
    }
    text
}

/// ASCII text in UTF-16, low byte first: every second byte is zero and no other one is.
fn looks_like_utf16(bytes: &[u8]) -> bool {
    let probe = bytes.get(..PROBE_LENGTH_BYTES).unwrap_or(bytes);
    let (pairs, _) = probe.as_chunks::<2>();
    !pairs.is_empty() && pairs.iter().all(|[low, high]| *low != 0 && *high == 0)
}
