//! Gates of a shop in one file of which a row cannot be read.

#![cfg(feature = "embedded")]

use commerce_adapters::embedded::EmbeddedParts;
use commerce_adapters::sqlite::{Durability, SqliteOptions};
use commerce_core::coupon::{Coupon, CouponName, Discount, DiscountKind, NewCoupon};
use commerce_core::messaging::Group;
use commerce_core::user::{Email, PasswordHash, Role, UserName};
use commerce_core::{Commerce, CouponId, Settings, Timestamp};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};
use std::time::Duration;
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(10);

async fn offer(shop: &Commerce, name: &str) -> Coupon {
    let new = NewCoupon {
        name: CouponName::parse(name).unwrap(),
        discount: Discount::new(DiscountKind::Percent, 10).unwrap(),
        initial_stock: 5,
        opens_at: None,
        expires_at: Timestamp::from_millis(253_402_214_400_000),
    };
    let coupon = shop.create_coupon(new).await.unwrap();
    shop.gate_keeper().rebuild(coupon.id).await.unwrap();
    coupon
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coupon_that_cannot_be_read_keeps_no_other_gate_waiting() {
    // Given two coupons, and somebody who has the first,
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    let options = SqliteOptions { durability: Durability::Relaxed, ..SqliteOptions::new(&path) };
    let embedded = EmbeddedParts::open_alone(options).await.unwrap();
    let shop = Commerce::open(embedded.parts().clone(), Settings::default());
    shop.start_consumers(&Group::ALL);
    let (damaged, sound) = (offer(&shop, "Damaged").await.id, offer(&shop, "Sound").await.id);
    let (name, email) = (UserName::parse("Somebody").unwrap(), Email::parse("somebody@shop.example").unwrap());
    let user = shop.register_hashed(name, email, PasswordHash::new("none".to_owned()), Role::Customer).await.unwrap().id;
    let request = shop.request_coupon(user, damaged).await.unwrap();
    shop.task_once_decided(&request, SOON).await.unwrap();
    timeout(SOON, embedded.until_handled(Group::CouponGate)).await.expect("the gate is told").unwrap();
    // whose row is damaged by somebody who has the file,
    let mut connection = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
    connection.execute(AssertSqlSafe("UPDATE user_coupons SET user_id = -1".to_owned())).await.unwrap();
    connection.close().await.unwrap();
    // when the operator asks for both gates,
    for coupon in [damaged, sound] {
        shop.ask_for_gate(coupon).await.unwrap();
    }
    // then that is over soon: the one stays closed, and the other one is open.
    timeout(SOON, embedded.until_handled(Group::CouponGate)).await.expect("nobody waits for the damaged one").unwrap();
    let is_open = async |coupon: CouponId| embedded.parts().gate.census(coupon).await.unwrap().is_some();
    assert!(!is_open(damaged).await);
    assert!(is_open(sound).await);
    shop.shutdown().await;
    embedded.close().await.unwrap();
}
