//! The `OpenAPI` 3.1 document, put together from what each route says of itself, and the Swagger UI that shows it.

mod operation;

pub(super) use operation::Operation;

use super::auth::AuthMode;
use super::failure::FieldError;
use super::routes;
use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use serde::Serialize;
use utoipa::openapi::path::{PathItem, PathsBuilder};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};
use utoipa_swagger_ui::{Config, SwaggerUi};

const DESCRIPTION: &str = "Every answer comes in one envelope: `meta` says how it went, `data` is what was asked for. A client that sends \
`Accept: application/problem+json` gets failures as RFC 9457. Instants are RFC 3339 in UTC with milliseconds; in a request an instant without an \
offset is in the business time zone. Bodies are at most 64 KiB, and fields that are not known are refused.";

/// How it went.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Meta {
    /// `SUCCESS` or `FAIL`.
    #[schema(example = "SUCCESS")]
    result: String,
    /// The stable code of a failure; empty after a success.
    #[schema(example = "")]
    error_code: String,
    /// What was wrong and what to do, as a sentence.
    #[schema(example = "Done.")]
    message: String,
    /// What is wrong with which field.
    #[schema(required = false)]
    errors: Vec<FieldError>,
}

/// A request that was refused or failed.
#[derive(Serialize, ToSchema)]
struct Failed {
    meta: Meta,
    /// Always null.
    #[schema(value_type = Option<Object>)]
    data: (),
}

/// The same as RFC 9457 writes it.
#[derive(Serialize, ToSchema)]
struct Problem {
    /// Names the kind of problem.
    #[schema(example = "urn:commerce:error:INACTIVE_USER")]
    r#type: String,
    /// The kind of problem in words.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What was wrong and what to do, as a sentence.
    detail: String,
    /// The stable code.
    code: String,
    /// Whether the same request may succeed a little later.
    retryable: bool,
    /// What is wrong with which field.
    #[schema(required = false)]
    errors: Vec<FieldError>,
}

/// The document while it is put together.
pub(super) struct Document {
    paths: PathsBuilder,
    components: Components,
    auth: AuthMode,
}

impl Document {
    /// Adds an operation.
    pub(super) fn add(&mut self, operation: Operation) {
        let (path, method, operation) = operation.into_parts(&self.auth);
        let paths = std::mem::take(&mut self.paths);
        self.paths = paths.path(path, PathItem::new(method, operation));
    }

    /// Refers to a schema, and sees to it that the document has it.
    pub(super) fn schema<T: ToSchema>(&mut self) -> RefOr<Schema> {
        let mut schemas = vec![(T::name().into_owned(), <T as PartialSchema>::schema())];
        T::schemas(&mut schemas);
        self.components.schemas.extend(schemas);
        Ref::from_schema_name(T::name()).into()
    }
}

fn document(auth: &AuthMode) -> OpenApi {
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT");
    let bearer = bearer.description(Some("A token from POST /api/auth/login.")).build();
    let components = ComponentsBuilder::new().security_scheme("bearer", SecurityScheme::Http(bearer)).build();
    let mut document = Document { paths: PathsBuilder::new(), components, auth: auth.clone() };
    document.schema::<Meta>();
    document.schema::<Failed>();
    document.schema::<Problem>();
    routes::document(&mut document);
    let info = InfoBuilder::new().title("commerce").version(env!("CARGO_PKG_VERSION")).description(Some(DESCRIPTION)).build();
    OpenApiBuilder::new().info(info).paths(document.paths.build()).components(Some(document.components)).build()
}

/// The document and the Swagger UI of a shop whose callers are checked like this.
pub(super) fn routes(auth: &AuthMode) -> Router {
    let json = document(auth).to_json().unwrap_or_else(|error| {
        tracing::error!(%error, "the OpenAPI document cannot be written");
        "{}".to_owned()
    });
    let show = async move || ([(CONTENT_TYPE, "application/json")], json.clone());
    Router::new().route("/openapi.json", get(show)).merge(SwaggerUi::new("/docs").config(Config::from("/openapi.json")))
}
