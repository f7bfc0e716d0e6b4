use super::{Chance, Customer, Doors, Journal, Offers, Pace};
use futures_util::future::{join, join_all};
use std::cell::Cell;
use std::rc::Rc;

/// Customers at one shop, who live side by side.
pub(crate) struct Crowd {
    pub(crate) doors: Doors,
    pub(crate) journal: Rc<Journal>,
    pub(crate) offers: Offers,
    customers: Vec<Customer>,
}

impl Crowd {
    /// So many new customers, whose names begin alike.
    pub(crate) async fn gather(names: &str, count: u32, pace: Pace, doors: Doors, offers: Offers, chance: &mut Chance) -> Self {
        let journal = Rc::new(Journal::default());
        let mut customers = Vec::new();
        for number in 0..count {
            let chance = Chance::of(chance.below(u64::MAX));
            customers.push(Customer::register(&format!("{names}{number}"), &doors, chance, pace, &journal).await);
        }
        Self { doors, journal, offers, customers }
    }

    /// Lets the customers live while something is done to the shop.
    pub(crate) async fn lives_while<T>(&mut self, done: impl AsyncFnOnce(&Doors, &Journal) -> T) -> T {
        let closing = Cell::new(false);
        let living = join_all(self.customers.iter_mut().map(|customer| customer.live(&self.offers, &closing)));
        let doing = async {
            let outcome = done(&self.doors, &self.journal).await;
            closing.set(true);
            outcome
        };
        join(living, doing).await.1
    }

    /// When all servers answer again: everything that anybody was told holds.
    pub(crate) async fn holds_the_shop_to_it(&mut self) {
        join_all(self.customers.iter_mut().map(Customer::holds_the_shop_to_it)).await;
    }

    /// How many charges, orders and requests for coupons they were told of.
    pub(crate) fn was_told(&self) -> [usize; 3] {
        self.customers.iter().map(Customer::was_told).fold([0; 3], |sum, told| [0, 1, 2].map(|at| sum[at] + told[at]))
    }
}
