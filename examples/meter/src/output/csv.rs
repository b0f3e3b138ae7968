//! time,obis,name,value,unit (RFC 4180).

use super::{Head, Item, joined, unit};

pub fn message<'a>(out: &mut Vec<u8>, head: &Head<'_>, items: impl Iterator<Item = Item<'a>>) {
    for item in items {
        let time = item.time.as_deref().or(head.time.as_deref()).unwrap_or_default();
        let place = item.code().or(item.path.as_deref()).unwrap_or_default();
        let name = item.name().unwrap_or_default();
        for (at, cell) in [time, place, name, &joined(&item), &unit(&item)].into_iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            if cell.contains(['"', ',', '\n', '\r']) {
                out.push(b'"');
                out.extend(cell.replace('"', "\"\"").as_bytes());
                out.push(b'"');
            } else {
                out.extend(cell.as_bytes());
            }
        }
        out.push(b'\n');
    }
}
