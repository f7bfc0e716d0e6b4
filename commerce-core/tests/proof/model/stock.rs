use commerce_core::order::Quantity;
use commerce_core::stock::{Stock, StockError, StockQuantity};
use commerce_core::{OptionId, OrderId, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;

const MOST: i64 = 1_000_000_000;

#[derive(Debug, Clone, Copy)]
enum Action {
    Reserve(i64),
    Release(u32),
    Adjust(i64),
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        prop_oneof![Just(1), Just(10_000), 1..=10_000_i64].prop_map(Action::Reserve),
        (1..=10_000_u32).prop_map(Action::Release),
        prop_oneof![Just(i64::MIN), Just(i64::MAX), -20_000..=20_000_i64, Just(MOST), Just(-MOST)].prop_map(Action::Adjust),
    ]
}

proptest! {
    #[test]
    fn stock_is_the_sum_of_its_ledger_and_never_leaves_its_bounds(
        start in prop_oneof![Just(0), Just(MOST), 0..20_000_i64, MOST - 20_000..=MOST],
        actions in vec(action(), 1..60),
    ) {
        let (now, order) = (Timestamp::from_millis(0), OrderId::new(1).unwrap());
        let (mut stock, first) = Stock::open(OptionId::new(1).unwrap(), StockQuantity::new(start).unwrap(), now);
        let mut ledger = i128::from(first.delta);
        for action in actions {
            let before = stock.clone();
            let (delta, outcome) = match action {
                Action::Reserve(units) => (-units, stock.reserve(Quantity::new(units).unwrap(), order, now)),
                Action::Release(units) => (i64::from(units), stock.release(units, order, now)),
                Action::Adjust(delta) => (delta, stock.adjust(delta, "count", now)),
            };
            if (0..=i128::from(MOST)).contains(&(ledger + i128::from(delta))) {
                let entry = outcome.expect("a change within the bounds is made");
                prop_assert_eq!(entry.delta, delta);
                ledger += i128::from(delta);
            } else {
                let sold_out = matches!(outcome, Err(StockError::OutOfStock { .. }));
                prop_assert_eq!(sold_out, matches!(action, Action::Reserve(_)));
                prop_assert!(outcome.is_err());
                prop_assert_eq!(&stock, &before, "a refusal changes nothing");
            }
            prop_assert_eq!(i128::from(stock.quantity.units()), ledger);
        }
    }
}
