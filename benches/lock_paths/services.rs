//! The lock services, and what each is compared with.

use super::section::Section;
use crate::contest::crowd::{Attempt, Crowd};
use crate::contest::place::Place;
use crate::contest::{Arena, Setting, temporary};
use crate::figures::Limit;
use commerce_adapters::random::ThreadRandom;
use commerce_core::lock::{DistributedLock, LockName, Locks, Patience, Tenure};
use commerce_core::store::Random;
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

/// One key that everybody wants, ten, and more than there are contenders.
const SETTINGS: [Setting; 8] = [
    Setting { contenders: 1, keys: 1 },
    Setting { contenders: 2, keys: 1 },
    Setting { contenders: 8, keys: 1 },
    Setting { contenders: 64, keys: 1 },
    Setting { contenders: 256, keys: 1 },
    Setting { contenders: 64, keys: 10 },
    Setting { contenders: 256, keys: 10 },
    Setting { contenders: 256, keys: 1_000 },
];
/// Ten locks that are taken together.
const TOGETHER: [Setting; 2] = [Setting { contenders: 1, keys: 10 }, Setting { contenders: 8, keys: 1_000 }];
const TOGETHER_LOCKS: u64 = 10;
/// Under load a lock may be waited for this long without being given up.
const PATIENCE: [(&str, Patience); 2] = [("spin", Patience::SPIN), ("told", Patience::TOLD)];

/// A mutex of the runtime, which is no service: nothing crosses a process or a disk, and nobody outlives a lease.
pub(super) fn mutex(arena: &mut Arena) {
    for setting in SETTINGS.into_iter().filter(|setting| setting.keys == 1) {
        let section = Section::new(1);
        let measured = arena.contend(("lock_paths/in process", "mutex"), setting, |runtime, patience| {
            let (section, mutex) = (section.clone(), Arc::new(tokio::sync::Mutex::new(())));
            Crowd::gather(runtime, setting.contenders, patience, move |_| {
                let (section, mutex) = (section.clone(), Arc::clone(&mutex));
                async move {
                    let _held = mutex.lock().await;
                    section.enter(std::iter::once((0, None))).await;
                    Ok::<_, Infallible>(Attempt::Done)
                }
            })
        });
        if let Some((done, wasted)) = measured {
            let verdict = section.verdict(done.operations);
            arena.enter("in process", "mutex", setting, (&done, wasted), None, verdict);
        }
    }
}

/// Locks for a shop in one file.
pub(super) fn in_process(arena: &mut Arena) {
    let place = arena.runtime().block_on(Place::sqlite(temporary()));
    let raw = Arc::clone(&place.raw);
    let limit = |arena: &Arena, at_once: u64| {
        let raw = Arc::clone(&raw);
        arena.limit("a prepared read of one row of the file", at_once, move |runtime, patience| {
            Crowd::gather(runtime, at_once, patience, move |number| {
                let raw = Arc::clone(&raw);
                async move { raw.read(row(number)).await.map(|()| Attempt::Done) }
            })
        })
    };
    measure(arena, ("in process", "in process"), &place.locks, &PATIENCE, limit);
    arena.runtime().block_on(place.clear());
}

/// Locks in Redis.
#[cfg(feature = "distributed")]
pub(super) fn redis(arena: &mut Arena) {
    use crate::contest::server::{Keys, Server};
    use commerce_adapters::redis::{RedisLocks, Script};

    let address = match Server::Redis.address() {
        Ok(address) => address,
        Err(why) => return arena.left_out(why),
    };
    let mut keys = arena.runtime().block_on(Keys::on(&address));
    arena.condition(keys.durability());
    let (redis, name) = (keys.redis.clone(), keys.name.clone());
    let locks: Arc<dyn DistributedLock> = Arc::new(RedisLocks::new(redis.clone()));
    let limit = |arena: &Arena, at_once: u64| {
        let (redis, script) = (redis.clone(), Arc::new(Script::new("nothing", "return 1")));
        arena.limit("two scripts that do nothing, one after the other", at_once, move |runtime, patience| {
            Crowd::gather(runtime, at_once, patience, move |number| {
                let (redis, script) = (redis.clone(), Arc::clone(&script));
                async move {
                    let (keys, no_arguments): (_, &[&str]) = ([format!("nothing-{number}")], &[]);
                    for _ in 0..2 {
                        redis.eval::<i64>(&script, &keys, no_arguments).await?;
                    }
                    Ok::<_, redis::RedisError>(Attempt::Done)
                }
            })
        })
    };
    measure(arena, ("redis", &name), &locks, &PATIENCE, limit);
}

