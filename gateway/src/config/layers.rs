//! From flags, environment and file to options: who wins, and where a wrong value came from.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{ArgMatches, Command};

use super::error::ConfigError;
use super::file::ConfigFile;
use super::origins::{OptionOrigins, Origin};
use super::{CommonOptions, url};

/// Options that are about the options, and so don't stand in a file.
const NOT_IN_A_FILE: &[&str] = &["config", "print-config", "help"];

/// The options of a command that can also be given by environment and in a file.
pub trait Configured {
    /// Those that every process has.
    fn common(&mut self) -> &mut CommonOptions;

    /// Looks whether the options make sense together.
    ///
    /// # Errors
    /// If they don't.
    fn check(&self) -> Result<(), ConfigError>;
}

/// Whether this command's options can also be given in a file.
#[must_use]
pub fn is_configured(command: &Command) -> bool {
    command.get_arguments().any(|arg| arg.get_long() == Some("print-config"))
}

/// The configured command that these words ask for, the first of which is the program's name.
fn configured<'c>(command: &'c Command, words: &[OsString]) -> Option<&'c Command> {
    words.get(1).and_then(|word| command.find_subcommand(word)).filter(|command| is_configured(command))
}

/// What was written behind `klaxon`, with the values of the configuration file put in where neither flag nor environment gives
/// something.
///
/// # Errors
/// The first wrong value, with where it came from.
pub fn parse(command: &Command, args: Vec<OsString>) -> Result<(ArgMatches, OptionOrigins), ConfigError> {
    let asked = configured(command, &args);
    let first = command.clone().try_get_matches_from(&args).map_err(|error| blame(error, asked, &args, None))?;
    let (Some(asked), Some((_, chosen))) = (asked, first.subcommand()) else {
        return Ok((first, OptionOrigins::default()));
    };
    let mut origins = origins(asked, chosen);
    let Some(path) = chosen.get_one::<PathBuf>("config").cloned() else { return Ok((first, origins)) };

    let known: Vec<&str> =
        asked.get_arguments().filter_map(|arg| arg.get_long()).filter(|long| !NOT_IN_A_FILE.contains(long)).collect();
    let file = ConfigFile::read(&path, &known)?;
    let from_file: Vec<(String, String)> =
        file.values.into_iter().filter(|(key, _)| origins.of(key) == Origin::Default).collect();
    let mut all = args.clone();
    // Behind the command, which is the first word: before it stands the program's name only.
    let injected = from_file.iter().map(|(key, value)| OsString::from(format!("--{key}={value}")));
    all.splice(2..2, injected);
    let second =
        command.clone().try_get_matches_from(all).map_err(|error| blame(error, Some(asked), &args, Some(&path)))?;
    for (key, _) in from_file {
        origins.0.insert(key, Origin::File(path.clone()));
    }
    Ok((second, origins))
}

/// Notes for the options that [`parse`] found where each comes from, and checks them against each other.
///
/// # Errors
/// If some of them can't be chosen together, or one is missing.
pub fn settle(options: &mut impl Configured, origins: OptionOrigins) -> Result<(), ConfigError> {
    options.common().origins = origins;
    options.check()
}

/// What each option is and where it comes from, as a configuration file with the same values, but for passwords.
#[must_use]
pub fn effective(command: &Command, chosen: &ArgMatches, origins: &OptionOrigins) -> String {
    let mut lines = Vec::new();
    for arg in command.get_arguments() {
        let Some(key) = arg.get_long().filter(|long| !NOT_IN_A_FILE.contains(long)) else { continue };
        let value = chosen.get_raw(arg.get_id().as_str()).and_then(|mut raw| raw.next());
        lines.push(match value {
            Some(value) => {
                let value = value.to_string_lossy();
                let shown = url::masked(&value);
                let mark = if shown == value { "" } else { "# without its password: " };
                format!("{mark}{key} = {} # {}", toml::Value::String(shown), origins.of(key))
            }
            None => format!("# {key} is not set"),
        });
    }
    lines.join("\n")
}

fn origins(command: &Command, chosen: &ArgMatches) -> OptionOrigins {
    let mut origins = BTreeMap::new();
    for arg in command.get_arguments() {
        let (Some(long), Some(source)) = (arg.get_long(), chosen.value_source(arg.get_id().as_str())) else { continue };
        let origin = match source {
            ValueSource::CommandLine => Origin::Flag(format!("--{long}")),
            ValueSource::EnvVariable => Origin::Environment(variable(arg)),
            _ => continue,
        };
        origins.insert(long.to_owned(), origin);
    }
    OptionOrigins(origins)
}

fn variable(arg: &clap::Arg) -> String {
    arg.get_env().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Names where a wrong value came from. All other errors stay as they are.
fn blame(error: clap::Error, command: Option<&Command>, args: &[OsString], file: Option<&Path>) -> ConfigError {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    let problem = std::error::Error::source(&error).map(ToString::to_string);
    let (ErrorKind::ValueValidation, Some(command), Some(option), Some(value), Some(problem)) =
        (error.kind(), command, text(ContextKind::InvalidArg), text(ContextKind::InvalidValue), problem)
    else {
        return error.into();
    };
    let flag = option.split([' ', '=']).next().unwrap_or(&option).to_owned();
    let key = flag.trim_start_matches("--").to_owned();
    let is_flag = args.iter().any(|arg| {
        arg.to_str()
            .and_then(|arg| arg.strip_prefix(&flag))
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
    });
    let variable = command.get_arguments().find(|arg| arg.get_long() == Some(&key)).map(variable).unwrap_or_default();
    let origin = match file {
        _ if is_flag => Origin::Flag(flag),
        Some(path) if std::env::var_os(&variable).is_none() => Origin::File(path.to_owned()),
        _ => Origin::Environment(variable),
    };
    ConfigError::Wrong { key, value, origin, problem }
}
