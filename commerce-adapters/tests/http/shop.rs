//! A shop in memory, behind the router.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use commerce_adapters::http::{AuthMode, HttpOptions, TokenSecret, router};
use commerce_core::coupon::InProcessGate;
use commerce_core::messaging::{Group, Relay};
use commerce_core::store::{HiLo, Random, Store};
use commerce_core::testing::{
    ManualClock, MemoryBoard, MemoryBus, MemoryCache, MemoryLocks, MemoryNotifier, MemoryStore, PlainHasher, SeededRandom,
};
use commerce_core::user::{Email, Password, PasswordHasher, Role, UserName};
use commerce_core::{Clock, Commerce, Parts, Settings};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};
use tower::ServiceExt;

pub(crate) const PASSWORD: &str = "correct horse";

/// A shop with its consumers running.
pub(crate) struct TestShop {
    pub(crate) router: Router,
    pub(crate) commerce: Commerce,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) gate: InProcessGate,
    pub(crate) stop: CancellationToken,
    end: CancellationToken,
    _end: DropGuard,
}

/// An answer, read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Somebody with a token.
#[derive(Clone)]
pub(crate) struct Someone {
    pub(crate) id: i64,
    pub(crate) token: String,
}

pub(crate) fn bearer() -> AuthMode {
    AuthMode::Bearer { secret: TokenSecret::new(vec![7; 32]).unwrap() }
}

impl TestShop {
    pub(crate) fn open() -> Self {
        Self::with(HttpOptions::new(bearer()))
    }

    pub(crate) fn with(options: HttpOptions) -> Self {
        let shop = Self::without_consumers(options);
        shop.start_consumers();
        shop
    }

    /// A shop whose orders and requests for coupons stay pending.
    pub(crate) fn without_consumers(options: HttpOptions) -> Self {
        Self::with_settings(options, Settings::default())
    }

    /// The same with other settings.
    pub(crate) fn with_settings(options: HttpOptions, settings: Settings) -> Self {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let (clock, gate) = (Arc::new(ManualClock::default()), InProcessGate::new());
        let parts = Parts {
            store: Arc::clone(&store),
            bus: Arc::new(MemoryBus::new()),
            notifier: Arc::new(MemoryNotifier::new()),
            locks: Arc::new(MemoryLocks::new()),
            gate: Arc::new(gate.clone()),
            board: Arc::new(MemoryBoard::new()),
            cache: Arc::new(MemoryCache::new()),
            ids: Arc::new(HiLo::new(store)),
            passwords: Arc::new(PlainHasher),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            random: Arc::new(SeededRandom::new(1)) as Arc<dyn Random>,
        };
        let commerce = Commerce::open(parts, settings);
        let stop = options.shutdown.clone();
        let end = CancellationToken::new();
        Self { router: router(commerce.clone(), options), commerce, clock, gate, stop, end: end.clone(), _end: end.drop_guard() }
    }

