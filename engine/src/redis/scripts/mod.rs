//! All scripts that Redis runs, a file each. A script runs atomically.
//!
//! - Each begins with a comment that describes its KEYS, ARGV and reply.
//! - Several begin with preludes (`prelude/`), which check the caller's lease or define what the script uses.
//! - A refusal is `redis.error_reply('CODE words')`; [`ScriptError`] has all codes.
//! - `KEPT` is the time in milliseconds after which untouched keys expire; `CLAIM_PAGES` is the number of keys over
//!   which a round's claims are spread at most.

mod error;
mod script;

use std::sync::LazyLock;
use std::time::Duration;

pub use error::ScriptError;
pub use script::Script;

/// Leases and claims are kept for this long after an engine last used them.
const KEPT: Duration = Duration::from_secs(3 * 24 * 60 * 60);
/// Keys over which the claims of a round are spread at most.
pub const CLAIM_PAGES: u32 = 10;

macro_rules! scripts {
    ($($(#[doc = $doc:literal])+ $name:ident = [$($file:literal),+];)+) => {
        $(
            $(#[doc = $doc])+
            pub static $name: LazyLock<Script> = LazyLock::new(|| script(&[$(include_str!($file)),+]));
        )+

        #[cfg(test)]
        const ALL: &[(&str, &[&str], &LazyLock<Script>)] = &[$((stringify!($name), &[$($file),+], &$name)),+];
    };
}

scripts! {
    /// Gives an engine the lease of a show.
    LEASE_TAKE = ["prelude/clock.lua", "lease_take.lua"];
    /// Begins a new term of a lease.
    LEASE_RENEW = ["prelude/fence.lua", "prelude/clock.lua", "lease_renew.lua"];
    /// Ends a lease now.
    LEASE_RELEASE = ["prelude/fence.lua", "prelude/clock.lua", "lease_release.lua"];
    /// Whether no engine has a show.
    LEASE_IDLE = ["prelude/clock.lua", "lease_idle.lua"];
    /// Deletes a lease with its claims.
    LEASE_FORGET = ["prelude/fence.lua", "prelude/claim_pages.lua", "lease_forget.lua"];
    /// Judges claims that are small numbers.
    CLAIMS_JUDGE = ["prelude/fence.lua", "prelude/claim_pages.lua", "prelude/round.lua", "claims_judge.lua"];
    /// Judges claims of any value.
    CLAIMS_JUDGE_ANY = ["prelude/fence.lua", "prelude/claim_pages.lua", "prelude/round.lua", "claims_judge_any.lua"];
    /// Closes a round: no further claim of it counts.
    CLAIMS_CLOSE = ["prelude/fence.lua", "prelude/claim_pages.lua", "prelude/round.lua", "claims_close.lua"];
    /// Restores claims, small numbers, that Redis lost.
    CLAIMS_RESTORE = ["prelude/fence.lua", "prelude/claim_pages.lua", "prelude/round.lua", "claims_restore.lua"];
    /// Restores claims of any value that Redis lost.
    CLAIMS_RESTORE_ANY = ["prelude/fence.lua", "prelude/claim_pages.lua", "prelude/round.lua", "claims_restore_any.lua"];
    /// Appends records to a show's stream.
    JOURNAL_APPEND = ["journal_append.lua"];
    /// Lets a show's journal expire once Kafka has it.
    JOURNAL_RETIRE = ["prelude/fence.lua", "journal_retire.lua"];
    /// Stores the progress of a show's upload to Kafka.
    JOURNAL_SHIPPED = ["journal_shipped.lua"];
    /// Publishes a show's events.
    BUS_PUBLISH = ["prelude/fence.lua", "bus_publish.lua"];
    /// Makes a gateway a subscriber of a show.
    BUS_SUBSCRIBE = ["bus_subscribe.lua"];
    /// Sends replies to a gateway's hosts.
    BUS_REPLY_TO_HOSTS = ["bus_reply_to_hosts.lua"];
    /// The time at one node.
    BUS_TIME = ["bus_time.lua"];
    /// Sets a key unless another show has it.
    DIRECTORY_TAKE = ["directory_take.lua"];
    /// Deletes a key if it names a show.
    DIRECTORY_DELETE = ["directory_delete.lua"];
    /// Takes a gateway's heartbeat.
    REGISTRY_REGISTER = ["prelude/clock.lua", "registry_register.lua"];
    /// Removes a gateway that is gone.
    REGISTRY_REMOVE = ["registry_remove.lua"];
}

fn script(parts: &[&str]) -> Script {
    let known = format!("local KEPT, CLAIM_PAGES = {}, {CLAIM_PAGES}\n", KEPT.as_millis());
    Script::new(&(known + &parts.concat()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// Every refusal of a script has a code that [`ScriptError`] tells from an unknown one, and every file here is part of a script.
    #[test]
    fn every_file_is_part_of_a_script_and_every_refusal_is_understood() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/redis/scripts");
        let listed: BTreeSet<&str> = ALL.iter().flat_map(|(_, files, _)| files.iter().copied()).collect();
        let mut refusals = 0;
        for (prefix, folder) in [("", folder.clone()), ("prelude/", folder.join("prelude"))] {
            for file in std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()) {
                if file.extension().is_none_or(|extension| extension != "lua") {
                    continue;
                }
                let name = format!("{prefix}{}", file.file_name().unwrap().to_str().unwrap());
                assert!(listed.contains(&*name), "{name} is in no script");
                let text = std::fs::read_to_string(&file).unwrap();
                assert!(text.starts_with("-- "), "{name} does not say what it does");
                for refusal in text.split("error_reply(").skip(1) {
                    let code = refusal.split('\'').nth(1).unwrap().split_whitespace().next().unwrap();
                    assert!(
                        ScriptError::of(code, &[1, 2]).is_some(),
                        "{name} refuses with {code}, which `ScriptError` does not know"
                    );
                    refusals += 1;
                }
            }
        }
        assert!(refusals >= 10, "{refusals}");
        let texts: BTreeSet<&str> = ALL.iter().map(|(_, _, script)| script.hash()).collect();
        assert_eq!(texts.len(), ALL.len(), "two scripts are the same");
    }
}
