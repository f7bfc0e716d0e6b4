//! A1: every balance is the sum of its ledger entries, and each entry's `balance after` is the running sum.

use super::scan::{PAGE_ROWS, Scan};
use super::{CheckId, Findings, Pass};
use crate::point::{PointAccount, PointEntry, PointKind};
use crate::store::StoreError;

pub(super) async fn check(pass: &mut Pass<'_>) -> Result<(), StoreError> {
    pass.reading = CheckId::A1;
    let mut accounts = Scan::new(|snapshot, after| snapshot.accounts(after, PAGE_ROWS), |account: &PointAccount| account.user_id);
    let mut entries =
        Scan::new(|snapshot, after| snapshot.point_entries(after, PAGE_ROWS), |entry: &PointEntry| (entry.change.user_id, entry.id));
    while let Some(account) = accounts.next(pass.snapshot.as_mut()).await? {
        while let Some(stray) = entries.next_if(pass.snapshot.as_mut(), |entry| entry.change.user_id < account.user_id).await? {
            report_stray(&mut pass.findings, &stray);
        }
        let mut ledger = Ledger::default();
        while let Some(entry) = entries.next_if(pass.snapshot.as_mut(), |entry| entry.change.user_id == account.user_id).await? {
            ledger.add(&entry);
        }
        ledger.compare(&account, &mut pass.findings);
        pass.report("point entries", entries.rows());
    }
    while let Some(stray) = entries.next(pass.snapshot.as_mut()).await? {
        report_stray(&mut pass.findings, &stray);
    }
    (pass.counts.accounts, pass.counts.point_entries) = (accounts.rows(), entries.rows());
    Ok(())
}

/// The entries of one account.
#[derive(Default)]
struct Ledger {
    sum: i128,
    /// What is wrong with the first entry that does not follow from those before.
    broken: Option<String>,
    /// Which entry belongs to an order although it is none of one, or the other way round.
    misplaced: Option<String>,
}

impl Ledger {
    fn add(&mut self, entry: &PointEntry) {
        let change = &entry.change;
        if self.misplaced.is_none() && (change.kind == PointKind::Charge) == change.order_id.is_some() {
            let named = if change.order_id.is_some() { "names an order" } else { "names no order" };
            self.misplaced = Some(format!("entry {} is a {} that {named}", entry.id, change.kind.as_str()));
        }
        self.sum += i128::from(change.kind.sign()) * i128::from(change.amount.krw());
        if self.broken.is_none() && self.sum != i128::from(change.balance_after.krw()) {
            self.broken = Some(format!("entry {} says {} are left but the entries sum to {}", entry.id, change.balance_after, self.sum));
        }
    }

    fn compare(self, account: &PointAccount, findings: &mut Findings) {
        let user = || format!("user {}", account.user_id);
        if self.sum != i128::from(account.balance.krw()) {
            findings.certain(CheckId::A1, user(), format!("the balance is {} but its ledger sums to {}", account.balance, self.sum));
        }
        if let Some(broken) = self.broken {
            findings.certain(CheckId::A1, user(), broken);
        }
        if let Some(misplaced) = self.misplaced {
            findings.certain(CheckId::A4, user(), misplaced);
        }
    }
}

fn report_stray(findings: &mut Findings, entry: &PointEntry) {
    let subject = format!("user {}", entry.change.user_id);
    findings.certain(CheckId::A1, subject, format!("entry {} belongs to no account", entry.id));
}
