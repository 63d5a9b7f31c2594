"""What `bench.training` measures is what it says: the same model, its operations, the ratios it promises."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from bench.training import __main__ as command
from bench.training import sweep
from bench.training.contenders import CONTENDERS, Order, order_of
from bench.training.data_lengths import tokens_per_example
from bench.training.flops import cost_of
from bench.training.generated_data import write_data
from bench.training.peers.course_loop import CourseLoop, flattened, pcgrad
from bench.training.peers.model import Setting, embeddings_of, plain_encoder
from bench.training.peers.plain_loop import PlainLoop
from bench.training.peers.token_batches import TaskData, Tokens
from bench.training.product import Product, lengths_of
from bench.training.report import ratios
from bench.training.rounds import Plan, Row, measure
from bertmt.encoders.find import find_encoder
from bertmt.models.tokenizing import load_tokenizer
from bertmt.tasks.builtin import BUILTIN
from bertmt.tasks.loading import read_split
from bertmt.training.steps.gradient_surgery import project_conflicts
from bertmt.training.steps.objectives import objective

GIVEN = {"batch_size": 4, "encoder": "tiny", "data": "toy", "dev_examples": 12}
LENGTHS = (9, 9, 9)  # equal, so that there is no padding, which the counter would count


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    torch.set_num_threads(1)


def tokens_of(lengths: tuple[int, ...]) -> Tokens:
    ids = torch.randint(5, 100, (len(lengths), max(lengths)), generator=torch.Generator().manual_seed(1))
    return Tokens(ids, torch.ones_like(ids))


def counted(encoder: Any) -> float:
    """What torch counts for a step of an encoder, whose attention it sees where it is written out."""
    encoder.set_attn_implementation("eager")
    tokens = tokens_of(LENGTHS)
    with FlopCounterMode(display=False) as counter:
        hidden = encoder(input_ids=tokens.input_ids, attention_mask=tokens.attention_mask).last_hidden_state
        hidden.sum().backward()
    return float(counter.get_total_flops())


def test_operations_are_those_that_torch_counts() -> None:
    encoder = plain_encoder("tiny")
    files = find_encoder("tiny")
    assert cost_of(encoder, files.hidden_size, files.layers).of(LENGTHS) == pytest.approx(counted(encoder), rel=1e-6)


def test_with_adapters_frozen_weights_cost_two_thirds_and_the_first_layers_input_gradient_is_all_that_differs() -> None:
    product = Product(order_of("lora200", **GIVEN))
    encoder = product.run.model.encoder("sst")
    config = product.run.model.config
    told = cost_of(encoder, config.hidden_size, config.num_hidden_layers).of(LENGTHS)
    # Queries, keys and values of the first layer: their own weights, and the matrices A of their adapters.
    without_gradient = 3 * (config.hidden_size**2 + config.hidden_size * 200)
    assert told - 2 * without_gradient * sum(LENGTHS) == pytest.approx(counted(encoder), rel=1e-6)


def test_the_textbooks_surgery_and_ours_give_the_same_gradient() -> None:
    generator = torch.Generator().manual_seed(3)
    direction = torch.randn(50, generator=generator)
    # Opposed to each other, so that all of them are projected.
    gradients = [sign * direction + torch.randn(50, generator=generator) for sign in (1.0, -1.0, -0.5)]
    ours = project_conflicts([[each[:20].clone(), each[20:].clone()] for each in gradients], orders())
    assert ours.projections >= 3
    torch.testing.assert_close(
        pcgrad(gradients, orders()), torch.cat([torch.as_tensor(each) for each in ours.combined])
    )


def orders() -> torch.Generator:
    return torch.Generator().manual_seed(5)


@pytest.mark.parametrize("together", [True, False])
def test_a_loops_loss_is_the_objective_of_bertmt_on_the_same_batch(together: bool) -> None:
    """In fp32 and without dropout, with the same heads."""
    product = Product(order_of("baseline", **GIVEN))
    setting = Setting(order_of("course_loop", **GIVEN))
    model, run = setting.model.eval(), product.run
    run.model.eval()
    for task in ("sst", "para"):
        theirs = run.model.head_parameters(task)
        for parameter, other in zip(model.heads[task].parameters(), theirs, strict=True):
            parameter.data.copy_(other)
    for task in ("sst", "para", "sts"):
        batch = run.streams[task].next()
        same = setting.train[task].batch(batch.rows.tolist(), together)
        assert sorted(same.lengths) == sorted(lengths_of(batch)) and sum(same.lengths) == batch.token_count
        loss = model.loss(task, embeddings_of(model, task, same), same.labels)
        embeddings = run.model.embed(task, batch.tokens)
        ours = objective(run.model, run.recipe, task, batch.labels, embeddings).loss
        torch.testing.assert_close(loss, ours, rtol=1e-5, atol=1e-6)


def test_the_peers_read_what_bertmt_reads() -> None:
    data = TaskData("toy", "para", "dev", "tiny", limit=50)
    ours = load_tokenizer("tiny", 128)
    examples = read_split("toy", BUILTIN["para"], "dev").first(50).examples
    assert [first for first, _ in data.sentences] == ours.encode([each.first for each in examples])
    assert [second for _, second in data.sentences] == ours.encode([each.second or "" for each in examples])


@pytest.mark.parametrize("order_of_rows", [TaskData.shuffled, TaskData.sorted_windows])
def test_a_peers_pass_has_each_example_once(order_of_rows: Callable[..., Any]) -> None:
    data = TaskData("toy", "sst", "dev", "tiny", limit=50)
    batches = order_of_rows(data, 8, 0)
    rows = [row for _ in range(7) for row in next(batches)]
    assert sorted(rows) == list(range(50)) and rows != list(range(50))


@pytest.mark.parametrize(
    ("made", "name"), [(CourseLoop, "course_loop"), (PlainLoop, "plain_loop"), (Product, "baseline")]
)
def test_a_block_counts_its_own_steps_and_trains(made: Callable[..., Any], name: str) -> None:
    contender = made(order_of(name, **GIVEN))
    parameters = list((contender.run if made is Product else contender.setting).model.parameters())
    before = [parameter.detach().clone() for parameter in parameters]
    block = contender.train(3, 1)
    assert block.examples == 3 * 3 * 4 and block.seconds > 0
    assert 0 < block.tokens <= block.places and block.flops > 0
    assert any(not torch.equal(old, new) for old, new in zip(before, parameters, strict=True))
    assert set(contender.evaluate()) == {"sst", "para", "sts"}


def test_the_course_loops_heads_keep_their_own_gradients() -> None:
    """Surgery is about what tasks share: of a head the optimizer gets the task's gradient as it came."""
    loop = CourseLoop(order_of("course_loop", **GIVEN))
    model = loop.setting.model.eval()
    batches = loop.next_batches()
    loss = model.loss("sst", embeddings_of(model, "sst", batches["sst"]), batches["sst"].labels)
    expected = torch.autograd.grad(loss, list(model.heads["sst"].parameters()))
    loop.step(batches)
    torch.testing.assert_close(flattened(model.heads["sst"].parameters()), torch.cat([e.flatten() for e in expected]))


