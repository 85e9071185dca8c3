//! Every scenario of the tests, in one extension. Each function is what one
//! scenario stops in; the comments say what is special about its stack.

use pyo3::prelude::*;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, RwLock};
use std::time::Duration;

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

#[allow(dead_code)]
enum Shape {
    Point,
    Circle(f64),
    Rect { width: u32, height: u32 },
}

#[allow(dead_code)]
enum Level {
    Low = 1,
    High = 7,
}

struct Wrapper<T> {
    inner: T,
    name: &'static str,
}

trait Speak {
    fn speak(&self) -> usize;
}

impl Speak for Wrapper<u8> {
    fn speak(&self) -> usize {
        self.name.len() + self.inner as usize
    }
}

static CACHE: OnceLock<String> = OnceLock::new();
static EMPTY: OnceLock<String> = OnceLock::new();

/// One of every kind of value, for the debugger to show; `f` stops in the middle.
#[pyfunction]
#[inline(never)]
fn values(py: Python<'_>, number: i32, text: &str, f: Bound<'_, PyAny>) -> PyResult<usize> {
    let (small, wide, huge) = (-5i8, u64::MAX, -(1i128 << 70));
    let (yes, letter, half, single) = (true, 'ß', 0.5f64, 1.25f32);
    let unit = ();
    let owned = String::from("h\u{e9}llo\n\u{1b}[31m");
    let boxed_text: Box<str> = "boxed".into();
    let empty = String::new();
    let slice: &[u16] = &[1, 2, 3];
    let array = [[1u8, 2], [3, 4]];
    let list = vec![Some(1u32), None, Some(3)];
    let long: Vec<usize> = (0..1000).collect();
    let mut queue: VecDeque<i32> = (0..4).collect();
    queue.rotate_left(3);
    queue.push_back(9);
    queue.pop_front();
    let pair = (1u8, "two");
    let shapes = [Shape::Point, Shape::Circle(1.5), Shape::Rect { width: 3, height: 4 }];
    let level = Level::High;
    let nothing: Option<Box<Shape>> = None;
    let something = Some(Box::new(Shape::Circle(2.0)));
    let fine: Result<u8, String> = Ok(3);
    let wrong: Result<u8, String> = Err("no".to_string());
    let shared = Rc::new(vec![1, 2]);
    let shared_too = shared.clone();
    let atomic = Arc::new(AtomicUsize::new(42));
    let cell = Cell::new(5);
    let ref_cell = RefCell::new(vec![1]);
    let borrowed = ref_cell.borrow();
    let mutex = Mutex::new(10);
    let guard = mutex.lock().unwrap();
    let rwlock = RwLock::new("data");
    let reader = rwlock.read().unwrap();
    let _ = CACHE.set("cached".to_string());
    let (once, unset) = (&CACHE, &EMPTY);
    let map: HashMap<&str, i32> = [("one", 1)].into();
    let set: HashSet<u8> = [7].into();
    let tree: BTreeMap<u32, String> = (0..30).map(|i| (i, i.to_string())).collect();
    let tree_set: BTreeSet<char> = ['a', 'b'].into();
    let path = PathBuf::from("/tmp/x");
    let path_ref = path.as_path();
    let wait = Duration::from_millis(1500);
    let wrapper = Wrapper { inner: 3u8, name: "w" };
    let speaker: &dyn Speak = &wrapper;
    let function: fn(usize) -> i64 = checked;
    let object: Py<PyAny> = f.clone().unbind();
    let instance = Bound::new(py, Counter::new("lab".to_string()))?;
    let reference = instance.borrow();
    let error = PyErr::new::<pyo3::exceptions::PyValueError, _>("lazy");
    let normalized = pyo3::exceptions::PyKeyError::new_err("key");
    let _ = normalized.value(py);
    f.call0()?;
    Ok([
        small as usize, wide as usize, huge as usize, yes as usize, letter as usize, half as usize,
        single as usize, owned.len(), boxed_text.len(), empty.len(), slice.len(), array.len(),
        list.len(), long.len(), queue.len(), pair.0 as usize, shapes.len(), level as usize,
        nothing.is_some() as usize, something.is_some() as usize, fine.is_ok() as usize,
        wrong.is_ok() as usize, shared_too.len(), atomic.load(Ordering::Relaxed), cell.get(),
        borrowed.len(), *guard, reader.len(), once.get().map_or(0, |s| s.len()),
        unset.get().is_some() as usize, map.len(), set.len(), tree.len(), tree_set.len(),
        path_ref.as_os_str().len(), wait.as_secs() as usize, speaker.speak(),
        function as *const () as usize, object.as_ptr() as usize, reference.value, number as usize, text.len(),
        error.is_instance_of::<pyo3::exceptions::PyValueError>(py) as usize,
        (unit == ()) as usize, as_usize(&normalized),
    ]
    .iter()
    .fold(0, |sum: usize, x| sum.wrapping_add(*x)))
}

