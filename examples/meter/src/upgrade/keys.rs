//! `meter upgrade keygen`, and keys from files: PKCS#8 and SubjectPublicKeyInfo, PEM or DER. No key is ever printed.

use std::io::Write as _;
use std::path::Path;

use ed25519_dalek::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey};
use p256::pkcs8::LineEnding;
use upgrade_proto::install::PublicKey;

use super::options::Options;

pub const HELP: &str = "\
meter upgrade keygen --out KEY.pem [--algorithm ed25519|p256]
  makes a key pair: KEY.pem (PKCS#8, for signing; readable by its owner alone) and KEY.pub.pem (for meters)
  a name that ends in .der gives DER; neither file may be there yet
meter upgrade keygen --symmetric --out KEY.bin     16 random octets: a meter's, a group's or an image's AES-128 key
";

/// Random octets of the operating system.
pub fn random<const N: usize>() -> Result<[u8; N], String> {
    let mut octets = [0; N];
    getrandom::fill(&mut octets).map_err(|error| format!("no random numbers: {error}"))?;
    Ok(octets)
}

/// A key that signs.
pub enum Private {
    Ed25519(ed25519_dalek::SigningKey),
    P256(p256::ecdsa::SigningKey),
}

impl Private {
    fn generate(algorithm: &str) -> Result<Self, String> {
        match algorithm {
            "ed25519" => Ok(Private::Ed25519(ed25519_dalek::SigningKey::from_bytes(&random()?))),
            // All but about one in 2^32 random numbers are keys.
            "p256" => loop {
                if let Ok(key) = p256::ecdsa::SigningKey::from_slice(&random::<32>()?) {
                    return Ok(Private::P256(key));
                }
            },
            other => Err(format!("--algorithm: `{other}` is neither ed25519 nor p256")),
        }
    }

    pub fn load(path: &str) -> Result<Self, String> {
        let file = std::fs::read(path).map_err(|error| format!("{path}: {error}"))?;
        let (ed25519, p256) = match std::str::from_utf8(&file) {
            Ok(text) if text.contains("-----BEGIN") => {
                let ed25519 = ed25519_dalek::SigningKey::from_pkcs8_pem(text).ok();
                (ed25519, p256::ecdsa::SigningKey::from_pkcs8_pem(text).ok())
            }
            _ => {
                let ed25519 = ed25519_dalek::SigningKey::from_pkcs8_der(&file).ok();
                (ed25519, p256::ecdsa::SigningKey::from_pkcs8_der(&file).ok())
            }
        };
        ed25519
            .map(Private::Ed25519)
            .or(p256.map(Private::P256))
            .ok_or_else(|| format!("{path}: no Ed25519 or P-256 key in PKCS#8"))
    }

    pub fn public(&self) -> PublicKey {
        match self {
            Private::Ed25519(key) => PublicKey::ed25519(&key.verifying_key().to_bytes()),
            Private::P256(key) => point(key.verifying_key()),
        }
    }

    pub fn sign(&self, digest: &[u8; 32]) -> Result<[u8; 64], String> {
        match self {
            Private::Ed25519(key) => Ok(ed25519_dalek::Signer::sign(key, digest).to_bytes()),
            Private::P256(key) => {
                let signature: Result<p256::ecdsa::Signature, _> =
                    p256::ecdsa::signature::hazmat::PrehashSigner::sign_prehash(key, digest);
                signature.map(|signature| signature.to_bytes().into()).map_err(|error| error.to_string())
            }
        }
    }

    fn files(&self, der: bool) -> Result<(Vec<u8>, Vec<u8>), String> {
        let fail = |error: &dyn std::fmt::Display| error.to_string();
        Ok(match (self, der) {
            (Private::Ed25519(key), true) => (
                bare(key).to_pkcs8_der().map_err(|e| fail(&e))?.as_bytes().to_vec(),
                key.verifying_key().to_public_key_der().map_err(|e| fail(&e))?.into_vec(),
            ),
            (Private::Ed25519(key), false) => (
                bare(key).to_pkcs8_pem(LineEnding::LF).map_err(|e| fail(&e))?.as_bytes().to_vec(),
                key.verifying_key().to_public_key_pem(LineEnding::LF).map_err(|e| fail(&e))?.into_bytes(),
            ),
            (Private::P256(key), true) => (
                key.to_pkcs8_der().map_err(|e| fail(&e))?.as_bytes().to_vec(),
                key.verifying_key().to_public_key_der().map_err(|e| fail(&e))?.into_vec(),
            ),
            (Private::P256(key), false) => (
                key.to_pkcs8_pem(LineEnding::LF).map_err(|e| fail(&e))?.as_bytes().to_vec(),
                key.verifying_key().to_public_key_pem(LineEnding::LF).map_err(|e| fail(&e))?.into_bytes(),
            ),
        })
    }
}

/// Without the public key beside it: OpenSSL reads only that form (RFC 8410's first).
fn bare(key: &ed25519_dalek::SigningKey) -> ed25519_dalek::pkcs8::KeypairBytes {
    ed25519_dalek::pkcs8::KeypairBytes { secret_key: key.to_bytes(), public_key: None }
}

fn point(key: &p256::ecdsa::VerifyingKey) -> PublicKey {
    let mut octets = [0; 33];
    // A compressed point is 33 octets.
    for (to, from) in octets.iter_mut().zip(key.to_sec1_point(true).as_bytes()) {
        *to = *from;
    }
    PublicKey::p256(&octets)
}

/// A public key from a file; a private key's file does too.
pub fn public(path: &str) -> Result<PublicKey, String> {
    let file = std::fs::read(path).map_err(|error| format!("{path}: {error}"))?;
    let (ed25519, p256) = match std::str::from_utf8(&file) {
        Ok(text) if text.contains("-----BEGIN") => {
            let ed25519 = ed25519_dalek::VerifyingKey::from_public_key_pem(text).ok();
            (ed25519, p256::ecdsa::VerifyingKey::from_public_key_pem(text).ok())
        }
        _ => {
            let ed25519 = ed25519_dalek::VerifyingKey::from_public_key_der(&file).ok();
            (ed25519, p256::ecdsa::VerifyingKey::from_public_key_der(&file).ok())
        }
    };
    match (ed25519, p256) {
        (Some(key), _) => Ok(PublicKey::ed25519(&key.to_bytes())),
        (_, Some(key)) => Ok(point(&key)),
        _ => Private::load(path).map(|key| key.public()),
    }
}

/// An AES-128 key from a file of 16 octets or 32 hex digits.
pub fn symmetric(path: &str) -> Result<[u8; 16], String> {
    let file = std::fs::read(path).map_err(|error| format!("{path}: {error}"))?;
    if let Ok(key) = <[u8; 16]>::try_from(&file[..]) {
        return Ok(key);
    }
    let text = std::str::from_utf8(&file).unwrap_or_default().trim();
    hex(text).ok_or_else(|| format!("{path}: neither 16 octets nor 32 hex digits"))
}

/// An AES-128 key of 32 hex digits.
pub fn hex(text: &str) -> Option<[u8; 16]> {
    let digits = text.len() == 32 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    u128::from_str_radix(text, 16).ok().filter(|_| digits).map(u128::to_be_bytes)
}

/// Writes a file that must not be there yet; a secret one for its owner alone.
pub fn create(path: &str, octets: &[u8], secret: bool) -> Result<(), String> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if secret {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let written = options.open(path).and_then(|mut file| file.write_all(octets));
    written.map_err(|error| format!("{path}: {error}"))
}

/// Runs the subcommand; what it prints.
pub fn run(args: &[String]) -> Result<String, String> {
    let mut options = Options::parse(args, &["help", "symmetric"])?;
    if options.flag("help") || args.is_empty() {
        return Ok(HELP.into());
    }
    let out = options.text("out").ok_or("--out is missing")?;
    if options.flag("symmetric") {
        options.finish()?;
        create(&out, &random::<16>()?, true)?;
        return Ok(format!("{out}: an AES-128 key, keep it\n"));
    }
    let algorithm = options.text("algorithm").unwrap_or_else(|| "ed25519".into());
    options.finish()?;
    let key = Private::generate(&algorithm)?;
    let path = Path::new(&out);
    let ending =
        path.extension().map_or_else(|| "pem".into(), |ending| ending.to_string_lossy().into_owned());
    let public = path.with_extension(format!("pub.{ending}")).to_string_lossy().into_owned();
    let (private_file, public_file) = key.files(ending == "der")?;
    create(&public, &public_file, false)?;
    create(&out, &private_file, true)?;
    Ok(format!("{out}: signs, keep it\n{public}: for meters ({algorithm})\n"))
}
