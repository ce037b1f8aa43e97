//! One network out of one ONNX file, and running it: by turns what is left of it, and the layers that
//! were taken out. A file is read whole and no other file is read through it, so that what it says cannot lead
//! anywhere else.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rten::{Model, ModelOptions, NodeId, RunOptions, ThreadPool, Value, ValueOrView};
use rten_tensor::NdTensorView;
use rten_tensor::prelude::*;

use super::classifier::Classifier;
use super::layer::Layer;
use super::onnx::{self, Cut, Stage};
use super::pixels::Planes;
use crate::desktop::DesktopError;

/// Bytes of the largest file that is read.
const LARGEST: u64 = 256 << 20;

/// Why a file is of no use.
const UNFIT: &str = "its parts do not fit together";

/// A network that can be run from several threads at once.
pub(super) struct Network {
    path: PathBuf,
    model: Model,
    steps: Vec<Step>,
    classifier: Option<Classifier>,
}

/// What comes before the end.
struct Step {
    /// What the model gives that is not there yet.
    gives: Vec<NodeId>,
    /// What it needs for the last time.
    last: Vec<NodeId>,
    /// What the layer takes, and whether nothing else needs it.
    from: (NodeId, bool),
    layer: Layer,
    to: NodeId,
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
        let cut = onnx::cut(&bytes).unwrap_or_else(|| Cut::none(bytes));
        let mut options = ModelOptions::with_all_ops();
        options.prepack_weights(true);
        // A file that is no network at all may break what reads it rather than be refused by it.
        let model =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || options.load(cut.file)))
                .map_err(|_| fault("it is damaged".into()))?
                .map_err(|error| fault(format!("it is no network that can be run: {error}")))?;
        let steps = steps(&model, cut.stages).ok_or_else(|| fault(UNFIT.into()))?;
        Ok(Self { path: path.to_owned(), model, steps, classifier: cut.classifier })
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
        self.through(value.map_err(|error| self.fault(&error))?, threads)
    }

    fn through<const N: usize>(
        &self,
        value: Value,
        threads: &Arc<ThreadPool>,
    ) -> Result<([usize; N], Vec<f32>), DesktopError> {
        let ends = (self.model.input_ids().first().copied(), self.model.output_ids().first().copied());
        let (Some(first), Some(last)) = ends else {
            return Err(self.fault(&"it takes or gives nothing"));
        };
        let mut there = vec![(first, value)];
        for step in &self.steps {
            let given = self.part(&mut there, &step.last, &step.gives, threads)?;
            there.extend(step.gives.iter().copied().zip(given));
            let at = there.iter().position(|(id, _)| *id == step.from.0);
            let at = at.ok_or_else(|| self.fault(&UNFIT))?;
            let taken = there.get(at).map(|(_, value)| NdTensorView::<f32, 4>::try_from(value));
            let taken = taken.ok_or_else(|| self.fault(&UNFIT))?.map_err(|error| self.fault(&error))?;
            let done = threads.run(|| step.layer.apply(&taken.to_slice(), taken.shape()));
            let (size, values) = done.ok_or_else(|| self.fault(&UNFIT))?;
            if step.from.1 {
                there.swap_remove(at);
            }
            let value = Value::from_shape(size, values).map_err(|error| self.fault(&error))?;
            there.push((step.to, value));
        }
        let all: Vec<NodeId> = there.iter().map(|(id, _)| *id).collect();
        let out = self.part(&mut there, &all, &[last], threads)?.pop();
        let out = out.ok_or_else(|| self.fault(&"it gives nothing"))?;
        out.into_shape_vec::<f32, N>().map_err(|error| self.fault(&error))
    }

    /// Runs it and gives for each picture the likeliest class of each step, with its likelihood; how many
    /// classes there are must be known.
    pub(super) fn likeliest(
        &self,
        planes: Planes,
        classes: usize,
        threads: &Arc<ThreadPool>,
    ) -> Result<Vec<Vec<(usize, f32)>>, DesktopError> {
        let layer = self.classifier.as_ref().filter(|layer| layer.classes() == classes);
        let layer = layer.ok_or_else(|| self.fault(&"what it gives does not fit to its characters"))?;
        let ([_, steps, _], values) = self.run::<3>(planes, threads)?;
        let likeliest = threads.run(|| layer.likeliest(&values)).ok_or_else(|| self.fault(&UNFIT))?;
        Ok(likeliest.chunks(steps.max(1)).map(<[_]>::to_vec).collect())
    }

    /// Runs what leads from the values that are `there` to others; those that are used for the `last` time go.
    fn part(
        &self,
        there: &mut Vec<(NodeId, Value)>,
        last: &[NodeId],
        gives: &[NodeId],
        threads: &Arc<ThreadPool>,
    ) -> Result<Vec<Value>, DesktopError> {
        let (spent, kept): (Vec<_>, Vec<_>) =
            std::mem::take(there).into_iter().partition(|(id, _)| last.contains(id));
        let mut inputs: Vec<(NodeId, ValueOrView<'_>)> =
            spent.into_iter().map(|(id, value)| (id, value.into())).collect();
        inputs.extend(kept.iter().map(|(id, value)| (*id, value.as_view().into())));
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(threads)));
        let made = self.model.run(inputs, gives, Some(options)).map_err(|error| self.fault(&error))?;
        *there = kept;
        Ok(made)
    }

    /// Its output is not what it should be.
    pub(super) fn fault(&self, reason: &impl ToString) -> DesktopError {
        fault(&self.path, &reason.to_string())
    }
}

/// The stages by the numbers that the model has for their values; `None` if it has them not.
fn steps(model: &Model, stages: Vec<Stage>) -> Option<Vec<Step>> {
    let mut there: Vec<NodeId> = model.input_ids().first().copied().into_iter().collect();
    let step = |stage: Stage| {
        let (from, to) = (model.find_node(&stage.from)?, model.find_node(&stage.to)?);
        let kept: Option<Vec<NodeId>> = stage.kept.iter().map(|name| model.find_node(name)).collect();
        let kept = kept?;
        let alone = !kept.contains(&from);
        let needed = kept.iter().copied().chain(alone.then_some(from));
        let gives = needed.filter(|id| !there.contains(id)).collect();
        let last = there.iter().filter(|id| !kept.contains(id) && **id != from).copied().collect();
        there = kept;
        there.push(to);
        Some(Step { gives, last, from: (from, alone), layer: stage.layer, to })
    };
    stages.into_iter().map(step).collect()
}

fn fault(path: &Path, reason: &str) -> DesktopError {
    DesktopError::failed(
        "reading the text on the screen",
        format!("`{}`: {reason}; run `{}` to fetch it again", path.display(), super::PULL),
    )
}

#[cfg(test)]
mod tests;
