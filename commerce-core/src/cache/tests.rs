use super::{CacheError, FillRight, Kind, Look, ReadCache, ReadThrough};
use crate::testing::MemoryCache;
use async_trait::async_trait;
use futures_util::future::{join, join_all};
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;
use tokio::time::{Instant, advance, sleep};

const SHOES: Kind = Kind { name: "shoes", keep: Duration::from_mins(1) };

/// Knows what is true, takes a while to say it, and counts how often it is asked.
#[derive(Default)]
struct Truth {
    asked: AtomicU32,
    takes: Duration,
}

impl Truth {
    async fn ask(&self, keys: Vec<u32>) -> Result<HashMap<u32, String>, Infallible> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        sleep(self.takes).await;
        Ok(keys.into_iter().filter(|key| *key < 1_000).map(|key| (key, format!("shoes {key}"))).collect())
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }

    async fn read(&self, process: &ReadThrough, keys: &[u32]) -> HashMap<u32, String> {
        let Ok(values) = process.read(SHOES, keys, |keys| self.ask(keys)).await;
        values
    }
}

fn processes(cache: &MemoryCache, count: usize) -> Vec<ReadThrough> {
    (0..count).map(|_| ReadThrough::new(Arc::new(cache.clone()))).collect()
}

fn shoes(keys: &[u32]) -> HashMap<u32, String> {
    keys.iter().map(|key| (*key, format!("shoes {key}"))).collect()
}

#[tokio::test(start_paused = true)]
async fn many_readers_in_many_processes_read_what_nobody_has_read_once() {
    let (cache, truth) = (MemoryCache::new(), Truth { takes: Duration::from_millis(50), ..Truth::default() });
    let processes = processes(&cache, 4);
    let readers = (0..200).map(|reader| truth.read(&processes[reader % 4], &[7]));
    for values in join_all(readers).await {
        assert_eq!(values, shoes(&[7]));
    }
    assert_eq!(truth.asked(), 1);
    // It is read again when its time is over, and once.
    advance(SHOES.keep).await;
    join_all(processes.iter().map(|process| truth.read(process, &[7]))).await;
    assert_eq!(truth.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn readers_of_several_keys_share_what_they_can_and_wait_for_nobody_for_ever() {
    let (cache, truth) = (MemoryCache::new(), Truth { takes: Duration::from_millis(50), ..Truth::default() });
    let processes = processes(&cache, 2);
    let (one, other) = join(truth.read(&processes[0], &[1, 2, 3]), truth.read(&processes[1], &[3, 4, 2])).await;
    assert_eq!((one, other), (shoes(&[1, 2, 3]), shoes(&[2, 3, 4])));
    assert_eq!(truth.asked(), 2);
    // Somebody who crashed while it was filling costs those who come next a moment, and nothing else.
    cache.look(&["shoes:9".to_owned()], Duration::from_secs(3)).await.unwrap();
    let begun = Instant::now();
    assert_eq!(truth.read(&processes[0], &[9]).await, shoes(&[9]));
    assert!(begun.elapsed() < Duration::from_millis(400), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_there_is_not_is_not_kept_and_keeps_nobody_waiting() {
    let (cache, truth) = (MemoryCache::new(), Truth::default());
    let process = &processes(&cache, 1)[0];
    let begun = Instant::now();
    for asked in 1..=3 {
        assert_eq!(truth.read(process, &[1_000]).await, HashMap::new());
        assert_eq!(truth.asked(), asked);
    }
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_failed_read_is_told_and_leaves_the_right_to_the_next() {
    let cache = MemoryCache::new();
    let process = &processes(&cache, 1)[0];
    let failed = process.read::<u32, String, _, _, _>(SHOES, &[7], async |_| Err("the store is unavailable")).await;
    assert_eq!(failed, Err("the store is unavailable"));
    assert!(matches!(cache.look(&["shoes:7".to_owned()], SHOES.keep).await.unwrap()[..], [Look::Granted(_)]));
}

#[tokio::test(start_paused = true)]
async fn what_is_forgotten_while_it_is_read_is_not_kept() {
    // Given a reader that has read what is about to change, and has not told the cache yet,
    let (cache, truth) = (MemoryCache::new(), Truth { takes: Duration::from_millis(50), ..Truth::default() });
    let process = &processes(&cache, 1)[0];
    let change = async {
        sleep(Duration::from_millis(20)).await;
        process.forget(SHOES, &[7]).await;
    };
    // when it changes,
    join(truth.read(process, &[7]), change).await;
    // then the next reader does not see what was.
    let Ok(now) = process.read(SHOES, &[7], async |_| Ok::<_, Infallible>(HashMap::from([(7, "boots".to_owned())]))).await;
    assert_eq!(now[&7], "boots");
    assert_eq!(truth.read(process, &[7]).await[&7], "boots");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_read_anew_and_replaced() {
    let (cache, truth) = (MemoryCache::new(), Truth::default());
    let process = &processes(&cache, 1)[0];
    let key = "shoes:7".to_owned();
    let Look::Granted(right) = cache.look(std::slice::from_ref(&key), SHOES.keep).await.unwrap().remove(0) else { panic!("it is free") };
    cache.fill(&key, right, b"{of another form".to_vec(), SHOES.keep).await.unwrap();
    for _ in 0..3 {
        assert_eq!(truth.read(process, &[7]).await, shoes(&[7]));
    }
    assert_eq!(truth.asked(), 2);
}

/// A cache that does not answer, or says that it cannot.
#[derive(Clone, Default)]
struct Gone {
    asked: Arc<AtomicU32>,
    hangs: Arc<AtomicBool>,
}

impl Gone {
    async fn answer<T>(&self) -> Result<T, CacheError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.hangs.load(Ordering::SeqCst) { std::future::pending().await } else { Err(CacheError("connection refused".into())) }
    }
}

#[async_trait]
impl ReadCache for Gone {
    async fn look(&self, _: &[String], _: Duration) -> Result<Vec<Look>, CacheError> {
        self.answer().await
    }

    async fn fill(&self, _: &str, _: FillRight, _: Vec<u8>, _: Duration) -> Result<(), CacheError> {
        self.answer().await
    }

    async fn give_up(&self, _: &str, _: FillRight) -> Result<(), CacheError> {
        self.answer().await
    }

    async fn forget(&self, _: &[String]) -> Result<(), CacheError> {
        self.answer().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_cache_that_is_gone_costs_one_short_wait_a_second_and_no_reader_its_answer() {
    for hangs in [false, true] {
        let (gone, truth) = (Gone::default(), Truth::default());
        gone.hangs.store(hangs, Ordering::SeqCst);
        let process = ReadThrough::new(Arc::new(gone.clone()));
        for second in 1..=3 {
            let begun = Instant::now();
            for _ in 0..100 {
                assert_eq!(truth.read(&process, &[7]).await, shoes(&[7]));
            }
            process.forget(SHOES, &[7]).await;
            assert!(begun.elapsed() < Duration::from_millis(150), "{:?}", begun.elapsed());
            assert_eq!((gone.asked.load(Ordering::SeqCst), truth.asked()), (second, 100 * second));
            sleep(Duration::from_secs(1)).await;
        }
    }
}
