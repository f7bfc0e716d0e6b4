//! Idempotency keys on their way through HTTP: read, held while in flight, handed to the desk with the command.

use super::app::Shop;
use super::auth::Caller;
use super::body;
use super::envelope::respond;
use super::failure::{Failure, Outcome, Refusal};
use super::trace_parent::trace_parent;
use super::turn::Turn;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use commerce_core::ErrorCode;
use commerce_core::idempotency::{Answer, Claim, IdempotencyKey, IdempotencyRecord, KeyOwner, Keyed, KeyedCommand, Render, StoredAnswer};
use commerce_core::store::{Desk, Handler, StoreError};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// A request that changes something: its body, and the key it came with.
pub(super) struct Change<T> {
    /// What the body says.
    pub(super) body: T,
    /// The W3C trace it belongs to.
    pub(super) trace_parent: Option<String>,
    key: Option<(IdempotencyKey, [u8; 32])>,
}

/// The body of a change that needs none: it may be empty, or an empty object.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

impl<T: DeserializeOwned> FromRequest<Shop> for Change<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, shop: &Shop) -> Outcome<Self> {
        body::check_content_type(request.headers())?;
        read(request, shop).await?.try_map(|bytes| body::parse(&bytes))
    }
}

/// A change that is said by its path alone.
pub(super) struct BareChange(pub(super) Change<Nothing>);

impl FromRequest<Shop> for BareChange {
    type Rejection = Failure;

    async fn from_request(request: Request, shop: &Shop) -> Outcome<Self> {
        let parse = |bytes: Bytes| if bytes.is_empty() { Ok(Nothing {}) } else { body::parse(&bytes) };
        read(request, shop).await?.try_map(parse).map(Self)
    }
}

async fn read(request: Request, shop: &Shop) -> Outcome<Change<Bytes>> {
    let (parts, body) = request.into_parts();
    let key = key_of(&parts.headers)?;
    let turn = Turn::of(&parts.extensions);
    let body = body::read(body, shop.limits.body_deadline, turn.as_ref()).await?;
    let key = key.map(|key| (key, shop.authenticator.fingerprint(parts.method.as_str(), parts.uri.path(), &body)));
    Ok(Change { body, key, trace_parent: trace_parent(&parts.headers) })
}

fn key_of(headers: &HeaderMap) -> Outcome<Option<IdempotencyKey>> {
    let mut values = headers.get_all(&IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Failure::invalid("Idempotency-Key", "the header Idempotency-Key comes twice: send it once"));
    }
    let key = IdempotencyKey::parse(value.to_str().unwrap_or_default());
    key.map(Some).map_err(|invalid| Failure::invalid("Idempotency-Key", invalid))
}

impl<T> Change<T> {
    fn try_map<U>(self, map: impl FnOnce(T) -> Outcome<U>) -> Outcome<Change<U>> {
        Ok(Change { body: map(self.body)?, key: self.key, trace_parent: self.trace_parent })
    }

    /// The key as it was sent.
    pub(super) fn key(&self) -> Option<&IdempotencyKey> {
        self.key.as_ref().map(|(key, _)| key)
    }

    /// Takes the key into use for as long as the request is worked on. To be called once nothing but the domain can refuse the request.
    ///
    /// # Errors
    /// `IDEMPOTENCY_KEY_IN_FLIGHT` if another request with the key is being worked on.
    pub(super) fn claim(&self, shop: &Shop, caller: Caller) -> Outcome<Option<HeldKey>> {
        self.claim_for(shop, caller.key_owner)
    }

    /// The same for a route that takes anybody.
    pub(super) fn claim_for(&self, shop: &Shop, owner: KeyOwner) -> Outcome<Option<HeldKey>> {
        let Some((key, fingerprint)) = self.key.clone() else { return Ok(None) };
        shop.keys_in_flight.hold(Claim { owner, key, fingerprint }).map(Some)
    }
}

/// The keys of the requests this process is working on.
#[derive(Clone, Default)]
pub(super) struct KeysInFlight(Arc<Mutex<HashSet<(KeyOwner, IdempotencyKey)>>>);

