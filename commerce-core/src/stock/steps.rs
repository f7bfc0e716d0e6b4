use super::{NewStockEntry, Reservation, Stock, StockError};
use crate::messaging::{Envelope, Event, EventHandler, EventType, Group, NewEvent, OrderCreated, Rejection, StockRejected, StockReserved};
use crate::order::{OrderError, OrderItem, OrderLine, OrderStatus};
use crate::product::OptionDetails;
use crate::store::{Loaded, StoreError, UnitOfWork, ascending};
use crate::{Clock, OptionId, OrderId, Timestamp};
use async_trait::async_trait;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// The stock's steps of the saga: takes the units of a new order, all lines or none, and puts back what an order holds when it ends.
pub struct StockSteps {
    /// When a step is done.
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl EventHandler for StockSteps {
    fn group(&self) -> Group {
        Group::Stock
    }

    fn handles(&self) -> &'static [EventType] {
        &[EventType::OrderCreated, EventType::CouponRejected, EventType::OrderCancelled, EventType::OrderExpired, EventType::OrderRefunded]
    }

    async fn handle(&self, uow: &mut dyn UnitOfWork, events: &[Envelope]) -> Result<Vec<Result<(), Rejection>>, StoreError> {
        let mut batch = Batch::load(uow, events, self.clock.now()).await?;
        let outcomes = events.iter().map(|envelope| batch.decide(envelope)).collect();
        batch.save(uow).await?;
        Ok(outcomes)
    }
}

/// What the events of a batch touch.
struct Batch {
    now: Timestamp,
    /// Where the new orders stand: stock is taken only for one that waits for it. The inbox does not keep an event for ever, and one that was
    /// refused left nothing behind here that would tell.
    statuses: HashMap<OrderId, OrderStatus>,
    details: HashMap<OptionId, OptionDetails>,
    stock: Loaded<OptionId, Stock>,
    /// What each order that ever reserved anything holds at present.
    held: HashMap<OrderId, BTreeMap<OptionId, u32>>,
    entries: Vec<NewStockEntry>,
    events: Vec<NewEvent>,
}

impl Batch {
    async fn load(uow: &mut dyn UnitOfWork, events: &[Envelope], now: Timestamp) -> Result<Self, StoreError> {
        let created = ascending(events.iter().filter(|envelope| !lines(envelope).is_empty()).filter_map(order));
        let orders = if created.is_empty() { Vec::new() } else { uow.orders().lock(&created).await? };
        let reservations = uow.stock().reservations(&ascending(events.iter().filter_map(order))).await?;
        let ordered = ascending(events.iter().flat_map(lines).map(|line| line.option_id));
        let touched = ascending(reservations.iter().map(|reservation| reservation.option_id).chain(ordered.iter().copied()));
        let details = if ordered.is_empty() { Vec::new() } else { uow.products().option_details(&ordered).await? };
        let stock = if touched.is_empty() { Vec::new() } else { uow.stock().lock(&touched).await? };
        let mut held = HashMap::<_, BTreeMap<_, _>>::new();
        for Reservation { order_id, option_id, units } in reservations {
            held.entry(order_id).or_default().insert(option_id, units);
        }
        Ok(Self {
            now,
            statuses: orders.into_iter().map(|order| (order.id, order.status)).collect(),
            details: details.into_iter().map(|details| (details.option_id, details)).collect(),
            stock: Loaded::new(stock, |stock| stock.option_id),
            held,
            entries: Vec::new(),
            events: Vec::new(),
        })
    }

    fn decide(&mut self, envelope: &Envelope) -> Result<(), Rejection> {
        match (&envelope.event, order(envelope)) {
            (Event::OrderCreated(created), _) => self.take(envelope, created).map_err(|refusal| Rejection(refusal.to_string())),
            (_, Some(order_id)) => self.put_back(order_id).map_err(|refusal| Rejection(refusal.to_string())),
            (_, None) => Err(Rejection(format!("{} is not for the stock", envelope.event.event_type().as_str()))),
        }
    }

    fn take(&mut self, envelope: &Envelope, created: &OrderCreated) -> Result<(), OrderError> {
        let order_id = created.order_id;
        let status = *self.statuses.get(&order_id).ok_or(OrderError::NotFound(order_id))?;
        if status != OrderStatus::Pending || self.held.contains_key(&order_id) {
            return Ok(());
        }
        let event = match self.reserve(order_id, created.lines.as_slice()) {
            Ok(items) => Event::StockReserved(StockReserved {
                order_id,
                user_id: created.user_id,
                user_coupon_id: created.user_coupon_id,
                original_price: OrderItem::total(&items),
                items,
            }),
            Err(refusal) => Event::StockRejected(StockRejected { order_id, code: refusal.code() }),
        };
        self.events.push(envelope.leads_to(event, self.now));
        Ok(())
    }

    /// Takes all lines, or none of them.
    fn reserve(&mut self, order_id: OrderId, lines: &[OrderLine]) -> Result<Vec<OrderItem>, StockError> {
        let mut items = Vec::with_capacity(lines.len());
        for &OrderLine { option_id, quantity } in lines {
            let not_found = StockError::OptionNotFound(option_id);
            let (Some(stock), Some(details)) = (self.stock.get(option_id), self.details.get(&option_id)) else { return Err(not_found) };
            stock.clone().reserve(quantity, order_id, self.now)?;
            items.push(OrderItem::snapshot(details, quantity));
        }
        let held = self.held.entry(order_id).or_default();
        for &OrderLine { option_id, quantity } in lines {
            let taken = self.stock.change(option_id, |stock| stock.reserve(quantity, order_id, self.now));
            self.entries.push(taken.unwrap_or(Err(StockError::OptionNotFound(option_id)))?);
            held.insert(option_id, quantity.units());
        }
        Ok(items)
    }

    /// Puts back exactly what the order holds; nothing if it holds nothing.
    fn put_back(&mut self, order_id: OrderId) -> Result<(), StockError> {
        let Some(held) = self.held.get_mut(&order_id) else { return Ok(()) };
        for (&option_id, units) in held.iter_mut().filter(|(_, units)| **units > 0) {
            let released = self.stock.change(option_id, |stock| stock.release(*units, order_id, self.now));
            self.entries.push(released.unwrap_or(Err(StockError::OptionNotFound(option_id)))?);
            *units = 0;
        }
        Ok(())
    }

    async fn save(self, uow: &mut dyn UnitOfWork) -> Result<(), StoreError> {
        if !self.entries.is_empty() {
            uow.stock().save(&self.stock.into_changed(), &self.entries).await?;
        }
        if !self.events.is_empty() {
            uow.outbox().append(self.events).await?;
        }
        Ok(())
    }
}

fn order(envelope: &Envelope) -> Option<OrderId> {
    match &envelope.event {
        Event::OrderCreated(event) => Some(event.order_id),
        Event::CouponRejected(event) => Some(event.order_id),
        Event::OrderCancelled(event) | Event::OrderExpired(event) | Event::OrderRefunded(event) => Some(event.order_id),
        _ => None,
    }
}

fn lines(envelope: &Envelope) -> &[OrderLine] {
    match &envelope.event {
        Event::OrderCreated(event) => event.lines.as_slice(),
        _ => &[],
    }
}
