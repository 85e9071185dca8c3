/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* rust/: names and roles, on names seen in real builds (facts/rust.md 1). */
#include "check.h"

#include <pyo3-gdb/rust.h>

static const struct {
	const char *name;   /* as gdb gives it */
	const char *wanted; /* short */
	const char *file;
	enum p3_role role;
} rows[] = {
	{ "demo::checked", "demo::checked", "src/lib.rs", P3_ROLE_USER },
	{ "samp::boom::h0123456789abcdef", "samp::boom", NULL, P3_ROLE_USER },
	{ "samp::boom::h0123456789abcdef.llvm.12345", "samp::boom", NULL, P3_ROLE_USER },
	{ "__rustc[b7974e86]::rust_panic", "__rustc::rust_panic", NULL, P3_ROLE_PANIC },
	{ "std::panicking::rust_panic", "std::panicking::rust_panic", NULL, P3_ROLE_PANIC },
	{ "rust_panic", "rust_panic", NULL, P3_ROLE_PANIC },
	{ "std[0123456789abcdef]::panicking::panic_with_hook", "std::panicking::panic_with_hook",
	  NULL, P3_ROLE_PANIC },
	{ "core::panicking::panic_fmt", "core::panicking::panic_fmt", NULL, P3_ROLE_PANIC },
	{ "demo::panicking::report", "demo::panicking::report", NULL, P3_ROLE_USER },
	{ "demo::__pyfunction_recurse", "demo::__pyfunction_recurse", NULL, P3_ROLE_WRAPPER },
	{ "demo::Counter::__pymethod_add__", "demo::Counter::__pymethod_add__", NULL,
	  P3_ROLE_WRAPPER },
	{ "pyo3::impl_::trampoline::trampoline<pyo3::impl_::trampoline::noargs::inner::{closure_"
	  "env#0}>",
	  "pyo3::impl_::trampoline::trampoline<{closure_env#0}>", NULL, P3_ROLE_ENTRY },
	{ "demo::{impl#5}::_PYO3_DEF::trampoline", "demo::{impl#5}::_PYO3_DEF::trampoline", NULL,
	  P3_ROLE_ENTRY },
	{ "samp::<impl samp::boom::MakeDef>::_PYO3_DEF::trampoline::h0123456789abcdef",
	  "samp::<impl MakeDef>::_PYO3_DEF::trampoline", NULL, P3_ROLE_ENTRY },
	{ "pyo3::types::any::{impl#1}::call1<(usize)>",
	  "pyo3::types::any::{impl#1}::call1<(usize)>", NULL, P3_ROLE_PYO3 },
	{ "<pyo3::instance::Bound<pyo3::types::any::PyAny> as "
	  "pyo3::types::any::PyAnyMethods>::call1",
	  "<Bound as PyAnyMethods>::call1", NULL, P3_ROLE_PYO3 },
	{ "<demo::Guard as core::ops::drop::Drop>::drop", "<Guard as Drop>::drop", NULL,
	  P3_ROLE_USER },
	{ "<alloc::vec::Vec<T> as core::ops::drop::Drop>::drop", "<Vec as Drop>::drop", NULL,
	  P3_ROLE_RUNTIME },
	{ "<T as demo::Shape>::area", "<T as Shape>::area", NULL, P3_ROLE_USER },
	{ "core::iter::traits::iterator::Iterator::collect<alloc::vec::Vec<u8>, demo::x>",
	  "core::iter::traits::iterator::Iterator::collect<Vec, x>", NULL, P3_ROLE_RUNTIME },
	{ "demo::vectorcall_user", "demo::vectorcall_user", NULL, P3_ROLE_USER },
	{ "demo::f::{{closure}}::h0123456789abcdef", "demo::f::{closure}", NULL, P3_ROLE_USER },
	{ "serde::de::visit", "serde::de::visit",
	  "/root/.cargo/registry/src/i-1/serde-1.0.0/src/de.rs", P3_ROLE_DEPENDENCY },
	{ "method", "method", "/rustc/59807616e1/library/core/src/ops/function.rs",
	  P3_ROLE_RUNTIME },
	{ "trampoline", "trampoline", "/root/.cargo/registry/src/i-1/pyo3-0.30.1/src/impl_.rs",
	  P3_ROLE_PYO3 },
	{ "core::ops::function::FnOnce::call_once<fn(u8) -> u16, (u8,)>",
	  "core::ops::function::FnOnce::call_once<fn(u8) -> u16, (u8,)>", NULL, P3_ROLE_RUNTIME },
	{ "std::sync::Mutex<[u8]>::lock", "std::sync::Mutex<[u8]>::lock", NULL, P3_ROLE_RUNTIME },
	{ "<tokenizers[9213aa01bb]::tokenizer::encoding::Encoding>::truncate",
	  "<Encoding>::truncate", NULL, P3_ROLE_USER },
	{ "<rpds[12ab34cd]::Key as core[0123456789]::cmp::PartialEq>::eq", "<Key as PartialEq>::eq",
	  NULL, P3_ROLE_USER },
	{ "<pyo3[12ab34cd]::instance::Py<T>>::call_method1::<&str, "
	  "(&pyo3[12ab34cd]::instance::Py<T>,)>",
	  "<Py>::call_method1::<&str, (&Py,)>", NULL, P3_ROLE_PYO3 },
	{ "pyo3_user::run", "pyo3_user::run", NULL, P3_ROLE_USER },
	{ "<", "<>", NULL, P3_ROLE_USER },
	{ "a<b<c", "a<b>", NULL, P3_ROLE_USER },
	{ "", "", NULL, P3_ROLE_USER },
};

