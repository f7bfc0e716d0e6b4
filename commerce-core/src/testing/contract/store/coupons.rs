use super::samples::{BATCHES, NOW, at_once, attempt, coupon, id, ids, krw, order, seconds, user_coupon, with_coupons, with_users, write};
use crate::Money;
use crate::coupon::{Coupon, CouponName, Discount, Position, UserCoupon, UserCouponState};
use crate::store::{PageLimit, Store, StoreError};

async fn issue(store: &dyn Store, user_coupons: &[UserCoupon]) -> Result<(), StoreError> {
    attempt(store, async |uow| uow.coupons().issue(user_coupons).await).await
}

fn is_duplicate(outcome: &Result<(), StoreError>) -> bool {
    matches!(outcome, Err(StoreError::Duplicate { .. }))
}

pub(super) async fn coupons_come_back_as_they_were_written_in_batches_of_any_size(store: &dyn Store) {
    let mut first = 1;
    for size in BATCHES {
        let coupons: Vec<Coupon> = (first..first + size).map(coupon).collect();
        let mut wanted: Vec<_> = coupons.iter().map(|coupon| coupon.id).rev().collect();
        wanted.extend([wanted[0], id(1_000_000)]);
        let locked = write(store, async |uow| {
            uow.coupons().insert(&coupons).await?;
            uow.coupons().lock(&wanted).await
        })
        .await;
        assert_eq!(locked, coupons);
        first += size;
    }
}

pub(super) async fn a_coupon_whose_id_exists_is_refused(store: &dyn Store) {
    with_coupons(store, 1).await;
    let refused = attempt(store, async |uow| uow.coupons().insert(&[coupon(1)]).await).await;
    assert!(is_duplicate(&refused), "{refused:?}");
}

pub(super) async fn coupons_are_taken_while_they_last(store: &dyn Store) {
    with_coupons(store, 2).await;
    let take = async |number: i64, count: u32| write(store, async |uow| uow.coupons().take(id(number), count).await).await;
    assert!(take(1, 3).await);
    assert!(!take(1, 998).await, "997 are left");
    assert!(take(1, 997).await);
    assert!(!take(1, 1).await);
    assert!(take(1, 0).await);
    assert!(!take(3, 1).await, "there is no such coupon");
    let issued = |coupon: &Coupon| coupon.issued;
    assert_eq!(write(store, async |uow| uow.coupons().lock(&ids(2)).await).await.iter().map(issued).collect::<Vec<_>>(), [1_000, 0]);
}

pub(super) async fn no_more_coupons_are_taken_than_there_are_by_many_at_once(store: &dyn Store) {
    with_coupons(store, 1).await;
    write(store, async |uow| uow.coupons().take(id(1), 990).await).await;
    let taken = at_once(20, async || attempt(store, async |uow| uow.coupons().take(id(1), 1).await).await).await;
    assert_eq!(taken.iter().filter(|taken| **taken).count(), 10);
}

pub(super) async fn user_coupons_come_back_as_they_were_written_in_batches_of_any_size(store: &dyn Store) {
    with_users(store, 300).await;
    with_coupons(store, 4).await;
    for (number, size) in (1..).zip(BATCHES) {
        let shift = 1_000 * number;
        let issued = (1..=size).map(|user| UserCoupon { id: id(user + shift), task_id: id(user + shift), ..user_coupon(user, number) });
        let issued: Vec<UserCoupon> = issued.collect();
        let mut wanted: Vec<_> = issued.iter().map(|held| held.id).rev().collect();
        wanted.extend([wanted[0], id(1_000_000)]);
        let locked = write(store, async |uow| {
            uow.coupons().issue(&issued).await?;
            uow.coupons().lock_user_coupons(&wanted).await
        })
        .await;
        assert_eq!(locked, issued.into_iter().map(|held| (held, coupon(number))).collect::<Vec<_>>());
    }
}

pub(super) async fn a_user_holds_each_coupon_once(store: &dyn Store) {
    with_users(store, 2).await;
    with_coupons(store, 2).await;
    issue(store, &[user_coupon(1, 1)]).await.unwrap();
    let again = UserCoupon { user_id: id(1), ..user_coupon(2, 1) };
    let refused = issue(store, std::slice::from_ref(&again)).await;
    assert!(is_duplicate(&refused), "{refused:?}");
    issue(store, &[UserCoupon { coupon_id: id(2), ..again }]).await.unwrap();
    assert_eq!(store.queries().user_coupons(id(1)).await.unwrap().len(), 2);
}

