use super::samples::{NOW, decided, event, id, ids, request, requests, seconds, write};
use crate::coupon::CouponRequest;
use crate::idempotency::{Claim, IdempotencyKey, IdempotencyRecord, KeyOwner, StoredAnswer};
use crate::messaging::Group;
use crate::store::Store;
use crate::{EventId, Timestamp};

fn record(number: i64, at: Timestamp) -> IdempotencyRecord {
    let key = IdempotencyKey::parse(&format!("key-{number}")).unwrap();
    let claim = Claim { owner: KeyOwner::Anyone, key, fingerprint: [0; 32] };
    IdempotencyRecord { claim, answer: StoredAnswer { status: 200, location: None, body: Vec::new() }, at }
}

/// An event that is sent, one that is noted as handled, a request that is decided, and an answer, all at a time.
async fn happen(store: &dyn Store, number: i64, at: Timestamp) {
    write(store, async |uow| {
        uow.outbox().append(vec![event(number)]).await?;
        let claimed = uow.outbox().claim(at, at.plus(seconds(30)), 10).await?;
        uow.outbox().mark_sent(&[claimed.rows[0].row], at).await?;
        uow.inbox().record(Group::Stock, &[id(number)], at).await?;
        uow.coupons().insert_requests(&[CouponRequest { admitted_at: at, ..decided(number) }]).await?;
        uow.idempotency().insert(&[record(number, at)]).await
    })
    .await;
}

pub(super) async fn a_purge_deletes_what_is_older_and_keeps_the_rest(store: &dyn Store) {
    for number in 1..=4 {
        happen(store, number, NOW.plus(seconds(u64::try_from(number).unwrap()))).await;
    }
    let deleted = store.purge(NOW.plus(seconds(3)), 100).await.unwrap();
    assert!(deleted >= 6, "two rows of the inbox, two requests and two answers at least, not {deleted}");

    let fresh = write(store, async |uow| uow.inbox().record(Group::Stock, &ids(4), NOW).await).await;
    assert_eq!(fresh, ids::<EventId>(2), "what was handled before is forgotten");
    let claims: Vec<_> = (1..=4).map(|number| record(number, NOW).claim).collect();
    let left = write(store, async |uow| uow.idempotency().find(&claims).await).await;
    assert_eq!(left.len(), 2);
    let requests = store.queries().coupon_requests(&ids(4)).await.unwrap();
    assert_eq!(requests.iter().map(|request| request.task_id.get()).collect::<Vec<_>>(), [3, 4]);
    assert!(left.iter().all(|record| record.at >= NOW.plus(seconds(3))));
}

pub(super) async fn a_purge_goes_in_steps_and_ends(store: &dyn Store) {
    for number in 1..=5 {
        happen(store, number, NOW).await;
    }
    let later = NOW.plus(seconds(1));
    let mut steps = 0;
    loop {
        let deleted = store.purge(later, 2).await.unwrap();
        assert!(deleted <= 4 * 2, "at most two rows of each kind, not {deleted}");
        if deleted == 0 {
            break;
        }
        steps += 1;
    }
    assert_eq!(steps, 3, "five rows, two at a time");
}

pub(super) async fn a_purge_keeps_what_is_not_sent(store: &dyn Store) {
    write(store, async |uow| uow.outbox().append((1..=3).map(event).collect()).await).await;
    store.purge(NOW.plus(seconds(1_000_000)), 100).await.unwrap();
    let left = write(store, async |uow| uow.outbox().claim(NOW, NOW.plus(seconds(30)), 10).await).await;
    assert_eq!(left.rows.len(), 3);
}

pub(super) async fn a_purge_keeps_requests_that_are_not_decided(store: &dyn Store) {
    write(store, async |uow| uow.coupons().insert_requests(&requests(1, 4)).await).await;
    write(store, async |uow| uow.coupons().save_requests(&[decided(2), decided(4)]).await).await;
    store.purge(NOW.plus(seconds(1_000_000)), 100).await.unwrap();
    assert_eq!(store.queries().coupon_requests(&ids(4)).await.unwrap(), [request(1), request(3)]);
}
