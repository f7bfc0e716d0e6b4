//! A5: of every coupon as many are issued as users hold, no more than there are, and each place is given once.

use super::scan::{PAGE_ROWS, Scan};
use super::{CheckId, Findings, Pass, coupon_use};
use crate::coupon::{Coupon, Position, UserCoupon};
use crate::store::StoreError;
use std::collections::BTreeMap;

/// Goes through coupons and user coupons side by side; user coupons are checked for A6 on the way.
pub(super) async fn check(pass: &mut Pass<'_>) -> Result<(), StoreError> {
    pass.reading = CheckId::A5;
    let mut coupons = Scan::new(|snapshot, after| snapshot.coupons(after, PAGE_ROWS), |coupon: &Coupon| coupon.id);
    let mut user_coupons =
        Scan::new(|snapshot, after| snapshot.user_coupons(after, PAGE_ROWS), |held: &UserCoupon| (held.coupon_id, held.id));
    let mut page = Vec::new();
    while let Some(coupon) = coupons.next(pass.snapshot.as_mut()).await? {
        while let Some(stray) = user_coupons.next_if(pass.snapshot.as_mut(), |held| held.coupon_id < coupon.id).await? {
            report_stray(&mut pass.findings, &stray);
        }
        let (mut count, mut places) = (0_u64, Places::default());
        while let Some(held) = user_coupons.next_if(pass.snapshot.as_mut(), |held| held.coupon_id == coupon.id).await? {
            count += 1;
            if !places.take(held.position) {
                let detail = format!("place {} of coupon {} is given twice", held.position.get(), coupon.id);
                pass.findings.certain(CheckId::A5, format!("user coupon {}", held.id), detail);
            }
            page.push(held);
            if page.len() == PAGE_ROWS as usize {
                coupon_use::check_user_coupons(pass, &std::mem::take(&mut page)).await?;
            }
        }
        compare(&coupon, count, &mut pass.findings);
        pass.report("user coupons", user_coupons.rows());
    }
    while let Some(stray) = user_coupons.next(pass.snapshot.as_mut()).await? {
        report_stray(&mut pass.findings, &stray);
    }
    coupon_use::check_user_coupons(pass, &page).await?;
    (pass.counts.coupons, pass.counts.user_coupons) = (coupons.rows(), user_coupons.rows());
    Ok(())
}

fn compare(coupon: &Coupon, held: u64, findings: &mut Findings) {
    let Coupon { id, issued, initial_stock, .. } = *coupon;
    let subject = || format!("coupon {id}");
    if u64::from(issued) != held {
        findings.certain(CheckId::A5, subject(), format!("{issued} are issued but users hold {held}"));
    }
    if issued > initial_stock || held > u64::from(initial_stock) {
        findings.certain(CheckId::A5, subject(), format!("{held} of {initial_stock} are in users' hands"));
    }
}

fn report_stray(findings: &mut Findings, held: &UserCoupon) {
    let detail = format!("it is of coupon {}, which does not exist", held.coupon_id);
    findings.certain(CheckId::A5, format!("user coupon {}", held.id), detail);
}

/// The places of one coupon that were seen: a bit each, so that a hundred million of them fit in memory.
#[derive(Default)]
struct Places(BTreeMap<u32, Box<[u64; 64]>>);

impl Places {
    /// Whether a place is seen for the first time.
    fn take(&mut self, position: Position) -> bool {
        let (block, bit) = (position.get() / 4_096, position.get() % 4_096);
        let words = self.0.entry(block).or_insert_with(|| Box::new([0; 64]));
        let word = &mut words[bit as usize / 64];
        let mask = 1 << (bit % 64);
        let first = *word & mask == 0;
        *word |= mask;
        first
    }
}
