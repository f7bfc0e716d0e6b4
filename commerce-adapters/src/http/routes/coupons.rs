use super::super::app::Shop;
use super::super::auth::Caller;
use super::super::cursor::Cursor;
use super::super::envelope::{ok, success};
use super::super::failure::{Failure, Outcome};
use super::super::idempotency::{Carried, Change, carry_out};
use super::super::openapi::{Document, Operation};
use super::super::path::PathId;
use super::super::query::RawQuery;
use super::{PageData, must_exist};
use axum::extract::State;
use axum::http::StatusCode;
use commerce_core::coupon::{
    Coupon, CouponError, CouponName, CreateCoupon, Discount, DiscountKind, NewCoupon, UserCoupon, UserCouponState,
};
use commerce_core::{BusinessCalendar, ErrorCode, Sequence, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const INITIAL_STOCK_MAX: i64 = 100_000_000;

/// A coupon to offer.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in super::super) struct CreateCouponRequest {
    /// The name, 5–20 characters.
    #[schema(min_length = 5, max_length = 20)]
    name: String,
    /// `FIXED` or `PERCENT`.
    #[schema(example = "PERCENT", pattern = "^(FIXED|PERCENT)$")]
    coupon_type: String,
    /// KRW above 0, or 1–100 percent.
    #[schema(minimum = 1)]
    discount_value: i64,
    /// How many there are.
    #[schema(minimum = 0, maximum = 100_000_000)]
    initial_stock: i64,
    /// When it can neither be asked for nor used any more; without an offset it is in the business time zone.
    #[schema(format = DateTime)]
    expire_at: String,
    /// When it can be asked for; from the start if absent.
    #[schema(format = DateTime)]
    open_at: Option<String>,
}

/// A coupon that was made.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct CreatedCouponData {
    /// The coupon's id.
    coupon_id: i64,
    /// The name.
    coupon_name: String,
    /// `FIXED` or `PERCENT`.
    #[schema(example = "PERCENT")]
    coupon_type: &'static str,
    /// KRW or percent.
    discount_value: i64,
    /// When it can neither be asked for nor used any more, in UTC.
    #[schema(format = DateTime)]
    expire_at: String,
}

/// A coupon that is offered.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct CouponData {
    /// The coupon's id.
    coupon_id: i64,
    /// The name.
    coupon_name: String,
    /// `FIXED` or `PERCENT`.
    #[schema(example = "PERCENT")]
    coupon_type: &'static str,
    /// KRW or percent.
    discount_value: i64,
    /// How many there were at first.
    initial_stock: u32,
    /// How many are left.
    remaining: u32,
    /// When it can be asked for, in UTC; from the start if absent.
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    open_at: Option<String>,
    /// When it can neither be asked for nor used any more, in UTC.
    #[schema(format = DateTime)]
    expire_at: String,
}

/// The coupons a user holds.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct HeldCouponsData {
    /// The user.
    user_id: i64,
    /// The coupons, ascending by id.
    coupon_response_list: Vec<HeldCouponData>,
}

/// A coupon a user holds.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct HeldCouponData {
    /// The id to place an order with.
    user_coupon_id: i64,
    /// `ISSUED`, `USED` or `EXPIRED`.
    #[schema(example = "ISSUED")]
    coupon_status: &'static str,
    /// When it was used, in UTC; null if it was not.
    #[schema(format = DateTime)]
    used_at: Option<String>,
    /// Which coupon it is.
    coupon_id: i64,
    /// The name.
    coupon_name: String,
    /// `FIXED` or `PERCENT`.
    #[schema(example = "PERCENT")]
    coupon_type: &'static str,
    /// KRW or percent.
    discount_value: i64,
    /// When it can neither be asked for nor used any more, in UTC.
    #[schema(format = DateTime)]
    expire_at: String,
    /// The user's place in the rush, from 1.
    position: u32,
}

impl CreatedCouponData {
    fn of(coupon: &Coupon) -> Self {
        Self {
            coupon_id: coupon.id.get(),
            coupon_name: coupon.name.as_str().to_owned(),
            coupon_type: coupon.discount.kind().as_str(),
            discount_value: coupon.discount.value(),
            expire_at: coupon.expires_at.to_string(),
        }
    }
}

impl CouponData {
    fn of(coupon: &Coupon) -> Self {
        let CreatedCouponData { coupon_id, coupon_name, coupon_type, discount_value, expire_at } = CreatedCouponData::of(coupon);
        let open_at = coupon.opens_at.map(|at| at.to_string());
        let (initial_stock, remaining) = (coupon.initial_stock, coupon.remaining());
        Self { coupon_id, coupon_name, coupon_type, discount_value, initial_stock, remaining, open_at, expire_at }
    }
}

