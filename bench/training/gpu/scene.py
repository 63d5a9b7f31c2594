"""Where the parts work: an encoder, generated data, and registries in which they use bertmt as its users do."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.training.generated_data import write_data
from bertmt.devices.slots import device_slots
from bertmt.encoders.find import find_encoder
from bertmt.encoders.vocabulary import SPECIAL_TOKENS

BERT_BASE = "bert-base"  # of random weights: rates are those of pretrained ones
VOCABULARY = 30_522
SIZES = {"train": 20_000, "dev": 200}
PATIENCE = 240.0
LAST_WORDS = 1_000  # characters
LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Scene:
    """What every part is told.

    Attributes:
        folder: all files lie in it.
        encoder: `bert-base` for one that is made here, else a name of bertmt's.
        device: "gpu" or "cpu".
    """

    folder: Path
    encoder: str
    device: str

    @property
    def encoder_name(self) -> str:
        """What recipes call it."""
        return str(self.folder / "encoder") if self.encoder == BERT_BASE else self.encoder

    @property
    def data(self) -> str:
        return str(self.folder / "data")

    @property
    def slot(self) -> str:
        """The first device: "cpu", or "cuda:<uuid>" as a child is told.

        Raises:
            BertmtError: there is no GPU.
        """
        if self.device == "cpu":
            return "cpu"
        return f"cuda:{device_slots('auto', 1)[0].device}"

    def make(self, train: int) -> None:
        """Encoder and data, where they are missing.

        Args:
            train: examples of each task.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.encoder == BERT_BASE and not (self.folder / "encoder").exists():
            write_bert_base(self.folder / "encoder")
        if not (self.folder / "data").exists():
            write_data(self.folder / "data", self.encoder_name, {**SIZES, "train": train})

    def registry(self, name: str) -> "Registry":
        """A new registry."""
        return Registry(Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder)), self)

    def write(self, part: str, found: Mapping[str, Any]) -> None:
        """Keep what a part has found so far, should it not come to its end."""
        (self.folder / f"{part}.json").write_text(json.dumps(found), encoding="utf-8")

    def read(self, part: str) -> dict[str, Any]:
        """What a part has written; empty: nothing."""
        file = self.folder / f"{part}.json"
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        return found


class Registry:
    """A registry of its own, used from the command line."""

    def __init__(self, folder: Path, scene: Scene):
        self.folder = folder
        self.scene = scene

    @property
    def environment(self) -> dict[str, str]:
        """In which commands use it."""
        return {**os.environ, "BERTMT_DB": str(self.folder / "runs.db")}

    def call(self, *words: str, timeout: float = PATIENCE) -> str:
        """What a command of bertmt wrote.

        Raises:
            RuntimeError: its exit code was not 0; with its last words.
        """
        done = subprocess.run(
            [sys.executable, "-m", "bertmt", *words],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        if done.returncode:
            said = (done.stdout + done.stderr)[-LAST_WORDS:]
            raise RuntimeError(f"`bertmt {' '.join(words)}` ended with {done.returncode}: {said}")
        return done.stdout

    def queue(self, *words: str, preset: str = "baseline", **settings: Any) -> str:
        """Queue a short run; its id."""
        scale = {"epochs": 1, "epoch_steps": 8, "evaluate_examples": 64, "keep_model": False, "extra_data": False}
        sets = [f"--set={key}={_shown(value)}" for key, value in {**scale, **settings}.items()]
        place = ["--data", self.scene.data, "--encoder", self.scene.encoder_name, "--again", "--json"]
        document = json.loads(self.call("queue", "--preset", preset, *sets, *place, *words))
        return str(document["runs"][0]["id"])

    def work(self, *words: str) -> str:
        """Work the queue until it is empty; what the worker said."""
        device = "cpu" if self.scene.device == "cpu" else "auto"
        return self.call("worker", "--drain", "--device", device, *words)

    @contextmanager
    def worker(self, *words: str) -> "Iterator[subprocess.Popen[str]]":
        """A worker that works the queue meanwhile; it is gone afterwards."""
        device = "cpu" if self.scene.device == "cpu" else "auto"
        worker = subprocess.Popen(
            [sys.executable, "-m", "bertmt", "worker", "--drain", "--device", device, *words],
            env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        try:
            yield worker
        finally:
            worker.terminate()  # it requeues what is running
            worker.communicate()

    def run(self, run_id: str) -> dict[str, Any]:
        """A run as `bertmt runs --json` has it."""
        found: dict[str, Any] = json.loads(self.call("show", run_id, "--json"))["run"]
        return found

    def events(self, run_id: str) -> list[dict[str, Any]]:
        """All events of a run, attempt after attempt."""
        files = sorted((self.folder / "runs" / run_id).glob("events-*.jsonl"))
        lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines(keepends=True)]
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def wait_for(self, run_id: str, kind: str) -> None:
        """Until a run has told such an event.

        Raises:
            RuntimeError: it did not.
        """
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if any(event["event"] == kind for event in self.events(run_id)):
                return
            time.sleep(0.1)
        raise RuntimeError(f"Run {run_id} told of no {kind} within {PATIENCE:.0f} s.")


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def made_up_words(count: int) -> list[str]:
    """Different words of four letters."""
    return ["".join(LETTERS[number // 26**place % 26] for place in range(4)) for number in range(count)]


def write_bert_base(folder: Path) -> None:
    """BERT-base as its configuration has it, with random weights and a vocabulary of made-up words."""
    import safetensors.torch  # noqa: PLC0415 - the command itself needs no torch
    from transformers import AutoModel, BertConfig  # noqa: PLC0415

    folder.mkdir()
    config = BertConfig(vocab_size=VOCABULARY)
    model = AutoModel.from_config(config, add_pooling_layer=False)
    pieces = [*SPECIAL_TOKENS, *made_up_words(VOCABULARY - len(SPECIAL_TOKENS))]
    (folder / "config.json").write_text(config.to_json_string(), encoding="utf-8")
    (folder / "vocab.txt").write_text("".join(f"{piece}\n" for piece in pieces), encoding="utf-8")
    weights = {name: each.contiguous() for name, each in model.state_dict().items()}
    (folder / "model.safetensors").write_bytes(safetensors.torch.save(weights))
    find_encoder(str(folder))  # refuses what bertmt could not use


def events_of(events: Sequence[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [event for event in events if event["event"] == kind]
