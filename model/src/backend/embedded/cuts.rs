//! Where each family of models cuts text before it looks for tokens. The right tokens come out only with
//! the right cuts, so a family that is not known here is refused and not guessed.

use tokenizers::models::bpe::{BPE, Vocab};
use tokenizers::normalizers::unicode::NFC;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{SplitDelimiterBehavior, Tokenizer};

/// Qwen2 and those that took over its tokens.
const SINGLE_DIGITS: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
/// Llama 3, GLM-4, LFM2, and those that took over the cuts of GPT-4, as Phi-4 did.
const THREE_DIGITS: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// What tells one family from another.
struct Family {
    /// Its names in GGUF files.
    names: &'static [&'static str],
    /// Where it cuts; `None` stands for single digits and then for what GPT-2 does.
    cuts: Option<&'static str>,
    /// Whether letters that can be written in two ways are written in one.
    composes: bool,
    /// Whether a piece that is a token as a whole is taken before any merges.
    whole_first: bool,
}

const FAMILIES: [Family; 4] = [
    Family {
        names: &["qwen2", "deepseek-r1-qwen"],
        cuts: Some(SINGLE_DIGITS),
        composes: true,
        whole_first: false,
    },
    Family {
        names: &["llama-bpe", "llama3", "llama-v3", "lfm2"],
        cuts: Some(THREE_DIGITS),
        composes: false,
        whole_first: true,
    },
    Family {
        names: &["glm4", "chatglm-bpe", "dbrx"],
        cuts: Some(THREE_DIGITS),
        composes: false,
        whole_first: false,
    },
    Family { names: &["smollm"], cuts: None, composes: false, whole_first: false },
];

/// The tokenizer of the family `name`.
pub(super) fn tokenizer(name: &str, ids: Vocab, merges: &[String]) -> Result<Tokenizer, String> {
    let Some(family) = FAMILIES.iter().find(|family| family.names.contains(&name)) else {
        return Err(format!(
            "its tokenizer `{name}` is not known to the embedded engine, which does not guess"
        ));
    };
    let pair = |merge: &String| merge.split_once(' ').map(|(a, b)| (a.to_owned(), b.to_owned()));
    let merges: Option<Vec<_>> = merges.iter().map(pair).collect();
    let merges = merges.ok_or("has a merge that is no pair")?;
    let bpe = BPE::builder().vocab_and_merges(ids, merges).ignore_merges(family.whole_first).build();
    let mut tokenizer = Tokenizer::new(bpe.map_err(|e| format!("its merges cannot be used: {e}"))?);
    let cuts: Vec<PreTokenizerWrapper> = match family.cuts {
        Some(cuts) => {
            let pattern = SplitPattern::Regex(cuts.into());
            let split = Split::new(pattern, SplitDelimiterBehavior::Isolated, false);
            vec![split.map_err(|e| e.to_string())?.into(), ByteLevel::new(false, false, false).into()]
        }
        None => vec![Digits::new(true).into(), ByteLevel::new(false, false, true).into()],
    };
    tokenizer
        .with_normalizer(family.composes.then_some(NFC))
        .with_pre_tokenizer(Some(Sequence::new(cuts)));
    Ok(tokenizer)
}
