"""Reads each picture whose path comes in on a line with rapidocr, and says what it took and what it read."""
import json
import sys
import time
from importlib.metadata import version

from rapidocr import RapidOCR

out = sys.stdout
sys.stdout = sys.stderr
engine = RapidOCR(params={"Global.log_level": "error"})
print(json.dumps({"rapidocr": version("rapidocr"), "onnxruntime": version("onnxruntime")}), file=out, flush=True)
for path in sys.stdin:
    wall, cpu = time.perf_counter(), time.process_time()
    read = engine(path.strip())
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    texts = []
    for box, text in zip([] if read.boxes is None else read.boxes, read.txts or []):
        left, top = box.min(axis=0).tolist()
        right, bottom = box.max(axis=0).tolist()
        texts.append({"text": text, "x": left, "y": top, "width": right - left, "height": bottom - top})
    print(json.dumps({"wall_ms": wall * 1000, "cpu_ms": cpu * 1000, "texts": texts}), file=out, flush=True)