def test_generated_sentences_have_the_lengths_that_were_asked_for(tmp_path: Path) -> None:
    folder = str(write_data(tmp_path / "data", "tiny", {"train": 60, "dev": 5}, lambda task: lambda dice: 11))
    for task in BUILTIN:
        data = TaskData(folder, task, "train", "tiny")
        assert {len(ids) for sentences in data.sentences for ids in sentences} == {11} and len(data) == 60


def test_generated_sentences_are_as_long_as_the_courses(tmp_path: Path) -> None:
    folder = str(write_data(tmp_path / "data", "tiny", {"train": 2_000}))
    lengths = sorted(len(ids) for (ids,) in TaskData(folder, "sst", "train", "tiny").sentences)
    assert abs(lengths[1_000] - 24) <= 1 and 75 <= lengths[-1] <= 80 and 4 <= lengths[0] <= 5


def test_a_sweep_tells_the_cost_of_a_token_at_each_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "AXES", {"tasks": (1, 3)})
    found = sweep.sweep("tiny", Plan(rounds=1, steps=2, warm_up=0), ["tasks"])
    assert set(found) == {"tasks"} and set(found["tasks"]) == {"1", "3"} and min(found["tasks"].values()) > 0
    assert "times as long per token" in sweep.table(found)


def row(name: str, size: int, *seconds: float, examples: int = 96, tokens: int = 960) -> Row:
    blocks = [{"seconds": each, "tokens": tokens, "examples": examples} for each in seconds]
    return Row(name, size, first={}, group=0, blocks=blocks)


