//! A shop of the test's own: a server on a file of its own, and proof at the end.

use crate::buyer::Buyer;
use crate::client::Client;
use crate::file::ShopFile;
use crate::harness::process::{NotStarted, Server, admin, log_file, scratch_directory};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Output;
use tempfile::TempDir;
use tokio::process::Command;

/// A running shop.
pub(crate) struct Shop {
    directory: TempDir,
    arguments: Vec<&'static str>,
    server: Server,
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
        let directory = scratch_directory();
        let server = Self::serve(directory.path(), arguments).await;
        Self { directory, arguments: arguments.to_vec(), server }
    }

    async fn serve(directory: &Path, arguments: &[&str]) -> Server {
        match Server::start(directory, arguments).await {
            Ok(server) => server,
            Err(NotStarted { code, messages }) => panic!("the server ended with {code:?}: {messages}"),
        }
    }

    /// Another server on the same file.
    pub(crate) async fn second_server(&self, arguments: &[&str]) -> Result<Server, NotStarted> {
        Server::start(self.directory.path(), arguments).await
    }

    /// Where the server listens.
    pub(crate) const fn address(&self) -> std::net::SocketAddr {
        self.server.address
    }

    /// A client whom nobody knows.
    pub(crate) const fn client(&self) -> Client {
        Client::to(self.server.address)
    }

    /// A customer of the demo shop, who has to be in the one where nobody is checked.
    pub(crate) const fn buyer(&self, user: i64) -> Buyer {
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
        admin(self.directory.path())
    }

    /// Every invariant holds.
    pub(crate) async fn audit_is_clean(&self) {
        let audit = self.admin().args(["audit", "--json"]).output().await;
        let Output { status, stdout, stderr } = audit.expect("commerce-admin can be run");
        let (report, messages) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
        assert_eq!(status.code(), Some(0), "{report}{messages}");
        assert!(serde_json::from_str::<Value>(&report).is_ok(), "the report is no JSON: {report}");
    }

    /// What the server said on standard error.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(log_file(self.directory.path())).unwrap_or_default()
    }

    /// Sends a signal to the server.
    pub(crate) fn signal(&self, signal: Signal) {
        self.server.signal(signal);
    }

    /// Kills the server, as a crash would, and starts another one on its file.
    pub(crate) async fn crash_and_restart(self) -> Self {
        let Self { directory, arguments, server } = self;
        server.signal(Signal::KILL);
        server.ended().await;
        let server = Self::serve(directory.path(), &arguments).await;
        Self { directory, arguments, server }
    }

    /// Ends the server as an operator would and starts another one on its file.
    pub(crate) async fn restart(self) -> Self {
        self.signal(Signal::TERM);
        self.restart_ended().await
    }

    /// The same, with other options from then on.
    pub(crate) async fn restart_with(mut self, arguments: &[&'static str]) -> Self {
        self.arguments = arguments.to_vec();
        self.restart().await
    }

    /// Waits until the server, which was asked to, has ended as it should, and starts another one on its file.
    pub(crate) async fn restart_ended(self) -> Self {
        let Self { directory, arguments, server } = self;
        assert_eq!(server.ended().await.code(), Some(0));
        let server = Self::serve(directory.path(), &arguments).await;
        Self { directory, arguments, server }
    }

    /// Ends the server as an operator would; what is left is its file.
    pub(crate) async fn stop(self) -> ShopFile {
        self.signal(Signal::TERM);
        self.ended().await
    }

    /// Waits until the server, which was asked to, has ended as it should; what is left is its file.
    pub(crate) async fn ended(self) -> ShopFile {
        let Self { directory, server, .. } = self;
        assert_eq!(server.ended().await.code(), Some(0));
        ShopFile::in_directory(directory)
    }

    /// Where the shop's files are.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// A server on a shop's file.
    pub(crate) async fn on(file: ShopFile, arguments: &[&'static str]) -> Self {
        let directory = file.into_directory();
        let server = Self::serve(directory.path(), arguments).await;
        Self { directory, arguments: arguments.to_vec(), server }
    }

    /// The last step of every test: nothing is wrong while the server runs, it ends as it should, and nothing is wrong afterwards.
    pub(crate) async fn closes_clean(self) {
        self.audit_is_clean().await;
        let log = self.log();
        assert!(!log.contains("panicked"), "{log}");
        let Self { directory, arguments, server } = self;
        server.signal(Signal::TERM);
        assert_eq!(server.ended().await.code(), Some(0), "{arguments:?}");
        let audit = admin(directory.path()).arg("audit").output().await.expect("commerce-admin can be run");
        assert_eq!(audit.status.code(), Some(0), "{}{}", String::from_utf8_lossy(&audit.stdout), String::from_utf8_lossy(&audit.stderr));
    }
}
