//! What a buyer does: asks for the coupon, orders one unit, with the coupon if there is one, and pays.

use commerce_adapters::runtime::Progress;
use commerce_core::notify::TaskStatus;
use commerce_core::order::{OrderLine, OrderLines, OrderStatus, Quantity};
use commerce_core::{AdmissionError, CommandError, Commerce, CouponId, ErrorCode, OptionId, OrderId, ProductId, UserCouponId, UserId};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const PATIENCE: Duration = Duration::from_mins(5);

/// What everybody wants.
#[derive(Clone, Copy)]
pub(crate) struct Sale {
    pub(crate) product: ProductId,
    pub(crate) option: OptionId,
    pub(crate) coupon: CouponId,
}

/// A request that was answered, and how long that took.
pub(crate) struct Answered {
    pub(crate) latency: Duration,
    /// The refusal, if it was one.
    pub(crate) refused: Option<ErrorCode>,
}

/// What came of a buyer's requests.
pub(crate) struct Outcome {
    /// The request for the coupon, until it is decided.
    pub(crate) coupon: Answered,
    /// The buyer's place, if it has the coupon.
    pub(crate) position: Option<u32>,
    /// The order, until it can be paid.
    pub(crate) order: Answered,
    /// The payment, if the order could be paid.
    pub(crate) payment: Option<Answered>,
}

/// Lets all buyers go at once, and waits for the last.
pub(crate) async fn race(shop: &Commerce, sale: Sale, users: &[UserId], progress: &mut Progress) -> anyhow::Result<Vec<Outcome>> {
    let mut buyers = JoinSet::new();
    for user in users {
        buyers.spawn(buy(shop.clone(), sale, *user));
    }
    let mut outcomes = Vec::with_capacity(users.len());
    while let Some(outcome) = buyers.join_next().await {
        outcomes.push(outcome??);
        progress.at("the buyers race", outcomes.len() as u64, users.len() as u64);
    }
    Ok(outcomes)
}

async fn buy(shop: Commerce, sale: Sale, user: UserId) -> anyhow::Result<Outcome> {
    let begin = Instant::now();
    let (coupon_refusal, position) = ask_for_coupon(&shop, sale.coupon, user).await?;
    let coupon = Answered { latency: begin.elapsed(), refused: coupon_refusal };
    let held = if position.is_some() { held(&shop, user).await? } else { None };

    let begin = Instant::now();
    let (id, refused) = order(&shop, sale.option, user, held).await?;
    let order = Answered { latency: begin.elapsed(), refused };
    if refused.is_some() {
        return Ok(Outcome { coupon, position, order, payment: None });
    }
    let begin = Instant::now();
    let refused = match shop.pay(id, user).await {
        Ok(_) => None,
        Err(CommandError::Refused(refusal)) => Some(refusal.code()),
        Err(error) => return Err(error.into()),
    };
    Ok(Outcome { coupon, position, order, payment: Some(Answered { latency: begin.elapsed(), refused }) })
}

async fn ask_for_coupon(shop: &Commerce, coupon: CouponId, user: UserId) -> anyhow::Result<(Option<ErrorCode>, Option<u32>)> {
    let request = match shop.request_coupon(user, coupon).await {
        Ok(request) => request,
        Err(AdmissionError::Refused(refusal)) => return Ok((Some(refusal.code()), None)),
        Err(error) => return Err(error.into()),
    };
    let update = shop.task_once_decided(&request, PATIENCE).await?;
    anyhow::ensure!(update.status != TaskStatus::Pending, "a request for a coupon was never decided");
    Ok((update.error_code, update.position.map(u32::from)))
}

async fn held(shop: &Commerce, user: UserId) -> anyhow::Result<Option<UserCouponId>> {
    Ok(shop.queries().user_coupons(user).await?.first().map(|(held, _)| held.id))
}

/// Places an order and waits until it can be paid, or is refused.
async fn order(
    shop: &Commerce,
    option_id: OptionId,
    user: UserId,
    coupon: Option<UserCouponId>,
) -> anyhow::Result<(OrderId, Option<ErrorCode>)> {
    let lines = OrderLines::merge(&[OrderLine { option_id, quantity: Quantity::new(1)? }])?;
    let placed = shop.place_order(user, lines, coupon).await?;
    let settled = shop.order_once_settled(placed.id, PATIENCE).await?.map(|view| view.order);
    let settled = settled.filter(|order| order.status != OrderStatus::Pending);
    let order = settled.ok_or_else(|| anyhow::anyhow!("an order was never decided"))?;
    Ok((order.id, order.failure))
}