/* cargo runs rustc in a dependency's own folder, and names its files by it. */
static void relative_files(void)
{
	CHECK(p3_rust_role("smallvec::deallocate", "src/lib.rs",
			   "/root/.cargo/registry/src/i-1/smallvec-1.0.0") == P3_ROLE_DEPENDENCY);
	CHECK(p3_rust_role("demo::load", "src/lib.rs", "/home/me/demo") == P3_ROLE_USER);
	CHECK(p3_rust_role("demo::load", "/home/me/demo/src/lib.rs",
			   "/root/.cargo/registry/src/i-1/smallvec-1.0.0") == P3_ROLE_USER);
}

static void names_and_roles(void)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
		enum p3_role role = p3_rust_role(rows[i].name, rows[i].file, NULL);

		p3_rust_name(rows[i].name, &text);
		CHECK_STRING(p3_text_string(&text), rows[i].wanted);
		if (role != rows[i].role)
			printf("# %s: role %s\n", rows[i].name, p3_role_name(role));
		CHECK(role == rows[i].role);
	}
}

static void mangled_names(void)
{
	static const struct {
		const char *mangled, *wanted; /* NULL: not Rust */
	} names[] = {
		{ "_ZN4demo7checked17h0123456789abcdefE", "demo::checked" },
		{ "_ZN4demo7checked17h0123456789abcdefE.llvm.123", "demo::checked" },
		{ "_ZN49_$LT$demo..D$u20$as$u20$core..ops..drop..Drop$GT$4drop17h0123456789abcdefE",
		  "<D as Drop>::drop" },
		{ "_ZN4demo1f28_$u7b$$u7b$closure$u7d$$u7d$17h0123456789abcdefE",
		  "demo::f::{closure}" },
		{ "_RNvCsi9yx9cRVtuY_7___rustc10rust_panic", "__rustc::rust_panic" },
		{ "_RNvNtCs1234_7mycrate3foo3bar", "mycrate::foo::bar" },
		{ "_RNCNvCs1234_7mycrate3foo0B3_", "mycrate::foo::{closure#0}" },
		{ "_RNCNvCs1234_7mycrate3foos_0", "mycrate::foo::{closure#1}" },
		{ "_RINvNtC3std3mem8align_ofdE", "std::mem::align_of::<f64>" },
		{ "_RNvCs1234_7mycrateu8gdel_5qa", "mycrate::g\xc3\xb6"
						   "del" },
		{ "_ZN4demo7checkedEv", NULL }, /* C++ */
		{ "_R", NULL },
		{ "_RNv", NULL },
		{ "_RB0_", NULL },
		{ "_RNvB_3foo", NULL },
		{ "_ZN99demo", NULL },
		{ "main", NULL },
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
		bool rust = p3_rust_looks_like(names[i].mangled);

		p3_rust_name(names[i].mangled, &text);
		if (rust)
			CHECK_STRING(p3_text_string(&text),
				     names[i].wanted ? names[i].wanted : "(not Rust)");
		else
			CHECK(!names[i].wanted);
	}
}

