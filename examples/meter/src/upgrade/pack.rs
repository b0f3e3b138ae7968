//! `meter upgrade pack`: an image package from a program, its contents printed, and the program back out of it.

use std::fmt::Write as _;

use upgrade_proto::hash::{Hash256, crc32};
use upgrade_proto::package::{Address, Manifest, Version};
use upgrade_proto::session::Plane;

use super::ihex;
use super::image::Image;
use super::options::Options;

pub const HELP: &str = "\
meter upgrade pack APP.bin [options] --out FILE
meter upgrade pack --show PACKAGE        prints a package and checks it
meter upgrade pack --unpack PACKAGE --out APP.bin
meter upgrade pack APP.bin --hex ADDRESS --out APP.hex     Intel HEX, as paper 000's tool makes
meter upgrade pack --factory FILE OFFSET:PART.bin …        one flash image of boot loader, system, parameters, applications (paper 001)

  APP.bin may be an ELF file: its loaded segments are joined, gaps filled with FF
  --maker TEXT4 --model N --model-mask N --hardware N --hardware-mask N
  --version YYYYMMDD.N --module N --first HEX12 --last HEX12 --counter N
  --block 512         octets of a block
  --no-tags           leave the tag table out
";

/// A number, decimal or 0x….
fn number(text: &str) -> Result<u32, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => text.parse(),
    };
    parsed.map_err(|_| format!("`{text}` is no number"))
}

pub fn version(text: &str) -> Result<Version, String> {
    let (date, number) = text.split_once('.').unwrap_or((text, "0"));
    match (date.parse(), number.parse()) {
        (Ok(date), Ok(number)) => Ok(Version { date, number }),
        _ => Err(format!("--version: `{text}` is not YYYYMMDD.N")),
    }
}

pub fn address(text: &str) -> Result<Address, String> {
    let fail = || format!("`{text}` is no address of up to 12 hex digits");
    if text.is_empty() || text.len() > 12 || !text.bytes().all(|octet| octet.is_ascii_hexdigit()) {
        return Err(fail());
    }
    let [_, _, octets @ ..] = u64::from_str_radix(text, 16).map_err(|_| fail())?.to_be_bytes();
    Ok(Address(octets))
}

fn read(path: &str) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("{path}: {error}"))
}

fn write(path: &str, octets: &[u8]) -> Result<(), String> {
    std::fs::write(path, octets).map_err(|error| format!("{path}: {error}"))
}

/// The loaded segments of an ELF file at their physical addresses, gaps filled with FF; other files as they are.
fn program(file: Vec<u8>) -> Result<Vec<u8>, String> {
    if !file.starts_with(b"\x7FELF") {
        return Ok(file);
    }
    let (wide, little) = (file.get(4) == Some(&2), file.get(5) == Some(&1));
    let at = |from: usize, len: usize| -> Option<u64> {
        let octets = file.get(from..from.checked_add(len)?)?;
        let value = |sum: u64, octet: &u8| sum << 8 | u64::from(*octet);
        Some(if little { octets.iter().rev().fold(0, value) } else { octets.iter().fold(0, value) })
    };
    let segments = || -> Option<Vec<(u64, Vec<u8>)>> {
        let word = if wide { 8 } else { 4 };
        let (table, size, count) =
            if wide { (at(32, 8)?, at(54, 2)?, at(56, 2)?) } else { (at(28, 4)?, at(42, 2)?, at(44, 2)?) };
        let mut found = Vec::new();
        for index in 0..count {
            let base = usize::try_from(table.checked_add(index.checked_mul(size)?)?).ok()?;
            let (offset, address, length) =
                if wide { (base + 8, base + 24, base + 32) } else { (base + 4, base + 12, base + 16) };
            let length = usize::try_from(at(length, word)?).ok()?;
            if at(base, 4)? == 1 && length > 0 {
                let from = usize::try_from(at(offset, word)?).ok()?;
                found.push((at(address, word)?, file.get(from..from.checked_add(length)?)?.to_vec()));
            }
        }
        Some(found)
    };
    let mut segments = segments().ok_or("the ELF file is cut short")?;
    segments.sort_by_key(|segment| segment.0);
    let base = segments.first().ok_or("the ELF file loads nothing")?.0;
    let mut image: Vec<u8> = Vec::new();
    for (address, octets) in segments {
        let from =
            usize::try_from(address - base).map_err(|_| "the ELF file's segments lie too far apart")?;
        if from > 64 << 20 {
            return Err("the ELF file's segments lie too far apart".into());
        }
        if from < image.len() {
            return Err("the ELF file's segments overlap".into());
        }
        image.resize(from, 0xFF);
        image.extend_from_slice(&octets);
    }
    Ok(image)
}

