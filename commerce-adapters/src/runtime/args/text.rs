use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

/// The text of an option that may hold a password. It is taken as it is, so that nobody repeats it to say what is wrong with it, and not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(String);

impl SecretText {
    /// The text itself.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether it stands on the command line of this process, where others on the machine can read it.
    #[cfg(feature = "distributed")]
    pub(crate) fn is_on_the_command_line(&self) -> bool {
        std::env::args_os().any(|argument| argument.to_string_lossy().contains(&self.0))
    }
}

impl FromStr for SecretText {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(not shown)")
    }
}
