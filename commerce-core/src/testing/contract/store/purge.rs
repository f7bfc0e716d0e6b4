use super::samples::{NOW, event, id, ids, seconds, write};
use crate::idempotency::{Claim, IdempotencyKey, IdempotencyRecord, KeyOwner, StoredAnswer};
use crate::messaging::Group;
use crate::store::Store;
use crate::{EventId, Timestamp};

fn record(number: i64, at: Timestamp) -> IdempotencyRecord {
    let key = IdempotencyKey::parse(&format!("key-{number}")).unwrap();
    let claim = Claim { owner: KeyOwner::Anyone, key, fingerprint: [0; 32] };
    IdempotencyRecord { claim, answer: StoredAnswer { status: 200, location: None, body: Vec::new() }, at }
}

/// An event that is sent, one that is noted as handled, and an answer, all at a time.
async fn happen(store: &dyn Store, number: i64, at: Timestamp) {
    write(store, async |uow| {
        uow.outbox().append(vec![event(number)]).await?;
        let claimed = uow.outbox().claim(at, at.plus(seconds(30)), 10).await?;
        uow.outbox().mark_sent(&[claimed[0].row], at).await?;
        uow.inbox().record(Group::Stock, &[id(number)], at).await?;
        uow.idempotency().insert(&[record(number, at)]).await
    })
    .await;
}

pub(super) async fn a_purge_deletes_what_is_older_and_keeps_the_rest(store: &dyn Store) {
    for number in 1..=4 {
        happen(store, number, NOW.plus(seconds(u64::try_from(number).unwrap()))).await;
    }
    let deleted = store.purge(NOW.plus(seconds(3)), 100).await.unwrap();
    assert!(deleted >= 4, "two rows of the inbox and two answers at least, not {deleted}");

    let fresh = write(store, async |uow| uow.inbox().record(Group::Stock, &ids(4), NOW).await).await;
    assert_eq!(fresh, ids::<EventId>(2), "what was handled before is forgotten");
    let claims: Vec<_> = (1..=4).map(|number| record(number, NOW).claim).collect();
    let left = write(store, async |uow| uow.idempotency().find(&claims).await).await;
    assert_eq!(left.len(), 2);
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
        assert!(deleted <= 3 * 2, "at most two rows of each kind, not {deleted}");
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
    assert_eq!(left.len(), 3);
}
