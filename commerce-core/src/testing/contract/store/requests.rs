use super::samples::{BATCHES, NOW, attempt, decided, id, ids, request, requests, seconds, user_coupon, with_coupons, with_users, write};
use crate::coupon::{CouponRequest, Position, RequestOutcome, UserCoupon};
use crate::store::{Store, StoreError};
use crate::{CouponId, ErrorCode, TaskId, UserId};

/// A page that does not divide anything evenly.
const PAGE: u32 = 7;

fn place(number: u32) -> Position {
    Position::new(number).unwrap()
}

fn tasks(requests: &[CouponRequest]) -> Vec<TaskId> {
    requests.iter().map(|request| request.task_id).collect()
}

async fn lock(store: &dyn Store, tasks: &[TaskId]) -> Vec<CouponRequest> {
    write(store, async |uow| uow.coupons().lock_requests(tasks).await).await
}

async fn insert(store: &dyn Store, requests: &[CouponRequest]) {
    write(store, async |uow| uow.coupons().insert_requests(requests).await).await;
}

async fn issue(store: &dyn Store, issued: &[UserCoupon]) {
    write(store, async |uow| uow.coupons().issue(issued).await).await;
}

pub(super) async fn requests_come_back_as_they_were_written_in_batches_of_any_size(store: &dyn Store) {
    let mut first = 1;
    for size in BATCHES {
        let added = requests(first, size);
        insert(store, &added).await;
        let mut wanted = tasks(&added);
        wanted.reverse();
        wanted.extend([wanted[0], id(1_000_000)]);
        assert_eq!(lock(store, &wanted).await, added, "ascending, each once, without unknown ones");
        assert_eq!(store.queries().coupon_requests(&wanted).await.unwrap(), added);
        first += size;
    }
}

pub(super) async fn a_request_whose_task_exists_is_refused(store: &dyn Store) {
    insert(store, &[request(1)]).await;
    let refused = attempt(store, async |uow| uow.coupons().insert_requests(&[request(2), request(1)]).await).await;
    assert!(matches!(refused, Err(StoreError::Duplicate { .. })), "{refused:?}");
    assert!(lock(store, &[id(2)]).await.is_empty(), "all or nothing");
}

pub(super) async fn outcomes_are_written_in_batches_of_any_size(store: &dyn Store) {
    insert(store, &requests(1, 300)).await;
    for (size, later) in BATCHES.into_iter().zip(1..) {
        let at = NOW.plus(seconds(later));
        let outcomes = [
            RequestOutcome::Issued { at },
            RequestOutcome::Failed { code: ErrorCode::OutOfStockCoupon, at },
            RequestOutcome::Failed { code: ErrorCode::DuplicatedCoupon, at },
        ];
        let mut decided = requests(1, size);
        for (request, outcome) in decided.iter_mut().zip(outcomes.into_iter().cycle()) {
            (request.position, request.outcome) = (place(request.position.get() + 1_000), outcome);
        }
        write(store, async |uow| uow.coupons().save_requests(&decided).await).await;
        assert_eq!(lock(store, &tasks(&decided)).await, decided);
    }
}

pub(super) async fn an_unknown_request_cannot_be_saved(store: &dyn Store) {
    insert(store, &[request(1)]).await;
    let refused = attempt(store, async |uow| uow.coupons().save_requests(&[decided(1), decided(2)]).await).await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
    assert_eq!(lock(store, &ids(2)).await, [request(1)]);
}

pub(super) async fn pending_requests_are_paged_ascending_by_task_without_decided_ones(store: &dyn Store) {
    insert(store, &requests(1, 30)).await;
    let saved: Vec<_> = (1..=30).filter(|number| number % 3 == 0).map(decided).collect();
    write(store, async |uow| uow.coupons().save_requests(&saved).await).await;
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = store.queries().pending_requests(after, PAGE).await.unwrap();
        assert!(page.len() <= 7, "a page is too long");
        let Some(last) = page.last() else { break };
        after = Some(last.task_id);
        found.extend(page);
    }
    let pending: Vec<_> = (1..=30).filter(|number| number % 3 != 0).map(request).collect();
    assert_eq!(found, pending);
    let mut snapshot = store.snapshot().await.unwrap();
    assert_eq!(snapshot.pending_requests(PAGE).await.unwrap(), pending[..7]);
    assert_eq!(snapshot.pending_requests(100).await.unwrap(), pending);
}

