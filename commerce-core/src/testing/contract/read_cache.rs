use super::runner::eventually;
use crate::cache::{FillRight, Look, ReadCache};
use futures_util::future::join_all;
use std::sync::Arc;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(100);

/// Checks everything a [`ReadCache`] MUST do, each check on a cache that `new` makes and that keeps nothing.
///
/// # Panics
/// With the name of the first check that fails.
pub async fn read_cache(new: impl AsyncFn() -> Arc<dyn ReadCache>) {
    checks! { new:
        what_is_filled_is_found_by_everybody,
        of_many_who_look_at_once_one_may_fill,
        many_keys_are_looked_up_at_once_each_by_itself,
        any_bytes_are_kept_under_any_key,
        a_value_is_gone_when_its_time_is_over,
        a_right_ends_by_itself_and_its_holder_fills_in_vain,
        a_right_that_is_given_up_is_free_at_once,
        what_is_forgotten_is_filled_anew,
        who_began_to_read_before_the_key_was_forgotten_fills_in_vain,
        a_right_that_was_used_cannot_be_used_again,
    }
}

async fn look(cache: &dyn ReadCache, key: &str) -> Look {
    look_for(cache, key, LONG).await
}

async fn look_for(cache: &dyn ReadCache, key: &str, lease: Duration) -> Look {
    let mut looks = cache.look(&[key.to_owned()], lease).await.unwrap();
    assert_eq!(looks.len(), 1);
    looks.remove(0)
}

#[track_caller]
fn right(look: Look) -> FillRight {
    match look {
        Look::Granted(right) => right,
        other => panic!("no right was granted: {other:?}"),
    }
}

async fn fill(cache: &dyn ReadCache, key: &str, value: &[u8]) {
    let right = right(look(cache, key).await);
    cache.fill(key, right, value.to_vec(), LONG).await.unwrap();
}

fn found(value: &[u8]) -> Look {
    Look::Found(value.to_vec())
}

async fn what_is_filled_is_found_by_everybody(cache: &dyn ReadCache) {
    let right = right(look(cache, "product:1").await);
    assert_eq!(look(cache, "product:1").await, Look::Taken);
    cache.fill("product:1", right, b"shoes".to_vec(), LONG).await.unwrap();
    for _ in 0..3 {
        assert_eq!(look(cache, "product:1").await, found(b"shoes"));
    }
}

async fn of_many_who_look_at_once_one_may_fill(cache: &dyn ReadCache) {
    let looks = join_all((0..50).map(|_| look(cache, "product:1"))).await;
    assert_eq!(looks.iter().filter(|look| matches!(look, Look::Granted(_))).count(), 1);
    assert_eq!(looks.iter().filter(|look| **look == Look::Taken).count(), 49);
}

async fn many_keys_are_looked_up_at_once_each_by_itself(cache: &dyn ReadCache) {
    fill(cache, "product:7", b"seven").await;
    let taken = right(look(cache, "product:8").await);
    let keys: Vec<String> = (0..300).map(|number| format!("product:{number}")).collect();
    let looks = cache.look(&keys, LONG).await.unwrap();
    assert_eq!((looks.len(), &looks[7], &looks[8]), (300, &found(b"seven"), &Look::Taken));
    let granted: Vec<_> = looks.into_iter().zip(&keys).filter(|(look, _)| matches!(look, Look::Granted(_))).collect();
    assert_eq!(granted.len(), 298);
    for (look, key) in granted {
        cache.fill(key, right(look), key.clone().into_bytes(), LONG).await.unwrap();
    }
    cache.fill("product:8", taken, b"eight".to_vec(), LONG).await.unwrap();
    assert_eq!(look(cache, "product:299").await, found(b"product:299"));
    assert_eq!((look(cache, "product:7").await, look(cache, "product:8").await), (found(b"seven"), found(b"eight")));
    assert_eq!(cache.look(&[], LONG).await.unwrap(), []);
}

