use super::super::Script;
use std::sync::LazyLock;

macro_rules! scripts {
    ($($name:ident = $file:literal),+ $(,)?) => {
        $(pub(super) static $name: LazyLock<Script> =
            LazyLock::new(|| Script::new(concat!("gate-", $file), concat!(include_str!("coupon.lua"), include_str!(concat!($file, ".lua")))));)+
    };
}

scripts! {
    ADMIT = "admit",
    SETTLE = "settle",
    CLOSE = "close",
    LOAD = "load",
    OPEN = "open",
    PENDING = "pending",
    CENSUS = "census",
}
