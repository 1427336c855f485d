//! The scripts, put together.

use super::KEPT;
use super::claims::PAGES;
use crate::redis::Script;

/// What Redis runs for an arbiter.
pub struct Scripts {
    pub lease: Script,
    pub renew: Script,
    pub give_back: Script,
    pub idle: Script,
    pub claim: Script,
    pub close: Script,
    pub restore: Script,
    pub forget: Script,
}

const CLOCK: &str = include_str!("clock.lua");
const TOKEN: &str = include_str!("token.lua");
const PAGES_OF: &str = include_str!("pages.lua");
const QUESTION: &str = include_str!("question.lua");

impl Scripts {
    pub fn new() -> Self {
        let script = |parts: &[&str]| {
            let known = format!("local KEPT, PAGES = {}, {PAGES}\n", KEPT.as_millis());
            Script::new(&(known + &parts.concat()))
        };
        let about_question = |what| script(&[PAGES_OF, QUESTION, what]);
        Self {
            lease: script(&[CLOCK, include_str!("lease.lua")]),
            renew: script(&[TOKEN, CLOCK, include_str!("renew.lua")]),
            give_back: script(&[TOKEN, CLOCK, include_str!("give_back.lua")]),
            idle: script(&[CLOCK, include_str!("idle.lua")]),
            claim: about_question(include_str!("claim.lua")),
            close: about_question(include_str!("close.lua")),
            restore: about_question(include_str!("restore.lua")),
            forget: script(&[TOKEN, PAGES_OF, include_str!("forget.lua")]),
        }
    }
}
