//! Random histories against models that are too simple to be wrong. A failing history shrinks to a short list of actions.

mod coupons;
mod coupons_model;
mod orders;
mod orders_model;
mod points;
mod stock;