/// What is issued to a user, with ids of its own for each coupon.
fn held(user: i64, coupon: i64) -> UserCoupon {
    UserCoupon { id: id(user * 10 + coupon), task_id: id(user * 10 + coupon), ..user_coupon(user, coupon) }
}

pub(super) async fn holders_are_found_by_coupon_and_user_in_batches_of_any_size(store: &dyn Store) {
    with_users(store, 300).await;
    with_coupons(store, 3).await;
    // Coupon 1 is in the hands of users with even ids, coupon 2 in those of users whose ids are multiples of three.
    let even = (1..=300).filter(|user| user % 2 == 0).map(|user| held(user, 1));
    let issued: Vec<_> = even.chain((1..=300).filter(|user| user % 3 == 0).map(|user| held(user, 2))).collect();
    issue(store, &issued).await;
    for size in BATCHES {
        let pairs: Vec<(CouponId, UserId)> = (1..=size).flat_map(|user| [1, 2, 3].map(|coupon| (id(coupon), id(user)))).collect();
        let mut found = write(store, async |uow| uow.coupons().holders(&pairs).await).await;
        found.sort_unstable();
        let mut expected: Vec<_> =
            issued.iter().filter(|held| held.user_id <= id(size)).map(|held| (held.coupon_id, held.user_id)).collect();
        expected.sort_unstable();
        assert_eq!(found, expected);
    }
}

pub(super) async fn a_holder_of_one_coupon_holds_no_other(store: &dyn Store) {
    with_users(store, 2).await;
    with_coupons(store, 2).await;
    issue(store, &[held(1, 1), held(2, 2)]).await;
    let pairs = [(id(1), id(2)), (id(2), id(1))];
    assert!(write(store, async |uow| uow.coupons().holders(&pairs).await).await.is_empty());
}

pub(super) async fn given_places_are_found_in_batches_of_any_size(store: &dyn Store) {
    with_users(store, 300).await;
    with_coupons(store, 2).await;
    let issued: Vec<_> = (1..=300).filter(|number| number % 2 == 0).map(|number| held(number, 1)).collect();
    issue(store, &issued).await;
    for size in BATCHES {
        let places: Vec<(CouponId, Position)> = (1..=u32::try_from(size).unwrap()).map(|number| (id(1), place(number))).collect();
        let mut found = write(store, async |uow| uow.coupons().places_given(&places).await).await;
        found.sort_unstable();
        let even: Vec<_> = places.into_iter().filter(|(_, place)| place.get() % 2 == 0).collect();
        assert_eq!(found, even);
    }
    let elsewhere = [(id(2), place(2))];
    assert!(write(store, async |uow| uow.coupons().places_given(&elsewhere).await).await.is_empty());
}

pub(super) async fn the_last_place_is_that_of_the_coupon(store: &dyn Store) {
    with_users(store, 3).await;
    with_coupons(store, 3).await;
    let last = UserCoupon { position: place(u32::MAX), ..held(3, 3) };
    issue(store, &[UserCoupon { position: place(70), ..held(1, 1) }, held(2, 1), last]).await;
    let found = write(store, async |uow| {
        let coupons = uow.coupons();
        Ok([coupons.last_place(id(1)).await?, coupons.last_place(id(2)).await?, coupons.last_place(id(3)).await?])
    });
    assert_eq!(found.await, [Some(place(70)), None, Some(place(u32::MAX))]);
}

pub(super) async fn what_was_issued_of_a_coupon_is_paged_ascending_by_id(store: &dyn Store) {
    with_users(store, 20).await;
    with_coupons(store, 3).await;
    let of_first: Vec<_> = (1..=20).map(|user| held(user, 1)).collect();
    let of_second: Vec<_> = (1..=20).map(|user| held(user, 2)).collect();
    issue(store, &of_second).await;
    issue(store, &of_first.iter().rev().cloned().collect::<Vec<_>>()).await;
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = store.queries().issued_of(id(1), after, PAGE).await.unwrap();
        assert!(page.len() <= 7, "a page is too long");
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        found.extend(page);
    }
    assert_eq!(found, of_first);
    assert!(store.queries().issued_of(id(3), None, PAGE).await.unwrap().is_empty());
}