/// Locks of sessions, for those without Redis. The server does not tell who waits that a lock was let go.
#[cfg(feature = "distributed")]
pub(super) fn get_lock(arena: &mut Arena) {
    use crate::contest::server::Server;

    for server in Server::DATABASES {
        let address = match server.address() {
            Ok(address) => address,
            Err(why) => {
                arena.left_out(why);
                continue;
            }
        };
        let place = arena.runtime().block_on(Place::database(server, &address));
        let raw = Arc::clone(&place.raw);
        let limit = |arena: &Arena, at_once: u64| {
            let raw = Arc::clone(&raw);
            arena.limit("a row changed and a line added, committed, by prepared statements", at_once, move |runtime, patience| {
                Crowd::gather(runtime, at_once, patience, move |number| {
                    let raw = Arc::clone(&raw);
                    async move { raw.change(row(number), 1).await.map(|()| Attempt::Done) }
                })
            })
        };
        measure(arena, (server.name(), &place.name), &place.locks, &PATIENCE[..1], limit);
        arena.runtime().block_on(place.clear());
    }
}

fn row(number: u64) -> i64 {
    1 + i64::try_from(number).unwrap_or_default() % crate::contest::raw::ROWS
}

/// Takes the locks of one service in every setting; `limit` measures what could be done at best with so many at it at once.
fn measure(
    arena: &mut Arena,
    (group, set_up): (&str, &str),
    service: &Arc<dyn DistributedLock>,
    ways: &[(&str, Patience)],
    limit: impl Fn(&Arena, u64) -> Limit,
) {
    let mut limits = HashMap::new();
    let alone = ways.iter().map(|(way, patience)| (*way, *patience, SETTINGS.as_slice(), 1));
    let together = ways.first().map(|(_, patience)| ("ten together", *patience, TOGETHER.as_slice(), TOGETHER_LOCKS));
    for (path, patience, settings, locks) in alone.chain(together) {
        for &setting in settings {
            let section = Section::new(setting.keys);
            let measured = arena.contend((&format!("lock_paths/{group}"), path), setting, |runtime, overtime| {
                let (service, section) = (Locks::new(Arc::clone(service), Arc::new(ThreadRandom)), section.clone());
                Crowd::gather(runtime, setting.contenders, overtime, move |_| {
                    let (service, section) = (service.clone(), section.clone());
                    async move {
                        // Ten neighbours, of which each has others as neighbours, too.
                        let first = ThreadRandom.up_to(setting.keys - 1);
                        let keys: Vec<u64> = (0..locks).map(|further| (first + further) % setting.keys).collect();
                        let names: Vec<LockName> = keys.iter().map(|key| LockName::of("bench", key)).collect();
                        let Some(held) = service.lock(&names, Tenure::UNIT_OF_WORK, patience).await? else { return Ok(Attempt::GaveUp) };
                        let fences: HashMap<&str, u64> = held.fences().iter().map(|fence| (fence.lock.as_str(), fence.number)).collect();
                        let shown: Vec<Option<u64>> = names.iter().map(|name| fences.get(name.as_str()).copied()).collect();
                        let keys = keys.iter().map(|key| usize::try_from(*key).unwrap_or_default());
                        section.enter(keys.zip(shown)).await;
                        held.release().await.map(|_| Attempt::Done)
                    }
                })
            });
            let Some((done, wasted)) = measured else { continue };
            // Whoever waits for the only key cannot be helped by a service that could do more at once.
            let at_once = setting.contenders.min(setting.keys);
            let limit = limits.entry(at_once).or_insert_with(|| limit(arena, at_once)).clone();
            let verdict = section.verdict(done.operations * locks);
            arena.enter(set_up, path, setting, (&done, wasted), Some(limit), verdict);
        }
    }
}
