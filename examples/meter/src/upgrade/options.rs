//! `--name value` options.

/// The options of a subcommand, taken one by one; what is left over is an error.
#[derive(Debug)]
pub struct Options {
    left: Vec<(String, Option<String>)>,
    /// Arguments that are no options.
    pub plain: Vec<String>,
}

impl Options {
    /// Splits `--name value` and `--name=value`; `flags` take no value.
    pub fn parse(args: &[String], flags: &[&str]) -> Result<Options, String> {
        let mut options = Options { left: Vec::new(), plain: Vec::new() };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let Some(name) = arg.strip_prefix("--") else {
                options.plain.push(arg.clone());
                continue;
            };
            if let Some((name, value)) = name.split_once('=') {
                options.left.push((name.into(), Some(value.into())));
            } else if flags.contains(&name) {
                options.left.push((name.into(), None));
            } else {
                let value = args.next().ok_or_else(|| format!("--{name} needs a value"))?;
                options.left.push((name.into(), Some(value.clone())));
            }
        }
        Ok(options)
    }

    pub fn flag(&mut self, name: &str) -> bool {
        self.take(name).is_some()
    }

    fn take(&mut self, name: &str) -> Option<Option<String>> {
        let at = self.left.iter().position(|(own, _)| own == name)?;
        Some(self.left.remove(at).1)
    }

    pub fn text(&mut self, name: &str) -> Option<String> {
        self.take(name).flatten()
    }

    /// A value, or what it is without the option.
    pub fn value<T: std::str::FromStr>(&mut self, name: &str, default: T) -> Result<T, String> {
        match self.text(name) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|_| format!("--{name}: cannot read `{text}`")),
        }
    }

    /// What was not asked for is a mistake.
    pub fn finish(self) -> Result<(), String> {
        match self.left.first() {
            None => Ok(()),
            Some((name, _)) => Err(format!("unknown option --{name}")),
        }
    }
}
