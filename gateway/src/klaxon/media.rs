//! `klaxon media`: copies pictures, sounds and videos to names that tell nothing, and prints the lines for the questions that show them.

use std::fmt::Write;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use anyhow::{Context, bail, ensure};
use klaxon_gateway::cli::MediaOptions;
use klaxon_protocol::games::media::{Media, MediaType};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Larger than any file that is allowed, so that no more than this is read of one that is too large.
const MOST_READ: u64 = 50_000_001;

pub fn media(options: &MediaOptions) -> anyhow::Result<()> {
    fs::create_dir_all(&options.into).with_context(|| format!("can't make the folder {}", options.into.display()))?;
    for file in &options.files {
        let media = copy(file, &options.into, &options.url).with_context(|| format!("{}", file.display()))?;
        println!(
            "# {}\nmedia = {{ url = {:?}, type = {}, bytes = {} }}",
            file.display(),
            media.url,
            type_name(media.kind),
            media.bytes
        );
    }
    Ok(())
}

fn copy(file: &Path, into: &Path, url: &str) -> anyhow::Result<Media> {
    let mut content = Vec::new();
    File::open(file).and_then(|file| file.take(MOST_READ).read_to_end(&mut content)).context("can't be read")?;
    let found = infer::get(&content).map(|found| (found.mime_type(), found.extension()));
    let Some((name, extension)) =
        found.map(|(name, extension)| (if name == "audio/m4a" { "audio/mp4" } else { name }, extension))
    else {
        bail!("it is no picture, sound or video of a known type");
    };
    let kind: MediaType = serde_json::from_value(Value::from(name)).with_context(|| {
        format!("it is {name}, which can't be shown: take JPEG, PNG, WebP, AVIF, GIF, MP3, M4A, Ogg, MP4 or WebM")
    })?;
    let hash = Sha256::digest(&content).iter().fold(String::new(), |mut hash, byte| {
        _ = write!(hash, "{byte:02x}");
        hash
    });
    let hashed = format!("{hash}.{extension}");
    let bytes = u32::try_from(content.len()).unwrap_or(u32::MAX);
    let media = Media { url: format!("{}/{hashed}", url.trim_end_matches('/')), kind, bytes };
    let problems = media.problems();
    ensure!(problems.is_empty(), "{}", problems.join("; "));
    write(&into.join(hashed), &content)?;
    Ok(media)
}

/// Writes the copy, unless it is there: its name tells its content.
fn write(copy: &Path, content: &[u8]) -> anyhow::Result<()> {
    match File::create_new(copy).and_then(|mut file| io::Write::write_all(&mut file, content)) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let is_whole = fs::read(copy).is_ok_and(|there| there == content);
            ensure!(is_whole, "{} is another file: remove it", copy.display());
            Ok(())
        }
        done => done.with_context(|| format!("can't write {}", copy.display())),
    }
}

fn type_name(kind: MediaType) -> Value {
    serde_json::to_value(kind).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://cdn.example.org/quiz/";
    /// The smallest GIF.
    const GIF: &[u8] = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;";

    #[test]
    fn a_file_is_copied_to_the_hash_of_its_content_and_again_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("eiffel-tower.gif");
        fs::write(&file, GIF).unwrap();
        let into = folder.path().join("media");
        fs::create_dir(&into).unwrap();
        let media = copy(&file, &into, URL).unwrap();
        let copies: Vec<_> =
            fs::read_dir(&into).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        assert_eq!((media.problems(), media.url.clone()), (vec![], format!("{URL}{}", copies[0])));
        assert_eq!((copies.len(), media.bytes, media.kind), (1, 14, MediaType::Gif));
        assert_eq!(copy(&file, &into, URL).unwrap(), media);
        fs::write(into.join(&copies[0]), b"another").unwrap();
        assert!(copy(&file, &into, URL).unwrap_err().to_string().contains("is another file"));
    }

    #[test]
    fn what_can_not_be_shown_is_not_copied() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file.gif");
        let refusal = |content: &[u8], url: &str| {
            fs::write(&file, content).unwrap();
            format!("{:#}", copy(&file, folder.path(), url).unwrap_err())
        };
        assert!(refusal(b"plain text", URL).contains("of a known type"));
        assert!(refusal(b"%PDF-1.7", URL).contains("application/pdf, which can't be shown"));
        assert!(refusal(b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>", URL).contains("type"));
        assert!(refusal(GIF, "http://cdn.example.org").contains("url: "));
        let mut large = GIF.to_vec();
        large.resize(5_000_001, 0);
        assert!(refusal(&large, URL).contains("bytes: 1 to 5000000"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
