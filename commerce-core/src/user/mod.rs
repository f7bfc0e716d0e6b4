//! Users: who may log in and act.

mod account;
mod password;
mod register;
mod rename;
mod repository;

pub use account::{Actor, Email, Role, User, UserError, UserName};
pub use password::{PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN, Password, PasswordError, PasswordHash, PasswordHasher};
pub use register::{Register, RegisterUser};
pub use rename::{Rename, RenameUser};
pub use repository::UserRepository;
