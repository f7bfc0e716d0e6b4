use serde_json::{Value, json};

/// What can be asked of a shop, by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Charge,
    Order,
    Pay,
    Cancel,
    Refund,
    Coupon,
    Look,
}

impl Kind {
    pub(crate) const ALL: [Self; 7] = [Self::Charge, Self::Order, Self::Pay, Self::Cancel, Self::Refund, Self::Coupon, Self::Look];
}

/// A change that somebody wants.
#[derive(Debug, Clone)]
pub(super) enum Wish {
    Charge(i64),
    Order { option: i64, coupon: Option<i64> },
    Pay { order: i64 },
    Cancel { order: i64 },
    Refund { order: i64, payment: i64 },
    Coupon(i64),
}

/// A wish, and the key under which it may be sent again.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) wish: Wish,
    pub(super) key: Option<String>,
    /// Whether it was sent before, and nobody knows what became of it.
    pub(super) sent_before: bool,
}

impl Wish {
    pub(super) const fn kind(&self) -> Kind {
        match self {
            Self::Charge(_) => Kind::Charge,
            Self::Order { .. } => Kind::Order,
            Self::Pay { .. } => Kind::Pay,
            Self::Cancel { .. } => Kind::Cancel,
            Self::Refund { .. } => Kind::Refund,
            Self::Coupon(_) => Kind::Coupon,
        }
    }

    /// The path and the body by which a user asks for it.
    pub(super) fn request_of(&self, user: i64) -> (String, Vec<u8>) {
        let (path, body) = match *self {
            Self::Charge(points) => (format!("/api/users/{user}/points"), json!({ "chargePoint": points })),
            Self::Order { option, coupon } => {
                let lines = json!([{ "productOptionId": option, "quantity": 1 }]);
                let mut order = json!({ "userId": user, "orderProductRequests": lines });
                if let Some(coupon) = coupon {
                    order["userCouponId"] = coupon.into();
                }
                ("/api/orders".to_owned(), order)
            }
            Self::Pay { order } => ("/api/payments".to_owned(), json!({ "orderId": order, "userId": user, "type": "POINT" })),
            Self::Cancel { order } => (format!("/api/orders/{order}/cancel"), Value::Null),
            Self::Refund { payment, .. } => (format!("/api/payments/{payment}/refund"), Value::Null),
            Self::Coupon(coupon) => ("/api/coupons/publish".to_owned(), json!({ "userId": user, "couponId": coupon })),
        };
        (path, if body.is_null() { Vec::new() } else { body.to_string().into_bytes() })
    }

    /// The refusals that may be the answer.
    pub(super) const fn refusals(&self) -> &'static [&'static str] {
        match self {
            Self::Charge(_) | Self::Order { .. } => &[],
            Self::Pay { .. } => &["CANNOT_PAY_ORDER", "INSUFFICIENT_USER_POINT"],
            Self::Cancel { .. } => &["CANNOT_CANCEL_ORDER"],
            Self::Refund { .. } => &["CANNOT_REFUND_PAYMENT"],
            Self::Coupon(_) => &["DUPLICATED_COUPON", "OUT_OF_STOCK_COUPON"],
        }
    }
}
