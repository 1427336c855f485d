//! What docs/compose.yaml says of Klaxon's own services.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use klaxon_gateway::cli::{CommandLine, Klaxon};
use serde::Deserialize;

/// What stands for whatever the operator must choose.
pub const CHOSEN: &str = "chosen";

#[derive(Deserialize)]
pub struct ComposeFile {
    pub services: BTreeMap<String, Service>,
    volumes: BTreeMap<String, Option<Nothing>>,
}

/// A service, as far as a machine without containers can follow it.
#[derive(Deserialize)]
pub struct Service {
    image: String,
    #[serde(default)]
    entrypoint: Vec<String>,
    #[serde(default)]
    command: Vec<String>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    #[serde(default)]
    pub volumes: Vec<String>,
    pub restart: Option<String>,
    pub stop_grace_period: Option<String>,
    healthcheck: Option<Healthcheck>,
}

#[derive(Deserialize)]
struct Healthcheck {
    test: Vec<String>,
}

#[derive(Deserialize)]
struct Nothing {}

impl ComposeFile {
    /// Klaxon's services with their names. Every volume that they name is there.
    pub fn klaxon(self) -> BTreeMap<String, Service> {
        let mut services = self.services;
        services.retain(|_, service| service.image.contains("KLAXON_IMAGE"));
        for volume in services.values().flat_map(|service| &service.volumes) {
            let (name, _) = volume.split_once(':').unwrap();
            assert!(self.volumes.contains_key(name), "{name} is no volume");
        }
        services
    }

    pub fn read() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/compose.yaml");
        serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    }
}

impl Service {
    /// What is run: the program's name first.
    pub fn words(&self) -> Vec<String> {
        let entrypoint = if self.entrypoint.is_empty() { &["klaxon".to_owned()][..] } else { &self.entrypoint };
        [entrypoint, &self.command].concat().iter().map(|word| interpolated(word)).collect()
    }

    pub fn environment(&self) -> BTreeMap<&str, String> {
        self.environment.iter().map(|(name, value)| (&name[..], interpolated(value))).collect()
    }

    /// What the program makes of its words and of its environment, given to it as flags: so a variable that it does not know is
    /// found out, which the program itself can't.
    pub fn understood(&self) -> Klaxon {
        let (words, command) = (self.words(), Klaxon::command());
        let asked = command.find_subcommand(&words[1]).unwrap();
        let flags = self.environment().into_iter().map(|(name, value)| {
            let known = asked.get_arguments().find(|arg| arg.get_env().is_some_and(|variable| variable == name));
            let flag = known.and_then(|arg| arg.get_long());
            format!("--{}={value}", flag.unwrap_or_else(|| panic!("klaxon {} does not know {name}", words[1])))
        });
        let words: Vec<OsString> = words.iter().cloned().chain(flags).map(OsString::from).collect();
        match Klaxon::from_words(words) {
            Ok(CommandLine::Run(klaxon)) => klaxon,
            other => panic!("{other:?}"),
        }
    }

    /// Where a path of the service is if its volumes are folders of `top`.
    pub fn path(&self, top: &Path, path: &str) -> Option<PathBuf> {
        let volumes = self.volumes.iter().filter_map(|volume| volume.split_once(':'));
        let inside = volumes.filter_map(|(name, at)| Some((name, Path::new(path).strip_prefix(at).ok()?)));
        inside.map(|(name, rest)| top.join(name).join(rest)).next()
    }

    /// The port and the path that are asked whether it is well, and whether with the token.
    pub fn healthcheck(&self) -> (String, String, bool) {
        let check = interpolated(&self.healthcheck.as_ref().unwrap().test.join(" "));
        let (_, asked) = check.rsplit_once("http://127.0.0.1:").unwrap();
        let (port, path) = asked.split_once('/').unwrap();
        (port.to_owned(), format!("/{path}"), check.contains("Bearer $(cat /secrets/admin.token)"))
    }
}

/// As `docker compose` does it, with nothing in its environment but what must be.
fn interpolated(text: &str) -> String {
    let mut pieces = text.split("${");
    let mut whole = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (variable, rest) = piece.split_once('}').unwrap();
        let default = variable.split_once(":-").map(|(_, default)| default);
        assert!(default.is_some() || variable.contains(":?"), "{variable} has no default, and nobody is asked for it");
        whole = whole + default.unwrap_or(CHOSEN) + rest;
    }
    whole.replace("$$", "$")
}
