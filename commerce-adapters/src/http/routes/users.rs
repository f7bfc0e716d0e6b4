use super::super::app::Shop;
use super::super::auth::Caller;
use super::super::envelope::{ok, success};
use super::super::failure::{Failure, Outcome};
use super::super::idempotency::{Carried, Change, carry_out};
use super::super::openapi::{Document, Operation};
use super::super::path::PathId;
use super::super::query::RawQuery;
use axum::extract::State;
use axum::http::StatusCode;
use commerce_core::idempotency::KeyOwner;
use commerce_core::user::{Email, Password, RegisterUser, RenameUser, Role, User, UserError, UserName};
use commerce_core::{ErrorCode, Sequence, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who registers.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct RegisterRequest {
    /// The display name, 2–20 characters.
    #[schema(min_length = 2, max_length = 20)]
    name: String,
    /// The address to log in with; unique ignoring case.
    #[schema(max_length = 254)]
    email: String,
    /// The password, 5–72 characters.
    #[schema(min_length = 5, max_length = 72, format = Password)]
    password: String,
}

/// A new name.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct RenameRequest {
    /// The display name, 2–20 characters.
    #[schema(min_length = 2, max_length = 20)]
    name: String,
}

/// A user.
#[derive(Serialize, ToSchema)]
pub(in super::super) struct UserData {
    /// The user's id.
    id: i64,
    /// The display name.
    name: String,
    /// The address the user logs in with.
    email: String,
}

impl UserData {
    fn of(user: &User) -> Self {
        Self { id: user.id.get(), name: user.name.as_str().to_owned(), email: user.email.as_str().to_owned() }
    }
}

fn name_of(text: &str) -> Outcome<UserName> {
    UserName::parse(text).map_err(|refusal| Failure::from(refusal).at("name"))
}

pub(super) async fn register(
    State(shop): State<Shop>,
    query: RawQuery,
    change: Change<RegisterRequest>,
) -> Outcome<Carried<Result<User, UserError>>> {
    query.read(&[])?;
    let RegisterRequest { name, email, password } = &change.body;
    let name = name_of(name)?;
    let email = Email::parse(email).map_err(|refusal| Failure::from(refusal).at("email"))?;
    let password = Password::parse(password).map_err(|refusal| Failure::from(refusal).at("password"))?;
    let key = change.claim_for(&shop, KeyOwner::Anyone)?;

    let password_hash = shop.commerce.parts().passwords.hash(&password).await?;
    let id = shop.commerce.next_id(Sequence::User).await?;
    let command = RegisterUser { id, name, email, password_hash, role: Role::Customer };
    carry_out(&shop.commerce.desks().register, command, key.as_ref(), |user| success(StatusCode::OK, &UserData::of(user))).await
}

pub(super) async fn show(State(shop): State<Shop>, caller: Caller, PathId(id): PathId<UserId>, query: RawQuery) -> Outcome {
    query.read(&[])?;
    caller.must_act_for(id)?;
    let user: Option<User> = shop.commerce.queries().user(id).await?;
    user.map(|user| ok(&UserData::of(&user))).ok_or_else(|| UserError::NotFound(id).into())
}

pub(super) async fn rename(
    State(shop): State<Shop>,
    caller: Caller,
    PathId(id): PathId<UserId>,
    query: RawQuery,
    change: Change<RenameRequest>,
) -> Outcome<Carried<Result<User, UserError>>> {
    query.read(&[])?;
    let name = name_of(&change.body.name)?;
    caller.must_act_for(id)?;
    let key = change.claim(&shop, caller)?;
    let answer = |user: &User| success(StatusCode::OK, &UserData::of(user));
    carry_out(&shop.commerce.desks().rename, RenameUser { id, name }, key.as_ref(), answer).await
}

pub(in super::super) fn document(document: &mut Document) {
    Operation::post("/api/users", "users", "Registers a customer.")
        .takes::<RegisterRequest>(document)
        .idempotent()
        .answers::<UserData>(StatusCode::OK, document)
        .refuses(&[ErrorCode::InvalidUserName, ErrorCode::InvalidUserEmail, ErrorCode::InvalidUserPassword, ErrorCode::DuplicateEmail])
        .add_to(document);
    Operation::get("/api/users/{userId}", "users", "Shows a user.")
        .with_token()
        .answers::<UserData>(StatusCode::OK, document)
        .refuses(&[ErrorCode::InactiveUser])
        .add_to(document);
    Operation::post("/api/users/{userId}", "users", "Gives a user another name.")
        .with_token()
        .takes::<RenameRequest>(document)
        .idempotent()
        .answers::<UserData>(StatusCode::OK, document)
        .refuses(&[ErrorCode::InvalidUserName, ErrorCode::InactiveUser])
        .add_to(document);
}
