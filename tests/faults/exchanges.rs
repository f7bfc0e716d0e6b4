//! What a program and Redis have said to each other, command by command.

use super::proxy::Conversation;
use redis::{Parser, Value};

/// A command, and what Redis answered to it.
#[derive(Debug, PartialEq)]
pub(crate) struct Exchange {
    command: Vec<String>,
    /// None until it is answered.
    pub(crate) answer: Option<Value>,
}

/// Every exchange of a conversation, oldest first: Redis answers the commands of a connection one after the other.
pub(crate) fn exchanges(Conversation { sent, answered }: &Conversation) -> Vec<Exchange> {
    let mut answers = values(answered);
    values(sent).map(|command| Exchange { command: words(command), answer: answers.next() }).collect()
}

/// The values that are there as a whole.
fn values(mut bytes: &[u8]) -> impl Iterator<Item = Value> + '_ {
    let mut parser = Parser::new();
    std::iter::from_fn(move || parser.parse_value(&mut bytes).ok())
}

fn words(command: Value) -> Vec<String> {
    let Value::Array(words) = command else { panic!("a command is a list of words: {command:?}") };
    let word = |word| match word {
        Value::BulkString(word) => String::from_utf8_lossy(&word).into_owned(),
        other => panic!("a word of a command is text: {other:?}"),
    };
    words.into_iter().map(word).collect()
}

impl Exchange {
    fn names(&self, word: &str) -> bool {
        self.command.iter().any(|it| it == word)
    }
}

/// The fence under which the lock with this key was granted first, if it was: a list of one number. Who renews it or lets it go is answered otherwise.
pub(crate) fn fence_granted(exchanges: &[Exchange], key: &str) -> Option<u64> {
    exchanges.iter().filter(|exchange| exchange.names(key)).find_map(|exchange| match exchange.answer.as_ref()? {
        Value::Array(fences) => match fences.as_slice() {
            [Value::Int(fence)] => u64::try_from(*fence).ok(),
            _ => None,
        },
        _ => None,
    })
}

/// Whether something is written under this fence: a lock is renewed and let go by its token, and what carries the fence is a write.
pub(crate) fn is_under(exchange: &Exchange, fence: u64) -> bool {
    exchange.names(&fence.to_string())
}

pub(crate) fn writes_are_told_from_whatever_else_is_said_under_a_lock() {
    let told = |answered: &[u8]| {
        let commands = [
            "EVALSHA acquire 1 lock 77 30000000",
            "EVALSHA renew 1 lock 77 30000000",
            "EVALSHA write 1 board 41 day",
            "EVAL write 1 board 41 day",
            "GET 41x",
        ];
        let sent = commands.map(|command| String::from_utf8(redis_words(command)).expect("text")).concat();
        exchanges(&Conversation { sent: sent.into_bytes(), answered: answered.to_vec() })
    };
    // An answer of which half has come is none yet.
    let asked = told(b"*1\r\n:4");
    assert!(asked.len() == 5 && fence_granted(&asked, "lock").is_none());
    let granted = told(b"*1\r\n:41\r\n:1\r\n-NOSCRIPT no such script\r\n");
    assert_eq!((fence_granted(&granted, "lock"), fence_granted(&granted, "another")), (Some(41), None));
    let writes: Vec<_> = granted.iter().filter(|exchange| is_under(exchange, 41)).collect();
    assert!(matches!(writes[..], [Exchange { answer: Some(Value::ServerError(_)), .. }, Exchange { answer: None, .. }]), "{writes:?}");
    let refused = told(b"$-1\r\n");
    assert_eq!(fence_granted(&refused, "lock"), None);
    // A command of which half was sent is none yet.
    let half = exchanges(&Conversation { sent: redis_words("PING PING")[..10].to_vec(), answered: Vec::new() });
    assert_eq!(half, []);
}

fn redis_words(command: &str) -> Vec<u8> {
    let words: Vec<_> = command.split(' ').collect();
    redis::cmd(words[0]).arg(&words[1..]).get_packed_command()
}
