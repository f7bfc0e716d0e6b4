//! Idempotency keys: one change for each key, and the same answer word for word.

use crate::books::Books;
use crate::shop::Shop;
use commerce_core::idempotency::{Answer, Claim, IdempotencyKey, KeyOwner, KeyedCommand, StoredAnswer};
use commerce_core::point::{Charge, ChargeAmount, ChargePoints, PointError};
use commerce_core::store::StoreError;
use commerce_core::testing::{Fault, FaultyStore};
use commerce_core::{Money, Settings, UserId};
use std::sync::Arc;

type Verdict = Result<Money, PointError>;

/// The answer to a charge; a refusal is not kept.
fn render(verdict: &Verdict) -> Option<StoredAnswer> {
    let balance = verdict.as_ref().ok()?;
    Some(StoredAnswer { status: 200, location: Some("/points".to_owned()), body: format!("{{\"balance\": {balance}}}\n").into_bytes() })
}

fn charge(owner: KeyOwner, key: &str, user: UserId, amount: i64) -> KeyedCommand<Charge> {
    let claim = Claim { owner, key: IdempotencyKey::parse(key).unwrap(), fingerprint: [u8::try_from(amount % 251).unwrap(); 32] };
    let command = ChargePoints { user_id: user, amount: ChargeAmount::new(amount).unwrap(), idempotency_key: Some(key.to_owned()) };
    KeyedCommand { command, claim: Some((claim, Arc::new(render))) }
}

async fn submit(shop: &Shop, command: KeyedCommand<Charge>) -> Result<Answer<Verdict>, Arc<StoreError>> {
    shop.commerce.desks().charge.submit(command).await
}

/// A shop whose commands meet the faults of the store that is answered too.
async fn faulty_shop() -> (Shop, Arc<FaultyStore>, UserId) {
    let mut faulty = None;
    let shop = Shop::with(Settings::default(), |parts| {
        let store = Arc::new(FaultyStore::scripted(Arc::clone(&parts.store), []));
        parts.store = Arc::clone(&store) as _;
        faulty = Some(store);
    });
    let user = shop.user(0).await;
    (shop, faulty.unwrap(), user)
}

