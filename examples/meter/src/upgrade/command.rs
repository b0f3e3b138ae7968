//! `meter upgrade simulate`: options in, table or JSON out.

use std::fmt::Write as _;

use upgrade_proto::sender::Strategy;

use super::channel::Kind;
use super::options::Options;
use super::simulate::{Outline, Scenario, simulate};
use super::sweep;

pub const HELP: &str = "\
meter upgrade simulate [options]
  Moves an image to simulated meters with the crate's own sender and receivers and counts every octet on the channel.

  --meters 61         1 to 10,000
  --size 1024000      octets of the image
  --block 512         octets of a block
  --overhead 39       octets of a frame beyond the block
  --rate 1200         octets per second
  --loss 0.01         share of data frames lost; shorter frames by the same bit error rate
  --channel iid|ge|mixed   independent; bursts (--burst 10 frames); a tenth of the meters at 30 %
  --strategy auto|union|xor|coded|paper|unicast
  --tags on|off       manifest and tag table (default: on, off for paper and unicast)
  --ram 4096          octets the meters have for the coded decoder, block buffer included; 0: none
  --flash-read 1000000  octets per second the meters' flash reads
  --gap 0 --turnaround 0.05   seconds
  --cuts 0 --off 20   power cuts per meter and hour, seconds without supply
  --late 0 --late-at 300   meters that come late, and when
  --seed 1 --trials 1 seeds seed, seed+1, …; figures are means
  --format table|json
  --plot FILE.svg     ratio against loss for the strategies
  --sweep             the whole table: strategies by loss, in parallel
  --losses 0.001,0.01,0.05,0.1,0.2,0.3   for --plot and --sweep
";

pub fn strategy(text: &str) -> Result<Strategy, String> {
    Ok(match text {
        "auto" => Strategy::Auto,
        "union" => Strategy::Union,
        "xor" => Strategy::Xor,
        "coded" => Strategy::Coded,
        "paper" => Strategy::Paper,
        "unicast" => Strategy::Unicast,
        other => return Err(format!("--strategy: `{other}` is none")),
    })
}

/// The scenario of the options, and how many trials.
fn scenario(options: &mut Options) -> Result<(Scenario, u64), String> {
    let d = Scenario::default();
    let strategy = strategy(&options.text("strategy").unwrap_or_else(|| "auto".into()))?;
    let kind = match options.text("channel").as_deref() {
        None | Some("iid") => Kind::Independent,
        Some("ge") => Kind::Bursts,
        Some("mixed") => Kind::Mixed,
        Some(other) => return Err(format!("--channel: `{other}` is none")),
    };
    let tags = match options.text("tags").as_deref() {
        None => !matches!(strategy, Strategy::Paper | Strategy::Unicast),
        Some("on") => true,
        Some("off") => false,
        Some(other) => return Err(format!("--tags: `{other}` is neither on nor off")),
    };
    let mut times = d.times;
    times.read_rate = options.value("flash-read", times.read_rate)?;
    let scenario = Scenario {
        meters: options.value("meters", d.meters)?,
        size: options.value("size", d.size)?,
        block: options.value("block", d.block)?,
        overhead: options.value("overhead", d.overhead)?,
        rate: options.value("rate", d.rate)?,
        loss: options.value("loss", d.loss)?,
        burst: options.value("burst", d.burst)?,
        kind,
        strategy,
        tags,
        seed: options.value("seed", d.seed)?,
        turnaround: options.value("turnaround", d.turnaround)?,
        gap: options.value("gap", d.gap)?,
        ram: options.value("ram", d.ram)?,
        times,
        cuts: options.value("cuts", d.cuts)?,
        off: options.value("off", d.off)?,
        late: options.value("late", d.late)?,
        late_at: options.value("late-at", d.late_at)?,
    };
    if scenario.overhead < upgrade_proto::message::BLOCK_HEADER_LEN {
        return Err("--overhead: the block header alone is 9 octets".into());
    }
    Ok((scenario, options.value("trials", 1)?))
}

