"""Writes tiny random models, one for each family, and what Hugging Face transformers computes with them.

    pip install torch transformers gguf
    python model/goldens/networks.py

Each becomes a GGUF file with the names and the order of rows that the common converter gives, and a file
of logits: 20 tokens of a prompt, those after each, and six tokens that greedy decoding adds. Weights are
rounded to 16 bits first, so both sides compute with the same numbers.
"""

import json
import pathlib

import gguf
import numpy
import torch
import transformers
from weights import randomise

HERE = pathlib.Path(__file__).parent
WIDTH, HIDDEN, LAYERS, VOCABULARY, CONTEXT = 64, 96, 2, 160, 256
COMMON = dict(
    hidden_size=WIDTH,
    intermediate_size=HIDDEN,
    num_hidden_layers=LAYERS,
    num_attention_heads=4,
    num_key_value_heads=2,
    vocab_size=VOCABULARY,
    max_position_embeddings=CONTEXT,
    rms_norm_eps=1e-5,
)
LLAMA3 = dict(
    rope_type="llama3",
    factor=8.0,
    low_freq_factor=1.0,
    high_freq_factor=4.0,
    original_max_position_embeddings=64,
    rope_theta=500.0,
)
T = transformers
CASES = {
    "qwen2": (T.Qwen2Config, T.Qwen2ForCausalLM, dict(tie_word_embeddings=True, rope_theta=1e6)),
    "qwen3": (
        T.Qwen3Config,
        T.Qwen3ForCausalLM,
        dict(tie_word_embeddings=False, head_dim=32, rope_theta=1e6),
    ),
    "llama": (T.LlamaConfig, T.LlamaForCausalLM, dict(tie_word_embeddings=True, rope_theta=1e4)),
    "llama3": (
        T.LlamaConfig,
        T.LlamaForCausalLM,
        dict(tie_word_embeddings=False, rope_theta=500.0, rope_scaling=LLAMA3),
    ),
    "phi3": (
        T.Phi3Config,
        T.Phi3ForCausalLM,
        dict(tie_word_embeddings=False, rope_theta=1e4, pad_token_id=0, sliding_window=None),
    ),
    "glm4": (
        T.Glm4Config,
        T.Glm4ForCausalLM,
        dict(tie_word_embeddings=False, head_dim=16, partial_rotary_factor=0.5, pad_token_id=0, attention_bias=True),
    ),
    "lfm2": (
        T.Lfm2Config,
        T.Lfm2ForCausalLM,
        dict(
            num_hidden_layers=3,
            layer_types=["conv", "full_attention", "conv"],
            block_auto_adjust_ff_dim=False,
            norm_eps=1e-5,
        ),
    ),
}
ARCHITECTURES = {"llama3": "llama"}


def theta(config):
    return (getattr(config, "rope_parameters", None) or {}).get("rope_theta") or config.rope_theta


def paired(weight, heads):
    """The rows of a head in the order of neighbours that turn together, as Llama files have them."""
    shape = weight.shape
    halves = weight.reshape(heads, 2, shape[0] // heads // 2, *shape[1:])
    return halves.swapaxes(1, 2).reshape(shape)


def more_keys(writer, name, config):
    """What the headers of some families say besides."""
    if name == "phi3":
        writer.add_rope_dimension_count(WIDTH // config.num_attention_heads)
    if name == "glm4":
        writer.add_rope_dimension_count(config.head_dim // 2)
    if name == "lfm2":
        writer.add_shortconv_l_cache(config.conv_L_cache)


def value(architecture, key, weight, config):
    """A tensor as the common converter writes it."""
    if architecture == "llama" and key.endswith("q_proj.weight"):
        return paired(weight, config.num_attention_heads)
    if architecture == "llama" and key.endswith("k_proj.weight"):
        return paired(weight, config.num_key_value_heads)
    if architecture == "lfm2" and key.endswith("conv.conv.weight"):
        return weight.squeeze(1)
    return weight


def write(name, config, model):
    architecture = ARCHITECTURES.get(name, name)
    layers = config.num_hidden_layers
    writer = gguf.GGUFWriter(HERE / f"{name}.gguf", architecture)
    writer.add_block_count(layers)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(config.num_attention_heads)
    key_heads = config.num_key_value_heads
    attends = [kind != "conv" for kind in getattr(config, "layer_types", None) or []]
    writer.add_head_count_kv(key_heads if all(attends) else [key_heads * here for here in attends])
    writer.add_layer_norm_rms_eps(getattr(config, "rms_norm_eps", None) or config.norm_eps)
    writer.add_rope_freq_base(theta(config))
    head = getattr(config, "head_dim", None) or WIDTH // config.num_attention_heads
    writer.add_key_length(head)
    writer.add_value_length(head)
    more_keys(writer, name, config)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH[architecture.upper()], layers)
    if name == "llama3":
        scaled = model.model.rotary_emb.inv_freq.numpy()
        plain = theta(config) ** -(numpy.arange(0, head, 2, dtype=numpy.float32) / head)
        writer.add_tensor("rope_freqs.weight", (plain / scaled).astype(numpy.float32))
    for key, weight in model.state_dict().items():
        if key == "lm_head.weight" and config.tie_word_embeddings:
            continue
        weight = value(architecture, key, weight.numpy(), config)
        weight = weight.astype(numpy.float32 if weight.ndim == 1 else numpy.float16)
        writer.add_tensor(names.get_name(key, try_suffixes=(".weight", ".bias")), weight)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main():
    for number, (name, (make_config, make_model, more)) in enumerate(CASES.items()):
        torch.manual_seed(number)
        config = make_config(**{**COMMON, **more})
        model = make_model(config).float().eval()
        randomise(model)
        model.tie_weights()
        write(name, config, model)
        ids = [(7 * i * i + 11 * i + number) % VOCABULARY for i in range(20)]
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[0]
            greedy = list(ids)
            for _ in range(6):
                greedy.append(int(model(torch.tensor([greedy])).logits[0, -1].argmax()))
        golden = {
            "ids": ids,
            "greedy": greedy[20:],
            "logits": [[round(float(x), 5) for x in row] for row in logits],
        }
        (HERE / f"{name}.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
        print(name, "spread", float(logits.std()), "greedy", greedy[20:])


main()
