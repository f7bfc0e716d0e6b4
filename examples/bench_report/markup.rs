//! Text in a page.

use std::fmt::{self, Display};

/// Text that is shown as it is, whatever it holds.
pub(crate) struct Text<'a>(pub(crate) &'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for char in self.0.chars() {
            match char {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                // Most control characters may not stand in a page at all.
                char if char.is_control() => f.write_str(" ")?,
                char => write!(f, "{char}")?,
            }
        }
        Ok(())
    }
}

/// The colours of page and plots, by day and by night; each line also has a mark of its own, for those who do not see them.
pub(crate) const COLOURS: &str = ":root{--paper:#fff;--ink:#1c2024;--faint:#60666c;--rule:#d8dce0;--bad:#c92a2a;\
--c0:#1864ab;--c1:#d9480f;--c2:#2b8a3e;--c3:#7048e8;--c4:#0b7285;--c5:#a61e4d;--c6:#846358;--c7:#495057}\
@media(prefers-color-scheme:dark){:root{--paper:#16181b;--ink:#e6e8ea;--faint:#9aa1a8;--rule:#363b41;--bad:#ff8787;\
--c0:#74b3f5;--c1:#ffa94d;--c2:#69db7c;--c3:#b197fc;--c4:#3bc9db;--c5:#faa2c1;--c6:#d0b49f;--c7:#ced4da}}";

/// How plots look.
pub(crate) const STROKES: &str = ".plot text{font:12px system-ui,sans-serif;fill:var(--ink)}.plot .faint{fill:var(--faint)}\
.plot .title{font-weight:600;font-size:14px}.plot .grid{stroke:var(--rule);stroke-width:1}\
.plot .line{fill:none;stroke-width:2}.plot .limit{stroke:var(--faint);stroke-width:1.5}";