    /// From now on events are handled.
    pub(crate) fn start_consumers(&self) {
        self.commerce.start_consumers(&Group::ALL);
        let parts = self.commerce.parts();
        let wake = Arc::new(Notify::new());
        let (store, bus) = (Arc::clone(&parts.store), Arc::clone(&parts.bus));
        let relay = Relay::new(store, bus, Arc::clone(&parts.clock), Arc::clone(&parts.random), Arc::clone(&wake));
        let end = self.end.clone();
        tokio::spawn(relay.run(end.clone()));
        tokio::spawn(end.run_until_cancelled_owned(async move {
            let mut beat = tokio::time::interval(Duration::from_millis(2));
            loop {
                beat.tick().await;
                wake.notify_one();
            }
        }));
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        Reply::of(self.router.clone().oneshot(request).await.unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str, who: Option<&Someone>) -> Reply {
        self.send(request(Method::GET, path, who).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, who: Option<&Someone>, body: Value) -> Reply {
        self.send(post(path, who, body.to_string())).await
    }

    pub(crate) async fn admin(&self) -> Someone {
        let hash = PlainHasher.hash(&Password::parse(PASSWORD).unwrap()).await.unwrap();
        let (name, email) = (UserName::parse("Admin").unwrap(), Email::parse("admin@shop.example").unwrap());
        self.commerce.register_hashed(name, email, hash, Role::Admin).await.unwrap();
        self.log_in("admin@shop.example").await
    }

    pub(crate) async fn customer(&self, name: &str) -> Someone {
        let email = format!("{name}@shop.example");
        let reply = self.post("/api/users", None, json!({"name": name, "email": email, "password": PASSWORD})).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        self.log_in(&email).await
    }

    async fn log_in(&self, email: &str) -> Someone {
        let reply = self.post("/api/auth/login", None, json!({"email": email, "password": PASSWORD})).await;
        let data = reply.data();
        Someone { id: data["userId"].as_i64().unwrap(), token: data["accessToken"].as_str().unwrap().to_owned() }
    }

    /// Puts a product with one option on sale; answers the option's id.
    pub(crate) async fn option_on_sale(&self, admin: &Someone, price: i64, stock: i64) -> i64 {
        let reply = self.post("/api/products", Some(admin), product(price, stock)).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
        reply.data()["productOptions"][0]["productOptionId"].as_i64().unwrap()
    }

    /// Places an order and waits until it can be paid; answers its id.
    pub(crate) async fn ordered(&self, who: &Someone, option: i64, quantity: i64) -> i64 {
        let body = order(who.id, option, quantity).to_string();
        let mut request = post("/api/orders", Some(who), body);
        request.headers_mut().insert("prefer", "wait=30".parse().unwrap());
        let reply = self.send(request).await;
        assert_eq!(reply.data()["status"], "AWAITING_PAYMENT", "{reply:?}");
        reply.data()["id"].as_i64().unwrap()
    }

    /// Offers a coupon of which there are so many, until `expire_at`; answers its id.
    pub(crate) async fn coupon_on_offer(&self, admin: &Someone, stock: i64, expire_at: &str) -> i64 {
        let coupon =
            json!({"name": "First come", "couponType": "FIXED", "discountValue": 500, "initialStock": stock, "expireAt": expire_at});
        self.post("/api/coupons", Some(admin), coupon).await.data()["couponId"].as_i64().unwrap()
    }

    pub(crate) async fn ask_for(&self, who: &Someone, coupon: i64) -> Reply {
        self.post("/api/coupons/publish", Some(who), asking(who.id, coupon)).await
    }

    /// Asks for a coupon that is still to be had; answers the task.
    pub(crate) async fn admitted(&self, who: &Someone, coupon: i64) -> i64 {
        let reply = self.ask_for(who, coupon).await;
        assert_eq!(reply.status, StatusCode::ACCEPTED, "{reply:?}");
        reply.data()["taskId"].as_i64().unwrap()
    }

    pub(crate) async fn charge(&self, who: &Someone, points: i64) {
        let reply = self.post(&format!("/api/users/{}/points", who.id), Some(who), json!({"chargePoint": points})).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    }

    pub(crate) async fn points(&self, who: &Someone) -> i64 {
        self.get(&format!("/api/users/{}/points", who.id), Some(who)).await.data()["point"].as_i64().unwrap()
    }
}

pub(crate) fn product(price: i64, stock: i64) -> Value {
    json!({
        "name": "Runner", "category": "SHOES", "description": "A light shoe for long runs",
        "options": [{"name": "White", "price": price, "stock": stock}],
    })
}

pub(crate) fn order(user: i64, option: i64, quantity: i64) -> Value {
    json!({"userId": user, "orderProductRequests": [{"productOptionId": option, "quantity": quantity}]})
}

pub(crate) fn asking(user: i64, coupon: i64) -> Value {
    json!({"userId": user, "couponId": coupon})
}

/// The request of a client that prefers to wait.
pub(crate) fn patient(mut request: Request<Body>, prefer: &str) -> Request<Body> {
    request.headers_mut().insert("prefer", prefer.parse().unwrap());
    request
}

/// Waits until something holds.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let happening = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(Duration::from_secs(10), happening).await.unwrap_or_else(|_| panic!("it does not happen in time: {what}"));
}

pub(crate) fn request(method: Method, path: &str, who: Option<&Someone>) -> axum::http::request::Builder {
    let builder = Request::builder().method(method).uri(path);
    match who {
        Some(someone) => builder.header(AUTHORIZATION, format!("Bearer {}", someone.token)),
        None => builder,
    }
}

pub(crate) fn post(path: &str, who: Option<&Someone>, body: impl Into<Body>) -> Request<Body> {
    request(Method::POST, path, who).header(CONTENT_TYPE, "application/json").body(body.into()).unwrap()
}

pub(crate) fn keyed(path: &str, who: Option<&Someone>, key: &str, body: impl Into<Body>) -> Request<Body> {
    let mut request = post(path, who, body);
    request.headers_mut().insert("idempotency-key", key.parse().unwrap());
    request
}

impl Reply {
    pub(crate) async fn of(response: axum::response::Response) -> Self {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Self { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn data(&self) -> Value {
        let json = self.json();
        assert_eq!(json["meta"]["result"], "SUCCESS", "{self:?}");
        json["data"].clone()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Checks that it is a refusal in the envelope that says what was wrong.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str) -> Value {
        let json = self.json();
        assert_eq!((self.status.as_u16(), json["meta"]["errorCode"].as_str()), (status, Some(code)), "{self:?}");
        assert_eq!((&json["meta"]["result"], &json["data"]), (&json!("FAIL"), &Value::Null), "{self:?}");
        let message = json["meta"]["message"].as_str().unwrap();
        assert!(message.len() > 10 && message.ends_with('.') && !message.starts_with(char::is_lowercase), "{message:?}");
        json
    }

    /// Checks that it is a refusal of one field.
    #[track_caller]
    pub(crate) fn refused_field(&self, code: &str, field: &str) {
        let json = self.refused(400, code);
        assert_eq!(json["meta"]["errors"][0]["field"], field, "{self:?}");
    }
}
