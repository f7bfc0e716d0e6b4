use super::samples::{BATCHES, NOW, attempt, id, seconds, with_users, write};
use crate::idempotency::{Claim, IdempotencyKey, IdempotencyRecord, KeyOwner, StoredAnswer};
use crate::store::{Store, StoreError};

fn record(number: i64, owner: KeyOwner) -> IdempotencyRecord {
    let key = IdempotencyKey::parse(&format!("key {number}")).unwrap();
    let fingerprint = [u8::try_from(number % 256).unwrap(); 32];
    let location = (number % 2 == 0).then(|| format!("/api/orders/{number}"));
    let answer = StoredAnswer { status: 201, location, body: format!("{{\"id\":{number}}}").into_bytes() };
    IdempotencyRecord { claim: Claim { owner, key, fingerprint }, answer, at: NOW }
}

async fn find(store: &dyn Store, claims: &[Claim]) -> Vec<IdempotencyRecord> {
    let mut found = write(store, async |uow| uow.idempotency().find(claims).await).await;
    found.sort_by_key(|record| (record.claim.owner, record.answer.body.len(), record.answer.body.clone()));
    found
}

pub(super) async fn answers_come_back_word_for_word_in_batches_of_any_size(store: &dyn Store) {
    let mut first = 1_000;
    for size in BATCHES {
        let records: Vec<_> = (first..first + size).map(|number| record(number, KeyOwner::Anyone)).collect();
        write(store, async |uow| uow.idempotency().insert(&records).await).await;
        let mut claims: Vec<_> = records.iter().map(|record| record.claim.clone()).rev().collect();
        claims.push(record(1, KeyOwner::Anyone).claim);
        assert_eq!(find(store, &claims).await, records, "unknown keys are left out");
        first += size;
    }
}

pub(super) async fn the_same_key_of_two_owners_names_two_changes(store: &dyn Store) {
    with_users(store, 2).await;
    let owners = [KeyOwner::Anyone, KeyOwner::User(id(1)), KeyOwner::User(id(2))];
    let records = owners.map(|owner| record(7, owner));
    write(store, async |uow| uow.idempotency().insert(&records).await).await;
    for record in &records {
        assert_eq!(find(store, std::slice::from_ref(&record.claim)).await, std::slice::from_ref(record));
    }
}

pub(super) async fn keys_that_differ_in_case_or_spaces_are_two(store: &dyn Store) {
    let named = |text: &str, status: u16| {
        let mut record = record(1, KeyOwner::Anyone);
        record.claim.key = IdempotencyKey::parse(text).unwrap();
        record.answer.status = status;
        record
    };
    let records = [named("key", 201), named("KEY", 202), named("key ", 203), named(" key", 204)];
    write(store, async |uow| uow.idempotency().insert(&records).await).await;
    for record in &records {
        assert_eq!(find(store, std::slice::from_ref(&record.claim)).await, std::slice::from_ref(record));
    }
}

pub(super) async fn a_key_that_an_owner_has_is_refused_whatever_its_fingerprint(store: &dyn Store) {
    write(store, async |uow| uow.idempotency().insert(&[record(1, KeyOwner::Anyone)]).await).await;
    let mut other = record(1, KeyOwner::Anyone);
    other.claim.fingerprint = [9; 32];
    let refused = attempt(store, async |uow| uow.idempotency().insert(&[record(2, KeyOwner::Anyone), other.clone()]).await).await;
    assert!(matches!(refused, Err(StoreError::Duplicate { .. })), "{refused:?}");
    assert!(find(store, &[record(2, KeyOwner::Anyone).claim]).await.is_empty(), "all or nothing");
    assert_eq!(find(store, &[other.claim]).await, [record(1, KeyOwner::Anyone)], "fingerprints are not compared");
}

pub(super) async fn an_answer_is_replaced(store: &dyn Store) {
    write(store, async |uow| uow.idempotency().insert(&[record(1, KeyOwner::Anyone), record(2, KeyOwner::Anyone)]).await).await;
    let answer = StoredAnswer { status: 409, location: Some("/elsewhere".to_owned()), body: vec![0, 255, b'\'', b'\\'] };
    let replaced = IdempotencyRecord { answer, at: NOW.plus(seconds(1)), ..record(1, KeyOwner::Anyone) };
    write(store, async |uow| uow.idempotency().replace(&replaced).await).await;
    let stored = find(store, std::slice::from_ref(&replaced.claim)).await;
    assert_eq!(stored.iter().map(|record| &record.answer).collect::<Vec<_>>(), [&replaced.answer]);
    assert_eq!(find(store, &[record(2, KeyOwner::Anyone).claim]).await, [record(2, KeyOwner::Anyone)]);
}

pub(super) async fn an_answer_that_was_not_given_cannot_be_replaced(store: &dyn Store) {
    let refused = attempt(store, async |uow| uow.idempotency().replace(&record(1, KeyOwner::Anyone)).await).await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
}

pub(super) async fn the_answer_of_a_key_is_found_whatever_its_fingerprint(store: &dyn Store) {
    with_users(store, 1).await;
    let records = [record(1, KeyOwner::Anyone), record(1, KeyOwner::User(id(1))), record(2, KeyOwner::User(id(1)))];
    write(store, async |uow| uow.idempotency().insert(&records).await).await;
    for record in records {
        let claim = Claim { fingerprint: [9; 32], ..record.claim.clone() };
        assert_eq!(store.queries().idempotency_record(&claim).await.unwrap(), Some(record));
    }
    for unknown in [record(2, KeyOwner::Anyone), record(3, KeyOwner::User(id(1)))] {
        assert_eq!(store.queries().idempotency_record(&unknown.claim).await.unwrap(), None);
    }
}

pub(super) async fn the_longest_key_and_a_large_body_come_back_as_they_were(store: &dyn Store) {
    let mut large = record(1, KeyOwner::User(id(1)));
    with_users(store, 1).await;
    large.claim.key = IdempotencyKey::parse(&"~".repeat(255)).unwrap();
    large.answer.body = (0..=255).cycle().take(100_000).collect();
    write(store, async |uow| uow.idempotency().insert(std::slice::from_ref(&large)).await).await;
    assert_eq!(find(store, std::slice::from_ref(&large.claim)).await, [large]);
}