#[tokio::test(start_paused = true)]
async fn the_same_key_and_request_is_answered_byte_for_byte_and_done_once() {
    // Given a charge that came with a key,
    let shop = Shop::open();
    let user = shop.user(0).await;
    let owner = KeyOwner::User(user);
    let first = submit(&shop, charge(owner, "k", user, 1_000)).await.unwrap();
    let Answer::Fresh(verdict) = first else { panic!("{first:?}") };
    // when the balance has changed since and the same request comes again,
    shop.commerce.charge(user, ChargeAmount::new(5_000).unwrap()).await.unwrap();
    let again = submit(&shop, charge(owner, "k", user, 1_000)).await.unwrap();
    // then the answer is the one of that time, and nothing was charged.
    assert_eq!(again, Answer::Replayed(render(&verdict).unwrap()));
    assert_eq!(shop.balance(user).await, 6_000);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_comes_with_another_request_is_refused() {
    let shop = Shop::open();
    let user = shop.user(0).await;
    submit(&shop, charge(KeyOwner::User(user), "k", user, 1_000)).await.unwrap();
    let other = submit(&shop, charge(KeyOwner::User(user), "k", user, 2_000)).await.unwrap();
    assert_eq!(other, Answer::KeyReused);
    assert_eq!(shop.balance(user).await, 1_000);
}

#[tokio::test(start_paused = true)]
async fn of_many_equal_requests_at_once_one_is_carried_out() {
    // Given ten equal requests that arrive together,
    let shop = Shop::open();
    let user = shop.user(0).await;
    let requests = (0..10).map(|_| charge(KeyOwner::User(user), "k", user, 1_000)).collect();
    let outcomes = shop.commerce.desks().charge.submit_all(requests).await.unwrap();
    // then the first is carried out, and the others hear that it is being worked on.
    let answers: Vec<_> = outcomes.into_iter().map(Result::unwrap).collect();
    assert!(matches!(answers[0], Answer::Fresh(Ok(_))), "{answers:?}");
    assert!(answers[1..].iter().all(|answer| *answer == Answer::InFlight), "{answers:?}");
    assert_eq!(shop.balance(user).await, 1_000);
}

#[tokio::test(start_paused = true)]
async fn requests_with_and_without_keys_get_their_own_answers() {
    let shop = Shop::open();
    let user = shop.user(0).await;
    let owner = KeyOwner::User(user);
    submit(&shop, charge(owner, "known", user, 1_000)).await.unwrap();
    // Given a batch that mixes known keys, reused keys, new keys, duplicates and no key,
    let without_key = KeyedCommand { claim: None, ..charge(owner, "-", user, 4_000) };
    let batch = vec![
        charge(owner, "known", user, 1_000),
        without_key,
        charge(owner, "known", user, 9_000),
        charge(owner, "new", user, 2_000),
        charge(owner, "new", user, 2_000),
    ];
    let outcomes = shop.commerce.desks().charge.submit_all(batch).await.unwrap();
    let answers: Vec<_> = outcomes.into_iter().map(Result::unwrap).collect();
    // then each answer stands at its place.
    let krw = |amount| Money::new(amount).unwrap();
    let replayed = Answer::Replayed(render(&Ok(krw(1_000))).unwrap());
    assert_eq!(answers, [replayed, Answer::Fresh(Ok(krw(5_000))), Answer::KeyReused, Answer::Fresh(Ok(krw(7_000))), Answer::InFlight]);
}

#[tokio::test(start_paused = true)]
async fn keys_of_two_owners_are_independent() {
    let shop = Shop::open();
    let (one, two) = (shop.user(0).await, shop.user(0).await);
    for (owner, user) in [(KeyOwner::User(one), one), (KeyOwner::User(two), two), (KeyOwner::Anyone, one)] {
        let answer = submit(&shop, charge(owner, "k", user, 1_000)).await.unwrap();
        assert!(matches!(answer, Answer::Fresh(Ok(_))), "{owner:?}: {answer:?}");
    }
    assert_eq!((shop.balance(one).await, shop.balance(two).await), (2_000, 1_000));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_is_not_kept_can_be_tried_again_with_the_same_key() {
    // Given a charge for somebody who is not there,
    let shop = Shop::open();
    let nobody = UserId::new(1).unwrap();
    let refused = submit(&shop, charge(KeyOwner::Anyone, "k", nobody, 1_000)).await.unwrap();
    assert_eq!(refused, Answer::Fresh(Err(PointError::UserNotFound(nobody))));
    // when that user has come, then the same request succeeds.
    assert_eq!(shop.user(0).await, nobody);
    assert!(matches!(submit(&shop, charge(KeyOwner::Anyone, "k", nobody, 1_000)).await.unwrap(), Answer::Fresh(Ok(_))));
}

#[tokio::test(start_paused = true)]
async fn the_record_and_the_change_stand_or_fall_together() {
    for fault in Fault::ALL {
        // Given a store that fails with the charge for as long as it is tried,
        let (shop, store, user) = faulty_shop().await;
        store.script([Some(fault); 64]);
        let first = submit(&shop, charge(KeyOwner::User(user), "k", user, 1_000)).await;
        assert!(first.is_err(), "{fault:?}: {first:?}");
        // when the client, who cannot know, sends it again to a store that works,
        store.heal();
        let again = submit(&shop, charge(KeyOwner::User(user), "k", user, 1_000)).await.unwrap();
        // then the charge was made once: now, or at that time if that commit took place.
        let took_place = fault == Fault::CommitAmbiguous;
        assert_eq!(matches!(again, Answer::Replayed(_)), took_place, "{fault:?}: {again:?}");
        assert_eq!(Books::close(&shop).await.balances[&user], 1_000, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_became_known_later_replaces_the_first_one() {
    let shop = Shop::open();
    let user = shop.user(0).await;
    let command = charge(KeyOwner::User(user), "k", user, 1_000);
    submit(&shop, command.clone()).await.unwrap();
    // Given a better answer,
    let (claim, _) = command.claim.clone().unwrap();
    let answer = StoredAnswer { status: 201, location: None, body: b"settled".to_vec() };
    let record =
        commerce_core::idempotency::IdempotencyRecord { claim, answer: answer.clone(), at: commerce_core::Clock::now(&*shop.clock) };
    shop.commerce.replace_answer(record).await.unwrap();
    // then it is the one that is given from now on.
    assert_eq!(submit(&shop, command).await.unwrap(), Answer::Replayed(answer));
}