impl KeysInFlight {
    fn hold(&self, claim: Claim) -> Outcome<HeldKey> {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.insert((claim.owner, claim.key.clone())) { Ok(HeldKey { claim, keys: self.clone() }) } else { Err(in_flight()) }
    }
}

fn in_flight() -> Failure {
    Failure::new(ErrorCode::IdempotencyKeyInFlight, "a request with this Idempotency-Key is being worked on: try again in a second")
}

/// A key that nobody else can use until this is dropped.
pub(super) struct HeldKey {
    claim: Claim,
    keys: KeysInFlight,
}

impl Drop for HeldKey {
    fn drop(&mut self) {
        let mut keys = self.keys.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.remove(&(self.claim.owner, self.claim.key.clone()));
    }
}

impl HeldKey {
    /// The key and the request it came with.
    pub(super) const fn claim(&self) -> &Claim {
        &self.claim
    }

    /// The answer that the same request was given before, for a request whose command must not even be prepared twice.
    ///
    /// # Errors
    /// `IDEMPOTENCY_KEY_REUSED` if the key came with another request.
    pub(super) async fn replay(&self, shop: &Shop) -> Outcome<Option<Response>> {
        match shop.commerce.queries().idempotency_record(&self.claim).await? {
            None => Ok(None),
            Some(record) if record.claim.fingerprint == self.claim.fingerprint => Ok(Some(replayed(record.answer))),
            Some(_) => Err(reused()),
        }
    }

    /// Keeps the answer that is given in the end: a replay must give what the client was given.
    ///
    /// # Errors
    /// Those of the store; the answer to be replayed stays the first one then.
    pub(super) async fn keep(&self, shop: &Shop, answer: StoredAnswer) -> Result<(), Arc<StoreError>> {
        let record = IdempotencyRecord { claim: self.claim.clone(), answer, at: shop.commerce.parts().clock.now() };
        shop.commerce.replace_answer(record).await
    }
}

fn replayed(answer: StoredAnswer) -> Response {
    let mut response = respond(answer);
    response.headers_mut().insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
    response
}

fn reused() -> Failure {
    let message = "this Idempotency-Key came with another request before: use a new key for a new request";
    Failure::new(ErrorCode::IdempotencyKeyReused, message)
}

/// How a command was answered.
pub(super) enum Carried<V> {
    /// It was carried out now.
    Fresh(V, Response),
    /// The same request was answered before.
    Replayed(Response),
}

impl<V> IntoResponse for Carried<V> {
    fn into_response(self) -> Response {
        match self {
            Self::Fresh(_, response) | Self::Replayed(response) => response,
        }
    }
}

/// Hands a command in at a desk, with its key if it has one. `success` makes the answer to a command that was carried out.
pub(super) async fn carry_out<H, T, R>(
    desk: &Desk<Keyed<H>>,
    command: H::Command,
    key: Option<&HeldKey>,
    success: impl Fn(&T) -> StoredAnswer + Send + Sync + 'static,
) -> Outcome<Carried<H::Verdict>>
where
    H: Handler<Verdict = Result<T, R>>,
    R: Refusal + Clone,
{
    let success = Arc::new(success);
    let render = {
        let success = Arc::clone(&success);
        move |verdict: &Result<T, R>| {
            let answer = match verdict {
                Ok(value) => success(value),
                Err(refusal) => Failure::from(refusal.clone()).into_answer(),
            };
            is_kept(answer.status).then_some(answer)
        }
    };
    let claim = key.map(|key| (key.claim.clone(), Arc::new(render) as Render<Result<T, R>>));
    match desk.submit(KeyedCommand { command, claim }).await? {
        Answer::Fresh(verdict) => {
            let response = match &verdict {
                Ok(value) => respond(success(value)),
                Err(refusal) => Failure::from(refusal.clone()).into_response(),
            };
            Ok(Carried::Fresh(verdict, response))
        }
        Answer::Replayed(answer) => Ok(Carried::Replayed(replayed(answer))),
        Answer::KeyReused => Err(reused()),
        Answer::InFlight => Err(in_flight()),
    }
}

/// Failures of ours and refusals that pass by themselves are not kept.
const fn is_kept(status: u16) -> bool {
    status < 500 && status != 429
}
