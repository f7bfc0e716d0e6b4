//! Who is calling: signed tokens, and what their bearers may do.

use super::app::Shop;
use super::failure::{Failure, Outcome};
use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use commerce_core::idempotency::KeyOwner;
use commerce_core::user::{Actor, Role, User};
use commerce_core::{ErrorCode, Timestamp, UserId};
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::fmt;
use std::time::Duration;

const ISSUER: &str = "commerce";
/// How long a token is good.
pub(super) const TOKEN_LIFE: Duration = Duration::from_hours(24);

/// The shortest token key, in bytes: as long as the hash it is used with.
pub const SECRET_BYTES_MIN: usize = 32;

/// A token key that is too short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the token key must have at least {SECRET_BYTES_MIN} bytes")]
pub struct SecretTooShort;

/// The key that tokens are signed with. `Debug` hides it.
#[derive(Clone)]
pub struct TokenSecret(Vec<u8>);

impl TokenSecret {
    /// Takes a key of at least 32 bytes.
    ///
    /// # Errors
    /// [`SecretTooShort`] for fewer bytes.
    pub fn new(bytes: Vec<u8>) -> Result<Self, SecretTooShort> {
        if bytes.len() < SECRET_BYTES_MIN { Err(SecretTooShort) } else { Ok(Self(bytes)) }
    }
}

impl fmt::Debug for TokenSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenSecret(…)")
    }
}

/// Whether callers are checked.
#[derive(Debug, Clone)]
pub enum AuthMode {
    /// Callers show a token signed with this key.
    Bearer {
        /// The key.
        secret: TokenSecret,
    },
    /// Nobody is checked: every caller may act for every user and as administrator.
    Off,
}

/// What a token says.
#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    role: String,
    iat: i64,
    exp: i64,
}

/// Signs and checks tokens.
pub(super) struct Authenticator {
    checks: bool,
    /// The key behind the fingerprints of requests.
    fingerprints: Hmac<Sha256>,
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
}

impl Authenticator {
    pub(super) fn new(mode: &AuthMode) -> Self {
        // With checks off a token is worth nothing, so that it may be signed with a key that everybody knows.
        let (checks, key) = match mode {
            AuthMode::Bearer { secret } => (true, secret.0.as_slice()),
            AuthMode::Off => (false, [0; SECRET_BYTES_MIN].as_slice()),
        };
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "iss", "sub"]);
        // The expiry is compared with the shop's clock instead.
        validation.validate_exp = false;
        let fingerprints = Hmac::new_from_slice(key).expect("an HMAC takes keys of any length");
        Self { checks, fingerprints, encoding: EncodingKey::from_secret(key), decoding: DecodingKey::from_secret(key), validation }
    }

    /// What a request is known by: an HMAC of its method, path and body. Bodies can hold passwords, and what is stored of them must be of no
    /// use to whoever reads the database without the key. Neither method nor path can contain a line feed.
    pub(super) fn fingerprint(&self, method: &str, path: &str, body: &[u8]) -> [u8; 32] {
        let mac = self.fingerprints.clone();
        mac.chain_update(method).chain_update("\n").chain_update(path).chain_update("\n").chain_update(body).finalize().into_bytes().into()
    }

    /// A token for a user who has logged in.
    pub(super) fn token(&self, user: &User, now: Timestamp) -> Outcome<String> {
        let claims = Claims {
            iss: ISSUER.to_owned(),
            sub: user.id.to_string(),
            role: user.role.as_str().to_owned(),
            iat: now.millis() / 1_000,
            exp: now.plus(TOKEN_LIFE).millis() / 1_000,
        };
        encode(&Header::new(Algorithm::HS256), &claims, &self.encoding).map_err(|error| {
            tracing::error!(%error, "a token could not be signed");
            Failure::internal()
        })
    }

    fn caller(&self, headers: &HeaderMap, now: Timestamp) -> Outcome<Caller> {
        if !self.checks {
            return Ok(Caller { actor: Actor::Admin, key_owner: KeyOwner::Anyone });
        }
        let refused = |why| Failure::new(ErrorCode::Unauthenticated, why);
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return Err(refused("this needs a token: log in and send Authorization: Bearer with the token"));
        };
        let token = value.to_str().ok().and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let (_, token) = token.ok_or_else(|| refused("the header must be Authorization: Bearer followed by a token"))?;
        let not_ours = || refused("the token is not valid: log in again");
        let claims = decode::<Claims>(token.trim(), &self.decoding, &self.validation).map_err(|_| not_ours())?.claims;
        if claims.exp <= now.millis() / 1_000 {
            return Err(refused("the token has expired: log in again"));
        }
        let id = claims.sub.parse().ok().and_then(|id| UserId::new(id).ok()).ok_or_else(not_ours)?;
        let actor = match Role::parse(&claims.role).ok_or_else(not_ours)? {
            Role::Admin => Actor::Admin,
            Role::Customer => Actor::Customer(id),
        };
        Ok(Caller { actor, key_owner: KeyOwner::User(id) })
    }
}

/// On whose behalf a request is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Caller {
    /// What it may do.
    pub(super) actor: Actor,
    /// Whose idempotency keys it brings.
    pub(super) key_owner: KeyOwner,
}

impl Caller {
    /// # Errors
    /// FORBIDDEN for a customer who is not `user`.
    pub(super) fn must_act_for(self, user: UserId) -> Outcome<()> {
        if self.actor.may_act_for(user) {
            return Ok(());
        }
        Err(Failure::new(ErrorCode::Forbidden, format_args!("user {user} is not you: act for yourself only")))
    }

    /// # Errors
    /// FORBIDDEN for a customer.
    pub(super) fn must_be_admin(self) -> Outcome<()> {
        match self.actor {
            Actor::Admin => Ok(()),
            Actor::Customer(_) => Err(Failure::new(ErrorCode::Forbidden, "only an administrator may do this")),
        }
    }
}

impl FromRequestParts<Shop> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, shop: &Shop) -> Outcome<Self> {
        shop.authenticator.caller(&parts.headers, shop.commerce.parts().clock.now())
    }
}
