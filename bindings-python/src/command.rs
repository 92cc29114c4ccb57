//! The command line, for those who have only pip.

use std::ffi::OsString;

use pyo3::prelude::*;

/// Do what these arguments say. Returns the exit code.
#[pyfunction]
pub(crate) fn command(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| ocisign_cli::run(&arguments))
}
