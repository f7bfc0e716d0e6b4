use super::super::auth::AuthMode;
use super::super::status::status_of;
use super::Document;
use axum::http::StatusCode;
use commerce_core::store::PageLimit;
use commerce_core::{ErrorCode, ID_MAX};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use utoipa::openapi::path::{OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{
    ArrayBuilder, Content, Header, HttpMethod, ObjectBuilder, Ref, RefOr, Required, ResponseBuilder, Schema, Type, path,
};

/// Who may call a route.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Callers {
    Anybody,
    /// Those with a token, where callers are checked.
    Known,
}

/// What a route says of itself.
pub(in super::super) struct Operation {
    method: HttpMethod,
    path: &'static str,
    builder: OperationBuilder,
    callers: Callers,
    answers: Vec<(StatusCode, ResponseBuilder)>,
    refusals: Vec<ErrorCode>,
}

fn integer(max: i64) -> Schema {
    ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(max)).build().into()
}

fn string() -> Schema {
    ObjectBuilder::new().schema_type(Type::String).build().into()
}

fn parameter(name: &str, place: ParameterIn, required: Required, schema: Schema, description: &str) -> Parameter {
    ParameterBuilder::new().name(name).parameter_in(place).required(required).schema(Some(schema)).description(Some(description)).build()
}

/// One event of a stream: its data is JSON in a string.
fn event_of(name: &str, data: RefOr<Schema>) -> Schema {
    let named = ObjectBuilder::new().schema_type(Type::String).enum_values(Some([name]));
    let data = ObjectBuilder::new().schema_type(Type::String).content_media_type("application/json").content_schema(Some(data));
    let fields: [(&str, Schema); 3] = [("id", string()), ("event", named.build().into()), ("data", data.build().into())];
    fields.into_iter().fold(ObjectBuilder::new(), |event, (field, schema)| event.property(field, schema).required(field)).build().into()
}

/// The envelope around `data`.
fn enveloped(data: RefOr<Schema>) -> RefOr<Schema> {
    let envelope =
        ObjectBuilder::new().property("meta", Ref::from_schema_name("Meta")).required("meta").property("data", data).required("data");
    Schema::from(envelope.build()).into()
}

impl Operation {
    fn new(method: HttpMethod, path: &'static str, tag: &str, summary: &str) -> Self {
        let builder = OperationBuilder::new().tag(tag).summary(Some(summary));
        let refusals = vec![ErrorCode::InvalidParameter, ErrorCode::Overloaded];
        Self { method, path, builder, callers: Callers::Anybody, answers: Vec::new(), refusals }.with_path_id()
    }

    /// A route that reads.
    pub(in super::super) fn get(path: &'static str, tag: &str, summary: &str) -> Self {
        Self::new(HttpMethod::Get, path, tag, summary)
    }

    /// A route that changes something.
    pub(in super::super) fn post(path: &'static str, tag: &str, summary: &str) -> Self {
        Self::new(HttpMethod::Post, path, tag, summary)
    }

    fn with_path_id(mut self) -> Self {
        if let Some((_, rest)) = self.path.split_once('{') {
            let name = rest.split('}').next().unwrap_or_default();
            // A number in a path is an id, or how many are asked for.
            let number = integer(if name.ends_with("Id") { ID_MAX } else { PageLimit::MAX.into() });
            self.builder = self.builder.parameter(parameter(name, ParameterIn::Path, Required::True, number, "A whole number."));
        }
        self
    }

    /// It needs a token, and not everybody's will do.
    pub(in super::super) fn with_token(mut self) -> Self {
        self.callers = Callers::Known;
        self
    }

    /// It takes this body.
    pub(in super::super) fn takes<T: ToSchema>(mut self, document: &mut Document) -> Self {
        let body = RequestBodyBuilder::new()
            .required(Some(Required::True))
            .content("application/json", Content::new(Some(document.schema::<T>())));
        self.builder = self.builder.request_body(Some(body.build()));
        self.refuses(&[ErrorCode::PayloadTooLarge, ErrorCode::UnsupportedMediaType])
    }

    /// It takes a query parameter.
    pub(in super::super) fn query(mut self, name: &str, description: &str) -> Self {
        self.builder = self.builder.parameter(parameter(name, ParameterIn::Query, Required::False, string(), description));
        self
    }

    /// It answers a page of a list.
    pub(in super::super) fn pages<T: ToSchema>(mut self, document: &mut Document) -> Self {
        let limit = integer(PageLimit::MAX.into());
        let limit = parameter("limit", ParameterIn::Query, Required::False, limit, "How many items, 20 if nobody says.");
        self.builder = self.builder.parameter(limit);
        let items = ArrayBuilder::new().items(document.schema::<T>()).build();
        let page = ObjectBuilder::new().property("items", Schema::from(items)).required("items").property("nextCursor", string()).build();
        self.query("cursor", "nextCursor of the page before.").answers_with(StatusCode::OK, Schema::from(page).into())
    }

    /// It takes an `Idempotency-Key`.
    pub(in super::super) fn idempotent(mut self) -> Self {
        let description = "At most 255 printable characters. The same key and the same request give the first answer again, with \
            Idempotent-Replayed: true, for 24 hours at least.";
        self.builder = self.builder.parameter(parameter("Idempotency-Key", ParameterIn::Header, Required::False, string(), description));
        self.refuses(&[ErrorCode::IdempotencyKeyInFlight, ErrorCode::IdempotencyKeyReused, ErrorCode::LockAcquireFailed])
    }

