//! What a host can choose for `klaxon host`.

use std::path::PathBuf;

use clap::Args;
use klaxon_protocol::games::trivia::{Autopilot, LARGEST_POT, MOST_LIVES, Mode, OPEN_FOR, PrizeRule, Settings};
use klaxon_protocol::ids::ShowCode;
use klaxon_protocol::limits::SEATS;
use klaxon_protocol::time::Span;

use crate::config::{number, one_of, span};

/// What a host can choose for `klaxon host`.
#[derive(Debug, Clone, Args)]
pub struct HostOptions {
    /// The server's admin port; those of several gateways with commas between them: any of them will do, and when one is lost
    /// the console goes on at another.
    #[arg(
        long,
        env = "KLAXON_ADMIN",
        value_name = "HOST:PORT",
        value_delimiter = ',',
        default_value = "127.0.0.1:4701"
    )]
    pub admin: Vec<String>,

    /// The file with the server's admin token.
    #[arg(long, env = "KLAXON_ADMIN_TOKEN_FILE", value_name = "FILE", default_value = "klaxon-data/admin.token")]
    pub token_file: PathBuf,

    /// Print the server's shows and leave.
    #[arg(long, conflicts_with_all = ["pack", "file"])]
    pub list: bool,

    /// The code of the new show or, without --pack and --show, of the show to host.
    #[arg(long)]
    pub code: Option<ShowCode>,

    /// Make a new show of this pack (`bundled` is the one that comes with Klaxon); without it, host a show that is there.
    #[arg(long, value_name = "FILE")]
    pub pack: Option<PathBuf>,

    /// Make a new show of this file, which has its running order and settings; `klaxon check` finds what is wrong with it.
    #[arg(long = "show", value_name = "FILE", conflicts_with = "pack")]
    pub file: Option<PathBuf>,

    /// How the new show is played.
    #[command(flatten)]
    pub show: ShowOptions,
}

/// How a new show is played.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "A new show")]
pub struct ShowOptions {
    /// `elimination`, `points` or `both`.
    #[arg(long, requires = "pack", value_name = "MODE", default_value = "elimination", value_parser = mode)]
    mode: Mode,

    /// Extra lives of each player, 0 to 99.
    #[arg(long, requires = "pack", value_name = "COUNT", default_value = "0", value_parser = |text: &str| number(text, 0..=MOST_LIVES))]
    lives: u8,

    /// How long a question is open, 500 ms to 10 min.
    #[arg(long, requires = "pack", value_name = "TIME", default_value = "10s", value_parser = |text: &str| span(text, OPEN_FOR))]
    open_for: Span,

    /// What is won, in cents or what the currency has for them.
    #[arg(long, requires = "pack", value_name = "AMOUNT", default_value = "0", value_parser = |text: &str| number(text, 0..=LARGEST_POT))]
    pot: u64,

    /// The pot's currency, three letters of ISO 4217.
    #[arg(long, requires = "pack", value_name = "CODE", default_value = "EUR", value_parser = currency)]
    currency: String,

    /// Who wins how much: `split` among the survivors, or the places' parts, such as 50,30,20. Default: split, in points mode
    /// 50,30,20.
    #[arg(long, requires = "pack", value_name = "RULE", value_parser = prize)]
    prize: Option<PrizeRule>,

    /// Every right answer earns 1000 points, however fast it was; a streak adds to it as ever.
    #[arg(long, requires = "pack")]
    no_speed_points: bool,

    /// Right answers in a row earn no more than single ones.
    #[arg(long, requires = "pack")]
    no_streak_points: bool,

    /// How many players can have a seat, 1 to 10 million; a host can raise it later.
    #[arg(long, requires = "pack", value_name = "COUNT", default_value = "1000000", value_parser = |text: &str| number(text, SEATS))]
    seats: u32,

    /// Let the script run the show from the start.
    #[arg(long, requires = "pack")]
    autopilot: bool,
}

impl ShowOptions {
    /// The settings of the new show.
    #[must_use]
    pub fn settings(&self) -> Settings {
        Settings {
            mode: self.mode,
            lives: self.lives,
            open_for: self.open_for,
            pot: self.pot,
            currency: self.currency.clone(),
            prize: self.prize.clone().unwrap_or_else(|| PrizeRule::usual(self.mode)),
            seats: self.seats,
            speed_points: !self.no_speed_points,
            streak_points: !self.no_streak_points,
            autopilot: Autopilot { on: self.autopilot, ..Autopilot::default() },
            ..Settings::default()
        }
    }
}

fn mode(text: &str) -> Result<Mode, String> {
    one_of(text, &[("elimination", Mode::Elimination), ("points", Mode::Points), ("both", Mode::Both)])
}

fn currency(text: &str) -> Result<String, String> {
    let fits = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase());
    fits.then(|| text.to_owned()).ok_or_else(|| "must be three capital letters, such as EUR".to_owned())
}

fn prize(text: &str) -> Result<PrizeRule, String> {
    if text == "split" {
        return Ok(PrizeRule::Split);
    }
    let weights = text.split(',').map(|weight| number(weight.trim(), 1..=1_000_000_u32)).collect::<Result<_, _>>();
    weights
        .map(|weights| PrizeRule::Podium { weights })
        .map_err(|_| "must be `split` or the parts of the first places, such as 50,30,20".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mode_has_a_prize_rule_that_fits_it() {
        let show = |mode| ShowOptions {
            mode,
            seats: 1_000_000,
            lives: 0,
            open_for: Span(5000),
            pot: 0,
            currency: "EUR".into(),
            prize: None,
            no_speed_points: true,
            no_streak_points: true,
            autopilot: false,
        };
        for mode in [Mode::Elimination, Mode::Points, Mode::Both] {
            assert_eq!(show(mode).settings().problems(), Vec::<String>::new());
        }
    }

    #[test]
    fn prizes_are_split_or_parts() {
        assert_eq!(prize("split"), Ok(PrizeRule::Split));
        assert_eq!(prize("3, 1"), Ok(PrizeRule::Podium { weights: vec![3, 1] }));
        for bad in ["", "all", "3,,1", "0", "-1"] {
            assert!(prize(bad).is_err(), "{bad}");
        }
    }
}
