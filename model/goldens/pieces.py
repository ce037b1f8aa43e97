"""Writes a tiny vocabulary of SentencePiece with the chat template of its family, and the ids that SentencePiece
itself gives for texts.

    pip install sentencepiece gguf
    python model/goldens/pieces.py

It is trained on this script and the one beside it, in the way of Llama 2: pairs are joined, digits stand alone, and
what is in no piece is spelt in bytes.
"""

import json
import pathlib
import tempfile

import gguf
import sentencepiece

HERE = pathlib.Path(__file__).parent
TEMPLATE = (
    "{% if messages[0]['role'] == 'system' %}{% set rules = '<<SYS>>\\n' + messages[0]['content'] + '\\n<</SYS>>\\n\\n' %}"
    "{% set messages = messages[1:] %}{% else %}{% set rules = '' %}{% endif %}{% for message in messages %}"
    "{% set content = rules + message['content'] if loop.first else message['content'] %}"
    "{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}"
    "{% else %}{{ ' ' + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}"
)
TEXTS = [
    "What is 1024 + 77?",
    "def main(): return [tokenizer(name) for name in FAMILIES]",
    " Don't SHOUT, I'LL go.\r\n\n  Row 17:\tnaïve 東京 😀 cafe\u0301 ",
    "a  b   c\t\td 3.14159 x²½ Ⅷ ٣٤٥",
    "   ",
    "x",
    "the tokens of the texts that the trainer has not seen, thethethe",
    "import json\nimport pathlib\n\n\nHERE = pathlib.Path(__file__)",
    "ﬁ Å ① ｶﾞ",
    "<s> </s> <unk> <0x0A>",
]


def kind(tokens, id):
    """The type of a piece, as GGUF files tell it."""
    if tokens.is_unknown(id):
        return 2
    return 3 if tokens.is_control(id) else 6 if tokens.is_byte(id) else 1


def main():
    with tempfile.TemporaryDirectory() as folder:
        sentencepiece.SentencePieceTrainer.train(
            input=[str(HERE / "chats.py"), str(HERE / "pieces.py")], model_prefix=f"{folder}/m", model_type="bpe",
            vocab_size=700, byte_fallback=True, split_digits=True, normalization_rule_name="identity",
            remove_extra_whitespaces=False, allow_whitespace_only_pieces=True, character_coverage=0.99,
            minloglevel=2,
        )
        tokens = sentencepiece.SentencePieceProcessor(model_file=f"{folder}/m.model")
    writer = gguf.GGUFWriter(HERE / "chat-llama2.gguf", "llama")
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    ids = range(tokens.get_piece_size())
    writer.add_token_list([tokens.id_to_piece(id) for id in ids])
    writer.add_token_scores([tokens.get_score(id) for id in ids])
    writer.add_token_types([kind(tokens, id) for id in ids])
    writer.add_bos_token_id(tokens.bos_id())
    writer.add_eos_token_id(tokens.eos_id())
    writer.add_unk_token_id(tokens.unk_id())
    writer.add_add_space_prefix(True)
    writer.add_chat_template(TEMPLATE)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    goldens = [(text, tokens.encode(text)) for text in TEXTS]
    (HERE / "pieces.json").write_text(json.dumps(goldens, ensure_ascii=False, separators=(",", ":")) + "\n")
    print([len(ids) for _, ids in goldens])


main()
