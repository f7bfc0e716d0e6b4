use commerce_core::point::{ChargeAmount, PointAccount, PointError, PointKind};
use commerce_core::{Money, OrderId, Timestamp, UserId};
use proptest::collection::vec;
use proptest::prelude::*;

const MOST: i128 = 9_007_199_254_740_991;

#[derive(Debug, Clone, Copy)]
enum Action {
    Charge(i64),
    Pay(i64),
    Refund(i64),
}

/// Amounts, of which many lie at a bound.
fn amount() -> impl Strategy<Value = i64> {
    let most = i64::try_from(MOST).unwrap();
    prop_oneof![Just(0), Just(1), 0..2_000_000_i64, Just(most), most - 2_000_000..=most]
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        prop_oneof![Just(1_000), Just(1_000_000), 1_000..=1_000_000_i64].prop_map(Action::Charge),
        amount().prop_map(Action::Pay),
        amount().prop_map(Action::Refund),
    ]
}

proptest! {
    #[test]
    fn a_balance_is_the_sum_of_its_ledger_and_never_leaves_its_bounds(start in amount(), actions in vec(action(), 1..60)) {
        let (now, order) = (Timestamp::from_millis(0), OrderId::new(1).unwrap());
        let mut account = PointAccount { balance: Money::new(start).unwrap(), ..PointAccount::open(UserId::new(1).unwrap()) };
        let mut model = i128::from(start);
        for action in actions {
            let before = account.clone();
            let (delta, outcome) = match action {
                Action::Charge(points) => {
                    (i128::from(points), account.charge(ChargeAmount::new(points).unwrap(), None, now).map(Some))
                }
                Action::Pay(points) => (-i128::from(points), account.pay(Money::new(points).unwrap(), order, now)),
                Action::Refund(points) => (i128::from(points), account.refund(Money::new(points).unwrap(), order, now)),
            };
            if (0..=MOST).contains(&(model + delta)) {
                model += delta;
                let entry = outcome.expect("a change within the bounds is made");
                prop_assert_eq!(entry.is_some(), delta != 0, "a ledger entry says why");
                if let Some(entry) = entry {
                    prop_assert_eq!(i128::from(entry.kind.sign() * entry.amount.krw()), delta);
                    prop_assert_eq!(entry.balance_after, account.balance);
                    prop_assert_eq!(entry.order_id.is_none(), entry.kind == PointKind::Charge);
                }
            } else {
                let too_little = matches!(outcome, Err(PointError::Insufficient { .. }));
                prop_assert_eq!(too_little, delta < 0);
                prop_assert!(outcome.is_err());
                prop_assert_eq!(&account, &before, "a refusal changes nothing");
            }
            prop_assert_eq!(i128::from(account.balance.krw()), model);
        }
    }
}
