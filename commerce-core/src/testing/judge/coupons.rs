use super::{Refusals, Told};
use crate::coupon::{Coupon, IssueCoupon, IssueError, UserCoupon};
use crate::store::{Store, StoreError};
use crate::{CouponId, ID_MAX, UserCouponId, UserId};
use std::collections::{BTreeSet, HashMap};

const PAGE_ROWS: u32 = 500;

/// What is wrong with coupons that were issued at once, in words; nothing if it is as it would be had the commands come one after the other. The
/// id of each command has to be one of its own.
///
/// # Errors
/// Those of the store.
pub async fn judge_coupons(
    store: &dyn Store,
    told: &[(IssueCoupon, Told<Result<UserCoupon, IssueError>>)],
    refusals: Refusals,
) -> Result<Vec<String>, StoreError> {
    let mut wrong = Vec::new();
    let coupons: BTreeSet<CouponId> = told.iter().map(|(command, _)| command.coupon_id).collect();
    for id in coupons {
        let (coupon, held) = read(store, id).await?;
        let (issued, stock) = coupon.as_ref().map_or((0, 0), |coupon| (coupon.issued, coupon.initial_stock));
        if held.len() > usize::try_from(stock).unwrap_or(usize::MAX) {
            wrong.push(format!("coupon {id}: {} were issued, and there were {stock}", held.len()));
        }
        if Ok(issued) != u32::try_from(held.len()) {
            wrong.push(format!("coupon {id}: {} are held but {issued} are counted as issued: an update was lost", held.len()));
        }
        let places: Vec<u32> = held.iter().map(|held| held.position.get()).collect::<BTreeSet<_>>().into_iter().collect();
        if !places.iter().copied().eq((1..).take(held.len())) {
            wrong.push(format!("coupon {id}: the places are {places:?}"));
        }
        let users: BTreeSet<UserId> = held.iter().map(|held| held.user_id).collect();
        if users.len() < held.len() {
            wrong.push(format!("coupon {id}: somebody holds it twice"));
        }
        let held: HashMap<UserCouponId, UserCoupon> = held.into_iter().map(|held| (held.id, held)).collect();
        for (command, told) in told.iter().filter(|(command, _)| command.coupon_id == id) {
            let IssueCoupon { id: mark, user_id, .. } = command;
            match (told, held.get(mark)) {
                (Told::Verdict(Ok(_)), None) => wrong.push(format!("coupon {id}: {mark} was told that it was issued, and was not: lost")),
                (Told::Verdict(Ok(said)), Some(held)) if said != held => {
                    wrong.push(format!("coupon {id}: {mark} was told of {said:?}, and holds {held:?}"));
                }
                (Told::Verdict(Err(_)) | Told::Nothing, Some(_)) => {
                    wrong.push(format!("coupon {id}: {mark} was told that nothing was issued, and something was"));
                }
                (Told::Verdict(Err(IssueError::OutOfStock)), None) if issued < stock && refusals == Refusals::HaveReasons => {
                    wrong.push(format!("coupon {id}: {mark} was refused, and some are left"));
                }
                (Told::Verdict(Err(IssueError::Duplicated)), None) if !users.contains(user_id) => {
                    wrong.push(format!("coupon {id}: {mark} was refused because user {user_id} has it, who has not"));
                }
                _ => {}
            }
        }
    }
    Ok(wrong)
}

/// A coupon, and what was issued of it.
async fn read(store: &dyn Store, id: CouponId) -> Result<(Option<Coupon>, Vec<UserCoupon>), StoreError> {
    let mut snapshot = store.snapshot().await?;
    let before = CouponId::new(id.get() - 1).ok();
    let coupon = snapshot.coupons(before, 1).await?.pop().filter(|coupon| coupon.id == id);
    let mut after = before.zip(UserCouponId::new(ID_MAX).ok());
    let mut issued = Vec::new();
    loop {
        let page = snapshot.user_coupons(after, PAGE_ROWS).await?;
        after = page.last().map(|held| (held.coupon_id, held.id));
        issued.extend(page.into_iter().filter(|held| held.coupon_id == id));
        if after.is_none_or(|(last, _)| last > id) {
            return Ok((coupon, issued));
        }
    }
}