/// Reads a package file back; its image's manifest and tags are computed anew and compared.
pub fn load(path: &str) -> Result<Image, String> {
    let file = read(path)?;
    let (manifest, rest) = Manifest::parse(&file).map_err(|error| format!("{path}: {error}"))?;
    let geometry = manifest.geometry().map_err(|error| format!("{path}: {error}"))?;
    let meta: usize = (geometry.manifest_blocks()..geometry.count(Plane::Meta))
        .map(|index| usize::from(geometry.block_len(Plane::Meta, index)))
        .sum();
    let image = rest.get(meta..).filter(|image| image.len() == geometry.size() as usize);
    let image = image.ok_or_else(|| format!("{path}: length does not fit the manifest"))?;
    if crc32(image) != manifest.crc || sha2::Sha256::of(image) != manifest.sha256 {
        return Err(format!("{path}: the image's check value is wrong"));
    }
    let built = Image::new(image.to_vec(), manifest, false).map_err(|error| format!("{path}: {error}"))?;
    if built.package() != file {
        return Err(format!("{path}: the tag table does not fit the image"));
    }
    Ok(built)
}

fn show(image: &Image) -> String {
    let m = &image.manifest;
    let mut text = String::new();
    let hex = |octets: &[u8]| octets.iter().fold(String::new(), |text, octet| text + &format!("{octet:02x}"));
    let _ = writeln!(text, "maker       {}", String::from_utf8_lossy(&m.maker));
    let _ = writeln!(text, "model       {:#x} mask {:#x}", m.model, m.model_mask);
    let _ = writeln!(text, "hardware    {:#x} mask {:#x}", m.hardware, m.hardware_mask);
    let _ = writeln!(text, "version     {}", m.version);
    let _ = writeln!(text, "module      {}", m.module);
    let _ = writeln!(text, "meters      {} to {}", m.first, m.last);
    let _ = writeln!(text, "size        {} octets", m.size);
    let _ = writeln!(
        text,
        "blocks      {} + {} of {} octets",
        image.geometry.count(Plane::Meta),
        image.geometry.count(Plane::Data),
        m.block
    );
    let _ = writeln!(text, "CRC-32      {:08x}", m.crc);
    let _ = writeln!(text, "SHA-256     {}", hex(&m.sha256));
    let _ = writeln!(text, "tags        {}", if m.tagged { hex(&m.tag_root) } else { "none".into() });
    let _ = writeln!(text, "counter     {}", m.counter);
    let _ = writeln!(text, "digest      {}", hex(&image.digest));
    text
}

/// Parts at their offsets, gaps filled with FF.
fn factory(parts: &[String]) -> Result<Vec<u8>, String> {
    let mut placed = Vec::new();
    for part in parts {
        let (offset, path) = part.split_once(':').ok_or_else(|| format!("`{part}` is not OFFSET:FILE"))?;
        placed.push((number(offset)? as usize, program(read(path)?)?, path));
    }
    placed.sort_by_key(|part| part.0);
    let mut image: Vec<u8> = Vec::new();
    for (offset, octets, path) in placed {
        if offset < image.len() {
            return Err(format!(
                "{path} at {offset:#x} overlaps the part before it, which ends at {:#x}",
                image.len()
            ));
        }
        if offset > 256 << 20 {
            return Err(format!("{path}: offset {offset:#x} is past any flash"));
        }
        image.resize(offset, 0xFF);
        image.extend_from_slice(&octets);
    }
    Ok(image)
}