/// Runs the subcommand; what it prints.
pub fn run(args: &[String]) -> Result<String, String> {
    let mut options = Options::parse(args, &["sweep", "help", "quiet"])?;
    if options.flag("help") {
        return Ok(HELP.into());
    }
    let (scenario, trials) = scenario(&mut options)?;
    let json = match options.text("format").as_deref() {
        None | Some("table") => false,
        Some("json") => true,
        Some(other) => return Err(format!("--format: `{other}` is neither table nor json")),
    };
    let plot = options.text("plot");
    let sweeping = options.flag("sweep");
    let quiet = options.flag("quiet");
    let losses = options.text("losses").unwrap_or_else(|| "0.001,0.01,0.05,0.1,0.2,0.3".into());
    let losses: Vec<f64> = losses
        .split(',')
        .map(|text| text.trim().parse().map_err(|_| format!("--losses: cannot read `{text}`")))
        .collect::<Result<_, _>>()?;
    options.finish()?;
    if sweeping || plot.is_some() {
        let rows = sweep::sweep(&scenario, &losses, trials, quiet)?;
        if let Some(path) = &plot {
            sweep::plot(path, &losses, &rows)?;
        }
        return Ok(if json {
            sweep::json(&losses, &rows)
        } else {
            sweep::table(&scenario, &losses, trials, &rows)
        });
    }
    let mut all = Vec::new();
    for trial in 0..trials.max(1) {
        all.push(simulate(&Scenario { seed: scenario.seed + trial, ..scenario.clone() })?);
    }
    let outline = Outline::mean(&all);
    Ok(if json { one_json(&scenario, trials, &outline) } else { one_table(&scenario, trials, &outline) })
}

fn name(strategy: Strategy) -> &'static str {
    match strategy {
        Strategy::Auto => "auto",
        Strategy::Union => "union",
        Strategy::Xor => "xor",
        Strategy::Coded => "coded",
        Strategy::Paper => "paper",
        Strategy::Unicast => "unicast",
    }
}

pub fn fields(o: &Outline) -> String {
    format!(
        "\"airtime_frames\": {:.1}, \"lower_bound_frames\": {:.1}, \"ratio\": {:.4}, \"seconds\": {:.1}, \
         \"feedback_share\": {:.5}, \"complete\": {:.1}, \"given_up\": {:.1}, \"other_share\": {:.5}, \
         \"authenticity_share\": {:.5}, \"data_frames\": {:.1}, \"repair_frames\": {:.1}, \"rounds\": {:.1}, \
         \"overruns\": {:.1}, \"blocks\": {}, \"meta_blocks\": {}, \"coded\": {:.2}",
        o.airtime_frames,
        o.lower_bound_frames,
        o.ratio,
        o.seconds,
        o.feedback_share,
        o.complete,
        o.given_up,
        o.other_share,
        o.authenticity_share,
        o.data_frames,
        o.repair_frames,
        o.rounds,
        o.overruns,
        o.blocks,
        o.meta_blocks,
        o.coded,
    )
}

fn one_json(scenario: &Scenario, trials: u64, outline: &Outline) -> String {
    format!(
        "{{\"strategy\": \"{}\", \"meters\": {}, \"loss\": {}, \"trials\": {}, {}}}\n",
        name(scenario.strategy),
        scenario.meters,
        scenario.loss,
        trials.max(1),
        fields(outline)
    )
}

fn one_table(scenario: &Scenario, trials: u64, o: &Outline) -> String {
    let frame = u32::from(scenario.block) + u32::from(scenario.overhead);
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{} meters, {} + {} blocks of {} octets, loss {} %, strategy {}, {} trial(s)",
        scenario.meters,
        o.meta_blocks,
        o.blocks,
        scenario.block,
        scenario.loss * 100.0,
        name(scenario.strategy),
        trials.max(1)
    );
    let _ = writeln!(text, "airtime           {:10.1} frames of {frame} octets", o.airtime_frames);
    let _ = writeln!(text, "  data            {:10.1}", o.data_frames);
    let _ = writeln!(text, "  repair          {:10.1}", o.repair_frames);
    let _ = writeln!(text, "  feedback        {:10.2} %", o.feedback_share * 100.0);
    let _ = writeln!(text, "  authenticity    {:10.2} %  (manifest and tags)", o.authenticity_share * 100.0);
    let _ = writeln!(text, "lower bound       {:10.1} frames", o.lower_bound_frames);
    let _ = writeln!(text, "ratio             {:10.4}", o.ratio);
    let _ = writeln!(
        text,
        "other phases      {:10.2} %  (request, group, initiate, verify)",
        o.other_share * 100.0
    );
    let _ = writeln!(text, "rounds            {:10.1}", o.rounds);
    let _ = writeln!(text, "time              {:10.1} s", o.seconds);
    let _ = writeln!(text, "complete          {:10.1}", o.complete);
    let _ = writeln!(text, "given up          {:10.1}", o.given_up);
    if o.overruns > 0.0 {
        let _ = writeln!(text, "frames lost to busy flash {:.1}", o.overruns);
    }
    text
}
