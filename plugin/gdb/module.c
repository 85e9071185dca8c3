/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The extension module that pyo3.gdb imports: defines the commands, starts the printers. */
#include "gdb.h"

static struct PyModuleDef definition = {
	PyModuleDef_HEAD_INIT,
	.m_name = "pyo3_gdb",
	.m_doc = "pyo3-gdb: one stack of Rust and Python frames. See `help pyo3-bt`.",
	.m_size = -1,
};

PyMODINIT_FUNC PyInit_pyo3_gdb(void); /* declared by no header */

PyMODINIT_FUNC PyInit_pyo3_gdb(void)
{
	PyObject *module = PyModule_Create(&definition);

	if (!module || !p3_gdb()) /* not within gdb: ImportError */
		return NULL;
	if (PyModule_AddStringConstant(module, "__version__", PACKAGE_VERSION) < 0 ||
	    !p3_gdb_start_printers() || !p3_gdb_start_objects() || !p3_gdb_define_parameters() ||
	    !p3_gdb_define_functions() || !p3_gdb_define_commands()) {
		Py_DECREF(module);
		return NULL;
	}
	return module;
}
