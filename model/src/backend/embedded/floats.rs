//! Families that candle-transformers computes from safetensors files, in 32-bit floats: four bytes of memory
//! for each weight, and slower than quantised weights. It is for models that nobody has quantised yet.
//!
//! A tensor that the network does not ask for is a reason to refuse the folder, and so is a setting that
//! candle's network reads over: leaving either out would give fluent nonsense.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use candle_core::safetensors::MmapedSafetensors;
use candle_core::{DType, Device, Result as Computed, Shape, Tensor};
use candle_nn::var_builder::SimpleBackend;
use candle_nn::{Init, VarBuilder};
use candle_transformers::models::smol::smollm3;
use candle_transformers::models::{gemma2, llama, mistral, olmo2, phi3, qwen2, qwen3, starcoder2};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::folder::Folder;
use super::upstream::{Copied, Pass, Upstream};

/// Makes the network of one family out of its settings and weights.
type Make = fn(Value, VarBuilder<'static>) -> Computed<Box<dyn Pass>>;

macro_rules! network {
    ($network:ty $(, $first:expr)?) => {
        |config, weights| {
            let mut net = <$network>::new($($first,)? &settings(config)?, weights)?;
            Ok(Box::new(Copied(move |ids: &Tensor, at| {
                if at == 0 {
                    net.clear_kv_cache();
                }
                net.forward(ids, at)
            })))
        }
    };
}

/// The families, as `config.json` calls them.
const FAMILIES: [(&str, Make); 9] = [
    ("gemma2", network!(gemma2::Model, false)),
    ("llama", llama),
    ("mistral", network!(mistral::Model)),
    ("olmo2", network!(olmo2::Model)),
    ("phi3", network!(phi3::Model)),
    ("qwen2", network!(qwen2::ModelForCausalLM)),
    ("qwen3", network!(qwen3::ModelForCausalLM)),
    ("smollm3", network!(smollm3::ModelForCausalLM)),
    ("starcoder2", network!(starcoder2::Model)),
];

fn llama(config: Value, weights: VarBuilder<'static>) -> Computed<Box<dyn Pass>> {
    let config = settings::<llama::LlamaConfig>(config)?.into_config(false);
    let empty = llama::Cache::new(true, DType::F32, &config, &Device::Cpu)?;
    let (net, mut cache) = (llama::Llama::load(weights, &config)?, empty.clone());
    Ok(Box::new(Copied(move |ids: &Tensor, at| {
        if at == 0 {
            cache = empty.clone();
        }
        net.forward(ids, at, &mut cache)
    })))
}

/// The network of a folder, which will not look back on more than `context` tokens.
pub(super) fn read(folder: &Folder, context: usize) -> Result<Upstream, String> {
    let family = folder.family()?;
    let Some((name, make)) = FAMILIES.iter().find(|(name, _)| *name == family) else {
        let known = FAMILIES.map(|(name, _)| name).join(", ");
        return Err(format!(
            "models of the kind `{family}` are not computed from a folder; known are {known}"
        ));
    };
    check(folder, name)?;
    let context = self::context(folder, name)?.min(context);
    let files = Arc::new(Files { weights: folder.weights()?, asked: Mutex::default() });
    let builder =
        VarBuilder::from_backend(Box::new(Recorded(Arc::clone(&files))), DType::F32, Device::Cpu);
    let pass = make(filled(folder.config.clone(), context), builder);
    let pass = pass.map_err(|error| format!("candle cannot use it: {error}"))?;
    if let Some(other) = files.unasked(folder) {
        return Err(format!("the tensor `{other}` has no place in candle's network of `{name}`"));
    }
    Ok(Upstream::new(name, pass, context, folder.tokens()?))
}

/// Tokens back to which candle's network is right: some of them leave a sliding window out.
fn context(folder: &Folder, name: &str) -> Result<usize, String> {
    let trained = folder.count("max_position_embeddings", 1 << 24)?;
    let trained = trained.ok_or("its config.json has no `max_position_embeddings`")?;
    let slides = name != "qwen2" || folder.config.get("use_sliding_window") == Some(&Value::Bool(true));
    let window = if slides { folder.count("sliding_window", 1 << 24)? } else { None };
    Ok(window.map_or(trained, |window| trained.min(window)))
}

/// Refuses sizes that nothing has, and what candle's networks read over.
fn check(folder: &Folder, name: &str) -> Result<(), String> {
    for (key, most) in [
        ("num_hidden_layers", 1 << 10),
        ("num_attention_heads", 1 << 10),
        ("num_key_value_heads", 1 << 10),
        ("hidden_size", 1 << 16),
        ("intermediate_size", 1 << 20),
        ("head_dim", 1 << 12),
    ] {
        folder.count(key, most)?;
    }
    let says = |key: &str| folder.config.get(key).filter(|value| !value.is_null());
    let kind =
        says("rope_scaling").map(|scaling| scaling.get("rope_type").or_else(|| scaling.get("type")));
    let stretched = kind.map(|kind| kind.and_then(Value::as_str).unwrap_or("something unnamed"));
    match stretched {
        None | Some("default") => {}
        Some("llama3") if name == "llama" => {}
        Some(kind) => {
            return Err(format!("candle's network of `{name}` does not stretch positions by `{kind}`"));
        }
    }
    let activation = says("hidden_act").and_then(Value::as_str);
    match activation {
        Some(other) if name == "llama" && other != "silu" => {
            Err(format!("candle's network of `llama` knows no `{other}`"))
        }
        _ => Ok(()),
    }
}

/// The settings with what files leave out because it is usual, and without what only tokenizers need.
fn filled(mut config: Value, context: usize) -> Value {
    let Some(keys) = config.as_object_mut() else { return config };
    for key in ["bos_token_id", "eos_token_id", "pad_token_id"] {
        keys.remove(key);
    }
    for key in ["attention_bias", "tie_word_embeddings", "use_sliding_window"] {
        keys.entry(key).or_insert(Value::Bool(false));
    }
    keys.entry("max_window_layers").or_insert(0.into());
    keys.entry("hidden_act").or_insert("silu".into());
    // Within the context, where it changes nothing.
    keys.insert("sliding_window".into(), context.into());
    keys.insert("max_position_embeddings".into(), context.into());
    config
}

fn settings<T: DeserializeOwned>(config: Value) -> Computed<T> {
    serde_json::from_value(config)
        .map_err(|error| candle_core::Error::Msg(format!("its config.json: {error}")))
}

/// The weights, and which of them were asked for.
struct Files {
    weights: MmapedSafetensors,
    asked: Mutex<HashSet<String>>,
}

impl Files {
    /// A tensor that nobody asked for.
    fn unasked(&self, folder: &Folder) -> Option<String> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let tied = folder.config.get("tie_word_embeddings") == Some(&Value::Bool(true));
        // What follows from the settings, or stands twice, has been written out by some.
        let is_spare =
            |name: &str| name.ends_with("rotary_emb.inv_freq") || (tied && name == "lm_head.weight");
        let names = self.weights.tensors().into_iter().map(|(name, _)| name);
        names.filter(|name| !asked.contains(name) && !is_spare(name)).min()
    }
}

/// What candle's networks are made from.
struct Recorded(Arc<Files>);

impl SimpleBackend for Recorded {
    fn get(&self, shape: Shape, name: &str, _: Init, dtype: DType, device: &Device) -> Computed<Tensor> {
        let tensor = self.get_unchecked(name, dtype, device)?;
        if tensor.shape() != &shape {
            candle_core::bail!("the tensor `{name}` is {:?}, it should be {shape:?}", tensor.shape());
        }
        Ok(tensor)
    }

    fn get_unchecked(&self, name: &str, dtype: DType, device: &Device) -> Computed<Tensor> {
        let tensor = self.0.weights.load(name, device)?.to_dtype(dtype)?;
        self.0.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
        Ok(tensor)
    }

    fn contains_tensor(&self, name: &str) -> bool {
        self.0.weights.get(name).is_ok()
    }
}
