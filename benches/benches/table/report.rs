//! The table: Markdown to read, JSON to keep, a picture of the ratios.

use crate::dirty::Cost;
use crate::flash::Counts;
use crate::scaling::Scaling;
use plotters::prelude::*;
use std::fmt::Write as _;
use std::path::Path;

/// What one contender needs for one input.
pub struct Cell {
    pub group: &'static str,
    pub input: String,
    pub octets: usize,
    pub contender: String,
    /// Of one run over the input; none where the contender could not read it.
    pub nanoseconds: Option<f64>,
    /// What it did to the flashes, where there are any.
    pub flash: Option<Counts>,
}

/// All figures of one run.
#[derive(Default)]
pub struct Report {
    cells: Vec<Cell>,
    /// Of damaged and hostile streams.
    pub streams: Vec<Cost>,
    /// Of inputs of many lengths.
    pub lengths: Vec<Scaling>,
}

impl Report {
    pub fn add(&mut self, cell: Cell) {
        self.cells.push(cell);
    }

    /// Ours is the first contender of an input.
    fn ours(&self, of: &Cell) -> Option<f64> {
        let same = |cell: &&Cell| cell.group == of.group && cell.input == of.input;
        self.cells.iter().find(same)?.nanoseconds
    }

    /// All tables that there are figures for.
    pub fn markdown(&self) -> String {
        let tables = [self.times(), self.operations(), self.hostile(), self.scaling()];
        tables.iter().filter(|table| !table.is_empty()).map(String::as_str).collect::<Vec<_>>().join("\n")
    }

