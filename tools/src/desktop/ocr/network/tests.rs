//! What is taken out of a file of a network, and what is left of it gives.

use super::*;
use crate::desktop::ocr::machine::Level;
use crate::desktop::ocr::protobuf::add;

fn message(parts: &[(u64, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (number, content) in parts {
        add(&mut out, *number, content);
    }
    out
}

fn node(does: &str, inputs: &[&str], output: &str, attributes: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = message(&[(4, does.as_bytes()), (2, output.as_bytes())]);
    for input in inputs {
        add(&mut out, 1, input.as_bytes());
    }
    for (name, numbers) in attributes {
        // Kind 7 is a list of numbers, kind 2 is one.
        let mut attribute = message(&[(1, name.as_bytes())]);
        match (*name, *numbers) {
            ("group" | "axis" | "ceil_mode", [one]) => {
                attribute.extend([3 << 3, *one, 20 << 3 | 0x80, 1, 2]);
            }
            ("auto_pad", word) => add(&mut attribute, 4, word),
            (_, many) => {
                attribute.extend(many.iter().flat_map(|number| [8 << 3, *number]));
                attribute.extend([20 << 3 | 0x80, 1, 7]);
            }
        }
        add(&mut out, 5, &attribute);
    }
    out
}

fn tensor(name: &str, sides: &[u8]) -> Vec<u8> {
    let count: usize = sides.iter().map(|side| usize::from(*side)).product();
    let values = (0..count).map(|at| u8::try_from(at * 37 % 101).map(f32::from).unwrap() / 40.0 - 1.2);
    let raw: Vec<u8> = values.flat_map(f32::to_le_bytes).collect();
    let mut out = message(&[(8, name.as_bytes()), (9, &raw)]);
    for side in sides {
        out.extend([1 << 3, *side]);
    }
    out.extend([2 << 3, 1]);
    out
}

const CONV: &[(&str, &[u8])] =
    &[("group", &[2]), ("pads", &[1, 1, 1, 1]), ("strides", &[1, 1]), ("kernel_shape", &[3, 3])];

/// Two convolutions, with a value that is needed behind both of them, and a layer that tells seven classes.
fn nodes() -> Vec<Vec<u8>> {
    vec![
        node("Relu", &["x"], "r", &[]),
        node("Conv", &["r", "w"], "c", CONV),
        node("Add", &["c", "b"], "s", &[]),
        node("Identity", &["s"], "i", &[]),
        node("Sigmoid", &["i"], "g", &[]),
        node("Conv", &["g", "v"], "d", CONV),
        node("Add", &["r", "d"], "m", &[]),
        node("Squeeze", &["m"], "q", &[("axes", &[0])]),
        node("MatMul", &["q", "l"], "p", &[]),
        node("Add", &["p", "k"], "n", &[]),
        node("Identity", &["n"], "o", &[]),
        node("Softmax", &["o"], "y", &[("axis", &[2])]),
    ]
}

const TENSORS: [(&str, &[u8]); 5] =
    [("w", &[2, 1, 3, 3]), ("b", &[1, 2, 1, 1]), ("v", &[2, 1, 3, 3]), ("l", &[6, 7]), ("k", &[7])];

fn written(nodes: &[Vec<u8>], tensors: &[(&str, &[u8])], inputs: &[&str]) -> Vec<u8> {
    let mut graph = Vec::new();
    for node in nodes {
        add(&mut graph, 1, node);
    }
    for (name, sides) in tensors {
        add(&mut graph, 5, &tensor(name, sides));
    }
    for input in inputs {
        add(&mut graph, 11, &message(&[(1, input.as_bytes())]));
    }
    add(&mut graph, 12, &message(&[(1, b"y")]));
    // Version 7 of the format, version 11 of the operations.
    let mut file = vec![1 << 3, 7];
    file.extend(message(&[(7, &graph), (8, &[2 << 3, 11])]));
    file
}

fn file() -> Vec<u8> {
    written(&nodes(), &TENSORS, &["x"])
}

/// What is taken out of the file with other nodes in these places: what each convolution gives and what is kept
/// for later, and whether the last layer is taken.
fn taken(others: &[(usize, Vec<u8>)]) -> (Vec<(String, Vec<String>)>, bool) {
    let mut nodes = nodes();
    for (at, node) in others {
        nodes[*at].clone_from(node);
    }
    parts(&written(&nodes, &TENSORS, &["x"]))
}

fn parts(file: &[u8]) -> (Vec<(String, Vec<String>)>, bool) {
    let cut = onnx::cut(file).unwrap();
    let stages = cut.stages.into_iter().map(|stage| {
        let mut kept: Vec<String> = stage.kept.into_iter().collect();
        kept.sort();
        (stage.to, kept)
    });
    (stages.collect(), cut.classifier.is_some())
}

fn stages(all: &[(&str, &[&str])]) -> Vec<(String, Vec<String>)> {
    let names = |kept: &[&str]| kept.iter().map(ToString::to_string).collect();
    all.iter().map(|(to, kept)| ((*to).to_owned(), names(kept))).collect()
}

#[test]
fn only_what_is_surely_a_convolution_of_a_known_kind_is_taken_out() {
    let both = stages(&[("s", &["r"]), ("d", &["r"])]);
    assert_eq!(taken(&[]), (both.clone(), true));
    let second = |more: &[(&str, &[u8])]| {
        let attributes: Vec<_> = CONV.iter().chain(more).copied().collect();
        taken(&[(5, node("Conv", &["g", "v"], "d", &attributes))]).0
    };
    assert_eq!(second(&[("dilations", &[1, 1])]), both);
    for other in [("dilations", &[2, 2][..]), ("group", &[1]), ("auto_pad", b"SAME_LOWER")] {
        assert_eq!(second(&[other]), stages(&[("s", &["r"])]), "{}", other.0);
    }
    // Weights that are not all there.
    let short = [&TENSORS[..2], &[("v", &[2, 1, 3][..])], &TENSORS[3..]].concat();
    assert_eq!(parts(&written(&nodes(), &short, &["x"])).0.len(), 1);
}

#[test]
fn what_is_added_belongs_to_it_only_where_nothing_else_takes_the_sum_and_it_fits() {
    let twice = [(4, node("Add", &["i", "c"], "g", &[]))];
    assert_eq!(taken(&twice).0, stages(&[("c", &["r"]), ("d", &["r"])]));
    let flat = [&TENSORS[..1], &[("b", &[2, 1, 1][..])], &TENSORS[2..]].concat();
    assert_eq!(parts(&written(&nodes(), &flat, &["x"])).0[0].0, "c");
}

#[test]
fn what_is_needed_later_is_kept_and_nothing_else() {
    // The second convolution takes what was there before the first.
    let across = [(5, node("Conv", &["r", "v"], "d", CONV)), (6, node("Add", &["g", "d"], "m", &[]))];
    assert_eq!(taken(&across).0, stages(&[("s", &["r"]), ("d", &["g"])]));
    // Weights that are named among the inputs, and what is made of them alone, are always there.
    let inputs = ["x", "w", "b", "v", "l", "k"];
    let kept = stages(&[("s", &["r"]), ("d", &["r"])]);
    let mut weighed = nodes();
    weighed[4] = node("Add", &["i", "b"], "g", &[]);
    assert_eq!(parts(&written(&weighed, &TENSORS, &inputs)).0, kept);
    let mut made = nodes();
    made.insert(0, node("Neg", &["l"], "z", &[]));
    made[9] = node("MatMul", &["q", "z"], "p", &[]);
    assert_eq!(parts(&written(&made, &TENSORS, &["x"])).0, kept);
    // An input that is left out is waited for by none.
    let clip = [(4, node("Clip", &["i", "", "k"], "g", &[]))];
    assert_eq!(taken(&clip).0, kept);
    let ghost = [(4, node("Sigmoid", &["ghost"], "g", &[]))];
    let mut nodes = nodes();
    nodes[4].clone_from(&ghost[0].1);
    assert!(onnx::cut(&written(&nodes, &TENSORS, &["x"])).is_none());
}

const AVERAGE: &[(&str, &[u8])] = &[("kernel_shape", &[3, 2]), ("strides", &[3, 2])];

const BEHIND: (&str, &[u8]) = ("pads", &[0, 0, 1, 1]);

/// A convolution through sixteen planes at the very beginning, and an average of three rows.
fn through(average: &[(&str, &[u8])]) -> Vec<u8> {
    framed(BEHIND, 1, average)
}

/// The same with such a frame, and with such steps down.
fn framed(frame: (&str, &[u8]), down: u8, average: &[(&str, &[u8])]) -> Vec<u8> {
    let strides = [down, 1];
    let dense: &[(&str, &[u8])] =
        &[("group", &[1]), frame, ("strides", &strides), ("kernel_shape", &[2, 2])];
    let nodes = [
        node("Conv", &["x", "w"], "c", dense),
        node("Add", &["c", "b"], "s", &[]),
        node("AveragePool", &["s"], "p", average),
        node("Relu", &["p"], "y", &[]),
    ];
    written(&nodes, &[("w", &[4, 16, 2, 2]), ("b", &[1, 4, 1, 1])], &["x"])
}

#[test]
fn weights_that_are_said_to_be_many_are_not_waited_for() {
    let vast =
        [message(&[(8, b"w")]), vec![1 << 3, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40]];
    for rest in [[1, 3, 3], [0, 3, 3]] {
        let sides = rest.map(|side| [1 << 3, side]).concat();
        let tensor = [vast.concat(), sides].concat();
        let mut graph = Vec::new();
        add(&mut graph, 1, &node("Conv", &["x", "w"], "y", CONV));
        add(&mut graph, 5, &tensor);
        add(&mut graph, 11, &message(&[(1, b"x")]));
        assert!(onnx::cut(&message(&[(7, &graph)])).unwrap().stages.is_empty());
    }
}

#[test]
fn an_average_is_taken_out_where_its_parts_do_not_overlap() {
    assert_eq!(parts(&through(AVERAGE)).0, stages(&[("s", &[]), ("p", &[])]));
    let other: [(&str, &[u8]); 5] = [
        ("strides", &[1, 2]),
        ("pads", &[0, 0, 1, 0]),
        ("ceil_mode", &[1]),
        ("auto_pad", &[1]),
        ("dilations", &[2, 1]),
    ];
    for other in other {
        let average: Vec<_> =
            AVERAGE.iter().filter(|(name, _)| *name != other.0).copied().chain([other]).collect();
        assert_eq!(parts(&through(&average)).0, stages(&[("s", &[])]), "{}", other.0);
    }
}

#[test]
fn a_frame_that_keeps_the_size_is_known_where_the_kernel_takes_no_steps() {
    for (word, down, is_known) in
        [("SAME_UPPER", 1, true), ("SAME_UPPER", 2, false), ("VALID", 1, false)]
    {
        let found = parts(&framed(("auto_pad", word.as_bytes()), down, AVERAGE)).0;
        assert_eq!(found.len(), if is_known { 2 } else { 1 }, "{word} {down}");
    }
    // More rows than columns, so that neither stands for the other.
    let (size, values) = here(&framed(("auto_pad", b"SAME_UPPER"), 1, AVERAGE), &[1, 16, 6, 4]);
    let (same, want) = whole(&framed(("auto_pad", b"SAME_UPPER"), 1, AVERAGE), &[1, 16, 6, 4]);
    assert_eq!(size, same);
    assert!(off(&values, &want) < 1e-4, "{values:?} instead of {want:?}");
}

/// Some values of this size.
fn input(size: [usize; 4]) -> Value {
    let values = (0..size.iter().product()).map(|at: usize| u8::try_from(at * 41 % 97).unwrap());
    let values = values.map(|value| f32::from(value) / 50.0).collect::<Vec<f32>>();
    Value::from_shape(size, values).unwrap()
}

/// What a file gives for that, with what is taken out done here.
fn here(file: &[u8], size: &[usize; 4]) -> ([usize; 4], Vec<f32>) {
    let place = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(place.path(), file).unwrap();
    let threads = Arc::new(ThreadPool::with_num_threads(2));
    Network::open(place.path()).unwrap().through::<4>(input(*size), &threads).unwrap()
}

/// What it gives where nothing is taken out.
fn whole(file: &[u8], size: &[usize; 4]) -> ([usize; 4], Vec<f32>) {
    let model = ModelOptions::with_all_ops().load(file.to_vec()).unwrap();
    let given = model.run_one(input(*size).into(), None).unwrap();
    given.into_shape_vec::<f32, 4>().unwrap()
}

/// By how much two differ at most, as a share of what is largest.
fn off(values: &[f32], want: &[f32]) -> f32 {
    let most = want.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
    let off = values.iter().zip(want).map(|(value, want)| (value - want).abs());
    off.fold(0.0_f32, f32::max) / most
}

/// What is taken is done in bytes, and what has one place is not worth it.
#[test]
fn weights_without_neighbours_are_taken_out_where_there_are_many_places() {
    let still: &[(&str, &[u8])] =
        &[("group", &[1]), ("pads", &[0; 4]), ("strides", &[1, 1]), ("kernel_shape", &[1, 1])];
    let nodes = [
        node("Conv", &["x", "w"], "c", still),
        node("Add", &["c", "b"], "s", &[]),
        node("GlobalAveragePool", &["s"], "a", &[]),
        node("Conv", &["a", "w"], "g", still),
        node("Add", &["g", "b"], "h", &[]),
        node("Relu", &["h"], "i", &[]),
        node("Conv", &["i", "w"], "j", still),
        node("Sigmoid", &["j"], "k", &[]),
        node("Mul", &["s", "k"], "y", &[]),
    ];
    let file = || written(&nodes, &[("w", &[50, 50, 1, 1]), ("b", &[1, 50, 1, 1])], &["x"]);
    if !Level::of_this_processor().multiplies_bytes() {
        assert!(parts(&file()).0.is_empty());
        return;
    }
    assert_eq!(parts(&file()).0, stages(&[("s", &[])]));
    let nodes = [&nodes[..2], &[node("Relu", &["s"], "y", &[])]].concat();
    let file = || written(&nodes, &[("w", &[50, 50, 1, 1]), ("b", &[1, 50, 1, 1])], &["x"]);
    let (size, values) = here(&file(), &[2, 50, 7, 9]);
    let (same, want) = whole(&file(), &[2, 50, 7, 9]);
    assert_eq!(size, same);
    assert!(off(&values, &want) < 0.01, "{values:?} instead of {want:?}");
}

#[test]
fn layers_that_are_done_here_give_what_they_gave_and_take_fewer_rows() {
    let place = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(place.path(), through(AVERAGE)).unwrap();
    let network = Network::open(place.path()).unwrap();
    let threads = Arc::new(ThreadPool::with_num_threads(2));
    let input = |rows: usize| {
        let values =
            (0..16 * rows * 6).map(|at| u8::try_from(at * 41 % 97).map(f32::from).unwrap() / 50.0);
        Value::from_shape([1, 16, rows, 6], values.collect::<Vec<f32>>()).unwrap()
    };
    let (size, values) = network.through::<4>(input(3), &threads).unwrap();
    let whole = ModelOptions::with_all_ops().load(through(AVERAGE)).unwrap();
    let want = whole.run_one(input(3).into(), None).unwrap();
    let (same, want) = want.into_shape_vec::<f32, 4>().unwrap();
    assert_eq!((size, size), (same, [1, 4, 1, 3]));
    for (value, want) in values.iter().zip(&want) {
        assert!((value - want).abs() < 1e-3, "{value} instead of {want}");
    }
    assert!(want.iter().any(|value| *value > 0.5), "{want:?}");
    for (rows, left) in [(2, 1), (5, 1), (6, 2)] {
        assert_eq!(network.through::<4>(input(rows), &threads).unwrap().0, [1, 4, left, 3]);
    }
}

#[test]
fn only_a_layer_that_picks_one_of_its_classes_is_taken_off_the_end() {
    assert!(!taken(&[(11, node("Relu", &["o"], "y", &[]))]).1);
    for classes in [6, 8] {
        let sides = [classes];
        let other = [&TENSORS[..4], &[("k", &sides[..])]].concat();
        assert!(!parts(&written(&nodes(), &other, &["x"])).1, "{classes}");
    }
    let names = |file: &[u8], name: &[u8]| file.windows(name.len()).any(|part| part == name);
    let cut = onnx::cut(&file()).unwrap();
    assert!(names(&file(), b"Softmax") && !names(&cut.file, b"Softmax"));
}

#[test]
fn what_is_no_file_of_a_network_is_not_read() {
    let fault = |path: &Path| Network::open(path).unwrap_err().to_string();
    let folder = tempfile::tempdir().unwrap();
    assert!(fault(folder.path()).contains("no file of a network"));
    let large = std::fs::File::create(folder.path().join("large")).unwrap();
    large.set_len(LARGEST + 1).unwrap();
    assert!(fault(&folder.path().join("large")).contains("no file of a network"));
    std::fs::write(folder.path().join("right"), file()).unwrap();
    let network = Network::open(&folder.path().join("right")).unwrap();
    let threads = Arc::new(ThreadPool::with_num_threads(1));
    let fault = network.likeliest(Planes::grey(1, 6, 5), 8, &threads).unwrap_err().to_string();
    assert!(fault.contains("its characters"), "{fault}");
}

#[test]
fn what_is_taken_out_gives_what_it_gave_in_its_place() {
    let cut = onnx::cut(&file()).unwrap();
    assert_eq!(cut.stages.iter().map(|stage| stage.kept.len()).collect::<Vec<_>>(), [1, 1]);
    let place = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(place.path(), file()).unwrap();
    let network = Network::open(place.path()).unwrap();
    let image = image::RgbImage::from_fn(6, 5, |x, y| {
        image::Rgb([x, y, x * y].map(|v| u8::try_from(v * 7 + 90).unwrap()))
    });
    let planes = || {
        let mut planes = Planes::grey(1, 6, 5);
        let part = crate::geometry::Rect::new(0, 0, 6, 5);
        planes.draw(0, &image, &part, crate::geometry::Size::new(6, 5));
        // Two of its three planes.
        let values: Vec<f32> = planes.into_values().into_iter().take(60).collect();
        Value::from_shape([1, 2, 5, 6], values).unwrap()
    };
    let threads = Arc::new(ThreadPool::with_num_threads(2));
    let ([one, steps, _], values) = network.through::<3>(planes(), &threads).unwrap();
    let likeliest = network.classifier.as_ref().unwrap().likeliest(&values).unwrap();
    let whole = ModelOptions::with_all_ops().load(file()).unwrap();
    let want = whole.run_one(planes().into(), None).unwrap();
    let ([_, _, classes], want) = want.into_shape_vec::<f32, 3>().unwrap();
    assert_eq!((one, steps, classes, likeliest.len()), (2, 5, 7, 10));
    for ((at, likely), want) in likeliest.into_iter().zip(want.chunks(classes)) {
        assert!(want.iter().all(|other| *other <= want[at] + 1e-5), "{at}: {want:?}");
        assert!((likely - want[at]).abs() < 1e-4, "{likely} instead of {}", want[at]);
    }
}

#[test]
fn a_broken_file_is_refused_and_breaks_nothing() {
    let file = file();
    for at in 0..file.len() {
        let mut broken = file.clone();
        broken[at] ^= 0xff;
        let _ = onnx::cut(&broken);
        let _ = onnx::cut(&file[..at]);
    }
    let place = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(place.path(), &file[..file.len() / 2]).unwrap();
    assert!(Network::open(place.path()).is_err());
}
