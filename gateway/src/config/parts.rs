//! What the parts of a server need, from the operator's options.

use metrics_exporter_prometheus::PrometheusHandle;

use super::{CommonOptions, ConfigError, Guests, JwtAlgorithm, PlayersOptions};
use crate::admin::{AdminSettings, AdminToken};
use crate::private_file;
use crate::settings::{Auth, GatewaySettings, TokenKey};

impl PlayersOptions {
    /// What the players' side needs. Makes the secret behind resume tokens if there is none yet.
    ///
    /// # Errors
    /// If the secret or the key for players' tokens can't be used.
    pub fn settings(&self, common: &CommonOptions) -> Result<GatewaySettings, ConfigError> {
        let secret = private_file::secret(&self.secret_file(common))
            .map_err(|problem| common.unusable("secret-file", problem))?;
        Ok(GatewaySettings::of(self.clone(), secret, self.auth(common)?))
    }

    fn auth(&self, common: &CommonOptions) -> Result<Auth, ConfigError> {
        let Some(path) = &self.jwt_key_file else { return Ok(Auth::Guests) };
        let blamed = |problem: &dyn ToString| common.blame("jwt-key-file", path.display(), problem.to_string());
        let key = match self.jwt_algorithm {
            JwtAlgorithm::EdDsa => {
                let pem =
                    private_file::read_public(path).map_err(|problem| common.unusable("jwt-key-file", problem))?;
                TokenKey::ed25519_pem(pem.as_bytes())
            }
            // A shared secret makes tokens, too: nobody else may read it.
            JwtAlgorithm::Hs256 => {
                let secret = private_file::read(path).map_err(|problem| common.unusable("jwt-key-file", problem))?;
                TokenKey::hs256(secret.as_bytes())
            }
        };
        let key = key.map_err(|problem| blamed(&problem))?;
        Ok(Auth::Jwt { key, guests_too: self.guests == Guests::Allow })
    }
}

impl CommonOptions {
    /// What the admin port needs. Makes the admin token if there is none yet.
    ///
    /// # Errors
    /// If the token can't be used.
    pub fn admin(&self, metrics: PrometheusHandle) -> Result<AdminSettings, ConfigError> {
        let token =
            AdminToken::open(&self.admin_token_file()).map_err(|problem| self.unusable("admin-token-file", problem))?;
        Ok(AdminSettings { listen: self.admin_listen, token, metrics })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use klaxon_protocol::time::Span;

    use super::*;
    use crate::cli::{Command, CommandLine, Klaxon};

    fn options(dir: &Path, flags: &[&str]) -> super::super::ServeOptions {
        let data_dir = format!("--data-dir={}", dir.display());
        let words = ["klaxon", "serve", &data_dir].into_iter().chain(flags.iter().copied());
        match Klaxon::from_words(words.map(Into::into).collect()).unwrap() {
            CommandLine::Run(Klaxon { command: Command::Serve(options) }) => *options,
            other => panic!("{other:?}"),
        }
    }

    fn settings(dir: &Path, flags: &[&str]) -> Result<GatewaySettings, ConfigError> {
        let options = options(dir, flags);
        options.players.settings(&options.common)
    }

    #[test]
    fn the_players_side_gets_what_the_operator_chose() {
        let dir = tempfile::tempdir().unwrap();
        let flags = ["--shards=3", "--max-connections=50", "--heartbeat=7s", "--messages-per-second=4"];
        let settings = settings(dir.path(), &flags).unwrap();
        let (players, burst) = (&settings.players, settings.burst);
        assert_eq!((players.shards(), players.max_connections(), players.limits.heartbeat), (3, 50, Span(7000)));
        assert_eq!((players.limits.messages_per_second, burst), (4, 8));
        assert!(matches!(settings.auth, Auth::Guests));
        let again = super::tests::settings(dir.path(), &[]).unwrap();
        assert_eq!(again.players.limits, PlayersOptions::defaults().limits);
        assert_eq!(again.secret, settings.secret, "a restarted server knows its resume tokens");
    }

    #[test]
    fn a_key_for_tokens_is_checked_at_the_start() {
        let dir = tempfile::tempdir().unwrap();
        let key = dir.path().join("key");
        let file_flag = format!("--jwt-key-file={}", key.display());
        let auth = |flags: &[&str]| settings(dir.path(), flags).map(|settings| settings.auth);

        let message = auth(&[&file_flag]).unwrap_err().to_string();
        assert!(message.starts_with("jwt-key-file: ") && message.contains("the flag --jwt-key-file"), "{message}");

        std::fs::write(&key, "x".repeat(40)).unwrap();
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o666)).unwrap();
        let message = auth(&[&file_flag]).unwrap_err().to_string();
        assert!(message.contains("chmod go-w"), "a public key that others can change is none: {message}");
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
        let message = auth(&[&file_flag, "--jwt-algorithm=hs256"]).unwrap_err().to_string();
        assert!(message.contains("chmod 600"), "{message}");

        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
        let message = auth(&[&file_flag, "--jwt-algorithm=hs256"]).unwrap_err().to_string();
        assert!(message.contains("can be guessed") && message.contains("openssl rand -hex 32"), "{message}");

        std::fs::write(&key, "c0b9e6e1a36f7d2485fb1c7703d94e5a").unwrap();
        let flags = [&file_flag[..], "--jwt-algorithm=hs256", "--guests=refuse"];
        assert!(matches!(auth(&flags).unwrap(), Auth::Jwt { guests_too: false, .. }));
        assert!(auth(&[&file_flag]).unwrap_err().to_string().contains("can't check tokens"));
    }
}
