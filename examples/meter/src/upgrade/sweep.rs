//! The whole table of strategies by loss, in parallel, and its plot.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use indicatif::{ProgressBar, ProgressStyle};
use plotters::prelude::*;
use upgrade_proto::sender::Strategy;

use super::command::fields;
use super::simulate::{Outline, Scenario, simulate};

/// One strategy's figures by loss.
#[derive(Debug)]
pub struct Row {
    pub name: &'static str,
    pub cells: Vec<Outline>,
}

/// Prints one figure of a cell.
type Print = fn(&Outline) -> String;

const ROWS: [(&str, Strategy, usize, bool); 8] = [
    ("paper 002", Strategy::Paper, 0, false),
    ("union", Strategy::Union, 0, true),
    ("xor", Strategy::Xor, 0, true),
    ("coded, 2 KB", Strategy::Coded, 2048, true),
    ("coded, 4 KB", Strategy::Coded, 4096, true),
    ("coded, 8 KB", Strategy::Coded, 8192, true),
    ("auto, no coded", Strategy::Auto, 0, true),
    ("auto, 4 KB", Strategy::Auto, 4096, true),
];

/// Simulates every strategy at every loss, `trials` seeds each, on as many threads as there are processors.
pub fn sweep(base: &Scenario, losses: &[f64], trials: u64, quiet: bool) -> Result<Vec<Row>, String> {
    let trials = trials.max(1);
    let mut jobs = Vec::new();
    for (row, &(_, strategy, ram, tags)) in ROWS.iter().enumerate() {
        for (column, &loss) in losses.iter().enumerate() {
            for trial in 0..trials {
                let seed = base.seed + trial;
                jobs.push((row, column, Scenario { strategy, ram, tags, loss, seed, ..base.clone() }));
            }
        }
    }
    let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new(jobs.len() as u64) };
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} {elapsed} left {eta} {msg}") {
        bar.set_style(style);
    }
    let next = AtomicUsize::new(0);
    let results = Mutex::new(vec![vec![Vec::new(); losses.len()]; ROWS.len()]);
    let failure = Mutex::new(None);
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(jobs.len());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((row, column, scenario)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    bar.set_message(ROWS[*row].0);
                    let done = simulate(scenario);
                    bar.inc(1);
                    match (done, results.lock(), failure.lock()) {
                        (Ok(outline), Ok(mut results), _) => results[*row][*column].push(outline),
                        (Err(error), _, Ok(mut failure)) => *failure = Some(error),
                        _ => {}
                    }
                }
            });
        }
    });
    bar.finish_and_clear();
    if let Ok(Some(error)) = failure.into_inner() {
        return Err(error);
    }
    let results = results.into_inner().map_err(|_| "a simulation thread failed")?;
    Ok(ROWS
        .iter()
        .zip(results)
        .map(|(&(name, ..), cells)| Row { name, cells: cells.iter().map(|all| Outline::mean(all)).collect() })
        .collect())
}

/// The table as text, in Markdown.
pub fn table(base: &Scenario, losses: &[f64], trials: u64, rows: &[Row]) -> String {
    let mut text = format!(
        "{} meters, {} octets in blocks of {}, {:?} losses, {} trial(s): airtime by the lower bound\n\n| strategy |",
        base.meters,
        base.size,
        base.block,
        base.kind,
        trials.max(1)
    );
    for loss in losses {
        text += &format!(" {} % |", loss * 100.0);
    }
    text += "\n|---|";
    text += &"---|".repeat(losses.len());
    for row in rows {
        text += &format!("\n| {} |", row.name);
        for cell in &row.cells {
            let lost =
                if cell.given_up > 0.0 { format!(" ({} given up)", cell.given_up) } else { String::new() };
            text += &format!(" {:.3}{lost} |", cell.ratio);
        }
    }
    if let Some(last) = rows.last() {
        let lines: [(&str, Print); 6] = [
            ("lower bound, frames", |o| format!("{:.0}", o.lower_bound_frames)),
            ("auto: feedback", |o| format!("{:.2} %", o.feedback_share * 100.0)),
            ("auto: other phases", |o| format!("{:.2} %", o.other_share * 100.0)),
            ("auto: authenticity", |o| format!("{:.2} %", o.authenticity_share * 100.0)),
            ("auto: seconds", |o| format!("{:.0}", o.seconds)),
            ("auto: rounds", |o| format!("{:.1}", o.rounds)),
        ];
        for (name, of) in lines {
            text += &format!("\n| {name} |");
            for cell in &last.cells {
                text += &format!(" {} |", of(cell));
            }
        }
    }
    text += "\n";
    text
}

/// The table as JSON.
pub fn json(losses: &[f64], rows: &[Row]) -> String {
    let mut text = String::from("[");
    for row in rows {
        for (loss, cell) in losses.iter().zip(&row.cells) {
            if text.len() > 1 {
                text += ",\n ";
            }
            text += &format!("{{\"strategy\": \"{}\", \"loss\": {loss}, {}}}", row.name, fields(cell));
        }
    }
    text + "]\n"
}

/// Draws ratio against loss.
pub fn plot(path: &str, losses: &[f64], rows: &[Row]) -> Result<(), String> {
    let fail = |error: &dyn std::fmt::Display| format!("{path}: {error}");
    let area = SVGBackend::new(path, (900, 600)).into_drawing_area();
    area.fill(&WHITE).map_err(|error| fail(&error))?;
    let most = rows.iter().flat_map(|row| &row.cells).map(|cell| cell.ratio).fold(1.0, f64::max);
    let (low, high) =
        losses.iter().fold((f64::INFINITY, 0.0f64), |(low, high), &loss| (low.min(loss), high.max(loss)));
    let range = if low < high { low..high } else { low * 0.9..low * 1.1 + 1e-6 };
    let mut chart = ChartBuilder::on(&area)
        .margin(15)
        .x_label_area_size(45)
        .y_label_area_size(55)
        .build_cartesian_2d(range.log_scale(), 1.0..most * 1.02)
        .map_err(|error| fail(&error))?;
    chart
        .configure_mesh()
        .x_desc("share of frames lost")
        .y_desc("airtime by the lower bound")
        .draw()
        .map_err(|error| fail(&error))?;
    for (at, row) in rows.iter().enumerate() {
        let color = Palette99::pick(at).to_rgba();
        let points: Vec<(f64, f64)> =
            losses.iter().copied().zip(row.cells.iter().map(|cell| cell.ratio)).collect();
        chart
            .draw_series(LineSeries::new(points.clone(), color.stroke_width(2)))
            .map_err(|error| fail(&error))?
            .label(row.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], color.stroke_width(2)));
        chart
            .draw_series(points.into_iter().map(|point| Circle::new(point, 3, color.filled())))
            .map_err(|error| fail(&error))?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE)
        .border_style(BLACK)
        .draw()
        .map_err(|error| fail(&error))?;
    area.present().map_err(|error| fail(&error))
}
