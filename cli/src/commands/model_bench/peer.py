"""llama.cpp on the same file: one question a line, with what it took, as JSON.

Times are llama.cpp's own, so neither Python nor this conversation counts."""

import json
import resource
import sys
import time

import xllamacpp

path, threads, context = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
params = xllamacpp.CommonParams()
params.model.path = path
params.n_ctx = context
params.n_parallel = 1
params.n_batch = params.n_ubatch = 512
params.warmup = False
params.fit_params = False
params.cpuparams.n_threads = threads
params.cpuparams_batch.n_threads = threads
params.endpoint_metrics = False
params.verbosity = -1
start = time.perf_counter()
server = xllamacpp.Server(params)


def say(answer):
    print(json.dumps(answer), flush=True)


say({"version": xllamacpp.__version__, "load_ms": (time.perf_counter() - start) * 1000})
for line in sys.stdin:
    start = time.perf_counter()
    question = {"temperature": 0, "cache_prompt": False, **json.loads(line)}
    answer = server.handle_completions(question)
    if isinstance(answer, (str, bytes)):
        answer = json.loads(answer)
    if "timings" not in answer:
        say({"error": json.dumps(answer)[:300]})
        continue
    timings, choice = answer["timings"], answer["choices"][0]
    say(
        {
            "text": choice["text"],
            "read": timings["prompt_n"],
            "cached": timings.get("cache_n", 0),
            "read_ms": timings["prompt_ms"],
            "written": timings["predicted_n"],
            "written_ms": timings["predicted_ms"],
            "wall_ms": (time.perf_counter() - start) * 1000,
            "peak_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        }
    )