impl HeldCouponData {
    fn of((held, coupon): &(UserCoupon, Coupon), now: Timestamp) -> Self {
        let CreatedCouponData { coupon_id, coupon_name, coupon_type, discount_value, expire_at } = CreatedCouponData::of(coupon);
        let used_at = match held.state {
            UserCouponState::Used { at, .. } => Some(at.to_string()),
            UserCouponState::Issued => None,
        };
        let (user_coupon_id, coupon_status) = (held.id.get(), held.status(coupon, now).as_str());
        let position = held.position.get();
        Self { user_coupon_id, coupon_status, used_at, coupon_id, coupon_name, coupon_type, discount_value, expire_at, position }
    }
}

impl CreateCouponRequest {
    fn read(&self, calendar: BusinessCalendar) -> Outcome<NewCoupon> {
        let name = CouponName::parse(&self.name).map_err(|refusal| Failure::from(refusal).at("name"))?;
        let kind =
            DiscountKind::parse(&self.coupon_type).ok_or_else(|| Failure::invalid("couponType", "the type must be FIXED or PERCENT"))?;
        let discount = Discount::new(kind, self.discount_value).map_err(|refusal| Failure::from(refusal).at("discountValue"))?;
        if !(0..=INITIAL_STOCK_MAX).contains(&self.initial_stock) {
            return Err(Failure::from(CouponError::InvalidInitialStock).at("initialStock"));
        }
        let opens_at = self.open_at.as_deref().map(|text| instant("openAt", text, calendar)).transpose()?;
        let expires_at = instant("expireAt", &self.expire_at, calendar)?;
        Ok(NewCoupon { name, discount, initial_stock: self.initial_stock, opens_at, expires_at })
    }
}

fn instant(field: &str, text: &str, calendar: BusinessCalendar) -> Outcome<Timestamp> {
    let message = || format!("{field} must be an instant such as 2027-12-31T00:00:00Z, from 1970 to 9999");
    calendar.parse_instant(text).ok_or_else(|| Failure::invalid(field, message()))
}

pub(super) async fn create(
    State(shop): State<Shop>,
    caller: Caller,
    query: RawQuery,
    change: Change<CreateCouponRequest>,
) -> Outcome<Carried<Result<Coupon, CouponError>>> {
    query.read(&[])?;
    let coupon = change.body.read(shop.commerce.settings().calendar)?;
    caller.must_be_admin()?;
    let key = change.claim(&shop, caller)?;
    let id = shop.commerce.next_id(Sequence::Coupon).await?;
    let answer = |coupon: &Coupon| success(StatusCode::OK, &CreatedCouponData::of(coupon));
    let carried = carry_out(&shop.commerce.desks().create_coupon, CreateCoupon { id, coupon }, key.as_ref(), answer).await?;
    if let Carried::Fresh(Ok(coupon), _) = &carried {
        shop.commerce.open_gate(coupon).await;
    }
    Ok(carried)
}

pub(super) async fn list(State(shop): State<Shop>, query: RawQuery) -> Outcome {
    let query = query.read(&["cursor", "limit"])?;
    let page = shop.commerce.queries().coupons(query.cursor()?, query.limit()?).await?;
    let items = page.items.iter().map(CouponData::of).collect();
    Ok(ok(&PageData { items, next_cursor: page.next.map(|next| next.encode()) }))
}

pub(super) async fn held(State(shop): State<Shop>, caller: Caller, PathId(user): PathId<UserId>, query: RawQuery) -> Outcome {
    query.read(&[])?;
    caller.must_act_for(user)?;
    let held = shop.commerce.queries().user_coupons(user).await?;
    if held.is_empty() {
        must_exist(&shop, user).await?;
    }
    let now = shop.commerce.parts().clock.now();
    let coupon_response_list = held.iter().map(|pair| HeldCouponData::of(pair, now)).collect();
    Ok(ok(&HeldCouponsData { user_id: user.get(), coupon_response_list }))
}

pub(in super::super) fn document(document: &mut Document) {
    Operation::post("/api/coupons", "coupons", "Offers a coupon.")
        .with_token()
        .takes::<CreateCouponRequest>(document)
        .idempotent()
        .answers::<CreatedCouponData>(StatusCode::OK, document)
        .refuses(&[ErrorCode::InvalidPercentDiscount, ErrorCode::InvalidFixedDiscount])
        .add_to(document);
    Operation::get("/api/coupons", "coupons", "Lists the coupons on offer, ascending by id.")
        .pages::<CouponData>(document)
        .add_to(document);
    Operation::get("/api/coupons/{userId}", "coupons", "Lists what a user holds.")
        .with_token()
        .answers::<HeldCouponsData>(StatusCode::OK, document)
        .refuses(&[ErrorCode::InactiveUser])
        .add_to(document);
}
