//! The W3C `traceparent` header.

use axum::http::{HeaderMap, HeaderName};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The trace the request belongs to, if it says so in a form that is valid.
pub(super) fn trace_parent(headers: &HeaderMap) -> Option<String> {
    let mut values = headers.get_all(TRACEPARENT).iter();
    let (value, None) = (values.next()?.to_str().ok()?, values.next()) else { return None };
    is_valid(value).then(|| value.to_owned())
}

/// `version-trace-parent-flags` in lower-case hexadecimal digits, neither id all zeros.
fn is_valid(value: &str) -> bool {
    let parts: Vec<_> = value.split('-').collect();
    let hex = |text: &str, len: usize| text.len() == len && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let id = |text: &str, len: usize| hex(text, len) && text.bytes().any(|byte| byte != b'0');
    match parts[..] {
        [version, trace, parent, flags] => hex(version, 2) && version != "ff" && id(trace, 32) && id(parent, 16) && hex(flags, 2),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_valid_trace_parent_is_taken() {
        assert!(is_valid("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
        for wrong in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert!(!is_valid(wrong), "{wrong:?}");
        }
    }
}
