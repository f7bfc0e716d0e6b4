use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// The longest name of a lock that servers take.
const NAME_CHARS_MAX: usize = 64;
/// How much of the digest stands in a name: what is left to others is far less than a chance.
const DIGEST_BYTES: usize = 20;
const READABLE_CHARS_MAX: usize = NAME_CHARS_MAX - 1 - 2 * DIGEST_BYTES;

/// The name of a lock as the server knows it: something to recognise it by, and a digest.
///
/// Servers take 64 characters, have one space of names for all their databases, and do not tell upper from lower case. A digest of the database and
/// the name minds none of that.
pub(super) fn on_the_server(database: &str, name: &str) -> String {
    let readable = |letter: &char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || *letter == '-';
    let mut text: String = name.chars().filter(readable).take(READABLE_CHARS_MAX).collect();
    text.push('-');
    let digest = Sha256::new().chain_update(database).chain_update([0]).chain_update(name).finalize();
    for byte in &digest[..DIGEST_BYTES] {
        // Writing to a text cannot fail.
        let _written = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_and_are_told_apart_whatever_their_case_and_database() {
        let long = "gate-7".repeat(50);
        let names = ["gate-7", "Gate-7", "gate-7 ", "게이트 😀", "", "'; DROP TABLE users; --", &long];
        let mut seen = std::collections::BTreeSet::new();
        for (database, name) in ["one", "two"].iter().flat_map(|database| names.map(|name| (database, name))) {
            let text = on_the_server(database, name);
            assert!(text.len() <= NAME_CHARS_MAX, "{text}");
            assert!(text.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-'), "{text}");
            assert!(seen.insert(text), "{database} {name}");
        }
        assert!(on_the_server("one", "gate-7").starts_with("gate-7-"));
    }
}
