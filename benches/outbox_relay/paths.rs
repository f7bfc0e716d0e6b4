//! The ways of an event.

use super::events::{WRITTEN_TOGETHER, write};
use super::sink::Sink;
use crate::contest::crowd::{Attempt, Crowd, Done, Windows};
use crate::contest::place::Place;
use crate::contest::raw::Raw;
use crate::contest::{Arena, Setting};
use crate::figures::Limit;
use commerce_adapters::clock::SystemClock;
use commerce_adapters::embedded::EmbeddedBus;
use commerce_adapters::random::ThreadRandom;
use commerce_core::messaging::{Group, MessageBus, Relay, StartAt, Topic};
use commerce_core::store::Store;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How many events an iteration is: as many as a relay claims at most.
const BATCH: u64 = 500;
/// How many messages a consumer polls at once.
const POLLED: usize = 256;
/// One relay, and several that take turns by order.
const RELAYS: [Setting; 4] = [
    Setting { contenders: 1, keys: 1_000 },
    Setting { contenders: 2, keys: 1_000 },
    Setting { contenders: 4, keys: 1_000 },
    Setting { contenders: 4, keys: 10 },
];
const ALONE: Setting = Setting { contenders: 1, keys: 1_000 };

/// Measures every way of an event out of one store.
pub(super) fn measure(arena: &mut Arena, place: &Place, group: &str) {
    let group = format!("outbox_relay/{group}");
    written(arena, place, &group);
    read_by_a_group(arena, place, &group);
    one_by_one(arena, place, &group);
    for setting in RELAYS {
        carried(arena, place, &group, setting);
    }
}

/// Units of work that write as many events as a full batch of orders.
fn written(arena: &mut Arena, place: &Place, group: &str) {
    let path = "written, 256 a commit";
    let (mut windows, sink) = (Windows::default(), Sink::default());
    let mut written = 0;
    arena.bench((group, path), ALONE, WRITTEN_TOGETHER, |runtime, units| {
        let begun = Instant::now();
        for _ in 0..units {
            runtime.block_on(write(place.store.as_ref(), WRITTEN_TOGETHER, ALONE.keys)).expect("the store writes");
        }
        written += units * WRITTEN_TOGETHER;
        windows.add(units * WRITTEN_TOGETHER, begun.elapsed());
        begun.elapsed()
    });
    if written == 0 {
        return;
    }
    drain(arena, &place.store, &sink, written);
    let raw = Arc::clone(&place.raw);
    let limit = lines(arena, "as many lines in one prepared insert, committed", WRITTEN_TOGETHER, move || {
        let raw = Arc::clone(&raw);
        async move { raw.change(1, u32::try_from(WRITTEN_TOGETHER).unwrap_or_default()).await }
    });
    enter(arena, place, path, ALONE, (&windows, &sink, written), limit);
}

/// A group of the same process reads the outbox itself.
fn read_by_a_group(arena: &mut Arena, place: &Place, group: &str) {
    let Some(store) = place.file() else { return };
    let path = "read by a group";
    let bus = arena.runtime().block_on(async { EmbeddedBus::new(store.clone()) });
    let (mut windows, sink) = (Windows::default(), Sink::default());
    let (mut written, mut reader) = (0, None);
    arena.bench((group, path), ALONE, BATCH, |runtime, batches| {
        runtime.block_on(async {
            if reader.is_none() {
                reader = bus.subscribe(Group::Stock, &Topic::ALL, StartAt::Latest).await.ok();
            }
            let reader = reader.as_mut().expect("the bus is there");
            write(store, batches * BATCH, ALONE.keys).await.expect("the store writes");
            written += batches * BATCH;
            let begun = Instant::now();
            sink.watch();
            while sink.count() < written {
                let deliveries = reader.poll(POLLED).await.expect("the bus reads");
                sink.take(deliveries.iter().map(|delivery| (delivery.message.aggregate_id, delivery.message.id.get())));
                reader.acknowledge().await.expect("the bus is there");
            }
            windows.add(batches * BATCH, begun.elapsed());
            begun.elapsed()
        })
    });
    if written == 0 {
        return;
    }
    let limit = read_limit(arena, &place.raw);
    enter(arena, place, path, ALONE, (&windows, &sink, written), limit);
    // What was read here is of no use to relays.
    drain(arena, &place.store, &Sink::default(), written);
}

