use super::DemoError;
use super::catalog::{PRODUCTS, SCARCE};
use super::clock::DemoClock;
use commerce_core::idempotency::{Answer, Claim, IdempotencyKey, KeyOwner, Keyed, KeyedCommand, Render, StoredAnswer};
use commerce_core::order::{Order, OrderLine, OrderLines, OrderStatus, PlaceOrder, Quantity};
use commerce_core::payment::{PayOrder, Payment};
use commerce_core::point::{ChargeAmount, ChargePoints};
use commerce_core::product::{Product, ProductOption};
use commerce_core::store::{Desk, Handler, PageLimit, ProductFilter};
use commerce_core::{Commerce, Money, OrderId, Sequence, Timestamp, UserId};
use futures_util::future::try_join_all;
use std::sync::Arc;
use std::time::Duration;

/// How many days of sales there are, yesterday being the last.
pub(super) const DAYS: u32 = 3;
const CHARGE_MAX: i64 = 1_000_000;
const PATIENCE: Duration = Duration::from_secs(10);

/// One customer who buys some units of one option.
struct Sale {
    /// Names the sale for good, so that it takes place once.
    name: String,
    user_id: UserId,
    option: ProductOption,
    quantity: i64,
}

/// Noon of the day `days_ago` days before today.
pub(super) fn opening(shop: &Commerce, clock: &DemoClock, days_ago: u32) -> Timestamp {
    let calendar = shop.settings().calendar;
    let day = calendar.day_of(clock.present()).before(days_ago);
    calendar.start_of(day).plus(Duration::from_hours(12))
}

/// Sells on the day that is `days_ago` days before today; what was sold before is not sold again.
pub(super) async fn sell(shop: &Commerce, days_ago: u32) -> Result<(), DemoError> {
    let page = shop.queries().find_products(&ProductFilter::default(), None, PageLimit::default()).await?;
    let sales = plan(&page.items, days_ago)?;
    try_join_all(sales.iter().map(|sale| carry_out(shop, sale))).await?;
    Ok(())
}

/// Every product sells every day, each a little less than the one before it; on the first day the scarce option sells out.
fn plan(products: &[Product], days_ago: u32) -> Result<Vec<Sale>, DemoError> {
    let mut sales = Vec::new();
    let mut sale = |option: &ProductOption, quantity| {
        let number = sales.len() + 1;
        let customer = i64::try_from(number).unwrap_or(1) + i64::from(days_ago) * 100;
        let user_id = UserId::new(customer).map_err(DemoError::refused)?;
        sales.push(Sale { name: format!("demo-{days_ago}-{number}"), user_id, option: option.clone(), quantity });
        Ok::<_, DemoError>(())
    };
    for (place, product) in products.iter().take(PRODUCTS).enumerate() {
        if let Some(option) = product.options.first() {
            sale(option, i64::try_from(PRODUCTS - place).unwrap_or(1) + i64::from(days_ago))?;
        }
        if let Some(scarce) = product.options.iter().find(|option| days_ago == DAYS && i64::from(option.stock.units()) <= SCARCE) {
            sale(scarce, SCARCE)?;
        }
    }
    Ok(sales)
}

async fn carry_out(shop: &Commerce, sale: &Sale) -> Result<(), DemoError> {
    let user_id = sale.user_id;
    let price = sale.option.price.amount().krw() * sale.quantity;
    for (part, rest) in (0..).zip((0..price).step_by(1_000_000)) {
        let amount = ChargeAmount::new((price - rest).clamp(1_000, CHARGE_MAX)).map_err(DemoError::refused)?;
        let key = format!("{}-charge-{part}", sale.name);
        let command = ChargePoints { user_id, amount, idempotency_key: Some(key.clone()) };
        once(
            &shop.desks().charge,
            command,
            &key,
            Arc::new(|charged: &Result<Money, _>| charged.as_ref().ok().map(|balance| numbered(balance.krw()))),
        )
        .await?;
    }

    let quantity = Quantity::new(sale.quantity).map_err(DemoError::refused)?;
    let lines = OrderLines::merge(&[OrderLine { option_id: sale.option.id, quantity }]).map_err(DemoError::refused)?;
    let command = PlaceOrder { id: shop.next_id(Sequence::Order).await?, user_id, user_coupon_id: None, lines, trace_parent: None };
    let key = format!("{}-order", sale.name);
    let order_id = once(
        &shop.desks().place_order,
        command,
        &key,
        Arc::new(|placed: &Result<Order, _>| placed.as_ref().ok().map(|order| numbered(order.id.get()))),
    )
    .await?;
    let order_id = OrderId::new(order_id).map_err(DemoError::refused)?;

    let view = shop.order_once_settled(order_id, PATIENCE).await?;
    match view.map(|view| view.order.status) {
        Some(OrderStatus::Completed) => Ok(()),
        Some(OrderStatus::AwaitingPayment) => {
            let command = PayOrder { payment_id: shop.next_id(Sequence::Payment).await?, order_id, user_id, trace_parent: None };
            let key = format!("{}-payment", sale.name);
            once(
                &shop.desks().pay,
                command,
                &key,
                Arc::new(|paid: &Result<Payment, _>| paid.as_ref().ok().map(|payment| numbered(payment.id.get()))),
            )
            .await?;
            Ok(())
        }
        status => Err(DemoError::Refused(format!("order {order_id} is {status:?}"))),
    }
}

/// Carries a command out unless it was before, and answers the number it came to then or now.
async fn once<H: Handler>(desk: &Desk<Keyed<H>>, command: H::Command, key: &str, render: Render<H::Verdict>) -> Result<i64, DemoError> {
    let idempotency_key = IdempotencyKey::parse(key).map_err(DemoError::refused)?;
    let claim = Claim { owner: KeyOwner::Anyone, key: idempotency_key, fingerprint: [0; 32] };
    let answer = match desk.submit(KeyedCommand { command, claim: Some((claim, Arc::clone(&render))) }).await.map_err(DemoError::refused)? {
        Answer::Fresh(verdict) => render(&verdict),
        Answer::Replayed(answer) => Some(answer),
        Answer::KeyReused | Answer::InFlight => None,
    };
    let number = answer.and_then(|answer| String::from_utf8(answer.body).ok()?.parse().ok());
    number.ok_or_else(|| DemoError::Refused(format!("{key} was refused")))
}

fn numbered(number: i64) -> StoredAnswer {
    StoredAnswer { status: 200, location: None, body: number.to_string().into_bytes() }
}
