//! A request, as Python gives it.

use std::time::{Duration, UNIX_EPOCH};

use ocisign::{Body, DateHeader, Request, UnixTime};
use pyo3::PyTypeCheck;
use pyo3::exceptions::{PyOverflowError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyMemoryView, PyString};

use crate::error::wrong_type;

/// A request whose parts stay where Python has them, also while other threads run.
pub(crate) struct Given {
    method: PyBackedStr,
    url: PyBackedStr,
    headers: Vec<(PyBackedStr, PyBackedStr)>,
    body: Content,
    date_header: DateHeader,
}

enum Content {
    Bytes(PyBackedBytes),
    Digest { sha256: [u8; 32], length: u64 },
    Empty,
    Unsigned,
}

impl Given {
    pub(crate) fn read(
        method: &Bound<'_, PyAny>,
        url: &Bound<'_, PyAny>,
        headers: Option<&Bound<'_, PyAny>>,
        body: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        Ok(Self {
            method: text("method", method)?,
            url: text("url", url)?,
            headers: headers.map_or(Ok(Vec::new()), pairs)?,
            body: body.map_or(Ok(Content::Empty), content)?,
            date_header: DateHeader::Date,
        })
    }

    /// With the date under the name that `date_header` says.
    pub(crate) fn dated(mut self, date_header: &str) -> PyResult<Self> {
        self.date_header = match date_header {
            "date" => DateHeader::Date,
            "x-date" => DateHeader::XDate,
            _ => return Err(PyValueError::new_err("date_header: expected 'date' or 'x-date'")),
        };
        Ok(self)
    }

    pub(crate) fn with<T>(&self, take: impl FnOnce(&Request<'_>) -> T) -> T {
        let headers: Vec<(&str, &str)> =
            self.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        let body = match &self.body {
            Content::Bytes(bytes) => Body::Bytes(bytes),
            Content::Digest { sha256, length } => Body::Digest { sha256: *sha256, length: *length },
            Content::Empty => Body::Empty,
            Content::Unsigned => Body::Unsigned,
        };
        let request = Request::new(&self.method, &self.url).headers(&headers).body(body);
        take(&request.date_header(self.date_header))
    }
}

/// The argument of this name, which has to be text.
pub(crate) fn text(name: &str, value: &Bound<'_, PyAny>) -> PyResult<PyBackedStr> {
    let string = value.cast::<PyString>().map_err(|_| wrong_type(name, "str", value))?;
    // Python's own error would carry the text, which may be a key.
    PyBackedStr::try_from(string.clone())
        .map_err(|_| PyValueError::new_err(format!("{name}: a lone surrogate is no text")))
}

/// The argument of this name, which has to be such an object.
pub(crate) fn object<'a, 'py, T: PyTypeCheck>(
    name: &str,
    expected: &str,
    value: &'a Bound<'py, PyAny>,
) -> PyResult<&'a Bound<'py, T>> {
    value.cast::<T>().map_err(|_| wrong_type(name, expected, value))
}

/// A mapping, or an iterable of pairs.
pub(crate) fn pairs(headers: &Bound<'_, PyAny>) -> PyResult<Vec<(PyBackedStr, PyBackedStr)>> {
    if let Ok(dict) = headers.cast_exact::<PyDict>() {
        return dict.iter().map(|(name, value)| pair(&name, &value)).collect();
    }
    let items = match headers.getattr("items") {
        Ok(items) => items.call0()?,
        Err(_) => headers.clone(),
    };
    let expected = "a mapping or pairs of str";
    items
        .try_iter()
        .map_err(|_| wrong_type("headers", expected, headers))?
        .map(|item| {
            let item = item?;
            let (name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) =
                item.extract().map_err(|_| wrong_type("headers", expected, &item))?;
            pair(&name, &value)
        })
        .collect()
}

fn pair(name: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<(PyBackedStr, PyBackedStr)> {
    Ok((text("headers", name)?, text("headers", value)?))
}

fn content(body: &Bound<'_, PyAny>) -> PyResult<Content> {
    if let Ok(bytes) = body.cast::<PyBytes>() {
        return Ok(Content::Bytes(bytes.clone().into()));
    }
    if let Ok(digest) = body.cast::<Digest>() {
        let Digest { sha256, length } = *digest.get();
        return Ok(Content::Digest { sha256, length });
    }
    if let Ok(bytes) = body.cast::<PyByteArray>() {
        return Ok(Content::Bytes(bytes.clone().into()));
    }
    if body.is_instance_of::<PyMemoryView>() {
        let bytes = body.call_method0("tobytes")?.cast_into::<PyBytes>()?;
        return Ok(Content::Bytes(bytes.into()));
    }
    let unsigned = body.py().import("ocisign._types")?.getattr("UNSIGNED")?;
    if body.is(&unsigned) {
        return Ok(Content::Unsigned);
    }
    Err(wrong_type("body", "bytes, a Digest or UNSIGNED", body))
}

/// A body that was hashed elsewhere, such as a stream.
#[pyclass(frozen, module = "ocisign")]
pub(crate) struct Digest {
    sha256: [u8; 32],
    length: u64,
}

#[pymethods]
impl Digest {
    #[new]
    fn new(sha256: &Bound<'_, PyAny>, length: u64) -> PyResult<Self> {
        let bytes = sha256.cast::<PyBytes>().map_err(|_| wrong_type("sha256", "bytes", sha256))?;
        let sha256 = bytes.as_bytes().try_into();
        let sha256 = sha256.map_err(|_| PyValueError::new_err("sha256: expected 32 bytes"))?;
        Ok(Self { sha256, length })
    }

    fn __repr__(&self) -> String {
        format!("Digest({} bytes)", self.length)
    }
}

/// The time given, else the machine's.
pub(crate) fn time(now: Option<&Bound<'_, PyAny>>) -> PyResult<UnixTime> {
    let Some(now) = now else {
        return Ok(UNIX_EPOCH.elapsed().map_or(0, |time| time.as_secs()));
    };
    // Also what `time.time()` gives.
    if let Ok(seconds) = now.extract::<UnixTime>() {
        return Ok(seconds);
    }
    let float = now.extract::<f64>().map_err(|_| wrong_type("now", "seconds since 1970", now))?;
    let seconds = Duration::try_from_secs_f64(float);
    seconds
        .map(|time| time.as_secs())
        .map_err(|_| PyOverflowError::new_err("now: expected seconds since 1970"))
}