def test_ratios_are_of_the_same_round() -> None:
    """A round in which the whole machine is four times slower changes none."""
    rows = [row("baseline", 8, 1, 4, 1), row("course_loop", 8, 3, 12, 3), row("baseline_sum", 8, 0.5, 2, 0.5)]
    found = ratios({(each.name, each.batch_size): each for each in rows}, {})
    assert found["baseline_batch8_over_course_loop"] == 3
    assert found["surgery_over_sum_batch8"] == 2


def test_the_trainers_are_summed_over_the_same_examples() -> None:
    """By hand: 1, 2 and 3 ms a token for examples of 10, 20 and 30 tokens; ours takes 1 ms per token."""
    rows = [
        row("baseline", 32, 0.96),
        row("hf_trainer_sst", 32, 0.96, tokens=960),
        row("st_trainer_sts", 32, 0.96, tokens=480),
        row("st_trainer_para", 32, 0.96, tokens=320),
    ]
    lengths = {"sst": 10.0, "sts": 20.0, "para": 30.0}
    found = ratios({(each.name, each.batch_size): each for each in rows}, lengths)
    assert found == {"batch32_over_library_trainers": pytest.approx((10 + 2 * 20 + 3 * 30) / 60)}


def test_an_average_example_is_as_long_as_all_its_sentences(tmp_path: Path) -> None:
    folder = write_data(tmp_path / "data", "tiny", {"train": 40, "dev": 5}, lambda task: lambda dice: 11)
    assert tokens_per_example(str(folder), "tiny") == {"sst": 11, "para": 22, "sts": 22}


@pytest.mark.slow
def test_the_whole_command_gives_rows_and_ratios(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "figures.json"
    only = [word for name in ("course_loop", "baseline") for word in ("--only", name)]
    scale = ["--quick", "--rounds", "1", "--steps", "2", "--batch", "8", "--encoder", "tiny", "--score-examples", "32"]
    command.main([*scale, *only, "--json", str(file)])
    found = json.loads(file.read_text(encoding="utf-8"))
    assert set(found["ratios"]) == {"baseline_batch8_over_course_loop"}
    assert [each["contender"] for each in found["rows"]] == ["course_loop", "baseline"]
    for each in found["rows"]:
        assert 0 < each["share_of_peak"] < 1 and each["peak_memory_mib"] > each["imported_memory_mib"]
        assert set(each["scores"]) == {"sst", "para", "sts"} and each["scored_examples"] == 32
        assert each["examples_per_second"] > 0
        assert (each["padding_share"] == 0) == (each["contender"] == "baseline") and each["padding_share"] < 1
    child = found["start_to_first_step"]
    assert 0 < child["to_started"] < child["to_first_step"]
    said = capsys.readouterr()
    assert "NO --data DIR" in said.err and CONTENDERS["baseline"].title in said.out


def test_a_library_that_is_missing_is_left_out_with_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lacking.py").write_text("import not_there_at_all\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    orders = {"lacking": Order(module="lacking", batch_size=4, encoder="tiny", data="toy")}
    rows, sentences = measure(orders, Plan(rounds=1, steps=1, warm_up=0), 0, lambda text: None)
    assert (rows, sentences) == ([], ["lacking was left out: The package not_there_at_all is not installed."])
