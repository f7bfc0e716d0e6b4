//! Group commit: who shares a commit, who fails alone, and what is never done twice.

mod counter;
mod failing;
mod sharing;
