//! `meter dlt645 read`.

use super::args::Read;
use super::{Peer, Stop};
use crate::civil::Civil;
use dlt645::{Identifier, Query, Request};

pub fn run(args: &Read) -> Result<bool, Stop> {
    let query = match (args.records, &args.since) {
        (None, _) => Query::All,
        (Some(count), None) => Query::Records(count),
        (Some(count), Some(time)) => {
            let time = Civil::parse(time).ok_or_else(|| format!("{time}: expected YYYY-MM-DDThh:mm"))?;
            Query::Since(count, time.moment())
        }
    };
    let mut peer = Peer::open(&args.line)?;
    if let Some(other) = args.identifiers.iter().find(|identifier| identifier.version() != peer.version) {
        return Err(format!("{other} is not an identifier of the edition asked for").into());
    }
    for &identifier in &args.identifiers {
        let load = matches!(identifier, Identifier::V2007(0x0600_0000..=0x06FF_FFFF));
        let query = if load { query } else { Query::All };
        peer.ask(&identifier.to_string(), &Request::Read { identifier, query })?;
    }
    Ok(peer.good)
}