pub(super) async fn a_position_is_given_once_for_each_coupon(store: &dyn Store) {
    with_users(store, 3).await;
    with_coupons(store, 2).await;
    issue(store, &[user_coupon(1, 1)]).await.unwrap();
    let same_place = UserCoupon { position: Position::new(1).unwrap(), ..user_coupon(2, 1) };
    let refused = issue(store, std::slice::from_ref(&same_place)).await;
    assert!(is_duplicate(&refused), "{refused:?}");
    issue(store, &[UserCoupon { coupon_id: id(2), ..same_place }]).await.unwrap();
}

pub(super) async fn one_duplicate_refuses_the_whole_batch(store: &dyn Store) {
    with_users(store, 300).await;
    with_coupons(store, 1).await;
    let mut batch: Vec<_> = (1..=300).map(|number| user_coupon(number, 1)).collect();
    batch[299].user_id = id(1);
    let refused = issue(store, &batch).await;
    assert!(is_duplicate(&refused), "{refused:?}");
    assert!(store.queries().user_coupons(id(1)).await.unwrap().is_empty());
    issue(store, &batch[..299]).await.unwrap();
}

pub(super) async fn a_user_coupon_is_used_and_given_back_in_batches_of_any_size(store: &dyn Store) {
    with_users(store, 300).await;
    with_coupons(store, 1).await;
    write(store, async |uow| uow.orders().insert(&[order(1)]).await).await;
    let issued: Vec<_> = (1..=300).map(|number| user_coupon(number, 1)).collect();
    issue(store, &issued).await.unwrap();
    let states = [UserCouponState::Used { order_id: id(1), at: NOW.plus(seconds(1)) }, UserCouponState::Issued];
    for (size, state) in BATCHES.into_iter().flat_map(|size| states.map(|state| (size, state))) {
        let size = usize::try_from(size).unwrap();
        let changed: Vec<_> = issued.iter().take(size).map(|held| UserCoupon { state, ..held.clone() }).collect();
        write(store, async |uow| uow.coupons().save_user_coupons(&changed).await).await;
        let wanted: Vec<_> = changed.iter().map(|held| held.id).collect();
        let stored = write(store, async |uow| uow.coupons().lock_user_coupons(&wanted).await).await;
        assert_eq!(stored.into_iter().map(|(held, _)| held).collect::<Vec<_>>(), changed);
    }
}

pub(super) async fn an_unknown_user_coupon_cannot_be_saved(store: &dyn Store) {
    let refused = attempt(store, async |uow| uow.coupons().save_user_coupons(&[user_coupon(1, 1)]).await).await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
}

pub(super) async fn what_a_user_holds_is_listed_ascending_with_its_coupons(store: &dyn Store) {
    with_users(store, 2).await;
    with_coupons(store, 3).await;
    let held = |number: i64, coupon: i64| UserCoupon { user_id: id(1), ..user_coupon(number, coupon) };
    issue(store, &[held(9, 1), held(7, 2), held(8, 3)]).await.unwrap();
    let listed = store.queries().user_coupons(id(1)).await.unwrap();
    assert_eq!(listed, [(held(7, 2), coupon(2)), (held(8, 3), coupon(3)), (held(9, 1), coupon(1))]);
    assert!(store.queries().user_coupons(id(2)).await.unwrap().is_empty());
    assert_eq!(store.queries().user_coupon_of_task(id(8)).await.unwrap(), Some(held(8, 3)));
    assert_eq!(store.queries().user_coupon_of_task(id(1)).await.unwrap(), None);
}

pub(super) async fn coupons_are_paged_ascending_by_id(store: &dyn Store) {
    with_coupons(store, 41).await;
    let limit = PageLimit::new(40).unwrap();
    let first = store.queries().coupons(None, limit).await.unwrap();
    assert_eq!(first.items, (1..=40).map(coupon).collect::<Vec<_>>());
    let second = store.queries().coupons(first.next, limit).await.unwrap();
    assert_eq!((second.items, second.next), (vec![coupon(41)], None));
    assert_eq!(store.queries().coupon(id(7)).await.unwrap(), Some(coupon(7)));
    assert_eq!(store.queries().coupon(id(99)).await.unwrap(), None);
}

pub(super) async fn extreme_coupons_come_back_as_they_were(store: &dyn Store) {
    let name = CouponName::parse(&"🎟".repeat(20)).unwrap();
    let extreme = Coupon { name, discount: Discount::Fixed(Money::MAX), initial_stock: 100_000_000, issued: 100_000_000, ..coupon(1) };
    let smallest = Coupon { discount: Discount::Fixed(krw(1)), initial_stock: 0, opens_at: None, ..coupon(2) };
    let percent = Coupon { discount: Discount::Percent(100), expires_at: crate::Timestamp::MAX, ..coupon(3) };
    let coupons = [extreme, smallest, percent];
    write(store, async |uow| uow.coupons().insert(&coupons).await).await;
    assert_eq!(write(store, async |uow| uow.coupons().lock(&ids(3)).await).await, coupons);
}
