use super::OrderError;
use crate::OptionId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const QUANTITY_MAX: i64 = 10_000;
const LINES_MAX: usize = 100;

/// Units of one line: 1–10,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Quantity(u16);

impl Quantity {
    /// Checks a number of units.
    ///
    /// # Errors
    /// [`OrderError::InvalidQuantity`] outside 1–10,000.
    pub fn new(units: i64) -> Result<Self, OrderError> {
        match u16::try_from(units) {
            Ok(small) if (1..=QUANTITY_MAX).contains(&units) => Ok(Self(small)),
            _ => Err(OrderError::InvalidQuantity),
        }
    }

    /// The number of units.
    pub const fn units(self) -> u32 {
        self.0 as u32
    }
}

impl TryFrom<i64> for Quantity {
    type Error = OrderError;
    fn try_from(units: i64) -> Result<Self, OrderError> {
        Self::new(units)
    }
}

impl From<Quantity> for i64 {
    fn from(quantity: Quantity) -> i64 {
        i64::from(quantity.0)
    }
}

/// What is asked for of one option.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderLine {
    /// The option.
    pub option_id: OptionId,
    /// How many units.
    pub quantity: Quantity,
}

/// The lines of an order: 1–100, ascending by option, each option once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<OrderLine>", into = "Vec<OrderLine>")]
pub struct OrderLines(Vec<OrderLine>);

impl OrderLines {
    /// Merges lines with the same option. The limits hold for what was sent and for what it comes to.
    ///
    /// # Errors
    /// [`OrderError::InvalidLineCount`] unless 1–100 lines were sent; [`OrderError::InvalidQuantity`] if a merged line passes 10,000 units.
    pub fn merge(sent: &[OrderLine]) -> Result<Self, OrderError> {
        if !(1..=LINES_MAX).contains(&sent.len()) {
            return Err(OrderError::InvalidLineCount);
        }
        let mut merged = BTreeMap::<OptionId, i64>::new();
        for line in sent {
            *merged.entry(line.option_id).or_default() += i64::from(line.quantity);
        }
        let lines = merged.into_iter().map(|(option_id, units)| Quantity::new(units).map(|quantity| OrderLine { option_id, quantity }));
        lines.collect::<Result<_, _>>().map(Self)
    }

    /// The lines, ascending by option.
    pub fn as_slice(&self) -> &[OrderLine] {
        &self.0
    }
}

impl TryFrom<Vec<OrderLine>> for OrderLines {
    type Error = OrderError;
    fn try_from(sent: Vec<OrderLine>) -> Result<Self, OrderError> {
        Self::merge(&sent)
    }
}

impl From<OrderLines> for Vec<OrderLine> {
    fn from(lines: OrderLines) -> Self {
        lines.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(option: i64, quantity: i64) -> OrderLine {
        OrderLine { option_id: OptionId::new(option).unwrap(), quantity: Quantity::new(quantity).unwrap() }
    }

    #[test]
    fn a_quantity_is_from_1_to_10000() {
        assert!(Quantity::new(0).is_err());
        assert!(Quantity::new(1).is_ok());
        assert!(Quantity::new(10_000).is_ok());
        assert!(Quantity::new(10_001).is_err());
        assert!(Quantity::new(65_537).is_err());
    }

    #[test]
    fn lines_with_the_same_option_are_merged() {
        let lines = OrderLines::merge(&[line(2, 1), line(1, 5), line(2, 3)]).unwrap();
        assert_eq!(lines.as_slice(), [line(1, 5), line(2, 4)]);
    }

    #[test]
    fn the_limits_hold_for_what_was_sent_and_for_what_it_comes_to() {
        assert_eq!(OrderLines::merge(&[]), Err(OrderError::InvalidLineCount));
        assert_eq!(OrderLines::merge(&vec![line(1, 1); 101]), Err(OrderError::InvalidLineCount));
        assert_eq!(OrderLines::merge(&[line(1, 10_000), line(1, 1)]), Err(OrderError::InvalidQuantity));
        assert!(OrderLines::merge(&vec![line(1, 100); 100]).is_ok());
    }

    #[test]
    fn lines_that_are_read_are_checked_like_lines_that_are_sent() {
        let read = |json: &str| serde_json::from_str::<OrderLines>(json);
        let twice = r#"[{"optionId":1,"quantity":2},{"optionId":1,"quantity":3}]"#;
        assert_eq!(read(twice).unwrap().as_slice(), [line(1, 5)]);
        assert!(read("[]").is_err());
        let lines = OrderLines::merge(&[line(2, 1), line(1, 5)]).unwrap();
        assert_eq!(read(&serde_json::to_string(&lines).unwrap()).unwrap(), lines);
    }
}
