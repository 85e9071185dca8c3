//! Every scenario of the tests, in one extension. Each function is what one
//! scenario stops in; the comments say what is special about its stack.

use pyo3::prelude::*;
use std::collections::HashMap;

/// The innermost user frame of most scenarios: it panics for depth 0.
///
/// The locals are what `make demo` prints through rustc's own printers.
#[inline(never)]
fn checked(depth: usize) -> i64 {
    let limits: Vec<i64> = vec![30, 10, 20];
    let mut names: HashMap<String, i64> = HashMap::new();
    names.insert("depth".to_string(), depth as i64);
    assert!(depth > 0, "depth must not be {depth}");
    limits[depth % 3] + names["depth"]
}

/// Rust -> Python -> Rust ...: calls `f(depth - 1)` until depth is 0.
#[pyfunction]
fn recurse(depth: usize, f: Bound<'_, PyAny>) -> PyResult<i64> {
    if depth == 0 {
        return Ok(checked(depth));
    }
    let below: i64 = f.call1((depth - 1,))?.extract()?;
    Ok(below + 1)
}

/// Not called the same in Rust and in Python.
#[pyfunction]
#[pyo3(name = "renamed")]
fn rust_name(f: Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    Ok(f.call0()?.unbind())
}

/// Calls a Python callable with nothing special on either side.
#[pyfunction]
fn callback(f: Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    Ok(f.call0()?.unbind())
}

/// `*args` and `**kwargs` reach Rust through another trampoline.
#[pyfunction]
#[pyo3(signature = (*args, **kwargs))]
fn variadic(
    args: &Bound<'_, pyo3::types::PyTuple>,
    kwargs: Option<&Bound<'_, pyo3::types::PyDict>>,
) -> PyResult<Py<PyAny>> {
    let f = args.get_item(0)?;
    let extra = kwargs.map_or(0, |k| k.len());
    let _count = args.len() + extra;
    Ok(f.call0()?.unbind())
}

/// Waits for ever without the GIL, in Rust, on the calling thread.
#[pyfunction]
fn wait_detached(py: Python<'_>) {
    py.detach(|| loop {
        std::thread::park();
    });
}

/// A thread Python knows nothing about until it attaches and calls `f`.
#[pyfunction]
fn from_thread(py: Python<'_>, f: Py<PyAny>) -> PyResult<()> {
    py.detach(|| {
        std::thread::Builder::new()
            .name("rust-worker".into())
            .spawn(move || {
                Python::attach(|py| {
                    let _ = f.call0(py);
                })
            })
            .unwrap()
            .join()
            .unwrap();
    });
    Ok(())
}

/// Stops the process where it is called, with the whole stack below.
#[pyfunction]
fn trap() {
    std::process::abort();
}

#[pyclass]
struct Counter {
    #[pyo3(get)]
    value: usize,
    items: Vec<u32>,
    label: String,
}

#[pymethods]
impl Counter {
    #[new]
    fn new(label: String) -> Self {
        Counter { value: 0, items: vec![1, 2, 3], label }
    }

    /// Panics when `by` is 0: a panic in a method.
    fn add(&mut self, by: usize) -> usize {
        self.value += by;
        self.items.push(self.value as u32);
        checked(by);
        self.value
    }

    /// A method that calls back into Python.
    fn each(&self, f: Bound<'_, PyAny>) -> PyResult<usize> {
        let mut seen = 0;
        for item in &self.items {
            f.call1((*item,))?;
            seen += 1;
        }
        Ok(seen)
    }

    #[getter]
    fn fails(&self) -> usize {
        checked(0) as usize
    }

    #[staticmethod]
    fn stat(f: Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        Ok(f.call0()?.unbind())
    }

    fn __repr__(&self) -> String {
        format!("Counter({:?}, {})", self.label, self.value)
    }

    fn __call__(&self, f: Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        Ok(f.call0()?.unbind())
    }
}

#[pymodule]
fn demo(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(recurse, m)?)?;
    m.add_function(wrap_pyfunction!(rust_name, m)?)?;
    m.add_function(wrap_pyfunction!(callback, m)?)?;
    m.add_function(wrap_pyfunction!(variadic, m)?)?;
    m.add_function(wrap_pyfunction!(wait_detached, m)?)?;
    m.add_function(wrap_pyfunction!(from_thread, m)?)?;
    m.add_function(wrap_pyfunction!(trap, m)?)?;
    m.add_class::<Counter>()
}
