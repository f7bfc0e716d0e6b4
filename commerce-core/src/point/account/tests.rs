use super::*;

const NOW: Timestamp = Timestamp::from_millis(0);

fn account(balance: i64) -> PointAccount {
    PointAccount { balance: Money::new(balance).unwrap(), ..PointAccount::open(UserId::new(1).unwrap()) }
}

#[test]
fn a_charge_is_from_1000_to_1000000_inclusive() {
    assert_eq!(ChargeAmount::new(999), Err(PointError::InvalidAmount));
    assert!(ChargeAmount::new(1_000).is_ok());
    assert!(ChargeAmount::new(1_000_000).is_ok());
    assert_eq!(ChargeAmount::new(1_000_001), Err(PointError::InvalidAmount));
    assert_eq!(ChargeAmount::new(i64::MIN), Err(PointError::InvalidAmount));
}

#[test]
fn a_charge_raises_the_balance_and_says_so_in_the_ledger() {
    let mut account = account(500);
    let entry = account.charge(ChargeAmount::new(1_500).unwrap(), Some("key".into()), NOW).unwrap();
    assert_eq!((account.balance.krw(), entry.balance_after.krw(), entry.kind), (2_000, 2_000, PointKind::Charge));
    assert_eq!(entry.idempotency_key.as_deref(), Some("key"));
}

#[test]
fn a_balance_never_passes_the_largest_amount() {
    let mut account = account(Money::MAX.krw() - 999);
    assert_eq!(account.charge(ChargeAmount::new(1_000).unwrap(), None, NOW), Err(PointError::BalanceTooLarge));
    assert_eq!(account.balance.krw(), Money::MAX.krw() - 999);
}

#[test]
fn a_payment_never_takes_more_than_there_is() {
    let order = OrderId::new(7).unwrap();
    let mut account = account(100);
    let short = PointError::Insufficient { balance: Money::new(100).unwrap(), needed: Money::new(101).unwrap() };
    assert_eq!(account.pay(Money::new(101).unwrap(), order, NOW), Err(short));
    let entry = account.pay(Money::new(100).unwrap(), order, NOW).unwrap().unwrap();
    assert_eq!((account.balance, entry.balance_after, entry.order_id), (Money::ZERO, Money::ZERO, Some(order)));
}

#[test]
fn an_order_that_costs_nothing_leaves_no_entry() {
    let order = OrderId::new(7).unwrap();
    assert_eq!(account(0).pay(Money::ZERO, order, NOW), Ok(None));
    assert_eq!(account(0).refund(Money::ZERO, order, NOW), Ok(None));
}