/// One event after the other, from before its commit until it has arrived and is marked as sent: how long an event takes in a shop without load.
fn one_by_one(arena: &mut Arena, place: &Place, group: &str) {
    let path = "written and carried one by one";
    let setting = Setting { contenders: 1, keys: 1 };
    let sink = Sink::default();
    let relay = relay(&place.store, &sink, Arc::default());
    let (mut windows, mut written) = (Windows::default(), 0);
    arena.bench((group, path), setting, 1, |runtime, events| {
        let begun = Instant::now();
        runtime.block_on(async {
            for _ in 0..events {
                sink.watch();
                write(place.store.as_ref(), 1, 1).await.expect("the store writes");
                written += 1;
                relay.carry_once().await.expect("the relay carries");
                sink.arrived(written).await;
            }
        });
        windows.add(events, begun.elapsed());
        begun.elapsed()
    });
    if written == 0 {
        return;
    }
    let raw = Arc::clone(&place.raw);
    let limit = lines(arena, "three transactions, each of a row and a line, by prepared statements", 1, move || {
        let raw = Arc::clone(&raw);
        async move {
            raw.change(1, 1).await?;
            raw.change(1, 1).await?;
            raw.change(1, 1).await
        }
    });
    enter(arena, place, path, setting, (&windows, &sink, written), limit);
}

/// Relays carry what was written before.
fn carried(arena: &mut Arena, place: &Place, group: &str, setting: Setting) {
    let path = "carried by relays";
    let (mut windows, sink, mut written) = (Windows::default(), Sink::default(), 0);
    arena.bench((group, path), setting, BATCH, |runtime, batches| {
        runtime.block_on(async {
            write(place.store.as_ref(), batches * BATCH, setting.keys).await.expect("the store writes");
            written += batches * BATCH;
            let (begun, stop) = (Instant::now(), CancellationToken::new());
            sink.watch();
            let mut relays = JoinSet::new();
            for _ in 0..setting.contenders {
                relays.spawn(relay(&place.store, &sink, Arc::default()).run(stop.clone()));
            }
            sink.arrived(written).await;
            // Who is told to end marks what it has carried.
            stop.cancel();
            relays.join_all().await;
            windows.add(batches * BATCH, begun.elapsed());
            begun.elapsed()
        })
    });
    if written == 0 {
        return;
    }
    let limit = read_limit(arena, &place.raw);
    enter(arena, place, path, setting, (&windows, &sink, written), limit);
}

fn relay(store: &Arc<dyn Store>, sink: &Sink, wake: Arc<Notify>) -> Relay {
    Relay::new(Arc::clone(store), Arc::new(sink.clone()), Arc::new(SystemClock), Arc::new(ThreadRandom), wake)
}

/// Carries what is left.
fn drain(arena: &Arena, store: &Arc<dyn Store>, sink: &Sink, written: u64) {
    let relay = relay(store, sink, Arc::default());
    arena.runtime().block_on(async { while sink.count() < written && relay.carry_once().await.expect("the store is there") > 0 {} });
}

/// As many rows read, and one transaction to say that they are gone.
fn read_limit(arena: &Arena, raw: &Arc<dyn Raw>) -> Limit {
    let lines_max = u32::try_from(BATCH).unwrap_or_default();
    arena.runtime().block_on(raw.change(1, lines_max)).expect("the store writes");
    let raw = Arc::clone(raw);
    lines(arena, "500 rows read, and a transaction committed, by prepared statements", BATCH, move || {
        let raw = Arc::clone(&raw);
        async move {
            raw.read_lines(0, lines_max).await?;
            raw.change(1, 1).await
        }
    })
}

/// The limit of something that does so many lines at once.
fn lines<F>(arena: &Arena, name: &str, at_once: u64, work: impl Fn() -> F + Clone + Send + 'static) -> Limit
where
    F: Future<Output = Result<(), sqlx::Error>> + Send + 'static,
{
    let limit = arena.limit(name, 1, move |runtime, patience| {
        Crowd::gather(runtime, 1, patience, move |_| {
            let work = work();
            async move { work.await.map(|()| Attempt::Done) }
        })
    });
    let at_once = u32::try_from(at_once).unwrap_or(u32::MAX);
    Limit { per_second: limit.per_second * f64::from(at_once), ..limit }
}

fn enter(arena: &mut Arena, place: &Place, path: &str, setting: Setting, (windows, sink, written): (&Windows, &Sink, u64), limit: Limit) {
    let (waits, verdict) = sink.tell(written);
    let per_second = windows.per_second().unwrap_or_default();
    let done = Done { operations: written, per_second, waits, gave_up: 0, failures: BTreeMap::new() };
    arena.enter(&place.name, path, setting, (&done, Vec::new()), Some(limit), verdict);
}