/// Runs the subcommand; what it prints.
pub fn run(args: &[String]) -> Result<String, String> {
    let mut options = Options::parse(args, &["help", "no-tags"])?;
    if options.flag("help") || args.is_empty() {
        return Ok(HELP.into());
    }
    if let Some(path) = options.text("show") {
        options.finish()?;
        return load(&path).map(|image| show(&image));
    }
    let out = options.text("out");
    let need_out = || out.clone().ok_or_else(|| "--out is missing".to_string());
    if let Some(path) = options.text("unpack") {
        options.finish()?;
        let image = load(&path)?;
        write(&need_out()?, &image.octets)?;
        return Ok(show(&image));
    }
    if let Some(path) = options.text("factory") {
        let parts = std::mem::take(&mut options.plain);
        options.finish()?;
        let image = factory(&parts)?;
        write(&path, &image)?;
        return Ok(format!("{path}: {} octets of {} parts\n", image.len(), parts.len()));
    }
    let [path] = &options.plain[..] else { return Err("one program file is needed".into()) };
    let octets = program(read(path)?)?;
    if let Some(base) = options.text("hex") {
        let text = ihex::encode(number(&base)?, &octets)?;
        options.finish()?;
        write(&need_out()?, text.as_bytes())?;
        return Ok(format!("{} octets as Intel HEX\n", octets.len()));
    }
    let maker = options.text("maker").unwrap_or_default();
    let mut code = *b"    ";
    if maker.len() > 4 {
        return Err("--maker: four octets at most".into());
    }
    for (to, octet) in code.iter_mut().zip(maker.bytes()) {
        *to = octet;
    }
    let mut numeric = |name: &str, default: u32| options.text(name).map_or(Ok(default), |text| number(&text));
    let manifest = Manifest {
        tagged: true,
        maker: code,
        model: numeric("model", 0)?,
        model_mask: numeric("model-mask", 0)?,
        hardware: numeric("hardware", 0)?,
        hardware_mask: numeric("hardware-mask", 0)?,
        module: u16::try_from(numeric("module", 0)?).map_err(|_| "--module: 0 to 65535")?,
        counter: numeric("counter", 0)?,
        block: u16::try_from(numeric("block", 512)?).map_err(|_| "--block: up to 65520")?,
        version: version(&options.text("version").ok_or("--version is missing")?)?,
        first: address(&options.text("first").unwrap_or_else(|| "0".into()))?,
        last: address(&options.text("last").unwrap_or_else(|| "FFFFFFFFFFFF".into()))?,
        ..Manifest::default()
    };
    let manifest = Manifest { tagged: !options.flag("no-tags"), ..manifest };
    options.finish()?;
    let image = Image::new(octets, manifest, false).map_err(|error| error.to_string())?;
    write(&need_out()?, &image.package())?;
    Ok(show(&image))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factory_image_places_parts_and_refuses_overlaps() {
        let dir = std::env::temp_dir().join(format!("meter-pack-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let part = |name: &str, octets: &[u8]| {
            let path = dir.join(name);
            std::fs::write(&path, octets).unwrap();
            path.to_string_lossy().into_owned()
        };
        let (boot, app) = (part("boot", &[1, 2, 3]), part("app", &[9; 4]));
        let image = factory(&[format!("0x8:{app}"), format!("0:{boot}")]).unwrap();
        assert_eq!(image, [1, 2, 3, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 9, 9, 9, 9]);
        assert!(factory(&[format!("0:{boot}"), format!("2:{app}")]).is_err());
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn addresses_and_versions() {
        assert_eq!(address("1234"), Ok(Address([0, 0, 0, 0, 0x12, 0x34])));
        assert!(address("12345678901234").is_err());
        assert_eq!(version("20240116.3"), Ok(Version { date: 20_240_116, number: 3 }));
    }
}