    /// It takes `Prefer: wait=N`, and waits for this.
    pub(in super::super) fn waits_until(self, event: &str) -> Self {
        let description = format!(
            "wait=N holds the answer until {event}, at most N seconds; more than 30 counts as 30. The answer says so in Preference-Applied."
        );
        self.header("Prefer", &description)
    }

    /// It takes a header.
    pub(in super::super) fn header(mut self, name: &str, description: &str) -> Self {
        self.builder = self.builder.parameter(parameter(name, ParameterIn::Header, Required::False, string(), description));
        self
    }

    /// It answers `T`.
    pub(in super::super) fn answers<T: ToSchema>(self, status: StatusCode, document: &mut Document) -> Self {
        let schema = document.schema::<T>();
        self.answers_with(status, schema)
    }

    /// It answers a list of `T`.
    pub(in super::super) fn answers_list<T: ToSchema>(self, document: &mut Document) -> Self {
        let list = ArrayBuilder::new().items(document.schema::<T>()).build();
        self.answers_with(StatusCode::OK, Schema::from(list).into())
    }

    fn answers_with(mut self, status: StatusCode, data: RefOr<Schema>) -> Self {
        let description = status.canonical_reason().unwrap_or_default();
        let response = ResponseBuilder::new().description(description).content("application/json", Content::new(Some(enveloped(data))));
        self.answers.push((status, response));
        self
    }

    /// It answers with a stream of events, the data of each being `T`.
    pub(in super::super) fn streams<T: ToSchema>(mut self, event: &str, document: &mut Document) -> Self {
        let response = ResponseBuilder::new().description(format!("A stream of `{event}` events."));
        let events = Content::new(Some(event_of(event, document.schema::<T>())));
        self.answers.push((StatusCode::OK, response.content("text/event-stream", events)));
        self
    }

    /// It answers with a stream of events, the data of each being `T`, or with `T` alone if the client asks for JSON.
    pub(in super::super) fn streams_or_answers<T: ToSchema>(mut self, event: &str, document: &mut Document) -> Self {
        let schema = document.schema::<T>();
        let response = ResponseBuilder::new()
            .description(format!("A stream of `{event}` events, or the present state with `Accept: application/json`."))
            .content("text/event-stream", Content::new(Some(event_of(event, schema.clone()))))
            .content("application/json", Content::new(Some(enveloped(schema))));
        self.answers.push((StatusCode::OK, response));
        self
    }

    /// It may answer with nothing but a status and headers.
    pub(in super::super) fn answers_nothing(mut self, status: StatusCode) -> Self {
        self.answers.push((status, ResponseBuilder::new().description(status.canonical_reason().unwrap_or_default())));
        self
    }

    /// It answers plain text.
    pub(in super::super) fn answers_text(mut self, status: StatusCode, description: &str) -> Self {
        self.answers.push((status, ResponseBuilder::new().description(description).content("text/plain", Content::new(Some(string())))));
        self
    }

    /// Its last answer has this header.
    pub(in super::super) fn with(mut self, header: &str, description: &str) -> Self {
        if let Some((status, response)) = self.answers.pop() {
            let header_value = header_of(description);
            self.answers.push((status, response.header(header, header_value)));
        }
        self
    }

    /// It may refuse with these codes, besides those that any route of its kind has.
    pub(in super::super) fn refuses(mut self, codes: &[ErrorCode]) -> Self {
        self.refusals.extend(codes);
        self
    }

    /// It refuses nothing: it belongs to the operator.
    pub(in super::super) fn for_operator(mut self) -> Self {
        self.refusals.clear();
        self
    }

    /// Adds it to the document.
    pub(in super::super) fn add_to(self, document: &mut Document) {
        document.add(self);
    }

    /// What the document has of it, for a shop whose callers are checked like this.
    pub(super) fn into_parts(mut self, auth: &AuthMode) -> (&'static str, HttpMethod, path::Operation) {
        let mut builder = self.builder;
        if self.callers == Callers::Known && matches!(auth, AuthMode::Bearer { .. }) {
            builder = builder.security(SecurityRequirement::new("bearer", Vec::<String>::new()));
            self.refusals.extend([ErrorCode::Unauthenticated, ErrorCode::Forbidden]);
        }
        for (status, response) in self.answers {
            builder = builder.response(status.as_str(), response.build());
        }
        let mut refusals = BTreeMap::<u16, Vec<ErrorCode>>::new();
        for code in self.refusals {
            refusals.entry(status_of(code).as_u16()).or_default().push(code);
        }
        for (status, codes) in refusals {
            builder = builder.response(status.to_string(), refusal(status, &codes));
        }
        (self.path, self.method, builder.build())
    }
}

fn header_of(description: &str) -> Header {
    let mut header = Header::new(string());
    header.description = Some(description.to_owned());
    header
}

fn refusal(status: u16, codes: &[ErrorCode]) -> utoipa::openapi::Response {
    let codes = codes.iter().map(|code| code.as_str()).collect::<Vec<_>>().join(", ");
    let mut response = ResponseBuilder::new()
        .description(codes)
        .content("application/json", Content::new(Some(Ref::from_schema_name("Failed"))))
        .content("application/problem+json", Content::new(Some(Ref::from_schema_name("Problem"))));
    match status {
        401 => response = response.header("WWW-Authenticate", header_of("Always `Bearer`.")),
        409 | 429 | 503 => response = response.header("Retry-After", header_of("Seconds to wait, where trying again helps.")),
        _ => {}
    }
    response.build()
}
