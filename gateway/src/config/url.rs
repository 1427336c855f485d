//! The address of a server, which may have a password in it that is never shown.

use std::fmt;
use std::str::FromStr;

/// A server's URL. Shown without its password.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretUrl(String);

impl SecretUrl {
    /// The whole URL.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    fn of(text: &str, schemes: &[&str], example: &str) -> Result<Self, String> {
        let known = text.split_once(':').is_some_and(|(scheme, rest)| schemes.contains(&scheme) && !rest.is_empty());
        if known { Ok(Self(text.to_owned())) } else { Err(format!("must be a URL such as {example}")) }
    }
}

impl fmt::Display for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&masked(&self.0))
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where one server is, or several nodes of one: with commas between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretUrls(pub Vec<SecretUrl>);

impl SecretUrls {
    /// The whole URLs.
    #[must_use]
    pub fn expose(&self) -> Vec<String> {
        self.0.iter().map(|url| url.0.clone()).collect()
    }
}

impl fmt::Display for SecretUrls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let urls: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&urls.join(","))
    }
}

impl FromStr for SecretUrls {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url = |url: &str| SecretUrl::of(url.trim(), &["redis"], "redis://127.0.0.1:6379");
        Ok(Self(text.split(',').map(url).collect::<Result<_, _>>()?))
    }
}

/// A database's URL.
pub(crate) fn database(text: &str) -> Result<SecretUrl, String> {
    let schemes = ["postgres", "postgresql", "mysql", "mariadb", "sqlite"];
    SecretUrl::of(text, &schemes, "postgres://klaxon@127.0.0.1/klaxon, mysql://... or sqlite:archive.sqlite")
}

/// What a text shows where it may be read by others: passwords of the URLs in it are left out.
pub(super) fn masked(text: &str) -> String {
    // A comma may belong to a password.
    let mut urls: Vec<String> = Vec::new();
    for part in text.split(',') {
        match urls.last_mut() {
            Some(url) if url.contains("://") && !part.contains("://") => *url += &format!(",{part}"),
            _ => urls.push(part.to_owned()),
        }
    }
    urls.iter().map(|url| masked_url(url)).collect::<Vec<_>>().join(",")
}

fn masked_url(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    // A password may hold anything that somebody forgot to write as it should be.
    let at = rest[..end].rfind('@').or_else(|| rest.rfind('@'));
    let Some((user, host)) = at.map(|at| (&rest[..at], &rest[at..])) else {
        return format!("{scheme}://{}", masked_query(rest));
    };
    let user = user.split_once(':').map_or_else(|| user.to_owned(), |(user, _)| format!("{user}:***"));
    format!("{scheme}://{user}{}", masked_query(host))
}

fn masked_query(rest: &str) -> String {
    let Some((path, query)) = rest.split_once('?') else { return rest.to_owned() };
    let pair = |pair: &str| match pair.split_once('=') {
        Some((name, _)) if name.contains("pass") => format!("{name}=***"),
        _ => pair.to_owned(),
    };
    format!("{path}?{}", query.split('&').map(pair).collect::<Vec<_>>().join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_never_shows() {
        for (url, shown) in [
            ("redis://127.0.0.1:6379", "redis://127.0.0.1:6379"),
            ("redis://:hush@a:1,redis://me:hush@b:2/3", "redis://:***@a:1,redis://me:***@b:2/3"),
            ("postgres://klaxon:hu/sh@db/klaxon", "postgres://klaxon:***@db/klaxon"),
            ("postgres://klaxon@db/klaxon?password=hush&x=1", "postgres://klaxon@db/klaxon?password=***&x=1"),
            ("redis://:hu,sh@a:1,redis://b:2", "redis://:***@a:1,redis://b:2"),
            ("mysql://klaxon:hush@@db", "mysql://klaxon:***@db"),
            ("127.0.0.1:4700", "127.0.0.1:4700"),
        ] {
            assert_eq!(masked(url), shown);
        }
        let urls: SecretUrls = "redis://:hush@a:1, redis://:hush@b:2".parse().unwrap();
        assert_eq!(format!("{urls:?}{urls}").matches("hush").count(), 0);
        assert_eq!(urls.expose(), ["redis://:hush@a:1", "redis://:hush@b:2"]);
    }

    #[test]
    fn what_is_no_url_is_refused_with_an_example_of_one() {
        assert!("localhost:6379".parse::<SecretUrls>().unwrap_err().contains("redis://127.0.0.1:6379"));
        assert!("redis://a,".parse::<SecretUrls>().is_err());
        assert!(database("oracle://a").is_err() && database("sqlite:a").is_ok());
    }
}
