use crc16::{State, XMODEM};

const SLOTS: u16 = 16_384;

/// The slot of a key, as a Cluster reckons it: keys with the same text in their first braces are in the same slot.
fn slot(key: &str) -> u16 {
    let tag = key.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map(|(tag, _)| tag).filter(|tag| !tag.is_empty());
    State::<XMODEM>::calculate(tag.unwrap_or(key).as_bytes()) % SLOTS
}

/// Groups items whose keys are in the same slot, in ascending order of the slots: everybody goes through the groups in the same order.
pub(super) fn by_slot<T>(items: impl IntoIterator<Item = T>, key: impl Fn(&T) -> String) -> Vec<Vec<T>> {
    let mut groups = std::collections::BTreeMap::<u16, Vec<T>>::new();
    for item in items {
        groups.entry(slot(&key(&item))).or_default().push(item);
    }
    groups.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_the_specification() {
        // As `CLUSTER KEYSLOT` says.
        assert_eq!((slot("123456789"), slot("foo"), slot("{foo}:bar"), slot("x{foo}{bar}")), (0x31C3 % SLOTS, 12_182, 12_182, 12_182));
        assert_eq!(slot("foo{}{bar}"), State::<XMODEM>::calculate(b"foo{}{bar}") % SLOTS);
    }

    #[test]
    fn what_is_in_one_slot_stays_together_in_its_order() {
        let keys = ["{a}2", "{b}1", "{a}1", "{b}2"];
        let groups = by_slot(keys, |key| (*key).to_owned());
        // b comes before a.
        assert!(slot("b") < slot("a"));
        assert_eq!(groups, [vec!["{b}1", "{b}2"], vec!["{a}2", "{a}1"]]);
    }
}
