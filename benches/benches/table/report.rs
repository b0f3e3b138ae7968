//! The table: Markdown to read, JSON to keep, a picture of the ratios.

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
}

/// All figures of one run.
#[derive(Default)]
pub struct Report {
    cells: Vec<Cell>,
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

    /// One line per input and contender: time, octets a second, and the time as a multiple of ours.
    pub fn markdown(&self) -> String {
        let mut text = String::from(
            "| input | octets | who | time | throughput | × ours |\n|---|--:|---|--:|--:|--:|\n",
        );
        let mut group = "";
        for cell in &self.cells {
            if cell.group != group {
                group = cell.group;
                let _ = writeln!(text, "| **{group}** | | | | | |");
            }
            let Some(nanoseconds) = cell.nanoseconds else {
                let _ = writeln!(
                    text,
                    "| {} | {} | {} | cannot read it | | |",
                    cell.input, cell.octets, cell.contender
                );
                continue;
            };
            let ratio = self.ours(cell).map_or(String::new(), |ours| format!("{:.2}", nanoseconds / ours));
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} | {ratio} |",
                cell.input,
                cell.octets,
                cell.contender,
                time(nanoseconds),
                throughput(cell.octets as f64 / nanoseconds),
            );
        }
        text
    }

    pub fn json(&self) -> String {
        let line = |cell: &Cell| {
            let time = cell.nanoseconds.map_or("null".to_owned(), |time| format!("{time:.1}"));
            format!(
                "{{\"group\":\"{}\",\"input\":\"{}\",\"octets\":{},\"contender\":\"{}\",\"nanoseconds\":{time}}}",
                cell.group, cell.input, cell.octets, cell.contender
            )
        };
        format!("[\n{}\n]\n", self.cells.iter().map(line).collect::<Vec<_>>().join(",\n"))
    }

    /// Bars of throughput, one for each input and contender, on a logarithmic scale.
    ///
    /// # Errors
    ///
    /// What plotters says when the file can't be written.
    pub fn plot(&self, file: &Path) -> Result<(), Box<dyn core::error::Error>> {
        const ROW: u32 = 18;
        let cells: Vec<&Cell> = self.cells.iter().filter(|cell| cell.nanoseconds.is_some()).collect();
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

fn throughput(gigabytes: f64) -> String {
    if gigabytes >= 1.0 { format!("{gigabytes:.2} GB/s") } else { format!("{:.1} MB/s", gigabytes * 1e3) }
}
