//! The table of hot paths: the symbols that a decoder spends its instructions or cycles in, and how many each takes.
//!
//! `benches/SYMBOLS.md` is the table, read and written here. An emulator counts by address, the linked program's symbols say
//! whose address it was. What the compiler draws into another function counts as that function's, so symbols are compared
//! on the compiler that a row was taken with, and on no other, and only while they are the same ones.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use crate::budgets::GROWTH_OF_COUNTS;
use crate::linked::Functions;
use crate::run::{Step, root};

/// A symbol gets a row when it takes this share of its path, in percent.
const RECORDED: u64 = 1;

/// A symbol without a row is taken for a new one when it takes this share: as much as the whole path may grow.
const MISSED: u64 = 2;

/// What one decoder took for a stream, fed in one way.
pub struct HotPath {
    /// The decoder and how it was fed, as in the table of budgets.
    pub what: String,
    /// `instructions` or `cycles`.
    pub unit: &'static str,
    /// Those for 100 octets of the stream, by symbol, the most first.
    pub symbols: Vec<(String, u64)>,
}

impl HotPath {
    /// From counts by address, taken while the decoder took in `octets`.
    pub fn new(
        what: String,
        unit: &'static str,
        octets: u64,
        counts: &[(u64, u64)],
        functions: &Functions,
    ) -> HotPath {
        let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
        for (address, count) in counts {
            *sums.entry(functions.at(*address).unwrap_or("(no symbol)")).or_default() += count;
        }
        let hundred = |(name, sum): (&str, u64)| (name.to_string(), sum * 100 / octets.max(1));
        let mut symbols: Vec<(String, u64)> = sums.into_iter().map(hundred).collect();
        symbols.sort_by(|(a, more), (b, less)| less.cmp(more).then(a.cmp(b)));
        HotPath { what, unit, symbols }
    }

    fn total(&self) -> u64 {
        self.symbols.iter().map(|(_, count)| count).sum()
    }

    fn of(&self, name: &str) -> u64 {
        self.symbols.iter().find(|(symbol, _)| symbol == name).map_or(0, |(_, count)| *count)
    }

    /// The symbols that take so many percent or more.
    fn above(&self, percent: u64) -> impl Iterator<Item = (&str, u64)> {
        let total = self.total();
        let symbols = self.symbols.iter().filter(move |(_, count)| count * 100 >= total * percent);
        symbols.map(|(name, count)| (name.as_str(), *count))
    }
}

/// Checks paths against the table, or takes them in where the step was told to.
pub fn settle(step: &mut Step, compiler: &str, paths: &[HotPath]) {
    let mut table = match Table::read() {
        Ok(table) => table,
        Err(why) => return step.fail("symbols", &why),
    };
    for path in paths {
        if step.record {
            table.record(path, compiler);
            step.pass(1);
            continue;
        }
        match table.check(path, compiler) {
            Ok(said) => {
                println!("   ok {}: {said}", path.what);
                step.pass(1);
            }
            Err(problems) => problems.iter().for_each(|why| step.fail("symbols", why)),
        }
    }
    if step.record
        && let Err(why) = table.write()
    {
        step.fail("symbols", &why);
    }
}

struct Table {
    path: PathBuf,
    text: String,
}

/// A row: ``| path | `symbol` | figure | unit | compiler |``.
struct Row<'a> {
    path: &'a str,
    symbol: &'a str,
    figure: u64,
    compiler: &'a str,
}

impl Table {
    fn read() -> Result<Table, String> {
        let path = root().join("benches/SYMBOLS.md");
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Table { path, text })
    }

    fn rows(&self, path: &str) -> Vec<Row<'_>> {
        self.text.lines().filter_map(Row::parse).filter(|row| row.path == path).collect()
    }

    /// What there is to say of a path within bounds; a reason for each symbol that is not.
    fn check(&self, path: &HotPath, compiler: &str) -> Result<String, Vec<String>> {
        let HotPath { what, unit, .. } = path;
        let rows = self.rows(what);
        let Some(first) = rows.first() else {
            return Err(vec![format!("{what}: not in benches/SYMBOLS.md; --record takes it in")]);
        };
        if first.compiler != compiler {
            return Ok(format!("its symbols were counted with {}, not compared", first.compiler));
        }
        // Where one is gone or new, the compiler has drawn the lines between functions elsewhere, and the whole path is what is left to
        // compare: its figure in the table of budgets.
        let gone = rows.iter().map(|row| row.symbol).filter(|symbol| path.of(symbol) == 0);
        let gone: Vec<String> = gone.map(|symbol| format!("`{symbol}` is gone")).collect();
        let known = |name: &str| rows.iter().any(|row| row.symbol == name);
        let new = path.above(MISSED).filter(|(name, _)| !known(name));
        let new: Vec<String> = new.map(|(name, count)| format!("`{name}` is new, {count} {unit}")).collect();
        if !gone.is_empty() || !new.is_empty() {
            let changes = [gone, new].concat().join(", ");
            return Ok(format!("functions cut otherwise than recorded, not compared one by one: {changes}"));
        }
        let limit = |figure: u64| figure + figure * GROWTH_OF_COUNTS / 100;
        let grown = rows.iter().filter(|row| path.of(row.symbol) > limit(row.figure));
        let problems: Vec<String> = grown
            .map(|Row { symbol, figure, .. }| {
                format!("{what}: `{symbol}` grew from {figure} to {} {unit} for 100 octets", path.of(symbol))
            })
            .collect();
        if problems.is_empty() {
            Ok(format!("{} functions within bounds", rows.len()))
        } else {
            Err(problems)
        }
    }

    /// Takes a path into the table, in memory, in place of its rows; a path that the table does not know gets them at the end.
    fn record(&mut self, path: &HotPath, compiler: &str) {
        let mut rows = Some(path.above(RECORDED).map(|(symbol, count)| {
            format!("| {} | `{symbol}` | {count} | {} | {compiler} |", path.what, path.unit)
        }));
        let mut lines: Vec<String> = Vec::new();
        for line in self.text.lines() {
            if Row::parse(line).is_some_and(|row| row.path == path.what) {
                lines.extend(rows.take().into_iter().flatten());
            } else {
                lines.push(line.to_string());
            }
        }
        lines.extend(rows.into_iter().flatten());
        self.text = lines.join("\n") + "\n";
    }

    fn write(&self) -> Result<(), String> {
        fs::write(&self.path, &self.text).map_err(|error| format!("{}: {error}", self.path.display()))
    }
}

