//! Proof that the core does what it promises, on the in-memory parts: every saga step under every fault, group commit, guards, idempotency, waiting,
//! the relay, outages, the clock's jobs, the ranking, and random histories against plain models.

mod books;
mod chain;
mod coupons;
mod effects;
mod group_commit;
mod guards;
mod idempotency;
mod locks;
mod model;
mod outage;
mod ranking;
mod relay;
mod relays;
mod running;
mod saga;
mod scheduler;
mod shop;
mod watch;
