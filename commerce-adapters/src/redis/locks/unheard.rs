use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Of how many attempts the tokens are kept. Those that are not kept end with their leases, if they are granted.
const TOKENS_MAX: usize = 1_024;

/// The tokens of attempts to take locks of which nobody heard whether they were granted, the last one for the same locks.
#[derive(Debug, Default)]
pub(super) struct Unheard(Mutex<BTreeMap<Vec<String>, u64>>);

impl Unheard {
    fn tokens(&self) -> MutexGuard<'_, BTreeMap<Vec<String>, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands out the token of such an attempt, to one who asks for these locks: two must not have the same.
    pub(super) fn taken(&self, keys: &[String]) -> Option<u64> {
        self.tokens().remove(keys)
    }

    /// Begins an attempt. Unless it is answered its token is kept.
    pub(super) fn asked<'a>(&'a self, keys: &'a [String], token: u64) -> Attempt<'a> {
        Attempt { unheard: self, keys, token, is_answered: false }
    }
}

/// An attempt that is under way, or that was given up.
pub(super) struct Attempt<'a> {
    unheard: &'a Unheard,
    keys: &'a [String],
    token: u64,
    is_answered: bool,
}

impl Attempt<'_> {
    pub(super) fn answered(mut self) {
        self.is_answered = true;
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let mut tokens = self.unheard.tokens();
        if !self.is_answered && tokens.len() < TOKENS_MAX {
            tokens.insert(self.keys.to_vec(), self.token);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_of_an_attempt_that_was_not_answered_is_handed_out_once() {
        let (unheard, keys) = (Unheard::default(), ["a".to_owned(), "b".to_owned()]);
        unheard.asked(&keys, 1).answered();
        assert_eq!(unheard.taken(&keys), None);
        drop(unheard.asked(&keys, 2));
        assert_eq!(unheard.taken(&keys[..1]), None, "they are others");
        assert_eq!((unheard.taken(&keys), unheard.taken(&keys)), (Some(2), None));
    }

    #[test]
    fn only_so_many_are_kept() {
        let unheard = Unheard::default();
        for number in 0..=TOKENS_MAX {
            drop(unheard.asked(&[number.to_string()], 1));
        }
        assert_eq!(unheard.taken(&[TOKENS_MAX.to_string()]), None);
        assert_eq!(unheard.taken(&["0".to_owned()]), Some(1));
    }
}
