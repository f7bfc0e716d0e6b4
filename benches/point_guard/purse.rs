//! Accounts that points are paid into.

use crate::guards::{Books, Goods};
use async_trait::async_trait;
use commerce_core::point::{Charge, ChargeAmount, ChargeInPlace, ChargePoints, PointAccount, PointError};
use commerce_core::store::{Store, StoreError};
use commerce_core::{Clock, Money, Timestamp, UserId};
use std::ops::Range;
use std::sync::Arc;

const PAGE_ROWS: u32 = 5_000;
const OPENED_TOGETHER: usize = 500;

pub(super) struct Purse;

#[async_trait]
impl Goods for Purse {
    const BENCH: &'static str = "point_guard";
    const CHANGE: i64 = 1_000;

    type UseCase = Charge;
    type InPlace = ChargeInPlace;
    type Read = PointAccount;

    fn use_case(clock: Arc<dyn Clock>) -> Charge {
        Charge { clock }
    }

    fn in_place(clock: Arc<dyn Clock>) -> ChargeInPlace {
        ChargeInPlace { clock }
    }

    fn command(row: i64) -> ChargePoints {
        ChargePoints { user_id: user(row), amount: amount(), idempotency_key: None }
    }

    fn is_done(verdict: &Result<Money, PointError>) -> bool {
        verdict.is_ok()
    }

    async fn open(store: &dyn Store, rows: Range<i64>, _sold_out: bool) -> Result<(), StoreError> {
        let accounts: Vec<PointAccount> = rows.map(|row| PointAccount::open(user(row))).collect();
        for accounts in accounts.chunks(OPENED_TOGETHER) {
            let mut uow = store.begin().await?;
            uow.points().open(accounts).await?;
            uow.commit().await?;
        }
        Ok(())
    }

    async fn read(store: &dyn Store, row: i64) -> Result<PointAccount, StoreError> {
        let mut uow = store.begin_unlocked().await?;
        uow.points().lock(&[user(row)]).await?.pop().ok_or(StoreError::Conflict)
    }

    async fn overwrite(store: &dyn Store, row: i64, mut read: PointAccount) -> Result<(), StoreError> {
        let entry = read.charge(amount(), None, Timestamp::from_millis(0)).map_err(|refusal| StoreError::Backend(refusal.into()))?;
        let mut uow = store.begin().await?;
        let now = uow.points().lock(&[user(row)]).await?.pop().ok_or(StoreError::Conflict)?;
        uow.points().save(&[PointAccount { version: now.version, ..read }], &[entry]).await?;
        uow.commit().await
    }

    async fn books(store: &dyn Store) -> Result<Books, StoreError> {
        let (mut snapshot, mut books) = (store.snapshot().await?, Books::new());
        let mut after = None;
        loop {
            let page = snapshot.accounts(after, PAGE_ROWS).await?;
            after = page.last().map(|account| account.user_id);
            for account in &page {
                books.entry(account.user_id.get()).or_default().changed = account.balance.krw();
            }
            if after.is_none() {
                break;
            }
        }
        let mut after = None;
        loop {
            let page = snapshot.point_entries(after, PAGE_ROWS).await?;
            after = page.last().map(|entry| (entry.change.user_id, entry.id));
            for entry in &page {
                let account = books.entry(entry.change.user_id.get()).or_default();
                account.ledger += entry.change.kind.sign() * entry.change.amount.krw();
                account.lines += 1;
            }
            if after.is_none() {
                return Ok(books);
            }
        }
    }
}

fn user(row: i64) -> UserId {
    UserId::new(row).expect("an id")
}

fn amount() -> ChargeAmount {
    ChargeAmount::new(Purse::CHANGE).expect("an amount")
}
