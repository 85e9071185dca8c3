// SPDX-License-Identifier: MIT OR Apache-2.0
//! Locks that deadlock with the GIL, and some that do not.
use parking_lot::{Mutex, RwLock};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use rayon::prelude::*;
use std::sync::{Condvar, LazyLock};
use std::time::Duration;

static LAZY: LazyLock<u64> = LazyLock::new(|| {
    Python::attach(|py| {
        py.detach(|| std::thread::sleep(Duration::from_millis(700)));
        7
    })
});
static PARKED: Mutex<u64> = Mutex::new(1);
static SHARED: RwLock<u64> = RwLock::new(2);
static CELL: PyOnceLock<u64> = PyOnceLock::new();
static BUSY: std::sync::Mutex<u64> = std::sync::Mutex::new(0);
static CHAIN: [std::sync::Mutex<u64>; 3] = [
    std::sync::Mutex::new(0),
    std::sync::Mutex::new(1),
    std::sync::Mutex::new(2),
];

/// The first one to come initializes it, without the GIL for a while.
#[pyfunction]
#[inline(never)]
fn lazy() -> u64 {
    *LAZY
}

/// Holds a parking_lot Mutex, and calls Python with it.
#[pyfunction]
#[inline(never)]
fn hold_parked(f: Bound<'_, PyAny>) -> PyResult<()> {
    let mut guard = PARKED.lock();
    f.call0()?;
    *guard += 1;
    Ok(())
}

/// Waits for it; the GIL is held meanwhile.
#[pyfunction]
#[inline(never)]
fn want_parked() -> u64 {
    *PARKED.lock()
}

/// The same of a parking_lot RwLock.
#[pyfunction]
#[inline(never)]
fn hold_shared(f: Bound<'_, PyAny>) -> PyResult<u64> {
    let guard = SHARED.read();
    f.call0()?;
    Ok(*guard)
}

#[pyfunction]
#[inline(never)]
fn want_shared() {
    *SHARED.write() += 1;
}

/// PyO3's own, which lets the GIL go while it waits: no deadlock.
#[pyfunction]
#[inline(never)]
fn once(py: Python<'_>, f: Bound<'_, PyAny>) -> PyResult<u64> {
    Ok(*CELL.get_or_try_init(py, || f.call0()?.extract::<u64>())?)
}

/// Work for rayon, waited for under the GIL, that needs the GIL.
#[pyfunction]
#[inline(never)]
fn install() -> usize {
    (0..4usize)
        .into_par_iter()
        .map(|i| Python::attach(|_| i))
        .sum()
}

/// The same as it should be; also what starts rayon's threads, which are idle then.
#[pyfunction]
#[inline(never)]
fn install_detached(py: Python<'_>) -> usize {
    py.detach(install)
}

/// Holds a Mutex, and wants the next: three of these are a circle.
#[pyfunction]
#[inline(never)]
fn chain(py: Python<'_>, index: usize) -> u64 {
    py.detach(|| {
        let first = CHAIN[index].lock().unwrap();
        std::thread::sleep(Duration::from_millis(500));
        let second = CHAIN[(index + 1) % 3].lock().unwrap();
        *first + *second
    })
}

/// Holds a Mutex without the GIL for a moment; the guard's memory stays as it was when it attaches.
#[pyfunction]
#[inline(never)]
fn contend(py: Python<'_>) -> u64 {
    py.detach(|| {
        let mut guard = BUSY.lock().unwrap();
        *guard += 1;
        std::thread::sleep(Duration::from_micros(300));
        drop(guard);
        let mut shared = SHARED.write();
        *shared += 1;
        std::thread::sleep(Duration::from_micros(100));
        drop(shared);
        Python::attach(|_| *BUSY.lock().unwrap())
    })
}

/// Waits for both under the GIL: who holds them does not need it.
#[pyfunction]
#[inline(never)]
fn touch() -> u64 {
    let sum = *BUSY.lock().unwrap() + *SHARED.read();
    sum + *BUSY.lock().unwrap()
}

/// A lock in a Python object, and one behind an Arc: neither has a name of its own.
#[pyclass(frozen)]
struct Cache {
    inner: std::sync::Mutex<Vec<u64>>,
    shared: std::sync::Arc<Mutex<String>>,
}

#[pymethods]
impl Cache {
    #[new]
    fn new() -> Self {
        Cache {
            inner: std::sync::Mutex::new(vec![1]),
            shared: std::sync::Arc::new(Mutex::new(String::new())),
        }
    }

    fn hold(&self, f: Bound<'_, PyAny>) -> PyResult<()> {
        let mut guard = self.inner.lock().unwrap();
        f.call0()?;
        guard.push(2);
        Ok(())
    }

    fn want(&self) -> usize {
        self.inner.lock().unwrap().len()
    }

    fn hold_shared(&self, f: Bound<'_, PyAny>) -> PyResult<()> {
        let mut guard = self.shared.lock();
        f.call0()?;
        guard.push('x');
        Ok(())
    }

    fn want_shared(&self) -> usize {
        self.shared.lock().len()
    }
}

/// Waits for a condition that nobody makes true.
#[pyfunction]
#[inline(never)]
fn wait_condition(py: Python<'_>) {
    py.detach(|| {
        let (lock, condition) = (std::sync::Mutex::new(false), Condvar::new());
        let mut done = lock.lock().unwrap();
        while !*done {
            done = condition.wait(done).unwrap();
        }
    })
}

#[pymodule]
fn demo(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(lazy, m)?)?;
    m.add_function(wrap_pyfunction!(hold_parked, m)?)?;
    m.add_function(wrap_pyfunction!(want_parked, m)?)?;
    m.add_function(wrap_pyfunction!(hold_shared, m)?)?;
    m.add_function(wrap_pyfunction!(want_shared, m)?)?;
    m.add_function(wrap_pyfunction!(once, m)?)?;
    m.add_function(wrap_pyfunction!(install, m)?)?;
    m.add_function(wrap_pyfunction!(install_detached, m)?)?;
    m.add_class::<Cache>()?;
    m.add_function(wrap_pyfunction!(contend, m)?)?;
    m.add_function(wrap_pyfunction!(touch, m)?)?;
    m.add_function(wrap_pyfunction!(chain, m)?)?;
    m.add_function(wrap_pyfunction!(wait_condition, m)?)?;
    Ok(())
}
