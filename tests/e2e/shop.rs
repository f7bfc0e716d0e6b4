//! A shop of the test's own: on a file or on servers, and proof at the end.

use crate::buyer::{Buyer, eventually};
use crate::client::Client;
use crate::closed::{ClosedShop, tamper};
use crate::harness::process::{NotStarted, Server};
use crate::place::{ADMIN, Place, SCHEDULER};
use crate::staff::{self, Staff};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::cell::Cell;
use std::net::SocketAddr;
use std::process::{ExitStatus, Output};
use tokio::process::Command;

/// A running shop.
pub(crate) struct Shop {
    place: Place,
    arguments: Vec<&'static str>,
    staff: Staff,
    /// How many clients came: each is sent to the next API server.
    clients: Cell<usize>,
}

/// One product with one option.
#[derive(Clone, Copy)]
pub(crate) struct Ware {
    pub(crate) product: i64,
    pub(crate) option: i64,
    pub(crate) price: i64,
}

impl Shop {
    /// An empty shop where nobody is checked.
    pub(crate) async fn open() -> Self {
        Self::start(&["--auth", "off"]).await
    }

    /// The demo shop where nobody is checked.
    pub(crate) async fn demo() -> Self {
        Self::start(&["--demo", "--auth", "off"]).await
    }

    /// A shop with these options.
    pub(crate) async fn start(arguments: &[&'static str]) -> Self {
        Self::at(Place::new().await, arguments).await
    }

    async fn at(place: Place, arguments: &[&'static str]) -> Self {
        match Staff::start(&place, arguments).await {
            Ok(staff) => Self { place, arguments: arguments.to_vec(), staff, clients: Cell::new(0) },
            Err(NotStarted { code, messages }) => panic!("a process of the shop ended with {code:?}: {messages}"),
        }
    }

    /// Another API server of the same shop.
    pub(crate) async fn another_server(&self, arguments: &[&str]) -> Result<Server, NotStarted> {
        staff::api(&self.place, "another-commerce-api", arguments).await
    }

    /// Where an API server listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.staff.servers[0].address
    }

    /// Where all of them listen.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.staff.addresses()
    }

    /// A client whom nobody knows.
    pub(crate) fn client(&self) -> Client {
        let number = self.clients.get();
        self.clients.set(number + 1);
        Client::of(self.staff.addresses().into(), number)
    }

    /// A customer of the demo shop, who has to be in the one where nobody is checked.
    pub(crate) fn buyer(&self, user: i64) -> Buyer {
        Buyer { user, client: self.client() }
    }

    /// A new customer.
    pub(crate) async fn customer(&self, name: &str) -> Buyer {
        let mut client = self.client();
        let registration =
            json!({ "name": name, "email": format!("{}@shop.example", name.replace(' ', ".")), "password": "a long password" });
        let user = client.post("/api/users", &registration).await.ok();
        Buyer { user: user["id"].as_i64().expect("an id"), client }
    }

    /// Puts something on sale.
    pub(crate) async fn ware(&self, price: i64, stock: i64) -> Ware {
        let mut client = self.client();
        let option = json!({ "name": "the only one", "price": price, "stock": stock });
        let product = json!({ "name": "Thing", "category": "DIGITAL", "description": "A thing that is sold.", "options": [option] });
        let created = client.post("/api/products", &product).await;
        assert_eq!(created.status(), 201, "{created}");
        let location = created.head.header("location").expect("where the product is").to_owned();
        let product = client.read(&location).await;
        let option = product["productOptions"][0]["productOptionId"].as_i64().expect("an id");
        Ware { product: product["productId"].as_i64().expect("an id"), option, price }
    }

    /// How many units are left.
    pub(crate) async fn stock(&self, ware: Ware) -> i64 {
        let product = self.client().read(&format!("/api/products/{}", ware.product)).await;
        let options = product["productOptions"].as_array().expect("options");
        let option = options.iter().find(|option| option["productOptionId"] == ware.option).expect("the option");
        option["stock"].as_i64().expect("a number")
    }

    /// Offers a coupon that takes 500 KRW off, for a long time.
    pub(crate) async fn coupon(&self, stock: i64) -> i64 {
        self.coupon_like(&json!({ "initialStock": stock })).await
    }

