use freehand_tools::desktop::ocr::{Networks, Reader};
fn main() {
    let mut args = std::env::args().skip(1);
    let image = image::open(args.next().unwrap()).unwrap().to_rgb8();
    let dir = args.next().unwrap();
    let reader = Reader::open(&Networks {
        detection: format!("{dir}/PP-OCRv6_det_small.onnx").into(),
        recognition: format!("{dir}/PP-OCRv6_rec_small.onnx").into(),
    })
    .unwrap();
    let start = std::time::Instant::now();
    let lines = reader.read(&image).unwrap();
    eprintln!("{:?} {} lines", start.elapsed(), lines.len());
    for line in lines {
        println!("{} {:.2} {}", line.bounds, line.sure, line.text);
    }
    let start = std::time::Instant::now();
    reader.read(&image).unwrap();
    eprintln!("again {:?}", start.elapsed());
}
