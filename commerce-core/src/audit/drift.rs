use super::Suspect;
use std::collections::HashMap;

/// What the store said of counts that others keep, and that follow it after a moment.
///
/// A count that is read while things go on is behind the store at every look. It is right if it is one that the store had between the first look
/// and the present one.
#[derive(Default)]
pub(super) struct Drift(HashMap<Suspect, (u64, u64)>);

impl Drift {
    /// Whether `counted` is none of the values that the store had since the first look. It has to be read before `stored` is.
    pub(super) fn differs(&mut self, of: Suspect, stored: u64, counted: u64) -> bool {
        if stored == counted {
            return false;
        }
        let (least, most) = self.0.entry(of).or_insert((stored, stored));
        (*least, *most) = (stored.min(*least), stored.max(*most));
        !(*least..=*most).contains(&counted)
    }
}