static void wrapped_items(void)
{
	static const struct {
		const char *name, *wanted; /* NULL: no wrapper */
	} items[] = {
		{ "demo::__pyfunction_recurse", "demo.recurse" },
		{ "demo::_::__pyfunction_recurse", "demo.recurse" }, /* PyO3 0.20 */
		{ "demo::sub::__pyfunction_f", "demo.sub.f" },
		{ "demo::Counter::__pymethod_add__", "demo.Counter.add" },
		{ "demo::Counter::__pymethod_get_value__", "demo.Counter.value" },
		{ "demo::Counter::__pymethod___repr____", "demo.Counter.__repr__" },
		{ "demo::Counter::__pymethod___new____::h0123456789abcdef",
		  "demo.Counter.__new__" },
		{ "<polars_python[12ab34cd]::frame::PyLazyFrame>::__pymethod_collect__",
		  "polars_python.frame.PyLazyFrame.collect" },
		{ "demo::recurse", NULL },
	};
	size_t i;

	for (i = 0; i < sizeof(items) / sizeof(*items); i++) {
		struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
		bool wraps = p3_rust_wrapped(items[i].name, &text);

		CHECK(wraps == (items[i].wanted != NULL));
		if (items[i].wanted)
			CHECK_STRING(p3_text_string(&text), items[i].wanted);
	}
}

static void resumed_panics(void)
{
	CHECK(p3_rust_resumes("std::panicking::resume_unwind"));
	CHECK(p3_rust_resumes("std::panicking::rust_panic_without_hook"));
	CHECK(!p3_rust_resumes("std::panicking::panic_with_hook"));
	CHECK(!p3_rust_resumes("demo::resume_unwind"));
	CHECK(p3_rust_point("rust_panic") == P3_POINT_PANIC);
	CHECK(p3_rust_point("_RNvCsfLfy6EI15iL_7___rustc10rust_panic") == P3_POINT_PANIC);
	CHECK(p3_rust_point("std::panicking::rust_panic") == P3_POINT_PANIC);
	CHECK(p3_rust_point("_RNvNtCsgEmfK2I1SDS_4core9panicking19panic_cannot_unwind") ==
	      P3_POINT_NOUNWIND);
	CHECK(p3_rust_point("_ZN4core9panicking16panic_in_cleanup17h0123456789abcdefE") ==
	      P3_POINT_CLEANUP);
	CHECK(p3_rust_point("_ZN4pyo35panic14PanicException18from_panic_payload"
			    "17h63b582a065cad126E") == P3_POINT_CAUGHT);
	CHECK(p3_rust_point("_Unwind_RaiseException") == P3_POINT_RAISE);
	CHECK(p3_rust_point("_ZN4pyo36pycell101_$LT$impl$u20$core..convert..From$LT$pyo3..pycell.."
			    "PyBorrowError$GT$$u20$for$u20$pyo3..err..PyErr$GT$"
			    "4from17h84153b00d2b926efE") == P3_POINT_BORROW);
	CHECK(p3_rust_point(
		      "<pyo3::err::PyErr as core::convert::From<pyo3::pycell::PyBorrowMutError>>"
		      "::from") == P3_POINT_BORROW_MUT);
	CHECK(p3_rust_point("<pyo3::pycell::PyBorrowError as core::fmt::Debug>::fmt") ==
	      P3_POINT_NONE);
	CHECK(p3_rust_point("demo::rust_panic") == P3_POINT_NONE);
	CHECK(p3_rust_point("__rust_panic_cleanup") == P3_POINT_NONE);
}

static void defined(void)
{
	static const struct {
		const char *name, *path; /* NULL: it defines none */
	} items[] = {
		{ "_ZN4demo9rust_name9_PYO3_DEF17h0123456789abcdefE", "demo::rust_name" },
		{ "demo::<impl demo::inner::rust_name::MakeDef>::_PYO3_DEF::trampoline",
		  "demo::inner::rust_name" },
		{ "demo::rust_name::_PYO3_DEF::Def", NULL },
		{ "demo::rust_name", NULL },
		{ "_PYO3_DEF", NULL },
	};
	size_t i;

	for (i = 0; i < sizeof(items) / sizeof(*items); i++) {
		struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;

		CHECK(p3_rust_defined(items[i].name, &text) == (items[i].path != NULL));
		CHECK(!items[i].path || !strcmp(p3_text_string(&text), items[i].path));
	}
}

int main(void)
{
	RUN(defined);
	RUN(names_and_roles);
	RUN(relative_files);
	RUN(mangled_names);
	RUN(wrapped_items);
	RUN(resumed_panics);
	return RESULT();
}
