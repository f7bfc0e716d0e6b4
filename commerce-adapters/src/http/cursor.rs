//! Opaque cursors: where the next page of a list begins.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use commerce_core::store::OrderCursor;
use commerce_core::{CouponId, OrderId, PointEntryId, ProductId, Timestamp};

/// A place in a list that can be handed to a client and taken back.
pub(super) trait Cursor: Sized {
    /// Names the list, so that a cursor of one list is none of another.
    const LIST: u8;
    fn numbers(&self) -> Vec<i64>;
    fn from_numbers(numbers: &[i64]) -> Option<Self>;

    fn encode(&self) -> String {
        let numbers = self.numbers().into_iter().flat_map(i64::to_be_bytes);
        URL_SAFE_NO_PAD.encode(std::iter::once(Self::LIST).chain(numbers).collect::<Vec<_>>())
    }

    fn decode(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (list, numbers) = bytes.split_first()?;
        let (numbers, rest) = numbers.as_chunks::<8>();
        let numbers: Vec<_> = numbers.iter().map(|number| i64::from_be_bytes(*number)).collect();
        if *list == Self::LIST && rest.is_empty() { Self::from_numbers(&numbers) } else { None }
    }
}

macro_rules! id_cursors {
    ($($id:ident = $list:literal),+ $(,)?) => {$(
        impl Cursor for $id {
            const LIST: u8 = $list;

            fn numbers(&self) -> Vec<i64> {
                vec![self.get()]
            }

            fn from_numbers(numbers: &[i64]) -> Option<Self> {
                match numbers {
                    [id] => Self::new(*id).ok(),
                    _ => None,
                }
            }
        }
    )+};
}

id_cursors!(PointEntryId = 1, ProductId = 2, CouponId = 3);

impl Cursor for OrderCursor {
    const LIST: u8 = 4;

    fn numbers(&self) -> Vec<i64> {
        vec![self.ordered_at.millis(), self.id.get()]
    }

    fn from_numbers(numbers: &[i64]) -> Option<Self> {
        match *numbers {
            [millis, id] if (0..=Timestamp::MAX.millis()).contains(&millis) => {
                Some(Self { ordered_at: Timestamp::from_millis(millis), id: OrderId::new(id).ok()? })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_as_it_was() {
        let cursor = OrderCursor { ordered_at: Timestamp::from_millis(1_700_000_000_123), id: OrderId::new(42).unwrap() };
        assert_eq!(OrderCursor::decode(&cursor.encode()), Some(cursor));
    }

    #[test]
    fn a_cursor_of_another_list_or_a_broken_one_is_none() {
        let product = ProductId::new(7).unwrap().encode();
        assert_eq!(CouponId::decode(&product), None);
        for broken in ["", "!", "7", "AgAA", &format!("{product}A"), &product[..product.len() - 1]] {
            assert_eq!(ProductId::decode(broken), None, "{broken:?}");
        }
    }
}
