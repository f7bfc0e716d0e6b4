//! The tests, and what the shops of each may be made of.

use crate::place::SetUp;
use futures_util::future::LocalBoxFuture;

/// For what holds whatever a shop is made of.
pub(crate) const EVERYWHERE: &[SetUp] = &[SetUp::OneFile, SetUp::Servers];
/// For what is about the file itself.
pub(crate) const ON_ONE_FILE: &[SetUp] = &[SetUp::OneFile];
/// For what is about several processes, or about the servers.
#[cfg(feature = "distributed")]
pub(crate) const ON_SERVERS: &[SetUp] = &[SetUp::Servers];

/// A test.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) set_ups: &'static [SetUp],
    pub(crate) run: fn() -> LocalBoxFuture<'static, ()>,
}

/// Names the tests of a module. One that is forgotten is code that nobody calls, and does not compile.
macro_rules! cases {
    ($($set_ups:ident: $($test:ident),+ $(,)?);+ $(;)?) => {
        pub(crate) const CASES: &[$crate::cases::Case] = &[$($($crate::cases::Case {
            name: concat!(module_path!(), "::", stringify!($test)),
            set_ups: $crate::cases::$set_ups,
            run: || Box::pin($test()),
        }),+),+];
    };
}