fn as_usize(error: &PyErr) -> usize {
    error as *const PyErr as usize
}

extern "C" fn cannot_unwind(depth: usize) -> i64 {
    checked(depth)
}

/// A panic that may not leave its function.
#[pyfunction]
fn abort_unwind() -> i64 {
    cannot_unwind(0)
}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("second");
    }
}

/// A panic in a destructor, while another one unwinds.
#[pyfunction]
fn abort_cleanup() {
    let _bomb = Bomb;
    panic!("first");
}

/// A payload that is no string.
#[pyfunction]
fn panic_any() {
    std::panic::panic_any(42u64);
}

/// A panic of one thread that another one takes on: rayon and the like do this.
#[pyfunction]
fn panic_joined() {
    let result = std::thread::spawn(|| checked(0)).join();
    if let Err(payload) = result {
        std::panic::resume_unwind(payload);
    }
}

static LOCK_A: Mutex<u64> = Mutex::new(1);
static LOCK_B: Mutex<u64> = Mutex::new(2);
static LOCK_RW: RwLock<u64> = RwLock::new(3);
static LOCK_ONCE: OnceLock<u64> = OnceLock::new();

/// Holds LOCK_A, and calls Python with it.
#[pyfunction]
fn hold_mutex(f: Bound<'_, PyAny>) -> PyResult<()> {
    let mut guard = LOCK_A.lock().unwrap();
    f.call0()?;
    *guard += 1;
    Ok(())
}

/// Waits for LOCK_A; the GIL is held meanwhile.
#[pyfunction]
fn want_mutex() -> u64 {
    *LOCK_A.lock().unwrap()
}

/// Waits for LOCK_A without the GIL, as it should be.
#[pyfunction]
fn want_detached(py: Python<'_>) -> u64 {
    py.detach(|| *LOCK_A.lock().unwrap())
}

/// The same of a RwLock that is read and written.
#[pyfunction]
fn hold_read(f: Bound<'_, PyAny>) -> PyResult<u64> {
    let guard = LOCK_RW.read().unwrap();
    f.call0()?;
    Ok(*guard)
}

#[pyfunction]
fn want_write() {
    *LOCK_RW.write().unwrap() += 1;
}

/// The same of a OnceLock: `f` is called while it is made.
#[pyfunction]
fn get_once(f: Bound<'_, PyAny>) -> u64 {
    *LOCK_ONCE.get_or_init(|| {
        f.call0().unwrap();
        7
    })
}

/// Two mutexes in opposite order, and no Python in it.
#[pyfunction]
fn two_mutexes(py: Python<'_>) {
    py.detach(|| {
        let other = std::thread::spawn(|| {
            let _other = LOCK_B.lock().unwrap();
            std::thread::sleep(Duration::from_millis(200));
            let _cache = LOCK_A.lock().unwrap();
        });
        let _cache = LOCK_A.lock().unwrap();
        std::thread::sleep(Duration::from_millis(200));
        let _other = LOCK_B.lock().unwrap();
        other.join().unwrap();
    });
}

#[pymodule]
pub fn demo(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(recurse, m)?)?;
    m.add_function(wrap_pyfunction!(rust_name, m)?)?;
    m.add_function(wrap_pyfunction!(callback, m)?)?;
    m.add_function(wrap_pyfunction!(variadic, m)?)?;
    m.add_function(wrap_pyfunction!(wait_detached, m)?)?;
    m.add_function(wrap_pyfunction!(from_thread, m)?)?;
    m.add_function(wrap_pyfunction!(trap, m)?)?;
    m.add_function(wrap_pyfunction!(values, m)?)?;
    m.add_function(wrap_pyfunction!(abort_unwind, m)?)?;
    m.add_function(wrap_pyfunction!(abort_cleanup, m)?)?;
    m.add_function(wrap_pyfunction!(panic_any, m)?)?;
    m.add_function(wrap_pyfunction!(panic_joined, m)?)?;
    m.add_function(wrap_pyfunction!(hold_mutex, m)?)?;
    m.add_function(wrap_pyfunction!(want_mutex, m)?)?;
    m.add_function(wrap_pyfunction!(want_detached, m)?)?;
    m.add_function(wrap_pyfunction!(hold_read, m)?)?;
    m.add_function(wrap_pyfunction!(want_write, m)?)?;
    m.add_function(wrap_pyfunction!(get_once, m)?)?;
    m.add_function(wrap_pyfunction!(two_mutexes, m)?)?;
    m.add_class::<Counter>()
}
