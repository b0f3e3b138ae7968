//! `meter upgrade sign`, `verify` and `encrypt`: packages that meters take.

use upgrade_proto::error::Refusal;
use upgrade_proto::hash::Hash256;
use upgrade_proto::install::{Decrypt as _, PublicKey, Record};
use upgrade_proto::package::Manifest;
use upgrade_proto::security::{
    Ed25519, MANIFEST_MAX, MeterKey, P256, RETIRE, SIGNATURE_LEN, check_manifest, extension, signed_digest,
    wrap,
};

use super::image::Image;
use super::keys::{self, Private};
use super::options::Options;
use super::pack;

pub const SIGN: &str = "\
meter upgrade sign PACKAGE --key KEY.pem --out SIGNED [options]
  --slot 0            which of a meter's keys KEY.pem belongs to: 0 built in, 1 rolled
  --counter N         security counter (else the package's)
  --roll NEW.pub.pem  brings meters this key for slot 1, once the image is confirmed
  --retire            with --roll: the built-in key is not taken any more from then on
";

pub const VERIFY: &str = "\
meter upgrade verify SIGNED --key KEY.pub.pem [--slot 0] [--floor 0]
  what a meter with this key and this security counter says to the package
";

pub const ENCRYPT: &str = "\
meter upgrade encrypt PACKAGE --image-key IMAGE.key --out FILE     AES-128 in counter mode; before it is signed
  IMAGE.key is 16 octets or 32 hex digits and is made when it is not there; one key for one image
meter upgrade encrypt --wrap METER.key --image-key IMAGE.key       the image's key wrapped for a meter (RFC 3394), hex
";

type Sha = sha2::Sha256;

fn extend(to: &mut Vec<u8>, kind: u8, octets: &[u8]) -> Result<(), String> {
    let len = u16::try_from(octets.len()).map_err(|_| "extension too long")?;
    to.push(kind);
    to.extend_from_slice(&len.to_be_bytes());
    to.extend_from_slice(octets);
    Ok(())
}

fn has(image: &Image, kind: u8) -> bool {
    let manifest = Manifest { extensions: &image.extensions, ..image.manifest };
    manifest.extensions().any(|(own, _)| own == kind)
}

/// The image with these extensions, and its manifest's octets.
fn with(image: &Image, manifest: Manifest<'_>, extensions: &[u8]) -> Result<(Image, Vec<u8>), String> {
    let manifest = Manifest { extensions, ..manifest };
    let built = Image::new(image.octets.clone(), manifest, false).map_err(|error| error.to_string())?;
    let manifest = Manifest { extensions: &built.extensions, ..built.manifest };
    let mut octets = vec![0; manifest.encoded_len().ok_or("manifest too long")?.into()];
    manifest.encode(&mut octets).map_err(|error| error.to_string())?;
    Ok((built, octets))
}

/// Signs an image's manifest.
pub fn sign_image(image: &Image, key: &Private, slot: u8, counter: u32) -> Result<Image, String> {
    if has(image, extension::SIGNATURE) {
        return Err("the package is signed already".into());
    }
    let manifest = Manifest { counter, ..image.manifest };
    let mut extensions = image.extensions.clone();
    let mut signature = vec![key.public().algorithm, slot];
    signature.extend_from_slice(&[0; 64]);
    extend(&mut extensions, extension::SIGNATURE, &signature)?;
    let (_, octets) = with(image, manifest, &extensions)?;
    if octets.len() > usize::from(MANIFEST_MAX) {
        return Err(format!("the manifest has {} octets, meters look at {MANIFEST_MAX}", octets.len()));
    }
    let digest = signed_digest::<Sha>(&octets).ok_or("no place for the signature")?;
    extensions.truncate(extensions.len() - usize::from(SIGNATURE_LEN) + 5);
    extensions.extend_from_slice(&key.sign(&digest)?);
    Ok(with(image, manifest, &extensions)?.0)
}

fn save(path: &str, image: &Image) -> Result<(), String> {
    std::fs::write(path, image.package()).map_err(|error| format!("{path}: {error}"))
}

/// Runs `sign`; what it prints.
pub fn sign(args: &[String]) -> Result<String, String> {
    let mut options = Options::parse(args, &["help", "retire"])?;
    if options.flag("help") || args.is_empty() {
        return Ok(SIGN.into());
    }
    let key = Private::load(&options.text("key").ok_or("--key is missing")?)?;
    let out = options.text("out").ok_or("--out is missing")?;
    let slot: u8 = options.value("slot", 0)?;
    let (roll, retire) = (options.text("roll"), options.flag("retire"));
    let [path] = &std::mem::take(&mut options.plain)[..] else { return Err("one package is needed".into()) };
    let mut image = pack::load(path)?;
    let counter: u32 = options.value("counter", image.manifest.counter)?;
    options.finish()?;
    if slot > 1 {
        return Err("--slot: 0 or 1".into());
    }
    match (roll, retire) {
        (Some(path), _) => {
            let new = keys::public(&path)?;
            let mut octets = vec![if retire { RETIRE } else { 0 }, new.algorithm];
            octets.extend_from_slice(&new.octets);
            extend(&mut image.extensions, extension::ROLL, &octets)?;
        }
        (None, true) => return Err("--retire goes with --roll".into()),
        (None, false) => {}
    }
    let signed = sign_image(&image, &key, slot, counter)?;
    save(&out, &signed)?;
    Ok(format!("{out}: version {}, counter {counter}, signed for key slot {slot}\n", signed.manifest.version))
}

/// What a meter says to a package.
pub fn check(image: &Image, key: &PublicKey, slot: u8, floor: u32) -> Result<(), Refusal> {
    let manifest = Manifest { extensions: &image.extensions, ..image.manifest };
    let mut octets = vec![0; manifest.encoded_len().map_or(0, usize::from)];
    manifest.encode(&mut octets).map_err(|_| Refusal::Manifest)?;
    let record = Record { floor, key: if slot == 1 { *key } else { PublicKey::NONE }, ..Record::default() };
    let root = if slot == 0 { *key } else { PublicKey::NONE };
    check_manifest::<Sha, _>(&octets, Some(&mut (Ed25519, P256)), &root, &record).map(|_| ())
}

/// Runs `verify`; what it prints.
pub fn verify(args: &[String]) -> Result<String, String> {
    let mut options = Options::parse(args, &["help"])?;
    if options.flag("help") || args.is_empty() {
        return Ok(VERIFY.into());
    }
    let key = keys::public(&options.text("key").ok_or("--key is missing")?)?;
    let (slot, floor) = (options.value("slot", 0)?, options.value("floor", 0)?);
    let [path] = &std::mem::take(&mut options.plain)[..] else { return Err("one package is needed".into()) };
    options.finish()?;
    let image = pack::load(path)?;
    check(&image, &key, slot, floor).map_err(|refusal| format!("{path}: refused: {refusal}"))?;
    let enciphered = if image.manifest.encrypted { ", enciphered" } else { "" };
    Ok(format!(
        "{path}: genuine: version {}, counter {}{enciphered}\n",
        image.manifest.version, image.manifest.counter
    ))
}

/// Enciphers an image and says so in its manifest.
pub fn encrypt_image(image: &Image, key: &[u8; 16], nonce: &[u8; 12]) -> Result<Image, String> {
    if image.manifest.encrypted || has(image, extension::SIGNATURE) {
        return Err("the package is enciphered or signed already".into());
    }
    let mut octets = image.octets.clone();
    MeterKey::image(key, nonce).apply(0, &mut octets);
    let mut extensions = image.extensions.clone();
    extend(&mut extensions, extension::NONCE, nonce)?;
    extend(&mut extensions, extension::PLAIN, &Sha::of(&image.octets))?;
    let manifest = Manifest { encrypted: true, extensions: &extensions, ..image.manifest };
    Image::new(octets, manifest, false).map_err(|error| error.to_string())
}

/// Runs `encrypt`; what it prints.
pub fn encrypt(args: &[String]) -> Result<String, String> {
    let mut options = Options::parse(args, &["help"])?;
    if options.flag("help") || args.is_empty() {
        return Ok(ENCRYPT.into());
    }
    let path = options.text("image-key").ok_or("--image-key is missing")?;
    if let Some(meter) = options.text("wrap") {
        options.finish()?;
        let wrapped =
            wrap(&keys::symmetric(&meter)?, &keys::symmetric(&path)?).ok_or("cannot wrap the key")?;
        return Ok(wrapped.iter().fold(String::new(), |text, octet| text + &format!("{octet:02x}")) + "\n");
    }
    let out = options.text("out").ok_or("--out is missing")?;
    let [package] = &std::mem::take(&mut options.plain)[..] else {
        return Err("one package is needed".into());
    };
    options.finish()?;
    let image = pack::load(package)?;
    if !std::path::Path::new(&path).exists() {
        keys::create(&path, &keys::random::<16>()?, true)?;
    }
    let sealed = encrypt_image(&image, &keys::symmetric(&path)?, &keys::random()?)?;
    save(&out, &sealed)?;
    Ok(format!("{out}: {} octets enciphered; sign it now\n", sealed.octets.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use upgrade_proto::package::Version;

    fn words(line: &str, dir: &std::path::Path) -> Vec<String> {
        line.split_whitespace().map(|word| word.replace('@', &format!("{}/", dir.display()))).collect()
    }

    fn image() -> Image {
        let manifest = Manifest {
            tagged: true,
            version: Version { date: 20_260_101, number: 1 },
            block: 128,
            counter: 5,
            ..Manifest::default()
        };
        Image::new((0..5000u32).map(|n| (n * 7) as u8).collect(), manifest, false).unwrap()
    }

    #[test]
    fn keys_packages_and_ciphers_go_through_files() {
        let dir = std::env::temp_dir().join(format!("meter-sign-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        save(&dir.join("p").to_string_lossy(), &image()).unwrap();
        for (algorithm, ending) in [("ed25519", "pem"), ("p256", "pem"), ("ed25519", "der"), ("p256", "der")]
        {
            let name = format!("{algorithm}-{ending}");
            let said =
                keys::run(&words(&format!("--out @{name}.{ending} --algorithm {algorithm}"), &dir)).unwrap();
            assert!(!said.contains("BEGIN"));
            assert!(
                keys::run(&words(&format!("--out @{name}.{ending}"), &dir)).is_err(),
                "no key is written over"
            );
            let line = format!("@p --key @{name}.{ending} --out @{name}.s");
            sign(&words(&line, &dir)).unwrap();
            let said = verify(&words(&format!("@{name}.s --key @{name}.pub.{ending}"), &dir)).unwrap();
            assert!(said.contains("genuine"), "{said}");
            let refused = verify(&words(&format!("@{name}.s --key @{name}.pub.{ending} --floor 6"), &dir));
            assert!(refused.unwrap_err().contains("older"));
            assert!(sign(&words(&format!("@{name}.s --key @{name}.{ending} --out @again"), &dir)).is_err());
        }
        assert!(verify(&words("@ed25519-pem.s --key @p256-pem.pub.pem", &dir)).is_err());
        assert!(verify(&words("@ed25519-pem.s --key @ed25519-der.pub.der", &dir)).is_err());
        assert!(verify(&words("@p --key @ed25519-pem.pub.pem", &dir)).is_err(), "not signed");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(dir.join("p256-pem.pem")).unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "others cannot read a private key");
        }
        // Enciphered, signed with a roll, checked, deciphered.
        encrypt(&words("@p --image-key @image.key --out @e", &dir)).unwrap();
        let line = "@e --key @ed25519-pem.pem --roll @p256-pem.pub.pem --retire --counter 9 --out @es";
        sign(&words(line, &dir)).unwrap();
        let said = verify(&words("@es --key @ed25519-pem.pub.pem", &dir)).unwrap();
        assert!(said.contains("counter 9, enciphered"), "{said}");
        let sealed = pack::load(&dir.join("es").to_string_lossy()).unwrap();
        let manifest = Manifest { extensions: &sealed.extensions, ..sealed.manifest };
        let nonce = manifest.extensions().find(|(kind, _)| *kind == extension::NONCE).unwrap().1;
        let key = keys::symmetric(&dir.join("image.key").to_string_lossy()).unwrap();
        let mut plain = sealed.octets.clone();
        MeterKey::image(&key, nonce.try_into().unwrap()).apply(0, &mut plain);
        assert_eq!(plain, image().octets);
        assert!(encrypt(&words("@es --image-key @image.key --out @twice", &dir)).is_err());
        keys::run(&words("--symmetric --out @meter.key", &dir)).unwrap();
        let wrapped = encrypt(&words("--wrap @meter.key --image-key @image.key", &dir)).unwrap();
        assert_eq!(wrapped.trim().len(), 48);
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
