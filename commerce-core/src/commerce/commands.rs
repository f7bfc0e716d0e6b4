use super::Commerce;
use crate::coupon::{Coupon, CouponError, CreateCoupon, NewCoupon};
use crate::idempotency::{Answer, IdempotencyRecord, Keyed, KeyedCommand};
use crate::lock::{Fence, FencedCommands};
use crate::messaging::ReplayDeadLetter;
use crate::order::{CancelOrder, ExpireOrder, Order, OrderError, OrderLines, PlaceOrder};
use crate::payment::{PayOrder, Payment, PaymentError, RefundPayment};
use crate::point::{ChargeAmount, ChargePoints, PointError};
use crate::product::{CreateProduct, NewProduct, Product, ProductError};
use crate::stock::{AdjustStock, StockError, StockQuantity};
use crate::store::{Desk, Handler, StoreError};
use crate::user::{Actor, Email, Password, PasswordError, PasswordHash, RegisterUser, RenameUser, Role, User, UserError, UserName};
use crate::{DeadLetterId, Money, OptionId, OrderId, PaymentId, Sequence, UserCouponId, UserId};
use std::sync::Arc;

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum CommandError<R> {
    /// The domain refused it; nothing was changed but what the refusal says.
    #[error(transparent)]
    Refused(R),
    /// The store could not carry it out.
    #[error(transparent)]
    Store(Arc<StoreError>),
    /// The password could not be hashed.
    #[error(transparent)]
    Password(PasswordError),
}

impl<R> From<Arc<StoreError>> for CommandError<R> {
    fn from(error: Arc<StoreError>) -> Self {
        Self::Store(error)
    }
}

impl<R> From<StoreError> for CommandError<R> {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

async fn submit<H, T, R>(desk: &Desk<Keyed<H>>, command: H::Command) -> Result<T, CommandError<R>>
where
    H: Handler<Verdict = Result<T, R>>,
    T: Send + 'static,
    R: Send + 'static,
{
    match desk.submit(KeyedCommand::without_key(command)).await? {
        Answer::Fresh(verdict) => verdict.map_err(CommandError::Refused),
        Answer::Replayed(_) | Answer::KeyReused | Answer::InFlight => {
            Err(StoreError::Corrupt("a command without a key was answered with the answer of a key".into()).into())
        }
    }
}

/// Makes an id of what an allocator gave.
pub(super) fn typed<I: TryFrom<i64, Error = crate::InvalidId>>(id: i64) -> Result<I, StoreError> {
    I::try_from(id).map_err(|invalid| StoreError::Corrupt(invalid.to_string()))
}

impl Commerce {
    /// The next id of a sequence.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn next_id<I: TryFrom<i64, Error = crate::InvalidId>>(&self, sequence: Sequence) -> Result<I, StoreError> {
        let ids = self.0.parts.ids.allocate(sequence, 1).await?;
        typed(ids.first().copied().unwrap_or_default())
    }

    /// Registers a customer.
    ///
    /// # Errors
    /// [`UserError::DuplicateEmail`] as a refusal; else the store's or the hasher's.
    pub async fn register(&self, name: UserName, email: Email, password: &Password) -> Result<User, CommandError<UserError>> {
        let hash = self.0.parts.passwords.hash(password).await.map_err(CommandError::Password)?;
        self.register_hashed(name, email, hash, Role::Customer).await
    }

    /// Registers a user whose password is hashed already.
    ///
    /// # Errors
    /// [`UserError::DuplicateEmail`] as a refusal; else the store's.
    pub async fn register_hashed(
        &self,
        name: UserName,
        email: Email,
        hash: PasswordHash,
        role: Role,
    ) -> Result<User, CommandError<UserError>> {
        let id = self.next_id(Sequence::User).await?;
        submit(&self.0.desks.register, RegisterUser { id, name, email, password_hash: hash, role }).await
    }

    /// Finds the user with this address and password; `None` if there is none. It takes as long in either case.
    ///
    /// # Errors
    /// The store's or the hasher's.
    pub async fn login(&self, email: &Email, password: &Password) -> Result<Option<User>, CommandError<UserError>> {
        let user = self.0.parts.store.queries().user_by_email(email).await?;
        let hash = user.as_ref().map(|user| &user.password_hash);
        let verified = self.0.parts.passwords.verify(password, hash).await.map_err(CommandError::Password)?;
        Ok(user.filter(|_| verified))
    }

    /// Gives a user another name.
    ///
    /// # Errors
    /// [`UserError::NotFound`] as a refusal; else the store's.
    pub async fn rename(&self, id: UserId, name: UserName) -> Result<User, CommandError<UserError>> {
        submit(&self.0.desks.rename, RenameUser { id, name }).await
    }

    /// Pays points in, and answers the balance afterwards.
    ///
    /// # Errors
    /// [`PointError`] as a refusal; else the store's.
    pub async fn charge(&self, user_id: UserId, amount: ChargeAmount) -> Result<Money, CommandError<PointError>> {
        submit(&self.0.desks.charge, ChargePoints { user_id, amount, idempotency_key: None }).await
    }