impl<'a> Row<'a> {
    fn parse(line: &'a str) -> Option<Row<'a>> {
        // A name may hold a bar, not a backtick.
        let (path, rest) = line.strip_prefix('|')?.split_once('`')?;
        let (symbol, rest) = rest.split_once('`')?;
        let mut cells = rest.split('|').map(str::trim).skip(1);
        let (figure, _unit, compiler) = (cells.next()?.parse().ok()?, cells.next()?, cells.next()?);
        Some(Row { path: path.trim_end_matches([' ', '|']).trim_start(), symbol, figure, compiler })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUSTC: &str = "rustc 1.96.0";

    fn table() -> Table {
        let mut table = Table { path: PathBuf::new(), text: "# Symbols\n".to_string() };
        table.record(&path(&[("decode", 1000), ("<[u8] | x>::step", 500), ("rare", 14), ("none", 1)]), RUSTC);
        table
    }

    fn path(symbols: &[(&str, u64)]) -> HotPath {
        let symbols = symbols.iter().map(|(name, count)| ((*name).to_string(), *count)).collect();
        HotPath { what: "hdlc, one at a time".to_string(), unit: "cycles", symbols }
    }

    #[test]
    fn symbols_of_a_hundredth_get_a_row() {
        let rows: Vec<String> = table().text.lines().map(str::to_string).collect();
        assert_eq!(rows[1], "| hdlc, one at a time | `decode` | 1000 | cycles | rustc 1.96.0 |");
        assert_eq!(rows[2], "| hdlc, one at a time | `<[u8] | x>::step` | 500 | cycles | rustc 1.96.0 |");
        assert_eq!(rows.len(), 3);
    }

    #[test]
    fn a_symbol_that_grew_is_named_with_both_figures() {
        assert!(table().check(&path(&[("decode", 1020), ("<[u8] | x>::step", 510)]), RUSTC).is_ok());
        let problems = table().check(&path(&[("decode", 900), ("<[u8] | x>::step", 511)]), RUSTC);
        let said = "hdlc, one at a time: `<[u8] | x>::step` grew from 500 to 511 cycles for 100 octets";
        assert_eq!(problems, Err(vec![said.to_string()]));
    }

    #[test]
    fn where_functions_are_cut_otherwise_they_are_named_and_not_compared() {
        let said = table().check(&path(&[("decode", 1400), ("helper", 40), ("rare", 20)]), RUSTC).unwrap();
        let changes = "`<[u8] | x>::step` is gone, `helper` is new, 40 cycles";
        assert!(said.ends_with(changes), "{said}");
    }

    #[test]
    fn a_small_function_without_a_row_changes_nothing() {
        let small = [("decode", 1021), ("<[u8] | x>::step", 500), ("helper", 30)];
        assert!(table().check(&path(&small), RUSTC).is_err());
    }

    #[test]
    fn another_compiler_is_not_compared() {
        assert!(table().check(&path(&[("other", 5000)]), "rustc 1.97.0").is_ok());
    }

    #[test]
    fn a_path_without_rows_fails() {
        let unknown = HotPath { what: "dsmr".to_string(), ..path(&[("decode", 1)]) };
        assert!(table().check(&unknown, "rustc 1.97.0").is_err());
    }

    #[test]
    fn recording_takes_the_place_of_the_rows_of_a_path() {
        let mut table = table();
        let dsmr = HotPath { what: "dsmr".to_string(), ..path(&[("decode", 9)]) };
        table.record(&dsmr, RUSTC);
        table.record(&path(&[("decode", 700)]), "rustc 1.97.0");
        assert_eq!(
            table.text,
            "# Symbols\n| hdlc, one at a time | `decode` | 700 | cycles | rustc 1.97.0 |\n\
             | dsmr | `decode` | 9 | cycles | rustc 1.96.0 |\n"
        );
    }

    #[test]
    fn counts_by_address_become_counts_by_symbol_for_100_octets() {
        let functions = Functions::listed(
            "08000100 00000010 T decode\n08000110 00000004 t step.llvm.12\n08000118 00000008 T decode\n",
        );
        let counts = [(0x0800_0100, 300), (0x0800_010E, 100), (0x0800_0112, 50), (0x0800_0118, 200)];
        let path = HotPath::new("hdlc".to_string(), "instructions", 200, &counts, &functions);
        assert_eq!(path.symbols, [("decode".to_string(), 300), ("step".to_string(), 25)]);
    }
}
