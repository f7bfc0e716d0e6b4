//! Services that are down: what does not need them goes on.

use crate::books::Books;
use crate::shop::Shop;
use async_trait::async_trait;
use commerce_core::lock::{DistributedLock, LockError, LockGrant};
use commerce_core::messaging::{Group, SoldUnits};
use commerce_core::notify::{Notification, Notifier, NotifyError, Subject, Watch};
use commerce_core::order::OrderStatus;
use commerce_core::ranking::{BoardDay, BoardError, RankingBoard, RankingError, Sale};
use commerce_core::scheduler::{Job, JobError, Scheduler};
use commerce_core::store::PageLimit;
use commerce_core::testing::{MemoryBoard, MemoryLocks, MemoryNotifier};
use commerce_core::{BusinessCalendar, BusinessDay, ProductId, Settings};
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);

/// Locks, boards and notifications of one service, which can be down.
#[derive(Default)]
struct Service {
    down: AtomicBool,
    asked_in_vain: AtomicU32,
    board: MemoryBoard,
    locks: MemoryLocks,
    notifier: MemoryNotifier,
}

impl Service {
    fn reach<E: From<Box<dyn Error + Send + Sync>>>(&self) -> Result<(), E> {
        if !self.down.load(Ordering::SeqCst) {
            return Ok(());
        }
        self.asked_in_vain.fetch_add(1, Ordering::SeqCst);
        Err(E::from("connection refused".into()))
    }

    fn is_down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    /// A shop that uses it.
    fn shop(self: &Arc<Self>) -> Shop {
        Shop::with(Settings::default(), |parts| {
            parts.board = Arc::clone(self) as _;
            parts.locks = Arc::clone(self) as _;
            parts.notifier = Arc::clone(self) as _;
        })
    }
}

#[async_trait]
impl DistributedLock for Service {
    async fn try_acquire(&self, name: &str, lease: Duration) -> Result<Option<LockGrant>, LockError> {
        self.reach::<LockError>()?;
        self.locks.try_acquire(name, lease).await
    }

    async fn renew(&self, grant: &LockGrant, lease: Duration) -> Result<bool, LockError> {
        self.reach::<LockError>()?;
        self.locks.renew(grant, lease).await
    }

    async fn release(&self, grant: &LockGrant) -> Result<bool, LockError> {
        self.reach::<LockError>()?;
        self.locks.release(grant).await
    }
}

#[async_trait]
impl Notifier for Service {
    async fn publish(&self, notifications: &[Notification]) -> Result<(), NotifyError> {
        self.reach::<NotifyError>()?;
        self.notifier.publish(notifications).await
    }

    async fn watch(&self, subject: Subject) -> Result<Box<dyn Watch>, NotifyError> {
        self.reach::<NotifyError>()?;
        self.notifier.watch(subject).await
    }
}

#[async_trait]
impl RankingBoard for Service {
    async fn calendar(&self) -> Result<Option<BusinessCalendar>, BoardError> {
        self.reach::<BoardError>()?;
        self.board.calendar().await
    }

    async fn reset(&self, calendar: BusinessCalendar) -> Result<(), BoardError> {
        self.board.reset(calendar).await
    }

    async fn record(&self, day: BusinessDay, sales: &[Sale]) -> Result<(), BoardError> {
        self.board.record(day, sales).await
    }

    async fn days(&self) -> Result<Vec<BoardDay>, BoardError> {
        self.board.days().await
    }

    async fn clear(&self, day: BusinessDay, fence: u64) -> Result<bool, BoardError> {
        self.board.clear(day, fence).await
    }

    async fn mark_whole(&self, day: BusinessDay, fence: u64) -> Result<bool, BoardError> {
        self.board.mark_whole(day, fence).await
    }

    async fn sold(&self, day: BusinessDay, after: Option<ProductId>, limit: usize) -> Result<Vec<SoldUnits>, BoardError> {
        self.board.sold(day, after, limit).await
    }

    async fn aggregate(&self, today: BusinessDay) -> Result<bool, BoardError> {
        self.board.aggregate(today).await
    }