    /// The command that puts a product on sale, with the ids it needs.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn product_to_create(&self, product: NewProduct) -> Result<CreateProduct, StoreError> {
        let ids = self.0.parts.ids.allocate(Sequence::Option, product.options.len()).await?;
        let option_ids = ids.into_iter().map(typed).collect::<Result<_, _>>()?;
        Ok(CreateProduct { id: self.next_id(Sequence::Product).await?, option_ids, product })
    }

    /// Puts a product on sale.
    ///
    /// # Errors
    /// [`ProductError::InvalidOptionCount`] as a refusal; else the store's.
    pub async fn create_product(&self, product: NewProduct) -> Result<Product, CommandError<ProductError>> {
        submit(&self.0.desks.create_product, self.product_to_create(product).await?).await
    }

    /// Adds `delta` units to the stock of an option, and answers the stock afterwards.
    ///
    /// # Errors
    /// [`StockError`] as a refusal; else the store's.
    pub async fn adjust_stock(&self, option_id: OptionId, delta: i64, reason: &str) -> Result<StockQuantity, CommandError<StockError>> {
        submit(&self.0.desks.adjust_stock, AdjustStock { option_id, delta, reason: reason.to_owned() }).await
    }

    /// Offers a coupon.
    ///
    /// # Errors
    /// [`CouponError`] as a refusal; else the store's.
    pub async fn create_coupon(&self, coupon: NewCoupon) -> Result<Coupon, CommandError<CouponError>> {
        let id = self.next_id(Sequence::Coupon).await?;
        let coupon = submit(&self.0.desks.create_coupon, CreateCoupon { id, coupon }).await?;
        self.open_gate(&coupon).await;
        Ok(coupon)
    }

    /// Places an order. The saga takes stock and coupon next, in most cases within the same commit: an order that is answered as pending is waited for
    /// with [`order_once_settled`](Self::order_once_settled).
    ///
    /// # Errors
    /// [`OrderError::UserNotFound`] as a refusal; else the store's.
    pub async fn place_order(
        &self,
        user_id: UserId,
        lines: OrderLines,
        user_coupon_id: Option<UserCouponId>,
    ) -> Result<Order, CommandError<OrderError>> {
        let id = self.next_id(Sequence::Order).await?;
        submit(&self.0.desks.place_order, PlaceOrder { id, user_id, user_coupon_id, lines, trace_parent: None }).await
    }

    /// Gives an order up before its payment.
    ///
    /// # Errors
    /// [`OrderError`] as a refusal; else the store's.
    pub async fn cancel_order(&self, id: OrderId, actor: Actor) -> Result<Order, CommandError<OrderError>> {
        submit(&self.0.desks.cancel_order, CancelOrder { id, actor, trace_parent: None }).await
    }

    /// Pays an order with the points of the user who placed it.
    ///
    /// # Errors
    /// [`PaymentError`] as a refusal; else the store's.
    pub async fn pay(&self, order_id: OrderId, user_id: UserId) -> Result<Payment, CommandError<PaymentError>> {
        let payment_id = self.next_id(Sequence::Payment).await?;
        submit(&self.0.desks.pay, PayOrder { payment_id, order_id, user_id, trace_parent: None }).await
    }

    /// Gives a payment back.
    ///
    /// # Errors
    /// [`PaymentError`] as a refusal; else the store's.
    pub async fn refund(&self, id: PaymentId, actor: Actor) -> Result<Payment, CommandError<PaymentError>> {
        submit(&self.0.desks.refund, RefundPayment { id, actor, trace_parent: None }).await
    }

    /// Ends at most `limit` orders whose payment deadline has passed, and answers how many it ended. `fences` are those of the locks under which it
    /// is done, if any.
    ///
    /// # Errors
    /// Those of the store; [`StoreError::Fenced`] if a later holder of one of the locks has written.
    pub async fn expire_orders(&self, limit: u32, fences: &[Fence]) -> Result<usize, Arc<StoreError>> {
        let now = self.0.parts.clock.now();
        let overdue = self.0.parts.store.queries().overdue_orders(now, limit).await?;
        if overdue.is_empty() {
            return Ok(0);
        }
        let commands = overdue.into_iter().map(|id| ExpireOrder { id }).collect();
        let expired = self.0.desks.expire_orders.submit(FencedCommands { fences: fences.to_vec(), commands }).await?;
        Ok(expired.into_iter().filter(|expired| *expired).count())
    }

    /// Sends a dead letter to its group again; `false` if it does not exist or was replayed already.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn replay_dead_letter(&self, id: DeadLetterId) -> Result<bool, Arc<StoreError>> {
        let now = self.0.parts.clock.now();
        self.0.desks.replay_dead_letter.submit(ReplayDeadLetter { id, now }).await
    }

    /// Writes the answer that was given in the end into the record of an idempotency key, where it differs from the one that was known when
    /// the change was made.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn replace_answer(&self, record: IdempotencyRecord) -> Result<(), Arc<StoreError>> {
        self.0.desks.replace_answer.submit(record).await
    }
}
