//! Idempotency keys: the answer to a request that came with a key is stored with the change itself and given again word for word.

mod keyed;
mod record;
mod replace;

pub use keyed::{Answer, Keyed, KeyedCommand, Render};
pub use record::{Claim, IdempotencyKey, IdempotencyRecord, IdempotencyRepository, InvalidKey, KeyOwner, StoredAnswer};
pub use replace::ReplaceAnswers;
