use super::*;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn order(status: OrderStatus) -> Order {
    let ids = (OrderId::new(1).unwrap(), UserId::new(1).unwrap());
    Order { status, ..Order::place(ids.0, ids.1, None, at(0), at(1_000)) }
}

fn item(price: i64, quantity: i64) -> OrderItem {
    OrderItem {
        option_id: OptionId::new(1).unwrap(),
        product_id: ProductId::new(1).unwrap(),
        product_name: ProductName::parse("Shoe").unwrap(),
        option_name: OptionName::parse("270").unwrap(),
        unit_price: UnitPrice::new(price).unwrap(),
        quantity: Quantity::new(quantity).unwrap(),
    }
}

#[test]
fn every_transition_that_is_not_drawn_is_refused() {
    let drawn = [
        (OrderStatus::Pending, OrderStatus::AwaitingPayment),
        (OrderStatus::Pending, OrderStatus::Failed),
        (OrderStatus::AwaitingPayment, OrderStatus::Completed),
        (OrderStatus::AwaitingPayment, OrderStatus::Cancelled),
        (OrderStatus::AwaitingPayment, OrderStatus::Expired),
        (OrderStatus::Completed, OrderStatus::Refunded),
    ];
    for from in OrderStatus::ALL {
        for to in OrderStatus::ALL {
            let mut order = order(from);
            let moved = match to {
                OrderStatus::AwaitingPayment => order.confirm(vec![item(10, 1)], Money::ZERO, at(1)).is_ok(),
                OrderStatus::Failed => order.fail(ErrorCode::OutOfStock, at(1)).is_ok(),
                OrderStatus::Completed => order.complete(at(1)).is_ok(),
                OrderStatus::Cancelled => order.cancel(at(1)).is_ok(),
                OrderStatus::Expired => order.expire(at(1_000)),
                OrderStatus::Refunded => order.refund(at(1)).is_ok(),
                OrderStatus::Pending => false,
            };
            assert_eq!(moved, drawn.contains(&(from, to)), "{from} → {to}");
            assert_eq!(order.status, if moved { to } else { from });
        }
    }
}

#[test]
fn the_total_follows_from_items_and_discount() {
    let mut order = order(OrderStatus::Pending);
    order.confirm(vec![item(1_000, 3), item(500, 1)], Money::new(700).unwrap(), at(1)).unwrap();
    assert_eq!((order.original_price.krw(), order.discount.krw(), order.total.krw()), (3_500, 700, 2_800));
}

#[test]
fn the_largest_order_does_not_overflow() {
    let mut order = order(OrderStatus::Pending);
    order.confirm(vec![item(1_000_000_000, 10_000); 100], Money::ZERO, at(1)).unwrap();
    assert_eq!(order.total.krw(), 1_000_000_000_000_000);
}

#[test]
fn an_order_can_be_paid_until_its_deadline() {
    let order = order(OrderStatus::AwaitingPayment);
    assert_eq!(order.check_payable(at(999)), Ok(()));
    assert_eq!(order.check_payable(at(1_000)), Err(OrderError::DeadlinePassed(order.id)));
    assert!(!order.overdue(at(999)));
    assert!(order.overdue(at(1_000)));
}
