//! `meter dlt645 discover`.

use super::args::Discover;
use super::port::Place;
use super::session::Session;
use super::{Context, Stop};
use crate::output::Head;
use dlt645::{DiscoveryConfig, DiscoveryEvent, MasterConfig, RATES, Version};

pub fn run(args: &Discover) -> Result<bool, Stop> {
    let place = Place::parse(&args.port, 2400)?;
    let port = place.open().map_err(|error| Stop::Usage(format!("{}: {error}", args.port)))?;
    let rates = match (&args.rates[..], &place) {
        // A socket or terminal has no rate: one pass.
        (_, place) if !place.has_rate() => &RATES[..1],
        ([], _) => RATES,
        (rates, _) => rates,
    };
    let config =
        DiscoveryConfig { rates, window: args.window, first_only: !args.all, ..DiscoveryConfig::new() };
    let mut session = Session::new(port, MasterConfig::new(Version::V2007));
    let mut context = Context::new(args.format);
    let mut any = false;
    let mut broken = None;
    let result = session.discover(config, |event| match event {
        DiscoveryEvent::SetRate(rate) if place.has_rate() => eprintln!("meter: asking at {rate} bit/s"),
        DiscoveryEvent::Found { address, version, rate } => {
            any = true;
            let edition = if version == Version::V1997 { "1997" } else { "2007" };
            let mut details = vec![("address", address.to_string().into()), ("version", edition.into())];
            if place.has_rate() {
                details.push(("rate", rate.to_string().into()));
            }
            if context.printer.is_tree() {
                context.printer.line(format_args!("dlt645 meter {address}, edition {edition}"));
            }
            context.printer.message(
                &Head { protocol: "dlt645", check: "ok", details, ..Head::default() },
                core::iter::empty(),
            );
            // At once: a search of many meters takes minutes.
            broken = broken.take().or(context.printer.flush().err());
        }
        _ => {}
    });
    if let Some(error) = result.err().or(broken) {
        return Err(Stop::Failed(error.to_string()));
    }
    if !any {
        eprintln!("meter: no meter answers");
    }
    Ok(any)
}
