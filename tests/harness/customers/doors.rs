use super::Chance;
use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;

/// The addresses at which a shop is to be reached just now: its servers come and go, and its customers knock at any of them.
#[derive(Clone)]
pub(crate) struct Doors(Rc<RefCell<Vec<SocketAddr>>>);

impl Doors {
    pub(crate) fn at(addresses: &[SocketAddr]) -> Self {
        Self(Rc::new(RefCell::new(addresses.to_vec())))
    }

    /// From now on the shop is to be reached there.
    pub(crate) fn are_at(&self, addresses: &[SocketAddr]) {
        self.0.replace(addresses.to_vec());
    }

    /// One of them.
    pub(crate) fn any(&self, chance: &mut Chance) -> SocketAddr {
        chance.pick(&self.0.borrow())
    }
}
