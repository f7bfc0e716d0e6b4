use super::{Carried, Told};
use crate::point::{ChargePoints, PointAccount, PointEntry, PointError};
use crate::store::{Store, StoreError};
use crate::{ID_MAX, Money, PointEntryId, UserId};
use std::collections::BTreeSet;

const PAGE_ROWS: u32 = 500;

/// What is wrong with the points of the users who charged, in words; nothing if it is as it would be had the commands come one after the other.
/// The idempotency key of each command has to be one of its own.
///
/// # Errors
/// Those of the store.
pub async fn judge_points(store: &dyn Store, told: &[(ChargePoints, Told<Result<Money, PointError>>)]) -> Result<Vec<String>, StoreError> {
    let mut wrong = Vec::new();
    let users: BTreeSet<UserId> = told.iter().map(|(command, _)| command.user_id).collect();
    for user in users {
        let (account, ledger) = read(store, user).await?;
        let mut carried = Carried::new();
        let (mut sum, mut largest) = (0_i64, 0_i64);
        for PointEntry { id, change } in &ledger {
            sum += change.kind.sign() * change.amount.krw();
            carried.add(change.idempotency_key.as_deref().unwrap_or_default(), sum);
            if sum != change.balance_after.krw() {
                wrong.push(format!("user {user}: entry {id} says {} are left but the ledger comes to {sum} there", change.balance_after));
            }
            largest = largest.max(sum);
        }
        let balance = account.as_ref().map_or(0, |account| account.balance.krw());
        if sum != balance {
            wrong.push(format!("user {user}: the balance is {balance} but the ledger sums to {sum}: an update was lost"));
        }
        for (command, told) in told.iter().filter(|(command, _)| command.user_id == user) {
            let mark = command.idempotency_key.as_deref().unwrap_or_default();
            let said = match told {
                Told::Verdict(Ok(balance)) => Told::Verdict(balance.krw()),
                Told::Verdict(Err(_)) | Told::Nothing => Told::Nothing,
                Told::Unknown => Told::Unknown,
            };
            wrong.extend(carried.compare(mark, &said).map(|wrong| format!("user {user}: {wrong}")));
            let fits = Money::new(largest.saturating_add(command.amount.amount().krw())).is_ok();
            if matches!(told, Told::Verdict(Err(_))) && account.is_some() && fits {
                wrong.push(format!("user {user}: {mark} was refused, and the balance was never too large"));
            }
        }
    }
    Ok(wrong)
}

/// The account of a user and its ledger, in the order of the changes.
async fn read(store: &dyn Store, user: UserId) -> Result<(Option<PointAccount>, Vec<PointEntry>), StoreError> {
    let mut snapshot = store.snapshot().await?;
    let before = UserId::new(user.get() - 1).ok();
    let account = snapshot.accounts(before, 1).await?.pop().filter(|account| account.user_id == user);
    let mut after = before.zip(PointEntryId::new(ID_MAX).ok());
    let mut ledger = Vec::new();
    loop {
        let page = snapshot.point_entries(after, PAGE_ROWS).await?;
        after = page.last().map(|entry| (entry.change.user_id, entry.id));
        ledger.extend(page.into_iter().filter(|entry| entry.change.user_id == user));
        if after.is_none_or(|(last, _)| last > user) {
            return Ok((account, ledger));
        }
    }
}
