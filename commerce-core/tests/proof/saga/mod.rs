//! The saga of an order: every ending, under every fault, told twice and told anew.

mod consumers;
mod dead_letters;
mod ending;
mod faults;
mod twice;
