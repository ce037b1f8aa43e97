"""Writes tiny random models as folders, the way models are published, and what Hugging Face transformers
computes with them.

    pip install torch transformers tokenizers
    python model/goldens/folders.py

One for each family that is computed from a folder, with the logits of 20 tokens and six that greedy decoding adds;
two of them also with a tokenizer and a chat template, one that spells in bytes and one in letters, with what
`apply_chat_template` makes of conversations. Weights are rounded to 16 bits first, so both sides compute with
the same numbers.
"""

import copy
import json
import pathlib
import shutil

import torch
import transformers as T
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from weights import randomise

HERE = pathlib.Path(__file__).parent / "folders"
VOCABULARY, CONTEXT = 160, 256
COMMON = dict(
    hidden_size=32,
    intermediate_size=48,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    vocab_size=VOCABULARY,
    max_position_embeddings=CONTEXT,
    pad_token_id=0,
)
STRETCHED = dict(
    rope_type="llama3",
    factor=8.0,
    low_freq_factor=1.0,
    high_freq_factor=4.0,
    original_max_position_embeddings=64,
    rope_theta=500.0,
)
CASES = {
    "gemma2": (T.Gemma2Config, T.Gemma2ForCausalLM, dict(head_dim=8, query_pre_attn_scalar=8, sliding_window=64)),
    "llama": (T.LlamaConfig, T.LlamaForCausalLM, dict(rope_theta=500.0, rope_scaling=STRETCHED)),
    "mistral": (T.MistralConfig, T.MistralForCausalLM, dict(head_dim=8, sliding_window=None)),
    "olmo2": (T.Olmo2Config, T.Olmo2ForCausalLM, dict()),
    "phi3": (T.Phi3Config, T.Phi3ForCausalLM, dict(sliding_window=None)),
    "qwen2": (T.Qwen2Config, T.Qwen2ForCausalLM, dict(tie_word_embeddings=True, rope_theta=1e6)),
    "qwen3": (T.Qwen3Config, T.Qwen3ForCausalLM, dict(head_dim=16)),
    "smollm3": (T.SmolLM3Config, T.SmolLM3ForCausalLM, dict(no_rope_layers=[1, 0])),
    "starcoder2": (T.Starcoder2Config, T.Starcoder2ForCausalLM, dict(sliding_window=None)),
}
CHATML = """{%- for message in messages %}
    {{- '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""
INST = """{{- bos_token }}{%- for message in messages %}
    {%- if message['role'] == 'user' %}{{- '[INST] ' + message['content'] + ' [/INST]' }}
    {%- elif message['role'] == 'system' %}{{- raise_exception('no rules') }}
    {%- else %}{{- ' ' + message['content'] + eos_token }}{%- endif %}
{%- endfor %}"""
CONVERSATIONS = [
    [("user", "What is 1024 + 77?")],
    [("user", " Don't SHOUT.\r\n\n  Row 17:\tnaïve 東京 😀 <|im_end|> "), ("assistant", "No."), ("user", "   \n And   then?  ")],
]


def made(kind, number, more):
    make_config, make_model, own = CASES[kind]
    torch.manual_seed(number)
    config = make_config(**{**COMMON, **own, **more})
    model = make_model(config).float().eval()
    randomise(model)
    model.tie_weights()
    return model


def save(model, folder):
    shutil.rmtree(folder, ignore_errors=True)
    # A copy: the turns of positions would be rounded, too.
    copy.deepcopy(model).half().save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)


def greedy(model, ids, count):
    ids = list(ids)
    with torch.no_grad():
        for _ in range(count):
            ids.append(int(model(torch.tensor([ids])).logits[0, -1].argmax()))
    return ids[-count:]


def network(kind, number):
    model = made(kind, number, {})
    save(model, HERE / kind)
    ids = [(7 * i * i + 11 * i + number) % VOCABULARY for i in range(20)]
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0]
    golden = {
        "ids": ids,
        "greedy": greedy(model, ids, 6),
        "logits": [[round(float(x), 5) for x in row] for row in logits],
    }
    (HERE / kind / "golden.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
    print(kind, "spread", float(logits.std()), "greedy", golden["greedy"])


def learned(tokens, alphabet):
    trainer = trainers.BpeTrainer(vocab_size=420, initial_alphabet=alphabet, show_progress=False)
    texts = [text for conversation in CONVERSATIONS for _, text in conversation]
    tokens.train_from_iterator(texts * 3 + [pathlib.Path(__file__).read_text()], trainer)


def in_bytes():
    tokens = Tokenizer(models.BPE())
    tokens.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokens.decoder = decoders.ByteLevel()
    learned(tokens, sorted(pre_tokenizers.ByteLevel.alphabet()))
    tokens.add_special_tokens([AddedToken(n, special=True, normalized=False) for n in ["<|im_start|>", "<|im_end|>"]])
    return tokens, "<|im_start|>", "<|im_end|>", CHATML


def in_letters():
    """As Llama 2 and Mistral have it: a space before each text, bytes for what has no letter."""
    tokens = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True, unk_token="<unk>"))
    tokens.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokens.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    learned(tokens, [])
    # The bytes and the named tokens come first, as they do there.
    state = json.loads(tokens.to_str())
    first = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    learnt = sorted(state["model"]["vocab"], key=state["model"]["vocab"].get)
    state["model"]["vocab"] = {name: id for id, name in enumerate(first + [n for n in learnt if n not in first])}
    tokens = Tokenizer.from_str(json.dumps(state))
    tokens.add_special_tokens([AddedToken(n, special=True, normalized=False) for n in first[:3]])
    return tokens, "<s>", "</s>", INST


def chat(name, kind, number, tokenizer):
    tokens, bos, eos, template = tokenizer
    size = tokens.get_vocab_size(with_added_tokens=True)
    model = made(kind, number, dict(vocab_size=size + 4, eos_token_id=tokens.token_to_id(eos), bos_token_id=None))
    save(model, HERE / name)
    fast = T.PreTrainedTokenizerFast(tokenizer_object=tokens, bos_token=bos, eos_token=eos)
    fast.chat_template = template
    fast.save_pretrained(HERE / name)
    cases = []
    for conversation in CONVERSATIONS:
        messages = [{"role": role, "content": text.replace("<|im_end|>", "")} for role, text in conversation]
        ids = fast.apply_chat_template(messages, add_generation_prompt=True)
        ids = ids["input_ids"] if not isinstance(ids, list) else ids
        turns = [{"speaker": m["role"], "text": m["content"]} for m in messages]
        cases.append({"turns": turns, "ids": ids, "greedy": greedy(model, ids, 8)})
    (HERE / name / "golden.json").write_text(json.dumps(cases, ensure_ascii=False, separators=(",", ":")) + "\n")
    print(name, size, [(len(case["ids"]), case["greedy"]) for case in cases])


def main():
    for number, kind in enumerate(CASES):
        network(kind, number)
    chat("chat-bytes", "qwen2", 20, in_bytes())
    chat("chat-letters", "mistral", 21, in_letters())


main()
