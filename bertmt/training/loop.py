"""Training in time order, from the evaluation before the first step to the last event."""

import logging

from bertmt.drawing.numbers import counted
from bertmt.models.saving import save_model
from bertmt.run_folder.held_folder import DisplacedError
from bertmt.training.checkpoints.checkpointing import Checkpointing
from bertmt.training.checkpoints.state import TrainingState
from bertmt.training.reporting import Reporter
from bertmt.training.steps.optimizer import set_learning_rate
from bertmt.training.stopping import PausePointError, StopFlag, StoppedError

log = logging.getLogger(__name__)


def train(state: TrainingState, reporter: Reporter, checkpointing: Checkpointing, stop: StopFlag) -> None:
    """Train a run to its end, from wherever its state is.

    A checkpoint holds what `TrainingState` holds, and is written between two steps or evaluations. So a run that was
    killed anywhere goes on with the very step that followed the checkpoint, as if nothing had been.

    Raises:
        DivergedError: a loss or a prediction is not finite.
        StoppedError: somebody asked, or it is to pause here; a checkpoint is written.
        DisplacedError: the folder is another's now; a checkpoint is written where it serves the next attempt.
    """
    reporter.started(checkpointing.resumed, checkpointing.differences, checkpointing.begins_anew)
    try:
        last_epoch = train_phases(state, reporter, checkpointing, stop)
    except StoppedError:
        checkpointing.write()
        raise
    except DisplacedError as displaced:
        if displaced.keeps_events:
            checkpointing.write()
        raise
    state.leave()
    # The mean's weights are the run's, or the selected epoch's.
    state.average.restore(state.model)
    state.selection.restore(state.model)
    if state.run.recipe.keep_model:
        with reporter.stopwatch.measure("saving"):
            save_model(state.model, state.run.recipe, state.run.tokenizer, state.run.folder.model)
    reporter.finished(last_epoch, state.selection.selected)
    if not state.run.keeps_checkpoints:
        checkpointing.store.delete()


def train_phases(state: TrainingState, reporter: Reporter, checkpointing: Checkpointing, stop: StopFlag) -> int:
    """What is left of the run's phases; returns the last epoch that was trained."""
    run, progress = state.run, state.progress

    # Epoch 0: what the pretrained encoder and untrained heads say, before any step.
    if progress.evaluated_epoch < 0:
        reporter.evaluated(0, run.evaluator)

    # Pretraining on pairs with similarities (section 4.3): each phase with a fresh optimizer.
    for phase in [each for each in state.phases_left() if each not in run.stages]:
        optimizer = state.enter(phase)
        steps = run.pretraining[phase]
        log.info("Pretraining with %s: step %d of %d.", phase, progress.phase_step, steps)
        with reporter.stopwatch.measure("pretraining"):
            while progress.phase_step < steps:
                stop.check()
                reporter.glance(0)
                rate = set_learning_rate(optimizer, run.recipe, progress.phase_step, steps)
                reporter.stepped(0, phase, rate, state.stepper.take([phase], optimizer))
                checkpointing.after_step()

    epoch = 0
    # Training on the tasks: in one stage, or all together and then each on its own.
    for stage in [each for each in state.phases_left() if each in run.stages]:
        epoch = train_stage(stage, state, reporter, checkpointing, stop)
    return epoch


def train_stage(
    stage: str, state: TrainingState, reporter: Reporter, checkpointing: Checkpointing, stop: StopFlag
) -> int:
    """What is left of a stage of training; returns the last epoch that was trained."""
    run, progress = state.run, state.progress

    # The plan is one sequence of steps that epochs only cut, so that positions carry over from one capped epoch to the
    # next. Each stage has a fresh optimizer; its epochs are counted on from those of the one before.
    optimizer = state.enter(stage)
    plan = run.plan
    before = run.stages.index(stage) * plan.epochs
    scope = f"{counted(plan.epochs, 'epoch')} of {counted(plan.steps_per_epoch, 'step')}"
    log.info("Training %s (%s): %s.", ", ".join(run.recipe.tasks), stage, scope)
    epoch = before + max(1, -(-progress.phase_step // plan.steps_per_epoch))
    while True:
        with reporter.stopwatch.measure("training"):
            while progress.phase_step < (epoch - before) * plan.steps_per_epoch:
                stop.check()
                reporter.glance(epoch)
                rate = set_learning_rate(optimizer, run.recipe, progress.phase_step, plan.steps)
                tasks = plan.tasks_at(progress.phase_step)
                reporter.stepped(epoch, stage, rate, state.stepper.take(tasks, optimizer))
                state.look_at_weights()
                checkpointing.after_step()
        is_last = epoch == before + plan.epochs
        is_due = epoch % run.recipe.evaluate_every == 0 or is_last
        if is_due and progress.evaluated_epoch < epoch:
            with state.current_weights():
                state.selection.consider(reporter.evaluated(epoch, run.evaluator), state.model)
        checkpointing.write()
        if state.selection.should_stop:
            log.info("Stopped early: %d evaluations without a better dev score.", state.selection.without_gain)
            return epoch
        if is_last:
            return epoch
        if epoch == run.pause_after:
            raise PausePointError(epoch)
        epoch += 1
