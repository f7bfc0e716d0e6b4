//! What units of work that wrap others have in common.

/// Writes the methods of a [`UnitOfWork`](crate::store::UnitOfWork) that hand out repositories of the one it wraps, its field `inner`.
#[macro_export]
macro_rules! repositories_of_inner {
    () => {
        $crate::repositories_of_inner!(
            users, points, products, stock, coupons, orders, payments, outbox, inbox, dead_letters, idempotency, fences
        );
    };
    (@of users) => { $crate::repositories_of_inner!(@method users: $crate::user::UserRepository); };
    (@of points) => { $crate::repositories_of_inner!(@method points: $crate::point::PointRepository); };
    (@of products) => { $crate::repositories_of_inner!(@method products: $crate::product::ProductRepository); };
    (@of stock) => { $crate::repositories_of_inner!(@method stock: $crate::stock::StockRepository); };
    (@of coupons) => { $crate::repositories_of_inner!(@method coupons: $crate::coupon::CouponRepository); };
    (@of orders) => { $crate::repositories_of_inner!(@method orders: $crate::order::OrderRepository); };
    (@of payments) => { $crate::repositories_of_inner!(@method payments: $crate::payment::PaymentRepository); };
    (@of outbox) => { $crate::repositories_of_inner!(@method outbox: $crate::messaging::OutboxRepository); };
    (@of inbox) => { $crate::repositories_of_inner!(@method inbox: $crate::messaging::InboxRepository); };
    (@of dead_letters) => { $crate::repositories_of_inner!(@method dead_letters: $crate::messaging::DeadLetterRepository); };
    (@of idempotency) => { $crate::repositories_of_inner!(@method idempotency: $crate::idempotency::IdempotencyRepository); };
    (@of fences) => { $crate::repositories_of_inner!(@method fences: $crate::lock::FenceRepository); };
    (@method $name:ident: $repository:path) => {
        fn $name(&mut self) -> &mut dyn $repository {
            self.inner.$name()
        }
    };
    ($($name:ident),* $(,)?) => { $($crate::repositories_of_inner!(@of $name);)* };
}