    async fn top(&self, today: BusinessDay, limit: usize) -> Result<Option<Vec<SoldUnits>>, BoardError> {
        self.board.top(today, limit).await
    }

    async fn forget(&self, before: BusinessDay) -> Result<(), BoardError> {
        self.board.forget(before).await
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_an_order_finds_out_although_the_notifier_is_down() {
    let service = Arc::new(Service::default());
    let shop = service.shop();
    let (buyer, option) = (shop.user(10_000).await, shop.option(1_000, 5).await);
    let order = shop.place(buyer, &[(option, 1)], None).await;
    service.is_down(true);
    let waiting = {
        let commerce = shop.commerce.clone();
        tokio::spawn(async move { commerce.order_once_settled(order, Duration::from_secs(10)).await })
    };
    let watching = {
        let commerce = shop.commerce.clone();
        tokio::spawn(async move {
            let mut watch = commerce.watch_order(order).await;
            let mut seen = Vec::new();
            while seen.len() < 2 {
                seen.extend(watch.next().await.unwrap().map(|update| update.status));
            }
            seen
        })
    };
    tokio::time::sleep(Duration::from_millis(1)).await;
    shop.settle().await;
    assert_eq!(waiting.await.unwrap().unwrap().unwrap().order.status, OrderStatus::AwaitingPayment);
    assert_eq!(watching.await.unwrap(), [OrderStatus::Pending, OrderStatus::AwaitingPayment]);
    service.is_down(false);
    Books::close(&shop).await;
}

#[tokio::test(start_paused = true)]
async fn overdue_orders_end_although_the_lock_service_is_down_and_rankings_wait_for_it() {
    let service = Arc::new(Service::default());
    let shop = service.shop();
    let (buyer, option) = (shop.user(10_000).await, shop.option(1_000, 5).await);
    let order = shop.place(buyer, &[(option, 2)], None).await;
    shop.settle().await;
    shop.clock.advance(DAY);
    service.is_down(true);
    let scheduler = Scheduler::new(shop.commerce.clone());
    assert_eq!(scheduler.run_once(Job::ExpireOrders).await.unwrap(), 1);
    assert!(matches!(scheduler.run_once(Job::Ranking).await, Err(JobError::Lock(_))));
    shop.settle().await;
    assert_eq!(shop.status(order).await, OrderStatus::Expired);
    service.is_down(false);
    assert_eq!(Books::close(&shop).await.stock[&option], 5);
}

#[tokio::test(start_paused = true)]
async fn the_last_ranking_is_shown_while_the_boards_are_down_and_nobody_asks_them_again_and_again() {
    // Given a ranking that was shown,
    let service = Arc::new(Service::default());
    let shop = service.shop();
    let buyer = shop.user(10_000).await;
    let product = shop.product(1_000, 5).await;
    let order = shop.place(buyer, &[(product.options[0].id, 2)], None).await;
    shop.settle().await;
    shop.commerce.pay(order, buyer).await.unwrap();
    shop.deliver(Group::Ranking).await;
    shop.clock.advance(DAY);
    let ranked = async || {
        let ranked = shop.commerce.best_sellers(PageLimit::default()).await?;
        Ok::<_, RankingError>(ranked.into_iter().map(|it| (it.product.id, it.sold)).collect::<Vec<_>>())
    };
    assert_eq!(ranked().await.unwrap(), [(product.id, 2)]);
    // when the boards are down for longer than it is shown without being read again,
    service.is_down(true);
    tokio::time::advance(Duration::from_mins(1)).await;
    for _ in 0..100 {
        // then it is shown all the same, and the boards are asked once;
        assert_eq!(ranked().await.unwrap(), [(product.id, 2)]);
    }
    assert_eq!(service.asked_in_vain.load(Ordering::SeqCst), 1);
    // but not on another day: then it is said that there is none,
    shop.clock.advance(DAY);
    assert!(ranked().await.is_err());
    // until they are back.
    service.is_down(false);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(ranked().await.unwrap(), [(product.id, 2)]);
}
