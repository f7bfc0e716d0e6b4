use redis::{Cmd, ToRedisArgs, cmd};

/// A Lua script. A server runs it in one atomic step; no other command comes between.
///
/// Every script here MUST answer the same, and change nothing more, when it is run again with the same arguments: one whose answer did not arrive in
/// time may have run, and is run again.
#[derive(Debug)]
pub struct Script {
    name: &'static str,
    source: redis::Script,
    text: &'static str,
}

impl Script {
    /// A script of this text; metrics know it by its name.
    pub fn new(name: &'static str, text: &'static str) -> Self {
        Self { name, source: redis::Script::new(text), text }
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// Runs the script by its hash, which a server knows that has run it before.
    pub(super) fn by_hash(&self, keys: &[String], args: impl ToRedisArgs) -> Cmd {
        call("EVALSHA", self.source.get_hash(), keys, args)
    }

    /// Runs the script by its text, whatever the server knows; from then on it knows the hash.
    pub(super) fn by_text(&self, keys: &[String], args: impl ToRedisArgs) -> Cmd {
        call("EVAL", self.text, keys, args)
    }
}

fn call(verb: &str, script: &str, keys: &[String], args: impl ToRedisArgs) -> Cmd {
    let mut command = cmd(verb);
    command.arg(script).arg(keys.len()).arg(keys).arg(args);
    command
}
