"""Training in time order, from the evaluation before the first step to the last event."""

import logging

from bertmt.models.saving import save_model
from bertmt.training.composition import TrainingRun
from bertmt.training.optimizer import build_optimizer, set_learning_rate
from bertmt.training.reporting import Reporter
from bertmt.training.seeding import seed_dropout
from bertmt.training.selection import Selection
from bertmt.training.step import Stepper
from bertmt.training.stopping import StopFlag

log = logging.getLogger(__name__)


def train(run: TrainingRun, reporter: Reporter, stop: StopFlag) -> None:
    """Train a run to its end.

    What the next step depends on is the weights, the optimizer's moments, the position of each stream, the stepper's
    surgery order, torch's global generator (dropout) and the two counters `step` and `epoch`; nothing else.

    Raises:
        DivergedError: a loss or a prediction is not finite.
        StoppedError: somebody asked; nothing is half written.
    """
    recipe, model, plan = run.recipe, run.model, run.plan
    stepper = Stepper(model, recipe, run.streams)
    selection = Selection(recipe)
    model.train()
    seed_dropout(recipe.seed)
    reporter.started()

    # Epoch 0: what the pretrained encoder and untrained heads say, before any step.
    reporter.evaluated(0, run.evaluator)

    # Pretraining on STS pairs (section 4.3): each phase with a fresh optimizer over exactly the encoder weights that
    # the run trains for STS, which with LoRA are its matrices, with ensembling those of M_STS (decision 21).
    for phase, steps in run.pretraining.items():
        log.info("Pretraining with %s: %d steps.", phase, steps)
        optimizer = build_optimizer(model, ["sts"], recipe)
        with reporter.stopwatch.measure("pretraining"):
            for step in range(steps):
                stop.check()
                rate = set_learning_rate(optimizer, step, recipe.warmup_steps)
                reporter.stepped(0, phase, rate, stepper.take([phase], optimizer))

    # Training on the tasks. The plan is one sequence of steps that epochs only cut, so that positions carry over
    # from one capped epoch to the next.
    log.info("Training %s: %d epochs of %d steps.", ", ".join(recipe.tasks), plan.epochs, plan.steps_per_epoch)
    optimizer = build_optimizer(model, recipe.tasks, recipe)
    step = 0
    for epoch in range(1, plan.epochs + 1):
        with reporter.stopwatch.measure("training"):
            while step < epoch * plan.steps_per_epoch:
                stop.check()
                rate = set_learning_rate(optimizer, step, recipe.warmup_steps)
                reporter.stepped(epoch, "train", rate, stepper.take(plan.tasks_at(step), optimizer))
                step += 1
        if epoch % recipe.evaluate_every == 0 or epoch == plan.epochs:
            selection.consider(reporter.evaluated(epoch, run.evaluator), model)
            if selection.should_stop:
                log.info("StoppedError early: %d evaluations without a better dev score.", selection.without_gain)
                break

    # The selected epoch's weights are the run's.
    selection.restore(model)
    if recipe.keep_model:
        with reporter.stopwatch.measure("saving"):
            save_model(model, recipe, run.tokenizer, run.folder.model)
    reporter.finished(epoch, selection.selected)