async fn any_bytes_are_kept_under_any_key(cache: &dyn ReadCache) {
    let large = [0xE2, 0x28, 0xA1, 0x00].repeat(50_000);
    for (key, value) in [("empty", &b""[..]), ("ra:nk", &b"\0\r\n\xFF"[..]), ("신발 😀 {7}", b"1"), ("*", b"L1"), ("large", &large)] {
        fill(cache, key, value).await;
        assert_eq!(look(cache, key).await, found(value), "{key}");
    }
}

async fn a_value_is_gone_when_its_time_is_over(cache: &dyn ReadCache) {
    let first = right(look(cache, "ranking").await);
    cache.fill("ranking", first, b"yesterday".to_vec(), SHORT).await.unwrap();
    let again = eventually("the value is gone", async || match look(cache, "ranking").await {
        Look::Granted(right) => Some(right),
        Look::Found(_) | Look::Taken => None,
    });
    cache.fill("ranking", again.await, b"today".to_vec(), LONG).await.unwrap();
    assert_eq!(look(cache, "ranking").await, found(b"today"));
}

async fn a_right_ends_by_itself_and_its_holder_fills_in_vain(cache: &dyn ReadCache) {
    let crashed = right(look_for(cache, "product:1", SHORT).await);
    let next = eventually("the right ends", async || match look(cache, "product:1").await {
        Look::Granted(right) => Some(right),
        Look::Found(_) | Look::Taken => None,
    });
    let next = next.await;
    assert_ne!(next, crashed);
    cache.fill("product:1", crashed, b"late".to_vec(), LONG).await.unwrap();
    assert_eq!(look(cache, "product:1").await, Look::Taken);
    cache.fill("product:1", next, b"in time".to_vec(), LONG).await.unwrap();
    cache.fill("product:1", crashed, b"later".to_vec(), LONG).await.unwrap();
    assert_eq!(look(cache, "product:1").await, found(b"in time"));
}

async fn a_right_that_is_given_up_is_free_at_once(cache: &dyn ReadCache) {
    let first = right(look(cache, "product:1").await);
    cache.give_up("product:1", first).await.unwrap();
    let next = right(look(cache, "product:1").await);
    // Giving up once more takes nothing from the next one, and neither does filling.
    cache.give_up("product:1", first).await.unwrap();
    cache.fill("product:1", first, b"in vain".to_vec(), LONG).await.unwrap();
    assert_eq!(look(cache, "product:1").await, Look::Taken);
    cache.fill("product:1", next, b"shoes".to_vec(), LONG).await.unwrap();
    cache.give_up("product:1", next).await.unwrap();
    assert_eq!(look(cache, "product:1").await, found(b"shoes"));
}

async fn what_is_forgotten_is_filled_anew(cache: &dyn ReadCache) {
    for key in ["product:1", "product:2", "product:3"] {
        fill(cache, key, b"old").await;
    }
    cache.forget(&["product:1".to_owned(), "product:2".to_owned(), "product:4".to_owned()]).await.unwrap();
    fill(cache, "product:1", b"new").await;
    fill(cache, "product:2", b"new").await;
    assert_eq!((look(cache, "product:1").await, look(cache, "product:3").await), (found(b"new"), found(b"old")));
}

async fn who_began_to_read_before_the_key_was_forgotten_fills_in_vain(cache: &dyn ReadCache) {
    let early = right(look(cache, "product:1").await);
    cache.forget(&["product:1".to_owned()]).await.unwrap();
    cache.fill("product:1", early, b"old".to_vec(), LONG).await.unwrap();
    let next = right(look(cache, "product:1").await);
    cache.fill("product:1", early, b"old".to_vec(), LONG).await.unwrap();
    cache.fill("product:1", next, b"new".to_vec(), LONG).await.unwrap();
    assert_eq!(look(cache, "product:1").await, found(b"new"));
}

async fn a_right_that_was_used_cannot_be_used_again(cache: &dyn ReadCache) {
    let right = right(look(cache, "product:1").await);
    cache.fill("product:1", right, b"first".to_vec(), LONG).await.unwrap();
    cache.fill("product:1", right, b"second".to_vec(), LONG).await.unwrap();
    assert_eq!(look(cache, "product:1").await, found(b"first"));
}
