"""Writes a tiny vocabulary with a chat template for each family, and the ids that Hugging Face transformers
gives for conversations by `apply_chat_template`.

    pip install transformers gguf tokenizers
    python model/goldens/chats.py

The families' own vocabularies are only to be had from a model hub. What differs between families is where
text is cut, how merges are used and how the template is written, and that is the same here: the cuts are
those of the published tokenizers, the merges are learned from the conversations and this script, and each
template is written for this test with what the template of the family does.
"""

import json
import pathlib

import gguf
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

HERE = pathlib.Path(__file__).parent
CUTS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}%s| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CHATML = """{%- for message in messages %}
    {%- if loop.first and message.role != 'system' %}
        {{- '<|im_start|>system\\nBe of use.<|im_end|>\\n' }}
    {%- endif %}
    {{- '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""
QWEN3 = """{%- set ns = namespace(last=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if message.role == "user" and ns.last == messages|length - 1 %}{% set ns.last = index %}{% endif %}
{%- endfor %}
{%- for message in messages %}
    {%- set content = message.content %}
    {%- if message.role == "assistant" and '</think>' in content %}
        {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
    {%- endif %}
    {{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
{%- endif %}
"""
LLAMA3 = """{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"""
R1 = """{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}{% set ns = namespace(system='') %}{%- for message in messages %}{%- if message['role'] == 'system' %}{% set ns.system = message['content'] %}{%- endif %}{%- endfor %}{{bos_token}}{{ns.system}}{%- for message in messages %}{%- if message['role'] == 'user' %}{{'<｜User｜>' + message['content']}}{%- endif %}{%- if message['role'] == 'assistant' %}{% set content = message['content'] %}{% if '</think>' in content %}{% set content = content.split('</think>')[-1] %}{% endif %}{{'<｜Assistant｜>' + content + '<｜end▁of▁sentence｜>'}}{%- endif %}{%- endfor %}{% if add_generation_prompt %}{{'<｜Assistant｜><think>\\n'}}{% endif %}"""

IM = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
THINK = ["<think>", "</think>"]
R1_NAMES = ["<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>"]
LLAMA_NAMES = ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
# Name in GGUF, cuts, composed letters, whole pieces first, template, steering tokens, named tokens, bos, eos.
FAMILIES = {
    "qwen2": ("qwen2", CUTS % "", True, False, CHATML, IM, [], IM[0], IM[2]),
    "qwen3": ("qwen2", CUTS % "", True, False, QWEN3, IM, THINK, IM[0], IM[2]),
    "smollm2": ("smollm", None, False, False, CHATML, IM, [], IM[1], IM[2]),
    "llama3": ("llama-bpe", CUTS % "{1,3}", False, True, LLAMA3, LLAMA_NAMES, [], LLAMA_NAMES[0], LLAMA_NAMES[4]),
    "r1-qwen": ("deepseek-r1-qwen", CUTS % "", True, False, R1, R1_NAMES, THINK, R1_NAMES[0], R1_NAMES[1]),
    "r1-llama": ("llama-bpe", CUTS % "{1,3}", False, True, R1, R1_NAMES, THINK, R1_NAMES[0], R1_NAMES[1]),
}
CONVERSATIONS = [
    [("user", "What is 1024 + 77?")],
    [("system", "Be brief. "), ("user", " Don't SHOUT, I'LL go.\r\n\n  Row 17:\tnaïve 東京 😀 cafe\u0301 ")],
    [
        ("system", "Rules:\n- one\n- two"),
        ("user", "fn main() {\n    println!(\"{}\", 12345678);\n}\n\n\n"),
        ("assistant", "<think>\nWell.\n</think>\n\nIt prints 12345678."),
        ("user", "   \n And   then?  "),
    ],
    [("user", "a  b   c\t\td 3.14159 x²½ Ⅷ ٣٤٥ we're 'S")],
]


def tokenizer(family):
    _, cuts, composes, whole_first, _, steering, named, _, _ = family
    tokens = Tokenizer(models.BPE(ignore_merges=whole_first))
    if composes:
        tokens.normalizer = normalizers.NFC()
    if cuts is None:
        parts = [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    else:
        parts = [
            pre_tokenizers.Split(Regex(cuts), behavior="isolated", invert=False),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    tokens.pre_tokenizer = pre_tokenizers.Sequence(parts)
    tokens.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=520,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    texts = [text for conversation in CONVERSATIONS for _, text in conversation]
    tokens.train_from_iterator(texts * 3 + [pathlib.Path(__file__).read_text()], trainer)
    tokens.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in steering])
    tokens.add_tokens([AddedToken(name, special=False, normalized=False) for name in named])
    return tokens


def write(name, family, tokens):
    pre, _, _, _, template, steering, named, bos, eos = family
    merges = json.loads(tokens.to_str())["model"]["merges"]
    names = sorted(tokens.get_vocab(with_added_tokens=True).items(), key=lambda item: item[1])
    writer = gguf.GGUFWriter(HERE / f"chat-{name}.gguf", "llama")
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list([token for token, _ in names])
    kinds = [3 if token in steering else 4 if token in named else 1 for token, _ in names]
    writer.add_token_types(kinds)
    writer.add_token_merges([" ".join(pair) if isinstance(pair, list) else pair for pair in merges])
    writer.add_bos_token_id(tokens.token_to_id(bos))
    writer.add_eos_token_id(tokens.token_to_id(eos))
    writer.add_chat_template(template)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main():
    goldens = {}
    for name, family in FAMILIES.items():
        tokens = tokenizer(family)
        write(name, family, tokens)
        chat = PreTrainedTokenizerFast(tokenizer_object=tokens, bos_token=family[7], eos_token=family[8])
        chat.chat_template = family[4]
        cases = []
        for conversation in CONVERSATIONS:
            messages = [{"role": role, "content": text} for role, text in conversation]
            ids = chat.apply_chat_template(messages, add_generation_prompt=True, enable_thinking=False)
            ids = ids["input_ids"] if not isinstance(ids, list) else ids
            cases.append({"turns": [{"speaker": r, "text": t} for r, t in conversation], "ids": ids})
        goldens[name] = cases
        print(name, [len(case["ids"]) for case in cases])
    (HERE / "chats.json").write_text(json.dumps(goldens, ensure_ascii=False, separators=(",", ":")) + "\n")


main()
