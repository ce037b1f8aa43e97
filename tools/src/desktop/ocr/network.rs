//! One network out of one ONNX file, and running it. A file is read whole and no other file is read
//! through it, so that what it says cannot lead anywhere else.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rten::{Model, ModelOptions, RunOptions, ThreadPool, Value};

use super::pixels::Planes;
use crate::desktop::DesktopError;

/// Bytes of the largest file that is read.
const LARGEST: u64 = 256 << 20;

/// A network that can be run from several threads at once.
pub(super) struct Network {
    path: PathBuf,
    model: Model,
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Network").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Network {
    /// Reads the file.
    pub(super) fn open(path: &Path) -> Result<Self, DesktopError> {
        let fault = |reason: String| fault(path, &reason);
        let about = std::fs::metadata(path).map_err(|error| fault(error.to_string()))?;
        if !about.is_file() || about.len() > LARGEST {
            return Err(fault("it is no file of a network".into()));
        }
        let bytes = std::fs::read(path).map_err(|error| fault(error.to_string()))?;
        let mut options = ModelOptions::with_all_ops();
        options.prepack_weights(true);
        // A file that is no network at all may break what reads it rather than be refused by it.
        let model = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || options.load(bytes)))
            .map_err(|_| fault("it is damaged".into()))?
            .map_err(|error| fault(format!("it is no network that can be run: {error}")))?;
        Ok(Self { path: path.to_owned(), model })
    }

    /// What the file says of itself under this name.
    pub(super) fn says(&self, name: &str) -> Option<&str> {
        self.model.metadata().get(name)
    }

    /// Runs it and gives its output with `N` sides.
    pub(super) fn run<const N: usize>(
        &self,
        planes: Planes,
        threads: &Arc<ThreadPool>,
    ) -> Result<([usize; N], Vec<f32>), DesktopError> {
        let value = Value::from_shape(planes.shape(), planes.into_values());
        let value = value.map_err(|error| self.fault(&error))?;
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(threads)));
        let out = self.model.run_one(value.into(), Some(options)).map_err(|error| self.fault(&error))?;
        out.into_shape_vec::<f32, N>().map_err(|error| self.fault(&error))
    }

    /// Its output is not what it should be.
    pub(super) fn fault(&self, reason: &impl ToString) -> DesktopError {
        fault(&self.path, &reason.to_string())
    }
}

fn fault(path: &Path, reason: &str) -> DesktopError {
    DesktopError::failed(
        "reading the text on the screen",
        format!("`{}`: {reason}; run `{}` to fetch it again", path.display(), super::PULL),
    )
}