    /// One line per input and contender: time, runs a second, octets a second, and the time as a multiple of ours.
    fn times(&self) -> String {
        let mut text = String::new();
        let mut group = "";
        for cell in &self.cells {
            if text.is_empty() {
                text += "| input | octets | who | time | a second | throughput | × ours |\n|---|--:|---|--:|--:|--:|--:|\n";
            }
            if cell.group != group {
                group = cell.group;
                let _ = writeln!(text, "| **{group}** | | | | | | |");
            }
            let Some(nanoseconds) = cell.nanoseconds else {
                let _ = writeln!(
                    text,
                    "| {} | {} | {} | cannot read it | | | |",
                    cell.input, cell.octets, cell.contender
                );
                continue;
            };
            let ratio = self.ours(cell).map_or(String::new(), |ours| format!("{:.2}", nanoseconds / ours));
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} | {ratio} |",
                cell.input,
                cell.octets,
                cell.contender,
                time(nanoseconds),
                rate(1e9 / nanoseconds),
                // Where flashes are worked on, the time of the processor says nothing of octets a second.
                if cell.flash.is_some() {
                    String::new()
                } else {
                    throughput(cell.octets as f64 / nanoseconds)
                },
            );
        }
        text
    }

    /// What was done to the flashes; their time on a chip is far above that of the processor.
    fn operations(&self) -> String {
        let mut text = String::new();
        for cell in &self.cells {
            let Some(Counts { erased, programs, programmed, reads, read }) = cell.flash else { continue };
            if text.is_empty() {
                text +=
                    "| flash | who | sectors erased | programs | octets programmed | reads | octets read |\n";
                text += "|---|---|--:|--:|--:|--:|--:|\n";
            }
            let Cell { input, contender, .. } = cell;
            let _ = writeln!(
                text,
                "| {input} | {contender} | {erased} | {programs} | {programmed} | {reads} | {read} |"
            );
        }
        text
    }

    /// Cost of an octet where the input is not what a meter sends.
    fn hostile(&self) -> String {
        let mut text = String::new();
        for Cost { protocol, stream, chunks, slice } in &self.streams {
            if text.is_empty() {
                text += "| stream | octets | in chunks of 64: ns an octet | × clean | slice: ns an octet | × clean |\n";
                text += "|---|---|--:|--:|--:|--:|\n";
            }
            let _ = writeln!(
                text,
                "| {protocol} | {stream} | {:.2} | {:.1} | {:.2} | {:.1} |",
                chunks.nanoseconds, chunks.times_clean, slice.nanoseconds, slice.times_clean
            );
        }
        text
    }

    /// Cost of an octet against the length of the input, and what a second thread adds.
    fn scaling(&self) -> String {
        let mut text = String::new();
        for Scaling { name, points, two_threads } in &self.lengths {
            if text.is_empty() {
                text += "| input of | octets: ns an octet | two threads read |\n|---|---|--:|\n";
            }
            let points: Vec<String> =
                points.iter().map(|(octets, time)| format!("{octets}: {time:.2}")).collect();
            let _ = writeln!(text, "| {name} | {} | {two_threads:.2} × one |", points.join(", "));
        }
        text
    }

    /// One object a line.
    pub fn json(&self) -> String {
        let cells = self.cells.iter().map(|cell| {
            let time = cell.nanoseconds.map_or("null".to_owned(), |time| format!("{time:.1}"));
            let flash = cell.flash.map_or(String::new(), |flash| {
                let Counts { erased, programs, programmed, reads, read } = flash;
                format!(
                    ",\"sectors_erased\":{erased},\"programs\":{programs},\"octets_programmed\":{programmed},\
                     \"reads\":{reads},\"octets_read\":{read}"
                )
            });
            format!(
                "{{\"group\":\"{}\",\"input\":\"{}\",\"octets\":{},\"contender\":\"{}\",\"nanoseconds\":{time}{flash}}}",
                cell.group, cell.input, cell.octets, cell.contender
            )
        });
        let streams = self.streams.iter().map(|cost| {
            format!(
                "{{\"group\":\"streams\",\"protocol\":\"{}\",\"stream\":\"{}\",\
                 \"nanoseconds_an_octet_in_chunks\":{:.3},\"nanoseconds_an_octet_in_a_slice\":{:.3}}}",
                cost.protocol, cost.stream, cost.chunks.nanoseconds, cost.slice.nanoseconds
            )
        });
        let lengths = self.lengths.iter().flat_map(|scaling| {
            let point = |(octets, time): &(usize, f64)| {
                format!(
                    "{{\"group\":\"lengths\",\"input\":\"{}\",\"octets\":{octets},\"nanoseconds_an_octet\":{time:.3}}}",
                    scaling.name
                )
            };
            let threads = format!(
                "{{\"group\":\"threads\",\"input\":\"{}\",\"two_by_one\":{:.2}}}",
                scaling.name, scaling.two_threads
            );
            scaling.points.iter().map(point).chain([threads]).collect::<Vec<_>>()
        });
        format!("[\n{}\n]\n", cells.chain(streams).chain(lengths).collect::<Vec<_>>().join(",\n"))
    }

    /// Bars of throughput, one for each input and contender, on a logarithmic scale.
    ///
    /// # Errors
    ///
    /// What plotters says when the file can't be written.
    pub fn plot(&self, file: &Path) -> Result<(), Box<dyn core::error::Error>> {
        const ROW: u32 = 18;
        let cells: Vec<&Cell> =
            self.cells.iter().filter(|cell| cell.nanoseconds.is_some() && cell.flash.is_none()).collect();
        let rows = u32::try_from(cells.len())?;
        let area = SVGBackend::new(file, (1000, rows * ROW + 80)).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .margin(10)
            .x_label_area_size(40)
            .y_label_area_size(360)
            .build_cartesian_2d((0.0001..100.0f64).log_scale(), 0..rows)?;
        let name = |row: &u32| {
            let cell = usize::try_from(*row).ok().and_then(|row| cells.get(row));
            cell.map_or(String::new(), |cell| format!("{}, {}: {}", cell.group, cell.input, cell.contender))
        };
        chart
            .configure_mesh()
            .disable_y_mesh()
            .x_desc("GB/s")
            .y_labels(cells.len())
            .y_label_formatter(&name)
            .draw()?;
        chart.draw_series(cells.iter().zip(0..).map(|(cell, row)| {
            let rate = cell.octets as f64 / cell.nanoseconds.unwrap_or(f64::INFINITY);
            let ours = cell.contender.starts_with("this library");
            let colour = if ours { BLUE } else { RGBColor(150, 150, 150) };
            Rectangle::new([(0.0001, row), (rate, row + 1)], colour.filled())
        }))?;
        area.present()?;
        Ok(())
    }
}

fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        below if below < 1e3 => format!("{nanoseconds:.0} ns"),
        below if below < 1e6 => format!("{:.2} µs", nanoseconds / 1e3),
        _ => format!("{:.2} ms", nanoseconds / 1e6),
    }
}

/// So many a second.
fn rate(rate: f64) -> String {
    match rate {
        below if below < 1e3 => format!("{rate:.0}"),
        below if below < 1e6 => format!("{:.1} k", rate / 1e3),
        _ => format!("{:.2} M", rate / 1e6),
    }
}

fn throughput(gigabytes: f64) -> String {
    if gigabytes >= 1.0 { format!("{gigabytes:.2} GB/s") } else { format!("{:.1} MB/s", gigabytes * 1e3) }
}