    /// The same, with other fields.
    pub(crate) async fn coupon_like(&self, fields: &Value) -> i64 {
        let mut coupon = json!({
            "name": "First come", "couponType": "FIXED", "discountValue": 500, "initialStock": 10, "expireAt": "2099-01-01T00:00:00Z",
        });
        for (field, value) in fields.as_object().expect("fields") {
            coupon[field] = value.clone();
        }
        self.client().post("/api/coupons", &coupon).await.ok()["couponId"].as_i64().expect("an id")
    }

    /// How many are left of a coupon.
    pub(crate) async fn remaining(&self, coupon: i64) -> i64 {
        let coupons = self.client().read("/api/coupons?limit=100").await["items"].take();
        let coupon = coupons.as_array().expect("a list").iter().find(|it| it["couponId"] == coupon).expect("the coupon");
        coupon["remaining"].as_i64().expect("a number")
    }

    /// The operator's tool for this shop.
    pub(crate) fn admin(&self) -> Command {
        self.place.command(ADMIN)
    }

    /// Changes what is stored in the file behind the shop's back.
    pub(crate) async fn tamper(&self, statements: &str) {
        tamper(&self.place, statements).await;
    }

    /// A scheduler for this shop.
    pub(crate) fn scheduler(&self) -> Command {
        self.place.command(SCHEDULER)
    }

    /// Every invariant holds.
    pub(crate) async fn audit_is_clean(&self) {
        let mut said = String::new();
        eventually("the audit is clean", async || {
            let audit = self.admin().args(["audit", "--json"]).output().await;
            let Output { status, stdout, stderr } = audit.expect("commerce-admin can be run");
            let (report, messages) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
            assert!(serde_json::from_str::<Value>(&report).is_ok(), "the report is no JSON: {report}{messages}");
            said = format!("{report}{messages}");
            // On one file nothing takes longer than the audit has patience. What a killed process has claimed on servers does.
            assert!(status.success() || !self.place.is_a_file(), "{said}");
            status.success()
        })
        .await;
    }

    /// What the processes said on standard error.
    pub(crate) fn log(&self) -> String {
        self.place.logs()
    }

    /// Sends a signal to the API servers.
    pub(crate) fn signal(&self, signal: Signal) {
        self.staff.servers.iter().for_each(|server| server.signal(signal));
    }

    /// Kills every process, as a crash would, and starts others.
    pub(crate) async fn crash_and_restart(self) -> Self {
        let Self { place, arguments, staff, .. } = self;
        staff.signal(Signal::KILL);
        staff.ended().await;
        Self::at(place, &arguments).await
    }

    /// Ends every process as an operator would, and starts others.
    pub(crate) async fn restart(self) -> Self {
        self.signal(Signal::TERM);
        self.restart_ended().await
    }

    /// The same, with other options from then on.
    pub(crate) async fn restart_with(mut self, arguments: &[&'static str]) -> Self {
        self.arguments = arguments.to_vec();
        self.restart().await
    }

    /// Waits until the API servers, which were asked to, have ended as they should, and the others; then starts others.
    pub(crate) async fn restart_ended(self) -> Self {
        let arguments = self.arguments.clone();
        Self::at(self.ended().await.into_place(), &arguments).await
    }

    /// Ends every process as an operator would; what is left is what they kept.
    pub(crate) async fn stop(self) -> ClosedShop {
        self.signal(Signal::TERM);
        self.ended().await
    }

    /// Waits until the API servers, which were asked to, have ended as they should, and the others; what is left is what they kept.
    pub(crate) async fn ended(self) -> ClosedShop {
        let Self { place, arguments, staff, .. } = self;
        staff.signal_others(Signal::TERM);
        let statuses = staff.ended().await;
        assert!(statuses.iter().all(ExitStatus::success), "{arguments:?}: {statuses:?}\n{}", place.logs());
        ClosedShop::at(place)
    }

    /// A shop that nobody ran, with these options.
    pub(crate) async fn on(shop: ClosedShop, arguments: &[&'static str]) -> Self {
        Self::at(shop.into_place(), arguments).await
    }

    /// Where the shop lives.
    #[cfg(feature = "distributed")]
    pub(crate) const fn place(&self) -> &Place {
        &self.place
    }

    /// The last step of every test: nothing is wrong while the shop is open, it ends as it should, and nothing is wrong afterwards.
    pub(crate) async fn closes_clean(self) {
        self.audit_is_clean().await;
        let log = self.log();
        assert!(!log.contains("panicked"), "{log}");
        self.stop().await.admin(&["audit"]).await.ended(0);
    }
}
