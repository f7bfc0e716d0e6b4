use super::super::app::Shop;
use super::super::auth::TOKEN_LIFE;
use super::super::body;
use super::super::envelope::ok;
use super::super::failure::{Failure, Outcome};
use super::super::openapi::{Document, Operation};
use super::super::query::RawQuery;
use super::super::turn::Turn;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use commerce_core::ErrorCode;
use commerce_core::user::{Email, Password};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who logs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct LoginRequest {
    /// The address the user registered with.
    email: String,
    /// The password.
    #[schema(format = Password)]
    password: String,
}

/// A token.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct TokenData {
    /// To be sent as `Authorization: Bearer …`.
    access_token: String,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// How long the token is good, in seconds.
    expires_in: u64,
    /// Who logged in.
    user_id: i64,
}

pub(super) async fn login(State(shop): State<Shop>, query: RawQuery, request: Request) -> Outcome {
    query.read(&[])?;
    body::check_content_type(request.headers())?;
    let turn = Turn::of(request.extensions());
    let bytes = body::read(request.into_body(), shop.limits.body_deadline, turn.as_ref()).await?;
    let LoginRequest { email, password } = body::parse(&bytes)?;
    // An address or a password that cannot be is one that nobody has.
    let refused = || Failure::new(ErrorCode::BadCredentials, "no user has this e-mail address and password: check both");
    let (Ok(email), Ok(password)) = (Email::parse(&email), Password::parse(&password)) else {
        return Err(refused());
    };
    let user = shop.commerce.login(&email, &password).await?.ok_or_else(refused)?;
    let access_token = shop.authenticator.token(&user, shop.commerce.parts().clock.now())?;
    Ok(ok(&TokenData { access_token, token_type: "Bearer", expires_in: TOKEN_LIFE.as_secs(), user_id: user.id.get() }))
}

pub(in super::super) fn document(document: &mut Document) {
    Operation::post("/api/auth/login", "users", "Gives a token to who knows the password.")
        .takes::<LoginRequest>(document)
        .answers::<TokenData>(StatusCode::OK, document)
        .refuses(&[ErrorCode::BadCredentials])
        .add_to(document);
}
