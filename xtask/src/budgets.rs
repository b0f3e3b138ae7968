//! The budget table: what a figure may be, what it was, and by which compiler.
//!
//! A goal that has been met binds; where it is missed, the figure reached binds. On the compiler that a figure was
//! taken with, it may not grow by more than 3 % either, instructions and cycles by 2 %. `benches/BUDGETS.md` is the table, read and written here.

use std::fs;
use std::path::PathBuf;

use crate::run::{Step, root};

/// The gate on the same compiler, in percent.
const GROWTH: u64 = 3;

/// The same for what a hot path takes, which an emulator counts to the last one.
pub const GROWTH_OF_COUNTS: u64 = 2;

pub struct Budgets {
    path: PathBuf,
    text: String,
}

/// A figure of a firmware step: what it is of, and its unit.
pub struct Figure {
    pub what: String,
    pub value: u64,
    pub unit: &'static str,
}

/// Prints figures and checks each against the table, or takes them in where the step was told to.
pub fn settle(step: &mut Step, compiler: &str, figures: &[Figure]) {
    let mut budgets = match Budgets::read() {
        Ok(budgets) => budgets,
        Err(why) => return step.fail("budgets", &why),
    };
    for Figure { what, value, unit } in figures {
        println!("   {what}: {value} {unit}");
        if step.record {
            budgets.record(what, *value, unit, compiler);
            step.pass(1);
        } else {
            match budgets.check(what, *value, compiler) {
                Ok(()) => step.pass(1),
                Err(why) => step.fail("budget", &why),
            }
        }
    }
    if step.record
        && let Err(why) = budgets.write()
    {
        step.fail("budgets", &why);
    }
}

/// A row: `| what | goal | figure | unit | compiler |`.
struct Row<'a> {
    what: &'a str,
    goal: Option<u64>,
    figure: Option<u64>,
    unit: &'a str,
    compiler: &'a str,
}

impl Budgets {
    pub fn read() -> Result<Budgets, String> {
        let path = root().join("benches/BUDGETS.md");
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Budgets { path, text })
    }

    /// Whether a figure taken now is within its budget; the reason when it is not.
    pub fn check(&self, what: &str, measured: u64, compiler: &str) -> Result<(), String> {
        let Some(row) = self.text.lines().filter_map(Row::parse).find(|row| row.what == what) else {
            return Err(format!("{what}: {measured}, not in benches/BUDGETS.md"));
        };
        let met = |goal: &u64| row.figure.is_none_or(|figure| figure <= *goal);
        if let Some(goal) = row.goal.filter(met)
            && measured > goal
        {
            return Err(format!("{what}: {measured}, over its goal of {goal}"));
        }
        let Some(figure) = row.figure else { return Ok(()) };
        let same = row.compiler == compiler;
        let ceiling = if same { figure + figure * row.growth() / 100 } else { figure };
        let bound = same || row.goal.is_some_and(|goal| figure > goal);
        if bound && measured > ceiling {
            return Err(format!("{what}: {measured}, was {figure} with {}", row.compiler));
        }
        Ok(())
    }

    /// Takes a figure into the table, in memory; a figure that the table does not know gets a row at the end.
    pub fn record(&mut self, what: &str, measured: u64, unit: &str, compiler: &str) {
        let mut known = false;
        let mut lines: Vec<String> = Vec::new();
        for line in self.text.lines() {
            match Row::parse(line).filter(|row| row.what == what) {
                Some(row) => {
                    known = true;
                    lines.push(Row { figure: Some(measured), compiler, unit, ..row }.print());
                }
                None => lines.push(line.to_string()),
            }
        }
        if !known {
            lines.push(Row { what, goal: None, figure: Some(measured), unit, compiler }.print());
        }
        self.text = lines.join("\n") + "\n";
    }

    pub fn write(&self) -> Result<(), String> {
        fs::write(&self.path, &self.text).map_err(|error| format!("{}: {error}", self.path.display()))
    }
}

impl<'a> Row<'a> {
    fn parse(line: &'a str) -> Option<Row<'a>> {
        let mut cells = line.strip_prefix('|')?.split('|').map(str::trim);
        let (what, goal, figure, unit, compiler) =
            (cells.next()?, cells.next()?, cells.next()?, cells.next()?, cells.next()?);
        if what == "what" || what.starts_with("--") {
            return None;
        }
        Some(Row { what, goal: number(goal), figure: number(figure), unit, compiler })
    }

    /// How many percent more it may be on the same compiler.
    fn growth(&self) -> u64 {
        let counted = self.unit.starts_with("instructions") || self.unit.starts_with("cycles");
        if counted { GROWTH_OF_COUNTS } else { GROWTH }
    }

    fn print(&self) -> String {
        let cell = |number: Option<u64>| number.map_or_else(|| "-".to_string(), |number| number.to_string());
        format!(
            "| {} | {} | {} | {} | {} |",
            self.what,
            cell(self.goal),
            cell(self.figure),
            self.unit,
            self.compiler
        )
    }
}

fn number(cell: &str) -> Option<u64> {
    cell.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &str) -> Budgets {
        Budgets {
            path: PathBuf::new(),
            text: format!("| what | goal | figure | unit | compiler |\n|--|--|--|--|--|\n{rows}\n"),
        }
    }

    #[test]
    fn a_goal_that_is_met_binds_on_every_compiler() {
        let budgets = table("| text | 4096 | 3000 | octets | rustc 1.96.0 |");
        assert!(budgets.check("text", 4096, "rustc 2.0.0").is_ok());
        assert!(budgets.check("text", 4097, "rustc 2.0.0").is_err());
    }

    #[test]
    fn where_the_goal_is_missed_the_figure_reached_binds() {
        let budgets = table("| text | 4096 | 5000 | octets | rustc 1.96.0 |");
        assert!(budgets.check("text", 5000, "rustc 2.0.0").is_ok());
        assert!(budgets.check("text", 5001, "rustc 2.0.0").is_err());
    }

    #[test]
    fn growth_is_gated_on_the_same_compiler() {
        let budgets = table("| text | - | 1000 | octets | rustc 1.96.0 |");
        assert!(budgets.check("text", 1030, "rustc 1.96.0").is_ok());
        assert!(budgets.check("text", 1031, "rustc 1.96.0").is_err());
        assert!(budgets.check("text", 2000, "rustc 1.97.0").is_ok());
    }

    #[test]
    fn instructions_and_cycles_may_grow_by_less() {
        for unit in ["instructions for 100 octets", "cycles"] {
            let budgets = table(&format!("| decode | - | 1000 | {unit} | rustc 1.96.0 |"));
            assert!(budgets.check("decode", 1020, "rustc 1.96.0").is_ok());
            assert!(budgets.check("decode", 1021, "rustc 1.96.0").is_err());
            assert!(budgets.check("decode", 2000, "rustc 1.97.0").is_ok());
        }
    }

    #[test]
    fn a_figure_without_a_row_is_said() {
        assert!(table("").check("text", 1, "rustc 1.96.0").is_err());
    }

    #[test]
    fn recording_replaces_a_row_or_adds_one() {
        let mut budgets = table("| text | 4096 | - | octets | - |");
        budgets.record("text", 3000, "octets", "rustc 1.96.0");
        budgets.record("data", 0, "octets", "rustc 1.96.0");
        assert!(budgets.text.ends_with(
            "| text | 4096 | 3000 | octets | rustc 1.96.0 |\n| data | - | 0 | octets | rustc 1.96.0 |\n"
        ));
    }
}
