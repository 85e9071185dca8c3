// SPDX-License-Identifier: MIT OR Apache-2.0
//! Python within a Rust program. Called as python3 is: SCRIPT, or -c TEXT.

#[path = "../../crate/src/lib.rs"]
mod demo;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::path::Path;

fn run(py: Python<'_>, arguments: &[String]) -> PyResult<()> {
    let given = arguments.get(1).map_or("", String::as_str);
    let (text, file) = match given {
        "-c" => (arguments[2].clone(), "<string>"),
        path => (std::fs::read_to_string(path)?, path),
    };
    if let Some(folder) = Path::new(given).parent() {
        let path = py.import("sys")?.getattr("path")?;
        path.call_method1("insert", (0, folder.to_string_lossy()))?;
    }
    let globals = PyDict::new(py);
    globals.set_item("__name__", "__main__")?;
    let builtins = py.import("builtins")?;
    let code = builtins.call_method1("compile", (text, file, "exec"))?;
    builtins.call_method1("exec", (code, globals))?;
    Ok(())
}

fn main() {
    use demo::demo as module;
    pyo3::append_to_inittab!(module);
    let arguments: Vec<String> = std::env::args().collect();
    Python::attach(|py| {
        if let Err(error) = run(py, &arguments) {
            error.print(py);
            std::process::exit(1);
        }
    });
}
