//! Deterministic simulation: whole shops in virtual time, in which everything goes wrong that a seed can think of.
//!
//! A run is made of one seed. Buyers and an administrator act through the facade of one or two processes, which share store, bus, gate, boards and
//! locks. Units of work fail, services are late or lose answers, messages are repeated and held back, processes crash at any call that leaves them,
//! gate and boards are wiped, the clock jumps by days and back. Then the faults heal; what people were told must be true, and the books right.
//!
//! `SIMULATION_SEED=4711 cargo test -p commerce-core --features testing --test simulation -- --nocapture one_seed` shows the run of one seed;
//! `SIMULATION_SEEDS=50000` plays more of them, and `SIMULATION_FIRST=100000` others.

mod catalog;
mod clock;
mod close;
mod dice;
mod history;
mod parts;
mod people;
mod process;
mod promises;
mod rest;
mod run;
mod seeds;
mod tally;
mod told;
mod world;
